/* Several clips at once, on streams of random legal decisions. */
#include "gs_test.h"

#define RATE 8000u
#define SOUNDS 3u
#define MOST_SAMPLES 60000u

static test_stream streams[SOUNDS];

static void of_the_rate(gs_info *info)
{
    info->sample_rate = RATE;
}

/* Without noise, and not so loud that sums are limited. */
static void tones_alone(gs_info *info)
{
    of_the_rate(info);
    info->kinds = 1;
    info->decoder_class.max_noises = 0;
    info->decoder_class.noise_frame_log2 = 0;
    info->noise_shift = 0;
    info->noise_base = 0;
    info->decoder_class.max_tones = (uint16_t)(1 + test_random(30));
    info->amplitude_step = (uint16_t)(1 + test_random(20));
    info->output_shift = (uint8_t)test_random(3);
    info->samples = 3000 + test_random(3000);
    info->has_loop = 0;
    info->seek_slots = 0;
}

static void loud_tones_alone(gs_info *info)
{
    tones_alone(info);
    info->decoder_class.max_tones = (uint16_t)(1 + test_random(2)); /* so that no octave is beyond its room */
    info->amplitude_step = (uint16_t)(1 + test_random(2047));
    info->output_shift = 0;
}

/* And all at the clip's own rate. */
static void short_tones_alone(gs_info *info)
{
    tones_alone(info);
    info->smallest_scale = 1;
    info->decoder_class.scales = 2;
}

/* With tones that are too faint to hear. */
static void noise_alone(gs_info *info)
{
    tones_alone(info);
    info->amplitude_step = 1;
    info->output_shift = 16;
    info->decoder_class.max_tones = 1;
    info->slot_log2 = 9;
    info->slot_samples = 512;
    info->kinds = 3;
    info->decoder_class.noise_frame_log2 = 6;
    info->decoder_class.max_noises = 20;
    info->noise_shift = (uint8_t)(3 + test_random(3));
    info->noise_base = (int8_t)(14 + test_random(6));
}

/* A mixer in memory of exactly its size, with voices for all streams. */
typedef struct test_mixer {
    gs_mixer *mixer;
    void *memory;
    size_t bytes;
    uint32_t channels;
} test_mixer;

static size_t room_for_all(int with_pitch)
{
    size_t most = 0;
    uint32_t i;

    for (i = 0; i < SOUNDS; i++) {
        const gs_class *decoder_class = &streams[i].info.decoder_class;
        size_t bytes = with_pitch ? gs_playback_size(decoder_class) : gs_decoder_size(decoder_class);
        if (bytes > most)
            most = bytes;
    }
    return most;
}

static test_mixer open_mixer(uint32_t voices, uint32_t channels, int with_pitch)
{
    size_t room = room_for_all(with_pitch);
    test_mixer opened;

    opened.bytes = gs_mixer_size(voices, room);
    opened.memory = malloc(opened.bytes);
    opened.channels = channels;
    CHECK(opened.memory && opened.bytes == GS_MIXER_BYTES(voices, room));
    memset(opened.memory, 0xA5, opened.bytes);
    CHECK(gs_mixer_open(opened.memory, opened.bytes, voices, room, RATE, channels, &opened.mixer) == GS_OK);
    return opened;
}

static gs_sound sound_of(const test_stream *stream)
{
    gs_sound sound;

    memset(&sound, 0, sizeof sound);
    sound.stream = stream->bytes.data;
    sound.bytes = stream->bytes.count;
    sound.gain = GS_GAIN_ONE;
    return sound;
}

/* So many samples, in calls of at most so many. */
static void mix(const test_mixer *mixer, uint32_t most, uint32_t samples, int16_t *pcm)
{
    while (samples > 0) {
        uint32_t wanted = 1 + test_random(most);
        if (wanted > samples)
            wanted = samples;
        CHECK(gs_mix(mixer->mixer, pcm, wanted) == (int32_t)wanted);
        pcm += wanted * mixer->channels;
        samples -= wanted;
    }
}

