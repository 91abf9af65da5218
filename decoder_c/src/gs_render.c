#include "gs_internal.h"

#ifdef __ARM_FEATURE_DSP
#include <arm_acle.h>
#endif

const int16_t *gs_render_cosine(void)
{
    return gs_cosine;
}

const int16_t *gs_render_envelope(void)
{
    return gs_envelope;
}

/* Sample i of a piece. The upper half of `phase` is the phase, where it wraps by itself; the lower half counts the
 * samples up to 65536, which saves the register that the loop would lack on a Cortex-M0+. */
#define GS_SAMPLE(i)                                                                                                   \
    sum[i] += (uint32_t)((envelope >> 16) * cosine[phase >> 22]);                                                      \
    envelope += slope;                                                                                                 \
    phase += increment;                                                                                                \
    GS_OPAQUE(envelope);                                                                                               \
    GS_OPAQUE(phase)

#ifdef __ARM_FEATURE_DSP
/* Two samples; the phase of each has a half of `phase`. */
#define GS_TWO_SAMPLES(i)                                                                                              \
    first = sum[i];                                                                                                    \
    second = sum[(i) + 1];                                                                                             \
    GS_TOGETHER(first, second);                                                                                        \
    first = (uint32_t)__smlatb(envelope, cosine[phase >> 6 & 1023u], (int32_t)first);                                  \
    envelope += slope;                                                                                                 \
    second = (uint32_t)__smlatb(envelope, cosine[phase >> 22], (int32_t)second);                                       \
    envelope += slope;                                                                                                 \
    phase = __uadd16(phase, increment);                                                                                \
    GS_OPAQUE(envelope);                                                                                               \
    GS_TOGETHER(first, second);                                                                                        \
    sum[i] = first;                                                                                                    \
    sum[(i) + 1] = second
#endif

/* Adds `run` samples of a straight piece of an envelope, whose level is the upper half of `envelope`. Phase and increment
 * are as GS_PHASES and GS_STEPS make them. */
static GS_INLINE uint32_t *add_run(uint32_t *sum, uint32_t run, int32_t envelope, int32_t slope, const int16_t *cosine,
                                   uint32_t *phase_of, uint32_t increment)
{
    uint32_t phase = *phase_of;

    GS_ASSERT(run >= 1 && run <= GS_BLOCK_SAMPLES && envelope > -(2 << GS_MAX_SCALE));
#ifdef __ARM_FEATURE_DSP
    if (run & 1u) {
        uint32_t first = *sum;
        *sum++ = (uint32_t)__smlatb(envelope, cosine[(phase & 0xFFFFu) >> 6], (int32_t)first);
        envelope += slope;
        phase = (phase >> 16) | (phase + increment) << 16;
    }
    if (run & 2u) {
        uint32_t first;
        uint32_t second;
        GS_TWO_SAMPLES(0);
        sum += 2;
    }
    if (run & 4u) {
        uint32_t first;
        uint32_t second;
        GS_TWO_SAMPLES(0);
        GS_TWO_SAMPLES(2);
        sum += 4;
    }
    for (run >>= 3; run > 0; run--) {
        uint32_t first;
        uint32_t second;
        GS_TWO_SAMPLES(0);
        GS_TWO_SAMPLES(2);
        GS_TWO_SAMPLES(4);
        GS_TWO_SAMPLES(6);
        sum += 8;
        GS_TOGETHER(sum, phase);
    }
#else
    phase -= run;
    if (run & 1u) {
        GS_SAMPLE(0);
        sum++;
    }
    if (phase & 2u) {
        GS_SAMPLE(0);
        GS_SAMPLE(1);
        sum += 2;
    }
    while (phase << 16) {
        GS_SAMPLE(0);
        GS_SAMPLE(1);
        GS_SAMPLE(2);
        GS_SAMPLE(3);
        sum += 4;
    }
#endif
    *phase_of = phase;
    return sum;
}

#ifdef __ARM_FEATURE_DSP
/* Two phases a word, for two samples, and their step. */
#define GS_PHASES(phase, increment) (((phase) & 0xFFFFu) | ((phase) + (increment)) << 16)
#define GS_STEPS(increment) ((2 * (increment) & 0xFFFFu) | (increment) << 17)
#else
#define GS_PHASES(phase, increment) (((phase) + 1) << 16)
#define GS_STEPS(increment) ((increment) << 16 | 1u)
#endif

/* Adds `samples` samples of a tone from its age on, all within its support; each straight piece of its envelope in
 * turn. */
