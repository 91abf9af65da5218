/* SPEC 1: checksums, numbers, the header with every way to break it, segment headers. */
#include "gs_test.h"

static gs_info sound_info(void)
{
    gs_info info;

    memset(&info, 0, sizeof info);
    info.sample_rate = 16000;
    info.samples = 100000;
    info.decoder_class.max_tones = 96;
    info.peak_macs = 120;
    info.slot_log2 = 8;
    info.amplitude_step = 100;
    info.output_shift = 3;
    info.decoder_class.scales = 8;
    info.decoder_class.channels = 1;
    info.kinds = 1;
    return info;
}

static void make_noisy(gs_info *info)
{
    info->kinds = 3;
    info->decoder_class.noise_frame_log2 = 7;
    info->noise_shift = 4;
    info->noise_base = -3;
    info->decoder_class.max_noises = 64;
}

static void make_residual(gs_info *info)
{
    make_noisy(info);
    info->kinds = 3u | 1u << GS_RESIDUAL_BIT;
    info->residual[0] = 60;
    info->residual[1] = 0xFF;
    info->residual[2] = 0xE0 | 26;
    info->residual[3] = 0xFF;
    info->residual[4] = 0xFF;
}

static void make_panned(gs_info *info)
{
    make_noisy(info);
    info->kinds |= 1u << GS_PANNED_BIT;
    info->decoder_class.channels = 2;
    info->direction = 64;
}

static int read_header(const test_bytes *bytes, gs_info *info)
{
    return gs_info_from_memory(bytes->data, bytes->count, info);
}

/* The error for a header of these fields whose checksum is right. */
static int judge(const gs_info *fields)
{
    test_bytes bytes = {0};
    gs_info info;
    int error;

    test_append_header(&bytes, fields);
    error = read_header(&bytes, &info);
    free(bytes.data);
    return error;
}

static void test_checksum(void)
{
    static const char digits[] = "123456789";
    uint32_t crc = GS_CRC_START;
    int i;

    for (i = 0; i < 9; i++)
        crc = gs_crc_byte(crc, (uint8_t)digits[i]);
    CHECK(~crc == 0xCBF43926u);
    for (i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        CHECK((uint32_t)~gs_crc_byte(GS_CRC_START, byte) == test_crc(&byte, 1));
    }
}

static int read_varint(const char *bytes, uint32_t count, uint32_t *value)
{
    gs_input input;

    gs_input_open(&input, bytes, NULL, NULL, count);
    *value = gs_input_varint(&input);
    return input.error;
}

static void test_varint(void)
{
    static const uint32_t values[] = {0, 1, 127, 128, 16383, 16384, 1u << 28, 0x7FFFFFFFu};
    uint32_t value = 0;
    uint32_t i;

    for (i = 0; i < sizeof values / sizeof *values; i++) {
        test_bytes bytes = {0};
        test_append_varint(&bytes, values[i]);
        CHECK(read_varint((const char *)bytes.data, bytes.count, &value) == GS_OK && value == values[i]);
        CHECK(read_varint((const char *)bytes.data, bytes.count - 1, &value) == GS_ERR_TRUNCATED);
        free(bytes.data);
    }
    CHECK(read_varint("\x80\x00", 2, &value) == GS_ERR_CORRUPT);
    CHECK(read_varint("\xFF\xFF\xFF\xFF\x08", 5, &value) == GS_ERR_CORRUPT);
    CHECK(read_varint("\xFF\xFF\xFF\xFF\x87", 5, &value) == GS_ERR_CORRUPT);
    CHECK(read_varint("\x80\x80\x80\x80\x80\x01", 6, &value) == GS_ERR_CORRUPT);
    CHECK(read_varint("\xFF\xFF\xFF\xFF\x07", 5, &value) == GS_OK && value == 0x7FFFFFFFu);
}

