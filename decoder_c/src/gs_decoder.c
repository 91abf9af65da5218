#include "gs_internal.h"

GS_STATIC_ASSERT(the_public_header_knows_the_size, sizeof(gs_decoder) == GS_DECODER_FIXED_BYTES);
GS_STATIC_ASSERT(offsets_fit_16_bits, GS_DECODER_BYTES(GS_MAX_ACTIVE, GS_MAX_SCALES, GS_MAX_NOISE, 512u) < 65536u);

static gs_held *held_of(gs_decoder *decoder)
{
    return (gs_held *)(void *)((uint8_t *)decoder + sizeof *decoder);
}

static uint16_t *contexts_of(gs_decoder *decoder)
{
    return (uint16_t *)(void *)((uint8_t *)decoder + decoder->contexts_at);
}

/* Of a stream with noise only. */
static gs_noise *noise_of(gs_decoder *decoder)
{
    return (gs_noise *)(void *)((uint8_t *)decoder + decoder->noise_at);
}

static uint32_t noises_held(const gs_decoder *decoder)
{
    const uint8_t *start = (const uint8_t *)decoder;

    return decoder->noise_at ? ((const gs_noise *)(const void *)(start + decoder->noise_at))->held : 0;
}

static uint32_t time_of_slot(const gs_decoder *decoder, int32_t slot)
{
    return ((uint32_t)slot << decoder->info.slot_shift) + GS_TIME_ZERO;
}

static uint32_t longest_support(const gs_info *info)
{
    uint32_t tone = gs_support(info->smallest_scale + info->scales - 1u);
    uint32_t noise = (GS_NOISE_SHORTEST_SUPPORT * gs_noise_frame(info)) << (GS_NOISE_SCALES - 1);

    return tone > noise ? tone : noise;
}

static uint32_t lead_in_slots(const gs_info *info)
{
    uint32_t slots = longest_support(info) >> info->slot_shift;

    return slots ? slots : 1u;
}

/* ---- segments ---- */

static void open_segment(gs_decoder *decoder)
{
    uint32_t slots = decoder->info.seek_slots;
    int32_t first = decoder->next_slot < 0 ? 0 : decoder->next_slot;
    uint32_t bytes = gs_input_varint(&decoder->range.input);

    decoder->segment_crc = gs_input_number(&decoder->range.input, 4);
    decoder->segment_end = decoder->slots;
    if (slots != 0 && slots < (uint32_t)(decoder->slots - first))
        decoder->segment_end = first + (int32_t)slots;
    gs_slot_start_segment(&decoder->slot, &decoder->info, contexts_of(decoder));
    gs_range_start(&decoder->range, bytes);
}

static int close_segment(const gs_decoder *decoder)
{
    const gs_range *range = &decoder->range;

    if (range->bytes_read < range->segment_bytes)
        return GS_ERR_CORRUPT;
    if (~range->input.crc != decoder->segment_crc)
        return GS_ERR_CRC;
    if (decoder->next_slot == decoder->slots && range->input.offset != range->input.size)
        return GS_ERR_CORRUPT;
    return GS_OK;
}

static void go_to_start(gs_decoder *decoder)
{
    decoder->range.input.offset = decoder->info.header_bytes;
    decoder->range.input.error = GS_OK;
    decoder->next_slot = -(int32_t)lead_in_slots(&decoder->info);
    decoder->segment_end = decoder->next_slot;
    decoder->held = 0;
    if (decoder->noise_at)
        gs_noise_forget(noise_of(decoder));
}

/* Stops before the segment that holds `slot`. The walk ends on any input, for every segment takes bytes of the stream. */
static int go_to_segment(gs_decoder *decoder, uint32_t slot)
{
    gs_input *input = &decoder->range.input;
    uint32_t step = decoder->info.seek_slots;
    uint32_t next = step;

    go_to_start(decoder);
    for (; step != 0 && next <= slot; next += step) {
        uint32_t bytes = gs_input_varint(input);
        (void)gs_input_number(input, 4);
        if (input->error)
            return input->error;
        if (bytes > input->size - input->offset)
            return GS_ERR_TRUNCATED;
        input->offset += bytes;
        decoder->next_slot = (int32_t)next;
        decoder->segment_end = (int32_t)next;
    }
    return GS_OK;
}

