/* What the sample uses of Zephyr's kernel, as its documentation declares it. */
#ifndef ZEPHYR_KERNEL_H
#define ZEPHYR_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int32_t ms;
} k_timeout_t;

struct k_mem_slab {
    char *memory;
    size_t block_size;
    uint32_t blocks;
    uint32_t used; /* a bit for each block */
};

#define K_NO_WAIT ((k_timeout_t){0})
#define K_MSEC(duration) ((k_timeout_t){duration})
#define K_MEM_SLAB_DEFINE_STATIC(name, size, count, alignment)                                                         \
    static char name##_memory[(size) * (count)] __attribute__((aligned(alignment)));                                   \
    static struct k_mem_slab name = {name##_memory, size, count, 0}

int k_mem_slab_alloc(struct k_mem_slab *slab, void **mem, k_timeout_t timeout);
void k_mem_slab_free(struct k_mem_slab *slab, void *mem);
int32_t k_msleep(int32_t ms);
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
