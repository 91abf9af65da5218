/* What audio_systick.c must know of the board; write one of these for yours. This one is for STM32F405, 407, 446 and
 * their like as they come out of reset: 16 MHz, and the DAC's first channel on pin PA4. */
#ifndef AUDIO_BOARD_H
#define AUDIO_BOARD_H

#include <stdint.h>

/* Clock of the core. */
#define AUDIO_BOARD_HZ 16000000u

#define RCC_AHB1ENR (*(volatile uint32_t *)0x40023830u)
#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840u)
#define GPIOA_MODER (*(volatile uint32_t *)0x40020000u)
#define DAC_CR (*(volatile uint32_t *)0x40007400u)
#define DAC_DHR12L1 (*(volatile uint32_t *)0x4000740Cu)

/* Called before each clip. */
static inline void audio_board_start(void)
{
    RCC_AHB1ENR |= 1u;       /* port A */
    RCC_APB1ENR |= 1u << 29; /* DAC */
    GPIOA_MODER |= 3u << 8;  /* PA4: analogue */
    DAC_CR |= 1u;            /* channel 1 */
}

/* Called in the interrupt. */
static inline void audio_board_write(int16_t sample)
{
    /* Of 16 bits, without sign, the DAC takes the upper 12. */
    DAC_DHR12L1 = (uint32_t)(sample + 32768);
}

#endif
