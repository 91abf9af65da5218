/* Shared by the decoder's steps, in the order of SPEC.md:
 * bytes -> container -> range coder -> slots -> dequantise -> render -> noise -> pcm. */
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
#if defined(__clang__) && defined(__thumb__)
#define GS_APART __attribute__((noinline))
#elif defined(__GNUC__) && defined(__thumb__)
#define GS_APART __attribute__((noinline, noclone))
#else
#define GS_APART
#endif

#ifdef __GNUC__
#define GS_INLINE inline __attribute__((always_inline))
#else
#define GS_INLINE inline
#endif

/* Keeps a compiler from deriving a value of a loop from another one, which would take more registers than there are. */
#if defined(__GNUC__) && defined(__thumb__)
#define GS_OPAQUE(value) __asm__("" : "+r"(value))
/* And two loads, or stores, next to each other, where they can become one instruction. */
#define GS_TOGETHER(a, b) __asm__("" : "+r"(a), "+r"(b))
#else
#define GS_OPAQUE(value) ((void)0)
#define GS_TOGETHER(a, b) ((void)0)
#endif

/* For C++ too, which knows no compound literals. */
#ifdef __cplusplus
#define GS_ALL_ZERO(type) type()
#else
#define GS_ALL_ZERO(type) ((type){0})
#endif

#define GS_STATIC_ASSERT(name, condition) typedef char gs_assert_##name[(condition) ? 1 : -1]

/* C99 leaves both to the compiler; the format does not. */
GS_STATIC_ASSERT(shifts_keep_the_sign, ((int32_t)-3 >> 1) == -2);
GS_STATIC_ASSERT(conversion_wraps, (int32_t)0xFFFFFFFFu == -1);

#define GS_MAX_SCALE 11u
#define GS_MAX_ACTIVE 4096u
#define GS_MAX_NOISE 255u
#define GS_SMALLEST_FRAME_SHIFT 5u
#define GS_LARGEST_FRAME_SHIFT 9u
#define GS_INPUT_BYTES 32u

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

/* Samples in a noise frame, 0 in a stream without noise. */
static inline uint32_t gs_noise_frame(const gs_info *info)
{
    return info->max_noise ? (uint32_t)1 << info->noise_frame_shift : 0;
}

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
    uint16_t bin;       /* of 16 << scale; the place of a noise, of 32 >> width */
    uint16_t amplitude; /* index, 1 to 4095; 0 marks a noise */
    uint16_t phase;     /* index, of 1 << phase_bits; 0 for a noise */
    uint8_t phase_bits;
    uint8_t scale;
    uint8_t width;      /* of a noise, 0 to 3 */
    int8_t weight;      /* of a noise, -63 to 63 but not 0 */
} gs_gaussian;

/* The syntax does not tell larger counts of Gaussians apart; 2 * GS_ENOUGH_COUNTED must not be less than 8. */
#define GS_ENOUGH_COUNTED 15u

/* What the slot syntax remembers between the Gaussians of a segment. */
typedef struct gs_slot {
    uint32_t time; /* onset of the slot */
    uint16_t bin;  /* of the last tone of the current scale, 0 before the first */
    uint8_t scales;     /* of tones */
    uint8_t all_scales; /* those of noises come after those of tones */
    uint8_t smallest_scale;
    uint8_t slot_shift;
    uint8_t frame_shift;
    uint8_t index; /* of the current scale */
    uint8_t count; /* Gaussians of the current scale so far */
    uint8_t here;  /* Gaussians of the smaller scales of the same kind */
    uint8_t before[GS_MAX_SCALES + GS_NOISE_SCALES]; /* Gaussians of each scale in the last slot where it occurred */
} gs_slot;

void gs_slot_start_segment(gs_slot *slot, const gs_info *info, uint16_t *contexts);
void gs_slot_start(gs_slot *slot, uint32_t time);

/* Returns 1 with the slot's next Gaussian, first the tones, then the noises, or 0 at the slot's end or at an error of
 * the input. Ends on any input. */
int gs_slot_next(gs_slot *slot, gs_range *range, uint16_t *contexts, gs_gaussian *gaussian);

/* ---- 4 dequantise (gs_dequantise.c) ---- */

/* A tone as the renderer wants it: times are in samples of its level. */
typedef struct gs_held {
    uint32_t onset;
    uint16_t phase;     /* at the onset, rounding of the cosine's index included; 65536 a turn */
    uint16_t increment; /* phase a sample */
    uint16_t amplitude; /* Q15 */
    uint8_t scale;
    uint8_t level;      /* a sample of it is 1 << level samples of the clip */
} gs_held;

GS_STATIC_ASSERT(a_held_gaussian_is_12_bytes, sizeof(gs_held) == 12);

