/* The slot parser once more, driven by a coder that tosses coins and writes down what it tossed. */
#define gs_range_bit toss_bit
#define gs_range_direct toss_direct
#define gs_slots_start_segment toss_slots_start_segment
#define gs_slots_start toss_slots_start
#define gs_slots_next toss_slots_next

#ifndef GS_FULL_COSINE
#define GS_FULL_COSINE /* formulas take the table as the specification has it, whatever the decoder takes */
#endif

#include "gs_test.h"

#include "../src/gs_slots.c"

static uint64_t random_state = 1;
static uint32_t current_seed;

void test_failed(void)
{
    fprintf(stderr, "seed %lu\n", (unsigned long)current_seed);
    exit(1);
}

int test_seeds(int argc, char **argv, uint32_t runs, void (*test)(void))
{
    uint32_t first = 0;

    if (argc > 1) {
        first = (uint32_t)strtoul(argv[1], NULL, 10);
        runs = 1;
    }
    for (current_seed = first; current_seed < first + runs; current_seed++) {
        random_state = (uint64_t)current_seed << 32;
        test();
    }
    return 0;
}

uint32_t test_random(uint32_t below)
{
    uint64_t mixed = random_state += 0x9E3779B97F4A7C15u; /* SplitMix64 (Steele, Lea, Flood 2014) */

    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)(((mixed >> 32) * below) >> 32);
}

static void *allocate(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes);

    CHECK(memory);
    return memory;
}

void test_append(test_bytes *bytes, uint32_t byte)
{
    if (bytes->count == bytes->room) {
        bytes->room = bytes->room * 2 + 64;
        bytes->data = (uint8_t *)allocate(bytes->data, bytes->room);
    }
    bytes->data[bytes->count++] = (uint8_t)byte;
}

void test_append_number(test_bytes *bytes, uint32_t value, uint32_t count)
{
    for (; count > 0; count--, value >>= 8)
        test_append(bytes, value & 255u);
}

void test_append_varint(test_bytes *bytes, uint32_t value)
{
    for (; value > 127; value >>= 7)
        test_append(bytes, 128u | (value & 127u));
    test_append(bytes, value);
}

