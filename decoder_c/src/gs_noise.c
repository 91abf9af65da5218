#include "gs_internal.h"

#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_BIG_ENDIAN)
#include <arm_acle.h>
#define GS_PAIRED 1
#else
#define GS_PAIRED 0
#endif

#define HIGHEST_LEVEL (14 * 256 - 1)
#define QUARTER_TURN 256u /* in indices of the cosine */

GS_STATIC_ASSERT(a_quarter_turn_is_a_quarter_of_the_cosine, GS_COSINE_STEPS == 4 * QUARTER_TURN);
GS_STATIC_ASSERT(the_age_of_a_noise_does_not_wrap,
                 2u * (GS_NOISE_SHORTEST_SUPPORT << (GS_NOISE_SCALES - 1)) <= 1u << (GS_NOISE_FRAME_BITS - 1));

static uint32_t *held_of(gs_noise *noise)
{
    return (uint32_t *)(void *)((uint8_t *)noise + sizeof *noise);
}

/* A complex number, or two values. */
typedef union gs_noise_complex {
    uint32_t both;
    int16_t part[2];
} gs_noise_complex;

static gs_noise_complex *complex_of(gs_noise *noise, const gs_info *info)
{
    return (gs_noise_complex *)(void *)(held_of(noise) + info->max_noise);
}

/* ---- bands ---- */

/* By 2 or more. Once for a stream: playing takes no division. */
static uint32_t divide(uint32_t dividend, uint32_t divisor)
{
    uint32_t quotient = 0;
    uint32_t bit;

    for (bit = 1u << 15; bit > 0; bit >>= 1) {
        if (dividend >= divisor * bit) {
            dividend -= divisor * bit;
            quotient |= bit;
        }
    }
    return quotient;
}

void gs_noise_open(gs_noise *noise, const gs_info *info)
{
    uint32_t bin = 0;
    uint32_t band;

    noise->bands = 0;
    for (band = 0; band < GS_BARK_BANDS; band++) {
        uint32_t hertz = (uint32_t)gs_bark_hz[band] << (info->noise_frame_shift + 1);
        uint32_t before = bin;
        /* To the last bin at or below the centre. The product stays below 2^26 for bins below 512. */
        while (bin >> info->noise_frame_shift == 0 && (bin + 1) * info->sample_rate <= hertz)
            bin++;
        if (bin >> info->noise_frame_shift != 0)
            break;
        GS_ASSERT(bin - before < 256);
        noise->bins[band] = (uint8_t)(bin - before);
        noise->reciprocal[band] = (uint16_t)(bin - before > 1 ? divide(65536, bin - before) : 0);
        noise->bands++;
    }
    gs_noise_forget(noise);
}

/* ---- the noises held ---- */

void gs_noise_forget(gs_noise *noise)
{
    noise->held = 0;
    noise->octave = 0;
    noise->frame = GS_NO_FRAME;
}

static uint32_t frame_of(const gs_info *info, uint32_t time)
{
    return (time - GS_TIME_ZERO) >> info->noise_frame_shift & ((1u << GS_NOISE_FRAME_BITS) - 1);
}

void gs_noise_hold(gs_noise *noise, const gs_info *info, const gs_gaussian *gaussian)
{
    GS_ASSERT(noise->held < info->max_noise);
    GS_ASSERT(gaussian->scale < GS_NOISE_SCALES && gaussian->width < GS_NOISE_WIDTHS);
    GS_ASSERT((uint32_t)gaussian->bin << gaussian->width < 1u << GS_NOISE_PLACES_LOG2);
    held_of(noise)[noise->held++] = frame_of(info, gaussian->onset) | (uint32_t)gaussian->scale << 15 |
                                    (uint32_t)gaussian->width << 18 | (uint32_t)gaussian->bin << 20 |
                                    (uint32_t)gaussian->weight << 25;
}

static uint32_t age_of(uint32_t held, uint32_t frame)
{
    return (frame - held) & ((1u << GS_NOISE_FRAME_BITS) - 1);
}

/* In frames. */
static uint32_t support_of(uint32_t held)
{
    return (uint32_t)GS_NOISE_SHORTEST_SUPPORT << (held >> 15 & 7u);
}

