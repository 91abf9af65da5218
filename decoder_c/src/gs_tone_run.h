/* SPEC 4.4, 4.5: what rendering a stream's tones has in common with rendering those of several. */
#ifndef GS_TONE_RUN_H
#define GS_TONE_RUN_H

#include "gs_cosine.h"
#include "gs_tone.h"

GS_CODE_BEGINS

#if GS_WHOLE_COSINE
#define GS_TONE_COSINES gs_cosine
#else
#define GS_TONE_COSINES gs_quarter_cosine
#endif

/* Sample i of a piece. The upper half of `phase` is the phase, where it wraps by itself; the lower half counts the
 * samples up to 65536, which saves the register that the loop would lack on a Cortex-M0+. */
#define GS_TONE_SAMPLE(i)                                                                                              \
    sum[i] += (uint32_t)((envelope >> 16) * cosine[phase >> 22]);                                                      \
    envelope += slope;                                                                                                 \
    phase += increment;                                                                                                \
    GS_OPAQUE(envelope);                                                                                               \
    GS_OPAQUE(phase)

#if GS_WHOLE_COSINE && defined(__ARM_FEATURE_DSP)
/* Two samples; the phase of each has a half of `phase`. */
#define GS_TONE_TWO_SAMPLES(i)                                                                                         \
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

/* Adds `run` samples of a straight piece of an envelope, whose value is the upper half of `envelope`. Phase and
 * increment are as GS_TONE_PHASES and GS_TONE_STEPS make them. */
static GS_INLINE uint32_t *gs_tone_add_run(uint32_t *sum, uint32_t run, int32_t envelope, int32_t slope,
                                           const int16_t *cosine, uint32_t *phase_of, uint32_t increment)
{
    uint32_t phase = *phase_of;

    GS_ASSERT(run >= 1 && run <= GS_BLOCK_SAMPLES && envelope > -(1 << 17));
#if !GS_WHOLE_COSINE
    do {
#ifdef __ARM_FEATURE_DSP
        *sum = (uint32_t)__smlatb(envelope, gs_cosine_of(cosine, phase), (int32_t)*sum);
#else
        *sum += (uint32_t)((envelope >> 16) * gs_cosine_of(cosine, phase));
#endif
        sum++;
        envelope += slope;
        phase += increment;
    } while (--run > 0);
#elif defined(__ARM_FEATURE_DSP)
#ifdef __OPTIMIZE_SIZE__
    if (run & 1u) {
        uint32_t first = *sum;
        *sum++ = (uint32_t)__smlatb(envelope, cosine[phase >> 6 & 1023u], (int32_t)first);
        envelope += slope;
        phase = (phase >> 16) | (phase + increment) << 16;
    }
    for (run >>= 1; run > 0; run--) {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        sum += 2;
    }
#else
    if (run & 3u) { /* pieces have 4 samples or a multiple mostly */
        if (run & 1u) {
            uint32_t first = *sum;
            *sum++ = (uint32_t)__smlatb(envelope, cosine[(phase & 0xFFFFu) >> 6], (int32_t)first);
            envelope += slope;
            phase = (phase >> 16) | (phase + increment) << 16;
        }
        if (run & 2u) {
            uint32_t first;
            uint32_t second;
            GS_TONE_TWO_SAMPLES(0);
            sum += 2;
        }
    }
    if (run & 4u) {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        GS_TONE_TWO_SAMPLES(2);
        sum += 4;
    }
    for (run >>= 3; run > 0; run--) {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        GS_TONE_TWO_SAMPLES(2);
        GS_TONE_TWO_SAMPLES(4);
        GS_TONE_TWO_SAMPLES(6);
        sum += 8;
        GS_TOGETHER(sum, phase);
    }
#endif
#else
    phase -= run;
    if (run & 1u) {
        GS_TONE_SAMPLE(0);
        sum++;
    }
    if (phase & 2u) {
        GS_TONE_SAMPLE(0);
        GS_TONE_SAMPLE(1);
        sum += 2;
    }
    while (phase << 16) {
        GS_TONE_SAMPLE(0);
        GS_TONE_SAMPLE(1);
        GS_TONE_SAMPLE(2);
        GS_TONE_SAMPLE(3);
        sum += 4;
    }
#endif
    *phase_of = phase;
    return sum;
}

