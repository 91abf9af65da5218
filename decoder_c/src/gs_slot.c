#include "gs_internal.h"

#define PRIORS_OF_TONES (GS_MAX_SCALES * GS_CONTEXTS_PER_SCALE)
#define PRIORS_OF_SET (PRIORS_OF_TONES + GS_NOISE_CONTEXTS)

GS_STATIC_ASSERT(the_public_header_counts_contexts_too, GS_CONTEXTS_PER_SCALE == GS_CONTEXTS(1u, 0u));
GS_STATIC_ASSERT(and_those_of_noise, GS_NOISE_CONTEXTS == GS_CONTEXTS(0u, 1u));
GS_STATIC_ASSERT(there_is_a_prior_for_every_context, sizeof gs_prior == GS_TABLE_SETS * PRIORS_OF_SET);
GS_STATIC_ASSERT(scales_of_both_kinds_begin_alike, GS_CONTEXT_MORE == 0 && GS_NOISE_CONTEXT_MORE == 0);

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void gs_slot_start_segment(gs_slot *slot, const gs_info *info, uint16_t *contexts)
{
    const uint8_t *prior = gs_prior + info->table_set * PRIORS_OF_SET;
    uint32_t i;

    for (i = 0; i < sizeof slot->before; i++)
        slot->before[i] = 0;
    slot->scales = info->scales;
    slot->all_scales = (uint8_t)(info->scales + (info->max_noise ? GS_NOISE_SCALES : 0));
    slot->frame_shift = info->noise_frame_shift;
    slot->smallest_scale = info->smallest_scale;
    slot->slot_shift = info->slot_shift;
    for (i = 0; i < GS_CONTEXTS(info->scales, info->max_noise); i++) {
        uint32_t byte;
        uint32_t probability;
        if (i == GS_CONTEXTS(info->scales, 0u))
            prior += PRIORS_OF_TONES - i;
        byte = prior[i];
        probability = (byte >> 2) * 64u + 32u;
        contexts[i] = (uint16_t)(probability << 4 | gs_start_count[byte & 3u]);
    }
}

static void start_scale(gs_slot *slot, uint32_t index)
{
    slot->index = (uint8_t)index;
    slot->count = 0;
    slot->bin = 0;
    if (index == slot->scales)
        slot->here = 0;
}

void gs_slot_start(gs_slot *slot, uint32_t time)
{
    slot->time = time;
    slot->here = 0;
    start_scale(slot, 0);
}

/* Adaptive Elias gamma code, 1 and up: contexts of the length, and of the bit below the highest. */
static uint32_t read_gamma(gs_range *range, uint16_t *lengths, uint16_t *tops, uint32_t longest)
{
    uint32_t length = 0;
    uint32_t top;

    while (length < longest && gs_range_bit(range, &lengths[least(length, GS_GAMMA_LENGTHS - 1)]))
        length++;
    if (length == 0)
        return 1;
    top = 2u | gs_range_bit(range, &tops[least(length, GS_GAMMA_TOPS) - 1]);
    return top << (length - 1) | gs_range_direct(range, length - 1);
}

