"""The decoder in WebAssembly, under node: the samples, errors and limits of the C decoder."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from wasm_tools import NODE, VECTORS, wasm_folder

import audio_gs
from audio_gs.api import StreamDecoder
from audio_gs.cli.gs_decode import command as gs_decode
from audio_gs.codec.container import parse_header
from audio_gs.codec.residual import COEFFICIENT
from audio_gs.gaussians import TONE_DTYPE, Gaussians, physical, read_gaussians

if not NODE:
    pytest.skip("needs node", allow_module_level=True)

SCRIPT = Path(__file__).with_name("decode_vectors.mjs")
TAKEN = 1500
SPEECH = VECTORS / "speech-8.bin"
STEREO = VECTORS / "stereo" / "residual-34.bin"


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert NODE
    return subprocess.run([NODE, *map(str, arguments)], capture_output=True, text=True)


def crc(samples: np.ndarray) -> str:
    return f"{zlib.crc32(samples.astype('<i2').tobytes()):08x}"


@pytest.mark.parametrize("folder", [VECTORS, VECTORS / "stereo"], ids=["mono", "stereo"])
def test_every_vector_has_the_samples_of_c(folder: Path) -> None:
    streams = sorted(folder.glob("*.bin"))
    done = node(SCRIPT, wasm_folder(), *streams)
    assert done.stderr == ""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = {line.split()[0]: line.split()[2] for line in (folder / "manifest.txt").read_text().splitlines()[1:]}
    assert {stream.name: answer["crc"] for stream, answer in zip(streams, answers, strict=True)} == wanted
    for stream, answer in zip(streams, answers, strict=True):
        decoder = StreamDecoder(stream.read_bytes())
        header, stated = decoder.header, answer["header"]
        names = ("sampleRate", "samples", "peakMacs", "channels")
        values = (header.sample_rate, header.samples, header.peak_macs, header.channels)
        assert tuple(stated[name] for name in names) == values
        assert (answer["plain"] is None) == (header.panning is not None)
        if answer["plain"] is not None:  # the middle of two channels
            middle_alone = StreamDecoder(stream.read_bytes(), mono=True)
            assert set(answer["plain"].values()) == {crc(middle_alone.read(header.samples))}, stream.name
        middle = header.samples // 2
        decoder.seek(middle)
        assert answer["sought"] == crc(decoder.read(TAKEN)), stream.name
        decoder.set_budget(8)
        decoder.seek(middle)
        assert answer["budgeted"] == crc(decoder.read(TAKEN)), stream.name
        decoder.set_budget(None)
        decoder.set_mute(("noise",), 500, 1500)
        decoder.set_gain(-6)
        decoder.seek(middle)
        assert answer["muted"] == crc(decoder.read(TAKEN)), stream.name
        decoder.set_mute()
        decoder.set_gain(0)
        decoder.set_pitch(1.25)
        decoder.seek(middle)
        assert answer["pitched"] == crc(decoder.read(TAKEN)), stream.name
        decoder.set_pitch(1)
        decoder.set_tempo(0.75)
        decoder.seek(middle)
        assert answer["paced"] == crc(decoder.read(TAKEN)), stream.name
        decoder.set_tempo(1)
        assert (answer["looped"] is None) == (not header.can_loop)
        if header.loop and header.can_loop:
            decoder.seek(max(0, header.loop[1] - 100))
            decoder.set_loop(True)
            assert answer["looped"] == crc(decoder.read(TAKEN)), stream.name


@pytest.mark.parametrize("clip", [SPEECH, STEREO], ids=["mono", "stereo"])
def test_the_program_writes_what_gs_decode_writes(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    done = node(wasm_folder() / "decode.mjs", clip, output)
    assert (done.returncode, done.stderr) == (0, "")
    samples, rate = soundfile.read(output, dtype="int16")
    wanted, wanted_rate = audio_gs.decode(clip.read_bytes())
    assert rate == wanted_rate and np.array_equal(samples, wanted)
    decoded = CliRunner().invoke(gs_decode, [str(clip), "-o", str(tmp_path / "wanted.wav")], standalone_mode=False)
    assert decoded.exception is None
    assert output.read_bytes() == (tmp_path / "wanted.wav").read_bytes()
    again = node(wasm_folder() / "decode.mjs", clip, output)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "exists; -f overwrites it" in again.stderr
    assert node(wasm_folder() / "decode.mjs", clip, output, "-f").returncode == 0


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda data: data[:-3], "ends before"),
        (lambda data: data[:200] + bytes([data[200] ^ 16]) + data[201:], "checksum"),
        (lambda data: b"RIFF" + data[4:], "not"),
        (lambda data: b"", "ends before"),
    ],
)
def test_damage_is_one_line_and_leaves_nothing(damage: object, text: str, tmp_path: Path) -> None:
    assert callable(damage)
    bad = tmp_path / "bad.gs"
    bad.write_bytes(damage(SPEECH.read_bytes()))
    done = node(wasm_folder() / "decode.mjs", bad, tmp_path / "out.wav")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert str(bad) in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.gs"]


def test_wrong_calls_say_the_right_one(tmp_path: Path) -> None:
    for arguments in ((), (SPEECH,), (SPEECH, tmp_path / "a", tmp_path / "b")):
        done = node(wasm_folder() / "decode.mjs", *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "CLIP.gs OUT.wav" in done.stderr
    assert node(wasm_folder() / "decode.mjs", tmp_path / "none.gs", tmp_path / "out.wav").returncode == 1


def test_what_is_no_argument_changes_nothing() -> None:
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        const decoder = await open(new Uint8Array(readFileSync({json.dumps(str(SPEECH))})), await compileAll());
        decoder.seek(1000);
        const kinds = [];
        const calls = [() => decoder.seek(-1), () => decoder.seek(1e9), () => decoder.seek(1.5),
                       () => decoder.read(-1), () => decoder.read(NaN), () => decoder.setBudget(-1),
                       () => decoder.setLoop(true), () => decoder.setPitch(3), () => decoder.setPitch(NaN),
                       () => decoder.setGain(-1), () => decoder.setMute({{ from: 2, to: 1 }}),
                       () => decoder.setLeast({{ tone: 0.5 }})];
        for (const wrong of calls) {{
            try {{ wrong(); kinds.push('nothing'); }} catch (error) {{ kinds.push(error.kind); }}
        }}
        console.log(JSON.stringify([kinds, decoder.position]));
    """
    done = node("--input-type=module", "-e", script)
    assert json.loads(done.stdout) == [["argument"] * 12, 1000], done.stderr


