/* SPEC 8: the residual layer of a stream with noise: coefficients of the noise's frames that are coded instead of drawn,
 * and fine levels of the others. It is no kind of Gaussian: a slot codes its frames after its Gaussians, and they are
 * read one at a time, when the noise needs them. */
#ifndef GS_RESIDUAL_H
#define GS_RESIDUAL_H

#include "gs_playback.h"

GS_CODE_BEGINS

/* A build for streams without one has no code for it; nor has one without noise, which it refines. */
#ifdef GS_NO_RESIDUAL
#define GS_HAS_RESIDUAL 0
#else
#define GS_HAS_RESIDUAL GS_HAS_NOISE
#endif

/* ---- fields ---- */

#define GS_RESIDUAL_BIT 5u /* of a stream's kinds */
#define GS_SMALLEST_RESIDUAL_FRAME_LOG2 6u
#define GS_LARGEST_RESIDUAL 1u
#define GS_RESIDUAL_HEADER_BYTES 5u

/* Between the centres of bands, before the first and after the last; a cell is one of their halves. */
#define GS_RESIDUAL_INTERVALS (GS_BARK_BANDS + 1u)
#define GS_RESIDUAL_CELLS (2u * GS_RESIDUAL_INTERVALS)

static GS_INLINE int gs_residual_class_is_legal(const gs_class *decoder_class)
{
    return decoder_class->residual == 0 || (decoder_class->residual == 1 && decoder_class->max_noises != 0 &&
                                            decoder_class->noise_frame_log2 >= GS_SMALLEST_RESIDUAL_FRAME_LOG2);
}

GS_STATIC void gs_residual_read_header(gs_input *input, gs_info *info, uint32_t present)
{
    uint32_t i;

    info->decoder_class.residual = (uint8_t)present;
    for (i = 0; i < GS_RESIDUAL_HEADER_BYTES; i++)
        info->residual[i] = (uint8_t)gs_input_number(input, present);
}

/* How many intervals, from the lowest on, have coefficients. */
static inline uint32_t gs_residual_coded(const gs_info *info)
{
    return info->residual[2] & 31u;
}

static GS_INLINE int gs_residual_header_is_legal(const gs_info *info)
{
    return gs_residual_coded(info) <= GS_RESIDUAL_INTERVALS;
}

/* ---- syntax ---- */

/* What is remembered from frame to frame of a segment. */
typedef struct gs_residual_state {
    uint32_t frame;        /* the one to be read next */
    uint32_t end;          /* of the frames of all slots that were decoded */
    uint32_t segment_time; /* from when on Gaussians steer what is read: the segment's start, 0 in the first one */
    uint16_t contexts[GS_RESIDUAL_CONTEXTS];
    uint8_t is_coded;               /* the last frame had coefficients */
    int8_t fine[GS_RESIDUAL_CELLS]; /* levels that hold */
    uint8_t values[1];              /* [N + 1]: coefficients of the last frame and a 0: bit 0 the sign, 1-4 the
                                     * magnitude, 5-6 the least of it and 2 */
} gs_residual_state;

static inline uint32_t gs_residual_bytes(const gs_class *decoder_class)
{
    return GS_RESIDUAL_BYTES(decoder_class->residual, decoder_class->noise_frame_log2);
}

static inline void gs_residual_forget(gs_residual_state *state)
{
    state->frame = 0;
    state->end = 0;
}

void gs_residual_start_segment(gs_residual_state *state, const gs_info *info, uint32_t time);

/* ---- dequantise, render ---- */

struct gs_residual_frame;

/* What makes frames otherwise than encoded; a program that does so names it, so that others have none of it. */
typedef struct gs_residual_played {
    void (*make)(struct gs_residual_frame *frame, gs_playback *playback);
    gs_playback *playback;
} gs_residual_played;

/* At a pace it only keeps the frame. */
void gs_residual_make_played_block(struct gs_residual_frame *frame, gs_playback *playback);

/* Reads the next frame, steered by the Gaussians held of its segment. If `is_wanted` it is made, and the block of noise
 * before its centre, unless there is an error of the input; otherwise than encoded if `played` is not NULL. */
void gs_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder, gs_tone_state *tone,
                      gs_noise_state *noise, int is_wanted, const gs_residual_played *played);

/* gs_noise_render at a pace. */
const int16_t *gs_residual_noise(gs_residual_state *state, gs_noise_state *noise, const gs_info *info,
                                 gs_playback *playback, uint32_t position);

/* ---- cost ---- */

/* No frame is left out for a budget. */

GS_CODE_ENDS

#endif
