#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_stereo.h"

#include "gs_pcm.h"
#include "gs_tone_run.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_stereo,
                 sizeof(gs_stereo) == GS_STEREO_BYTES(0u, 0u, 0u, 0u) &&
                     sizeof(gs_stereo) + sizeof(gs_tone_state) == GS_STEREO_BYTES(1u, 0u, 0u, 0u) &&
                     sizeof(gs_side) == 4 && sizeof(gs_noise_part) == 2);

/* ---- dequantise ---- */

static void gs_stereo_dequantise(const gs_tone *tone, const gs_info *info, gs_side *side)
{
    uint32_t step = gs_tone_step(tone->scale, info->amplitude_step);
    uint32_t phase = (uint32_t)tone->side_phase;

    side->amplitude = 0;
    side->turned = 0;
    if (tone->side_amplitude == 0)
        return;
    step = (step * gs_gain[GS_GAIN_STEPS / 4u * (info->side_step & 3u)] >> 13) << (info->side_step >> 2);
    step = step * (8u * tone->side_amplitude + 3u) >> (5 + (tone->scale >> 1));
    phase <<= 16u - gs_tone_phase_bits(tone->side_amplitude);
    side->amplitude = (uint16_t)gs_least(step, 32767);
    side->turned = (uint16_t)(phase - ((uint32_t)tone->phase << (16u - tone->phase_bits)));
}

/* What was decoded last, and is held if it ends behind time `needed`. */
static void gs_stereo_hold(gs_decoder *decoder, uint32_t needed, const gs_gaussian *gaussian)
{
    const gs_info *info = &decoder->info;
    gs_stereo *stereo = gs_decoder_stereo(decoder);

    if (!info->decoder_class.panned)
        return;
    if (gaussian->kind == GS_TONE) {
        const gs_tone *tone = &gaussian->as.tone;
        if (tone->onset + gs_tone_support(tone->scale) > needed)
            gs_stereo_dequantise(tone, info, gs_stereo_sides(stereo) + gs_decoder_tone(decoder)->held - 1);
    } else {
        const gs_noise *noise = &gaussian->as.noise;
        uint32_t support = (uint32_t)GS_NOISE_SHORTEST_SUPPORT << (gs_noise_frame_log2(info) + noise->scale);
        gs_noise_part *part = gs_stereo_parts(stereo, info) + gs_decoder_noise(decoder)->held - 1;
        if (noise->onset + support > needed) {
            part->weight[0] = noise->side[0];
            part->weight[1] = noise->side[1];
        }
    }
}

static void gs_stereo_drop_noises(gs_noise_state *state, gs_noise_part *part, const gs_info *info, uint32_t time)
{
    uint32_t *held = gs_noise_held(state);
    uint32_t frame = gs_noise_frame_of(info, time);
    uint32_t i = 0;

    while (i < state->held) {
        if (gs_noise_age_of(held[i] + gs_noise_support_of(held[i]), frame) >> (GS_NOISE_FRAME_BITS - 1) == 0) {
            held[i] = held[--state->held];
            part[i] = part[state->held];
        } else {
            i++;
        }
    }
}

/* What has ended by a time, in the order in which tones and noises would be dropped by themselves. Tones that are played
 * otherwise than encoded have been. */
static void gs_stereo_drop(gs_decoder *decoder, uint32_t time)
{
    const gs_info *info = &decoder->info;
    gs_stereo *stereo = gs_decoder_stereo(decoder);
    gs_tone_state *tones = gs_decoder_tone(decoder);
    gs_held_tone *held = gs_tone_held(tones);
    gs_side *sides = gs_stereo_sides(stereo);
    uint32_t i = 0;

    if (!info->decoder_class.panned)
        return;
    while (!(decoder->mode & GS_IS_PITCHED) && i < tones->held) {
        if ((held[i].onset + gs_tone_support(held[i].scale)) << held[i].octave <= time) {
            held[i] = held[--tones->held];
            sides[i] = sides[tones->held];
        } else {
            i++;
        }
    }
    if (gs_decoder_noise(decoder))
        gs_stereo_drop_noises(gs_decoder_noise(decoder), gs_stereo_parts(stereo, info), info, time);
}

static void gs_stereo_exchange(const gs_decoder *decoder, uint32_t one, uint32_t other)
{
    gs_noise_part *parts = gs_stereo_parts(gs_decoder_stereo(decoder), &decoder->info);
    gs_noise_part part = parts[one];

    parts[one] = parts[other];
    parts[other] = part;
}

/* ---- render ---- */

