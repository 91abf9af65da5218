#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_listener.h"

#include "gs_directions.h"
#include "gs_pcm.h"
#include "gs_tone_run.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_a_listener,
                 sizeof(gs_listener) == GS_LISTENER_BYTES(0u, 0u, 0u) - GS_TONE_BYTES(0u) &&
                     sizeof(gs_heard_tone) == GS_LISTENER_BYTES(1u, 0u, 0u) - GS_LISTENER_BYTES(0u, 0u, 0u));
GS_STATIC_ASSERT(a_direction_has_its_harmonics,
                 sizeof gs_direction_functions == GS_DIRECTION_COMPONENTS * GS_DIRECTION_HARMONICS);
GS_STATIC_ASSERT(a_frame_is_longer_than_a_delay, GS_LONGEST_DELAY <= 1u << GS_SMALLEST_NOISE_FRAME_LOG2);

#define GS_LOWEST_EAR_LEVEL (-2048)
#define GS_HIGHEST_EAR_LEVEL 1023
#define GS_LOW_DELAY_HZ 384u
#define GS_DELAY_LOG2 10u /* from there to where it is that of high frequencies */

/* ---- memory ---- */

static gs_listener *gs_listener_of(const gs_decoder *decoder)
{
    return (gs_listener *)(void *)gs_decoder_stereo(decoder);
}

static gs_tone_state *gs_listener_sums(gs_listener *listener)
{
    return (gs_tone_state *)(void *)(listener + 1);
}

static gs_heard_tone *gs_listener_tones(gs_listener *listener)
{
    return (gs_heard_tone *)(void *)(gs_listener_sums(listener) + 1);
}

static gs_complex *gs_listener_block(gs_listener *listener, const gs_info *info)
{
    return (gs_complex *)(void *)(gs_listener_tones(listener) + info->decoder_class.max_tones);
}

size_t gs_listener_size(const gs_class *decoder_class)
{
    size_t bytes = gs_decoder_size(decoder_class);

    if (bytes == 0 || decoder_class->channels > 1)
        return 0;
    return ((bytes + 7u) & ~(size_t)7u) +
           GS_LISTENER_BYTES(decoder_class->max_tones, decoder_class->max_noises, decoder_class->noise_frame_log2);
}

/* ---- direction ---- */

static int32_t gs_angle_cosine(int32_t angle)
{
    return gs_cosine_at(GS_ANGLE_0 + (uint32_t)((angle + 32) >> 6) % GS_COSINE_STEPS);
}

static int32_t gs_angle_sine(int32_t angle)
{
    return gs_angle_cosine(angle - 16384);
}

/* Two products of Q14, in Q14. */
static int32_t gs_sum_of_products(int32_t a, int32_t b, int32_t c, int32_t d)
{
    return (a * b + c * d + 8192) >> 14;
}

/* Turns a pair of coordinates by an angle, backwards. */
static void gs_turn_back(int32_t *x, int32_t *y, int32_t angle)
{
    int32_t cosine = gs_angle_cosine(angle);
    int32_t sine = gs_angle_sine(angle);
    int32_t turned = gs_sum_of_products(*x, cosine, *y, sine);

    *y = gs_sum_of_products(*y, cosine, -*x, sine);
    *x = turned;
}

/* Adds a harmonic to what components and delays have of it. */
typedef struct gs_harmonic_sums {
    int32_t component[2][GS_DIRECTION_COMPONENTS]; /* of both ears alike, and of one against the other */
    int32_t delay[2];
    const int8_t *function; /* of the first component, at the next harmonic.. */
    const int8_t *of_delay; /* ..and at the next one that delays have */
} gs_harmonic_sums;

static void gs_add_harmonic(gs_harmonic_sums *sums, int32_t value, uint32_t is_odd, uint32_t has_delay)
{
    uint32_t i;

    for (i = 0; i < GS_DIRECTION_COMPONENTS; i++)
        sums->component[is_odd][i] += value * sums->function[i * GS_DIRECTION_HARMONICS];
    sums->function++;
    if (!has_delay)
        return;
    sums->delay[0] += value * sums->of_delay[0];
    sums->delay[1] += value * sums->of_delay[GS_DIRECTION_DELAYS];
    sums->of_delay++;
}

