#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_stereo.h"

#include "gs_logarithm.h"
#include "gs_pcm.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_playback,
                 sizeof(gs_playback) + sizeof(gs_noise_state) == GS_PITCH_BYTES(0u) && sizeof(gs_played_tone) == 10 &&
                     sizeof(gs_stretched_tone) == 8 && sizeof(gs_playback_kept) == GS_KEPT_BYTES);

static int gs_playback_mutes(const gs_playback *playback, uint32_t frequency)
{
    return frequency >= playback->muted_from && frequency < playback->muted_to;
}

#define GS_FARTHEST_LINK 1295   /* 256 log2(1 / 0.03): so much weaker a tone may be than one that is linked to it */
#define GS_FARTHEST_PHASE 24576 /* of 65536 a turn: more might as well be a turn less */
#define GS_OWN_WEIGHT 80u       /* of a tone's own frequency: 0.02 of what one a support away has */
#define GS_SILENT_INCREMENT 65535u
#define GS_SILENT_STEP (1 << 19) /* half the sample rate, in 1/16 phase steps */

/* What is known of the tones held. */
#define GS_TONES_ROOM 1u
#define GS_TONES_KNOWN 2u
#define GS_TONES_SILENT 4u /* some may be beyond half the sample rate */
#define GS_TONES_PACE 8u   /* there is memory for a pace.. */
#define GS_TONES_PACED 16u /* ..and they have one */
#define GS_TONES_IN_CLIP 32u

/* ---- settings ---- */

/* Only its bands are in use. */
static gs_noise_state *gs_playback_bands(gs_playback *playback)
{
    return (gs_noise_state *)(void *)(playback + 1);
}

static gs_played_tone *gs_playback_tones(gs_playback *playback)
{
    return (gs_played_tone *)(void *)(gs_playback_bands(playback) + 1);
}

GS_SMALL gs_pace *gs_playback_pace(gs_playback *playback, const gs_info *info)
{
    uint32_t tones = (sizeof(gs_played_tone) * info->decoder_class.max_tones + 3u) & ~(uint32_t)3u;

    return (gs_pace *)(void *)((uint8_t *)gs_playback_tones(playback) + tones);
}

static GS_SMALL gs_stretched_tone *gs_playback_stretched(gs_playback *playback, const gs_info *info)
{
    return (gs_stretched_tone *)(void *)(gs_playback_pace(playback, info) + 1);
}

gs_playback_kept *gs_playback_kept_frame(gs_playback *playback, const gs_info *info)
{
    return (gs_playback_kept *)(void *)(gs_playback_stretched(playback, info) + info->decoder_class.max_tones);
}

int gs_playback_is_paced(const gs_playback *playback)
{
    return playback->tones & GS_TONES_PACED;
}

void gs_playback_open(gs_playback *playback, const gs_info *info, size_t bytes)
{
    gs_clear(playback, sizeof *playback);
    playback->gain = GS_GAIN_ONE << 16;
    playback->gain_after = GS_GAIN_ONE;
    playback->pitch = GS_PITCH_ONE;
    playback->frequency = GS_AS_ENCODED;
    playback->turn = GS_PITCH_ONE;
    if (bytes >= GS_PITCH_BYTES(info->decoder_class.max_tones))
        playback->tones |= GS_TONES_ROOM;
    if (bytes >= GS_PLAYBACK_BYTES(info->decoder_class.max_tones, info->decoder_class.residual)) {
        playback->tones |= GS_TONES_PACE;
        gs_pace_open(gs_playback_pace(playback, info), info);
    }
}

int gs_playback_has_room(const gs_playback *playback)
{
    return playback->tones & GS_TONES_ROOM;
}

