#include "gs_wasm_all.h"

#include "../gs_wasm_memory.h"
#include "gs_watched.h"

int set_pitch(uint32_t pitch);
int set_tempo(uint32_t tempo);
int set_mute(uint32_t kinds, uint32_t from, uint32_t to);
int set_gain(uint32_t gain);
void set_least(uint32_t tone, uint32_t noise);
void set_listing(int on);
const gs_listed *listed(void);
uint32_t listed_count(void);
uint32_t take_listed(void);

static uint32_t amplitude_step;

int gs_wasm_opened(gs_decoder *decoder, const gs_info *header)
{
    amplitude_step = header->amplitude_step;
    gs_listing.amplitude_step = gs_listing.count = gs_listing.left_out = 0;
    gs_least_heard.tone = gs_least_heard.noise = 0;
    return header->decoder_class.channels == 2 ? gs_set_stereo(decoder, 1) : GS_OK;
}

GS_EXPORT(set_pitch) int set_pitch(uint32_t pitch)
{
    return gs_set_pitch(gs_wasm_decoder, pitch);
}

GS_EXPORT(set_tempo) int set_tempo(uint32_t tempo)
{
    return gs_set_tempo(gs_wasm_decoder, tempo);
}

GS_EXPORT(set_mute) int set_mute(uint32_t kinds, uint32_t from, uint32_t to)
{
    return gs_set_mute(gs_wasm_decoder, kinds, from, to);
}

GS_EXPORT(set_gain) int set_gain(uint32_t gain)
{
    return gs_set_gain(gs_wasm_decoder, gain);
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
    gs_listing.amplitude_step = on ? amplitude_step : 0;
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
