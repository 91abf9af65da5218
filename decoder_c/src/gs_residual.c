#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_residual.h"

#include "gs_transform.h"

/* ---- fields ---- */

#define GS_RESIDUAL_VALUES_AT offsetof(gs_residual_state, values)

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_a_residual,
                 sizeof(gs_residual_state) == GS_RESIDUAL_BYTES(1u, 0u) - 1u);
GS_STATIC_ASSERT(a_zero_fits_behind_the_values, GS_RESIDUAL_VALUES_AT < sizeof(gs_residual_state));
GS_STATIC_ASSERT(the_public_header_has_room_for_the_header, sizeof((gs_info *)0)->residual == GS_RESIDUAL_HEADER_BYTES);

#define GS_RESIDUAL_LEVEL_FRAMES 4u /* for which a fine level holds */
#define GS_RESIDUAL_LEAST_FINE 128  /* level of the noise from which on a cell has fine ones */
#define GS_RESIDUAL_LEAST_STEP 256
#define GS_RESIDUAL_LOUDNESS 179 /* of 256: the step follows the level to the power of 0.7 */
#define GS_RESIDUAL_QUIET 132    /* 256 log2(1 / 0.7), which a step is finer by in quiet frames */
#define GS_RESIDUAL_LOW_INTERVAL 8u
#define GS_RESIDUAL_HIGH_INTERVAL 16u
#define GS_RESIDUAL_NO_TONE (-32768)
#define GS_RESIDUAL_HIGHEST_EXPONENT 14

static uint8_t *gs_residual_values(gs_residual_state *state)
{
    return (uint8_t *)state + GS_RESIDUAL_VALUES_AT;
}

/* The first interval with fine levels. */
static uint32_t gs_residual_fine_from(const gs_info *info)
{
    return info->residual[3] & 31u;
}

static int32_t gs_residual_level_step(const gs_info *info)
{
    return info->residual[1] & 16 ? 171 : 128;
}

/* Until a cell has its step and its offset, the first one of an interval has the level of the interval's width, and that
 * of its loudest tone. */
typedef struct gs_residual_cell {
    uint16_t end;   /* the bin after its last */
    int16_t step;   /* level of a coefficient of 1 */
    int16_t offset; /* of the noise's level; while the frame is read, the residual's level */
} gs_residual_cell;

/* What reading and making a frame takes, and the frame itself. */
typedef struct gs_residual_frame {
    gs_residual_state *state;
    const gs_info *info;
    gs_range_coder *coder;
    gs_tone_state *tone;
    gs_noise_state *noise;
    gs_residual_cell *cell_end;
    int32_t exponent;                         /* the highest one, at first of the coefficients */
    int32_t level[GS_RESIDUAL_INTERVALS + 1]; /* of the noise where intervals begin, and where the last one ends */
    gs_residual_cell cell[GS_RESIDUAL_CELLS];
} gs_residual_frame;

/* 256 times the logarithm of a number from 1 to 2^24 to the base of 2, in straight lines between powers of 2. */
#if defined(__thumb2__) && defined(__GNUC__)
static GS_INLINE int32_t gs_residual_log2(uint32_t number)
{
    uint32_t zeros;

    __asm__("clz %0, %1" : "=r"(zeros) : "r"(number));
    return (int32_t)(256 * (31 - zeros) + (number << zeros >> 23 & 255u));
}
#else
static GS_NOINLINE int32_t gs_residual_log2(uint32_t number)
{
    uint32_t line = number << 8;
    int32_t level = -256;

    while (line >> 9) {
        line >>= 1;
        level += 256;
    }
    return level + (int32_t)line;
}
#endif

/* ---- syntax ---- */

