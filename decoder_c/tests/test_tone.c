/* SPEC 4: a tone by values worked out from the formulas, and tones against the formulas sample by sample. */
#ifndef GS_FULL_COSINE
#define GS_FULL_COSINE /* formulas take the table as the specification has it, whatever the decoder takes */
#endif

#include "gs_test.h"

static void check_held(uint8_t scale, uint16_t bin, uint16_t amplitude, uint16_t phase, uint8_t phase_bits,
                       uint32_t step, uint32_t expected_amplitude, uint32_t expected_phase, uint32_t increment,
                       uint32_t octave)
{
    gs_tone tone;
    gs_held_tone held;

    tone.onset = 69632;
    tone.scale = scale;
    tone.bin = bin;
    tone.amplitude = amplitude;
    tone.phase = phase;
    tone.phase_bits = phase_bits;
    gs_tone_dequantise(&tone, step, &held);
    CHECK(held.octave == octave && held.onset == 69632u >> octave && held.scale == scale - octave);
    CHECK(held.amplitude == expected_amplitude);
    CHECK(held.phase == expected_phase);
    CHECK(held.increment == increment << octave);
}

static void test_dequantise(void)
{
    check_held(0, 0, 1, 0, 3, 1, 5, 32, 0, 0);
    check_held(0, 15, 1, 7, 3, 32, 176, 7 * 8192 + 32 - 32768, 15 * 2048, 0);
    check_held(5, 100, 2, 5, 4, 100, 167, 5 * 4096 + 32, 100 * 64, 1); /* 1131 * 19 / 128 */
    check_held(5, 101, 2, 5, 4, 100, 167, 5 * 4096 + 32 + 32768, 101 * 64, 1);
    check_held(6, 3, 4095, 1023, 10, 2, 4095, 1023 * 64 + 32 - 32768, 3 * 32, 3);     /* 32 * 32763 / 256 */
    check_held(11, 32767, 180, 63, 6, 2047, 32635, 63 * 1024 + 32 - 32768, 32767, 0); /* 23159 * 1443 / 1024 */
    check_held(11, 32766, 181, 63, 6, 2047, 32767, 63 * 1024 + 32, 32766, 0);
    check_held(3, 1, 4095, 0, 6, 2047, 32767, 32768 + 32, 256, 1);
    /* At the limits of the octaves: 2 * 9600, 4 * 4800 and 8 * 2400 are just low enough, and k >= d + 2. */
    check_held(8, 1200, 1, 0, 3, 1, 0, 32, 9600, 1);
    check_held(8, 1201, 1, 0, 3, 1, 0, 32 + 32768, 9608, 0);
    check_held(8, 600, 1, 0, 3, 1, 0, 32, 4800, 2);
    check_held(8, 601, 1, 0, 3, 1, 0, 32 + 32768, 4808, 1);
    check_held(8, 300, 1, 0, 3, 1, 0, 32, 2400, 3);
    check_held(8, 301, 1, 0, 3, 1, 0, 32 + 32768, 2408, 2);
    check_held(2, 0, 1, 0, 3, 1, 2, 32, 0, 0);
    check_held(4, 0, 1, 0, 3, 1, 1, 32, 0, 2);
}

static int64_t floor_shift(int64_t value, uint32_t shift)
{
    int64_t unit = (int64_t)1 << shift;

    return value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}

/* What a tone adds to a sample of its octave. */
static uint32_t by_formula(const gs_held_tone *held, int64_t a)
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

/* The samples of every octave from time begin - AROUND on, in quarters of output steps. */
static void octaves_by_formula(const gs_held_tone *held, uint32_t count, uint32_t output_shift, uint32_t begin,
                               int64_t octaves[4][MOST_SAMPLES])
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
                sum += held[g].octave == d ? by_formula(&held[g], (int64_t)((begin - AROUND) >> d) + n - held[g].onset)
                                           : 0;
            octaves[d][n] = floor_shift((int32_t)sum, 12 + output_shift);
            if (d < 3 && n >= 8 && n < samples - 8) {
                const int64_t *at = &octaves[d + 1][n / 2];
                int64_t between = 2048;
                for (i = 0; i < 4; i++)
                    between += taps[i] * (at[-(int64_t)i] + at[1 + i]);
                octaves[d][n] += n % 2 ? floor_shift((int32_t)(uint32_t)between, 12) : at[0];
            }
        }
    }
}

static void test(void)
{
    static int64_t octaves[4][MOST_SAMPLES];
    static struct {
        gs_tone_state state; /* full of what other streams left */
        gs_held_tone held[8];
    } memory;
    gs_tone_state *state = &memory.state;
    gs_held_tone *held = gs_tone_held(state);
    uint32_t count = test_random(9);
    uint32_t blocks = 1 + test_random(MOST_BLOCKS);
    uint32_t begin = 1152 * 64 + 64 * test_random(1000);
    uint32_t output_shift = test_random(17);
    uint32_t time;
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint32_t reach;
        held[i].octave = (uint8_t)test_random(4);
        held[i].scale = (uint8_t)(test_random(12u - held[i].octave));
        reach = gs_tone_support(held[i].scale) + (64 * blocks >> held[i].octave);
        held[i].onset = (begin >> held[i].octave) + test_random(reach) - gs_tone_support(held[i].scale);
        held[i].phase = (uint16_t)test_random(65536);
        held[i].increment = (uint16_t)test_random(32768);
        held[i].amplitude = (uint16_t)(test_random(2) ? test_random(32768) : test_random(2) * 32767);
    }
    state->held = count;
    octaves_by_formula(held, count, output_shift, begin, octaves);
    for (time = begin - GS_WARM_UP_BLOCKS * 64; time < begin + 64 * blocks; time += 64) {
        gs_tone_render(state, time, output_shift, GS_UNLIMITED);
        for (i = 0; i < 64 && time >= begin; i++)
            CHECK(state->octave_0[i] == (uint32_t)octaves[0][time - begin + AROUND + i]);
    }
}

int main(int argc, char **argv)
{
    test_dequantise();
    return test_seeds(argc, argv, 3000, test);
}
