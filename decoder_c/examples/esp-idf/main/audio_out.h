/* Where the sound goes: an amplifier with I2S input, such as a MAX98357A, on these pins. */
#ifndef AUDIO_OUT_H
#define AUDIO_OUT_H

#include <driver/i2s_std.h>
#include <esp_err.h>

#define BCLK 4
#define WS 5
#define DOUT 18
#define BLOCK 64u

static i2s_chan_handle_t output;

/* Returns how many frames the driver buffers. */
static inline uint32_t audio_start(uint32_t sample_rate)
{
    const i2s_chan_config_t channel = I2S_CHANNEL_DEFAULT_CONFIG(I2S_NUM_AUTO, I2S_ROLE_MASTER);
    const i2s_std_config_t config = {
        .clk_cfg = I2S_STD_CLK_DEFAULT_CONFIG(sample_rate),
        .slot_cfg = I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_STEREO),
        .gpio_cfg = {.mclk = I2S_GPIO_UNUSED, .bclk = BCLK, .ws = WS, .dout = DOUT, .din = I2S_GPIO_UNUSED},
    };

    ESP_ERROR_CHECK(i2s_new_channel(&channel, &output, NULL));
    ESP_ERROR_CHECK(i2s_channel_init_std_mode(output, &config));
    ESP_ERROR_CHECK(i2s_channel_enable(output));
    return channel.dma_desc_num * channel.dma_frame_num;
}

#endif
