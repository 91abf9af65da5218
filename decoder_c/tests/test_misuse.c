/* Wrong calls get GS_ERR_ARGUMENT or GS_ERR_MEMORY and change nothing. */
#include "gs_test.h"

static int refuse(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    (void)user;
    (void)offset;
    (void)buffer;
    (void)bytes;
    return -1;
}

static int give_too_much(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    (void)user;
    (void)offset;
    (void)buffer;
    return (int)bytes + 1;
}

static void test_calls(void)
{
    test_stream stream;
    size_t room;
    uint8_t *memory;
    gs_decoder *decoder = NULL;
    gs_info info;
    gs_coder_state state;
    int16_t pcm[4] = {1, 2, 3, 4};
    const void *bytes;
    uint32_t count;

    test_stream_make(&stream);
    bytes = stream.bytes.data;
    count = stream.bytes.count;
    room = test_room(&stream.info);
    memory = (uint8_t *)malloc(room + 1);
    CHECK(memory);

    CHECK(gs_info_from_memory(NULL, count, &info) == GS_ERR_ARGUMENT);
    CHECK(gs_info_from_memory(bytes, count, NULL) == GS_ERR_ARGUMENT);
    CHECK(gs_info_from_memory(bytes, 0, &info) == GS_ERR_TRUNCATED);
    CHECK(gs_info_from_callback(NULL, NULL, count, &info) == GS_ERR_ARGUMENT);
    CHECK(gs_info_from_callback(refuse, NULL, count, &info) == GS_ERR_IO);
    CHECK(gs_info_from_callback(give_too_much, NULL, count, &info) == GS_ERR_IO);
    CHECK(gs_open_memory(NULL, room, bytes, count, &decoder) == GS_ERR_ARGUMENT);
    CHECK(gs_open_memory(memory, room, NULL, count, &decoder) == GS_ERR_ARGUMENT);
    CHECK(gs_open_memory(memory, room, bytes, count, NULL) == GS_ERR_ARGUMENT);
    CHECK(gs_open_callback(memory, room, NULL, NULL, count, &decoder) == GS_ERR_ARGUMENT);
    CHECK(gs_open_callback(memory, room, refuse, NULL, count, &decoder) == GS_ERR_IO);
    CHECK(gs_open_memory(memory, room - 1, bytes, count, &decoder) == GS_ERR_MEMORY);
    CHECK(gs_open_memory(memory, 0, bytes, count, &decoder) == GS_ERR_MEMORY);
    CHECK(gs_open_memory(memory + 1, room, bytes, count, &decoder) == GS_ERR_MEMORY);
    CHECK(decoder == NULL);
    CHECK(gs_read(NULL, pcm, 4) == GS_ERR_ARGUMENT);
    CHECK(gs_seek(NULL, 0) == GS_ERR_ARGUMENT);
    CHECK(gs_rewind(NULL) == GS_ERR_ARGUMENT);
    CHECK(gs_set_loop(NULL, 1) == GS_ERR_ARGUMENT);
    CHECK(gs_set_budget(NULL, 1) == GS_ERR_ARGUMENT);
    CHECK(gs_check(NULL) == GS_ERR_ARGUMENT);
    CHECK(gs_tell(NULL) == 0);
    gs_get_info(NULL, &info);
    gs_get_coder_state(NULL, &state);

    CHECK(gs_open_memory(memory, room, bytes, count, &decoder) == GS_OK);
    CHECK((void *)decoder == (void *)memory);
    gs_get_info(decoder, NULL);
    gs_get_coder_state(decoder, NULL);
    gs_get_coder_state(decoder, &state);
    CHECK(state.range == 0 && state.code == 0 && state.bytes_read == 0 && state.held == 0);
    CHECK(gs_read(decoder, NULL, 4) == GS_ERR_ARGUMENT);
    CHECK(gs_read(decoder, pcm, 0x80000000u) == GS_ERR_ARGUMENT);
    CHECK(gs_read(decoder, NULL, 0) == 0);
    CHECK(gs_seek(decoder, stream.info.samples + 1) == GS_ERR_ARGUMENT);
    CHECK(gs_tell(decoder) == 0);
    CHECK(gs_read(decoder, pcm, 1) == 1 && pcm[0] == stream.pcm[0] && pcm[1] == 2);
    CHECK(gs_seek(decoder, stream.info.samples) == GS_OK && gs_read(decoder, pcm, 4) == 0);
    gs_get_info(decoder, &info);
    CHECK(info.samples == stream.info.samples && info.header_bytes == stream.info.header_bytes);
    free(memory);
    test_stream_free(&stream);
}

