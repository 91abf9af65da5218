/* Step 4, by values worked out from the formulas of SPEC.md. */
#include "gs_test.h"

static void check(uint8_t scale, uint16_t bin, uint16_t amplitude, uint16_t phase, uint8_t phase_bits, uint32_t step,
                  uint32_t expected_amplitude, uint32_t expected_phase, uint32_t increment, uint32_t level)
{
    gs_gaussian gaussian;
    gs_held held;

    gaussian.onset = 69632;
    gaussian.scale = scale;
    gaussian.bin = bin;
    gaussian.amplitude = amplitude;
    gaussian.phase = phase;
    gaussian.phase_bits = phase_bits;
    gs_dequantise(&gaussian, step, &held);
    CHECK(held.level == level && held.onset == 69632u >> level && held.scale == scale - level);
    CHECK(held.amplitude == expected_amplitude);
    CHECK(held.phase == expected_phase);
    CHECK(held.increment == increment << level);
}

int main(void)
{
    check(0, 0, 1, 0, 3, 1, 5, 32, 0, 0);
    check(0, 15, 1, 7, 3, 32, 176, 7 * 8192 + 32 - 32768, 15 * 2048, 0);
    check(5, 100, 2, 5, 4, 100, 167, 5 * 4096 + 32, 100 * 64, 1);             /* 1131 * 19 / 128 */
    check(5, 101, 2, 5, 4, 100, 167, 5 * 4096 + 32 + 32768, 101 * 64, 1);
    check(6, 3, 4095, 1023, 10, 2, 4095, 1023 * 64 + 32 - 32768, 3 * 32, 3); /* 32 * 32763 / 256 */
    check(11, 32767, 180, 63, 6, 2047, 32635, 63 * 1024 + 32 - 32768, 32767, 0); /* 23159 * 1443 / 1024 */
    check(11, 32766, 181, 63, 6, 2047, 32767, 63 * 1024 + 32, 32766, 0);
    check(3, 1, 4095, 0, 6, 2047, 32767, 32768 + 32, 256, 1);
    /* At the limits of the levels: 2 * 9600, 4 * 4800 and 8 * 2400 are just low enough, and k >= d + 2. */
    check(8, 1200, 1, 0, 3, 1, 0, 32, 9600, 1);
    check(8, 1201, 1, 0, 3, 1, 0, 32 + 32768, 9608, 0);
    check(8, 600, 1, 0, 3, 1, 0, 32, 4800, 2);
    check(8, 601, 1, 0, 3, 1, 0, 32 + 32768, 4808, 1);
    check(8, 300, 1, 0, 3, 1, 0, 32, 2400, 3);
    check(8, 301, 1, 0, 3, 1, 0, 32 + 32768, 2408, 2);
    check(2, 0, 1, 0, 3, 1, 2, 32, 0, 0);
    check(4, 0, 1, 0, 3, 1, 1, 32, 0, 2);
    return 0;
}