static void gs_add_harmonics(gs_harmonic_sums *sums, int32_t x, int32_t y, int32_t z)
{
    int32_t cosine = 16384;
    int32_t sine = 0;
    uint32_t order;

    for (order = 0; order <= GS_DIRECTION_DEGREE; order++) {
        int32_t before = 0;
        int32_t here = 16384;
        int32_t turned = gs_sum_of_products(x, cosine, -y, sine);
        uint32_t degree;
        for (degree = order; degree <= GS_DIRECTION_DEGREE; degree++) {
            if (degree > order) {
                uint32_t dividend = 65536u * ((degree - 1) * (degree - 1) - order * order);
                int32_t next = z * here >> 13;
                if (degree > order + 1)
                    next -= (int32_t)gs_divide(dividend, (2 * degree - 1) * (2 * degree - 3)) * before >> 14;
                before = here;
                here = next;
            }
            gs_add_harmonic(sums, here * cosine >> 14, 0, 0);
            if (order > 0)
                gs_add_harmonic(sums, here * sine >> 14, 1, degree <= GS_DIRECTION_DELAY_DEGREE);
        }
        sine = gs_sum_of_products(x, sine, y, cosine);
        cosine = turned;
    }
}

/* In samples, of noise. */
static int32_t gs_listener_delay(int32_t delay, const gs_info *info)
{
    uint32_t late = (uint32_t)(delay < 0 ? -delay : delay) * info->sample_rate;

    late = gs_least((late + (1u << 19)) >> 20, GS_LONGEST_DELAY);
    return delay < 0 ? -(int32_t)late : (int32_t)late;
}

static void gs_listener_aim(gs_listener *listener, const gs_info *info)
{
    int32_t azimuth = listener->azimuth - listener->yaw;
    int32_t flat = gs_angle_cosine(listener->elevation);
    int32_t x = gs_sum_of_products(gs_angle_cosine(azimuth), flat, 0, 0);
    int32_t y = gs_sum_of_products(gs_angle_sine(azimuth), flat, 0, 0);
    int32_t z = gs_angle_sine(listener->elevation);
    gs_harmonic_sums sums;
    uint32_t ear;

    gs_turn_back(&x, &z, listener->pitch);
    gs_turn_back(&y, &z, listener->roll);
    gs_clear(&sums, sizeof sums);
    sums.function = gs_direction_functions;
    sums.of_delay = gs_direction_delays;
    gs_add_harmonics(&sums, x, y, z);
    listener->delay_low = sums.delay[0] >> 11;
    listener->delay_high = sums.delay[1] >> 11;
    listener->delay_of_noise = gs_listener_delay(listener->delay_high, info);
    for (ear = 0; ear < GS_EARS; ear++) {
        uint32_t band;
        for (band = 0; band < GS_BARK_BANDS; band++) {
            const int8_t *shape = gs_direction_shapes + band;
            int32_t level = 128;
            uint32_t i;
            for (i = 0; i < GS_DIRECTION_COMPONENTS; i++, shape += GS_BARK_BANDS) {
                int32_t apart = ear ? -sums.component[1][i] : sums.component[1][i];
                level += *shape * ((sums.component[0][i] + apart) >> gs_direction_shifts[i]);
            }
            level >>= 8;
            if (level < GS_LOWEST_EAR_LEVEL)
                level = GS_LOWEST_EAR_LEVEL;
            if (level > GS_HIGHEST_EAR_LEVEL)
                level = GS_HIGHEST_EAR_LEVEL;
            listener->level[ear][band] = (int16_t)level;
        }
    }
}

/* ---- dequantise ---- */

/* What a frequency of a tone is to an ear. */
static uint32_t gs_at_level(uint32_t amplitude, int32_t level)
{
    return gs_least(amplitude * gs_gain[(uint32_t)level >> 3 & 31u] >> (13 - (level >> 8)), 32767);
}

