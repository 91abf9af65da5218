/* SPEC 9: a stream played otherwise than it was encoded. What is set is kept behind the decoder's class, in memory that
 * only those give who want it. */
#ifndef GS_PLAYBACK_H
#define GS_PLAYBACK_H

#include "gs_noise.h"
#include "gs_pace.h"
#include "gs_tone.h"

GS_CODE_BEGINS

/* A build that plays clips as they were encoded alone has no settings, and no code for them. */
#ifdef GS_NO_PLAYBACK
#define GS_HAS_PLAYBACK 0
#else
#define GS_HAS_PLAYBACK 1
#endif

/* What a decoder asks of the one function for streams that are played otherwise than encoded. */
typedef enum gs_asked {
    GS_ASKED_READ,        /* the next samples, at most `number` of them; returns how many as gs_read_looping does */
    GS_ASKED_FRAME,       /* the next frame of the residual, made if `number` is not 0 */
    GS_ASKED_BEFORE_SLOT, /* gs_playback_before_slot, where those are needed that end after time `number` */
    GS_ASKED_ROOM,        /* gs_playback_make_room */
    GS_ASKED_SEEK, /* to go to sample `number`; returns 0 where that is as in a stream that is played as encoded */
    GS_ASKED_TELL
} gs_asked;

/* Frequencies are steps of the phase in a sample of the clip, 65536 a turn. */
typedef struct gs_playback {
    /* By its address, which settings alone name, so that a program that sets nothing has none of it. */
    uint32_t (*ask)(gs_decoder *decoder, gs_asked asked, uint32_t number, int16_t *pcm);
    uint32_t gain;       /* of the next sample, GS_GAIN_ONE << 16 for none */
    int32_t gain_change; /* of it, a sample */
    uint32_t fading;     /* samples until it is `gain_after` */
    uint16_t gain_after;
    uint16_t muted_from; /* frequencies from here on.. */
    uint16_t muted_to;   /* ..and below here are left out */
    uint16_t muted;      /* GS_MUTE_.. */
    uint16_t pitch;      /* GS_PITCH_ONE as encoded */
    uint16_t begun;      /* tones that have their pitch; those behind them were held since */
    int16_t lowered;     /* what levels are lowered by */
    uint16_t tones;      /* what is known of them */
    uint32_t frequency;  /* by which frequencies of encoding are multiplied, in 1/65536 */
    uint32_t turn;       /* by which phases turn further, in 1/16384 */
    /* then, if there is memory for them, a gs_noise_state, whose bands are those of the pitch, and
     * gs_played_tone[max_tones]; and if there is for these, a gs_pace and gs_stretched_tone[max_tones] */
} gs_playback;

/* A tone held, as it was encoded; the one held is as it sounds. */
typedef struct gs_played_tone {
    uint16_t frequency; /* phase steps a sample of the clip */
    uint16_t reach;     /* half phase steps: twice how far off a tone is near that reaches as far */
    int16_t weight;     /* 256 log2 of the amplitude times the square root of the support, but for a constant */
    uint16_t rotation;  /* of the phase at its centre */
    int16_t deviation;  /* of its partial's frequency from its own, in 1/16 phase steps */
} gs_played_tone;

/* Opens it in so many bytes. */
void gs_playback_open(gs_playback *playback, const gs_info *info, size_t bytes);

/* Whether there is memory for a pitch, and for a pace. */
int gs_playback_has_room(const gs_playback *playback);
int gs_playback_has_pace(const gs_playback *playback);

/* Where there is memory for it. */
gs_pace *gs_playback_pace(gs_playback *playback, const gs_info *info);

void gs_playback_fade(gs_playback *playback, uint32_t gain, uint32_t samples);
void gs_playback_pitch(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t pitch);
void gs_playback_mute(gs_playback *playback, const gs_info *info, uint32_t kinds, uint32_t from, uint32_t to);

/* Output samples from quarters of output steps and noise, as gs_pcm makes them, with the gain; of two channels if there
 * is a `sum`. */
struct gs_stereo_sum;
void gs_playback_pcm(gs_playback *playback, const uint32_t *quarters, const int16_t *noise, uint32_t samples,
                     struct gs_stereo_sum *sum, int16_t *pcm);

/* What follows from the pace, for tones and noise to come. */
void gs_playback_change_pace(gs_playback *playback, gs_tone_state *state, const gs_info *info);

