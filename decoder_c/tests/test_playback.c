/* SPEC 9: pitch, tempo, output rate, gain, fades and muting, on streams of random legal decisions. */
#include "gs_test.h"

static gs_decoder *open_for_playback(const test_stream *stream)
{
    size_t bytes = gs_playback_size(&stream->info.decoder_class);
    void *memory = malloc(bytes);
    gs_decoder *decoder = NULL;

    CHECK(memory && bytes > test_room(&stream->info));
    CHECK(gs_open_memory(memory, bytes, stream->bytes.data, stream->bytes.count, &decoder) == GS_OK);
    return decoder;
}

static int32_t with_gain(int32_t step, int32_t gain)
{
    int32_t value = (step * gain + 4096) >> 13;

    return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

static void check_gain(const test_stream *stream, gs_decoder *decoder, int16_t *pcm)
{
    uint32_t gain = test_random(GS_GAIN_ONE + 1);
    uint32_t samples = stream->info.samples;
    uint32_t i;

    CHECK(gs_rewind(decoder) == GS_OK && gs_set_gain(decoder, gain) == GS_OK);
    test_read(decoder, 300, samples, pcm);
    for (i = 0; i < samples; i++)
        CHECK(pcm[i] == with_gain(stream->pcm[i], (int32_t)gain) || stream->pcm[i] == 32767 ||
              stream->pcm[i] == -32768);
}

/* What settings give does not depend on how it is read. */
static void check_settings(const test_stream *stream, int16_t *first, int16_t *second)
{
    gs_decoder *decoder = open_for_playback(stream);
    uint32_t samples = stream->info.samples;
    uint32_t before = test_random(samples + 1);
    uint32_t gain = test_random(GS_LARGEST_GAIN + 1);
    uint32_t fade = test_random(2 * samples);
    uint32_t pitch = GS_LOWEST_PITCH + test_random(GS_HIGHEST_PITCH - GS_LOWEST_PITCH + 1);
    uint32_t kinds = test_random(GS_MUTE_ALL + 1);
    uint32_t from = test_random(20000);
    uint32_t to = from + test_random(20000);
    int16_t *pcm = first;
    uint32_t most = samples;

    for (;;) {
        test_read(decoder, most, before, pcm);
        CHECK(memcmp(pcm, stream->pcm, before * sizeof *pcm) == 0);
        CHECK(gs_set_fade(decoder, gain, fade) == GS_OK);
        CHECK(gs_set_mute(decoder, kinds, from, to) == GS_OK);
        CHECK(gs_set_pitch(decoder, pitch) == GS_OK);
        test_read(decoder, most, samples - before, pcm + before);
        if (pcm == second)
            break;
        pcm = second;
        most = 100;
        CHECK(gs_set_gain(decoder, GS_GAIN_ONE) == GS_OK && gs_set_mute(decoder, 0, 0, 0) == GS_OK);
        CHECK(gs_set_pitch(decoder, GS_PITCH_ONE) == GS_OK && gs_rewind(decoder) == GS_OK);
    }
    CHECK(memcmp(first, second, samples * sizeof *first) == 0);
    free(decoder);
}

static void check_silence(const test_stream *stream, gs_decoder *decoder, int16_t *pcm)
{
    uint32_t samples = stream->info.samples;
    uint32_t i;

    CHECK(gs_rewind(decoder) == GS_OK && gs_set_gain(decoder, GS_LARGEST_GAIN) == GS_OK);
    CHECK(gs_set_mute(decoder, GS_MUTE_ALL, 0, 0) == GS_OK);
    test_read(decoder, 500, samples, pcm);
    for (i = 0; i < samples; i++)
        CHECK(pcm[i] == 0);
    CHECK(gs_set_gain(decoder, GS_GAIN_ONE) == GS_OK && gs_set_mute(decoder, 0, 0, 0) == GS_OK);
    CHECK(gs_rewind(decoder) == GS_OK);
    test_read(decoder, 500, samples, pcm);
    CHECK(memcmp(pcm, stream->pcm, samples * sizeof *pcm) == 0);
}

static void check_refusals(const test_stream *stream, gs_decoder *decoder, int16_t *pcm)
{
    gs_decoder *plain = test_open(stream);

    CHECK(gs_set_gain(NULL, 0) == GS_ERR_ARGUMENT && gs_set_fade(NULL, 0, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_mute(NULL, 0, 0, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_gain(plain, 0) == GS_ERR_MEMORY && gs_set_mute(plain, GS_MUTE_ALL, 0, 0) == GS_ERR_MEMORY);
    CHECK(gs_playback_size(NULL) == 0);
    CHECK(gs_set_gain(decoder, GS_LARGEST_GAIN + 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_gain(decoder, 0xFFFFFFFFu) == GS_ERR_ARGUMENT);
    CHECK(gs_set_pitch(NULL, GS_PITCH_ONE) == GS_ERR_ARGUMENT && gs_set_pitch(plain, GS_PITCH_ONE) == GS_ERR_MEMORY);
    CHECK(gs_set_pitch(decoder, GS_LOWEST_PITCH - 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_pitch(decoder, GS_HIGHEST_PITCH + 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_tempo(NULL, GS_TEMPO_ONE) == GS_ERR_ARGUMENT && gs_set_tempo(plain, GS_TEMPO_ONE) == GS_ERR_MEMORY);
    CHECK(gs_set_tempo(decoder, GS_LOWEST_TEMPO - 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_tempo(decoder, GS_HIGHEST_TEMPO + 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_rate(NULL, GS_LOWEST_RATE) == GS_ERR_ARGUMENT && gs_set_rate(plain, GS_LOWEST_RATE) == GS_ERR_MEMORY);
    CHECK(gs_set_rate(decoder, GS_LOWEST_RATE - 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_rate(decoder, GS_HIGHEST_RATE + 1) == GS_ERR_ARGUMENT);
    CHECK(gs_played_samples(NULL) == 0 && gs_played_samples(plain) == stream->info.samples);
    CHECK(gs_set_fade(decoder, 0, 0x80000000u) == GS_ERR_ARGUMENT);
    CHECK(gs_set_mute(decoder, GS_MUTE_ALL + 1, 0, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_mute(decoder, 0, 2, 1) == GS_ERR_ARGUMENT && gs_set_mute(decoder, 0, 0, 65536) == GS_ERR_ARGUMENT);
    test_read(decoder, 64, stream->info.samples, pcm);
    CHECK(memcmp(pcm, stream->pcm, stream->info.samples * sizeof *pcm) == 0);
    test_read(plain, 64, stream->info.samples, pcm);
    CHECK(memcmp(pcm, stream->pcm, stream->info.samples * sizeof *pcm) == 0);
    free(plain);
}

/* At a tempo and a rate a clip has the length that it is said to have, and is the same in reads of any size. */
static void check_pace(const test_stream *stream)
{
    gs_decoder *decoder = open_for_playback(stream);
    uint32_t tempo = GS_LOWEST_TEMPO + test_random(GS_HIGHEST_TEMPO - GS_LOWEST_TEMPO + 1);
    uint32_t rate = GS_LOWEST_RATE + test_random(GS_HIGHEST_RATE - GS_LOWEST_RATE + 1);
    uint32_t samples;
    uint32_t whole;
    int16_t *pcm;

    CHECK(gs_played_samples(decoder) == stream->info.samples);
    CHECK(gs_set_rate(decoder, rate) == GS_OK && gs_set_tempo(decoder, tempo) == GS_OK);
    samples = gs_played_samples(decoder);
    whole = (uint32_t)((double)stream->info.samples * rate / stream->info.sample_rate * GS_TEMPO_ONE / tempo);
    CHECK(samples + 1 + samples / 1000 > whole && samples <= whole + 1);
    pcm = (int16_t *)malloc((2 * samples + 1) * sizeof *pcm);
    CHECK(pcm);
    CHECK(gs_tell(decoder) == 0 && gs_read(decoder, pcm, samples + 1) == (int32_t)samples);
    CHECK(gs_tell(decoder) == stream->info.samples && gs_read(decoder, pcm, 1) == 0);
    CHECK(gs_rewind(decoder) == GS_OK && gs_read(decoder, pcm, samples) == (int32_t)samples);
    CHECK(gs_check(decoder) == GS_OK);
    test_read(decoder, 100, samples, pcm + samples);
    CHECK(memcmp(pcm, pcm + samples, samples * sizeof *pcm) == 0);
    CHECK(gs_set_tempo(decoder, GS_TEMPO_ONE) == GS_OK);
    if (stream->info.sample_rate >= GS_LOWEST_RATE && stream->info.sample_rate <= GS_HIGHEST_RATE) {
        CHECK(gs_set_rate(decoder, stream->info.sample_rate) == GS_OK && gs_rewind(decoder) == GS_OK);
        free(pcm);
        samples = stream->info.samples;
        pcm = (int16_t *)malloc(samples * sizeof *pcm);
        CHECK(pcm && gs_read(decoder, pcm, samples) == (int32_t)samples);
        CHECK(memcmp(pcm, stream->pcm, samples * sizeof *pcm) == 0);
    }
    free(pcm);
    free(decoder);
}

/* Gain takes less memory than a pitch. */
static void check_little_memory(const test_stream *stream)
{
    size_t bytes = ((test_room(&stream->info) + 7) & ~(size_t)7) + (sizeof(void *) > 4 ? 48 : 40);
    void *memory = malloc(bytes);
    gs_decoder *decoder = NULL;

    CHECK(memory);
    CHECK(gs_open_memory(memory, bytes, stream->bytes.data, stream->bytes.count, &decoder) == GS_OK);
    CHECK(gs_set_gain(decoder, 0) == GS_OK && gs_set_mute(decoder, GS_MUTE_NOISE, 0, 0) == GS_OK);
    CHECK(gs_set_pitch(decoder, GS_PITCH_ONE) == GS_ERR_MEMORY);
    CHECK(gs_set_tempo(decoder, GS_TEMPO_ONE) == GS_ERR_MEMORY);
    free(memory);
}

static void test(void)
{
    test_stream stream;
    gs_decoder *decoder;
    int16_t *pcm;

    test_stream_make(&stream);
    decoder = open_for_playback(&stream);
    pcm = (int16_t *)malloc(2 * stream.info.samples * sizeof *pcm);
    CHECK(pcm);
    check_refusals(&stream, decoder, pcm);
    check_little_memory(&stream);
    check_gain(&stream, decoder, pcm);
    check_silence(&stream, decoder, pcm);
    check_settings(&stream, pcm, pcm + stream.info.samples);
    check_pace(&stream);
    free(pcm);
    free(decoder);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 100, test);
}
