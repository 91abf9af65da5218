/* SPEC 6: output samples. */
#ifndef GS_PCM_H
#define GS_PCM_H

#include <stdint.h>

/* Quarters of output steps, rounded, with the noise in output steps, NULL for none; saturated. */
void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm);

#endif
