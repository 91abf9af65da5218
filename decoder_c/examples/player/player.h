/* Plays the clips of audio_gs_clips.c, PLAYER_VOICES of them at once. They are mixed, so all have one sample rate, that
 * of the first one; a clip of another rate is refused.
 *
 * The program's loop mixes a block whenever the output has room for one, and waits for nothing. The output's interrupt
 * or driver plays it. The output is started once and never stopped: what is mixed between clips is silence. A pass of
 * the loop may take as long as what the output holds lasts; after that there is a gap.
 *
 * All of these are called from the loop, none from an interrupt. An interrupt that wants a clip sets a volatile flag,
 * which the loop reads and clears. */
#ifndef PLAYER_H
#define PLAYER_H

#include "audio_gs.h"
#include "audio_gs_clips.h"
#include "player_voices.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In Hz. */
#define PLAYER_RATE (gs_clips[0].sample_rate)

/* Before anything else. Returns GS_OK, or an error. */
int player_open(void);

/* Plays a clip, a place in gs_clips such as GS_CLIP_door, from the next block on. Where all voices are taken, the one
 * that began first fades and makes room. Returns a number for the voice, above 0, or an error. */
int32_t player_start(uint32_t clip);

/* Fades what a voice plays, in 128 samples, and ends it. */
void player_stop(int32_t voice);

/* 1 while a voice plays what its number was given for; then GS_OK, or the error of the clip at which it ended. */
int player_status(int32_t voice);

/* How many voices play. */
uint32_t player_playing(void);

/* Gives the next samples, always as many as are asked for. */
void player_mix(int16_t *pcm, uint32_t samples);

/* How many those were so far; begins again at 0 after 2^32. */
uint32_t player_samples(void);

/* For what else gs_mixer_.. can do with a voice: fades, loops, a budget. */
gs_mixer *player_mixer(void);

#ifdef __cplusplus
}
#endif

#endif