void gs_noise_drop_ended(gs_noise *noise, const gs_info *info, uint32_t time)
{
    uint32_t *held = held_of(noise);
    uint32_t frame = frame_of(info, time);
    uint32_t i = 0;

    while (i < noise->held) {
        /* Counted around a circle, what lies less than half of it back has ended; noises are held before they begin. */
        if (age_of(held[i] + support_of(held[i]), frame) >> (GS_NOISE_FRAME_BITS - 1) == 0)
            held[i] = held[--noise->held];
        else
            i++;
    }
}

/* ---- levels ---- */

static void add_levels(const gs_noise *noise, const int16_t *over_time, uint32_t held, uint32_t age, int32_t *level)
{
    uint32_t scale = held >> 15 & 7u;
    uint32_t width = held >> 18 & 3u;
    const int16_t *piece = over_time + ((age << 3) >> scale);
    int32_t rest = (int32_t)((age << 3) & (((uint32_t)1 << scale) - 1));
    int32_t now = piece[0] + (((piece[1] - piece[0]) * rest) >> scale);
    int32_t peak = ((int32_t)held >> 25) * now >> 7;
    int32_t start = (2 * (int32_t)(held >> 20 & 31u) - 3) * (3 << width); /* in 1/8 Bark, as `at` */
    int32_t band = start < -4 ? 0 : (start + 4) >> 3;
    int32_t at = 8 * band + 4 - start;
    int32_t bands = ((24 << width) - at + 7) >> 3;
    uint32_t shift = width < 2 ? width + 1 : 3;
    const uint16_t *over_bark = gs_noise_profile + GS_NOISE_PROFILE_OF_WIDTH * width + (at >> shift);

    GS_ASSERT(at > 0);
    if (bands > noise->bands - band)
        bands = noise->bands - band;
    if (bands <= 0)
        return;
    level += band;
    shift = 8u >> shift;
    do {
#if GS_PAIRED
        *level = __smlawb(peak, *over_bark, *level);
#else
        *level += peak * *over_bark >> 16;
#endif
        level++;
        over_bark += shift;
        GS_OPAQUE(bands);
    } while (--bands > 0);
}

/* Returns the highest. */
static GS_APART int32_t make_levels(gs_noise *noise, const gs_info *info, uint32_t frame, int32_t *level)
{
    const uint32_t *held = held_of(noise);
    const int16_t *over_time = gs_render_envelope();
    int32_t highest = 0;
    uint32_t i;

    for (i = 0; i < noise->bands; i++) {
        level[i] = info->noise_base * 128;
        GS_OPAQUE(i);
    }
    for (i = 0; i < noise->held; i++) {
        uint32_t age = age_of(held[i], frame);
        if (age - 1 < support_of(held[i]) - 1)
            add_levels(noise, over_time, held[i], age, level);
    }
    for (i = 0; i < noise->bands; i++) {
        if (level[i] < 0)
            level[i] = 0;
        if (level[i] > HIGHEST_LEVEL)
            level[i] = HIGHEST_LEVEL;
        if (level[i] > highest)
            highest = level[i];
        GS_OPAQUE(i);
    }
    return highest;
}

/* ---- spectrum ---- */

/* Counts from 0 with the bits reversed in place, below a power of two: `step` is what reversed_step makes of that. */
#if defined(__thumb2__) && defined(__GNUC__)
static GS_INLINE uint32_t reversed(uint32_t bits)
{
    __asm__("rbit %0, %1" : "=r"(bits) : "r"(bits));
    return bits;
}

static GS_INLINE uint32_t reversed_step(uint32_t size)
{
    return reversed(size >> 1);
}

static GS_INLINE uint32_t next_reversed(uint32_t at, uint32_t step)
{
    return reversed(reversed(at) + step);
}
#else
static GS_INLINE uint32_t reversed_step(uint32_t size)
{
    return size;
}

static GS_INLINE uint32_t next_reversed(uint32_t at, uint32_t step)
{
    do {
        step >>= 1;
        at ^= step;
    } while ((at & step) < step); /* the last one has none after it */
    return at;
}
#endif

static GS_INLINE int32_t amplitude_of(uint32_t line)
{
    int32_t amplitude = (int32_t)((uint32_t)gs_gain[(line >> 11) % GS_GAIN_STEPS] << (line >> 16) >> 15);
    GS_ASSERT(line >= 0xFF00 && amplitude < 32768);
    return amplitude;
}

