#define GS_SHARED_TABLES_HERE

#include "gs_tone.h"

GS_CODE_BEGINS

/* ---- fields ---- */

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_tones, sizeof(gs_tone_state) == GS_TONE_BYTES(0u));
GS_STATIC_ASSERT(and_of_each_of_them, sizeof(gs_held_tone) == GS_TONE_BYTES(1u) - GS_TONE_BYTES(0u));
GS_STATIC_ASSERT(octaves_are_as_in_the_format, GS_OCTAVES == 4 && GS_HALF_BAND_TAPS == 4);

/* ---- syntax ----
 * is a part of the loop over a slot: gs_tone.h. */

/* ---- dequantise ---- */

void gs_tone_dequantise(const gs_tone *tone, uint32_t amplitude_step, gs_held_tone *held)
{
    uint32_t scale = tone->scale;
    uint32_t step = scale & 1u ? (amplitude_step * GS_HALF_SQRT2_Q16 + 2048u) >> 12 : 16u * amplitude_step;
    uint32_t amplitude = (step * (8u * tone->amplitude + 3u)) >> (5 + (scale >> 1));
    uint32_t phase = (uint32_t)tone->phase << (16u - tone->phase_bits);
    uint32_t increment = (uint32_t)tone->bin << (GS_MAX_SCALE - scale);
    uint32_t octave = 0;

    GS_ASSERT(scale <= GS_MAX_SCALE && tone->bin < 16u << scale && tone->phase >> tone->phase_bits == 0);
    GS_ASSERT(amplitude_step < 2048 && tone->amplitude < 4096);
    while (octave < GS_OCTAVES - 1u && scale > octave + GS_OCTAVE_SCALE && 2u * increment <= GS_OCTAVE_INCREMENT) {
        increment *= 2u;
        octave++;
    }
    held->onset = tone->onset >> octave;
    held->phase = (uint16_t)(phase + 32u + ((tone->bin & 1u) << 15));
    held->increment = (uint16_t)increment;
    held->amplitude = (uint16_t)(amplitude < 32767u ? amplitude : 32767u);
    held->scale = (uint8_t)(scale - octave);
    held->octave = (uint8_t)octave;
}

/* ---- render ---- */

/* Sample i of a piece. The upper half of `phase` is the phase, where it wraps by itself; the lower half counts the
 * samples up to 65536, which saves the register that the loop would lack on a Cortex-M0+. */
#define GS_TONE_SAMPLE(i)                                                                                              \
    sum[i] += (uint32_t)((envelope >> 16) * cosine[phase >> 22]);                                                      \
    envelope += slope;                                                                                                 \
    phase += increment;                                                                                                \
    GS_OPAQUE(envelope);                                                                                               \
    GS_OPAQUE(phase)

#ifdef __ARM_FEATURE_DSP
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

    GS_ASSERT(run >= 1 && run <= GS_BLOCK_SAMPLES && envelope > -(2 << GS_MAX_SCALE));
#ifdef __ARM_FEATURE_DSP
    if (run & 1u) {
        uint32_t first = *sum;
        *sum++ = (uint32_t)__smlatb(envelope, cosine[(phase & 0xFFFFu) >> 6], (int32_t)first);
        envelope += slope;
        phase = (phase >> 16) | (phase + increment) << 16;
    }
#ifdef __OPTIMIZE_SIZE__
    for (run >>= 1; run > 0; run--) {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        sum += 2;
    }
#else
    if (run & 2u) {
        uint32_t first;
        uint32_t second;
        GS_TONE_TWO_SAMPLES(0);
        sum += 2;
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

#ifdef __ARM_FEATURE_DSP
/* Two phases a word, for two samples, and their step. */
#define GS_TONE_PHASES(phase, increment) (((phase) & 0xFFFFu) | ((phase) + (increment)) << 16)
#define GS_TONE_STEPS(increment) ((2 * (increment) & 0xFFFFu) | (increment) << 17)
#else
#define GS_TONE_PHASES(phase, increment) (((phase) + 1) << 16)
#define GS_TONE_STEPS(increment) ((increment) << 16 | 1u)
#endif

/* Adds `samples` samples of a tone from its age on, all within its support; each straight piece of its envelope in
 * turn. */
static GS_APART void gs_tone_render_pieces(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = gs_cosine;
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
        int32_t envelope = at[0];
        int32_t slope = (at[1] - envelope) * amplitude >> scale;
        if (run > samples)
            run = samples;
        samples -= run;
        sum = gs_tone_add_run(sum, run, 2 * (envelope * amplitude + (int32_t)rest * slope), 2 * slope, cosine, &phase,
                              increment);
        at++;
        rest = 0;
    } while (samples > 0);
}

