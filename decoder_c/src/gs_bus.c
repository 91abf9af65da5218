/* What the voices of a mixer share: one set of sums and filters for the tones of all, and one transform for their noise.
 * Both lie in the memory of voices that would have used it for themselves. */
#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_logarithm.h"
#include "gs_mixer.h"
#include "gs_tone_run.h"

GS_CODE_BEGINS

#define GS_BUS_SHIFT 12u /* from sums to quarters of steps */

/* A voice's gain, in Q13, so many samples on. */
static uint32_t gs_voice_gain_after(const gs_voice *voice, uint32_t samples)
{
    if (samples >= voice->fading)
        return voice->level;
    return (voice->gain[0] + samples * (uint32_t)voice->change[0]) >> 16;
}

static int gs_voice_has_noise(const gs_voice *voice)
{
    return gs_voice_decoder(voice)->noise_at != 0;
}

/* The first voice behind one that has joined, or of all behind NULL; NULL if there is none. */
static GS_NOINLINE gs_voice *gs_bus_after(const gs_mixer *mixer, gs_voice *voice)
{
    do {
        voice = voice ? (gs_voice *)((uintptr_t)voice + mixer->voice_bytes) : gs_mixer_at(mixer, sizeof *mixer);
        if (voice >= gs_mixer_at(mixer, mixer->end))
            return NULL;
    } while (!(voice->state & GS_VOICE_JOINED));
    return voice;
}

#define GS_FOR_EACH_JOINED(mixer, voice) for ((voice) = NULL; ((voice) = gs_bus_after(mixer, voice)) != NULL;)

/* Another voice than this one that has joined, and has noise if that is asked for; NULL if there is none. */
static GS_NOINLINE gs_voice *gs_bus_other(const gs_mixer *mixer, const gs_voice *than, int with_noise)
{
    gs_voice *voice;

    GS_FOR_EACH_JOINED(mixer, voice)
    {
        if (voice != than && (!with_noise || gs_voice_has_noise(voice)))
            break;
    }
    return voice;
}

/* ---- memory ---- */

static gs_decoder *gs_bus_decoder(const gs_mixer *mixer, uint32_t at)
{
    return gs_voice_decoder(gs_mixer_at(mixer, at));
}

static gs_tone_state *gs_bus_tone(const gs_mixer *mixer)
{
    return gs_decoder_tone(gs_bus_decoder(mixer, mixer->tones));
}

/* Of a decoder that has noise. */
static gs_noise_state *gs_bus_noise(const gs_decoder *decoder)
{
    return (gs_noise_state *)gs_decoder_memory(decoder, decoder->noise_at);
}

static GS_NOINLINE gs_complex *gs_bus_block(const gs_decoder *decoder)
{
    return gs_noise_block(gs_bus_noise(decoder), &decoder->info);
}

/* Samples since a frame of noise began. */
static GS_NOINLINE uint32_t gs_bus_in_frame(const gs_mixer *mixer)
{
    return mixer->time & (gs_noise_frame_samples(&gs_bus_decoder(mixer, mixer->noise)->info) - 1);
}

/* Gives what a voice's decoder holds for all, the noise or the sums of tones, to another one's. Returns its place. */
static GS_NOINLINE uint32_t gs_bus_hand_over(const gs_mixer *mixer, const gs_voice *voice, int noise)
{
    const gs_decoder *decoder = gs_voice_decoder(voice);
    const gs_voice *other = gs_bus_other(mixer, voice, noise);
    uint32_t bytes = offsetof(gs_tone_state, held);
    const uint32_t *from = (const uint32_t *)(const void *)gs_decoder_tone(decoder);
    uint32_t *to;

    if (!other)
        return 0;
    to = (uint32_t *)(void *)gs_decoder_tone(gs_voice_decoder(other));
    if (noise) {
        bytes = 3u << gs_noise_frame_log2(&decoder->info);
        from = (const uint32_t *)(const void *)gs_bus_block(decoder);
        to = (uint32_t *)(void *)gs_bus_block(gs_voice_decoder(other));
    }
    for (; bytes > 0; bytes -= 4)
        *to++ = *from++;
    return gs_mixer_place(mixer, other);
}

static void gs_bus_leave(gs_mixer *mixer, gs_voice *voice)
{
    uint32_t place = gs_mixer_place(mixer, voice);

    if (mixer->tones == place)
        mixer->tones = gs_bus_hand_over(mixer, voice, 0);
    if (mixer->noise == place)
        mixer->noise = gs_bus_hand_over(mixer, voice, 1);
    voice->state &= (uint8_t)~(GS_VOICE_JOINED | GS_VOICE_SHARES);
}

