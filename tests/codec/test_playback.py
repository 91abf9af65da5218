"""Streams played otherwise than encoded (SPEC 9), on every decoder that streams."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from decoders import STREAMING
from random_streams import RandomStream, random_stream, residual_stream, stereo_stream

import audio_gs
from audio_gs import api
from audio_gs.backends import open_decoder
from audio_gs.codec._decoder import ffi, lib
from audio_gs.codec.backend import Decoder
from audio_gs.codec.container import StreamHeader
from audio_gs.codec.cost import with_class
from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import PITCH_ONE
from audio_gs.codec.native import decoder_bytes
from audio_gs.codec.pace import HIGHEST_RATE, HIGHEST_TEMPO, LOWEST_RATE, LOWEST_TEMPO, played_samples
from audio_gs.codec.playback import GAIN_ONE, HIGHEST_PITCH, LARGEST_GAIN, LOWEST_PITCH
from audio_gs.codec.slots import encode_stream
from audio_gs.gaussians import Gaussians

RATE = 16000
VECTORS = Path(__file__).parents[1] / "vectors"


def header_for(samples: int, **changes: int) -> StreamHeader:
    fields = {"amplitude_step": 200, "output_shift": 0, **changes}
    return StreamHeader(
        sample_rate=RATE,
        samples=samples,
        slot_log2=9,
        smallest_scale=0,
        scales=8,
        max_tones=4096,
        peak_macs=0,
        **fields,  # type: ignore[arg-type]
    )


def tones(*rows: tuple[int, int, int, int, int]) -> Gaussians:
    """Tones: scale, onset, bin, amplitude, phase."""
    return Gaussians(tone=np.array([(*row, 0, 0) for row in rows], TONE.dtype))


def change(decoder: Decoder, random: np.random.Generator) -> None:
    """One setting, the same for the same generator."""
    what = int(random.integers(10))
    if what == 0:
        decoder.set_fade(int(random.integers(0, LARGEST_GAIN + 1)), int(random.integers(0, 3)) * 100)
    elif what == 1:
        decoder.set_fade(int(random.integers(0, 3)) * GAIN_ONE // 2, int(2 ** random.uniform(0, 12)))
    elif what == 2:
        low, high = sorted(int(hertz) for hertz in 2 ** random.uniform(0, 14, 2))
        decoder.set_mute(int(random.integers(8)), low, high)
    elif what == 3:
        decoder.set_mute(0, 0, 0)
    elif what == 4:
        decoder.set_pitch(int(random.integers(LOWEST_PITCH, HIGHEST_PITCH + 1)))
    elif what == 5:
        decoder.set_pitch((LOWEST_PITCH, PITCH_ONE, HIGHEST_PITCH)[random.integers(3)])
    elif what == 6:
        decoder.set_tempo(int(random.integers(LOWEST_TEMPO, HIGHEST_TEMPO + 1)))
    elif what == 7:
        decoder.set_tempo((LOWEST_TEMPO, PITCH_ONE, HIGHEST_TEMPO)[random.integers(3)])
    elif what == 8:
        rates = (LOWEST_RATE, HIGHEST_RATE, decoder.header.sample_rate, int(random.integers(8000, 48001)))
        rate = rates[random.integers(4)]
        if LOWEST_RATE <= rate <= HIGHEST_RATE:
            decoder.set_rate(rate)
    else:
        decoder.set_budget(None if random.integers(2) else int(2 ** random.uniform(0, 6)))


def session(decoder: Decoder, seed: int) -> list[np.ndarray]:
    """What a decoder gives between changes and jumps, in reads of any size."""
    random = np.random.default_rng(seed)
    sizes = np.random.default_rng()
    samples = decoder.header.samples
    has_channels = decoder.header.channels == 2
    given = []
    for _ in range(12):
        if random.integers(4) == 0:
            decoder.seek(int(random.integers(0, samples)))
        change(decoder, random)
        if has_channels and random.integers(3) == 0:
            decoder.set_stereo(bool(random.integers(4)))
        if decoder.header.can_loop and random.integers(3) == 0:
            decoder.set_loop(bool(random.integers(2)))
        left = int(min(2 ** random.uniform(0, 11), samples))
        pieces = [np.zeros(0, np.int16)]
        while left > 0 and len(piece := decoder.read(int(min(left, 1 + sizes.integers(300))))):
            pieces.append(piece.ravel())
            left -= len(piece)
        given.append(np.concatenate([*pieces, [decoder.channels, decoder.position, decoder.length]]))
    return given


def check_agreement(data: bytes, seed: int) -> None:
    native, reference = (session(open_decoder(data, backend), seed) for backend in ("c", "numba"))
    for number, (one, other) in enumerate(zip(native, reference, strict=True)):
        np.testing.assert_array_equal(one, other, f"after change {number}")


@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_decoders_agree_on_any_stream(seed: int) -> None:
    check_agreement(random_stream(seed).data, seed)


@pytest.mark.parametrize("seed", range(10))
def test_decoders_agree_with_a_residual(seed: int) -> None:
    check_agreement(residual_stream(seed).data, seed)


@pytest.mark.parametrize("seed", range(40))
def test_decoders_agree_with_two_channels(seed: int) -> None:
    check_agreement(stereo_stream(seed).data, seed)


@pytest.mark.parametrize("name", ["speech-6.bin", "speech-8.bin", "sfx-12.bin"])
def test_decoders_agree_on_vectors(name: str) -> None:
    check_agreement((VECTORS / name).read_bytes(), 1)


def with_everything() -> RandomStream:
    """A stream with tones, noise and a residual that all sound."""
    return next(
        stream
        for stream in map(residual_stream, range(200))
        if stream.header.samples > 3000
        and len(stream.gaussians["residual"]) > 100
        and len(stream.gaussians["tone"]) > 9
    )


@pytest.mark.parametrize("backend", STREAMING)
def test_settings_that_change_nothing(backend: str) -> None:
    data = with_everything().data
    expected = audio_gs.decode(data)[0]
    decoder = open_decoder(data, backend)
    decoder.set_fade(GAIN_ONE, 0)
    decoder.set_mute(0, 0, 0)
    decoder.set_pitch(PITCH_ONE)
    np.testing.assert_array_equal(decoder.read(len(expected)), expected)
    decoder.rewind()
    decoder.set_fade(GAIN_ONE, 500)
    decoder.set_mute(0, 700, 700)
    np.testing.assert_array_equal(decoder.read(len(expected)), expected)


@pytest.mark.parametrize("backend", STREAMING)
def test_gain_by_the_formula(backend: str) -> None:
    data = random_stream(11).data
    plain = audio_gs.decode(data)[0].astype(int)
    assert np.abs(plain).max() < 32767
    for gain in (0, 1, 4000, GAIN_ONE, 12345, LARGEST_GAIN):
        decoder = open_decoder(data, backend)
        decoder.set_fade(gain, 0)
        expected = np.clip((plain * gain + 4096) >> 13, -32768, 32767)
        np.testing.assert_array_equal(decoder.read(len(plain)), expected)


@pytest.mark.parametrize("backend", STREAMING)
def test_a_fade_goes_in_equal_steps_from_where_it_is(backend: str) -> None:
    data = encode_stream(header_for(4000), tones((7, 0, 0, 200, 0)))
    plain = audio_gs.decode(data)[0].astype(int)
    decoder = open_decoder(data, backend)
    decoder.set_fade(0, 0)
    decoder.set_fade(GAIN_ONE, 1000)
    rising = decoder.read(500)
    decoder.set_fade(0, 300)
    falling, after = decoder.read(300), decoder.read(100)
    step = (GAIN_ONE << 16) // 1000
    gains = np.arange(500) * step
    np.testing.assert_array_equal(rising, (plain[:500] * (gains >> 16) + 4096) >> 13)
    gains = 500 * step - np.arange(300) * (500 * step // 300)
    np.testing.assert_array_equal(falling, (plain[500:800] * (gains >> 16) + 4096) >> 13)
    assert not after.any()


@pytest.mark.parametrize("backend", STREAMING)
def test_less_gain_saves_what_would_be_cut_off(backend: str) -> None:
    header = header_for(4000, amplitude_step=2000)
    loud = encode_stream(header, tones(*[(7, 0, 0, 100, 0)] * 2))
    assert audio_gs.decode(loud)[0].max() == 32767, "so loud that it is cut off"
    decoder = open_decoder(loud, backend)
    decoder.set_fade(GAIN_ONE // 2, 0)
    one = audio_gs.decode(encode_stream(header, tones((7, 0, 0, 100, 0))))[0].astype(int)
    assert np.abs(decoder.read(4000).astype(int) - one).max() <= 1


@pytest.mark.parametrize("backend", STREAMING)
def test_muted_kinds(backend: str) -> None:
    stream = with_everything()
    header = stream.header

    def played(kinds: int) -> np.ndarray:
        decoder = open_decoder(stream.data, backend)
        decoder.set_mute(kinds, 0, 0)
        return decoder.read(header.samples)

    assert not played(7).any()
    tone_less = encode_stream(header, stream.gaussians.replaced(noise=NO_NOISES, residual=NO_RESIDUAL))
    quiet = open_decoder(tone_less, backend)
    quiet.set_mute(6, 0, 0)
    np.testing.assert_array_equal(played(6), quiet.read(header.samples))
    assert len({played(kinds).tobytes() for kinds in range(8)}) == 8


NO_NOISES = random_stream(0).gaussians["noise"][:0]
NO_RESIDUAL = residual_stream(0).gaussians["residual"][:0]


@pytest.mark.parametrize("backend", STREAMING)
def test_muted_band(backend: str) -> None:
    low, high = (7, 0, 300, 200, 0), (7, 0, 900, 200, 0)
    data = encode_stream(header_for(4000), tones(low, high))
    of_low = audio_gs.decode(encode_stream(header_for(4000), tones(low)))[0]
    frequency = 900 * RATE // 4096
    decoder = open_decoder(data, backend)
    decoder.set_mute(0, frequency - 1, frequency + 1)
    np.testing.assert_array_equal(decoder.read(4000), of_low)
    decoder.rewind()
    decoder.set_mute(0, frequency + 2, 65535)
    np.testing.assert_array_equal(decoder.read(4000), audio_gs.decode(data)[0])


@pytest.mark.parametrize("backend", STREAMING)
def test_a_muted_band_of_noise_is_empty(backend: str) -> None:
    data = (VECTORS / "speech-6.bin").read_bytes()
    decoder = open_decoder(data, backend)
    decoder.set_mute(1, 1000, 2000)
    pcm = decoder.read(40000).astype(float)
    power = np.abs(np.fft.rfft(pcm.reshape(-1, 400) * np.hanning(400))).sum(0)
    hertz = np.fft.rfftfreq(400, 1 / decoder.header.sample_rate)
    inside = power[(hertz > 1200) & (hertz < 1800)].mean()
    outside = power[(hertz > 2300) & (hertz < 3000)].mean()
    assert inside < outside / 30


def peak_hertz(pcm: np.ndarray, rate: int) -> float:
    """Frequency of the loudest partial."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), 1 << 18))
    return float(np.argmax(spectrum)) * rate / (1 << 18)


