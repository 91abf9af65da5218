"""gs-export onnx and the backend onnx: standard operators only, and sample for sample what SPEC.md says."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.util
import io
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from export_tools import contents, export
from make_vectors import FOLDER, STEREO_FOLDER
from onnx_tools import needs_export, session
from random_streams import decoded_by_the_letter, random_stream, stereo_stream
from residual_streams import RESIDUAL_SEEDS, random_residual, with_residual

import audio_gs
from audio_gs import api
from audio_gs.cli import gs_decode
from audio_gs.codec.container import StreamHeader, parse_header
from audio_gs.codec.decoder import ReferenceDecoder, decode_gaussians
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds import NOISE, TONE
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.kinds.noise import NoiseHeader
from audio_gs.codec.residual import COEFFICIENT, INTERVALS, LARGEST_VALUE, LEVEL, ResidualHeader
from audio_gs.codec.slots import encode_stream
from audio_gs.codec.stereo import PanningHeader
from audio_gs.errors import AudioGsError, BitstreamError

onnx = pytest.importorskip("onnx")
from audio_gs.export.onnx.graph import clip_model, decoder_model, model_inputs, serialised  # noqa: E402

pytestmark = needs_export

Pcm = npt.NDArray[np.int16]

CLIP = FOLDER / "random-44.bin"
SEEDS = (12, 16, 22, 41, 44, 63, 66, 78, 113, 115)
"""Short clips with tones of all scales and with noise in frames of all sizes."""


@pytest.fixture(scope="module")
def decoder() -> Any:
    """A session of the decoder model."""
    return session(serialised(decoder_model()))


def rendered(decoder: Any, header: StreamHeader, gaussians: Gaussians) -> Pcm:
    (pcm,) = decoder.run(None, model_inputs(header, gaussians))
    assert (pcm.dtype, pcm.shape) == (np.int16, (header.samples,))
    return np.asarray(pcm)


def check_exact(decoder: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    np.testing.assert_array_equal(rendered(decoder, header, gaussians), decoded_by_the_letter(header, gaussians))


def check_coded(decoder: Any, header: StreamHeader, gaussians: Gaussians) -> Pcm:
    """Checks a clip with a residual layer, which the reference decodes from a stream, and returns its samples."""
    expected = ReferenceDecoder(encode_stream(header, gaussians)).read(header.samples)
    np.testing.assert_array_equal(rendered(decoder, header, gaussians), expected)
    return expected


def encoded(name: str) -> tuple[StreamHeader, Gaussians]:
    """What an encoder made of a recording."""
    data = (FOLDER / f"{name}.bin").read_bytes()
    return parse_header(data)[0], decode_gaussians(data)


# ---- the models ----


def nodes(graph: Any) -> Iterator[Any]:
    """All nodes, those of loops and branches too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes(attribute.g)


@pytest.fixture(
    scope="module",
    params=[
        "decoder",
        "decoder of both",
        "clip with noise",
        "clip without",
        "clip and residual",
        "clip of both",
        "clip of a direction",
    ],
)
def model(request: pytest.FixtureRequest) -> Any:
    if request.param == "decoder":
        return decoder_model()
    if request.param == "decoder of both":
        return decoder_model(channels=2)
    if request.param in ("clip of both", "clip of a direction"):
        stream = stereo_stream(7 if request.param == "clip of both" else 8)
        return clip_model(stream.header, stream.gaussians)
    if request.param == "clip and residual":
        return clip_model(*random_residual(RESIDUAL_SEEDS[0]))
    stream = next(
        random_stream(seed) for seed in SEEDS if bool(random_stream(seed).header.noise) == ("with " in request.param)
    )
    return clip_model(stream.header, stream.gaussians)


def test_models_are_sound_and_standard(model: Any) -> None:
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert inferred.graph.output[0].type == model.graph.output[0].type
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    every_node = list(nodes(model.graph))
    assert {node.domain for node in every_node} == {""}
    assert not list(model.functions)
    # What may decide a tie or round differently elsewhere.
    assert not {node.op_type for node in every_node} & {"ScatterND", "Round", "Floor", "Cos", "MatMul"}
    for tensor in model.graph.initializer:
        assert tensor.data_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE), tensor.name


