/* SPEC 3: the Gaussians of a slot. */
#ifndef GS_SLOTS_H
#define GS_SLOTS_H

#include "gs_kinds.h"

#define GS_ADD_SCALES(name, NAME) +GS_##NAME##_MOST_SCALES
#define GS_MOST_SCALES (0 GS_EACH_KIND(GS_ADD_SCALES))

/* What the syntax remembers between the Gaussians of a segment. */
#define GS_SYNTAX_MEMBER(name, NAME) gs_##name##_syntax name;
typedef struct gs_slots {
    gs_slot slot;
    GS_EACH_KIND(GS_SYNTAX_MEMBER)
    uint8_t before[GS_MOST_SCALES]; /* Gaussians of each scale in the last slot where it occurred */
} gs_slots;

void gs_slots_start_segment(gs_slots *slots, const gs_info *info, uint16_t *contexts);
void gs_slots_start(gs_slots *slots, uint32_t time);

/* Returns 1 with the slot's next Gaussian, kind by kind, or 0 at the slot's end or at an error of the input. Ends on
 * any input. Whether the stream's Gaussians are panned stands in `gaussian`, which is the same one in all of a slot. */
int gs_slots_next(gs_slots *slots, gs_range_coder *coder, uint16_t *contexts, gs_gaussian *gaussian);

#endif
