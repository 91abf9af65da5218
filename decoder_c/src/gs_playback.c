#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_playback.h"

#include "gs_pcm.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_playback, sizeof(gs_playback) == GS_PLAYBACK_BYTES);

static int gs_playback_mutes(const gs_playback *playback, uint32_t frequency)
{
    return frequency >= playback->muted_from && frequency < playback->muted_to;
}

/* ---- settings ---- */

void gs_playback_open(gs_playback *playback)
{
    gs_clear(playback, sizeof *playback);
    playback->gain = GS_GAIN_ONE << 16;
    playback->gain_after = GS_GAIN_ONE;
}

void gs_playback_fade(gs_playback *playback, uint32_t gain, uint32_t samples)
{
    uint32_t before = playback->gain;
    uint32_t after = gain << 16;

    playback->gain_after = (uint16_t)gain;
    playback->fading = samples;
    playback->gain_change = 0;
    if (samples == 0)
        playback->gain = after;
    else if (after < before)
        playback->gain_change = -(int32_t)gs_divide(before - after, samples);
    else
        playback->gain_change = (int32_t)gs_divide(after - before, samples);
}

/* In phase steps, of which no frequency has as many as the highest. */
static uint16_t gs_playback_frequency(const gs_info *info, uint32_t hertz)
{
    return (uint16_t)gs_least(gs_divide(hertz << 16, info->sample_rate), 65535);
}

void gs_playback_mute(gs_playback *playback, const gs_info *info, uint32_t kinds, uint32_t from, uint32_t to)
{
    playback->muted = (uint16_t)kinds;
    playback->muted_from = gs_playback_frequency(info, from);
    playback->muted_to = gs_playback_frequency(info, to);
}

/* ---- pcm ---- */

void gs_playback_pcm(gs_playback *playback, const uint32_t *quarters, const int16_t *noise, uint32_t samples,
                     int16_t *pcm)
{
    while (samples > 0) {
        uint32_t run = samples;
        if (playback->fading > 0 && run > playback->fading)
            run = playback->fading;
        if (playback->fading == 0 && playback->gain == GS_GAIN_ONE << 16)
            gs_pcm(quarters, noise, run, pcm);
        else
            gs_pcm_with_gain(quarters, noise, run, playback->gain, (uint32_t)playback->gain_change, pcm);
        playback->gain += run * (uint32_t)playback->gain_change;
        if (playback->fading > 0) {
            playback->fading -= run;
            if (playback->fading == 0) {
                playback->gain = (uint32_t)playback->gain_after << 16;
                playback->gain_change = 0;
            }
        }
        quarters += run;
        if (noise)
            noise += run;
        pcm += run;
        samples -= run;
    }
}

/* ---- tones ---- */

/* Puts the tones that are muted behind the others. Returns how many others there are. */
static uint32_t gs_playback_tones_left(const gs_playback *playback, gs_tone_state *state)
{
    gs_held_tone *held = gs_tone_held(state);
    uint32_t count = state->held;
    uint32_t i = 0;

    if (playback->muted & GS_MUTE_TONES)
        return 0;
    if (playback->muted_from == playback->muted_to)
        return count;
    while (i < count) {
        gs_held_tone tone = held[i];
        if (gs_playback_mutes(playback, tone.increment >> tone.octave)) {
            held[i] = held[--count];
            held[count] = tone;
        } else {
            i++;
        }
    }
    return count;
}

void gs_playback_render_tones(const gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time,
                              uint32_t budget)
{
    uint32_t held = state->held;

    state->held = gs_playback_tones_left(playback, state);
    gs_tone_render(state, time, info->output_shift, budget);
    state->held = held;
}

/* ---- noise ---- */

