/* Plays every clip of audio_gs_clips.c to an amplifier as audio_out.h says. */
#include <audio_gs.h>
#include <esp_log.h>

#include "audio_gs_clips.h"
#include "audio_out.h"

#define TIMEOUT_MS 1000u

static GS_CLIPS_DECODER_STORAGE(memory);

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