void gs_residual_start_segment(gs_residual_state *state, const gs_info *info, uint32_t time)
{
    uint8_t *zero = &state->is_coded;
    const uint8_t *end = gs_residual_values(state) + gs_noise_frame_samples(info);
    uint32_t neighbourhood = 0;
    uint32_t i;

    state->segment_time = time;
    do
        *zero = 0;
    while (zero++ < end);
    for (i = 0; i < GS_RESIDUAL_CONTEXTS; i++) {
        uint32_t probability = 1024;
        if (i < GS_RESIDUAL_CONTEXT_ZERO ||
            i - GS_RESIDUAL_CONTEXT_LEVEL_SIGN < GS_RESIDUAL_CONTEXT_LEVEL_MAGNITUDE - GS_RESIDUAL_CONTEXT_LEVEL_SIGN) {
            probability = 2048;
        } else if (i < GS_RESIDUAL_CONTEXT_MAGNITUDE) {
            neighbourhood = neighbourhood < GS_RESIDUAL_NEIGHBOURHOODS ? neighbourhood + 1 : 1;
            probability = 128 * neighbourhood;
        }
        state->contexts[i] = (uint16_t)(probability << 4);
    }
}

/* 1 and up; all that is longer than the contexts go has the last one. */
static GS_NOINLINE uint32_t gs_residual_read_unary(gs_range_coder *coder, uint16_t *contexts, uint32_t count)
{
    uint32_t value = 1;

    while (value < GS_RESIDUAL_LONGEST_UNARY && gs_range_bit(coder, contexts + gs_least(value, count) - 1))
        value++;
    return value;
}

/* Reads the change of a cell's fine level, behind that of the cell below. Returns it. */
static int32_t gs_residual_read_change(const gs_residual_frame *frame, int8_t *fine, int32_t below)
{
    uint16_t *contexts = frame->state->contexts;
    uint32_t near = gs_least((uint32_t)(*fine < 0 ? -*fine : *fine), 3) + 2u * (below != 0);
    int32_t change = 0;

    if (gs_range_bit(frame->coder, contexts + GS_RESIDUAL_CONTEXT_LEVEL_ZERO + near)) {
        int32_t sign = (below > 0) - (below < 0);
        uint32_t minus = gs_range_bit(frame->coder, contexts + GS_RESIDUAL_CONTEXT_LEVEL_SIGN + 1 + sign);
        change = (int32_t)gs_residual_read_unary(frame->coder, contexts + GS_RESIDUAL_CONTEXT_LEVEL_MAGNITUDE, 2);
        if (minus)
            change = -change;
    }
    *fine = (int8_t)((*fine >> 1) + change);
    return change;
}

/* Reads a coefficient that is not 0, as it is kept. */
static uint32_t gs_residual_read_value(gs_residual_frame *frame, uint32_t around, int32_t step)
{
    uint16_t *contexts =
        frame->state->contexts + GS_RESIDUAL_CONTEXT_MAGNITUDE + (around > 2 ? GS_RESIDUAL_MAGNITUDES : 0);
    uint32_t value = gs_residual_read_unary(frame->coder, contexts, GS_RESIDUAL_MAGNITUDES);
    int32_t exponent = gs_residual_log2(value << (step >> 8)) >> 8;

    if (frame->exponent <= exponent)
        frame->exponent = exponent < GS_RESIDUAL_HIGHEST_EXPONENT ? exponent + 1 : GS_RESIDUAL_HIGHEST_EXPONENT;
    return gs_least(value, 2) << 5 | value << 1 | gs_range_direct(frame->coder, 1);
}

/* What a coefficient, as it is kept, counts for those around it. */
static GS_INLINE uint32_t gs_residual_weight_of(uint32_t value)
{
    return value >> 5;
}