/* Whether a decoder is what it was, given its memory then; what a structure has between its members does not count. */
static int is_unchanged(const uint8_t *before, const gs_decoder *decoder, size_t room)
{
    const uint8_t *memory = (const uint8_t *)(const void *)decoder;
    test_bytes headers[2] = {{0}, {0}};
    gs_info info[2];
    int is_same;

    memcpy(&info[0], before, sizeof info[0]);
    gs_get_info(decoder, &info[1]);
    test_append_header(&headers[0], &info[0]);
    test_append_header(&headers[1], &info[1]);
    is_same = headers[0].count == headers[1].count && memcmp(headers[0].data, headers[1].data, headers[0].count) == 0 &&
              memcmp(before + sizeof *info, memory + sizeof *info, room - sizeof *info) == 0;
    free(headers[0].data);
    free(headers[1].data);
    return is_same;
}

/* A refused gs_open_* leaves the memory as it was, so that a decoder which lies there goes on as if nothing happened. */
static void test_refused_opens(void)
{
    test_stream stream;
    test_bytes damaged = {0};
    test_bytes larger = {0};
    gs_info info;
    size_t room;
    uint8_t *memory;
    uint8_t *before;
    gs_decoder *decoder = NULL;
    gs_decoder *opened;
    int16_t pcm[64];
    int32_t given;
    uint32_t at = 0;
    uint32_t i;

    test_stream_make(&stream);
    room = test_room(&stream.info);
    memory = (uint8_t *)malloc(room);
    before = (uint8_t *)malloc(room);
    CHECK(memory && before);
    memset(memory, 0x5A, room); /* all of it is compared below, what a decoder has not written yet too */
    CHECK(gs_open_memory(memory, room, stream.bytes.data, stream.bytes.count, &decoder) == GS_OK);
    opened = decoder;

    /* Other classes on purpose: what a header says of them must not become the old decoder's. */
    info = stream.info;
    info.decoder_class.max_tones = 4096;
    info.samples = 0x7FFFFFFF;
    test_append_header(&larger, &info);
    info.output_shift ^= 1u;
    test_append_header(&damaged, &info);
    damaged.data[damaged.count - 1] ^= 1u;

    do {
        memcpy(before, memory, room);
        for (i = 0; i < damaged.count; i++)
            CHECK(gs_open_memory(memory, room, damaged.data, i, &decoder) == GS_ERR_TRUNCATED);
        CHECK(gs_open_memory(memory, room, damaged.data, damaged.count, &decoder) == GS_ERR_CRC);
        CHECK(gs_open_memory(memory, room, larger.data, larger.count, &decoder) == GS_ERR_MEMORY);
        CHECK(gs_open_memory(memory, room - 1, stream.bytes.data, stream.bytes.count, &decoder) == GS_ERR_MEMORY);
        CHECK(gs_open_callback(memory, room, refuse, NULL, stream.bytes.count, &decoder) == GS_ERR_IO);
        CHECK(gs_open_callback(memory, room, give_too_much, NULL, stream.bytes.count, &decoder) == GS_ERR_IO);
        CHECK(decoder == opened && is_unchanged(before, decoder, room));
        given = gs_read(decoder, pcm, 64);
        CHECK(given >= 0 && memcmp(pcm, stream.pcm + at, (size_t)given * sizeof *pcm) == 0);
        at += (uint32_t)given;
    } while (given > 0);
    CHECK(at == stream.info.samples && gs_rewind(decoder) == GS_OK && gs_check(decoder) == GS_OK);
    free(before);
    free(memory);
    free(larger.data);
    free(damaged.data);
    test_stream_free(&stream);
}

