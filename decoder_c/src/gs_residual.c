#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_residual.h"

#include "gs_logarithm.h"
#include "gs_stereo.h"
#include "gs_transform.h"

GS_CODE_BEGINS

/* ---- fields ---- */

#define GS_RESIDUAL_VALUES_AT offsetof(gs_residual_state, values)

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_a_residual,
                 sizeof(gs_residual_state) == GS_RESIDUAL_BYTES(1u, 0u) - 1u);
GS_STATIC_ASSERT(all_cells_are_kept, sizeof((gs_playback_kept *)0)->cell == GS_RESIDUAL_CELLS * sizeof(gs_noise_cell));
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

/* Until the cells are made there is a record for each interval, in the place of the first cell that it may have: the bin
 * after its last one, the level of its loudest tone, and that of its width. */
typedef gs_noise_cell gs_residual_interval;

/* What reading and making a frame takes. */
typedef struct gs_residual_frame {
    gs_residual_state *state;
    const gs_info *info;
    gs_range_coder *coder;
    gs_tone_state *tone;
    gs_noise_state *noise;
    gs_noise_cell *cell_end;
    gs_noise_cell *coded_end;     /* of the cells that may have coefficients */
    int32_t exponent;             /* the highest one of the coefficients */
    int32_t highest;              /* level of noise, without the cells' offsets */
    int32_t level[GS_BARK_BANDS]; /* of the noise in the centres of bands */
    gs_noise_cell cell[GS_RESIDUAL_CELLS];
} gs_residual_frame;

/* ---- syntax ---- */

/* For a program that writes what is read here: where what is read next belongs. */
#ifndef GS_RESIDUAL_TELLS
#define GS_RESIDUAL_TELL_LEVEL(frame, fine) ((void)0)
#define GS_RESIDUAL_TELL_FRAME(frame, quiet) ((void)0)
#define GS_RESIDUAL_TELL_VALUE(frame, at, step) ((void)0)
#endif

void gs_residual_start_segment(gs_residual_state *state, const gs_info *info, uint32_t time)
{
    uint32_t neighbourhood = 0;
    uint32_t i;

    state->segment_time = time;
    gs_clear(&state->is_coded,
             GS_RESIDUAL_VALUES_AT - offsetof(gs_residual_state, is_coded) + 1 + gs_noise_frame_samples(info));
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

    GS_RESIDUAL_TELL_LEVEL(frame, fine);
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
    int32_t exponent = (gs_log2(value) >> 8) + (step >> 8);

    if (frame->exponent <= exponent)
        frame->exponent = exponent < GS_RESIDUAL_HIGHEST_EXPONENT ? exponent + 1 : GS_RESIDUAL_HIGHEST_EXPONENT;
    return gs_least(value, 2) << 5 | value << 1 | gs_range_direct(frame->coder, 1);
}

/* What a coefficient, as it is kept, counts for those around it. */
static GS_INLINE uint32_t gs_residual_weight_of(uint32_t value)
{
    return value >> 5;
}

static GS_INLINE int32_t gs_residual_limited_step(int32_t step)
{
    if (step < GS_RESIDUAL_LEAST_STEP)
        step = GS_RESIDUAL_LEAST_STEP;
    if (step > GS_NOISE_HIGHEST_LEVEL)
        step = GS_NOISE_HIGHEST_LEVEL;
    return step;
}

/* Turns the levels of the cells that may have coefficients into offsets and reads these, in place of those of the frame
 * before. A cell where all are 0 keeps no step. */