/* Turns the levels of the cells into offsets and reads their coefficients, in place of those of the frame before. */
static GS_NOINLINE void gs_residual_read_values(gs_residual_frame *frame, int32_t loudest)
{
    gs_residual_state *state = frame->state;
    const uint8_t *part = frame->info->residual;
    uint8_t *at = gs_residual_values(state);
    const uint8_t *values = at;
    const int8_t *fine = state->fine;
    uint32_t before = 0; /* weights: of the coefficient before, of the one before that, and of the last frame's */
    uint32_t second = 0;
    uint32_t last_before = 0;
    uint32_t last = gs_residual_weight_of(*at);
    int32_t level_step = gs_residual_level_step(frame->info);
    int32_t quiet = loudest < 16 * part[4] ? GS_RESIDUAL_QUIET : 0;
    uint32_t coded = 2 * gs_residual_coded(frame->info); /* cells */
    gs_residual_cell *cell;

    state->is_coded =
        (uint8_t)gs_range_bit(frame->coder, state->contexts + GS_RESIDUAL_CONTEXT_FRAME + state->is_coded);
    for (cell = frame->cell; cell < frame->cell_end; cell++, fine++, coded--) {
        const uint8_t *end = values + cell->end;
        uint16_t *contexts = NULL;
        int32_t step = cell->step - quiet;
        int32_t offset = *fine * level_step;
        int32_t ratio;
        if (at == end)
            continue;
        if (step < GS_RESIDUAL_LEAST_STEP)
            step = GS_RESIDUAL_LEAST_STEP;
        if (step > GS_NOISE_HIGHEST_LEVEL)
            step = GS_NOISE_HIGHEST_LEVEL;
        ratio = cell->offset - step - GS_RESIDUAL_FIRST_RATIO;
        if (ratio > 0 && (int32_t)coded > 0) {
            uint32_t of_class = gs_least((uint32_t)ratio >> 7, GS_RESIDUAL_CLASSES - 1);
            offset -= 8 * gs_residual_cut[of_class] + (part[1] & 0xE0);
            if (state->is_coded)
                contexts = state->contexts + GS_RESIDUAL_CONTEXT_ZERO + GS_RESIDUAL_NEIGHBOURHOODS * of_class;
        }
        cell->step = (int16_t)step;
        cell->offset = (int16_t)offset;
        if (!contexts) {
            second = end - at == 1 ? before : 0;
            before = 0;
            last_before = gs_residual_weight_of(end[-1]);
            last = gs_residual_weight_of(*end);
            do
                *at++ = 0;
            while (at < end);
            continue;
        }
        do {
            uint32_t next = gs_residual_weight_of(at[1]);
            uint32_t around = 2 * (last + before) + last_before + second + next;
            uint32_t value = 0;
            if (around > 2)
                around = gs_least((around + 3) >> 1, GS_RESIDUAL_NEIGHBOURHOODS - 1);
            if (gs_range_bit(frame->coder, contexts + around))
                value = gs_residual_read_value(frame, around, step);
            *at++ = (uint8_t)value;
            second = before;
            before = gs_residual_weight_of(value);
            last_before = last;
            last = next;
        } while (at < end);
    }
}

/* ---- dequantise ---- */

static void gs_residual_make_cells(gs_residual_frame *frame)
{
    const uint8_t *bins = frame->noise->bins;
    const uint8_t *bins_end = bins + frame->noise->bands;
    gs_residual_cell *cell = frame->cell;
    uint32_t fine_from = gs_residual_fine_from(frame->info);
    uint32_t size = gs_noise_frame_samples(frame->info);
    uint32_t begin = 0;

    do {
        uint32_t end = bins < bins_end ? begin + *bins : size;
        cell[0].end = (uint16_t)(cell < frame->cell + 2 * fine_from ? end : (begin + end) >> 1);
        cell[1].end = (uint16_t)end;
        cell->step = (int16_t)(gs_residual_log2(end - begin + (end == begin)) >> 1);
        cell->offset = GS_RESIDUAL_NO_TONE;
        cell += 2;
        begin = end;
    } while (bins++ < bins_end);
    frame->cell_end = cell;
    frame->exponent = 0;
}

