/* Double-buffered output: the program fills one block while the SysTick interrupt, which every Cortex-M can have, plays the
 * other one, a sample a time. audio_board.h says how a sample gets out of the board.
 *
 * A block belongs to one of the two at a time, and `samples` says to whom, so that no lock is needed: only the program
 * sets it from 0, after the block's samples, and only the interrupt sets it to 0, after the last of them. It is volatile,
 * which on one core suffices with the compiler's barrier. `filling` is the program's own, `playing` and `position` the
 * interrupt's.
 *
 * With DMA instead: let a timer's update event request a transfer of 16 bits from `blocks` to the DAC, PWM or I2S data
 * register, circular over both blocks, and let the DMA interrupts for "half" and "complete" do what happens here at the
 * end of a block: mark it as free. Everything else stays. Blocks must be full then: fill the last one up with zeros. */
#include "audio_board.h"
#include "audio_out.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define SYST_RUN_WITH_INTERRUPT 7u

typedef struct block {
    int16_t pcm[AUDIO_BLOCK];
    volatile uint32_t samples; /* 0: free */
} block;

static block blocks[2];
static uint32_t filling; /* the block that audio_out fills next */
static uint32_t playing; /* the block that the interrupt plays, and how far it is */
static uint32_t position;

void SysTick_Handler(void);

void SysTick_Handler(void)
{
    block *current = &blocks[playing];

    /* Nothing to play: the output keeps its level, which clicks less than a jump to zero. */
    if (current->samples == 0)
        return;
    audio_board_write(current->pcm[position++]);
    if (position == current->samples) {
        position = 0;
        current->samples = 0;
        playing ^= 1u;
    }
}

static void wait_until_free(const block *current)
{
    while (current->samples != 0)
        __asm__ volatile("wfi" ::: "memory");
}

void audio_start(uint32_t sample_rate)
{
    audio_board_start();
    SYST_RVR = AUDIO_BOARD_HZ / sample_rate - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUN_WITH_INTERRUPT;
}

int audio_has_room(void)
{
    return blocks[filling].samples == 0;
}

void audio_out(const int16_t *pcm, uint32_t samples)
{
    block *next = &blocks[filling];
    uint32_t place;

    wait_until_free(next);
    for (place = 0; place < samples; place++)
        next->pcm[place] = pcm[place];
    __asm__ volatile("" ::: "memory");
    next->samples = samples;
    filling ^= 1u;
}

void audio_stop(void)
{
    wait_until_free(&blocks[0]);
    wait_until_free(&blocks[1]);
    SYST_CSR = 0;
}

void audio_end(int error)
{
    (void)error;
    for (;;)
        __asm__ volatile("wfi");
}
