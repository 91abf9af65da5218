/* The kinds of Gaussians: a line each in GS_EACH_KIND, in the order in which a slot has them, is all that slots, header
 * and decoder know of them. A kind NAME, whose room is gs_name.[ch], has there
 *
 *     fields       gs_name, gs_name_read_header, gs_name_class_is_legal, gs_name_header_is_legal, of a legal class,
 *                  gs_name_longest, gs_name_hop_mask
 *     syntax       gs_name_syntax with its `scales`, gs_name_scales, gs_name_contexts, gs_name_start_segment,
 *                  gs_name_scale, gs_name_read, GS_NAME_MOST_SCALES, GS_NAME_MOST_CONTEXTS
 *     dequantise,  gs_name_state with its `held`, gs_name_bytes, gs_name_most, gs_name_open, gs_name_forget,
 *     render       gs_name_hold, gs_name_drop_ended
 *
 * and GS_HAS_NAME, which is 0 in a build without it. What needs no code of its own is an inline function that does
 * nothing. */
#ifndef GS_KINDS_H
#define GS_KINDS_H

#include "gs_noise.h"
#include "gs_tone.h"

#define GS_EACH_OPTIONAL_KIND(X) X(noise, NOISE)
#define GS_EACH_KIND(X) X(tone, TONE) GS_EACH_OPTIONAL_KIND(X)

/* Of the fields on two channels (SPEC 10): a bit of a stream's kinds, and the direction of neither left nor right. */
#define GS_PANNED_BIT 4u
#define GS_CENTRE 64u

static GS_INLINE int gs_stereo_class_is_legal(const gs_class *decoder_class)
{
    return decoder_class->channels <= 2 && decoder_class->panned <= (decoder_class->channels == 2);
}

/* GS_TONE, ..: bit GS_TONE of a stream's kinds says that it may have tones. */
#define GS_KIND_NUMBER(name, NAME) GS_##NAME,
enum gs_kind { GS_EACH_KIND(GS_KIND_NUMBER) GS_KINDS };

/* A Gaussian as the stream has it. */
#define GS_KIND_MEMBER(name, NAME) gs_##name name;
typedef struct gs_gaussian {
    uint8_t kind;
    uint8_t panned;        /* not 0: it has a part of the side, which is read too (SPEC 10) */
    uint8_t had[GS_KINDS]; /* what the last one of each kind had there */
    union gs_gaussian_of_kind {
        GS_EACH_KIND(GS_KIND_MEMBER)
    } as;
} gs_gaussian;

#endif