static GS_ONCE void gs_residual_read_values(gs_residual_frame *frame, int32_t loudest)
{
    gs_residual_state *state = frame->state;
    const uint8_t *part = frame->info->residual;
    uint8_t *at = gs_residual_values(state);
    const int8_t *fine = state->fine;
    uint32_t before = 0; /* weights: of the coefficient before, of the one before that, and of the last frame's */
    uint32_t second = 0;
    uint32_t last_before = 0;
    uint32_t last = gs_residual_weight_of(*at);
    int32_t level_step = gs_residual_level_step(frame->info);
    int32_t quiet = loudest < 16 * part[4] ? GS_RESIDUAL_QUIET : 0;
    gs_noise_cell *cell;

    GS_RESIDUAL_TELL_FRAME(frame, quiet);
    state->is_coded =
        (uint8_t)gs_range_bit(frame->coder, state->contexts + GS_RESIDUAL_CONTEXT_FRAME + state->is_coded);
    for (cell = frame->cell; cell < frame->coded_end; cell++, fine++) {
        const uint8_t *end = at + cell->bins;
        uint16_t *contexts = NULL;
        int32_t step = gs_residual_limited_step(cell->step - quiet);
        int32_t offset = *fine * level_step;
        int32_t ratio;
        uint32_t some = 0;
        ratio = cell->offset - step - GS_RESIDUAL_FIRST_RATIO;
        if (ratio > 0) {
            uint32_t of_class = gs_least((uint32_t)ratio >> 7, GS_RESIDUAL_CLASSES - 1);
            offset -= 8 * gs_residual_cut[of_class] + (part[1] & 0xE0);
            if (state->is_coded)
                contexts = state->contexts + GS_RESIDUAL_CONTEXT_ZERO + GS_RESIDUAL_NEIGHBOURHOODS * of_class;
        }
        cell->offset = (int16_t)offset;
        if (!contexts) {
            second = cell->bins == 1 ? before : 0;
            before = 0;
            last_before = gs_residual_weight_of(end[-1]);
            last = gs_residual_weight_of(*end);
            do
                *at++ = 0;
            while (at < end);
        } else {
            do {
                uint32_t next = gs_residual_weight_of(at[1]);
                uint32_t around = 2 * (last + before) + last_before + second + next;
                uint32_t value = 0;
                if (around > 2)
                    around = gs_least((around + 3) >> 1, GS_RESIDUAL_NEIGHBOURHOODS - 1);
                GS_RESIDUAL_TELL_VALUE(frame, at, step);
                if (gs_range_bit(frame->coder, contexts + around))
                    value = gs_residual_read_value(frame, around, step);
                *at++ = (uint8_t)value;
                some |= value;
                second = before;
                before = gs_residual_weight_of(value);
                last_before = last;
                last = next;
            } while (at < end);
        }
        cell->step = (int16_t)(some ? step : 0);
    }
}

/* ---- dequantise ---- */

static GS_INLINE void gs_residual_make_intervals(gs_residual_frame *frame)
{
    const uint8_t *bins = frame->noise->bins;
    const uint8_t *bins_end = bins + frame->noise->bands;
    gs_residual_interval *interval = frame->cell;
    uint32_t size = gs_noise_frame_samples(frame->info);
    uint32_t begin = 0;

    do {
        uint32_t end = bins < bins_end ? begin + *bins : size;
        interval->bins = (uint16_t)end;
        interval->step = (int16_t)(gs_log2(end - begin + (end == begin)) >> 1);
        interval->offset = GS_RESIDUAL_NO_TONE;
        interval += 2;
        begin = end;
    } while (bins++ < bins_end);
}

/* Raises the levels of the intervals that a tone lasts in, at bins around its place. */
static GS_INLINE void gs_residual_add_tone(gs_residual_interval *interval, uint32_t place, uint32_t half, int32_t level,
                                           uint32_t size)
{
    int32_t narrow = gs_log2(2 * half) >> 1;
    uint32_t end;

    while (interval->bins + half <= place)
        interval += 2;
    do {
        int32_t here = level - (narrow > interval->step ? narrow : interval->step);
        if (interval->offset < here)
            interval->offset = (int16_t)here;
        end = interval->bins;
        interval += 2;
    } while (end < size && end <= place + half);
}

/* Makes the level of the loudest tone of each interval. */
static GS_ONCE void gs_residual_add_tones(gs_residual_frame *frame)
{
    const gs_info *info = frame->info;
    const gs_held_tone *held = gs_tone_held(frame->tone);
    const gs_held_tone *end = held + frame->tone->held;
    uint32_t n = gs_noise_frame_log2(info);
    uint32_t size = (uint32_t)1 << n;
    uint32_t centre = (frame->state->frame << n) + GS_TIME_ZERO;
    int32_t loudest = 128 * (2 * info->noise_shift - 6 + (int32_t)((n - 1) & ~1u)) - 256 * info->output_shift;

    for (; held < end; held++) {
        uint32_t octave = held->octave;
        uint32_t onset = held->onset << octave;
        uint32_t ratio = held->scale + octave + 5u - n - (uint32_t)GS_RESIDUAL_SHORTEST_SCALE;
        uint32_t support = gs_tone_support(held->scale) << octave;
        uint32_t away = 2 * (onset - centre) + support;
        if ((int32_t)away < 0)
            away = 0 - away;
        if (onset < frame->state->segment_time || away >= support + 2 * size || held->amplitude == 0)
            continue;
        away >>= (ratio > 4 ? n + ratio - 4 : n) - 4;
        gs_residual_add_tone(frame->cell, held->increment >> (15 + octave - n), 1 + (48u >> ratio),
                             loudest + gs_log2(held->amplitude) + gs_residual_share[ratio] -
                                 (int32_t)(gs_residual_curvature[ratio] * away * away >> 4),
                             size);
    }
}

