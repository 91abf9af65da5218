#include "gs_pcm.h"

GS_CODE_BEGINS

void gs_pcm(const uint32_t *quarters, const int16_t *noise, uint32_t samples, int16_t *pcm)
{
    const int16_t *end = pcm + samples;

    if (GS_IS_SMALL) {
        do {
            int32_t step = (int32_t)(*quarters++ + 2u) >> 2;
            if (noise)
                step += *noise++;
            *pcm++ = gs_pcm_saturated(step);
        } while (pcm < end);
    } else if (noise) {
        do
            *pcm++ = gs_pcm_saturated(((int32_t)(*quarters++ + 2u) >> 2) + *noise++);
        while (pcm < end);
    } else {
        do
            *pcm++ = gs_pcm_saturated((int32_t)(*quarters++ + 2u) >> 2);
        while (pcm < end);
    }
}

void gs_pcm_with_gain(const uint32_t *quarters, const int16_t *noise, uint32_t samples, uint32_t gain, uint32_t change,
                      int16_t *pcm)
{
    const int16_t *end = pcm + samples;

    do {
        int32_t step = (int32_t)(*quarters++ + 2u) >> 2;
        if (noise)
            step += *noise++;
        if (step != ((int32_t)((uint32_t)step << 15) >> 15)) /* so that a product fits 32 bits */
            step = step >> 31 ^ 65535;
        *pcm++ = gs_pcm_saturated((step * (int32_t)(gain >> 16) + 4096) >> 13);
        gain += change;
    } while (pcm < end);
}

GS_CODE_ENDS
