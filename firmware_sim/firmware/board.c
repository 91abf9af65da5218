/* The program around the decoder for a whole simulated board: plays a clip that the simulator has put into flash and
 * writes the PCM to a file of the host by semihosting. Everything here lies in the section .board, and what runs there
 * is not counted. */
#include <audio_gs.h>

#define BOARD __attribute__((section(".board"), used, noinline))
#define BOARD_INLINE static inline __attribute__((always_inline))
#define PAINT 0xA5A5A5A5u

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE 0x05
#define SYS_EXIT 0x18
#define OPEN_TO_WRITE_BINARY 5u
#define STOPPED_AT_EXIT 0x20026u
#define STOPPED_BY_ERROR 0x20023u

/* At image_job in flash; the clip follows. */
typedef struct job {
    uint32_t clip_bytes;
    uint32_t memory_bytes;
    uint32_t samples;
    uint32_t block;
} job;

extern const job image_job;
extern uint32_t image_stack_bottom[], image_stack_top[], image_memory[];

BOARD void board_start(void);
BOARD void board_fault(void);
BOARD void board_mark(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    image_stack_top,           (const void *)board_start, (const void *)board_fault, (const void *)board_fault,
    (const void *)board_fault, (const void *)board_fault, (const void *)board_fault,
};

BOARD_INLINE uint32_t ask_host(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

BOARD_INLINE void write_out(uint32_t file, const void *bytes, uint32_t count)
{
    uint32_t arguments[3] = {file, (uint32_t)(uintptr_t)bytes, count};

    if (ask_host(SYS_WRITE, arguments) != 0)
        board_fault();
}

void board_fault(void)
{
    for (;;)
        (void)ask_host(SYS_EXIT, (const void *)(uintptr_t)STOPPED_BY_ERROR);
}

/* The counts of the call before are read when this runs. */
void board_mark(void)
{
    __asm__ volatile("" ::: "memory");
}

void board_start(void)
{
    static const char name[] __attribute__((section(".board.name"))) = "pcm.raw";
    const uint8_t *clip = (const uint8_t *)(&image_job + 1);
    int16_t *pcm = (int16_t *)(void *)((uint8_t *)image_memory + image_job.memory_bytes);
    uint32_t opening[3] = {(uint32_t)(uintptr_t)name, OPEN_TO_WRITE_BINARY, sizeof name - 1};
    uint32_t file = ask_host(SYS_OPEN, opening);
    uint32_t done = 0;
    uint32_t stack;
    gs_decoder *decoder;
    volatile uint32_t *word;
    int32_t result;

    __asm__ volatile("mov %0, sp" : "=r"(stack));
    for (word = image_stack_bottom; (uint32_t)(uintptr_t)word < stack; word++)
        *word = PAINT;
    result = gs_open_memory(image_memory, image_job.memory_bytes, clip, image_job.clip_bytes, &decoder);
    board_mark();
    while (result >= 0 && done < image_job.samples) {
        result = gs_read(decoder, pcm, image_job.block);
        board_mark();
        if (result <= 0)
            board_fault();
        write_out(file, pcm, (uint32_t)result * 2u);
        done += (uint32_t)result;
    }
    if (result < 0)
        board_fault();
    for (word = image_stack_bottom; *word == PAINT;)
        word++;
    stack -= (uint32_t)(uintptr_t)word;
    write_out(file, &stack, sizeof stack);
    (void)ask_host(SYS_CLOSE, &file);
    (void)ask_host(SYS_EXIT, (const void *)(uintptr_t)STOPPED_AT_EXIT);
    board_fault();
}
