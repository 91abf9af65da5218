/* SPEC 5.4: the inverse modified discrete cosine transform that makes noise of its spectrum, in 16 bits: a complex
 * Fourier transform of N / 2 numbers between twiddles, and the overlap of two frames. */
#ifndef GS_TRANSFORM_H
#define GS_TRANSFORM_H

#include "gs_platform.h"

/* A complex number, or two values. */
typedef union gs_complex {
    uint32_t both;
    int16_t part[2];
} gs_complex;

/* Counts from 0 with the bits reversed in place, below a power of two; `step` is gs_reversed_step of that. */
#if defined(__thumb2__) && defined(__GNUC__)
static GS_INLINE uint32_t gs_reversed(uint32_t bits)
{
    __asm__("rbit %0, %1" : "=r"(bits) : "r"(bits));
    return bits;
}

static GS_INLINE uint32_t gs_reversed_step(uint32_t size)
{
    return gs_reversed(size >> 1);
}

static GS_INLINE uint32_t gs_next_reversed(uint32_t at, uint32_t step)
{
    return gs_reversed(gs_reversed(at) + step);
}

/* So many on. */
static GS_INLINE uint32_t gs_later_reversed(uint32_t at, uint32_t step, uint32_t count)
{
    return gs_reversed(gs_reversed(at) + step * count);
}
#else
static GS_INLINE uint32_t gs_reversed_step(uint32_t size)
{
    return size;
}

static GS_INLINE uint32_t gs_next_reversed(uint32_t at, uint32_t step)
{
    do {
        step >>= 1;
        at ^= step;
    } while ((at & step) < step); /* the last one has none after it */
    return at;
}

/* So many on. */
static GS_INLINE uint32_t gs_later_reversed(uint32_t at, uint32_t step, uint32_t count)
{
    for (; count > 0; count--)
        at = gs_next_reversed(at, step);
    return at;
}
#endif

/* How a block is scaled. Shifts to the right: of the newer frame's numbers, the older one's, and the samples made of
 * both, which is less than GS_LEAST_SHIFT for noise so loud that its values are doubled and limited instead. */
typedef struct gs_mdct_scaling {
    uint32_t fresh;
    uint32_t old;
    int32_t samples;
    uint32_t is_silent; /* the newer frame, all of whose numbers are 0 then */
} gs_mdct_scaling;

#define GS_LEAST_SHIFT 14

/* Makes the block before the centre of the frame in `z`, in its place, and keeps behind it what the next block needs.
 * The spectrum X comes in bit-reversed order: X[2k] is the real part of number k, X[2k + 1] the imaginary one of the
 * k-th from the end. */
void gs_inverse_mdct(gs_complex *z, uint32_t frame_log2, const gs_mdct_scaling *down);

#endif
