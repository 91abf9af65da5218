/* What compilers call by themselves where there is no C library. The same for every compiler, so that their figures
 * compare; a word at a time where alignment allows, as any C library worth its name. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *target, const void *source, size_t bytes);
void *memmove(void *target, const void *source, size_t bytes);
void *memset(void *target, int value, size_t bytes);

typedef uint32_t __attribute__((may_alias)) word;

/* Sections of their own name, so that the linker drops those that nobody calls. */
#define RUNTIME(name) __attribute__((section(".runtime." #name)))

RUNTIME(memcpy) void *memcpy(void *target, const void *source, size_t bytes)
{
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;

    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
        for (; bytes >= 4; bytes -= 4, to += 4, from += 4)
            *(word *)(void *)to = *(const word *)(const void *)from;
    }
    for (; bytes > 0; bytes--)
        *to++ = *from++;
    return target;
}

RUNTIME(memmove) void *memmove(void *target, const void *source, size_t bytes)
{
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;

    if (to <= from)
        return memcpy(target, source, bytes);
    if ((((uintptr_t)to | (uintptr_t)from | bytes) & 3u) == 0) {
        for (; bytes > 0; bytes -= 4)
            *(word *)(void *)(to + bytes - 4) = *(const word *)(const void *)(from + bytes - 4);
    }
    for (; bytes > 0; bytes--)
        to[bytes - 1] = from[bytes - 1];
    return target;
}

RUNTIME(memset) void *memset(void *target, int value, size_t bytes)
{
    uint8_t *to = (uint8_t *)target;
    uint32_t filled = (uint8_t)value * 0x01010101u;

    for (; bytes > 0 && ((uintptr_t)to & 3u) != 0; bytes--)
        *to++ = (uint8_t)value;
    for (; bytes >= 4; bytes -= 4, to += 4)
        *(word *)(void *)to = filled;
    for (; bytes > 0; bytes--)
        *to++ = (uint8_t)value;
    return target;
}

#ifdef __arm__
/* The names of the ARM run-time ABI; its memset has its arguments in another order. */
void __aeabi_memset(void *target, size_t bytes, int value);
void __aeabi_memclr(void *target, size_t bytes);

RUNTIME(__aeabi_memset) void __aeabi_memset(void *target, size_t bytes, int value)
{
    memset(target, value, bytes);
}

RUNTIME(__aeabi_memclr) void __aeabi_memclr(void *target, size_t bytes)
{
    memset(target, 0, bytes);
}

void __aeabi_memset4(void *, size_t, int) __attribute__((alias("__aeabi_memset")));
void __aeabi_memset8(void *, size_t, int) __attribute__((alias("__aeabi_memset")));
void __aeabi_memclr4(void *, size_t) __attribute__((alias("__aeabi_memclr")));
void __aeabi_memclr8(void *, size_t) __attribute__((alias("__aeabi_memclr")));
void *__aeabi_memcpy(void *, const void *, size_t) __attribute__((alias("memcpy")));
void *__aeabi_memcpy4(void *, const void *, size_t) __attribute__((alias("memcpy")));
void *__aeabi_memcpy8(void *, const void *, size_t) __attribute__((alias("memcpy")));
void *__aeabi_memmove(void *, const void *, size_t) __attribute__((alias("memmove")));
void *__aeabi_memmove4(void *, const void *, size_t) __attribute__((alias("memmove")));
void *__aeabi_memmove8(void *, const void *, size_t) __attribute__((alias("memmove")));
#endif