#ifdef __OPTIMIZE_SIZE__
#define GS_TONE_RENDER_PIECE gs_tone_render_pieces
#else
#define GS_TONE_RENDER_PIECE gs_tone_render_piece

/* The same where all lie within one piece, as most do of long tones. */
static GS_APART void gs_tone_render_piece(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
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
    phase = GS_TONE_PHASES(phase, increment);
    gs_tone_add_run(sum, samples, 2 * envelope, 2 * slope, cosine, &phase, GS_TONE_STEPS(increment));
}
#endif

/* What a tone has to do with a block. */
typedef struct gs_tone_part {
    uint32_t age;     /* of its first sample there, in samples of its octave */
    uint32_t skipped; /* samples of the block before that */
    uint32_t samples; /* 0: none */
} gs_tone_part;

/* When an octave's part of the block that begins at `time` begins, in its samples. */
static uint32_t gs_tone_time_at(uint32_t octave, uint32_t time)
{
    return (time + (8u << octave) - 8u) >> octave;
}

static gs_tone_part gs_tone_part_of(const gs_held_tone *held, uint32_t time)
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

/* Below, with the cost. */
static uint32_t gs_tone_strength(const gs_held_tone *held, const gs_tone_part *part);
static uint32_t gs_tone_least_strength(const gs_held_tone *held, uint32_t count, uint32_t time, uint32_t budget,
                                       uint32_t *costs);

/* Adds the tones that are as strong as `least` or stronger to the sums of their octaves. */
static void gs_tone_add_all(gs_tone_state *state, uint32_t time, uint32_t least)
{
    struct {
        uint32_t *begin;
        uint32_t time;
    } octaves[GS_OCTAVES];
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t octave;

    octaves[0].begin = state->octave_0;
    octaves[1].begin = state->octave_1 + GS_OCTAVE_HISTORY;
    octaves[2].begin = state->octave_2 + GS_OCTAVE_HISTORY;
    octaves[3].begin = state->octave_3 + GS_OCTAVE_HISTORY;
    for (octave = 0; octave < GS_OCTAVES; octave++)
        octaves[octave].time = gs_tone_time_at(octave, time);
    for (; held < end; held++) {
        uint32_t samples = GS_BLOCK_SAMPLES >> held->octave;
        uint32_t age = octaves[held->octave].time - held->onset;
        uint32_t *sum = octaves[held->octave].begin;
        if (least > 0 || (int32_t)age < 0 || age + samples > gs_tone_support(held->scale)) {
            gs_tone_part part = gs_tone_part_of(held, time);
            if (part.samples == 0 || (least > 0 && gs_tone_strength(held, &part) < least))
                continue;
            age = part.age;
            sum += part.skipped;
            samples = part.samples;
        }
        if (age >> held->scale == (age + samples - 1) >> held->scale)
            GS_TONE_RENDER_PIECE(held, age, sum, samples);
        else
            gs_tone_render_pieces(held, age, sum, samples);
    }
}

/* Between samples 3 and 4. */
static GS_INLINE uint32_t gs_tone_between(const uint32_t *below)
{
    uint32_t sum = (uint32_t)GS_HALF_BAND_0 * (below[3] + below[4]) + (uint32_t)GS_HALF_BAND_1 * (below[2] + below[5]) +
                   (uint32_t)GS_HALF_BAND_2 * (below[1] + below[6]) + (uint32_t)GS_HALF_BAND_3 * (below[0] + below[7]);

    return (uint32_t)((int32_t)(sum + 2048u) >> 12);
}

/* Turns the sums of an octave into quarters of output steps, with those of the octave below. */
static GS_APART void gs_tone_upsample(const uint32_t *below, uint32_t *sum, uint32_t samples, uint32_t shift)
{
    const uint32_t *end = sum + samples;

    do {
        sum[0] = (uint32_t)((int32_t)sum[0] >> shift) + below[3];
        sum[1] = (uint32_t)((int32_t)sum[1] >> shift) + gs_tone_between(below);
#ifdef __ARM_FEATURE_DSP
        sum[2] = (uint32_t)((int32_t)sum[2] >> shift) + below[4];
        sum[3] = (uint32_t)((int32_t)sum[3] >> shift) + gs_tone_between(below + 1);
        sum += 2;
        below++;
#endif
        sum += 2;
        below++;
    } while (sum < end);
}

