#include "gs_slots.h"

GS_CODE_BEGINS

#define GS_ADD_CONTEXTS(name, NAME) +GS_##NAME##_MOST_CONTEXTS
#define GS_MOST_CONTEXTS (0 GS_EACH_KIND(GS_ADD_CONTEXTS))

GS_STATIC_ASSERT(the_public_header_counts_contexts_too, GS_TONE_CONTEXTS_PER_SCALE == GS_CONTEXTS(1u, 0u));
GS_STATIC_ASSERT(and_those_of_noise, GS_NOISE_MOST_CONTEXTS == GS_CONTEXTS(0u, 1u));
GS_STATIC_ASSERT(there_is_a_prior_for_every_context, sizeof gs_prior == GS_TABLE_SETS * GS_MOST_CONTEXTS);

/* Returns what comes after them. */
static GS_NOINLINE uint16_t *gs_contexts_start(uint16_t *contexts, const uint8_t *prior, uint32_t count)
{
    for (; count > 0; count--, prior++) {
        uint32_t probability = (uint32_t)(*prior >> 2) * 64u + 32u;
        *contexts++ = (uint16_t)((probability << 4) + gs_start_count[*prior & 3u]);
    }
    return contexts;
}

/* Contexts of even chances. */
static GS_NOINLINE void gs_contexts_start_even(uint16_t *contexts, uint32_t count)
{
    for (; count > 0; count--) {
        *contexts++ = 2048u << 4;
        GS_OPAQUE(count);
    }
}

/* Those of the side; `end` is that of the contexts of all kinds. */
static GS_NOINLINE void gs_contexts_start_sides(uint16_t *contexts, uint16_t *end)
{
    uint16_t *present = contexts - GS_TONE_SIDE_CONTEXTS + GS_SIDE_CONTEXT_PRESENT;
    uint32_t of_class = 256u << 4;

    gs_contexts_start_even(contexts - GS_TONE_SIDE_CONTEXTS, GS_TONE_SIDE_CONTEXTS);
    gs_contexts_start_even(end, GS_NOISE_SIDE_CONTEXTS);
    for (; of_class <= 2048u << 4; of_class += 256u << 4) {
        present[0] = (uint16_t)of_class;
        present[GS_SIDE_CLASSES] = (uint16_t)(of_class + (1024u << 4));
        present++;
        GS_OPAQUE(of_class);
    }
    end[GS_SIDE_WEIGHT_CONTEXT_PRESENT] = end[GS_SIDE_WEIGHT_CONTEXTS + GS_SIDE_WEIGHT_CONTEXT_PRESENT] = 1024u << 4;
    end[GS_SIDE_WEIGHT_CONTEXT_PRESENT + 1] = end[GS_SIDE_WEIGHT_CONTEXTS + GS_SIDE_WEIGHT_CONTEXT_PRESENT + 1] = 3072u
                                                                                                                  << 4;
}

void gs_slots_start_segment(gs_slots *slots, const gs_info *info, uint16_t *contexts)
{
    const uint8_t *prior = gs_prior + info->table_set * GS_MOST_CONTEXTS;
    uint16_t *first = contexts;

    gs_clear(slots, sizeof *slots);
    slots->slot.slot_log2 = info->slot_log2;

#define GS_START_SEGMENT(name, NAME)                                                                                   \
    gs_##name##_start_segment(&slots->name, info);                                                                     \
    contexts = gs_contexts_start(contexts, prior, gs_##name##_contexts(slots->name.scales));                           \
    prior += GS_##NAME##_MOST_CONTEXTS;
    GS_EACH_KIND(GS_START_SEGMENT)
    if (GS_HAS_STEREO && info->decoder_class.panned)
        gs_contexts_start_sides(first, contexts);
}

static void gs_slots_start_scale(gs_slots *slots, uint32_t index)
{
    uint32_t first = 0; /* scale of a kind */

    slots->slot.index = (uint8_t)index;
    slots->slot.count = 0;
#define GS_FORGET_SMALLER(name, NAME)                                                                                  \
    if (index == first)                                                                                                \
        slots->slot.here = 0;                                                                                          \
    first += slots->name.scales;
    GS_EACH_KIND(GS_FORGET_SMALLER)
}

void gs_slots_start(gs_slots *slots, uint32_t time)
{
    slots->slot.time = time;
    gs_slots_start_scale(slots, 0);
}

int gs_slots_next(gs_slots *slots, gs_range_coder *coder, uint16_t *contexts, gs_gaussian *gaussian)
{
    gs_slot *slot = &slots->slot;

    while (!coder->input.error) {
        uint16_t *of_kind = contexts;
        uint32_t first = 0; /* scale of the kind */
        uint32_t kind = GS_KINDS;
        gs_scale scale;

#define GS_FIND_SCALE(name, NAME)                                                                                      \
    if (kind == GS_KINDS && slot->index < first + slots->name.scales) {                                                \
        kind = GS_##NAME;                                                                                              \
        scale = gs_##name##_scale(&slots->name, of_kind, slot->index - first);                                         \
    }                                                                                                                  \
    first += slots->name.scales;                                                                                       \
    of_kind += gs_##name##_contexts(slots->name.scales);
        GS_EACH_KIND(GS_FIND_SCALE)
        if (kind == GS_KINDS)
            return 0;
        if (gs_scale_occurs(slot, &scale)) {
            if (gs_range_bit(coder, &scale.contexts[gs_more_context(slot, slots->before[slot->index])])) {
                of_kind = contexts;
                first = 0;
                gaussian->kind = (uint8_t)kind;
#define GS_READ(name, NAME)                                                                                            \
    if (kind == GS_##NAME) {                                                                                           \
        gs_##name##_read(&slots->name, slot, coder, of_kind, scale.contexts, slot->index - first, &gaussian->as.name); \
        if (GS_HAS_STEREO && gaussian->panned)                                                                         \
            gs_##name##_read_side(slot, coder, of_kind, &gaussian->as.name, &gaussian->had[kind]);                     \
    }                                                                                                                  \
    first += slots->name.scales;                                                                                       \
    of_kind += gs_##name##_contexts(slots->name.scales);
                GS_EACH_KIND(GS_READ)
                slot->count = (uint8_t)gs_least(slot->count + 1u, GS_ENOUGH_COUNTED);
                return coder->input.error == GS_OK;
            }
            slots->before[slot->index] = slot->count;
            slot->here = (uint8_t)gs_least(slot->here + slot->count, GS_ENOUGH_COUNTED);
        }
        gs_slots_start_scale(slots, slot->index + 1u);
    }
    return 0;
}

GS_CODE_ENDS
