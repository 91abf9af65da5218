#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_transform.h"

#include "gs_cosine.h"

GS_CODE_BEGINS

/* A complex number in a word, its parts in 16 bits each, which no sum leaves. With instructions for pairs of 16 bits
 * the parts are the word's halves; without, the word is re + im * 65536, so that one addition adds both. */
#if GS_PAIRED
/* A rotation back by an angle: its cosine, and above it the sine negated. */
typedef int32_t gs_twiddle;

static GS_INLINE gs_twiddle gs_twiddle_by(int32_t cosine, int32_t minus_sine)
{
    return (int32_t)((uint32_t)cosine & 0xFFFFu) | (int32_t)((uint32_t)minus_sine << 16);
}

#ifdef __OPTIMIZE_SIZE__
static GS_INLINE gs_twiddle gs_swapped(gs_twiddle twiddle)
{
    return (int32_t)((uint32_t)twiddle << 16 | (uint32_t)twiddle >> 16);
}
#endif

/* A quarter of the number, rotated. */
static GS_INLINE uint32_t gs_rotated(uint32_t a, gs_twiddle twiddle)
{
    return ((uint32_t)__smuadx((int32_t)a, twiddle) & 0xFFFF0000u) | (uint32_t)__smusd((int32_t)a, twiddle) >> 16;
}

static GS_INLINE uint32_t gs_quarter(uint32_t a)
{
    return (uint32_t)__shadd16(__shadd16((int32_t)a, 0), 0);
}

/* The number rotated, in Q14. */
static GS_INLINE void gs_rotated_wide(uint32_t a, gs_twiddle twiddle, int32_t *value)
{
    value[0] = __smusd((int32_t)a, twiddle);
    value[1] = __smuadx((int32_t)a, twiddle);
}

static GS_INLINE void gs_set_parts(gs_complex *z, int32_t first, int32_t second)
{
    z->both = (uint32_t)gs_twiddle_by(first, second);
}

#define GS_PLUS(a, b) ((uint32_t)__sadd16((int32_t)(a), (int32_t)(b)))
#define GS_MINUS(a, b) ((uint32_t)__ssub16((int32_t)(a), (int32_t)(b)))
#define GS_PLUS_I(a, b) ((uint32_t)__sasx((int32_t)(a), (int32_t)(b)))
#define GS_MINUS_I(a, b) ((uint32_t)__ssax((int32_t)(a), (int32_t)(b)))
#else
typedef struct gs_twiddle {
    int32_t cosine;
    int32_t minus_sine;
} gs_twiddle;

static GS_INLINE gs_twiddle gs_twiddle_by(int32_t cosine, int32_t minus_sine)
{
    gs_twiddle twiddle;
    twiddle.cosine = cosine;
    twiddle.minus_sine = minus_sine;
    return twiddle;
}

#ifdef __OPTIMIZE_SIZE__
static GS_INLINE gs_twiddle gs_swapped(gs_twiddle twiddle)
{
    return gs_twiddle_by(twiddle.minus_sine, twiddle.cosine);
}
#endif

static GS_INLINE int32_t gs_re_of(uint32_t a)
{
    return (int16_t)a;
}

static GS_INLINE int32_t gs_im_of(uint32_t a)
{
    return (int32_t)(a - (uint32_t)gs_re_of(a)) >> 16;
}

static GS_INLINE uint32_t gs_joined(int32_t re, int32_t im)
{
    return (uint32_t)re + ((uint32_t)im << 16);
}

static GS_INLINE uint32_t gs_rotated_parts(int32_t re, int32_t im, gs_twiddle twiddle)
{
    return gs_joined((re * twiddle.cosine - im * twiddle.minus_sine) >> 16,
                     (im * twiddle.cosine + re * twiddle.minus_sine) >> 16);
}

static GS_INLINE uint32_t gs_rotated(uint32_t a, gs_twiddle twiddle)
{
    return gs_rotated_parts(gs_re_of(a), gs_im_of(a), twiddle);
}

/* The number rotated, in Q14. */
static GS_INLINE void gs_rotated_wide(uint32_t a, gs_twiddle twiddle, int32_t *value)
{
    int32_t re = gs_re_of(a);
    int32_t im = gs_im_of(a);
    value[0] = re * twiddle.cosine - im * twiddle.minus_sine;
    value[1] = im * twiddle.cosine + re * twiddle.minus_sine;
}

