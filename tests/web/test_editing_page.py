"""Editing on the page in a headless Chromium: a drag changes the samples that it must, undo brings them back, what is
saved opens again, and keys do it all."""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from page_browser import Tab, chromium_tab, find_chromium
from wasm_tools import DEMOS, VECTORS, wasm_folder

import audio_gs

if not find_chromium():
    pytest.skip("needs Chromium", allow_module_level=True)
if not importlib.util.find_spec("websockets"):
    pytest.skip("needs the package websockets", allow_module_level=True)

SPEECH = (VECTORS / DEMOS[0]).read_bytes()
SAID = "document.getElementById('edited').textContent"
IDLE = "new Promise((resolve) => setTimeout(resolve, 0)).then(() => audioGs.ready)"
FILTER_REACH = 49
FACTS = "document.getElementById('facts').textContent"
SLIDE_PAN = """(() => {
    const slider = document.getElementById('pan');
    slider.value = PLACE;
    for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name));
})()"""
WATCH_CHANNELS = """(() => {
    const { context, node } = audioGs.player;
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    node.connect(splitter);
    const ears = [0, 1].map((number) => {
        const ear = new AnalyserNode(context, { fftSize: 8192 });
        splitter.connect(ear, number);
        return ear;
    });
    globalThis.powers = () => ears.map((ear) => {
        const samples = new Float32Array(ear.fftSize);
        ear.getFloatTimeDomainData(samples);
        return samples.reduce((sum, sample) => sum + sample * sample, 0);
    });
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium_tab(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Iterator[Tab]:
    """The page with a clip open for editing, which is not heard; a test fails if the page complained about anything."""
    browser.complaints.clear()
    browser.emulate(1200, 900)
    browser.open(wasm_folder() / "index.html")
    browser.wait_for("globalThis.audioGs")
    open_first(browser)
    browser.click("#audition")
    browser.click("#edit")
    yield browser
    browser.run("audioGs.player?.close()")
    assert browser.complaints == []


def open_first(tab: Tab) -> None:
    tab.click("#demos button:nth-child(1)")
    tab.wait_for("audioGs.player !== null")
    tab.run(IDLE)
    tab.wait_for("!document.getElementById('edit').disabled")


def stream(tab: Tab) -> bytes:
    """The stream that the page would save."""
    return base64.b64decode(tab.run("btoa(String.fromCharCode(...audioGs.score.bytes))"))


def edited(tab: Tab, text: str) -> bytes:
    """The stream once the page has said so."""
    tab.wait_for(f"{SAID}.includes({json.dumps(text)})")
    return stream(tab)


def place_of_strongest(tab: Tab) -> tuple[float, float]:
    """Where on the picture the strongest tone of the clip's second half lies, in shares from the left and the top."""
    across, down = tab.run(
        """(() => {
            const { score, header } = audioGs, half = header.samples / 2;
            const inside = score.tones.filter((one) => one.start > half && one.start + one.length < header.samples);
            const tone = inside.reduce((best, one) => (best.strength > one.strength ? best : one));
            const mel = (hertz) => Math.log1p(hertz / 700);
            return [(tone.start + tone.length / 2) / header.samples, 1 - mel(tone.hertz) / mel(header.sampleRate / 2)];
        })()"""
    )
    return float(across), float(down)


def press_on_stage(tab: Tab, *keys: str) -> None:
    tab.run("document.getElementById('stage').focus()")
    for key in keys:
        tab.press(key)


