#include "gs_pcm.h"
#include "gs_stereo.h"

GS_CODE_BEGINS

/* GS_LARGEST names the class of the largest numbers, a part of it in each room. */
GS_STATIC_ASSERT(the_public_header_knows_the_size, sizeof(gs_decoder) == GS_DECODER_FIXED_BYTES);
GS_STATIC_ASSERT(offsets_fit_16_bits, GS_DECODER_BYTES(GS_LARGEST) < 65536u);

/* ---- time ---- */

static uint32_t gs_time_of_slot(const gs_decoder *decoder, int32_t slot)
{
    return ((uint32_t)slot << decoder->info.slot_log2) + GS_TIME_ZERO;
}

/* The slot in which a time lies. */
static int32_t gs_slot_at(const gs_decoder *decoder, uint32_t time)
{
    uint32_t shift = decoder->info.slot_log2;

    return (int32_t)(time >> shift) - (int32_t)(GS_TIME_ZERO >> shift);
}

static uint32_t gs_longest_support(const gs_info *info)
{
    uint32_t longest = 0;

#define GS_LONGER(name, NAME)                                                                                          \
    if (longest < gs_##name##_longest(info))                                                                           \
        longest = gs_##name##_longest(info);
    GS_EACH_KIND(GS_LONGER)
    return longest;
}

/* The bits that are 0 of all times at which a Gaussian of some kind can begin. */
static uint32_t gs_hop_mask(const gs_info *info)
{
    uint32_t mask = UINT32_MAX;

#define GS_SHORTER_HOP(name, NAME) mask &= gs_##name##_hop_mask(info);
    GS_EACH_KIND(GS_SHORTER_HOP)
    return mask;
}

static uint32_t gs_lead_in_slots(const gs_info *info)
{
    uint32_t slots = gs_longest_support(info) >> info->slot_log2;

    return slots ? slots : 1u;
}

/* How many samples before a slot begins it is needed. */
static uint32_t gs_slots_ahead(const gs_info *info)
{
    return GS_HAS_RESIDUAL && info->decoder_class.residual ? gs_noise_frame_samples(info) : GS_BLOCK_SAMPLES;
}

static uint32_t gs_block_of(uint32_t sample)
{
    return sample / GS_BLOCK_SAMPLES * GS_BLOCK_SAMPLES;
}

/* The time from which tones are rendered for what follows `sample`. */
static uint32_t gs_warm_up_start(uint32_t sample)
{
    return gs_block_of(sample) + GS_TIME_ZERO - GS_WARM_UP_BLOCKS * GS_BLOCK_SAMPLES;
}

/* ---- segments ---- */

static void gs_open_segment(gs_decoder *decoder)
{
    gs_residual_state *residual = gs_decoder_residual(decoder);
    uint32_t slots = decoder->info.seek_slots;
    int32_t first = decoder->next_slot < 0 ? 0 : decoder->next_slot;
    uint32_t bytes = gs_input_varint(&decoder->coder.input);

    decoder->segment_crc = gs_input_number(&decoder->coder.input, 4);
    decoder->segment_end = decoder->slots;
    if (slots != 0 && slots < (uint32_t)(decoder->slots - first))
        decoder->segment_end = first + (int32_t)slots;
    gs_slots_start_segment(&decoder->syntax, &decoder->info, gs_decoder_contexts(decoder));
    gs_range_start(&decoder->coder, bytes);
    if (residual)
        gs_residual_start_segment(residual, &decoder->info,
                                  decoder->next_slot < 0 ? 0 : gs_time_of_slot(decoder, decoder->next_slot));
}

/* Checks what a segment ends with, if all of it was decoded. */
static int gs_close_segment(const gs_decoder *decoder)
{
    const gs_residual_state *residual = gs_decoder_residual(decoder);
    const gs_range_coder *coder = &decoder->coder;

    if (decoder->next_slot < decoder->segment_end || (residual && residual->frame < residual->end))
        return GS_OK;
    if (coder->bytes_read < coder->segment_bytes)
        return GS_ERR_CORRUPT;
    if (~coder->input.crc != decoder->segment_crc)
        return GS_ERR_CRC;
    if (decoder->next_slot == decoder->slots && coder->input.offset != coder->input.size)
        return GS_ERR_CORRUPT;
    return GS_OK;
}

static void gs_go_to_start(gs_decoder *decoder)
{
    decoder->coder.input.offset = decoder->info.header_bytes;
    decoder->coder.input.error = GS_OK;
    decoder->next_slot = -(int32_t)gs_lead_in_slots(&decoder->info);
    decoder->segment_end = decoder->next_slot;
#define GS_FORGET(name, NAME)                                                                                          \
    if (gs_decoder_##name(decoder))                                                                                    \
        gs_##name##_forget(gs_decoder_##name(decoder));
    GS_EACH_KIND(GS_FORGET)
    if (gs_decoder_residual(decoder))
        gs_residual_forget(gs_decoder_residual(decoder));
}

/* Stops before the segment that holds `slot`. The walk ends on any input, for every segment takes bytes of it. */
static int gs_go_to_segment(gs_decoder *decoder, uint32_t slot)
{
    gs_input *input = &decoder->coder.input;
    uint32_t step = decoder->info.seek_slots;
    uint32_t next = step;

    gs_go_to_start(decoder);
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

/* Of a decoder that is played otherwise than encoded. */
static GS_SMALL uint32_t gs_ask(const gs_decoder *decoder, gs_asked asked, uint32_t number, int16_t *pcm)
{
    gs_decoder *asking = (gs_decoder *)gs_decoder_memory(decoder, 0);

    return gs_decoder_playback(decoder)->ask(asking, asked, number, pcm);
}

uint32_t gs_ask_stereo(gs_decoder *decoder, gs_stereo_asked asked, uint32_t number, void *with)
{
    return (decoder->mode & GS_IS_STEREO) ? gs_decoder_stereo(decoder)->ask(decoder, asked, number, with) : 0;
}

/* Before a slot is decoded: drops what has ended by time `needed` of what not all decoders know. Returns the time until
 * which other tones are to be dropped. */
static GS_ONCE uint32_t gs_drop_more(gs_decoder *decoder, uint32_t needed)
{
    uint32_t ended = needed;

    if (decoder->mode & GS_IS_PITCHED)
        ended = gs_ask(decoder, GS_ASKED_BEFORE_SLOT, needed, NULL);
    (void)gs_ask_stereo(decoder, GS_STEREO_DROP, needed, NULL);
    return ended;
}

/* Reads the frames of the residual before frame `end` that decoded slots have, and makes those that what is read next
 * needs. */
static GS_APART int gs_decode_frames(gs_decoder *decoder, uint32_t end)
{
    gs_residual_state *residual = gs_decoder_residual(decoder);
    int error = GS_OK;

    while (!error && residual->frame < gs_least(end, residual->end)) {
        int is_wanted = residual->frame >= decoder->position >> gs_noise_frame_log2(&decoder->info);
        if (decoder->mode & GS_IS_PLAYED)
            (void)gs_ask(decoder, GS_ASKED_FRAME, (uint32_t)is_wanted, NULL);
        else
            gs_residual_next(residual, &decoder->info, &decoder->coder, gs_decoder_tone(decoder),
                             gs_decoder_noise(decoder), is_wanted, NULL);
        error = decoder->coder.input.error ? decoder->coder.input.error : gs_close_segment(decoder);
    }
    return error;
}

/* Makes the frames that are centred in the slot decoded last those to be read next. */
static void gs_find_frames(gs_decoder *decoder, gs_residual_state *residual)
{
    uint32_t log2 = gs_noise_frame_log2(&decoder->info);
    uint32_t shift = decoder->info.slot_log2 - log2;

    if (decoder->next_slot <= 0)
        return;
    residual->frame = (uint32_t)(decoder->next_slot - 1) << shift;
    residual->end = gs_least((uint32_t)decoder->next_slot << shift, ((decoder->info.samples - 1) >> log2) + 2);
}

/* Makes room for a Gaussian that is one too many, if there is any that may be dropped for it. */
static GS_ONCE int gs_make_room(gs_decoder *decoder, uint32_t kind, uint32_t *room)
{
    uint32_t dropped;

    if (!(decoder->mode & GS_IS_PACED) || kind != GS_TONE)
        return 0;
    dropped = gs_ask(decoder, GS_ASKED_ROOM, 0, NULL);
    room[kind] = dropped - 1;
    return dropped > 0;
}

/* Decodes the next slot and holds those of its Gaussians that end after time `needed`. */
static int gs_decode_slot(gs_decoder *decoder, uint32_t needed)
{
    const gs_info *info = &decoder->info;
    uint16_t *contexts = gs_decoder_contexts(decoder);
    uint32_t time = gs_time_of_slot(decoder, decoder->next_slot);
    uint32_t ahead = gs_slots_ahead(info);
    uint32_t ended; /* time by which tones have that are to be dropped */
    uint32_t room[GS_KINDS] = {0};
    gs_gaussian gaussian;

    if (gs_decoder_residual(decoder)) {
        int error = gs_decode_frames(decoder, UINT32_MAX);
        if (error)
            return error;
    }
    if (decoder->next_slot == decoder->segment_end)
        gs_open_segment(decoder);
    if (gs_block_of(time) > needed + ahead)
        needed = gs_block_of(time) - ahead;
#define GS_MAKE_ROOM(name, NAME)                                                                                       \
    if (gs_decoder_##name(decoder)) {                                                                                  \
        gs_##name##_drop_ended(gs_decoder_##name(decoder), info, GS_##NAME == GS_TONE ? ended : needed);               \
        room[GS_##NAME] = gs_##name##_most(&info->decoder_class) - gs_decoder_##name(decoder)->held;                   \
    }
    ended = needed;
    if (decoder->mode & (GS_IS_PITCHED | GS_IS_STEREO))
        ended = gs_drop_more(decoder, needed);
    GS_EACH_KIND(GS_MAKE_ROOM)
    gaussian.panned = info->decoder_class.panned;
    gs_slots_start(&decoder->syntax, time);
    while (gs_slots_next(&decoder->syntax, &decoder->coder, contexts, &gaussian)) {
        if (room[gaussian.kind]-- == 0 && !gs_make_room(decoder, gaussian.kind, room))
            return GS_ERR_CORRUPT;
#define GS_HOLD(name, NAME)                                                                                            \
    if (GS_HAS_##NAME && gaussian.kind == GS_##NAME)                                                                   \
        gs_##name##_hold(gs_decoder_##name(decoder), info, &gaussian.as.name, needed);
        GS_EACH_KIND(GS_HOLD)
        if (decoder->mode & GS_IS_STEREO)
            (void)gs_ask_stereo(decoder, GS_STEREO_HOLD, needed, &gaussian);
    }
    if (decoder->coder.input.error)
        return decoder->coder.input.error;
    decoder->next_slot++;
    if (gs_decoder_residual(decoder))
        gs_find_frames(decoder, gs_decoder_residual(decoder));
    return gs_close_segment(decoder);
}

/* ---- the interface ---- */

/* Byte by byte, which saves a small program the C library's memcpy. */
static GS_NOINLINE void gs_copy_info(const gs_info *from, gs_info *to)
{
    const uint8_t *byte = (const uint8_t *)from;
    uint8_t *copy = (uint8_t *)to;
    const uint8_t *end = copy + sizeof *to;

    do
        *copy++ = *byte++;
    while (copy < end);
}

GS_NOINLINE int gs_info_from(const void *memory, gs_read_fn read, void *user, uint32_t bytes, gs_info *info)
{
    gs_input input;

    if ((!memory && !(GS_HAS_CALLBACK && read)) || !info)
        return GS_ERR_ARGUMENT;
    gs_input_open(&input, memory, read, user, bytes);
    return gs_header_read(&input, info);
}

int gs_info_from_memory(const void *stream, uint32_t bytes, gs_info *info)
{
    return gs_info_from(stream, NULL, NULL, bytes, info);
}

int gs_info_from_callback(gs_read_fn read, void *user, uint32_t bytes, gs_info *info)
{
    return gs_info_from(NULL, read, user, bytes, info);
}

/* Where something begins that is aligned as anything may be. */
static size_t gs_playback_offset(size_t bytes)
{
    return (bytes + 7u) & ~(size_t)7u;
}

size_t gs_decoder_size(const gs_class *decoder_class)
{
    size_t bytes = GS_DECODER_FIXED_BYTES;

    if (!decoder_class)
        return 0;
#define GS_ADD_BYTES(name, NAME)                                                                                       \
    if (!gs_##name##_class_is_legal(decoder_class))                                                                    \
        return 0;                                                                                                      \
    bytes += gs_##name##_bytes(decoder_class) + 2u * gs_##name##_contexts(gs_##name##_scales(decoder_class));
    GS_EACH_KIND(GS_ADD_BYTES)
    if (!gs_residual_class_is_legal(decoder_class) || !gs_stereo_class_is_legal(decoder_class))
        return 0;
    bytes += gs_residual_bytes(decoder_class);
    if (decoder_class->channels < 2)
        return bytes;
    if (decoder_class->panned)
        bytes += 2u * GS_SIDE_CONTEXTS;
    return gs_playback_offset(bytes) + GS_STEREO_BYTES(decoder_class->panned, decoder_class->max_tones,
                                                       decoder_class->max_noises, decoder_class->noise_frame_log2);
}

size_t gs_playback_size(const gs_class *decoder_class)
{
    size_t bytes = gs_decoder_size(decoder_class);

    if (bytes == 0)
        return 0;
    return gs_playback_offset(bytes) + GS_PLAYBACK_BYTES(decoder_class->max_tones, decoder_class->residual);
}

/* Judges everything before it writes: until then a decoder that is in use may lie in the memory. */
GS_NOINLINE int gs_open_from(void *memory, size_t memory_bytes, const void *stream, gs_read_fn read, void *user,
                             uint32_t bytes, gs_decoder **decoder)
{
    gs_decoder *opened = (gs_decoder *)memory;
    const gs_class *decoder_class;
    gs_info info;
    size_t at = sizeof *opened;
    int error;

    if (!memory || !decoder)
        return GS_ERR_ARGUMENT;
    error = gs_info_from(stream, read, user, bytes, &info);
    if (error)
        return error;
    if ((uintptr_t)memory % sizeof(void *) != 0 || memory_bytes < gs_decoder_size(&info.decoder_class))
        return GS_ERR_MEMORY;
    gs_clear(opened, sizeof *opened);
    gs_copy_info(&info, &opened->info);
    decoder_class = &opened->info.decoder_class;
    gs_input_open(&opened->coder.input, stream, read, user, bytes);
    gs_tone_open(gs_decoder_tone(opened), &opened->info);
    at += gs_tone_bytes(decoder_class);
#define GS_PLACE(name, NAME)                                                                                           \
    if (GS_HAS_##NAME && opened->info.kinds >> GS_##NAME & 1) {                                                        \
        opened->name##_at = (uint16_t)at;                                                                              \
        gs_##name##_open(gs_decoder_##name(opened), &opened->info);                                                    \
        at += gs_##name##_bytes(decoder_class);                                                                        \
    }
    GS_EACH_OPTIONAL_KIND(GS_PLACE)
    if (GS_HAS_RESIDUAL && decoder_class->residual) {
        opened->residual_at = (uint16_t)at;
        at += gs_residual_bytes(decoder_class);
    }
    if (decoder_class->panned)
        at += 2u * GS_TONE_SIDE_CONTEXTS;
    opened->contexts_at = (uint16_t)at;
    at = gs_playback_offset(gs_decoder_size(decoder_class));
    if ((GS_HAS_PLAYBACK || GS_HAS_LISTENER) && memory_bytes >= at + sizeof(gs_playback)) {
        gs_playback *playback = (gs_playback *)gs_decoder_memory(opened, at);
        opened->playback_at = (uint16_t)(at / 8u);
        playback->ask = NULL; /* until something is set, which opens it.. */
        playback->gain = memory_bytes - at > INT32_MAX ? INT32_MAX : (uint32_t)(memory_bytes - at); /* ..in so many */
    }
    opened->slots = (int32_t)((opened->info.samples - 1) >> opened->info.slot_log2) + 1;
    gs_go_to_start(opened);
    opened->next_block = gs_warm_up_start(0);
    opened->budget = GS_UNLIMITED;
    *decoder = opened;
    return GS_OK;
}

int gs_open_memory(void *memory, size_t memory_bytes, const void *stream, uint32_t bytes, gs_decoder **decoder)
{
    return gs_open_from(memory, memory_bytes, stream, NULL, NULL, bytes, decoder);
}

int gs_open_callback(void *memory, size_t memory_bytes, gs_read_fn read, void *user, uint32_t bytes,
                     gs_decoder **decoder)
{
    return gs_open_from(memory, memory_bytes, NULL, read, user, bytes, decoder);
}

/* Decodes up to, and without, slot `end`. */
static GS_APART int gs_decode_slots(gs_decoder *decoder, int32_t end, uint32_t needed)
{
    int error = GS_OK;

    while (!error && decoder->next_slot < end)
        error = gs_decode_slot(decoder, needed);
    return error;
}

/* Decodes the next slot before slot `end` in which a Gaussian can begin. The others take no bits, so that a stream can
 * state as many as it likes: they are left out, but for the last one and the last of a segment, where something ends. */
static GS_NOINLINE int gs_decode_next(gs_decoder *decoder, int32_t end)
{
    uint32_t between = gs_hop_mask(&decoder->info) >> decoder->info.slot_log2; /* slots that are empty, 2^n - 1 */
    uint32_t needed = gs_decoder_residual(decoder) ? gs_warm_up_start(0) : decoder->next_block;
    int32_t next = decoder->next_slot + (int32_t)((0u - (uint32_t)decoder->next_slot) & between);
    int32_t last = (end < decoder->segment_end ? end : decoder->segment_end) - 1;

    if (decoder->next_slot < last)
        decoder->next_slot = next < last ? next : last;
    return gs_decode_slots(decoder, decoder->next_slot + 1, needed);
}

/* The slots that begin before the end of the block after it, or before that of the next frame, which they steer, and the
 * frames around it. What steers frames is held even if it has ended. */
int gs_decode_for_next_block(gs_decoder *decoder)
{
    uint32_t last = decoder->next_block + gs_slots_ahead(&decoder->info) + GS_BLOCK_SAMPLES - 1;
    int32_t slot = gs_slot_at(decoder, last);
    uint32_t shift;
    int error;

    if (slot >= decoder->slots)
        slot = decoder->slots - 1;
    if (!gs_decoder_residual(decoder))
        return gs_decode_slots(decoder, slot + 1, decoder->next_block);
    error = gs_decode_slots(decoder, slot + 1, gs_warm_up_start(0));
    if (error)
        return error;
    shift = gs_noise_frame_log2(&decoder->info);
    return gs_decode_frames(decoder, (decoder->next_block >> shift) + 2 - (GS_TIME_ZERO >> shift));
}

int gs_seek_to(gs_decoder *decoder, uint32_t sample)
{
    const gs_info *info = &decoder->info;
    uint32_t reach = gs_longest_support(info) + gs_noise_frame_samples(info) + GS_TIME_ZERO;
    uint32_t start = gs_warm_up_start(sample);
    int error;

    if (decoder->mode & GS_IS_PITCHED && gs_ask(decoder, GS_ASKED_SEEK, sample, NULL))
        return decoder->error;
    decoder->error = GS_OK;
    decoder->position = sample;
    if (sample == info->samples)
        return GS_OK;
    error = gs_go_to_segment(decoder, start < reach ? 0 : (start - reach) >> info->slot_log2);
    decoder->next_block = start;
    while (!error && decoder->next_slot < gs_slot_at(decoder, start))
        error = gs_decode_next(decoder, gs_slot_at(decoder, start));
    if (!error)
        error = gs_decode_for_next_block(decoder);
    decoder->error = (int8_t)error;
    return error;
}

/* Makes the block of the position, and before it those that were left out. */
static int gs_make_blocks(gs_decoder *decoder)
{
    while (decoder->next_block <= decoder->position + GS_TIME_ZERO) {
        int error = gs_decode_for_next_block(decoder);
        if (error)
            return error;
        gs_tone_render(gs_decoder_tone(decoder), decoder->next_block, decoder->info.output_shift, decoder->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    return GS_OK;
}

/* Gives at most `samples` samples of the block made last, up to sample `end` of the clip. Returns how many. */
GS_FAST uint32_t gs_read_block_to(gs_decoder *decoder, int16_t *pcm, uint32_t samples, uint32_t end)
{
    const gs_info *info = &decoder->info;
    gs_noise_state *noise = gs_decoder_noise(decoder);
    const int16_t *of_noise = NULL;
    uint32_t position = decoder->position;
    uint32_t at = position % GS_BLOCK_SAMPLES;

    samples = gs_least(gs_least(samples, end - position), GS_BLOCK_SAMPLES - at);
    if (noise) {
        uint32_t frame = (uint32_t)1 << gs_noise_frame_log2(info);
        samples = gs_least(samples, frame - (position & (frame - 1)));
        of_noise = gs_noise_render(noise, info, position);
    }
    gs_pcm(gs_decoder_tone(decoder)->octave_0 + at, of_noise, samples, pcm);
    decoder->position += samples;
    return samples;
}

static GS_APART uint32_t gs_read_block(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    return gs_read_block_to(decoder, pcm, samples, decoder->info.samples);
}

/* The same, with the blocks before it, for a decoder that loops. Returns 0 at the end, or with the decoder's error
 * set. */
static GS_ONCE uint32_t gs_read_looping(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    const gs_info *info = &decoder->info;

    if (decoder->position == info->loop_end)
        (void)gs_seek_to(decoder, info->loop_start);
    else if (decoder->position == info->samples)
        return 0;
    if (!decoder->error)
        decoder->error = (int8_t)gs_make_blocks(decoder);
    if (decoder->error)
        return 0;
    return gs_read_block_to(decoder, pcm, samples, decoder->position < info->loop_end ? info->loop_end : info->samples);
}

/* The next samples of a decoder that has a mode, behind those that are done. */
static GS_ONCE uint32_t gs_read_otherwise(gs_decoder *decoder, int16_t *pcm, uint32_t done, uint32_t samples)
{
    if (decoder->mode & GS_IS_STEREO)
        return gs_ask_stereo(decoder, GS_STEREO_READ, samples, pcm + 2 * (size_t)done);
    pcm += done;
    return (decoder->mode & GS_IS_PLAYED) ? gs_ask(decoder, GS_ASKED_READ, samples, pcm)
                                          : gs_read_looping(decoder, pcm, samples);
}

int32_t gs_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    uint32_t done = 0;

    if (!decoder || (!pcm && samples > 0) || samples > INT32_MAX)
        return GS_ERR_ARGUMENT;
    while (done < samples && !decoder->error) {
        if (decoder->mode) {
            uint32_t given = gs_read_otherwise(decoder, pcm, done, samples - done);
            if (given == 0)
                break;
            done += given;
        } else if (decoder->position == decoder->info.samples) {
            break;
        } else {
            decoder->error = (int8_t)gs_make_blocks(decoder);
            if (!decoder->error)
                done += gs_read_block(decoder, pcm + done, samples - done);
        }
    }
    return done > 0 || samples == 0 ? (int32_t)done : decoder->error;
}

int gs_seek(gs_decoder *decoder, uint32_t sample)
{
    if (!decoder || sample > decoder->info.samples)
        return GS_ERR_ARGUMENT;
    return gs_seek_to(decoder, sample);
}

int gs_rewind(gs_decoder *decoder)
{
    return gs_seek(decoder, 0);
}

int gs_set_loop(gs_decoder *decoder, int on)
{
    if (!decoder || (on && decoder->info.loop_end - decoder->info.loop_start < GS_SHORTEST_LOOP))
        return GS_ERR_ARGUMENT;
    decoder->mode = (uint8_t)((decoder->mode & ~GS_LOOPS) | (on != 0));
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
    if (!decoder)
        return 0;
    return (decoder->mode & GS_IS_PACED) ? gs_ask(decoder, GS_ASKED_TELL, 0, NULL) : decoder->position;
}

/* Goes through all slots and, in a build with GS_CHECK_COST, counts the MACs of tones in stretches of 20 ms, and those of
 * their sides where both channels are given. Where no tone is held it goes on to the next slot, so that its time goes by what the stream has, not by its length. */
static int gs_decode_all(gs_decoder *decoder)
{
    const gs_info *info = &decoder->info;
    const gs_tone_state *tone = gs_decoder_tone(decoder);
    const gs_side *sides = NULL;
    uint32_t end = info->samples + GS_TIME_ZERO;
    uint32_t window = 0;
    uint32_t left = 0; /* of the stretch, in samples */
    uint32_t macs = 0;
    int result = GS_OK;

    if (GS_CHECKS_COST)
        window = gs_divide(info->sample_rate + 25u, 50);
    if (GS_CHECKS_COST && decoder->mode & GS_IS_STEREO && info->decoder_class.panned)
        sides = gs_sides_of(info);
    while (decoder->next_slot < decoder->slots || (GS_CHECKS_COST && tone->held > 0 && decoder->next_block < end)) {
        int error;
        if (GS_CHECKS_COST && tone->held > 0) {
            error = gs_decode_for_next_block(decoder);
            if (left < GS_BLOCK_SAMPLES) {
                left = window + GS_BLOCK_SAMPLES - 1;
                macs = 0;
            }
            left -= GS_BLOCK_SAMPLES;
            macs += gs_tone_macs(tone, sides, decoder->next_block);
            if (macs > window * gs_least(info->peak_macs, GS_MORE_THAN_ALL_MACS))
                result = GS_ERR_COST;
            decoder->next_block += GS_BLOCK_SAMPLES;
        } else {
            error = gs_decode_next(decoder, decoder->slots);
            if (GS_CHECKS_COST) {
                uint32_t time = gs_block_of(gs_time_of_slot(decoder, decoder->next_slot - 1));
                if (decoder->next_block + gs_slots_ahead(info) < time)
                    decoder->next_block = time - gs_slots_ahead(info);
                left = 0;
            }
        }
        if (error)
            return error;
    }
    if (gs_decoder_residual(decoder)) {
        int error = gs_decode_frames(decoder, UINT32_MAX);
        if (error)
            return error;
    }
    return result;
}

int gs_check(gs_decoder *decoder)
{
    uint32_t position;
    int error;

    if (!decoder)
        return GS_ERR_ARGUMENT;
    gs_go_to_start(decoder);
    position = decoder->position;
    decoder->position = UINT32_MAX; /* needs no frame made */
    decoder->next_block = gs_warm_up_start(0);
    error = gs_decode_all(decoder);
    if (!error || (GS_CHECKS_COST && error == GS_ERR_COST)) {
        int rewound = gs_seek_to(decoder, 0);
        return rewound ? rewound : error;
    }
    decoder->position = position;
    decoder->error = (int8_t)error;
    return error;
}

uint32_t gs_channels(const gs_decoder *decoder)
{
    return decoder ? decoder->info.decoder_class.channels : 0;
}

void gs_get_info(const gs_decoder *decoder, gs_info *info)
{
    if (decoder && info)
        gs_copy_info(&decoder->info, info);
}

void gs_get_coder_state(const gs_decoder *decoder, gs_coder_state *state)
{
    if (!decoder || !state)
        return;
    state->slot = decoder->next_slot - 1;
    state->range = decoder->coder.range;
    state->code = decoder->coder.code;
    state->bytes_read = decoder->coder.bytes_read;
    state->held = 0;
#define GS_ADD_HELD(name, NAME)                                                                                        \
    if (gs_decoder_##name(decoder))                                                                                    \
        state->held += gs_decoder_##name(decoder)->held;
    GS_EACH_KIND(GS_ADD_HELD)
}

/* ---- otherwise than encoded (SPEC 9) ---- */

static void gs_next_played_frame(gs_decoder *decoder, int is_wanted)
{
    gs_playback *playback = gs_decoder_playback(decoder);
    gs_residual_played played = {gs_residual_make_played_block, playback};
    gs_tone_state *tone = gs_decoder_tone(decoder);

    if (decoder->mode & GS_IS_PACED)
        is_wanted = 1; /* to keep it */
    if (decoder->mode & GS_IS_PITCHED) {
        gs_playback_begin_tones(playback, tone, &decoder->info);
        gs_playback_exchange(playback, tone);
    }
    gs_residual_next(gs_decoder_residual(decoder), &decoder->info, &decoder->coder, tone, gs_decoder_noise(decoder),
                     is_wanted, &played);
    if (decoder->mode & GS_IS_PITCHED)
        gs_playback_exchange_back(playback, tone);
}

/* Decodes what the next block of the samples that are given at a pace needs: the slots that begin before the end of the
 * block after it, or before that of the next frame, and the frames of the residual up to the next frame. */
static int gs_decode_for_paced_block(gs_decoder *decoder)
{
    const gs_info *info = &decoder->info;
    gs_playback *playback = gs_decoder_playback(decoder);
    gs_tone_state *tone = gs_decoder_tone(decoder);
    gs_residual_state *residual = gs_decoder_residual(decoder);
    const gs_pace *pace = gs_playback_pace(playback, info);
    uint32_t end = decoder->next_block + GS_BLOCK_SAMPLES + gs_slots_ahead(info);
    int error = GS_OK;

    while (!error && decoder->next_slot < decoder->slots && gs_pace_next(pace, info).sample < end) {
        gs_playback_to_clip(playback, tone, info);
        error = gs_decode_slot(decoder, gs_warm_up_start(0));
    }
    if (!error && residual) {
        uint32_t log2 = gs_noise_frame_log2(info);
        int32_t block = (int32_t)(decoder->next_block - GS_PACED_ZERO);
        uint32_t frame = (uint32_t)((block >> log2) + 1);
        int32_t time = (int32_t)(gs_pace_clip_time(pace, frame << log2) - GS_TIME_ZERO);
        uint32_t frames = (uint32_t)((time >> log2) + 1);
        if (time >= 0 && residual->frame < gs_least(frames, residual->end)) {
            gs_playback_to_clip(playback, tone, info);
            error = gs_decode_frames(decoder, frames);
        }
    }
    if (!error)
        gs_playback_from_clip(playback, tone, info);
    return error;
}

/* The samples that blocks before the one of the position may need the clip ahead of, at most. */
#define GS_PACED_WARM_UP ((GS_WARM_UP_BLOCKS + 1u) * GS_BLOCK_SAMPLES)

/* Goes to where a pace begins that is set, if there is one. */
static uint32_t gs_seek_at_pace(gs_decoder *decoder, uint32_t sample)
{
    const gs_info *info = &decoder->info;
    gs_playback *playback = gs_decoder_playback(decoder);
    uint32_t reach = gs_longest_support(info) + gs_noise_frame_samples(info) + GS_TIME_ZERO;
    gs_pace *pace = gs_playback_pace(playback, info);
    int is_paced = gs_playback_has_pace(playback) && gs_pace_is_set(pace, info);
    uint32_t start;

    gs_playback_jump(playback, info, is_paced);
    decoder->mode &= (uint8_t)~GS_IS_PACED;
    if (!is_paced)
        return 0;
    decoder->mode |= (uint8_t)GS_IS_PACED;
    decoder->error = GS_OK;
    decoder->position = gs_pace_samples(pace, sample);
    decoder->next_block = gs_warm_up_start(decoder->position) - GS_TIME_ZERO + GS_PACED_ZERO;
    pace->jumped_to = sample;
    start = GS_PACED_WARM_UP * pace->step >> 16;
    start = gs_warm_up_start(sample > start ? sample - start : 0);
    decoder->error = (int8_t)gs_go_to_segment(decoder, start < reach ? 0 : (start - reach) >> info->slot_log2);
    gs_pace_jump(pace, info, decoder->next_slot);
    if (!decoder->error && sample != info->samples)
        decoder->error = (int8_t)gs_decode_for_paced_block(decoder);
    return 1;
}

/* NULL where there are none. */
static const gs_sides *gs_sides_to_render(gs_decoder *decoder, gs_sides *sides)
{
    if (!(decoder->mode & GS_IS_STEREO) || !decoder->info.decoder_class.panned)
        return NULL;
    (void)gs_ask_stereo(decoder, GS_STEREO_SIDES, 0, sides);
    return sides;
}

/* As gs_make_blocks. */
static int gs_make_played_blocks(gs_decoder *decoder)
{
    uint32_t zero = (decoder->mode & GS_IS_PACED) ? GS_PACED_ZERO : GS_TIME_ZERO;
    gs_sides sides;

    while (decoder->next_block <= decoder->position + zero) {
        int error =
            (decoder->mode & GS_IS_PACED) ? gs_decode_for_paced_block(decoder) : gs_decode_for_next_block(decoder);
        if (error)
            return error;
        gs_playback_render_tones(gs_decoder_playback(decoder), gs_decoder_tone(decoder), &decoder->info,
                                 gs_sides_to_render(decoder, &sides), decoder->next_block, decoder->budget);
        decoder->next_block += GS_BLOCK_SAMPLES;
    }
    return GS_OK;
}

/* As gs_read_block_to. */
static uint32_t gs_read_played_block(gs_decoder *decoder, int16_t *pcm, uint32_t samples, uint32_t end)
{
    const gs_info *info = &decoder->info;
    gs_playback *playback = gs_decoder_playback(decoder);
    gs_noise_state *noise = gs_decoder_noise(decoder);
    const int16_t *of_noise = NULL;
    uint32_t position = decoder->position;
    uint32_t at = position % GS_BLOCK_SAMPLES;

    samples = gs_least(gs_least(samples, end - position), GS_BLOCK_SAMPLES - at);
    if (noise) {
        uint32_t frame = (uint32_t)1 << gs_noise_frame_log2(info);
        gs_residual_state *residual = (decoder->mode & GS_IS_PACED) ? gs_decoder_residual(decoder) : NULL;
        samples = gs_least(samples, frame - (position & (frame - 1)));
        of_noise = residual ? gs_residual_noise(residual, noise, info, playback, position)
                            : gs_playback_noise(playback, noise, info, position);
    }
    if (decoder->mode & GS_IS_STEREO) {
        gs_stereo_sum sum;
        sum.noise = of_noise;
        (void)gs_ask_stereo(decoder, GS_STEREO_SUM, at, &sum);
        gs_playback_pcm(playback, sum.quarters, of_noise, samples, &sum, pcm);
    } else {
        gs_playback_pcm(playback, gs_decoder_tone(decoder)->octave_0 + at, of_noise, samples, NULL, pcm);
    }
    decoder->position += samples;
    return samples;
}

static uint32_t gs_read_played(gs_decoder *decoder, int16_t *pcm, uint32_t samples)
{
    const gs_info *info = &decoder->info;
    uint32_t end = info->samples;
    uint32_t loop_end = info->loop_end;

    if (decoder->mode & GS_IS_PACED) {
        const gs_pace *pace = gs_playback_pace(gs_decoder_playback(decoder), info);
        end = pace->end;
        loop_end = pace->loop_end;
    }
    if (decoder->mode & GS_LOOPS && decoder->position == loop_end)
        (void)gs_seek_to(decoder, info->loop_start);
    else if (decoder->position == end)
        return 0;
    if (!decoder->error)
        decoder->error = (int8_t)gs_make_played_blocks(decoder);
    if (decoder->error)
        return 0;
    if (decoder->mode & GS_LOOPS && decoder->position < loop_end)
        end = loop_end;
    return gs_read_played_block(decoder, pcm, samples, end);
}

/* Where the clip was jumped to, of a decoder that has made nothing since. */
static uint32_t gs_jumped_to(const gs_decoder *decoder)
{
    return (decoder->mode & GS_IS_PACED) ? gs_playback_pace(gs_decoder_playback(decoder), &decoder->info)->jumped_to
                                         : decoder->position;
}

static int gs_has_jumped(const gs_decoder *decoder)
{
    uint32_t zero = (decoder->mode & GS_IS_PACED) ? GS_PACED_ZERO - GS_TIME_ZERO : 0;

    return decoder->next_block == gs_warm_up_start(decoder->position) + zero;
}

static uint32_t gs_tell_at_pace(const gs_decoder *decoder)
{
    const gs_pace *pace = gs_playback_pace(gs_decoder_playback(decoder), &decoder->info);
    uint32_t time;

    if (gs_has_jumped(decoder))
        return gs_jumped_to(decoder);
    if (decoder->position == pace->end)
        return decoder->info.samples;
    time = gs_pace_clip_time(pace, decoder->position);
    return time < GS_TIME_ZERO ? 0 : gs_least(time - GS_TIME_ZERO, decoder->info.samples);
}

static uint32_t gs_play_otherwise(gs_decoder *decoder, gs_asked asked, uint32_t number, int16_t *pcm)
{
    gs_playback *playback = gs_decoder_playback(decoder);
    gs_tone_state *tone = gs_decoder_tone(decoder);

    switch (asked) {
    case GS_ASKED_READ:
        return gs_read_played(decoder, pcm, number);
    case GS_ASKED_FRAME:
        gs_next_played_frame(decoder, number != 0);
        return 0;
    case GS_ASKED_BEFORE_SLOT:
        return gs_playback_before_slot(playback, tone, &decoder->info, number, decoder->next_block);
    case GS_ASKED_ROOM:
        return gs_playback_make_room(playback, tone, &decoder->info);
    case GS_ASKED_SEEK:
        return gs_seek_at_pace(decoder, number);
    default:
        return gs_tell_at_pace(decoder);
    }
}

/* Its settings, open; NULL without memory for them. */
static gs_playback *gs_decoder_opened(gs_decoder *decoder)
{
    gs_playback *playback = (gs_playback *)gs_decoder_memory(decoder, 8u * (size_t)decoder->playback_at);

    if (!GS_HAS_PLAYBACK || !decoder->playback_at)
        return NULL;
    if (!playback->ask) {
        gs_playback_open(playback, &decoder->info, playback->gain);
        playback->ask = gs_play_otherwise;
    }
    return playback;
}

/* Its settings, which hold from now on. */
static gs_playback *gs_decoder_settings(gs_decoder *decoder)
{
    decoder->mode |= (uint8_t)GS_IS_PLAYED;
    return gs_decoder_playback(decoder);
}

/* After a jump settings hold for what it decoded already, too. */
static void gs_jump_again(gs_decoder *decoder)
{
    if (!decoder->error && gs_has_jumped(decoder))
        (void)gs_seek_to(decoder, gs_jumped_to(decoder));
}

int gs_set_fade(gs_decoder *decoder, uint32_t gain, uint32_t samples)
{
    if (!decoder || gain > GS_LARGEST_GAIN || samples > INT32_MAX)
        return GS_ERR_ARGUMENT;
    if (!gs_decoder_opened(decoder))
        return GS_ERR_MEMORY;
    gs_playback_fade(gs_decoder_settings(decoder), gain, samples);
    return GS_OK;
}

int gs_set_gain(gs_decoder *decoder, uint32_t gain)
{
    return gs_set_fade(decoder, gain, 0);
}

int gs_set_pitch(gs_decoder *decoder, uint32_t pitch)
{
    gs_playback *playback;

    if (!decoder || gs_outside(pitch, GS_LOWEST_PITCH, GS_HIGHEST_PITCH))
        return GS_ERR_ARGUMENT;
    playback = gs_decoder_opened(decoder);
    if (!playback || !gs_playback_has_room(playback))
        return GS_ERR_MEMORY;
    gs_playback_pitch(gs_decoder_settings(decoder), gs_decoder_tone(decoder), &decoder->info, pitch);
    decoder->mode |= (uint8_t)GS_IS_PITCHED;
    gs_jump_again(decoder);
    return GS_OK;
}

/* NULL without memory for it. */
static gs_pace *gs_decoder_pace(gs_decoder *decoder)
{
    gs_playback *playback = gs_decoder_opened(decoder);

    return playback && gs_playback_has_pace(playback) ? gs_playback_pace(playback, &decoder->info) : NULL;
}

static void gs_set_pace(gs_decoder *decoder, gs_pace *pace, uint32_t tempo, uint32_t rate)
{
    gs_playback *playback = gs_decoder_settings(decoder);

    gs_pace_set(pace, &decoder->info, tempo, rate);
    gs_playback_change_pace(playback, gs_decoder_tone(decoder), &decoder->info);
    decoder->mode |= (uint8_t)GS_IS_PITCHED;
}

int gs_set_tempo(gs_decoder *decoder, uint32_t tempo)
{
    gs_pace *pace;

    if (!decoder || gs_outside(tempo, GS_LOWEST_TEMPO, GS_HIGHEST_TEMPO))
        return GS_ERR_ARGUMENT;
    pace = gs_decoder_pace(decoder);
    if (!pace)
        return GS_ERR_MEMORY;
    if (!gs_pace_fits(&decoder->info, tempo, pace->rate))
        return GS_ERR_ARGUMENT;
    gs_set_pace(decoder, pace, tempo, pace->rate);
    gs_jump_again(decoder);
    if (!(decoder->mode & GS_IS_PACED) && gs_pace_is_set(pace, &decoder->info)) {
        gs_playback_begin_pace(gs_decoder_playback(decoder), gs_decoder_tone(decoder), &decoder->info,
                               decoder->next_slot - 1);
        decoder->next_block += GS_PACED_ZERO - GS_TIME_ZERO;
        decoder->mode |= (uint8_t)GS_IS_PACED;
    }
    return GS_OK;
}

int gs_set_rate(gs_decoder *decoder, uint32_t rate)
{
    gs_pace *pace;
    uint32_t sample;

    if (!decoder || gs_outside(rate, GS_LOWEST_RATE, GS_HIGHEST_RATE))
        return GS_ERR_ARGUMENT;
    pace = gs_decoder_pace(decoder);
    if (!pace)
        return GS_ERR_MEMORY;
    if (!gs_pace_fits(&decoder->info, pace->tempo, rate))
        return GS_ERR_ARGUMENT;
    sample = gs_tell(decoder);
    gs_set_pace(decoder, pace, pace->tempo, rate);
    return gs_seek_to(decoder, sample);
}

uint32_t gs_played_samples(const gs_decoder *decoder)
{
    gs_playback *playback;

    if (!decoder)
        return 0;
    playback = gs_decoder_playback(decoder);
    if (!playback || !gs_playback_has_pace(playback))
        return decoder->info.samples;
    return gs_pace_samples(gs_playback_pace(playback, &decoder->info), decoder->info.samples);
}

int gs_set_mute(gs_decoder *decoder, uint32_t kinds, uint32_t from, uint32_t to)
{
    if (!decoder || kinds & ~GS_MUTE_ALL || from > to || to > GS_HIGHEST_MUTE)
        return GS_ERR_ARGUMENT;
    if (!gs_decoder_opened(decoder))
        return GS_ERR_MEMORY;
    gs_playback_mute(gs_decoder_settings(decoder), &decoder->info, kinds, from, to);
    gs_jump_again(decoder);
    return GS_OK;
}

GS_CODE_ENDS