def test_models_say_what_they_are() -> None:
    stream = random_stream(SEEDS[2])
    header = dataclasses.replace(stream.header, loop=(0, 1))
    model = clip_model(header, stream.gaussians)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties["format"] == "Audio-GS bitstream 1"
    assert json.loads(properties["sample_rate"]) == header.sample_rate
    assert json.loads(properties["loop"]) == [0, 1]
    assert int(properties["tones"]) == len(stream.gaussians["tone"])
    assert int(properties["noises"]) == len(stream.gaussians["noise"])
    assert int(properties["coefficients"]) == 0
    assert (model.producer_name, model.producer_version) == ("audio-gs", audio_gs.__version__)
    assert not model.graph.input
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [header.samples]
    assert int(properties["channels"]) == 1
    for channels in (1, 2):
        decoder = decoder_model(channels)
        inputs = model_inputs(header, stream.gaussians, channels)
        assert [entry.name for entry in decoder.graph.input] == list(inputs)
        assert all(entry.doc_string for entry in (*decoder.graph.input, *decoder.graph.output))


def test_models_are_the_same_every_time() -> None:
    header, gaussians = random_stream(SEEDS[2]).header, random_stream(SEEDS[2]).gaussians
    assert serialised(decoder_model()) == serialised(decoder_model())
    assert serialised(clip_model(header, gaussians)) == serialised(clip_model(header, gaussians))


# ---- the samples ----


@pytest.mark.parametrize("name", ["speech-6", "music-12", "sfx-12"])
def test_encoded_clips(decoder: Any, name: str) -> None:
    header, gaussians = encoded(name)
    check_exact(decoder, header, gaussians)
    (pcm,) = session(serialised(clip_model(header, gaussians))).run(None, {})
    np.testing.assert_array_equal(pcm, decoded_by_the_letter(header, gaussians))


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_random_clips_alone(seed: int) -> None:
    stream = random_stream(seed)
    (pcm,) = session(serialised(clip_model(stream.header, stream.gaussians))).run(None, {})
    np.testing.assert_array_equal(pcm, decoded_by_the_letter(stream.header, stream.gaussians))


def test_the_seeds_reach_what_matters() -> None:
    headers = [random_stream(seed).header for seed in SEEDS]
    assert {header.noise and header.noise.frame_log2 for header in headers} == {None, 5, 6, 7, 8, 9}
    assert {scale for seed in SEEDS for scale in random_stream(seed).gaussians["tone"]["scale"]} == set(range(12))


def test_windows_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_gs.export.onnx.graph.WINDOW", 512)
    decoder = session(serialised(decoder_model()))
    for seed in SEEDS:
        check_exact(decoder, random_stream(seed).header, random_stream(seed).gaussians)
    for seed in RESIDUAL_SEEDS:
        check_coded(decoder, *random_residual(seed))


@pytest.mark.parametrize("elements", [100, 5000])
def test_how_many_are_rendered_at_a_time_does_not_matter(monkeypatch: pytest.MonkeyPatch, elements: int) -> None:
    monkeypatch.setattr("audio_gs.export.onnx.tones.ELEMENTS_AT_A_TIME", elements)
    monkeypatch.setattr("audio_gs.export.onnx.noise.ELEMENTS_AT_A_TIME", elements)
    decoder = session(serialised(decoder_model()))
    for seed in SEEDS[2:7]:
        check_exact(decoder, random_stream(seed).header, random_stream(seed).gaussians)


def test_the_order_of_the_table_does_not_matter(decoder: Any) -> None:
    header, gaussians = encoded("speech-6")
    random = np.random.default_rng(1)
    shuffled = Gaussians({name: random.permutation(table) for name, table in gaussians.items()})
    np.testing.assert_array_equal(rendered(decoder, header, shuffled), rendered(decoder, header, gaussians))


HEADER = StreamHeader(
    sample_rate=16000,
    samples=70000,
    slot_log2=12,
    smallest_scale=0,
    scales=8,
    amplitude_step=2047,
    output_shift=0,
    max_tones=4096,
    peak_macs=1,
)


def tones_of(scale: int, bins: npt.ArrayLike, onset: int = 0, phase: int = 0) -> Table:
    """As loud as they come."""
    table = TONE.empty(np.size(bins))
    table["scale"], table["bin"], table["onset"], table["amplitude"], table["phase"] = scale, bins, onset, 4095, phase
    return table


@pytest.mark.parametrize("scale", [0, 3, 11])
def test_sums_wrap(decoder: Any, scale: int) -> None:
    table = tones_of(scale, np.repeat([1, 3, (16 << scale) - 1], 30))
    check_exact(decoder, HEADER, Gaussians(tone=table))
    single = tones_of(scale, [(16 << scale) - 1], phase=1023)
    check_exact(decoder, HEADER, Gaussians(tone=single))