/* ---- noise ---- */

/* Adds the power of a level to another one's. */
static int32_t gs_bus_sum_of_levels(int32_t level, int32_t other)
{
    int32_t below = level - other;

    if (below < 0) {
        level = other;
        below = -below;
    }
    return below < 64 * GS_RESIDUAL_SUMS ? level + gs_residual_sum[below >> 6] : level;
}

/* Below all, and so far that it adds nothing to them. */
#define GS_BUS_NO_LEVEL (-(1 << 16))

/* Makes a frame of noise of all voices, whose centre is so many samples on, and the block before it. Levels add up as
 * powers, in the smallest step that any noise has. */
static GS_NOINLINE void gs_bus_make_frame(gs_mixer *mixer, uint32_t ahead)
{
    const gs_decoder *host = gs_bus_decoder(mixer, mixer->noise);
    gs_complex *z = gs_bus_block(host);
    uint32_t log2 = gs_noise_frame_log2(&host->info);
    int32_t exponent;
    int32_t old = mixer->exponent;
    int32_t highest = 0;
    int32_t sum[GS_BARK_BANDS];
    gs_mdct_scaling scaling;
    uint32_t bands = gs_bus_noise(host)->bands;
    gs_voice *voice;
    uint32_t k;

    for (k = 0; k < bands; k++)
        sum[k] = GS_BUS_NO_LEVEL;
    GS_FOR_EACH_JOINED(mixer, voice)
    {
        gs_decoder *decoder = gs_voice_decoder(voice);
        uint32_t gain = gs_voice_gain_after(voice, ahead);
        int32_t level[GS_BARK_BANDS];
        int32_t raised;
        if (!decoder->noise_at || gain == 0 || decoder->position + ahead > decoder->info.samples)
            continue;
        if (gs_noise_make_levels(gs_bus_noise(decoder), &decoder->info,
                                 (decoder->position + ahead) >> log2 << GS_NOISE_TIME_LOG2, level) < 256)
            continue;
        raised = (15 - decoder->info.noise_shift) * 256 + gs_log2(gain) - 13 * 256;
        for (k = 0; k < bands; k++) {
            sum[k] = gs_bus_sum_of_levels(sum[k], level[k] + raised);
            if (highest < sum[k])
                highest = sum[k];
        }
    }
    exponent = highest >> 8;
    scaling.is_silent = exponent == 0;
    if (scaling.is_silent) {
        gs_noise_clear(z, (uint32_t)1 << (log2 - 1));
    } else {
        int32_t lowered = exponent > 13 ? exponent - 13 : 0;
        for (k = 0; k < bands; k++)
            sum[k] = sum[k] < lowered * 256 ? 0 : sum[k] - lowered * 256;
        gs_noise_make_spectrum(gs_bus_noise(host), &host->info, (mixer->time + ahead) >> log2, sum,
                               gs_noise_raised_by(&host->info, exponent - lowered), z);
    }
    mixer->exponent = (uint8_t)exponent;
    highest = exponent > old ? exponent : old;
    scaling.fresh = gs_least((uint32_t)(14 + highest - exponent), 31);
    scaling.old = gs_least((uint32_t)(highest - old), 31);
    scaling.samples = 24 + 15 - (int32_t)(log2 >> 1) - highest;
    gs_inverse_mdct(z, log2, &scaling);
}

/* ---- tones ---- */

/* Strengths in the mix are below this number. */
#define GS_BUS_STRENGTHS 64

/* By how much a voice's tones are stronger in the mix than in its stream. */
static int32_t gs_bus_raised(const gs_voice *voice)
{
    uint32_t gain = voice->gain[0] >> 16;
    int32_t level;

    if (gain < voice->level)
        gain = voice->level; /* that of a fade's end which is louder */
    level = gain ? gs_log2(gain) >> 6 : -4 * GS_BUS_STRENGTHS;
    return level - 52 - 4 * gs_voice_decoder(voice)->info.output_shift;
}

/* An amplitude at a gain, in units of the headroom. */
static uint32_t gs_bus_amplitude(uint32_t amplitude, uint32_t gain, uint32_t shift)
{
    return gs_least((amplitude * gain + (((uint32_t)1 << shift) >> 1)) >> shift, 32767);
}