@pytest.mark.parametrize("name", ["audio-gs", "audio-gs-editor"])
def test_everything_with_a_type_is_there(name: str) -> None:
    address = json.dumps((wasm_folder() / f"{name}.mjs").as_uri())
    done = node("--input-type=module", "-e", f"console.log(JSON.stringify(Object.keys(await import({address}))))")
    typed = re.findall(r"^export (?:class|function) (\w+)", (wasm_folder() / f"{name}.d.ts").read_text(), re.M)
    assert sorted(json.loads(done.stdout)) == sorted(typed)


def test_the_list_is_that_of_python() -> None:
    streams = sorted(VECTORS.glob("*.bin"))
    done = node(SCRIPT.with_name("list_vectors.mjs"), wasm_folder(), *streams)
    assert done.stderr == ""
    for stream, line in zip(streams, done.stdout.splitlines(), strict=True):
        data = stream.read_bytes()
        header, _ = parse_header(data)
        listed, gaussians = json.loads(line), read_gaussians(data)
        for kind in ("tone", "noise"):
            assert listed[kind] == [list(row[:5]) for row in gaussians[kind].tolist()], (stream.name, kind)
        residual = gaussians["residual"]
        coefficients = residual[residual["layer"] == COEFFICIENT][["frame", "place", "value"]]
        assert listed["coefficient"] == [list(row) for row in coefficients.tolist()], stream.name
        assert listed["silent"] == header.samples, stream.name
        tones = physical(gaussians, header)["tone"]
        wanted = np.stack([tones["time"], tones["frequency"], tones["weight"]], axis=1)
        np.testing.assert_allclose(np.reshape(listed["physical"], (-1, 3)), wanted, rtol=1e-9, err_msg=stream.name)


