#include "gs_internal.h"

/* One straight piece of an envelope. The upper half of `phase` is the phase, where it wraps by itself; the lower half
 * counts the samples up to 65536, which saves the register that the loop would lack on a Cortex-M0+; so does keeping it
 * apart from its caller's values. */
static GS_APART void render_piece(uint32_t *sum, uint32_t samples, int32_t envelope, int32_t slope, uint32_t phase,
                                  uint32_t increment)
{
    const int16_t *cosine = gs_cosine;

    GS_ASSERT(samples >= 1 && samples <= GS_BLOCK_SAMPLES);
    phase |= 65536u - samples;
    increment |= 1u;
    do {
        int32_t level = envelope >> 15;
        GS_ASSERT(envelope > -(1 << GS_MAX_SCALE) && envelope < 1 << 30);
        envelope += slope;
        *sum++ += (uint32_t)(level * cosine[phase >> 22]);
        phase += increment;
    } while (phase << 16);
}

static void render_one(const gs_held *held, uint32_t time, uint32_t *sum, uint32_t samples)
{
    uint32_t scale = held->scale;
    uint32_t increment = (uint32_t)held->increment << 16;
    int32_t amplitude = held->amplitude;
    int32_t first = (int32_t)(held->onset - time);
    int32_t at = first > 0 ? first : 0;
    int32_t end = first + (int32_t)gs_support(scale);

    if (end > (int32_t)samples)
        end = (int32_t)samples;
    while (at < end) {
        uint32_t age = (uint32_t)(at - first);
        int32_t into = (int32_t)(age & (((uint32_t)1 << scale) - 1));
        int32_t run = ((int32_t)1 << scale) - into;
        const int16_t *envelope = &gs_envelope[age >> scale];
        int32_t slope = ((envelope[1] - envelope[0]) * amplitude) >> scale;
        if (run > end - at)
            run = end - at;
        render_piece(sum + at, (uint32_t)run, envelope[0] * amplitude + into * slope, slope,
                     ((uint32_t)held->phase << 16) + increment * age, increment);
        at += run;
    }
}

void gs_render(const gs_held *held, uint32_t count, uint32_t time, uint32_t *sum, uint32_t samples)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        render_one(&held[i], time, sum, samples);
}

void gs_pcm(const uint32_t *sum, uint32_t samples, uint32_t output_shift, int16_t *pcm)
{
    uint32_t shift = 14 + output_shift;
    uint32_t half = (uint32_t)1 << (shift - 1);
    uint32_t i;

    GS_ASSERT(output_shift <= 16);
    for (i = 0; i < samples; i++) {
        int32_t value = (int32_t)(sum[i] + half) >> shift;
        if (value > 32767)
            value = 32767;
        if (value < -32768)
            value = -32768;
        pcm[i] = (int16_t)value;
    }
}