/* The least strength of which all tones of a block fit the budget, with their sides. */
static uint32_t gs_stereo_least_strength(gs_tone_state *state, const gs_side *side, uint32_t time, uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t *costs = state->octave_0;
    uint32_t i;

    for (i = 0; i < GS_TONE_STRENGTHS; i++)
        costs[i] = 0;
    for (; held < end; held++, side++) {
        gs_tone_part part = gs_tone_part_of(held, time);
        uint32_t last = part.age + part.samples - 1;
        uint32_t cost = part.samples + 4 * ((last >> held->scale) - (part.age >> held->scale) + 1);
        if (part.samples > 0)
            costs[gs_tone_strength(held, &part)] += side->amplitude ? 2 * cost : cost;
    }
    return gs_tone_affordable(costs, budget);
}

static GS_INLINE void gs_stereo_add(const gs_held_tone *held, uint32_t age, uint32_t *sum, uint32_t samples)
{
    if (age >> held->scale == (age + samples - 1) >> held->scale)
        GS_TONE_RENDER_PIECE(held, age, sum, samples);
    else
        gs_tone_render_pieces(held, age, sum, samples);
}

void gs_stereo_render(gs_tone_state *state, const gs_sides *sides, uint32_t time, uint32_t output_shift,
                      uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    const gs_side *side = sides->of_tones;
    gs_tone_state *sums = sides->sums;
    uint32_t shift = 12u + output_shift;
    uint32_t least = 0;
    struct {
        uint32_t *begin;
        uint32_t time;
    } octaves[GS_OCTAVES];
    ptrdiff_t to_side = sums->octave_3 - state->octave_3;
    uint32_t octave;

    if (budget != GS_UNLIMITED)
        least = gs_stereo_least_strength(state, side, time, budget);
    gs_tone_start_block(state, (uint32_t)1 << (shift - 1));
    gs_tone_start_block(sums, (uint32_t)1 << (shift - 1));
    octaves[0].begin = state->octave_0;
    octaves[1].begin = state->octave_1 + GS_OCTAVE_HISTORY;
    octaves[2].begin = state->octave_2 + GS_OCTAVE_HISTORY;
    octaves[3].begin = state->octave_3 + GS_OCTAVE_HISTORY;
    for (octave = 0; octave < GS_OCTAVES; octave++)
        octaves[octave].time = gs_tone_time_at(octave, time);
    for (; held < end; held++, side++) {
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
        gs_stereo_add(held, age, sum, samples);
        if (side->amplitude) {
            gs_held_tone of_side = gs_tone_side(held, side);
            gs_stereo_add(&of_side, age, sum + to_side, samples);
        }
    }
    gs_tone_end_block(state, shift);
    gs_tone_end_block(sums, shift);
}

#define GS_PAN_ONE 2048                    /* the side has all of the middle's noise */
#define GS_SIDE_FRAMES ((uint32_t)1 << 20) /* signs of the side are those of frames so much later */

/* Limits the pans. Returns whether one is not 0. */
static int gs_stereo_limit_pans(int32_t *pan, uint32_t bands)
{
    int is_panned = 0;

    for (; bands > 0; bands--, pan++) {
        if (*pan < -GS_PAN_ONE)
            *pan = -GS_PAN_ONE;
        if (*pan > GS_PAN_ONE)
            *pan = GS_PAN_ONE;
        is_panned |= *pan;
    }
    return is_panned != 0;
}

/* Adds to the side's spectrum what it has of the middle's. */
static void gs_stereo_add_panned(const gs_noise_state *bands, const gs_info *info, const int32_t *pan, uint32_t down,
                                 gs_complex *mid, gs_complex *side)
{
    gs_noise_place from = gs_noise_place_of(info, 0, mid);
    gs_noise_place to = gs_noise_place_of(info, 0, side);
    int32_t largest = 32767 >> (gs_noise_frame_log2(info) & 1u);
    int32_t after = *pan;
    uint32_t number;

    for (number = 0; number <= bands->bands; number++) {
        uint32_t bins = to.left;
        int32_t line = after * 256;
        int32_t slope = 0;
        if (number < bands->bands) {
            bins = bands->bins[number];
            slope = (pan[number] - after) * (int32_t)bands->reciprocal[number] >> 8;
            after = pan[number];
        }
        for (; bins > 0; bins--, to.left--) {
            int is_second = to.left & 1u;
            const uint8_t *of_mid = is_second ? from.last - to.at : from.first + to.at;
            int16_t *of_side = (int16_t *)(void *)(is_second ? to.last - to.at : to.first + to.at);
            int32_t value = *of_side + ((line >> 8) * *(const int16_t *)(const void *)of_mid >> down);
            if (value > largest)
                value = largest;
            if (value < -largest)
                value = -largest;
            *of_side = (int16_t)value;
            line += slope;
            if (is_second)
                to.at = gs_next_reversed(to.at, to.step);
        }
    }
}

