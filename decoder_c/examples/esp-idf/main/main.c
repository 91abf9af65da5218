/* Plays every clip of audio_gs_clips.c to an amplifier with I2S input, such as a MAX98357A, on these pins. */
#include <audio_gs.h>
#include <driver/i2s_std.h>
#include <esp_err.h>
#include <esp_log.h>

#include "audio_gs_clips.h"

#define BCLK 4
#define WS 5
#define DOUT 18
#define BLOCK 64u
#define TIMEOUT_MS 1000u

static GS_CLIPS_DECODER_STORAGE(memory);
static i2s_chan_handle_t output;

/* Returns how many frames the driver buffers. */
static uint32_t audio_start(uint32_t sample_rate)
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

/* Waits for room. The same on both channels, for amplifiers differ in which of them they take. */
static void audio_out(const int16_t *pcm, uint32_t samples)
{
    int16_t frames[BLOCK][2];
    size_t written;
    uint32_t place;

    for (place = 0; place < samples; place++)
        frames[place][0] = frames[place][1] = pcm[place];
    ESP_ERROR_CHECK(i2s_channel_write(output, frames, samples * sizeof frames[0], &written, TIMEOUT_MS));
}

/* Silence pushes the last samples out of the driver's buffers. */
static void audio_stop(uint32_t buffered)
{
    static const int16_t silence[BLOCK];
    uint32_t sent;

    for (sent = 0; sent < buffered; sent += BLOCK)
        audio_out(silence, BLOCK);
    ESP_ERROR_CHECK(i2s_channel_disable(output));
    ESP_ERROR_CHECK(i2s_del_channel(output));
}

static int32_t play(const gs_clip *clip)
{
    int16_t pcm[BLOCK];
    gs_decoder *decoder;
    int32_t n = gs_open_memory(&memory, sizeof memory, clip->data, clip->bytes, &decoder);
    uint32_t buffered;

    if (n < 0)
        return n;
    buffered = audio_start(clip->sample_rate);
    while ((n = gs_read(decoder, pcm, BLOCK)) > 0)
        audio_out(pcm, (uint32_t)n);
    audio_stop(buffered);
    return n;
}

void app_main(void)
{
    uint32_t place;

    for (place = 0; place < GS_CLIPS; place++) {
        int32_t result = play(&gs_clips[place]);

        ESP_LOGI("play_clip", "%s: %s", gs_clips[place].name, gs_error_string((int)result));
    }
}
