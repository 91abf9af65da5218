/* A fuzzer's input: SCRIPT_BYTES of what to do with a decoder, then a stream. Whatever both are, the decoder stays within
 * its memory and its promises; what is broken aborts. With libFuzzer (fuzz.sh), or file by file (replay.c). */
#include <stdlib.h>
#include <string.h>

#include "gs_container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SCRIPT_BYTES 32u
#define MOST_SAMPLES 1024u /* of a read */

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

/* The stream as a callback gives it, until it fails. */
typedef struct source {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t calls_left; /* UINT32_MAX: never fails */
} source;

static int give(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    source *from = (source *)user;

    MUST(bytes >= 1 && bytes <= 64 && offset <= from->size && bytes <= from->size - offset);
    if (from->calls_left == 0)
        return -1;
    if (from->calls_left != UINT32_MAX)
        from->calls_left--;
    memcpy(buffer, from->bytes + offset, bytes);
    return (int)bytes;
}

static uint32_t crc_of(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = GS_CRC_START;

    for (; count > 0; count--)
        crc = gs_crc_byte(crc, *bytes++);
    return ~crc;
}

/* Makes checksums right, so that what a fuzzer changes gets past them. */
static void repair(uint8_t *stream, uint32_t size)
{
    gs_input input;
    gs_info info;

    memset(&info, 0, sizeof info);
    gs_input_open(&input, stream, NULL, NULL, size);
    (void)gs_header_read(&input, &info);
    if (info.header_bytes < 2 || input.error)
        return;
    {
        uint32_t crc = crc_of(stream, info.header_bytes - 2);
        stream[info.header_bytes - 2] = (uint8_t)crc;
        stream[info.header_bytes - 1] = (uint8_t)(crc >> 8);
    }
    while (input.offset < size) {
        uint32_t bytes = gs_input_varint(&input);
        uint32_t at = input.offset;
        uint32_t crc;
        (void)gs_input_number(&input, 4);
        if (input.error)
            return;
        bytes = bytes < size - input.offset ? bytes : size - input.offset;
        crc = crc_of(stream + input.offset, bytes);
        for (input.offset += bytes; at < input.offset - bytes; at++, crc >>= 8)
            stream[at] = (uint8_t)crc;
    }
}

typedef struct session {
    const uint8_t *stream;
    uint32_t size;
    source from;
    int through_callback;
    gs_info info;
    size_t room;
    void *memory; /* where the decoder lives */
    void *other;  /* as large */
    gs_decoder *decoder;
} session;

static uint32_t place_in(const session *s, uint32_t part)
{
    return (uint32_t)((uint64_t)s->info.samples * part >> 8);
}

/* A copy is a second decoder at the same place: both give the same, and one stays if the other goes on. */
static void read_twice(session *s, uint32_t count)
{
    static int16_t first[MOST_SAMPLES];
    static int16_t second[MOST_SAMPLES];
    source before = s->from;
    gs_decoder *copy = (gs_decoder *)s->other;
    uint32_t position = gs_tell(s->decoder);
    int32_t given;
    int32_t again;
    void *kept;

    memcpy(s->other, s->memory, s->room);
    given = gs_read(s->decoder, first, count);
    MUST(gs_tell(copy) == position);
    s->from = before;
    again = gs_read(copy, second, count);
    MUST(given == again && given <= (int32_t)count);
    if (given > 0)
        MUST(memcmp(first, second, (size_t)given * sizeof *first) == 0);
    kept = s->memory;
    s->memory = s->other;
    s->other = kept;
    s->decoder = copy;
}

/* A refused open leaves the memory, and the decoder in it, as they were. */
static void open_refused(session *s)
{
    gs_decoder *decoder = s->decoder;

    memcpy(s->other, s->memory, s->room);
    MUST(gs_open_memory(s->memory, s->room, s->stream, s->info.header_bytes - 1, &decoder) != GS_OK);
    MUST(decoder == s->decoder && memcmp(s->other, s->memory, s->room) == 0);
}

static void act(session *s, uint32_t what, uint32_t argument)
{
    static int16_t pcm[MOST_SAMPLES];
    uint32_t position = gs_tell(s->decoder);
    int32_t result;

    switch (what % 12) {
    case 0:
        result = gs_seek(s->decoder, place_in(s, argument));
        MUST(result <= 0 && gs_tell(s->decoder) == place_in(s, argument));
        break;
    case 1:
        result = gs_set_loop(s->decoder, argument & 1);
        MUST(result == GS_OK || s->info.loop_end - s->info.loop_start < GS_SHORTEST_LOOP);
        break;
    case 2:
        MUST(gs_set_budget(s->decoder, argument < 250 ? argument : UINT32_MAX) == GS_OK);
        break;
    case 3:
        MUST(gs_set_pitch(s->decoder, GS_LOWEST_PITCH + 96u * argument) == GS_OK);
        break;
    case 4:
        MUST(gs_set_fade(s->decoder, 128u * argument, argument & 15 ? 77u * argument : 0) == GS_OK);
        break;
    case 5:
        MUST(gs_set_mute(s->decoder, argument & GS_MUTE_ALL, 16u * argument, 99u * argument) == GS_OK);
        break;
    case 6:
        result = gs_check(s->decoder);
        MUST(result == GS_OK || result == GS_ERR_COST || gs_read(s->decoder, pcm, 1) == result);
        break;
    case 7:
        read_twice(s, 1 + 4u * argument);
        break;
    case 8:
        open_refused(s);
        break;
    case 9:
        (void)gs_rewind(s->decoder);
        MUST(gs_tell(s->decoder) == 0);
        break;
    default:
        result = gs_read(s->decoder, pcm, 1 + 4u * argument);
        MUST(result <= (int32_t)(1 + 4u * argument) && gs_tell(s->decoder) <= s->info.samples);
        MUST(result >= 0 || gs_tell(s->decoder) == position || s->info.has_loop);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    session s;
    uint8_t *stream;
    uint32_t i;
    int error;

    if (size <= SCRIPT_BYTES || size > 1u << 20)
        return 0;
    memset(&s, 0, sizeof s);
    s.size = (uint32_t)size - SCRIPT_BYTES;
    stream = (uint8_t *)malloc(s.size);
    MUST(stream);
    memcpy(stream, data + SCRIPT_BYTES, s.size);
    if (data[0] & 1)
        repair(stream, s.size);
    s.stream = stream;
    s.from.bytes = stream;
    s.from.size = s.size;
    s.from.calls_left = data[0] & 4 ? data[1] : UINT32_MAX;
    s.through_callback = data[0] & 2;
    if (gs_info_from_memory(stream, s.size, &s.info) == GS_OK) {
        s.room = gs_playback_size(&s.info.decoder_class);
        MUST(s.room > 0);
        s.memory = malloc(s.room);
        s.other = malloc(s.room);
        MUST(s.memory && s.other);
        memset(s.memory, data[1], s.room);
        if (s.through_callback)
            error = gs_open_callback(s.memory, s.room, give, &s.from, s.size, &s.decoder);
        else
            error = gs_open_memory(s.memory, s.room, stream, s.size, &s.decoder);
        MUST(error == GS_OK || (s.through_callback && error == GS_ERR_IO));
        for (i = 2; error == GS_OK && i + 1 < SCRIPT_BYTES; i += 2)
            act(&s, data[i], data[i + 1]);
        free(s.memory);
        free(s.other);
    }
    free(stream);
    return 0;
}
