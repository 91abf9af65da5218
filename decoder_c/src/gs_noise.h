/* SPEC 5: a noise, a Gaussian over time and Bark that raises or lowers the level of a noise floor. */
#ifndef GS_NOISE_H
#define GS_NOISE_H

#include "gs_symbols.h"
#include "gs_transform.h"

GS_CODE_BEGINS

/* A build for streams without noise has no code for it. */
#ifdef GS_NO_NOISE
#define GS_HAS_NOISE 0
#else
#define GS_HAS_NOISE 1
#endif

/* ---- fields ---- */

#define GS_LARGEST_MAX_NOISES 255u
#define GS_SMALLEST_NOISE_FRAME_LOG2 5u
#define GS_LARGEST_NOISE_FRAME_LOG2 9u

/* A noise as the stream has it. */
typedef struct gs_noise {
    uint32_t onset; /* first sample, counted from GS_TIME_ZERO samples before sample 0 */
    uint8_t scale;  /* 0 to 5 */
    uint8_t width;  /* 0 to 3 */
    uint8_t place;  /* on the Bark axis, of 32 >> width */
    int8_t weight;  /* -63 to 63 but not 0 */
    int8_t side[2]; /* of a panned one: side_weight and pan_weight, -63 to 63 */
} gs_noise;

static inline uint8_t gs_noise_frame_log2(const gs_info *info)
{
    return info->decoder_class.noise_frame_log2;
}

/* Samples in a frame, 0 in a stream without noise, where the logarithm is 0. */
static inline uint32_t gs_noise_frame_samples(const gs_info *info)
{
    return (uint32_t)1 << gs_noise_frame_log2(info) & ~(uint32_t)1;
}

static GS_INLINE int gs_noise_class_is_legal(const gs_class *decoder_class)
{
    if (decoder_class->max_noises == 0)
        return decoder_class->noise_frame_log2 == 0;
    return !gs_outside(decoder_class->noise_frame_log2, GS_SMALLEST_NOISE_FRAME_LOG2, GS_LARGEST_NOISE_FRAME_LOG2);
}

static inline uint32_t gs_noise_longest(const gs_info *info)
{
    return (GS_NOISE_SHORTEST_SUPPORT * gs_noise_frame_samples(info)) << (GS_NOISE_SCALES - 1);
}

static inline uint32_t gs_noise_hop_mask(const gs_info *info)
{
    return gs_noise_frame_samples(info) - 1u; /* all bits in a stream without noise, which begins nowhere */
}

GS_STATIC void gs_noise_read_header(gs_input *input, gs_info *info, uint32_t present)
{
    uint32_t bits = gs_input_number(input, 3 * present);

    info->decoder_class.noise_frame_log2 = bits & 15u;
    info->noise_shift = (uint8_t)((bits >> 4) & 15u);
    info->noise_base = (int8_t)(uint8_t)((bits >> 8) & 255u);
    info->decoder_class.max_noises = (uint8_t)(bits >> 16);
}

static GS_INLINE int gs_noise_header_is_legal(const gs_info *info)
{
    return info->decoder_class.max_noises != 0 && info->decoder_class.noise_frame_log2 <= info->slot_log2 &&
           info->noise_shift != 0;
}

/* ---- syntax ---- */

#define GS_NOISE_MOST_SCALES GS_NOISE_SCALES
#define GS_NOISE_MOST_CONTEXTS GS_NOISE_CONTEXTS

GS_STATIC_ASSERT(the_contexts_of_a_noises_scale_begin_with_more, GS_NOISE_CONTEXT_MORE == 0);

typedef struct gs_noise_syntax {
    uint8_t scales; /* 0 in a stream without noise */
    uint8_t frame_log2;
} gs_noise_syntax;

static inline uint32_t gs_noise_scales(const gs_class *decoder_class)
{
    return decoder_class->max_noises ? GS_NOISE_SCALES : 0;
}

static inline void gs_noise_start_segment(gs_noise_syntax *syntax, const gs_info *info)
{
    syntax->scales = (uint8_t)gs_noise_scales(&info->decoder_class);
    syntax->frame_log2 = info->decoder_class.noise_frame_log2;
}