/* An amplitude with the sign of `sign`. */
static GS_INLINE int16_t signed_by(uint32_t sign, int32_t amplitude)
{
    return (int16_t)(amplitude ^ (int32_t)sign >> 31);
}

/* The spectrum as the complex numbers of the transform, in bit-reversed order: X[2k] is the real part of number k,
 * X[2k + 1] the imaginary one of the k-th from the end. All levels are raised by `up`. */
static GS_APART void make_spectrum(const gs_noise *noise, const gs_info *info, uint32_t frame, const int32_t *level,
                                   int32_t up, gs_noise_complex *z)
{
    uint32_t size = (uint32_t)sizeof *z << (info->noise_frame_shift - 1); /* in bytes, as `at` */
    uint32_t state = (frame + 1) * 0x9E3779B9u;
    uint32_t at = 0;
    uint32_t step = reversed_step(size);
    uint32_t left = size >> 1;
    uint8_t *first = (uint8_t *)z[0].part;
    uint8_t *last = (uint8_t *)(z[left / 2 - 1].part + 1);
    uint32_t bands = noise->bands;
    const uint8_t *bins_of = noise->bins;
    const uint16_t *reciprocal = noise->reciprocal;
    int32_t line_start = *level;

    state ^= state >> 16;
    state *= 0x85EBCA6Bu;
    state ^= state >> 13;
    do {
        int32_t before = line_start;
        uint32_t line = (uint32_t)(before + up) << 8;
        uint32_t slope = 0;
        uint32_t bins = left;
        if (bands > 0) {
            line_start = *level++;
            bins = *bins_of++;
            slope = (uint32_t)((line_start - before) * *reciprocal >> 8);
        }
        reciprocal++;
        if (bins == 0) {
            if (line_start < before)
                line_start = before;
            continue;
        }
        left -= bins;
        if ((left + bins) & 1u)
            goto second_of_pair; /* the first was the last bin of a band before */
        do {
            state = state * 1664525u + 1013904223u;
            *(int16_t *)(void *)(first + at) = signed_by(state, amplitude_of(line));
            line += slope;
            if (--bins == 0)
                break;
        second_of_pair:
            *(int16_t *)(void *)(last - at) = signed_by(state << 1, amplitude_of(line));
            line += slope;
            at = next_reversed(at, step);
            GS_OPAQUE(bins);
        } while (--bins > 0);
    } while (bands-- > 0);
}

/* ---- transform ---- */

/* A complex number in a word, its parts in 16 bits each, which no sum leaves. With instructions for pairs of 16 bits
 * the parts are the word's halves; without, the word is re + im * 65536, so that one addition adds both. */
#if GS_PAIRED
/* A turn back by an angle: its cosine, and above it the sine negated. */
typedef int32_t gs_turn;

static GS_INLINE gs_turn turn_by(int32_t cosine, int32_t minus_sine)
{
    return (int32_t)((uint32_t)cosine & 0xFFFFu) | (int32_t)((uint32_t)minus_sine << 16);
}

/* A quarter of the number, turned. */
static GS_INLINE uint32_t turned(uint32_t a, gs_turn turn)
{
    return ((uint32_t)__smuadx((int32_t)a, turn) & 0xFFFF0000u) | (uint32_t)__smusd((int32_t)a, turn) >> 16;
}

static GS_INLINE uint32_t quarter(uint32_t a)
{
    return (uint32_t)__shadd16(__shadd16((int32_t)a, 0), 0);
}

/* The number turned, in Q14. */
static GS_INLINE void turned_wide(uint32_t a, gs_turn turn, int32_t *value)
{
    value[0] = __smusd((int32_t)a, turn);
    value[1] = __smuadx((int32_t)a, turn);
}

static GS_INLINE void set_parts(gs_noise_complex *z, int32_t first, int32_t second)
{
    z->both = (uint32_t)turn_by(first, second);
}

#define PLUS(a, b) ((uint32_t)__sadd16((int32_t)(a), (int32_t)(b)))
#define MINUS(a, b) ((uint32_t)__ssub16((int32_t)(a), (int32_t)(b)))
#define PLUS_TURNED(a, b) ((uint32_t)__sasx((int32_t)(a), (int32_t)(b)))
#define MINUS_TURNED(a, b) ((uint32_t)__ssax((int32_t)(a), (int32_t)(b)))
#else
typedef struct gs_turn {
    int32_t cosine;
    int32_t minus_sine;
} gs_turn;

