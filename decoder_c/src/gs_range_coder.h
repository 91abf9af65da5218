/* SPEC 2: an adaptive binary range decoder. */
#ifndef GS_RANGE_CODER_H
#define GS_RANGE_CODER_H

#include "gs_container.h"

typedef struct gs_range_coder {
    gs_input input;
    uint32_t range;
    uint32_t code;
    uint32_t segment_bytes;
    uint32_t bytes_read; /* may pass segment_bytes by as many zeros as the format allows */
} gs_range_coder;

void gs_range_start(gs_range_coder *coder, uint32_t segment_bytes);
uint32_t gs_range_bit(gs_range_coder *coder, uint16_t *context);
uint32_t gs_range_direct(gs_range_coder *coder, uint32_t bits);

#endif
