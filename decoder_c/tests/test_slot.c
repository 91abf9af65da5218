/* Step 3: the slot parser finds, in order, the Gaussians that random decisions made. */
#include "gs_test.h"

static void test(void)
{
    test_stream stream;
    const gs_info *info = &stream.info;
    uint16_t contexts[GS_CONTEXTS(GS_MAX_SCALES, 1)];
    gs_range range;
    gs_slot slot;
    uint32_t seen = 0;
    int32_t number;
    int32_t slots;
    int32_t segment_end = 0;
    int32_t lead_in;

    test_stream_make(&stream);
    memset(&range, 0, sizeof range);
    gs_input_open(&range.input, stream.bytes.data, NULL, NULL, stream.bytes.count);
    range.input.offset = info->header_bytes;
    slots = (int32_t)((info->samples + info->slot_samples - 1) / info->slot_samples);
    lead_in = test_lead_in(info);
    for (number = -lead_in; number < slots; number++) {
        uint32_t time = (uint32_t)(number * (int32_t)info->slot_samples + (int32_t)GS_TIME_ZERO);
        uint32_t noises = 0;
        uint32_t longest;
        gs_gaussian gaussian;
        if (number == -lead_in || number == segment_end) {
            uint32_t bytes = gs_input_varint(&range.input);
            (void)gs_input_number(&range.input, 4);
            gs_slot_start_segment(&slot, info, contexts);
            gs_range_start(&range, bytes);
            if (number > 0)
                segment_end = number;
            segment_end = info->seek_slots && info->seek_slots < (uint32_t)(slots - segment_end)
                              ? segment_end + (int32_t)info->seek_slots
                              : slots;
        }
        gs_slot_start(&slot, time);
        while (gs_slot_next(&slot, &range, contexts, &gaussian)) {
            const gs_gaussian *made = &stream.gaussians[seen];
            CHECK(seen < stream.count);
            CHECK(gaussian.onset == made->onset && gaussian.bin == made->bin && gaussian.scale == made->scale);
            CHECK(gaussian.amplitude == made->amplitude);
            CHECK(gaussian.onset >= time && gaussian.onset < time + info->slot_samples);
            longest = test_is_noise(&gaussian) ? test_end(info, &gaussian) - gaussian.onset
                                               : gs_support(info->smallest_scale + info->scales - 1u);
            CHECK(time + (longest > info->slot_samples ? longest : info->slot_samples) >= GS_TIME_ZERO);
            if (test_is_noise(&gaussian)) {
                noises++;
                CHECK(gaussian.width == made->width && gaussian.weight == made->weight);
                CHECK(gaussian.scale < 6 && gaussian.width < 4 && gaussian.bin < 32u >> gaussian.width);
                CHECK(gaussian.weight != 0 && gaussian.weight >= -63 && gaussian.weight <= 63);
                CHECK(gaussian.onset % (1u << (info->noise_frame_shift + gaussian.scale)) == 0);
            } else {
                CHECK(noises == 0);
                CHECK(gaussian.phase == made->phase && gaussian.phase_bits == made->phase_bits);
                CHECK(gaussian.bin < 16u << gaussian.scale && gaussian.amplitude <= 4095);
            }
            seen++;
        }
        CHECK(range.input.error == GS_OK);
    }
    CHECK(seen == stream.count);
    CHECK(range.input.offset == stream.bytes.count);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 300, test);
}