def test_more_than_there_is_room_for_is_counted(tmp_path: Path) -> None:
    header, _ = parse_header(SPEECH.read_bytes())
    tones = np.zeros(9000, TONE_DTYPE)
    scale = tones["scale"] = header.smallest_scale
    tones["onset"] = (8 << scale) * (np.arange(len(tones)) % 500)
    tones["amplitude"] = 1
    dense = tmp_path / "dense.gs"
    dense.write_bytes(audio_gs.write_gaussians(Gaussians(tone=tones), header))
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        const decoder = await open(new Uint8Array(readFileSync({json.dumps(str(dense))})), await compileAll());
        decoder.setListing(true);
        decoder.read(decoder.header.samples);
        console.log(JSON.stringify([decoder.takeGaussians().length, decoder.leftOut, decoder.takeGaussians().length]));
    """
    done = node("--input-type=module", "-e", script)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [8192, 9000 - 8192, 0]


def test_the_strongest_alone_are_heard() -> None:
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        const decoder = await open(new Uint8Array(readFileSync({json.dumps(str(SPEECH))})), await compileAll());
        const {{ samples }} = decoder.header;
        decoder.setListing(true);
        const all = Float64Array.from(decoder.read(samples));
        const found = decoder.takeGaussians();
        const strengths = (kind) => found.filter((one) => one.kind === kind).map((one) => one.strength);
        const [tones, noises] = ['tone', 'noise'].map((kind) => strengths(kind).sort((a, b) => a - b));
        const power = (sound) => sound.reduce((sum, sample) => sum + sample * sample, 0);
        const heard = (least) => {{
            decoder.setLeast(least);
            decoder.seek(0);
            return Float64Array.from(decoder.read(samples));
        }};
        const lost = (least) => {{
            const sound = heard(least);
            return power(all.map((sample, index) => sample - sound[index])) / power(all);
        }};
        console.log(JSON.stringify({{
            half: lost({{ tone: tones[tones.length >> 1] }}),
            one: lost({{ tone: tones.at(-1), noise: noises.at(-1) + 1 }}),
            none: power(heard({{ tone: tones.at(-1) + 1, noise: noises.at(-1) + 1 }})) / power(all),
            all: lost({{}}),
        }}));
    """
    done = node("--input-type=module", "-e", script)
    lost = json.loads(done.stdout)
    assert lost["all"] == 0
    assert 0 < lost["half"] < 0.05 < 0.9 < lost["one"] < 1
    assert lost["none"] < 0.001  # the floor below all noises


