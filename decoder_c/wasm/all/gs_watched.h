/* The decoder with what a page shows beside it: a list of the Gaussians that its slots have, and only the strongest of
 * them heard. There is one decoder in a program. */
#ifndef GS_WATCHED_H
#define GS_WATCHED_H

#include "../../include/audio_gs.h"

/* What is listed: GS_TONE or GS_NOISE of gs_kinds.h, or a coefficient of the residual layer. Strengths compare within
 * a kind: the square root of a tone's energy; how much a noise weighs, by the square root of the time and of the Bark
 * that it covers. */
#define GS_LISTED_TONE 0
#define GS_LISTED_NOISE 1
#define GS_LISTED_COEFFICIENT 2

typedef struct gs_listed {
    int32_t kind;
    int32_t scale;
    int32_t onset;    /* sample; of a coefficient the number of its frame */
    int32_t place;    /* a tone's bin, a noise's place, a coefficient's bin */
    int32_t extent;   /* a noise's width; the index of a tone's phase */
    int32_t level;    /* index of an amplitude, a weight, or a coefficient's value */
    int32_t peak;     /* of a tone's envelope, 32768 << output_shift for full scale; 0 of others */
    int32_t strength; /* 0 of coefficients */
} gs_listed;

#define GS_MOST_LISTED 8192u

/* What was listed since it was last taken; the rest of the Gaussians, where there were more, is left out. */
typedef struct gs_list {
    uint32_t amplitude_step; /* of the stream; 0 while nothing is listed */
    uint32_t count;
    uint32_t left_out;
    gs_listed listed[GS_MOST_LISTED];
} gs_list;

extern gs_list gs_listing;

/* Tones and noises of less strength are not heard, and no residual layer where either is not 0. */
typedef struct gs_strength {
    uint32_t tone;
    uint32_t noise;
} gs_strength;

extern gs_strength gs_least_heard;

#endif
