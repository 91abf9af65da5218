/* Streams read to rows and written from rows, as a WebAssembly module without imports.
 *
 * What writes is the decoder itself: its range decoder is told each bit instead of reading it, and codes it in the
 * context in which it was asked for. So there is one syntax, and one steering of the residual layer, for both ways.
 * There is one decoder in a program. */
#define GS_SHARED_TABLES_ELSEWHERE

#define gs_range_bit gs_range_read_bit
#define gs_range_direct gs_range_read_direct
#include "../../src/gs_range_coder.c"
#undef gs_range_bit
#undef gs_range_direct
uint32_t gs_range_bit(gs_range_coder *coder, uint16_t *context);
uint32_t gs_range_direct(gs_range_coder *coder, uint32_t bits);

#include "../../src/gs_residual.h"
#include "../../src/gs_slots.h"

static void gs_tell_level(const struct gs_residual_frame *frame, const int8_t *fine);
static void gs_tell_frame(const struct gs_residual_frame *frame, int32_t quiet);
static void gs_tell_value(const struct gs_residual_frame *frame, const uint8_t *at, int32_t step);

#define GS_RESIDUAL_TELLS
#define GS_RESIDUAL_TELL_LEVEL gs_tell_level
#define GS_RESIDUAL_TELL_FRAME gs_tell_frame
#define GS_RESIDUAL_TELL_VALUE gs_tell_value
#include "../../src/gs_residual.c"

static int gs_listed_slots_next(gs_slots *slots, gs_range_coder *coder, uint16_t *contexts, gs_gaussian *gaussian);
static void gs_listed_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder,
                                    gs_tone_state *tone, gs_noise_state *noise, int is_wanted,
                                    const gs_residual_played *played);

#define gs_slots_next gs_listed_slots_next
#define gs_residual_next gs_listed_residual_next
#include "../../src/gs_decoder.c"
#undef gs_slots_next
#undef gs_residual_next

#include "../gs_wasm_memory.h"

/* A Gaussian, or what the residual layer has of a frame. */
typedef struct gs_row {
    int32_t kind;
    int32_t scale;
    int32_t onset;  /* sample; of the residual the number of its frame */
    int32_t place;  /* a tone's bin, a noise's place, a coefficient's bin, the number of a fine level's cell */
    int32_t extent; /* a noise's width; the index of a tone's phase; the level of a coefficient's step */
    int32_t level;  /* index of an amplitude, a weight, a coefficient's value, or a fine level */
    int32_t side;   /* of panned ones: index of the side's amplitude; what a noise adds to the side's own level */
    int32_t pan;    /* index of the side's phase; a noise's pan */
} gs_row;

#define GS_ROW_COEFFICIENT 2
#define GS_ROW_FINE 3
#define GS_ROW_FRAME 4 /* what a frame costs: its place is the number of its values, its level 1 with coefficients */

/* What a slot and its frames have at most fits in half of them. */
#define GS_MOST_ROWS 32768u
#define GS_LARGEST_FRAME (1u << GS_LARGEST_NOISE_FRAME_LOG2)

uint8_t *stream_room(uint32_t bytes);
int open(uint32_t bytes);
int read_slots(uint32_t slots);
const gs_row *rows_read(void);
uint32_t take_rows(void);
gs_row *rows_room(uint32_t gaussians, uint32_t values);
int begin_segment(uint32_t segment);
int write_slots(uint32_t slots);
uint32_t segment_bytes(void);
uint32_t segment_crc(void);
const uint8_t *segment(void);

static gs_decoder *decoder;
static uintptr_t free_from; /* memory behind the stream and the decoder's */

static gs_row rows[GS_MOST_ROWS];
static uint32_t rows_listed;
static int32_t step_of_bin[GS_LARGEST_FRAME];  /* as the frame that is read has it */
static int32_t fine_before[GS_RESIDUAL_CELLS]; /* what a fine level would be without a change, where it has one */
static uint8_t has_change[GS_RESIDUAL_CELLS];