def test_what_a_player_is_told_reaches_the_audio_thread() -> None:
    """The worklet's script, with node in the place of a browser: after the first block, in which it fades in."""
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        import vm from 'node:vm';
        let Processor;
        const port = {{ postMessage({{ text }}) {{ if (text) throw text; }} }};
        globalThis.AudioWorkletProcessor = class {{ port = {{ ...port }}; }};
        globalThis.registerProcessor = (_name, made) => {{ Processor = made; }};
        vm.runInThisContext(readFileSync({json.dumps(str(wasm_folder() / "audio-gs-worklet.js"))}, 'utf8'));
        const bytes = new Uint8Array(readFileSync({json.dumps(str(SPEECH))}));
        const module = await compileAll();
        const same = [];
        for (const [name, value] of [['setPitch', 1.5], ['setMute', {{ tones: true }}], ['setBudget', 4],
                                     ['setLeast', {{ tone: 20000 }}]]) {{
            const processor = new Processor({{ processorOptions: {{ module, bytes }} }});
            const decoder = await open(bytes, module);
            const plain = decoder.read(12800);
            decoder.seek(0);
            decoder[name](value);
            const wanted = decoder.read(12800);
            processor.port.onmessage({{ data: {{ command: name, value }} }});
            processor.port.onmessage({{ data: {{ command: 'play' }} }});
            const got = new Float32Array(12800);
            for (let at = 0; at < got.length; at += 128) processor.process([], [[got.subarray(at, at + 128)]]);
            const as = (sound) => got.every((sample, index) => index < 128 || sample === sound[index] / 32768);
            same.push([as(wanted), as(plain)]);
        }}
        console.log(JSON.stringify(same));
    """
    done = node("--input-type=module", "-e", script)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [[True, False]] * 4


def test_two_channels_reach_the_audio_thread() -> None:
    """The worklet's script, with node in the place of a browser; one channel comes from both sides alike."""
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        import vm from 'node:vm';
        let Processor;
        globalThis.AudioWorkletProcessor = class {{ port = {{ postMessage() {{}} }}; }};
        globalThis.registerProcessor = (_name, made) => {{ Processor = made; }};
        vm.runInThisContext(readFileSync({json.dumps(str(wasm_folder() / "audio-gs-worklet.js"))}, 'utf8'));
        const module = await compileAll();
        const same = [];
        for (const path of {json.dumps([str(STEREO), str(SPEECH)])}) {{
            const bytes = new Uint8Array(readFileSync(path));
            const processor = new Processor({{ processorOptions: {{ module, bytes }} }});
            const decoder = await open(bytes, module);
            const {{ channels }} = decoder;
            const wanted = decoder.read(1280);
            processor.port.onmessage({{ data: {{ command: 'play' }} }});
            const [left, right] = [new Float32Array(1280), new Float32Array(1280)];
            for (let at = 0; at < 1280; at += 128) {{
                processor.process([], [[left.subarray(at, at + 128), right.subarray(at, at + 128)]]);
            }}
            const is = (got, channel) => got.every((sample, index) =>
                index < 128 || sample === wanted[channels * index + channel] / 32768);
            same.push([is(left, 0), is(right, channels - 1), left.every((sample, index) => sample === right[index])]);
        }}
        console.log(JSON.stringify(same));
    """
    done = node("--input-type=module", "-e", script)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [[True, True, False], [True, True, True]]


def test_a_player_goes_on_with_another_stream_where_it_is() -> None:
    """The worklet's script, with node in the place of a browser: one block fades from stream to stream."""
    other = VECTORS / "speech-3.bin"
    script = f"""
        import {{ compileAll, open }} from {json.dumps((wasm_folder() / "audio-gs.mjs").as_uri())};
        import {{ readFileSync }} from 'node:fs';
        import vm from 'node:vm';
        let Processor;
        const port = {{ postMessage({{ text }}) {{ if (text) throw text; }} }};
        globalThis.AudioWorkletProcessor = class {{ port = {{ ...port }}; }};
        globalThis.registerProcessor = (_name, made) => {{ Processor = made; }};
        vm.runInThisContext(readFileSync({json.dumps(str(wasm_folder() / "audio-gs-worklet.js"))}, 'utf8'));
        const module = await compileAll();
        const streams = [{json.dumps(str(SPEECH))}, {json.dumps(str(other))}].map((path) =>
            new Uint8Array(readFileSync(path)));
        const sounds = [], mute = {{ from: 500, to: 1500 }};
        for (const bytes of streams) {{
            const decoder = await open(bytes, module);
            decoder.setMute(mute);
            sounds.push(decoder.read(12800));
        }}
        const processor = new Processor({{ processorOptions: {{ module, bytes: streams[0] }} }});
        const tell = (command, value) => processor.port.onmessage({{ data: {{ command, value }} }});
        tell('setMute', mute);
        tell('play');
        const got = new Float32Array(12800), changes = [5120, 7680];
        for (let at = 0; at < got.length; at += 128) {{
            if (at === changes[0]) tell('replace', streams[1]);
            if (at === changes[1]) tell('replace', streams[0]);
            processor.process([], [[got.subarray(at, at + 128)]]);
        }}
        const is = (number, from, to) => got.slice(from, to).every((sample, index) =>
            sample === sounds[number][from + index] / 32768);
        const fades = changes.map((at) => got.slice(at, at + 128).every((sample, index) => {{
            const two = sounds.map((sound) => sound[at + index] / 32768);
            return sample >= Math.min(...two) && sample <= Math.max(...two);
        }}));
        console.log(JSON.stringify([is(0, 128, 5120), is(1, 5248, 7680), is(0, 7808, 12800), ...fades]));
    """
    done = node("--input-type=module", "-e", script)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [True] * 5