static void gs_listener_hear(const gs_listener *listener, const gs_info *info, const gs_held_tone *held,
                             gs_heard_tone *heard)
{
    uint32_t hertz = ((uint32_t)held->increment >> held->octave) * info->sample_rate >> 16;
    uint32_t above = hertz < GS_LOW_DELAY_HZ ? 0 : gs_least(hertz - GS_LOW_DELAY_HZ, 1u << GS_DELAY_LOG2);
    int32_t way = (listener->delay_high - listener->delay_low) * (int32_t)above >> GS_DELAY_LOG2;
    int32_t delay = listener->delay_low + way;
    uint32_t turned = 0u - ((hertz * (uint32_t)(delay < 0 ? -delay : delay) + 8u) >> 4);
    uint32_t band = 0;
    int32_t place = 0;
    uint32_t ear;

    while (band < GS_BARK_BANDS - 2u && gs_bark_hz[band + 1] <= hertz)
        band++;
    if (hertz > gs_bark_hz[band]) {
        hertz = gs_least(hertz, gs_bark_hz[band + 1]) - gs_bark_hz[band];
        place = (int32_t)gs_divide(hertz << 8, (uint32_t)(gs_bark_hz[band + 1] - gs_bark_hz[band]));
    }
    for (ear = 0; ear < GS_EARS; ear++) {
        const int16_t *level = listener->level[ear] + band;
        int32_t here = level[0] + ((level[1] - level[0]) * place >> 8);
        heard->ear[ear].amplitude = (uint16_t)gs_at_level(held->amplitude, here);
        heard->ear[ear].turned = (uint16_t)((delay < 0) == (ear == 0) ? turned : 0);
    }
}

/* What was decoded last, and is held if it ends behind time `needed`. */
static void gs_listener_hold(gs_decoder *decoder, uint32_t needed, const gs_gaussian *gaussian)
{
    gs_listener *listener = gs_listener_of(decoder);
    gs_tone_state *state = gs_decoder_tone(decoder);
    uint32_t last = state->held - 1;

    if (gaussian->kind == GS_TONE && gaussian->as.tone.onset + gs_tone_support(gaussian->as.tone.scale) > needed)
        gs_listener_hear(listener, &decoder->info, gs_tone_held(state) + last, gs_listener_tones(listener) + last);
}

/* As gs_tone_drop_ended. */
static void gs_listener_drop(gs_decoder *decoder, uint32_t time)
{
    gs_tone_state *state = gs_decoder_tone(decoder);
    gs_held_tone *held = gs_tone_held(state);
    gs_heard_tone *heard = gs_listener_tones(gs_listener_of(decoder));
    uint32_t i = 0;

    while (i < state->held) {
        if ((held[i].onset + gs_tone_support(held[i].scale)) << held[i].octave <= time) {
            held[i] = held[--state->held];
            heard[i] = heard[state->held];
        } else {
            i++;
        }
    }
}

/* ---- render: tones ---- */

/* The least strength of which all tones of a block fit the budget, at both ears. */
static uint32_t gs_listener_least_strength(gs_tone_state *state, uint32_t time, uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t *costs = state->octave_0;
    uint32_t i;

    for (i = 0; i < GS_TONE_STRENGTHS; i++)
        costs[i] = 0;
    for (; held < end; held++) {
        gs_tone_part part = gs_tone_part_of(held, time);
        if (part.samples > 0)
            costs[gs_tone_strength(held, part.age, part.samples)] += GS_EARS * gs_tone_cost(held, &part);
    }
    return gs_tone_affordable(costs, budget);
}

