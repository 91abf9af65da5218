"""Decodes a stream with the decoder that SPEC alone made.

    python conformance/decode.py IN OUT [--partial]
    python conformance/decode.py IN --cost
    python conformance/decode.py IN --steps

OUT is a WAV file if its name ends in .wav, else bare 16-bit little-endian samples. Exit codes: 2 usage, 3 a stream that
is corrupt or unsupported, of which --partial keeps what comes before the damage.
"""

from __future__ import annotations

import argparse
import sys
import wave
from pathlib import Path

from spec_decoder.container import read_header
from spec_decoder.cost import peak_macs
from spec_decoder.integers import StreamError
from spec_decoder.playback import Decoder
from spec_decoder.steps import digests, packed

CORRUPT = 3
AT_A_TIME = 4096


def write(path: Path, samples: list[int], sample_rate: int) -> None:
    """The samples to a file, whole or not at all."""
    data = packed(samples)
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file:
            if path.suffix.lower() == ".wav":
                with wave.open(file) as sound:
                    sound.setparams((1, 2, sample_rate, 0, "NONE", "not compressed"))
                    sound.writeframes(data)
            else:
                file.write(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Decodes a stream as docs/SPEC.md says, slowly.")
    parser.add_argument("stream", type=Path, metavar="IN")
    parser.add_argument("output", type=Path, metavar="OUT", nargs="?")
    parser.add_argument("--partial", action="store_true", help="keep what comes before the damage of a corrupt stream")
    parser.add_argument("--cost", action="store_true", help="say what the stream costs and what its header promises")
    parser.add_argument("--steps", action="store_true", help="say the CRC-32 of what each step gives")
    arguments = parser.parse_args()
    if (arguments.output is not None) + arguments.cost + arguments.steps != 1:
        parser.error("give one of OUT, --cost and --steps")
    samples: list[int] = []
    damage = None
    try:
        data = arguments.stream.read_bytes()
        if arguments.cost:
            print(f"{peak_macs(data)} MACs a sample at most, {read_header(data).peak_macs} promised")
            return 0
        if arguments.steps:
            for step, crc in digests(data).items():
                print(f"{step:8} {crc}")
            return 0
        decoder = Decoder(data)
        try:
            while piece := decoder.read(AT_A_TIME):
                samples += piece
        except StreamError as error:
            damage = error
        if damage and not (arguments.partial and samples):
            raise damage
        write(arguments.output, samples, decoder.header.sample_rate)
    except StreamError as error:
        print(f"{arguments.stream}: {error.name}: {error}", file=sys.stderr)
        return CORRUPT
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if damage:
        print(f"{arguments.stream}: {damage.name}: {damage}; {len(samples)} samples kept", file=sys.stderr)
        return CORRUPT
    return 0


if __name__ == "__main__":
    sys.exit(main())
