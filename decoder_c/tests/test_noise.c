/* Step 7: bands, levels, signs, transform and blocks, against the formulas of SPEC.md and a DCT-IV in double. */
#include <math.h>

#include "gs_test.h"

#include "../src/gs_noise.c" /* in place of the library's own, for what it keeps to itself */

#define LARGEST_FRAME 512u
#define HELD 255u

typedef struct noise_memory {
    gs_noise noise;
    uint32_t held[HELD];
    uint32_t frames[LARGEST_FRAME + LARGEST_FRAME / 2];
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
    stream->info.noise_frame_shift = (uint8_t)(5 + test_random(5));
    stream->info.noise_shift = (uint8_t)(1 + test_random(15));
    stream->info.noise_base = (int8_t)((int)test_random(256) - 128);
    stream->info.max_noise = HELD;
    stream->count = test_random(most + 1);
    stream->gaussians = (gs_gaussian *)calloc(HELD, sizeof *stream->gaussians);
    CHECK(stream->gaussians);
    gs_noise_open(&memory.noise, &stream->info);
    for (i = 0; i < stream->count; i++) {
        gs_gaussian *g = &stream->gaussians[i];
        uint32_t frame = around + (GS_TIME_ZERO >> stream->info.noise_frame_shift) + test_random(130);
        g->scale = (uint8_t)test_random(6);
        g->width = (uint8_t)test_random(4);
        g->bin = (uint16_t)test_random(32u >> g->width);
        g->weight = (int8_t)((1 + test_random(63)) * (test_random(2) ? 1u : 0xFFFFFFFFu));
        frame -= test_random(4u << g->scale);
        g->onset = frame << stream->info.noise_frame_shift;
        gs_noise_hold(&memory.noise, &stream->info, g);
    }
    CHECK(memory.noise.held == stream->count);
}

static uint32_t frames_in(const test_stream *stream)
{
    return stream->info.samples >> stream->info.noise_frame_shift;
}

