/* SPEC 7: a decoder's memory. */
#ifndef GS_DECODER_H
#define GS_DECODER_H

#include "gs_playback.h"
#include "gs_residual.h"
#include "gs_slots.h"

GS_CODE_BEGINS

struct gs_decoder {
    gs_info info; /* the order of the members keeps most of them within reach of short instructions */
    uint32_t position;
    uint32_t segment_crc;
    int32_t next_slot;
    int32_t segment_end; /* one past the segment's last slot; next_slot where a segment must be opened first */
    int32_t slots;
    uint8_t mode; /* GS_LOOPS, GS_IS_PLAYED, .. */
    int8_t error;
    uint16_t budget;                                    /* MACs a sample for tones */
#define GS_PLACE_MEMBER(name, NAME) uint16_t name##_at; /* bytes from here to the kind's state, 0 without it */
    GS_EACH_OPTIONAL_KIND(GS_PLACE_MEMBER)
    uint16_t residual_at;
    uint16_t contexts_at;
    uint16_t playback_at; /* in 8 bytes; 0 without memory for it */
    gs_slots syntax;
    uint32_t next_block; /* time at which the block of tones to be made next begins */
    gs_range_coder coder;
    /* then, as the class of the stream has it, the state of each kind, that of tones first, that of the residual, and
     * the contexts */
};

#define GS_LOOPS 1u
#define GS_IS_PLAYED (2u * GS_HAS_PLAYBACK)  /* otherwise than encoded (SPEC 9), from the first setting on */
#define GS_IS_PITCHED (4u * GS_HAS_PLAYBACK) /* from the first pitch on */
#define GS_IS_PACED (8u * GS_HAS_PLAYBACK)   /* position and next_block are those of the samples that are given (9.5) */
#define GS_IS_STEREO (16u * GS_HAS_STEREO)   /* gives left and right (SPEC 10) */

/* Memory is the caller's, so that a decoder which is const says nothing of what lies behind it. */
GS_STATIC void *gs_decoder_memory(const gs_decoder *decoder, size_t at)
{
    return (uint8_t *)(uintptr_t)decoder + at;
}

GS_STATIC gs_tone_state *gs_decoder_tone(const gs_decoder *decoder)
{
    return (gs_tone_state *)gs_decoder_memory(decoder, sizeof *decoder);
}

/* NULL in a stream without the kind. */
#define GS_DEFINE_STATE(name, NAME)                                                                                    \
    GS_STATIC gs_##name##_state *gs_decoder_##name(const gs_decoder *decoder)                                          \
    {                                                                                                                  \
        return GS_HAS_##NAME && decoder->name##_at                                                                     \
                   ? (gs_##name##_state *)gs_decoder_memory(decoder, decoder->name##_at)                               \
                   : NULL;                                                                                             \
    }
GS_EACH_OPTIONAL_KIND(GS_DEFINE_STATE)

/* NULL in a stream without one. */
GS_STATIC gs_residual_state *gs_decoder_residual(const gs_decoder *decoder)
{
    return GS_HAS_RESIDUAL && decoder->residual_at
               ? (gs_residual_state *)gs_decoder_memory(decoder, decoder->residual_at)
               : NULL;
}

GS_STATIC uint16_t *gs_decoder_contexts(const gs_decoder *decoder)
{
    return (uint16_t *)gs_decoder_memory(decoder, decoder->contexts_at);
}

/* NULL while the stream is played as it was encoded. */
GS_STATIC gs_playback *gs_decoder_playback(const gs_decoder *decoder)
{
    return (decoder->mode & GS_IS_PLAYED) ? (gs_playback *)gs_decoder_memory(decoder, 8u * (size_t)decoder->playback_at)
                                          : NULL;
}

/* gs_info_from_memory and gs_open_memory where `stream` is not NULL, else gs_info_from_callback and gs_open_callback. */
int gs_info_from(const void *stream, gs_read_fn read, void *user, uint32_t bytes, gs_info *info);
int gs_open_from(void *memory, size_t memory_bytes, const void *stream, gs_read_fn read, void *user, uint32_t bytes,
                 gs_decoder **decoder);

/* Decodes what the block needs that is made next. */
int gs_decode_for_next_block(gs_decoder *decoder);

/* gs_seek to a sample that there is. */
int gs_seek_to(gs_decoder *decoder, uint32_t sample);

GS_CODE_ENDS

#endif
