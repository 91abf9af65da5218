/* The decoder as a WebAssembly module without imports. An instance is one decoder, and its memory holds, behind the
 * program's own: the samples of the last `read`, the stream, and the decoder's state. Errors are those of audio_gs.h. */
#include "../include/audio_gs.h"

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
    size = gs_decoder_size(&header.decoder_class);
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
