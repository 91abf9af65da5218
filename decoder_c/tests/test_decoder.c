/* The whole decoder on streams of random legal decisions: what it gives does not depend on how it is asked. */
#include "gs_test.h"

static void check_reads(const test_stream *stream, gs_decoder *decoder, uint32_t from, uint32_t most)
{
    int16_t *pcm = (int16_t *)malloc((most + 1) * sizeof *pcm);
    uint32_t at = from;

    CHECK(pcm);
    for (;;) {
        uint32_t wanted = 1 + test_random(most);
        int32_t given;
        pcm[wanted] = 12345;
        given = gs_read(decoder, pcm, wanted);
        CHECK(given >= 0 && (uint32_t)given <= wanted && pcm[wanted] == 12345);
        CHECK(memcmp(pcm, stream->pcm + at, (size_t)given * sizeof *pcm) == 0);
        at += (uint32_t)given;
        CHECK(gs_tell(decoder) == at);
        if ((uint32_t)given < wanted)
            break;
    }
    CHECK(at == stream->info.samples);
    CHECK(gs_read(decoder, pcm, most) == 0);
    free(pcm);
}

static void check_loop(const test_stream *stream, gs_decoder *decoder)
{
    uint32_t at = test_random(stream->info.loop_end);
    int i;

    CHECK(gs_seek(decoder, at) == GS_OK);
    CHECK(gs_set_loop(decoder, 1) == GS_OK);
    for (i = 0; i < 50; i++) {
        int16_t pcm[100];
        uint32_t wanted = 1 + test_random(100);
        uint32_t j;
        CHECK(gs_read(decoder, pcm, wanted) == (int32_t)wanted);
        for (j = 0; j < wanted; j++) {
            if (at == stream->info.loop_end)
                at = stream->info.loop_start;
            CHECK(pcm[j] == stream->pcm[at]);
            at++;
        }
    }
    CHECK(gs_set_loop(decoder, 0) == GS_OK);
    CHECK(gs_tell(decoder) == at);
    check_reads(stream, decoder, at, 1000);
    CHECK(gs_rewind(decoder) == GS_OK);
}

static void check_copy(const test_stream *stream, gs_decoder *decoder)
{
    size_t bytes = test_room(&stream->info);
    uint32_t at = test_random(stream->info.samples + 1);
    void *memory = malloc(bytes);

    CHECK(memory);
    CHECK(gs_seek(decoder, at) == GS_OK);
    memcpy(memory, decoder, bytes);
    check_reads(stream, decoder, at, 500);
    check_reads(stream, (gs_decoder *)memory, at, 500);
    free(memory);
}

enum { NO_BYTE = 0x7FFFFFFF };

typedef struct storage {
    const test_stream *stream;
    uint32_t fails_in_1024;
    uint32_t fails_at; /* the byte that cannot be read */
} storage;

static int read_storage(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    const storage *from = (const storage *)user;

    CHECK(bytes >= 1 && bytes <= 64 && offset < from->stream->bytes.count &&
          bytes <= from->stream->bytes.count - offset);
    if (test_random(1024) < from->fails_in_1024 || from->fails_at - offset < bytes)
        return (int)test_random(bytes + 1) - 1;
    memcpy(buffer, from->stream->bytes.data + offset, bytes);
    return (int)bytes;
}

static void check_callback(const test_stream *stream)
{
    size_t bytes = test_room(&stream->info);
    void *memory = malloc(bytes);
    storage from;
    gs_decoder *decoder;
    gs_info info;
    uint32_t at = 0;
    int error;
    int failures;

    CHECK(memory);
    from.stream = stream;
    from.fails_in_1024 = 0;
    from.fails_at = NO_BYTE;
    CHECK(gs_info_from_callback(read_storage, &from, stream->bytes.count, &info) == GS_OK);
    CHECK(info.samples == stream->info.samples);
    CHECK(gs_open_callback(memory, bytes, read_storage, &from, stream->bytes.count, &decoder) == GS_OK);
    check_reads(stream, decoder, 0, 700);

    from.fails_in_1024 = 100;
    do
        error = gs_open_callback(memory, bytes, read_storage, &from, stream->bytes.count, &decoder);
    while (error == GS_ERR_IO);
    CHECK(error == GS_OK);
    for (failures = 0; at < stream->info.samples && failures <= 50;) {
        int16_t pcm[64];
        int32_t given = gs_read(decoder, pcm, 64);
        if (given >= 0) {
            CHECK(given > 0);
            CHECK(memcmp(pcm, stream->pcm + at, (size_t)given * sizeof *pcm) == 0);
            at += (uint32_t)given;
        } else {
            CHECK(given == GS_ERR_IO);
            CHECK(gs_read(decoder, pcm, 1) == GS_ERR_IO);
            CHECK(gs_tell(decoder) == at);
            while ((error = gs_seek(decoder, at)) != GS_OK) {
                CHECK(error == GS_ERR_IO);
                if (++failures == 50)
                    from.fails_in_1024 = 0;
            }
        }
    }
    CHECK(at == stream->info.samples);
    free(memory);
}