static GS_NOINLINE void gs_residual_make_levels(gs_residual_frame *frame)
{
    int32_t *level = frame->level;
    const gs_residual_cell *cell = frame->cell;
    uint32_t begin = 0;

    (void)gs_noise_make_levels(frame->noise, frame->info, frame->state->frame, level + 1);
    level[0] = level[1];
    do {
        if (cell[1].end == begin && level[1] < level[0])
            level[1] = level[0];
        begin = cell[1].end;
        cell += 2;
        level++;
    } while (cell + 2 < frame->cell_end);
    level[1] = level[0];
}

/* Raises the levels of the intervals that a tone lasts in, at bins around its place. */
static GS_INLINE void gs_residual_add_tone(gs_residual_frame *frame, uint32_t place, uint32_t half, int32_t level)
{
    int32_t narrow = gs_residual_log2(2 * half) >> 1;
    gs_residual_cell *cell = frame->cell;

    while (cell[1].end + half <= place)
        cell += 2;
    do {
        int32_t here = level - (narrow > cell->step ? narrow : cell->step);
        if (cell->offset < here)
            cell->offset = (int16_t)here;
        cell += 2;
    } while (cell < frame->cell_end && cell[-1].end <= place + half);
}

/* Makes the level of the loudest tone of each interval. */
static GS_NOINLINE void gs_residual_add_tones(gs_residual_frame *frame)
{
    const gs_info *info = frame->info;
    const gs_held_tone *held = gs_tone_held(frame->tone);
    const gs_held_tone *end = held + frame->tone->held;
    uint32_t n = gs_noise_frame_log2(info);
    uint32_t centre = (frame->state->frame << n) + GS_TIME_ZERO;
    int32_t loudest = 128 * (2 * info->noise_shift - 6 + (int32_t)((n - 1) & ~1u)) - 256 * info->output_shift;

    for (; held < end; held++) {
        uint32_t octave = held->octave;
        uint32_t onset = held->onset << octave;
        uint32_t ratio = held->scale + octave + 5u - n - (uint32_t)GS_RESIDUAL_SHORTEST_SCALE;
        uint32_t support = gs_tone_support(held->scale) << octave;
        uint32_t size = (uint32_t)1 << n;
        uint32_t away = 2 * (onset - centre) + support;
        if ((int32_t)away < 0)
            away = 0 - away;
        if (onset < frame->state->segment_time || away >= support + 2 * size || held->amplitude == 0)
            continue;
        away >>= (ratio > 4 ? n + ratio - 4 : n) - 4;
        gs_residual_add_tone(frame, held->increment >> (15 + octave - n), 1 + (3 * size >> (n + ratio - 4)),
                             loudest + gs_residual_log2(held->amplitude) + gs_residual_share[ratio] -
                                 (int32_t)(gs_residual_curvature[ratio] * away * away >> 4));
    }
}

/* How far the noise of an interval is under the residual. */
static int32_t gs_residual_lift(const gs_info *info, uint32_t interval)
{
    int32_t low = info->residual[2] >> 5;
    int32_t high = info->residual[3] >> 5;
    uint32_t place = interval < GS_RESIDUAL_LOW_INTERVAL ? 0 : interval - GS_RESIDUAL_LOW_INTERVAL;

    place = gs_least(place, GS_RESIDUAL_HIGH_INTERVAL - GS_RESIDUAL_LOW_INTERVAL);
    return 64 * low + 8 * (high - low) * (int32_t)place;
}

/* Makes the step of each cell, and its level, from the levels of bands and tones; reads the fine levels that change
 * them. Returns the loudest level. */
