/* SPEC 9.5: the pace of a stream that is played faster or slower, or in samples of another rate, and where its slots lie
 * among the samples that are given. */
#ifndef GS_PACE_H
#define GS_PACE_H

#include "gs_container.h"
#include "gs_platform.h"

GS_CODE_BEGINS

/* Where sample 0 of those that are given lies: no onset at any pace lies so far before it. */
#define GS_PACED_ZERO ((uint32_t)1 << 21)

#define GS_AS_ENCODED ((uint32_t)1 << 16) /* a factor of 1 */

/* Clip times are counted from GS_TIME_ZERO samples before sample 0, those of the samples that are given from
 * GS_PACED_ZERO before theirs. Factors are in 1/65536. */
typedef struct gs_pace {
    uint32_t rate;         /* Hz, of the samples that are given */
    uint32_t stretch;      /* samples that are given for one of the clip, in slots to come */
    uint32_t step;         /* samples of the clip for one that is given, in those */
    uint32_t slot_time;    /* when the last slot that was decoded begins in the clip.. */
    uint32_t slot_place;   /* ..and among the samples that are given.. */
    uint32_t slot_stretch; /* ..and the factors that it has */
    uint32_t slot_step;
    uint32_t end;      /* the sample, from 0 on, that is the first one behind the clip.. */
    uint32_t loop_end; /* ..and behind its loop */
    uint32_t jumped_to;
    uint32_t changed;    /* the clip time of the first slot since the stretch changed last */
    uint32_t needed;     /* the clip time at which the tones have ended that stay as long as there is room */
    uint16_t slot_rest;  /* of slot_place, in 1/65536 */
    uint16_t muted_from; /* Hz */
    uint16_t muted_to;
    uint16_t tempo; /* GS_TEMPO_ONE as encoded */
    int16_t size;   /* of the stretch of tones, in slots to come: log2 of it, in 1/32 */
    uint16_t unused;
} gs_pace;

/* Among the samples that are given, the rest in 1/65536. */
typedef struct gs_place {
    uint32_t sample;
    uint32_t rest;
} gs_place;

gs_place gs_pace_scaled(uint32_t samples, uint32_t stretch);

void gs_pace_open(gs_pace *pace, const gs_info *info);

/* Whether the clip does not come to too many samples. */
int gs_pace_fits(const gs_info *info, uint32_t tempo, uint32_t rate);
void gs_pace_set(gs_pace *pace, const gs_info *info, uint32_t tempo, uint32_t rate);

/* Whether clip and samples that are given differ. */
int gs_pace_is_set(const gs_pace *pace, const gs_info *info);

/* How many samples come of so many of the clip. */
uint32_t gs_pace_samples(const gs_pace *pace, uint32_t samples);

/* Slots from `slot` on lie as if all had been played at this pace. */
void gs_pace_jump(gs_pace *pace, const gs_info *info, int32_t slot);

/* Goes on from where the clip, up to slot `slot`, was played as encoded. */
void gs_pace_begin(gs_pace *pace, const gs_info *info, int32_t slot);

/* Where the next slot begins. */
gs_place gs_pace_next(const gs_pace *pace, const gs_info *info);
void gs_pace_go_on(gs_pace *pace, const gs_info *info);

/* Where a clip time lies that is not before the last slot. */
gs_place gs_pace_place(const gs_pace *pace, uint32_t time);

/* The clip time of a sample that is given. */
uint32_t gs_pace_clip_time(const gs_pace *pace, uint32_t sample);

GS_CODE_ENDS

#endif