/* ---- slots ---- */

static void drop_ended(gs_decoder *decoder, uint32_t time)
{
    gs_held *held = held_of(decoder);
    uint32_t i = 0;

    if (decoder->noise_at)
        gs_noise_drop_ended(noise_of(decoder), &decoder->info, time);
    while (i < decoder->held) {
        if ((held[i].onset + gs_support(held[i].scale)) << held[i].level <= time)
            held[i] = held[--decoder->held];
        else
            i++;
    }
}

static uint32_t block_of(uint32_t sample)
{
    return sample / GS_BLOCK_SAMPLES * GS_BLOCK_SAMPLES;
}

/* The time from which tones are rendered for what follows `sample`. */
static uint32_t warm_up_start(uint32_t sample)
{
    return block_of(sample) + GS_TIME_ZERO - GS_WARM_UP_BLOCKS * GS_BLOCK_SAMPLES;
}

/* Decodes the next slot and holds those of its Gaussians that end after time `needed`. */
static int decode_slot(gs_decoder *decoder, uint32_t needed)
{
    const gs_info *info = &decoder->info;
    uint16_t *contexts = contexts_of(decoder);
    gs_held *held = held_of(decoder);
    gs_noise *noise = noise_of(decoder);
    uint32_t time = time_of_slot(decoder, decoder->next_slot);
    uint32_t room;
    uint32_t noise_room;
    gs_gaussian gaussian;

    if (decoder->next_slot == decoder->segment_end)
        open_segment(decoder);
    if (block_of(time) > needed + GS_BLOCK_SAMPLES)
        needed = block_of(time) - GS_BLOCK_SAMPLES;
    drop_ended(decoder, needed);
    room = info->max_active - decoder->held;
    noise_room = info->max_noise - noises_held(decoder);
    gs_slot_start(&decoder->slot, time);
    while (gs_slot_next(&decoder->slot, &decoder->range, contexts, &gaussian)) {
        if (gaussian.amplitude != 0) {
            if (room-- == 0)
                return GS_ERR_CORRUPT;
            if (gaussian.onset + gs_support(gaussian.scale) > needed)
                gs_dequantise(&gaussian, info->amplitude_step, &held[decoder->held++]);
        } else {
            if (noise_room-- == 0)
                return GS_ERR_CORRUPT;
            if (gaussian.onset + (gs_noise_frame(info) << (gaussian.scale + 2)) > needed)
                gs_noise_hold(noise, info, &gaussian);
        }
    }
    if (decoder->range.input.error)
        return decoder->range.input.error;
    decoder->next_slot++;
    return decoder->next_slot == decoder->segment_end ? close_segment(decoder) : GS_OK;
}

/* ---- the interface ---- */

static int info_from(const void *memory, gs_read_fn read, void *user, uint32_t bytes, gs_info *info)
{
    gs_input input;

    if ((!memory && !read) || !info)
        return GS_ERR_ARGUMENT;
    gs_input_open(&input, memory, read, user, bytes);
    return gs_header_read(&input, info);
}

int gs_info_from_memory(const void *stream, uint32_t bytes, gs_info *info)
{
    return info_from(stream, NULL, NULL, bytes, info);
}

int gs_info_from_callback(gs_read_fn read, void *user, uint32_t bytes, gs_info *info)
{
    return info_from(NULL, read, user, bytes, info);
}