/* Adds to levels, without limits, what the noises have by their own weights if `part` is NULL, else by weight number
 * `number` of these. */
static GS_NOINLINE void gs_stereo_add_levels(gs_noise_state *state, const gs_noise_part *part, uint32_t number,
                                             uint32_t time, int32_t *level)
{
    const uint32_t *held = gs_noise_held(state);
    uint32_t i;

    for (i = 0; i < state->held; i++) {
        uint32_t begin = held[i] << (GS_NOISE_TIME_LOG2 + GS_NOISE_TIME_UNUSED);
        uint32_t age = ((time << GS_NOISE_TIME_UNUSED) - begin) >> GS_NOISE_TIME_UNUSED;
        uint32_t noise = held[i];
        if (part)
            noise = (noise & 0x01FFFFFFu) | (uint32_t)part[i].weight[number] << 25;
        if (noise >> 25 != 0 && age - 1 < (gs_noise_support_of(noise) << GS_NOISE_TIME_LOG2) - 1)
            gs_noise_add_levels(state, gs_envelope, noise, age, level);
    }
}

/* Makes the side's frame beside one of the middle, whose spectrum has this exponent, and the block before it. */
static void gs_stereo_make_frame(gs_decoder *decoder, int32_t exponent)
{
    const gs_info *info = &decoder->info;
    gs_stereo *stereo = gs_decoder_stereo(decoder);
    gs_noise_state *noise = gs_decoder_noise(decoder);
    gs_playback *playback = gs_decoder_playback(decoder);
    const gs_noise_part *parts = gs_stereo_parts(stereo, info);
    const gs_noise_state *bands = noise;
    gs_complex *z = gs_stereo_block(stereo, info);
    uint32_t time = noise->frame << GS_NOISE_TIME_LOG2;
    int32_t level[GS_BARK_BANDS];
    int32_t pan[GS_BARK_BANDS];
    int32_t own = 0;
    int32_t of_side;
    int is_panned;
    uint32_t i;

    if (playback)
        time = gs_playback_frame_time(playback, info, noise->frame);
    for (i = 0; i < noise->bands; i++) {
        level[i] = 128 * (info->noise_base + info->side_base);
        pan[i] = 0;
    }
    gs_stereo_add_levels(noise, NULL, 0, time, level);
    gs_stereo_add_levels(noise, parts, 0, time, level);
    gs_stereo_add_levels(noise, parts, 1, time, pan);
    for (i = 0; i < noise->bands; i++)
        level[i] = gs_noise_limited_level(level[i]);
    if (playback)
        bands = gs_playback_bands_of_side(playback, noise, level);
    for (i = 0; i < noise->bands; i++) {
        if (own < level[i])
            own = level[i];
    }
    own >>= 8;
    is_panned = exponent > 0 && gs_stereo_limit_pans(pan, bands->bands);
    of_side = own;
    if (is_panned)
        of_side = 1 + (own < exponent ? exponent : own);
    if (of_side > 14)
        of_side = 14;
    if (own > 0)
        gs_noise_make_spectrum(bands, info, noise->frame + GS_SIDE_FRAMES, level, gs_noise_raised_by(info, of_side), z);
    else
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    if (is_panned)
        gs_stereo_add_panned(bands, info, pan, (uint32_t)(11 + of_side - exponent), gs_noise_block(noise, info), z);
    if (playback)
        gs_playback_mute_side(playback, info, z);
    gs_noise_overlap(info, z, (int32_t)stereo->exponent, of_side);
    stereo->exponent = (uint32_t)of_side;
}

/* ---- pcm ---- */

/* So that the sum of two products fits 32 bits. */
static GS_INLINE int32_t gs_stereo_limited(int32_t step)
{
    return step > 65535 ? 65535 : step < -65535 ? -65535 : step;
}

static GS_INLINE int16_t gs_stereo_with_gain(int32_t step, uint32_t gain)
{
    if (step != ((int32_t)((uint32_t)step << 15) >> 15))
        step = step >> 31 ^ 65535;
    return gs_pcm_saturated((step * (int32_t)(gain >> 16) + 4096) >> 13);
}