/* Makes the step of each cell, and its level, from the levels of bands and tones; reads the fine levels that change
 * them. Returns the loudest level. */
static GS_ONCE int32_t gs_residual_make_steps(gs_residual_frame *frame)
{
    const uint8_t *part = frame->info->residual;
    const gs_residual_interval *interval = frame->cell;
    gs_noise_cell *cell = frame->cell;
    const int32_t *level = frame->level;
    int8_t *fine = frame->state->fine;
    int32_t reads_fine = frame->state->frame % GS_RESIDUAL_LEVEL_FRAMES == 0;
    int32_t level_step = gs_residual_level_step(frame->info);
    int32_t lift = 64 * (part[2] >> 5); /* by how much the noise is under the residual, and how that changes */
    int32_t rise = 8 * ((part[3] >> 5) - (part[2] >> 5));
    int32_t tilt = part[1] & 15;
    int32_t least = 8 * part[0] - 512;
    uint32_t plain = gs_residual_fine_from(frame->info);
    uint32_t coded = gs_residual_coded(frame->info);
    uint32_t bands = frame->noise->bands;
    int32_t loudest = 0;
    int32_t change = 0;
    int32_t after = *level;
    uint32_t bin = 0;
    uint32_t number = 0;

    do {
        uint32_t end = interval->bins;
        int32_t tone = interval->offset;
        int32_t before = after;
        int32_t middle; /* levels of the noise there, and in the middle of what is left behind a half */
        int32_t second;
        uint32_t pitch = bin + end + (end == 0);
        uint32_t bins = 0; /* of a half of the interval, or of none */
        if (number < bands)
            after = *level++;
        if (end == bin && after < before)
            after = before;
        second = middle = (before + after) >> 1;
        if (number >= plain) {
            bins = (end - bin) >> 1;
            middle = (3 * before + after) >> 2;
            second = (before + 3 * after) >> 2;
        }
        if (number - GS_RESIDUAL_LOW_INTERVAL - 1 < GS_RESIDUAL_HIGH_INTERVAL - GS_RESIDUAL_LOW_INTERVAL)
            lift += rise;
        interval += 2;
        for (;;) {
            if (bins > 0) {
                int32_t own = middle;
                int32_t total;
                int32_t below;
                if (reads_fine) {
                    if (number >= plain && own >= GS_RESIDUAL_LEAST_FINE)
                        change = gs_residual_read_change(frame, fine, change);
                    else
                        *fine = 0;
                }
                below = *fine++ * level_step;
                own += below + lift;
                cell->bins = (uint16_t)bins;
                cell->step = 0;
                cell->offset = (int16_t)below;
                total = own;
                below = own - tone;
                if (below < 0) {
                    total = tone;
                    below = -below;
                }
                if (below < 64 * (int32_t)GS_RESIDUAL_SUMS)
                    total += gs_residual_sum[below >> 6];
                if (loudest < total)
                    loudest = total;
                if (number < coded) {
                    cell->step = (int16_t)((total * GS_RESIDUAL_LOUDNESS >> 8) + least + (tilt * gs_log2(pitch) >> 4));
                    cell->offset = (int16_t)own;
                    frame->coded_end = cell + 1;
                }
                cell++;
                bin += bins;
            }
            bins = end - bin;
            middle = second;
            if (bins == 0)
                break;
        }
    } while (number++ < bands);
    frame->cell_end = cell;
    return loudest;
}

/* Puts the noises that began before the segment, `age` frames ago, behind the others. Returns how many others there
 * are; some that do not last in the frame may be on either side. */