static int is_writing;
static const gs_row *next_gaussian, *gaussians_end;
static const gs_row *next_value, *values_end;
static int8_t value_of_bin[GS_LARGEST_FRAME]; /* as the frame that is written has it */

static struct {
    uint64_t low;
    uint32_t range;
    uint32_t written;
    uint32_t pending; /* bytes FF which a carry may still change */
    uint32_t shifts;
    int32_t cache; /* byte before those, -1 before the first */
    uint8_t *output;
} encoder;

/* The bits that are coded next: those of a Gaussian at most, of whatever numbers a row has. */
static struct {
    uint8_t bit[288];
    uint32_t at;
    uint32_t end;
} said;

/* ---- the range encoder, as LZMA's (Pavlov) ---- */

static void gs_output_byte(int32_t byte)
{
    if (!gs_have_up_to((uint64_t)(uintptr_t)encoder.output + encoder.written + 1)) {
        decoder->coder.input.error = GS_ERR_MEMORY;
        return;
    }
    encoder.output[encoder.written++] = (uint8_t)byte;
}

static void gs_shift_low(void)
{
    if (encoder.low < 0xFF000000u || encoder.low > 0xFFFFFFFFu) {
        int32_t carry = (int32_t)(encoder.low >> 32);
        if (encoder.cache >= 0)
            gs_output_byte(encoder.cache + carry);
        for (; encoder.pending > 0; encoder.pending--)
            gs_output_byte(0xFF + carry);
        encoder.cache = (int32_t)(encoder.low >> 24 & 0xFF);
    } else {
        encoder.pending++;
    }
    encoder.low = (encoder.low & 0x00FFFFFFu) << 8;
}

static void gs_drain(void)
{
    while (encoder.range < 1u << 24) {
        encoder.range <<= 8;
        encoder.shifts++;
        gs_shift_low();
    }
}

/* With the fewest bytes that decode to what was coded. */
static void gs_finish_segment(void)
{
    uint64_t top = encoder.low + encoder.range - 1;
    uint64_t value = top;
    uint32_t bits;

    for (bits = 32; bits > 0; bits--) {
        value = top >> bits << bits;
        if (value >= encoder.low)
            break;
    }
    encoder.low = bits > 0 ? value : top;
    for (bits = 0; bits < 5; bits++)
        gs_shift_low();
    /* A decoder holds four bytes more than it has shifted in, which may be zeros beyond the end. */
    while (encoder.written > encoder.shifts && encoder.output[encoder.written - 1] == 0)
        encoder.written--;
}

/* ---- what the decoder is told ---- */

static void gs_say(uint32_t value, uint32_t bits)
{
    while (bits-- > 0)
        said.bit[said.end++] = (uint8_t)(value >> bits & 1u);
}

static void gs_say_gamma(uint32_t value, uint32_t longest)
{
    uint32_t length = (uint32_t)gs_log2(value) >> 8;
    uint32_t i;

    for (i = 0; i < length; i++)
        gs_say(1, 1);
    if (length < longest)
        gs_say(0, 1);
    gs_say(value, length);
}

static void gs_say_unary(uint32_t value)
{
    uint32_t i;

    for (i = 1; i < value; i++)
        gs_say(1, 1);
    if (value < GS_RESIDUAL_LONGEST_UNARY)
        gs_say(0, 1);
}

static void gs_say_onset(const gs_row *row, const gs_slot *slot, uint32_t hop_log2)
{
    if (slot->slot_log2 > hop_log2)
        gs_say(((uint32_t)row->onset + GS_TIME_ZERO - slot->time) >> hop_log2, slot->slot_log2 - hop_log2);
}

static void gs_say_side_of_tone(const gs_row *row)
{
    gs_say(row->side != 0, 1);
    if (row->side) {
        gs_say_gamma((uint32_t)row->side, GS_SIDE_AMPLITUDE_EXPONENT);
        gs_say((uint32_t)row->pan, gs_tone_phase_bits((uint32_t)row->side));
    }
}