static GS_INLINE gs_turn turn_by(int32_t cosine, int32_t minus_sine)
{
    gs_turn turn;
    turn.cosine = cosine;
    turn.minus_sine = minus_sine;
    return turn;
}

static GS_INLINE int32_t re_of(uint32_t a)
{
    return (int16_t)a;
}

static GS_INLINE int32_t im_of(uint32_t a)
{
    return (int32_t)(a - (uint32_t)re_of(a)) >> 16;
}

static GS_INLINE uint32_t joined(int32_t re, int32_t im)
{
    return (uint32_t)re + ((uint32_t)im << 16);
}

static GS_INLINE uint32_t turned_parts(int32_t re, int32_t im, gs_turn turn)
{
    return joined((re * turn.cosine - im * turn.minus_sine) >> 16, (im * turn.cosine + re * turn.minus_sine) >> 16);
}

static GS_INLINE uint32_t turned(uint32_t a, gs_turn turn)
{
    return turned_parts(re_of(a), im_of(a), turn);
}

/* The number turned, in Q14. */
static GS_INLINE void turned_wide(uint32_t a, gs_turn turn, int32_t *value)
{
    int32_t re = re_of(a);
    int32_t im = im_of(a);
    value[0] = re * turn.cosine - im * turn.minus_sine;
    value[1] = im * turn.cosine + re * turn.minus_sine;
}

static GS_INLINE void set_parts(gs_noise_complex *z, int32_t first, int32_t second)
{
    z->part[0] = (int16_t)first;
    z->part[1] = (int16_t)second;
}

static GS_INLINE uint32_t quarter(uint32_t a)
{
    return joined(re_of(a) >> 2, im_of(a) >> 2);
}

static GS_INLINE uint32_t by_i(uint32_t a)
{
    return joined(-im_of(a), re_of(a));
}

#define PLUS(a, b) ((a) + (b))
#define MINUS(a, b) ((a) - (b))
#define PLUS_TURNED(a, b) ((a) + by_i(b))
#define MINUS_TURNED(a, b) ((a) - by_i(b))
#endif

/* By the angle whose cosine is there. */
static GS_INLINE gs_turn turn_at(const int16_t *cosine)
{
    return turn_by(cosine[0], cosine[QUARTER_TURN]);
}

/* A number as make_spectrum left it. */
static GS_INLINE uint32_t first_turned(const gs_noise_complex *z, const int16_t *cosine)
{
#if GS_PAIRED
    return turned(z->both, turn_at(cosine));
#else
    return turned_parts(z->part[0], z->part[1], turn_at(cosine));
#endif
}

/* The turns before the transform, and its first stage or two. */
static GS_APART void start_transform(gs_noise_complex *z, uint32_t frame_shift)
{
    const int16_t *cosine = gs_render_cosine();
    uint32_t size = (uint32_t)1 << frame_shift; /* in halves of numbers */
    const gs_noise_complex *end = z + size / 2;
    uint32_t at = 0;

    if (frame_shift & 1u) {
        uint32_t step = reversed_step(size / 8);
        do {
            const int16_t *first = cosine + (at << (9 - frame_shift));
            uint32_t a = first_turned(&z[0], first);
            uint32_t c = first_turned(&z[1], first + QUARTER_TURN / 2);
            uint32_t s = PLUS(a, c);
            uint32_t d = MINUS(a, c);
            uint32_t b = first_turned(&z[2], first + QUARTER_TURN / 4);
            uint32_t e = first_turned(&z[3], first + 3 * QUARTER_TURN / 4);
            a = PLUS(b, e);
            b = MINUS(b, e);
            z[0].both = PLUS(s, a);
            z[1].both = MINUS_TURNED(d, b);
            z[2].both = MINUS(s, a);
            z[3].both = PLUS_TURNED(d, b);
            z += 4;
            at = next_reversed(at, step);
        } while (z < end);
    } else {
        uint32_t step = reversed_step(size / 4);
        do {
            const int16_t *first = cosine + (at << (9 - frame_shift));
            uint32_t a = first_turned(&z[0], first);
            uint32_t b = first_turned(&z[1], first + QUARTER_TURN / 2);
            z[0].both = PLUS(a, b);
            z[1].both = MINUS(a, b);
            z += 2;
            at = next_reversed(at, step);
        } while (z < end);
    }
}

