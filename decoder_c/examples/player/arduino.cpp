/* Starts the clips of audio_gs_clips.c half a second after each other. audio_out.h says which boards it knows, and
 * their pins. */
#include <Arduino.h>

#include "audio_out.h"
#include "player.h"

static int16_t pcm[AUDIO_BLOCK];
static size_t left; /* samples of it that the output had no room for */
static uint32_t next_clip;

void setup()
{
    Serial.begin(115200);
    if (player_open() < 0 || !audio_start(PLAYER_RATE))
        Serial.println("no sound");
}

void loop()
{
    /* What the sketch does beside playing goes here. */
    if (next_clip < GS_CLIPS && player_samples() >= next_clip * (PLAYER_RATE / 2)) {
        int32_t voice = player_start(next_clip);

        Serial.print(gs_clips[next_clip].name);
        Serial.print(": ");
        Serial.println(gs_error_string(voice < 0 ? (int)voice : GS_OK));
        next_clip++;
    }

    if (left == 0) {
        player_mix(pcm, AUDIO_BLOCK);
        left = AUDIO_BLOCK;
    }
    left -= audio_offer(pcm + AUDIO_BLOCK - left, left);
}