size_t gs_decoder_size(uint32_t max_active, uint32_t scales, uint32_t max_noise, uint32_t noise_frame_samples)
{
    uint32_t frame = (uint32_t)1 << GS_LARGEST_FRAME_SHIFT;

    if (max_active - 1 >= GS_MAX_ACTIVE || scales - 1 >= GS_MAX_SCALES || max_noise > GS_MAX_NOISE)
        return 0;
    if (max_noise == 0)
        frame = 0;
    while (frame != noise_frame_samples && frame > 1u << GS_SMALLEST_FRAME_SHIFT)
        frame /= 2;
    if (frame != noise_frame_samples)
        return 0;
    return GS_DECODER_BYTES(max_active, scales, max_noise, noise_frame_samples);
}

static int open_from(void *memory, size_t memory_bytes, const void *stream, gs_read_fn read, void *user, uint32_t bytes,
                     gs_decoder **decoder)
{
    gs_decoder *opened = (gs_decoder *)memory;
    const gs_info *info;
    size_t contexts_at;
    int error;

    if (!memory || !decoder || (!stream && !read))
        return GS_ERR_ARGUMENT;
    if ((uintptr_t)memory % sizeof(void *) != 0 || memory_bytes < sizeof *opened)
        return GS_ERR_MEMORY;
    *opened = GS_ALL_ZERO(gs_decoder);
    info = &opened->info;
    gs_input_open(&opened->range.input, stream, read, user, bytes);
    error = gs_header_read(&opened->range.input, &opened->info);
    if (error)
        return error;
    if (memory_bytes < gs_decoder_size(info->max_active, info->scales, info->max_noise, gs_noise_frame(info)))
        return GS_ERR_MEMORY;
    contexts_at = sizeof *opened + info->max_active * sizeof(gs_held);
    if (info->max_noise) {
        opened->noise_at = (uint16_t)contexts_at;
        contexts_at += GS_NOISE_BYTES(info->max_noise, gs_noise_frame(info));
        gs_noise_open(noise_of(opened), info);
    }
    opened->contexts_at = (uint16_t)contexts_at;
    opened->slots = (int32_t)((info->samples - 1) >> info->slot_shift) + 1;
    go_to_start(opened);
    opened->next_block = warm_up_start(0);
    opened->budget = GS_UNLIMITED;
    *decoder = opened;
    return GS_OK;
}

int gs_open_memory(void *memory, size_t memory_bytes, const void *stream, uint32_t bytes, gs_decoder **decoder)
{
    return open_from(memory, memory_bytes, stream, NULL, NULL, bytes, decoder);
}

int gs_open_callback(void *memory, size_t memory_bytes, gs_read_fn read, void *user, uint32_t bytes,
                     gs_decoder **decoder)
{
    return open_from(memory, memory_bytes, NULL, read, user, bytes, decoder);
}

/* Decodes up to, and without, slot `end`. */
static GS_APART int decode_slots(gs_decoder *decoder, int32_t end, uint32_t needed)
{
    int error = GS_OK;

    while (!error && decoder->next_slot < end)
        error = decode_slot(decoder, needed);
    return error;
}

/* Decodes the slots that begin before the end of the block after the next one, whose samples the next one needs. */
static int decode_for_next_block(gs_decoder *decoder)
{
    uint32_t shift = decoder->info.slot_shift;
    uint32_t last = decoder->next_block + 2 * GS_BLOCK_SAMPLES - 1;
    int32_t slot = (int32_t)(last >> shift) - (int32_t)(GS_TIME_ZERO >> shift);

    if (slot >= decoder->slots)
        slot = decoder->slots - 1;
    return decode_slots(decoder, slot + 1, decoder->next_block);
}

