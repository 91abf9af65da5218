"""The log's pictures hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from demo_clips import demo_stream

import audio_gs
from audio_gs.encoder.log import field_panels
from audio_gs.gaussians import Gaussians


def test_kinds_have_panels_of_their_own() -> None:
    data = demo_stream("speech")
    header, gaussians = audio_gs.info(data).header, audio_gs.read_gaussians(data)
    panels = field_panels(header, gaussians)
    assert list(panels) == ["tones", "noises"]
    for kind, rows in (("tones", gaussians["tone"]), ("noises", gaussians["noise"])):
        assert len(rows) > 0
        assert all(len(panel.values) == len(rows) for panel in panels[kind])
    values = {panel.name: panel.values for panel in panels["tones"]}
    assert values["amplitude index q"].min() >= 1
    assert np.ptp(values["phase, radians"]) > 6


@pytest.mark.parametrize(("kind", "panels"), [("tone", "tones"), ("noise", "noises")])
def test_a_kind_that_is_not_there_has_no_panels(kind: str, panels: str) -> None:
    data = demo_stream("speech")
    only = Gaussians({kind: audio_gs.read_gaussians(data)[kind]})
    assert list(field_panels(audio_gs.info(data).header, only)) == [panels]


def test_panned_gaussians_have_panels_of_their_sides() -> None:
    data = audio_gs.edit.edited(demo_stream("speech"), [{"pan": {"position": 1, "kind": ["tone", "noise"]}}])
    header, gaussians = audio_gs.info(data).header, audio_gs.read_gaussians(data)
    panels = field_panels(header, gaussians)
    assert all(len(of_kind) == 9 for of_kind in panels.values())
    values = {panel.name: panel.values for panel in panels["tones"]}
    assert np.median(values["pan, left to right"]) > 0.9
    assert values["amplitude index of the side"].max() > 1
