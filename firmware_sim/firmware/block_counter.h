/* Counts how often each translated block ran, between two readings. Both engines count with it, so that what differs
 * between them is the simulator alone. A block is told apart by address and length, for a simulator may cut the same
 * code in two ways. */
#ifndef BLOCK_COUNTER_H
#define BLOCK_COUNTER_H

#include <stdint.h>

#define BLOCK_SLOTS 16384u

typedef struct block_count {
    uint32_t address;
    uint32_t bytes;
    uint32_t runs;
    uint32_t fell; /* how often the block that follows it in memory ran next: branches at its end were not taken */
} block_count;

typedef struct block_counter {
    block_count slots[BLOCK_SLOTS];
    uint32_t touched[BLOCK_SLOTS];
    uint32_t count;
    uint32_t full; /* 1: the counts are of no use */
    block_count *last;
} block_counter;

static void block_ran(block_counter *counter, uint32_t address, uint32_t bytes)
{
    uint32_t at = (address >> 1 ^ bytes * 977u) % BLOCK_SLOTS;
    block_count *block = &counter->slots[at];

    while (block->runs != 0 && (block->address != address || block->bytes != bytes)) {
        at = (at + 1) % BLOCK_SLOTS;
        block = &counter->slots[at];
    }
    if (block->runs == 0) {
        if (counter->count == BLOCK_SLOTS - 1) {
            counter->full = 1;
            return;
        }
        block->address = address;
        block->bytes = bytes;
        block->fell = 0;
        counter->touched[counter->count++] = at;
    }
    block->runs++;
    if (counter->last && counter->last->address + counter->last->bytes == address)
        counter->last->fell++;
    counter->last = block;
}

/* Gives what was counted since the last call, at most BLOCK_SLOTS blocks. Returns how many. */
static uint32_t blocks_read(block_counter *counter, block_count *blocks)
{
    uint32_t count = counter->count;
    uint32_t i;

    for (i = 0; i < count; i++) {
        block_count *block = &counter->slots[counter->touched[i]];
        blocks[i] = *block;
        block->runs = 0;
    }
    counter->count = 0;
    counter->last = 0;
    return count;
}

#endif