void gs_playback_mute_bins(const gs_playback *playback, const gs_info *info, const uint8_t *coded, gs_complex *z)
{
    gs_noise_place place = gs_noise_place_of(info, 0, z);
    uint32_t mutes_noise = playback->muted & GS_MUTE_NOISE;
    uint32_t up = 14u - gs_noise_frame_log2(info);
    uint32_t bin;

    if (!mutes_noise && playback->muted_from == playback->muted_to)
        return;
    for (bin = 0; bin < gs_noise_frame_samples(info); bin++) {
        uint8_t *at = bin & 1u ? place.last - place.at : place.first + place.at;
        if ((mutes_noise && !(coded && coded[bin])) || gs_playback_mutes(playback, (2 * bin + 1) << up))
            *(int16_t *)(void *)at = 0;
        if (bin & 1u)
            place.at = gs_next_reversed(place.at, place.step);
    }
}

/* Makes a cell whose levels, in 1/256, begin at `line` and are not limited yet. */
static void gs_playback_fill(gs_noise_place *place, uint32_t bins, int32_t line, int32_t last, int32_t slope,
                             int32_t up)
{
    if ((uint32_t)line < GS_NOISE_LINE_END && (uint32_t)last < GS_NOISE_LINE_END) {
        gs_noise_fill_apart(place, bins, (uint32_t)(line + up), (uint32_t)slope);
        return;
    }
    do {
        gs_noise_fill_apart(place, 1, (uint32_t)(gs_noise_limited(line) + up), 0);
        line += slope;
    } while (--bins > 0);
}

/* Walks over all cells. With `up`, by how much levels are raised, in 1/256, it makes them; with 0 it makes nothing.
 * Returns the highest level, in 1/256. */
static GS_NOINLINE int32_t gs_playback_walk(const gs_noise_state *state, const gs_info *info, uint32_t frame,
                                            const int32_t *level, const gs_playback_fine *fine, int32_t up,
                                            gs_complex *z)
{
    gs_noise_place place = gs_noise_place_of(info, frame, z);
    const int8_t *of_cell = fine ? fine->fine : NULL;
    uint32_t left = gs_noise_frame_samples(info);
    uint32_t bands = state->bands;
    int32_t after = *level;
    int32_t highest = 0;
    uint32_t number;

    for (number = 0; number <= bands; number++) {
        int32_t line = after * 256;
        int32_t slope = 0;
        uint32_t bins = left;
        uint32_t run;
        if (number < bands) {
            bins = state->bins[number];
            slope = (level[number] - after) * state->reciprocal[number] >> 8;
            if (bins > 0 || after < level[number])
                after = level[number];
        }
        left -= bins;
        run = fine && number >= fine->from && bins > 1 ? bins >> 1 : bins;
        for (; bins > 0; bins -= run, run = bins) {
            int32_t here = line;
            int32_t last;
            if (of_cell)
                here += 256 * fine->step * *of_cell++;
            last = here + slope * (int32_t)(run - 1);
            if (up)
                gs_playback_fill(&place, run, here, last, slope, up);
            here = gs_noise_limited(here > last ? here : last);
            if (highest < here)
                highest = here;
            line += slope * (int32_t)run;
        }
    }
    return highest;
}

int32_t gs_playback_make_spectrum(const gs_noise_state *state, const gs_info *info, uint32_t frame,
                                  const int32_t *level, const gs_playback_fine *fine, gs_complex *z)
{
    int32_t exponent = gs_playback_walk(state, info, frame, level, fine, 0, z) >> 16;

    if (exponent == 0)
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    else
        (void)gs_playback_walk(state, info, frame, level, fine, 256 * gs_noise_raised_by(info, exponent), z);
    return exponent;
}

const int16_t *gs_playback_noise(const gs_playback *playback, gs_noise_state *state, const gs_info *info,
                                 uint32_t position)
{
    gs_complex *z = gs_noise_block(state, info);
    uint32_t log2 = gs_noise_frame_log2(info);
    uint32_t frame = position >> log2;

    if (state->frame != frame && state->frame != frame + 1) {
        gs_noise_forget_older(state, info);
        state->frame = frame - 1;
    }
    while (state->frame != frame + 1) {
        int32_t exponent = gs_noise_make_frame(state, info, ++state->frame, z);
        gs_playback_mute_bins(playback, info, NULL, z);
        gs_noise_make_block(state, info, exponent);
    }
    return (const int16_t *)(const void *)z + (position & (((uint32_t)1 << log2) - 1));
}

GS_CODE_ENDS
