/* SPEC 8.3: the logarithm by which levels are compared. */
#ifndef GS_LOGARITHM_H
#define GS_LOGARITHM_H

#include "gs_platform.h"

GS_CODE_BEGINS

/* 256 times the logarithm of a number from 1 to 2^24 to the base of 2, in straight lines between powers of 2. */
#if defined(__thumb2__) && defined(__GNUC__)
GS_FAST int32_t gs_log2(uint32_t number)
{
    uint32_t zeros;

    __asm__("clz %0, %1" : "=r"(zeros) : "r"(number));
    return (int32_t)(256 * (31 - zeros) + (number << zeros >> 23 & 255u));
}
#else
static GS_NOINLINE int32_t gs_log2(uint32_t number)
{
    uint32_t line = number << 8;
    int32_t level = -256;

    while (line >> 12) {
        line >>= 4;
        level += 1024;
    }
    while (line >> 9) {
        line >>= 1;
        level += 256;
    }
    return level + (int32_t)line;
}
#endif

GS_CODE_ENDS

#endif
