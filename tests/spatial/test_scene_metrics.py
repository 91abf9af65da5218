"""Metrics of scenes on signals whose figures are known, and the harmonics and the head beneath the models."""

from __future__ import annotations

import numpy as np
import torch

from audio_gs.spatial import bands, metrics
from audio_gs.spatial.harmonics import harmonics
from audio_gs.spatial.head import at_directions, head_table, measured_head
from audio_gs.spatial.scene import LEAD, Floats

RATE = 22050


def noise(clips: int = 2) -> Floats:
    return np.random.default_rng(0).standard_normal((clips, 2, RATE)).astype(np.float32)


def test_equal_clips_have_no_error() -> None:
    clips = noise()
    times = np.array([0.3, 0.4])
    found = metrics.figures(clips, clips, RATE, (times, times)).as_dict()
    assert set(found.values()) == {0.0}


def test_known_differences_are_found() -> None:
    clips = noise()
    softer = clips * np.array([0.5, 1.0], np.float32)[:, None]
    found = metrics.figures(softer, clips, RATE, None)
    assert abs(found.lre - 6.02) < 0.01
    assert abs(found.ild - 6.02) < 0.01
    expected = 0.5 * metrics.magnitudes(clips[:, 0]).mean()
    assert abs(found.mag - expected) < 1e-3 * expected
    envelope = metrics.envelope(clips[:, 0])
    assert abs(found.env - np.mean(np.sqrt((envelope**2).mean(axis=-1)) / 2)) < 1e-6
    assert found.rte is None
    later = clips.copy()
    later[:, 1] = np.roll(clips[:, 0], 9, axis=-1)
    later[:, 0] = clips[:, 0]
    np.testing.assert_allclose(metrics.time_difference(later, RATE), 9 / RATE, atol=0.3 / RATE)


def test_reverberation_time_is_that_of_the_decay() -> None:
    for wanted in (0.2, 0.6):
        time = np.arange(RATE) / RATE
        tail = np.random.default_rng(1).standard_normal((1, 2, RATE)) * 10 ** (-3 * time / wanted)
        response = np.concatenate([np.zeros((1, 2, LEAD)), tail], axis=-1)
        np.testing.assert_allclose(metrics.reverberation_time(response, RATE), wanted, rtol=0.05)


def test_harmonics_are_orthonormal_and_alike_in_both_libraries() -> None:
    z, weights = np.polynomial.legendre.leggauss(12)
    azimuth = np.arange(24) * 2 * np.pi / 24
    x, y = (np.sqrt(1 - z[:, None] ** 2) * turn(azimuth) for turn in (np.cos, np.sin))
    values = np.stack(harmonics(4, x, y, np.broadcast_to(z[:, None], x.shape)))
    products = np.einsum("azi,bzi,z->ab", values, values, weights / 2 / 24)
    np.testing.assert_allclose(products, np.eye(25), atol=1e-12)
    tensors = [torch.from_numpy(np.ascontiguousarray(part)) for part in np.broadcast_arrays(x, y, z[:, None])]
    np.testing.assert_allclose(torch.stack(harmonics(4, *tensors)).numpy(), values, atol=1e-12)


def test_the_table_comes_near_the_measured_head() -> None:
    head, table = measured_head(), head_table()
    basis, mirrored = at_directions(head.directions), at_directions(head.directions * [1, -1, 1])
    itd = (mirrored - basis) @ table.delays
    truth = head.delays[:, 1] - head.delays[:, 0]
    assert np.sqrt(((itd - truth) ** 2).mean()) < 30e-6
    left = int(np.argmax(head.directions[:, 1]))
    assert 500e-6 < itd[left] < 800e-6
    ild = (basis - mirrored)[left] @ table.levels
    assert ild[12] > 8
    assert abs(ild[0]) < 3


def test_minimum_phase_is_that_of_a_one_pole_filter() -> None:
    size = 1024
    spectrum = 1 / (1 - 0.7 * np.exp(-2j * np.pi * np.fft.rfftfreq(size)))
    phase = bands.minimum_phase(size, np.log(np.abs(spectrum))[:, None])[:, 0]
    np.testing.assert_allclose(phase, np.angle(spectrum), atol=1e-9)
