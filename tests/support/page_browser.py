"""A headless Chromium driven through its DevTools protocol, for the tests of the bench's page."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_SECONDS = 60.0
STEP_SECONDS = 0.02


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def wait_until(condition: Callable[[], bool], complaint: str = "never became so") -> None:
    """Wait until a condition holds; TimeoutError with the complaint if it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(complaint)
        time.sleep(STEP_SECONDS)


class Tab:
    """One page, with everything that it said and asked for."""

    def __init__(self, socket: Any, session: str) -> None:
        self._socket = socket
        self._session = session
        self._last = 0
        self.complaints: list[str] = []
        """Errors and warnings of the console, exceptions, and what the browser itself logged."""
        self.requests: list[str] = []
        """Addresses asked for, the data: ones left out."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's result."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters, "sessionId": self._session}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE_SECONDS))
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self._note(message.get("method", ""), message.get("params", {}))

    def open(self, path: Path) -> None:
        """Load a file and wait until its scripts have run."""
        self.run("globalThis.leaving = true")
        self.call("Page.navigate", url=path.as_uri())
        self.wait_for("!globalThis.leaving && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression, promises awaited. An exception in it raises RuntimeError."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true."""
        wait_until(lambda: bool(self.run(f"Boolean({condition})")), f"never became true: {condition}")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something outside of the page is so."""
        wait_until(condition)

    def choose_file(self, selector: str, path: Path) -> None:
        """Give a file to an input of files."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def click(self, selector: str, across: float = 0.5, down: float = 0.5) -> None:
        """A real press of the mouse on an element, at a share of its width and height."""
        box = self.box(selector)
        place = {"x": box[0] + across * box[2], "y": box[1] + down * box[3], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def hover(self, selector: str, across: float) -> None:
        """Move the mouse over an element, to a share of its width."""
        box = self.box(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + across * box[2], y=box[1] + box[3] / 2)

    def drag(self, selector: str, start: float, end: float, *, shift: bool = False) -> None:
        """Drag the mouse over an element, between two shares of its width."""
        left, top, width, height = self.box(selector)
        for kind, across in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            place = {"x": left + across * width, "y": top + height / 2, "button": "left", "buttons": 1, "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, modifiers=8 if shift else 0, **place)

    def drag_to(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse over an element, between shares of its width and its height."""
        left, top, width, height = self.box(selector)
        for kind, (across, down) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            place = {"x": left + across * width, "y": top + down * height}
            self.call("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **place)

    def pinch(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Move two fingers over an element, between shares of its width."""
        left, top, width, height = self.box(selector)
        for kind, shares in (("touchStart", start), ("touchMove", end), ("touchEnd", ())):
            points = [{"x": left + across * width, "y": top + height / 2, "id": k} for k, across in enumerate(shares)]
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def press(self, key: str, *, shift: bool = False, control: bool = False) -> None:
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 and not control else {}
        code = {" ": "Space"}.get(key, key)
        held = (8 if shift else 0) | (2 if control else 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, modifiers=held, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, modifiers=held)

    def wheel(self, selector: str, *, right: float = 0, down: float = 0) -> None:
        """Turn the wheel over the middle of an element, by pixels."""
        left, top, width, height = self.box(selector)
        place = {"x": left + width / 2, "y": top + height / 2, "deltaX": right, "deltaY": down}
        self.call("Input.dispatchMouseEvent", type="mouseWheel", **place)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element, which is scrolled to."""
        left, top, width, height = self.run(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)});"
            "node.scrollIntoView({block: 'center', behavior: 'instant'}); const box = node.getBoundingClientRect();"
            "return [box.x, box.y, box.width, box.height]; })()"
        )
        return left, top, width, height

    def emulate(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        """A window of this size, in CSS pixels, and a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        # Pages that scroll smoothly would still move when a press arrives.
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    def screenshot(self, **parameters: Any) -> bytes:
        """PNG of what is seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **parameters)["data"])

    def _note(self, method: str, event: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(event["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not event["request"]["url"].startswith("data:"):
            self.requests.append(event["request"]["url"])


@contextlib.contextmanager
def chromium_tab(profile: Path) -> Iterator[Tab]:
    """A tab of a Chromium of its own, whose settings live in the folder `profile`."""
    from websockets.sync.client import connect

    program = find_chromium()
    assert program
    profile.mkdir(parents=True, exist_ok=True)
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    process = subprocess.Popen(
        (
            program,
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "--autoplay-policy=no-user-gesture-required",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            *sandbox,
            "about:blank",
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port, address = _debugging_address(profile / "DevToolsActivePort", process)
        with connect(f"ws://127.0.0.1:{port}{address}", max_size=None, proxy=None) as socket:
            yield Tab(socket, _attach(socket))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _debugging_address(file: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return lines[0], lines[1]
        if process.poll() is not None:
            raise RuntimeError(f"Chromium ended with status {process.returncode}")
        time.sleep(STEP_SECONDS)
    raise TimeoutError("Chromium did not open its debugging port")


def _attach(socket: Any) -> str:
    def ask(number: int, method: str, **parameters: Any) -> dict[str, Any]:
        socket.send(json.dumps({"id": -number, "method": method, "params": parameters}))
        while True:
            message: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
            if message.get("id") == -number:
                result: dict[str, Any] = message["result"]
                return result

    target = ask(1, "Target.createTarget", url="about:blank")["targetId"]
    return str(ask(2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
