#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_stereo.h"

GS_CODE_BEGINS

/* ---- fields ---- */

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_noise,
                 sizeof(gs_noise_state) == GS_NOISE_BYTES(1u, 0u) - sizeof(uint32_t) - 3u);
GS_STATIC_ASSERT(the_age_of_a_noise_does_not_wrap,
                 2u * (GS_NOISE_SHORTEST_SUPPORT << (GS_NOISE_SCALES - 1)) <= 1u << (GS_NOISE_FRAME_BITS - 1));

/* ---- syntax ----
 * is a part of the loop over a slot: gs_noise.h. */

/* ---- dequantise ---- */

void gs_noise_place_bands(gs_noise_state *state, const gs_info *info, uint32_t pitch, uint32_t sample_rate)
{
    uint32_t bin = 0;
    uint32_t band;

    state->bands = 0;
    for (band = 0; band < GS_BARK_BANDS; band++) {
        uint32_t hertz = (gs_bark_hz[band] * pitch >> 14) << (gs_noise_frame_log2(info) + 1);
        uint32_t before = bin;
        /* To the last bin at or below the centre. The product stays below 2^26 for bins below 512. */
        while (bin >> gs_noise_frame_log2(info) == 0 && (bin + 1) * sample_rate <= hertz)
            bin++;
        if (bin >> gs_noise_frame_log2(info) != 0)
            break;
        GS_ASSERT(bin - before < 256);
        state->bins[band] = (uint8_t)(bin - before);
        state->reciprocal[band] = (uint16_t)(bin - before > 1 ? gs_divide(65536, bin - before) : 0);
        state->bands++;
    }
}

void gs_noise_open(gs_noise_state *state, const gs_info *info)
{
    gs_noise_place_bands(state, info, GS_PITCH_ONE, info->sample_rate);
    gs_noise_forget(state);
}

void gs_noise_forget(gs_noise_state *state)
{
    state->held = 0;
    state->exponent = 0;
    state->frame = GS_NOISE_NO_FRAME;
}

void gs_noise_hold(gs_noise_state *state, const gs_info *info, const gs_noise *noise, uint32_t needed)
{
    GS_ASSERT(noise->scale < GS_NOISE_SCALES && noise->width < GS_NOISE_WIDTHS);
    GS_ASSERT((uint32_t)noise->place << noise->width < 1u << GS_NOISE_PLACES_LOG2);
    if (noise->onset + ((uint32_t)GS_NOISE_SHORTEST_SUPPORT << (gs_noise_frame_log2(info) + noise->scale)) <= needed)
        return;
    GS_ASSERT(state->held < info->decoder_class.max_noises);
    gs_noise_held(state)[state->held] = gs_noise_frame_of(info, noise->onset) | (uint32_t)noise->scale << 15 |
                                        (uint32_t)noise->width << 18 | (uint32_t)noise->place << 20 |
                                        (uint32_t)noise->weight << 25;
    state->held++;
}

void gs_noise_drop_ended(gs_noise_state *state, const gs_info *info, uint32_t time)
{
    uint32_t *held = gs_noise_held(state);
    uint32_t frame = gs_noise_frame_of(info, time);
    uint32_t i = 0;

    while (i < state->held) {
        /* Counted around a circle, what lies less than half of it back has ended; noises are held before they begin. */
        if (gs_noise_age_of(held[i] + gs_noise_support_of(held[i]), frame) >> (GS_NOISE_FRAME_BITS - 1) == 0)
            held[i] = held[--state->held];
        else
            i++;
    }
}

int32_t gs_noise_make_levels(gs_noise_state *state, const gs_info *info, uint32_t time, int32_t *level)
{
    const uint32_t *held = gs_noise_held(state);
    const int16_t *over_time = gs_envelope;
    int32_t highest = 0;
    uint32_t i;

    GS_OPAQUE(over_time);
    for (i = 0; i < state->bands; i++) {
        level[i] = info->noise_base * 128;
        GS_OPAQUE(i);
    }
    for (i = 0; i < state->held; i++) {
        uint32_t begin = held[i] << (GS_NOISE_TIME_LOG2 + GS_NOISE_TIME_UNUSED);
        uint32_t age = ((time << GS_NOISE_TIME_UNUSED) - begin) >> GS_NOISE_TIME_UNUSED;
        if (age - 1 < (gs_noise_support_of(held[i]) << GS_NOISE_TIME_LOG2) - 1)
            gs_noise_add_levels(state, over_time, held[i], age, level);
    }
    for (i = 0; i < state->bands; i++) {
        if (level[i] < 0)
            level[i] = 0;
        if (level[i] > GS_NOISE_HIGHEST_LEVEL)
            level[i] = GS_NOISE_HIGHEST_LEVEL;
        if (level[i] > highest)
            highest = level[i];
        GS_OPAQUE(i);
    }
    return highest;
}