static GS_APART void render_pieces(const gs_held *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = gs_cosine;
    uint32_t scale = held->scale;
    uint32_t increment = held->increment;
    uint32_t phase = held->phase + increment * age;
    uint32_t piece = age >> scale;
    uint32_t rest = age - (piece << scale);
    const uint16_t *at = (const uint16_t *)gs_envelope + piece;
    int32_t amplitude = held->amplitude;

    GS_ASSERT(age + samples <= gs_support(scale));
    GS_OPAQUE(cosine);
    phase = GS_PHASES(phase, increment);
    increment = GS_STEPS(increment);
    do {
        uint32_t run = (1u << scale) - rest;
        int32_t envelope = at[0];
        int32_t slope = (at[1] - envelope) * amplitude >> scale;
        if (run > samples)
            run = samples;
        samples -= run;
        sum = add_run(sum, run, 2 * (envelope * amplitude + (int32_t)rest * slope), 2 * slope, cosine, &phase,
                      increment);
        at++;
        rest = 0;
    } while (samples > 0);
}

#ifdef __OPTIMIZE_SIZE__
#define GS_RENDER_ONE_PIECE render_pieces
#else
#define GS_RENDER_ONE_PIECE render_piece

/* The same where all lie within one piece, as most do of long tones. */
static GS_APART void render_piece(const gs_held *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = gs_cosine;
    uint32_t scale = held->scale;
    uint32_t increment = held->increment;
    uint32_t phase = held->phase + increment * age;
    uint32_t piece = age >> scale;
    const uint16_t *at = (const uint16_t *)gs_envelope + piece;
    int32_t amplitude = held->amplitude;
    int32_t envelope = at[0];
    int32_t slope = (at[1] - envelope) * amplitude >> scale;

    GS_OPAQUE(cosine);
    envelope = envelope * amplitude + (int32_t)(age - (piece << scale)) * slope;
    phase = GS_PHASES(phase, increment);
    add_run(sum, samples, 2 * envelope, 2 * slope, cosine, &phase, GS_STEPS(increment));
}
#endif

/* What a tone has to do with a block. */
typedef struct gs_part {
    uint32_t age;     /* of its first sample there, in samples of its level */
    uint32_t skipped; /* samples of the block before that */
    uint32_t samples; /* 0: none */
} gs_part;

/* When a level's part of the block that begins at `time` begins, in its samples. */
static uint32_t time_at(uint32_t level, uint32_t time)
{
    return (time + (8u << level) - 8u) >> level;
}

static gs_part part_of(const gs_held *held, uint32_t time)
{
    int32_t samples = (int32_t)(GS_BLOCK_SAMPLES >> held->level);
    int32_t age = (int32_t)(time_at(held->level, time) - held->onset);
    int32_t left = (int32_t)gs_support(held->scale) - age;
    gs_part part = {(uint32_t)age, 0, 0};

    if (age < 0) {
        part.age = 0;
        part.skipped = (uint32_t)-age;
        left += age;
        samples += age;
    }
    if (samples > left)
        samples = left;
    if (samples > 0)
        part.samples = (uint32_t)samples;
    return part;
}

/* Strengths are below. */
#define GS_STRENGTHS 56u
GS_STATIC_ASSERT(costs_fit_the_sums, GS_STRENGTHS <= GS_BLOCK_SAMPLES);

/* How strong a tone is in the middle of its part of a block, in steps of a quarter of an octave that begin at 0. */
static uint32_t strength(const gs_held *held, const gs_part *part)
{
    const int16_t *at = gs_envelope + ((part->age + part->samples / 2) >> held->scale);
    uint32_t level = (uint32_t)(at[0] + at[1]) * held->amplitude >> 16;
    uint32_t octave = 0;

    while (level > 7) {
        level >>= 1;
        octave++;
    }
    return 4 * octave + level;
}

/* The least strength of which all tones of a block fit the budget. `costs` is room for a number for each. */
static uint32_t least_strength(const gs_held *held, uint32_t count, uint32_t time, uint32_t budget, uint32_t *costs)
{
    uint32_t left = budget * GS_BLOCK_SAMPLES;
    uint32_t least = GS_STRENGTHS;
    uint32_t i;

    for (i = 0; i < GS_STRENGTHS; i++)
        costs[i] = 0;
    for (; count > 0; count--, held++) {
        gs_part part = part_of(held, time);
        uint32_t last = part.age + part.samples - 1;
        if (part.samples > 0)
            costs[strength(held, &part)] += part.samples + 4 * ((last >> held->scale) - (part.age >> held->scale) + 1);
    }
    while (least > 0 && costs[least - 1] <= left)
        left -= costs[--least];
    return least;
}