#if !GS_WHOLE_COSINE
#define GS_TONE_PHASES(phase, increment) ((phase) << 16)
#define GS_TONE_STEPS(increment) ((increment) << 16)
#elif defined(__ARM_FEATURE_DSP)
/* Two phases a word, for two samples, and their step. */
#define GS_TONE_PHASES(phase, increment) (((phase) & 0xFFFFu) | ((phase) + (increment)) << 16)
#define GS_TONE_STEPS(increment) ((2 * (increment) & 0xFFFFu) | (increment) << 17)
#else
#define GS_TONE_PHASES(phase, increment) (((phase) + 1) << 16)
#define GS_TONE_STEPS(increment) ((increment) << 16 | 1u)
#endif

/* What a tone has to do with a block. */
typedef struct gs_tone_part {
    uint32_t age;     /* of its first sample there, in samples of its octave */
    uint32_t skipped; /* samples of the block before that */
    uint32_t samples; /* 0: none */
} gs_tone_part;

/* When an octave's part of the block that begins at `time` begins, in its samples. */
static inline uint32_t gs_tone_time_at(uint32_t octave, uint32_t time)
{
    return (time + (8u << octave) - 8u) >> octave;
}

/* Keeps what the filters still need and sets the sums after it to `start`. */
GS_STATIC void gs_tone_keep_history(uint32_t *octave, uint32_t samples, uint32_t start)
{
    uint32_t i;

    for (i = 0; i < GS_OCTAVE_HISTORY; i++)
        octave[i] = octave[samples + i];
    for (; i < GS_OCTAVE_HISTORY + samples; i++)
        octave[i] = start;
}

/* Functions that a small core does not inline anyway: there the file with the shared tables has them for all, elsewhere
 * each file that needs them. */
#if defined(__thumb__) && defined(GS_SHARED_TABLES_HERE)
#define GS_TONE_FUNCTION GS_APART void
#elif !defined(__thumb__) || !defined(GS_SHARED_TABLES_ELSEWHERE)
#define GS_TONE_FUNCTION GS_STATIC GS_APART void
#endif

#if defined(__thumb__) && (defined(GS_SHARED_TABLES_HERE) || defined(GS_SHARED_TABLES_ELSEWHERE))
void gs_tone_render_pieces(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples);
void gs_tone_render_piece(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples);
void gs_tone_upsample(const uint32_t *below, uint32_t *sum, uint32_t samples, uint32_t shift);
#endif

#ifdef GS_TONE_FUNCTION
/* Adds `samples` samples of a tone from its age on, all within its support; each straight piece of its envelope in
 * turn. */
GS_TONE_FUNCTION gs_tone_render_pieces(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = GS_TONE_COSINES;
    uint32_t scale = held->scale;
    uint32_t increment = held->increment;
    uint32_t phase = held->phase + increment * age;
    uint32_t piece = age >> scale;
    uint32_t rest = age - (piece << scale);
    const uint16_t *at = (const uint16_t *)gs_envelope + piece;
    int32_t amplitude = held->amplitude;

    GS_ASSERT(age + samples <= gs_tone_support(scale));
    GS_OPAQUE(cosine);
    phase = GS_TONE_PHASES(phase, increment);
    increment = GS_TONE_STEPS(increment);
    do {
        uint32_t run = (1u << scale) - rest;
#ifdef __ARM_FEATURE_DSP /* the same, each in as few registers as it can be */
        int32_t envelope = at[0] * (2 * amplitude);
        int32_t slope = 2 * ((at[1] * (2 * amplitude) - envelope) >> (scale + 1));
#else
        int32_t envelope = 2 * at[0] * amplitude;
        int32_t slope = 2 * ((at[1] - at[0]) * amplitude >> scale);
#endif
        if (run > samples)
            run = samples;
        samples -= run;
        sum = gs_tone_add_run(sum, run, envelope + (int32_t)rest * slope, slope, cosine, &phase, increment);
        at++;
        rest = 0;
    } while (samples > 0);
}

