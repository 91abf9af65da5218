#include "gs_internal.h"

GS_STATIC_ASSERT(the_public_header_counts_contexts_too, GS_CONTEXTS_PER_SCALE == GS_CONTEXTS(1));
GS_STATIC_ASSERT(there_is_a_prior_for_every_context,
                 sizeof gs_prior == GS_TABLE_SETS * GS_MAX_SCALES * GS_CONTEXTS_PER_SCALE);

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void gs_slot_start_segment(gs_slot *slot, const gs_info *info, uint16_t *contexts)
{
    const uint8_t *prior = (const uint8_t *)gs_prior + info->table_set * (GS_MAX_SCALES * GS_CONTEXTS_PER_SCALE);
    uint32_t i;

    for (i = 0; i < GS_MAX_SCALES; i++)
        slot->before[i] = 0;
    slot->scales = info->scales;
    slot->smallest_scale = info->smallest_scale;
    slot->slot_shift = info->slot_shift;
    for (i = 0; i < GS_CONTEXTS(info->scales); i++) {
        uint32_t probability = (prior[i] >> 2) * 64u + 32u;
        contexts[i] = (uint16_t)(probability << 4 | gs_start_count[prior[i] & 3u]);
    }
}

static void start_scale(gs_slot *slot, uint32_t index)
{
    slot->index = (uint8_t)index;
    slot->count = 0;
    slot->bin = 0;
}

void gs_slot_start(gs_slot *slot, uint32_t time)
{
    slot->time = time;
    slot->here = 0;
    start_scale(slot, 0);
}

/* Adaptive Elias gamma code, 1 and up: contexts of the length, then of the bit below the highest. */
static uint32_t read_gamma(gs_range *range, uint16_t *contexts, uint32_t longest)
{
    uint32_t length = 0;
    uint32_t top;

    while (length < longest && gs_range_bit(range, &contexts[least(length, GS_GAMMA_LENGTHS - 1)]))
        length++;
    if (length == 0)
        return 1;
    top = 2u | gs_range_bit(range, &contexts[GS_GAMMA_LENGTHS + least(length, GS_GAMMA_TOPS) - 1]);
    return top << (length - 1) | gs_range_direct(range, length - 1);
}

static uint32_t phase_bits(uint32_t amplitude)
{
    uint32_t i = 0;

    while (i < GS_PHASE_LIMITS && amplitude >= gs_phase_limits[i])
        i++;
    return GS_FEWEST_PHASE_BITS + i;
}

/* The context that decides whether another Gaussian of the slot's current scale follows. */
static uint32_t more_context(const gs_slot *slot)
{
    uint32_t nearby = 2u * slot->before[slot->index] + slot->here;
    uint32_t activity = 0;

    while (activity < GS_MORE_ACTIVITIES - 1 && nearby >> activity)
        activity++;
    return GS_CONTEXT_MORE + GS_MORE_PLACES * activity + least(slot->count, GS_MORE_PLACES - 1);
}

static void read_gaussian(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian)
{
    uint32_t scale = slot->smallest_scale + slot->index;
    uint32_t hop_shift = scale + 3;
    uint32_t bin_contexts = slot->count ? GS_CONTEXT_NEXT_BIN : GS_CONTEXT_FIRST_BIN;
    uint32_t bin = slot->bin + read_gamma(range, contexts + bin_contexts, scale + 4) - 1;
    uint32_t positions = slot->slot_shift > hop_shift ? slot->slot_shift - hop_shift : 0;

    if (bin >= gs_support(scale) / 2 && !range->input.error)
        range->input.error = GS_ERR_CORRUPT;
    gaussian->scale = (uint8_t)scale;
    gaussian->bin = slot->bin = (uint16_t)bin;
    gaussian->onset = slot->time + (gs_range_direct(range, positions) << hop_shift);
    gaussian->amplitude = (uint16_t)read_gamma(range, contexts + GS_CONTEXT_AMPLITUDE, GS_AMPLITUDE_EXPONENT);
    gaussian->phase_bits = (uint8_t)phase_bits(gaussian->amplitude);
    gaussian->phase = (uint16_t)gs_range_direct(range, gaussian->phase_bits);
    slot->count = (uint8_t)least(slot->count + 1u, GS_ENOUGH_COUNTED);
}

int gs_slot_next(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian)
{
    while (slot->index < slot->scales && !range->input.error) {
        uint32_t hop_shift = slot->smallest_scale + slot->index + 3u;
        uint32_t between_hops = slot->time & (((uint32_t)1 << hop_shift) - 1);
        if (hop_shift <= slot->slot_shift || between_hops == 0) {
            uint16_t *of_scale = contexts + GS_CONTEXTS(slot->index);
            if (gs_range_bit(range, &of_scale[more_context(slot)])) {
                read_gaussian(slot, range, of_scale, gaussian);
                return range->input.error == GS_OK;
            }
            slot->before[slot->index] = slot->count;
            slot->here = (uint8_t)least(slot->here + slot->count, GS_ENOUGH_COUNTED);
        }
        start_scale(slot, slot->index + 1u);
    }
    return 0;
}
