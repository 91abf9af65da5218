/* SPEC 9: a stream played otherwise than it was encoded. What is set is kept behind the decoder's class, in memory that
 * only those give who want it. */
#ifndef GS_PLAYBACK_H
#define GS_PLAYBACK_H

#include "gs_noise.h"
#include "gs_tone.h"

GS_CODE_BEGINS

/* Frequencies are steps of the phase in a sample of the clip, 65536 a turn. */
typedef struct gs_playback {
    uint32_t gain;       /* of the next sample, GS_GAIN_ONE << 16 for none */
    int32_t gain_change; /* of it, a sample */
    uint32_t fading;     /* samples until it is `gain_after` */
    uint16_t gain_after;
    uint16_t muted_from; /* frequencies from here on.. */
    uint16_t muted_to;   /* ..and below here are left out */
    uint16_t muted;      /* GS_MUTE_.. */
} gs_playback;

void gs_playback_open(gs_playback *playback);

void gs_playback_fade(gs_playback *playback, uint32_t gain, uint32_t samples);
void gs_playback_mute(gs_playback *playback, const gs_info *info, uint32_t kinds, uint32_t from, uint32_t to);

/* Output samples from quarters of output steps and noise, as gs_pcm makes them, with the gain. */
void gs_playback_pcm(gs_playback *playback, const uint32_t *quarters, const int16_t *noise, uint32_t samples,
                     int16_t *pcm);

/* gs_tone_render, without what is muted. */
void gs_playback_render_tones(const gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time,
                              uint32_t budget);

/* Sets bins that are muted to 0, of the spectrum of a frame: all but those whose byte in `coded` is not 0 if noise is
 * muted, and those of muted frequencies. `coded` is NULL where nothing is coded. */
void gs_playback_mute_bins(const gs_playback *playback, const gs_info *info, const uint8_t *coded, gs_complex *z);

/* What a residual makes of the levels of a frame: of each cell that has bins, how much is added. */
typedef struct gs_playback_fine {
    const int8_t *fine; /* steps */
    uint32_t from;      /* interval from which on there are two cells each */
    int32_t step;
} gs_playback_fine;

/* Makes the spectrum of a frame as drawn altogether, from the levels of its bands. Returns its exponent. */
int32_t gs_playback_make_spectrum(const gs_noise_state *state, const gs_info *info, uint32_t frame,
                                  const int32_t *level, const gs_playback_fine *fine, gs_complex *z);

/* gs_noise_render, without what is muted. */
const int16_t *gs_playback_noise(const gs_playback *playback, gs_noise_state *state, const gs_info *info,
                                 uint32_t position);

GS_CODE_ENDS

#endif
