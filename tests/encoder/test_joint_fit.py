"""The options for people who study the method: initialisations, losses, resolutions by hand, checkpoints, log."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audio_gs.codec.container import StreamHeader
from audio_gs.codec.gaussians import Gaussians
from audio_gs.codec.kinds.base import Table
from audio_gs.codec.tables import LARGEST_AMPLITUDE, phase_bits
from audio_gs.encoder.gradient.cpu_render import render_on_cpu
from audio_gs.encoder.gradient.initialise import initialise
from audio_gs.encoder.gradient.joint_fit import joint_fit
from audio_gs.encoder.gradient.model import GaussianModel, choose_device, loss_function
from audio_gs.encoder.gradient.render import render
from audio_gs.encoder.gradient.resolution import amplitude_values, coarsen
from audio_gs.encoder.gradient.steps import starting_count, steps_for
from audio_gs.encoder.gradient.study import with_resolutions
from audio_gs.encoder.log import CLIP_PICTURE, FIELDS_PICTURE, LINES, LOSS_PICTURE, FitLog
from audio_gs.encoder.options import INITIALISATIONS, LOSSES, EncoderOptions
from audio_gs.encoder.tones.pursuit import Pursuit
from audio_gs.errors import AudioGsError, OptionsError

RATE = 8000
SAMPLES = 6000
LAYOUT = (1, 5)
STEP = 900.0
COUNT = 60
BY_HAND = EncoderOptions(time_bits=1, frequency_bits=4, amplitude_bits=3, phase_bits=2)


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """Notes that glide and die away, and a click; in output steps."""
    time = np.arange(SAMPLES) / RATE
    out = np.zeros(SAMPLES)
    for onset, pitch in ((0.05, 220.0), (0.2, 330.0), (0.45, 500.0)):
        age = np.maximum(time - onset, 0)
        out += (time >= onset) * np.exp(-6 * age) * np.sin(2 * np.pi * pitch * age * (1 + 0.2 * age))
    out[2500:2520] += 0.5
    return 9000 * out


def fit(signal: np.ndarray, options: EncoderOptions, start: Table, log: FitLog | None = None) -> Table:
    return joint_fit(start, signal, LAYOUT, STEP, options, COUNT, log or FitLog(None))


def start_of(signal: np.ndarray, options: EncoderOptions, count: int = COUNT) -> Table:
    return initialise(options, signal, RATE, LAYOUT, STEP, count)


def loss_of(signal: np.ndarray, table: Table, name: str) -> float:
    with torch.no_grad():
        estimate = GaussianModel(table, SAMPLES, *LAYOUT, STEP)()
    return float(loss_function(name)(estimate, torch.as_tensor(signal, dtype=torch.float32)))


def assert_legal(table: Table) -> None:
    length = 32 << table["scale"].astype(np.int64)
    assert np.all((table["scale"] >= LAYOUT[0]) & (table["scale"] < sum(LAYOUT)))
    assert np.all(table["onset"] % (length // 4) == 0)
    assert np.all((table["onset"] + length > 0) & (table["onset"] < SAMPLES))
    assert np.all((table["bin"] >= 0) & (table["bin"] < length // 2))
    assert np.all((table["amplitude"] >= 1) & (table["amplitude"] <= LARGEST_AMPLITUDE))
    assert np.all((table["phase"] >= 0) & (table["phase"] < 1 << phase_bits()[table["amplitude"]]))


def test_both_renderings_and_their_gradients_agree(signal: np.ndarray) -> None:
    table = start_of(signal, EncoderOptions())
    gradients, clips = [], []
    for renderer in (render, render_on_cpu):
        model = GaussianModel(table, SAMPLES, *LAYOUT, STEP)
        random = torch.Generator().manual_seed(1)
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn(len(parameter), generator=random)
        clip = renderer(model.waves(0.0), SAMPLES)
        torch.autograd.backward(loss_function("l2")(clip, torch.as_tensor(signal, dtype=torch.float32)))
        clips.append(clip.detach())
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert float((clips[0] - clips[1]).norm() / clips[0].norm()) < 1e-3
    for one, other in zip(*gradients, strict=True):
        assert float((one - other).norm() / one.norm()) < 1e-2


def test_model_renders_what_its_table_says(signal: np.ndarray) -> None:
    pursuit = Pursuit(signal, *LAYOUT, STEP).picked(COUNT, 0.0)
    model = GaussianModel(pursuit.table(), SAMPLES, *LAYOUT, STEP)
    np.testing.assert_array_equal(model.table(), pursuit.table())
    error = model().detach().numpy() - pursuit.rendering()
    assert np.sum(error**2) < 1e-4 * np.sum(pursuit.rendering() ** 2)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_initialisations(signal: np.ndarray, name: str) -> None:
    options = EncoderOptions(initialisation=name, refine_steps=40, learning_rate=0.1, seed=3)
    start = start_of(signal, options)
    assert 0 < len(start) <= COUNT
    assert_legal(start)
    np.testing.assert_array_equal(start, start_of(signal, options))
    fitted = fit(signal, options, start)
    assert_legal(fitted)
    before, after = loss_of(signal, start, "l2"), loss_of(signal, fitted, "l2")
    assert after <= before
    assert name in ("pursuit", "peaks") or after < before


def test_seed_chooses_the_random_start(signal: np.ndarray) -> None:
    one, other = (start_of(signal, EncoderOptions(initialisation="random", seed=seed)) for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_uniform_start_covers_time_and_scales(signal: np.ndarray) -> None:
    table = start_of(signal, EncoderOptions(initialisation="uniform"), 200)
    assert np.all(np.bincount(table["scale"] - LAYOUT[0]) == 40)
    centre = table["onset"] + (16 << table["scale"].astype(np.int64))
    counts = np.histogram(centre, bins=4, range=(0, SAMPLES))[0]
    assert counts.min() > 35


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_fall(signal: np.ndarray, loss: str) -> None:
    options = EncoderOptions(initialisation="random", refine_steps=40, learning_rate=0.1, loss=loss)
    start = start_of(signal, options)
    assert loss_of(signal, fit(signal, options, start), loss) < loss_of(signal, start, loss)


def test_adaptive_adding_fills_up_to_the_wanted_number(signal: np.ndarray) -> None:
    options = EncoderOptions(initialisation="peaks", refine_steps=60, adaptive_every=10, adaptive_share=0.5)
    assert starting_count(options, COUNT) == COUNT // 2
    start = start_of(signal, options, starting_count(options, COUNT))
    fitted = fit(signal, options, start)
    assert len(start) < len(fitted) <= COUNT
    assert loss_of(signal, fitted, "l2") < loss_of(signal, start, "l2")


def assert_coarse(table: Table) -> None:
    assert_legal(table)
    scale = table["scale"].astype(np.int64)
    length = 32 << scale
    assert np.all(table["onset"] % (length // 2) == 0)
    assert np.all(table["bin"] % (length // 2 // 16) == 0)
    assert np.all(np.isin(table["amplitude"], amplitude_values(3)))
    assert np.all(table["phase"] % (1 << (phase_bits()[table["amplitude"]] - 2)) == 0)


def test_resolutions_by_hand_hold(signal: np.ndarray) -> None:
    pursuit = Pursuit(signal, *LAYOUT, STEP).picked(COUNT, 0.0)
    coarse = coarsen(pursuit.table(), BY_HAND, SAMPLES)
    assert_coarse(coarse)
    np.testing.assert_array_equal(coarsen(coarse, BY_HAND, SAMPLES), coarse)
    options = dataclasses.replace(BY_HAND, refine_steps=30, adaptive_every=8, learning_rate=0.05)
    fitted = fit(signal, options, pursuit.table())
    np.testing.assert_array_equal(coarsen(fitted, BY_HAND, SAMPLES), fitted)
    assert_coarse(fitted)
    held = with_resolutions(pursuit, BY_HAND)
    assert len(held.atoms) > 0
    assert_coarse(held.table())


def test_no_bits_at_all_and_all_of_the_formats(signal: np.ndarray) -> None:
    table = start_of(signal, EncoderOptions(initialisation="random"))
    none = EncoderOptions(time_bits=0, frequency_bits=0, amplitude_bits=0, phase_bits=0)
    fewest = coarsen(table, none, SAMPLES)
    assert_legal(fewest)
    assert set(fewest["bin"]) == {0} and set(fewest["phase"]) == {0} and len(set(fewest["amplitude"])) == 1
    most = EncoderOptions(time_bits=16, frequency_bits=16, amplitude_bits=16, phase_bits=16)
    np.testing.assert_array_equal(coarsen(table, most, SAMPLES), table)
    assert coarsen(table, EncoderOptions(), SAMPLES) is table


@pytest.fixture
def studied(tmp_path: Path) -> EncoderOptions:
    return EncoderOptions(
        initialisation="peaks",
        refine_steps=40,
        adaptive_every=10,
        checkpoint_every=12,
        learning_rate=0.05,
        log_dir=str(tmp_path / "log"),
    )


def test_resuming_changes_nothing(signal: np.ndarray, studied: EncoderOptions, tmp_path: Path) -> None:
    start = start_of(signal, studied)
    whole = fit(signal, studied, start, FitLog(studied.log_dir))
    lines = (tmp_path / "log" / LINES).read_text()
    for step in (12, 24, 36):
        checkpoint = tmp_path / "log" / f"checkpoint_{step:06d}.npz"
        again = dataclasses.replace(studied, resume=str(checkpoint), log_dir=str(tmp_path / f"from {step}"))
        np.testing.assert_array_equal(fit(signal, again, start, FitLog(again.log_dir)), whole)
        assert (tmp_path / f"from {step}" / LINES).read_text() == lines


def test_checkpoints_that_cannot_be_used(signal: np.ndarray, studied: EncoderOptions, tmp_path: Path) -> None:
    start = start_of(signal, studied)
    fit(signal, studied, start, FitLog(studied.log_dir))
    good = tmp_path / "log" / "checkpoint_000012.npz"

    def resumed(path: Path, clip: np.ndarray = signal, **changes: Any) -> None:
        fit(clip, dataclasses.replace(studied, resume=str(path), **changes), start)

    resumed(good)
    with pytest.raises(OptionsError, match="cannot read"):
        resumed(tmp_path / "absent.npz")
    with pytest.raises(OptionsError, match="cannot read"):
        resumed(tmp_path)
    with pytest.raises(OptionsError, match="loss l2, not l1"):
        resumed(good, loss="l1")
    with pytest.raises(OptionsError, match="another clip"):
        resumed(good, clip=0.5 * signal)
    whole = good.read_bytes()
    bad = tmp_path / "bad.npz"
    for damaged in (b"", b"no archive", whole[:100], whole[: len(whole) // 2], whole[:-1]):
        bad.write_bytes(damaged)
        with pytest.raises(OptionsError, match="damaged"):
            resumed(bad)
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 0x10
    bad.write_bytes(flipped)
    with pytest.raises(OptionsError, match="damaged"):
        resumed(bad)
    np.savez(bad, problem=np.array("{}"), step=np.array(3))
    with pytest.raises(OptionsError, match="damaged"):
        resumed(bad)
    np.savez(bad, problem=np.array([{}], dtype=object))
    with pytest.raises(OptionsError, match="damaged"):
        resumed(bad)


def test_log(signal: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "log"
    options = EncoderOptions(initialisation="peaks", refine_steps=4)
    log = FitLog(str(folder))
    log.record("pursuit", gaussians=COUNT, snr_db=float("inf"))
    table = fit(signal, options, start_of(signal, options), log)
    header = StreamHeader(
        sample_rate=RATE,
        samples=SAMPLES,
        slot_log2=7,
        smallest_scale=LAYOUT[0],
        scales=LAYOUT[1],
        amplitude_step=100,
        output_shift=2,
        max_tones=COUNT,
        peak_macs=300,
        seek_slots=0,
        loop=None,
        table_set=0,
    )
    log.pictures(signal, signal, header, Gaussians(tone=table), "clip")
    lines = [json.loads(line) for line in (folder / LINES).read_text().splitlines()]
    assert lines[0] == {"stage": "pursuit", "snr_db": None, "gaussians": COUNT}
    assert [line["step"] for line in lines[1:]] == list(range(5))
    assert all({"loss", "snr_db", "gaussians"} <= set(line) for line in lines[1:])
    for name in (LOSS_PICTURE, CLIP_PICTURE, FIELDS_PICTURE):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioGsError, match="cannot write the log"):
        FitLog(str(tmp_path / "file" / "log"))


def test_no_folder_no_log(signal: np.ndarray) -> None:
    log = FitLog(None)
    log.record("pursuit", gaussians=1)
    assert log.folder is None


def test_steps_by_effort_and_initialisation() -> None:
    assert steps_for(EncoderOptions()) == 0
    assert steps_for(EncoderOptions(refine_steps=7)) == 7
    assert [steps_for(EncoderOptions(initialisation="peaks", effort=e)) for e in ("fast", "normal", "best")] == [
        50,
        150,
        400,
    ]


def test_no_steps_return_the_start(signal: np.ndarray) -> None:
    start = start_of(signal, EncoderOptions())
    np.testing.assert_array_equal(fit(signal, EncoderOptions(), start), start)
    assert len(fit(signal, EncoderOptions(refine_steps=3), start[:0])) == 0


def test_cuda_where_there_is_none() -> None:
    if torch.cuda.is_available():
        assert choose_device("auto").type == "cuda"
    else:
        assert choose_device("auto").type == "cpu"
        with pytest.raises(OptionsError, match="CUDA"):
            choose_device("cuda")
