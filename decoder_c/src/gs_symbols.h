/* SPEC 3: the symbols that kinds of Gaussians are written with. What is here is a part of the loop over a slot, so that
 * a compiler must see it there. */
#ifndef GS_SYMBOLS_H
#define GS_SYMBOLS_H

#include "gs_platform.h"
#include "gs_range_coder.h"
#include "gs_tables.h"

GS_CODE_BEGINS

/* The syntax does not tell larger counts of Gaussians apart; 2 * GS_ENOUGH_COUNTED must not be less than 8. */
#define GS_ENOUGH_COUNTED 15u

/* Where the syntax is in a slot. */
typedef struct gs_slot {
    uint32_t time; /* onset of the slot */
    uint8_t slot_log2;
    uint8_t index; /* of the current scale, over the scales of all kinds */
    uint8_t count; /* Gaussians of the current scale so far */
    uint8_t here;  /* Gaussians of the smaller scales of the same kind */
} gs_slot;

/* What the syntax has to know of a scale. */
typedef struct gs_scale {
    uint16_t *contexts; /* of the scale; first those of "more" */
    uint32_t hop;       /* samples, a power of two */
    uint32_t support;   /* of the longest Gaussians of the kind that may begin as early as this scale's */
} gs_scale;

/* Adaptive Elias gamma code (Elias 1975), 1 and up: contexts of the length, and of the bit below the highest. */
GS_STATIC uint32_t gs_read_gamma(gs_range_coder *coder, uint16_t *lengths, uint16_t *tops, uint32_t longest)
{
    uint32_t length = 0;
    uint32_t top;

    while (length < longest && gs_range_bit(coder, &lengths[gs_least(length, GS_GAMMA_LENGTHS - 1)]))
        length++;
    if (length == 0)
        return 1;
    top = 2u | gs_range_bit(coder, &tops[gs_least(length, GS_GAMMA_TOPS) - 1]);
    return top << (length - 1) | gs_range_direct(coder, length - 1);
}

/* The same for what is read seldom. */
GS_STATIC GS_NOINLINE uint32_t gs_read_gamma_apart(gs_range_coder *coder, uint16_t *lengths, uint16_t *tops,
                                                   uint32_t longest)
{
    return gs_read_gamma(coder, lengths, tops, longest);
}

/* A number of `bits` bits, the highest first, each in the context of those above it. */
GS_STATIC uint32_t gs_read_tree(gs_range_coder *coder, uint16_t *contexts, uint32_t bits)
{
    uint32_t node = 1;

    while (node >> bits == 0)
        node = node << 1 | gs_range_bit(coder, &contexts[node - 1]);
    return node - ((uint32_t)1 << bits);
}

GS_STATIC uint32_t gs_read_onset(const gs_slot *slot, gs_range_coder *coder, uint32_t hop_log2)
{
    uint32_t bits = slot->slot_log2 > hop_log2 ? slot->slot_log2 - hop_log2 : 0;

    return slot->time + (gs_range_direct(coder, bits) << hop_log2);
}

/* Whether Gaussians of a scale can begin in the slot. A slot longer than a hop begins with one, for both are powers of
 * two. */
GS_STATIC int gs_scale_occurs(const gs_slot *slot, const gs_scale *scale)
{
    uint32_t lead = (uint32_t)1 << slot->slot_log2;

    if (lead < scale->support)
        lead = scale->support;
    return (slot->time & (scale->hop - 1)) == 0 && slot->time + lead >= GS_TIME_ZERO;
}

/* The context that decides whether another Gaussian of the slot's current scale follows; `before` of it began in the
 * last slot where it occurred. */
GS_STATIC uint32_t gs_more_context(const gs_slot *slot, uint32_t before)
{
    uint32_t nearby = 2u * before + slot->here;
    uint32_t activity = 0;

    while (activity < GS_MORE_ACTIVITIES - 1 && nearby >> activity)
        activity++;
    return GS_MORE_PLACES * activity + gs_least(slot->count, GS_MORE_PLACES - 1);
}

GS_CODE_ENDS

#endif