#define TONES_MAX_TONES 7
#define TONES_SCALES 3
#define TONES_MAX_NOISES 0
#define TONES_NOISE_FRAME_LOG2 0
#define TONES_RESIDUAL 0
#define LARGEST_MAX_TONES 4096
#define LARGEST_SCALES 8
#define LARGEST_MAX_NOISES 255
#define LARGEST_NOISE_FRAME_LOG2 9
#define LARGEST_RESIDUAL 1
#define SMALLEST_MAX_TONES 1
#define SMALLEST_SCALES 1
#define SMALLEST_MAX_NOISES 1
#define SMALLEST_NOISE_FRAME_LOG2 5
#define SMALLEST_RESIDUAL 0

/* What gs_decoder_size says of a class. */
static size_t size_of(uint32_t max_tones, uint32_t scales, uint32_t max_noises, uint32_t noise_frame_log2,
                      uint32_t residual)
{
    gs_class decoder_class;

    decoder_class.max_tones = (uint16_t)max_tones;
    decoder_class.scales = (uint8_t)scales;
    decoder_class.max_noises = (uint8_t)max_noises;
    decoder_class.noise_frame_log2 = (uint8_t)noise_frame_log2;
    decoder_class.residual = (uint8_t)residual;
    decoder_class.channels = 1;
    decoder_class.panned = 0;
    return gs_decoder_size(&decoder_class);
}

static void test_sizes(void)
{
    static GS_DECODER_STORAGE(speech, GS_SPEECH);
    static GS_DECODER_STORAGE(tones, TONES);
    static const gs_class speech_class = GS_CLASS(GS_SPEECH);
    static const gs_class tones_class = GS_CLASS(TONES);
    static const gs_class largest = GS_CLASS(LARGEST);
    static const gs_class smallest = GS_CLASS(SMALLEST);
    const size_t room = gs_decoder_size(&speech_class);
    uint32_t frame_log2;

    CHECK(gs_decoder_size(NULL) == 0);
    CHECK(size_of(0, 1, 0, 0, 0) == 0 && size_of(1, 0, 0, 0, 0) == 0);
    CHECK(size_of(4097, 1, 0, 0, 0) == 0 && size_of(1, 9, 0, 0, 0) == 0);
    CHECK(size_of(65535, 255, 0, 0, 0) == 0 && size_of(65535, 255, 255, 255, 255) == 0);
    for (frame_log2 = 0; frame_log2 < 256; frame_log2++) {
        CHECK((size_of(1, 1, 1, frame_log2, 0) != 0) == (frame_log2 >= 5 && frame_log2 <= 9));
        CHECK((size_of(1, 1, 0, frame_log2, 0) != 0) == (frame_log2 == 0));
        CHECK((size_of(1, 1, 1, frame_log2, 1) != 0) == (frame_log2 >= 6 && frame_log2 <= 9));
        CHECK(size_of(1, 1, 0, frame_log2, 1) == 0 && size_of(1, 1, 1, 6, frame_log2) * (frame_log2 > 1) == 0);
    }
    CHECK(gs_decoder_size(&largest) == GS_DECODER_BYTES(LARGEST));
    CHECK(gs_decoder_size(&smallest) == GS_DECODER_BYTES(SMALLEST));
    CHECK(gs_decoder_size(&tones_class) == GS_DECODER_BYTES(TONES));
    CHECK(room == GS_DECODER_BYTES(GS_SPEECH));
    CHECK(sizeof tones >= GS_DECODER_BYTES(TONES) && sizeof tones < GS_DECODER_BYTES(TONES) + sizeof(void *));
    CHECK(sizeof speech >= room && sizeof speech < room + sizeof(void *));
}

static void test_strings(void)
{
    int error;

    for (error = 1; error >= GS_ERR_COST - 1; error--) {
        CHECK(gs_error_string(error) != NULL);
#ifdef GS_NO_ERROR_STRINGS
        CHECK(gs_error_string(error)[0] == 0);
#else
        CHECK(gs_error_string(error)[0] != 0);
        CHECK((strcmp(gs_error_string(error), "unknown error") == 0) == (error > 0 || error < GS_ERR_COST));
#endif
    }
}

static void test(void)
{
    test_calls();
    test_refused_opens();
}

int main(int argc, char **argv)
{
    test_sizes();
    test_strings();
    return test_seeds(argc, argv, 20, test);
}