/* Bit by bit, to be independent of the decoder's table. */
uint32_t test_crc(const uint8_t *data, uint32_t count)
{
    uint32_t crc = 0xFFFFFFFFu;
    uint32_t i;
    int bit;

    for (i = 0; i < count; i++) {
        crc ^= data[i];
        for (bit = 0; bit < 8; bit++)
            crc = crc & 1u ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

/* ---- range encoder ---- */

void test_coder_start(test_coder *coder)
{
    coder->low = 0;
    coder->range = 0xFFFFFFFFu;
    coder->pending = 0;
    coder->started = 0;
    coder->bytes.count = 0;
}

static void shift_out(test_coder *coder)
{
    if (coder->low < 0xFF000000u || coder->low > 0xFFFFFFFFu) {
        uint32_t carry = (uint32_t)(coder->low >> 32);
        if (coder->started)
            test_append(&coder->bytes, (coder->cache + carry) & 255u);
        for (; coder->pending > 0; coder->pending--)
            test_append(&coder->bytes, (255u + carry) & 255u);
        coder->cache = (uint8_t)(coder->low >> 24);
        coder->started = 1;
    } else {
        coder->pending++;
    }
    coder->low = (coder->low & 0x00FFFFFFu) << 8;
}

static void renormalise(test_coder *coder)
{
    while (coder->range < 1u << 24) {
        coder->range <<= 8;
        shift_out(coder);
    }
}

void test_coder_bit(test_coder *coder, uint16_t *context, uint32_t bit)
{
    static const uint32_t shifts[16] = {1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5};
    uint32_t p = *context / 16u;
    uint32_t n = *context % 16u;
    uint32_t bound = (coder->range >> 12) * (p | 1);

    if (bit) {
        coder->range = bound;
        p += (4095 - p) >> shifts[n];
    } else {
        coder->low += bound;
        coder->range -= bound;
        p -= p >> shifts[n];
    }
    *context = (uint16_t)(p * 16 + (n < 15 ? n + 1 : 15));
    renormalise(coder);
}

void test_coder_direct(test_coder *coder, uint32_t value, uint32_t bits)
{
    while (bits-- > 0) {
        coder->range >>= 1;
        if (value >> bits & 1u)
            coder->low += coder->range;
        renormalise(coder);
    }
}

/* Of the values that end the code rightly, takes the one with most zeros at its end, and leaves those out. */
void test_coder_end(test_coder *coder)
{
    uint64_t last = coder->low + coder->range - 1;
    uint64_t mask;
    int i;

    for (mask = 0xFFFFFFFFu; mask > 0; mask >>= 8) {
        uint64_t value = (coder->low + mask) & ~mask;
        if (value <= last) {
            coder->low = value;
            break;
        }
    }
    for (i = 0; i < 5; i++)
        shift_out(coder);
    for (i = 0; i < 4 && coder->bytes.count > 0 && coder->bytes.data[coder->bytes.count - 1] == 0; i++)
        coder->bytes.count--;
}

uint32_t toss_bit(gs_range_coder *range, uint16_t *context)
{
    test_coder *coder = (test_coder *)(void *)range;
    uint32_t index = (uint32_t)(context - coder->contexts);
    int is_more = index < coder->tone_contexts
                      ? index % GS_TONE_CONTEXTS_PER_SCALE < GS_TONE_CONTEXT_FIRST_BIN
                      : index - coder->tone_contexts < GS_NOISE_CONTEXT_PLACE &&
                            (index - coder->tone_contexts) % GS_NOISE_CONTEXTS_PER_SCALE < GS_NOISE_CONTEXT_WIDTH;
    uint32_t bit = test_random(1024) < (is_more ? coder->more_in_1024 : coder->ones_in_1024);

    if (is_more && coder->full[index >= coder->tone_contexts])
        bit = 0;

    test_coder_bit(coder, context, bit);
    return bit;
}

uint32_t toss_direct(gs_range_coder *range, uint32_t bits)
{
    uint32_t value = test_random((uint32_t)1 << bits);

    test_coder_direct((test_coder *)(void *)range, value, bits);
    return value;
}

/* ---- streams ---- */

void test_append_header(test_bytes *bytes, const gs_info *info)
{
    static const uint32_t rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
    uint32_t first = bytes->count;
    uint32_t code = 0;
    uint32_t i;

    for (i = 0; i < 9; i++)
        if (rates[i] == info->sample_rate)
            code = i + 1;
    test_append(bytes, 'G');
    test_append(bytes, 'S');
    test_append(bytes, 1);
    test_append(bytes, code | (uint32_t)info->slot_log2 << 4);
    test_append(bytes, info->kinds);
    test_append(bytes,
                (info->decoder_class.channels - 1u) | (uint32_t)info->has_loop << 1 | (uint32_t)info->table_set << 2);
    test_append(bytes, info->smallest_scale | (info->decoder_class.scales - 1u) << 4);
    test_append_number(bytes, info->amplitude_step | (uint32_t)info->output_shift << 11, 2);
    test_append_varint(bytes, info->decoder_class.max_tones);
    test_append_varint(bytes, info->peak_macs);
    test_append_varint(bytes, info->seek_slots);
    test_append_varint(bytes, info->samples);
    if (code == 0)
        test_append_number(bytes, info->sample_rate, 4);
    if (info->has_loop) {
        test_append_varint(bytes, info->loop_start);
        test_append_varint(bytes, info->loop_end);
    }
    if (info->kinds & 2u) {
        test_append(bytes, info->decoder_class.noise_frame_log2 | (uint32_t)info->noise_shift << 4);
        test_append(bytes, (uint8_t)info->noise_base);
        test_append(bytes, info->decoder_class.max_noises);
    }
    for (i = 0; info->kinds >> GS_RESIDUAL_BIT & 1u && i < sizeof info->residual; i++)
        test_append(bytes, info->residual[i]);
    if (info->decoder_class.channels > 1)
        test_append(bytes, info->direction);
    if (info->kinds >> GS_PANNED_BIT & 1u) {
        test_append(bytes, info->side_step);
        test_append(bytes, (uint8_t)info->side_base);
    }
    test_append_number(bytes, test_crc(bytes->data + first, bytes->count - first), 2);
}

void test_append_segment(test_bytes *bytes, const test_bytes *data)
{
    uint32_t i;

    test_append_varint(bytes, data->count);
    test_append_number(bytes, test_crc(data->data, data->count), 4);
    for (i = 0; i < data->count; i++)
        test_append(bytes, data->data[i]);
}

static void random_info(gs_info *info)
{
    static const uint32_t rates[] = {8000, 16000, 48000, 4000, 96000, 12345};

    memset(info, 0, sizeof *info);
    info->sample_rate = rates[test_random(6)];
    info->slot_log2 = (uint8_t)(5 + test_random(8));
    info->slot_samples = (uint16_t)(1u << info->slot_log2);
    info->kinds = 1;
    info->decoder_class.channels = 1;
    info->table_set = (uint8_t)test_random(3);
    info->decoder_class.scales = (uint8_t)(1 + test_random(GS_MAX_SCALES));
    info->smallest_scale = (uint8_t)test_random(13u - info->decoder_class.scales);
    info->amplitude_step = (uint16_t)(1 + test_random(test_random(4) ? 2047 : 40));
    info->output_shift = (uint8_t)test_random(test_random(4) ? 4 : 17);
    info->decoder_class.max_tones = (uint16_t)(1 + test_random(test_random(3) ? 300 : 10));
    info->peak_macs = 100000 + test_random(1000); /* more than any takes */
    info->samples = 1 + test_random(test_random(8) ? 4000u + 10u * info->slot_samples : 100u);
    info->seek_slots = test_random(2) ? 1 + test_random(1 + info->samples / info->slot_samples) : 0;
    if (test_random(2)) {
        info->has_loop = 1;
        info->loop_start = test_random(info->samples);
        info->loop_end = info->loop_start + 1 + test_random(info->samples - info->loop_start);
    }
    if (test_random(3)) {
        info->kinds = 3;
        info->decoder_class.noise_frame_log2 =
            (uint8_t)(5 + test_random(info->slot_log2 > 9 ? 5 : info->slot_log2 - 4u));
        info->noise_shift = (uint8_t)(1 + test_random(test_random(2) ? 5 : 15));
        info->noise_base = (int8_t)((int)test_random(test_random(2) ? 256 : 20) - (int)(test_random(2) ? 128 : 0));
        info->decoder_class.max_noises = (uint8_t)(1 + test_random(test_random(3) ? 255 : 10));
    }
}

static int64_t floor_shift(int64_t value, uint32_t shift)
{
    int64_t unit = (int64_t)1 << shift;

    return value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}

uint32_t test_onset(const gs_gaussian *gaussian)
{
    return gaussian->kind == GS_TONE ? gaussian->as.tone.onset : gaussian->as.noise.onset;
}

uint32_t test_end(const gs_info *info, const gs_gaussian *gaussian)
{
    if (gaussian->kind == GS_NOISE)
        return gaussian->as.noise.onset +
               ((uint32_t)4 << gaussian->as.noise.scale << info->decoder_class.noise_frame_log2);
    return gaussian->as.tone.onset + ((uint32_t)32 << gaussian->as.tone.scale);
}

int32_t test_lead_in(const gs_info *info)
{
    uint32_t longest = (uint32_t)32 << (info->smallest_scale + info->decoder_class.scales - 1);

    if (info->kinds & 2u && longest < (uint32_t)128 << info->decoder_class.noise_frame_log2)
        longest = (uint32_t)128 << info->decoder_class.noise_frame_log2;
    return longest >> info->slot_log2 ? (int32_t)(longest >> info->slot_log2) : 1;
}

/* ---- chapter 5 of SPEC.md by the letter ---- */

static int64_t wrap(int64_t value)
{
    return (int32_t)(uint32_t)value;
}

uint32_t test_noise_bin(const gs_info *info, uint32_t band)
{
    return ((uint32_t)gs_bark_hz[band] << (info->decoder_class.noise_frame_log2 + 1)) / info->sample_rate;
}

uint32_t test_noise_levels(const test_stream *stream, int64_t frame, int64_t *level)
{
    const gs_info *info = &stream->info;
    uint32_t bands = 0;
    uint32_t i;

    while (bands < 25 && test_noise_bin(info, bands) < 1u << info->decoder_class.noise_frame_log2)
        level[bands++] = 128 * info->noise_base;
    for (i = 0; i < stream->count; i++) {
        const gs_noise *g = &stream->gaussians[i].as.noise;
        int64_t u;
        int64_t scale;
        uint32_t band;
        if (stream->gaussians[i].kind != GS_NOISE)
            continue;
        u = frame - floor_shift((int64_t)g->onset - 65536, info->decoder_class.noise_frame_log2);
        scale = (int64_t)1 << g->scale;
        if (u <= 0 || u >= 4 * scale)
            continue;
        for (band = 0; band < bands; band++) {
            int64_t j = u * 8 / scale;
            int64_t et =
                gs_envelope[j] + floor_shift((gs_envelope[j + 1] - gs_envelope[j]) * (u * 8 % scale), g->scale);
            int64_t d = 8 * (int64_t)band + 4 - (2 * g->place - 3) * (3 << g->width);
            int64_t x = d * 341 / ((int64_t)1 << g->width);
            int64_t eb;
            if (d <= 0 || d >= 24 << g->width)
                continue;
            eb = gs_envelope[x / 256] + floor_shift((gs_envelope[x / 256 + 1] - gs_envelope[x / 256]) * (x % 256), 8);
            level[band] += floor_shift(floor_shift(g->weight * et, 7) * eb, 16);
        }
    }
    for (i = 0; i < bands; i++)
        level[i] = level[i] < 0 ? 0 : level[i] > 14 * 256 - 1 ? 14 * 256 - 1 : level[i];
    return bands;
}

int64_t test_noise_spectrum(const test_stream *stream, int64_t frame, int64_t *spectrum)
{
    const gs_info *info = &stream->info;
    uint32_t size = 1u << info->decoder_class.noise_frame_log2;
    int64_t level[25];
    uint32_t bands = test_noise_levels(stream, frame, level);
    uint32_t s = (uint32_t)(frame + 1) * 0x9E3779B9u;
    int64_t exponent = 0;
    uint32_t k;

    for (k = 0; k < bands; k++)
        exponent = level[k] / 256 > exponent ? level[k] / 256 : exponent;
    s ^= s >> 16;
    s *= 0x85EBCA6Bu;
    s ^= s >> 13;
    for (k = 1; k < bands; k++)
        if (test_noise_bin(info, k) == test_noise_bin(info, k - 1) && level[k] < level[k - 1])
            level[k] = level[k - 1];
    for (k = 0; k < size; k++) {
        uint32_t band = 0;
        int64_t line = level[0] * 256;
        int64_t l;
        int64_t amplitude;
        while (band < bands && test_noise_bin(info, band) <= k)
            band++;
        if (band == bands) {
            line = level[bands - 1] * 256;
        } else if (band > 0) {
            int64_t first = test_noise_bin(info, band - 1);
            int64_t slope = (level[band] - level[band - 1]) * (65536 / (test_noise_bin(info, band) - first));
            line = level[band - 1] * 256 + floor_shift(slope, 8) * (k - first);
        }
        l = floor_shift(line, 8) + (13 - exponent) * 256;
        amplitude = gs_gain[(uint64_t)floor_shift(l, 3) & 31u];
        amplitude =
            floor_shift(amplitude << (floor_shift(l, 8) + (info->decoder_class.noise_frame_log2 % 2 ? 2 : 3)), 15);
        if (k % 2 == 0)
            s = s * 1664525u + 1013904223u;
        spectrum[k] = s & (k % 2 ? 0x40000000u : 0x80000000u) ? -1 - amplitude : amplitude;
        if (exponent == 0)
            spectrum[k] = 0;
    }
    return exponent;
}

/* Turns a number back; in Q14. */
static test_complex rotated(test_complex z, int64_t phase)
{
    int64_t c = gs_cosine[((phase + 32) & 65535) >> 6];
    int64_t s = gs_cosine[((phase + 32 - 16384) & 65535) >> 6];
    test_complex out;

    out.re = z.re * c + z.im * s;
    out.im = z.im * c - z.re * s;
    return out;
}

static test_complex quarter_rotated(test_complex z, int64_t phase)
{
    z = rotated(z, phase);
    z.re = floor_shift(z.re, 16);
    z.im = floor_shift(z.im, 16);
    return z;
}

/* Sum over i of the numbers turned back by i * quarters quarter turns. */
static test_complex sum_of_four(const test_complex *z, uint32_t quarters)
{
    test_complex sum = {0, 0};
    uint32_t i;

    for (i = 0; i < 4; i++) {
        test_complex one = rotated(z[i], (int64_t)(i * quarters % 4) * 16384);
        sum.re += one.re / 16384;
        sum.im += one.im / 16384;
    }
    return sum;
}

void test_noise_transform(const int64_t *spectrum, uint32_t frame_log2, test_complex *z)
{
    uint32_t size = 1u << (frame_log2 - 1);
    uint32_t span = 1;
    uint32_t k;

    for (k = 0; k < size; k++) {
        uint32_t reversed = 0;
        test_complex one;
        uint32_t bit;
        for (bit = 0; bit < frame_log2 - 1; bit++)
            reversed |= (k >> bit & 1u) << (frame_log2 - 2 - bit);
        one.re = spectrum[2 * k];
        one.im = spectrum[2 * size - 1 - 2 * k];
        z[reversed] = quarter_rotated(one, (int64_t)k << (15 - frame_log2));
    }
    if (frame_log2 % 2 == 0) {
        for (k = 0; k < size; k += 2) {
            test_complex a = z[k];
            test_complex b = z[k + 1];
            z[k].re = a.re + b.re;
            z[k].im = a.im + b.im;
            z[k + 1].re = a.re - b.re;
            z[k + 1].im = a.im - b.im;
        }
        span = 2;
    }
    for (; span < size; span *= 4) {
        for (k = 0; k < size; k++) {
            test_complex four[4];
            uint32_t i;
            if (k / span % 4 > 0)
                continue;
            four[0] = z[k];
            four[1] = z[k + 2 * span];
            four[2] = z[k + span];
            four[3] = z[k + 3 * span];
            for (i = 0; i < 4 && span > 1; i++)
                four[i] = quarter_rotated(four[i], (int64_t)(i * (k % span)) * 16384 / span);
            for (i = 0; i < 4; i++)
                z[k + i * span] = sum_of_four(four, i);
        }
    }
}

int64_t test_noise_frame(const test_stream *stream, int64_t frame, test_complex *z)
{
    int64_t x[512];
    int64_t exponent = test_noise_spectrum(stream, frame, x);

    memset(z, 0, (sizeof *z << stream->info.decoder_class.noise_frame_log2) / 2);
    if (exponent > 0)
        test_noise_transform(x, stream->info.decoder_class.noise_frame_log2, z);
    return exponent;
}

void test_noise_block(const gs_info *info, const int64_t *exponent, test_complex *const *z, int64_t *noise)
{
    uint32_t n = info->decoder_class.noise_frame_log2;
    uint32_t size = 1u << n;
    int64_t highest = exponent[0] > exponent[1] ? exponent[0] : exponent[1];
    int64_t down = 24 + info->noise_shift - n / 2 - highest;
    uint32_t limited = (uint32_t)(down < 14 ? 14 : down > 31 ? 31 : down);
    uint32_t j;

    for (j = 0; j < size; j++) {
        uint32_t i = j < size / 2 ? j : size - 1 - j;
        uint32_t k = i % 2 ? size / 2 - (i + 1) / 2 : i / 2;
        int64_t at = (2 * i + 1) * 128 >> n;
        int64_t phase = 64 * (i % 2 ? 128 - at : 640 + at);
        test_complex before = rotated(z[0][k], phase);
        test_complex after = rotated(z[1][k], phase);
        int64_t fall = gs_cosine[at];
        int64_t rise = -(int64_t)gs_cosine[at + 256];
        int64_t old = floor_shift(floor_shift(i % 2 ? before.re : before.im, 14), (uint32_t)(highest - exponent[0]));
        int64_t fresh = floor_shift(i % 2 ? after.im : after.re, (uint32_t)(14 + highest - exponent[1]));
        int64_t x = j < size / 2 ? -(fresh * rise) - old * fall : fresh * fall - old * rise;
        x = floor_shift(x + ((int64_t)1 << (limited - 1)), limited);
        x *= (int64_t)1 << (down < 14 ? 14 - down : 0);
        noise[j] = x < -32768 ? -32768 : x > 32767 ? 32767 : x;
    }
}

static void noise_by_formula(const test_stream *stream, int64_t *noise)
{
    const gs_info *info = &stream->info;
    uint32_t n = info->decoder_class.noise_frame_log2;
    static test_complex memory[2][256];
    test_complex *z[2] = {memory[0], memory[1]};
    int64_t exponent[2];
    int64_t block[512];
    int64_t frame;
    uint32_t j;

    exponent[1] = test_noise_frame(stream, 0, z[1]);
    for (frame = 0; frame << n < info->samples; frame++) {
        test_complex *older = z[1];
        z[1] = z[0];
        z[0] = older;
        exponent[0] = exponent[1];
        exponent[1] = test_noise_frame(stream, frame + 1, z[1]);
        test_noise_block(info, exponent, z, block);
        for (j = 0; j < 1u << n && (frame << n) + j < info->samples; j++)
            noise[(frame << n) + j] = block[j];
    }
}

/* Every octave from so many of its samples before sample 0 to as many after the last. */
#define MARGIN 64

/* Adds a tone to the sums of its octave. */
static void tone_by_formula(const gs_info *info, const gs_tone *g, uint32_t *const sums[4])
{
    int64_t step = g->scale % 2 ? (info->amplitude_step * (int64_t)46341 + 2048) / 4096 : 16 * info->amplitude_step;
    int64_t amplitude = floor_shift(step * (8 * g->amplitude + 3), 5u + g->scale / 2u);
    int64_t increment = g->bin * (65536 / ((int64_t)32 << g->scale));
    uint32_t d = 3;
    int64_t first;
    int64_t a;

    while (d > 0 && (g->scale < d + 2u || increment << d > 19200))
        d--;
    if (amplitude > 32767)
        amplitude = 32767;
    first = floor_shift((int64_t)g->onset - 65536, d);
    for (a = 0; a < (int64_t)32 << g->scale >> d; a++) {
        uint32_t scale = g->scale - d;
        int64_t r = a % ((int64_t)1 << scale);
        int64_t e0 = gs_envelope[a >> scale] * amplitude;
        int64_t delta = floor_shift(gs_envelope[(a >> scale) + 1] * amplitude - e0, scale);
        int64_t e = floor_shift(e0 + r * delta, 15);
        int64_t phase =
            g->phase * (65536 / ((int64_t)1 << g->phase_bits)) + 32 + ((g->bin & 1) ? 32768 : 0) + (increment << d) * a;
        if (first + a >= -MARGIN && first + a < ((int64_t)info->samples >> d) + MARGIN)
            sums[d][first + a + MARGIN] += (uint32_t)(e * gs_cosine[(phase & 65535) / 64]);
    }
}

/* The samples of an octave in quarters of output steps, from its sums and the samples of the octave below. */
static void upsample_by_formula(const gs_info *info, uint32_t d, const int64_t *below, const uint32_t *sums,
                                int64_t *octave)
{
    static const int64_t taps[4] = {2514, -617, 188, -37};
    int64_t n;
    int64_t i;

    for (n = 0; n < ((int64_t)info->samples >> d) + 2 * MARGIN; n++) {
        uint32_t half = (uint32_t)1 << (11 + info->output_shift);
        const int64_t *at = below ? below + MARGIN + floor_shift(n - MARGIN, 1) : NULL;
        int64_t between = 2048;
        octave[n] = floor_shift((int32_t)(sums[n] + half), 12u + info->output_shift);
        /* What the ends would need is missing; they matter to nothing. */
        if (!below || n < 10 || n > ((int64_t)info->samples >> d) + 2 * MARGIN - 10)
            continue;
        for (i = 0; i < 4; i++)
            between += taps[i] * (at[-i] + at[1 + i]);
        octave[n] += n % 2 ? floor_shift(wrap(between), 12) : at[0];
    }
}

/* Chapters 4 to 6 of SPEC.md by the letter, without a thought for speed. */
static void render_by_formula(test_stream *stream)
{
    const gs_info *info = &stream->info;
    int64_t *noise = (int64_t *)calloc(info->samples, sizeof *noise);
    int64_t *octaves[4];
    uint32_t *sums[4];
    uint32_t i;
    uint32_t n;

    for (i = 0; i < 4; i++) {
        sums[i] = (uint32_t *)calloc((info->samples >> i) + 2 * MARGIN, sizeof *sums[i]);
        octaves[i] = (int64_t *)calloc((info->samples >> i) + 2 * MARGIN, sizeof *octaves[i]);
        CHECK(sums[i] && octaves[i]);
    }
    CHECK(noise);
    if (info->kinds & 2u)
        noise_by_formula(stream, noise);
    for (i = 0; i < stream->count; i++) {
        if (stream->gaussians[i].kind == GS_TONE)
            tone_by_formula(info, &stream->gaussians[i].as.tone, sums);
    }
    for (i = 4; i-- > 0;)
        upsample_by_formula(info, i, i < 3 ? octaves[i + 1] : NULL, sums[i], octaves[i]);
    stream->pcm = (int16_t *)allocate(NULL, info->samples * sizeof *stream->pcm);
    for (n = 0; n < info->samples; n++) {
        int64_t value = floor_shift(octaves[0][n + MARGIN] + 2, 2) + noise[n];
        stream->pcm[n] = (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
    }
    for (i = 0; i < 4; i++) {
        free(sums[i]);
        free(octaves[i]);
    }
    free(noise);
}

/* The slot's next Gaussian, or its end; a toss that leads nowhere legal is taken back. */
static int toss_legal(test_coder *coder, gs_slots *syntax, uint16_t *contexts, const int *full, gs_gaussian *gaussian)
{
    const test_coder coder_before = *coder;
    const gs_slots syntax_before = *syntax;
    uint16_t contexts_before[GS_CONTEXTS(GS_MAX_SCALES, 1)];
    int tries;

    memcpy(contexts_before, contexts, sizeof contexts_before);
    for (tries = 0;; tries++) {
        int found;
        coder->full[GS_TONE] = full[GS_TONE] || tries == 20;
        coder->full[GS_NOISE] = full[GS_NOISE] || tries == 20;
        found = toss_slots_next(syntax, &coder->as_range, contexts, gaussian);
        if (coder->as_range.input.error == GS_OK)
            return found;
        CHECK(tries < 20);
        coder->low = coder_before.low;
        coder->range = coder_before.range;
        coder->pending = coder_before.pending;
        coder->cache = coder_before.cache;
        coder->started = coder_before.started;
        coder->bytes.count = coder_before.bytes.count;
        coder->as_range.input.error = GS_OK;
        *syntax = syntax_before;
        memcpy(contexts, contexts_before, sizeof contexts_before);
    }
}

/* Gaussians of a kind of earlier slots that are held in the slot that begins at `time` (SPEC 7). */
static uint32_t held_at(const test_stream *stream, uint32_t kind, uint32_t time)
{
    uint32_t after = 65536 - 128;
    uint32_t held = 0;
    uint32_t i;

    if (time / 64 * 64 > after + 64)
        after = time / 64 * 64 - 64;
    for (i = 0; i < stream->count; i++)
        held += stream->gaussians[i].kind == kind && test_end(&stream->info, &stream->gaussians[i]) > after;
    return held;
}

void test_stream_make(test_stream *stream)
{
    test_stream_make_with(stream, NULL);
}

void test_stream_make_with(test_stream *stream, void (*change)(gs_info *info))
{
    gs_info *info = &stream->info;
    int32_t slots;
    int32_t slot;
    int32_t lead_in;
    int32_t segment_end = 0;
    uint32_t room = 0;
    test_coder coder;
    gs_slots syntax;
    uint16_t contexts[GS_CONTEXTS(GS_MAX_SCALES, 1)] = {0};

    memset(stream, 0, sizeof *stream);
    memset(&coder, 0, sizeof coder);
    random_info(info);
    if (change)
        change(info);
    coder.contexts = contexts;
    coder.tone_contexts = GS_CONTEXTS(info->decoder_class.scales, 0u);
    coder.more_in_1024 = test_random(3) ? 300 + test_random(700) : test_random(300);
    coder.ones_in_1024 = test_random(1000);
    test_append_header(&stream->bytes, info);
    info->header_bytes = stream->bytes.count;

    slots = (int32_t)((info->samples + info->slot_samples - 1) / info->slot_samples);
    lead_in = test_lead_in(info);
    for (slot = -lead_in; slot < slots; slot++) {
        uint32_t time = (uint32_t)(slot * (int32_t)info->slot_samples + 65536);
        uint32_t held[GS_KINDS];
        gs_gaussian gaussian = {0};
        held[GS_TONE] = held_at(stream, GS_TONE, time);
        held[GS_NOISE] = held_at(stream, GS_NOISE, time);
        if (slot == -lead_in || slot == segment_end) {
            test_coder_start(&coder);
            toss_slots_start_segment(&syntax, info, contexts);
            segment_end = slots;
            if (info->seek_slots && (slot < 0 ? 0 : slot) + (int64_t)info->seek_slots < slots)
                segment_end = (slot < 0 ? 0 : slot) + (int32_t)info->seek_slots;
        }
        toss_slots_start(&syntax, time);
        for (;;) {
            int full[GS_KINDS];
            full[GS_TONE] = held[GS_TONE] == info->decoder_class.max_tones;
            full[GS_NOISE] = held[GS_NOISE] == info->decoder_class.max_noises;
            if (!toss_legal(&coder, &syntax, contexts, full, &gaussian))
                break;
            if (stream->count == room) {
                room = room * 2 + 64;
                stream->gaussians = (gs_gaussian *)allocate(stream->gaussians, room * sizeof gaussian);
            }
            stream->gaussians[stream->count++] = gaussian;
            held[gaussian.kind]++;
        }
        if (slot + 1 == segment_end) {
            test_coder_end(&coder);
            test_append_segment(&stream->bytes, &coder.bytes);
        }
    }
    free(coder.bytes.data);
    render_by_formula(stream);
}

void test_stream_free(test_stream *stream)
{
    free(stream->bytes.data);
    free(stream->gaussians);
    free(stream->pcm);
}

void test_read(gs_decoder *decoder, uint32_t most, uint32_t count, int16_t *pcm)
{
    while (count > 0) {
        uint32_t wanted = 1 + test_random(most);
        int32_t given;
        if (wanted > count)
            wanted = count;
        given = gs_read(decoder, pcm, wanted);
        CHECK(given == (int32_t)wanted);
        pcm += (uint32_t)given * gs_channels(decoder);
        count -= wanted;
    }
}

size_t test_room(const gs_info *info)
{
    return gs_decoder_size(&info->decoder_class);
}

gs_decoder *test_open(const test_stream *stream)
{
    size_t bytes = test_room(&stream->info);
    void *memory = allocate(NULL, bytes);
    gs_decoder *decoder = NULL;

    CHECK(gs_open_memory(memory, bytes, stream->bytes.data, stream->bytes.count, &decoder) == GS_OK);
    return decoder;
}