/* Two stages at once, from transforms of `span` numbers to those of 4 * span. `step` is a quarter turn by span. */
static GS_APART void cross_fours(gs_noise_complex *z, const gs_noise_complex *end, uint32_t span, uint32_t step)
{
    const int16_t *cosine = gs_render_cosine();
    uint32_t at = 0;

    do {
        gs_turn once = turn_at(cosine + at);
        gs_turn twice = turn_at(cosine + 2 * at);
        gs_turn thrice = turn_at(cosine + 3 * at);
        gs_noise_complex *a = z;
        do {
            uint32_t u = turned(a[span].both, twice);
            uint32_t t = quarter(a[0].both);
            uint32_t s = PLUS(t, u);
            uint32_t d = MINUS(t, u);
            t = turned(a[2 * span].both, once);
            u = turned(a[3 * span].both, thrice);
            a[0].both = PLUS(s, PLUS(t, u));
            a[2 * span].both = MINUS(s, PLUS(t, u));
            u = MINUS(t, u);
            a[span].both = MINUS_TURNED(d, u);
            a[3 * span].both = PLUS_TURNED(d, u);
            a += 4 * span;
        } while (a < end);
        z++;
        at += step;
    } while (at < QUARTER_TURN);
}

/* From the order and the signs of make_spectrum to numbers before their last turn, the upper half of them first. */
static void transform(gs_noise_complex *z, uint32_t frame_shift)
{
    uint32_t size = (uint32_t)1 << (frame_shift - 1);
    uint32_t span = frame_shift & 1u ? 4 : 2;
    uint32_t step = QUARTER_TURN / span;

    start_transform(z, frame_shift);
    for (; span < size; span *= 4, step /= 4)
        cross_fours(z, z + size, span, step);
}

/* ---- overlap ---- */

/* Keeps a compiler from doing what stands below together with what stands above, which takes more registers. */
#if defined(__GNUC__) && defined(__thumb__)
#define GS_IN_ORDER() __asm__("" : : : "memory")
#else
#define GS_IN_ORDER() ((void)0)
#endif

/* Two samples of a block, the one as far from its start as the other from its end. */
typedef struct gs_mirrored {
    int32_t early;
    int32_t late;
} gs_mirrored;

static GS_INLINE gs_mirrored mixed(int32_t old, int32_t fresh, const int16_t *cosine, int32_t rounding, uint32_t down)
{
    gs_mirrored samples;
#if GS_PAIRED
    int32_t pair = turn_by(fresh, old);
    gs_turn turn = turn_by(cosine[QUARTER_TURN], cosine[0]);
    samples.early = __smlsd(pair, turn, rounding) >> down;
    samples.late = __smladx(pair, turn, rounding) >> down;
#else
    int32_t fall = cosine[0];
    int32_t minus_rise = cosine[QUARTER_TURN];
    samples.early = (rounding + fresh * minus_rise - old * fall) >> down;
    samples.late = (rounding + fresh * fall + old * minus_rise) >> down;
#endif
    return samples;
}

/* Shifts to the right: of the newer frame's numbers, the older one's, and the samples made of both. */
typedef struct gs_scaling {
    uint32_t fresh;
    uint32_t old;
    uint32_t samples;
} gs_scaling;

/* Makes the block before the centre of the frame in `z`, in its place, and keeps behind it what the next block needs.
 * Of the k-th number and the k-th from the end, turned, come samples 2k and 2k + 1 and as many from the block's end. */