static void render_all(gs_block *block, const gs_held *held, uint32_t count, uint32_t time, uint32_t least)
{
    struct {
        uint32_t *begin;
        uint32_t time;
    } levels[GS_LEVELS];
    const gs_held *end = held + count;
    uint32_t level;

    levels[0].begin = block->level_0;
    levels[1].begin = block->level_1 + GS_LEVEL_HISTORY;
    levels[2].begin = block->level_2 + GS_LEVEL_HISTORY;
    levels[3].begin = block->level_3 + GS_LEVEL_HISTORY;
    for (level = 0; level < GS_LEVELS; level++)
        levels[level].time = time_at(level, time);
    for (; held < end; held++) {
        uint32_t samples = GS_BLOCK_SAMPLES >> held->level;
        uint32_t age = levels[held->level].time - held->onset;
        uint32_t *sum = levels[held->level].begin;
        if (least > 0 || (int32_t)age < 0 || age + samples > gs_support(held->scale)) {
            gs_part part = part_of(held, time);
            if (part.samples == 0 || (least > 0 && strength(held, &part) < least))
                continue;
            age = part.age;
            sum += part.skipped;
            samples = part.samples;
        }
        if (age >> held->scale == (age + samples - 1) >> held->scale)
            GS_RENDER_ONE_PIECE(held, age, sum, samples);
        else
            render_pieces(held, age, sum, samples);
    }
}

/* Between samples 3 and 4. */
static GS_INLINE uint32_t between(const uint32_t *below)
{
    uint32_t sum = (uint32_t)GS_HALF_BAND_0 * (below[3] + below[4]) + (uint32_t)GS_HALF_BAND_1 * (below[2] + below[5]) +
                   (uint32_t)GS_HALF_BAND_2 * (below[1] + below[6]) + (uint32_t)GS_HALF_BAND_3 * (below[0] + below[7]);

    return (uint32_t)((int32_t)(sum + 2048u) >> 12);
}

/* Turns the sums of a level into quarters of output steps, with those of the level below. */
static GS_APART void climb(const uint32_t *below, uint32_t *sum, uint32_t samples, uint32_t shift)
{
    const uint32_t *end = sum + samples;

    do {
        sum[0] = (uint32_t)((int32_t)sum[0] >> shift) + below[3];
        sum[1] = (uint32_t)((int32_t)sum[1] >> shift) + between(below);
#ifdef __ARM_FEATURE_DSP
        sum[2] = (uint32_t)((int32_t)sum[2] >> shift) + below[4];
        sum[3] = (uint32_t)((int32_t)sum[3] >> shift) + between(below + 1);
        sum += 2;
        below++;
#endif
        sum += 2;
        below++;
    } while (sum < end);
}

/* Keeps what the filters still need and sets the sums after it to `start`. */
static void keep_history(uint32_t *level, uint32_t samples, uint32_t start)
{
    uint32_t i;

    for (i = 0; i < GS_LEVEL_HISTORY; i++)
        level[i] = level[samples + i];
    for (; i < GS_LEVEL_HISTORY + samples; i++)
        level[i] = start;
}

void gs_render(gs_block *block, const gs_held *held, uint32_t count, uint32_t time, uint32_t output_shift,
               uint32_t budget)
{
    uint32_t shift = 12u + output_shift;
    uint32_t half = (uint32_t)1 << (shift - 1); /* rounds when the sums are shifted */
    uint32_t least = 0;
    uint32_t i;

    if (budget != GS_UNLIMITED)
        least = least_strength(held, count, time, budget, block->level_0);
    GS_ASSERT(output_shift <= 16 && time % GS_BLOCK_SAMPLES == 0);
    keep_history(block->level_3, GS_BLOCK_SAMPLES / 8u, half);
    keep_history(block->level_2, GS_BLOCK_SAMPLES / 4u, half);
    keep_history(block->level_1, GS_BLOCK_SAMPLES / 2u, half);
    for (i = 0; i < GS_BLOCK_SAMPLES; i++)
        block->level_0[i] = half;
    render_all(block, held, count, time, least);
    for (i = GS_LEVEL_HISTORY; i < GS_LEVEL_HISTORY + GS_BLOCK_SAMPLES / 8u; i++)
        block->level_3[i] = (uint32_t)((int32_t)block->level_3[i] >> shift);
    climb(block->level_3, block->level_2 + GS_LEVEL_HISTORY, GS_BLOCK_SAMPLES / 4u, shift);
    climb(block->level_2, block->level_1 + GS_LEVEL_HISTORY, GS_BLOCK_SAMPLES / 2u, shift);
    climb(block->level_1, block->level_0, GS_BLOCK_SAMPLES, shift);
}

static int16_t saturated(int32_t value)
{
#if defined(__ARM_FEATURE_DSP) && !defined(__clang__) && defined(__GNUC__)
    return (int16_t)__builtin_arm_ssat(value, 16);
#elif defined(__ARM_FEATURE_DSP)
    value = value > 32767 ? 32767 : value; /* which Clang knows to be that instruction */
    return (int16_t)(value < -32768 ? -32768 : value);
#else
    return (int16_t)(value == (int16_t)value ? value : value >> 31 ^ 32767);
#endif
}

void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm)
{
    const int16_t *end = pcm + samples;

    if (noise) {
        do
            *pcm++ = saturated(((int32_t)(*quarters++ + 2u) >> 2) + *noise++);
        while (pcm < end);
    } else {
        do
            *pcm++ = saturated((int32_t)(*quarters++ + 2u) >> 2);
        while (pcm < end);
    }
}
