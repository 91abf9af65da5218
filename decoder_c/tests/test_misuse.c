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

static void test(void)
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

static void test_sizes(void)
{
    static GS_DECODER_STORAGE(speech, GS_SPEECH_ACTIVE, GS_SPEECH_SCALES, GS_SPEECH_NOISE, GS_SPEECH_NOISE_FRAME);
    static GS_DECODER_STORAGE(tones, 7, 3, 0, 0);
    const size_t room = gs_decoder_size(GS_SPEECH_ACTIVE, GS_SPEECH_SCALES, GS_SPEECH_NOISE, GS_SPEECH_NOISE_FRAME);
    uint32_t frame;

    CHECK(gs_decoder_size(0, 1, 0, 0) == 0 && gs_decoder_size(1, 0, 0, 0) == 0);
    CHECK(gs_decoder_size(4097, 1, 0, 0) == 0 && gs_decoder_size(1, 9, 0, 0) == 0);
    CHECK(gs_decoder_size(0xFFFFFFFFu, 0xFFFFFFFFu, 0, 0) == 0);
    CHECK(gs_decoder_size(1, 1, 256, 128) == 0 && gs_decoder_size(1, 1, 0xFFFFFFFFu, 0xFFFFFFFFu) == 0);
    for (frame = 0; frame <= 2048; frame++) {
        int is_legal = frame == 32 || frame == 64 || frame == 128 || frame == 256 || frame == 512;
        CHECK((gs_decoder_size(1, 1, 1, frame) != 0) == is_legal);
        CHECK((gs_decoder_size(1, 1, 0, frame) != 0) == (frame == 0));
    }
    CHECK(gs_decoder_size(4096, 8, 0, 0) == GS_DECODER_BYTES(4096, 8, 0, 0));
    CHECK(gs_decoder_size(4096, 8, 255, 512) == GS_DECODER_BYTES(4096, 8, 255, 512));
    CHECK(gs_decoder_size(1, 1, 0, 0) == GS_DECODER_BYTES(1, 1, 0, 0));
    CHECK(gs_decoder_size(1, 1, 1, 32) == GS_DECODER_BYTES(1, 1, 1, 32));
    CHECK(sizeof tones >= gs_decoder_size(7, 3, 0, 0) && sizeof tones < gs_decoder_size(7, 3, 0, 0) + sizeof(void *));
    CHECK(sizeof speech >= room && sizeof speech < room + sizeof(void *));
}

static void test_strings(void)
{
    int error;

    for (error = 1; error >= GS_ERR_IO - 1; error--) {
        CHECK(gs_error_string(error) != NULL);
#ifdef GS_NO_ERROR_STRINGS
        CHECK(gs_error_string(error)[0] == 0);
#else
        CHECK(gs_error_string(error)[0] != 0);
        CHECK((strcmp(gs_error_string(error), "unknown error") == 0) == (error > 0 || error < GS_ERR_IO));
#endif
    }
}

int main(int argc, char **argv)
{
    test_sizes();
    test_strings();
    return test_seeds(argc, argv, 20, test);
}