/* gs_stereo_pcm without a gain, where there is a side, and noise in both. */
static void gs_stereo_pcm_as_encoded(const gs_stereo_sum *sum, uint32_t samples, int16_t *pcm)
{
    const uint32_t *quarters = sum->quarters;
    const uint32_t *side_quarters = sum->side_quarters;
    const int16_t *noise = sum->noise;
    const int16_t *side_noise = sum->side_noise;
    const int16_t *end = pcm + 2 * samples;
    int32_t left = sum->left;
    int32_t right = sum->right;

    do {
        int32_t mid = ((int32_t)(*quarters++ + 2u) >> 2) + *noise++;
        int32_t side = ((int32_t)(*side_quarters++ + 2u) >> 2) + *side_noise++;
        if ((uint32_t)(mid + 65535) > 131070 || (uint32_t)(side + 65535) > 131070) {
            mid = gs_stereo_limited(mid);
            side = gs_stereo_limited(side);
        }
        pcm[0] = gs_pcm_saturated((left * mid - right * side + 8192) >> 14);
        pcm[1] = gs_pcm_saturated((right * mid + left * side + 8192) >> 14);
        pcm += 2;
    } while (pcm < end);
}

static void gs_stereo_pcm(gs_stereo_sum *sum, uint32_t samples, uint32_t gain, uint32_t change, int16_t *pcm)
{
    int is_as_encoded = gain == (uint32_t)GS_GAIN_ONE << 16 && change == 0;

    for (; samples > 0; samples--, pcm += 2) {
        int32_t mid = (int32_t)(*sum->quarters++ + 2u) >> 2;
        int32_t left;
        int32_t right;
        if (sum->noise)
            mid += *sum->noise++;
        mid = gs_stereo_limited(mid);
        left = sum->left * mid + 8192;
        right = sum->right * mid + 8192;
        if (sum->side_quarters) {
            int32_t side = (int32_t)(*sum->side_quarters++ + 2u) >> 2;
            if (sum->side_noise)
                side += *sum->side_noise++;
            side = gs_stereo_limited(side);
            left -= sum->right * side;
            right += sum->left * side;
        }
        pcm[0] = is_as_encoded ? gs_pcm_saturated(left >> 14) : gs_stereo_with_gain(left >> 14, gain);
        pcm[1] = is_as_encoded ? gs_pcm_saturated(right >> 14) : gs_stereo_with_gain(right >> 14, gain);
        gain += change;
    }
}

/* From sample `at` of the block on. The noise of the middle is given. */
static void gs_stereo_find_sum(const gs_decoder *decoder, uint32_t at, gs_stereo_sum *sum)
{
    const gs_info *info = &decoder->info;
    gs_stereo *stereo = gs_decoder_stereo(decoder);

    sum->pcm = gs_stereo_pcm;
    sum->left = stereo->left;
    sum->right = stereo->right;
    sum->quarters = gs_decoder_tone(decoder)->octave_0 + at;
    sum->side_quarters = NULL;
    sum->side_noise = NULL;
    if (!info->decoder_class.panned)
        return;
    sum->side_quarters = gs_stereo_sums(stereo)->octave_0 + at;
    if (sum->noise)
        sum->side_noise = (const int16_t *)(const void *)gs_stereo_block(stereo, info) +
                          (decoder->position & (gs_noise_frame_samples(info) - 1));
}

/* ---- reading ---- */

static void gs_stereo_find_sides(gs_decoder *decoder, gs_sides *sides)
{
    gs_stereo *stereo = gs_decoder_stereo(decoder);

    sides->of_tones = gs_stereo_sides(stereo);
    sides->sums = gs_stereo_sums(stereo);
    sides->render = gs_stereo_render;
}

