#include "gs_slots.h"

GS_CODE_BEGINS

#define GS_ADD_CONTEXTS(name, NAME) +GS_##NAME##_MOST_CONTEXTS
#define GS_MOST_CONTEXTS (0 GS_EACH_KIND(GS_ADD_CONTEXTS))

GS_STATIC_ASSERT(the_public_header_counts_contexts_too, GS_TONE_CONTEXTS_PER_SCALE == GS_CONTEXTS(1u, 0u));
GS_STATIC_ASSERT(and_those_of_noise, GS_NOISE_MOST_CONTEXTS == GS_CONTEXTS(0u, 1u));

#ifdef GS_ONLY_TABLE_SET
GS_STATIC_ASSERT(the_only_table_set_is_one, (unsigned)(GS_ONLY_TABLE_SET) < GS_TABLE_SETS);

#define GS_OWN_TABLE_SETS 1u
#define GS_OWN_TABLE_SET(set) 0u
#else
#define GS_OWN_TABLE_SETS GS_TABLE_SETS
#define GS_OWN_TABLE_SET(set) (set)
#endif

/* Makes contexts of those of a table set that come behind `before` others. Returns what comes after them. */
#if GS_WHOLE_TABLES
GS_STATIC_ASSERT(there_is_a_prior_for_every_context, sizeof gs_prior == GS_OWN_TABLE_SETS * GS_MOST_CONTEXTS);

#define GS_PRIOR_OF(set) (gs_prior + (set) * GS_MOST_CONTEXTS)
#define GS_CONTEXTS_START(contexts, prior, before, count) gs_contexts_start(contexts, (prior) + (before), count)

static GS_NOINLINE uint16_t *gs_contexts_start(uint16_t *contexts, const uint8_t *prior, uint32_t count)
{
    for (; count > 0; count--, prior++) {
        uint32_t probability = (uint32_t)(*prior >> 2) * 64u + 32u;
        *contexts++ = (uint16_t)((probability << 4) + gs_start_count[*prior & 3u]);
    }
    return contexts;
}
#else
GS_STATIC_ASSERT(there_is_a_prior_for_every_context, GS_PRIOR_CONTEXTS == GS_MOST_CONTEXTS);

#define GS_PRIOR_OF(set) (gs_prior + gs_prior_at[set])
#define GS_CONTEXTS_START gs_contexts_start

static GS_NOINLINE uint16_t *gs_contexts_start(uint16_t *contexts, const uint8_t *prior, uint32_t before,
                                               uint32_t count)
{
    uint32_t value = 0;
    uint32_t run = 0; /* contexts to come that have the same */

    for (count += before; count > 0; count--) {
        if (run == 0) {
            value = *prior++;
            run = 1;
            if (value == GS_PRIOR_RUN) {
                value = GS_UNTRAINED_PRIOR;
                run = *prior++;
            }
        }
        run--;
        if (before > 0)
            before--;
        else
            *contexts++ = (uint16_t)((((value >> 2) * 64u + 32u) << 4) + gs_start_count[value & 3u]);
    }
    return contexts;
}
#endif

/* Contexts of even chances. */
static GS_NOINLINE void gs_contexts_start_even(uint16_t *contexts, uint32_t count)
{
    for (; count > 0; count--) {
        *contexts++ = 2048u << 4;
        GS_OPAQUE(count);
    }
}

/* Those of the side; `end` is that of the contexts of all kinds. */
static GS_ONCE void gs_contexts_start_sides(uint16_t *contexts, uint16_t *end)
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
    const uint8_t *prior = GS_PRIOR_OF(GS_OWN_TABLE_SET(info->table_set));
    uint16_t *first = contexts;
    uint32_t before = 0;

    gs_clear(slots, sizeof *slots);
    slots->slot.slot_log2 = info->slot_log2;

#define GS_START_SEGMENT(name, NAME)                                                                                   \
    gs_##name##_start_segment(&slots->name, info);                                                                     \
    contexts = GS_CONTEXTS_START(contexts, prior, before, gs_##name##_contexts(slots->name.scales));                   \
    before += GS_##NAME##_MOST_CONTEXTS;
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
    if (GS_HAS_##NAME && kind == GS_KINDS && slot->index < first + slots->name.scales) {                               \
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
    if (GS_HAS_##NAME && kind == GS_##NAME) {                                                                          \
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
