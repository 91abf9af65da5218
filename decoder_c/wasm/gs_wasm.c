/* The decoder as a WebAssembly module without imports. An instance is one decoder, and its memory holds, behind the
 * program's own: the samples of the last `read`, the stream, and the decoder's state. Errors are those of audio_gs.h. */
#include "gs_made_cosine.h"
#include "gs_watched.h"

#define GS_WASM_SAMPLES 4096u /* most samples a call of `read` gives */
#define GS_WASM_PAGE 65536u
#define GS_EXPORT(name) __attribute__((export_name(#name)))

int16_t *pcm(void);
uint8_t *stream_room(uint32_t bytes);
int open(uint32_t bytes);
uint32_t info(uint32_t number);
int32_t read(uint32_t samples);
int seek(uint32_t sample);
int set_loop(int on);
int set_budget(uint32_t macs);
int set_pitch(uint32_t pitch);
int set_tempo(uint32_t tempo);
int set_mute(uint32_t kinds, uint32_t from, uint32_t to);
int set_gain(uint32_t gain);
void set_least(uint32_t tone, uint32_t noise);
void set_listing(int on);
const gs_listed *listed(void);
uint32_t listed_count(void);
uint32_t take_listed(void);
uint32_t tell(void);
int check(void);
const char *error_string(int error);

extern uint8_t __heap_base;

static int16_t samples_read[GS_WASM_SAMPLES];
static gs_decoder *decoder;
static gs_info header;

static uintptr_t aligned(uintptr_t address)
{
    return (address + 15u) & ~(uintptr_t)15u;
}

/* Whether memory reaches up to an address, grown where it has to be. */
static int have_up_to(uint64_t end)
{
    uint64_t pages = (end + GS_WASM_PAGE - 1) / GS_WASM_PAGE;
    uint32_t held = (uint32_t)__builtin_wasm_memory_size(0);

    return pages <= held || (pages <= 65535u && __builtin_wasm_memory_grow(0, (uint32_t)pages - held) != (size_t)-1);
}

/* Where `read` leaves its samples. */
GS_EXPORT(pcm) int16_t *pcm(void)
{
    return samples_read;
}

/* Where to put a stream of so many bytes before `open`; 0 if there is no memory for it. The decoder that was open is
 * closed by it. */
GS_EXPORT(stream_room) uint8_t *stream_room(uint32_t bytes)
{
    uintptr_t start = aligned((uintptr_t)&__heap_base);

    decoder = NULL;
    return have_up_to((uint64_t)start + bytes) ? (uint8_t *)start : NULL;
}

/* Opens the stream of so many bytes that lies in its room. */
GS_EXPORT(open) int open(uint32_t bytes)
{
    uint8_t *stream = (uint8_t *)aligned((uintptr_t)&__heap_base);
    uint64_t state = (uint64_t)aligned((uintptr_t)stream + bytes);
    size_t size;
    int error = gs_info_from_memory(stream, bytes, &header);

    decoder = NULL;
    if (error != GS_OK)
        return error;
    gs_make_cosine();
    gs_listing.amplitude_step = gs_listing.count = gs_listing.left_out = 0;
    gs_least_heard.tone = gs_least_heard.noise = 0;
    size = gs_playback_size(&header.decoder_class);
    if (!have_up_to(state + size))
        return GS_ERR_MEMORY;
    return gs_open_memory((void *)(uintptr_t)state, size, stream, bytes, &decoder);
}

/* A number that the header of the open stream says, or what its decoder costs; 0 for others. */
GS_EXPORT(info) uint32_t info(uint32_t number)
{
    switch (number) {
    case 0:
        return header.sample_rate;
    case 1:
        return header.samples;
    case 2:
        return header.has_loop;
    case 3:
        return header.loop_start;
    case 4:
        return header.loop_end;
    case 5:
        return header.peak_macs;
    case 6:
        return header.kinds;
    case 7:
        return header.table_set;
    case 8:
        return header.decoder_class.max_tones;
    case 9:
        return header.decoder_class.max_noises;
    case 10:
        return (uint32_t)gs_decoder_size(&header.decoder_class); /* of 32 bits, as this machine is */
    case 11:
        return header.output_shift;
    case 12:
        return header.decoder_class.noise_frame_log2;
    default:
        return 0;
    }
}

/* gs_read, of at most as many samples as there is room for. */
GS_EXPORT(read) int32_t read(uint32_t samples)
{
    return gs_read(decoder, samples_read, samples < GS_WASM_SAMPLES ? samples : GS_WASM_SAMPLES);
}

GS_EXPORT(seek) int seek(uint32_t sample)
{
    return gs_seek(decoder, sample);
}

GS_EXPORT(set_loop) int set_loop(int on)
{
    return gs_set_loop(decoder, on);
}

GS_EXPORT(set_budget) int set_budget(uint32_t macs)
{
    return gs_set_budget(decoder, macs);
}

GS_EXPORT(set_pitch) int set_pitch(uint32_t pitch)
{
    return gs_set_pitch(decoder, pitch);
}

GS_EXPORT(set_tempo) int set_tempo(uint32_t tempo)
{
    return gs_set_tempo(decoder, tempo);
}

GS_EXPORT(set_mute) int set_mute(uint32_t kinds, uint32_t from, uint32_t to)
{
    return gs_set_mute(decoder, kinds, from, to);
}

GS_EXPORT(set_gain) int set_gain(uint32_t gain)
{
    return gs_set_gain(decoder, gain);
}

/* The least strength at which tones and noises are heard, 0 for all. */
GS_EXPORT(set_least) void set_least(uint32_t tone, uint32_t noise)
{
    gs_least_heard.tone = tone;
    gs_least_heard.noise = noise;
}

/* Whether the Gaussians of slots that are decoded from now on are listed. */
GS_EXPORT(set_listing) void set_listing(int on)
{
    gs_listing.amplitude_step = on ? header.amplitude_step : 0;
}

GS_EXPORT(listed) const gs_listed *listed(void)
{
    return gs_listing.listed;
}

GS_EXPORT(listed_count) uint32_t listed_count(void)
{
    return gs_listing.count;
}

/* Empties the list. Returns how many there was no room for. */
GS_EXPORT(take_listed) uint32_t take_listed(void)
{
    uint32_t left_out = gs_listing.left_out;

    gs_listing.count = gs_listing.left_out = 0;
    return left_out;
}

GS_EXPORT(tell) uint32_t tell(void)
{
    return gs_tell(decoder);
}

GS_EXPORT(check) int check(void)
{
    return gs_check(decoder);
}

GS_EXPORT(error_string) const char *error_string(int error)
{
    return gs_error_string(error);
}
