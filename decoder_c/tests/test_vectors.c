/* test_vectors FOLDER: decodes the golden streams that FOLDER/manifest.txt lists, one a line:
 *
 *     name.bin  samples  CRC-32 of the 16-bit little-endian PCM, and of what play_with_changes gives, in hexadecimal
 *
 * left and right in turn where there are two channels, in one piece, in odd pieces from a callback, from the middle, and
 * otherwise than encoded (SPEC 9). Lines that start with # are comments. */
#include "gs_test.h"

typedef struct file_bytes {
    uint8_t *data;
    uint32_t count;
} file_bytes;

static file_bytes read_file(const char *folder, const char *name)
{
    test_bytes bytes = {0};
    file_bytes result;
    char path[1024];
    FILE *file;
    int byte;

    CHECK(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
    file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(1);
    }
    while ((byte = fgetc(file)) != EOF)
        test_append(&bytes, (uint32_t)byte);
    fclose(file);
    result.data = bytes.data;
    result.count = bytes.count;
    return result;
}

static int read_stored(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    const file_bytes *stored = (const file_bytes *)user;

    CHECK(offset < stored->count && bytes <= stored->count - offset);
    memcpy(buffer, stored->data + offset, bytes);
    return (int)bytes;
}

static uint32_t pcm_crc(const int16_t *pcm, uint32_t samples)
{
    uint32_t crc = GS_CRC_START;
    uint32_t i;

    for (i = 0; i < samples; i++)
        crc = gs_crc_byte(gs_crc_byte(crc, (uint16_t)pcm[i] & 255u), (uint16_t)pcm[i] >> 8);
    return ~crc;
}

static void check_crc(const char *name, const int16_t *pcm, uint32_t samples, uint32_t crc)
{
    uint32_t found = pcm_crc(pcm, samples);

    if (found != crc) {
        fprintf(stderr, "%s: the PCM has CRC %08lx, not %08lx\n", name, (unsigned long)found, (unsigned long)crc);
        exit(1);
    }
}

/* As many samples as there are, at most so many, in reads of at most `most`. */
static uint32_t read_some(gs_decoder *decoder, uint32_t most, uint32_t count, int16_t *pcm)
{
    uint32_t read = 0;
    int32_t given = 1;

    while (read < count && given > 0) {
        given = gs_read(decoder, pcm + read, most < count - read ? most : count - read);
        CHECK(given >= 0);
        read += (uint32_t)given;
    }
    return read;
}

enum { CHANGES = 7, AFTER_A_CHANGE = 5000 };

/* Plays with one change of settings after another. Returns how many samples that gives. */
static uint32_t play_with_changes(gs_decoder *decoder, const gs_info *info, uint32_t most, int16_t *pcm)
{
    uint32_t read = 0;
    int change;

    for (change = 0; change < CHANGES; change++) {
        switch (change) {
        case 0:
            CHECK(gs_set_pitch(decoder, GS_PITCH_ONE + 5000) == GS_OK);
            break;
        case 1:
            CHECK(gs_set_pitch(decoder, GS_PITCH_ONE) == GS_OK);
            CHECK(gs_set_tempo(decoder, GS_LOWEST_TEMPO + 3000) == GS_OK);
            break;
        case 2:
            CHECK(gs_set_tempo(decoder, GS_HIGHEST_TEMPO - 2000) == GS_OK);
            CHECK(gs_set_mute(decoder, GS_MUTE_RESIDUAL, 500, 900) == GS_OK);
            break;
        case 3:
            CHECK(gs_set_mute(decoder, 0, 0, 0) == GS_OK && gs_set_tempo(decoder, GS_LOWEST_TEMPO) == GS_OK);
            break;
        case 4:
            CHECK(gs_set_rate(decoder, info->sample_rate < 20000 ? 22050 : 16000) == GS_OK);
            break;
        case 5:
            CHECK(gs_seek(decoder, info->samples / 3) == GS_OK);
            break;
        default:
            CHECK(gs_set_pitch(decoder, GS_LOWEST_PITCH) == GS_OK && gs_set_tempo(decoder, GS_TEMPO_ONE) == GS_OK);
        }
        read += read_some(decoder, most, AFTER_A_CHANGE, pcm + read);
    }
    return read;
}

/* What settings give, of two channels the mid's, is the same everywhere, with a residual too, and does not depend on how
 * it is read; and what is as encoded is exact again. */