def test_noise_wraps_and_is_limited(decoder: Any) -> None:
    table = NOISE.empty(300)
    table["scale"] = np.arange(300) % 6
    table["width"] = np.arange(300) % 4
    table["weight"] = np.where(np.arange(300) % 7 == 0, -63, 63)
    for frame_log2, shift, base in ((5, 1, 127), (9, 1, -128), (7, 15, 28)):
        header = dataclasses.replace(HEADER, samples=9000, noise=NoiseHeader(frame_log2, shift, base, 255))
        check_exact(decoder, header, Gaussians(noise=table))
        check_exact(decoder, header, Gaussians())


# ---- the residual layer ----


@pytest.mark.parametrize("seed", RESIDUAL_SEEDS)
def test_residuals(decoder: Any, seed: int) -> None:
    header, gaussians = random_residual(seed)
    expected = check_coded(decoder, header, gaussians)
    (pcm,) = session(serialised(clip_model(header, gaussians))).run(None, {})
    np.testing.assert_array_equal(pcm, expected)
    np.testing.assert_array_equal(decoded_by_the_letter(header, gaussians), expected)
    # It is heard, and the table of a stream gives the same as the one that it was made from.
    plain = dataclasses.replace(header, residual=None), gaussians.replaced(residual=gaussians["residual"][:0])
    assert (decoded_by_the_letter(*plain) != expected).any()
    check_coded(decoder, header, decode_gaussians(encode_stream(header, gaussians)))
    shuffled = {name: np.random.default_rng(seed).permutation(table) for name, table in gaussians.items()}
    np.testing.assert_array_equal(rendered(decoder, header, Gaussians(shuffled)), expected)


def test_the_residuals_reach_what_matters() -> None:
    headers, clips = zip(*map(random_residual, RESIDUAL_SEEDS), strict=True)
    assert {header.noise.frame_log2 for header in headers} == {6, 7, 8, 9}
    assert min(header.segments for header in headers) == 1 < max(header.segments for header in headers)
    values = np.concatenate([gaussians["residual"] for gaussians in clips])
    for layer in (LEVEL, COEFFICIENT):
        of_layer = values["value"][values["layer"] == layer]
        assert (of_layer.min(), of_layer.max()) == (-LARGEST_VALUE, LARGEST_VALUE)


@pytest.mark.parametrize("frame_log2", [6, 7, 8, 9])
@pytest.mark.parametrize(("base", "lift"), [(127, 7), (28, 0), (3, 7), (-128, 0)])
def test_loud_and_silent_residuals(decoder: Any, frame_log2: int, base: int, lift: int) -> None:
    """Coefficients that are limited, levels that are, and frames without a sound."""
    header = dataclasses.replace(HEADER, samples=9000, noise=NoiseHeader(frame_log2, 15, base, 255), seek_slots=1)
    for step, fill in ((0, 0), (150, 7), (255, 3)):
        part = ResidualHeader(
            step=step,
            tilt=0,
            intervals=INTERVALS,
            fine_from=4,
            level_step=1,
            fill=fill,
            lift_low=lift,
            lift_high=lift,
            quiet=60,
        )
        check_coded(decoder, *with_residual(header, Gaussians(), step, part))
        check_coded(decoder, dataclasses.replace(header, residual=part), Gaussians())


# ---- two channels ----


STEREO_SEEDS = (0, 1, 2, 7, 8, 11, 17, 22, 26, 27, 28, 58)
"""Short clips: of a direction alone, panned, without noise and with, with a residual layer under them."""


@pytest.fixture(scope="module")
def stereo_decoder() -> Any:
    return session(serialised(decoder_model(channels=2)))


def left_and_right(header: StreamHeader, gaussians: Gaussians) -> Pcm:
    decoder = ReferenceDecoder(encode_stream(header, gaussians))
    decoder.set_stereo(True)
    return decoder.read(header.samples)


def check_both(decoder: Any, header: StreamHeader, gaussians: Gaussians) -> None:
    (pcm,) = decoder.run(None, model_inputs(header, gaussians, channels=2))
    assert (pcm.dtype, pcm.shape) == (np.int16, (header.samples, 2))
    np.testing.assert_array_equal(pcm, left_and_right(header, gaussians))


