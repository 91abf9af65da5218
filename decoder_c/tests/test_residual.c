/* SPEC 8: streams with a residual layer whose segments are random bytes, which the decoder takes for what its contexts
 * find likely, each cut where the decoder has read it: that samples depend neither on how many are asked for nor on where
 * reading began. tests/codec holds them against the reference decoder. */
#include "gs_test.h"

#define SAMPLES 20000u
#define SEGMENT_BYTES 20000u

/* How many bytes of its segment a decoder has read when it has decoded all that is sound. */
static uint32_t bytes_read(const test_bytes *bytes, const gs_info *info)
{
    size_t room = gs_decoder_size(&info->decoder_class);
    void *memory = malloc(room);
    gs_decoder *decoder = NULL;
    gs_coder_state state;

    CHECK(memory && gs_open_memory(memory, room, bytes->data, bytes->count, &decoder) == GS_OK);
    (void)gs_check(decoder);
    gs_get_coder_state(decoder, &state);
    free(memory);
    return state.bytes_read;
}

static void append_segment(test_bytes *bytes, const gs_info *info)
{
    test_bytes data = {0};
    uint32_t start = bytes->count;
    uint32_t i;

    for (i = 0; i < SEGMENT_BYTES; i++)
        test_append(&data, test_random(256));
    test_append_segment(bytes, &data);
    data.count = bytes_read(bytes, info);
    CHECK(data.count < SEGMENT_BYTES);
    bytes->count = start;
    test_append_segment(bytes, &data);
    free(data.data);
}

static void make_stream(test_bytes *bytes)
{
    gs_info info;
    uint32_t segments = 1;
    uint32_t i;

    memset(&info, 0, sizeof info);
    info.sample_rate = 4000 + test_random(92001);
    info.samples = SAMPLES;
    info.decoder_class.noise_frame_log2 = (uint8_t)(6 + test_random(test_random(2) ? 1 : 4));
    info.slot_log2 = (uint8_t)(info.decoder_class.noise_frame_log2 + test_random(3));
    info.smallest_scale = (uint8_t)test_random(4);
    info.decoder_class.scales = (uint8_t)(1 + test_random(5));
    info.decoder_class.max_tones = 4096;
    info.decoder_class.max_noises = 255;
    info.amplitude_step = (uint16_t)(1 + test_random(2047));
    info.output_shift = (uint8_t)test_random(12);
    info.decoder_class.channels = 1;
    info.kinds = 3u | 1u << GS_RESIDUAL_BIT;
    info.table_set = (uint8_t)test_random(3);
    info.peak_macs = 100000; /* more than any takes */
    info.noise_shift = (uint8_t)(1 + test_random(15));
    info.noise_base = (int8_t)((int32_t)test_random(30) - 5);
    info.seek_slots = test_random(2) ? 0 : (1 + test_random(6)) << (11 - gs_least(info.slot_log2, 11));
    for (i = 0; i < sizeof info.residual; i++)
        info.residual[i] = (uint8_t)test_random(256);
    info.residual[0] = (uint8_t)test_random(120);
    info.residual[2] = (uint8_t)(test_random(8) << 5 | test_random(27));
    test_append_header(bytes, &info);
    CHECK(gs_info_from_memory(bytes->data, bytes->count, &info) == GS_OK && info.decoder_class.residual == 1);
    if (info.seek_slots)
        segments = ((SAMPLES - 1) >> info.slot_log2) / info.seek_slots + 1;
    for (; segments > 0; segments--)
        append_segment(bytes, &info);
}

/* In pieces of up to `most` samples. */
static uint32_t read_in_pieces(gs_decoder *decoder, int16_t *pcm, uint32_t most, int32_t *error)
{
    uint32_t count = 0;

    do {
        *error = gs_read(decoder, pcm + count, most > 1 ? 1 + test_random(most) : SAMPLES);
        if (*error > 0)
            count += (uint32_t)*error;
    } while (*error > 0);
    CHECK(count <= SAMPLES && gs_tell(decoder) == count);
    return count;
}

static void test(void)
{
    static int16_t whole[SAMPLES];
    static int16_t pieces[2 * SAMPLES];
    test_bytes bytes = {0};
    gs_info info;
    gs_decoder *decoder;
    uint8_t *memory;
    uint8_t *copy;
    size_t room;
    uint32_t count;
    int32_t error;
    int32_t again;
    int run;

    make_stream(&bytes);
    CHECK(gs_info_from_memory(bytes.data, bytes.count, &info) == GS_OK);
    room = gs_decoder_size(&info.decoder_class);
    memory = (uint8_t *)malloc(room);
    copy = (uint8_t *)malloc(room);
    CHECK(memory && copy);
    memset(memory, 0xA5, room);
    CHECK(gs_open_memory(memory, room - 1, bytes.data, bytes.count, &decoder) == GS_ERR_MEMORY);
    CHECK(gs_open_memory(memory, room, bytes.data, bytes.count, &decoder) == GS_OK);
    count = read_in_pieces(decoder, whole, 1, &error);
    CHECK(gs_rewind(decoder) == GS_OK || count == 0);
    if (count > 0) {
        CHECK(read_in_pieces(decoder, pieces, 700, &again) == count && again == error);
        CHECK(memcmp(whole, pieces, count * sizeof *whole) == 0);
    }
    CHECK((gs_check(decoder) == GS_OK) == (error == GS_OK));
    for (run = 0; run < 8 && count > 0; run++) {
        uint32_t start = test_random(count);
        uint32_t most = count - start < 600 ? count - start : 600;
        CHECK(gs_seek(decoder, start) == GS_OK);
        CHECK(gs_read(decoder, pieces, most) == (int32_t)most);
        CHECK(memcmp(whole + start, pieces, most * sizeof *whole) == 0);
        memcpy(copy, memory, room);
        CHECK(gs_read(decoder, pieces, 200) == gs_read((gs_decoder *)(void *)copy, pieces + SAMPLES, 200));
        CHECK(gs_tell(decoder) - start - most > 200 ||
              memcmp(pieces, pieces + SAMPLES, (gs_tell(decoder) - start - most) * sizeof *pieces) == 0);
    }
    free(memory);
    free(copy);
    free(bytes.data);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 60, test);
}