static void gs_say_side_weight(int32_t weight)
{
    gs_say(weight != 0, 1);
    if (weight) {
        gs_say(weight < 0, 1);
        gs_say_gamma((uint32_t)(weight < 0 ? -weight : weight), GS_NOISE_WEIGHT_EXPONENT);
    }
}

/* Whether another Gaussian of the scale that is asked for follows, and all of it. */
static void gs_say_gaussian(void)
{
    const gs_slots *slots = &decoder->syntax;
    const gs_slot *slot = &slots->slot;
    const gs_row *row = next_gaussian;
    uint32_t index = slot->index;
    int is_tone = index < slots->tone.scales;
    int is_panned = decoder->info.decoder_class.panned;
    uint32_t scale = is_tone ? slots->tone.smallest_scale + index : index - slots->tone.scales;

    if (row == gaussians_end || row->kind != (is_tone ? GS_TONE : GS_NOISE) || row->scale != (int32_t)scale ||
        ((uint32_t)row->onset + GS_TIME_ZERO - slot->time) >> slot->slot_log2 != 0) {
        gs_say(0, 1);
        return;
    }
    next_gaussian++;
    gs_say(1, 1);
    if (is_tone) {
        gs_say_gamma((uint32_t)row->place - (slot->count ? slots->tone.bin : 0u) + 1, scale + 4);
        gs_say_onset(row, slot, scale + 3);
        gs_say_gamma((uint32_t)row->level, GS_TONE_AMPLITUDE_EXPONENT);
        gs_say((uint32_t)row->extent, gs_tone_phase_bits((uint32_t)row->level));
        if (is_panned)
            gs_say_side_of_tone(row);
    } else {
        gs_say((uint32_t)row->extent, 2);
        gs_say((uint32_t)row->place, GS_NOISE_PLACES_LOG2 - (uint32_t)row->extent);
        gs_say_onset(row, slot, slots->noise.frame_log2 + scale);
        gs_say(row->level < 0, 1);
        gs_say_gamma((uint32_t)(row->level < 0 ? -row->level : row->level), GS_NOISE_WEIGHT_EXPONENT);
        if (is_panned) {
            gs_say_side_weight(row->side);
            gs_say_side_weight(row->pan);
        }
    }
}

static int32_t gs_limited_value(int32_t value)
{
    int32_t longest = (int32_t)GS_RESIDUAL_LONGEST_UNARY;

    return value < -longest ? -longest : value > longest ? longest : value;
}

/* The next row of a kind in the frame that is written, from a place on; NULL if there is none. */
static const gs_row *gs_row_of(const gs_residual_frame *frame, int32_t kind, int32_t place)
{
    int32_t number = (int32_t)frame->state->frame;

    while (next_value < values_end &&
           (next_value->onset < number || (next_value->onset == number && next_value->kind == GS_ROW_FINE &&
                                           (kind != GS_ROW_FINE || next_value->place < place))))
        next_value++;
    return next_value < values_end && next_value->onset == number && next_value->kind == kind ? next_value : NULL;
}

/* How a fine level comes to be what the rows say, as far as one change takes it. */
static void gs_tell_level(const gs_residual_frame *frame, const int8_t *fine)
{
    int32_t place = (int32_t)(fine - frame->state->fine);
    int32_t change = -(*fine >> 1);
    const gs_row *row;

    has_change[place] = 1;
    fine_before[place] = -change;
    if (!is_writing)
        return;
    row = gs_row_of(frame, GS_ROW_FINE, place);
    if (row && row->place == place)
        change += row->level;
    change = gs_limited_value(change);
    gs_say(change != 0, 1);
    if (change) {
        gs_say(change < 0, 1);
        gs_say_unary((uint32_t)(change < 0 ? -change : change));
    }
}