void gs_dequantise(const gs_gaussian *gaussian, uint32_t amplitude_step, gs_held *held);

static inline uint32_t gs_support(uint32_t scale)
{
    return (uint32_t)32 << scale;
}

/* ---- 5 render (gs_render.c) ---- */

/* The tables that the noise uses too, so that a program has them once. */
const int16_t *gs_render_cosine(void);
const int16_t *gs_render_envelope(void);

/* A level's samples that the next block still needs from the block before. */
#define GS_LEVEL_HISTORY (2u * GS_HALF_BAND_TAPS - 1u)

/* A block of every level, in quarters of an output step. Level d is 8 * (2^d - 1) samples of the clip ahead of level 0,
 * as far as the filters look ahead. The samples wrap: they are uint32_t for that. */
typedef struct gs_block {
    uint32_t level_3[GS_LEVEL_HISTORY + GS_BLOCK_SAMPLES / 8u];
    uint32_t level_2[GS_LEVEL_HISTORY + GS_BLOCK_SAMPLES / 4u];
    uint32_t level_1[GS_LEVEL_HISTORY + GS_BLOCK_SAMPLES / 2u];
    uint32_t level_0[GS_BLOCK_SAMPLES];
} gs_block;

GS_STATIC_ASSERT(levels_are_as_in_the_format, GS_LEVELS == 4 && GS_HALF_BAND_TAPS == 4);

#define GS_LARGEST_BUDGET 65534u
#define GS_UNLIMITED 65535u

/* Makes the block of all tones that begins at `time`, a multiple of GS_BLOCK_SAMPLES, or of the strongest ones that
 * cost `budget` MACs a sample, GS_UNLIMITED for all. What was made before a jump is forgotten after GS_WARM_UP_BLOCKS
 * blocks. */
void gs_render(gs_block *block, const gs_held *held, uint32_t count, uint32_t time, uint32_t output_shift,
               uint32_t budget);

/* ---- 7 noise (gs_noise.c) ---- */

/* The noise of a stream that has some. */
typedef struct gs_noise {
    uint32_t frame;                      /* made last, GS_NO_FRAME before the first */
    uint16_t reciprocal[GS_BARK_BANDS];  /* of bins, as slopes need it: 65536 / bins, 0 where there is no slope */
    uint8_t bins[GS_BARK_BANDS];         /* from the centre of the band before, or 0, to that of the band */
    uint8_t bands;                       /* whose centre is below half the sample rate */
    uint8_t held;
    uint8_t octave;                      /* of the frame made last; 0 for silence */
    /* then uint32_t held[max_noise], the block made last, int16_t[N], and what the next one needs of the frame made
     * last, int16_t[N / 2] */
} gs_noise;

GS_STATIC_ASSERT(the_public_header_knows_the_size_of_noise, sizeof(gs_noise) == GS_NOISE_BYTES(1u, 0u) - 4);

#define GS_NO_FRAME 0xFFFFFFFFu

/* A noise held, in one number: from below the frame where it begins (15 bits, wraps), scale, width, place, weight. */
#define GS_NOISE_FRAME_BITS 15u

void gs_noise_open(gs_noise *noise, const gs_info *info);
void gs_noise_forget(gs_noise *noise);
void gs_noise_hold(gs_noise *noise, const gs_info *info, const gs_gaussian *gaussian);
void gs_noise_drop_ended(gs_noise *noise, const gs_info *info, uint32_t time);

/* Returns the noise from sample `position` to the end of its block, in output steps. */
const int16_t *gs_noise_prepare(gs_noise *noise, const gs_info *info, uint32_t position);

/* ---- 6 pcm (gs_render.c) ---- */

/* Quarters of output steps in output steps, with the noise, NULL for none; saturated. */
void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm);

/* ---- the decoder (gs_decoder.c) ---- */

struct gs_decoder {
    gs_info info; /* the order of the members keeps most of them within reach of short instructions */
    uint32_t position;
    uint32_t held;
    uint32_t segment_crc;
    int32_t next_slot;
    int32_t segment_end; /* one past the segment's last slot; next_slot where a segment must be opened first */
    int32_t slots;
    int32_t error;
    uint16_t looping;
    uint16_t budget; /* MACs a sample for tones */
    uint16_t noise_at; /* bytes from here to the gs_noise, 0 without one */
    uint16_t contexts_at;
    gs_slot slot;
    gs_range range;
    uint32_t next_block; /* time at which the block to be made next begins; the one before is in `block` */
    gs_block block;
    /* then, by the class of the stream, gs_held[max_active], with noise gs_noise and what follows that, and uint16_t
     * contexts[GS_CONTEXTS(scales, max_noise)] */
};

#endif