def changed_tones(before: bytes, after: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The tones that went and those that came."""
    old, new = (audio_gs.read_gaussians(data)["tone"] for data in (before, after))
    return old[~np.isin(old, new)], new[~np.isin(new, old)]


def test_a_dragged_tone_changes_the_samples_that_it_must_and_undo_brings_them_back(tab: Tab) -> None:
    assert stream(tab) == SPEECH
    place = place_of_strongest(tab)
    tab.drag_to("#stage", place, (place[0] - 0.1, place[1] - 0.2))
    after = edited(tab, "Tone at")
    tab.wait_for("!document.getElementById('undo').disabled")
    after = stream(tab)
    assert after != SPEECH
    went, came = changed_tones(SPEECH, after)
    assert (len(went), len(came)) == (1, 1)
    assert came["onset"][0] < went["onset"][0] and came["bin"][0] > went["bin"][0]
    sound, other = (audio_gs.decode(data)[0] for data in (SPEECH, after))
    changed = np.flatnonzero(sound != other)
    header = audio_gs.parse_header(SPEECH)[0]
    frames = 6 * header.noise.frame_samples if header.residual and header.noise else 0
    length = 32 << int(went["scale"][0])
    assert len(changed) > length / 2
    assert changed[0] >= came["onset"][0] - FILTER_REACH - frames
    assert changed[-1] < went["onset"][0] + length + FILTER_REACH + frames
    press_on_stage(tab)
    tab.press("z", control=True)
    assert edited(tab, "Undone") == SPEECH
    tab.click("#redo")
    assert edited(tab, "Done again") == after


def test_the_page_plays_what_was_edited(tab: Tab) -> None:
    tab.run("globalThis.replaced = 0; audioGs.player.addEventListener('replaced', () => (replaced += 1))")
    tab.click("#play")
    tab.wait_for("audioGs.player.position > 0")
    tab.click("#select-tone")
    tab.click("#delete")
    edited(tab, "left out")
    tab.wait_for("replaced === 1 && audioGs.player.playing")
    silent = audio_gs.read_gaussians(stream(tab))
    assert len(silent["tone"]) == 0 and len(silent["noise"]) > 0


def test_a_drag_is_heard_before_it_ends_and_escape_takes_it_back(tab: Tab) -> None:
    tab.run("globalThis.replaced = 0; audioGs.player.addEventListener('replaced', () => (replaced += 1))")
    tab.click("#repeat")
    tab.click("#play")
    tab.wait_for("audioGs.player.position > 0")
    across, down = place_of_strongest(tab)
    left, top, width, height = tab.box("#stage")
    for kind, by in (("mousePressed", 0.0), ("mouseMoved", 0.2)):
        place = {"x": left + across * width, "y": top + (down - by) * height, "button": "left", "buttons": 1}
        tab.call("Input.dispatchMouseEvent", type=kind, clickCount=1, **place)
    tab.wait_for("replaced === 1")
    press_on_stage(tab, "Escape")
    tab.wait_for("replaced === 2")
    tab.call("Input.dispatchMouseEvent", type="mouseReleased", clickCount=1, **place)
    tab.run(IDLE)
    assert stream(tab) == SPEECH
    assert tab.run("document.getElementById('undo').disabled")


def test_keys_select_move_transpose_and_delete(tab: Tab) -> None:
    press_on_stage(tab, "n", "Enter", "ArrowUp")
    tab.wait_for("!document.getElementById('undo').disabled")
    moved = audio_gs.read_gaussians(stream(tab))
    same = [np.isin(table, moved[kind]).sum() for kind, table in audio_gs.read_gaussians(SPEECH).items()][:2]
    assert sum(same) == tab.run("audioGs.score.gaussians.length") - 1
    press_on_stage(tab, "Escape")
    tab.press("a", control=True)
    press_on_stage(tab, "]")
    transposed = edited(tab, "changed")
    assert len(changed_tones(SPEECH, transposed)[1]) > 100
    press_on_stage(tab, "Delete")
    empty = edited(tab, "left out")
    tab.wait_for("audioGs.score.gaussians.length === 0")
    empty = stream(tab)
    assert sum(len(audio_gs.read_gaussians(empty)[kind]) for kind in ("tone", "noise")) == 0


def test_a_pan_makes_two_channels_which_undo_takes_back(tab: Tab) -> None:
    assert "two channels" not in tab.run(FACTS)
    tab.click("#select-tone")
    tab.run(SLIDE_PAN.replace("PLACE", "-100"))
    assert tab.run("document.getElementById('pan-is').textContent") == "100 % left"
    assert tab.run("document.getElementById('pan').getAttribute('aria-valuetext')") == "100 % left"
    left = edited(tab, "changed")
    tab.wait_for("!document.getElementById('undo').disabled")
    left = stream(tab)
    header = audio_gs.parse_header(left)[0]
    assert header.channels == 2 and left == audio_gs.write_gaussians(audio_gs.read_gaussians(left), header)
    assert np.all(audio_gs.read_gaussians(left)["tone"]["side_amplitude"] > 0)
    tab.wait_for(f"{FACTS}.includes('two channels') && !document.getElementById('key-left').hidden")
    tab.run("globalThis.before = audioGs.score")
    press_on_stage(tab, "Escape", "n", "Enter", "r")
    tab.wait_for("audioGs.score !== before")
    tab.run(IDLE)
    assert " % " in tab.run(SAID)
    tab.click("#undo")
    tab.click("#undo")
    tab.wait_for(f"!{FACTS}.includes('two channels')")
    assert stream(tab) == SPEECH
    tab.click("#redo")
    assert edited(tab, "Done again") == left


def test_two_channels_are_heard_as_such_while_it_plays(tab: Tab) -> None:
    """What the graph gets after a pan to the right while the clip plays, and what it gets after undo."""
    tab.click("#repeat")
    tab.run(WATCH_CHANNELS)
    tab.click("#play")
    tab.wait_for("powers()[0] > 0")
    tab.click("#select-all")
    tab.run(SLIDE_PAN.replace("PLACE", "100"))
    edited(tab, "changed")
    tab.wait_for("powers()[1] > 0 && powers()[1] > 10 * powers()[0]")
    tab.click("#undo")
    tab.wait_for("powers()[1] > 0 && powers()[1] === powers()[0]")


def test_what_is_saved_opens_again(tab: Tab, tmp_path: Path) -> None:
    tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.click("#select-all")
    tab.run("document.getElementById('decibels').value = 3")
    tab.click("#louder")
    edited(tab, "changed")
    tab.click("#save-stream")
    saved = tmp_path / f"{DEMOS[0]}-edited.gs"
    tab.wait_until(saved.exists)
    data = saved.read_bytes()
    assert data == stream(tab)
    gaussians, header = audio_gs.read_gaussians(data), audio_gs.parse_header(data)[0]
    assert data == audio_gs.write_gaussians(gaussians, header)
    tab.choose_file("#file", saved)
    tab.wait_for(f"document.getElementById('name').textContent === {json.dumps(saved.name)}")
    tab.run(IDLE)
    tab.wait_for("!document.getElementById('edit').disabled")
    assert stream(tab) == data


def test_a_frame_selects_and_the_lattice_has_ends(tab: Tab) -> None:
    tab.drag_to("#stage", (0.01, 0.01), (0.99, 0.99))
    count = tab.run("audioGs.score.gaussians.length")
    tab.wait_for(f"{SAID}.includes('are selected')")
    assert int(tab.run(SAID).split()[0]) > 0.9 * count
    press_on_stage(tab, "Escape", "n", "Enter", *["ArrowDown"] * 3)
    tab.run(IDLE)
    assert len(audio_gs.decode(stream(tab))[0]) == audio_gs.parse_header(SPEECH)[0].samples


def test_a_refused_edit_changes_nothing_and_says_why(tab: Tab) -> None:
    tab.click("#select-tone")
    tab.run("document.getElementById('decibels').value = 60")
    tab.click("#louder")
    assert edited(tab, "louder than a decoder can add up") == SPEECH
    assert tab.run("document.getElementById('undo').disabled")


@pytest.mark.parametrize(
    ("content", "said"), [(b"GS\x02" + SPEECH[3:], "version"), (SPEECH[:12], "truncated"), (b"\x00" * 99, "corrupt")]
)
def test_what_cannot_be_opened_is_one_line_and_the_clip_stays(
    tab: Tab, content: bytes, said: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.gs"
    bad.write_bytes(content)
    tab.choose_file("#file", bad)
    error = "document.getElementById('error').textContent"
    tab.wait_for(f"{error} !== ''")
    assert tab.run(error).startswith("bad.gs: ") and said in tab.run(error) and "\n" not in tab.run(error)
    assert tab.run("document.getElementById('name').textContent") == DEMOS[0]


def test_a_file_that_is_too_large_is_not_read(tab: Tab, tmp_path: Path) -> None:
    large = tmp_path / "large.gs"
    with large.open("wb") as file:
        file.truncate(257 << 20)
    tab.choose_file("#file", large)
    tab.wait_for("document.getElementById('error').textContent.includes('are not opened here')")


def test_nothing_jumps_while_a_clip_is_opened_and_edited(tab: Tab) -> None:
    tab.run(
        """(() => { globalThis.jumped = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())
        if (!one.hadRecentInput) jumped += one.value; }).observe({ type: 'layout-shift' }); })()"""
    )
    tab.run("globalThis.before = audioGs.player, document.querySelector('#demos button').click()")
    tab.wait_for("audioGs.player !== before")
    tab.run(IDLE)
    tab.wait_for("!document.getElementById('edit').disabled")
    tab.run("document.getElementById('edit').click(), document.getElementById('select-tone').click()")
    tab.run("document.getElementById('delete').click()")
    edited(tab, "left out")
    tab.run("new Promise((resolve) => setTimeout(resolve, 300))")
    assert tab.run("jumped") < 0.02


def test_sound_that_is_not_encoded_gets_the_command_to_type(tab: Tab, tmp_path: Path) -> None:
    wav = tmp_path / "voice.wav"
    wav.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    tab.choose_file("#file", wav)
    tab.wait_for("document.getElementById('error').textContent !== ''")
    said = tab.run("document.getElementById('error').textContent")
    assert "gs-encode 'voice.wav' -o 'voice.gs'" in said and "\n" not in said


def test_the_clock_that_a_core_takes_is_the_simulators(tab: Tab) -> None:
    """Of a stream of docs/SIM.md the page's estimate is not less than what was measured, and not half as much more."""
    rows = (Path(__file__).parents[2] / "docs" / "SIM.md").read_text().splitlines()
    for core in ("cortex-m0plus", "cortex-m4", "riscv32"):
        tab.run(
            f"(() => {{ const core = document.getElementById('core'); core.value = '{core}';"
            "core.dispatchEvent(new Event('change')); })()"
        )
        cells = next(row for row in rows if row.startswith(f"| {core} ")).split("|")
        mean, worst = (float(one) for one in cells[4].split(";")[2].split(","))
        said = tab.run("[...document.querySelectorAll('#costs dd')].map((one) => one.textContent)")
        estimated = [float(word) for word in said[1].replace(",", "").split() if word[0].isdigit()]
        assert mean <= estimated[0] * 1.02 and estimated[0] < 1.5 * mean
        assert worst <= estimated[1] * 1.05 and estimated[1] < 1.5 * worst
        rom = [int(one) for one in cells[2].split(",")]
        assert said[3] == f"{rom[1]} or {rom[5]} bytes"