#if !defined(__OPTIMIZE_SIZE__) && !defined(__ARM_FEATURE_DSP)
/* The same where all lie within one piece, as most do of long tones. */
GS_TONE_FUNCTION gs_tone_render_piece(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = GS_TONE_COSINES;
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
    phase = GS_TONE_PHASES(phase, increment);
    gs_tone_add_run(sum, samples, 2 * envelope, 2 * slope, cosine, &phase, GS_TONE_STEPS(increment));
}
#endif

/* Between samples 3 and 4. */
static GS_INLINE uint32_t gs_tone_between(const uint32_t *below)
{
    uint32_t sum = (uint32_t)GS_HALF_BAND_0 * (below[3] + below[4]) + (uint32_t)GS_HALF_BAND_1 * (below[2] + below[5]) +
                   (uint32_t)GS_HALF_BAND_2 * (below[1] + below[6]) + (uint32_t)GS_HALF_BAND_3 * (below[0] + below[7]);

    return (uint32_t)((int32_t)(sum + 2048u) >> 12);
}

/* Turns the sums of an octave into quarters of output steps, with those of the octave below. */
GS_TONE_FUNCTION gs_tone_upsample(const uint32_t *below, uint32_t *sum, uint32_t samples, uint32_t shift)
{
    const uint32_t *end = sum + samples;

    do {
#if defined(__ARM_FEATURE_DSP) && !defined(__OPTIMIZE_SIZE__)
        /* Two at once, so that the products with each tap are next to each other. */
        uint32_t here = below[4];
        uint32_t first = (uint32_t)GS_HALF_BAND_0 * (below[3] + here);
        uint32_t second = (uint32_t)GS_HALF_BAND_0 * (here + below[5]);
        uint32_t a;
        uint32_t b;
        GS_TOGETHER(first, second);
        first += (uint32_t)GS_HALF_BAND_1 * (below[2] + below[5]);
        second += (uint32_t)GS_HALF_BAND_1 * (below[3] + below[6]);
        GS_TOGETHER(first, second);
        first += (uint32_t)GS_HALF_BAND_2 * (below[1] + below[6]);
        second += (uint32_t)GS_HALF_BAND_2 * (below[2] + below[7]);
        GS_TOGETHER(first, second);
        first += (uint32_t)GS_HALF_BAND_3 * (below[0] + below[7]);
        second += (uint32_t)GS_HALF_BAND_3 * (below[1] + below[8]);
        first = (uint32_t)((int32_t)(first + 2048u) >> 12);
        second = (uint32_t)((int32_t)(second + 2048u) >> 12);
        a = sum[0];
        b = sum[1];
        GS_TOGETHER(a, b);
        a = (uint32_t)((int32_t)a >> shift) + below[3];
        b = (uint32_t)((int32_t)b >> shift) + first;
        GS_TOGETHER(a, b);
        sum[0] = a;
        sum[1] = b;
        a = sum[2];
        b = sum[3];
        GS_TOGETHER(a, b);
        a = (uint32_t)((int32_t)a >> shift) + here;
        b = (uint32_t)((int32_t)b >> shift) + second;
        GS_TOGETHER(a, b);
        sum[2] = a;
        sum[3] = b;
        sum += 4;
        below += 2;
        GS_TOGETHER(sum, below);
#else
        sum[0] = (uint32_t)((int32_t)sum[0] >> shift) + below[3];
        sum[1] = (uint32_t)((int32_t)sum[1] >> shift) + gs_tone_between(below);
        sum += 2;
        below++;
#endif
    } while (sum < end);
}

#endif

/* ---- cost ---- */

/* Strengths are below this number. */
#define GS_TONE_STRENGTHS 56u
GS_STATIC_ASSERT(costs_fit_the_sums, GS_TONE_STRENGTHS <= GS_BLOCK_SAMPLES);

/* The same for these, where size is all that counts. */
#if defined(__thumb__) && defined(__OPTIMIZE_SIZE__) && defined(GS_SHARED_TABLES_HERE)
#define GS_TONE_SMALL_FUNCTION
#elif !defined(__thumb__) || !defined(__OPTIMIZE_SIZE__) || !defined(GS_SHARED_TABLES_ELSEWHERE)
#define GS_TONE_SMALL_FUNCTION GS_STATIC
#endif

