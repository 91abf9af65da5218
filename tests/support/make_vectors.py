"""Makes the golden vectors: `make vectors`, or make_vectors.py FOLDER for another folder than tests/vectors.

    make_vectors.py --residual [FOLDER]    only those with a residual, beside those that are there
    make_vectors.py --stereo [FOLDER]      only those with two channels

    random-SEED.bin   streams of random legal decisions, the same on every machine
    residual-SEED.bin the same with a residual
    NAME-KBIT.bin     the clips of demo/ as the encoder fits them, which may differ from machine to machine
    manifest.txt      name, samples, CRC-32 of the PCM of each and of what changes of playback give (SPEC 9), for the C
                      library's tests too
    stereo/           a folder of the same for streams with two channels: NAME-SEED.bin, and a manifest of left and
                      right in turn; played.txt has CRC-32 of them at a pitch and a tempo
    stages.json       what every step of SPEC.md gives for one of them, so that a failure names its step

The vectors hold the format still. A change of the encoder is no reason to make them anew; a change of what a decoder
gives for any of them is a change of the format.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from demo_clips import demo
from random_streams import (
    Pcm,
    Wanted,
    decoded_by_the_letter,
    frames_by_the_letter,
    noise_by_the_letter,
    pcm_by_the_letter,
    quarters_by_the_letter,
    random_stream,
    residual_stream,
    stereo_stream,
)
from stereo_by_the_letter import stereo_by_the_letter

import audio_gs
from audio_gs.backends import open_decoder
from audio_gs.codec.container import iterate_segments, parse_header
from audio_gs.codec.decoder import decode_gaussians
from audio_gs.codec.kinds import tone
from audio_gs.codec.kinds.base import PITCH_ONE
from audio_gs.codec.pace import HIGHEST_TEMPO, LOWEST_TEMPO
from audio_gs.codec.playback import LOWEST_PITCH
from audio_gs.codec.slots import SlotReader

TESTS = Path(__file__).parents[1]
FOLDER = TESTS / "vectors"

SEEDS = (
    11,
    20,
    25,
    34,
    43,
    44,
    49,
    52,
    54,
    61,
    63,
    78,
    79,
    90,
    113,
    116,
    126,
    127,
    132,
    138,
    142,
    151,
    152,
    158,
    171,
    173,
    188,
    189,
    193,
    199,
    209,
    335,
    337,
    393,
    877,
)
STAGES_SEED = 877
RESIDUAL = {
    610: Wanted(sample_rate=8000, frame_log2=6, samples=3000, seek_slots=0),
    713: Wanted(sample_rate=16000, frame_log2=7, samples=6000, seek_slots=3),
    812: Wanted(sample_rate=44100, frame_log2=8, samples=9000, seek_slots=0),
}
"""By seed."""


STEREO = {"direction": 20, "tones": 30, "noise": 22, "residual": 34}
"""Seeds, by what a stream has in its side."""
STEREO_FOLDER = FOLDER / "stereo"
PLAYED = {"noise": (1.25, 0.8), "residual": (1.0, 1.5), "direction": (0.75, 1.0)}
"""Pitch and tempo, of some of them."""


class Fitted(NamedTuple):
    clip: str
    kbit_s: float
    options: dict[str, Any]


FITTED = (
    Fitted("speech", 3, {"preset": "speech", "seek_every": 1, "loop": (8000, 30000)}),
    Fitted("speech", 6, {"preset": "speech", "config": {"residual": False}}),
    Fitted("music", 12, {"preset": "music", "seek_every": 1, "config": {"residual": False}}),
    Fitted("sfx", 12, {"preset": "sfx", "max_macs": 100, "config": {"residual": False}}),
)
FITTED_RESIDUAL = (Fitted("speech", 8, {"preset": "speech"}),)


def seed_name(seed: int) -> str:
    return f"random-{seed}.bin"


def seed_vectors() -> dict[str, bytes]:
    """Contents of the vectors that seeds make, by name."""
    return {seed_name(seed): random_stream(seed).data for seed in SEEDS}


def residual_vectors() -> dict[str, bytes]:
    """Contents of the vectors with a residual that seeds make, by name."""
    return {f"residual-{seed}.bin": residual_stream(seed, wanted).data for seed, wanted in RESIDUAL.items()}


def fitted_vectors(fitted: tuple[Fitted, ...]) -> dict[str, bytes]:
    """Contents of the vectors that the encoder makes, by name."""
    made = {}
    for clip, kbit_s, options in fitted:
        made[f"{clip}-{kbit_s}.bin"] = audio_gs.encode(*demo(clip), bitrate=kbit_s, **options)
    return made


def stereo_vectors() -> dict[str, bytes]:
    """Contents of the vectors with two channels, by name."""
    return {f"{what}-{seed}.bin": stereo_stream(seed).data for what, seed in STEREO.items()}


def played(data: bytes, pitch: float, tempo: float, backend: str) -> Pcm:
    """Left and right in turn at a pitch and a tempo."""
    return audio_gs.decode(data, backend=backend, playback=audio_gs.Playback(pitch=pitch, tempo=tempo))[0].ravel()


def write_stereo(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    vectors = stereo_vectors()
    for name, data in vectors.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.txt").write_text(manifest(vectors))
    lines = ["# stream, pitch, tempo, CRC-32 of left and right; made by tests/support/make_vectors.py"]
    for what, (pitch, tempo) in PLAYED.items():
        name = f"{what}-{STEREO[what]}.bin"
        lines.append(f"{name} {pitch} {tempo} {pcm_crc(played(vectors[name], pitch, tempo, 'numba'))}")
    (folder / "played.txt").write_text("\n".join(lines) + "\n")


def pcm_crc(pcm: Pcm) -> str:
    return f"{zlib.crc32(pcm.astype('<i2').tobytes()):08x}"


def expected_pcm(data: bytes) -> Pcm:
    """By the letter of SPEC.md from the Gaussians on, not by a decoder."""
    header = parse_header(data)[0]
    by_the_letter = stereo_by_the_letter if header.channels == 2 else decoded_by_the_letter
    return by_the_letter(header, decode_gaussians(data))


AFTER_A_CHANGE, MUTE_RESIDUAL = 5000, 4


def changed_crc(data: bytes) -> str:
    """What test_vectors.c's play_with_changes gives, of the Numba decoder."""
    decoder = open_decoder(data, "numba")
    header = decoder.header
    pieces: list[Pcm] = []

    def read() -> None:
        wanted = AFTER_A_CHANGE
        while wanted > 0 and len(piece := decoder.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)

    decoder.set_pitch(PITCH_ONE + 5000)
    read()
    decoder.set_pitch(PITCH_ONE)
    decoder.set_tempo(LOWEST_TEMPO + 3000)
    read()
    decoder.set_tempo(HIGHEST_TEMPO - 2000)
    decoder.set_mute(MUTE_RESIDUAL, 500, 900)
    read()
    decoder.set_mute(0, 0, 0)
    decoder.set_tempo(LOWEST_TEMPO)
    read()
    decoder.set_rate(22050 if header.sample_rate < 20000 else 16000)
    read()
    decoder.seek(header.samples // 3)
    read()
    decoder.set_pitch(LOWEST_PITCH)
    decoder.set_tempo(PITCH_ONE)
    read()
    return pcm_crc(np.concatenate(pieces))


def manifest(vectors: dict[str, bytes]) -> str:
    lines = [
        "# stream, samples, CRC-32 of the 16-bit little-endian PCM, and of what play_with_changes of test_vectors.c "
        "gives; made by tests/support/make_vectors.py"
    ]
    for name, data in sorted(vectors.items()):
        pcm = expected_pcm(data)
        lines.append(f"{name} {len(pcm)} {pcm_crc(pcm)} {changed_crc(data)}")
    return "\n".join(lines) + "\n"


def stages(data: bytes) -> dict[str, Any]:
    """What every step gives for a stream, by the step's name in SPEC.md."""
    header, offset = parse_header(data)
    reader = SlotReader(data)
    states = []
    for _ in range(-header.lead_slots, header.slots):
        reader.read_slot({kind.name: kind.capacity(header) for kind in header.kinds})
        while len(reader.frames):
            reader.read_frame()
        states.append(list(reader.coder_state))
    gaussians = decode_gaussians(data)
    tones = gaussians["tone"]
    scale, amplitude = tones["scale"], tones["amplitude"]
    quarters = quarters_by_the_letter(header, tones)
    noise = noise_by_the_letter(header, gaussians["noise"], frames_by_the_letter(header, gaussians))
    segments = iterate_segments(data, header, offset)
    return {
        "container": [[segment.start, segment.length, segment.crc] for segment in segments],
        "range coder": states,
        "slots": {
            name: [list(row[:5]) for row in table.tolist()]
            for name, table in gaussians.items()
            if name != "residual" or header.residual
        },
        "tone: dequantise": [
            tone.amplitude(amplitude, scale, header.amplitude_step).tolist(),
            tone.phase(amplitude, tones["phase"]).tolist(),
            tone.increment(tones["bin"], scale).tolist(),
            tone.octave(tones["bin"], scale).tolist(),
        ],
        "tone: render": quarters.tolist(),
        "noise: render": noise.tolist(),
        "pcm": pcm_by_the_letter(quarters, noise).tolist(),
    }


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if "--residual" not in sys.argv:
        write_stereo(folder / STEREO_FOLDER.name)
    if "--stereo" in sys.argv:
        return
    if "--residual" in sys.argv:
        for name, data in (residual_vectors() | fitted_vectors(FITTED_RESIDUAL)).items():
            (folder / name).write_bytes(data)
        there = {path.name: path.read_bytes() for path in folder.glob("*.bin")}
        (folder / "manifest.txt").write_text(manifest(there))
        return
    for old in folder.glob("*.bin"):
        old.unlink()
    vectors = seed_vectors() | residual_vectors() | fitted_vectors(FITTED + FITTED_RESIDUAL)
    for name, data in vectors.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.txt").write_text(manifest(vectors))
    of_each = ",\n".join(
        f'"{step}": {json.dumps(values, separators=(",", ":"))}'
        for step, values in stages(vectors[seed_name(STAGES_SEED)]).items()
    )
    (folder / "stages.json").write_text(f'{{"vector": "{seed_name(STAGES_SEED)}",\n{of_each}}}\n')


if __name__ == "__main__":
    main()