static uint32_t gs_residual_noises_of_segment(const gs_residual_state *state, gs_noise_state *noise,
                                              const gs_info *info, uint32_t age)
{
    uint32_t *held = gs_noise_held(noise);
    uint32_t count = noise->held;
    uint32_t i = 0;

    while (i < count) {
        uint32_t other = held[i];
        if (gs_noise_age_of(other, state->frame) > age) {
            held[i] = held[--count];
            held[count] = other;
            if (GS_HAS_STEREO && info->decoder_class.panned)
                (void)gs_ask_stereo(gs_decoder_of(info), GS_STEREO_EXCHANGE, i << 8 | count, NULL);
        } else {
            i++;
        }
    }
    return count;
}

/* ---- render ---- */

/* What a coefficient, as it is kept, stands for where the raised level of 1 is `level`. */
static GS_INLINE int16_t gs_residual_amplitude_of(uint32_t value, uint32_t level, uint32_t highest)
{
    uint32_t one = ((uint32_t)gs_gain[(level >> 3) % GS_GAIN_STEPS] << (level >> 8)) >> 13;
    int32_t amplitude = (int32_t)gs_least(one * (value >> 1 & 15u) >> 2, highest);

    return (int16_t)(value & 1u ? -amplitude : amplitude);
}

/* Makes a cell with coefficients that are not 0, or of which a part is beyond what a level may be, bin by bin. */
static GS_NOINLINE void gs_residual_fill_slowly(const gs_residual_frame *frame, gs_noise_place *place,
                                                const gs_noise_cell *cell, int32_t line, int32_t slope, int32_t up)
{
    uint32_t log2 = gs_noise_frame_log2(frame->info);
    const uint8_t *value = gs_residual_values(frame->state) + ((uint32_t)1 << log2) - place->left;
    const uint8_t *end = value + cell->bins;

    do {
        int16_t *bin = gs_noise_fill_apart(place, 1, (uint32_t)(gs_noise_limited(line) + 256 * up), 0);
        if (*value)
            *bin = gs_residual_amplitude_of(*value, (uint32_t)(cell->step + up), 32767u >> (log2 & 1u));
        line += slope;
    } while (++value < end);
}

/* The spectrum of noise, as gs_noise_make_spectrum makes it, but in the levels that cells have, and with the
 * coefficients that are not 0 in its place, all raised by `up`; where it is not wanted, nothing is made. Returns 256
 * times the highest level of noise, not limited, or 0. */
GS_FAST int32_t gs_residual_make_spectrum(const gs_residual_frame *frame, int32_t up, gs_complex *z, int is_wanted)
{
    gs_noise_place place = gs_noise_place_of(frame->info, frame->state->frame, z);
    const uint16_t *reciprocal = frame->noise->reciprocal;
    const uint8_t *bins_of = frame->noise->bins;
    const int32_t *level = frame->level;
    const gs_noise_cell *cell = frame->cell;
    int32_t highest = 0;
    int32_t after = *level;
    uint32_t left = place.left;
    uint32_t bands = frame->noise->bands;

    do {
        int32_t before = after;
        int32_t line = before * 256;
        int32_t slope = 0;
        uint32_t bins = left;
        if (bands > 0) {
            after = *level++;
            bins = *bins_of++;
            slope = (after - before) * *reciprocal++ >> 8;
        }
        if (bins == 0 && after < before)
            after = before;
        left -= bins;
        for (; bins > 0; cell++) {
            uint32_t run = cell->bins;
            int32_t here = line + 256 * cell->offset;
            int32_t there = here + slope * (int32_t)(run - 1);
            bins -= run;
            line += slope * (int32_t)run;
            if (!is_wanted) {
                if (highest < here)
                    highest = here;
                if (highest < there)
                    highest = there;
            } else if (cell->step == 0 && (uint32_t)here < GS_NOISE_LINE_END && (uint32_t)there < GS_NOISE_LINE_END) {
                GS_NOISE_FILL(&place, run, (uint32_t)(here + 256 * up), (uint32_t)slope);
            } else {
#ifdef __OPTIMIZE_SIZE__
                gs_residual_fill_slowly(frame, &place, cell, here, slope, up);
#else
                gs_noise_place slow = place; /* so that the other one may stay in registers */
                gs_residual_fill_slowly(frame, &slow, cell, here, slope, up);
                place = slow;
#endif
            }
        }
    } while (bands-- > 0);
    return highest;
}

