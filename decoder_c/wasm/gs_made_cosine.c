/* gs_tone.c with a cosine that is made when a stream is opened, which takes a tenth of the table's bytes. */
#define GS_SHARED_TABLES_HERE
#define gs_cosine gs_cosine_as_table /* which nobody asks for, so that the linker drops it */
#include "../src/gs_tables.h"
#undef gs_cosine

#include "gs_made_cosine.h"

int16_t gs_cosine[GS_COSINE_STEPS];

#include "../src/gs_tone.c"

/* 2 (1 - cos(2 pi / 1024)) in Q46: what a step of the recurrence takes off, of the cosine itself. */
#define GS_BEND ((int64_t)2649343446)

/* Rounds in Q14 what is in Q40. */
static int16_t gs_rounded(int64_t cosine)
{
    return (int16_t)((cosine + ((int64_t)1 << 25)) >> 26);
}

/* The second difference of a cosine is a multiple of it (Reinsch's form of the recurrence), which keeps enough of it for
 * a quarter of a turn; the others mirror that. */
void gs_make_cosine(void)
{
    int64_t cosine = (int64_t)1 << 40;
    int64_t change = -(GS_BEND >> 7);
    uint32_t i;

    for (i = 0; i <= GS_COSINE_STEPS / 4; i++) {
        int16_t value = gs_rounded(cosine);
        gs_cosine[i] = value;
        gs_cosine[GS_COSINE_STEPS / 2 - i] = (int16_t)-value;
        gs_cosine[GS_COSINE_STEPS / 2 + i] = (int16_t)-value;
        gs_cosine[(GS_COSINE_STEPS - i) % GS_COSINE_STEPS] = value;
        cosine += change;
        change -= ((cosine >> 10) * GS_BEND) >> 36;
    }
}
