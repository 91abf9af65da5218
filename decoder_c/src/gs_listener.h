/* SPEC 11: what the ears of a listener hear of a stream of one channel. It is kept behind the decoder's class, where a
 * stream of two channels keeps the side, and its code is what gs_set_listener and gs_set_direction name. */
#ifndef GS_LISTENER_H
#define GS_LISTENER_H

#include "gs_stereo.h"

#define GS_EARS 2u
#define GS_LONGEST_DELAY 32u /* of noise, in samples: no frame has fewer */

/* A source that is heard. Delays are of the right ear behind the left one, in 1/1048576 s. */
typedef struct gs_listener {
    gs_stereo stereo; /* what a decoder asks; its exponent is that of the right ear */
    int32_t yaw;      /* of the head, as the others 65536 a turn */
    int32_t pitch;
    int32_t roll;
    int32_t azimuth; /* of the source */
    int32_t elevation;
    int32_t delay_low;                     /* at low frequencies.. */
    int32_t delay_high;                    /* ..and at high ones */
    int32_t delay_of_noise;                /* in samples */
    int16_t level[GS_EARS][GS_BARK_BANDS]; /* 256 an octave of amplitude */
    uint8_t late[GS_EARS][2];              /* by how many samples noise is, of the last frame but one and the last */
    int16_t before[GS_EARS][GS_LONGEST_DELAY]; /* the last samples of the noise of the block before */
    /* then a gs_tone_state for the sums of the right ear, gs_heard_tone[max_tones], and a block of the right ear's noise
     * as a gs_noise_state has one */
} gs_listener;

/* What a tone held is to both ears. */
typedef struct gs_heard_tone {
    gs_side ear[GS_EARS];
} gs_heard_tone;

#endif