/* As gs_make_blocks. */
static int gs_stereo_make_blocks(gs_decoder *decoder)
{
    gs_tone_state *tones = gs_decoder_tone(decoder);
    uint32_t output_shift = decoder->info.output_shift;
    gs_sides sides;

    gs_stereo_find_sides(decoder, &sides);
    while (decoder->next_block <= decoder->position + GS_TIME_ZERO) {
        int error = gs_decode_for_next_block(decoder);
        if (error)
            return error;
        if (decoder->info.decoder_class.panned)
            gs_stereo_render(tones, &sides, decoder->next_block, output_shift, decoder->budget);
        else
            gs_tone_render(tones, decoder->next_block, output_shift, decoder->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    return GS_OK;
}

/* As gs_read_looping, of a decoder that loops or not. */
static uint32_t gs_stereo_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    const gs_info *info = &decoder->info;
    gs_noise_state *noise = gs_decoder_noise(decoder);
    uint32_t loops = decoder->mode & GS_LOOPS;
    uint32_t end = info->samples;
    uint32_t at;
    gs_stereo_sum sum;

    if (decoder->mode & GS_IS_PLAYED)
        return gs_decoder_playback(decoder)->ask(decoder, GS_ASKED_READ, samples, pcm);
    if (loops && decoder->position == info->loop_end)
        (void)gs_seek_to(decoder, info->loop_start);
    else if (decoder->position == info->samples)
        return 0;
    if (!decoder->error)
        decoder->error = (int8_t)gs_stereo_make_blocks(decoder);
    if (decoder->error)
        return 0;
    if (loops && decoder->position < info->loop_end)
        end = info->loop_end;
    at = decoder->position % GS_BLOCK_SAMPLES;
    samples = gs_least(gs_least(samples, end - decoder->position), GS_BLOCK_SAMPLES - at);
    sum.noise = NULL;
    if (noise) {
        uint32_t frame = gs_noise_frame_samples(info);
        samples = gs_least(samples, frame - (decoder->position & (frame - 1)));
        sum.noise = gs_noise_render(noise, info, decoder->position);
    }
    gs_stereo_find_sum(decoder, at, &sum);
    if (sum.side_noise)
        gs_stereo_pcm_as_encoded(&sum, samples, pcm);
    else
        gs_stereo_pcm(&sum, samples, (uint32_t)GS_GAIN_ONE << 16, 0, pcm);
    decoder->position += samples;
    return samples;
}

static uint32_t gs_stereo_answer(gs_decoder *decoder, gs_stereo_asked asked, uint32_t number, void *with)
{
    switch (asked) {
    case GS_STEREO_READ:
        return gs_stereo_read(decoder, (int16_t *)with, number);
    case GS_STEREO_HOLD:
        gs_stereo_hold(decoder, number, (const gs_gaussian *)with);
        return 0;
    case GS_STEREO_DROP:
        gs_stereo_drop(decoder, number);
        return 0;
    case GS_STEREO_FRAME:
        if (decoder->info.decoder_class.panned)
            gs_stereo_make_frame(decoder, (int32_t)number);
        return number;
    case GS_STEREO_EXCHANGE:
        gs_stereo_exchange(decoder, number >> 8, number & 255u);
        return 0;
    case GS_STEREO_SIDES:
        gs_stereo_find_sides(decoder, (gs_sides *)with);
        return 0;
    default:
        gs_stereo_find_sum(decoder, number, (gs_stereo_sum *)with);
        return 0;
    }
}

/* What left and right have of the middle in a direction: its cosine and sine by the larger one. Its sine is never
 * negative. */
static void gs_stereo_set_direction(gs_stereo *stereo, uint32_t direction)
{
    int32_t cosine = gs_cosine[2 * direction];
    uint32_t left = (uint32_t)(cosine < 0 ? -cosine : cosine);
    uint32_t right = (uint32_t)gs_cosine[(2 * direction - GS_COSINE_STEPS / 4) % GS_COSINE_STEPS];
    uint32_t least = gs_divide((left < right ? left : right) << 14, left < right ? right : left);

    stereo->left = (int16_t)(left < right ? least : 16384u);
    stereo->right = (int16_t)(left < right ? 16384u : least);
    if (cosine < 0)
        stereo->left = (int16_t)-stereo->left;
}

/* As if silence had been before. */
static void gs_stereo_open(gs_decoder *decoder)
{
    gs_stereo *stereo = gs_decoder_stereo(decoder);
    const gs_class *of_class = &decoder->info.decoder_class;

    gs_clear(stereo, (uint32_t)GS_STEREO_BYTES(of_class->panned, of_class->max_tones, of_class->max_noises,
                                               of_class->noise_frame_log2));
    stereo->ask = gs_stereo_answer;
    gs_stereo_set_direction(stereo, decoder->info.direction);
}

int gs_set_stereo(gs_decoder *decoder, int on)
{
    uint32_t sample;

    if (!decoder || (on && decoder->info.decoder_class.channels != 2))
        return GS_ERR_ARGUMENT;
    if (!GS_HAS_STEREO)
        return on ? GS_ERR_UNSUPPORTED : GS_OK;
    if (!on == !(decoder->mode & GS_IS_STEREO))
        return GS_OK;
    sample = gs_tell(decoder);
    if (on) {
        gs_stereo_open(decoder);
        decoder->mode |= (uint8_t)GS_IS_STEREO;
    } else {
        decoder->mode &= (uint8_t)~GS_IS_STEREO;
    }
    return gs_seek_to(decoder, sample);
}

GS_CODE_ENDS
