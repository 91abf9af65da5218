"""Models behind their one interface: trained, saved, resumed, evaluated and listened to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from small_scenes import gs_scene, small_scene

from audio_gs.errors import OptionsError, SceneError, SceneFileError
from audio_gs.spatial.evaluate import evaluate
from audio_gs.spatial.layouts import load_scene
from audio_gs.spatial.models import model_class
from audio_gs.spatial.models.base import heads_of
from audio_gs.spatial.saved import read_model
from audio_gs.spatial.scene import Scene
from audio_gs.spatial.train import Training, train

SMALL = {"audio-3dgs": {"freq_num": 16, "time_num": 16}, "ours": {"order": 1}}
MODELS = ["ours", "gs-only", "audio-3dgs"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def few_poses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_scene(tmp_path_factory.mktemp("few"), poses=10)


@pytest.fixture(scope="module")
def scene(few_poses: Path) -> Scene:
    return load_scene(few_poses)


def trained(scene: Scene, model: str, output: Path, epochs: int, **more: Any) -> Path:
    wanted = Training(model, epochs, settings=SMALL.get(model, {}))
    train(scene, wanted, output, lambda fraction, text: None, **more)
    return output


def test_ours_beats_what_doing_nothing_gives(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = gs_scene(capsys, "train", folder, "-o", tmp_path / "m", "--epochs", "8", "--order", "2", "-q")
    assert code == 0, err
    lines = [json.loads(line) for line in (tmp_path / "m" / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 9))
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert (tmp_path / "m" / "curves.png").read_bytes().startswith(b"\x89PNG")
    pictures = tmp_path / "pictures"
    code, out, err = gs_scene(capsys, "evaluate", tmp_path / "m", folder, "--json", "--pictures", pictures)
    assert code == 0, err
    rows = json.loads(out)
    for metric in ("mag", "env", "lre", "rte"):
        assert rows["model"][metric] < rows["mono"][metric]
        assert rows["oracle"][metric] < rows["mono"][metric]
        assert set(rows["nearest"]) == set(rows["distance mono"]) == set(rows["mono"])
    code, out, _ = gs_scene(capsys, "evaluate", folder, "-v")
    assert code == 0
    assert "  mono " in out
    assert "of other data" in out
    assert len(out.split("MAG by recording")[1].splitlines()) == 1 + 4
    assert {path.name for path in pictures.iterdir()} == {"top_mono.png", "top_ours.png", "spectrograms.png"}


@pytest.mark.parametrize("model", MODELS)
def test_a_resumed_fit_is_the_fit(scene: Scene, tmp_path: Path, model: str) -> None:
    whole = trained(scene, model, tmp_path / "whole", 2)
    trained(scene, model, tmp_path / "parts", 2, until=1)
    parts = trained(scene, model, tmp_path / "parts", 2, resume=True)
    for name in ("model.safetensors", "checkpoint.safetensors", "log.jsonl"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    with pytest.raises(OptionsError, match="another epochs"):
        trained(scene, model, parts, 3, resume=True)


def test_training_goes_on_or_begins_anew(
    scene: Scene, few_poses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = trained(scene, "gs-only", tmp_path / "m", 2, until=1)
    (output / "model.safetensors").unlink()
    anew = ("train", few_poses, "-o", output, "--model", "gs-only", "--epochs", "2")
    code, _, err = gs_scene(capsys, *anew)
    assert (code, err.count("\n")) == (1, 1)
    assert "--resume" in err
    assert gs_scene(capsys, *anew, "--resume")[0] == 0
    assert gs_scene(capsys, *anew, "--resume", "-f")[0] == 2
    assert gs_scene(capsys, *anew, "--resume", "--seed", "1")[0] == 2
    checkpoint = (output / "checkpoint.safetensors").read_bytes()
    (output / "checkpoint.safetensors").write_bytes(checkpoint[:-9])
    code, _, err = gs_scene(capsys, *anew, "--resume")
    assert (code, err.count("\n")) == (3, 1)
    assert "damaged" in err
    (output / "checkpoint.safetensors").unlink()
    assert gs_scene(capsys, *anew, "--resume")[0] == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_its_file(scene: Scene, tmp_path: Path, model: str) -> None:
    output = trained(scene, model, tmp_path / "m", 1)
    one, facts = read_model(output)
    assert facts["rate"] == 22050
    first, second = (evaluate(scene, [loaded]).rows[model] for loaded in (one, read_model(output)[0]))
    assert first == second
    file = output / "model.safetensors"
    whole = file.read_bytes()
    middle = whole.index(b"config")
    for damaged in (whole[:-5], b"", b"no model at all", whole[:middle] + b"gifnoc" + whole[middle + 6 :]):
        file.write_bytes(damaged)
        with pytest.raises(SceneFileError, match="damaged"):
            read_model(output)
    file.write_bytes(whole[:-4] + b"\x00\x00\xc0\x7f")
    with pytest.raises(SceneFileError, match="NaN"):
        read_model(output)


@pytest.mark.parametrize("name", MODELS)
def test_several_sources_add_up(name: str, tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path, sources=2, poses=10))
    model = model_class(name).for_scene(scene, 0, **SMALL.get(name, {}))
    clips, heads = torch.from_numpy(scene.near[:1]), heads_of(scene.poses.at([0]), torch.device("cpu"))
    with torch.no_grad():
        first, second = (model(clips * torch.tensor(mask).view(1, 2, 1), heads) for mask in ((1.0, 0.0), (0.0, 1.0)))
        torch.testing.assert_close(first + second, model(clips, heads), atol=1e-4, rtol=1e-3)
        assert first.abs().max() > 0.01
        assert second.abs().max() > 0.01


def test_listening(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the dry room the source is at x 1.2, y 2.6: to the left of who stands below it and looks along x."""
    output = trained(scene, "ours", tmp_path / "m", 4)
    for name, yaw, louder in (("left", "0", 0), ("right", "180", 1)):
        wav = tmp_path / f"{name}.wav"
        code, _, err = gs_scene(capsys, "render", output, "--pose", f"1.2,1,1.5,{yaw}", "-o", wav)
        assert code == 0, err
        samples, rate = soundfile.read(wav)
        assert rate == 22050
        energy = (samples**2).sum(axis=0)
        assert energy[louder] > 1.3 * energy[1 - louder]
    soundfile.write(tmp_path / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal(8000), 8000)
    walk = ("--pose", "1.2,1,1.5,0", "--pose", "1.2,1,1.5,180", "--source", tmp_path / "hiss.wav")
    code, _, err = gs_scene(capsys, "render", output, *walk, "-o", tmp_path / "walk.wav")
    assert code == 0, err
    samples, _ = soundfile.read(tmp_path / "walk.wav")
    assert len(samples) == 22050
    start, end = ((part**2).sum(axis=0) for part in (samples[:5000], samples[-5000:]))
    assert start[0] > start[1]
    assert end[1] > end[0]
    assert gs_scene(capsys, "render", output, *walk, "-o", tmp_path / "walk.wav")[0] == 1
    assert gs_scene(capsys, "render", output, "--pose", "1,2,3", "-o", tmp_path / "x.wav")[0] == 2
    assert gs_scene(capsys, "render", tmp_path, "--pose", "1,2,3,4", "-o", tmp_path / "x.wav")[0] == 1
    (output / "model.safetensors").write_bytes(b"damaged")
    assert gs_scene(capsys, "render", output, "--pose", "1,2,3,4", "-o", tmp_path / "x.wav")[0] == 3


def test_models_are_for_scenes_of_their_rate(scene: Scene, tmp_path: Path) -> None:
    model, _ = read_model(trained(scene, "gs-only", tmp_path / "m", 1))
    other = load_scene(small_scene(tmp_path / "replay", layout="replay", poses=16))
    with pytest.raises(SceneError, match="22050 Hz"):
        evaluate(other, [model])
    assert evaluate(other, []).as_dict(other)["mono"]["rte"] > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = gs_scene(capsys, "train", folder, "-o", tmp_path / "m", "--device", "cuda")
    assert code == 2
    assert "no CUDA device" in err