static uint32_t read_tree(gs_range *range, uint16_t *contexts, uint32_t bits)
{
    uint32_t node = 1;

    while (node >> bits == 0)
        node = node << 1 | gs_range_bit(range, &contexts[node - 1]);
    return node - ((uint32_t)1 << bits);
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

/* Whether Gaussians of a scale with this hop, of a kind that lasts so long, can begin in the slot. A slot longer than a
 * hop begins with one, for both are powers of two. */
static int scale_occurs(const gs_slot *slot, uint32_t hop, uint32_t support)
{
    uint32_t lead = (uint32_t)1 << slot->slot_shift;

    if (lead < support)
        lead = support;
    return (slot->time & (hop - 1)) == 0 && slot->time + lead >= GS_TIME_ZERO;
}

static uint32_t read_onset(const gs_slot *slot, gs_range *range, uint32_t hop_shift)
{
    uint32_t bits = slot->slot_shift > hop_shift ? slot->slot_shift - hop_shift : 0;

    return slot->time + (gs_range_direct(range, bits) << hop_shift);
}

static void read_tone(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian)
{
    uint32_t scale = slot->smallest_scale + slot->index;
    uint16_t *of_bin = contexts + (slot->count ? GS_CONTEXT_NEXT_BIN : GS_CONTEXT_FIRST_BIN);
    uint16_t *of_amplitude = contexts + GS_CONTEXT_AMPLITUDE;
    uint32_t bin = slot->bin + read_gamma(range, of_bin, of_bin + GS_GAMMA_LENGTHS, scale + 4) - 1;

    if (bin >= gs_support(scale) / 2 && !range->input.error)
        range->input.error = GS_ERR_CORRUPT;
    gaussian->scale = (uint8_t)scale;
    gaussian->bin = slot->bin = (uint16_t)bin;
    gaussian->onset = read_onset(slot, range, scale + 3);
    gaussian->amplitude =
        (uint16_t)read_gamma(range, of_amplitude, of_amplitude + GS_GAMMA_LENGTHS, GS_AMPLITUDE_EXPONENT);
    gaussian->phase_bits = (uint8_t)phase_bits(gaussian->amplitude);
    gaussian->phase = (uint16_t)gs_range_direct(range, gaussian->phase_bits);
}

/* The contexts of the places of all widths lie one after another; a tree has one less than leaves. */
static uint32_t place_context(uint32_t width)
{
    uint32_t leaves = (uint32_t)2 << GS_NOISE_PLACES_LOG2;

    return GS_NOISE_CONTEXT_PLACE + leaves - (leaves >> width) - width;
}

static void read_noise(const gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian)
{
    uint32_t scale = (uint32_t)slot->index - slot->scales;
    uint32_t width = read_tree(range, contexts + GS_CONTEXTS_PER_NOISE_SCALE * scale + GS_NOISE_CONTEXT_WIDTH, 2);
    uint16_t *of_weight = contexts + GS_NOISE_CONTEXT_WEIGHT + width * GS_NOISE_WEIGHT_CONTEXTS;
    uint32_t minus;
    int32_t weight;

    gaussian->scale = (uint8_t)scale;
    gaussian->width = (uint8_t)width;
    gaussian->bin = (uint16_t)read_tree(range, contexts + place_context(width), GS_NOISE_PLACES_LOG2 - width);
    gaussian->onset = read_onset(slot, range, slot->frame_shift + scale);
    minus = gs_range_bit(range, contexts + GS_NOISE_CONTEXT_SIGN + width);
    weight = (int32_t)read_gamma(range, of_weight, of_weight + GS_NOISE_WEIGHT_EXPONENT, GS_NOISE_WEIGHT_EXPONENT);
    gaussian->weight = (int8_t)(minus ? -weight : weight);
    gaussian->amplitude = 0;
}

int gs_slot_next(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian)
{
    uint16_t *of_noise = contexts + GS_CONTEXTS(slot->scales, 0u);

    while (slot->index < slot->all_scales && !range->input.error) {
        uint16_t *of_scale = contexts + GS_CONTEXTS(slot->index, 0u);
        uint32_t hop = (uint32_t)8 << (slot->smallest_scale + slot->index);
        uint32_t support = gs_support(slot->smallest_scale + slot->scales - 1u); /* of the longest tone */
        uint32_t is_tone = slot->index < slot->scales;
        if (!is_tone) {
            of_scale = of_noise + GS_CONTEXTS_PER_NOISE_SCALE * (slot->index - slot->scales);
            hop = (uint32_t)1 << (slot->frame_shift + slot->index - slot->scales);
            support = GS_NOISE_SHORTEST_SUPPORT * hop;
        }
        if (scale_occurs(slot, hop, support)) {
            if (gs_range_bit(range, &of_scale[more_context(slot)])) {
                if (is_tone)
                    read_tone(slot, range, of_scale, gaussian);
                else
                    read_noise(slot, range, of_noise, gaussian);
                slot->count = (uint8_t)least(slot->count + 1u, GS_ENOUGH_COUNTED);
                return range->input.error == GS_OK;
            }
            slot->before[slot->index] = slot->count;
            slot->here = (uint8_t)least(slot->here + slot->count, GS_ENOUGH_COUNTED);
        }
        start_scale(slot, slot->index + 1u);
    }
    return 0;
}
