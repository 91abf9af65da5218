/* SPEC 11: what a listener hears, on streams of random legal decisions: whatever a source is read like, wherever it is. */
#include "gs_test.h"

#include "gs_stereo.h"

enum { MOST_READ = 300 };

static gs_decoder *open_in(const test_stream *stream, size_t bytes)
{
    void *memory = malloc(bytes);
    gs_decoder *decoder = NULL;

    CHECK(memory);
    CHECK(gs_open_memory(memory, bytes, stream->bytes.data, stream->bytes.count, &decoder) == GS_OK);
    return decoder;
}

static gs_decoder *open_for_listener(const test_stream *stream)
{
    size_t bytes = gs_listener_size(&stream->info.decoder_class);

    CHECK(bytes > test_room(&stream->info));
    return open_in(stream, bytes);
}

static int32_t angle(int32_t most)
{
    return (int32_t)test_random(2 * (uint32_t)most + 1) - most;
}

/* The same in reads of any size, and after any jump but for the noise that is late behind it. */
static void check_reading(const test_stream *stream, int16_t *first, int16_t *second)
{
    gs_decoder *decoder = open_for_listener(stream);
    uint32_t samples = stream->info.samples;
    uint32_t before = test_random(samples + 1);
    int32_t azimuth = angle(GS_HALF_TURN);
    int32_t yaw = angle(GS_HALF_TURN);
    uint32_t late = stream->info.kinds & 2u ? 32 : 0;
    uint32_t time;

    for (time = 0; time < 2; time++) {
        int16_t *pcm = time ? second : first;
        CHECK(gs_set_direction(decoder, azimuth, angle(0)) == GS_OK);
        CHECK(gs_set_listener(decoder, 0, 0, 0) == GS_OK && gs_rewind(decoder) == GS_OK);
        test_read(decoder, time ? MOST_READ : samples, before, pcm);
        CHECK(gs_set_listener(decoder, yaw, yaw / 2, -yaw) == GS_OK);
        test_read(decoder, time ? MOST_READ : samples, samples - before, pcm + 2 * before);
        CHECK(gs_tell(decoder) == samples && gs_read(decoder, pcm, 1) == 0);
    }
    CHECK(memcmp(first, second, 4 * samples) == 0);
    CHECK(gs_rewind(decoder) == GS_OK);
    test_read(decoder, samples, samples, first);
    CHECK(gs_seek(decoder, before) == GS_OK);
    test_read(decoder, MOST_READ, samples - before, second);
    if (late > samples - before)
        late = samples - before;
    CHECK(memcmp(first + 2 * (before + late), second + 2 * late, 4 * (samples - before - late)) == 0);
    CHECK(gs_check(decoder) == GS_OK);
    free(decoder);
}

/* A budget of no tones, and a loop. */
static void check_budget_and_loop(const test_stream *stream, int16_t *pcm)
{
    gs_decoder *decoder = open_for_listener(stream);
    uint32_t samples = stream->info.samples;
    uint32_t i;

    CHECK(gs_set_budget(decoder, 0) == GS_OK && gs_set_direction(decoder, angle(GS_HALF_TURN), 0) == GS_OK);
    test_read(decoder, MOST_READ, samples, pcm);
    for (i = 0; i < 2 * samples && !(stream->info.kinds & 2u); i++)
        CHECK(pcm[i] == 0);
    if (gs_set_loop(decoder, 1) == GS_OK) {
        CHECK(gs_rewind(decoder) == GS_OK);
        test_read(decoder, MOST_READ, samples, pcm);
        CHECK(gs_tell(decoder) <= stream->info.loop_end);
    }
    free(decoder);
}

static void check_refusals(const test_stream *stream, int16_t *pcm)
{
    gs_decoder *decoder = open_for_listener(stream);
    uint32_t samples = stream->info.samples;
    gs_class two = stream->info.decoder_class;

    CHECK(gs_set_listener(NULL, 0, 0, 0) == GS_ERR_ARGUMENT && gs_set_direction(NULL, 0, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_listener(decoder, GS_HALF_TURN + 1, 0, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_listener(decoder, 0, GS_HALF_TURN / 2 + 1, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_listener(decoder, 0, 0, -GS_HALF_TURN - 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_direction(decoder, -GS_HALF_TURN - 1, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_set_direction(decoder, 0, GS_HALF_TURN) == GS_ERR_ARGUMENT);
    CHECK(gs_read(decoder, pcm, samples) == (int32_t)samples);
    CHECK(memcmp(pcm, stream->pcm, samples * sizeof *pcm) == 0);
    CHECK(gs_channels(decoder) == 1 && gs_set_listener(decoder, 0, 0, 0) == GS_OK && gs_channels(decoder) == 2);
    CHECK(gs_set_gain(decoder, 0) == GS_ERR_MEMORY && gs_set_pitch(decoder, GS_PITCH_ONE) == GS_ERR_MEMORY);
    CHECK(gs_set_stereo(decoder, 0) == GS_OK && gs_rewind(decoder) == GS_OK);
    CHECK(gs_read(decoder, pcm, samples) == (int32_t)samples);
    CHECK(memcmp(pcm, stream->pcm, samples * sizeof *pcm) == 0);
    CHECK(gs_set_listener(decoder, 0, 0, 0) == GS_ERR_ARGUMENT);
    free(decoder);
    decoder = open_for_listener(stream);
    CHECK(gs_set_gain(decoder, GS_GAIN_ONE) == GS_OK && gs_set_listener(decoder, 0, 0, 0) == GS_ERR_MEMORY);
    free(decoder);
    decoder = open_in(stream, gs_listener_size(&two) - 1);
    CHECK(gs_set_direction(decoder, 0, 0) == GS_ERR_MEMORY);
    free(decoder);
    decoder = open_in(stream, gs_decoder_size(&two));
    CHECK(gs_set_listener(decoder, 0, 0, 0) == GS_ERR_MEMORY);
    decoder->info.decoder_class.channels = 2;
    CHECK(gs_set_listener(decoder, 0, 0, 0) == GS_ERR_ARGUMENT);
    free(decoder);
    two.channels = 2;
    CHECK(gs_listener_size(&two) == 0 && gs_listener_size(NULL) == 0);
}

/* Damage is told at the same sample as without a listener. */
static void check_damage(const test_stream *stream, int16_t *pcm)
{
    gs_decoder *decoder;
    uint32_t at = stream->bytes.count - 1;
    int32_t given;

    stream->bytes.data[at] ^= 255u;
    decoder = open_for_listener(stream);
    CHECK(gs_set_listener(decoder, 0, 0, 0) <= 0);
    do
        given = gs_read(decoder, pcm, stream->info.samples);
    while (given > 0);
    CHECK(given < 0);
    stream->bytes.data[at] ^= 255u;
    free(decoder);
}

static void test(void)
{
    test_stream stream;
    int16_t *pcm;

    test_stream_make(&stream);
    pcm = (int16_t *)malloc(4 * stream.info.samples * sizeof *pcm);
    CHECK(pcm);
    check_refusals(&stream, pcm);
    check_reading(&stream, pcm, pcm + 2 * stream.info.samples);
    check_budget_and_loop(&stream, pcm);
    check_damage(&stream, pcm);
    free(pcm);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 60, test);
}
