#define GS_SHARED_TABLES_HERE

#include "gs_tone_run.h"

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
    uint32_t step = gs_tone_step(scale, amplitude_step);
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

GS_NOINLINE void gs_tone_start_block(gs_tone_state *state, uint32_t half)
{
    uint32_t i;

    gs_tone_keep_history(state->octave_3, GS_BLOCK_SAMPLES / 8u, half);
    gs_tone_keep_history(state->octave_2, GS_BLOCK_SAMPLES / 4u, half);
    gs_tone_keep_history(state->octave_1, GS_BLOCK_SAMPLES / 2u, half);
    for (i = 0; i < GS_BLOCK_SAMPLES; i++)
        state->octave_0[i] = half;
}

static GS_INLINE void gs_tone_upsample_all(gs_tone_state *state, uint32_t shift)
{
    uint32_t i;

    for (i = GS_OCTAVE_HISTORY; i < GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 8u; i++)
        state->octave_3[i] = (uint32_t)((int32_t)state->octave_3[i] >> shift);
    gs_tone_upsample(state->octave_3, state->octave_2 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 4u, shift);
    gs_tone_upsample(state->octave_2, state->octave_1 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 2u, shift);
    gs_tone_upsample(state->octave_1, state->octave_0, GS_BLOCK_SAMPLES, shift);
}

GS_NOINLINE void gs_tone_end_block(gs_tone_state *state, uint32_t shift)
{
    gs_tone_upsample_all(state, shift);
}

void gs_tone_render(gs_tone_state *state, uint32_t time, uint32_t output_shift, uint32_t budget)
{
    uint32_t shift = 12u + output_shift;
    uint32_t half = (uint32_t)1 << (shift - 1); /* rounds when the sums are shifted */
    uint32_t least = 0;

    if (budget != GS_UNLIMITED)
        least = gs_tone_least_strength(state, NULL, time, budget);
    GS_ASSERT(output_shift <= 16 && time % GS_BLOCK_SAMPLES == 0);
    gs_tone_start_block(state, half);
    gs_tone_add_all(state, 0, NULL, 0, time, least);
    gs_tone_upsample_all(state, shift);
}

#define GS_LARGEST_STRETCHED_AMPLITUDE 31744 /* no line of an envelope leaves 31 bits a sample behind its end */

GS_NOINLINE void gs_stretch_set(gs_stretch *stretch, int32_t size)
{
    int32_t shift = (size >> 5) - 5;
    int32_t down = 2 - (-size >> 5);
    uint32_t length = gs_gain[size & 31];

    stretch->size = size;
    stretch->length = shift < 0 ? length >> -shift : length << shift;
    stretch->back = gs_gain[-size & 31];
    stretch->down = down < 0 ? 0 : (uint32_t)down;
    /* As it is rounded, `back` may be too large by less than 2. A place has at most 5 bits more than a length. */
    stretch->inverse = (uint32_t)stretch->back - 2;
    stretch->before = shift < -3 ? 0 : (uint32_t)(shift + 3);
    stretch->after = (size & 31 ? 24u : 23u) - (shift < -3 ? (uint32_t)(-3 - shift) : 0u);
}

/* The straight piece in which a place lies, in 1/256 samples from the onset on. */
static uint32_t gs_stretch_piece(const gs_stretch *stretch, uint32_t at)
{
    uint32_t piece = (at >> stretch->before) * stretch->inverse >> stretch->after;

    while ((piece + 1) * stretch->length <= at)
        piece++;
    GS_ASSERT(piece * stretch->length <= at && piece < 32);
    return piece;
}

/* Adds `samples` samples of a tone from its age on, all within its support; each straight piece of its envelope in
 * turn. */
static GS_NOINLINE void gs_tone_add_stretched(const gs_held_tone *held, const gs_stretch *stretch, uint32_t late,
                                              uint32_t age, uint32_t *sum, uint32_t samples)
{
    const int16_t *cosine = GS_TONE_COSINES;
    int32_t amplitude = (int32_t)gs_least(held->amplitude, GS_LARGEST_STRETCHED_AMPLITUDE);
    uint32_t increment = held->increment;
    uint32_t phase = held->phase + increment * age;
    uint32_t at = (age << 8) + late;
    uint32_t piece = gs_stretch_piece(stretch, at);
    const int16_t *envelope = gs_envelope + piece;
    uint32_t end = piece * stretch->length;

    phase = GS_TONE_PHASES(phase, increment);
    increment = GS_TONE_STEPS(increment);
    do {
        uint32_t behind = at - end; /* the start of the piece */
        int32_t line = envelope[0];
        int32_t slope = ((envelope[1] - line) * amplitude >> 11) * stretch->back >> stretch->down;
        uint32_t run;
        envelope++;
        end += stretch->length;
        if (end <= at)
            continue;
        run = gs_least((end - at + 255) >> 8, samples);
        line = line * amplitude + (int32_t)(behind & 255u) * (slope >> 8) + (int32_t)(behind >> 8) * slope;
        sum = gs_tone_add_run(sum, run, 2 * line, run > 1 ? 2 * slope : 0, cosine, &phase, increment);
        at += run << 8;
        samples -= run;
    } while (samples > 0);
}