/* Of so many scales. */
static inline uint32_t gs_noise_contexts(uint32_t scales)
{
    return scales ? GS_NOISE_CONTEXTS : 0;
}

GS_STATIC gs_scale gs_noise_scale(const gs_noise_syntax *syntax, uint16_t *contexts, uint32_t index)
{
    gs_scale scale;

    scale.contexts = contexts + GS_NOISE_CONTEXTS_PER_SCALE * index;
    scale.hop = (uint32_t)1 << (syntax->frame_log2 + index);
    scale.support = GS_NOISE_SHORTEST_SUPPORT * scale.hop;
    return scale;
}

/* The contexts of the places of all widths lie one after another; a tree has one less than leaves. */
GS_STATIC uint32_t gs_noise_place_context(uint32_t width)
{
    uint32_t leaves = (uint32_t)2 << GS_NOISE_PLACES_LOG2;

    return GS_NOISE_CONTEXT_PLACE + leaves - (leaves >> width) - width;
}

GS_STATIC void gs_noise_read(gs_noise_syntax *syntax, const gs_slot *slot, gs_range_coder *coder, uint16_t *contexts,
                             uint16_t *of_scale, uint32_t index, gs_noise *noise)
{
    uint32_t width = gs_read_tree(coder, of_scale + GS_NOISE_CONTEXT_WIDTH, 2);
    uint16_t *of_weight = contexts + GS_NOISE_CONTEXT_WEIGHT + width * GS_NOISE_WEIGHT_CONTEXTS;
    uint32_t minus;
    int32_t weight;

    noise->scale = (uint8_t)index;
    noise->width = (uint8_t)width;
    noise->place = (uint8_t)gs_read_tree(coder, contexts + gs_noise_place_context(width), GS_NOISE_PLACES_LOG2 - width);
    noise->onset = gs_read_onset(slot, coder, syntax->frame_log2 + index);
    minus = gs_range_bit(coder, contexts + GS_NOISE_CONTEXT_SIGN + width);
    weight = (int32_t)gs_read_gamma(coder, of_weight, of_weight + GS_NOISE_WEIGHT_EXPONENT, GS_NOISE_WEIGHT_EXPONENT);
    noise->weight = (int8_t)(minus ? -weight : weight);
}

/* Reads what a panned noise has in the side. The contexts of that lie behind the others. Bit w of `had` says of the noise
 * before in the slot, if there is one, whether it has weight w. */
GS_STATIC GS_NOINLINE void gs_noise_read_side(const gs_slot *slot, gs_range_coder *coder, uint16_t *contexts,
                                              gs_noise *noise, uint8_t *had)
{
    uint32_t before = slot->here + slot->count > 0 ? *had : 0;
    uint32_t has = 0;
    uint32_t number;

    contexts += GS_NOISE_CONTEXTS;
    for (number = 0; number < 2; number++) {
        uint16_t *of_size = contexts + GS_SIDE_WEIGHT_CONTEXT_SIZE;
        int32_t weight = 0;
        if (gs_range_bit(coder, contexts + GS_SIDE_WEIGHT_CONTEXT_PRESENT + (before >> number & 1u))) {
            uint32_t minus = gs_range_bit(coder, contexts + GS_SIDE_WEIGHT_CONTEXT_SIGN);
            weight = (int32_t)gs_read_gamma_apart(coder, of_size, of_size + GS_NOISE_WEIGHT_EXPONENT,
                                                  GS_NOISE_WEIGHT_EXPONENT);
            weight = minus ? -weight : weight;
            has |= 1u << number;
        }
        noise->side[number] = (int8_t)weight;
        contexts += GS_SIDE_WEIGHT_CONTEXTS;
        GS_OPAQUE(number);
    }
    *had = (uint8_t)has;
}

/* ---- dequantise ---- */

/* The bands of a stream's noise and the noises held. */
typedef struct gs_noise_state {
    uint32_t frame;                     /* made last, GS_NOISE_NO_FRAME before the first */
    uint16_t reciprocal[GS_BARK_BANDS]; /* of bins, as slopes need it: 65536 / bins, 0 where there is no slope */
    uint8_t bins[GS_BARK_BANDS];        /* from the centre of the band before, or 0, to that of the band */
    uint8_t bands;                      /* whose centre is below half the sample rate */
    uint8_t held;
    uint8_t exponent; /* of the frame made last; 0 for silence */
    /* then uint32_t held[max_noises], the block made last, int16_t[N], and what the next one needs of the frame made
     * last, int16_t[N / 2] */
} gs_noise_state;

