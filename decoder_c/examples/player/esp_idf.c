/* Starts the clips of audio_gs_clips.c half a second after each other, to an amplifier as audio_out.h says. */
#include <esp_log.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>

#include "audio_out.h"
#include "player.h"

static int16_t pcm[BLOCK];

/* Gives the driver what it has room for, and does not wait. The same on both channels, for amplifiers differ in which
 * of them they take. Returns how many samples it took. */
static uint32_t audio_offer(const int16_t *from, uint32_t samples)
{
    int16_t frames[BLOCK][2];
    size_t written = 0;
    uint32_t place;
    esp_err_t result;

    for (place = 0; place < samples; place++)
        frames[place][0] = frames[place][1] = from[place];
    result = i2s_channel_write(output, frames, samples * sizeof frames[0], &written, 0);
    if (result != ESP_ERR_TIMEOUT)
        ESP_ERROR_CHECK(result);
    return (uint32_t)(written / sizeof frames[0]);
}

void app_main(void)
{
    uint32_t next = 0;
    uint32_t left = 0; /* samples of pcm that the driver had no room for */

    ESP_ERROR_CHECK(player_open());
    audio_start(PLAYER_RATE);
    for (;;) {
        /* What the program does beside playing goes here. */
        if (next < GS_CLIPS && player_samples() >= next * (PLAYER_RATE / 2)) {
            int32_t voice = player_start(next);

            ESP_LOGI("play_clip", "%s: %s", gs_clips[next].name, gs_error_string(voice < 0 ? (int)voice : GS_OK));
            next++;
        }

        if (left == 0) {
            player_mix(pcm, BLOCK);
            left = BLOCK;
        }
        left -= audio_offer(pcm + BLOCK - left, left);
        /* Other tasks, the idle one among them, want a turn once the driver has all that it takes. */
        if (left > 0)
            vTaskDelay(1);
    }
}