@pytest.mark.parametrize("backend", STREAMING)
@pytest.mark.parametrize("pitch", [0.5, 0.7, 1.19, 1.5, 2.0])
def test_a_steady_tone_at_a_pitch(backend: str, pitch: float) -> None:
    hertz = 443.0
    decoder = open_decoder(steady_partial(hertz, 6), backend)
    decoder.set_pitch(round(PITCH_ONE * pitch))
    pcm = decoder.read(16000)[3000:13000].astype(float)
    assert abs(peak_hertz(pcm, RATE) / (hertz * round(PITCH_ONE * pitch) / PITCH_ONE) - 1) < 0.001
    envelope = np.sqrt(np.mean(pcm.reshape(-1, 250) ** 2, 1))
    assert envelope.min() > 0.85 * envelope.max(), "neighbouring tones stay in phase"


def steady_partial(hertz: float, scale: int) -> bytes:
    """A partial between two bins, as tones that follow each other hop by hop."""
    length = 32 << scale
    onsets = np.arange(-length, 16000, length // 4)
    near = round(hertz * length / RATE)
    phases = np.round(((onsets + length / 2) * hertz / RATE % 1) * 1024).astype(int) % 1024
    rows = [(scale, int(onset), near, 160, int(phase)) for onset, phase in zip(onsets, phases, strict=True)]
    return encode_stream(header_for(16000, amplitude_step=40), tones(*rows))


@pytest.mark.parametrize("backend", STREAMING)
@pytest.mark.parametrize(
    ("tempo", "pitch", "rate"),
    [(0.5, 1, RATE), (0.7, 1, RATE), (2, 1, RATE), (0.8, 1.5, RATE), (1, 1, 48000), (1, 1, 11025), (1.25, 0.75, 44100)],
)
def test_a_steady_tone_at_a_pace(backend: str, tempo: float, pitch: float, rate: int) -> None:
    decoder = open_decoder(steady_partial(443.0, 6), backend)
    decoder.set_rate(rate)
    decoder.set_tempo(round(PITCH_ONE * tempo))
    decoder.set_pitch(round(PITCH_ONE * pitch))
    pcm = decoder.read(1 << 20).astype(float)
    assert len(pcm) == decoder.length
    assert abs(len(pcm) / (16000 * rate / RATE / tempo) - 1) < 0.0005
    pcm = pcm[len(pcm) // 4 : -len(pcm) // 4]
    assert abs(peak_hertz(pcm, rate) / (443.0 * pitch) - 1) < 0.001
    window = rate // 64
    envelope = np.sqrt(np.mean(pcm[: len(pcm) // window * window].reshape(-1, window) ** 2, 1))
    assert envelope.min() > 0.85 * envelope.max(), "neighbouring tones stay in phase"


@pytest.mark.parametrize("backend", STREAMING)
def test_another_rate_gives_the_same_wave(backend: str) -> None:
    """Every third sample at three times the rate is one at the clip's rate, but for rounding and the filters."""
    data = encode_stream(header_for(4000), tones((7, -1024, 300, 150, 3), (5, 1024, 20, 90, 9), (0, 512, 3, 120, 1)))
    plain = audio_gs.decode(data)[0].astype(float)
    decoder = open_decoder(data, backend)
    decoder.set_rate(3 * RATE)
    error = decoder.read(12000)[::3] - plain
    assert np.sum(error**2) < 1e-3 * np.sum(plain**2)


@pytest.mark.parametrize("backend", STREAMING)
def test_onsets_move_with_tempo_and_rate(backend: str) -> None:
    clicks = [(0, onset, 4, 200, 0) for onset in range(1024, 15000, 2048)]
    decoder = open_decoder(encode_stream(header_for(16000), tones(*clicks)), backend)
    decoder.set_tempo(LOWEST_TEMPO)
    decoder.set_rate(24000)
    pcm = decoder.read(1 << 20).astype(float)
    assert len(pcm) == 48000
    for _, onset, *_ in clicks:
        centre = 3 * (onset + 16)
        assert np.argmax(np.abs(pcm[centre - 1000 : centre + 1000])) == pytest.approx(1000, abs=6)


@pytest.mark.parametrize("backend", STREAMING)
@pytest.mark.parametrize(("tempo", "rate"), [(LOWEST_TEMPO, None), (HIGHEST_TEMPO, None), (PITCH_ONE, 48000)])
def test_noise_keeps_its_spectrum_at_a_pace(backend: str, tempo: int, rate: int | None) -> None:
    data = (VECTORS / "sfx-12.bin").read_bytes()
    decoder = open_decoder(data, backend)
    decoder.set_mute(5, 0, 0)

    def density(pcm: np.ndarray, rate: int) -> float:
        size = rate // 50
        power = np.mean(
            np.abs(np.fft.rfft(pcm[: len(pcm) // size * size].reshape(-1, size) * np.hanning(size))) ** 2, 0
        )
        return 10 * np.log10(power[40:120].sum() / size / rate)

    own = decoder.header.sample_rate
    before = density(decoder.read(1 << 20), own)
    decoder.rewind()
    decoder.set_rate(rate or own)
    decoder.set_tempo(tempo)
    assert abs(density(decoder.read(1 << 20), rate or own) - before) < 1


@pytest.mark.parametrize("backend", STREAMING)
def test_the_residual_sounds_at_a_tempo_and_falls_to_its_levels_at_a_pitch(backend: str) -> None:
    def played(muted: int, pitch: int) -> np.ndarray:
        decoder = open_decoder(with_everything().data, backend)
        decoder.set_tempo(12000)
        decoder.set_pitch(pitch)
        decoder.set_mute(muted, 0, 0)
        return decoder.read(1 << 20)

    assert (played(0, PITCH_ONE) != played(4, PITCH_ONE)).any()
    np.testing.assert_array_equal(played(0, 17000), played(4, 17000))


@pytest.mark.parametrize("backend", STREAMING)
def test_as_encoded_again_after_a_jump(backend: str) -> None:
    data = with_everything().data
    expected = audio_gs.decode(data)[0]
    decoder = open_decoder(data, backend)
    decoder.set_tempo(PITCH_ONE)
    decoder.set_rate(decoder.header.sample_rate)
    np.testing.assert_array_equal(decoder.read(len(expected)), expected)
    decoder.seek(100)
    decoder.set_tempo(20000)
    decoder.read(500)
    decoder.set_tempo(PITCH_ONE)
    assert len(decoder.read(1 << 20)) > 0
    decoder.seek(1000)
    np.testing.assert_array_equal(decoder.read(1 << 20), expected[1000:])


@pytest.mark.parametrize("backend", STREAMING)
def test_places_are_those_of_the_clip(backend: str) -> None:
    data = steady_partial(443.0, 6)
    decoder = audio_gs.StreamDecoder(data, backend)
    decoder.set_tempo(0.5)
    decoder.seek(4001)
    assert decoder.position == 4001
    decoder.read(1000)
    assert abs(decoder.position - 4501) <= 1
    decoder.set_rate(48000)
    assert (decoder.sample_rate, decoder.played_samples) == (48000, 96000)
    assert abs(decoder.position - 4501) <= 1
    assert len(decoder.read(1 << 20)) == pytest.approx(6 * (16000 - 4501), abs=6)
    assert decoder.position == len(decoder) == 16000
    decoder.rewind()
    decoder.set_tempo(2.0)
    assert decoder.played_samples == len(decoder.read(1 << 20)) == 24000


@pytest.mark.parametrize("backend", STREAMING)
def test_a_loop_at_a_tempo(backend: str) -> None:
    header = dataclasses.replace(header_for(8000), loop=(2000, 4000))
    decoder = open_decoder(encode_stream(header, tones((4, 3072, 30, 200, 0))), backend)
    decoder.set_tempo(LOWEST_TEMPO)
    decoder.set_loop(True)
    pcm = decoder.read(4000 + 5 * 4000)
    assert len(pcm) == 24000
    for around in range(1, 6):
        np.testing.assert_array_equal(pcm[4000 * around + 400 : 4000 * around + 4000], pcm[4400:8000])
    assert pcm[4000:8000].any()


@pytest.mark.parametrize("backend", STREAMING)
def test_a_tempo_while_playing_goes_on_without_a_gap(backend: str) -> None:
    decoder = open_decoder(steady_partial(443.0, 6), backend)
    pieces = [decoder.read(4000)]
    for tempo in (18000, 14500, 19000, 13000):
        decoder.set_tempo(tempo)
        pieces.append(decoder.read(2000))
    pcm = np.concatenate(pieces).astype(float)[2000:]
    envelope = np.sqrt(np.mean(pcm[: len(pcm) // 250 * 250].reshape(-1, 250) ** 2, 1))
    assert 0.6 * np.median(envelope) < envelope.min()
    assert envelope.max() < 1.3 * np.median(envelope)


@pytest.mark.parametrize("backend", STREAMING)
def test_a_budget_holds_at_a_tempo(backend: str) -> None:
    """Two tones in every block, of which the louder one alone fits."""
    loud, faint = (7, 0, 1800, 200, 0), (7, 0, 1500, 50, 0)
    decoders = [
        open_decoder(encode_stream(header_for(4096), tones(*rows)), backend) for rows in ([loud, faint], [loud])
    ]
    for decoder in decoders:
        decoder.set_tempo(LOWEST_TEMPO)
    decoders[0].set_budget(2)
    kept, alone = (decoder.read(8192) for decoder in decoders)
    assert alone.any()
    np.testing.assert_array_equal(kept[1024:7168], alone[1024:7168])
    decoders[0].rewind()
    decoders[0].set_budget(0)
    assert not decoders[0].read(8192).any()


def test_a_full_decoder_at_twice_the_tempo() -> None:
    """Tones that sound although they have ended in the clip make room for those that begin."""
    rows = [(0, 32 * i, 4 + i % 7, 100 + i % 9, 0) for i in range(200)]
    header = with_class(header_for(8000), tones(*rows))
    data = encode_stream(header, tones(*rows))
    played = []
    for backend in STREAMING:
        decoder = open_decoder(data, backend)
        decoder.set_tempo(HIGHEST_TEMPO)
        played.append(decoder.read(1 << 20))
    assert played[0].any()
    np.testing.assert_array_equal(played[0], played[1])


def test_a_clip_that_would_be_too_long_is_refused() -> None:
    header = header_for((1 << 31) - 1)
    with pytest.raises(ValueError, match="longer than"):
        played_samples(header, LOWEST_TEMPO, RATE)
    assert played_samples(header, HIGHEST_TEMPO, RATE) == 1 << 30


@pytest.mark.parametrize("backend", STREAMING)
def test_what_leaves_the_band_is_left_out(backend: str) -> None:
    low, high = (7, 0, 300, 200, 0), (7, 0, 1500, 200, 0)
    both, alone = (encode_stream(header_for(4000), tones(*rows)) for rows in ((low, high), (low,)))

    def played(data: bytes, pitch: int) -> np.ndarray:
        decoder = open_decoder(data, backend)
        decoder.set_pitch(pitch)
        return decoder.read(4000)

    np.testing.assert_array_equal(played(both, HIGHEST_PITCH), played(alone, HIGHEST_PITCH))
    assert (played(both, 20000) != played(alone, 20000)).any()


@pytest.mark.parametrize("backend", STREAMING)
def test_noise_moves_with_the_pitch_and_keeps_its_power(backend: str) -> None:
    data = (VECTORS / "sfx-12.bin").read_bytes()
    decoder = open_decoder(data, backend)
    decoder.set_mute(5, 0, 0)
    rate = decoder.header.sample_rate
    hertz = np.fft.rfftfreq(500, 1 / rate)

    def spectrum(pitch: int) -> np.ndarray:
        decoder.rewind()
        decoder.set_pitch(pitch)
        return np.mean(np.abs(np.fft.rfft(decoder.read(40000).reshape(-1, 500) * np.hanning(500))) ** 2, 0)

    plain, lower = spectrum(PITCH_ONE), spectrum(LOWEST_PITCH)
    assert lower[hertz > 0.27 * rate].sum() < 0.001 * lower.sum()
    assert 0.7 < lower.sum() / plain.sum() < 1.4
    centres = [(power * hertz).sum() / power.sum() for power in (plain, lower)]
    assert 0.45 < centres[1] / centres[0] < 0.55


@pytest.mark.parametrize("backend", STREAMING)
def test_tones_keep_the_pitch_that_they_began_with(backend: str) -> None:
    data = encode_stream(header_for(8000), tones((7, 0, 300, 200, 0)))
    decoder = open_decoder(data, backend)
    before = decoder.read(1000)
    decoder.set_pitch(HIGHEST_PITCH)
    after = decoder.read(7000)
    np.testing.assert_array_equal(np.concatenate([before, after]), audio_gs.decode(data)[0])


def test_what_is_out_of_range_changes_nothing() -> None:
    data = random_stream(3).data
    expected = audio_gs.decode(data)[0]
    for backend in STREAMING:
        decoder = audio_gs.StreamDecoder(data, backend)
        for gain, fade in ((12.1, 0), (1e9, 0), (float("nan"), 0), (0.0, -1), (0.0, 1 << 31)):
            with pytest.raises(ValueError, match=r"gain|fade|NaN"):
                decoder.set_gain(gain, fade)
        for low, high in ((-1, 5), (6, 5), (0, 65536)):
            with pytest.raises(ValueError, match=r"0\.\.65535"):
                decoder.set_mute((), low, high)
        for factor in (0.49, 2.01, float("nan"), float("inf")):
            with pytest.raises(ValueError, match=r"pitch .* 0\.5\.\.2"):
                decoder.set_pitch(factor)
            with pytest.raises(ValueError, match=r"tempo .* 0\.5\.\.2"):
                decoder.set_tempo(factor)
        for rate in (0, 7999, 48001):
            with pytest.raises(ValueError, match=r"8000\.\.48000"):
                decoder.set_rate(rate)
        with pytest.raises(ValueError, match="cannot mute 'bass'"):
            decoder.set_mute({"bass"})
        np.testing.assert_array_equal(decoder.read(len(expected)), expected)


def test_the_c_library_refuses() -> None:
    stream = random_stream(3)
    data, size = ffi.from_buffer("uint8_t[]", stream.data), decoder_bytes(stream.header)
    memory, decoder = ffi.new("uint64_t[]", -(-size // 8)), ffi.new("gs_decoder **")
    assert lib.gs_open_memory(memory, size, data, len(stream.data), decoder) == lib.GS_OK
    assert lib.gs_set_gain(decoder[0], GAIN_ONE) == lib.GS_ERR_MEMORY
    assert lib.gs_set_mute(decoder[0], 0, 0, 0) == lib.GS_ERR_MEMORY
    assert lib.gs_set_pitch(decoder[0], PITCH_ONE) == lib.GS_ERR_MEMORY
    assert lib.gs_set_tempo(decoder[0], PITCH_ONE) == lib.GS_ERR_MEMORY
    assert lib.gs_set_rate(decoder[0], LOWEST_RATE) == lib.GS_ERR_MEMORY
    assert lib.gs_set_tempo(decoder[0], HIGHEST_TEMPO + 1) == lib.GS_ERR_ARGUMENT
    assert lib.gs_set_rate(decoder[0], HIGHEST_RATE + 1) == lib.GS_ERR_ARGUMENT
    assert lib.gs_set_pitch(decoder[0], LOWEST_PITCH - 1) == lib.GS_ERR_ARGUMENT
    assert lib.gs_set_gain(decoder[0], LARGEST_GAIN + 1) == lib.GS_ERR_ARGUMENT


def test_a_clip_with_fades() -> None:
    data = (VECTORS / "speech-6.bin").read_bytes()
    plain, rate = audio_gs.decode(data)
    played, same_rate = audio_gs.decode(data, playback=audio_gs.Playback(gain_db=-6.0, fade_in=0.5, fade_out=0.25))
    assert rate == same_rate
    assert len(played) == len(plain)
    gain = np.abs(played.astype(float)) / np.maximum(np.abs(plain), 1)
    loud = np.abs(plain) > 500
    expected = np.minimum(1, np.arange(len(plain)) / (0.5 * rate)) * 10 ** (-6 / 20)
    expected *= np.minimum(1, (len(plain) - np.arange(len(plain))) / (0.25 * rate))
    np.testing.assert_allclose(gain[loud], expected[loud], atol=0.003)
    for backend in STREAMING[1:]:
        again = audio_gs.decode(
            data, backend=backend, playback=audio_gs.Playback(gain_db=-6.0, fade_in=0.5, fade_out=0.25)
        )[0]
        np.testing.assert_array_equal(again, played)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gain_db": 13.0},
        {"pitch": 3.0},
        {"tempo": 0.4},
        {"tempo": float("nan")},
        {"rate": 7999},
        {"rate": 48001},
        {"fade_in": -0.1},
        {"fade_out": float("inf")},
        {"mute": frozenset({"drums"})},
        {"mute_band": (3, 2)},
    ],
)
def test_impossible_playback(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"gain|fade|mute|band|pitch|tempo|rate"):
        api.Playback(**wrong)  # type: ignore[arg-type]
