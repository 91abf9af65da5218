/* test_single_header FOLDER: the decoder made into one header, in C and in C++, on the golden streams of
 * FOLDER/manifest.txt (see test_vectors.c). Compiled as both; single_header_decoder.c contains the decoder. */
#include "audio_gs.h"

/* Again, as headers happen to be included. */
#include "audio_gs.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGEST_MAX_TONES 4096
#define LARGEST_SCALES 8
#define LARGEST_MAX_NOISES 255
#define LARGEST_NOISE_FRAME_LOG2 9
#define LARGEST_RESIDUAL 1
static GS_DECODER_STORAGE(memory, LARGEST);

static uint8_t *read_file(const char *folder, const char *name, uint32_t *bytes)
{
    char path[1024];
    uint8_t *data = NULL;
    FILE *file;
    long size;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return NULL;
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0) {
        data = (uint8_t *)malloc((size_t)size + 1);
        if (data && fread(data, 1, (size_t)size, file) == (size_t)size) {
            data[size] = 0;
            *bytes = (uint32_t)size;
        }
    }
    fclose(file);
    return data;
}

static uint32_t crc_of(const int16_t *pcm, int32_t samples, uint32_t crc)
{
    int32_t i;
    int bit;

    for (i = 0; i < samples; i++) {
        crc ^= (uint16_t)pcm[i];
        for (bit = 0; bit < 16; bit++)
            crc = crc >> 1 ^ (crc & 1u ? 0xEDB88320u : 0u);
    }
    return crc;
}

/* Whether the stream decodes to so many samples with this checksum. */
static int decodes(const char *folder, const char *name, unsigned long samples, unsigned long crc)
{
    uint32_t bytes = 0;
    uint8_t *stream = read_file(folder, name, &bytes);
    uint32_t found = 0xFFFFFFFFu;
    unsigned long decoded = 0;
    gs_decoder *decoder;
    int16_t pcm[300];
    int32_t n = GS_ERR_IO;

    if (stream && gs_open_memory(&memory, sizeof memory, stream, bytes, &decoder) == GS_OK) {
        while ((n = gs_read(decoder, pcm, 300)) > 0) {
            found = crc_of(pcm, n, found);
            decoded += (unsigned long)n;
        }
    }
    free(stream);
    if (n == 0 && decoded == samples && (~found & 0xFFFFFFFFu) == crc)
        return 1;
    fprintf(stderr, "%s: %lu samples with CRC %08lx, not %lu with %08lx; %s\n", name, decoded,
            (unsigned long)(~found & 0xFFFFFFFFu), samples, crc, gs_error_string((int)n));
    return 0;
}

int main(int argc, char **argv)
{
    uint32_t bytes = 0;
    char *manifest = argc == 2 ? (char *)read_file(argv[1], "manifest.txt", &bytes) : NULL;
    char *line = manifest;
    int vectors = 0;
    int failures = 0;

    while (line && *line) {
        char name[512];
        unsigned long samples;
        unsigned long crc;
        if (*line != '#' && sscanf(line, "%511s %lu %lx", name, &samples, &crc) == 3) {
            vectors++;
            failures += !decodes(argv[1], name, samples, crc);
        }
        while (*line && *line++ != '\n')
            continue;
    }
    free(manifest);
    printf("%d vectors, %d differ\n", vectors, failures);
    return vectors == 0 || failures > 0;
}
