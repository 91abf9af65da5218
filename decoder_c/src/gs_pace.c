#define GS_SHARED_TABLES_ELSEWHERE

#include "gs_pace.h"

#include "gs_tables.h"

GS_CODE_BEGINS

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_a_pace, sizeof(gs_pace) == GS_PACE_BYTES);

#define GS_SMALLEST_SIZE (-128)
#define GS_LARGEST_SIZE 127

static uint32_t gs_pace_stretch(const gs_info *info, uint32_t tempo, uint32_t rate)
{
    uint32_t of_rate = gs_divide_on(rate >> 5, rate << 27, info->sample_rate, 32);

    return gs_divide_on(of_rate >> 29, of_rate << 3, tempo, 32);
}

/* Its logarithm in 1/32 octaves, rounded down, so that no tone begins before its slot. */
static int16_t gs_pace_size(uint32_t stretch)
{
    int32_t octave = -16;
    int32_t size = 0;

    while (stretch >> (octave + 17))
        octave++;
    while (size < 31 && (octave < -3 ? gs_gain[size + 1] <= stretch << (-3 - octave)
                                     : (uint32_t)gs_gain[size + 1] << (octave + 3) <= stretch))
        size++;
    size += 32 * octave;
    if (size < GS_SMALLEST_SIZE)
        return GS_SMALLEST_SIZE;
    return (int16_t)(size > GS_LARGEST_SIZE ? GS_LARGEST_SIZE : size);
}

int gs_pace_fits(const gs_info *info, uint32_t tempo, uint32_t rate)
{
    uint32_t stretch = gs_pace_stretch(info, tempo, rate);

    return stretch <= GS_AS_ENCODED || info->samples <= gs_divide_on(0x7FFFu, 0xFFFF0000u, stretch, 32);
}

void gs_pace_set(gs_pace *pace, const gs_info *info, uint32_t tempo, uint32_t rate)
{
    uint32_t product = tempo * info->sample_rate;

    pace->tempo = (uint16_t)tempo;
    pace->rate = rate;
    pace->stretch = gs_pace_stretch(info, tempo, rate);
    pace->step = gs_divide_on(product >> 30, product << 2, rate, 32);
    pace->size = gs_pace_size(pace->stretch);
}

void gs_pace_open(gs_pace *pace, const gs_info *info)
{
    gs_clear(pace, sizeof *pace);
    gs_pace_set(pace, info, GS_TEMPO_ONE, info->sample_rate);
}

int gs_pace_is_set(const gs_pace *pace, const gs_info *info)
{
    return pace->stretch != GS_AS_ENCODED || pace->rate != info->sample_rate;
}

gs_place gs_pace_scaled(uint32_t samples, uint32_t stretch)
{
    uint32_t rest = (samples & 0xFFFFu) * (stretch & 0xFFFFu);
    gs_place place;

    place.sample = samples * (stretch >> 16) + (samples >> 16) * (stretch & 0xFFFFu) + (rest >> 16);
    place.rest = rest & 0xFFFFu;
    return place;
}

static uint32_t gs_pace_rounded_up(gs_place place)
{
    return place.sample + (place.rest != 0);
}

uint32_t gs_pace_samples(const gs_pace *pace, uint32_t samples)
{
    return gs_pace_rounded_up(gs_pace_scaled(samples, pace->stretch));
}

static void gs_pace_start(gs_pace *pace, const gs_info *info, int32_t slot, uint32_t stretch, uint32_t step)
{
    pace->slot_time = ((uint32_t)slot << info->slot_log2) + GS_TIME_ZERO;
    pace->slot_stretch = stretch;
    pace->slot_step = step;
    pace->changed = 0;
    pace->end = gs_pace_rounded_up(gs_pace_scaled(info->samples, stretch));
    pace->loop_end = gs_pace_rounded_up(gs_pace_scaled(info->loop_end, stretch));
    if (slot < 0) {
        gs_place before = gs_pace_scaled((uint32_t)-slot << info->slot_log2, stretch);
        pace->slot_place = GS_PACED_ZERO - gs_pace_rounded_up(before);
        pace->slot_rest = (uint16_t)(0 - before.rest);
    } else {
        gs_place behind = gs_pace_scaled((uint32_t)slot << info->slot_log2, stretch);
        pace->slot_place = GS_PACED_ZERO + behind.sample;
        pace->slot_rest = (uint16_t)behind.rest;
    }
}

void gs_pace_jump(gs_pace *pace, const gs_info *info, int32_t slot)
{
    gs_pace_start(pace, info, slot - 1, pace->stretch, pace->step);
}

void gs_pace_begin(gs_pace *pace, const gs_info *info, int32_t slot)
{
    gs_pace_start(pace, info, slot, GS_AS_ENCODED, GS_AS_ENCODED);
}

gs_place gs_pace_place(const gs_pace *pace, uint32_t time)
{
    gs_place place = gs_pace_scaled(time - pace->slot_time, pace->slot_stretch);

    place.rest += pace->slot_rest;
    place.sample += pace->slot_place + (place.rest >> 16);
    place.rest &= 0xFFFFu;
    return place;
}

gs_place gs_pace_next(const gs_pace *pace, const gs_info *info)
{
    return gs_pace_place(pace, pace->slot_time + info->slot_samples);
}

void gs_pace_go_on(gs_pace *pace, const gs_info *info)
{
    gs_place next = gs_pace_next(pace, info);

    pace->slot_time += info->slot_samples;
    pace->slot_place = next.sample;
    pace->slot_rest = (uint16_t)next.rest;
    if (pace->slot_stretch != pace->stretch)
        pace->changed = pace->slot_time;
    pace->slot_stretch = pace->stretch;
    pace->slot_step = pace->step;
    pace->end = gs_pace_rounded_up(gs_pace_place(pace, info->samples + GS_TIME_ZERO)) - GS_PACED_ZERO;
    if (pace->slot_time < info->loop_end + GS_TIME_ZERO)
        pace->loop_end = gs_pace_rounded_up(gs_pace_place(pace, info->loop_end + GS_TIME_ZERO)) - GS_PACED_ZERO;
}

uint32_t gs_pace_clip_time(const gs_pace *pace, uint32_t sample)
{
    uint32_t behind = sample + GS_PACED_ZERO - pace->slot_place;

    /* After an error the slot decoded last may be any one, and the product wraps. */
    return pace->slot_time + (uint32_t)((int32_t)(behind * pace->slot_step) >> 16);
}

GS_CODE_ENDS
