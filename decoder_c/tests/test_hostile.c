/* Damaged and malicious streams: nothing out of bounds, nothing endless, every good sample before the damage. */
#include "gs_test.h"

/* Reads all there is; the samples must be those of `pcm` while it lasts. Returns the error or 0. */
static int read_all(gs_decoder *decoder, const int16_t *pcm, uint32_t most, uint32_t *read)
{
    uint32_t at = 0;

    for (;;) {
        int16_t block[200];
        int32_t given = gs_read(decoder, block, 200);
        if (read)
            *read = at;
        if (given <= 0) {
            CHECK(gs_read(decoder, block, 200) == given);
            return given;
        }
        CHECK(given <= 200);
        if (pcm)
            CHECK(memcmp(block, pcm + at, (size_t)given * sizeof *block) == 0);
        at += (uint32_t)given;
        if (at >= most)
            return GS_OK;
    }
}

static gs_decoder *open_bytes(void *memory, size_t room, const test_bytes *bytes, uint32_t count, int *error)
{
    gs_decoder *decoder = NULL;

    *error = gs_open_memory(memory, room, bytes->data, count, &decoder);
    CHECK((*error == GS_OK) == (decoder != NULL));
    return decoder;
}

static int is_damage(int error)
{
    return error == GS_ERR_TRUNCATED || error == GS_ERR_CORRUPT || error == GS_ERR_CRC;
}

static void test_truncated(const test_stream *stream, void *memory, size_t room)
{
    uint32_t step = 1 + stream->bytes.count / 150;
    uint32_t most = 0;
    uint32_t count;

    for (count = test_random(step); count < stream->bytes.count; count += step) {
        int error;
        uint32_t read = 0;
        gs_decoder *decoder = open_bytes(memory, room, &stream->bytes, count, &error);
        if (decoder) {
            error = read_all(decoder, stream->pcm, 0x7FFFFFFF, &read);
            CHECK(gs_tell(decoder) == read && read >= most);
            CHECK(gs_check(decoder) == GS_ERR_TRUNCATED);
            CHECK(gs_seek(decoder, test_random(stream->info.samples)) <= 0);
            most = read;
        }
        CHECK(error == GS_ERR_TRUNCATED);
    }
}

