"""A headless Firefox driven through WebDriver BiDi, for the tests of pages."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from page_browser import PATIENCE_SECONDS, STEP_SECONDS, wait_until

NAMES = ("firefox-esr", "firefox")
PREFERENCES = {
    "media.cubeb.force_mock_context": True,  # a loudspeaker, where there is none
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def find_firefox() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class FirefoxTab:
    """One page, with what it complained about."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._last = 0
        self.complaints: list[str] = []
        """Errors and warnings of the console, and exceptions."""
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])
        self._context = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's result."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE_SECONDS))
            if message.get("id") == self._last:
                if message.get("type") == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                result: dict[str, Any] = message["result"]
                return result
            entry = message.get("params", {})
            if message.get("method") == "log.entryAdded" and entry["level"] in ("error", "warn"):
                self.complaints.append(entry["text"])

    def open(self, path: Path) -> None:
        """Load a file and wait until its scripts have run."""
        self.call("browsingContext.navigate", context=self._context, url=path.as_uri(), wait="complete")

    def run(self, script: str) -> Any:
        """The value of an expression that JSON holds, promises awaited."""
        answer = self.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({script})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true."""
        wait_until(lambda: bool(self.run(f"Boolean({condition})")), f"never became true: {condition}")

    def click(self, selector: str) -> None:
        """A click on an element."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")


@contextlib.contextmanager
def firefox_tab(profile: Path) -> Iterator[FirefoxTab]:
    """A tab of a Firefox of its own, whose settings live in the folder `profile`."""
    from websockets.sync.client import connect

    program = find_firefox()
    assert program
    profile.mkdir(parents=True, exist_ok=True)
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    profile.joinpath("user.js").write_text("".join(lines))
    said = profile / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            (program, "--headless", "--remote-debugging-port=0", "--no-remote", "--profile", str(profile)),
            stdout=output,
            stderr=output,
        )
    try:
        address = _address(said, process)
        with connect(f"{address}/session", max_size=None, proxy=None) as socket:
            yield FirefoxTab(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(said: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", said.read_text(errors="replace"))
        if found:
            return found[1]
        if process.poll() is not None:
            raise RuntimeError(f"Firefox ended with status {process.returncode}")
        time.sleep(STEP_SECONDS)
    raise TimeoutError("Firefox did not open its port")
