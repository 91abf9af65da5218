/* Plays every clip of audio_gs_clips.c to I2S as audio_out.h says. */
#include <audio_gs.h>

#include "audio_gs_clips.h"
#include "audio_out.h"

static GS_CLIPS_DECODER_STORAGE(memory);

/* Decodes a block and queues it, filled up with silence; waits for room. The same on both channels, for amplifiers
 * differ in which of them they take. Returns how many samples the clip gave, or an error. */
static int32_t audio_out(gs_decoder *decoder)
{
    int16_t *frames;
    void *block;
    uint32_t place;
    int32_t n;

    if (k_mem_slab_alloc(&slab, &block, K_MSEC(TIMEOUT_MS)) < 0)
        return GS_ERR_IO;
    frames = block;
    n = gs_read(decoder, frames, BLOCK);
    if (n <= 0) {
        k_mem_slab_free(&slab, block);
        return n;
    }
    for (place = BLOCK; place-- > 0;)
        frames[2 * place] = frames[2 * place + 1] = place < (uint32_t)n ? frames[place] : 0;
    if (i2s_write(output, block, BLOCK_BYTES) < 0) {
        k_mem_slab_free(&slab, block);
        return GS_ERR_IO;
    }
    return n;
}

static int32_t play(const gs_clip *clip)
{
    gs_decoder *decoder;
    int32_t n = gs_open_memory(&memory, sizeof memory, clip->data, clip->bytes, &decoder);
    uint32_t queued = 0;

    if (n < 0)
        return n;
    if (audio_start(clip->sample_rate) < 0)
        return GS_ERR_IO;
    while ((n = audio_out(decoder)) > 0) {
        /* Two blocks ahead before the first one sounds. */
        if (++queued == 2 && i2s_trigger(output, I2S_DIR_TX, I2S_TRIGGER_START) < 0)
            return GS_ERR_IO;
    }
    if (queued == 1 && i2s_trigger(output, I2S_DIR_TX, I2S_TRIGGER_START) < 0)
        return GS_ERR_IO;
    if (i2s_trigger(output, I2S_DIR_TX, n < 0 ? I2S_TRIGGER_DROP : I2S_TRIGGER_DRAIN) < 0)
        return GS_ERR_IO;
    /* What is still queued, and some. */
    k_msleep((int32_t)(BLOCKS * BLOCK * 1000u / clip->sample_rate + 10u));
    return n;
}

int main(void)
{
    uint32_t place;

    if (!device_is_ready(output)) {
        printk("I2S is not ready\n");
        return 0;
    }
    for (place = 0; place < GS_CLIPS; place++) {
        int32_t result = play(&gs_clips[place]);

        printk("%s: %s\n", gs_clips[place].name, gs_error_string((int)result));
    }
    return 0;
}
