/* Unicorn's block hook in C: as a Python function it would take ten times as long. */
#include "block_counter.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT uint32_t counter_bytes(void)
{
    return sizeof(block_counter);
}

EXPORT void counter_hook(void *unicorn, uint64_t address, uint32_t bytes, void *counter)
{
    (void)unicorn;
    block_ran((block_counter *)counter, (uint32_t)address, bytes);
}

/* Returns the number of blocks, or -1 if there were too many to count. */
EXPORT int32_t counter_read(block_counter *counter, block_count *blocks)
{
    uint32_t count = blocks_read(counter, blocks);

    return counter->full ? -1 : (int32_t)count;
}