/* A value times 2^(levels / 256), rounded. */
static int32_t gs_in_other_steps(int32_t value, int32_t levels)
{
    double factor = 1.0;
    double power = 1.0027112750502025; /* 2^(1/256) */
    uint32_t bits = (uint32_t)(levels & 255);
    int32_t octaves = levels >> 8;

    if (levels == 0)
        return value;
    for (; bits > 0; bits >>= 1, power *= power) {
        if (bits & 1u)
            factor *= power;
    }
    for (; octaves > 0; octaves--)
        factor *= 2.0;
    for (; octaves < 0; octaves++)
        factor *= 0.5;
    return gs_limited_value((int32_t)__builtin_rint(value * factor));
}

/* The coefficients of the frame in the steps that it has now; whether there is any. */
static void gs_tell_frame(const gs_residual_frame *frame, int32_t quiet)
{
    const gs_noise_cell *cell;
    const gs_row *row;
    int32_t end = 0; /* of a cell's bins */
    uint32_t some = 0;
    uint32_t i;

    if (!is_writing)
        return;
    for (i = 0; i < GS_LARGEST_FRAME; i++)
        value_of_bin[i] = 0;
    for (cell = frame->cell; cell < frame->coded_end; cell++) {
        int32_t step = gs_residual_limited_step(cell->step - quiet);
        int has_coefficients = cell->offset - step > GS_RESIDUAL_FIRST_RATIO;
        end += cell->bins;
        while ((row = gs_row_of(frame, GS_ROW_COEFFICIENT, 0)) != NULL && row->place < end) {
            int32_t value = has_coefficients ? gs_in_other_steps(row->level, row->extent - step) : 0;
            value_of_bin[row->place] = (int8_t)value;
            some |= value != 0;
            next_value++;
        }
    }
    gs_say(some, 1);
}

static void gs_tell_value(const gs_residual_frame *frame, const uint8_t *at, int32_t step)
{
    size_t bin = (size_t)(at - gs_residual_values(frame->state));
    int32_t value = value_of_bin[bin];

    step_of_bin[bin] = step;
    if (!is_writing)
        return;
    gs_say(value != 0, 1);
    if (value) {
        gs_say_unary((uint32_t)(value < 0 ? -value : value));
        gs_say(value < 0, 1);
    }
}

static uint32_t gs_next_said(void)
{
    uint32_t bit;

    if (said.at == said.end)
        gs_say_gaussian();
    bit = said.bit[said.at++];
    if (said.at == said.end)
        said.at = said.end = 0;
    return bit;
}

uint32_t gs_range_bit(gs_range_coder *coder, uint16_t *context)
{
    uint32_t probability = *context >> 4;
    uint32_t count = *context & GS_COUNT_MASK;
    uint32_t shift = gs_adaptation_shift[count];
    uint32_t bound;
    uint32_t bit;

    if (!is_writing)
        return gs_range_read_bit(coder, context);
    bit = gs_next_said();
    bound = (encoder.range >> 12) * (probability | 1u);
    if (bit) {
        encoder.range = bound;
        probability += (4095u - probability) >> shift;
    } else {
        encoder.low += bound;
        encoder.range -= bound;
        probability -= probability >> shift;
    }
    *context = (uint16_t)(probability << 4 | (count < GS_COUNT_MASK ? count + 1 : GS_COUNT_MASK));
    gs_drain();
    return bit;
}

uint32_t gs_range_direct(gs_range_coder *coder, uint32_t bits)
{
    uint32_t value = 0;

    if (!is_writing)
        return gs_range_read_direct(coder, bits);
    for (; bits > 0; bits--) {
        uint32_t bit = gs_next_said();
        encoder.range >>= 1;
        if (bit)
            encoder.low += encoder.range;
        value = value << 1 | bit;
        gs_drain();
    }
    return value;
}

/* ---- reading ---- */

/* Returns NULL where there is no room, or nothing to list. */
static gs_row *gs_list(int32_t kind, int32_t scale, int32_t onset, int32_t place, int32_t extent, int32_t level)
{
    gs_row *row = rows + rows_listed;

    if ((is_writing && kind != GS_ROW_FRAME) || rows_listed == GS_MOST_ROWS)
        return NULL;
    rows_listed++;
    row->kind = kind;
    row->scale = scale;
    row->onset = onset;
    row->place = place;
    row->extent = extent;
    row->level = level;
    row->side = 0;
    row->pan = 0;
    return row;
}