#define GS_NOISE_NO_FRAME 0xFFFFFFFFu
#define GS_NOISE_LONGEST (GS_NOISE_SHORTEST_SUPPORT << (GS_NOISE_SCALES - 1)) /* frames that a noise lasts */

/* A noise held, in one number: from below the frame where it begins (15 bits, wraps), scale, width, place, weight. */
#define GS_NOISE_FRAME_BITS 15u

static GS_INLINE uint32_t gs_noise_bytes(const gs_class *decoder_class)
{
    return GS_NOISE_BYTES(decoder_class->max_noises, decoder_class->noise_frame_log2);
}

static inline uint32_t gs_noise_most(const gs_class *decoder_class)
{
    return decoder_class->max_noises;
}

static inline uint32_t *gs_noise_held(gs_noise_state *state)
{
    return (uint32_t *)(void *)((uint8_t *)state + sizeof *state);
}

static inline gs_complex *gs_noise_block(gs_noise_state *state, const gs_info *info)
{
    return (gs_complex *)(void *)(gs_noise_held(state) + info->decoder_class.max_noises);
}

static inline uint32_t gs_noise_age_of(uint32_t held, uint32_t frame)
{
    return (frame - held) & ((1u << GS_NOISE_FRAME_BITS) - 1);
}

void gs_noise_open(gs_noise_state *state, const gs_info *info);

/* Places the bands where they are at a pitch, of GS_PITCH_ONE, in samples of a rate. */
void gs_noise_place_bands(gs_noise_state *state, const gs_info *info, uint32_t pitch, uint32_t sample_rate);
void gs_noise_forget(gs_noise_state *state);

/* Holds a noise, unless it ends by time `needed`. */
void gs_noise_hold(gs_noise_state *state, const gs_info *info, const gs_noise *noise, uint32_t needed);
void gs_noise_drop_ended(gs_noise_state *state, const gs_info *info, uint32_t time);

GS_STATIC uint32_t gs_noise_frame_of(const gs_info *info, uint32_t time)
{
    return (time - GS_TIME_ZERO) >> gs_noise_frame_log2(info) & ((1u << GS_NOISE_FRAME_BITS) - 1);
}

/* In frames. */
GS_STATIC uint32_t gs_noise_support_of(uint32_t held)
{
    return (uint32_t)GS_NOISE_SHORTEST_SUPPORT << (held >> 15 & 7u);
}

#define GS_NOISE_HIGHEST_LEVEL (14 * 256 - 1)

/* Makes the levels of all bands at a time in eighths of frames. Returns the highest. */
#define GS_NOISE_TIME_LOG2 3u
int32_t gs_noise_make_levels(gs_noise_state *state, const gs_info *info, uint32_t time, int32_t *level);

/* What a noise held has in the side. */
typedef struct gs_noise_part {
    int8_t weight[2]; /* of the level of the side's own noise, and of the pan */
} gs_noise_part;

/* Above a time in eighths of frames in 32 bits, as far as the frame where a noise begins is known. */
#define GS_NOISE_TIME_UNUSED (32u - GS_NOISE_FRAME_BITS - GS_NOISE_TIME_LOG2)