static void check_changes(const file_bytes *stream, const gs_info *info, const int16_t *expected, const char *name,
                          uint32_t crc)
{
    size_t room = gs_playback_size(&info->decoder_class);
    void *memory = malloc(room);
    int16_t *first = (int16_t *)malloc((size_t)CHANGES * AFTER_A_CHANGE * sizeof *first);
    int16_t *second = (int16_t *)malloc((size_t)CHANGES * AFTER_A_CHANGE * sizeof *second);
    uint32_t channels = info->decoder_class.channels;
    gs_decoder *decoder;
    uint32_t read;

    CHECK(memory && first && second);
    CHECK(gs_open_memory(memory, room, stream->data, stream->count, &decoder) == GS_OK);
    read = play_with_changes(decoder, info, AFTER_A_CHANGE, first);
    CHECK(gs_open_memory(memory, room, stream->data, stream->count, &decoder) == GS_OK);
    CHECK(play_with_changes(decoder, info, 97, second) == read);
    CHECK(memcmp(first, second, read * sizeof *first) == 0);
    check_crc(name, first, read, crc);
    if (info->sample_rate >= GS_LOWEST_RATE && info->sample_rate <= GS_HIGHEST_RATE) {
        CHECK(gs_set_pitch(decoder, GS_PITCH_ONE) == GS_OK && gs_set_rate(decoder, info->sample_rate) == GS_OK);
        CHECK(gs_set_stereo(decoder, channels > 1) == GS_OK);
        CHECK(gs_rewind(decoder) == GS_OK);
        read = read_some(decoder, AFTER_A_CHANGE, AFTER_A_CHANGE, first);
        CHECK(memcmp(first, expected, read * channels * sizeof *first) == 0);
    }
    free(memory);
    free(first);
    free(second);
}

static void check_vector(const char *folder, const char *name, uint32_t samples, uint32_t crc, uint32_t changed_crc)
{
    file_bytes stream = read_file(folder, name);
    gs_info info;
    gs_decoder *decoder;
    size_t room;
    void *memory;
    int16_t *pcm;
    int16_t *again;
    uint32_t channels;
    uint32_t at;

    CHECK(gs_info_from_memory(stream.data, stream.count, &info) == GS_OK);
    CHECK(info.samples == samples);
    channels = info.decoder_class.channels;
    room = test_room(&info);
    memory = malloc(room);
    pcm = (int16_t *)malloc(samples * channels * sizeof *pcm);
    again = (int16_t *)malloc(samples * channels * sizeof *again);
    CHECK(memory && pcm && again);
    CHECK(gs_open_memory(memory, room, stream.data, stream.count, &decoder) == GS_OK);
    CHECK(gs_channels(decoder) == channels);
    CHECK(gs_set_stereo(decoder, channels > 1) == GS_OK);
    CHECK(gs_check(decoder) == GS_OK);
    CHECK(gs_read(decoder, pcm, samples) == (int32_t)samples);
    CHECK(gs_read(decoder, pcm, samples) == 0);
    check_crc(name, pcm, samples * channels, crc);
    CHECK(gs_open_callback(memory, room, read_stored, &stream, stream.count, &decoder) == GS_OK);
    CHECK(gs_set_stereo(decoder, channels > 1) == GS_OK);
    for (at = 0; at < samples;) {
        uint32_t wanted = 1 + at % 997 < samples - at ? 1 + at % 997 : samples - at;
        int32_t given = gs_read(decoder, again + channels * at, wanted);
        CHECK(given > 0);
        at += (uint32_t)given;
    }
    CHECK(memcmp(pcm, again, samples * channels * sizeof *pcm) == 0);
    CHECK(gs_seek(decoder, samples / 2) == GS_OK);
    CHECK(gs_read(decoder, again, samples) == (int32_t)(samples - samples / 2));
    CHECK(memcmp(pcm + channels * (samples / 2), again, channels * (samples - samples / 2) * sizeof *pcm) == 0);
    check_changes(&stream, &info, pcm, name, changed_crc);
    free(stream.data);
    free(memory);
    free(pcm);
    free(again);
}

int main(int argc, char **argv)
{
    file_bytes manifest;
    uint32_t at = 0;
    int vectors = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: test_vectors FOLDER\n");
        return 2;
    }
    manifest = read_file(argv[1], "manifest.txt");
    while (at < manifest.count) {
        char line[512];
        char name[512];
        unsigned long samples;
        unsigned long crc;
        unsigned long changed_crc;
        uint32_t length = 0;
        for (; at < manifest.count && manifest.data[at] != '\n'; at++)
            if (length < sizeof line - 1)
                line[length++] = (char)manifest.data[at];
        line[length] = 0;
        at++;
        if (length == 0 || line[0] == '#')
            continue;
        CHECK(sscanf(line, "%511s %lu %lx %lx", name, &samples, &crc, &changed_crc) == 4);
        check_vector(argv[1], name, (uint32_t)samples, (uint32_t)crc, (uint32_t)changed_crc);
        vectors++;
    }
    free(manifest.data);
    if (vectors == 0) {
        fprintf(stderr, "the manifest lists no vector\n");
        return 1;
    }
    printf("%d vectors\n", vectors);
    return 0;
}
