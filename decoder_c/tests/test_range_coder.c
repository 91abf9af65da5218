/* SPEC 2: the range decoder gives back what a range encoder was told, and knows when it has read too far. */
#include "gs_test.h"

#define CONTEXTS 20u
#define DECISIONS 3000u

static void test(void)
{
    test_coder coder;
    static uint32_t values[DECISIONS];
    static uint8_t kinds[DECISIONS]; /* below CONTEXTS: that context; above: so many direct bits */
    uint16_t initial[CONTEXTS];
    uint16_t contexts[CONTEXTS];
    uint32_t count = test_random(DECISIONS);
    uint32_t skew = 1 + test_random(1024);
    uint32_t modelled_only = test_random(2);
    gs_range_coder range;
    uint32_t i;

    for (i = 0; i < CONTEXTS; i++)
        initial[i] = (uint16_t)(test_random(4) ? test_random(65536) : test_random(2) * 65535);
    memcpy(contexts, initial, sizeof contexts);
    memset(&coder, 0, sizeof coder);
    test_coder_start(&coder);
    for (i = 0; i < count; i++) {
        kinds[i] = (uint8_t)test_random(modelled_only ? CONTEXTS : CONTEXTS + 17);
        if (kinds[i] < CONTEXTS) {
            values[i] = test_random(1024) < skew;
            test_coder_bit(&coder, &contexts[kinds[i]], values[i]);
        } else {
            values[i] = test_random(1u << (kinds[i] - CONTEXTS));
            test_coder_direct(&coder, values[i], kinds[i] - CONTEXTS);
        }
    }
    test_coder_end(&coder);

    memcpy(contexts, initial, sizeof contexts);
    memset(&range, 0, sizeof range);
    gs_input_open(&range.input, coder.bytes.data ? coder.bytes.data : (const uint8_t *)"", NULL, NULL,
                  coder.bytes.count);
    gs_range_start(&range, coder.bytes.count);
    for (i = 0; i < count; i++) {
        if (kinds[i] < CONTEXTS)
            CHECK(gs_range_bit(&range, &contexts[kinds[i]]) == values[i]);
        else
            CHECK(gs_range_direct(&range, kinds[i] - CONTEXTS) == values[i]);
    }
    CHECK(range.input.error == GS_OK);
    CHECK(range.bytes_read >= coder.bytes.count && range.bytes_read <= coder.bytes.count + 4);
    CHECK(~range.input.crc == test_crc(coder.bytes.data, coder.bytes.count));

    (void)gs_range_direct(&range, 32);
    (void)gs_range_direct(&range, 8);
    CHECK(range.input.error == GS_ERR_CORRUPT);
    CHECK(range.bytes_read <= coder.bytes.count + 4);
    free(coder.bytes.data);
}

/* A segment that promises more than the stream has is truncated, not corrupt. */
static void test_ends(void)
{
    static const uint8_t bytes[6] = {1, 2, 3, 4, 5, 6};
    gs_range_coder range;

    memset(&range, 0, sizeof range);
    gs_input_open(&range.input, bytes, NULL, NULL, 3);
    gs_range_start(&range, 6);
    CHECK(range.input.error == GS_ERR_TRUNCATED);
    gs_input_open(&range.input, bytes, NULL, NULL, 6);
    gs_range_start(&range, 2);
    CHECK(range.input.error == GS_OK && range.code == 0x01020000u && range.input.offset == 2);
    (void)gs_range_direct(&range, 16);
    CHECK(range.input.error == GS_OK && range.bytes_read == 6);
    (void)gs_range_direct(&range, 9);
    CHECK(range.input.error == GS_ERR_CORRUPT && range.bytes_read == 6);
}

int main(int argc, char **argv)
{
    test_ends();
    return test_seeds(argc, argv, 500, test);
}
