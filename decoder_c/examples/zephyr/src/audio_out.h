/* Where the sound goes: to the I2S controller with the devicetree alias i2s-tx. */
#ifndef AUDIO_OUT_H
#define AUDIO_OUT_H

#include <zephyr/device.h>
#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#if __has_include(<zephyr/audio/i2s.h>) /* where it moved after Zephyr 4 */
#include <zephyr/audio/i2s.h>
#else
#include <zephyr/drivers/i2s.h>
#endif

#define BLOCK 128u
#define BLOCK_BYTES (BLOCK * 2u * sizeof(int16_t))
#define BLOCKS 4
#define TIMEOUT_MS 2000

K_MEM_SLAB_DEFINE_STATIC(slab, BLOCK_BYTES, BLOCKS, 4);
static const struct device *const output = DEVICE_DT_GET(DT_ALIAS(i2s_tx));

static inline int audio_start(uint32_t sample_rate)
{
    const struct i2s_config config = {
        .word_size = 16,
        .channels = 2,
        .format = I2S_FMT_DATA_FORMAT_I2S,
        .options = I2S_OPT_FRAME_CLK_MASTER | I2S_OPT_BIT_CLK_MASTER,
        .frame_clk_freq = sample_rate,
        .mem_slab = &slab,
        .block_size = BLOCK_BYTES,
        .timeout = TIMEOUT_MS,
    };

    return i2s_configure(output, I2S_DIR_TX, &config);
}

#endif