/* Adds a part of a tone whose amplitude goes from its own to another one in the course of the block. Where speed does
 * not matter, for fades are short. */
static GS_NOINLINE void gs_bus_add_fading(const gs_held_tone *held, const gs_tone_part *part, uint32_t from,
                                          uint32_t to, uint32_t *sum)
{
    uint32_t log2 = 6u - held->octave;
    uint32_t amplitude = (from << log2) + (to - from) * part->skipped; /* in 1 << log2 */
    uint32_t age = part->age;
    uint32_t end = age + part->samples;

    for (sum += part->skipped; age < end; age++) {
        const int16_t *at = gs_envelope + (age >> held->scale);
        int32_t rest = (int32_t)(age & ((1u << held->scale) - 1));
        int32_t envelope = at[0] + ((at[1] - at[0]) * rest >> held->scale);
        uint32_t phase = (held->phase + held->increment * age) & 0xFFFFu;
        *sum++ += (uint32_t)((envelope * (int32_t)(amplitude >> log2) >> 15) * gs_cosine_at(GS_ANGLE_0 + (phase >> 6)));
        amplitude += to - from;
    }
}

/* Where the sums of each octave begin. */
static const uint8_t gs_bus_sums[GS_OCTAVES] = {
    offsetof(gs_tone_state, octave_0) / sizeof(uint32_t),
    offsetof(gs_tone_state, octave_1) / sizeof(uint32_t) + GS_OCTAVE_HISTORY,
    offsetof(gs_tone_state, octave_2) / sizeof(uint32_t) + GS_OCTAVE_HISTORY,
    offsetof(gs_tone_state, octave_3) / sizeof(uint32_t) + GS_OCTAVE_HISTORY,
};

/* Adds the tones of a voice, those that are strong enough, to the sums of their octaves, at a gain that goes to that of
 * the block's end. */
static GS_NOINLINE void gs_bus_add_voice(const gs_mixer *mixer, gs_voice *voice)
{
    gs_decoder *decoder = gs_voice_decoder(voice);
    gs_held_tone *held = gs_tone_held(gs_decoder_tone(decoder));
    const gs_held_tone *end = held + gs_decoder_tone(decoder)->held;
    uint32_t shift = mixer->headroom + 13u + decoder->info.output_shift;
    uint32_t from = voice->gain[1] >> 16;
    uint32_t to = gs_voice_gain_after(voice, GS_BLOCK_SAMPLES);
    int32_t least = mixer->least ? mixer->least - gs_bus_raised(voice) : 0;
    gs_tone_octave octaves[GS_OCTAVES];
    int is_changed;
    uint32_t octave;

    if (decoder->position + GS_BLOCK_SAMPLES > decoder->info.samples)
        to = 0;
    is_changed = least > 0 || from != to;
    for (octave = 0; octave < GS_OCTAVES; octave++) {
        octaves[octave].begin = (uint32_t *)(void *)gs_bus_tone(mixer) + gs_bus_sums[octave];
        octaves[octave].time = gs_tone_time_at(octave, decoder->next_block);
    }
    for (; held < end; held++) {
        uint32_t samples = GS_BLOCK_SAMPLES >> held->octave;
        uint32_t age = octaves[held->octave].time - held->onset;
        uint32_t *sum = octaves[held->octave].begin;
        uint16_t amplitude = held->amplitude;
        if (GS_IS_SMALL || is_changed || (int32_t)age < 0 || age + samples > gs_tone_support(held->scale)) {
            gs_tone_part part;
            if (age + samples - 1 >= gs_tone_support(held->scale) + samples - 1)
                continue;
            part = gs_tone_part_of(held, decoder->next_block);
            if (least > 0 && (int32_t)gs_tone_strength(held, part.age, part.samples) < least)
                continue;
            if (from != to) {
                gs_bus_add_fading(held, &part, gs_bus_amplitude(amplitude, from, shift),
                                  gs_bus_amplitude(amplitude, to, shift), sum);
                continue;
            }
            age = part.age;
            sum += part.skipped;
            samples = part.samples;
        }
        held->amplitude = (uint16_t)gs_bus_amplitude(amplitude, from, shift);
        gs_tone_add_part(held, age, sum, samples);
        held->amplitude = amplitude;
    }
    voice->last = from == 0 && to == 0;
    voice->gain[1] = to << 16;
    decoder->next_block += GS_BLOCK_SAMPLES;
}

/* ---- cost ---- */

/* What the tones of a voice cost in its next block that are as strong in the mix as `least` or stronger; adds that of
 * each strength to `costs`. */
