/* Starts the clips of audio_gs_clips.c half a second after each other, to I2S as audio_out.h says. */
#include "audio_out.h"
#include "player.h"

static uint32_t queued; /* blocks, before the first one sounds */

/* Mixes a block and queues it if there is one to fill; does not wait, for the driver queues as many as there are. The
 * same on both channels, for amplifiers differ in which of them they take. Returns whether there was one. */
static int audio_fill(void)
{
    int16_t *frames;
    void *block;
    uint32_t place;

    if (k_mem_slab_alloc(&slab, &block, K_NO_WAIT) < 0)
        return 0;
    frames = block;
    player_mix(frames, BLOCK);
    for (place = BLOCK; place-- > 0;)
        frames[2 * place] = frames[2 * place + 1] = frames[place];
    if (i2s_write(output, block, BLOCK_BYTES) < 0) {
        /* The blocks came too late: I2S begins anew, after a gap. */
        k_mem_slab_free(&slab, block);
        (void)i2s_trigger(output, I2S_DIR_TX, I2S_TRIGGER_PREPARE);
        queued = 0;
        return 1;
    }
    /* Two blocks ahead before the first one sounds. */
    if (queued < 2 && ++queued == 2)
        (void)i2s_trigger(output, I2S_DIR_TX, I2S_TRIGGER_START);
    return 1;
}

int main(void)
{
    uint32_t next = 0;

    if (!device_is_ready(output) || player_open() < 0 || audio_start(PLAYER_RATE) < 0) {
        printk("no sound\n");
        return 0;
    }
    for (;;) {
        /* What the program does beside playing goes here. */
        if (next < GS_CLIPS && player_samples() >= next * (PLAYER_RATE / 2)) {
            int32_t voice = player_start(next);

            printk("%s: %s\n", gs_clips[next].name, gs_error_string(voice < 0 ? (int)voice : GS_OK));
            next++;
        }

        /* Other threads want a turn once all blocks are queued. */
        if (!audio_fill())
            k_msleep(1);
    }
    return 0;
}
