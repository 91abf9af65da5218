/* The decoder as a WebAssembly module without imports. An instance is one decoder. Errors are those of audio_gs.h. */
#include "gs_made_cosine.h"
#include "gs_wasm_memory.h"

#ifdef GS_WASM_ALL
#include "all/gs_wasm_all.h"
#else /* one channel, played as it was encoded */
#define GS_WASM_CHANNELS 1u
#define gs_wasm_size gs_decoder_size
#define gs_wasm_opened(decoder, header) GS_OK
#endif

#define GS_WASM_SAMPLES 4096u /* most samples, of each channel, that a call of `read` gives */

int16_t *pcm(void);
uint8_t *stream_room(uint32_t bytes);
int open(uint32_t bytes);
const uint32_t *info(void);
int32_t read(uint32_t samples);
int seek(uint32_t sample);
int set_loop(int on);
int set_budget(uint32_t macs);
uint32_t tell(void);

gs_decoder *gs_wasm_decoder;

static int16_t samples_read[GS_WASM_CHANNELS * GS_WASM_SAMPLES];
static uint32_t facts[14];

/* Where `read` leaves its samples. */
GS_EXPORT(pcm) int16_t *pcm(void)
{
    return samples_read;
}

/* Where to put a stream of so many bytes before `open`; NULL if there is no memory for it. The decoder that was open is
 * closed by it. */
GS_EXPORT(stream_room) uint8_t *stream_room(uint32_t bytes)
{
    gs_wasm_decoder = NULL;
    return gs_stream_room(bytes);
}

static void gs_note(const gs_info *header)
{
    uint32_t *fact = facts;

    *fact++ = header->sample_rate;
    *fact++ = header->samples;
    *fact++ = header->has_loop;
    *fact++ = header->loop_start;
    *fact++ = header->loop_end;
    *fact++ = header->peak_macs;
    *fact++ = header->kinds;
    *fact++ = header->table_set;
    *fact++ = header->decoder_class.max_tones;
    *fact++ = header->decoder_class.max_noises;
    *fact++ = (uint32_t)gs_decoder_size(&header->decoder_class); /* of 32 bits, as this machine is */
    *fact++ = header->output_shift;
    *fact++ = header->decoder_class.noise_frame_log2;
    *fact = header->decoder_class.channels;
}

/* Opens the stream of so many bytes that lies in its room. */
GS_EXPORT(open) int open(uint32_t bytes)
{
    gs_info header;
    int error;

    gs_wasm_decoder = NULL;
    gs_make_cosine();
    error = gs_open_there(bytes, gs_wasm_size, &header, &gs_wasm_decoder);
    if (error)
        return error;
    gs_note(&header);
    return gs_wasm_opened(gs_wasm_decoder, &header);
}

/* What the header of the open stream says, and what its decoder costs. */
GS_EXPORT(info) const uint32_t *info(void)
{
    return facts;
}

/* gs_read, of at most as many samples as there is room for. */
GS_EXPORT(read) int32_t read(uint32_t samples)
{
    return gs_read(gs_wasm_decoder, samples_read, samples < GS_WASM_SAMPLES ? samples : GS_WASM_SAMPLES);
}

GS_EXPORT(seek) int seek(uint32_t sample)
{
    return gs_seek(gs_wasm_decoder, sample);
}

GS_EXPORT(set_loop) int set_loop(int on)
{
    return gs_set_loop(gs_wasm_decoder, on);
}

GS_EXPORT(set_budget) int set_budget(uint32_t macs)
{
    return gs_set_budget(gs_wasm_decoder, macs);
}

GS_EXPORT(tell) uint32_t tell(void)
{
    return gs_tell(gs_wasm_decoder);
}
