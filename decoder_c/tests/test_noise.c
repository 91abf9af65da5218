/* SPEC 5: bands, levels, signs, transform and blocks, against the formulas of SPEC.md and a DCT-IV in double. */
#include <math.h>

#include "gs_test.h"

/* In place of the library's own, for what they keep to themselves. */
#include "../src/gs_noise.c"
#include "../src/gs_transform.c"

#define LARGEST_FRAME 512u
#define HELD 255u

typedef struct noise_memory {
    gs_noise_state state;
    uint32_t held[HELD];
    gs_complex numbers[LARGEST_FRAME / 2 + LARGEST_FRAME / 4];
} noise_memory;

static noise_memory memory;

/* Random noises around frame `around`, not before the first that a stream can have. */
static void make_noises(test_stream *stream, uint32_t around)
{
    uint32_t most = test_random(4) ? 20 : HELD;
    uint32_t i;

    memset(stream, 0, sizeof *stream);
    stream->info.kinds = 3;
    stream->info.sample_rate = test_random(2) ? 4000 + test_random(92001) : 16000;
    stream->info.samples = 0x7FFFFFFF;
    stream->info.decoder_class.noise_frame_log2 = (uint8_t)(5 + test_random(5));
    stream->info.noise_shift = (uint8_t)(1 + test_random(15));
    stream->info.noise_base = (int8_t)((int)test_random(256) - 128);
    stream->info.decoder_class.max_noises = HELD;
    stream->count = test_random(most + 1);
    stream->gaussians = (gs_gaussian *)calloc(HELD, sizeof *stream->gaussians);
    CHECK(stream->gaussians);
    gs_noise_open(&memory.state, &stream->info);
    for (i = 0; i < stream->count; i++) {
        gs_noise *g = &stream->gaussians[i].as.noise;
        uint32_t frame = around + (GS_TIME_ZERO >> stream->info.decoder_class.noise_frame_log2) + test_random(130);
        g->scale = (uint8_t)test_random(6);
        g->width = (uint8_t)test_random(4);
        g->place = (uint8_t)test_random(32u >> g->width);
        g->weight = (int8_t)((1 + test_random(63)) * (test_random(2) ? 1u : 0xFFFFFFFFu));
        frame -= test_random(4u << g->scale);
        g->onset = frame << stream->info.decoder_class.noise_frame_log2;
        stream->gaussians[i].kind = GS_NOISE;
        gs_noise_hold(&memory.state, &stream->info, g, 0);
    }
    CHECK(memory.state.held == stream->count);
}

static uint32_t frames_in(const test_stream *stream)
{
    return stream->info.samples >> stream->info.decoder_class.noise_frame_log2;
}

/* Every sample rate: the bins, and that they and their reciprocals fit their types. */
static void test_bands(void)
{
    gs_info info;
    gs_noise_state state;

    memset(&info, 0, sizeof info);
    for (info.sample_rate = 4000; info.sample_rate <= 96000; info.sample_rate++) {
        for (info.decoder_class.noise_frame_log2 = 5; info.decoder_class.noise_frame_log2 <= 9;
             info.decoder_class.noise_frame_log2++) {
            uint32_t bin = 0;
            uint32_t band;
            gs_noise_open(&state, &info);
            CHECK(state.held == 0 && state.frame == GS_NOISE_NO_FRAME && state.bands >= 1 && state.bands <= 25);
            for (band = 0; band < state.bands; band++) {
                uint32_t bins = state.bins[band];
                bin += bins;
                CHECK(bin == test_noise_bin(&info, band) && bin < 1u << info.decoder_class.noise_frame_log2);
                CHECK(state.reciprocal[band] == (bins > 1 ? 65536 / bins : 0));
            }
            CHECK(band == 25 || test_noise_bin(&info, band) >= 1u << info.decoder_class.noise_frame_log2);
        }
    }
}

static void test_levels(void)
{
    test_stream stream;
    uint32_t around = test_random(2) ? test_random(1000) : test_random(1u << 21);
    uint32_t i;

    make_noises(&stream, around);
    for (i = 0; i < 10; i++) {
        int32_t level[GS_BARK_BANDS];
        int64_t expected[GS_BARK_BANDS];
        uint32_t frame = around + test_random(260);
        uint32_t bands = test_noise_levels(&stream, frame, expected);
        uint32_t band;
        gs_noise_make_levels(&memory.state, &stream.info, frame << GS_NOISE_TIME_LOG2, level);
        CHECK(bands == memory.state.bands);
        for (band = 0; band < bands; band++)
            CHECK(level[band] == expected[band]);
    }
    free(stream.gaussians);
}

/* Where a bin of the spectrum is in the transform's input. */
static int16_t *place_of(uint32_t bin, uint32_t frame_log2)
{
    uint32_t pair = bin & 1u ? (1u << (frame_log2 - 1)) - 1 - bin / 2 : bin / 2;
    uint32_t place = 0;
    uint32_t bit;

    for (bit = 0; bit < frame_log2 - 1; bit++)
        place |= (pair >> bit & 1u) << (frame_log2 - 2 - bit);
    return &memory.numbers[place].part[bin & 1u];
}

