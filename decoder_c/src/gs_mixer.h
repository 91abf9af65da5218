/* Several clips at once: what the voices of a mixer are, and what those share that can. */
#ifndef GS_MIXER_H
#define GS_MIXER_H

#include "gs_decoder.h"

GS_CODE_BEGINS

/* What a voice does. */
#define GS_VOICE_PLAYS 1u   /* its decoder is open */
#define GS_VOICE_JOINED 2u  /* its tones and noise are added to those of others.. */
#define GS_VOICE_SHARES 4u  /* ..or will be from the next block on, or a later one */
#define GS_VOICE_WAITS 8u   /* a sound begins when the one before has ended */
#define GS_VOICE_STOPS 16u  /* ends when it has faded */
#define GS_VOICE_STOLEN 32u /* its number stands for the sound that waits */
#define GS_VOICE_PITCH 64u  /* what it plays began with a pitch */
#define GS_VOICE_RINGS 128u /* the last sample before damage dies away */

/* What is looked at most comes first, within reach of short instructions. */
typedef struct gs_voice {
    uint8_t state;
    uint8_t index;
    int8_t error; /* at which it ended */
    uint8_t priority;
    uint16_t level; /* the gain without the pan */
    int16_t pan;
    int16_t
        last; /* sample that the decoder gave. Of a voice that shares: 1 if nothing of it was in the last block, whose
                   * lower octaves are ahead of it */
    uint16_t generation;
    uint32_t gain[2];  /* of the next sample, in Q13 and 16 bits more; left, or the only one, and right. The second of a
                        * voice that shares: at the end of the last block */
    int32_t change[2]; /* of it, a sample */
    uint32_t fading;   /* samples until it is what level and pan say */
    uint32_t began;    /* how many sounds had begun before it, modulo 65536 */
    gs_sound next;
    /* then its decoder */
} gs_voice;

/* What a mixer asks of the one function for what voices share. */
typedef enum gs_shared {
    /* Makes what the next block of samples needs, from its start on, and spreads the budget. */
    GS_SHARED_BEGINS,
    /* Gives the next samples of all that share, within a block and up to where one of them ends, in quarters as gs_pcm
     * takes them. Returns how many of those asked for. Only while a voice has joined. */
    GS_SHARED_READ,
    /* Takes a voice out, before its decoder's memory is used for something else. */
    GS_SHARED_LEAVE
} gs_shared;

struct gs_mixer {
    /* By their addresses, which only the calls name that allow them, so that a program has none of what it never asks
     * for; NULL till then. */
    uint32_t (*share)(gs_mixer *mixer, gs_shared asked, gs_voice *voice, uint32_t samples, uint32_t *sums);
    int (*set_pitch)(gs_decoder *decoder, uint32_t pitch);
    void (*spread_budget)(gs_mixer *mixer); /* over all voices, before each block */
    uint32_t sample_rate;
    uint32_t voice_bytes; /* with its decoder */
    uint32_t time;        /* samples given; the blocks and frames of what is shared begin at their multiples */
    uint32_t end;         /* bytes from here to the end of the voices */
    uint32_t tones;  /* and to the voice whose decoder's memory holds the sums of tones, 0 while no voice has joined */
    uint32_t noise;  /* and to that with the noise, 0 while none of those has any */
    uint16_t budget; /* MACs a sample for the tones of all voices */
    uint16_t begun;  /* sounds so far */
    uint8_t channels;
    uint8_t headroom; /* how many times amplitudes are halved, so that sums and filters have room for all voices */
    uint8_t exponent; /* of the frame of noise made last, 0 for silence */
    uint8_t least;    /* strength that tones must have in the mix for the budget */
    /* then the voices */
};

/* By the bytes from the mixer to it, so that a copy of the mixer has voices of its own. */
GS_STATIC gs_voice *gs_mixer_at(const gs_mixer *mixer, uint32_t at)
{
    return (gs_voice *)((uintptr_t)mixer + at);
}

GS_STATIC uint32_t gs_mixer_place(const gs_mixer *mixer, const gs_voice *voice)
{
    return (uint32_t)((uintptr_t)voice - (uintptr_t)mixer);
}

#define GS_FOR_EACH_VOICE(mixer, voice)                                                                                \
    for ((voice) = gs_mixer_at(mixer, sizeof *(mixer)); (voice) < gs_mixer_at(mixer, (mixer)->end);                    \
         (voice) = (gs_voice *)((uintptr_t)(voice) + (mixer)->voice_bytes))

/* Where the decoder of a voice lies, or is to lie. */
GS_STATIC gs_decoder *gs_voice_decoder(const gs_voice *voice)
{
    return (gs_decoder *)(uintptr_t)(voice + 1);
}

/* What a voice does after what it plays. */
void gs_voice_go_on(gs_mixer *mixer, gs_voice *voice);

GS_CODE_ENDS

#endif
