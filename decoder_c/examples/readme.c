#include <audio_gs.h>
#include <stdio.h>

int main(void)
{
    static GS_DECODER_STORAGE(memory, GS_SPEECH);
    static uint8_t clip[1 << 20];
    uint32_t bytes = (uint32_t)fread(clip, 1, sizeof clip, stdin);
    gs_decoder *decoder;
    int16_t pcm[256];
    int32_t n = gs_open_memory(&memory, sizeof memory, clip, bytes, &decoder);
    while (n >= 0 && (n = gs_read(decoder, pcm, 256)) > 0)
        fwrite(pcm, sizeof pcm[0], (size_t)n, stdout);
    return n < 0;
}