static void test_legal(void)
{
    static const uint32_t rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 4000, 5512, 96000};
    gs_info f = sound_info();
    gs_info info;
    test_bytes bytes = {0};
    uint32_t i;

    for (i = 0; i < sizeof rates / sizeof *rates; i++) {
        bytes.count = 0;
        f.sample_rate = rates[i];
        test_append_header(&bytes, &f);
        CHECK(read_header(&bytes, &info) == GS_OK && info.sample_rate == rates[i]);
    }
    bytes.count = 0;
    f = sound_info();
    f.samples = 0x7FFFFFFF;
    f.decoder_class.max_tones = 4096;
    f.peak_macs = 0x7FFFFFFF;
    f.seek_slots = 0x7FFFFFFF;
    f.has_loop = 1;
    f.loop_start = 0x7FFFFFFE;
    f.loop_end = 0x7FFFFFFF;
    f.decoder_class.scales = 1;
    f.smallest_scale = 11;
    f.amplitude_step = 2047;
    f.output_shift = 16;
    f.table_set = 2;
    f.slot_log2 = 12;
    test_append_header(&bytes, &f);
    CHECK(read_header(&bytes, &info) == GS_OK);
    CHECK(info.samples == f.samples && info.peak_macs == f.peak_macs && info.seek_slots == f.seek_slots);
    CHECK(info.loop_start == f.loop_start && info.loop_end == f.loop_end && info.header_bytes == bytes.count);
    CHECK(info.kinds == 1 && info.decoder_class.noise_frame_log2 == 0 && info.noise_shift == 0 && info.noise_base == 0);
    CHECK(info.decoder_class.max_noises == 0);
    bytes.count = 0;
    make_noisy(&f);
    f.noise_base = -128;
    f.decoder_class.max_noises = 255;
    test_append_header(&bytes, &f);
    CHECK(read_header(&bytes, &info) == GS_OK && info.header_bytes == bytes.count && info.loop_end == f.loop_end);
    CHECK(info.kinds == 3 && info.decoder_class.noise_frame_log2 == 7 && info.noise_shift == 4 &&
          info.noise_base == -128);
    CHECK(info.decoder_class.max_noises == 255);
    CHECK(info.decoder_class.residual == 0 && info.residual[0] == 0 && info.residual[4] == 0);
    bytes.count = 0;
    make_residual(&f);
    test_append_header(&bytes, &f);
    CHECK(read_header(&bytes, &info) == GS_OK && info.header_bytes == bytes.count && info.decoder_class.residual == 1);
    CHECK(memcmp(info.residual, f.residual, sizeof info.residual) == 0);
    free(bytes.data);
}

#define EXPECT(error, change)                                                                                          \
    do {                                                                                                               \
        gs_info f = sound_info();                                                                                      \
        change;                                                                                                        \
        CHECK(judge(&f) == (error));                                                                                   \
    } while (0)

static void test_fields(void)
{
    EXPECT(GS_OK, (void)0);
    EXPECT(GS_ERR_CORRUPT, f.sample_rate = 3999);
    EXPECT(GS_ERR_CORRUPT, f.sample_rate = 96001);
    EXPECT(GS_ERR_CORRUPT, f.sample_rate = 0xFFFFFFFFu);
    EXPECT(GS_ERR_CORRUPT, f.slot_log2 = 4);
    EXPECT(GS_ERR_CORRUPT, f.slot_log2 = 13);
    EXPECT(GS_ERR_CORRUPT, f.kinds = 0);
    EXPECT(GS_ERR_CORRUPT, f.kinds = 2);
    EXPECT(GS_ERR_CORRUPT, f.kinds = 1u << GS_KINDS);
    EXPECT(GS_ERR_CORRUPT, f.kinds = 2u | (uint8_t)(255u << GS_KINDS));
    EXPECT(GS_ERR_UNSUPPORTED, f.kinds = 1u | 1u << GS_KINDS);
    EXPECT(GS_ERR_UNSUPPORTED, f.kinds = 129);
    EXPECT(GS_ERR_UNSUPPORTED,
           f.kinds = 1u | (uint8_t)(255u << GS_KINDS & ~(1u << GS_RESIDUAL_BIT | 1u << GS_PANNED_BIT)));
    EXPECT(GS_OK, make_residual(&f));
    EXPECT(GS_OK, (make_residual(&f), f.decoder_class.noise_frame_log2 = 6));
    EXPECT(GS_ERR_CORRUPT, (make_residual(&f), f.decoder_class.noise_frame_log2 = 5));
    EXPECT(GS_ERR_CORRUPT, (make_residual(&f), f.residual[2] = 27));
    EXPECT(GS_ERR_CORRUPT, (make_residual(&f), f.residual[2] = 31));
    EXPECT(GS_ERR_CORRUPT, (make_residual(&f), f.kinds = 1u | 1u << GS_RESIDUAL_BIT));
    EXPECT(GS_ERR_UNSUPPORTED, (make_residual(&f), f.kinds |= 1u << GS_KINDS));
    EXPECT(GS_OK, make_noisy(&f));
    EXPECT(GS_ERR_UNSUPPORTED, (make_noisy(&f), f.kinds = 3u | 1u << GS_KINDS));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.kinds = 2));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 4));
    EXPECT(GS_OK, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 5));
    EXPECT(GS_OK, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 8));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 9));
    EXPECT(GS_OK, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 9, f.slot_log2 = 9));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.decoder_class.noise_frame_log2 = 10, f.slot_log2 = 12));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.noise_shift = 0));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.decoder_class.max_noises = 0));
    EXPECT(GS_OK, (make_noisy(&f), f.noise_base = -128, f.decoder_class.max_noises = 255, f.noise_shift = 15));
    EXPECT(GS_OK, (make_noisy(&f), f.noise_base = 127, f.decoder_class.max_noises = 1, f.noise_shift = 1));
    EXPECT(GS_OK, (f.decoder_class.channels = 2, f.direction = 0));
    EXPECT(GS_OK, (f.decoder_class.channels = 2, f.direction = 255));
    EXPECT(GS_ERR_CORRUPT, f.kinds |= 1u << GS_PANNED_BIT);
    EXPECT(GS_OK, (make_panned(&f), f.side_step = 15, f.side_base = -128));
    EXPECT(GS_ERR_CORRUPT, (make_panned(&f), f.side_step = 16));
    EXPECT(GS_ERR_CORRUPT, (make_panned(&f), f.decoder_class.channels = 1));
    EXPECT(GS_ERR_UNSUPPORTED, (make_panned(&f), f.kinds |= 1u << GS_KINDS));
    EXPECT(GS_ERR_UNSUPPORTED, f.table_set = 3);
    EXPECT(GS_ERR_UNSUPPORTED, f.table_set = 63);
    EXPECT(GS_OK, f.decoder_class.scales = 1);
    EXPECT(GS_ERR_CORRUPT, f.decoder_class.scales = 9);
    EXPECT(GS_ERR_CORRUPT, f.decoder_class.scales = 16);
    EXPECT(GS_OK, f.smallest_scale = 4);
    EXPECT(GS_ERR_CORRUPT, f.smallest_scale = 5);
    EXPECT(GS_ERR_CORRUPT, f.amplitude_step = 0);
    EXPECT(GS_ERR_CORRUPT, f.output_shift = 17);
    EXPECT(GS_ERR_CORRUPT, f.output_shift = 31);
    EXPECT(GS_ERR_CORRUPT, f.decoder_class.max_tones = 0);
    EXPECT(GS_ERR_CORRUPT, f.decoder_class.max_tones = 4097);
    EXPECT(GS_ERR_CORRUPT, f.samples = 0);
    EXPECT(GS_ERR_CORRUPT, (f.has_loop = 1, f.loop_start = 5, f.loop_end = 5));
    EXPECT(GS_ERR_CORRUPT, (f.has_loop = 1, f.loop_start = 6, f.loop_end = 5));
    EXPECT(GS_ERR_CORRUPT, (f.has_loop = 1, f.loop_end = 100001));
    EXPECT(GS_OK, (f.has_loop = 1, f.loop_end = 100000));
    /* An illegal field must not hide behind an unsupported one. */
    EXPECT(GS_ERR_CORRUPT, (f.kinds = 1u | 1u << GS_KINDS, f.slot_log2 = 13));
    EXPECT(GS_ERR_CORRUPT, (make_noisy(&f), f.kinds = 3u | 1u << GS_KINDS, f.noise_shift = 0));
}

