/* SPEC 3: the slot parser finds, in order, the Gaussians that random decisions made. */
#include "gs_test.h"

static void test(void)
{
    test_stream stream;
    const gs_info *info = &stream.info;
    uint16_t contexts[GS_CONTEXTS(GS_MAX_SCALES, 1)];
    gs_range_coder coder;
    gs_slots syntax;
    uint32_t seen = 0;
    int32_t number;
    int32_t slots;
    int32_t segment_end = 0;
    int32_t lead_in;

    test_stream_make(&stream);
    memset(&coder, 0, sizeof coder);
    gs_input_open(&coder.input, stream.bytes.data, NULL, NULL, stream.bytes.count);
    coder.input.offset = info->header_bytes;
    slots = (int32_t)((info->samples + info->slot_samples - 1) / info->slot_samples);
    lead_in = test_lead_in(info);
    for (number = -lead_in; number < slots; number++) {
        uint32_t time = (uint32_t)(number * (int32_t)info->slot_samples + (int32_t)GS_TIME_ZERO);
        uint32_t noises = 0;
        uint32_t longest;
        gs_gaussian gaussian = {0};
        if (number == -lead_in || number == segment_end) {
            uint32_t bytes = gs_input_varint(&coder.input);
            (void)gs_input_number(&coder.input, 4);
            gs_slots_start_segment(&syntax, info, contexts);
            gs_range_start(&coder, bytes);
            if (number > 0)
                segment_end = number;
            segment_end = info->seek_slots && info->seek_slots < (uint32_t)(slots - segment_end)
                              ? segment_end + (int32_t)info->seek_slots
                              : slots;
        }
        gs_slots_start(&syntax, time);
        while (gs_slots_next(&syntax, &coder, contexts, &gaussian)) {
            const gs_gaussian *made = &stream.gaussians[seen];
            CHECK(seen < stream.count);
            CHECK(gaussian.kind == made->kind && test_onset(&gaussian) == test_onset(made));
            CHECK(test_onset(&gaussian) >= time && test_onset(&gaussian) < time + info->slot_samples);
            longest =
                gaussian.kind == GS_NOISE ? test_end(info, &gaussian) - test_onset(&gaussian) : gs_tone_longest(info);
            CHECK(time + (longest > info->slot_samples ? longest : info->slot_samples) >= GS_TIME_ZERO);
            if (gaussian.kind == GS_NOISE) {
                const gs_noise *noise = &gaussian.as.noise;
                noises++;
                CHECK(noise->scale == made->as.noise.scale && noise->width == made->as.noise.width);
                CHECK(noise->place == made->as.noise.place && noise->weight == made->as.noise.weight);
                CHECK(noise->scale < 6 && noise->width < 4 && noise->place < 32u >> noise->width);
                CHECK(noise->weight != 0 && noise->weight >= -63 && noise->weight <= 63);
                CHECK(noise->onset % (1u << (info->decoder_class.noise_frame_log2 + noise->scale)) == 0);
            } else {
                const gs_tone *tone = &gaussian.as.tone;
                CHECK(noises == 0);
                CHECK(tone->scale == made->as.tone.scale && tone->bin == made->as.tone.bin);
                CHECK(tone->amplitude == made->as.tone.amplitude && tone->phase == made->as.tone.phase);
                CHECK(tone->phase_bits == made->as.tone.phase_bits);
                CHECK(tone->bin < 16u << tone->scale && tone->amplitude >= 1 && tone->amplitude <= 4095);
            }
            seen++;
        }
        CHECK(coder.input.error == GS_OK);
    }
    CHECK(seen == stream.count);
    CHECK(coder.input.offset == stream.bytes.count);
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    return test_seeds(argc, argv, 300, test);
}
