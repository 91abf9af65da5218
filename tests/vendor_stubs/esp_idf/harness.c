/* A board on this machine: what goes to I2S goes to the standard output. Calls in a wrong order fail. With STUB_BYTES the
 * program ends after so many; then a call that would wait fails, and there is little room, after a delay only. */
#include <driver/i2s_std.h>
#include <esp_log.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum state { FREE, REGISTERED, READY, RUNNING };

struct stub_channel {
    enum state state;
};

static struct stub_channel channel;
static size_t room = 100;

void app_main(void);

static esp_err_t step(enum state from, enum state to)
{
    if (channel.state != from)
        return -1;
    channel.state = to;
    return ESP_OK;
}

esp_err_t i2s_new_channel(const i2s_chan_config_t *chan_cfg, i2s_chan_handle_t *ret_tx, i2s_chan_handle_t *ret_rx)
{
    (void)chan_cfg;
    (void)ret_rx;
    *ret_tx = &channel;
    return step(FREE, REGISTERED);
}

esp_err_t i2s_channel_init_std_mode(i2s_chan_handle_t handle, const i2s_std_config_t *std_cfg)
{
    (void)handle;
    return std_cfg->slot_cfg.slot_mode == I2S_SLOT_MODE_STEREO ? step(REGISTERED, READY) : -1;
}

esp_err_t i2s_channel_enable(i2s_chan_handle_t handle)
{
    (void)handle;
    return step(READY, RUNNING);
}

esp_err_t i2s_channel_disable(i2s_chan_handle_t handle)
{
    (void)handle;
    return step(RUNNING, READY);
}

esp_err_t i2s_del_channel(i2s_chan_handle_t handle)
{
    (void)handle;
    return step(READY, FREE);
}

esp_err_t i2s_channel_write(i2s_chan_handle_t handle, const void *src, size_t size, size_t *written, uint32_t timeout_ms)
{
    (void)handle;
#ifdef STUB_BYTES
    static size_t sent;

    if (timeout_ms > 0)
        stub_abort();
    *written = fwrite(src, 1, size < room ? size : room, stdout);
    room -= *written;
    sent += *written;
    if (sent >= STUB_BYTES)
        exit(0);
    if (*written < size)
        return ESP_ERR_TIMEOUT;
#else
    (void)timeout_ms;
    *written = fwrite(src, 1, size, stdout);
#endif
    return step(RUNNING, RUNNING);
}

void vTaskDelay(const TickType_t ticks)
{
    room = 340 * ticks;
}

void stub_abort(void)
{
    abort();
}

void stub_log(const char *tag, const char *format, ...)
{
    va_list arguments;

    (void)tag;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

int main(void)
{
    app_main();
    return 0;
}