/* gs_tone_render for both ears. */
static void gs_listener_render(gs_tone_state *state, const gs_heard_tone *heard, gs_tone_state *sums, uint32_t time,
                               uint32_t output_shift, uint32_t budget)
{
    const gs_held_tone *held = gs_tone_held(state);
    const gs_held_tone *end = held + state->held;
    uint32_t shift = 12u + output_shift;
    uint32_t least = budget == GS_UNLIMITED ? 0 : gs_listener_least_strength(state, time, budget);
    ptrdiff_t to_right = sums->octave_3 - state->octave_3;
    gs_tone_octave octaves[GS_OCTAVES];

    gs_tone_start_block(state, (uint32_t)1 << (shift - 1));
    gs_tone_start_block(sums, (uint32_t)1 << (shift - 1));
    gs_tone_find_octaves(state, time, octaves);
    for (; held < end; held++, heard++) {
        uint32_t samples = GS_BLOCK_SAMPLES >> held->octave;
        uint32_t age = octaves[held->octave].time - held->onset;
        uint32_t *sum = octaves[held->octave].begin;
        const gs_side *ear = heard->ear;
        gs_held_tone at_ear;
        if (GS_IS_SMALL || least > 0 || (int32_t)age < 0 || age + samples > gs_tone_support(held->scale)) {
            gs_tone_part part = gs_tone_part_of(held, time);
            if (part.samples == 0 || (least > 0 && gs_tone_strength(held, part.age, part.samples) < least))
                continue;
            age = part.age;
            sum += part.skipped;
            samples = part.samples;
        }
        at_ear = *held;
        do {
            at_ear.amplitude = ear->amplitude;
            at_ear.phase = (uint16_t)(held->phase + ear->turned);
            gs_tone_add_part(&at_ear, age, sum, samples);
            sum += to_right;
        } while (ear++ == heard->ear);
    }
    gs_tone_end_block(state, shift);
    gs_tone_end_block(sums, shift);
}

/* ---- render: noise ---- */

/* What a frame is at an ear: the gains of the bands, Q15, of 2^raised. */
typedef struct gs_ear_of_frame {
    int32_t raised;
    uint32_t down; /* of products */
    int32_t gain[GS_BARK_BANDS];
} gs_ear_of_frame;

/* Returns the exponent at an ear of a frame that has one. */
static int32_t gs_listener_gains(const int16_t *level, uint32_t bands, int32_t exponent, gs_ear_of_frame *ear)
{
    int32_t highest = GS_LOWEST_EAR_LEVEL;
    uint32_t band;

    for (band = 0; band < bands; band++) {
        if (highest < level[band])
            highest = level[band];
    }
    ear->raised = (highest >> 8) + 1;
    for (band = 0; band < bands; band++)
        ear->gain[band] = gs_gain[(uint32_t)level[band] >> 3 & 31u] << 2 >> (ear->raised - (level[band] >> 8));
    highest = exponent + ear->raised;
    if (highest < 1)
        highest = 1;
    ear->down = (uint32_t)(15 + highest - exponent - ear->raised);
    return highest;
}

typedef struct gs_ear_line {
    int32_t line;
    int32_t slope;
    uint32_t down;
} gs_ear_line;

static GS_INLINE int16_t gs_ear_value(gs_ear_line *ear, int32_t value)
{
    int32_t heard = (ear->line >> 8) * value >> ear->down;

    ear->line += ear->slope;
    return (int16_t)heard;
}

/* Makes of a spectrum, in place, that of the left ear and beside it that of the right one. */
static void gs_listener_split(const gs_noise_state *bands, const gs_info *info, const gs_ear_of_frame *ears,
                              gs_complex *z, gs_complex *of_right)
{
    gs_noise_place place = gs_noise_place_of(info, 0, z);
    ptrdiff_t to_right = (uint8_t *)of_right - (uint8_t *)z;
    gs_ear_line left;
    gs_ear_line right;
    int32_t left_after = ears[0].gain[0];
    int32_t right_after = ears[1].gain[0];
    uint32_t number;

    left.down = ears[0].down;
    right.down = ears[1].down;
    for (number = 0; number <= bands->bands; number++) {
        uint32_t bins = place.left;
        left.line = left_after * 256;
        right.line = right_after * 256;
        left.slope = 0;
        right.slope = 0;
        if (number < bands->bands) {
            int32_t reciprocal = bands->reciprocal[number];
            bins = bands->bins[number];
            left.slope = (ears[0].gain[number] - left_after) * reciprocal >> 8;
            right.slope = (ears[1].gain[number] - right_after) * reciprocal >> 8;
            left_after = ears[0].gain[number];
            right_after = ears[1].gain[number];
        }
        for (; bins > 0; bins--, place.left--) {
            int is_second = place.left & 1u;
            uint8_t *at = is_second ? place.last - place.at : place.first + place.at;
            int32_t value = *(int16_t *)(void *)at;
            *(int16_t *)(void *)at = gs_ear_value(&left, value);
            *(int16_t *)(void *)(at + to_right) = gs_ear_value(&right, value);
            if (is_second)
                place.at = gs_next_reversed(place.at, place.step);
        }
    }
}