static uint32_t gs_bus_cost(const gs_voice *voice, int32_t least, uint32_t *costs)
{
    const gs_decoder *decoder = gs_voice_decoder(voice);
    const gs_held_tone *held = gs_tone_held(gs_decoder_tone(decoder));
    const gs_held_tone *end = held + gs_decoder_tone(decoder)->held;
    int32_t raised = gs_bus_raised(voice);
    uint32_t cost = 0;

    for (; held < end; held++) {
        gs_tone_part part = gs_tone_part_of(held, decoder->next_block);
        uint32_t own = gs_tone_cost(held, &part);
        int32_t strength;
        if (own == 0)
            continue;
        strength = (int32_t)gs_tone_strength(held, part.age, part.samples) + raised;
        if (strength < 0)
            strength = 0;
        costs[strength] += own;
        if (strength >= least)
            cost += own;
    }
    return cost;
}

static void gs_bus_spread_budget(gs_mixer *mixer)
{
    uint32_t costs[GS_BUS_STRENGTHS];
    uint32_t left = mixer->budget * GS_BLOCK_SAMPLES;
    int32_t least = GS_BUS_STRENGTHS;
    gs_voice *voice;

    if (mixer->budget == GS_UNLIMITED)
        return;
    gs_clear(costs, sizeof costs);
    GS_FOR_EACH_VOICE (mixer, voice) {
        if (voice->state & GS_VOICE_PLAYS)
            (void)gs_bus_cost(voice, 0, costs);
    }
    while (least > 0 && costs[least - 1] <= left)
        left -= costs[--least];
    mixer->least = (uint8_t)least;
    GS_FOR_EACH_VOICE (mixer, voice) {
        if (voice->state & GS_VOICE_PLAYS)
            gs_voice_decoder(voice)->budget = (uint16_t)gs_least(
                (gs_bus_cost(voice, least, costs) + GS_BLOCK_SAMPLES - 1) / GS_BLOCK_SAMPLES, GS_LARGEST_BUDGET);
    }
}

int gs_mixer_set_budget(gs_mixer *mixer, uint32_t macs)
{
    gs_voice *voice;

    if (!mixer)
        return GS_ERR_ARGUMENT;
    mixer->budget = (uint16_t)(macs > GS_LARGEST_BUDGET ? GS_UNLIMITED : macs);
    mixer->least = 0;
    mixer->spread_budget = gs_bus_spread_budget;
    GS_FOR_EACH_VOICE (mixer, voice) {
        if (voice->state & GS_VOICE_PLAYS)
            gs_voice_decoder(voice)->budget = mixer->budget;
    }
    return GS_OK;
}

/* ---- blocks ---- */

/* Begins a voice that waited for it: renders what comes before its first sample, for the filters, and adds that to what
 * the others left for them. */