int gs_playback_has_pace(const gs_playback *playback)
{
    return playback->tones & GS_TONES_PACE;
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
static uint16_t gs_playback_frequency(uint32_t sample_rate, uint32_t hertz)
{
    return (uint16_t)gs_least(gs_divide(hertz << 16, sample_rate), 65535);
}

static void gs_playback_mute_at(gs_playback *playback, uint32_t sample_rate, uint32_t from, uint32_t to)
{
    playback->muted_from = gs_playback_frequency(sample_rate, from);
    playback->muted_to = gs_playback_frequency(sample_rate, to);
}

void gs_playback_mute(gs_playback *playback, const gs_info *info, uint32_t kinds, uint32_t from, uint32_t to)
{
    uint32_t sample_rate = info->sample_rate;

    if (gs_playback_has_pace(playback)) {
        gs_pace *pace = gs_playback_pace(playback, info);
        pace->muted_from = (uint16_t)from;
        pace->muted_to = (uint16_t)to;
        sample_rate = pace->rate;
    }
    playback->muted = (uint16_t)kinds;
    gs_playback_mute_at(playback, sample_rate, from, to);
}

/* ---- pcm ---- */

void gs_playback_pcm(gs_playback *playback, const uint32_t *quarters, const int16_t *noise, uint32_t samples,
                     gs_stereo_sum *sum, int16_t *pcm)
{
    if (!sum && playback->fading == 0 && playback->gain == GS_GAIN_ONE << 16) {
        gs_pcm(quarters, noise, samples, pcm);
        return;
    }
    while (samples > 0) {
        uint32_t run = samples;
        if (playback->fading > 0 && run > playback->fading)
            run = playback->fading;
        if (sum) {
            sum->pcm(sum, run, playback->gain, (uint32_t)playback->gain_change, pcm);
            pcm += run;
        } else {
            gs_pcm_with_gain(quarters, noise, run, playback->gain, (uint32_t)playback->gain_change, pcm);
        }
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

/* Makes what follows from pitch and pace. */
static void gs_playback_tune(gs_playback *playback, const gs_info *info)
{
    uint32_t sample_rate = info->sample_rate;

    playback->frequency = 4u * playback->pitch;
    playback->turn = playback->pitch;
    if (gs_playback_has_pace(playback)) {
        const gs_pace *pace = gs_playback_pace(playback, info);
        uint32_t product = playback->pitch * sample_rate;
        sample_rate = pace->rate;
        playback->frequency = gs_divide_on(product >> 30, product << 2, sample_rate, 32);
        playback->turn = gs_divide((uint32_t)playback->pitch << 14, pace->tempo);
    }
    if (info->decoder_class.max_noises) {
        gs_noise_state *bands = gs_playback_bands(playback);
        uint8_t encoded;
        gs_noise_place_bands(bands, info, GS_PITCH_ONE, info->sample_rate);
        encoded = bands->bands;
        gs_noise_place_bands(bands, info, playback->pitch, sample_rate);
        bands->bands = (uint8_t)gs_least(bands->bands, encoded);
    }
    playback->lowered = (int16_t)((gs_log2(playback->frequency) - 16 * 256) >> 1);
}

/* From now on all tones that are held are known. */
static void gs_playback_know_all(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    uint32_t i;

    if (playback->tones & GS_TONES_KNOWN)
        gs_playback_begin_tones(playback, state, info);
    else
        playback->begun = (uint16_t)state->held;
    for (i = 0; i < state->held && !(playback->tones & GS_TONES_KNOWN); i++)
        gs_playback_know(gs_tone_held(state) + i, gs_playback_tones(playback) + i);
    playback->tones |= GS_TONES_KNOWN;
}

void gs_playback_pitch(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t pitch)
{
    gs_playback_know_all(playback, state, info);
    playback->pitch = (uint16_t)pitch;
    gs_playback_tune(playback, info);
}

void gs_playback_change_pace(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    const gs_pace *pace = gs_playback_pace(playback, info);

    gs_playback_know_all(playback, state, info);
    gs_playback_tune(playback, info);
    gs_playback_mute_at(playback, pace->rate, pace->muted_from, pace->muted_to);
}

static void gs_playback_start_pace(gs_playback *playback, const gs_info *info)
{
    playback->tones |= GS_TONES_PACED;
    if (info->decoder_class.residual)
        gs_playback_kept_frame(playback, info)->cells = 0;
}

void gs_playback_jump(gs_playback *playback, const gs_info *info, int is_paced)
{
    playback->tones &= (uint16_t)~(GS_TONES_PACED | GS_TONES_IN_CLIP);
    if (is_paced)
        gs_playback_start_pace(playback, info);
}

/* The phase at the centre as it was encoded. */
static uint32_t gs_playback_phase(const gs_held_tone *held, uint32_t rotation)
{
    return held->phase - 32u + held->increment * (gs_tone_support(held->scale) / 2) - rotation;
}

static GS_SMALL uint32_t gs_playback_twice_centre(const gs_held_tone *held)
{
    return (2 * held->onset + gs_tone_support(held->scale)) << held->octave;
}

/* Divides; a quotient above 2^most_log2 is that. */
static uint32_t gs_playback_quotient(uint32_t dividend, uint32_t divisor, uint32_t most_log2)
{
#ifdef __ARM_FEATURE_IDIV
    return gs_least(dividend / divisor, (uint32_t)1 << most_log2);
#else
    uint32_t rest = dividend >> most_log2;

    if (rest >= divisor)
        return (uint32_t)1 << most_log2;
    return gs_divide_on(rest, dividend << (32u - most_log2), divisor, most_log2);
#endif
}

/* The logarithm of a ratio. */
GS_FAST int32_t gs_playback_log2(uint32_t number, uint32_t by)
{
    return gs_log2(number) - gs_log2(by);
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

/* The next tone, from `tone` on, that is near to `own` in frequency and weighs at least so much, which is `own` itself, the
 * last of them, where no other is. */
GS_FAST const gs_played_tone *gs_playback_next_near(const gs_played_tone *tone, const gs_played_tone *own,
                                                    int32_t least)
{
    uint32_t reach = own->reach - 2u;
    uint32_t twice = 2u * own->frequency;

    GS_ASSERT(own->weight >= least && own->reach >= 2);
    for (;; tone++) {
        /* 2 * |distance| + 1 < both reaches, as one comparison */
        uint32_t both = reach + tone->reach;
        if (twice - 2u * tone->frequency + both <= 2 * both && tone->weight >= least)
            return tone;
    }
}

/* Finds rotation and deviation of tone number `at` from those before it. Returns the number of the one that it is linked
 * to, or `at`. */
static uint32_t gs_playback_link(gs_playback *playback, const gs_held_tone *held, uint32_t at)
{
    gs_played_tone *tone = gs_playback_tones(playback);
    gs_played_tone *own = tone + at;
    uint32_t scale = (uint32_t)held[at].scale + held[at].octave;
    uint32_t support = gs_tone_support(scale);
    uint32_t centre = gs_playback_twice_centre(held + at);
    uint32_t phase = gs_playback_phase(held + at, 0);
    int32_t change = (int32_t)(playback->turn - GS_PITCH_ONE);
    int32_t frequency = own->frequency;
    int32_t weight = own->weight;
    int32_t best_score = weight - GS_FARTHEST_LINK;
    int32_t least = best_score; /* weight from which on a tone can matter */
    uint32_t best = at;
    uint32_t weighted = 0;
    uint32_t weights = GS_OWN_WEIGHT;
    const gs_played_tone *other = tone;

    for (; (other = gs_playback_next_near(other, own, least)) < own; other++) {
        uint32_t j = (uint32_t)((const uint8_t *)other - (const uint8_t *)tone) * 52429u >> 19; /* by 10 */
        int32_t away = gs_playback_magnitude(frequency - other->frequency);
        int32_t reach = (own->reach + other->reach) >> 1;
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
        near = gs_playback_log2((uint32_t)(reach - away), (uint32_t)reach);
        share = other->weight;
        score = share + near + gs_playback_log2((uint32_t)both, (uint32_t)(both + gs_playback_magnitude(apart)));
        if (score > best_score ||
            (score == best_score && best < at && gs_playback_comes_later(held + j, other, held + best, tone + best))) {
            best = j;
            best_score = score;
            least = score > weight - 512 ? weight - 512 : score;
        }
        share -= weight;
        share = 2 * (share < 256 ? share : 256) + near + 1024;
        steps = 8 * apart >> (scale + 5);
        if (share < 0 || steps == 0 || gs_playback_magnitude(steps) > 32 || away > (int32_t)(4096u >> scale))
            continue;
        partial = 16 * other->frequency + other->deviation;
        away = (int16_t)(phase - gs_playback_phase(held + j, other->rotation) -
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
        uint32_t turn = (uint32_t)change * (uint32_t)(frequency + tone[best].frequency) << 1;
        turn += (uint32_t)(change * (own->deviation + tone[best].deviation) >> 3);
        turn *= (uint32_t)((int32_t)(centre - gs_playback_twice_centre(held + best)) >> 1);
        own->rotation = (uint16_t)((((uint32_t)tone[best].rotation << 16) + turn + 0x8000u) >> 16);
    }
    return best;
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
    if (step >= GS_SILENT_STEP) {
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

/* In 1/64 samples. */
static uint32_t gs_playback_centre(const gs_held_tone *held, const gs_stretched_tone *stretched)
{
    uint32_t octave = stretched->rest & 3u;
    gs_stretch stretch;

    gs_stretch_set(&stretch, gs_stretch_size(held, stretched, octave));
    return (64 * stretched->onset - (stretched->rest >> 2) + 4 * stretch.length) << octave;
}

static uint32_t gs_playback_clip_centre(const gs_held_tone *held)
{
    return gs_playback_twice_centre(held) >> 1;
}

/* Where the tempo changed between a tone and the one that it is linked to they are otherwise apart than turns reckon:
 * turns it by what is between. */
static GS_NOINLINE void gs_playback_turn_on(gs_playback *playback, const gs_info *info, const gs_held_tone *held,
                                            uint32_t at, uint32_t link)
{
    const gs_pace *pace = gs_playback_pace(playback, info);
    const gs_stretched_tone *stretched = gs_playback_stretched(playback, info);
    gs_played_tone *tone = gs_playback_tones(playback);
    gs_place place = gs_pace_place(pace, gs_playback_clip_centre(held + at));
    int32_t apart = (int32_t)(gs_playback_twice_centre(held + at) - gs_playback_twice_centre(held + link));
    gs_place reckoned = gs_pace_scaled((uint32_t)gs_playback_magnitude(apart), pace->slot_stretch);
    uint32_t between = reckoned.sample << 5 | reckoned.rest >> 11;
    uint32_t step = (playback->frequency >> 4) * ((uint32_t)tone[at].frequency + tone[link].frequency) >> 13;

    if (apart < 0)
        between = 0 - between;
    between = (place.sample << 6 | place.rest >> 10) - gs_playback_centre(held + link, stretched + link) - between;
    tone[at].rotation = (uint16_t)(tone[at].rotation + (step * between >> 6));
}

/* Gives a tone that was linked, and lies in the clip, its place and pitch among the samples that are given. */
static GS_NOINLINE void gs_playback_place_tone(gs_playback *playback, const gs_pace *pace, gs_held_tone *held,
                                               const gs_played_tone *tone, gs_stretched_tone *stretched)
{
    int32_t change = (int32_t)(playback->frequency - pace->slot_step) * tone->deviation >> 16;
    int32_t step = GS_SILENT_STEP;
    uint32_t phase = gs_playback_phase(held, 0) + tone->rotation + 32u;
    uint32_t scale = (uint32_t)held->scale + held->octave;
    uint32_t onset = held->onset << held->octave;
    gs_place place = gs_pace_place(pace, gs_playback_clip_centre(held));
    gs_stretch stretch;
    uint32_t increment = GS_SILENT_INCREMENT;
    uint32_t octave = 0;
    uint32_t late;

    if ((playback->frequency >> 4) * tone->frequency >> 27 == 0) {
        step = (int32_t)(playback->frequency * tone->frequency >> 12) + change;
        if (step < 0)
            step = 0;
    }
    if (step < GS_SILENT_STEP)
        increment = (uint32_t)(step + 8) >> 4;
    else
        playback->tones |= GS_TONES_SILENT;
    while (step < GS_SILENT_STEP && octave < GS_OCTAVES - 1u &&
           32 * ((int32_t)scale - (int32_t)octave - 1) + pace->size >= 32 * (int32_t)GS_OCTAVE_SCALE &&
           ((uint32_t)step * (2u << octave) + 8u) >> 4 <= GS_OCTAVE_INCREMENT) {
        octave++;
        increment = ((uint32_t)step * (1u << octave) + 8u) >> 4;
    }
    gs_stretch_set(&stretch, 32 * ((int32_t)scale - (int32_t)octave) + pace->size);
    late =
        stretch.length << octave; /* half the support, in 1/16 samples; then what lies before a sample of the octave */
    place.sample -= late >> 4;
    if (place.rest < (late & 15u) << 12) {
        place.rest += 65536;
        place.sample--;
    }
    place.rest -= (late & 15u) << 12;
    late = (place.sample & ((1u << octave) - 1u)) << 16 | place.rest;
    stretched->onset = (place.sample >> octave) + (late != 0);
    if (late != 0)
        late = (((uint32_t)65536 << octave) - late) >> (10 + octave);
    stretched->stretch = (int8_t)pace->size;
    stretched->rest = (uint8_t)(late << 2 | octave);
    stretched->phase = (uint16_t)(phase - (increment * (16 * stretch.length - 4 * late) >> 8));
    held->octave = 0;
    held->scale = (uint8_t)scale;
    held->onset = onset;
    held->increment = (uint16_t)increment;
    held->phase = (uint16_t)(phase - increment * (gs_tone_support(scale) / 2));
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
        gs_played_tone *tone = gs_playback_tones(playback) + first;
        uint32_t link = first;
        gs_playback_know(held + first, tone);
        if (playback->turn != GS_PITCH_ONE && held[first].amplitude != 0 && gs_playback_is_long(held + first, info))
            link = gs_playback_link(playback, held, first);
        if (playback->tones & GS_TONES_PACED &&
            held[link].onset << held[link].octave < gs_playback_pace(playback, info)->changed)
            gs_playback_turn_on(playback, info, held, first, link);
        if (playback->tones & GS_TONES_PACED)
            gs_playback_place_tone(playback, gs_playback_pace(playback, info), held + first, tone,
                                   gs_playback_stretched(playback, info) + first);
        else if (playback->pitch != GS_PITCH_ONE)
            gs_playback_retune(playback, held + first, tone);
    }
}

void gs_playback_begin_pace(gs_playback *playback, gs_tone_state *state, const gs_info *info, int32_t slot)
{
    gs_held_tone *held = gs_tone_held(state);
    gs_stretched_tone *stretched = gs_playback_stretched(playback, info);
    const gs_held_tone *end = held + state->held;

    gs_pace_begin(gs_playback_pace(playback, info), info, slot);
    gs_playback_start_pace(playback, info);
    for (; held < end; held++, stretched++) {
        uint32_t phase = gs_playback_phase(held, 0) + 32u;
        uint32_t scale = (uint32_t)held->scale + held->octave;
        stretched->onset = held->onset << held->octave;
        stretched->phase = (uint16_t)(phase - held->increment * (gs_tone_support(scale) / 2));
        stretched->stretch = 0;
        stretched->rest = 0;
        held->scale = (uint8_t)scale;
        held->onset += (GS_PACED_ZERO - GS_TIME_ZERO) >> held->octave;
    }
}

static GS_NOINLINE void gs_playback_cross(gs_tone_state *state, gs_stretched_tone *stretched)
{
    gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;

    for (; held < end; held++, stretched++) {
        uint32_t onset = held->onset;
        uint16_t phase = held->phase;
        uint8_t octave = held->octave;
        held->onset = stretched->onset;
        held->phase = stretched->phase;
        held->octave = stretched->rest & 3u;
        stretched->onset = onset;
        stretched->phase = phase;
        stretched->rest = (uint8_t)((stretched->rest & ~3u) | octave);
    }
}

void gs_playback_to_clip(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    if (playback->tones & GS_TONES_IN_CLIP)
        return;
    playback->tones |= GS_TONES_IN_CLIP;
    gs_playback_cross(state, gs_playback_stretched(playback, info));
}

void gs_playback_from_clip(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    if (!(playback->tones & GS_TONES_IN_CLIP))
        return;
    playback->tones &= (uint16_t)~GS_TONES_IN_CLIP;
    gs_playback_begin_tones(playback, state, info);
    gs_playback_cross(state, gs_playback_stretched(playback, info));
}

/* Moves what is known of tone number `from` to another number. */
static GS_NOINLINE void gs_playback_move(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t to,
                                         uint32_t from)
{
    gs_tone_held(state)[to] = gs_tone_held(state)[from];
    if (info->decoder_class.panned)
        gs_sides_of(info)[to] = gs_sides_of(info)[from];
    if (from >= playback->begun)
        return;
    gs_playback_tones(playback)[to] = gs_playback_tones(playback)[from];
    if (playback->tones & GS_TONES_PACED)
        gs_playback_stretched(playback, info)[to] = gs_playback_stretched(playback, info)[from];
}

/* When a tone that lies in the clip sounds no more. */
static GS_NOINLINE uint32_t gs_playback_end(const gs_held_tone *held, const gs_stretched_tone *stretched)
{
    uint32_t octave = stretched->rest & 3u;
    gs_stretch stretch;

    gs_stretch_set(&stretch, gs_stretch_size(held, stretched, octave));
    return (stretched->onset + gs_stretch_samples(&stretch, gs_stretch_late(stretched))) << octave;
}

static GS_SMALL int gs_playback_has_ended(const gs_held_tone *held, uint32_t time)
{
    return (held->onset + gs_tone_support(held->scale)) << held->octave <= time;
}

uint32_t gs_playback_before_slot(gs_playback *playback, gs_tone_state *state, const gs_info *info, uint32_t time,
                                 uint32_t place)
{
    gs_held_tone *held = gs_tone_held(state);
    uint32_t count = 0;
    uint32_t i;

    gs_playback_begin_tones(playback, state, info);
    for (i = 0; i < state->held; i++) {
        if (gs_playback_has_ended(held + i, time) &&
            !(playback->tones & GS_TONES_PACED &&
              gs_playback_end(held + i, gs_playback_stretched(playback, info) + i) > place))
            continue;
        if (count != i)
            gs_playback_move(playback, state, info, count, i);
        count++;
    }
    state->held = count;
    playback->begun = (uint16_t)count;
    if (!(playback->tones & GS_TONES_PACED))
        return time;
    gs_playback_pace(playback, info)->needed = time;
    gs_pace_go_on(gs_playback_pace(playback, info), info);
    return 0;
}

uint32_t gs_playback_make_room(gs_playback *playback, gs_tone_state *state, const gs_info *info)
{
    const gs_stretched_tone *stretched = gs_playback_stretched(playback, info);
    const gs_held_tone *held = gs_tone_held(state);
    uint32_t time = gs_playback_pace(playback, info)->needed;
    uint32_t first = UINT32_MAX;
    uint32_t held_before = state->held;
    uint32_t begun = 0;
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < playback->begun; i++) {
        if (gs_playback_has_ended(held + i, time))
            first = gs_least(first, gs_playback_end(held + i, stretched + i));
    }
    for (i = 0; i < held_before; i++) {
        if (i < playback->begun && gs_playback_has_ended(held + i, time) &&
            gs_playback_end(held + i, stretched + i) == first)
            continue;
        if (count != i)
            gs_playback_move(playback, state, info, count, i);
        count++;
        begun += i < playback->begun;
    }
    state->held = count;
    playback->begun = (uint16_t)begun;
    return held_before - count;
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
static uint32_t gs_playback_tones_left(gs_playback *playback, gs_tone_state *state, const gs_info *info)
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
        if (info->decoder_class.panned) {
            gs_side *sides = gs_sides_of(info);
            gs_side side = sides[i];
            sides[i] = sides[count];
            sides[count] = side;
        }
        if (playback->tones & GS_TONES_KNOWN) {
            gs_played_tone known = tones[i];
            tones[i] = tones[count];
            tones[count] = known;
        }
        if (playback->tones & GS_TONES_PACED) {
            gs_stretched_tone *stretched = gs_playback_stretched(playback, info);
            gs_stretched_tone other = stretched[i];
            stretched[i] = stretched[count];
            stretched[count] = other;
        }
    }
    return count;
}

void gs_playback_render_tones(gs_playback *playback, gs_tone_state *state, const gs_info *info, const gs_sides *sides,
                              uint32_t time, uint32_t budget)
{
    uint32_t held = state->held;

    if (playback->tones & GS_TONES_KNOWN)
        gs_playback_begin_tones(playback, state, info);
    state->held = gs_playback_tones_left(playback, state, info);
    if (playback->tones & GS_TONES_PACED)
        gs_tone_render_stretched(state, gs_playback_stretched(playback, info), sides, time, info->output_shift, budget);
    else if (sides)
        sides->render(state, sides, time, info->output_shift, budget);
    else
        gs_tone_render(state, time, info->output_shift, budget);
    state->held = held;
}

/* ---- noise ---- */

/* Where a bin of encoding begins, of `size` bins as played. */
static uint32_t gs_playback_bin(const gs_playback *playback, uint32_t bin, uint32_t size)
{
    return gs_least(bin * playback->frequency >> 16, size);
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
    const gs_noise_state *bands = playback->tones & GS_TONES_KNOWN ? gs_playback_bands(playback) : state;
    int32_t exponent;
    uint32_t i;

    for (i = 0; i < state->bands; i++)
        level[i] = gs_noise_limited_level(level[i] - playback->lowered);
    highest = gs_noise_limited_level(highest - playback->lowered);
    if (fine)
        highest += fine->highest * fine->step;
    exponent = gs_noise_limited_level(highest) >> 8;
    if (exponent == 0)
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    else if (fine)
        gs_playback_make_fine_spectrum(bands, state, info, frame, level, fine, 256 * gs_noise_raised_by(info, exponent),
                                       z);
    else
        gs_noise_make_spectrum(bands, info, frame, level, gs_noise_raised_by(info, exponent), z);
    return exponent;
}

static GS_INLINE uint32_t gs_playback_time_of_frame(gs_playback *playback, const gs_info *info, uint32_t frame)
{
    uint32_t time = frame << GS_NOISE_TIME_LOG2;

    if (playback->tones & GS_TONES_PACED) {
        uint32_t log2 = gs_noise_frame_log2(info);
        time = gs_pace_clip_time(gs_playback_pace(playback, info), frame << log2) - GS_TIME_ZERO;
        time = (uint32_t)((int32_t)time >> (log2 - GS_NOISE_TIME_LOG2));
    }
    return time;
}

int32_t gs_playback_make_levels(gs_playback *playback, gs_noise_state *state, const gs_info *info, uint32_t frame,
                                int32_t *level)
{
    return gs_noise_make_levels(state, info, gs_playback_time_of_frame(playback, info, frame), level);
}

/* In streams of panned Gaussians. */

uint32_t gs_playback_frame_time(gs_playback *playback, const gs_info *info, uint32_t frame)
{
    return gs_playback_time_of_frame(playback, info, frame);
}

const gs_noise_state *gs_playback_bands_of_side(gs_playback *playback, const gs_noise_state *state, int32_t *level,
                                                int32_t *highest)
{
    uint32_t i;

    *highest = 0;
    for (i = 0; i < state->bands; i++) {
        level[i] = (playback->muted & GS_MUTE_NOISE) ? 0 : gs_noise_limited_level(level[i] - playback->lowered);
        if (*highest < level[i])
            *highest = level[i];
    }
    return playback->tones & GS_TONES_KNOWN ? gs_playback_bands(playback) : state;
}

void gs_playback_mute_side(gs_playback *playback, const gs_info *info, gs_complex *z)
{
    uint16_t muted = playback->muted;

    playback->muted = (uint16_t)(muted & ~GS_MUTE_NOISE);
    gs_playback_mute_bins(playback, info, NULL, z);
    playback->muted = muted;
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
        if (playback->frequency == GS_AS_ENCODED && !(playback->tones & GS_TONES_PACED)) {
            exponent = gs_noise_make_frame(state, info, state->frame, z);
        } else {
            int32_t level[GS_BARK_BANDS];
            int32_t highest = gs_playback_make_levels(playback, state, info, state->frame, level);
            exponent = gs_playback_make_spectrum(playback, state, info, state->frame, level, highest, NULL, z);
        }
        gs_playback_mute_bins(playback, info, NULL, z);
        gs_noise_make_block(state, info, exponent);
    }
    return (const int16_t *)(const void *)z + (position & (((uint32_t)1 << log2) - 1));
}

GS_CODE_ENDS
