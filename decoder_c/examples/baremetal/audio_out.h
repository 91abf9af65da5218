/* Where the sound goes. One of these is linked: audio_semihosting.c (a file of the debugger's or simulator's host) or
 * audio_systick.c (a DAC or PWM register, by interrupt). */
#ifndef AUDIO_OUT_H
#define AUDIO_OUT_H

#include <stdint.h>

/* Most samples of a block. Two of them must outlast the costliest call of gs_read or gs_mix: a frame of noise, at most 512
 * samples long, is made in one call, so that small blocks need a faster core. */
#ifndef AUDIO_BLOCK
#define AUDIO_BLOCK 128u
#endif

/* Called before a clip, with its sample rate in Hz. */
void audio_start(uint32_t sample_rate);

/* Whether there is room for a block, so that audio_out does not wait. */
int audio_has_room(void);

/* Takes a block, 1 to AUDIO_BLOCK samples; waits for room. The caller may reuse `pcm` at once. */
void audio_out(const int16_t *pcm, uint32_t samples);

/* Called behind a clip; waits until all of it has been heard. */
void audio_stop(void);

/* Called after the last clip with 0, or after a clip that cannot be played with its gs_error. Never returns. */
void audio_end(int error);

#endif
