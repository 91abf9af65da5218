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

/* Below, with the cost. */
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
