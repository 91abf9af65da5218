/* SPEC 6 and 9.2: rounding, and limits; gain. */
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

/* SPEC 9.2. */
static int64_t with_gain(int32_t step, uint32_t gain)
{
    int64_t limited = step < -65536 ? -65536 : step > 65535 ? 65535 : step;
    int64_t value = (limited * (int64_t)(gain >> 16) + 4096) >> 13;

    return value < -32768 ? -32768 : value > 32767 ? 32767 : value;
}

static void test_gain(void)
{
    static const int32_t step[] = {0,     1,      -1,     9000,   -9000,  32767,  -32768,    65535,
                                   65536, -65536, -65537, 100000, -99999, 131072, 300000000, -300000000};
    static const uint32_t gain[] = {0, 1, 4096, 8191, 8192, 32767};
    uint32_t i;
    uint32_t j;

    for (i = 0; i < sizeof step / sizeof *step; i++)
        for (j = 0; j < sizeof gain / sizeof *gain; j++) {
            uint32_t quarters[2];
            int16_t noise[2] = {0, -100};
            int16_t pcm[2];
            uint32_t now = gain[j] << 16;
            uint32_t change = gain[j] < 32767 ? 30000 : 0u - 30000;
            quarters[0] = quarters[1] = (uint32_t)step[i] * 4;
            gs_pcm_with_gain(quarters, noise, 2, now, change, pcm);
            CHECK(pcm[0] == with_gain(step[i], now) && pcm[1] == with_gain(step[i] - 100, now + change));
            gs_pcm_with_gain(quarters, NULL, 2, now, 0, pcm);
            CHECK(pcm[0] == with_gain(step[i], now) && pcm[1] == pcm[0]);
        }
}

int main(void)
{
    test_pcm();
    test_gain();
    return 0;
}
