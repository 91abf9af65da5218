"""The tables: what C has is what Python makes, and SPEC.md states the same constants."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio_gs.codec import container, cost, residual, stereo, tables
from audio_gs.codec.kinds import KINDS, RESERVED, noise, tone

ROOT = Path(__file__).parents[2]
SPEC = " ".join((ROOT / "docs" / "SPEC.md").read_text(encoding="utf-8").split())


def stated(pattern: str) -> tuple[int, ...]:
    """The numbers that SPEC.md states at a pattern, which must be there."""
    found = re.search(pattern, SPEC)
    assert found, f"docs/SPEC.md no longer says {pattern}"
    return tuple(int(number) for number in re.findall(r"\d+", " ".join(found.groups())))


def test_c_header_is_current() -> None:
    header = (ROOT / "decoder_c" / "src" / "gs_tables.h").read_text(encoding="utf-8")
    assert header == tables.c_header(), "run python -m audio_gs.codec.tables"


def test_the_module_checks_and_writes_the_c_header(tmp_path: Path) -> None:
    """`python -m audio_gs.codec.tables` as it runs in a checkout, on a copy of one."""
    for name in ("__init__.py", "tables.py", "priors.json"):
        target = tmp_path / "audio_gs" / "codec" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / "audio_gs" / "codec" / name).read_bytes() if name != "__init__.py" else b"")
    (tmp_path / "audio_gs" / "__init__.py").touch()
    header = tmp_path / "decoder_c" / "src" / "gs_tables.h"
    header.parent.mkdir(parents=True)
    header.write_text("something else\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "audio_gs.codec.tables", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    refused = run("--check")
    assert refused.returncode == 1
    assert "gs_tables.h" in refused.stderr
    assert header.read_text() == "something else\n"
    assert run().returncode == 0
    assert run("--check").returncode == 0
    assert header.read_text() == tables.c_header()

    priors = tmp_path / "audio_gs" / "codec" / "priors.json"
    before = priors.read_bytes()
    bad = tmp_path / "bad.json"
    for content in (
        "{}",
        "no JSON",
        before.decode().replace("[", "[256, ", 1),
        before.decode().replace("[", "[1, ", 1),
    ):
        bad.write_text(content)
        refused = run("--priors", "bad.json")
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
        assert priors.read_bytes() == before
        assert header.read_text() == tables.c_header()
    other = tmp_path / "other.json"
    other.write_text(json.dumps({name: [7] * tables.priors().shape[1] for name in tables.TABLE_SETS}))
    assert run("--priors", "other.json").returncode == 0
    assert run("--check").returncode == 0
    assert header.read_text() != tables.c_header()
    assert json.loads(priors.read_text()) == json.loads(other.read_text())


def test_envelope() -> None:
    envelope = tables.envelope()
    assert envelope.shape == (33,)
    assert envelope[0] == envelope[32] == 0
    assert envelope.max() == envelope[16] == 32767
    np.testing.assert_array_equal(envelope, envelope[::-1])
    assert (np.diff(envelope[:17]) > 0).all()


def test_cosine() -> None:
    cosine = tables.cosine()
    assert cosine.shape == (1024,)
    np.testing.assert_array_equal(cosine, -np.roll(cosine, 512))
    np.testing.assert_array_equal(cosine[1:], cosine[:0:-1])
    assert cosine[0] == 16384
    assert cosine[256] == 0


def test_a_quarter_of_the_cosine_is_the_whole() -> None:
    """As decoder_c/src/gs_cosine.h has it."""
    quarter = tables.quarter_cosine()
    assert quarter.shape == (257,)
    for step, value in enumerate(tables.cosine()):
        from_half_turn = (step << 23 & 0xFFFFFFFF) >> 23
        from_half_turn -= (from_half_turn & 256) << 1
        assert value == (-1 if (step + 256) & 512 else 1) * quarter[abs(from_half_turn)]


def test_equivalent_sigma_is_the_best_fit() -> None:
    """ENVELOPE_SIGMA, from the table itself: the Gaussian with the largest unit-norm inner product."""
    at = np.linspace(-0.5, 0.5, 4001)
    shape = np.interp(at, np.linspace(-0.5, 0.5, 33), tables.envelope())
    wide = np.linspace(-2, 2, 16001)

    def likeness(sigma: float) -> float:
        norm = np.sqrt(np.sum(np.exp(-((wide / sigma) ** 2))) * np.sum(shape**2))
        return float(np.sum(shape * np.exp(-((at / sigma) ** 2) / 2)) / norm)

    best = max(np.arange(0.17, 0.21, 0.0002), key=likeness)
    assert best == pytest.approx(tables.ENVELOPE_SIGMA, abs=5e-4)


def test_priors() -> None:
    priors = tables.priors()
    assert priors.shape == (3, sum(kind.prior_contexts for kind in KINDS))
    assert priors.min() >= 0
    assert priors.max() <= 255
    assert not np.array_equal(priors[0], priors[1]), "the table sets are trained apart"


def test_packed_priors_are_the_priors() -> None:
    """As decoder_c/src/gs_slots.c expands them."""
    priors = tables.priors()
    for prior in priors:
        packed = iter(tables.packed_prior(prior))
        expanded: list[int] = []
        for value in packed:
            expanded += [128] * next(packed) if value == tables.unused_prior() else [value]
        assert expanded == prior.tolist()
    assert sum(len(tables.packed_prior(prior)) for prior in priors) < 0.9 * priors.size


def test_long_runs_are_packed_in_parts() -> None:
    run = tables.unused_prior()
    for count, expected in ((2, [128, 128]), (3, [run, 3]), (255, [run, 255]), (258, [run, 255, run, 3])):
        assert tables.packed_prior(np.full(count, 128)) == expected


def test_priors_of_every_byte_cannot_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "priors", lambda: np.arange(256))
    with pytest.raises(ValueError, match="every byte"):
        tables.unused_prior()


def test_bark() -> None:
    centres = tables.bark_hz()
    assert centres.shape == (25,)
    assert (np.diff(centres) > 0).all()
    assert centres.max() < 1 << 16
    # Traunmueller's scale forwards.
    np.testing.assert_allclose(26.81 * centres / (1960 + centres) - 0.53, np.arange(25) + 0.5, atol=0.06)


def test_gain() -> None:
    gain = tables.gain()
    assert gain.shape == (32,)
    assert gain[0] == 8192
    decibels = 20 * np.log10(gain / 8192)
    np.testing.assert_allclose(np.diff(decibels), 20 * np.log10(2) / 32, atol=0.002)
    assert gain.max() < 1 << 14


def test_phase_bits() -> None:
    bits = tables.phase_bits()
    assert len(bits) == tables.LARGEST_AMPLITUDE + 1
    assert (bits[1], bits[2], bits[3], bits[159], bits[160], bits[-1]) == (3, 3, 4, 9, 10, 10)


def test_spec_states_the_range_coder() -> None:
    assert stated(r"R1\. Contexts must adapt by SHIFT = ([\d ]+)\.") == tables.ADAPTATION_SHIFT
    assert stated(r"START_COUNT = ([\d ]+)\.") == tables.START_COUNT
    assert stated(r"\| SHIFT \| (\d+) \| \| ceil\(log2\(i \+ 1\.5\)\)") == (len(tables.ADAPTATION_SHIFT),)
    assert tuple(math.ceil(math.log2(i + 1.5)) for i in range(16)) == tables.ADAPTATION_SHIFT


def test_spec_states_the_slots() -> None:
    assert stated(r"MORE\[(\d+)\]\[(\d+)\]") == (tables.MORE_ACTIVITIES, tables.MORE_PLACES)
    for name in ("FIRST", "NEXT", "AMP"):
        assert stated(rf"{name}_U\[(\d+)\]") == (tables.GAMMA_LENGTHS,)
        assert stated(rf"{name}_M\[(\d+)\]") == (tables.GAMMA_TOPS,)
    assert stated(r"(\d+) in all") == (tables.CONTEXTS_PER_SCALE,)
    assert stated(r"limits ([\d, ]+) that are <= q") == tables.PHASE_LIMITS
    assert stated(r"\| phase limits \| (\d+) \| \| ceil\(2\.5 \* 2\^i\)") == (len(tables.PHASE_LIMITS),)
    assert tuple(math.ceil(2.5 * 2**i) for i in range(7)) == tables.PHASE_LIMITS
    assert stated(r"phase_bits\(q\) = (\d+) \+") == (tables.FEWEST_PHASE_BITS,)
    assert stated(r"AMP_M, top = (\d+)\) amplitude index, 1..(\d+)") == (
        tables.AMPLITUDE_EXPONENT,
        tables.LARGEST_AMPLITUDE,
    )


def test_spec_states_the_slots_of_noise() -> None:
    assert stated(r"NMORE\[(\d+)\]\[(\d+)\], NWIDTH") == (tables.MORE_ACTIVITIES, tables.MORE_PLACES)
    assert stated(r"for a = 0\.\.(\d+) NMORE") == (tables.NOISE_SCALES - 1,)
    assert stated(r"NWIDTH\[(\d+)\]; then") == (tables.NOISE_WIDTHS - 1,)
    places = stated(r"NPLACE\[0\] with (\d+) contexts, \[1\] with (\d+), \[2\] with (\d+), \[3\] with (\d+);")
    assert places == tuple((1 << (tables.NOISE_PLACES_LOG2 - width)) - 1 for width in range(tables.NOISE_WIDTHS))
    signs, weights = stated(r"NSIGN\[(\d+)\];"), stated(r"NW_U\[(\d+)\], NW_M\[(\d+)\]\.")
    assert signs == (tables.NOISE_WIDTHS,)
    assert weights == (tables.NOISE_WEIGHT_EXPONENT,) * 2
    assert stated(r"then (\d+) for noise") == (tables.NOISE_CONTEXTS,)
    of_each_scale = tables.MORE_ACTIVITIES * tables.MORE_PLACES + tables.NOISE_WIDTHS - 1
    of_each_width = signs[0] + tables.NOISE_WIDTHS * sum(weights)
    assert tables.NOISE_SCALES * of_each_scale + sum(places) + of_each_width == tables.NOISE_CONTEXTS
    assert stated(r"NPLACE\[c\], (\d+) - c\)") == (tables.NOISE_PLACES_LOG2,)
    assert stated(r"NW_M\[c\], top = (\d+)\)") == (tables.NOISE_WEIGHT_EXPONENT,)
    assert stated(r"width: (\d+) << c Bark") == (tables.NOISE_NARROWEST_SUPPORT,)
    assert stated(r"noise of scale a has support (\d+)N << a") == (tables.NOISE_SHORTEST_SUPPORT,)


def test_spec_states_the_residual() -> None:
    table = {
        "SHARE": tables.residual_share(),
        "CURVATURE": tables.residual_curvature(),
        "SUM": tables.residual_sum(),
        "CUT": tables.residual_cut(),
    }
    for name, values in table.items():
        found = re.search(rf"\| {name} \| (\d+): ([-\d ]+) \|", SPEC)
        assert found, f"docs/SPEC.md no longer states {name}"
        assert int(found.group(1)) == len(values)
        assert [int(number) for number in found.group(2).split()] == values.tolist()
    assert stated(r"8\.2 Syntax Contexts, (\d+) in all") == (tables.RESIDUAL_CONTEXTS,)
    assert stated(r"FRAME\[(\d+)\], p = (\d+); ZERO\[(\d+)\]\[(\d+)\], p = (\d+) \*") == (
        tables.RESIDUAL_ZERO - tables.RESIDUAL_FRAME,
        tables.residual_prior()[tables.RESIDUAL_FRAME],
        tables.RESIDUAL_CLASSES,
        tables.RESIDUAL_NEIGHBOURHOODS,
        tables.residual_prior()[tables.RESIDUAL_ZERO],
    )
    assert stated(r"MAGNITUDE\[(\d+)\]\[(\d+)\], p = (\d+)") == (
        2,
        tables.RESIDUAL_MAGNITUDES,
        tables.residual_prior()[tables.RESIDUAL_MAGNITUDE],
    )
    assert stated(r"while x < (\d+) and decode") == (tables.RESIDUAL_LONGEST_UNARY,)
    assert stated(r"j < intervals and ratio > -(\d+)") == (-tables.RESIDUAL_FIRST_RATIO,)
    assert stated(r"if f mod (\d+) = 0") == (residual.LEVEL_FRAMES,)
    assert stated(r"intervals <= (\d+) \|") == (residual.INTERVALS,)
    assert stated(r"with a residual (\d+) <= noise_frame_log2") == (residual.MIN_FRAME_LOG2,)


def test_spec_states_noise() -> None:
    assert stated(r"Band i = 0\.\.(\d+) has its centre") == (tables.BARK_BANDS - 1,)
    assert stated(r"level\[i\] = (\d+) \* noise_base") == (noise.LEVEL_STEP,)
    highest = stated(r"limited to 0 \.\. (\d+ \* \d+) - 1")
    assert math.prod(highest) - 1 == noise.HIGHEST_LEVEL
    assert stated(r"the larger of that and (\d+) \* N") == (tables.NOISE_SHORTEST_SUPPORT << (tables.NOISE_SCALES - 1),)


def test_spec_states_dequantisation_and_rendering() -> None:
    assert stated(r"\(amplitude_step \* (\d+) \+ 2048\) >> 12") == (tables.HALF_SQRT2_Q16,)
    assert stated(r"ENV: (\d+) entries") == (tables.ENVELOPE_SEGMENTS + 1,)
    assert stated(r"COS: (\d+) entries") == (tables.COSINE_STEPS,)
    assert stated(r"HALF_BAND = (\d+) (-\d+) (\d+) (-\d+) \| Q12") == tuple(np.abs(tables.half_band()))
    assert stated(r"octave \+ (\d) <= k and inc << octave <= (\d+), or 0") == (
        tables.OCTAVE_SCALE,
        tables.OCTAVE_INCREMENT,
    )
    assert stated(r"half-band filters upsample from octave (\d) to octave 0") == (tables.OCTAVES - 1,)
    assert stated(r"a decoder makes blocks of (\d+) samples") == (tables.RENDER_BLOCK,)
    assert stated(r"let n' = (\d+) \* floor\(n / \d+\) - (\d+)") == (
        tables.RENDER_BLOCK,
        tables.WARM_UP_BLOCKS * tables.RENDER_BLOCK,
    )
    assert stated(r"c \+ (\d) \* \(\(\(a \+ c - 1\)") == (tables.MACS_PER_PIECE,)
    assert stated(r"The filters cost (\d+) in each block") == (tone.FILTER_MACS,)
    assert stated(r"A Gaussian of any kind costs at most (\d+)") == (cost.MACS_PER_GAUSSIAN,)
    assert stated(r"support is L = (\d+) << k") == (tables.SHORTEST_SUPPORT,)


def test_spec_states_the_header() -> None:
    assert stated(r"1\.\.9 = ([\d, ]+) Hz") == container.SAMPLE_RATES
    assert stated(r"explicit (\d+\.\.\d+) \|") == (container.MIN_SAMPLE_RATE, container.MAX_SAMPLE_RATE)
    assert stated(r"a slot is H = 2\^slot_log2 samples \| (\d+\.\.\d+)") == (
        container.MIN_SLOT_LOG2,
        container.MAX_SLOT_LOG2,
    )
    assert stated(r"scales 1\.\.(\d+), smallest_scale \+ scales - 1 <= (\d+)") == (
        tables.MAX_SCALES,
        tone.MAX_SCALE,
    )
    assert stated(r"amplitude_step >= 1, output_shift <= (\d+)") == (tone.MAX_OUTPUT_SHIFT,)
    assert stated(r"held at a time \(7\.1\) \| (1\.\.\d+)") == (1, tone.MAX_TONES)
    assert stated(r"(\d+) <= noise_frame_log2 <= min\((\d+), slot_log2\)") == (
        noise.MIN_FRAME_LOG2,
        noise.MAX_FRAME_LOG2,
    )
    kinds = re.search(r"bit 0 (\w+), 1 (\w+), 2 (\w+), 3 (\w+); bit (\d+): they may be panned", SPEC)
    assert kinds
    names = {**{kind.bit: kind.name for kind in KINDS}, **RESERVED}
    assert kinds.groups() == (*(names[bit] for bit in range(4)), str(stereo.PANNED_BIT))
    assert sorted(names) == list(range(4))
    assert stated(r"of the mid, in quarters of an octave \| 0\.\.(\d+)") == (tables.LARGEST_SIDE_STEP,)
    assert stated(r"0: the tone has no side \| 0\.\.(\d+)") == (tables.LARGEST_SIDE_AMPLITUDE,)
    assert stated(r"A Gaussian costs at most (\d+) to decode\. Left") == (cost.MACS_PER_PANNED_GAUSSIAN,)
    sets = re.search(r"table set \(initial probabilities\): 0 (\w+), 1 (\w+), 2 (\w+)", SPEC)
    assert sets
    assert sets.groups() == tables.TABLE_SETS


def test_c_header_states_the_same_bounds() -> None:
    """The public header's numbers that no generator writes."""
    text = (ROOT / "decoder_c" / "include" / "audio_gs.h").read_text(encoding="utf-8")

    def numbers(name: str) -> list[int]:
        found = re.search(rf"#define {name}(?:\([\w, ]+\))? (.+)", text)
        assert found
        return [int(number) for number in re.findall(r"\d+", found.group(1))]

    assert numbers("GS_FORMAT_VERSION") == [container.FORMAT_VERSION]
    assert numbers("GS_CONTEXTS") == [tables.CONTEXTS_PER_SCALE, tables.NOISE_CONTEXTS, 0]