static GS_APART void overlap(gs_noise_complex *z, uint32_t frame_shift, const gs_scaling *down)
{
    const int16_t *cosine = gs_render_cosine() + (128u >> frame_shift);
    gs_noise_complex *end = z + ((uint32_t)1 << (frame_shift - 1));
    gs_noise_complex *half = end;
    int32_t rounding = (int32_t)1 << (down->samples - 1);

    do {
        gs_turn turn = turn_by(cosine[5 * QUARTER_TURN / 2], cosine[7 * QUARTER_TURN / 2]);
        const int16_t *second = cosine + (256u >> frame_shift);
        uint32_t a = z->both;
        int32_t value[2];
        int32_t old = half->part[1] >> down->old;
        gs_mirrored outer;
        gs_mirrored inner;

        turned_wide(a, turn, value);
        half->part[1] = (int16_t)(value[1] >> 14);
        outer = mixed(old, value[0] >> down->fresh, cosine, rounding, down->samples);
#if !GS_PAIRED
        set_parts(z, outer.early, outer.late);
        GS_IN_ORDER();
#endif
        turn = turn_by(second[7 * QUARTER_TURN / 2], second[5 * QUARTER_TURN / 2]);
        turned_wide((--end)->both, turn, value);
        old = half->part[0] >> down->old;
        half->part[0] = (int16_t)(value[0] >> 14);
        inner = mixed(old, value[1] >> down->fresh, second, rounding, down->samples);
#if GS_PAIRED
        set_parts(z, outer.early, inner.early);
        set_parts(end, inner.late, outer.late);
#else
        set_parts(end, inner.late, z->part[1]);
        z->part[1] = (int16_t)inner.early;
#endif
        z++;
        half++;
        cosine += 512u >> frame_shift;
    } while (z < end);
}

/* For noise so loud that its values do not fit their 16 bits: doubles them `times`, limited. */
static GS_APART void double_all(gs_noise_complex *z, uint32_t frame_shift, uint32_t times)
{
    int16_t *value = z->part;
    const int16_t *end = value + ((uint32_t)1 << frame_shift);

    do {
        int32_t doubled = *value * ((int32_t)1 << times);
        *value = (int16_t)(doubled == (int16_t)doubled ? doubled : doubled >> 31 ^ 32767);
    } while (++value < end);
}

/* ---- frames and blocks ---- */

/* Returns the octave of its highest level, 0 for silence. */
static GS_APART int32_t make_frame(gs_noise *noise, const gs_info *info, uint32_t frame, gs_noise_complex *z)
{
    int32_t level[GS_BARK_BANDS];
    int32_t highest = make_levels(noise, info, frame, level);
    int32_t octave = highest >> 8;
    uint32_t i;

    if (octave == 0) {
        for (i = 0; i >> (info->noise_frame_shift - 1) == 0; i++)
            z[i].both = 0;
    } else {
        make_spectrum(noise, info, frame, level, (15 - octave + !(info->noise_frame_shift & 1u)) * 256, z);
        transform(z, info->noise_frame_shift);
    }
    return octave;
}

/* As if silence had been before. */
static void forget_older(gs_noise *noise, const gs_info *info)
{
    gs_noise_complex *half = complex_of(noise, info) + ((uint32_t)1 << (info->noise_frame_shift - 1));
    uint32_t i;

    for (i = 0; i >> (info->noise_frame_shift - 2) == 0; i++)
        half[i].both = 0;
    noise->octave = 0;
}

static void make_block(gs_noise *noise, const gs_info *info, uint32_t frame)
{
    gs_noise_complex *z = complex_of(noise, info);
    int32_t octave = make_frame(noise, info, frame, z);
    int32_t old = noise->octave;
    int32_t higher = octave > old ? octave : old;
    int32_t down = 24 + info->noise_shift - (info->noise_frame_shift >> 1) - higher;
    gs_scaling scaling;

    noise->octave = (uint8_t)octave;
    noise->frame = frame;
    scaling.fresh = (uint32_t)(14 + higher - octave);
    scaling.old = (uint32_t)(higher - old);
    scaling.samples = (uint32_t)(down < 14 ? 14 : down > 31 ? 31 : down);
    overlap(z, info->noise_frame_shift, &scaling);
    if (down < 14)
        double_all(z, info->noise_frame_shift, (uint32_t)(14 - down));
}

const int16_t *gs_noise_prepare(gs_noise *noise, const gs_info *info, uint32_t position)
{
    uint32_t frame = position >> info->noise_frame_shift;

    if (noise->frame != frame + 1) {
        if (noise->frame != frame) {
            forget_older(noise, info);
            make_block(noise, info, frame);
        }
        make_block(noise, info, frame + 1);
    }
    return complex_of(noise, info)->part + (position & (((uint32_t)1 << info->noise_frame_shift) - 1));
}