/* Every sample rate: the bins, and that they and their reciprocals fit their types. */
static void test_bands(void)
{
    gs_info info;
    gs_noise noise;

    memset(&info, 0, sizeof info);
    for (info.sample_rate = 4000; info.sample_rate <= 96000; info.sample_rate++) {
        for (info.noise_frame_shift = 5; info.noise_frame_shift <= 9; info.noise_frame_shift++) {
            uint32_t bin = 0;
            uint32_t band;
            gs_noise_open(&noise, &info);
            CHECK(noise.held == 0 && noise.frame == GS_NO_FRAME && noise.bands >= 1 && noise.bands <= 25);
            for (band = 0; band < noise.bands; band++) {
                uint32_t bins = noise.bins[band];
                bin += bins;
                CHECK(bin == test_noise_bin(&info, band) && bin < 1u << info.noise_frame_shift);
                CHECK(noise.reciprocal[band] == (bins > 1 ? 65536 / bins : 0));
            }
            CHECK(band == 25 || test_noise_bin(&info, band) >= 1u << info.noise_frame_shift);
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
        make_levels(&memory.noise, &stream.info, frame, level);
        CHECK(bands == memory.noise.bands);
        for (band = 0; band < bands; band++)
            CHECK(level[band] == expected[band]);
    }
    free(stream.gaussians);
}

/* The place of a bin of the spectrum in the transform's input. */
static uint32_t place_of(uint32_t bin, uint32_t frame_shift)
{
    uint32_t pair = bin & 1u ? (1u << (frame_shift - 1)) - 1 - bin / 2 : bin / 2;
    uint32_t place = bin & 1u;
    uint32_t bit;

    for (bit = 0; bit < frame_shift - 1; bit++)
        place |= (pair >> bit & 1u) << (frame_shift - 1 - bit);
    return place;
}

static void test_spectrum(void)
{
    test_stream stream;
    uint32_t around = test_random(2) ? test_random(1000) : test_random(1u << 21);
    uint32_t frame = around + test_random(200);
    int32_t level[GS_BARK_BANDS];
    int64_t expected[LARGEST_FRAME];
    uint32_t k;

    make_noises(&stream, around);
    make_levels(&memory.noise, &stream.info, frame, level);
    make_spectrum(&memory.noise, &stream.info, frame, level, memory.frames);
    test_noise_spectrum(&stream, frame, expected);
    for (k = 0; k < 1u << stream.info.noise_frame_shift; k++)
        CHECK((int32_t)memory.frames[place_of(k, stream.info.noise_frame_shift)] == expected[k]);
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
    int beside = 0;
    int after = 0;
    uint32_t frame;
    uint32_t k;

    memset(&info, 0, sizeof info);
    info.sample_rate = 16000;
    info.noise_frame_shift = 7;
    gs_noise_open(&memory.noise, &info);
    for (k = 0; k < GS_BARK_BANDS; k++)
        level[k] = 256;
    for (frame = 0; frame < FRAMES; frame++) {
        make_spectrum(&memory.noise, &info, frame, level, memory.frames);
        for (k = 0; k < SIZE; k++) {
            int32_t value = (int32_t)memory.frames[place_of(k, 7)];
            CHECK(value == 1 || value == -1);
            sign[frame][k] = (int8_t)value;
            ones += value;
            if (k > 0)
                beside += value * sign[frame][k - 1];
            if (frame > 0)
                after += value * sign[frame - 1][k];
        }
    }
    /* 64000 tosses: four standard deviations. */
    CHECK(abs(ones) < 1012 && abs(beside) < 1012 && abs(after) < 1012);
}

/* 2^-floor(stages / 2) times a DCT-IV, but for the rounding of phases and values. */
static void test_transform(void)
{
    const double pi = 3.14159265358979323846;
    uint32_t shift = 5 + test_random(5);
    uint32_t size = 1u << shift;
    double gain = ldexp(1, -(int)((shift - 1) / 2));
    static uint32_t work[LARGEST_FRAME];
    static double spectrum[LARGEST_FRAME];
    double most = (double)(1u << test_random(14));
    double energy = 0;
    double error = 0;
    uint32_t j;
    uint32_t k;

    for (k = 0; k < size; k++) {
        int32_t value = (int32_t)((test_random(10001) / 5000.0 - 1) * most);
        spectrum[k] = value;
        work[place_of(k, shift)] = (uint32_t)value;
    }
    transform(work, shift);
    for (j = 0; j < size; j++) {
        double exact = 0;
        double off;
        for (k = 0; k < size; k++)
            exact += spectrum[k] * cos(pi / size * (j + 0.5) * (k + 0.5));
        off = (int32_t)work[j] - gain * exact;
        energy += gain * gain * exact * exact / size;
        error += off * off / size;
    }
    CHECK(sqrt(error) < 1.5 + 0.003 * sqrt(energy));
}

/* Samples do not depend on how many are made at a time, nor on whether the frame before was made for its own block. */
static void test_blocks(void)
{
    test_stream stream;
    const uint32_t around = test_random(2) ? test_random(1000) : test_random(1u << 21);
    static int64_t v[2][LARGEST_FRAME];
    uint32_t frame = around + test_random(100);
    uint32_t blocks;

    make_noises(&stream, around);
    for (blocks = 0; blocks < 4 && frame < frames_in(&stream); blocks++, frame += test_random(3)) {
        const gs_info *info = &stream.info;
        uint32_t size = 1u << info->noise_frame_shift;
        uint32_t at;
        uint32_t j;
        test_noise_frame(&stream, frame, v[0]);
        test_noise_frame(&stream, frame + 1, v[1]);
        for (at = 0; at < size;) {
            const uint32_t *noise = gs_noise_prepare(&memory.noise, info, frame * size + at);
            uint32_t count = 1 + test_random(64);
            if (count > size - at)
                count = size - at;
            for (j = 0; j < count; j++) {
                uint32_t i = at + j;
                uint32_t p = (2 * i + 1) << (13 - info->noise_frame_shift);
                int64_t old = i < size / 2 ? -v[0][size / 2 - 1 - i] : -v[0][i - size / 2];
                int64_t now = i < size / 2 ? v[1][size / 2 + i] : -v[1][3 * size / 2 - 1 - i];
                int64_t x = (int32_t)(uint32_t)(old * gs_cosine[p >> 6] + now * gs_cosine[(16384 - p) >> 6] + 8192);
                int64_t half = (int64_t)1 << (info->noise_shift - 1);
                CHECK((int32_t)noise[j] == (16 * (x >> 14) + half) >> info->noise_shift);
            }
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
    info.noise_frame_shift = 7;
    info.noise_shift = 4;
    info.max_noise = HELD;
    info.noise_base = 20; /* a level of 2560: an amplitude of 2^9 in all 128 bins */
    gs_noise_open(&memory.noise, &info);
    for (j = 0; j < 100; j++) {
        const uint32_t *noise = gs_noise_prepare(&memory.noise, &info, j * 128);
        uint32_t k;
        for (k = 0; k < 128; k++)
            energy += (double)(int32_t)noise[k] * (int32_t)noise[k] / 12800;
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
        uint32_t time = (slot << stream.info.noise_frame_shift) + GS_TIME_ZERO;
        uint32_t lasting = 0;
        uint32_t i;
        gs_noise_drop_ended(&memory.noise, &stream.info, time);
        for (i = 0; i < stream.count; i++)
            lasting += test_end(&stream.info, &stream.gaussians[i]) > time;
        CHECK(memory.noise.held == lasting);
        around = slot - 130;
    }
    free(stream.gaussians);
}

static void test(void)
{
    test_levels();
    test_spectrum();
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
