/* Steps 5 and 6: against the formulas of SPEC.md sample by sample, cut anywhere. */
#include "gs_test.h"

static int64_t floor_shift(int64_t value, uint32_t shift)
{
    int64_t unit = (int64_t)1 << shift;

    return value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}

static uint32_t by_formula(const gs_held *held, uint32_t time)
{
    int64_t a = (int64_t)time - held->onset;
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

static void test(void)
{
    gs_held held[8];
    uint32_t count = test_random(9);
    uint32_t begin = 65536 + test_random(70000);
    uint32_t samples = 1 + test_random(400);
    uint32_t at;
    uint32_t i;

    for (i = 0; i < count; i++) {
        held[i].scale = (uint8_t)test_random(12);
        held[i].onset = begin + test_random(samples + gs_support(held[i].scale)) - gs_support(held[i].scale);
        held[i].phase = (uint16_t)test_random(65536);
        held[i].increment = (uint16_t)test_random(32768);
        held[i].amplitude = (uint16_t)(test_random(2) ? test_random(32768) : test_random(2) * 32767);
    }
    for (at = 0; at < samples;) {
        uint32_t sum[GS_BLOCK_SAMPLES];
        uint32_t before[GS_BLOCK_SAMPLES];
        uint32_t block = 1 + test_random(GS_BLOCK_SAMPLES);
        uint32_t n;
        for (n = 0; n < GS_BLOCK_SAMPLES; n++)
            before[n] = sum[n] = test_random(0xFFFFFFFFu);
        gs_render(held, count, begin + at, sum, block);
        for (n = 0; n < GS_BLOCK_SAMPLES; n++) {
            for (i = 0; i < count && n < block; i++)
                before[n] += by_formula(&held[i], begin + at + n);
            CHECK(sum[n] == before[n]);
        }
        at += block;
    }
}

static int16_t pcm_of(int32_t sum, uint32_t output_shift)
{
    uint32_t wrapped = (uint32_t)sum;
    int16_t pcm;

    gs_pcm(&wrapped, NULL, 1, output_shift, &pcm);
    return pcm;
}

static int16_t pcm_with(int32_t sum, int32_t noise)
{
    uint32_t wrapped = (uint32_t)sum;
    uint32_t added = (uint32_t)noise;
    int16_t pcm;

    gs_pcm(&wrapped, &added, 1, 0, &pcm);
    return pcm;
}

static void test_pcm(void)
{
    uint32_t shift;

    CHECK(pcm_of(0, 0) == 0);
    CHECK(pcm_of(8191, 0) == 0 && pcm_of(8192, 0) == 1);
    CHECK(pcm_of(-8192, 0) == 0 && pcm_of(-8193, 0) == -1);
    CHECK(pcm_of(32767 * 16384, 0) == 32767 && pcm_of(40000 * 16384, 0) == 32767);
    CHECK(pcm_of(-32768 * 16384, 0) == -32768 && pcm_of(-40000 * 16384, 0) == -32768);
    CHECK(pcm_of(INT32_MAX, 0) == -32768); /* the rounding wraps as the sum does */
    /* Noise comes after the rounding and before the limits. */
    CHECK(pcm_with(8191, 5) == 5 && pcm_with(8192, -5) == -4);
    CHECK(pcm_with(40000 * 16384, -10000) == 30000 && pcm_with(-40000 * 16384, 10000) == -30000);
    CHECK(pcm_with(32767 * 16384, 1) == 32767 && pcm_with(-32768 * 16384, -1) == -32768);
    for (shift = 0; shift <= 16; shift++) {
        CHECK(pcm_of((int32_t)1 << (13 + shift), shift) == 1);
        CHECK(pcm_of(((int32_t)1 << (13 + shift)) - 1, shift) == 0);
        CHECK(pcm_of(-((int32_t)1 << (13 + shift)) - 1, shift) == -1);
    }
}

int main(int argc, char **argv)
{
    test_pcm();
    return test_seeds(argc, argv, 3000, test);
}
