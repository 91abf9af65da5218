/* Step 4, by values worked out from the formulas of SPEC.md. */
#include "gs_test.h"

static void check(uint8_t scale, uint16_t bin, uint16_t amplitude, uint16_t phase, uint8_t phase_bits, uint32_t step,
                  uint32_t expected_amplitude, uint32_t expected_phase, uint32_t expected_increment)
{
    gs_gaussian gaussian;
    gs_held held;

    gaussian.onset = 70000;
    gaussian.scale = scale;
    gaussian.bin = bin;
    gaussian.amplitude = amplitude;
    gaussian.phase = phase;
    gaussian.phase_bits = phase_bits;
    gs_dequantise(&gaussian, step, &held);
    CHECK(held.onset == 70000 && held.scale == scale);
    CHECK(held.amplitude == expected_amplitude);
    CHECK(held.phase == expected_phase);
    CHECK(held.increment == expected_increment);
}

int main(void)
{
    check(0, 0, 1, 0, 3, 1, 5, 32, 0);
    check(0, 15, 1, 7, 3, 32, 176, 7 * 8192 + 32 - 32768, 15 * 2048);
    check(5, 100, 2, 5, 4, 100, 167, 5 * 4096 + 32, 100 * 64);             /* 1131 * 19 / 128 */
    check(5, 101, 2, 5, 4, 100, 167, 5 * 4096 + 32 + 32768, 101 * 64);
    check(6, 3, 4095, 1023, 10, 2, 4095, 1023 * 64 + 32 - 32768, 3 * 32); /* 32 * 32763 / 256 */
    check(11, 32767, 180, 63, 6, 2047, 32635, 63 * 1024 + 32 - 32768, 32767); /* 23159 * 1443 / 1024 */
    check(11, 32766, 181, 63, 6, 2047, 32767, 63 * 1024 + 32, 32766);
    check(3, 1, 4095, 0, 6, 2047, 32767, 32768 + 32, 256);
    return 0;
}