static GS_NOINLINE int32_t gs_residual_make_steps(gs_residual_frame *frame)
{
    const gs_info *info = frame->info;
    gs_residual_cell *cell = frame->cell;
    const int32_t *level = frame->level;
    int8_t *fine = frame->state->fine;
    int32_t level_step = gs_residual_level_step(info);
    int32_t loudest = 0;
    int32_t tone = 0;
    int32_t lift = 0;
    int32_t base = 0;
    int32_t change = 0;
    uint32_t bin = 0;
    uint32_t number = 0;

    for (; cell < frame->cell_end; cell++, fine++, number++) {
        uint32_t bins = cell->end - bin;
        int32_t is_refined = number >= 2 * gs_residual_fine_from(info);
        int32_t own = level[0] + level[1];
        int32_t total;
        own = (own + (is_refined ? 2 * level[number & 1u] : own)) >> 2;
        if ((number & 1u) == 0) {
            uint32_t pitch = bin + cell[1].end;
            tone = cell->offset;
            lift = gs_residual_lift(info, number >> 1);
            base = 8 * info->residual[0] - 512 + ((info->residual[1] & 15) * gs_residual_log2(pitch + !pitch) >> 4);
        } else {
            level++;
        }
        if (frame->state->frame % GS_RESIDUAL_LEVEL_FRAMES == 0) {
            if (is_refined && bins > 0 && own >= GS_RESIDUAL_LEAST_FINE)
                change = gs_residual_read_change(frame, fine, change);
            else
                *fine = 0;
        }
        if (bins == 0)
            continue;
        bin += bins;
        own += *fine * level_step + lift;
        total = own > tone ? own : tone;
        bins = (uint32_t)(2 * total - own - tone) >> 6;
        if (bins < GS_RESIDUAL_SUMS)
            total += gs_residual_sum[bins];
        if (loudest < total)
            loudest = total;
        cell->step = (int16_t)((total * GS_RESIDUAL_LOUDNESS >> 8) + base);
        cell->offset = (int16_t)own;
    }
    return loudest;
}

/* Puts the noises that began before the segment, `age` frames ago, behind the others. Returns how many others there
 * are; some that do not last in the frame may be on either side. */
static uint32_t gs_residual_noises_of_segment(const gs_residual_state *state, gs_noise_state *noise, uint32_t age)
{
    uint32_t *held = gs_noise_held(noise);
    uint32_t count = noise->held;
    uint32_t i = 0;

    while (i < count) {
        uint32_t other = held[i];
        if (gs_noise_age_of(other, state->frame) > age) {
            held[i] = held[--count];
            held[count] = other;
        } else {
            i++;
        }
    }
    return count;
}

/* ---- render ---- */

#define GS_RESIDUAL_LINE_END ((GS_NOISE_HIGHEST_LEVEL + 1) * 256)

/* Within what a level may be; both in 1/256 of it. */
static GS_INLINE int32_t gs_residual_limited(int32_t line)
{
    if ((uint32_t)line >= GS_RESIDUAL_LINE_END)
        line = line < 0 ? 0 : GS_RESIDUAL_LINE_END - 256;
    return line;
}

/* What a coefficient, as it is kept, stands for where the raised level of 1 is `level`. */
static GS_INLINE int32_t gs_residual_amplitude_of(uint32_t value, uint32_t level, uint32_t highest)
{
    uint32_t one = ((uint32_t)gs_gain[(level >> 3) % GS_GAIN_STEPS] << (level >> 8)) >> 13;
    int32_t amplitude = (int32_t)gs_least(one * (value >> 1 & 15u) >> 2, highest);

    return value & 1u ? -amplitude : amplitude;
}

/* Bins' levels with the offsets of their cells. Without `z` it makes the frame's exponent that of the highest one, if that
 * is higher than that of the coefficients; else the spectrum, as gs_noise_make_spectrum does. */
