/* What the WebAssembly modules share: their memory, which grows. Behind the program's own it holds the stream, and
 * behind that the decoder's state. */
#ifndef GS_WASM_MEMORY_H
#define GS_WASM_MEMORY_H

#include "../include/audio_gs.h"

#define GS_EXPORT(name) __attribute__((export_name(#name)))
#define GS_WASM_PAGE 65536u

extern uint8_t __heap_base;

static inline uintptr_t gs_aligned(uintptr_t address)
{
    return (address + 15u) & ~(uintptr_t)15u;
}

/* Whether memory reaches up to an address, grown where it has to be. */
static inline int gs_have_up_to(uint64_t end)
{
    uint64_t pages = (end + GS_WASM_PAGE - 1) / GS_WASM_PAGE;
    uint32_t held = (uint32_t)__builtin_wasm_memory_size(0);

    return pages <= held || (pages <= 65535u && __builtin_wasm_memory_grow(0, (uint32_t)pages - held) != (size_t)-1);
}

static inline uint8_t *gs_stream(void)
{
    return (uint8_t *)gs_aligned((uintptr_t)&__heap_base);
}

/* Where the state of the decoder begins of a stream of so many bytes. */
static inline uint64_t gs_state_of(uint32_t bytes)
{
    return ((uint64_t)(uintptr_t)gs_stream() + bytes + 15u) & ~(uint64_t)15u;
}

/* Where to put a stream of so many bytes; NULL if there is no memory for it. */
static inline uint8_t *gs_stream_room(uint32_t bytes)
{
    return gs_have_up_to((uint64_t)(uintptr_t)gs_stream() + bytes) ? gs_stream() : NULL;
}

/* Opens the stream of so many bytes that lies there, in as much memory as `size_of` says. */
static inline int gs_open_there(uint32_t bytes, size_t (*size_of)(const gs_class *of_class), gs_info *info,
                                gs_decoder **decoder)
{
    uint64_t state = gs_state_of(bytes);
    int error = gs_info_from_memory(gs_stream(), bytes, info);
    size_t size;

    if (error)
        return error;
    size = size_of(&info->decoder_class);
    if (!gs_have_up_to(state + size))
        return GS_ERR_MEMORY;
    return gs_open_memory((void *)(uintptr_t)state, size, gs_stream(), bytes, decoder);
}

#endif
