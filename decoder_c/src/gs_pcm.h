/* SPEC 6: output samples. */
#ifndef GS_PCM_H
#define GS_PCM_H

#include "gs_platform.h"

GS_CODE_BEGINS

GS_STATIC int16_t gs_pcm_saturated(int32_t value)
{
#if defined(__ARM_FEATURE_DSP) && !defined(__clang__) && defined(__GNUC__)
    return (int16_t)__builtin_arm_ssat(value, 16);
#elif defined(__ARM_FEATURE_DSP)
    value = value > 32767 ? 32767 : value; /* which Clang knows to be that instruction */
    return (int16_t)(value < -32768 ? -32768 : value);
#else
    return (int16_t)(value == (int16_t)value ? value : value >> 31 ^ 32767);
#endif
}

/* Quarters of output steps, rounded, with the noise in output steps, NULL for none; saturated. */
void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm);

/* The same with a gain in Q13 and 16 bits more, from 0 to 32767 << 16, that changes by so much a sample. */
void gs_pcm_with_gain(const uint32_t *quarters, const int16_t *noise, uint32_t samples, uint32_t gain, uint32_t change,
                      int16_t *pcm);

GS_CODE_ENDS

#endif