/* `age` in eighths of frames. */
GS_STATIC void gs_noise_add_levels(const gs_noise_state *state, const int16_t *over_time, uint32_t held, uint32_t age,
                                   int32_t *level)
{
    uint32_t scale = held >> 15 & 7u;
    uint32_t width = held >> 18 & 3u;
    const int16_t *piece = over_time + (age >> scale);
    int32_t rest = (int32_t)(age & (((uint32_t)1 << scale) - 1));
    int32_t now = piece[0] + (((piece[1] - piece[0]) * rest) >> scale);
    int32_t peak = ((int32_t)held >> 25) * now >> 7;
    int32_t start = (2 * (int32_t)(held >> 20 & 31u) - 3) * (3 << width); /* in 1/8 Bark, as `at` */
    int32_t band = start < -4 ? 0 : (start + 4) >> 3;
    int32_t at = 8 * band + 4 - start;
    int32_t bands = ((24 << width) - at + 7) >> 3;
#if GS_WHOLE_TABLES
    uint32_t shift = width < 2 ? width + 1 : 3;
    const uint16_t *over_bark = gs_noise_profile + GS_NOISE_PROFILE_OF_WIDTH * width + (at >> shift);
#endif

    GS_ASSERT(at > 0);
    if (bands > state->bands - band)
        bands = state->bands - band;
    if (bands <= 0)
        return;
    level += band;
#if GS_WHOLE_TABLES
    shift = 8u >> shift;
#endif
    do {
#if GS_WHOLE_TABLES
        int32_t bark = *over_bark;
        over_bark += shift;
#else
        int32_t bark = (at * 341) >> width;
        piece = gs_envelope + (bark >> 8);
        bark = piece[0] + (((piece[1] - piece[0]) * (bark & 255)) >> 8);
        at += 8;
#endif
#if GS_PAIRED
        *level = __smlawb(peak, bark, *level);
#else
        *level += peak * bark >> 16;
#endif
        level++;
        GS_OPAQUE(bands);
    } while (--bands > 0);
}

/* ---- render ---- */

/* By how much levels are raised for an exponent. */
static inline int32_t gs_noise_raised_by(const gs_info *info, int32_t exponent)
{
    return (16 - exponent - (gs_noise_frame_log2(info) & 1)) * 256;
}

static GS_INLINE int32_t gs_noise_amplitude_of(const uint16_t *gain, uint32_t line)
{
    int32_t amplitude = (int32_t)((uint32_t)gain[(line >> 11) % GS_GAIN_STEPS] << (line >> 16) >> 15);
    GS_ASSERT(line >= 0xFF00 && amplitude < 32768);
    return amplitude;
}

/* An amplitude with the sign of `sign`. */
static GS_INLINE int16_t gs_noise_signed_by(uint32_t sign, int32_t amplitude)
{
    return (int16_t)(amplitude ^ (int32_t)sign >> 31);
}

/* Where a frame's generator starts: Knuth's multiplicative hash of its number, 2^32 by the golden ratio, and the first
 * steps of MurmurHash3's finaliser (Appleby). */
static GS_INLINE uint32_t gs_noise_random_of(uint32_t frame)
{
    uint32_t hash = (frame + 1) * 0x9E3779B9u;

    hash ^= hash >> 16;
    hash *= 0x85EBCA6Bu;
    return hash ^ hash >> 13;
}

/* Linear congruential, of Numerical Recipes with Knuth's multiplier. */
static GS_INLINE uint32_t gs_noise_next_random(uint32_t random)
{
    return random * 1664525u + 1013904223u;
}

/* Where a residual refines the noise: a part of the bins between the centres of two bands, before the first or after the
 * last. Parts without bins are left out. */
typedef struct gs_noise_cell {
    uint16_t bins;
    int16_t offset; /* of their levels */
    int16_t step;   /* of the residual's alone */
} gs_noise_cell;

/* Within what a level may be. */
static inline int32_t gs_noise_limited_level(int32_t level)
{
    return level < 0 ? 0 : level > GS_NOISE_HIGHEST_LEVEL ? GS_NOISE_HIGHEST_LEVEL : level;
}

#define GS_NOISE_LINE_END ((GS_NOISE_HIGHEST_LEVEL + 1) * 256)

/* Within what a level may be; both in 1/256 of it. */
static GS_INLINE int32_t gs_noise_limited(int32_t line)
{
    if ((uint32_t)line >= GS_NOISE_LINE_END)
        line = line < 0 ? 0 : GS_NOISE_LINE_END - 256;
    return line;
}

/* Where a spectrum is being written: the complex numbers of the transform, in bit-reversed order; X[2k] is the real part
 * of number k, X[2k + 1] the imaginary one of the k-th from the end. */
