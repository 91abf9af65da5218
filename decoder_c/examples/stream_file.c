/* stream_file CLIP.bin [SECONDS]: 16-bit PCM of a clip of any class to the standard output, read from the file piece by
 * piece, from a position on. */
#include <audio_gs.h>
#include <stdio.h>
#include <stdlib.h>

static int read_file(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes)
{
    FILE *file = (FILE *)user;

    if (fseek(file, (long)offset, SEEK_SET) != 0)
        return -1;
    return (int)fread(buffer, 1, bytes, file);
}

static int play(FILE *file, uint32_t bytes, double seconds)
{
    gs_info info;
    gs_decoder *decoder;
    int16_t pcm[512];
    int32_t result = gs_info_from_callback(read_file, file, bytes, &info);
    void *memory;
    size_t room;

    if (result < 0)
        return result;
    room = gs_decoder_size(&info.decoder_class);
    memory = malloc(room);
    if (!memory)
        return GS_ERR_MEMORY;
    result = gs_open_callback(memory, room, read_file, file, bytes, &decoder);
    if (result >= 0)
        result = gs_seek(decoder, (uint32_t)(seconds * info.sample_rate));
    while (result >= 0 && (result = gs_read(decoder, pcm, 512)) > 0)
        fwrite(pcm, sizeof pcm[0], (size_t)result, stdout);
    free(memory);
    return result;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    int result = GS_ERR_IO;

    if (file && fseek(file, 0, SEEK_END) == 0 && ftell(file) >= 0)
        result = play(file, (uint32_t)ftell(file), argc > 2 ? strtod(argv[2], NULL) : 0.0);
    if (file)
        fclose(file);
    if (result < 0)
        fprintf(stderr, "stream_file: %s\n", gs_error_string(result));
    return result < 0;
}
