/* What the module has beside what plays a stream in one channel, as it was encoded. */
#ifndef GS_WASM_ALL_H
#define GS_WASM_ALL_H

#include "../../include/audio_gs.h"

#define GS_WASM_CHANNELS 2u
#define gs_wasm_size gs_playback_size

extern gs_decoder *gs_wasm_decoder;

/* A decoder that was just opened gives all channels; nothing is listed, and all of it is heard. */
int gs_wasm_opened(gs_decoder *decoder, const gs_info *header);

#endif