static int32_t saturated(int32_t value)
{
    return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

/* What a sound gives to a channel. */
static int32_t part_of(const gs_sound *sound, const test_stream *stream, int64_t at, uint32_t channel,
                       uint32_t channels)
{
    int32_t gain = sound->gain;
    int32_t away = channel ? -sound->pan : sound->pan;

    if (at < 0 || at >= (int64_t)stream->info.samples)
        return 0;
    if (channels == 2 && away > 0)
        gain = gain * (256 - away) / 256;
    return (stream->pcm[at] * gain + 4096) >> 13;
}

/* A mix is the sum of what its voices give, limited. */
static void check_sum(uint32_t channels, int16_t *pcm)
{
    test_mixer mixer = open_mixer(SOUNDS, channels, 0);
    gs_sound sounds[SOUNDS];
    uint32_t begins[SOUNDS];
    uint32_t at = 0;
    uint32_t end = 0;
    uint32_t i;
    uint32_t n;

    for (i = 0; i < SOUNDS; i++) {
        int32_t voice;
        sounds[i] = sound_of(&streams[i]);
        if (test_random(2))
            sounds[i].gain = (uint16_t)test_random(GS_LARGEST_GAIN + 1);
        sounds[i].pan = (int16_t)((int)test_random(513) - 256);
        begins[i] = at + test_random(300);
        mix(&mixer, 200, begins[i] - at, pcm + at * channels);
        at = begins[i];
        voice = gs_mixer_play(mixer.mixer, &sounds[i]);
        CHECK(voice > 0 && gs_mixer_status(mixer.mixer, voice) == 1);
        if (at + streams[i].info.samples > end)
            end = at + streams[i].info.samples;
    }
    end += 10;
    mix(&mixer, 1000, end - at, pcm + at * channels);
    for (n = 0; n < end * channels; n++) {
        int32_t sum = 0;
        for (i = 0; i < SOUNDS; i++)
            sum += part_of(&sounds[i], &streams[i], (int64_t)(n / channels) - begins[i], n % channels, channels);
        CHECK(pcm[n] == saturated(sum));
    }
    free(mixer.memory);
}

/* ---- what voices share in mono ---- */

static int statuses[8];

/* A voice of each of the first so many streams from the start, in mono, in calls of any length; what they are at the end
 * is in statuses. */
static void mix_streams(const test_stream *stream, uint32_t count, uint32_t budget, uint32_t samples, int16_t *pcm)
{
    uint32_t voices = count > 4 ? count : 4;
    size_t room = 0;
    void *memory;
    gs_mixer *mixer = NULL;
    int32_t voice[8];
    uint32_t i;

    for (i = 0; i < count; i++)
        if (room < test_room(&stream[i].info))
            room = test_room(&stream[i].info);
    memory = malloc(gs_mixer_size(voices, room));
    CHECK(memory && gs_mixer_open(memory, gs_mixer_size(voices, room), voices, room, RATE, 1, &mixer) == GS_OK);
    CHECK(gs_mixer_share(mixer) == GS_OK && gs_mixer_set_budget(mixer, budget) == GS_OK);
    for (i = 0; i < count; i++) {
        gs_sound sound = sound_of(&stream[i]);
        voice[i] = gs_mixer_play(mixer, &sound);
        CHECK(voice[i] > 0);
    }
    for (i = 0; i < samples;) {
        uint32_t wanted = 1 + test_random(300);
        if (wanted > samples - i)
            wanted = samples - i;
        CHECK(gs_mix(mixer, pcm + i, wanted) == (int32_t)wanted);
        i += wanted;
    }
    for (i = 0; i < count; i++)
        statuses[i] = gs_mixer_status(mixer, voice[i]);
    free(memory);
}

static uint32_t shortest_of(const test_stream *stream, uint32_t count)
{
    uint32_t samples = stream->info.samples;
    uint32_t i;

    for (i = 1; i < count; i++)
        if (stream[i].info.samples < samples)
            samples = stream[i].info.samples;
    return samples / 64 * 64;
}

/* Whether no stream is limited to 16 bits, whose sums could not be compared. */
static int are_within_16_bits(const test_stream *stream, uint32_t count)
{
    uint32_t i;
    uint32_t n;

    for (i = 0; i < count; i++)
        for (n = 0; n < stream[i].info.samples; n++)
            if (abs(stream[i].pcm[n]) > 32766)
                return 0;
    return 1;
}

#define MOST_SUMMED 7000u

/* Eight voices of full scale at the same time are limited and do not wrap. */
static void check_headroom(int16_t *pcm)
{
    test_stream stream[8];
    uint32_t i;
    uint32_t n;

    test_stream_make_with(&stream[0], loud_tones_alone);
    for (i = 1; i < 8; i++)
        stream[i] = stream[0];
    mix_streams(stream, 8, 65535, shortest_of(stream, 1), pcm);
    for (n = 0; n < shortest_of(stream, 1) && are_within_16_bits(stream, 1); n++)
        CHECK(abs(pcm[n] - saturated(8 * stream[0].pcm[n])) <= 4 + 64 * stream[0].info.decoder_class.max_tones);
    test_stream_free(&stream[0]);
}

static double shared_error;
static double split_error;

/* Tones are within 4 steps a tone of the sum of what decoders give; of a budget, the weakest of all are left out. */
static void check_shared_tones(int16_t *pcm)
{
    test_stream stream[4];
    uint32_t samples;
    uint32_t tones = 0;
    int16_t *full = pcm;
    int16_t *budgeted = pcm + MOST_SAMPLES;
    int16_t *part = pcm + 2 * MOST_SAMPLES;
    int32_t *sum = (int32_t *)calloc(MOST_SAMPLES, sizeof *sum);
    uint32_t i;
    uint32_t n;

    CHECK(sum);
    for (i = 0; i < 4; i++) {
        test_stream_make_with(&stream[i], tones_alone);
        tones += stream[i].info.decoder_class.max_tones;
    }
    samples = shortest_of(stream, 4);
    mix_streams(stream, 4, 65535, MOST_SUMMED, full);
    for (n = 0; n < MOST_SUMMED && are_within_16_bits(stream, 4); n++) {
        int32_t expected = 0;
        for (i = 0; i < 4; i++) {
            uint32_t end = stream[i].info.samples;
            if (n < end)
                expected += stream[i].pcm[n];
            if (n / 64 == end / 64 || n / 64 == end / 64 + 1) /* where it fades, low tones a block later */
                break;
        }
        CHECK(i < 4 || abs(full[n] - saturated(expected)) <= 4 + 4 * (int32_t)tones);
    }
    for (i = 0; i < 4; i++)
        CHECK(statuses[i] == GS_OK);
    mix_streams(stream, 4, 65534, samples, budgeted);
    CHECK(memcmp(full, budgeted, samples * sizeof *full) == 0);
    mix_streams(stream, 4, 0, samples, budgeted);
    for (n = 0; n < samples; n++)
        CHECK(budgeted[n] == 0);
    mix_streams(stream, 4, 24, samples, budgeted);
    for (i = 0; i < 4; i++) {
        gs_decoder *decoder = test_open(&stream[i]);
        CHECK(gs_set_budget(decoder, 6) == GS_OK && gs_read(decoder, part, samples) == (int32_t)samples);
        for (n = 0; n < samples; n++)
            sum[n] += part[n] - stream[i].pcm[n];
        free(decoder);
    }
    for (n = 0; n < samples; n++) {
        shared_error += (double)(budgeted[n] - full[n]) * (budgeted[n] - full[n]);
        split_error += (double)sum[n] * sum[n];
    }
    free(sum);
    for (i = 0; i < 4; i++)
        test_stream_free(&stream[i]);
}

/* The power of noise of two voices is the sum of both. */
static void check_shared_noise(int16_t *pcm)
{
    test_stream stream[2];
    double power[3] = {0, 0, 0};
    uint32_t samples;
    uint32_t n;

    test_stream_make_with(&stream[0], noise_alone);
    test_stream_make_with(&stream[1], noise_alone);
    samples = shortest_of(stream, 2);
    mix_streams(stream, 2, 65535, samples, pcm);
    for (n = 0; n < samples; n++) {
        power[0] += (double)stream[0].pcm[n] * stream[0].pcm[n];
        power[1] += (double)stream[1].pcm[n] * stream[1].pcm[n];
        power[2] += (double)pcm[n] * pcm[n];
    }
    if (are_within_16_bits(stream, 2) && power[0] + power[1] > 400.0 * samples && samples > 2000)
        CHECK(power[2] > 0.7 * (power[0] + power[1]) && power[2] < 1.42 * (power[0] + power[1]));
    test_stream_free(&stream[0]);
    test_stream_free(&stream[1]);
}

/* A voice that shares fades in straight lines from block to block. */
static void check_shared_fade(int16_t *pcm)
{
    test_mixer mixer;
    test_stream stream;
    gs_sound sound;
    void *memory;
    size_t room;
    uint32_t before;
    uint32_t n;
    int32_t voice;
    int32_t bound;

    test_stream_make_with(&stream, short_tones_alone);
    room = test_room(&stream.info);
    memory = malloc(gs_mixer_size(1, room));
    mixer.channels = 1;
    mixer.memory = memory;
    CHECK(memory && gs_mixer_open(memory, gs_mixer_size(1, room), 1, room, RATE, 1, &mixer.mixer) == GS_OK);
    CHECK(gs_mixer_share(mixer.mixer) == GS_OK);
    sound = sound_of(&stream);
    voice = gs_mixer_play(mixer.mixer, &sound);
    before = 64 * test_random(20);
    bound = 8 + 2 * stream.info.decoder_class.max_tones;
    CHECK(gs_mixer_set_budget(mixer.mixer, 2 * GS_LARGEST_MAX_TONES) ==
          GS_OK); /* which leaves out nothing, in a fade either */
    mix(&mixer, 100, before, pcm);
    CHECK(gs_mixer_stop(mixer.mixer, voice) == GS_OK);
    mix(&mixer, 100, 320, pcm + before);
    CHECK(gs_mixer_status(mixer.mixer, voice) == GS_OK);
    for (n = 0; n < before + 256 && are_within_16_bits(&stream, 1); n++) {
        int32_t left = n < before ? 128 : n < before + 128 ? 128 - (int32_t)(n - before) : 0;
        CHECK(abs(pcm[n] - stream.pcm[n] * left / 128) <= bound);
    }
    CHECK(gs_mixer_open(memory, gs_mixer_size(1, room), 1, room, RATE, 1, &mixer.mixer) == GS_OK);
    CHECK(gs_mixer_share(mixer.mixer) == GS_OK && gs_mixer_play(mixer.mixer, &sound) > 0);
    mix(&mixer, 100, stream.info.samples + 10, pcm);
    for (n = stream.info.samples / 64 * 64; n < stream.info.samples && are_within_16_bits(&stream, 1); n++)
        CHECK(abs(pcm[n] - stream.pcm[n] * (64 - (int32_t)(n % 64)) / 64) <= bound);
    for (n = stream.info.samples; n < stream.info.samples + 10; n++)
        CHECK(pcm[n] == 0);
    free(memory);
    test_stream_free(&stream);
}

/* A damaged clip that shares ends alone. */
static void check_shared_damage(int16_t *pcm)
{
    test_stream stream[2];
    int16_t *other = pcm + MOST_SAMPLES;
    gs_decoder *decoder;
    uint32_t samples;
    int32_t given;
    uint32_t at;

    test_stream_make_with(&stream[0], tones_alone);
    test_stream_make_with(&stream[1], tones_alone);
    samples = stream[1].info.samples;
    mix_streams(stream + 1, 1, 65535, samples, other);
    at = stream[0].bytes.count - 1 - test_random(stream[0].bytes.count - stream[0].info.header_bytes);
    stream[0].bytes.data[at] = (uint8_t)(stream[0].bytes.data[at] ^ 1u << test_random(8));
    mix_streams(stream, 2, 65535, samples, pcm);
    decoder = test_open(&stream[0]);
    given = gs_read(decoder, other + MOST_SAMPLES, stream[0].info.samples);
    for (at = given < 0 ? 0 : (uint32_t)given; at + 256 < samples / 64 * 64; at++)
        CHECK(pcm[at + 256] == other[at + 256]);
    if (given >= 0 && (uint32_t)given + 256 < samples && (uint32_t)given < stream[0].info.samples)
        CHECK(statuses[0] < 0);
    free(decoder);
    test_stream_free(&stream[0]);
    test_stream_free(&stream[1]);
}

/* A sound alone in a mono mixer of one voice is what a decoder gives; where it would share, but for its last block, where
 * it fades, and the last frame of noise, if amplitudes need not be rounded for that. */
static void check_alone(int16_t *pcm)
{
    uint32_t i;

    for (i = 0; i < SOUNDS; i++) {
        const test_stream *stream = &streams[i];
        test_mixer mixer = open_mixer(1, 1, 0);
        gs_sound sound = sound_of(stream);
        uint32_t frame = 1u << stream->info.decoder_class.noise_frame_log2;
        uint32_t unit = frame > 64 ? frame : 64;
        uint32_t whole = stream->info.samples / unit * unit;
        uint32_t shares = test_random(2);
        int32_t voice;
        if (shares)
            CHECK(gs_mixer_share(mixer.mixer) == GS_OK);
        else
            whole = stream->info.samples;
        mix(&mixer, 100, test_random(100), pcm);
        voice = gs_mixer_play(mixer.mixer, &sound);
        CHECK(voice > 0);
        mix(&mixer, 300, stream->info.samples, pcm);
        if ((stream->info.output_shift == 0 && whole > 0) || !shares)
            CHECK(memcmp(pcm, stream->pcm, whole * sizeof *pcm) == 0);
        mix(&mixer, 100, 100, pcm);
        for (whole = 1; whole < 100; whole++)
            CHECK(pcm[whole] == 0);
        CHECK(gs_mixer_status(mixer.mixer, voice) == GS_OK);
        free(mixer.memory);
    }
}

/* What is done to a mixer by numbers does not depend on how many samples it is asked for at a time. */
static void play_by_numbers(uint32_t seed, uint32_t channels, uint32_t most, int16_t *pcm)
{
    static uint32_t number;
    test_mixer mixer = open_mixer(2, channels, 1);
    int32_t voice[4] = {0, 0, 0, 0};
    uint32_t done = 0;
    uint32_t i;

    CHECK(gs_mixer_allow_pitch(mixer.mixer) == GS_OK);
    CHECK(gs_mixer_share(mixer.mixer) == (channels == 1 ? GS_OK : GS_ERR_ARGUMENT));
    number = seed;
#define NEXT(below) ((number = number * 1664525u + 1013904223u) >> 16) % (below)
    for (i = 0; i < 30; i++) {
        uint32_t run = NEXT(700);
        int32_t *one = &voice[NEXT(4)];
        gs_sound sound = sound_of(&streams[NEXT(SOUNDS)]);
        sound.gain = (uint16_t)(NEXT(8193));
        sound.pan = (int16_t)((int)(NEXT(513)) - 256);
        sound.pitch = (uint16_t)(NEXT(2) ? 0 : 8192 + NEXT(24577));
        sound.priority = (uint8_t)(NEXT(3));
        switch (NEXT(10)) {
        case 0:
        case 1:
        case 2:
            *one = gs_mixer_play(mixer.mixer, &sound);
            break;
        case 3:
            (void)gs_mixer_queue(mixer.mixer, *one, &sound);
            break;
        case 4:
            (void)gs_mixer_stop(mixer.mixer, *one);
            break;
        case 5:
            (void)gs_mixer_fade(mixer.mixer, *one, sound.gain, NEXT(1000));
            break;
        case 6:
            (void)gs_mixer_set_pan(mixer.mixer, *one, sound.pan);
            break;
        case 7:
            (void)gs_mixer_set_budget(mixer.mixer, NEXT(2) ? 65535 : NEXT(60));
            break;
        case 8:
            (void)gs_mixer_set_pitch(mixer.mixer, *one, 8192 + NEXT(24577));
            break;
        default:
            (void)gs_mixer_set_loop(mixer.mixer, *one, NEXT(2));
        }
        mix(&mixer, most, run, pcm + channels * done);
        done += run;
    }
#undef NEXT
    memset(pcm + channels * done, 0, channels * (21000 - done) * sizeof *pcm);
    free(mixer.memory);
}

static void check_calls_of_any_length(int16_t *pcm)
{
    uint32_t seed = test_random(1000000);

    uint32_t channels;

    for (channels = 1; channels <= 2; channels++) {
        play_by_numbers(seed, channels, 700, pcm);
        play_by_numbers(seed, channels, 1 + test_random(100), pcm + 42000);
        CHECK(memcmp(pcm, pcm + 42000, channels * 21000 * sizeof *pcm) == 0);
    }
}

/* One sound after another, without a gap. */
static void check_queue(int16_t *pcm)
{
    test_mixer mixer = open_mixer(1, 2, 0);
    gs_sound first = sound_of(&streams[0]);
    gs_sound second = sound_of(&streams[1]);
    uint32_t begins = streams[0].info.samples;
    int32_t voice = gs_mixer_play(mixer.mixer, &first);
    uint32_t n;

    CHECK(voice > 0 && gs_mixer_queue(mixer.mixer, voice, &second) == GS_OK);
    mix(&mixer, 1000, begins + streams[1].info.samples, pcm);
    for (n = 0; n < begins + streams[1].info.samples; n++)
        CHECK(pcm[2 * n] == (n < begins ? streams[0].pcm[n] : streams[1].pcm[n - begins]));
    mix(&mixer, 10, 10, pcm);
    for (n = 0; n < 20; n++)
        CHECK(pcm[n] == 0);
    CHECK(gs_mixer_status(mixer.mixer, voice) == GS_OK);
    CHECK(gs_mixer_queue(mixer.mixer, voice, &second) == GS_ERR_ARGUMENT);
    free(mixer.memory);
}

/* Stops, fades and pans move in steps that are small against what sounds. */
static void check_no_clicks(int16_t *pcm)
{
    test_mixer mixer = open_mixer(1, 2, 0);
    gs_sound sound = sound_of(&streams[0]);
    uint32_t samples = streams[0].info.samples;
    uint32_t before = test_random(samples);
    int32_t voice = gs_mixer_play(mixer.mixer, &sound);
    int32_t gain = GS_GAIN_ONE;
    uint32_t channel;
    uint32_t n;

    mix(&mixer, 500, before, pcm);
    switch (test_random(4)) {
    case 0:
        CHECK(gs_mixer_stop(mixer.mixer, voice) == GS_OK);
        break;
    case 1:
        CHECK(gs_mixer_fade(mixer.mixer, voice, 0, 0) == GS_OK);
        break;
    case 2:
        CHECK(gs_mixer_fade(mixer.mixer, voice, 0, 5) == GS_OK);
        break;
    default:
        CHECK(gs_mixer_set_pan(mixer.mixer, voice, GS_PAN_RIGHT) == GS_OK);
    }
    mix(&mixer, 500, samples - before, pcm + 2 * before);
    for (n = before; n < samples; n++, gain = gain > 64 ? gain - 64 : 0)
        for (channel = 0; channel < 2; channel++)
            CHECK(abs(pcm[2 * n + channel] - ((streams[0].pcm[n] * gain) >> 13)) <= 1 ||
                  (channel == 1 && pcm[2 * n + 1] == streams[0].pcm[n]));
    free(mixer.memory);
}

static gs_decoder *open_decoder(const test_stream *stream, size_t *bytes)
{
    gs_decoder *decoder = NULL;
    void *memory;

    *bytes = gs_playback_size(&stream->info.decoder_class);
    memory = malloc(*bytes);
    CHECK(memory && gs_open_memory(memory, *bytes, stream->bytes.data, stream->bytes.count, &decoder) == GS_OK);
    return decoder;
}

/* Loops and pitches are those of a decoder. */
static void check_as_a_decoder(int16_t *pcm)
{
    test_mixer mixer = open_mixer(2, 1 + test_random(2), 1);
    const test_stream *stream = &streams[test_random(SOUNDS)];
    gs_sound sound = sound_of(stream);
    uint32_t pitch = GS_LOWEST_PITCH + test_random(GS_HIGHEST_PITCH - GS_LOWEST_PITCH + 1);
    uint32_t samples = stream->info.samples;
    uint32_t n;
    size_t bytes;
    gs_decoder *decoder = open_decoder(stream, &bytes);
    int16_t *expected = (int16_t *)calloc(samples, sizeof *expected);
    int loops = stream->info.loop_end - stream->info.loop_start >= GS_SHORTEST_LOOP;
    int32_t voice;

    CHECK(expected);
    sound.pitch = (uint16_t)pitch;
    sound.loops = (uint8_t)loops;
    CHECK(gs_mixer_play(mixer.mixer, &sound) == GS_ERR_UNSUPPORTED && gs_mixer_allow_pitch(mixer.mixer) == GS_OK);
    if (mixer.channels == 1 && test_random(2))
        CHECK(gs_mixer_share(mixer.mixer) == GS_OK);
    voice = gs_mixer_play(mixer.mixer, &sound);
    CHECK(voice > 0);
    CHECK(gs_set_pitch(decoder, pitch) == GS_OK && gs_set_loop(decoder, loops) == GS_OK);
    CHECK(gs_read(decoder, expected, samples) == (int32_t)samples);
    mix(&mixer, 400, samples, pcm);
    for (n = 0; n < samples * mixer.channels; n++)
        CHECK(pcm[n] == expected[n / mixer.channels]);
    CHECK(gs_mixer_set_loop(mixer.mixer, voice, 0) == (gs_mixer_status(mixer.mixer, voice) == 1 ? GS_OK : -1) ||
          !sound.loops);
    free(expected);
    free(decoder);
    free(mixer.memory);
}

/* A voice that matters less makes room; among equal ones the first that began. */
static void check_priorities(int16_t *pcm)
{
    test_mixer mixer = open_mixer(2, 2, 0);
    gs_sound sound = sound_of(&streams[0]);
    uint32_t samples = streams[0].info.samples;
    int32_t low;
    int32_t high;
    int32_t voice;
    uint32_t n;

    if (samples < 300) {
        free(mixer.memory);
        return;
    }
    sound.priority = 7;
    high = gs_mixer_play(mixer.mixer, &sound);
    sound.priority = 3;
    sound.pan = -GS_PAN_RIGHT;
    low = gs_mixer_play(mixer.mixer, &sound);
    sound.priority = 2;
    CHECK(high > 0 && low > 0 && gs_mixer_play(mixer.mixer, &sound) == GS_ERR_MEMORY);
    mix(&mixer, 100, 100, pcm);
    sound.priority = 3;
    voice = gs_mixer_play(mixer.mixer, &sound);
    CHECK(voice > 0 && voice != low && gs_mixer_status(mixer.mixer, low) == GS_OK);
    CHECK(gs_mixer_status(mixer.mixer, high) == 1 && gs_mixer_status(mixer.mixer, voice) == 1);
    CHECK(gs_mixer_stop(mixer.mixer, low) == GS_ERR_ARGUMENT);
    mix(&mixer, 100, samples - 100, pcm + 200);
    for (n = 0; n < samples; n++) {
        int32_t old = n < 100 ? 8192 : n < 228 ? 8192 - 64 * (int32_t)(n - 100) : 0;
        int32_t left = streams[0].pcm[n] + ((streams[0].pcm[n] * old) >> 13) + (n < 228 ? 0 : streams[0].pcm[n - 228]);
        CHECK(pcm[2 * n + 1] == streams[0].pcm[n]);
        CHECK(abs(pcm[2 * n] - saturated(left)) <= 1);
    }
    mix(&mixer, 1, 1, pcm);
    sound.priority = 255;
    low = gs_mixer_play(mixer.mixer, &sound);
    CHECK(low > 0 && (low & 255) == (high & 255) && gs_mixer_status(mixer.mixer, voice) == 1);
    free(mixer.memory);
}

static void check_that_the_first_makes_room(int16_t *pcm)
{
    test_mixer mixer = open_mixer(3, 2, 0);
    gs_sound sound = sound_of(&streams[0]);
    int32_t voice[4];
    uint32_t i;

    for (i = 0; i < 3; i++) {
        voice[i] = gs_mixer_play(mixer.mixer, &sound);
        mix(&mixer, 1, 1, pcm);
    }
    for (i = 0; i < 3 && streams[0].info.samples > 500; i++) {
        voice[3] = gs_mixer_play(mixer.mixer, &sound);
        CHECK((voice[3] & 255) == (voice[i] & 255) && voice[3] > voice[i]);
    }
    free(mixer.memory);
}

/* A damaged clip ends alone. */
static void check_damage(int16_t *pcm)
{
    test_mixer mixer = open_mixer(2, 2, 0);
    uint32_t bytes = streams[0].bytes.count;
    uint8_t *copy = (uint8_t *)malloc(bytes);
    gs_sound damaged = sound_of(&streams[0]);
    gs_sound whole = sound_of(&streams[1]);
    uint32_t samples =
        streams[0].info.samples > streams[1].info.samples ? streams[0].info.samples : streams[1].info.samples;
    uint32_t last = 0; /* sample that differs */
    int32_t voice;
    int32_t other;
    uint32_t n;

    CHECK(copy);
    memcpy(copy, streams[0].bytes.data, bytes);
    n = streams[0].info.header_bytes + test_random(bytes - streams[0].info.header_bytes);
    copy[n] = (uint8_t)(copy[n] ^ 1u << test_random(8));
    damaged.stream = copy;
    damaged.pan = -GS_PAN_RIGHT;
    voice = gs_mixer_play(mixer.mixer, &damaged);
    other = gs_mixer_play(mixer.mixer, &whole);
    CHECK(voice > 0 && other > 0);
    samples += 400;
    mix(&mixer, 300, samples, pcm);
    CHECK(gs_mixer_status(mixer.mixer, other) == GS_OK && gs_mixer_status(mixer.mixer, voice) < 0);
    for (n = 0; n < samples; n++) {
        CHECK(pcm[2 * n + 1] == (n < streams[1].info.samples ? streams[1].pcm[n] : 0));
        if (n > 0 && pcm[2 * n] != pcm[2 * n + 1])
            last = n;
    }
    CHECK(last < samples - 1 || samples < 600);
    free(copy);
    free(mixer.memory);
}

static int fail_now(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    (void)user;
    (void)offset;
    (void)buffer;
    (void)bytes;
    return -1;
}

/* What is refused changes nothing. */
static void check_refusals(int16_t *pcm)
{
    test_mixer mixer = open_mixer(1, 2, 0);
    gs_mixer *m = mixer.mixer;
    size_t room = room_for_all(0);
    void *copy = malloc(mixer.bytes);
    gs_sound good = sound_of(&streams[0]);
    gs_sound sound = good;
    gs_mixer *none = NULL;
    int32_t voice;

    good.priority = 1;
    voice = gs_mixer_play(m, &good);
    CHECK(copy && voice > 0);
    mix(&mixer, 1, 1, pcm);
    memcpy(copy, mixer.memory, mixer.bytes);
#define REFUSED(call, error) CHECK((call) == (error) && memcmp(copy, mixer.memory, mixer.bytes) == 0)
    REFUSED(gs_mixer_open(NULL, 1000, 1, 100, RATE, 1, &none), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes, 0, 0, RATE, 1, &none), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes, GS_MOST_VOICES + 1, 0, RATE, 1, &none), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes, 1, room, RATE, 0, &none), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes, 1, room, RATE, 3, &none), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes, 1, room, RATE, 1, NULL), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_open(mixer.memory, mixer.bytes - 1, 1, room, RATE, 1, &none), GS_ERR_MEMORY);
    REFUSED(gs_mixer_open((uint8_t *)mixer.memory + 1, mixer.bytes, 1, room, RATE, 1, &none), GS_ERR_MEMORY);
    CHECK(!none && gs_mixer_size(0, 0) == 0 && gs_mixer_size(1, (size_t)-1) == 0);
    REFUSED(gs_mixer_share(NULL), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_share(m), GS_ERR_ARGUMENT); /* two channels */
    REFUSED(gs_mixer_allow_pitch(NULL), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_set_budget(NULL, 1), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_play(NULL, &good), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_play(m, NULL), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_MEMORY); /* it matters less */
    sound = good;
    sound.stream = NULL;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
    sound.read = fail_now;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_IO);
    sound = good;
    sound.read = fail_now;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
    sound = good;
    sound.gain = GS_LARGEST_GAIN + 1;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
    sound = good;
    sound.pan = -GS_PAN_RIGHT - 1;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
    sound.pan = GS_PAN_RIGHT + 1;
    REFUSED(gs_mixer_queue(m, voice, &sound), GS_ERR_ARGUMENT);
    sound = good;
    sound.pitch = GS_LOWEST_PITCH - 1;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
    sound.pitch = GS_PITCH_ONE;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_UNSUPPORTED);
    sound = good;
    sound.bytes = 5;
    REFUSED(gs_mixer_play(m, &sound), GS_ERR_TRUNCATED);
    if (!streams[0].info.has_loop) {
        sound = good;
        sound.loops = 1;
        REFUSED(gs_mixer_play(m, &sound), GS_ERR_ARGUMENT);
        REFUSED(gs_mixer_set_loop(m, voice, 1), gs_mixer_status(m, voice) == 1 ? GS_ERR_ARGUMENT : GS_ERR_ARGUMENT);
    }
    REFUSED(gs_mixer_queue(m, 0, &good), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_queue(m, voice + 256, &good), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_stop(m, voice + 1), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_stop(m, -1), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_fade(m, voice, GS_LARGEST_GAIN + 1, 0), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_fade(m, voice, 0, 0x80000000u), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_set_pan(m, voice, GS_PAN_RIGHT + 1), GS_ERR_ARGUMENT);
    REFUSED(gs_mixer_set_pitch(m, voice, GS_PITCH_ONE), GS_ERR_ARGUMENT);
    REFUSED(gs_mix(NULL, pcm, 1), GS_ERR_ARGUMENT);
    REFUSED(gs_mix(m, NULL, 1), GS_ERR_ARGUMENT);
    REFUSED(gs_mix(m, pcm, 0x80000000u), GS_ERR_ARGUMENT);
    REFUSED(gs_mix(m, NULL, 0), 0);