static int seek(gs_decoder *decoder, uint32_t sample)
{
    const gs_info *info = &decoder->info;
    uint32_t reach = longest_support(info) + gs_noise_frame(info) + GS_TIME_ZERO;
    uint32_t start = warm_up_start(sample);
    int error;

    decoder->error = GS_OK;
    decoder->position = sample;
    if (sample == info->samples)
        return GS_OK;
    error = go_to_segment(decoder, start < reach ? 0 : (start - reach) >> info->slot_shift);
    decoder->next_block = start;
    if (!error)
        error = decode_for_next_block(decoder);
    decoder->error = error;
    return error;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Makes the block of the position, and before it those that were left out. */
static int make_blocks(gs_decoder *decoder)
{
    while (decoder->next_block <= decoder->position + GS_TIME_ZERO) {
        int error = decode_for_next_block(decoder);
        if (error)
            return error;
        gs_render(&decoder->block, held_of(decoder), decoder->held, decoder->next_block, decoder->info.output_shift,
                  decoder->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    return GS_OK;
}

/* Gives at most `samples` samples of the block made last. Returns how many. */
static GS_APART uint32_t read_block(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    const gs_info *info = &decoder->info;
    const int16_t *noise = NULL;
    uint32_t end = info->samples;
    uint32_t position = decoder->position;
    uint32_t at = position % GS_BLOCK_SAMPLES;

    if (decoder->looping && position < info->loop_end)
        end = info->loop_end;
    samples = least(least(samples, end - position), GS_BLOCK_SAMPLES - at);
    if (decoder->noise_at) {
        uint32_t frame = gs_noise_frame(info);
        samples = least(samples, frame - (position & (frame - 1)));
        noise = gs_noise_prepare(noise_of(decoder), info, position);
    }
    gs_pcm(decoder->block.level_0 + at, noise, samples, pcm);
    decoder->position += samples;
    return samples;
}

int32_t gs_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    uint32_t done = 0;

    if (!decoder || (!pcm && samples > 0) || samples > INT32_MAX)
        return GS_ERR_ARGUMENT;
    while (done < samples && !decoder->error) {
        if (decoder->looping && decoder->position == decoder->info.loop_end) {
            (void)seek(decoder, decoder->info.loop_start);
        } else if (decoder->position == decoder->info.samples) {
            break;
        } else {
            decoder->error = make_blocks(decoder);
            if (!decoder->error)
                done += read_block(decoder, pcm + done, samples - done);
        }
    }
    return done > 0 || samples == 0 ? (int32_t)done : decoder->error;
}

int gs_seek(gs_decoder *decoder, uint32_t sample)
{
    if (!decoder || sample > decoder->info.samples)
        return GS_ERR_ARGUMENT;
    return seek(decoder, sample);
}

int gs_rewind(gs_decoder *decoder)
{
    return gs_seek(decoder, 0);
}

int gs_set_loop(gs_decoder *decoder, int on)
{
    if (!decoder || (on && !decoder->info.has_loop))
        return GS_ERR_ARGUMENT;
    decoder->looping = on != 0;
    return GS_OK;
}

int gs_set_budget(gs_decoder *decoder, uint32_t macs)
{
    if (!decoder)
        return GS_ERR_ARGUMENT;
    decoder->budget = (uint16_t)(macs > GS_LARGEST_BUDGET ? GS_UNLIMITED : macs);
    return GS_OK;
}

uint32_t gs_tell(const gs_decoder *decoder)
{
    return decoder ? decoder->position : 0;
}

int gs_check(gs_decoder *decoder)
{
    int error;

    if (!decoder)
        return GS_ERR_ARGUMENT;
    go_to_start(decoder);
    error = decode_slots(decoder, decoder->slots, warm_up_start(0));
    if (!error)
        return seek(decoder, 0);
    decoder->error = error;
    return error;
}

void gs_get_info(const gs_decoder *decoder, gs_info *info)
{
    if (decoder && info)
        *info = decoder->info;
}

void gs_get_coder_state(const gs_decoder *decoder, gs_coder_state *state)
{
    if (!decoder || !state)
        return;
    state->slot = decoder->next_slot - 1;
    state->range = decoder->range.range;
    state->code = decoder->range.code;
    state->bytes_read = decoder->range.bytes_read;
    state->held = decoder->held + noises_held(decoder);
}
