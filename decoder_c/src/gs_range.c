#include "gs_internal.h"

/* Zeros that may stand in for bytes beyond a segment's end. */
#define BYTES_BEYOND_END 4u

#define COUNT_MASK 15u

static uint32_t next_byte(gs_range *range)
{
    uint32_t byte = 0;

    if (range->bytes_read < range->segment_bytes)
        byte = gs_input_byte(&range->input);
    else if (range->bytes_read - range->segment_bytes >= BYTES_BEYOND_END && !range->input.error)
        range->input.error = GS_ERR_CORRUPT;
    if (!range->input.error)
        range->bytes_read++;
    return byte;
}

static void renormalise(gs_range *range)
{
    while (range->range < 1u << 24) {
        range->range <<= 8;
        range->code = range->code << 8 | next_byte(range);
    }
}

void gs_range_start(gs_range *range, uint32_t segment_bytes)
{
    int i;

    range->input.crc = GS_CRC_START;
    range->range = 0xFFFFFFFFu;
    range->code = 0;
    range->segment_bytes = segment_bytes;
    range->bytes_read = 0;
    for (i = 0; i < 4; i++)
        range->code = range->code << 8 | next_byte(range);
}

/* A context holds the probability of a one, in 1/4096, above the number of bits it has seen, at most COUNT_MASK. */
uint32_t gs_range_bit(gs_range *range, uint16_t *context)
{
    uint32_t probability = *context >> 4;
    uint32_t count = *context & COUNT_MASK;
    uint32_t shift = gs_adaptation_shift[count];
    uint32_t bound = (range->range >> 12) * (probability | 1u);
    uint32_t bit = range->code < bound;

    GS_ASSERT(range->range >= 1u << 24 && bound > 0 && bound < range->range);
    if (bit) {
        range->range = bound;
        probability += (4095u - probability) >> shift;
    } else {
        range->code -= bound;
        range->range -= bound;
        probability -= probability >> shift;
    }
    *context = (uint16_t)(probability << 4 | (count < COUNT_MASK ? count + 1 : COUNT_MASK));
    renormalise(range);
    return bit;
}

uint32_t gs_range_direct(gs_range *range, uint32_t bits)
{
    uint32_t value = 0;

    for (; bits > 0; bits--) {
        uint32_t bit;
        range->range >>= 1;
        bit = range->code >= range->range;
        if (bit)
            range->code -= range->range;
        value = value << 1 | bit;
        renormalise(range);
    }
    return value;
}
