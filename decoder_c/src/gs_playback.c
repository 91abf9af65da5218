#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_playback.h"

#include "gs_logarithm.h"
#include "gs_pcm.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_playback,
                 sizeof(gs_playback) + sizeof(gs_noise_state) == GS_PLAYBACK_BYTES(0u) && sizeof(gs_played_tone) == 10);

static int gs_playback_mutes(const gs_playback *playback, uint32_t frequency)
{
    return frequency >= playback->muted_from && frequency < playback->muted_to;
}

#define GS_FARTHEST_LINK 1295   /* 256 log2(1 / 0.03): so much weaker a tone may be than one that is linked to it */
#define GS_FARTHEST_PHASE 24576 /* of 65536 a turn: more might as well be a turn less */
#define GS_OWN_WEIGHT 80u       /* of a tone's own frequency: 0.02 of what one a support away has */
#define GS_SILENT_INCREMENT 65535u

/* What is known of the tones held. */
#define GS_TONES_ROOM 1u
#define GS_TONES_KNOWN 2u
#define GS_TONES_SILENT 4u /* some may be beyond half the sample rate */

/* ---- settings ---- */

void gs_playback_open(gs_playback *playback, int has_room)
{
    gs_clear(playback, sizeof *playback);
    playback->gain = GS_GAIN_ONE << 16;
    playback->gain_after = GS_GAIN_ONE;
    playback->pitch = GS_PITCH_ONE;
    playback->tones = has_room ? GS_TONES_ROOM : 0;
}