static GS_NOINLINE void gs_bus_join(gs_mixer *mixer, gs_voice *voice)
{
    gs_decoder *decoder = gs_voice_decoder(voice);
    const uint32_t *from = gs_decoder_tone(decoder)->octave_3;
    int32_t gain = (int32_t)(voice->gain[0] >> 16);
    uint32_t shift = 7 + mixer->headroom;
    uint32_t *to;
    uint32_t i;

    while (decoder->next_block < GS_TIME_ZERO) {
        int error = gs_decode_for_next_block(decoder);
        if (error) {
            voice->error = (int8_t)error;
            gs_voice_go_on(mixer, voice);
            return;
        }
        gs_tone_render(gs_decoder_tone(decoder), decoder->next_block, decoder->info.output_shift, mixer->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    voice->state |= GS_VOICE_JOINED;
    if (!mixer->tones)
        mixer->tones = gs_mixer_place(mixer, voice);
    to = gs_bus_tone(mixer)->octave_3;
    for (i = 0; i < offsetof(gs_tone_state, octave_0) / sizeof *to; i++) {
        int32_t scaled = ((int32_t)from[i] >> 6) * gain + ((int32_t)(from[i] & 63u) * gain >> 6);
        to[i] = (to == from ? 0 : to[i]) + (uint32_t)(scaled >> shift);
    }
    if (decoder->noise_at && !mixer->noise) {
        mixer->noise = gs_mixer_place(mixer, voice);
        mixer->time = 0;
        mixer->exponent = 0;
        gs_noise_forget_older(gs_bus_noise(decoder), &decoder->info);
        gs_bus_make_frame(mixer, 0);
    }
}

/* Waits for a frame's start if there is noise on both sides. Frames of another length than the others' are not shared. */
static void gs_bus_try_to_join(gs_mixer *mixer, gs_voice *voice)
{
    if (mixer->noise && gs_voice_has_noise(voice)) {
        if (gs_noise_frame_log2(&gs_bus_decoder(mixer, mixer->noise)->info) !=
            gs_noise_frame_log2(&gs_voice_decoder(voice)->info)) {
            voice->state &= (uint8_t)~GS_VOICE_SHARES;
            return;
        }
        if (gs_bus_in_frame(mixer))
            return;
    }
    gs_bus_join(mixer, voice);
}

/* Whether a voice has faded and left nothing in what is shared that would be heard to end. */
static int gs_bus_is_done_with(const gs_mixer *mixer, const gs_voice *voice)
{
    if (!(voice->state & GS_VOICE_STOPS) || voice->fading || !voice->last)
        return 0;
    return mixer->noise != gs_mixer_place(mixer, voice) || gs_bus_other(mixer, voice, 1) ||
           (mixer->exponent == 0 && gs_bus_in_frame(mixer) == 0);
}

static void gs_bus_begin_block(gs_mixer *mixer)
{
    gs_voice *voice;

    GS_FOR_EACH_VOICE (mixer, voice) {
        if (voice->state & GS_VOICE_JOINED && gs_bus_is_done_with(mixer, voice))
            gs_voice_go_on(mixer, voice);
        if ((voice->state & (GS_VOICE_SHARES | GS_VOICE_JOINED)) == GS_VOICE_SHARES)
            gs_bus_try_to_join(mixer, voice);
        if (!(voice->state & GS_VOICE_JOINED) || voice->error)
            continue;
        voice->error = (int8_t)gs_decode_for_next_block(gs_voice_decoder(voice));
        if (voice->error) {
            voice->state |= GS_VOICE_STOPS;
            voice->level = 0;
            voice->fading = 0;
        }
    }
    if (mixer->spread_budget)
        mixer->spread_budget(mixer);
    if (!mixer->tones)
        return;
    gs_tone_start_block(gs_bus_tone(mixer), (uint32_t)1 << (GS_BUS_SHIFT - 1));
    GS_FOR_EACH_JOINED(mixer, voice)
    gs_bus_add_voice(mixer, voice);
    gs_tone_end_block(gs_bus_tone(mixer), GS_BUS_SHIFT);
}

static uint32_t gs_bus_read(gs_mixer *mixer, uint32_t samples, uint32_t *sums)
{
    uint32_t at = mixer->time % GS_BLOCK_SAMPLES;
    uint32_t headroom = mixer->headroom;
    const int16_t *noise = NULL;
    const uint32_t *quarters;
    gs_voice *voice;
    uint32_t i;

    GS_FOR_EACH_JOINED(mixer, voice)
    {
        const gs_decoder *decoder = gs_voice_decoder(voice);
        samples = gs_least(samples, decoder->info.samples - decoder->position);
    }
    if (mixer->noise) {
        const gs_decoder *host = gs_bus_decoder(mixer, mixer->noise);
        uint32_t frame = gs_noise_frame_samples(&host->info);
        uint32_t in_frame = gs_bus_in_frame(mixer);
        if (in_frame == 0)
            gs_bus_make_frame(mixer, frame);
        samples = gs_least(samples, frame - in_frame);
        noise = (const int16_t *)(const void *)gs_bus_block(host) + in_frame;
    }
    quarters = gs_bus_tone(mixer)->octave_0 + at;
    for (i = samples; i > 0; i--) {
        uint32_t sum = *quarters++ << headroom;
        if (noise)
            sum += 4u * (uint32_t)*noise++;
        *sums++ = sum;
    }
    return samples;
}

static uint32_t gs_bus_share(gs_mixer *mixer, gs_shared asked, gs_voice *voice, uint32_t samples, uint32_t *sums)
{
    if (asked == GS_SHARED_READ)
        return gs_bus_read(mixer, samples, sums);
    if (asked == GS_SHARED_LEAVE)
        gs_bus_leave(mixer, voice);
    else
        gs_bus_begin_block(mixer);
    return 0;
}

int gs_mixer_share(gs_mixer *mixer)
{
    if (!mixer || mixer->channels != 1)
        return GS_ERR_ARGUMENT;
    mixer->share = gs_bus_share;
    return GS_OK;
}

GS_CODE_ENDS
