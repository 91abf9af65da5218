/* SPEC 4: a tone, a wave under a Gaussian envelope. */
#ifndef GS_TONE_H
#define GS_TONE_H

#include "gs_symbols.h"

GS_CODE_BEGINS

#define GS_HAS_TONE 1 /* in every build, for they are in every stream */

/* ---- fields ---- */

#define GS_MAX_SCALE 11u
#define GS_LARGEST_MAX_TONES 4096u
#define GS_LARGEST_SCALES GS_MAX_SCALES

/* A tone as the stream has it. */
typedef struct gs_tone {
    uint32_t onset;     /* first sample, counted from GS_TIME_ZERO samples before sample 0 */
    uint16_t bin;       /* of 16 << scale */
    uint16_t amplitude; /* index, 1 to 4095 */
    uint16_t phase;     /* index, of 1 << phase_bits */
    uint8_t phase_bits;
    uint8_t scale;
    uint16_t side_amplitude; /* of a panned one: index, 0 for none, to 1023 */
    uint16_t side_phase;     /* as phase, by its own amplitude's bits */
} gs_tone;

static inline uint32_t gs_tone_support(uint32_t scale)
{
    return (uint32_t)32 << scale;
}

static GS_INLINE int gs_tone_class_is_legal(const gs_class *decoder_class)
{
    return !gs_outside(decoder_class->max_tones, 1, GS_LARGEST_MAX_TONES) &&
           !gs_outside(decoder_class->scales, 1, GS_MAX_SCALES);
}

static inline uint32_t gs_tone_longest(const gs_info *info)
{
    return gs_tone_support(info->smallest_scale + info->decoder_class.scales - 1u);
}

static inline uint32_t gs_tone_hop_mask(const gs_info *info)
{
    return ((uint32_t)8 << info->smallest_scale) - 1u;
}

/* Not more than 65535 are told apart: that many are too many. */
GS_STATIC void gs_tone_read_header(gs_input *input, gs_info *info, uint32_t present)
{
    uint32_t bits = gs_input_byte(input);

    (void)present; /* always */
    info->smallest_scale = bits & 15u;
    info->decoder_class.scales = (uint8_t)(1u + (bits >> 4));
    bits = gs_input_number(input, 2);
    info->amplitude_step = bits & 0x7FFu;
    info->output_shift = (uint8_t)(bits >> 11);
    info->decoder_class.max_tones = (uint16_t)gs_least(gs_input_varint(input), 65535);
}

static GS_INLINE int gs_tone_header_is_legal(const gs_info *info)
{
    return info->smallest_scale + info->decoder_class.scales <= GS_MAX_SCALE + 1u && info->amplitude_step != 0 &&
           info->output_shift <= 16;
}

/* ---- syntax ---- */

#define GS_TONE_MOST_SCALES GS_MAX_SCALES
#define GS_TONE_MOST_CONTEXTS (GS_MAX_SCALES * GS_TONE_CONTEXTS_PER_SCALE)

GS_STATIC_ASSERT(the_contexts_of_a_tones_scale_begin_with_more, GS_TONE_CONTEXT_MORE == 0);

typedef struct gs_tone_syntax {
    uint16_t bin; /* of the last tone of the current scale */
    uint8_t scales;
    uint8_t smallest_scale;
} gs_tone_syntax;

static inline uint32_t gs_tone_scales(const gs_class *decoder_class)
{
    return decoder_class->scales;
}

static inline void gs_tone_start_segment(gs_tone_syntax *syntax, const gs_info *info)
{
    syntax->scales = (uint8_t)gs_tone_scales(&info->decoder_class);
    syntax->smallest_scale = info->smallest_scale;
}

/* Of so many scales. */
static inline uint32_t gs_tone_contexts(uint32_t scales)
{
    return GS_TONE_CONTEXTS_PER_SCALE * scales;
}

GS_STATIC gs_scale gs_tone_scale(const gs_tone_syntax *syntax, uint16_t *contexts, uint32_t index)
{
    gs_scale scale;

    scale.contexts = contexts + GS_TONE_CONTEXTS_PER_SCALE * index;
    scale.hop = (uint32_t)8 << (syntax->smallest_scale + index);
    scale.support = gs_tone_support(syntax->smallest_scale + syntax->scales - 1u);
    return scale;
}

GS_STATIC uint32_t gs_tone_phase_bits(uint32_t amplitude)
{
    uint32_t i = 0;

    while (i < GS_PHASE_LIMITS && amplitude >= gs_phase_limits[i])
        i++;
    return GS_FEWEST_PHASE_BITS + i;
}