static GS_INLINE void gs_set_parts(gs_complex *z, int32_t first, int32_t second)
{
    z->part[0] = (int16_t)first;
    z->part[1] = (int16_t)second;
}

static GS_INLINE uint32_t gs_quarter(uint32_t a)
{
    return gs_joined(gs_re_of(a) >> 2, gs_im_of(a) >> 2);
}

static GS_INLINE uint32_t gs_by_i(uint32_t a)
{
    return gs_joined(-gs_im_of(a), gs_re_of(a));
}

#define GS_PLUS(a, b) ((a) + (b))
#define GS_MINUS(a, b) ((a) - (b))
#define GS_PLUS_I(a, b) ((a) + gs_by_i(b))
#define GS_MINUS_I(a, b) ((a) - gs_by_i(b))
#endif

/* By an angle. */
GS_FAST gs_twiddle gs_twiddle_at(gs_angle angle)
{
    return gs_twiddle_by(gs_cosine_at(angle), gs_cosine_at(angle + GS_QUARTER_TURN));
}

#if GS_PAIRED || !defined(__OPTIMIZE_SIZE__)
/* By the angle that is as far behind a quarter turn as this one is behind none, and back. */
static GS_INLINE gs_twiddle gs_twiddle_across(gs_angle angle)
{
#ifdef __OPTIMIZE_SIZE__
    return gs_swapped(gs_twiddle_at(angle));
#else
    return gs_twiddle_by(gs_cosine_at(angle + GS_QUARTER_TURN), gs_cosine_at(angle));
#endif
}
#endif

/* A number as gs_noise_make_spectrum left it. */
GS_FAST uint32_t gs_first_rotated(const gs_complex *z, gs_angle angle)
{
#if GS_PAIRED
    return gs_rotated(z->both, gs_twiddle_at(angle));
#else
    return gs_rotated_parts(z->part[0], z->part[1], gs_twiddle_at(angle));
#endif
}

#ifdef __OPTIMIZE_SIZE__
/* The turns before the transform, and its first stage or two, one after the other. */
static void gs_start_transform(gs_complex *z, uint32_t frame_log2)
{
    uint32_t size = (uint32_t)1 << frame_log2; /* in halves of numbers */
    gs_complex *first = z;
    const gs_complex *end = z + size / 2;
    uint32_t step = gs_reversed_step(size / 4);
    uint32_t at = 0;

    do {
        gs_angle angle = GS_ANGLE_0 + (at << (9 - frame_log2));
        uint32_t a = gs_first_rotated(&z[0], angle);
        uint32_t b = gs_first_rotated(&z[1], angle + GS_QUARTER_TURN / 2);
        z[0].both = GS_PLUS(a, b);
        z[1].both = GS_MINUS(a, b);
        z += 2;
        at = gs_next_reversed(at, step);
    } while (z < end);
    if (!(frame_log2 & 1u))
        return;
    for (z = first; z < end; z += 4) {
        uint32_t a = z[0].both;
        uint32_t b = z[2].both;
        z[0].both = GS_PLUS(a, b);
        z[2].both = GS_MINUS(a, b);
        a = z[1].both;
        b = z[3].both;
        z[1].both = GS_MINUS_I(a, b);
        z[3].both = GS_PLUS_I(a, b);
    }
}
#else
/* The turns before the transform, and its first stage or two. */
static GS_APART void gs_start_transform(gs_complex *z, uint32_t frame_log2)
{
    gs_angle zero = GS_ANGLE_0;
    uint32_t size = (uint32_t)1 << frame_log2; /* in halves of numbers */
    const gs_complex *end = z + size / 2;
    uint32_t at = 0;

    if (frame_log2 & 1u) {
        uint32_t step = gs_reversed_step(size / 8);
        do {
            gs_angle first = zero + (at << (9 - frame_log2));
            uint32_t a = gs_first_rotated(&z[0], first);
            uint32_t c = gs_first_rotated(&z[1], first + GS_QUARTER_TURN / 2);
            uint32_t s = GS_PLUS(a, c);
            uint32_t d = GS_MINUS(a, c);
            uint32_t b = gs_first_rotated(&z[2], first + GS_QUARTER_TURN / 4);
            uint32_t e = gs_first_rotated(&z[3], first + 3 * GS_QUARTER_TURN / 4);
            a = GS_PLUS(b, e);
            b = GS_MINUS(b, e);
            z[0].both = GS_PLUS(s, a);
            z[1].both = GS_MINUS_I(d, b);
            z[2].both = GS_MINUS(s, a);
            z[3].both = GS_PLUS_I(d, b);
            z += 4;
            at = gs_next_reversed(at, step);
        } while (z < end);
    } else {
        uint32_t step = gs_reversed_step(size / 4);
        do {
            gs_angle first = zero + (at << (9 - frame_log2));
            uint32_t a = gs_first_rotated(&z[0], first);
            uint32_t b = gs_first_rotated(&z[1], first + GS_QUARTER_TURN / 2);
            z[0].both = GS_PLUS(a, b);
            z[1].both = GS_MINUS(a, b);
            z += 2;
            at = gs_next_reversed(at, step);
        } while (z < end);
    }
}

