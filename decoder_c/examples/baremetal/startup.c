/* From reset to main on any Cortex-M. The names of the handlers are CMSIS's; a program defines those it needs. The
 * interrupts of a microcontroller's peripherals follow behind these vectors, in the order of its manual. */
#include <stdint.h>

typedef void (*handler)(void);

extern uint32_t image_stack_top[];
extern uint32_t image_data_start[], image_data_end[], image_bss_end[];
extern const uint32_t image_data_load[];

int main(void);
void Reset_Handler(void);
void Default_Handler(void);

#define HANDLER(name) void name(void) __attribute__((weak, alias("Default_Handler")))
HANDLER(NMI_Handler);
HANDLER(HardFault_Handler);
HANDLER(MemManage_Handler);
HANDLER(BusFault_Handler);
HANDLER(UsageFault_Handler);
HANDLER(SVC_Handler);
HANDLER(DebugMon_Handler);
HANDLER(PendSV_Handler);
HANDLER(SysTick_Handler);

extern const struct vectors {
    uint32_t *stack_top;
    handler handlers[15];
} image_vectors;

__attribute__((section(".vectors"), used)) const struct vectors image_vectors = {
    image_stack_top,
    {Reset_Handler, NMI_Handler, HardFault_Handler, MemManage_Handler, BusFault_Handler, UsageFault_Handler, 0, 0, 0, 0,
     SVC_Handler, DebugMon_Handler, 0, PendSV_Handler, SysTick_Handler},
};

void Default_Handler(void)
{
    for (;;) {
    }
}

void Reset_Handler(void)
{
    const uint32_t *from = image_data_load;
    uint32_t *to = image_data_start;

    while (to < image_data_end)
        *to++ = *from++;
    while (to < image_bss_end)
        *to++ = 0;
    (void)main();
    Default_Handler();
}