GS_STATIC void gs_tone_read(gs_tone_syntax *syntax, const gs_slot *slot, gs_range_coder *coder, uint16_t *contexts,
                            uint16_t *of_scale, uint32_t index, gs_tone *tone)
{
    uint32_t scale = syntax->smallest_scale + index;
    uint16_t *of_bin = of_scale + (slot->count ? GS_TONE_CONTEXT_NEXT_BIN : GS_TONE_CONTEXT_FIRST_BIN);
    uint16_t *of_amplitude = of_scale + GS_TONE_CONTEXT_AMPLITUDE;
    uint32_t last = slot->count ? syntax->bin : 0;
    uint32_t bin = last + gs_read_gamma(coder, of_bin, of_bin + GS_GAMMA_LENGTHS, scale + 4) - 1;

    (void)contexts;
    if (bin >= gs_tone_support(scale) / 2 && !coder->input.error)
        coder->input.error = GS_ERR_CORRUPT;
    tone->scale = (uint8_t)scale;
    tone->bin = syntax->bin = (uint16_t)bin;
    tone->onset = gs_read_onset(slot, coder, scale + 3);
    tone->amplitude =
        (uint16_t)gs_read_gamma(coder, of_amplitude, of_amplitude + GS_GAMMA_LENGTHS, GS_TONE_AMPLITUDE_EXPONENT);
    tone->phase_bits = (uint8_t)gs_tone_phase_bits(tone->amplitude);
    tone->phase = (uint16_t)gs_range_direct(coder, tone->phase_bits);
}

/* Reads the side of a panned tone. The contexts of sides lie before those of the scales. `had` says of the tone before in
 * the slot, if there is one, whether it has a side. */
GS_STATIC GS_NOINLINE void gs_tone_read_side(const gs_slot *slot, gs_range_coder *coder, uint16_t *contexts,
                                             gs_tone *tone, uint8_t *had)
{
    uint32_t of_class = tone->phase_bits - GS_FEWEST_PHASE_BITS;
    uint32_t before = slot->here + slot->count > 0 && *had;
    uint16_t *of_amplitude;

    contexts -= GS_TONE_SIDE_CONTEXTS;
    of_amplitude = contexts + GS_SIDE_CONTEXT_AMPLITUDE + (of_class >> 1) * GS_SIDE_AMPLITUDE_CONTEXTS;
    tone->side_amplitude = 0;
    tone->side_phase = 0;
    *had = (uint8_t)gs_range_bit(coder, contexts + GS_SIDE_CONTEXT_PRESENT + GS_SIDE_CLASSES * before + of_class);
    if (!*had)
        return;
    tone->side_amplitude = (uint16_t)gs_read_gamma_apart(coder, of_amplitude, of_amplitude + GS_SIDE_AMPLITUDE_EXPONENT,
                                                         GS_SIDE_AMPLITUDE_EXPONENT);
    tone->side_phase = (uint16_t)gs_range_direct(coder, gs_tone_phase_bits(tone->side_amplitude));
}

/* ---- dequantise ---- */

/* A tone as it is rendered: times are in samples of its octave. */
typedef struct gs_held_tone {
    uint32_t onset;
    uint16_t phase;     /* at the onset, rounding of the cosine's index included; 65536 a turn */
    uint16_t increment; /* phase a sample */
    uint16_t amplitude; /* Q15 */
    uint8_t scale;
    uint8_t octave; /* a sample of it is 1 << octave samples of the clip */
} gs_held_tone;

void gs_tone_dequantise(const gs_tone *tone, uint32_t amplitude_step, gs_held_tone *held);

/* The step of a scale's amplitudes. */
static inline uint32_t gs_tone_step(uint32_t scale, uint32_t amplitude_step)
{
    return scale & 1u ? (amplitude_step * GS_HALF_SQRT2_Q16 + 2048u) >> 12 : 16u * amplitude_step;
}

/* What a tone held has of the side (SPEC 10). */
typedef struct gs_side {
    uint16_t amplitude; /* 0: none */
    uint16_t turned;    /* by which its phase is ahead of the tone's */
} gs_side;

GS_STATIC gs_held_tone gs_tone_side(const gs_held_tone *held, const gs_side *side)
{
    gs_held_tone tone = *held;

    tone.amplitude = side->amplitude;
    tone.phase = (uint16_t)(tone.phase + side->turned);
    return tone;
}

/* ---- render ---- */

/* An octave's samples that the next block still needs from the block before. */
#define GS_OCTAVE_HISTORY (2u * GS_HALF_BAND_TAPS - 1u)

/* The tones held, and a block of every octave in quarters of an output step. Octave d is 8 * (2^d - 1) samples of the
 * clip ahead of octave 0, as far as the filters look ahead. The samples wrap: they are uint32_t for that. */
typedef struct gs_tone_state {
    uint32_t octave_3[GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 8u];
    uint32_t octave_2[GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 4u];
    uint32_t octave_1[GS_OCTAVE_HISTORY + GS_BLOCK_SAMPLES / 2u];
    uint32_t octave_0[GS_BLOCK_SAMPLES];
    uint32_t held;
    /* then gs_held_tone[max_tones] */
} gs_tone_state;

static inline gs_held_tone *gs_tone_held(gs_tone_state *state)
{
    return (gs_held_tone *)(void *)(state + 1);
}

static inline uint32_t gs_tone_bytes(const gs_class *decoder_class)
{
    return GS_TONE_BYTES(decoder_class->max_tones);
}

