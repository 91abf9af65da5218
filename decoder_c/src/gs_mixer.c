/* Several clips at once: a voice is a decoder in memory of its own, and what it gives is added up with its gain. */
#include "gs_mixer.h"
#include "gs_pcm.h"

GS_CODE_BEGINS

#define GS_MIXER_PIECE 64u /* samples, of all channels together, that are added up at a time */

GS_STATIC_ASSERT(the_public_header_knows_the_memory_of_a_mixer, sizeof(gs_mixer) == GS_MIXER_FIXED_BYTES);
GS_STATIC_ASSERT(and_that_of_its_voices, sizeof(gs_voice) == GS_VOICE_FIXED_BYTES);
GS_STATIC_ASSERT(gains_are_shifted_by, GS_GAIN_ONE == 1 << 13);
GS_STATIC_ASSERT(pans_are_shifted_by, GS_PAN_RIGHT == 1 << 8);

/* ---- memory ---- */

size_t gs_mixer_size(uint32_t voices, size_t voice_bytes)
{
    if (gs_outside(voices, 1, GS_MOST_VOICES) || voice_bytes > INT32_MAX / GS_MOST_VOICES)
        return 0;
    return GS_MIXER_BYTES(voices, voice_bytes);
}

int gs_mixer_open(void *memory, size_t memory_bytes, uint32_t voices, size_t voice_bytes, uint32_t sample_rate,
                  uint32_t channels, gs_mixer **mixer)
{
    size_t bytes = gs_mixer_size(voices, voice_bytes);
    gs_mixer *opened = (gs_mixer *)memory;
    gs_voice *voice;
    uint8_t index = 0;

    if (!memory || !mixer || bytes == 0 || gs_outside(channels, 1, 2))
        return GS_ERR_ARGUMENT;
    if ((uintptr_t)memory % sizeof(void *) != 0 || memory_bytes < bytes)
        return GS_ERR_MEMORY;
    gs_clear(memory, sizeof *opened);
    opened->sample_rate = sample_rate;
    opened->voice_bytes = (uint32_t)(GS_MIXER_BYTES(1u, voice_bytes) - GS_MIXER_FIXED_BYTES);
    opened->end = (uint32_t)bytes;
    opened->channels = (uint8_t)channels;
    opened->budget = GS_UNLIMITED;
    while (2u << opened->headroom < voices)
        opened->headroom++;
    GS_FOR_EACH_VOICE (opened, voice) {
        gs_clear(voice, sizeof *voice);
        voice->index = index++;
    }
    *mixer = opened;
    return GS_OK;
}

/* ---- gains ---- */

/* Moves the gains to what level and pan say in so many samples; in none at once. */
static GS_NOINLINE void gs_voice_move(const gs_mixer *mixer, gs_voice *voice, uint32_t samples)
{
    uint32_t channel;

    for (channel = 0; channel < mixer->channels; channel++) {
        int32_t away = channel ? -voice->pan : voice->pan;
        int32_t gain = voice->level;
        int32_t change = 0;
        if (mixer->channels > 1 && away > 0)
            gain = gain * (GS_PAN_RIGHT - away) >> 8;
        gain = (int32_t)((uint32_t)gain << 16);
        if (samples == 0) {
            voice->gain[channel] = (uint32_t)gain;
        } else {
            gain -= (int32_t)voice->gain[channel];
            change = (int32_t)gs_divide((uint32_t)(gain < 0 ? -gain : gain), samples);
            if (gain < 0)
                change = -change;
        }
        voice->change[channel] = change;
    }
    voice->fading = samples;
}

/* Without a click; what stops goes on doing that. */
static GS_NOINLINE void gs_voice_fade(const gs_mixer *mixer, gs_voice *voice, uint32_t samples)
{
    if (!(voice->state & GS_VOICE_STOPS))
        gs_voice_move(mixer, voice, samples < GS_SHORTEST_FADE ? GS_SHORTEST_FADE : samples);
}

static GS_NOINLINE void gs_voice_fade_out(const gs_mixer *mixer, gs_voice *voice)
{
    voice->level = 0;
    gs_voice_fade(mixer, voice, 0);
    voice->state |= GS_VOICE_STOPS;
}

int gs_mixer_allow_pitch(gs_mixer *mixer)
{
    if (!mixer)
        return GS_ERR_ARGUMENT;
    mixer->set_pitch = gs_set_pitch;
    return GS_OK;
}

/* ---- sounds ---- */

