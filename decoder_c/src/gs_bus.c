/* What the voices of a mixer share: one set of sums and filters for the tones of all, and one transform for their noise.
 * Both lie in the memory of voices that would have used it for themselves. */
#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_logarithm.h"
#include "gs_mixer.h"
#include "gs_tone_run.h"

GS_CODE_BEGINS

#define GS_BUS_SHIFT 12u /* from sums to quarters of steps */

/* How many times amplitudes are halved, so that sums and filters have room for twice full scale of each voice. */
static GS_NOINLINE uint32_t gs_bus_headroom(const gs_mixer *mixer)
{
    uint32_t halvings = 0;

    while ((2u << halvings) < mixer->voices)
        halvings++;
    return halvings;
}

/* A voice's gain, in Q13, so many samples on. */
static uint32_t gs_voice_gain_after(const gs_voice *voice, uint32_t samples)
{
    if (samples >= voice->fading)
        return voice->level;
    return (voice->gain[0] + samples * (uint32_t)voice->change[0]) >> 16;
}

static int gs_voice_has_noise(const gs_mixer *mixer, const gs_voice *voice)
{
    return gs_mixer_decoder(mixer, voice->index)->noise_at != 0;
}

/* Another voice than this one that has joined, and has noise if that is asked for; NULL if there is none. */
static gs_voice *gs_bus_other(const gs_mixer *mixer, const gs_voice *than, int with_noise)
{
    uint32_t i;

    for (i = 0; i < mixer->voices; i++) {
        gs_voice *voice = gs_mixer_voice(mixer, i);
        if (voice != than && voice->state & GS_VOICE_JOINED && (!with_noise || gs_voice_has_noise(mixer, voice)))
            return voice;
    }
    return NULL;
}

/* ---- memory ---- */

static void gs_bus_copy(const void *from, void *to, uint32_t bytes)
{
    const uint32_t *word = (const uint32_t *)from;
    uint32_t *copy = (uint32_t *)to;

    for (bytes >>= 2; bytes > 0; bytes--)
        *copy++ = *word++;
}

static gs_tone_state *gs_bus_tone(const gs_mixer *mixer)
{
    return gs_decoder_tone(gs_mixer_decoder(mixer, mixer->tones));
}

static gs_complex *gs_bus_block(const gs_mixer *mixer, uint32_t index)
{
    gs_decoder *decoder = gs_mixer_decoder(mixer, index);

    return gs_noise_block(gs_decoder_noise(decoder), &decoder->info);
}

static uint32_t gs_bus_frame_log2(const gs_mixer *mixer)
{
    return gs_noise_frame_log2(&gs_mixer_decoder(mixer, mixer->noise)->info);
}