static void test_flipped(test_stream *stream, void *memory, size_t room)
{
    uint32_t flips;

    for (flips = 0; flips < 60; flips++) {
        uint32_t bit = test_random(stream->bytes.count * 8);
        uint8_t *at = &stream->bytes.data[bit / 8];
        int error;
        gs_decoder *decoder;
        *at ^= (uint8_t)(1u << bit % 8);
        decoder = open_bytes(memory, room, &stream->bytes, stream->bytes.count, &error);
        if (decoder) {
            error = read_all(decoder, NULL, 0x7FFFFFFF, NULL);
            CHECK(is_damage(error));
            CHECK(is_damage(gs_check(decoder)));
            (void)gs_set_budget(decoder, test_random(200));
            (void)gs_set_pitch(decoder, GS_LOWEST_PITCH + test_random(GS_HIGHEST_PITCH - GS_LOWEST_PITCH + 1));
            (void)gs_set_mute(decoder, test_random(GS_MUTE_ALL + 1), 0, test_random(2000));
            (void)gs_set_tempo(decoder, GS_LOWEST_TEMPO + test_random(GS_HIGHEST_TEMPO - GS_LOWEST_TEMPO + 1));
            if (test_random(2))
                (void)gs_set_rate(decoder, GS_LOWEST_RATE + test_random(GS_HIGHEST_RATE - GS_LOWEST_RATE + 1));
            (void)gs_seek(decoder, test_random(stream->info.samples + 1));
            (void)read_all(decoder, NULL, 1000, NULL);
        } else {
            CHECK(is_damage(error) || error == GS_ERR_VERSION);
        }
        *at ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_extended(test_stream *stream, void *memory, size_t room)
{
    int error;
    gs_decoder *decoder;

    test_append(&stream->bytes, 0);
    decoder = open_bytes(memory, room, &stream->bytes, stream->bytes.count, &error);
    CHECK(decoder);
    CHECK(read_all(decoder, stream->pcm, 0x7FFFFFFF, NULL) == GS_ERR_CORRUPT);
    stream->bytes.count--;
}

/* A segment that goes on after its last slot, checksum and all. */
static void test_padded(const test_stream *stream, void *memory, size_t room)
{
    test_bytes data = {0};
    test_bytes bytes = {0};
    gs_input input;
    gs_decoder *decoder;
    uint32_t i;
    int error;

    if (stream->info.seek_slots != 0)
        return;
    gs_input_open(&input, stream->bytes.data, NULL, NULL, stream->bytes.count);
    input.offset = stream->info.header_bytes;
    (void)gs_input_varint(&input);
    (void)gs_input_number(&input, 4);
    for (i = input.offset; i < stream->bytes.count; i++)
        test_append(&data, stream->bytes.data[i]);
    for (i = 0; i < 5; i++)
        test_append(&data, 0);
    test_append_header(&bytes, &stream->info);
    test_append_segment(&bytes, &data);
    decoder = open_bytes(memory, room, &bytes, bytes.count, &error);
    CHECK(decoder);
    CHECK(read_all(decoder, stream->pcm, 0x7FFFFFFF, NULL) == GS_ERR_CORRUPT);
    CHECK(gs_check(decoder) == GS_ERR_CORRUPT);
    free(data.data);
    free(bytes.data);
}

/* A valid header, valid checksums, and garbage for Gaussians. */
static void test_garbage(const test_stream *stream, void *memory, size_t room)
{
    gs_info info = stream->info;
    test_bytes bytes = {0};
    uint32_t segments = 1 + test_random(5);
    gs_decoder *decoder;
    int error;

    info.samples = test_random(2) ? 0x7FFFFFFF : info.samples;
    info.has_loop = 0;
    test_append_header(&bytes, &info);
    while (segments-- > 0) {
        test_bytes data = {0};
        uint32_t count = test_random(200);
        uint32_t bias = test_random(3);
        for (; count > 0; count--)
            test_append(&data, bias == 0 ? test_random(256) : bias == 1 ? 0 : 255);
        test_append_segment(&bytes, &data);
        free(data.data);
    }
    decoder = open_bytes(memory, room, &bytes, bytes.count, &error);
    CHECK(decoder);
    (void)read_all(decoder, NULL, 20000, NULL);
    (void)gs_check(decoder);
    (void)gs_seek(decoder, test_random(info.samples));
    (void)read_all(decoder, NULL, 1000, NULL);
    (void)gs_seek(decoder, info.samples - 1);
    (void)read_all(decoder, NULL, 1000, NULL);
    free(bytes.data);
}

/* max_tones or max_noises lowered by one below what the stream needs. */
static void test_overfull(const test_stream *stream, uint32_t kind, void *memory, size_t room)
{
    gs_info info = stream->info;
    test_bytes bytes = {0};
    uint32_t most = 0;
    uint32_t i;
    uint32_t j;
    gs_decoder *decoder;
    int error;

    for (i = 0; i < stream->count; i++) {
        const uint32_t slot = test_onset(&stream->gaussians[i]) >> info.slot_log2;
        const uint32_t start = slot << info.slot_log2;
        uint32_t held = 1;
        if (stream->gaussians[i].kind != kind)
            continue;
        for (j = 0; j < i; j++) {
            const gs_gaussian *other = &stream->gaussians[j];
            /* Before sample 0 a decoder does not hold what it will not play. */
            held += other->kind == kind && (test_onset(other) >> info.slot_log2 == slot ||
                                            test_end(&info, other) > (start > GS_TIME_ZERO ? start : GS_TIME_ZERO));
        }
        if (held > most)
            most = held;
    }
    if (most < 2)
        return;
    if (kind == GS_NOISE)
        info.decoder_class.max_noises = (uint8_t)(most - 1);
    else
        info.decoder_class.max_tones = (uint16_t)(most - 1);
    test_append_header(&bytes, &info);
    for (i = stream->info.header_bytes; i < stream->bytes.count; i++)
        test_append(&bytes, stream->bytes.data[i]);
    decoder = open_bytes(memory, room, &bytes, bytes.count, &error);
    CHECK(decoder);
    CHECK(gs_check(decoder) == GS_ERR_CORRUPT);
    free(bytes.data);
}

static void test(void)
{
    test_stream stream;
    size_t room;
    void *memory;

    test_stream_make(&stream);
    room = gs_playback_size(&stream.info.decoder_class);
    memory = malloc(room);
    CHECK(memory);
    test_truncated(&stream, memory, room);
    test_flipped(&stream, memory, room);
    test_extended(&stream, memory, room);
    test_padded(&stream, memory, room);
    test_garbage(&stream, memory, room);
    test_overfull(&stream, GS_TONE, memory, room);
    test_overfull(&stream, GS_NOISE, memory, room);
    free(memory);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 60, test);
}
