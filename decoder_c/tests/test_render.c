/* Steps 5 and 6: against the formulas of SPEC.md sample by sample, cut anywhere. */
#include "gs_test.h"

static int64_t floor_shift(int64_t value, uint32_t shift)
{
    int64_t unit = (int64_t)1 << shift;

    return value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}

/* What a tone adds to a sample of its level. */
static uint32_t by_formula(const gs_held *held, int64_t a)
{
    uint32_t scale = held->scale;
    int64_t e0;
    int64_t delta;

    if (a < 0 || a >= (int64_t)32 << scale)
        return 0;
    e0 = (int64_t)gs_envelope[a >> scale] * held->amplitude;
    delta = floor_shift((int64_t)gs_envelope[(a >> scale) + 1] * held->amplitude - e0, scale);
    e0 = floor_shift(e0 + a % ((int64_t)1 << scale) * delta, 15);
    return (uint32_t)(e0 * gs_cosine[(held->phase + held->increment * a) % 65536 / 64]);
}

/* Samples of the clip around what is compared: more than the filters reach, and a multiple of 8. */
#define AROUND 64
#define MOST_BLOCKS 8
#define MOST_SAMPLES (MOST_BLOCKS * 64 + 2 * AROUND)

/* The samples of every level from time begin - AROUND on, in quarters of output steps. */
static void levels_by_formula(const gs_held *held, uint32_t count, uint32_t output_shift, uint32_t begin,
                              int64_t levels[4][MOST_SAMPLES])
{
    static const int64_t taps[4] = {2514, -617, 188, -37};
    uint32_t d;
    uint32_t g;
    uint32_t i;

    for (d = 4; d-- > 0;) {
        uint32_t samples = MOST_SAMPLES >> d;
        uint32_t n;
        for (n = 0; n < samples; n++) {
            uint32_t sum = (uint32_t)1 << (11 + output_shift);
            for (g = 0; g < count; g++)
                sum += held[g].level == d ? by_formula(&held[g], (int64_t)((begin - AROUND) >> d) + n - held[g].onset) : 0;
            levels[d][n] = floor_shift((int32_t)sum, 12 + output_shift);
            if (d < 3 && n >= 8 && n < samples - 8) {
                const int64_t *at = &levels[d + 1][n / 2];
                int64_t between = 2048;
                for (i = 0; i < 4; i++)
                    between += taps[i] * (at[-(int64_t)i] + at[1 + i]);
                levels[d][n] += n % 2 ? floor_shift((int32_t)(uint32_t)between, 12) : at[0];
            }
        }
    }
}

static void test(void)
{
    static int64_t levels[4][MOST_SAMPLES];
    static gs_block block; /* full of what other streams left */
    gs_held held[8];
    uint32_t count = test_random(9);
    uint32_t blocks = 1 + test_random(MOST_BLOCKS);
    uint32_t begin = 1152 * 64 + 64 * test_random(1000);
    uint32_t output_shift = test_random(17);
    uint32_t time;
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint32_t reach;
        held[i].level = (uint8_t)test_random(4);
        held[i].scale = (uint8_t)(test_random(12u - held[i].level));
        reach = gs_support(held[i].scale) + (64 * blocks >> held[i].level);
        held[i].onset = (begin >> held[i].level) + test_random(reach) - gs_support(held[i].scale);
        held[i].phase = (uint16_t)test_random(65536);
        held[i].increment = (uint16_t)test_random(32768);
        held[i].amplitude = (uint16_t)(test_random(2) ? test_random(32768) : test_random(2) * 32767);
    }
    levels_by_formula(held, count, output_shift, begin, levels);
    for (time = begin - GS_WARM_UP_BLOCKS * 64; time < begin + 64 * blocks; time += 64) {
        gs_render(&block, held, count, time, output_shift, GS_UNLIMITED);
        for (i = 0; i < 64 && time >= begin; i++)
            CHECK(block.level_0[i] == (uint32_t)levels[0][time - begin + AROUND + i]);
    }
}

static int16_t pcm_with(int32_t quarters, int32_t noise)
{
    uint32_t wrapped = (uint32_t)quarters;
    int16_t added = (int16_t)noise;
    int16_t pcm;

    gs_pcm(&wrapped, &added, 1, &pcm);
    return pcm;
}

static int16_t pcm_of(int32_t quarters)
{
    uint32_t wrapped = (uint32_t)quarters;
    int16_t pcm;

    gs_pcm(&wrapped, NULL, 1, &pcm);
    CHECK(pcm == pcm_with(quarters, 0));
    return pcm;
}

static void test_pcm(void)
{
    CHECK(pcm_of(0) == 0);
    CHECK(pcm_of(1) == 0 && pcm_of(2) == 1 && pcm_of(5) == 1 && pcm_of(6) == 2);
    CHECK(pcm_of(-2) == 0 && pcm_of(-3) == -1);
    CHECK(pcm_of(32767 * 4) == 32767 && pcm_of(32767 * 4 + 2) == 32767 && pcm_of(40000 * 4) == 32767);
    CHECK(pcm_of(-32768 * 4) == -32768 && pcm_of(-32768 * 4 - 3) == -32768 && pcm_of(-40000 * 4) == -32768);
    CHECK(pcm_of(INT32_MAX) == -32768); /* the rounding wraps as sums do */
    /* Noise comes after the rounding and before the limits. */
    CHECK(pcm_with(1, 5) == 5 && pcm_with(2, -5) == -4);
    CHECK(pcm_with(40000 * 4, -10000) == 30000 && pcm_with(-40000 * 4, 10000) == -30000);
    CHECK(pcm_with(32767 * 4, 1) == 32767 && pcm_with(-32768 * 4, -1) == -32768);
}

int main(int argc, char **argv)
{
    test_pcm();
    return test_seeds(argc, argv, 3000, test);
}
