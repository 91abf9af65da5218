/* Plays every clip of audio_gs_clips.c. */
#include <audio_gs.h>

#include "audio_gs_clips.h"
#include "audio_out.h"

static GS_CLIPS_DECODER_STORAGE(memory);

static int32_t play(const gs_clip *clip)
{
    int16_t pcm[AUDIO_BLOCK];
    gs_decoder *decoder;
    int32_t n = gs_open_memory(&memory, sizeof memory, clip->data, clip->bytes, &decoder);

    if (n < 0)
        return n;
    audio_start(clip->sample_rate);
    while ((n = gs_read(decoder, pcm, AUDIO_BLOCK)) > 0)
        audio_out(pcm, (uint32_t)n);
    audio_stop();
    return n;
}

int main(void)
{
    int32_t result = 0;
    uint32_t place;

    for (place = 0; place < GS_CLIPS && result >= 0; place++)
        result = play(&gs_clips[place]);
    audio_end((int)result);
    return 0;
}