/* A storage that cannot read one byte, whichever it is: the samples before it play, the error says what it was, and when
 * the storage has recovered the rest plays too. */
static void check_failure_at(const test_stream *stream, uint32_t byte, void *memory, size_t bytes)
{
    storage from;
    gs_decoder *decoder;
    int16_t pcm[512];
    uint32_t at = 0;
    int32_t given;
    int error;

    from.stream = stream;
    from.fails_in_1024 = 0;
    from.fails_at = byte;
    error = gs_open_callback(memory, bytes, read_storage, &from, stream->bytes.count, &decoder);
    CHECK(error == GS_ERR_IO || error == GS_OK);
    if (error) {
        from.fails_at = NO_BYTE;
        CHECK(gs_open_callback(memory, bytes, read_storage, &from, stream->bytes.count, &decoder) == GS_OK);
    } else {
        while ((given = gs_read(decoder, pcm, 512)) > 0) {
            CHECK(memcmp(pcm, stream->pcm + at, (size_t)given * sizeof *pcm) == 0);
            at += (uint32_t)given;
        }
        CHECK(given == GS_ERR_IO && gs_read(decoder, pcm, 1) == GS_ERR_IO && gs_tell(decoder) == at);
        CHECK(gs_check(decoder) == GS_ERR_IO);
        from.fails_at = NO_BYTE;
        CHECK(gs_seek(decoder, at) == GS_OK);
    }
    given = gs_read(decoder, pcm, 512);
    CHECK(given > 0 && memcmp(pcm, stream->pcm + at, (size_t)given * sizeof *pcm) == 0);
}

static void check_failure_anywhere(const test_stream *stream)
{
    /* At every byte of small streams, in some places of others. */
    uint32_t step = stream->bytes.count < 200 ? 1 : 1 + stream->bytes.count / 7;
    size_t bytes = test_room(&stream->info);
    void *memory = malloc(bytes);
    uint32_t byte;

    CHECK(memory);
    for (byte = 0; byte < stream->bytes.count; byte += step)
        check_failure_at(stream, byte, memory, bytes);
    free(memory);
}

static void check_info(const test_stream *stream)
{
    gs_info info;

    memset(&info, 0x5A, sizeof info);
    CHECK(gs_info_from_memory(stream->bytes.data, stream->bytes.count, &info) == GS_OK);
    CHECK(info.sample_rate == stream->info.sample_rate && info.samples == stream->info.samples);
    CHECK(info.loop_start == stream->info.loop_start && info.loop_end == stream->info.loop_end);
    CHECK(info.has_loop == stream->info.has_loop && info.seek_slots == stream->info.seek_slots);
    CHECK(info.peak_macs == stream->info.peak_macs &&
          info.decoder_class.max_tones == stream->info.decoder_class.max_tones);
    CHECK(info.header_bytes == stream->info.header_bytes && info.slot_samples == stream->info.slot_samples);
    CHECK(info.slot_log2 == stream->info.slot_log2 && info.amplitude_step == stream->info.amplitude_step);
    CHECK(info.output_shift == stream->info.output_shift && info.kinds == stream->info.kinds &&
          info.decoder_class.channels == 1);
    CHECK(info.smallest_scale == stream->info.smallest_scale &&
          info.decoder_class.scales == stream->info.decoder_class.scales);
    CHECK(info.table_set == stream->info.table_set);
    CHECK(info.decoder_class.noise_frame_log2 == stream->info.decoder_class.noise_frame_log2 &&
          info.noise_shift == stream->info.noise_shift);
    CHECK(info.noise_base == stream->info.noise_base &&
          info.decoder_class.max_noises == stream->info.decoder_class.max_noises);
}

static void test(void)
{
    test_stream stream;
    gs_decoder *decoder;
    gs_coder_state first;
    gs_coder_state second;
    int i;

    test_stream_make(&stream);
    check_info(&stream);
    decoder = test_open(&stream);
    check_reads(&stream, decoder, 0, stream.info.samples + 1);
    gs_get_coder_state(decoder, &first);
    CHECK(first.slot == (int32_t)((stream.info.samples - 1) >> stream.info.slot_log2));
    CHECK(gs_rewind(decoder) == GS_OK);
    check_reads(&stream, decoder, 0, 100);
    CHECK(gs_check(decoder) == GS_OK);
    CHECK(gs_tell(decoder) == 0);
    check_reads(&stream, decoder, 0, 1000);
    gs_get_coder_state(decoder, &second);
    CHECK(memcmp(&first, &second, sizeof first) == 0);
    for (i = 0; i < 5; i++) {
        uint32_t at = test_random(stream.info.samples + 1);
        CHECK(gs_seek(decoder, at) == GS_OK);
        CHECK(gs_tell(decoder) == at);
        check_reads(&stream, decoder, at, 1 + test_random(2000));
    }
    if (stream.info.loop_end - stream.info.loop_start >= GS_SHORTEST_LOOP)
        check_loop(&stream, decoder);
    else
        CHECK(gs_set_loop(decoder, 1) == GS_ERR_ARGUMENT);
    check_copy(&stream, decoder);
    check_callback(&stream);
    check_failure_anywhere(&stream);
    free(decoder);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 200, test);
}