typedef struct gs_noise_place {
    uint32_t random; /* of the last pair begun */
    uint32_t at;     /* bytes from first to the real part, and back from last to the imaginary one */
    uint32_t step;   /* of `at` */
    uint32_t left;   /* bins to come; of an odd number the first is an imaginary part */
    uint8_t *first;
    uint8_t *last;
    const uint16_t *gain;
} gs_noise_place;

GS_STATIC gs_noise_place gs_noise_place_of(const gs_info *info, uint32_t frame, gs_complex *z)
{
    uint32_t size = (uint32_t)sizeof *z << (gs_noise_frame_log2(info) - 1); /* in bytes */
    gs_noise_place place;

    place.random = gs_noise_random_of(frame);
    place.at = 0;
    place.step = gs_reversed_step(size);
    place.left = size >> 1;
    place.first = (uint8_t *)z;
    place.last = (uint8_t *)(z + place.left / 2) - sizeof(int16_t);
    place.gain = gs_gain;
    return place;
}

/* Makes `bins` bins of noise, 1 or more, whose levels, in 1/256, begin at `line`. */
static GS_INLINE void gs_noise_fill(gs_noise_place *place, uint32_t bins, uint32_t line, uint32_t slope)
{
    const uint16_t *gain = place->gain;
    uint32_t random = place->random;
    uint32_t at = place->at;

    place->left -= bins;
    if ((place->left + bins) & 1u)
        goto second_of_pair; /* the first was the last bin before */
    do {
        random = gs_noise_next_random(random);
        *(int16_t *)(void *)(place->first + at) = gs_noise_signed_by(random, gs_noise_amplitude_of(gain, line));
        line += slope;
        if (--bins == 0)
            break;
    second_of_pair:
        *(int16_t *)(void *)(place->last - at) = gs_noise_signed_by(random << 1, gs_noise_amplitude_of(gain, line));
        line += slope;
        at = gs_next_reversed(at, place->step);
        GS_OPAQUE(bins);
    } while (--bins > 0);
    place->random = random;
    place->at = at;
}

/* The same once for all, for the size of the code. Returns where the last bin is. */
int16_t *gs_noise_fill_apart(gs_noise_place *place, uint32_t bins, uint32_t line, uint32_t slope);

#ifdef __OPTIMIZE_SIZE__
#define GS_NOISE_FILL (void)gs_noise_fill_apart
#else
#define GS_NOISE_FILL gs_noise_fill
#endif
void gs_noise_clear(gs_complex *z, uint32_t count);

/* As if silence had been before. */
void gs_noise_forget_older(gs_noise_state *state, const gs_info *info);

/* Makes the spectrum of a frame from the levels of its bands, which are raised by `up`. */
void gs_noise_make_spectrum(const gs_noise_state *state, const gs_info *info, uint32_t frame, const int32_t *level,
                            int32_t up, gs_complex *z);

/* Makes the spectrum of a frame. Returns its block exponent: that of its highest level, 0 for silence. */
int32_t gs_noise_make_frame(gs_noise_state *state, const gs_info *info, uint32_t frame, gs_complex *z);

/* Makes the block before a frame of which the spectrum lies in `z`, where the one before had exponent `old`. */
GS_STATIC void gs_noise_overlap(const gs_info *info, gs_complex *z, int32_t old, int32_t exponent)
{
    int32_t higher = exponent > old ? exponent : old;
    gs_mdct_scaling scaling;

    scaling.fresh = (uint32_t)(14 + higher - exponent);
    scaling.old = (uint32_t)(higher - old);
    scaling.samples = 24 + info->noise_shift - (gs_noise_frame_log2(info) >> 1) - higher;
    scaling.is_silent = exponent == 0;
    gs_inverse_mdct(z, gs_noise_frame_log2(info), &scaling);
}

/* Makes the block before the frame whose spectrum lies there, with its exponent; and that of the side, if it is given. */
void gs_noise_make_block(gs_noise_state *state, const gs_info *info, int32_t exponent);

/* Returns the noise from sample `position` to the end of its block, in output steps. */
const int16_t *gs_noise_render(gs_noise_state *state, const gs_info *info, uint32_t position);

/* ---- cost ---- */

/* No noise is left out for a budget. */

GS_CODE_ENDS

#endif
