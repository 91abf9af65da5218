"""All decoders make the same of streams and of damage to them: a sample of what tests/support/agree.py does."""

from __future__ import annotations

from pathlib import Path

import agree
import pytest
from decoders import Verdict, common_verdict
from make_vectors import FOLDER

CUT = [str(FOLDER / "random-877.bin"), *(str(path) for path in sorted(agree.EDGES.glob("*.gs"))[::9])]


@pytest.mark.parametrize(
    "arguments",
    [
        ["cuts", *CUT, "--every", "41", "--page-every", "20"],
        ["flips", *CUT, "--every", "499", "--page-every", "10"],
        ["random", "9", "--first-seed", "1000", "--page-every", "4"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_sample(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert agree.main(arguments) == 0, capsys.readouterr().err
    assert "by the decoder made from SPEC" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("study", ["cuts", "flips"])
def test_every_byte_and_bit(study: str) -> None:
    assert agree.main([study]) == 0


def test_what_differs_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A decoder that stops a sample early, and decoders that take a cut stream for whole."""
    whole = common_verdict(Path(CUT[0]).read_bytes())
    one_short = common_verdict(Path(CUT[0]).read_bytes()[:560])
    monkeypatch.setattr(agree, "verdict_of_the_page", lambda data: Verdict("corrupt", one_short.pcm[:-1]))
    assert agree.main(["cuts", CUT[0], "--every", "560", "--page-every", "1"]) == 1
    monkeypatch.setattr(agree, "common_verdict", lambda *_: Verdict("sound", whole.pcm[:9]))
    assert agree.main(["cuts", CUT[0], "--every", "560"]) == 1
    assert "passes for whole" in capsys.readouterr().err
