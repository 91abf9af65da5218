/* Plays the clips of audio_gs_clips.c over and over. audio_out.h says which boards it knows, and their pins. */
#include <Arduino.h>

#include "audio_gs.h"
#include "audio_gs_clips.h"
#include "audio_out.h"

static GS_CLIPS_DECODER_STORAGE(memory);

static int32_t play(const gs_clip &clip)
{
    int16_t pcm[AUDIO_BLOCK];
    gs_decoder *decoder;
    int32_t n = gs_open_memory(&memory, sizeof memory, clip.data, clip.bytes, &decoder);

    if (n < 0)
        return n;
    if (!audio_start(clip.sample_rate))
        return GS_ERR_IO;
    while ((n = gs_read(decoder, pcm, AUDIO_BLOCK)) > 0)
        audio_out(pcm, (size_t)n);
    audio_stop();
    return n;
}

void setup()
{
    Serial.begin(115200);
}

void loop()
{
    for (const gs_clip &clip : gs_clips) {
        int32_t result = play(clip);

        Serial.print(clip.name);
        Serial.print(": ");
        Serial.println(gs_error_string((int)result));
    }
    delay(1000);
}