static GS_SMALL void gs_residual_begin_frame(const gs_residual_frame *frame)
{
    gs_noise_state *noise = frame->noise;
    uint32_t number = frame->state->frame;

    if (noise->frame + 1 != number || number == 0)
        gs_noise_forget_older(noise, frame->info);
    noise->frame = number;
}

#ifdef __OPTIMIZE_SIZE__
static int32_t gs_residual_make_coded(const gs_residual_frame *frame, gs_complex *z);

static GS_INLINE void gs_residual_make_block(gs_residual_frame *frame)
{
    gs_noise_state *noise = frame->noise;
    const gs_info *info = frame->info;

    gs_residual_begin_frame(frame);
    gs_noise_make_block(noise, info, gs_residual_make_coded(frame, gs_noise_block(noise, info)));
}
#else
static GS_NOINLINE void gs_residual_make_block(gs_residual_frame *frame)
{
    gs_noise_state *noise = frame->noise;
    const gs_info *info = frame->info;
    gs_complex *z = gs_noise_block(noise, info);
    int32_t exponent = frame->exponent;
    int32_t highest = 0; /* offset */
    const gs_noise_cell *cell;

    for (cell = frame->cell; cell < frame->cell_end; cell++) {
        if (highest < cell->offset)
            highest = cell->offset;
    }
    gs_residual_begin_frame(frame);
    if (exponent < (frame->highest + highest) >> 8) {
        int32_t of_noise = gs_noise_limited(gs_residual_make_spectrum(frame, 0, z, 0)) >> 16;
        if (exponent < of_noise)
            exponent = of_noise;
    }
    if (exponent > 0) {
        (void)gs_residual_make_spectrum(frame, gs_noise_raised_by(info, exponent), z, 1);
    } else {
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(info) - 1));
    }
    gs_noise_make_block(noise, info, exponent);
}
#endif

/* Where speed does not matter. */
static GS_NOINLINE int32_t gs_residual_make_spectrum_apart(const gs_residual_frame *frame, int32_t up, gs_complex *z,
                                                           int is_wanted)
{
    return gs_residual_make_spectrum(frame, up, z, is_wanted);
}

/* The frame with its coefficients. Returns its exponent. */
static int32_t gs_residual_make_coded(const gs_residual_frame *frame, gs_complex *z)
{
    int32_t exponent = gs_noise_limited(gs_residual_make_spectrum_apart(frame, 0, z, 0)) >> 16;

    if (exponent < frame->exponent)
        exponent = frame->exponent;
    if (exponent == 0)
        gs_noise_clear(z, (uint32_t)1 << (gs_noise_frame_log2(frame->info) - 1));
    else
        (void)gs_residual_make_spectrum_apart(frame, gs_noise_raised_by(frame->info, exponent), z, 1);
    return exponent;
}

static void gs_residual_get_fine(const gs_residual_state *state, const gs_info *info, gs_playback_fine *fine)
{
    const int8_t *of_cell = state->fine;

    fine->fine = of_cell;
    fine->highest = 0;
    fine->from = gs_residual_fine_from(info);
    fine->step = gs_residual_level_step(info);
    do { /* those that no cell has are 0 */
        if (fine->highest < *of_cell)
            fine->highest = *of_cell;
    } while (++of_cell < state->fine + GS_RESIDUAL_CELLS);
}

static void gs_residual_keep(const gs_residual_frame *frame, gs_playback_kept *kept)
{
    const gs_noise_cell *cell;

    kept->segment_time = frame->state->segment_time;
    kept->exponent = (int16_t)frame->exponent;
    kept->cells = 0;
    for (cell = frame->cell; cell < frame->cell_end; cell++)
        kept->cell[kept->cells++] = *cell;
}