@pytest.mark.parametrize("seed", STEREO_SEEDS)
def test_left_and_right(decoder: Any, stereo_decoder: Any, seed: int) -> None:
    stream = stereo_stream(seed)
    check_both(stereo_decoder, stream.header, stream.gaussians)
    mid = ReferenceDecoder(stream.data).read(stream.header.samples)
    np.testing.assert_array_equal(rendered(decoder, stream.header, stream.gaussians), mid)


def test_the_seeds_of_two_channels_reach_what_matters() -> None:
    headers = [stereo_stream(seed).header for seed in STEREO_SEEDS]
    parts = {(header.panning is not None, bool(header.noise), bool(header.residual)) for header in headers}
    assert parts == {(True, True, True), (True, True, False), (True, False, False)} | {
        (False, noise, residual) for noise, residual in ((True, True), (True, False), (False, False))
    }
    assert {header.noise.frame_log2 for header in headers if header.noise} == {5, 6, 7, 8, 9}
    assert len({header.panning.side_step & 3 for header in headers if header.panning}) == 4


@pytest.mark.parametrize("seed", [0, 2, 7, 8])
def test_clips_of_two_channels_alone(seed: int) -> None:
    stream = stereo_stream(seed)
    model = clip_model(stream.header, stream.gaussians)
    (pcm,) = session(serialised(model)).run(None, {})
    np.testing.assert_array_equal(pcm, left_and_right(stream.header, stream.gaussians))
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [stream.header.samples, 2]
    (pcm,) = session(serialised(clip_model(stream.header, stream.gaussians, channels=1))).run(None, {})
    np.testing.assert_array_equal(pcm, ReferenceDecoder(stream.data).read(stream.header.samples))


def test_one_channel_is_in_both(stereo_decoder: Any) -> None:
    stream = random_stream(SEEDS[2])
    (pcm,) = stereo_decoder.run(None, model_inputs(stream.header, stream.gaussians, channels=2))
    expected = decoded_by_the_letter(stream.header, stream.gaussians)
    np.testing.assert_array_equal(pcm, np.stack([expected, expected], axis=1))


def test_windows_join_in_both_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audio_gs.export.onnx.graph.WINDOW", 512)
    monkeypatch.setattr("audio_gs.export.onnx.tones.ELEMENTS_AT_A_TIME", 5000)
    monkeypatch.setattr("audio_gs.export.onnx.noise.ELEMENTS_AT_A_TIME", 5000)
    decoder = session(serialised(decoder_model(channels=2)))
    for seed in STEREO_SEEDS[6:]:
        check_both(decoder, stereo_stream(seed).header, stereo_stream(seed).gaussians)


@pytest.mark.parametrize("direction", [0, 31, 64, 100, 128, 192, 255])
def test_loud_sides(stereo_decoder: Any, direction: int) -> None:
    """The largest of all that a tone has in the side, and of what noise has."""
    header = dataclasses.replace(HEADER, samples=3000, channels=2, direction=direction)
    header = dataclasses.replace(header, noise=NoiseHeader(6, 9, 28, 255), panning=PanningHeader(15, 127))
    table = np.concatenate([tones_of(scale, [1, 7]) for scale in (0, 5)])
    table["side_amplitude"], table["side_phase"] = 1023, 1000
    noises = NOISE.empty(12)
    noises["weight"], noises["width"], noises["scale"] = 1, np.arange(12) % 4, np.arange(12) % 6
    noises["side_weight"], noises["pan_weight"] = np.arange(12) - 6, np.resize([63, -63, 5], 12)
    for base in (127, 0, -128):
        panning = PanningHeader(direction & 15, base)
        loud = dataclasses.replace(header, panning=panning)
        check_both(stereo_decoder, loud, Gaussians(tone=table, noise=noises))
        check_both(stereo_decoder, loud, Gaussians(noise=noises))


@pytest.mark.parametrize("samples", [1, 511, 512, 513, (1 << 17) - 1, (1 << 17) + 1, 300_000])
def test_any_length(decoder: Any, samples: int) -> None:
    table = np.concatenate([tones_of(6, [100], onset) for onset in range(-1024, samples + 1024, 1 << 15)])
    header = dataclasses.replace(HEADER, samples=samples, noise=NoiseHeader(9, 5, 16, 255))
    check_exact(decoder, header, Gaussians(tone=table))