/* Makes of the frame whose spectrum was made, with this exponent, those of both ears, and the right one's block before
 * it. Returns the exponent of the left one. */
static int32_t gs_listener_make_frame(gs_decoder *decoder, int32_t exponent)
{
    const gs_info *info = &decoder->info;
    gs_listener *listener = gs_listener_of(decoder);
    gs_noise_state *noise = gs_decoder_noise(decoder);
    gs_complex *of_right = gs_listener_block(listener, info);
    int32_t exponents[GS_EARS] = {0, 0};
    gs_ear_of_frame ears[GS_EARS];
    uint32_t ear;

    for (ear = 0; ear < GS_EARS; ear++) {
        int32_t late = ear ? listener->delay_of_noise : -listener->delay_of_noise;
        listener->late[ear][0] = listener->late[ear][1];
        listener->late[ear][1] = (uint8_t)(late < 0 ? 0 : late);
        if (exponent > 0)
            exponents[ear] = gs_listener_gains(listener->level[ear], noise->bands, exponent, &ears[ear]);
    }
    if (exponent > 0)
        gs_listener_split(noise, info, ears, gs_noise_block(noise, info), of_right);
    else
        gs_noise_clear(of_right, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    gs_noise_overlap(info, of_right, (int32_t)listener->stereo.exponent, exponents[1]);
    listener->stereo.exponent = (uint32_t)exponents[1];
    return exponents[0];
}

/* ---- pcm ---- */

/* What samples of an ear are made of, from one of a block of noise on. */
typedef struct gs_ear_sum {
    const uint32_t *quarters;
    const int16_t *noise;  /* as it was made; NULL for none */
    const int16_t *before; /* the end of what was made before the block */
    uint32_t old;          /* by how many samples it is late where the block begins.. */
    uint32_t late;         /* ..and where it ends */
} gs_ear_sum;

static int32_t gs_late_noise(const gs_ear_sum *sum, uint32_t at, uint32_t late)
{
    return late > at ? sum->before[(int32_t)(at - late)] : sum->noise[at - late];
}

/* How many samples of an ear from place `at` of a block of noise on lie one after another, at most `samples`. */
static uint32_t gs_listener_together(const gs_listener *listener, uint32_t ear, uint32_t at, uint32_t samples)
{
    uint32_t late = listener->late[ear][1];

    return at < late ? gs_least(samples, late - at) : samples;
}

/* Where the delay changes: what was made is crossfaded in the block. */
static void gs_ear_pcm_between(const gs_ear_sum *sum, uint32_t at, uint32_t frame_log2, uint32_t samples, int16_t *pcm)
{
    const uint32_t *quarters = sum->quarters;

    for (; samples > 0; samples--, at++, pcm += GS_EARS) {
        int32_t old = gs_late_noise(sum, at, sum->old);
        int32_t way = gs_late_noise(sum, at, sum->late) - old;
        *pcm = gs_pcm_saturated(((int32_t)(*quarters++ + 2u) >> 2) + old + (way * (int32_t)at >> frame_log2));
    }
}

static void gs_ear_pcm(const gs_ear_sum *sum, uint32_t at, uint32_t samples, int16_t *pcm)
{
    const uint32_t *quarters = sum->quarters;
    const int16_t *end = pcm + GS_EARS * samples;
    const int16_t *noise;

    if (!sum->noise) {
        for (; pcm < end; pcm += GS_EARS)
            *pcm = gs_pcm_saturated((int32_t)(*quarters++ + 2u) >> 2);
        return;
    }
    noise = sum->late > at ? sum->before + (int32_t)(at - sum->late) : sum->noise + (at - sum->late);
    for (; pcm < end; pcm += GS_EARS)
        *pcm = gs_pcm_saturated(((int32_t)(*quarters++ + 2u) >> 2) + *noise++);
}

/* Samples from place `at` of a block of noise on, which begins for the left ear at `of_left`, NULL for none. */
static void gs_listener_pcm(gs_decoder *decoder, const int16_t *of_left, uint32_t at, uint32_t samples, int16_t *pcm)
{
    const gs_info *info = &decoder->info;
    gs_listener *listener = gs_listener_of(decoder);
    uint32_t in_block = decoder->position % GS_BLOCK_SAMPLES;
    uint32_t ear;

    for (ear = 0; ear < GS_EARS; ear++) {
        gs_tone_state *sums = ear ? gs_listener_sums(listener) : gs_decoder_tone(decoder);
        gs_ear_sum sum;
        sum.quarters = sums->octave_0 + in_block;
        sum.noise = ear && of_left ? (const int16_t *)(const void *)gs_listener_block(listener, info) : of_left;
        sum.before = listener->before[ear] + GS_LONGEST_DELAY;
        sum.old = listener->late[ear][0];
        sum.late = listener->late[ear][1];
        if (of_left && sum.old != sum.late)
            gs_ear_pcm_between(&sum, at, gs_noise_frame_log2(info), samples, pcm + ear);
        else
            gs_ear_pcm(&sum, at, samples, pcm + ear);
    }
}

/* Keeps the end of a block of noise that was given. */
static void gs_listener_keep(gs_decoder *decoder, const int16_t *of_left)
{
    gs_listener *listener = gs_listener_of(decoder);
    const int16_t *of_right = (const int16_t *)(const void *)gs_listener_block(listener, &decoder->info);
    uint32_t start = gs_noise_frame_samples(&decoder->info) - GS_LONGEST_DELAY;
    uint32_t i;

    for (i = 0; i < GS_LONGEST_DELAY; i++) {
        listener->before[0][i] = of_left[start + i];
        listener->before[1][i] = of_right[start + i];
    }
}

/* ---- reading ---- */

static int gs_listener_has_jumped(const gs_decoder *decoder)
{
    uint32_t block = decoder->position / GS_BLOCK_SAMPLES;

    return decoder->next_block == GS_TIME_ZERO + (block - GS_WARM_UP_BLOCKS) * GS_BLOCK_SAMPLES;
}

/* As gs_make_blocks. */
static int gs_listener_make_blocks(gs_decoder *decoder)
{
    gs_listener *listener = gs_listener_of(decoder);

    while (decoder->next_block <= decoder->position + GS_TIME_ZERO) {
        int error = gs_decode_for_next_block(decoder);
        if (error)
            return error;
        gs_listener_render(gs_decoder_tone(decoder), gs_listener_tones(listener), gs_listener_sums(listener),
                           decoder->next_block, decoder->info.output_shift, decoder->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    return GS_OK;
}

/* As gs_read_looping, of a decoder that loops or not. */
static uint32_t gs_listener_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    const gs_info *info = &decoder->info;
    gs_listener *listener = gs_listener_of(decoder);
    gs_noise_state *noise = gs_decoder_noise(decoder);
    uint32_t loops = decoder->mode & GS_LOOPS;
    uint32_t frame = gs_noise_frame_samples(info);
    uint32_t end = info->samples;
    const int16_t *of_left = NULL;
    uint32_t at = 0;

    if (loops && decoder->position == info->loop_end)
        (void)gs_seek_to(decoder, info->loop_start);
    else if (decoder->position == info->samples)
        return 0;
    if (gs_listener_has_jumped(decoder))
        gs_clear(listener->before, sizeof listener->before);
    if (!decoder->error)
        decoder->error = (int8_t)gs_listener_make_blocks(decoder);
    if (decoder->error)
        return 0;
    if (loops && decoder->position < info->loop_end)
        end = info->loop_end;
    samples = gs_least(samples, end - decoder->position);
    samples = gs_least(samples, GS_BLOCK_SAMPLES - decoder->position % GS_BLOCK_SAMPLES);
    if (noise) {
        at = decoder->position & (frame - 1);
        samples = gs_least(samples, frame - at);
        of_left = gs_noise_render(noise, info, decoder->position) - at;
        samples = gs_listener_together(listener, 0, at, samples);
        samples = gs_listener_together(listener, 1, at, samples);
    }
    gs_listener_pcm(decoder, of_left, at, samples, pcm);
    if (noise && at + samples == frame)
        gs_listener_keep(decoder, of_left);
    decoder->position += samples;
    return samples;
}

static uint32_t gs_listener_answer(gs_decoder *decoder, gs_stereo_asked asked, uint32_t number, void *with)
{
    switch (asked) {
    case GS_STEREO_READ:
        return gs_listener_read(decoder, (int16_t *)with, number);
    case GS_STEREO_HOLD:
        gs_listener_hold(decoder, number, (const gs_gaussian *)with);
        return 0;
    case GS_STEREO_DROP:
        gs_listener_drop(decoder, number);
        return 0;
    case GS_STEREO_FRAME:
        return (uint32_t)gs_listener_make_frame(decoder, (int32_t)number);
    default:
        return 0;
    }
}

/* ---- the interface ---- */

/* The listener of a decoder, opened in front of the source if there is none yet. */
static int gs_listener_open(gs_decoder *decoder, gs_listener **listener)
{
    gs_class *of_class = &decoder->info.decoder_class;
    const gs_playback *playback = (const gs_playback *)gs_decoder_memory(decoder, 8u * (size_t)decoder->playback_at);
    uint32_t bytes = (uint32_t)GS_LISTENER_BYTES(of_class->max_tones, of_class->max_noises, of_class->noise_frame_log2);

    *listener = gs_listener_of(decoder);
    if (decoder->mode & GS_IS_STEREO && (*listener)->stereo.ask == gs_listener_answer)
        return GS_OK;
    if (of_class->channels != 1)
        return GS_ERR_ARGUMENT;
    if (!GS_HAS_LISTENER)
        return GS_ERR_UNSUPPORTED;
    if (!decoder->playback_at || playback->ask || playback->gain < bytes)
        return GS_ERR_MEMORY;
    decoder->playback_at = 0; /* whose memory it takes */
    of_class->channels = 2;   /* so that it is asked for frames of noise */
    gs_clear(*listener, bytes);
    (*listener)->stereo.ask = gs_listener_answer;
    return GS_OK;
}

/* What was changed holds from now on. */
static int gs_listener_change(gs_decoder *decoder)
{
    uint32_t is_new = !(decoder->mode & GS_IS_STEREO);

    gs_listener_aim(gs_listener_of(decoder), &decoder->info);
    decoder->mode |= (uint8_t)GS_IS_STEREO;
    if (is_new || (!decoder->error && gs_listener_has_jumped(decoder)))
        return gs_seek_to(decoder, decoder->position);
    return GS_OK;
}

static int gs_is_no_angle(int32_t angle, int32_t most)
{
    return angle < -most || angle > most;
}

int gs_set_listener(gs_decoder *decoder, int32_t yaw, int32_t pitch, int32_t roll)
{
    gs_listener *listener;
    int error;

    if (!decoder || gs_is_no_angle(yaw, GS_HALF_TURN) || gs_is_no_angle(pitch, GS_HALF_TURN / 2) ||
        gs_is_no_angle(roll, GS_HALF_TURN))
        return GS_ERR_ARGUMENT;
    error = gs_listener_open(decoder, &listener);
    if (error)
        return error;
    listener->yaw = yaw;
    listener->pitch = pitch;
    listener->roll = roll;
    return gs_listener_change(decoder);
}

int gs_set_direction(gs_decoder *decoder, int32_t azimuth, int32_t elevation)
{
    gs_listener *listener;
    int error;

    if (!decoder || gs_is_no_angle(azimuth, GS_HALF_TURN) || gs_is_no_angle(elevation, GS_HALF_TURN / 2))
        return GS_ERR_ARGUMENT;
    error = gs_listener_open(decoder, &listener);
    if (error)
        return error;
    listener->azimuth = azimuth;
    listener->elevation = elevation;
    return gs_listener_change(decoder);
}

GS_CODE_ENDS