static GS_INLINE gs_tone_part gs_tone_stretched_part(const gs_held_tone *held, uint32_t lasting, uint32_t time)
{
    int32_t samples = (int32_t)(GS_BLOCK_SAMPLES >> held->octave);
    int32_t age = (int32_t)(gs_tone_time_at(held->octave, time) - held->onset);
    int32_t left = (int32_t)lasting - age;
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

/* The straight piece in which a sample lies. */
static GS_NOINLINE uint32_t gs_stretch_piece_of(const gs_stretch *stretch, uint32_t late, uint32_t age)
{
    return gs_stretch_piece(stretch, (age << 8) + late);
}

/* Below, with the cost. */
static uint32_t gs_tone_stretched_strength(const gs_held_tone *held, const gs_stretch *stretch, uint32_t late,
                                           const gs_tone_part *part);
static uint32_t gs_tone_least_stretched(gs_tone_state *state, const gs_stretched_tone *tone, const gs_side *side,
                                        uint32_t time, uint32_t budget);

void gs_tone_render_stretched(gs_tone_state *state, const gs_stretched_tone *tone, const gs_sides *sides, uint32_t time,
                              uint32_t output_shift, uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    const gs_side *side = sides ? sides->of_tones : NULL;
    uint32_t shift = 12u + output_shift;
    uint32_t least = 0;
    uint32_t *begin[GS_OCTAVES];
    ptrdiff_t to_side = 0; /* from a sum to that of the side */
    gs_stretch stretch;

    if (budget != GS_UNLIMITED)
        least = gs_tone_least_stretched(state, tone, side, time, budget);
    gs_tone_start_block(state, (uint32_t)1 << (shift - 1));
    begin[0] = state->octave_0;
    begin[1] = state->octave_1 + GS_OCTAVE_HISTORY;
    begin[2] = state->octave_2 + GS_OCTAVE_HISTORY;
    begin[3] = state->octave_3 + GS_OCTAVE_HISTORY;
    if (sides) {
        gs_tone_start_block(sides->sums, (uint32_t)1 << (shift - 1));
        to_side = sides->sums->octave_3 - state->octave_3;
    }
    stretch.size = GS_STRETCH_NONE;
    for (; held < end; held++, tone++, side = side ? side + 1 : NULL) {
        uint32_t late = gs_stretch_late(tone);
        int32_t size = gs_stretch_size(held, tone, held->octave);
        gs_tone_part part;
        if (size != stretch.size)
            gs_stretch_set(&stretch, size);
        part = gs_tone_stretched_part(held, gs_stretch_samples(&stretch, late), time);
        if (part.samples == 0 || (least > 0 && gs_tone_stretched_strength(held, &stretch, late, &part) < least))
            continue;
        gs_tone_add_stretched(held, &stretch, late, part.age, begin[held->octave] + part.skipped, part.samples);
        if (sides && side->amplitude) {
            gs_held_tone of_side = gs_tone_side(held, side);
            gs_tone_add_stretched(&of_side, &stretch, late, part.age, begin[held->octave] + to_side + part.skipped,
                                  part.samples);
        }
    }
    gs_tone_end_block(state, shift);
    if (sides)
        gs_tone_end_block(sides->sums, shift);
}

/* ---- cost ---- */

#if GS_CHECKS_COST
uint32_t gs_tone_macs(const gs_tone_state *state, const gs_side *side, uint32_t time)
{
    const gs_held_tone *held = (const gs_held_tone *)(const void *)(state + 1);
    const gs_held_tone *end = held + state->held;
    uint32_t macs = 0;

    for (; held < end; held++, side = side ? side + 1 : NULL) {
        gs_tone_part part = gs_tone_part_of(held, time);
        macs += gs_tone_cost(held, &part) << (side && side->amplitude);
    }
    return macs;
}
#endif

/* The least strength of which all tones of a block fit the budget, by what those of each strength cost. */
uint32_t gs_tone_affordable(const uint32_t *costs, uint32_t budget)
{
    uint32_t left = budget * GS_BLOCK_SAMPLES;
    uint32_t least = GS_TONE_STRENGTHS;

    while (least > 0 && costs[least - 1] <= left)
        left -= costs[--least];
    return least;
}

static uint32_t gs_tone_stretched_strength(const gs_held_tone *held, const gs_stretch *stretch, uint32_t late,
                                           const gs_tone_part *part)
{
    return gs_tone_strength_at(held, gs_stretch_piece_of(stretch, late, part->age + part->samples / 2));
}

static GS_NOINLINE uint32_t gs_tone_least_stretched(gs_tone_state *state, const gs_stretched_tone *tone,
                                                    const gs_side *side, uint32_t time, uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t *costs = state->octave_0;
    gs_stretch stretch;
    uint32_t i;

    for (i = 0; i < GS_TONE_STRENGTHS; i++)
        costs[i] = 0;
    for (; held < end; held++, tone++, side = side ? side + 1 : NULL) {
        uint32_t late = gs_stretch_late(tone);
        uint32_t channels = side && side->amplitude ? 2 : 1;
        gs_tone_part part;
        gs_stretch_set(&stretch, gs_stretch_size(held, tone, held->octave));
        part = gs_tone_stretched_part(held, gs_stretch_samples(&stretch, late), time);
        if (part.samples > 0)
            costs[gs_tone_stretched_strength(held, &stretch, late, &part)] +=
                channels * (part.samples + 4 * (gs_stretch_piece_of(&stretch, late, part.age + part.samples - 1) -
                                                gs_stretch_piece_of(&stretch, late, part.age) + 1));
    }
    return gs_tone_affordable(costs, budget);
}

GS_CODE_ENDS
