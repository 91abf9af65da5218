/* Shared by the decoder's steps, in the order of SPEC.md:
 * bytes -> container -> range coder -> slots -> dequantise -> render -> pcm. */
#ifndef GS_INTERNAL_H
#define GS_INTERNAL_H

#include "audio_gs.h"

#include "gs_tables.h"

#ifdef GS_RANGE_CHECKS
#include <assert.h>
#define GS_ASSERT(condition) assert(condition)
#else
#define GS_ASSERT(condition) ((void)0)
#endif

/* For a function that a small core should not inline into its caller, for the sake of the stack or of registers. */
#if defined(__GNUC__) && defined(__thumb__)
#define GS_APART __attribute__((noinline))
#else
#define GS_APART
#endif

#define GS_STATIC_ASSERT(name, condition) typedef char gs_assert_##name[(condition) ? 1 : -1]

/* C99 leaves both to the compiler; the format does not. */
GS_STATIC_ASSERT(shifts_keep_the_sign, ((int32_t)-3 >> 1) == -2);
GS_STATIC_ASSERT(conversion_wraps, (int32_t)0xFFFFFFFFu == -1);

#define GS_MAX_SCALE 11u
#define GS_MAX_ACTIVE 4096u
#define GS_INPUT_BYTES 32u
#define GS_BLOCK_SAMPLES 32u

/* Time inside the decoder runs from the earliest onset that a stream can code, so that it is never negative: sample 0
 * is at GS_TIME_ZERO, and no sum of a time and a length leaves 32 bits. */
#define GS_TIME_ZERO 65536u

/* ---- 1 container (gs_container.c) ---- */

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

#define GS_CRC_START 0xFFFFFFFFu

uint32_t gs_crc_byte(uint32_t crc, uint32_t byte);
void gs_input_open(gs_input *input, const void *memory, gs_read_fn read, void *user, uint32_t size);
uint32_t gs_input_byte(gs_input *input);
uint32_t gs_input_number(gs_input *input, uint32_t bytes);
uint32_t gs_input_varint(gs_input *input);
int gs_header_read(gs_input *input, gs_info *info);

/* ---- 2 range coder (gs_range.c) ---- */

typedef struct gs_range {
    gs_input input;
    uint32_t range;
    uint32_t code;
    uint32_t segment_bytes;
    uint32_t bytes_read; /* may pass segment_bytes by as many zeros as the format allows */
} gs_range;

void gs_range_start(gs_range *range, uint32_t segment_bytes);
uint32_t gs_range_bit(gs_range *range, uint16_t *context);
uint32_t gs_range_direct(gs_range *range, uint32_t bits);

/* ---- 3 slots (gs_slot.c) ---- */

/* A Gaussian as the stream has it. */
typedef struct gs_gaussian {
    uint32_t onset;     /* first sample, counted from GS_TIME_ZERO samples before sample 0 */
    uint16_t bin;       /* of 16 << scale */
    uint16_t amplitude; /* index, 1 to 4095 */
    uint16_t phase;     /* index, of 1 << phase_bits */
    uint8_t phase_bits;
    uint8_t scale;
} gs_gaussian;

/* The syntax does not tell larger counts of Gaussians apart; 2 * GS_ENOUGH_COUNTED must not be less than 8. */
#define GS_ENOUGH_COUNTED 15u

/* What the slot syntax remembers between the Gaussians of a segment. */
typedef struct gs_slot {
    uint32_t time; /* onset of the slot */
    uint16_t bin;  /* of the last Gaussian of the current scale, 0 before the first */
    uint8_t scales;
    uint8_t smallest_scale;
    uint8_t slot_shift;
    uint8_t index;  /* of the current scale */
    uint8_t count;  /* Gaussians of the current scale so far */
    uint8_t here;   /* Gaussians of the smaller scales */
    uint8_t before[GS_MAX_SCALES]; /* Gaussians of each scale in the last slot where it occurred */
} gs_slot;

void gs_slot_start_segment(gs_slot *slot, const gs_info *info, uint16_t *contexts);
void gs_slot_start(gs_slot *slot, uint32_t time);

/* Returns 1 with the slot's next Gaussian, or 0 at the slot's end or at an error of the input. Ends on any input. */
int gs_slot_next(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian);

/* ---- 4 dequantise (gs_dequantise.c) ---- */

/* A Gaussian as the renderer wants it. */
typedef struct gs_held {
    uint32_t onset;
    uint16_t phase;     /* at the onset, rounding of the cosine's index included; 65536 a turn */
    uint16_t increment; /* phase a sample */
    uint16_t amplitude; /* Q15 */
    uint8_t scale;
    uint8_t spare;
} gs_held;

GS_STATIC_ASSERT(a_held_gaussian_is_12_bytes, sizeof(gs_held) == 12);

void gs_dequantise(const gs_gaussian *gaussian, uint32_t amplitude_step, gs_held *held);

static inline uint32_t gs_support(uint32_t scale)
{
    return (uint32_t)32 << scale;
}

/* ---- 5 render, 6 pcm (gs_render.c) ---- */

/* Adds the samples time .. time + samples - 1 of all Gaussians to sum. The sum wraps: it is a uint32_t for that. */
void gs_render(const gs_held *held, uint32_t count, uint32_t time, uint32_t *sum, uint32_t samples);
void gs_pcm(const uint32_t *sum, uint32_t samples, uint32_t output_shift, int16_t *pcm);

/* ---- the decoder (gs_decoder.c) ---- */

struct gs_decoder {
    gs_info info;
    gs_range range;
    gs_slot slot;
    uint32_t position;
    uint32_t held;
    uint32_t segment_crc;
    int32_t next_slot;
    int32_t segment_end; /* one past the segment's last slot; next_slot where a segment must be opened first */
    int32_t slots;
    int32_t error;
    uint32_t looping;
    /* then gs_held[max_active] and uint16_t contexts[GS_CONTEXTS(scales)], by the class of the stream */
};

#endif