#undef REFUSED
    free(copy);
    free(mixer.memory);
    mixer = open_mixer(1, 1, 0);
    CHECK(gs_mixer_open(mixer.memory, mixer.bytes, 1, room, RATE + 1, 1, &m) == GS_OK);
    CHECK(gs_mixer_play(m, &good) == GS_ERR_UNSUPPORTED);
    CHECK(gs_mixer_open(mixer.memory, mixer.bytes, 1, 100, RATE, 1, &m) == GS_OK);
    CHECK(gs_mixer_play(m, &good) == GS_ERR_MEMORY);
    free(mixer.memory);
}

static void test(void)
{
    static int16_t pcm[4 * MOST_SAMPLES];
    uint32_t i;

    for (i = 0; i < SOUNDS; i++) {
        test_stream_make_with(&streams[i], of_the_rate);
        CHECK(streams[i].info.samples + 1000 < MOST_SAMPLES);
    }
    check_sum(1 + test_random(2), pcm);
    check_alone(pcm);
    check_shared_tones(pcm);
    check_headroom(pcm);
    check_shared_noise(pcm);
    check_shared_fade(pcm);
    check_shared_damage(pcm);
    check_calls_of_any_length(pcm);
    check_queue(pcm);
    check_no_clicks(pcm);
    check_as_a_decoder(pcm);
    check_priorities(pcm);
    check_that_the_first_makes_room(pcm);
    check_damage(pcm);
    check_refusals(pcm);
    for (i = 0; i < SOUNDS; i++)
        test_stream_free(&streams[i]);
}

int main(int argc, char **argv)
{
    int status = test_seeds(argc, argv, 40, test);

    if (argc == 1)
        CHECK(4 * shared_error < split_error); /* 6 dB */
    return status;
}
