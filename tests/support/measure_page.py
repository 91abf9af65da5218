"""Measures the page of gs-export wasm in a headless Chromium: python tests/support/measure_page.py CLIP.gs

Prints how long it takes from a clip's being dropped to its first sound, and from the end of a drag of a Gaussian to the
sound that it changes; what decoding all of it takes, and how long the page's drawing code takes for a frame while a
script scrolls and zooms.
"""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from page_browser import Tab, chromium_tab

from audio_gs.api import StreamDecoder
from audio_gs.export.wasm.files import build_modules, folder_files

DROPS = 5
DRAGS = 12
SECONDS_BETWEEN = 0.4  # drags
SECONDS_BEFORE = 1.0  # which nobody is faster than
FRAMES = 240
WATCH_FRAMES = """
const ask = requestAnimationFrame;
globalThis.drawn = [];
globalThis.requestAnimationFrame = (callback) => ask((time) => {
  const start = performance.now();
  callback(time);
  drawn.push(performance.now() - start);
});
"""
DROP = """
(async () => {
  const bytes = Uint8Array.from(atob(STREAM), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], 'clip.gs'));
  const before = audioGs.player;
  const start = performance.now();
  document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  const next = () => new Promise((resolve) => setTimeout(resolve));
  while (audioGs.player === before) await next();
  const shown = performance.now() - start;
  const { player } = audioGs;
  const heard = new Promise((resolve) => player.addEventListener('position', resolve));
  document.getElementById('play').click();
  while (player.position === 0) await Promise.race([heard, next()]);
  const sounds = performance.now() - start;
  await audioGs.ready;
  const drawn = performance.now() - start;
  player.pause();
  return [shown, sounds, drawn];
})()
"""
SCROLL = f"""
(async () => {{
  const stage = document.getElementById('stage');
  const box = stage.getBoundingClientRect();
  const turn = (more) => stage.dispatchEvent(new WheelEvent('wheel', {{
    clientX: box.left + box.width / 3, clientY: box.top + 9, cancelable: true, bubbles: true, ...more }}));
  drawn.length = 0;
  const start = performance.now();
  for (let number = 0; number < {FRAMES}; number += 1) {{
    if (number % 80 < 20) turn({{ deltaY: -60 }});
    else if (number % 80 < 60) turn({{ deltaX: number % 160 < 80 ? 40 : -40 }});
    else turn({{ deltaY: 60 }});
    await new Promise(requestAnimationFrame);
  }}
  return [drawn.filter((time) => time > 0.05), (performance.now() - start) / {FRAMES}];
}})()
"""
WATCH_EDITS = """
(() => {
  globalThis.edits = [];
  let released = 0;
  addEventListener('pointerup', () => (released = performance.now()), { capture: true });
  audioGs.player.addEventListener('replaced', () => {
    if (released) edits.push(Math.round(performance.now() - released));
    released = 0;
  });
  document.getElementById('edit').click();
  document.getElementById('repeat').click();
  document.getElementById('play').click();
})()
"""
STRONGEST = """
(() => {
  const { score, header } = audioGs;
  const inside = score.tones.filter(({ start, length }) => start > 0 && start + length < header.samples);
  const tone = inside.reduce((best, one) => (best.strength > one.strength ? best : one));
  const mel = (hertz) => Math.log1p(hertz / 700);
  return [(tone.start + tone.length / 2) / header.samples, 1 - mel(tone.hertz) / mel(header.sampleRate / 2)];
})()
"""
DECODE = """
(async () => {
  const { compile, open } = await import(SCRIPT);
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bytes = bytesOf(STREAM), module = await compile(bytesOf(MODULE));
  const times = [];
  for (let turn = 0; turn < 9; turn += 1) {
    const start = performance.now();
    const decoder = await open(bytes, module);
    while (decoder.read(1024).length > 0);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[4];
})()
"""


def measure(tab: Tab, page: Path, stream: str) -> dict[str, Any]:
    """Times in milliseconds."""
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH_FRAMES)
    tab.emulate(1200, 900)
    tab.open(page)
    tab.wait_for("globalThis.audioGs")
    time.sleep(SECONDS_BEFORE)
    drops = [tab.run(DROP.replace("STREAM", repr(stream))) for _ in range(DROPS)]
    tab.run(WATCH_EDITS)
    for number in range(DRAGS):
        across, down = tab.run(STRONGEST)
        tab.drag_to("#stage", (across, down), (across, down - (0.1 if number % 2 else -0.1)))
        time.sleep(SECONDS_BETWEEN)
    edits = tab.run("(audioGs.player.pause(), edits)")
    times, interval = tab.run(SCROLL)
    times.sort()
    return {
        "drops": [[round(time) for time in drop] for drop in drops],
        "edits": edits,
        "sound": median(drop[1] for drop in drops),
        "frame": (median(times), times[int(0.99 * len(times))], times[-1]),
        "interval": interval,
    }


def main(clip: Path) -> None:
    """Prints what is measured of a clip."""
    folder = Path(tempfile.mkdtemp())
    for name, content in folder_files(build_modules()).items():
        (folder / name).write_bytes(content)
    stream = base64.b64encode(clip.read_bytes()).decode("ascii")
    with chromium_tab(folder / "chromium") as tab:
        found = measure(tab, folder / "index.html", stream)
        script = base64.b64encode((folder / "audio-gs.mjs").read_bytes()).decode("ascii")
        module = base64.b64encode((folder / "audio-gs.wasm").read_bytes()).decode("ascii")
        asked = DECODE.replace("SCRIPT", repr(f"data:text/javascript;base64,{script}"))
        taken = tab.run(asked.replace("STREAM", repr(stream)).replace("MODULE", repr(module)))
    print(
        f"each drop is shown, sounds, is drawn after {found['drops']} ms; first sound: {found['sound']:.0f} ms, median"
    )
    print(f"from the end of a drag to the changed sound: {found['edits']} ms")
    middle, late, worst = found["frame"]
    print(f"drawing a frame: {middle:.1f} ms, 99 % below {late:.1f}, worst {worst:.1f}; each {found['interval']:.1f}")
    decoder = StreamDecoder(clip.read_bytes())
    seconds = decoder.header.samples / decoder.header.sample_rate
    print(
        f"decoding {seconds:.2f} s in Chromium: {taken:.0f} ms, {1000 * seconds / taken:.0f} times as fast as it plays"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