void gs_residual_make_played_block(struct gs_residual_frame *frame, gs_playback *playback)
{
    gs_noise_state *noise = frame->noise;
    const gs_info *info = frame->info;
    gs_complex *z = gs_noise_block(noise, info);
    uint32_t number = frame->state->frame;
    int32_t exponent;

    if (gs_playback_is_paced(playback)) {
        gs_residual_keep(frame, gs_playback_kept_frame(playback, info));
        return;
    }
    gs_residual_begin_frame(frame);
    if (playback->muted & GS_MUTE_RESIDUAL || playback->pitch != GS_PITCH_ONE) {
        gs_playback_fine fine;
        gs_residual_get_fine(frame->state, info, &fine);
        exponent = gs_playback_make_spectrum(playback, noise, info, number, frame->level, frame->highest, &fine, z);
        gs_playback_mute_bins(playback, info, NULL, z);
    } else {
        exponent = gs_residual_make_coded(frame, z);
        gs_playback_mute_bins(playback, info, gs_residual_values(frame->state), z);
    }
    gs_noise_make_block(noise, info, exponent);
}

/* Makes a frame of noise at a pace, with the coefficients read last where they belong to its bins. Returns its
 * exponent. */
static int32_t gs_residual_make_paced_frame(gs_residual_state *state, gs_noise_state *noise, const gs_info *info,
                                            gs_playback *playback)
{
    const gs_playback_kept *kept = gs_playback_kept_frame(playback, info);
    gs_complex *z = gs_noise_block(noise, info);
    uint32_t number = state->frame;
    gs_residual_frame frame;
    gs_playback_fine fine;
    int32_t exponent;
    uint32_t i;

    frame.highest = gs_playback_make_levels(playback, noise, info, noise->frame, frame.level);
    if (kept->cells == 0 || kept->segment_time != state->segment_time || playback->muted & GS_MUTE_RESIDUAL ||
        playback->pitch != GS_PITCH_ONE || gs_playback_pace(playback, info)->rate != info->sample_rate) {
        gs_residual_get_fine(state, info, &fine);
        exponent = gs_playback_make_spectrum(playback, noise, info, noise->frame, frame.level, frame.highest, &fine, z);
        gs_playback_mute_bins(playback, info, NULL, z);
        return exponent;
    }
    frame.state = state;
    frame.info = info;
    frame.noise = noise;
    frame.exponent = kept->exponent;
    for (i = 0; i < kept->cells; i++)
        frame.cell[i] = kept->cell[i];
    frame.cell_end = frame.cell + kept->cells;
    state->frame = noise->frame; /* by which signs are drawn */
    exponent = gs_residual_make_coded(&frame, z);
    state->frame = number;
    gs_playback_mute_bins(playback, info, gs_residual_values(state), z);
    return exponent;
}

const int16_t *gs_residual_noise(gs_residual_state *state, gs_noise_state *noise, const gs_info *info,
                                 gs_playback *playback, uint32_t position)
{
    uint32_t log2 = gs_noise_frame_log2(info);
    uint32_t frame = position >> log2;

    if (noise->frame != frame && noise->frame != frame + 1) {
        gs_noise_forget_older(noise, info);
        noise->frame = frame - 1;
    }
    while (noise->frame != frame + 1) {
        noise->frame++;
        gs_noise_make_block(noise, info, gs_residual_make_paced_frame(state, noise, info, playback));
    }
    return (const int16_t *)(const void *)gs_noise_block(noise, info) + (position & (((uint32_t)1 << log2) - 1));
}

void gs_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder, gs_tone_state *tone,
                      gs_noise_state *noise, int is_wanted, const gs_residual_played *played)
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
    frame.coded_end = frame.cell;
    frame.exponent = 0;
    gs_residual_make_intervals(&frame);
    gs_residual_add_tones(&frame);
    if (age < GS_NOISE_LONGEST)
        noise->held = (uint8_t)gs_residual_noises_of_segment(state, noise, info, age);
    frame.highest = gs_noise_make_levels(noise, info, state->frame << GS_NOISE_TIME_LOG2, frame.level);
    gs_residual_read_values(&frame, gs_residual_make_steps(&frame));
    if (is_wanted && !coder->input.error) {
        if (noise->held != held) {
            noise->held = held;
            frame.highest = gs_noise_make_levels(noise, info, state->frame << GS_NOISE_TIME_LOG2, frame.level);
        }
        if (GS_HAS_PLAYBACK && played)
            played->make(&frame, played->playback);
        else
            gs_residual_make_block(&frame);
    }
    noise->held = held;
    state->frame++;
}

/* ---- cost ----
 * is that of all frames. */

GS_CODE_ENDS