static int gs_listed_slots_next(gs_slots *slots, gs_range_coder *coder, uint16_t *contexts, gs_gaussian *gaussian)
{
    int more = gs_slots_next(slots, coder, contexts, gaussian);
    const gs_tone *tone = &gaussian->as.tone;
    const gs_noise *noise = &gaussian->as.noise;
    int is_tone = gaussian->kind == GS_TONE;
    gs_row *row = NULL;

    if (more && is_tone)
        row = gs_list(GS_TONE, tone->scale, (int32_t)(tone->onset - GS_TIME_ZERO), tone->bin, tone->phase,
                      tone->amplitude);
    else if (more)
        row = gs_list(GS_NOISE, noise->scale, (int32_t)(noise->onset - GS_TIME_ZERO), noise->place, noise->width,
                      noise->weight);
    if (row && gaussian->panned) {
        row->side = is_tone ? tone->side_amplitude : noise->side[0];
        row->pan = is_tone ? tone->side_phase : noise->side[1];
    }
    return more;
}

static void gs_listed_residual_next(gs_residual_state *state, const gs_info *info, gs_range_coder *coder,
                                    gs_tone_state *tone, gs_noise_state *noise, int is_wanted,
                                    const gs_residual_played *played)
{
    const uint8_t *values = gs_residual_values(state);
    int32_t frame = (int32_t)state->frame;
    int32_t stated = 0;
    int32_t some = 0;
    uint32_t i;

    for (i = 0; i < GS_RESIDUAL_CELLS; i++)
        has_change[i] = 0;
    gs_residual_next(state, info, coder, tone, noise, is_wanted, played);
    if (coder->input.error)
        return;
    for (i = 0; frame % (int32_t)GS_RESIDUAL_LEVEL_FRAMES == 0 && i < GS_RESIDUAL_CELLS; i++) {
        stated += has_change[i] && state->fine[i] != fine_before[i];
        if (state->fine[i])
            gs_list(GS_ROW_FINE, 0, frame, (int32_t)i, 0, state->fine[i]);
    }
    for (i = 0; i < gs_noise_frame_samples(info); i++) {
        int32_t magnitude = values[i] >> 1 & 15;
        some += magnitude != 0;
        if (magnitude)
            gs_list(GS_ROW_COEFFICIENT, 0, frame, (int32_t)i, step_of_bin[i], values[i] & 1 ? -magnitude : magnitude);
    }
    if (stated + some)
        gs_list(GS_ROW_FRAME, 0, frame, stated + some, 0, some != 0);
}

/* ---- the module ---- */

/* Where to put a stream, or a header alone, of so many bytes before `open`; 0 if there is no memory for it. */
GS_EXPORT(stream_room) uint8_t *stream_room(uint32_t bytes)
{
    decoder = NULL;
    return gs_stream_room(bytes);
}

/* Opens the stream that lies there, to be read, or for its header to be written with. */
GS_EXPORT(open) int open(uint32_t bytes)
{
    gs_info info;
    int error;

    decoder = NULL;
    is_writing = 0;
    rows_listed = 0;
    error = gs_open_there(bytes, gs_decoder_size, &info, &decoder);
    if (error)
        return error;
    free_from = gs_aligned((uintptr_t)gs_state_of(bytes) + gs_decoder_size(&info.decoder_class));
    decoder->position = UINT32_MAX; /* needs no frame made */
    return GS_OK;
}

/* Reads up to so many slots, fewer where there is no room for their rows. Returns how many are left, or an error. */
GS_EXPORT(read_slots) int read_slots(uint32_t slots)
{
    int error = GS_OK;

    for (; slots > 0 && rows_listed <= GS_MOST_ROWS / 2 && decoder->next_slot < decoder->slots; slots--) {
        error = gs_decode_next(decoder, decoder->slots);
        if (error)
            return error;
    }
    if (decoder->next_slot < decoder->slots || rows_listed > GS_MOST_ROWS / 2)
        return decoder->slots - decoder->next_slot + 1;
    return decoder->residual_at ? gs_decode_frames(decoder, UINT32_MAX) : GS_OK;
}