static GS_NOINLINE void gs_residual_make_spectrum(gs_residual_frame *frame, gs_complex *z)
{
    const gs_info *info = frame->info;
    const uint8_t *value = gs_residual_values(frame->state);
    const uint8_t *values = value;
    const uint16_t *reciprocal = frame->noise->reciprocal;
    const int32_t *level = frame->level;
    const gs_residual_cell *cell;
    uint32_t log2 = gs_noise_frame_log2(info);
    uint32_t size = (uint32_t)sizeof *z << (log2 - 1); /* in bytes, as `at` */
    uint32_t reversed = gs_reversed_step(size);
    uint32_t random = gs_noise_random_of(frame->state->frame);
    int32_t up = gs_noise_raised_by(info, frame->exponent);
    uint8_t *first = (uint8_t *)z;
    uint8_t *last = first + size - sizeof(int16_t);
    uint32_t at = 0;
    uint32_t is_second = 0; /* of a pair */
    uint32_t half = 0;
    int32_t line = 0;
    int32_t slope = 0;

    for (cell = frame->cell; cell < frame->cell_end; cell++, half ^= 1u) {
        const uint8_t *end = values + cell->end;
        int32_t offset = cell->offset * 256;
        if (!half) {
            line = level[0] * 256;
            slope = cell + 2 < frame->cell_end ? (level[1] - level[0]) * *reciprocal++ >> 8 : 0;
            level++;
        }
        if (value == end)
            continue;
        line += offset;
        if (!z) {
            int32_t other = line + slope * (int32_t)(end - value - 1);
            int32_t exponent = gs_residual_limited(line > other ? line : other) >> 16;
            if (frame->exponent < exponent)
                frame->exponent = exponent;
            line = other + slope - offset;
            value = end;
            continue;
        }
        do {
            int32_t here = gs_noise_amplitude_of(gs_gain, (uint32_t)(gs_residual_limited(line) + 256 * up));
            uint8_t *place = first + at;
            line += slope;
            if (is_second) {
                place = last - at;
                at = gs_next_reversed(at, reversed);
            } else {
                random = gs_noise_next_random(random);
            }
            here = gs_noise_signed_by(random << is_second, here);
            if (*value)
                here = gs_residual_amplitude_of(*value, (uint32_t)(cell->step + up), 32767u >> (log2 & 1u));
            *(int16_t *)(void *)place = (int16_t)here;
            is_second ^= 1u;
        } while (++value < end);
        line -= offset;
    }
}

static GS_NOINLINE void gs_residual_make_block(gs_residual_frame *frame)
{
    gs_noise_state *noise = frame->noise;
    gs_complex *z = gs_noise_block(noise, frame->info);
    uint32_t number = frame->state->frame;

    if (noise->frame + 1 != number || number == 0)
        gs_noise_forget_older(noise, frame->info);
    noise->frame = number;
    gs_residual_make_spectrum(frame, NULL);
    if (frame->exponent > 0)
        gs_residual_make_spectrum(frame, z);
    else
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(frame->info) - 1));
    gs_noise_make_block(noise, frame->info, frame->exponent);
}

void gs_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder, gs_tone_state *tone,
                      gs_noise_state *noise, int is_wanted)
{
    uint32_t log2 = gs_noise_frame_log2(info);
    uint32_t age = state->frame + (GS_TIME_ZERO >> log2) - (state->segment_time >> log2); /* of the segment */
    uint8_t held = noise->held;
    gs_residual_frame frame;

    frame.state = state;
    frame.info = info;
    frame.coder = coder;
    frame.tone = tone;
    frame.noise = noise;
    gs_residual_make_cells(&frame);
    gs_residual_add_tones(&frame);
    if (age < GS_NOISE_LONGEST)
        noise->held = (uint8_t)gs_residual_noises_of_segment(state, noise, age);
    gs_residual_make_levels(&frame);
    noise->held = held;
    gs_residual_read_values(&frame, gs_residual_make_steps(&frame));
    if (is_wanted && !coder->input.error) {
        if (age < GS_NOISE_LONGEST)
            gs_residual_make_levels(&frame);
        gs_residual_make_block(&frame);
    }
    state->frame++;
}

/* ---- cost ----
 * is that of all frames. */