/* Whether a voice of the mixer can play it. */
static int gs_mixer_judge(const gs_mixer *mixer, const gs_sound *sound)
{
    gs_info info;
    size_t bytes;
    int error;

    if (!mixer || !sound || !sound->stream == !sound->read || sound->gain > GS_LARGEST_GAIN ||
        gs_outside((uint32_t)(sound->pan + GS_PAN_RIGHT), 0, 2 * GS_PAN_RIGHT) ||
        (sound->pitch && gs_outside(sound->pitch, GS_LOWEST_PITCH, GS_HIGHEST_PITCH)))
        return GS_ERR_ARGUMENT;
    error = gs_info_from(sound->stream, sound->read, sound->user, sound->bytes, &info);
    if (error)
        return error;
    if (info.sample_rate != mixer->sample_rate || (sound->pitch && !mixer->set_pitch))
        return GS_ERR_UNSUPPORTED;
    if (sound->loops && info.loop_end - info.loop_start < GS_SHORTEST_LOOP)
        return GS_ERR_ARGUMENT;
    bytes = sound->pitch ? gs_playback_size(&info.decoder_class) : gs_decoder_size(&info.decoder_class);
    return bytes > mixer->voice_bytes ? GS_ERR_MEMORY : GS_OK;
}

/* Opens the sound that waits. If it may wait for the others' next block, or frame of noise, it shares what they share. */
static int gs_voice_begin(const gs_mixer *mixer, gs_voice *voice, int may_wait)
{
    const gs_sound *sound = &voice->next;
    gs_decoder *decoder = gs_voice_decoder(voice);
    int error = gs_open_from(decoder, mixer->voice_bytes - sizeof *voice, sound->stream, sound->read, sound->user,
                             sound->bytes, &decoder);

    if (!error && sound->pitch)
        error = mixer->set_pitch(decoder, sound->pitch);
    if (!error && sound->loops)
        error = gs_set_loop(decoder, 1);
    voice->error = (int8_t)error;
    voice->state = (uint8_t)(error ? 0 : sound->pitch ? GS_VOICE_PLAYS | GS_VOICE_PITCH : GS_VOICE_PLAYS);
    if (!error && may_wait && mixer->share && !sound->pitch && !sound->loops && !decoder->residual_at)
        voice->state |= GS_VOICE_SHARES;
    voice->level = sound->gain;
    voice->pan = sound->pan;
    voice->last = 0;
    gs_voice_move(mixer, voice, 0);
    if (voice->state & GS_VOICE_SHARES)
        voice->gain[1] = voice->gain[0];
    return error;
}

void gs_voice_go_on(gs_mixer *mixer, gs_voice *voice)
{
    if (voice->state & GS_VOICE_JOINED)
        (void)mixer->share(mixer, GS_SHARED_LEAVE, voice, 0, NULL);
    if (voice->state & GS_VOICE_WAITS)
        (void)gs_voice_begin(mixer, voice, voice->state & GS_VOICE_STOLEN);
    else
        voice->state = 0;
}

/* The voice for a sound of a priority, NULL if all matter more. */
static GS_NOINLINE gs_voice *gs_mixer_choose(const gs_mixer *mixer, uint32_t priority)
{
    gs_voice *best = NULL;
    gs_voice *voice;

    GS_FOR_EACH_VOICE (mixer, voice) {
        if (!voice->state)
            return voice;
        if (voice->priority > priority)
            continue;
        if (!best || voice->priority < best->priority ||
            (voice->priority == best->priority &&
             (uint16_t)(mixer->begun - voice->began) > (uint16_t)(mixer->begun - best->began)))
            best = voice;
    }
    return best;
}

int32_t gs_mixer_play(gs_mixer *mixer, const gs_sound *sound)
{
    gs_voice *voice;
    int error = gs_mixer_judge(mixer, sound);

    if (error)
        return error;
    voice = gs_mixer_choose(mixer, sound->priority);
    if (!voice)
        return GS_ERR_MEMORY;
    voice->next = *sound;
    if (!voice->state) {
        error = gs_voice_begin(mixer, voice, 1);
        if (error)
            return error;
    } else {
        voice->state |= GS_VOICE_WAITS | GS_VOICE_STOLEN;
        gs_voice_fade_out(mixer, voice);
    }
    if (!mixer->tones)
        mixer->time = 0;
    voice->priority = sound->priority;
    voice->began = mixer->begun++;
    voice->generation++;
    return (int32_t)((uint32_t)voice->generation << 8 | (voice->index + 1u));
}

/* ---- voices by their numbers ---- */