static inline uint32_t gs_tone_most(const gs_class *decoder_class)
{
    return decoder_class->max_tones;
}

GS_STATIC void gs_tone_open(gs_tone_state *state, const gs_info *info)
{
    (void)state; /* what is in it is forgotten when the first block sounds */
    (void)info;
}

static inline void gs_tone_forget(gs_tone_state *state)
{
    state->held = 0;
}

/* Holds a tone, unless it ends by time `needed`. */
GS_STATIC void gs_tone_hold(gs_tone_state *state, const gs_info *info, const gs_tone *tone, uint32_t needed)
{
    if (tone->onset + gs_tone_support(tone->scale) > needed)
        gs_tone_dequantise(tone, info->amplitude_step, gs_tone_held(state) + state->held++);
}

GS_STATIC void gs_tone_drop_ended(gs_tone_state *state, const gs_info *info, uint32_t time)
{
    gs_held_tone *held = gs_tone_held(state);
    uint32_t i = 0;

    (void)info;
    while (i < state->held) {
        if ((held[i].onset + gs_tone_support(held[i].scale)) << held[i].octave <= time)
            held[i] = held[--state->held];
        else
            i++;
    }
}

/* Makes the block of all tones held that begins at `time`, a multiple of GS_BLOCK_SAMPLES, or of the strongest ones
 * that cost `budget` MACs a sample. What was made before a jump is forgotten after GS_WARM_UP_BLOCKS blocks. */
void gs_tone_render(gs_tone_state *state, uint32_t time, uint32_t output_shift, uint32_t budget);

/* Where the sides of tones are, and a block of all of them, whose own tones are none. */
typedef struct gs_sides {
    const gs_side *of_tones;
    gs_tone_state *sums;
    void (*render)(gs_tone_state *state, const struct gs_sides *sides, uint32_t time, uint32_t output_shift,
                   uint32_t budget); /* gs_tone_render of both */
} gs_sides;

/* Its first and its last step: give all octaves their start, `half`, and make octave 0 of them all. */
void gs_tone_start_block(gs_tone_state *state, uint32_t half);
void gs_tone_end_block(gs_tone_state *state, uint32_t shift);

/* What a tone has beside a gs_held_tone where the clip is played at a pace of its own (SPEC 9.5). As it is rendered the
 * gs_held_tone has its scale as encoded in any octave, and onset and phase here are those that it was encoded with; onset,
 * phase and octave are exchanged while Gaussians are decoded. */
typedef struct gs_stretched_tone {
    uint32_t onset;
    uint16_t phase;
    int8_t stretch; /* log2 of what its support is stretched by, in 1/32 */
    uint8_t rest;   /* bits 2-7: how far its onset lies before its first sample, in 1/64; bits 0-1: the octave */
} gs_stretched_tone;

/* The envelope of tones of a size, that is the logarithm of the samples of a straight piece to the base of 2, in 1/32. */
typedef struct gs_stretch {
    int32_t size;
    uint32_t length;  /* of a straight piece, in 1/256 samples */
    int32_t back;     /* by which a slope over a piece becomes one over a sample.. */
    uint32_t down;    /* ..and then shifted */
    uint32_t inverse; /* of the length, together with two shifts, a little too small */
    uint32_t before;
    uint32_t after;
} gs_stretch;

void gs_stretch_set(gs_stretch *stretch, int32_t size);

/* A size that none has. */
#define GS_STRETCH_NONE INT32_MAX

/* The size of a tone that is rendered in an octave. */
static inline int32_t gs_stretch_size(const gs_held_tone *held, const gs_stretched_tone *tone, uint32_t octave)
{
    return 32 * (held->scale - (int32_t)octave) + tone->stretch;
}

/* How far the onset of a tone lies before its first sample, in 1/256. */
static inline uint32_t gs_stretch_late(const gs_stretched_tone *tone)
{
    return tone->rest & 0xFCu;
}

/* How many samples a tone has that is so late. */
static inline uint32_t gs_stretch_samples(const gs_stretch *stretch, uint32_t late)
{
    return (32 * stretch->length - late + 255) >> 8;
}

/* gs_tone_render of tones that have these stretches, and of their sides unless `sides` is NULL. */
void gs_tone_render_stretched(gs_tone_state *state, const gs_stretched_tone *tone, const gs_sides *sides, uint32_t time,
                              uint32_t output_shift, uint32_t budget);

/* ---- cost ---- */

/* Of all tones in the block that begins at `time`, and of their sides unless `side` is NULL. */
uint32_t gs_tone_macs(const gs_tone_state *state, const gs_side *side, uint32_t time);

/* The least strength of which all tones of a block fit the budget, by what those of each strength cost. */
uint32_t gs_tone_affordable(const uint32_t *costs, uint32_t budget);

/* A sample: more than 4096 tones of the shortest support take. */
#define GS_MORE_THAN_ALL_MACS (1u << 16)

#define GS_LARGEST_BUDGET 65534u
#define GS_UNLIMITED 65535u

GS_CODE_ENDS

#endif
