#include "gs_internal.h"

#define HIGHEST_LEVEL (14 * 256 - 1)
#define LAST_SIGN 1u /* follows the 32 random signs that are made at a time */

GS_STATIC_ASSERT(a_phase_is_64_times_an_index_of_the_cosine, GS_COSINE_STEPS == 1024);
GS_STATIC_ASSERT(the_age_of_a_noise_does_not_wrap,
                 2u * (GS_NOISE_SHORTEST_SUPPORT << (GS_NOISE_SCALES - 1)) <= 1u << (GS_NOISE_FRAME_BITS - 1));

static uint32_t *held_of(gs_noise *noise)
{
    return (uint32_t *)(void *)((uint8_t *)noise + sizeof *noise);
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

static void add_levels(const gs_noise *noise, uint32_t held, uint32_t age, int32_t *level)
{
    uint32_t scale = held >> 15 & 7u;
    uint32_t width = held >> 18 & 3u;
    const int16_t *over_time = gs_render_envelope() + ((age << 3) >> scale);
    int32_t rest = (int32_t)((age << 3) & (((uint32_t)1 << scale) - 1));
    int32_t now = over_time[0] + (((over_time[1] - over_time[0]) * rest) >> scale);
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
    do {
        *level++ += peak * *over_bark >> 16;
        over_bark += 8 >> shift;
    } while (--bands > 0);
}

static GS_APART void make_levels(gs_noise *noise, const gs_info *info, uint32_t frame, int32_t *level)
{
    const uint32_t *held = held_of(noise);
    uint32_t i;

    for (i = 0; i < noise->bands; i++)
        level[i] = info->noise_base * 128;
    for (i = 0; i < noise->held; i++) {
        uint32_t age = age_of(held[i], frame);
        if (age - 1 < support_of(held[i]) - 1)
            add_levels(noise, held[i], age, level);
    }
    for (i = 0; i < noise->bands; i++) {
        if (level[i] < 0)
            level[i] = 0;
        if (level[i] > HIGHEST_LEVEL)
            level[i] = HIGHEST_LEVEL;
    }
}

/* ---- spectrum ---- */

/* The number after `at`, both with their bits reversed in place below and without `size`, a power of two. */
static uint32_t next_reversed(uint32_t at, uint32_t size)
{
    do {
        size >>= 1;
        at ^= size;
    } while (!(at & size));
    return at;
}

/* The spectrum as the complex numbers of the transform, already in bit-reversed order: X[2k] goes to the real part of
 * number k, X[2k + 1] to the imaginary one of the k-th from the end. */
static GS_APART void make_spectrum(const gs_noise *noise, const gs_info *info, uint32_t frame, const int32_t *level,
                          uint32_t *work)
{
    uint32_t size = (uint32_t)1 << info->noise_frame_shift;
    uint32_t state = (frame + 1) * 0x9E3779B9u;
    uint32_t signs = LAST_SIGN;
    uint32_t at = 0;
    uint32_t left = size;
    uint32_t band;

    state ^= state >> 16;
    state *= 0x85EBCA6Bu;
    state ^= state >> 13;
    state |= 1u;
    for (band = 0; band <= noise->bands; band++) {
        int32_t before = level[band > 0 ? band - 1 : 0];
        uint32_t line = (uint32_t)(before + 256) << 8; /* an octave up, to stay above 0 where rounding takes it down */
        uint32_t slope = 0;
        uint32_t bins = left;
        if (band < noise->bands) {
            bins = noise->bins[band];
            slope = (uint32_t)((level[band] - before) * noise->reciprocal[band] >> 8);
        }
        left -= bins;
        if (bins == 0)
            continue;
        do {
            uint32_t amplitude = (uint32_t)gs_gain[(line >> 11) % GS_GAIN_STEPS] << (line >> 16) >> 15;
            GS_ASSERT(line >= 0xFF00 && line <= (HIGHEST_LEVEL + 256) << 8);
            line += slope;
            if (signs == LAST_SIGN) {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                if (!(state & 1u))
                    amplitude = 0u - amplitude;
                signs = state >> 1 | 0x80000000u;
            } else {
                if (!(signs & 1u))
                    amplitude = 0u - amplitude;
                signs >>= 1;
            }
            work[at] = amplitude;
            at ^= size - 1;
            if (!(at & 1u))
                at = next_reversed(at, size);
        } while (--bins > 0);
    }
}

/* ---- transform ---- */

/* A product of Q14, rounded. */
static GS_INLINE uint32_t rounded(uint32_t product)
{
#if defined(__thumb__) && !defined(__thumb2__)
    return (uint32_t)((((int32_t)product >> 13) + 1) >> 1); /* the same without a constant in a register */
#else
    return (uint32_t)((int32_t)(product + 8192u) >> 14);
#endif
}

/* Turns a complex number back by the phase whose cosine and sine are given. */
static GS_INLINE void turn(uint32_t *z, uint32_t c, uint32_t s)
{
    uint32_t re = z[0];
    uint32_t im = z[1];

    z[0] = rounded(re * c + im * s);
    z[1] = rounded(im * c - re * s);
}

/* The first two stages, whose turns are by a half and a quarter turn, or none. */
static GS_APART void cross_fours(uint32_t *z, const uint32_t *end)
{
    do {
        int32_t sum = (int32_t)(z[4] + z[6]);
        int32_t re = (int32_t)(z[4] - z[6]);
        int32_t mid = (int32_t)(z[0] + z[2]);
        int32_t mid_re = (int32_t)(z[0] - z[2]);
        int32_t im;
        z[0] = (uint32_t)((mid + sum) >> 1);
        z[4] = (uint32_t)((mid - sum) >> 1);
        sum = (int32_t)(z[5] + z[7]);
        im = (int32_t)(z[5] - z[7]);
        mid = (int32_t)(z[1] + z[3]);
        z[2] = (uint32_t)((mid_re + im) >> 1);
        z[6] = (uint32_t)((mid_re - im) >> 1);
        im = (int32_t)(z[1] - z[3]);
        z[1] = (uint32_t)((mid + sum) >> 1);
        z[5] = (uint32_t)((mid - sum) >> 1);
        z[3] = (uint32_t)((im - re) >> 1);
        z[7] = (uint32_t)((im + re) >> 1);
        z += 8;
    } while (z < end);
}

static GS_INLINE void cross(uint32_t *a, uint32_t *b, uint32_t re, uint32_t im, uint32_t shift)
{
    uint32_t other = a[0];

    a[0] = (uint32_t)((int32_t)(other + re) >> shift);
    b[0] = (uint32_t)((int32_t)(other - re) >> shift);
    other = a[1];
    a[1] = (uint32_t)((int32_t)(other + im) >> shift);
    b[1] = (uint32_t)((int32_t)(other - im) >> shift);
}

/* A stage on 2 * half words. What is turned by k / half of a half turn goes with what is turned by a quarter more. */
static GS_APART void cross_all(uint32_t *a, uint32_t half, uint32_t shift, const int16_t *cosine, uint32_t step)
{
    uint32_t *b = a + half;
    uint32_t i;

    cross(a, b, b[0], b[1], shift);
    cross(a + half / 2, b + half / 2, b[half / 2 + 1], 0u - b[half / 2], shift);
    for (i = step; i < GS_COSINE_STEPS / 4; i += step) {
        uint32_t c = (uint32_t)cosine[i];
        uint32_t s = (uint32_t)cosine[GS_COSINE_STEPS / 4 - i];
        uint32_t re;
        uint32_t im;
        a += 2;
        b += 2;
        re = b[0];
        im = b[1];
        cross(a, b, rounded(re * c + im * s), rounded(im * c - re * s), shift);
        a += half / 2;
        b += half / 2;
        re = b[0];
        im = b[1];
        cross(a, b, rounded(im * c - re * s), rounded(0u - re * c - im * s), shift);
        a -= half / 2;
        b -= half / 2;
    }
}

/* A DCT-IV: from the order of make_spectrum to that of v. */
static GS_APART void transform(uint32_t *work, uint32_t frame_shift)
{
    const int16_t *cosine = gs_render_cosine();
    uint32_t size = (uint32_t)1 << frame_shift;
    uint32_t step = (uint32_t)(GS_COSINE_STEPS / 2) >> frame_shift;
    uint32_t at = 0;
    uint32_t half;
    uint32_t up;
    uint32_t down;
    uint32_t *a;
    uint32_t *b;

    a = work;
    for (up = 0; up < GS_COSINE_STEPS / 4; up += step) {
        turn(a, (uint32_t)cosine[up], (uint32_t)cosine[GS_COSINE_STEPS / 4 - up]);
        a += size / 2;
        up += step;
        turn(a, (uint32_t)cosine[up], (uint32_t)cosine[GS_COSINE_STEPS / 4 - up]);
        at = next_reversed(at, size / 2);
        a = work + at;
    }
    cross_fours(work, work + size);
    for (half = 8, step = GS_COSINE_STEPS / 8; half < size; half *= 2, step /= 2)
        for (at = 0; at < size; at += 2 * half)
            cross_all(work + at, half, half & 0x55555555u ? 1u : 0u, cosine, step);
    /* v[2k] is the real part of number k, v[2k + 1] the imaginary one of the k-th from the end, negated. */
    up = ((8192u >> frame_shift) + 32) >> 6;
    down = (16384u + 32 - (24576u >> frame_shift)) >> 6;
    step = 512u >> frame_shift;
    for (a = work, b = work + size - 2; a < b; a += 2, b -= 2) {
        uint32_t imaginary;
        turn(a, (uint32_t)cosine[up], (uint32_t)cosine[GS_COSINE_STEPS / 4 - up]);
        turn(b, (uint32_t)cosine[down], (uint32_t)cosine[GS_COSINE_STEPS / 4 - down]);
        imaginary = a[1];
        a[1] = 0u - b[1];
        b[1] = 0u - imaginary;
        up += step;
        down -= step;
    }
}

/* ---- frames and blocks ---- */

static GS_APART void make_frame(gs_noise *noise, const gs_info *info, uint32_t frame, uint32_t *work)
{
    int32_t level[GS_BARK_BANDS];

    make_levels(noise, info, frame, level);
    make_spectrum(noise, info, frame, level, work);
    transform(work, info->noise_frame_shift);
    noise->frame = frame;
}

/* The samples of a block in the place of what they are made from, `later` the second half of a frame, after it the first
 * half of the one before. The j-th from the start and the j-th from the end come from the same two values. */
static GS_APART void overlap(uint32_t *later, uint32_t frame_shift, uint32_t shift)
{
    const int16_t *cosine = gs_render_cosine();
    uint32_t *earlier = later + ((uint32_t)1 << frame_shift);
    uint32_t phase = 8192u >> frame_shift;
    int32_t half = (int32_t)1 << (shift - 1);

    do {
        uint32_t fall = (uint32_t)cosine[phase >> 6];
        uint32_t rise = (uint32_t)cosine[(16384 - phase) >> 6];
        uint32_t newer = *later;
        uint32_t old = *--earlier;
        *later++ = (uint32_t)(((int32_t)rounded(newer * rise - old * fall) * 16 + half) >> shift);
        *earlier = (uint32_t)(((int32_t)rounded(0u - newer * fall - old * rise) * 16 + half) >> shift);
        phase += 16384u >> frame_shift;
    } while (later < earlier);
}

const uint32_t *gs_noise_prepare(gs_noise *noise, const gs_info *info, uint32_t position)
{
    uint32_t frame = position >> info->noise_frame_shift;
    uint32_t size = (uint32_t)1 << info->noise_frame_shift;
    uint32_t *work = held_of(noise) + info->max_noise;
    uint32_t i;

    if (noise->frame != frame + 1) {
        if (noise->frame != frame)
            make_frame(noise, info, frame, work);
        for (i = 0; i < size / 2; i++)
            work[size + i] = work[i];
        make_frame(noise, info, frame + 1, work);
        overlap(work + size / 2, info->noise_frame_shift, info->noise_shift);
    }
    return work + size / 2 + (position & (size - 1));
}
