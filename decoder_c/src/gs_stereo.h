/* SPEC 10: two channels, the middle and the side. What the side takes is kept behind the decoder's contexts, in streams
 * of two channels alone, and its code is what gs_set_stereo names. */
#ifndef GS_STEREO_H
#define GS_STEREO_H

#include "gs_decoder.h"

GS_CODE_BEGINS

/* ---- syntax ---- */

GS_STATIC_ASSERT(the_public_header_counts_contexts_of_the_side,
                 GS_TONE_SIDE_CONTEXTS + GS_NOISE_SIDE_CONTEXTS == GS_SIDE_CONTEXTS);

/* ---- memory ---- */

/* What a decoder asks of the one function for two channels. */
typedef enum gs_stereo_asked {
    GS_STEREO_READ,     /* the next samples, at most `number` of them; returns how many as gs_read_looping does */
    GS_STEREO_HOLD,     /* to hold the side of what was decoded last, if it ends behind time `number` */
    GS_STEREO_DROP,     /* the Gaussians that have ended by time `number` */
    GS_STEREO_EXCHANGE, /* what two noises held have in the side: `number` is 256 times the one and the other */
    GS_STEREO_SIDES,    /* where the sides of tones are */
    GS_STEREO_FRAME, /* the side's frame of noise beside the one whose spectrum was made, which has exponent `number`; returns
                        that of the spectrum as it is then */
    GS_STEREO_SUM /* what output samples are made of from a place of the block made last on, `number` */
} gs_stereo_asked;

/* What output samples are made of. */
typedef struct gs_stereo_sum {
    void (*pcm)(struct gs_stereo_sum *sum, uint32_t samples, uint32_t gain, uint32_t change, int16_t *pcm);
    const uint32_t *quarters; /* of the middle.. */
    const int16_t *noise;
    const uint32_t *side_quarters; /* ..and of the side, NULL if there is none */
    const int16_t *side_noise;
    int32_t left; /* what left and right have of the middle, Q14 */
    int32_t right;
} gs_stereo_sum;

typedef struct gs_stereo {
    uint32_t (*ask)(gs_decoder *decoder, gs_stereo_asked asked, uint32_t number, void *with);
    int16_t left; /* what left and right have of the middle, Q14 */
    int16_t right;
    uint32_t exponent; /* of the side's frame of noise made last, 0 for silence */
    /* then, if Gaussians are panned, a gs_tone_state for the sums of the sides, gs_side[max_tones], a block of noise as a
     * gs_noise_state has one, and gs_noise_part[max_noises] */
} gs_stereo;

GS_STATIC gs_stereo *gs_decoder_stereo(const gs_decoder *decoder)
{
    const gs_class *of_class = &decoder->info.decoder_class;
    size_t at = decoder->contexts_at;

    at += 2u * (gs_tone_contexts(of_class->scales) + gs_noise_contexts(of_class->max_noises));
    if (of_class->panned)
        at += 2u * GS_NOISE_SIDE_CONTEXTS;
    return (gs_stereo *)gs_decoder_memory(decoder, (at + 7u) & ~(size_t)7u);
}

static inline gs_tone_state *gs_stereo_sums(gs_stereo *stereo)
{
    return (gs_tone_state *)(void *)(stereo + 1);
}

static inline gs_side *gs_stereo_sides(gs_stereo *stereo)
{
    return (gs_side *)(void *)(gs_stereo_sums(stereo) + 1);
}

static inline gs_complex *gs_stereo_block(gs_stereo *stereo, const gs_info *info)
{
    return (gs_complex *)(void *)(gs_stereo_sides(stereo) + info->decoder_class.max_tones);
}

static inline gs_noise_part *gs_stereo_parts(gs_stereo *stereo, const gs_info *info)
{
    return (gs_noise_part *)(void *)((uint8_t *)gs_stereo_block(stereo, info) + 3u * gs_noise_frame_samples(info));
}

/* The decoder to whom the header belongs that all its parts are given. */
GS_STATIC gs_decoder *gs_decoder_of(const gs_info *info)
{
    return (gs_decoder *)(uintptr_t)info;
}

/* The sides of the tones that it holds. */
GS_STATIC gs_side *gs_sides_of(const gs_info *info)
{
    return gs_stereo_sides(gs_decoder_stereo(gs_decoder_of(info)));
}

/* Asks a decoder that gives two channels; another one gives 0. */
uint32_t gs_ask_stereo(gs_decoder *decoder, gs_stereo_asked asked, uint32_t number, void *with);

/* ---- render ---- */

/* gs_tone_render of tones and their sides. */
void gs_stereo_render(gs_tone_state *state, const gs_sides *sides, uint32_t time, uint32_t output_shift,
                      uint32_t budget);

GS_CODE_ENDS

#endif