/* NULL if it plays something else by now. */
static gs_voice *gs_mixer_find(const gs_mixer *mixer, int32_t number)
{
    uint32_t index = ((uint32_t)number & 255u) - 1;
    gs_voice *voice;
    uint32_t at;

    if (!mixer || number <= 0 || index >= GS_MOST_VOICES)
        return NULL;
    at = (uint32_t)sizeof *mixer + index * mixer->voice_bytes;
    voice = gs_mixer_at(mixer, at);
    return at < mixer->end && voice->generation == (uint32_t)number >> 8 ? voice : NULL;
}

/* NULL if it has ended, or is about to. */
static gs_voice *gs_mixer_find_live(const gs_mixer *mixer, int32_t number)
{
    gs_voice *voice = gs_mixer_find(mixer, number);
    uint32_t state = voice ? voice->state : 0;

    return (state & GS_VOICE_STOLEN) || (state && !(state & GS_VOICE_STOPS)) ? voice : NULL;
}

int gs_mixer_queue(gs_mixer *mixer, int32_t voice, const gs_sound *sound)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);
    int error = gs_mixer_judge(mixer, sound);

    if (error)
        return error;
    if (!found)
        return GS_ERR_ARGUMENT;
    if (found->state & GS_VOICE_STOLEN)
        return GS_ERR_MEMORY;
    found->next = *sound;
    found->state |= GS_VOICE_WAITS;
    return GS_OK;
}

int gs_mixer_stop(gs_mixer *mixer, int32_t voice)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);

    if (!found)
        return GS_ERR_ARGUMENT;
    found->state &= (uint8_t)~(GS_VOICE_WAITS | GS_VOICE_STOLEN);
    gs_voice_fade_out(mixer, found);
    return GS_OK;
}

int gs_mixer_fade(gs_mixer *mixer, int32_t voice, uint32_t gain, uint32_t samples)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);

    if (!found || gain > GS_LARGEST_GAIN || samples > INT32_MAX)
        return GS_ERR_ARGUMENT;
    *((found->state & GS_VOICE_STOLEN) ? &found->next.gain : &found->level) = (uint16_t)gain;
    gs_voice_fade(mixer, found, samples);
    return GS_OK;
}

int gs_mixer_set_pan(gs_mixer *mixer, int32_t voice, int32_t pan)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);

    if (!found || pan < -GS_PAN_RIGHT || pan > GS_PAN_RIGHT)
        return GS_ERR_ARGUMENT;
    *((found->state & GS_VOICE_STOLEN) ? &found->next.pan : &found->pan) = (int16_t)pan;
    gs_voice_fade(mixer, found, found->fading);
    return GS_OK;
}

int gs_mixer_set_pitch(gs_mixer *mixer, int32_t voice, uint32_t pitch)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);
    uint32_t stolen = found ? found->state & GS_VOICE_STOLEN : 0;

    if (!found || gs_outside(pitch, GS_LOWEST_PITCH, GS_HIGHEST_PITCH) ||
        !(stolen ? found->next.pitch : found->state & GS_VOICE_PITCH))
        return GS_ERR_ARGUMENT;
    if (stolen) {
        found->next.pitch = (uint16_t)pitch;
        return GS_OK;
    }
    return (found->state & GS_VOICE_PLAYS) ? mixer->set_pitch(gs_voice_decoder(found), pitch) : GS_OK;
}

int gs_mixer_set_loop(gs_mixer *mixer, int32_t voice, int on)
{
    gs_voice *found = gs_mixer_find_live(mixer, voice);
    uint8_t before;
    int error;

    if (!found)
        return GS_ERR_ARGUMENT;
    if (!(found->state & GS_VOICE_STOLEN))
        return (found->state & GS_VOICE_PLAYS) ? gs_set_loop(gs_voice_decoder(found), on) : GS_OK;
    before = found->next.loops;
    found->next.loops = on != 0;
    error = gs_mixer_judge(mixer, &found->next);
    if (error)
        found->next.loops = before;
    return error;
}

int gs_mixer_status(const gs_mixer *mixer, int32_t voice)
{
    const gs_voice *found = gs_mixer_find(mixer, voice);

    if (!found)
        return GS_OK;
    return (found->state & (GS_VOICE_PLAYS | GS_VOICE_WAITS)) ? 1 : found->error;
}

/* ---- samples ---- */

/* A sample other than 0 that dies away, by a 16th each time. */
static int16_t gs_voice_dying(int32_t sample)
{
    int32_t size = sample < 0 ? -sample : sample;

    size -= (size >> 4) + 1;
    return (int16_t)(sample < 0 ? -size : size);
}