#if defined(__thumb__) && defined(__OPTIMIZE_SIZE__) &&                                                                \
    (defined(GS_SHARED_TABLES_HERE) || defined(GS_SHARED_TABLES_ELSEWHERE))
gs_tone_part gs_tone_part_of(const gs_held_tone *held, uint32_t time);
uint32_t gs_tone_strength_at(const gs_held_tone *held, uint32_t piece);
#endif

#ifdef GS_TONE_SMALL_FUNCTION
GS_TONE_SMALL_FUNCTION gs_tone_part gs_tone_part_of(const gs_held_tone *held, uint32_t time)
{
    int32_t samples = (int32_t)(GS_BLOCK_SAMPLES >> held->octave);
    int32_t age = (int32_t)(gs_tone_time_at(held->octave, time) - held->onset);
    int32_t left = (int32_t)gs_tone_support(held->scale) - age;
    gs_tone_part part = {(uint32_t)age, 0, 0};

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

/* How strong a tone is in a straight piece of its envelope, in steps of a quarter of an octave that begin at 0. */
GS_TONE_SMALL_FUNCTION uint32_t gs_tone_strength_at(const gs_held_tone *held, uint32_t piece)
{
    const int16_t *at = gs_envelope + piece;
    uint32_t magnitude = (uint32_t)(at[0] + at[1]) * held->amplitude >> 16;
    uint32_t octave = 0;

    while (magnitude > 7) {
        magnitude >>= 1;
        octave++;
    }
    return 4 * octave + magnitude;
}

#endif

/* In the middle of a part of a block. */
GS_STATIC uint32_t gs_tone_strength(const gs_held_tone *held, uint32_t age, uint32_t samples)
{
    return gs_tone_strength_at(held, (age + samples / 2) >> held->scale);
}

/* What its part of a block costs: one a sample, and four for each straight piece of the envelope. */
static GS_INLINE uint32_t gs_tone_cost(const gs_held_tone *held, const gs_tone_part *part)
{
    uint32_t last = part->age + part->samples - 1;

    if (part->samples == 0)
        return 0;
    return part->samples + 4 * ((last >> held->scale) - (part->age >> held->scale) + 1);
}

/* ---- a block ---- */

/* Where the sums of an octave lie in a block, and when it begins there, in samples of the octave. */
typedef struct gs_tone_octave {
    uint32_t *begin;
    uint32_t time;
} gs_tone_octave;

static GS_INLINE void gs_tone_find_octaves(gs_tone_state *state, uint32_t time, gs_tone_octave *octaves)
{
    uint32_t octave;

    octaves[0].begin = state->octave_0;
    octaves[1].begin = state->octave_1 + GS_OCTAVE_HISTORY;
    octaves[2].begin = state->octave_2 + GS_OCTAVE_HISTORY;
    octaves[3].begin = state->octave_3 + GS_OCTAVE_HISTORY;
    for (octave = 0; octave < GS_OCTAVES; octave++)
        octaves[octave].time = gs_tone_time_at(octave, time);
}

#ifndef __OPTIMIZE_SIZE__
/* Adds the samples of a block from an age on that all lie within one straight piece of the envelope, so far behind its
 * start, as most do of long tones. Where size is not all, that is worth code in the loop over tones with instructions for
 * pairs, else a function. */
static GS_INLINE void gs_tone_add_line(const gs_held_tone *held, uint32_t age, uint32_t piece, uint32_t rest,
                                       uint32_t *sum, uint32_t samples)
{
#ifndef __ARM_FEATURE_DSP
    (void)piece;
    (void)rest;
    gs_tone_render_piece(held, age, sum, samples);
#else
    const int16_t *cosine = gs_cosine;
    const int16_t *at = gs_envelope + piece;
    uint32_t increment = held->increment;
    uint32_t phase = held->phase + increment * age;
    int32_t amplitude = held->amplitude;
    int32_t envelope = at[0];
    int32_t slope = (at[1] - envelope) * amplitude >> held->scale;

    GS_ASSERT(samples % 8u == 0);
    GS_OPAQUE(cosine);
    envelope = 2 * (envelope * amplitude + (int32_t)rest * slope);
    slope *= 2;
    phase = GS_TONE_PHASES(phase, increment);
    increment = GS_TONE_STEPS(increment);
    do {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        GS_TONE_TWO_SAMPLES(2);
        GS_TONE_TWO_SAMPLES(4);
        GS_TONE_TWO_SAMPLES(6);
        sum += 8;
        samples -= 8;
        GS_TOGETHER(sum, phase);
    } while (samples > 0);
#endif
}
#endif

/* Adds a part of a block, by the quickest way there is for it. */
static GS_INLINE void gs_tone_add_part(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
#ifndef __OPTIMIZE_SIZE__
    uint32_t rest = age & ((1u << held->scale) - 1u);

    if (rest + samples <= 1u << held->scale && samples == (uint32_t)GS_BLOCK_SAMPLES >> held->octave)
        gs_tone_add_line(held, age, age >> held->scale, rest, sum, samples);
    else
#endif
        gs_tone_render_pieces(held, age, sum, samples);
}

/* Adds the tones that are as strong as `least` or stronger to the sums of their octaves; if they are sided their sides,
 * which lie at `side`, to sums that lie so much further. */
static GS_INLINE void gs_tone_add_all(gs_tone_state *state, int are_sided, const gs_side *side, ptrdiff_t to_side,
                                      uint32_t time, uint32_t least)
{
    gs_tone_octave octaves[GS_OCTAVES];
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;

    gs_tone_find_octaves(state, time, octaves);
    for (; held < end; held++, side = are_sided ? side + 1 : side) {
        const gs_tone_octave *octave = octaves + held->octave;
        uint32_t samples = GS_BLOCK_SAMPLES >> held->octave;
        uint32_t age = octave->time - held->onset;
        uint32_t *sum = octave->begin;
        uint32_t piece = age >> held->scale;
        if (piece < GS_ENVELOPE_SEGMENTS) {
            uint32_t left = gs_tone_support(held->scale) - age;
#ifndef __OPTIMIZE_SIZE__
            uint32_t rest = age - (piece << held->scale);
            if (rest + samples <= 1u << held->scale) {
                if (least > 0 && gs_tone_strength_at(held, piece) < least)
                    continue;
                gs_tone_add_line(held, age, piece, rest, sum, samples);
                if (are_sided && side->amplitude) {
                    gs_held_tone tone = gs_tone_side(held, side);
                    gs_tone_add_line(&tone, age, piece, rest, sum + to_side, samples);
                }
                continue;
            }
#endif
            samples = gs_least(samples, left);
        } else {
            uint32_t skipped = 0 - age;
            if (skipped >= samples)
                continue;
            samples = gs_least(samples - skipped, gs_tone_support(held->scale));
            sum += skipped;
            age = 0;
        }
        if (least > 0 && gs_tone_strength(held, age, samples) < least)
            continue;
        gs_tone_render_pieces(held, age, sum, samples);
        if (are_sided && side->amplitude) {
            gs_held_tone tone = gs_tone_side(held, side);
            gs_tone_render_pieces(&tone, age, sum + to_side, samples);
        }
    }
}

/* The least strength of which all tones of a block fit the budget, with their sides unless `side` is NULL. */
static GS_INLINE uint32_t gs_tone_least_strength(gs_tone_state *state, const gs_side *side, uint32_t time,
                                                 uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t *costs = state->octave_0;
    uint32_t i;

    for (i = 0; i < GS_TONE_STRENGTHS; i++)
        costs[i] = 0;
    for (; held < end; held++, side = side ? side + 1 : NULL) {
        gs_tone_part part = gs_tone_part_of(held, time);
        if (part.samples > 0)
            costs[gs_tone_strength(held, part.age, part.samples)] += gs_tone_cost(held, &part)
                                                                     << (side && side->amplitude);
    }
    return gs_tone_affordable(costs, budget);
}

GS_CODE_ENDS

#endif