#endif

/* Two stages at once, by radix-4 butterflies, from transforms of `span` numbers to those of 4 * span. `step` is a
 * quarter turn by span. */
static GS_APART void gs_butterfly4(gs_complex *z, const gs_complex *end, uint32_t span, uint32_t step)
{
    gs_angle zero = GS_ANGLE_0;
    uint32_t at = 0;

    do {
        gs_twiddle once = gs_twiddle_at(zero + at);
        gs_twiddle twice = gs_twiddle_at(zero + 2 * at);
        gs_twiddle thrice = gs_twiddle_at(zero + 3 * at);
        gs_complex *a = z;
        do {
            uint32_t u = gs_rotated(a[span].both, twice);
            uint32_t t = gs_quarter(a[0].both);
            uint32_t s = GS_PLUS(t, u);
            uint32_t d = GS_MINUS(t, u);
            t = gs_rotated(a[2 * span].both, once);
            u = gs_rotated(a[3 * span].both, thrice);
            a[0].both = GS_PLUS(s, GS_PLUS(t, u));
            a[2 * span].both = GS_MINUS(s, GS_PLUS(t, u));
            u = GS_MINUS(t, u);
            a[span].both = GS_MINUS_I(d, u);
            a[3 * span].both = GS_PLUS_I(d, u);
            a += 4 * span;
        } while (a < end);
        z++;
        at += step;
    } while (at < GS_QUARTER_TURN);
}

/* From a spectrum to numbers before their last twiddle, the upper half of them first. */
static void gs_transform(gs_complex *z, uint32_t frame_log2)
{
    uint32_t size = (uint32_t)1 << (frame_log2 - 1);
    uint32_t span = 2u << (frame_log2 & 1u);
    uint32_t step = GS_QUARTER_TURN / 2u >> (frame_log2 & 1u);

    gs_start_transform(z, frame_log2);
    for (; span < size; span *= 4, step /= 4)
        gs_butterfly4(z, z + size, span, step);
}

/* Two samples of a block, the one as far from its start as the other from its end. */
typedef struct gs_mirrored {
    int32_t early;
    int32_t late;
} gs_mirrored;

static GS_INLINE gs_mirrored gs_mixed(int32_t old, int32_t fresh, gs_angle angle, int32_t rounding, uint32_t down)
{
    gs_mirrored samples;
#if GS_PAIRED
    int32_t pair = gs_twiddle_by(fresh, old);
    gs_twiddle twiddle = gs_twiddle_across(angle);
    samples.early = __smlsd(pair, twiddle, rounding) >> down;
    samples.late = __smladx(pair, twiddle, rounding) >> down;
#else
    int32_t fall = gs_cosine_at(angle);
    int32_t minus_rise = gs_cosine_at(angle + GS_QUARTER_TURN);
    samples.early = (rounding + fresh * minus_rise - old * fall) >> down;
    samples.late = (rounding + fresh * fall + old * minus_rise) >> down;
#endif
    return samples;
}

#ifdef __OPTIMIZE_SIZE__
/* What a pair of samples of a block is made of. */
typedef struct gs_overlapped {
    const gs_mdct_scaling *down;
    uint32_t shift;
    gs_complex *half; /* values of the older frame, and where those of this one are kept */
} gs_overlapped;

/* Of a number, rotated: one part, `fresh`, is mixed with the older frame's value, and the other one kept. */
static GS_NOINLINE gs_complex gs_overlap_one(const gs_overlapped *with, uint32_t a, gs_angle angle, uint32_t fresh)
{
    gs_twiddle twiddle = gs_twiddle_at(angle + 5 * GS_QUARTER_TURN / 2);
    int16_t *kept = &with->half->part[1 - fresh];
    int32_t value[2];
    gs_mirrored samples;
    gs_complex both;

    gs_rotated_wide(a, fresh ? gs_swapped(twiddle) : twiddle, value);
    samples = gs_mixed(*kept >> with->down->old, value[fresh] >> with->down->fresh, angle,
                       (int32_t)1 << (with->shift - 1), with->shift);
    *kept = (int16_t)(value[1 - fresh] >> 14);
    gs_set_parts(&both, samples.early, samples.late);
    return both;
}

