/* The cosine of SPEC 4.3 and 5.4: a whole turn of it, or a quarter where size is all that counts. */
#ifndef GS_COSINE_H
#define GS_COSINE_H

#include "gs_tables.h"

GS_CODE_BEGINS

#define GS_QUARTER_TURN 256u /* in steps of the cosine */

GS_STATIC_ASSERT(a_quarter_turn_is_a_quarter_of_the_cosine, GS_COSINE_STEPS == 4 * GS_QUARTER_TURN);

#if GS_WHOLE_COSINE
/* An angle is a place in the table, from GS_ANGLE_0 on, as far as that goes. */
typedef const int16_t *gs_angle;

#define GS_ANGLE_0 gs_cosine

static GS_INLINE int32_t gs_cosine_at(gs_angle angle)
{
    return *angle;
}
#else
/* An angle is a number of steps, which wraps. */
typedef uint32_t gs_angle;

#define GS_ANGLE_0 0u

/* Of the phase in the upper bits of a number, by the distance to the half turn that is next. */
static GS_INLINE int32_t gs_cosine_of(const int16_t *quarter, uint32_t phase)
{
    int32_t steps = (int32_t)(phase << 1) >> 23;
    int32_t magnitude = quarter[steps < 0 ? -steps : steps];

    return (int32_t)(phase + 0x40000000u) < 0 ? -magnitude : magnitude;
}

GS_STATIC GS_NOINLINE int32_t gs_cosine_at(gs_angle angle)
{
    return gs_cosine_of(gs_quarter_cosine, angle << 22);
}
#endif

GS_CODE_ENDS

#endif