/* A number after the transform. */
static test_complex number(uint32_t k)
{
    test_complex z;

#if GS_PAIRED
    z.re = memory.numbers[k].part[0];
    z.im = memory.numbers[k].part[1];
#else
    z.re = gs_re_of(memory.numbers[k].both);
    z.im = gs_im_of(memory.numbers[k].both);
#endif
    return z;
}

static void test_frame(void)
{
    test_stream stream;
    uint32_t around = test_random(2) ? test_random(1000) : test_random(1u << 21);
    uint32_t frame = around + test_random(200);
    uint32_t size;
    int64_t expected[LARGEST_FRAME];
    test_complex z[LARGEST_FRAME / 2];
    int64_t exponent;
    uint32_t k;

    make_noises(&stream, around);
    size = 1u << stream.info.decoder_class.noise_frame_log2;
    exponent = test_noise_spectrum(&stream, frame, expected);
    if (exponent > 0) {
        int32_t level[GS_BARK_BANDS];
        int32_t up = (15 - (int32_t)exponent + !(stream.info.decoder_class.noise_frame_log2 & 1u)) * 256;
        CHECK(gs_noise_make_levels(&memory.state, &stream.info, frame << GS_NOISE_TIME_LOG2, level) >> 8 == exponent);
        gs_noise_make_spectrum(&memory.state, &stream.info, frame, level, up, memory.numbers);
        for (k = 0; k < size; k++)
            CHECK(*place_of(k, stream.info.decoder_class.noise_frame_log2) == expected[k]);
    }
    CHECK(gs_noise_make_frame(&memory.state, &stream.info, frame, memory.numbers) == exponent);
    gs_transform(memory.numbers, stream.info.decoder_class.noise_frame_log2);
    test_noise_frame(&stream, frame, z);
    for (k = 0; k < size / 2; k++)
        CHECK(number(k).re == z[k].re && number(k).im == z[k].im);
    free(stream.gaussians);
}

/* Signs are even on the whole, differ from frame to frame and do not lean on their neighbours'. */
static void test_signs(void)
{
    enum { FRAMES = 500, SIZE = 128 };
    static int8_t sign[FRAMES][SIZE];
    gs_info info;
    int32_t level[GS_BARK_BANDS];
    int ones = 0;
    int beside[4] = {0};
    int after = 0;
    uint32_t frame;
    uint32_t k;

    memset(&info, 0, sizeof info);
    info.sample_rate = 16000;
    info.decoder_class.noise_frame_log2 = 7;
    gs_noise_open(&memory.state, &info);
    for (k = 0; k < GS_BARK_BANDS; k++)
        level[k] = 256;
    for (frame = 0; frame < FRAMES; frame++) {
        gs_noise_make_spectrum(&memory.state, &info, frame, level, 14 * 256, memory.numbers);
        for (k = 0; k < SIZE; k++) {
            int value = *place_of(k, 7);
            uint32_t distance;
            CHECK(value == 8192 || value == -8193);
            value = value > 0 ? 1 : -1;
            sign[frame][k] = (int8_t)value;
            ones += value;
            for (distance = 1; distance <= 4 && distance <= k; distance++)
                beside[distance - 1] += value * sign[frame][k - distance];
            if (frame > 0)
                after += value * sign[frame - 1][k];
        }
    }
    /* 64000 tosses: four standard deviations. */
    CHECK(abs(ones) < 1012 && abs(after) < 1012);
    for (k = 0; k < 4; k++)
        CHECK(abs(beside[k]) < 1012);
}

/* No sum leaves its 16 bits, whatever the signs and amplitudes: those that add up where they are largest. */
static void test_range(void)
{
    const double pi = 3.14159265358979323846;
    uint32_t shift = 5 + test_random(5);
    uint32_t size = 1u << shift;
    int most = shift & 1u ? 16033 : 32066;
    uint32_t j = test_random(size);
    static int64_t spectrum[LARGEST_FRAME];
    static test_complex z[LARGEST_FRAME / 2];
    uint32_t k;

    for (k = 0; k < size; k++) {
        int sign = cos(pi / size * (j + 0.5) * (k + 0.5)) < 0 ? -1 : 1;
        int value = test_random(20) ? sign * most : (int)test_random((uint32_t)most);
        spectrum[k] = value;
        *place_of(k, shift) = (int16_t)value;
    }
    gs_transform(memory.numbers, shift);
    test_noise_transform(spectrum, shift, z);
    for (k = 0; k < size / 2; k++) {
        CHECK(number(k).re == z[k].re && number(k).im == z[k].im);
        CHECK(z[k].re * z[k].re + z[k].im * z[k].im < 22760 * 22760);
    }
}