int gs_playback_has_room(const gs_playback *playback)
{
    return playback->tones & GS_TONES_ROOM;
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

/* Only its bands are in use. */
static gs_noise_state *gs_playback_bands(gs_playback *playback)
{
    return (gs_noise_state *)(void *)(playback + 1);
}

static gs_played_tone *gs_playback_tones(gs_playback *playback)
{
    return (gs_played_tone *)(void *)(gs_playback_bands(playback) + 1);
}

/* What a tone is as long as it sounds as encoded. */
static void gs_playback_know(const gs_held_tone *held, gs_played_tone *tone)
{
    tone->frequency = (uint16_t)(held->increment >> held->octave);
    tone->rotation = 0;
    tone->deviation = 0;
    tone->reach = (uint16_t)(5 * (2048u >> (held->scale + held->octave)));
    tone->weight = INT16_MIN;
    if (held->amplitude != 0)
        tone->weight = (int16_t)(gs_log2(held->amplitude) + 128 * (held->scale + held->octave));
}

void gs_playback_pitch(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t pitch)
{
    uint32_t i;

    if (playback->tones & GS_TONES_KNOWN)
        gs_playback_begin_tones(playback, state, info);
    else
        playback->begun = (uint16_t)state->held;
    for (i = 0; i < state->held && !(playback->tones & GS_TONES_KNOWN); i++)
        gs_playback_know(gs_tone_held(state) + i, gs_playback_tones(playback) + i);
    playback->tones |= GS_TONES_KNOWN;
    playback->pitch = (uint16_t)pitch;
    if (info->decoder_class.max_noises) {
        gs_noise_state *bands = gs_playback_bands(playback);
        uint8_t encoded;
        gs_noise_place_bands(bands, info, GS_PITCH_ONE);
        encoded = bands->bands;
        gs_noise_place_bands(bands, info, pitch);
        bands->bands = (uint8_t)gs_least(bands->bands, encoded);
    }
    playback->lowered = (int16_t)((gs_log2(pitch) - 14 * 256) >> 1);
}

/* The phase at the centre as it was encoded. */
static uint32_t gs_playback_phase(const gs_held_tone *held, uint32_t rotation)
{
    return held->phase - 32u + held->increment * (gs_tone_support(held->scale) / 2) - rotation;
}

static uint32_t gs_playback_twice_centre(const gs_held_tone *held)
{
    return (2 * held->onset + gs_tone_support(held->scale)) << held->octave;
}

/* Divides; a quotient above 2^most_log2 is that. */
static uint32_t gs_playback_quotient(uint32_t dividend, uint32_t divisor, uint32_t most_log2)
{
    uint32_t rest = dividend >> most_log2;

    if (rest >= divisor)
        return (uint32_t)1 << most_log2;
    return gs_divide_on(rest, dividend << (32u - most_log2), divisor, most_log2);
}

/* Of two links that are equally strong the one that comes later, by what does not depend on the order in which tones are
 * held. */
static int gs_playback_comes_later(const gs_held_tone *held, const gs_played_tone *tone, const gs_held_tone *other,
                                   const gs_played_tone *other_tone)
{
    int32_t later = (int32_t)(gs_playback_twice_centre(held) - gs_playback_twice_centre(other));

    if (later == 0)
        later = tone->frequency - other_tone->frequency;
    if (later == 0)
        later = tone->rotation - other_tone->rotation;
    if (later == 0)
        later = tone->deviation - other_tone->deviation;
    return later > 0;
}

static int32_t gs_playback_magnitude(int32_t value)
{
    return value < 0 ? -value : value;
}

/* The number, from `j` on, of the next tone before number `at` that is near to it in frequency and weighs at least so
 * much; `at` if there is none. */
static GS_NOINLINE uint32_t gs_playback_next_near(const gs_played_tone *tones, uint32_t j, uint32_t at, int32_t least)
{
    const gs_played_tone *tone = tones + j;
    uint32_t twice = 2u * tones[at].frequency;
    uint32_t reach = tones[at].reach - 2u;

    for (; j < at; j++, tone++) {
        /* 2 * |distance| + 1 < both reaches, as one comparison */
        uint32_t both = reach + tone->reach;
        if (twice - 2u * tone->frequency + both <= 2 * both && tone->weight >= least)
            break;
    }
    return j;
}

/* Finds rotation and deviation of tone number `at` from those before it. */
static void gs_playback_link(gs_playback *playback, const gs_held_tone *held, uint32_t at)
{
    gs_played_tone *tone = gs_playback_tones(playback);
    gs_played_tone *own = tone + at;
    uint32_t scale = (uint32_t)held[at].scale + held[at].octave;
    uint32_t support = gs_tone_support(scale);
    uint32_t centre = gs_playback_twice_centre(held + at);
    uint32_t phase = gs_playback_phase(held + at, 0);
    int32_t change = playback->pitch - (int32_t)GS_PITCH_ONE;
    int32_t frequency = own->frequency;
    int32_t weight = own->weight;
    int32_t best_score = weight - GS_FARTHEST_LINK;
    int32_t least = best_score; /* weight from which on a tone can matter */
    uint32_t best = at;
    uint32_t weighted = 0;
    uint32_t weights = GS_OWN_WEIGHT;
    uint32_t j;

    for (j = 0; (j = gs_playback_next_near(tone, j, at, least)) < at; j++) {
        int32_t away = gs_playback_magnitude(frequency - tone[j].frequency);
        int32_t reach = (own->reach + tone[j].reach) >> 1;
        int32_t apart;
        int32_t both;
        int32_t near;
        int32_t score;
        int32_t steps;
        int32_t share;
        int32_t partial;
        apart = (int32_t)(centre - gs_playback_twice_centre(held + j));
        both = (int32_t)(support + (gs_tone_support(held[j].scale) << held[j].octave)) - gs_playback_magnitude(apart);
        if (both <= 0)
            continue;
        near = gs_log2((uint32_t)(reach - away)) - gs_log2((uint32_t)reach);
        share = tone[j].weight;
        score = share + near + gs_log2((uint32_t)both) - gs_log2((uint32_t)(both + gs_playback_magnitude(apart)));
        if (score > best_score || (score == best_score && best < at &&
                                   gs_playback_comes_later(held + j, tone + j, held + best, tone + best))) {
            best = j;
            best_score = score;
            least = score > weight - 512 ? weight - 512 : score;
        }
        share -= weight;
        share = 2 * (share < 256 ? share : 256) + near + 1024;
        steps = 8 * apart >> (scale + 5);
        if (share < 0 || steps == 0 || gs_playback_magnitude(steps) > 32 || away > (int32_t)(4096u >> scale))
            continue;
        partial = 16 * tone[j].frequency + tone[j].deviation;
        away = (int16_t)(phase - gs_playback_phase(held + j, tone[j].rotation) -
                         ((uint32_t)partial * (uint32_t)apart >> 5));
        if (gs_playback_magnitude(away) > GS_FARTHEST_PHASE)
            continue;
        away = steps * steps * (partial - 16 * frequency) + (8 * steps * away >> scale);
        weighted += (uint32_t)away << (share >> 8);
        weights += (uint32_t)(steps * steps) << (share >> 8);
    }
    if ((int32_t)weights > 0) {
        int32_t minus = (int32_t)weighted >> 31;
        uint32_t size = gs_playback_quotient((weighted ^ (uint32_t)minus) - (uint32_t)minus, weights, 15 - scale);
        own->deviation = (int16_t)(((int32_t)size ^ minus) - minus);
    }
    if (best < at) {
        uint32_t turn = (uint32_t)(change * (frequency + tone[best].frequency)) << 1;
        turn += (uint32_t)(change * (own->deviation + tone[best].deviation) >> 3);
        turn *= (uint32_t)((int32_t)(centre - gs_playback_twice_centre(held + best)) >> 1);
        own->rotation = (uint16_t)((((uint32_t)tone[best].rotation << 16) + turn + 0x8000u) >> 16);
    }
}

/* Gives a tone that was linked its pitch. */
static void gs_playback_retune(gs_playback *playback, gs_held_tone *held, const gs_played_tone *tone)
{
    int32_t change = playback->pitch - (int32_t)GS_PITCH_ONE;
    int32_t step = 16 * tone->frequency + (change * tone->frequency >> 10) + (change * tone->deviation >> 14);
    uint32_t phase = gs_playback_phase(held, 0) + tone->rotation + 32u;
    uint32_t scale = (uint32_t)held->scale + held->octave;
    uint32_t onset = held->onset << held->octave;
    uint32_t increment;
    uint32_t octave = 0;

    if (step < 0)
        step = 0;
    increment = (uint32_t)(step + 8) >> 4;
    if (step >= 1 << 19) {
        increment = GS_SILENT_INCREMENT;
        playback->tones |= GS_TONES_SILENT;
    }
    while (octave < GS_OCTAVES - 1u && scale > octave + GS_OCTAVE_SCALE &&
           ((uint32_t)step * (2u << octave) + 8u) >> 4 <= GS_OCTAVE_INCREMENT) {
        octave++;
        increment = ((uint32_t)step * (1u << octave) + 8u) >> 4;
    }
    held->octave = (uint8_t)octave;
    held->scale = (uint8_t)(scale - octave);
    held->onset = onset >> octave;
    held->increment = (uint16_t)increment;
    held->phase = (uint16_t)(phase - increment * (gs_tone_support(scale - octave) / 2));
}

/* Longer than 12 ms: shorter ones are clicks, which keep their phase. */
static int gs_playback_is_long(const gs_held_tone *held, const gs_info *info)
{
    return 250 * (gs_tone_support(held->scale) << held->octave) > 3 * info->sample_rate;
}

void gs_playback_begin_tones(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    gs_held_tone *held = gs_tone_held(state);
    uint32_t first = playback->begun;

    playback->begun = (uint16_t)state->held;
    for (; first < state->held; first++) {
        gs_playback_know(held + first, gs_playback_tones(playback) + first);
        if (playback->pitch != GS_PITCH_ONE) {
            if (held[first].amplitude != 0 && gs_playback_is_long(held + first, info))
                gs_playback_link(playback, held, first);
            gs_playback_retune(playback, held + first, gs_playback_tones(playback) + first);
        }
    }
}

void gs_playback_before_slot(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time)
{
    gs_held_tone *held = gs_tone_held(state);
    gs_played_tone *tone = gs_playback_tones(playback);
    uint32_t count = 0;
    uint32_t i;

    gs_playback_begin_tones(playback, state, info);
    for (i = 0; i < state->held; i++) {
        if ((held[i].onset + gs_tone_support(held[i].scale)) << held[i].octave <= time)
            continue;
        if (count != i) {
            held[count] = held[i];
            tone[count] = tone[i];
        }
        count++;
    }
    state->held = count;
    playback->begun = (uint16_t)count;
}

void gs_playback_exchange(gs_playback *playback, gs_tone_state *state)
{
    gs_played_tone *tone = gs_playback_tones(playback);
    gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;

    for (; held < end; held++, tone++) {
        uint16_t increment = held->increment;
        held->increment = (uint16_t)(tone->frequency << held->octave);
        tone->frequency = increment;
    }
}

void gs_playback_exchange_back(gs_playback *playback, gs_tone_state *state)
{
    gs_played_tone *tone = gs_playback_tones(playback);
    gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;

    for (; held < end; held++, tone++) {
        uint16_t increment = tone->frequency;
        tone->frequency = (uint16_t)(held->increment >> held->octave);
        held->increment = increment;
    }
}

/* Puts the tones that are muted, or sound no more, behind the others. Returns how many others there are. */
static uint32_t gs_playback_tones_left(gs_playback *playback, gs_tone_state *state)
{
    gs_held_tone *held = gs_tone_held(state);
    gs_played_tone *tones = gs_playback_tones(playback);
    uint32_t count = state->held;
    uint32_t i = 0;

    if (playback->muted & GS_MUTE_TONES)
        return 0;
    if (playback->muted_from == playback->muted_to && !(playback->tones & GS_TONES_SILENT))
        return count;
    playback->tones &= (uint16_t)~GS_TONES_SILENT;
    while (i < count) {
        gs_held_tone tone = held[i];
        uint32_t frequency = (uint32_t)tone.increment >> tone.octave;
        if (frequency != GS_SILENT_INCREMENT && !gs_playback_mutes(playback, frequency)) {
            i++;
            continue;
        }
        if (frequency == GS_SILENT_INCREMENT)
            playback->tones |= GS_TONES_SILENT;
        held[i] = held[--count];
        held[count] = tone;
        if (playback->tones & GS_TONES_KNOWN) {
            gs_played_tone known = tones[i];
            tones[i] = tones[count];
            tones[count] = known;
        }
    }
    return count;
}

void gs_playback_render_tones(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time,
                              uint32_t budget)
{
    uint32_t held = state->held;

    if (playback->tones & GS_TONES_KNOWN)
        gs_playback_begin_tones(playback, state, info);
    state->held = gs_playback_tones_left(playback, state);
    gs_tone_render(state, time, info->output_shift, budget);
    state->held = held;
}

/* ---- noise ---- */

/* Where a bin of encoding begins, of `size` bins as played. */
static uint32_t gs_playback_bin(const gs_playback *playback, uint32_t bin, uint32_t size)
{
    return gs_least(bin * playback->pitch >> 14, size);
}

void gs_playback_mute_bins(const gs_playback *playback, const gs_info *info, const uint8_t *coded, gs_complex *z)
{
    gs_noise_place place = gs_noise_place_of(info, 0, z);
    uint32_t mutes_noise = playback->muted & GS_MUTE_NOISE;
    uint32_t up = 14u - gs_noise_frame_log2(info);
    uint32_t end = gs_playback_bin(playback, gs_noise_frame_samples(info), gs_noise_frame_samples(info));
    uint32_t bin;

    if (!mutes_noise && playback->muted_from == playback->muted_to && end == gs_noise_frame_samples(info))
        return;
    for (bin = 0; bin < gs_noise_frame_samples(info); bin++) {
        uint8_t *at = bin & 1u ? place.last - place.at : place.first + place.at;
        if (bin >= end || (mutes_noise && !(coded && coded[bin])) || gs_playback_mutes(playback, (2 * bin + 1) << up))
            *(int16_t *)(void *)at = 0;
        if (bin & 1u)
            place.at = gs_next_reversed(place.at, place.step);
    }
}

/* Makes a run of bins whose levels, in 1/256, begin at `line`, not all within what a level may be. */
static GS_NOINLINE void gs_playback_fill_slowly(gs_noise_place *place, uint32_t bins, int32_t line, int32_t slope,
                                                int32_t up)
{
    do {
        gs_noise_fill_apart(place, 1, (uint32_t)(gs_noise_limited(line) + up), 0);
        line += slope;
    } while (--bins > 0);
}

/* gs_noise_make_spectrum with fine levels, from where bands are played and where they were encoded. */
static GS_NOINLINE void gs_playback_make_fine_spectrum(const gs_noise_state *bands, const gs_noise_state *encoded,
                                                       const gs_info *info, uint32_t frame, const int32_t *level,
                                                       const gs_playback_fine *fine, int32_t up, gs_complex *z)
{
    gs_noise_place place = gs_noise_place_of(info, frame, z);
    const int8_t *of_cell = fine->fine;
    uint32_t left = gs_noise_frame_samples(info); /* bins, and those as encoded */
    uint32_t encoded_left = left;
    int32_t after = *level;
    uint32_t number;

    for (number = 0; number <= encoded->bands; number++) {
        uint32_t bins = number < bands->bands ? bands->bins[number] : left;
        uint32_t encoded_bins = number < encoded->bands ? encoded->bins[number] : encoded_left;
        int32_t before = after;
        int32_t line = before * 256;
        int32_t slope = 0;
        uint32_t run;
        uint32_t first = 0; /* of its cells */
        if (number < bands->bands) {
            after = level[number];
            slope = (after - before) * bands->reciprocal[number] >> 8;
            if (bins == 0 && after < before)
                after = before;
        }
        left -= bins;
        encoded_left -= encoded_bins;
        run = number >= fine->from && bins > 1 ? bins >> 1 : bins;
        if (number >= fine->from && encoded_bins > 1 && run == bins)
            first = 1;
        for (; bins > 0; bins -= run, run = bins) {
            int32_t here = line + (encoded_bins ? 256 * fine->step * of_cell[first] : 0);
            int32_t last = here + slope * (int32_t)(run - 1);
            if ((uint32_t)here < GS_NOISE_LINE_END && (uint32_t)last < GS_NOISE_LINE_END)
                gs_noise_fill_apart(&place, run, (uint32_t)(here + up), (uint32_t)slope);
            else
                gs_playback_fill_slowly(&place, run, here, slope, up);
            line += slope * (int32_t)run;
            first = number >= fine->from && encoded_bins > 1;
        }
        if (encoded_bins > 0)
            of_cell += number >= fine->from && encoded_bins > 1 ? 2 : 1;
    }
}

int32_t gs_playback_make_spectrum(gs_playback *playback, const gs_noise_state *state, const gs_info *info,
                                  uint32_t frame, int32_t *level, int32_t highest, const gs_playback_fine *fine,
                                  gs_complex *z)
{
    const gs_noise_state *bands = playback->pitch == GS_PITCH_ONE ? state : gs_playback_bands(playback);
    int32_t exponent;
    uint32_t i;

    for (i = 0; i < state->bands; i++)
        level[i] = gs_noise_limited((level[i] - playback->lowered) * 256) >> 8;
    if (fine)
        highest += fine->highest * fine->step;
    exponent = gs_noise_limited((highest - playback->lowered) * 256) >> 16;
    if (exponent == 0)
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    else if (fine)
        gs_playback_make_fine_spectrum(bands, state, info, frame, level, fine, 256 * gs_noise_raised_by(info, exponent),
                                       z);
    else
        gs_noise_make_spectrum(bands, info, frame, level, gs_noise_raised_by(info, exponent), z);
    return exponent;
}

const int16_t *gs_playback_noise(gs_playback *playback, gs_noise_state *state, const gs_info *info, uint32_t position)
{
    gs_complex *z = gs_noise_block(state, info);
    uint32_t log2 = gs_noise_frame_log2(info);
    uint32_t frame = position >> log2;

    if (state->frame != frame && state->frame != frame + 1) {
        gs_noise_forget_older(state, info);
        state->frame = frame - 1;
    }
    while (state->frame != frame + 1) {
        int32_t exponent;
        state->frame++;
        if (playback->pitch == GS_PITCH_ONE) {
            exponent = gs_noise_make_frame(state, info, state->frame, z);
        } else {
            int32_t level[GS_BARK_BANDS];
            int32_t highest = gs_noise_make_levels(state, info, state->frame, level);
            exponent = gs_playback_make_spectrum(playback, state, info, state->frame, level, highest, NULL, z);
        }
        gs_playback_mute_bins(playback, info, NULL, z);
        gs_noise_make_block(state, info, exponent);
    }
    return (const int16_t *)(const void *)z + (position & (((uint32_t)1 << log2) - 1));
}

GS_CODE_ENDS