GS_EXPORT(rows_read) const gs_row *rows_read(void)
{
    return rows;
}

/* Empties the list. Returns how many there were. */
GS_EXPORT(take_rows) uint32_t take_rows(void)
{
    uint32_t count = rows_listed;

    rows_listed = 0;
    return count;
}

/* Where to put the rows that are written next, the Gaussians of the segment in the order of the stream and then the
 * values of its frames, in that of frames, fine levels, coefficients and places; 0 if there is no memory for them. */
GS_EXPORT(rows_room) gs_row *rows_room(uint32_t gaussians, uint32_t values)
{
    uint64_t end = (uint64_t)free_from + ((uint64_t)gaussians + values) * sizeof(gs_row);

    if (!gs_have_up_to(end))
        return NULL;
    next_gaussian = (const gs_row *)free_from;
    next_value = gaussians_end = next_gaussian + gaussians;
    values_end = next_value + values;
    encoder.output = (uint8_t *)(uintptr_t)end;
    return (gs_row *)free_from;
}

/* Begins to write a segment of what lies there. */
GS_EXPORT(begin_segment) int begin_segment(uint32_t segment)
{
    gs_residual_state *residual = gs_decoder_residual(decoder);
    uint32_t slots = decoder->info.seek_slots;
    gs_input *input = &decoder->coder.input;

    is_writing = 1;
    encoder.low = encoder.written = encoder.pending = encoder.shifts = 0;
    encoder.range = 0xFFFFFFFFu;
    encoder.cache = -1;
    said.at = said.end = 0;
    gs_go_to_start(decoder);
    if (segment > 0)
        decoder->next_slot = (int32_t)(segment * slots);
    decoder->segment_end = decoder->slots;
    if (slots != 0 && (segment + 1) * (uint64_t)slots < (uint32_t)decoder->slots)
        decoder->segment_end = (int32_t)((segment + 1) * slots);
    gs_slots_start_segment(&decoder->syntax, &decoder->info, gs_decoder_contexts(decoder));
    if (residual)
        gs_residual_start_segment(residual, &decoder->info,
                                  segment > 0 ? gs_time_of_slot(decoder, decoder->next_slot) : 0);
    /* What a segment ends with is always right here. */
    decoder->coder.bytes_read = decoder->coder.segment_bytes = 0;
    decoder->segment_crc = ~input->crc;
    input->offset = input->size;
    return GS_OK;
}

/* Writes up to so many slots. Returns how many are left, or an error. */
GS_EXPORT(write_slots) int write_slots(uint32_t slots)
{
    int error = GS_OK;

    for (; !error && slots > 0 && decoder->next_slot < decoder->segment_end; slots--)
        error = gs_decode_next(decoder, decoder->segment_end);
    if (!error && decoder->next_slot == decoder->segment_end && decoder->residual_at)
        error = gs_decode_frames(decoder, UINT32_MAX);
    if (error || decoder->next_slot < decoder->segment_end)
        return error ? error : decoder->segment_end - decoder->next_slot;
    gs_finish_segment();
    /* Rows that are left were not in order, or not on the lattice. */
    return decoder->coder.input.error      ? decoder->coder.input.error
           : next_gaussian < gaussians_end ? GS_ERR_ARGUMENT
                                           : GS_OK;
}

GS_EXPORT(segment_bytes) uint32_t segment_bytes(void)
{
    return encoder.written;
}

GS_EXPORT(segment) const uint8_t *segment(void)
{
    return encoder.output;
}

GS_EXPORT(segment_crc) uint32_t segment_crc(void)
{
    uint32_t crc = GS_CRC_START;
    uint32_t i;

    for (i = 0; i < encoder.written; i++)
        crc = gs_crc_byte(crc, encoder.output[i]);
    return ~crc;
}
