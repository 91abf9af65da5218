#include "gs_range_coder.h"

#include "gs_platform.h"
#include "gs_tables.h"

GS_CODE_BEGINS

/* Zeros that may stand in for bytes beyond a segment's end. */
#define GS_BYTES_BEYOND_END 4u

#define GS_COUNT_MASK 15u

static uint32_t gs_range_byte(gs_range_coder *coder)
{
    uint32_t byte = 0;

    if (coder->bytes_read < coder->segment_bytes)
        byte = gs_input_byte(&coder->input);
    else if (coder->bytes_read - coder->segment_bytes >= GS_BYTES_BEYOND_END && !coder->input.error)
        coder->input.error = GS_ERR_CORRUPT;
    if (!coder->input.error)
        coder->bytes_read++;
    return byte;
}

static void gs_range_renormalise(gs_range_coder *coder)
{
    while (coder->range < 1u << 24) {
        coder->range <<= 8;
        coder->code = coder->code << 8 | gs_range_byte(coder);
    }
}

void gs_range_start(gs_range_coder *coder, uint32_t segment_bytes)
{
    int i;

    coder->input.crc = GS_CRC_START;
    coder->range = 0xFFFFFFFFu;
    coder->code = 0;
    coder->segment_bytes = segment_bytes;
    coder->bytes_read = 0;
    for (i = 0; i < 4; i++)
        coder->code = coder->code << 8 | gs_range_byte(coder);
}

/* The coder is LZMA's (Pavlov), with 12 bits of probability that adapt the slower the more bits a context has seen, as
 * lpaq's (Mahoney). A context holds the probability of a one, in 1/4096, above the number of bits it has seen, at most
 * GS_COUNT_MASK. */
uint32_t gs_range_bit(gs_range_coder *coder, uint16_t *context)
{
    uint32_t probability = *context >> 4;
    uint32_t count = *context & GS_COUNT_MASK;
    uint32_t shift = gs_adaptation_shift[count];
    uint32_t bound = (coder->range >> 12) * (probability | 1u);
    uint32_t bit = coder->code < bound;

    GS_ASSERT(coder->range >= 1u << 24 && bound > 0 && bound < coder->range);
    if (bit) {
        coder->range = bound;
        probability += (4095u - probability) >> shift;
    } else {
        coder->code -= bound;
        coder->range -= bound;
        probability -= probability >> shift;
    }
    *context = (uint16_t)(probability << 4 | (count < GS_COUNT_MASK ? count + 1 : GS_COUNT_MASK));
    gs_range_renormalise(coder);
    return bit;
}

uint32_t gs_range_direct(gs_range_coder *coder, uint32_t bits)
{
    uint32_t value = 0;

    for (; bits > 0; bits--) {
        uint32_t bit;
        coder->range >>= 1;
        bit = coder->code >= coder->range;
        if (bit)
            coder->code -= coder->range;
        value = value << 1 | bit;
        gs_range_renormalise(coder);
    }
    return value;
}

GS_CODE_ENDS