/* The next samples of what a voice plays; fewer before its end, none at it. */
static uint32_t gs_voice_read(gs_voice *voice, int16_t *pcm, uint32_t samples)
{
    uint32_t i;

    if (voice->state & GS_VOICE_JOINED) {
        gs_decoder *decoder = gs_voice_decoder(voice);
        samples = gs_least(samples, decoder->info.samples - decoder->position);
        decoder->position += samples;
        return samples;
    }
    if (voice->state & GS_VOICE_PLAYS) {
        int32_t given = gs_read(gs_voice_decoder(voice), pcm, samples);
        if (given > 0)
            voice->last = pcm[given - 1];
        if (given >= 0)
            return (uint32_t)given;
        if (!(voice->state & GS_VOICE_STOLEN))
            voice->error = (int8_t)given;
        voice->state = (uint8_t)((voice->state & ~GS_VOICE_PLAYS) | GS_VOICE_RINGS);
    }
    for (i = 0; i < samples && voice->last != 0; i++) {
        voice->last = gs_voice_dying(voice->last);
        pcm[i] = voice->last;
    }
    return i;
}

/* Adds samples to every sum of a channel, with the voice's gain there, which changes. */
static void gs_voice_add(gs_voice *voice, uint32_t channel, uint32_t channels, const int16_t *pcm, uint32_t samples,
                         uint32_t *sum)
{
    uint32_t gain = voice->gain[channel];

    for (sum += channel; samples > 0; samples--, sum += channels) {
        *sum += (uint32_t)((*pcm++ * (int32_t)(gain >> 16) + GS_GAIN_ONE / 2) >> 13) << 2;
        gain += (uint32_t)voice->change[channel];
    }
    voice->gain[channel] = gain;
}

/* Adds what a voice gives to the sums. */
static GS_NOINLINE void gs_voice_mix(gs_mixer *mixer, gs_voice *voice, uint32_t samples, uint32_t *sums)
{
    int16_t pcm[GS_MIXER_PIECE];

    while (samples > 0 && voice->state && (voice->state & (GS_VOICE_SHARES | GS_VOICE_JOINED)) != GS_VOICE_SHARES) {
        uint32_t has_ended = 0;
        uint32_t run = gs_voice_read(voice, pcm, voice->fading ? gs_least(samples, voice->fading) : samples);
        if (run == 0) {
            gs_voice_go_on(mixer, voice);
            continue;
        }
        if (voice->state & GS_VOICE_JOINED) {
            voice->gain[0] += run * (uint32_t)voice->change[0];
        } else {
            uint32_t channel;
            for (channel = 0; channel < mixer->channels; channel++)
                gs_voice_add(voice, channel, mixer->channels, pcm, run, sums);
        }
        if (voice->fading) {
            voice->fading -= run;
            if (voice->fading == 0) {
                gs_voice_move(mixer, voice, 0);
                has_ended = voice->state & GS_VOICE_STOPS;
            }
        }
        if (voice->state & GS_VOICE_JOINED)
            has_ended = gs_voice_decoder(voice)->position == gs_voice_decoder(voice)->info.samples;
        if (has_ended)
            gs_voice_go_on(mixer, voice);
        samples -= run;
        sums += run * mixer->channels;
    }
}

int32_t gs_mix(gs_mixer *mixer, int16_t *pcm, uint32_t samples)
{
    uint32_t left = samples;

    if (!mixer || (!pcm && samples > 0) || samples > INT32_MAX / 2)
        return GS_ERR_ARGUMENT;
    while (left > 0) {
        uint32_t sums[GS_MIXER_PIECE]; /* quarters, as gs_pcm takes them */
        uint32_t piece = gs_least(left, GS_MIXER_PIECE >> (mixer->channels - 1));
        gs_voice *voice;
        if (mixer->time % GS_BLOCK_SAMPLES == 0) {
            if (mixer->share)
                (void)mixer->share(mixer, GS_SHARED_BEGINS, NULL, 0, NULL);
            else if (mixer->spread_budget)
                mixer->spread_budget(mixer);
        }
        gs_clear(sums, sizeof sums);
        piece = gs_least(piece, GS_BLOCK_SAMPLES - mixer->time % GS_BLOCK_SAMPLES);
        if (mixer->tones)
            piece = mixer->share(mixer, GS_SHARED_READ, NULL, piece, sums);
        GS_FOR_EACH_VOICE (mixer, voice)
            gs_voice_mix(mixer, voice, piece, sums);
        mixer->time += piece;
        left -= piece;
        piece *= mixer->channels;
        gs_pcm(sums, NULL, piece, pcm);
        pcm += piece;
    }
    return (int32_t)samples;
}

GS_CODE_ENDS
