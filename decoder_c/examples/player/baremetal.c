/* Starts the clips of audio_gs_clips.c half a second after each other, and ends when all have been heard. */
#include "audio_out.h"
#include "player.h"

int main(void)
{
    int16_t pcm[AUDIO_BLOCK];
    uint32_t next = 0;
    int32_t result = player_open();

    if (result < 0)
        audio_end((int)result);
    audio_start(PLAYER_RATE);
    for (;;) {
        /* What the program does beside playing goes here. */
        if (next < GS_CLIPS && player_samples() >= next * (PLAYER_RATE / 2)) {
            result = player_start(next++);
            if (result < 0)
                audio_end((int)result);
        }
        if (next == GS_CLIPS && player_playing() == 0)
            break;

        if (audio_has_room()) {
            player_mix(pcm, AUDIO_BLOCK);
            audio_out(pcm, AUDIO_BLOCK);
        }
    }
    audio_stop();
    audio_end(0);
    return 0;
}
