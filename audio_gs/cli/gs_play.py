"""gs-play: Audio-GS streams to the loudspeaker."""

from __future__ import annotations

from collections.abc import Iterator

import click

from audio_gs import api
from audio_gs.codec.container import check_stream
from audio_gs.codec.pcm import PcmArray

from .common import (
    HELP_NAMES,
    PATH,
    ExitCode,
    for_each,
    name_of,
    output_options,
    print_json,
    read_stream,
    run,
    say,
    version_option,
)
from .loudspeaker import loudspeaker

PROGRAM = "gs-play"


@click.command(context_settings=HELP_NAMES)
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="IN...")
@click.option("--pitch", type=float, default=1.0, metavar="FACTOR", help="Times the frequency, 0.5 to 2.")
@click.option("--tempo", type=float, default=1.0, metavar="FACTOR", help="Times as fast, 0.5 to 2.")
@click.option("--gain-db", type=float, default=0.0, metavar="DB", help="Gain, up to 12 dB.")
@click.option("--loop", is_flag=True, help="Play the stream's loop, or else all of it, again and again until Ctrl-C.")
@output_options
@version_option(PROGRAM)
def command(
    inputs: tuple[str, ...],
    pitch: float,
    tempo: float,
    gain_db: float,
    loop: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> ExitCode:
    """Play streams one after another; - is standard input. Needs the extra 'play'.

    A corrupt stream gives exit code 3 and no sound.
    """
    if loop and len(inputs) > 1:
        raise click.UsageError("--loop never gets to the second stream; give one")
    try:
        playback = api.Playback(pitch=pitch, tempo=tempo, gain_db=gain_db)
    except ValueError as error:
        raise click.UsageError(str(error)) from None

    def play_one(_index: int, name: str) -> ExitCode:
        data = read_stream(name)
        header = check_stream(data)
        decoder = _decoder(data, playback)
        seconds = decoder.played_samples / header.sample_rate
        with loudspeaker(header.sample_rate, decoder.channels) as write:
            if not quiet:
                say(f"{name_of(name)}: {seconds:.2f} s, {header.sample_rate} Hz{', until Ctrl-C' if loop else ''}")
            for block in _blocks(decoder, loop):
                write(block)
        if as_json:
            print_json({"input": name, "sample_rate": header.sample_rate, "samples": decoder.played_samples})
        return ExitCode.FINE

    return for_each(PROGRAM, inputs, play_one, verbose)


def _decoder(data: bytes, playback: api.Playback) -> api.StreamDecoder:
    decoder = api.StreamDecoder(data)
    decoder.set_gain(playback.gain_db)
    if playback.pitch != 1:
        decoder.set_pitch(playback.pitch)
    if playback.tempo != 1:
        decoder.set_tempo(playback.tempo)
    return decoder


def _blocks(decoder: api.StreamDecoder, loop: bool) -> Iterator[PcmArray]:
    """The samples, without end in a loop."""
    if loop and decoder.header.can_loop:
        decoder.set_loop(True)
    yield from decoder.blocks()
    while loop:
        decoder.rewind()
        yield from decoder.blocks()


def main() -> None:
    run(command, PROGRAM)