/* Goes on at a pace from where slots up to `slot` were played as encoded. */
void gs_playback_begin_pace(gs_playback *playback, gs_tone_state *state, const gs_info *info, int32_t slot);

/* From a jump on: whether there is a pace. */
void gs_playback_jump(gs_playback *playback, const gs_info *info, int is_paced);

/* At a pace Gaussians are decoded while the tones held are as they were encoded, but for their frequencies; else they
 * are as they sound. */
void gs_playback_to_clip(gs_playback *playback, gs_tone_state *state, const gs_info *info);
void gs_playback_from_clip(gs_playback *playback, gs_tone_state *state, const gs_info *info);

/* The frame of a residual that was read last, for frames of noise at a pace. */
typedef struct gs_playback_kept {
    uint32_t segment_time; /* of the segment that has it */
    int16_t exponent;
    uint16_t cells;          /* 0: there is none */
    gs_noise_cell cell[52u]; /* GS_RESIDUAL_CELLS */
} gs_playback_kept;

/* Where there is memory for a pace, of a stream with a residual. */
gs_playback_kept *gs_playback_kept_frame(gs_playback *playback, const gs_info *info);

int gs_playback_is_paced(const gs_playback *playback);

/* Drops those of the tones that sound but are held no more that end first. Returns how many. */
uint32_t gs_playback_make_room(gs_playback *playback, gs_tone_state *state, const gs_info *info);

/* Gives the tones that slots began since the last call, held as they were encoded, the pitch and phase at which they
 * sound. */
void gs_playback_begin_tones(gs_playback *playback, gs_tone_state *state, const gs_info *info);

/* The same and gs_tone_drop_ended, before a slot is decoded; at a pace without the tones that sound from `place` on. Returns the
 * time until which others are to be dropped. */
uint32_t gs_playback_before_slot(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time,
                                 uint32_t place);

/* Makes the frequencies of all tones held those of encoding, and those at which they sound again. */
void gs_playback_exchange(gs_playback *playback, gs_tone_state *state);
void gs_playback_exchange_back(gs_playback *playback, gs_tone_state *state);

/* gs_tone_render, without what is muted, with the sides unless that is NULL. */
void gs_playback_render_tones(gs_playback *playback, gs_tone_state *state, const gs_info *info, const gs_sides *sides,
                              uint32_t time, uint32_t budget);

/* Sets bins that are muted to 0, of the spectrum of a frame: all but those whose byte in `coded` is not 0 if noise is
 * muted, and those of muted frequencies. `coded` is NULL where nothing is coded. */
void gs_playback_mute_bins(const gs_playback *playback, const gs_info *info, const uint8_t *coded, gs_complex *z);

/* What a residual adds to the levels of a frame: fine levels, of each cell that has bins as encoded. */
typedef struct gs_playback_fine {
    const int8_t *fine;
    int32_t highest; /* of them and 0 */
    uint32_t from;   /* interval from which on there are two cells each */
    int32_t step;
} gs_playback_fine;

/* Makes the spectrum of a frame as drawn altogether, from the levels of its bands and the highest of these. `fine` is
 * NULL without a residual. Changes the levels. Returns the frame's exponent. */
int32_t gs_playback_make_spectrum(gs_playback *playback, const gs_noise_state *state, const gs_info *info,
                                  uint32_t frame, int32_t *level, int32_t highest, const gs_playback_fine *fine,
                                  gs_complex *z);

/* Makes the levels of a frame of noise where it lies in the clip. Returns the highest. */
int32_t gs_playback_make_levels(gs_playback *playback, gs_noise_state *state, const gs_info *info, uint32_t frame,
                                int32_t *level);

/* Where a frame of noise lies in the clip, in eighths of frames. */
uint32_t gs_playback_frame_time(gs_playback *playback, const gs_info *info, uint32_t frame);

/* Makes the side's limited levels those at which it is drawn, and finds the highest. Returns what has the bands as they
 * are played. */
const gs_noise_state *gs_playback_bands_of_side(gs_playback *playback, const gs_noise_state *state, int32_t *level,
                                                int32_t *highest);

/* Sets bins of the side to 0 whose frequencies are muted, or are not there. */
void gs_playback_mute_side(gs_playback *playback, const gs_info *info, gs_complex *z);

/* gs_noise_render, without what is muted. */
const int16_t *gs_playback_noise(gs_playback *playback, gs_noise_state *state, const gs_info *info, uint32_t position);

GS_CODE_ENDS

#endif