/* ---- render ---- */

int16_t *gs_noise_fill_apart(gs_noise_place *place, uint32_t bins, uint32_t line, uint32_t slope)
{
    uint8_t *bin;

    do {
        uint32_t sign;
        if (place->left-- & 1u) {
            bin = place->last - place->at;
            sign = place->random << 1;
            place->at = gs_next_reversed(place->at, place->step);
        } else {
            bin = place->first + place->at;
            sign = place->random = gs_noise_next_random(place->random);
        }
        *(int16_t *)(void *)bin = gs_noise_signed_by(sign, gs_noise_amplitude_of(place->gain, line));
        line += slope;
    } while (--bins > 0);
    return (int16_t *)(void *)bin;
}

/* The spectrum as the transform takes it. All levels are raised by `up`. */
GS_APART void gs_noise_make_spectrum(const gs_noise_state *state, const gs_info *info, uint32_t frame,
                                     const int32_t *level, int32_t up, gs_complex *z)
{
    gs_noise_place place = gs_noise_place_of(info, frame, z);
    uint32_t bands = state->bands;
    const uint8_t *bins_of = state->bins;
    const uint16_t *reciprocal = state->reciprocal;
    int32_t line_start = *level;

    GS_OPAQUE(place.gain);
    do {
        int32_t before = line_start;
        uint32_t line = (uint32_t)(before + up) << 8;
        uint32_t slope = 0;
        uint32_t bins = place.left;
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
        GS_NOISE_FILL(&place, bins, line, slope);
    } while (bands-- > 0);
}

void gs_noise_clear(gs_complex *z, uint32_t count)
{
    do
        (z++)->both = 0;
    while (--count > 0);
}

GS_NOINLINE int32_t gs_noise_make_frame(gs_noise_state *state, const gs_info *info, uint32_t frame, gs_complex *z)
{
    int32_t level[GS_BARK_BANDS];
    int32_t highest = gs_noise_make_levels(state, info, frame << GS_NOISE_TIME_LOG2, level);
    int32_t exponent = highest >> 8;

    if (exponent == 0) {
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    } else {
        gs_noise_make_spectrum(state, info, frame, level, gs_noise_raised_by(info, exponent), z);
    }
    return exponent;
}

void gs_noise_forget_older(gs_noise_state *state, const gs_info *info)
{
    gs_complex *half = gs_noise_block(state, info) + ((uint32_t)1 << (gs_noise_frame_log2(info) - 1));

    gs_noise_clear(half, (uint32_t)1 << (gs_noise_frame_log2(info) - 2));
    state->exponent = 0;
}

/* gs_noise_make_block where the decoder may give more than one channel. */
static GS_NOINLINE void gs_noise_make_blocks(gs_noise_state *state, const gs_info *info, int32_t exponent)
{
    gs_decoder *decoder = gs_decoder_of(info);
    int32_t old = state->exponent;

    if (decoder->mode & GS_IS_STEREO)
        exponent = (int32_t)gs_ask_stereo(decoder, GS_STEREO_FRAME, (uint32_t)exponent, NULL);
    state->exponent = (uint8_t)exponent;
    gs_noise_overlap(info, gs_noise_block(state, info), old, exponent);
}

void gs_noise_make_block(gs_noise_state *state, const gs_info *info, int32_t exponent)
{
    int32_t old = state->exponent;

    if (GS_HAS_STEREO && info->decoder_class.channels > 1) {
        gs_noise_make_blocks(state, info, exponent);
        return;
    }
    state->exponent = (uint8_t)exponent;
    gs_noise_overlap(info, gs_noise_block(state, info), old, exponent);
}

const int16_t *gs_noise_render(gs_noise_state *state, const gs_info *info, uint32_t position)
{
    uint32_t frame = position >> gs_noise_frame_log2(info);

    if (state->frame != frame + 1) {
        if (state->frame != frame) {
            gs_noise_forget_older(state, info);
            state->frame = frame - 1;
        }
        do {
            int32_t exponent = gs_noise_make_frame(state, info, ++state->frame, gs_noise_block(state, info));
            gs_noise_make_block(state, info, exponent);
        } while (state->frame != frame + 1);
    }
    return (const int16_t *)(const void *)gs_noise_block(state, info) +
           (position & (((uint32_t)1 << gs_noise_frame_log2(info)) - 1));
}

/* ---- cost ----
 * is that of all that is held. */

GS_CODE_ENDS