static void test_damage(void)
{
    gs_info f = sound_info();
    gs_info info;
    test_bytes bytes = {0};
    uint32_t i;
    int code;

    f.sample_rate = 12345;
    f.has_loop = 1;
    f.loop_end = 1000;
    make_noisy(&f);
    test_append_header(&bytes, &f);
    for (i = 0; i < bytes.count; i++)
        CHECK(gs_info_from_memory(bytes.data, i, &info) == GS_ERR_TRUNCATED);
    for (i = 0; i < bytes.count * 8; i++) {
        int error;
        bytes.data[i / 8] ^= (uint8_t)(1u << i % 8);
        error = read_header(&bytes, &info);
        if (i < 16)
            CHECK(error == GS_ERR_CORRUPT);
        else if (i < 24)
            CHECK(error == GS_ERR_VERSION);
        else
            CHECK(error == GS_ERR_CRC || error == GS_ERR_CORRUPT || error == GS_ERR_TRUNCATED);
        bytes.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (code = 10; code < 16; code++) {
        uint32_t crc;
        bytes.count = 0;
        f = sound_info();
        test_append_header(&bytes, &f);
        bytes.data[3] = (uint8_t)((bytes.data[3] & 0xF0) | code);
        crc = test_crc(bytes.data, bytes.count - 2);
        bytes.count -= 2;
        test_append_number(&bytes, crc, 2);
        CHECK(read_header(&bytes, &info) == GS_ERR_CORRUPT);
    }
    free(bytes.data);
}

static void test_segment_header(void)
{
    test_bytes data = {0};
    test_bytes bytes = {0};
    gs_input input;
    uint32_t i;

    for (i = 0; i < 300; i++)
        test_append(&data, i);
    test_append_segment(&bytes, &data);
    gs_input_open(&input, bytes.data, NULL, NULL, bytes.count);
    CHECK(gs_input_varint(&input) == 300);
    CHECK(gs_input_number(&input, 4) == test_crc(data.data, 300));
    CHECK(input.error == GS_OK && input.offset == 6);
    for (i = 0; i < 6; i++) {
        gs_input_open(&input, bytes.data, NULL, NULL, i);
        (void)gs_input_varint(&input);
        CHECK((gs_input_number(&input, 4) & 0xFFu) == (i > 2 ? bytes.data[2] : 0u));
        CHECK(input.error == GS_ERR_TRUNCATED && input.offset == i);
        CHECK(gs_input_byte(&input) == 0 && input.error == GS_ERR_TRUNCATED);
    }
    free(data.data);
    free(bytes.data);
}

int main(void)
{
    test_checksum();
    test_varint();
    test_legal();
    test_fields();
    test_damage();
    test_segment_header();
    return 0;
}