/* Keeps what the filters still need and sets the sums after it to `start`. */
static void gs_tone_keep_history(uint32_t *octave, uint32_t samples, uint32_t start)
{
    uint32_t i;

    for (i = 0; i < GS_OCTAVE_HISTORY; i++)
        octave[i] = octave[samples + i];
    for (; i < GS_OCTAVE_HISTORY + samples; i++)
        octave[i] = start;
}

void gs_tone_render(gs_tone_state *state, uint32_t time, uint32_t output_shift, uint32_t budget)
{
    uint32_t shift = 12u + output_shift;
    uint32_t half = (uint32_t)1 << (shift - 1); /* rounds when the sums are shifted */
    uint32_t least = 0;
    uint32_t i;

    if (budget != GS_UNLIMITED)
        least = gs_tone_least_strength(gs_tone_held(state), state->held, time, budget, state->octave_0);
    GS_ASSERT(output_shift <= 16 && time % GS_BLOCK_SAMPLES == 0);
    gs_tone_keep_history(state->octave_3, GS_BLOCK_SAMPLES / 8u, half);
    gs_tone_keep_history(state->octave_2, GS_BLOCK_SAMPLES / 4u, half);
    gs_tone_keep_history(state->octave_1, GS_BLOCK_SAMPLES / 2u, half);
    for (i = 0; i < GS_BLOCK_SAMPLES; i++)
        state->octave_0[i] = half;
    gs_tone_add_all(state, time, least);
    for (i = GS_OCTAVE_HISTORY; i < GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 8u; i++)
        state->octave_3[i] = (uint32_t)((int32_t)state->octave_3[i] >> shift);
    gs_tone_upsample(state->octave_3, state->octave_2 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 4u, shift);
    gs_tone_upsample(state->octave_2, state->octave_1 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 2u, shift);
    gs_tone_upsample(state->octave_1, state->octave_0, GS_BLOCK_SAMPLES, shift);
}

/* ---- cost ---- */

/* Strengths are below this number. */
#define GS_TONE_STRENGTHS 56u
GS_STATIC_ASSERT(costs_fit_the_sums, GS_TONE_STRENGTHS <= GS_BLOCK_SAMPLES);

/* How strong a tone is in the middle of its part of a block, in steps of a quarter of an octave that begin at 0. */
static uint32_t gs_tone_strength(const gs_held_tone *held, const gs_tone_part *part)
{
    const int16_t *at = gs_envelope + ((part->age + part->samples / 2) >> held->scale);
    uint32_t magnitude = (uint32_t)(at[0] + at[1]) * held->amplitude >> 16;
    uint32_t octave = 0;

    while (magnitude > 7) {
        magnitude >>= 1;
        octave++;
    }
    return 4 * octave + magnitude;
}

#if GS_CHECKS_COST
uint32_t gs_tone_macs(const gs_tone_state *state, uint32_t time)
{
    const gs_held_tone *held = (const gs_held_tone *)(const void *)(state + 1);
    const gs_held_tone *end = held + state->held;
    uint32_t macs = 0;

    for (; held < end; held++) {
        gs_tone_part part = gs_tone_part_of(held, time);
        uint32_t last = part.age + part.samples - 1;
        if (part.samples > 0)
            macs += part.samples + 4 * ((last >> held->scale) - (part.age >> held->scale) + 1);
    }
    return macs;
}
#endif

/* The least strength of which all tones of a block fit the budget. `costs` is room for a number for each. */
static uint32_t gs_tone_least_strength(const gs_held_tone *held, uint32_t count, uint32_t time, uint32_t budget,
                                       uint32_t *costs)
{
    uint32_t left = budget * GS_BLOCK_SAMPLES;
    uint32_t least = GS_TONE_STRENGTHS;
    uint32_t i;

    for (i = 0; i < GS_TONE_STRENGTHS; i++)
        costs[i] = 0;
    for (; count > 0; count--, held++) {
        gs_tone_part part = gs_tone_part_of(held, time);
        uint32_t last = part.age + part.samples - 1;
        if (part.samples > 0)
            costs[gs_tone_strength(held, &part)] +=
                part.samples + 4 * ((last >> held->scale) - (part.age >> held->scale) + 1);
    }
    while (least > 0 && costs[least - 1] <= left)
        left -= costs[--least];
    return least;
}

GS_CODE_ENDS
