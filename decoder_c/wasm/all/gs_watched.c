/* Two files of the decoder are compiled here, so that seven functions which they call go through those below. Nothing of
 * what a decoder reads or holds is otherwise. */
#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_watched.h"

#include "../../src/gs_pcm.h"
#include "../../src/gs_playback.h"
#include "../../src/gs_residual.h"
#include "../../src/gs_slots.h"

gs_list gs_listing;
gs_strength gs_least_heard;

/* ---- strength ---- */

/* Times the square root of 2^log2, times 128. */
static uint32_t gs_strength_of(uint32_t size, uint32_t log2)
{
    return (size << (log2 >> 1)) * (log2 & 1u ? 181u : 128u);
}

static uint32_t gs_strength_of_tone(const gs_held_tone *held)
{
    return gs_strength_of(held->amplitude, (uint32_t)held->scale + held->octave);
}

static uint32_t gs_strength_of_noise(int32_t weight, uint32_t scale, uint32_t width)
{
    return gs_strength_of((uint32_t)(weight < 0 ? -weight : weight), scale + width);
}

/* ---- the list ---- */

static gs_listed *gs_list_one(int32_t kind)
{
    static gs_listed left_out;
    gs_listed *listed = &left_out;

    if (gs_listing.count < GS_MOST_LISTED)
        listed = gs_listing.listed + gs_listing.count++;
    else
        gs_listing.left_out++;
    listed->kind = kind;
    listed->peak = 0;
    return listed;
}

static void gs_list_tone(const gs_tone *tone, uint32_t amplitude_step)
{
    gs_listed *listed = gs_list_one(GS_LISTED_TONE);
    gs_held_tone held;

    gs_tone_dequantise(tone, amplitude_step, &held);
    listed->scale = tone->scale;
    listed->onset = (int32_t)(tone->onset - GS_TIME_ZERO);
    listed->place = tone->bin;
    listed->extent = tone->phase;
    listed->level = tone->amplitude;
    listed->peak = held.amplitude;
    listed->strength = (int32_t)gs_strength_of_tone(&held);
}

static void gs_list_noise(const gs_noise *noise)
{
    gs_listed *listed = gs_list_one(GS_LISTED_NOISE);

    listed->scale = noise->scale;
    listed->onset = (int32_t)(noise->onset - GS_TIME_ZERO);
    listed->place = noise->place;
    listed->extent = noise->width;
    listed->level = noise->weight;
    listed->strength = (int32_t)gs_strength_of_noise(noise->weight, noise->scale, noise->width);
}

static void gs_list_coefficients(gs_residual_state *state, const gs_info *info, uint32_t frame)
{
    const uint8_t *values = (const uint8_t *)state + offsetof(gs_residual_state, values);
    uint32_t bin;

    for (bin = 0; bin < gs_noise_frame_samples(info); bin++) {
        int32_t magnitude = values[bin] >> 1 & 15;
        if (magnitude) {
            gs_listed *listed = gs_list_one(GS_LISTED_COEFFICIENT);
            listed->scale = listed->extent = listed->strength = 0;
            listed->onset = (int32_t)frame;
            listed->place = (int32_t)bin;
            listed->level = values[bin] & 1 ? -magnitude : magnitude;
        }
    }
}

/* ---- what the decoder calls instead ---- */

static int gs_watched_slots_next(gs_slots *slots, gs_range_coder *coder, uint16_t *contexts, gs_gaussian *gaussian)
{
    int more = gs_slots_next(slots, coder, contexts, gaussian);

    if (more && gs_listing.amplitude_step) {
        if (gaussian->kind == GS_TONE)
            gs_list_tone(&gaussian->as.tone, gs_listing.amplitude_step);
        else
            gs_list_noise(&gaussian->as.noise);
    }
    return more;
}

/* Weak tones are silent ones meanwhile. */
static GS_NOINLINE void gs_watched_tone_render_at(gs_tone_state *state, const gs_stretched_tone *tone,
                                                  const gs_sides *sides, uint32_t time, uint32_t output_shift,
                                                  uint32_t budget)
{
    static uint16_t amplitude[GS_LARGEST_MAX_TONES];
    gs_held_tone *held = gs_tone_held(state);
    uint32_t i;

    for (i = 0; i < state->held; i++) {
        gs_held_tone encoded = held[i];
        amplitude[i] = encoded.amplitude;
        if (tone)
            encoded.octave = tone[i].rest & 3u;
        if (gs_strength_of_tone(&encoded) < gs_least_heard.tone)
            held[i].amplitude = 0;
    }
    if (tone)
        gs_tone_render_stretched(state, tone, sides, time, output_shift, budget);
    else
        gs_tone_render(state, time, output_shift, budget);
    for (i = 0; i < state->held; i++)
        held[i].amplitude = amplitude[i];
}

static void gs_watched_tone_render(gs_tone_state *state, uint32_t time, uint32_t output_shift, uint32_t budget)
{
    gs_watched_tone_render_at(state, NULL, NULL, time, output_shift, budget);
}

/* Puts weak noises behind the others, the order of which is nothing to anyone. Returns how many others there are. */
static uint32_t gs_strong_noises(gs_noise_state *state)
{
    uint32_t *held = gs_noise_held(state);
    uint32_t count = state->held;
    uint32_t i = 0;

    while (i < count) {
        uint32_t noise = held[i];
        if (gs_strength_of_noise((int32_t)noise >> 25, noise >> 15 & 7u, noise >> 18 & 3u) < gs_least_heard.noise) {
            held[i] = held[--count];
            held[count] = noise;
        } else {
            i++;
        }
    }
    return count;
}

static const int16_t *gs_watched_noise_for(gs_playback *playback, gs_noise_state *state, const gs_info *info,
                                           uint32_t position)
{
    uint8_t held = state->held;
    const int16_t *of_noise;

    state->held = (uint8_t)gs_strong_noises(state);
    of_noise = playback ? gs_playback_noise(playback, state, info, position) : gs_noise_render(state, info, position);
    state->held = held;
    return of_noise;
}

static const int16_t *gs_watched_noise_render(gs_noise_state *state, const gs_info *info, uint32_t position)
{
    return gs_watched_noise_for(NULL, state, info, position);
}

/* A frame that the residual layer only reads is made of noise alone when it is to sound. */
static void gs_watched_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder,
                                     gs_tone_state *tone, gs_noise_state *noise, int is_wanted,
                                     const gs_residual_played *played)
{
    uint32_t frame = state->frame;
    int is_whole = gs_least_heard.tone == 0 && gs_least_heard.noise == 0;

    gs_residual_next(state, info, coder, tone, noise, is_wanted && is_whole, played);
    if (gs_listing.amplitude_step && !coder->input.error)
        gs_list_coefficients(state, info, frame);
}

static const int16_t *gs_watched_residual_noise(gs_residual_state *state, gs_noise_state *noise, const gs_info *info,
                                                gs_playback *playback, uint32_t position)
{
    if (gs_least_heard.tone || gs_least_heard.noise)
        return gs_watched_noise_for(playback, noise, info, position);
    return gs_residual_noise(state, noise, info, playback, position);
}

#define gs_tone_render gs_watched_tone_render
#define gs_tone_render_stretched gs_watched_tone_render_at
#include "../../src/gs_playback.c"
#define gs_noise_render gs_watched_noise_render
#define gs_playback_noise gs_watched_noise_for
#define gs_residual_next gs_watched_residual_next
#define gs_residual_noise gs_watched_residual_noise
#define gs_slots_next gs_watched_slots_next
#include "../../src/gs_decoder.c"