/* Of the k-th number and the k-th from the end, rotated, come samples 2k and 2k + 1 and two from the block's end. */
static void gs_overlap(gs_complex *z, uint32_t frame_log2, const gs_mdct_scaling *down)
{
    gs_angle angle = GS_ANGLE_0 + (128u >> frame_log2);
    gs_complex *end = z + ((uint32_t)1 << (frame_log2 - 1));
    gs_overlapped with;

    with.down = down;
    with.shift = gs_least(down->samples < GS_LEAST_SHIFT ? GS_LEAST_SHIFT : (uint32_t)down->samples, 31);
    with.half = end;
    do {
        gs_complex outer = gs_overlap_one(&with, z->both, angle, 0);
        gs_complex inner = gs_overlap_one(&with, (--end)->both, angle + (256u >> frame_log2), 1);
        gs_set_parts(z, outer.part[0], inner.part[0]);
        gs_set_parts(end, inner.part[1], outer.part[1]);
        z++;
        with.half++;
        angle += 512u >> frame_log2;
    } while (z < end);
}
#else
/* Of the k-th number and the k-th from the end, rotated, come samples 2k and 2k + 1 and two from the block's end. */
static GS_APART void gs_overlap(gs_complex *z, uint32_t frame_log2, const gs_mdct_scaling *down)
{
    gs_angle angle = GS_ANGLE_0 + (128u >> frame_log2);
    gs_complex *end = z + ((uint32_t)1 << (frame_log2 - 1));
    gs_complex *half = end;
    uint32_t shift = gs_least(down->samples < GS_LEAST_SHIFT ? GS_LEAST_SHIFT : (uint32_t)down->samples, 31);
    int32_t rounding = (int32_t)1 << (shift - 1);
    uint32_t fresh = down->fresh; /* not to be read anew after each store */
    uint32_t of_old = down->old;

    do {
        gs_twiddle twiddle = gs_twiddle_at(angle + 5 * GS_QUARTER_TURN / 2);
        gs_angle second = angle + (256u >> frame_log2);
        uint32_t a = z->both;
        int32_t value[2];
        int32_t old = half->part[1] >> of_old;
        gs_mirrored outer;
        gs_mirrored inner;

        gs_rotated_wide(a, twiddle, value);
        half->part[1] = (int16_t)(value[1] >> 14);
        outer = gs_mixed(old, value[0] >> fresh, angle, rounding, shift);
#if !GS_PAIRED
        gs_set_parts(z, outer.early, outer.late);
        GS_IN_ORDER();
#endif
        twiddle = gs_twiddle_across(second + 5 * GS_QUARTER_TURN / 2);
        gs_rotated_wide((--end)->both, twiddle, value);
        old = half->part[0] >> of_old;
        half->part[0] = (int16_t)(value[0] >> 14);
        inner = gs_mixed(old, value[1] >> fresh, second, rounding, shift);
#if GS_PAIRED
        gs_set_parts(z, outer.early, inner.early);
        gs_set_parts(end, inner.late, outer.late);
#else
        gs_set_parts(end, inner.late, z->part[1]);
        z->part[1] = (int16_t)inner.early;
#endif
        z++;
        half++;
        angle += 512u >> frame_log2;
    } while (z < end);
}
#endif

static GS_APART void gs_double_all(gs_complex *z, uint32_t frame_log2, uint32_t times)
{
    int16_t *value = (int16_t *)(void *)z;
    const int16_t *end = value + ((uint32_t)1 << frame_log2);

    do {
        int32_t doubled = *value * ((int32_t)1 << times);
        *value = (int16_t)(doubled == (int16_t)doubled ? doubled : doubled >> 31 ^ 32767);
    } while (++value < end);
}

void gs_inverse_mdct(gs_complex *z, uint32_t frame_log2, const gs_mdct_scaling *down)
{
    if (!down->is_silent)
        gs_transform(z, frame_log2);
    gs_overlap(z, frame_log2, down);
    if (down->samples < GS_LEAST_SHIFT)
        gs_double_all(z, frame_log2, (uint32_t)(GS_LEAST_SHIFT - down->samples));
}

GS_CODE_ENDS
