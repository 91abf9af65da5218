#include "gs_internal.h"

void gs_dequantise(const gs_gaussian *gaussian, uint32_t amplitude_step, gs_held *held)
{
    uint32_t scale = gaussian->scale;
    uint32_t step = scale & 1u ? (amplitude_step * GS_HALF_SQRT2_Q16 + 2048u) >> 12 : 16u * amplitude_step;
    uint32_t amplitude = (step * (8u * gaussian->amplitude + 3u)) >> (5 + (scale >> 1));
    uint32_t phase = (uint32_t)gaussian->phase << (16u - gaussian->phase_bits);
    uint32_t increment = (uint32_t)gaussian->bin << (GS_MAX_SCALE - scale);
    uint32_t level = 0;

    GS_ASSERT(scale <= GS_MAX_SCALE && gaussian->bin < 16u << scale && gaussian->phase >> gaussian->phase_bits == 0);
    GS_ASSERT(amplitude_step < 2048 && gaussian->amplitude < 4096);
    while (level < GS_LEVELS - 1u && scale > level + GS_LEVEL_SCALE && 2u * increment <= GS_LEVEL_INCREMENT) {
        increment *= 2u;
        level++;
    }
    held->onset = gaussian->onset >> level;
    held->phase = (uint16_t)(phase + 32u + ((gaussian->bin & 1u) << 15));
    held->increment = (uint16_t)increment;
    held->amplitude = (uint16_t)(amplitude < 32767u ? amplitude : 32767u);
    held->scale = (uint8_t)(scale - level);
    held->level = (uint8_t)level;
}