def test_another_runtime_gives_the_same_samples() -> None:
    """ONNX's own evaluator: nothing rests on how one runtime reads the operators."""
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import OpRun

    class GatherElements(OpRun):
        """Its own one takes no table of more than 64 entries."""

        op_domain = ""

        def _run(self, data: Any, indices: Any, axis: int) -> tuple[Any]:
            return (np.take_along_axis(data, indices, axis),)

    evaluator = ReferenceEvaluator(decoder_model(), new_ops=[GatherElements])
    small = [
        stream
        for seed in range(60)
        if (stream := random_stream(seed)).header.samples < 1500 and stream.gaussians.total < 150
    ]
    assert len(small) > 3
    assert any(stream.header.noise for stream in small)
    for stream in small:
        check_exact(evaluator, stream.header, stream.gaussians)
    short = [clip for seed in RESIDUAL_SEEDS if (clip := random_residual(seed))[0].samples < 4000]
    assert len(short) > 2
    for header, gaussians in short:
        check_coded(evaluator, header, gaussians)
    of_both = ReferenceEvaluator(decoder_model(channels=2), new_ops=[GatherElements])
    for seed in (17, 26, 28):
        check_both(of_both, stereo_stream(seed).header, stereo_stream(seed).gaussians)


# ---- the backend ----


class Result(NamedTuple):
    code: int
    err: str


def decode_command(*arguments: object) -> Result:
    before = signal.getsignal(signal.SIGTERM)
    err = io.StringIO()
    try:
        with (
            mock.patch.object(sys, "argv", ["gs-decode", *map(str, arguments)]),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            gs_decode.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    return Result(int(ended.value.code or 0), err.getvalue())


def test_the_backend_gives_the_same_file(tmp_path: Path) -> None:
    for backend in ("c", "onnx"):
        assert decode_command(CLIP, "-o", tmp_path / f"{backend}.wav", "--backend", backend).code == 0
    assert (tmp_path / "c.wav").read_bytes() == (tmp_path / "onnx.wav").read_bytes()


def test_the_backend_gives_both_channels(tmp_path: Path) -> None:
    clip = STEREO_FOLDER / "residual-34.bin"
    for options in ((), ("--mono",)):
        for backend in ("c", "onnx"):
            target = tmp_path / f"{backend}{len(options)}.wav"
            assert decode_command(clip, "-o", target, "--backend", backend, *options).code == 0
        names = (f"{backend}{len(options)}.wav" for backend in ("c", "onnx"))
        first, second = ((tmp_path / name).read_bytes() for name in names)
        assert first == second


def test_the_backend_refuses_damage(tmp_path: Path) -> None:
    data = CLIP.read_bytes()
    damaged = bytearray(data)
    damaged[-3] ^= 1
    for bad in (bytes(damaged), data[:-1], data + b"x", b"", b"GS"):
        with pytest.raises(BitstreamError):
            audio_gs.decode(bad, backend="onnx")
    (tmp_path / "damaged.gs").write_bytes(damaged)
    result = decode_command(tmp_path / "damaged.gs", "-o", tmp_path / "out.wav", "--backend", "onnx")
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert set(contents(tmp_path)) == {"damaged.gs"}


def test_the_backend_decodes_no_parts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="backend 'onnx' cannot stream; choose one of c, numba"):
        audio_gs.decode(CLIP.read_bytes(), backend="onnx", partial=True)
    with pytest.raises(ValueError, match="cannot stream"):
        api.StreamDecoder(CLIP.read_bytes(), backend="onnx")
    result = decode_command(CLIP, "-o", tmp_path / "out.wav", "--backend", "onnx", "--partial")
    assert result == (2, "gs-decode: --partial works with the backends c and numba (see gs-decode --help)\n")


@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else real(name))
    says = f"{module} is not installed; install the extra 'export': pip install 'audio-gs[export]'"
    with pytest.raises(AudioGsError, match=r"pip install 'audio-gs\[export\]'"):
        audio_gs.decode(CLIP.read_bytes(), backend="onnx")
    result = decode_command(CLIP, "-o", tmp_path / "out.wav", "--backend", "onnx")
    assert result == (1, f"gs-decode: {CLIP}: {says}\n")
    if module == "onnx":
        assert export("onnx", "-o", tmp_path / "out.onnx") == (1, b"", f"gs-export: {says}\n")
    assert contents(tmp_path) == {}


def test_too_little_memory_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, _channels: int) -> None:
            pass

        def run(self, _outputs: object, _inputs: object) -> None:
            raise Exception("[ONNXRuntimeError] : 1 : FAIL : Failed to allocate memory for requested buffer")

    monkeypatch.setattr("audio_gs.export.onnx.backend._session", Full)
    result = decode_command(CLIP, "-o", tmp_path / "out.wav", "--backend", "onnx")
    assert result == (1, f"gs-decode: {CLIP}: not enough memory; split the clip\n")


