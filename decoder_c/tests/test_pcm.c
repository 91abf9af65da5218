/* SPEC 6: rounding, and limits. */
#include "gs_test.h"

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

int main(void)
{
    test_pcm();
    return 0;
}
