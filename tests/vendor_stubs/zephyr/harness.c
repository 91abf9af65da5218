/* A board on this machine: what goes to I2S goes to the standard output. Blocks that are queued are sent once I2S runs,
 * and calls in a wrong state fail. With STUB_BYTES the program ends after so many; then blocks are sent while it sleeps
 * only, and a call that would wait fails. With STUB_LATE blocks are missing after so many times, once. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zephyr/drivers/i2s.h>

#define QUEUE 4u

static enum { NOT_READY, READY, RUNNING, STOPPED } state;
static struct i2s_config config;
static void *queue[QUEUE];
static uint32_t queued;

const struct device stub_device = {"i2s"};

bool device_is_ready(const struct device *dev)
{
    return dev == &stub_device;
}

int k_mem_slab_alloc(struct k_mem_slab *slab, void **mem, k_timeout_t timeout)
{
    uint32_t block;

#ifdef STUB_BYTES
    if (timeout.ms > 0)
        abort();
#else
    (void)timeout;
#endif
    for (block = 0; block < slab->blocks; block++) {
        if (!(slab->used >> block & 1u)) {
            slab->used |= 1u << block;
            *mem = slab->memory + block * slab->block_size;
            return 0;
        }
    }
    return -1;
}

void k_mem_slab_free(struct k_mem_slab *slab, void *mem)
{
    slab->used &= ~(1u << (size_t)((char *)mem - slab->memory) / slab->block_size);
}

static void send_queue(void)
{
    uint32_t place;

    for (place = 0; place < queued; place++) {
        fwrite(queue[place], 1, config.block_size, stdout);
        k_mem_slab_free(config.mem_slab, queue[place]);
    }
    queued = 0;
}

int i2s_configure(const struct device *dev, enum i2s_dir dir, const struct i2s_config *cfg)
{
    if (!device_is_ready(dev) || dir != I2S_DIR_TX || state == RUNNING || cfg->frame_clk_freq == 0)
        return -1;
    config = *cfg;
    state = READY;
    return 0;
}

int i2s_write(const struct device *dev, void *mem_block, size_t size)
{
    static uint32_t refused;

    if (state == STOPPED && ++refused > 1)
        abort();
    if (!device_is_ready(dev) || state == NOT_READY || state == STOPPED || size != config.block_size || queued == QUEUE)
        return -1;
    queue[queued++] = mem_block;
#ifndef STUB_BYTES
    if (state == RUNNING)
        send_queue();
#endif
    return 0;
}

int i2s_trigger(const struct device *dev, enum i2s_dir dir, enum i2s_trigger_cmd cmd)
{
    if (!device_is_ready(dev) || dir != I2S_DIR_TX)
        return -1;
    if (cmd == I2S_TRIGGER_START && state == READY && queued > 0)
        state = RUNNING;
    else if (cmd == I2S_TRIGGER_DRAIN && state == RUNNING)
        state = READY;
    else if (cmd == I2S_TRIGGER_PREPARE && state == STOPPED)
        state = READY;
    else
        return -1;
#ifndef STUB_BYTES
    send_queue();
#endif
    return 0;
}

int32_t k_msleep(int32_t ms)
{
#ifdef STUB_BYTES
    static uint32_t times;
    static size_t sent;

    if (state != RUNNING)
        abort();
    sent += queued * config.block_size;
    send_queue();
    if (sent >= STUB_BYTES)
        exit(0);
#ifdef STUB_LATE
    if (++times == STUB_LATE)
        state = STOPPED;
#else
    (void)times;
#endif
#endif
    return ms < 0;
}

void printk(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}
