/* SPEC 1: the bytes of a stream with their checksums, and the header. */
#ifndef GS_CONTAINER_H
#define GS_CONTAINER_H

#include "audio_gs.h"

#define GS_INPUT_BYTES 32u
#define GS_CRC_START 0xFFFFFFFFu

/* A build that reads streams from memory alone has no code for callbacks. */
#ifdef GS_NO_CALLBACK
#define GS_HAS_CALLBACK 0
#else
#define GS_HAS_CALLBACK 1
#endif
#define GS_IS_IN_MEMORY(input) (!GS_HAS_CALLBACK || (input)->memory)

/* Time inside the decoder runs from the earliest onset that a stream can code, so that it is never negative: sample 0
 * is at GS_TIME_ZERO, and no sum of a time and a length leaves 32 bits. */
#define GS_TIME_ZERO 65536u

typedef struct gs_input {
    const uint8_t *memory; /* NULL: ask read */
    gs_read_fn read;
    void *user;
    uint32_t size;
    uint32_t offset; /* of the next byte */
    uint32_t crc;    /* of the bytes taken since it was last set to GS_CRC_START; to be inverted */
    int32_t error;   /* the first one; from then on every byte is 0 */
    uint32_t buffer_offset;
    uint32_t buffered;
    uint8_t buffer[GS_INPUT_BYTES];
} gs_input;

void gs_clear(void *memory, uint32_t bytes);
/* Rounded down; the divisor from 1 to 2^31. Playing takes no division, settings do. */
uint32_t gs_divide(uint32_t dividend, uint32_t divisor);
/* Goes on with a division: the next `bits` bits of the quotient, 1 to 32, from a rest below the divisor and the bits of
 * the dividend to come, the highest first. */
uint32_t gs_divide_on(uint32_t rest, uint32_t dividend, uint32_t divisor, uint32_t bits);
uint32_t gs_crc_byte(uint32_t crc, uint32_t byte);
void gs_input_open(gs_input *input, const void *memory, gs_read_fn read, void *user, uint32_t size);
uint32_t gs_input_byte(gs_input *input);
uint32_t gs_input_number(gs_input *input, uint32_t bytes);
uint32_t gs_input_varint(gs_input *input);

/* Reads the header of an input that was just opened. Returns GS_OK or an error. */
int gs_header_read(gs_input *input, gs_info *info);

static inline int gs_outside(uint32_t value, uint32_t least, uint32_t most)
{
    return value - least > most - least;
}

#endif
