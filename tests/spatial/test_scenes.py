"""Scenes as they are simulated, written and read in both layouts; what is not fit to learn from is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from small_scenes import gs_scene, small_scene

from audio_gs.errors import SceneError, SceneFileError
from audio_gs.spatial.echoes import walls_by_echoes
from audio_gs.spatial.layouts import Options, load_scene
from audio_gs.spatial.scene import Scene, convolved

EDIT = Callable[[Path], None]


def loudest(scene: Scene) -> float:
    return float(np.sqrt((scene.heard[~scene.unseen].astype(float) ** 2).mean(axis=-1)).max())


def test_rwavs_is_read_as_it_was_simulated(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path))
    assert scene.sample_rate == 22050
    assert scene.heard.shape == (20, 2, 22050)
    assert scene.near.shape == (20, 1, 22050)
    assert loudest(scene) == pytest.approx(1, abs=1e-4)
    assert scene.unseen.sum() == 4
    np.testing.assert_allclose(scene.sources, [[1.2, 2.6, 1.5]])
    assert scene.responses is not None
    truth = scene.responses.truth[scene.responses.of_recording]
    np.testing.assert_allclose(convolved(scene.near, truth), scene.heard, atol=2e-3)


def test_no_recording_serves_twice(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path))
    training, validation, unseen = scene.training(), scene.validation(), np.flatnonzero(scene.unseen)
    assert len(training) and len(validation) and len(unseen)
    assert sorted([*training, *validation, *unseen]) == list(range(len(scene.heard)))
    poses = scene.distinct()
    assert not set(poses[training]) & set(poses[validation])
    assert not set(poses[~scene.unseen]) & set(poses[unseen])


def test_equal_seeds_make_equal_scenes(tmp_path: Path) -> None:
    from audio_gs.spatial.simulate import Simulation, simulate

    same = [simulate(Simulation(poses=10, seconds=1, seed=seed))[0].heard for seed in (3, 3, 4)]
    np.testing.assert_array_equal(same[0], same[1])
    assert np.abs(same[0] - same[2]).max() > 0.01


@pytest.mark.parametrize(("room", "poses"), [("dry", 20), ("live", 40)])
def test_echoes_tell_where_the_walls_are(tmp_path: Path, room: str, poses: int) -> None:
    scene = load_scene(small_scene(tmp_path, room=room, poses=poses))
    assert scene.room is not None
    low, high = walls_by_echoes(scene)
    np.testing.assert_allclose(low, 0, atol=0.1)
    np.testing.assert_allclose(high, scene.room.size, atol=0.1)


def test_replay_is_read_as_it_was_simulated(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path, layout="replay", poses=16))
    assert scene.sample_rate == 16000
    assert scene.heard.shape == (16, 2, 16000)
    assert len(set(scene.distinct())) == 8
    assert scene.unseen.sum() == 4
    np.testing.assert_allclose(scene.sources, [[1.2, 2.6, 1.5]], atol=0.5)
    np.testing.assert_allclose(load_scene(tmp_path, Options(source=(1.2, 2.6, 1.5))).sources, [[1.2, 2.6, 1.5]])
    assert load_scene(tmp_path, Options(unseen=(1,))).unseen.sum() == 2


def test_several_sources_have_a_channel_each(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path, sources=2, poses=10))
    assert scene.near.shape[1] == len(scene.sources) == 2


def rewritten(path: Path, change: Callable[[Any, int], tuple[Any, int]]) -> None:
    samples, rate = soundfile.read(path)
    soundfile.write(path, *change(samples, rate), subtype="FLOAT")


def frames(folder: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    path = folder / "dry" / "transforms_scale_train.json"
    path.write_text(json.dumps({"camera_path": change(json.loads(path.read_text())["camera_path"])}))


def unfit(folder: Path) -> None:
    def damage(samples: Any, rate: int) -> tuple[Any, int]:
        samples[70000] = np.nan
        return samples, rate

    rewritten(folder / "dry" / "binaural_syn_re.wav", damage)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (unfit, "NaN"),
        (lambda d: rewritten(d / "dry" / "source_syn_re.wav", lambda x, r: (x, 16000)), "16000 Hz"),
        (lambda d: rewritten(d / "dry" / "binaural_syn_re.wav", lambda x, r: (x[:, 0], r)), "1 channels"),
        (lambda d: rewritten(d / "dry" / "binaural_syn_re.wav", lambda x, r: (x[: 5 * r], r)), "pose at"),
        (lambda d: rewritten(d / "dry" / "binaural_syn_re.wav", lambda x, r: (0 * x, r)), "silent"),
        (lambda d: frames(d, lambda entries: entries[:3]), "poses to learn from"),
        (lambda d: (d / "dry" / "source_syn_re.wav").unlink(), "missing"),
    ],
)
def test_what_is_not_fit_to_learn_from_is_refused(tmp_path: Path, edit: EDIT, words: str) -> None:
    edit(small_scene(tmp_path))
    with pytest.raises(SceneError, match=words) as raised:
        load_scene(tmp_path)
    assert not isinstance(raised.value, SceneFileError)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dry/transforms_scale_val.json", b"{"),
        ("dry/transforms_scale_val.json", b'{"camera_path": [{"file_path": "frames/00001.png"}]}'),
        ("position.json", b'{"dry": {}}'),
        ("dry/truth.npz", b"PK"),
        ("dry/binaural_syn_re.wav", b"RIFF"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (small_scene(tmp_path) / name).write_bytes(content)
    with pytest.raises(SceneFileError, match=Path(name).name):
        load_scene(tmp_path)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = small_scene(tmp_path / "scene")
    cases = {
        2: ("simulate", "-o", tmp_path / "few", "--poses", "5"),
        1: ("train", tmp_path, "-o", tmp_path / "none", "--source-at", "1,2,3", "--unseen", "4"),
        3: ("train", scene, "-o", tmp_path / "damaged"),
    }
    (scene / "dry" / "transforms_scale_train.json").write_text("[")
    for code, arguments in cases.items():
        done, out, err = gs_scene(capsys, *arguments)
        assert (done, out, err.count("\n")) == (code, "", 1), err
    assert not (tmp_path / "few").exists()
    done, _, err = gs_scene(capsys, "simulate", "-o", scene)
    assert done == 1
    assert "-f overwrites" in err