/* A DCT-IV, but for a power of two and for rounding. */
static void test_transform(void)
{
    const double pi = 3.14159265358979323846;
    uint32_t shift = 5 + test_random(5);
    uint32_t size = 1u << shift;
    double gain = ldexp(1, -2 * (int)(shift / 2));
    static int64_t spectrum[LARGEST_FRAME];
    static test_complex z[LARGEST_FRAME / 2];
    double most = shift & 1u ? 16033 : 32066;
    double error = 0;
    uint32_t j;
    uint32_t k;

    for (k = 0; k < size; k++)
        spectrum[k] = (int64_t)((test_random(10001) / 5000.0 - 1) * most);
    test_noise_transform(spectrum, shift, z);
    for (j = 0; j < size / 2; j++) {
        uint32_t place = 2 * ((j + size / 4) % (size / 2));
        double angle = pi * (2 * place + 1) / (4.0 * size);
        double found[2];
        uint32_t part;
        found[0] = (double)z[j].re * cos(angle) + (double)z[j].im * sin(angle);
        found[1] = (double)z[j].re * sin(angle) - (double)z[j].im * cos(angle);
        for (part = 0; part < 2; part++) {
            double at = part ? size - 1 - place + 0.5 : place + 0.5;
            double exact = 0;
            for (k = 0; k < size; k++) {
                /* The halves of the numbers are exchanged, as if every second number had the other sign. */
                double sign = (k & 1u ? size - 1 - k : k) & 2u ? -1 : 1;
                exact += sign * (double)spectrum[k] * cos(pi / size * at * (k + 0.5));
            }
            error += (found[part] - gain * exact) * (found[part] - gain * exact) / size;
        }
    }
    CHECK(sqrt(error) < 2);
}

/* Samples do not depend on how many are made at a time, nor on whether the frame before was made for its own block. */
static void test_blocks(void)
{
    test_stream stream;
    const uint32_t around = test_random(2) ? test_random(1000) : test_random(1u << 21);
    static test_complex numbers[2][LARGEST_FRAME / 2];
    test_complex *const z[2] = {numbers[0], numbers[1]};
    uint32_t frame = around + test_random(100);
    uint32_t blocks;

    make_noises(&stream, around);
    for (blocks = 0; blocks < 4 && frame < frames_in(&stream); blocks++, frame += test_random(3)) {
        const gs_info *info = &stream.info;
        uint32_t size = 1u << info->decoder_class.noise_frame_log2;
        int64_t expected[LARGEST_FRAME];
        int64_t exponent[2];
        uint32_t at;
        uint32_t j;
        exponent[0] = test_noise_frame(&stream, frame, z[0]);
        exponent[1] = test_noise_frame(&stream, frame + 1, z[1]);
        test_noise_block(info, exponent, z, expected);
        for (at = 0; at < size;) {
            const int16_t *noise = gs_noise_render(&memory.state, info, frame * size + at);
            uint32_t count = 1 + test_random(64);
            if (count > size - at)
                count = size - at;
            for (j = 0; j < count; j++)
                CHECK(noise[j] == expected[at + j]);
            at += count;
        }
    }
    free(stream.gaussians);
}

/* Noise of one level everywhere has the power that the level says. */
static void test_overlap(void)
{
    gs_info info;
    uint32_t j;
    double energy = 0;

    memset(&info, 0, sizeof info);
    info.sample_rate = 16000;
    info.decoder_class.noise_frame_log2 = 7;
    info.noise_shift = 4;
    info.decoder_class.max_noises = HELD;
    info.noise_base = 20; /* a level of 2560: an amplitude of 2^9 in all 128 bins */
    gs_noise_open(&memory.state, &info);
    for (j = 0; j < 100; j++) {
        const int16_t *noise = gs_noise_render(&memory.state, &info, j * 128);
        uint32_t k;
        for (k = 0; k < 128; k++)
            energy += (double)noise[k] * noise[k] / 12800;
    }
    /* The DCT-IV has a gain of sqrt(N / 2) / 2^floor(6 / 2) = 1, and the windows keep the power. */
    CHECK(fabs(sqrt(energy) / 512 - 1) < 0.03);
}

static void test_ends(void)
{
    test_stream stream;
    uint32_t around = test_random(1u << 21);
    uint32_t steps;

    make_noises(&stream, around);
    for (steps = 0; steps < 5; steps++) {
        uint32_t slot = around + 130 + steps * test_random(128);
        uint32_t time = (slot << stream.info.decoder_class.noise_frame_log2) + GS_TIME_ZERO;
        uint32_t lasting = 0;
        uint32_t i;
        gs_noise_drop_ended(&memory.state, &stream.info, time);
        for (i = 0; i < stream.count; i++)
            lasting += test_end(&stream.info, &stream.gaussians[i]) > time;
        CHECK(memory.state.held == lasting);
        around = slot - 130;
    }
    free(stream.gaussians);
}

static void test(void)
{
    test_levels();
    test_frame();
    test_range();
    test_transform();
    test_blocks();
    test_ends();
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        test_bands();
        test_signs();
        test_overlap();
    }
    return test_seeds(argc, argv, 300, test);
}
