/* What C99 leaves to compilers and cores. */
#ifndef GS_PLATFORM_H
#define GS_PLATFORM_H

#include <stdint.h>

#ifdef __ARM_FEATURE_DSP
#include <arm_acle.h>
#endif

/* Instructions for pairs of 16 bits, in the order of a union's members. */
#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_BIG_ENDIAN)
#define GS_PAIRED 1
#else
#define GS_PAIRED 0
#endif

#ifdef GS_RANGE_CHECKS
#include <assert.h>
#define GS_ASSERT(condition) assert(condition)
#else
#define GS_ASSERT(condition) ((void)0)
#endif

/* A build for streams of one channel alone has no code for two. */
#ifdef GS_NO_STEREO
#define GS_HAS_STEREO 0
#else
#define GS_HAS_STEREO 1
#endif

/* Nor has one without listeners any for these. */
#ifdef GS_NO_LISTENER
#define GS_HAS_LISTENER 0
#else
#define GS_HAS_LISTENER GS_HAS_STEREO
#endif

/* Whether gs_check counts what tones cost, in a build that has more room than the smallest. */
#ifdef GS_CHECK_COST
#define GS_CHECKS_COST 1
#else
#define GS_CHECKS_COST 0
#endif

#define GS_STATIC_ASSERT(name, condition) typedef char gs_assert_##name[(condition) ? 1 : -1]

/* For a condition that hardly ever fails. */
#ifdef __GNUC__
#define GS_MOSTLY(condition) __builtin_expect(!!(condition), 1)
#else
#define GS_MOSTLY(condition) (condition)
#endif

/* GS_STATIC is for a function in a header that a compiler may inline or not, as if it stood in the source file. */
#ifdef __GNUC__
#define GS_STATIC static __attribute__((unused))
#if defined(__wasm__) && defined(__OPTIMIZE_SIZE__)
#define GS_INLINE inline /* calls are short there, and code is sent */
#else
#define GS_INLINE inline __attribute__((always_inline))
#endif
#define GS_NOINLINE __attribute__((noinline)) /* for the size of the code */
#else
#define GS_STATIC static inline
#define GS_INLINE inline
#define GS_NOINLINE
#endif

/* Whether the whole cosine is in the program. A quarter of it is 1.5 KB less, and takes more time. */
#if defined(__OPTIMIZE_SIZE__) && !defined(GS_FULL_COSINE)
#define GS_WHOLE_COSINE 0
#else
#define GS_WHOLE_COSINE 1
#endif

/* Whether the other tables are in the program as they are; where size is all that counts, some are packed and some
 * reckoned. */
#ifdef __OPTIMIZE_SIZE__
#define GS_WHOLE_TABLES 0
#else
#define GS_WHOLE_TABLES 1
#endif

/* A build for the streams of one preset has the initial probabilities of its table set alone. */
#ifdef GS_ONLY_TABLE_SET
#define GS_HAS_TABLE_SET(set) (GS_ONLY_TABLE_SET == (set))
#else
#define GS_HAS_TABLE_SET(set) 1
#endif

/* For a function that is worth its code at every call, unless size is all that counts. */
#ifdef __OPTIMIZE_SIZE__
#define GS_FAST static GS_NOINLINE
#else
#define GS_FAST static GS_INLINE
#endif

/* Whether size is all that counts. */
#ifdef __OPTIMIZE_SIZE__
#define GS_IS_SMALL 1
#else
#define GS_IS_SMALL 0
#endif

/* For one that is worth a call, but only then. */
#ifdef __OPTIMIZE_SIZE__
#define GS_SMALL GS_NOINLINE
#else
#define GS_SMALL
#endif

/* For one with one call, that is worth it for the sake of registers, but not where size is all that counts. */
#ifdef __OPTIMIZE_SIZE__
#define GS_ONCE GS_INLINE
#else
#define GS_ONCE GS_NOINLINE
#endif

/* For a function that a small core should not inline into its caller, for the sake of the stack or of registers. */
#if defined(__clang__) && defined(__thumb__)
#define GS_APART __attribute__((noinline))
#elif defined(__GNUC__) && defined(__thumb__)
#define GS_APART __attribute__((noinline, noclone))
#else
#define GS_APART
#endif

#if defined(__GNUC__) && defined(__thumb__)
/* Keeps a compiler from deriving a value of a loop from another one, which would take more registers than there are. */
#define GS_OPAQUE(value) __asm__("" : "+r"(value))
/* And two loads, or stores, next to each other, where they can become one instruction. */
#define GS_TOGETHER(a, b) __asm__("" : "+r"(a), "+r"(b))
/* From doing what stands below together with what stands above, which takes more registers. */
#define GS_IN_ORDER() __asm__("" : : : "memory")
#else
#define GS_OPAQUE(value) ((void)0)
#define GS_TOGETHER(a, b) ((void)0)
#define GS_IN_ORDER() ((void)0)
#endif

/* Around the code of files. What Clang takes -Os for is a balance; this makes it what GCC takes it for. */
#if defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#define GS_CODE_BEGINS _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define GS_CODE_ENDS _Pragma("clang attribute pop")
#else
#define GS_CODE_BEGINS
#define GS_CODE_ENDS
#endif

/* C99 leaves both to the compiler; the format does not. */
GS_STATIC_ASSERT(shifts_keep_the_sign, ((int32_t)-3 >> 1) == -2);
GS_STATIC_ASSERT(conversion_wraps, (int32_t)0xFFFFFFFFu == -1);

static inline uint32_t gs_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

#endif
