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

void gs_stereo_render(gs_tone_state *state, const gs_sides *sides, uint32_t time, uint32_t output_shift,
                      uint32_t budget)
{
    gs_tone_state *sums = sides->sums;
    uint32_t shift = 12u + output_shift;
    uint32_t least = 0;

    if (budget != GS_UNLIMITED)
        least = gs_tone_least_strength(state, sides->of_tones, time, budget);
    gs_tone_start_block(state, (uint32_t)1 << (shift - 1));
    gs_tone_start_block(sums, (uint32_t)1 << (shift - 1));
    gs_tone_add_all(state, 1, sides->of_tones, sums->octave_3 - state->octave_3, time, least);
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

/* Where panned bins of a frame are added: those of the middle, and so much further those of the side. */
typedef struct gs_stereo_bins {
    uint32_t at; /* as in a gs_noise_place */
    uint32_t step;
    uint32_t left; /* bins to come */
    uint8_t *first;
    uint8_t *last;
    ptrdiff_t to_side;
    uint32_t down;
} gs_stereo_bins;

static GS_INLINE void gs_stereo_add_bin(uint8_t *mid, ptrdiff_t to_side, int32_t line, uint32_t down, int32_t largest)
{
    int16_t *side = (int16_t *)(void *)(mid + to_side);
    int32_t value = *side + ((line >> 8) * *(int16_t *)(void *)mid >> down);

    if (largest > 0 && value > largest)
        value = largest;
    if (largest > 0 && value < -largest)
        value = -largest;
    *side = (int16_t)value;
}

/* Adds to `bins` bins, 1 or more, what they have of the middle's, from `line` on. If `largest` is 0 none needs a limit. */
static GS_INLINE void gs_stereo_add_bins(gs_stereo_bins *to, uint32_t bins, int32_t line, int32_t slope,
                                         int32_t largest)
{
    gs_stereo_bins here = *to;
    uint32_t at = here.at;

    to->left -= bins;
    if (here.left & 1u)
        goto second_of_pair; /* the first was the last bin before */
    do {
        gs_stereo_add_bin(here.first + at, here.to_side, line, here.down, largest);
        line += slope;
        if (--bins == 0)
            break;
    second_of_pair:
        gs_stereo_add_bin(here.last - at, here.to_side, line, here.down, largest);
        line += slope;
        at = gs_next_reversed(at, here.step);
        GS_OPAQUE(bins);
    } while (--bins > 0);
    to->at = at;
}

static GS_NOINLINE void gs_stereo_add_limited_bins(gs_stereo_bins *to, uint32_t bins, int32_t line, int32_t slope,
                                                   int32_t largest)
{
    gs_stereo_add_bins(to, bins, line, slope, largest);
}

/* Whether a sum can leave 16 bits: in the highest exponent, which is not above that of the middle. */
#ifdef __OPTIMIZE_SIZE__
#define GS_STEREO_LIMITS(down) 1
#else
#define GS_STEREO_LIMITS(down) ((down) == 11)
#endif

/* Adds to the side's spectrum what it has of the middle's. */
static GS_NOINLINE void gs_stereo_add_panned(const gs_noise_state *bands, const gs_info *info, const int32_t *pan,
                                             uint32_t down, gs_complex *mid, gs_complex *side)
{
    gs_noise_place place = gs_noise_place_of(info, 0, mid);
    gs_stereo_bins to;
    int32_t after = *pan;
    int32_t largest = 32767 >> (gs_noise_frame_log2(info) & 1u);
    uint32_t number;

    to.at = 0;
    to.step = place.step;
    to.left = place.left;
    to.first = place.first;
    to.last = place.last;
    to.to_side = (uint8_t *)side - (uint8_t *)mid;
    to.down = down;
    for (number = 0; number <= bands->bands; number++) {
        uint32_t bins = to.left;
        int32_t line = after * 256;
        int32_t slope = 0;
        if (number < bands->bands) {
            bins = bands->bins[number];
            slope = (pan[number] - after) * (int32_t)bands->reciprocal[number] >> 8;
            after = pan[number];
        }
        if (line == 0 && slope == 0) {
            to.at = gs_later_reversed(to.at, to.step, (bins + (to.left & 1u)) >> 1);
            to.left -= bins;
        } else if (bins > 0) {
            if (GS_STEREO_LIMITS(down))
                gs_stereo_add_limited_bins(&to, bins, line, slope, largest);
            else
                gs_stereo_add_bins(&to, bins, line, slope, 0);
        }
    }
}

static GS_NOINLINE void gs_stereo_add_levels(const gs_noise_state *state, uint32_t held, uint32_t age, int32_t *level)
{
    gs_noise_add_levels(state, gs_envelope, held, age, level);
}

/* Levels and pans of a frame's bands: the middle's and the pans without limits. */
typedef struct gs_stereo_levels {
    int32_t mid[GS_BARK_BANDS];
    int32_t side[GS_BARK_BANDS];
    int32_t pan[GS_BARK_BANDS];
    int32_t highest_side;
    int is_panned; /* not before */
} gs_stereo_levels;

/* Those at a time in eighths of frames. */
static GS_NOINLINE void gs_stereo_make_levels(const gs_decoder *decoder, uint32_t time, gs_stereo_levels *levels)
{
    const gs_info *info = &decoder->info;
    gs_noise_state *noise = gs_decoder_noise(decoder);
    const uint32_t *held = gs_noise_held(noise);
    const gs_noise_part *part = gs_stereo_parts(gs_decoder_stereo(decoder), info);
    int32_t base = 128 * info->side_base;
    int32_t highest = 0;
    uint32_t bands = noise->bands;
    uint32_t i;

    levels->is_panned = 0;
    for (i = 0; i < bands; i++) {
        levels->mid[i] = 128 * info->noise_base;
        levels->side[i] = base;
        levels->pan[i] = 0;
        GS_OPAQUE(i);
    }
    for (i = 0; i < noise->held; i++) {
        uint32_t begin = held[i] << (GS_NOISE_TIME_LOG2 + GS_NOISE_TIME_UNUSED);
        uint32_t age = ((time << GS_NOISE_TIME_UNUSED) - begin) >> GS_NOISE_TIME_UNUSED;
        uint32_t shape = held[i] & 0x01FFFFFFu; /* but for its weight */
        if (age - 1 >= (gs_noise_support_of(held[i]) << GS_NOISE_TIME_LOG2) - 1)
            continue;
        gs_stereo_add_levels(noise, held[i], age, levels->mid);
        if (part[i].weight[0] != 0)
            gs_stereo_add_levels(noise, shape | (uint32_t)part[i].weight[0] << 25, age, levels->side);
        if (part[i].weight[1] != 0) {
            gs_stereo_add_levels(noise, shape | (uint32_t)part[i].weight[1] << 25, age, levels->pan);
            levels->is_panned = 1;
        }
    }
    for (i = 0; i < bands; i++) {
        int32_t level = gs_noise_limited_level(levels->side[i] + levels->mid[i]);
        levels->side[i] = level;
        if (highest < level)
            highest = level;
        GS_OPAQUE(i);
    }
    levels->highest_side = highest;
}

/* Makes the side's frame beside one of the middle, whose spectrum has this exponent, and the block before it. */
static GS_NOINLINE void gs_stereo_make_side(gs_decoder *decoder, gs_stereo_levels *levels, int32_t exponent)
{
    const gs_info *info = &decoder->info;
    gs_stereo *stereo = gs_decoder_stereo(decoder);
    gs_noise_state *noise = gs_decoder_noise(decoder);
    gs_playback *playback = gs_decoder_playback(decoder);
    const gs_noise_state *bands = noise;
    gs_complex *z = gs_stereo_block(stereo, info);
    int32_t own = levels->highest_side;
    int32_t of_side;
    int is_panned;

    if (playback)
        bands = gs_playback_bands_of_side(playback, noise, levels->side, &own);
    own >>= 8;
    is_panned = exponent > 0 && levels->is_panned && gs_stereo_limit_pans(levels->pan, bands->bands);
    of_side = own;
    if (is_panned)
        of_side = 1 + (own < exponent ? exponent : own);
    if (of_side > 14)
        of_side = 14;
    if (own > 0)
        gs_noise_make_spectrum(bands, info, noise->frame + GS_SIDE_FRAMES, levels->side,
                               gs_noise_raised_by(info, of_side), z);
    else
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    if (is_panned)
        gs_stereo_add_panned(bands, info, levels->pan, (uint32_t)(11 + of_side - exponent), gs_noise_block(noise, info),
                             z);
    if (playback)
        gs_playback_mute_side(playback, info, z);
    gs_noise_overlap(info, z, (int32_t)stereo->exponent, of_side);
    stereo->exponent = (uint32_t)of_side;
}

/* The same where the middle's frame was made by others. */
static GS_NOINLINE void gs_stereo_make_frame(gs_decoder *decoder, int32_t exponent)
{
    uint32_t frame = gs_decoder_noise(decoder)->frame;
    gs_playback *playback = gs_decoder_playback(decoder);
    gs_stereo_levels levels;

    gs_stereo_make_levels(
        decoder, playback ? gs_playback_frame_time(playback, &decoder->info, frame) : frame << GS_NOISE_TIME_LOG2,
        &levels);
    gs_stereo_make_side(decoder, &levels, exponent);
}

/* Makes the next frame of both as it was encoded, and the block before it. */
static GS_NOINLINE void gs_stereo_make_frames(gs_decoder *decoder, gs_noise_state *noise)
{
    const gs_info *info = &decoder->info;
    gs_complex *z = gs_noise_block(noise, info);
    int32_t old = noise->exponent;
    int32_t exponent = 0;
    gs_stereo_levels levels;
    uint32_t i;

    noise->frame++;
    gs_stereo_make_levels(decoder, noise->frame << GS_NOISE_TIME_LOG2, &levels);
    for (i = 0; i < noise->bands; i++) {
        levels.mid[i] = gs_noise_limited_level(levels.mid[i]);
        if (exponent < levels.mid[i])
            exponent = levels.mid[i];
    }
    exponent >>= 8;
    if (exponent == 0)
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    else
        gs_noise_make_spectrum(noise, info, noise->frame, levels.mid, gs_noise_raised_by(info, exponent), z);
    gs_stereo_make_side(decoder, &levels, exponent);
    noise->exponent = (uint8_t)exponent;
    gs_noise_overlap(info, z, old, exponent);
}

/* gs_noise_render of both, where Gaussians are panned. */
static const int16_t *gs_stereo_noise(gs_decoder *decoder, gs_noise_state *noise)
{
    const gs_info *info = &decoder->info;
    uint32_t frame = decoder->position >> gs_noise_frame_log2(info);

    if (noise->frame != frame && noise->frame != frame + 1) {
        gs_noise_forget_older(noise, info);
        noise->frame = frame - 1;
    }
    while (noise->frame != frame + 1)
        gs_stereo_make_frames(decoder, noise);
    return (const int16_t *)(const void *)gs_noise_block(noise, info) +
           (decoder->position & (gs_noise_frame_samples(info) - 1));
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

/* What the middle or the side has for an output sample. */
static GS_INLINE int32_t gs_stereo_step(uint32_t quarters, int32_t noise)
{
    return gs_stereo_limited(((int32_t)(quarters + 2u) >> 2) + noise);
}

/* Left and right without a gain, `gains` being what they have of the middle. */
static GS_INLINE void gs_stereo_give(uint32_t gains, int32_t mid, int32_t side, int16_t *pcm)
{
    int32_t left = (int16_t)gains;
    int32_t right = (int32_t)gains >> 16;

    pcm[0] = gs_pcm_saturated((left * mid - right * side + 8192) >> 14);
    pcm[1] = gs_pcm_saturated((right * mid + left * side + 8192) >> 14);
}

#if GS_PAIRED
#define GS_STEREO_ABOVE 32768 /* by so much steps are raised to see whether they fit 16 bits */

/* The same where they do not. */
static GS_NOINLINE void gs_stereo_give_large(uint32_t gains, uint32_t quarters, uint32_t side_quarters, int32_t noise,
                                             int32_t side_noise, int16_t *pcm)
{
    gs_stereo_give(gains, gs_stereo_step(quarters, noise), gs_stereo_step(side_quarters, side_noise), pcm);
}
#endif

/* gs_stereo_pcm without a gain, where there is a side, and noise in both. */
static GS_NOINLINE void gs_stereo_pcm_as_encoded(const gs_stereo_sum *sum, uint32_t samples, int16_t *pcm)
{
    const uint32_t *quarters = sum->quarters;
    const uint32_t *side_quarters = sum->side_quarters;
    const int16_t *noise = sum->noise;
    const int16_t *side_noise = sum->side_noise;
    const int16_t *end = pcm + 2 * samples;
    uint32_t gains = ((uint32_t)sum->left & 0xFFFFu) | (uint32_t)sum->right << 16;

    do {
        uint32_t of_mid = *quarters++;
        uint32_t of_side = *side_quarters++;
        int32_t of_noise = *noise++;
        int32_t of_side_noise = *side_noise++;
#if GS_PAIRED
        uint32_t mid = (uint32_t)((int32_t)(of_mid + (4u * GS_STEREO_ABOVE + 2u)) >> 2) + (uint32_t)of_noise;
        uint32_t side = (uint32_t)((int32_t)(of_side + (4u * GS_STEREO_ABOVE + 2u)) >> 2) + (uint32_t)of_side_noise;
        if (GS_MOSTLY((mid | side) < 2u * GS_STEREO_ABOVE)) {
            int32_t pair = (int32_t)((mid | side << 16) ^ 0x80008000u);
            pcm[0] = gs_pcm_saturated(__smlsd(pair, (int32_t)gains, 8192) >> 14);
            pcm[1] = gs_pcm_saturated(__smladx(pair, (int32_t)gains, 8192) >> 14);
        } else {
            gs_stereo_give_large(gains, of_mid, of_side, of_noise, of_side_noise, pcm);
        }
#else
        gs_stereo_give(gains, gs_stereo_step(of_mid, of_noise), gs_stereo_step(of_side, of_side_noise), pcm);
#endif
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
    if (GS_HAS_NOISE && noise) {
        uint32_t frame = gs_noise_frame_samples(info);
        samples = gs_least(samples, frame - (decoder->position & (frame - 1)));
        sum.noise = info->decoder_class.panned ? gs_stereo_noise(decoder, noise)
                                               : gs_noise_render(noise, info, decoder->position);
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
        if (GS_HAS_NOISE && decoder->info.decoder_class.panned)
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
    int32_t cosine = gs_cosine_at(GS_ANGLE_0 + 2 * direction);
    uint32_t left = (uint32_t)(cosine < 0 ? -cosine : cosine);
    uint32_t right = (uint32_t)gs_cosine_at(GS_ANGLE_0 + (2 * direction - GS_COSINE_STEPS / 4) % GS_COSINE_STEPS);
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