void gs_bus_leave(gs_mixer *mixer, gs_voice *voice)
{
    if (mixer->tones == voice->index) {
        const gs_voice *other = gs_bus_other(mixer, voice, 0);
        mixer->tones = GS_NO_VOICE;
        if (other) {
            const gs_tone_state *from = gs_decoder_tone(gs_mixer_decoder(mixer, voice->index));
            mixer->tones = other->index;
            gs_bus_copy(from, gs_bus_tone(mixer), offsetof(gs_tone_state, held));
        }
    }
    if (mixer->noise == voice->index) {
        const gs_voice *other = gs_bus_other(mixer, voice, 1);
        mixer->noise = GS_NO_VOICE;
        if (other) {
            mixer->noise = other->index;
            gs_bus_copy(gs_bus_block(mixer, voice->index), gs_bus_block(mixer, other->index),
                        3u << gs_bus_frame_log2(mixer));
        }
    }
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

/* Makes a frame of noise of all voices, whose centre is so many samples on, and the block before it. Levels add up as
 * powers, in the smallest step that any noise has. */
static GS_NOINLINE void gs_bus_make_frame(gs_mixer *mixer, uint32_t ahead)
{
    gs_decoder *host = gs_mixer_decoder(mixer, mixer->noise);
    gs_complex *z = gs_bus_block(mixer, mixer->noise);
    uint32_t log2 = gs_bus_frame_log2(mixer);
    int32_t exponent = GS_NO_NOISE;
    int32_t old = mixer->exponent;
    int32_t highest = 0;
    int32_t sum[GS_BARK_BANDS];
    gs_mdct_scaling scaling;
    uint32_t bands = gs_decoder_noise(host)->bands;
    uint32_t i;
    uint32_t k;

    for (i = 0; i < mixer->voices; i++) {
        const gs_voice *voice = gs_mixer_voice(mixer, i);
        gs_decoder *decoder = gs_mixer_decoder(mixer, i);
        uint32_t gain = gs_voice_gain_after(voice, ahead);
        int32_t level[GS_BARK_BANDS];
        int32_t raised;
        if (!(voice->state & GS_VOICE_JOINED) || !decoder->noise_at || gain == 0 ||
            decoder->position + ahead > decoder->info.samples)
            continue;
        if (gs_noise_make_levels(gs_decoder_noise(decoder), &decoder->info,
                                 (decoder->position + ahead) >> log2 << GS_NOISE_TIME_LOG2, level) < 256)
            continue;
        raised = (15 - decoder->info.noise_shift) * 256 + gs_log2(gain) - 13 * 256;
        for (k = 0; k < bands; k++) {
            int32_t here = level[k] + raised;
            sum[k] = exponent == GS_NO_NOISE ? here : gs_bus_sum_of_levels(sum[k], here);
            if (highest < sum[k])
                highest = sum[k];
        }
        exponent = 0;
    }
    exponent = highest < 256 ? GS_NO_NOISE : highest >> 8;
    scaling.is_silent = exponent < 0;
    if (scaling.is_silent) {
        gs_noise_clear(z, (uint32_t)1 << (log2 - 1));
    } else {
        int32_t lowered = exponent > 13 ? exponent - 13 : 0;
        for (k = 0; k < bands; k++)
            sum[k] = sum[k] < lowered * 256 ? 0 : sum[k] - lowered * 256;
        gs_noise_make_spectrum(gs_decoder_noise(host), &host->info, (mixer->time + ahead) >> log2, sum,
                               gs_noise_raised_by(&host->info, exponent - lowered), z);
    }
    mixer->exponent = (int8_t)exponent;
    highest = exponent > old ? exponent : old;
    scaling.fresh = gs_least((uint32_t)(14 + highest - exponent), 31);
    scaling.old = gs_least((uint32_t)(highest - old), 31);
    scaling.samples = 24 + 15 - (int32_t)(log2 >> 1) - highest;
    gs_inverse_mdct(z, log2, &scaling);
}

/* ---- tones ---- */

/* An amplitude at a gain, in units of the headroom. */
static uint32_t gs_bus_amplitude(uint32_t amplitude, uint32_t gain, uint32_t shift)
{
    return gs_least((amplitude * gain + (((uint32_t)1 << shift) >> 1)) >> shift, 32767);
}

/* Adds a part of a tone whose amplitude goes from one value to another in the course of the block. Where speed does not
 * matter, for fades are short. */
static GS_NOINLINE void gs_bus_add_fading(const gs_held_tone *held, gs_tone_part part, uint32_t from, uint32_t to,
                                          uint32_t *sum)
{
    uint32_t log2 = 6u - held->octave;
    uint32_t amplitude = (from << log2) + (to - from) * part.skipped; /* in 1 << log2 */
    uint32_t age = part.age;
    uint32_t end = age + part.samples;

    for (sum += part.skipped; age < end; age++, sum++) {
        const int16_t *at = gs_envelope + (age >> held->scale);
        int32_t rest = (int32_t)(age & ((1u << held->scale) - 1));
        int32_t envelope = at[0] + ((at[1] - at[0]) * rest >> held->scale);
        uint32_t phase = (held->phase + held->increment * age) & 0xFFFFu;
        *sum += (uint32_t)((envelope * (int32_t)(amplitude >> log2) >> 15) * gs_cosine[phase >> 6]);
        amplitude += to - from;
    }
}

/* Adds the tones of a voice, those that are as strong as `least` or stronger, to the sums of their octaves, at a gain
 * that goes from one value to another. */
static GS_NOINLINE void gs_bus_add_voice(gs_tone_state *sums, gs_decoder *decoder, uint32_t shift, uint32_t from,
                                         uint32_t to, int32_t least)
{
    struct {
        uint32_t *begin;
        uint32_t time;
    } octaves[GS_OCTAVES];
    gs_held_tone *held = gs_tone_held(gs_decoder_tone(decoder));
    const gs_held_tone *end = held + gs_decoder_tone(decoder)->held;
    int is_changed = least > 0 || from != to;
    uint32_t octave;

    octaves[0].begin = sums->octave_0;
    octaves[1].begin = sums->octave_1 + GS_OCTAVE_HISTORY;
    octaves[2].begin = sums->octave_2 + GS_OCTAVE_HISTORY;
    octaves[3].begin = sums->octave_3 + GS_OCTAVE_HISTORY;
    for (octave = 0; octave < GS_OCTAVES; octave++)
        octaves[octave].time = gs_tone_time_at(octave, decoder->next_block);
    shift += 13u + decoder->info.output_shift;
    for (; held < end; held++) {
        uint32_t samples = GS_BLOCK_SAMPLES >> held->octave;
        uint32_t age = octaves[held->octave].time - held->onset;
        uint32_t support = gs_tone_support(held->scale);
        uint32_t *sum = octaves[held->octave].begin;
        uint16_t amplitude = held->amplitude;
        if ((int32_t)age < 0 || age + samples > support || is_changed) {
            gs_tone_part part;
            if (age + samples - 1 >= support + samples - 1)
                continue;
            part = gs_tone_part_of(held, decoder->next_block);
            if (least > 0 && (int32_t)gs_tone_strength(held, &part) < least)
                continue;
            if (from != to) {
                gs_bus_add_fading(held, part, gs_bus_amplitude(amplitude, from, shift),
                                  gs_bus_amplitude(amplitude, to, shift), sum);
                continue;
            }
            age = part.age;
            sum += part.skipped;
            samples = part.samples;
        }
        held->amplitude = (uint16_t)gs_bus_amplitude(amplitude, from, shift);
        if (age >> held->scale == (age + samples - 1) >> held->scale)
            GS_TONE_RENDER_PIECE(held, age, sum, samples);
        else
            gs_tone_render_pieces(held, age, sum, samples);
        held->amplitude = amplitude;
    }
}

/* ---- cost ---- */

/* Strengths in the mix are below this number. */
#define GS_BUS_STRENGTHS 64

/* By how much a voice's tones are stronger in the mix than in its stream. */
static int32_t gs_bus_raised(const gs_mixer *mixer, const gs_voice *voice)
{
    uint32_t gain = voice->gain[0] >> 16;
    int32_t level;

    if (gain < voice->level)
        gain = voice->level; /* that of a fade's end which is louder */
    level = gain ? gs_log2(gain) >> 6 : -4 * GS_BUS_STRENGTHS;
    return level - 52 - 4 * gs_mixer_decoder(mixer, voice->index)->info.output_shift;
}

/* What the tones of a voice cost in its next block that are as strong in the mix as `least` or stronger; adds that of
 * each strength to `costs`, if it is not NULL. */
static uint32_t gs_bus_cost(const gs_mixer *mixer, const gs_voice *voice, int32_t least, uint32_t *costs)
{
    const gs_decoder *decoder = gs_mixer_decoder(mixer, voice->index);
    const gs_held_tone *held = gs_tone_held(gs_decoder_tone(decoder));
    const gs_held_tone *end = held + gs_decoder_tone(decoder)->held;
    int32_t raised = gs_bus_raised(mixer, voice);
    uint32_t cost = 0;

    for (; held < end; held++) {
        gs_tone_part part = gs_tone_part_of(held, decoder->next_block);
        uint32_t last = part.age + part.samples - 1;
        uint32_t own = part.samples + 4 * ((last >> held->scale) - (part.age >> held->scale) + 1);
        int32_t strength;
        if (part.samples == 0)
            continue;
        strength = (int32_t)gs_tone_strength(held, &part) + raised;
        if (strength < 0)
            strength = 0;
        if (costs)
            costs[strength] += own;
        if (strength >= least)
            cost += own;
    }
    return cost;
}

static GS_NOINLINE void gs_bus_share_budget(gs_mixer *mixer)
{
    uint32_t costs[GS_BUS_STRENGTHS];
    uint32_t left = mixer->budget * GS_BLOCK_SAMPLES;
    int32_t least = GS_BUS_STRENGTHS;
    uint32_t i;

    for (i = 0; i < GS_BUS_STRENGTHS; i++)
        costs[i] = 0;
    for (i = 0; i < mixer->voices; i++) {
        if (gs_mixer_voice(mixer, i)->state & GS_VOICE_PLAYS)
            (void)gs_bus_cost(mixer, gs_mixer_voice(mixer, i), 0, costs);
    }
    while (least > 0 && costs[least - 1] <= left)
        left -= costs[--least];
    mixer->least = (uint8_t)least;
    for (i = 0; i < mixer->voices; i++) {
        const gs_voice *voice = gs_mixer_voice(mixer, i);
        if (voice->state & GS_VOICE_PLAYS)
            gs_mixer_decoder(mixer, i)->budget = (uint16_t)gs_least(
                (gs_bus_cost(mixer, voice, least, NULL) + GS_BLOCK_SAMPLES - 1) / GS_BLOCK_SAMPLES, GS_LARGEST_BUDGET);
    }
}

/* ---- blocks ---- */

/* Begins a voice that waited for it: renders what comes before its first sample, for the filters, and adds that to what
 * the others left for them. */
static GS_NOINLINE void gs_bus_join(gs_mixer *mixer, gs_voice *voice)
{
    gs_decoder *decoder = gs_mixer_decoder(mixer, voice->index);
    const uint32_t *from = gs_decoder_tone(decoder)->octave_3;
    int32_t gain = (int32_t)(voice->gain[0] >> 16);
    uint32_t *to;
    uint32_t i;
    int is_first;

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
    is_first = mixer->tones == GS_NO_VOICE;
    if (is_first)
        mixer->tones = voice->index;
    to = gs_bus_tone(mixer)->octave_3;
    for (i = 0; i < offsetof(gs_tone_state, octave_0) / sizeof *to; i++) {
        int32_t scaled = ((int32_t)from[i] >> 6) * gain + ((int32_t)(from[i] & 63u) * gain >> 6);
        to[i] = (is_first ? 0 : to[i]) + (uint32_t)(scaled >> (7 + gs_bus_headroom(mixer)));
    }
    if (decoder->noise_at && mixer->noise == GS_NO_VOICE) {
        mixer->noise = voice->index;
        mixer->time = 0;
        mixer->exponent = GS_NO_NOISE;
        gs_noise_forget_older(gs_decoder_noise(decoder), &decoder->info);
        gs_bus_make_frame(mixer, 0);
    }
}

/* Waits for a frame's start if there is noise on both sides. Frames of another length than the others' are not shared. */
static void gs_bus_try_to_join(gs_mixer *mixer, gs_voice *voice)
{
    if (mixer->noise != GS_NO_VOICE && gs_voice_has_noise(mixer, voice)) {
        uint32_t log2 = gs_bus_frame_log2(mixer);
        if (log2 != gs_noise_frame_log2(&gs_mixer_decoder(mixer, voice->index)->info)) {
            voice->state &= (uint8_t)~GS_VOICE_SHARES;
            return;
        }
        if (mixer->time & ((1u << log2) - 1))
            return;
    }
    gs_bus_join(mixer, voice);
}

/* Whether a voice has faded and left nothing in what is shared that would be heard to end. */
static int gs_bus_is_done_with(const gs_mixer *mixer, const gs_voice *voice)
{
    if (!(voice->state & GS_VOICE_STOPS) || voice->fading || !voice->last)
        return 0;
    return mixer->noise != voice->index || gs_bus_other(mixer, voice, 1) ||
           (mixer->exponent == GS_NO_NOISE && (mixer->time & ((1u << gs_bus_frame_log2(mixer)) - 1)) == 0);
}

void gs_bus_begin_block(gs_mixer *mixer)
{
    uint32_t headroom = gs_bus_headroom(mixer);
    uint32_t half = (uint32_t)1 << (GS_BUS_SHIFT - 1);
    gs_tone_state *sums;
    uint32_t i;

    for (i = 0; i < mixer->voices; i++) {
        gs_voice *voice = gs_mixer_voice(mixer, i);
        if (voice->state & GS_VOICE_JOINED && gs_bus_is_done_with(mixer, voice))
            gs_voice_go_on(mixer, voice);
        if ((voice->state & (GS_VOICE_SHARES | GS_VOICE_JOINED)) == GS_VOICE_SHARES)
            gs_bus_try_to_join(mixer, voice);
    }
    if (mixer->tones == GS_NO_VOICE) {
        if (mixer->budget != GS_UNLIMITED)
            gs_bus_share_budget(mixer);
        return;
    }
    for (i = 0; i < mixer->voices; i++) {
        gs_voice *voice = gs_mixer_voice(mixer, i);
        if (!(voice->state & GS_VOICE_JOINED) || voice->error)
            continue;
        voice->error = (int8_t)gs_decode_for_next_block(gs_mixer_decoder(mixer, i));
        if (voice->error) {
            voice->state |= GS_VOICE_STOPS;
            voice->level = 0;
            voice->fading = 0;
        }
    }
    if (mixer->budget != GS_UNLIMITED)
        gs_bus_share_budget(mixer);
    sums = gs_bus_tone(mixer);
    gs_tone_keep_history(sums->octave_3, GS_BLOCK_SAMPLES / 8u, half);
    gs_tone_keep_history(sums->octave_2, GS_BLOCK_SAMPLES / 4u, half);
    gs_tone_keep_history(sums->octave_1, GS_BLOCK_SAMPLES / 2u, half);
    for (i = 0; i < GS_BLOCK_SAMPLES; i++)
        sums->octave_0[i] = half;
    for (i = 0; i < mixer->voices; i++) {
        gs_voice *voice = gs_mixer_voice(mixer, i);
        gs_decoder *decoder = gs_mixer_decoder(mixer, i);
        uint32_t to;
        if (!(voice->state & GS_VOICE_JOINED))
            continue;
        to = gs_voice_gain_after(voice, GS_BLOCK_SAMPLES);
        if (decoder->position + GS_BLOCK_SAMPLES > decoder->info.samples)
            to = 0;
        gs_bus_add_voice(sums, decoder, headroom, voice->gain[1] >> 16, to,
                         mixer->least ? mixer->least - gs_bus_raised(mixer, voice) : 0);
        voice->last = voice->gain[1] == 0 && to == 0;
        voice->gain[1] = to << 16;
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    for (i = GS_OCTAVE_HISTORY; i < GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 8u; i++)
        sums->octave_3[i] = (uint32_t)((int32_t)sums->octave_3[i] >> GS_BUS_SHIFT);
    gs_tone_upsample(sums->octave_3, sums->octave_2 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 4u, GS_BUS_SHIFT);
    gs_tone_upsample(sums->octave_2, sums->octave_1 + GS_OCTAVE_HISTORY, GS_BLOCK_SAMPLES / 2u, GS_BUS_SHIFT);
    gs_tone_upsample(sums->octave_1, sums->octave_0, GS_BLOCK_SAMPLES, GS_BUS_SHIFT);
}

uint32_t gs_bus_read(gs_mixer *mixer, uint32_t samples, gs_bus_samples *given)
{
    uint32_t at = mixer->time % GS_BLOCK_SAMPLES;
    uint32_t i;

    given->quarters = NULL;
    given->headroom = gs_bus_headroom(mixer);
    given->noise = NULL;
    samples = gs_least(samples, GS_BLOCK_SAMPLES - at);
    if (mixer->tones == GS_NO_VOICE)
        return samples;
    for (i = 0; i < mixer->voices; i++) {
        const gs_decoder *decoder = gs_mixer_decoder(mixer, i);
        if (gs_mixer_voice(mixer, i)->state & GS_VOICE_JOINED)
            samples = gs_least(samples, decoder->info.samples - decoder->position);
    }
    if (mixer->noise != GS_NO_VOICE) {
        uint32_t frame = (uint32_t)1 << gs_bus_frame_log2(mixer);
        uint32_t in_frame = mixer->time & (frame - 1);
        if (in_frame == 0)
            gs_bus_make_frame(mixer, frame);
        samples = gs_least(samples, frame - in_frame);
        given->noise = (const int16_t *)(const void *)gs_bus_block(mixer, mixer->noise) + in_frame;
    }
    given->quarters = gs_bus_tone(mixer)->octave_0 + at;
    return samples;
}

GS_CODE_ENDS
