/* SPEC 6: output samples. */
#ifndef GS_PCM_H
#define GS_PCM_H

#include <stdint.h>

/* Quarters of output steps, rounded, with the noise in output steps, NULL for none; saturated. */
void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm);

/* The same with a gain in Q13 and 16 bits more, from 0 to 32767 << 16, that changes by so much a sample. */
void gs_pcm_with_gain(const uint32_t *quarters, const int16_t *noise, uint32_t samples, uint32_t gain, uint32_t change,
                      int16_t *pcm);

#endif