# ---- the command ----


def test_the_command_writes_the_decoder(tmp_path: Path) -> None:
    result = export("onnx", "-o", tmp_path / "decoder.onnx", "--json")
    assert result.code == 0
    said = json.loads(result.out)
    content = (tmp_path / "decoder.onnx").read_bytes()
    assert (said["input"], said["bytes"], said["opset"]) == (None, len(content), 18)
    check_exact(session(content), parse_header(CLIP.read_bytes())[0], decode_gaussians(CLIP.read_bytes()))
    # Onto standard output the same bytes.
    assert export("onnx", "-o", "-", "-q") == (0, content, "")


def test_the_command_writes_a_clip(tmp_path: Path) -> None:
    result = export("onnx", CLIP, "-o", tmp_path / "clip.onnx", "--json", "-q")
    said = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    (pcm,) = session((tmp_path / "clip.onnx").read_bytes()).run(None, {})
    expected, rate = audio_gs.decode(CLIP.read_bytes())
    np.testing.assert_array_equal(pcm, expected)
    assert (said["input"], said["sample_rate"], said["samples"]) == (str(CLIP), rate, len(expected))
    before = contents(tmp_path)
    refused = export("onnx", CLIP, "-o", tmp_path / "clip.onnx")
    assert refused == (1, b"", f"gs-export: {tmp_path}/clip.onnx exists; -f overwrites it\n")
    assert contents(tmp_path) == before
    assert export("onnx", CLIP, "-o", tmp_path / "clip.onnx", "-f").code == 0
    assert contents(tmp_path) == before


def test_the_command_writes_both_channels_or_the_mid(tmp_path: Path) -> None:
    clip = STEREO_FOLDER / "noise-22.bin"
    for options, channels in (((), 2), (("--channels", "2"), 2), (("--channels", "1"), 1)):
        result = export("onnx", clip, "-o", tmp_path / "clip.onnx", "--json", "-q", "-f", *options)
        assert (result.code, json.loads(result.out)["channels"]) == (0, channels)
        (pcm,) = session((tmp_path / "clip.onnx").read_bytes()).run(None, {})
        np.testing.assert_array_equal(pcm, audio_gs.decode(clip.read_bytes(), mono=channels == 1)[0])
    result = export("onnx", "-o", tmp_path / "decoder.onnx", "--channels", "2", "--json", "-q")
    assert json.loads(result.out)["channels"] == 2
    check_both(
        session((tmp_path / "decoder.onnx").read_bytes()), *(stereo_stream(22).header, stereo_stream(22).gaussians)
    )
    before = contents(tmp_path)
    refused = export("onnx", CLIP, "-o", tmp_path / "mono.onnx", "--channels", "2")
    assert refused == (1, b"", f"gs-export onnx: {CLIP}: it has one channel; leave out --channels 2\n")
    assert contents(tmp_path) == before


def test_the_command_refuses_what_is_wrong(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gs"
    damaged.write_bytes(CLIP.read_bytes()[:-1])
    before = contents(tmp_path)
    target = tmp_path / "out.onnx"
    for arguments, code, says in (
        ((damaged, "-o", target), 3, "truncated"),
        ((tmp_path / "none.gs", "-o", target), 1, "no such file"),
        ((tmp_path, "-o", target), 1, "is a folder"),
        ((damaged, "-o", damaged, "-f"), 2, "is both input and output"),
        ((damaged, "-o", tmp_path / "none" / "deep" / "out.onnx"), 1, "does not exist"),
        ((damaged, "-o", tmp_path), 1, "is a folder"),
        ((CLIP, CLIP, "-o", target), 2, "unexpected extra argument"),
        (("-o", "-", "--json"), 2, "both write to standard output"),
        ((CLIP,), 2, "Missing option"),
    ):
        result = export("onnx", *arguments)
        assert (result.code, result.out, result.err.count("\n")) == (code, b"", 1), result
        assert says in result.err
        assert contents(tmp_path) == before


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    for clip in ((), (CLIP,)):
        result = export("onnx", *clip, "-o", tmp_path / "out.onnx")
        assert (result.code, result.out, result.err.count("\n")) == (1, b"", 1)
        assert result.err.endswith("No space left on device\n")
        assert contents(tmp_path) == {}
