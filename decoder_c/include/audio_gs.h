/* Audio-GS decoder: turns a stream of Gaussians (docs/SPEC.md, bitstream 1) into 16-bit PCM.
 *
 * Use
 *
 *     static GS_DECODER_STORAGE(memory, GS_SPEECH);
 *     gs_decoder *decoder;
 *     int16_t pcm[256];
 *     int32_t n = gs_open_memory(&memory, sizeof memory, clip, clip_bytes, &decoder);
 *     while (n >= 0 && (n = gs_read(decoder, pcm, 256)) > 0)
 *         play(pcm, n);
 *     if (n < 0)
 *         complain(gs_error_string((int)n));
 *
 * A stream states its class in its header: how many tones are held at a time and on how many scales; if it has noise,
 * how many noises are held at a time, how long a frame of noise is, and whether a residual layer refines it. The caller
 * sizes the memory by class, at compile time with GS_DECODER_STORAGE or at run time with gs_info_from_memory and
 * gs_decoder_size; a stream of a larger class is refused with GS_ERR_MEMORY. A stream that lies in memory is read in
 * place; any other storage is read through a callback, a few bytes at a time.
 *
 * What it costs
 *
 * Memory: GS_DECODER_BYTES of the class, plus a stack of about 350 bytes on a small core, 1000 with a residual layer. No
 * heap, no floating point, no C library but the memcpy and memset that compilers call by themselves, no 64-bit
 * arithmetic, no division, no recursion, no writable global. Noise takes 560 bytes, 4 for each noise that can be held
 * and 3 for each sample of a frame, a residual layer 316 and one for each sample of a frame; a stream without takes none
 * of them.
 * Time: gs_info.peak_macs is the most multiplications a sample in any 20 ms of playing. A sounding tone takes one for
 * each sample at the lowest of four sample rates that holds it, and four for each straight piece of its envelope in a
 * block of 64 samples; the filters between the rates 3.5 a sample; noise, a transform a frame, log2(frame) + 5 a sample
 * at most, and up to 51 for each noise that lasts in the frame. A 32-bit core spends eight to twenty
 * instructions on a multiplication. Tones are made in blocks of 64 samples, noise in frames: the work of one is done at
 * once, by the gs_read that crosses into it; the first one after a jump makes three blocks and two frames.
 * Latency: none. gs_read may ask for any number of samples, and the samples do not depend on how many are asked for at
 * a time; multiples of 64 are the cheapest. gs_seek, and a loop's jump, decode without rendering from the seek point
 * before the longest Gaussian that can still sound at the target; a stream without seek points, from its beginning.
 * What they take, and gs_check, goes by the bytes on the way and the stream's class, whatever length the stream states:
 * a byte holds 730 decisions of the entropy decoder at most, and in real streams ten or so.
 *
 * Rules
 *
 * Everything the decoder knows is in the memory that the caller gave. It holds no pointer into itself: a copy made with
 * memcpy, aligned as well as the original, is a second decoder at the same place of the same stream. Two decoders share
 * nothing and may run in two threads; one decoder must not be used by two at a time.
 * Pointers must not be NULL unless stated. Every byte of a stream is distrusted.
 */
#ifndef AUDIO_GS_H
#define AUDIO_GS_H

/* The version of the whole project, as in cmake/version.txt. The version of the format is another matter. */
#define GS_VERSION "0.1.0"
#define GS_FORMAT_VERSION 1

/* With GS_DECLARATIONS_ONLY a preprocessor leaves plain declarations, which foreign-function generators can read. */
#ifndef GS_DECLARATIONS_ONLY
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

enum gs_error {
    GS_OK = 0,
    GS_ERR_ARGUMENT = -1,    /* the call is wrong: a null pointer, a position beyond the end, no loop points */
    GS_ERR_MEMORY = -2,      /* the memory given is too small for the stream's class, or misaligned */
    GS_ERR_TRUNCATED = -3,   /* the stream ends before it should */
    GS_ERR_CORRUPT = -4,     /* the stream breaks a rule of the format */
    GS_ERR_CRC = -5,         /* a checksum does not match */
    GS_ERR_VERSION = -6,     /* another version of the format */
    GS_ERR_UNSUPPORTED = -7, /* a sound stream that uses something this decoder does not know, or was built without */
    GS_ERR_IO = -8,          /* the read callback failed or gave fewer bytes than asked for */
    GS_ERR_COST = -9         /* of gs_check: a sound stream whose tones take more MACs than its header promises */
};

/* The class of a stream: what a decoder must have room for. */
typedef struct gs_class {
    uint16_t max_tones;       /* most tones held at a time, 1 to 4096 */
    uint8_t scales;           /* how many scales of tones, 1 to 8 */
    uint8_t max_noises;       /* most noises held at a time, 1 to 255; 0 for streams without noise */
    uint8_t noise_frame_log2; /* log2 of the samples in a noise frame, 5 to 9; 0 for streams without noise */
    uint8_t residual;         /* 1 for streams with a residual layer, whose noise_frame_log2 is 6 or more */
    uint8_t channels;         /* 2 for streams of left and right, else 1 */
    uint8_t panned;           /* 1 for those whose Gaussians are panned, else 0 */
} gs_class;

/* What the header says. Times are in samples. */
typedef struct gs_info {
    gs_class decoder_class;
    uint16_t slot_samples;   /* samples in a slot, 32 to 4096, a power of two */
    uint16_t amplitude_step; /* mantissa of the step of the amplitude quantiser, 1 to 2047 */
    uint8_t output_shift;    /* its binary exponent, negated, 0 to 16 */
    uint8_t slot_log2;       /* of slot_samples */
    uint8_t smallest_scale;  /* a tone of scale k is 32 << k samples long */
    uint8_t kinds;           /* bit 0: tones, always; bit 1: noises; bit 4: panned; bit 5: a residual layer */
    uint8_t table_set;       /* 0: speech, 1: music, 2: effects */
    uint8_t has_loop;        /* 1 with loop points */
    uint8_t noise_shift;     /* noise is made in steps of 2^(4 - noise_shift) output steps, 1 to 15; 0 without noise */
    int8_t noise_base;       /* level where no noise is, in half octaves of amplitude; 0 in a stream without noise */
    uint8_t residual[5];     /* the header's bytes on the residual layer; 0 in a stream without one */
    uint8_t direction;       /* of two channels, of the middle: 0 left, 64 between, 128 right, 192 in opposite phases */
    uint8_t side_step;       /* by how much the side's amplitude step is larger, in 1/4 octaves, 0 to 15 */
    int8_t side_base;        /* level of the side above the middle's, in half octaves; 0, as side_step, if not panned */
    uint32_t sample_rate;    /* Hz, 4000 to 96000 */
    uint32_t samples;        /* exact length, 1 to 2^31 - 1 */
    uint32_t loop_start;     /* first sample of the loop; 0 without loop points */
    uint32_t loop_end;       /* one past the last sample of the loop; 0 without loop points */
    uint32_t seek_slots;     /* slots in a segment, 0: one segment */
    uint32_t peak_macs;      /* most multiply-accumulates a sample in any 20 ms */
    uint32_t header_bytes;   /* size of the header in the stream */
} gs_info;

/* Where the entropy decoder stood after the last decoded slot, for comparing decoders with each other. */
typedef struct gs_coder_state {
    int32_t slot; /* that slot's number, counted from the slot that holds sample 0 */
    uint32_t range;
    uint32_t code;
    uint32_t bytes_read; /* bytes taken since the segment's start, with the zeros that stand in beyond its end */
    uint32_t held;       /* Gaussians held */
} gs_coder_state;

/* Opaque; lives in the caller's memory. */
typedef struct gs_decoder gs_decoder;

/* Copies `bytes` bytes (1 to 64) that start `offset` bytes into the stream to `buffer`. Returns how many it copied;
 * fewer than asked for, or a negative number, makes the decoder report GS_ERR_IO. Never asked beyond the stream's
 * size. */
typedef int (*gs_read_fn)(void *user, uint32_t offset, uint8_t *buffer, uint32_t bytes);

/* Reads the header of a stream of `bytes` bytes. Returns GS_OK with `info` filled, or an error. */
int gs_info_from_memory(const void *stream, uint32_t bytes, gs_info *info);

/* The same for a stream behind a callback. `user` is passed through and may be NULL. */
int gs_info_from_callback(gs_read_fn read, void *user, uint32_t bytes, gs_info *info);

/* Bytes of memory for the streams of a class and of every class that is in no number larger; the same as
 * GS_DECODER_BYTES. 0 if a number is out of its bounds. */
size_t gs_decoder_size(const gs_class *decoder_class);

/* Bytes of memory for those and for playing otherwise than encoded; the same as GS_PLAYBACK_SIZE. */
size_t gs_playback_size(const gs_class *decoder_class);

/* Opens a stream of `bytes` bytes that stays in memory, unchanged, as long as the decoder is used. `memory` is
 * `memory_bytes` bytes, aligned for a pointer. Returns GS_OK, with `*decoder` set to a decoder at sample 0, or an
 * error, with `*decoder` unchanged. Reads the header only: damage behind it shows in gs_read or gs_check. There is no
 * close. */
int gs_open_memory(void *memory, size_t memory_bytes, const void *stream, uint32_t bytes, gs_decoder **decoder);

/* The same for a stream behind a callback, which must stay usable as long as the decoder is used. */
int gs_open_callback(void *memory, size_t memory_bytes, gs_read_fn read, void *user, uint32_t bytes,
                     gs_decoder **decoder);

/* Decodes the next `samples` samples (0 to 2^31 - 1) to `pcm`. Returns how many it wrote: fewer than asked for at the
 * end of the stream or before damage, 0 at the end (or if asked for none). Once the samples before the damage are
 * delivered, returns the error, and again at every call until a successful gs_seek or gs_rewind. */
int32_t gs_read(gs_decoder *decoder, int16_t *pcm, uint32_t samples);

/* Two channels: of a stream of left and right a decoder gives the middle alone, in one channel, until this is called
 * with `on` not 0. Then gs_read gives left and right in turn; samples are counted once for both. Decodes anew from where
 * it is, so that it is best called before anything is read. Returns what gs_seek does, GS_ERR_ARGUMENT of a stream of one
 * channel. What panned Gaussians take beside the middle is memory of their class, filters and the noise's transform once
 * more, and each tone once more that has a part of the side; one direction alone takes two multiplications a sample. Where
 * sections that nothing calls are dropped in linking a program that does not call this has none of its code; in a build
 * with GS_NO_STEREO it returns GS_ERR_UNSUPPORTED, as does opening a stream of panned Gaussians. */
int gs_set_stereo(gs_decoder *decoder, int on);

/* Listening: of a stream of one channel a decoder gives what both ears of a head hear of a source, left and right in turn,
 * from the first of these calls on. Angles are 65536 a turn, -GS_HALF_TURN to GS_HALF_TURN, pitch and elevation up to half
 * of that either way; all are 0 at first, a source in front. A source's azimuth is positive to the left, its elevation
 * upwards; a head's yaw is positive as it turns to the left, its pitch as it looks up, its roll as it tilts to the right.
 * They may be set at any time: tones of slots that are decoded from the next block on are heard so to their end, noise and
 * a residual layer from the next frame on. The first call decodes anew from where it is and returns what gs_seek does, as
 * does one behind a jump before anything is read. GS_ERR_ARGUMENT for angles out of range and of a stream of two
 * channels; GS_ERR_MEMORY in less than gs_listener_size bytes, such as those of GS_LISTENER_STORAGE, and where something was
 * set that plays otherwise than encoded, which the memory does no longer suffice for after these calls. gs_set_stereo with
 * `on` 0 gives one channel again, for good. Costs filters and the noise's transform once more, and each tone once more.
 * Where sections that nothing calls are dropped in linking, a program that does not call them has none of their code; in a
 * build with GS_NO_LISTENER they return GS_ERR_UNSUPPORTED. */
#define GS_HALF_TURN 32768
int gs_set_listener(gs_decoder *decoder, int32_t yaw, int32_t pitch, int32_t roll);
int gs_set_direction(gs_decoder *decoder, int32_t azimuth, int32_t elevation);

/* Bytes of memory for streams of one channel of a class and a listener; the same as GS_LISTENER_SIZE. 0 of others. */
size_t gs_listener_size(const gs_class *decoder_class);

/* How many channels the decoder's stream has, 1 or 2; 2 with a listener, which gs_get_info says then, too. */
uint32_t gs_channels(const gs_decoder *decoder);

/* Moves to a sample, 0 to gs_info.samples. What follows is what an uninterrupted gs_read would have given. After an
 * error gs_read returns that error too, except after GS_ERR_ARGUMENT, which leaves the decoder where it was. */
int gs_seek(gs_decoder *decoder, uint32_t sample);

/* gs_seek to sample 0. */
int gs_rewind(gs_decoder *decoder);

/* With `on` not 0 gs_read jumps to loop_start whenever it arrives at loop_end, so that it never ends (unless it stands
 * beyond loop_end already). A jump costs a gs_seek; gs_read makes one in GS_SHORTEST_LOOP samples at most.
 * GS_ERR_ARGUMENT if `on` is not 0 and the stream has no loop points, or fewer samples than that between them. */
#define GS_SHORTEST_LOOP 64u
int gs_set_loop(gs_decoder *decoder, int on);

/* For a processor under load: from the next block of 64 samples on that gs_read makes, at most `macs` MACs a sample are
 * spent on tones, and the weakest ones of a block stay out of it; 65535 or more lifts the limit, which is where a
 * decoder begins. What is given depends on the budget and the place in the stream alone. Noise, and 3.5 MACs a sample
 * of filters, come on top. Choosing costs some 40 instructions for each tone and block. */
int gs_set_budget(gs_decoder *decoder, uint32_t macs);

/* Playing otherwise than encoded. A decoder can that is opened in gs_playback_size bytes or more, such as those of
 * GS_PLAYBACK_STORAGE; else, and in a build with GS_NO_PLAYBACK, these calls return GS_ERR_MEMORY. What is out of
 * range is GS_ERR_ARGUMENT and changes nothing. Behind the bytes of the class, their number rounded up to a multiple
 * of 8, 40 suffice for gain, fades and muting (48 with pointers of 64 bits), GS_PITCH_BYTES(max_tones) for the pitch too,
 * but not for tempo and rate. Settings stay through seeking and looping; a decoder that has none set yet is as fast as
 * one without memory for them. Where sections that nothing calls are dropped in linking (-ffunction-sections,
 * -Wl,--gc-sections) a program that calls none of these has none of their code. */

/* A gain of 1, and the largest one, 12 dB. The sum of all is limited 6 dB above full scale before the gain, and to 16
 * bits behind it. */
#define GS_GAIN_ONE 8192
#define GS_LARGEST_GAIN 32767

/* The gain from the next sample on, 0 to GS_LARGEST_GAIN. */
int gs_set_gain(gs_decoder *decoder, uint32_t gain);

/* Moves the gain in equal steps to another one, which it has after `samples` samples, 0 to 2^31 - 1. From wherever it is,
 * also where it moves already: a start without a click is gs_set_gain(decoder, 0) and gs_set_fade(decoder, GS_GAIN_ONE,
 * 160), a stop gs_set_fade(decoder, 0, 160) and 160 samples more. */
int gs_set_fade(gs_decoder *decoder, uint32_t gain, uint32_t samples);

/* Plays at a pitch, GS_LOWEST_PITCH to GS_HIGHEST_PITCH: an octave down or up. Tones of slots that are decoded from the
 * next block on have it, a block or a frame ahead of what is given, and keep it to their end; noise has it from the next
 * frame on. The phases of tones follow those before them, so that what follows a jump depends on where the decoder began
 * after it. Of a residual layer only the fine levels remain where the pitch is not GS_PITCH_ONE. What is beyond half the
 * sample rate is left out. A tone costs what its frequency asks for, so peak_macs above GS_PITCH_ONE is twice what the
 * header says; finding how the phases of a tone follow costs some hundred instructions each beside that, 9 to 19 % of all.
 * The stack takes some 80 bytes more. */
#define GS_PITCH_ONE 16384u
#define GS_LOWEST_PITCH 8192u
#define GS_HIGHEST_PITCH 32768u
int gs_set_pitch(gs_decoder *decoder, uint32_t pitch);

/* Plays at a tempo, GS_LOWEST_TEMPO to GS_HIGHEST_TEMPO: at half the speed up to twice as fast, at the same pitch.
 * Slots that are decoded from the next block on have it, a block or more ahead of what is given. Tones are longer or
 * shorter and begin later or earlier, their phases follow as at a pitch; noise changes as much slower or faster;
 * frames of a residual layer are held or left out, and where pitch or rate are not as encoded only its fine levels
 * remain. Once a tempo was set all is played so, until a jump where tempo and rate are as encoded. GS_ERR_ARGUMENT
 * also where the clip would come to more than 2^31 - 1 samples. Where a sample stands for more than one of the clip,
 * Gaussians come faster: peak_macs is then as much more, and at any tempo or rate up to half as much again. The class
 * stays; should tones that sound leave no room for those that begin, those that end first are cut off. */
#define GS_TEMPO_ONE 16384u
#define GS_LOWEST_TEMPO 8192u
#define GS_HIGHEST_TEMPO 32768u
int gs_set_tempo(gs_decoder *decoder, uint32_t tempo);

/* Gives samples of another rate, GS_LOWEST_RATE to GS_HIGHEST_RATE Hz: tones and noise are made at it, without a
 * resampler; what is beyond half of it is left out. Jumps to where the decoder is, so that it is best set before
 * anything is read. Numbers of samples to read and those of a fade are of this rate, those of gs_seek, gs_tell and
 * gs_info of the clip. Otherwise as gs_set_tempo. Returns what gs_seek does. */
#define GS_LOWEST_RATE 8000u
#define GS_HIGHEST_RATE 48000u
int gs_set_rate(gs_decoder *decoder, uint32_t rate);

/* How many samples the clip comes to, from its start to its end, as it is played now. */
uint32_t gs_played_samples(const gs_decoder *decoder);

/* Leaves out kinds, of GS_MUTE_.. added up, and all between two frequencies in Hz, 0 <= from <= to <= GS_HIGHEST_MUTE;
 * none where they are equal. Of tones from the next block of 64 samples on that gs_read makes, of noise from the next
 * frame on, so that it fades. What muted noise or a muted residual layer would have covered is not filled. */
#define GS_MUTE_TONES 1u
#define GS_MUTE_NOISE 2u
#define GS_MUTE_RESIDUAL 4u
#define GS_MUTE_ALL 7u
#define GS_HIGHEST_MUTE 65535
int gs_set_mute(gs_decoder *decoder, uint32_t kinds, uint32_t from, uint32_t to);

/* Mixing: several clips at once, each in a voice with its own gain, pan and pitch.
 *
 *     static GS_MIXER_STORAGE(memory, 4, GS_DECODER_BYTES(GS_SPEECH));
 *     gs_mixer *mixer;
 *     gs_sound sound = {0};
 *     gs_mixer_open(&memory, sizeof memory, 4, GS_DECODER_BYTES(GS_SPEECH), 16000, 1, &mixer);
 *     sound.stream = clip;
 *     sound.bytes = clip_bytes;
 *     sound.gain = GS_GAIN_ONE;
 *     gs_mixer_play(mixer, &sound);
 *     while (gs_mix(mixer, pcm, 256) > 0)
 *         play(pcm, 256);
 *
 * gs_mix gives as many samples as it is asked for, of silence where nothing sounds. What it gives does not depend on how
 * many samples it is asked for at a time, and sums are limited to 16 bits. A voice whose clip is damaged ends there, and
 * no other one is heard otherwise for it. All voices have the sample rate of the mixer. Calls other than gs_mix take no
 * longer than reading a header; a mixer must not be used by two at a time. No call steps: what would step takes
 * GS_SHORTEST_FADE samples.
 *
 * A program has no more code than it asks for: without gs_mixer_allow_pitch none for pitch, and without gs_mixer_share
 * none for what voices can share. With it, in mono, clips without a residual layer share sums, filters and the noise's
 * transform, unless they loop, are queued or have a pitch, so that four voices of speech take three quarters of the
 * instructions of four decoders, for 2 KB of code. They begin with the next block of 64 samples, or frame of noise, of
 * those that sound already; their gains move from block to block, and they fade in the block where they end. There is
 * room in their sums for twice full scale of each voice. */
#define GS_MOST_VOICES 64u
#define GS_SHORTEST_FADE 128u

/* Opaque; lives in the caller's memory. */
typedef struct gs_mixer gs_mixer;

/* A clip to play, and how. Zero is a fine value for all but the stream and the gain. */
typedef struct gs_sound {
    const void *stream; /* of a stream in memory, which stays as it is as long as it plays; else NULL */
    gs_read_fn read;    /* of a stream behind a callback; else NULL */
    void *user;         /* of the callback */
    uint32_t bytes;     /* of the stream */
    uint16_t gain;      /* 0 to GS_LARGEST_GAIN */
    int16_t pan;      /* -GS_PAN_RIGHT to GS_PAN_RIGHT; in the centre both sides have the gain. Mono takes no notice */
    uint16_t pitch;   /* as gs_set_pitch takes it, once allowed; 0 for a clip in memory for its class alone */
    uint8_t priority; /* of two voices the one that matters more has the higher one */
    uint8_t loops;    /* not 0: jumps from the end of the loop to its start, GS_SHORTEST_LOOP apart at least */
} gs_sound;

#define GS_PAN_RIGHT 256

/* Opens a mixer of 1 to GS_MOST_VOICES voices with `voice_bytes` bytes each, as gs_decoder_size or gs_playback_size
 * counts them, in GS_MIXER_BYTES of memory that is aligned for a pointer. `channels` is 1, or 2 for left and right in
 * turn. */
int gs_mixer_open(void *memory, size_t memory_bytes, uint32_t voices, size_t voice_bytes, uint32_t sample_rate,
                  uint32_t channels, gs_mixer **mixer);

/* From now on clips share what they can, see above. GS_ERR_ARGUMENT for a mixer of 2 channels. */
int gs_mixer_share(gs_mixer *mixer);

/* From now on sounds may have a pitch, which is GS_ERR_UNSUPPORTED till then. */
int gs_mixer_allow_pitch(gs_mixer *mixer);

/* Bytes of memory for a mixer; the same as GS_MIXER_BYTES. 0 if there are too many voices or none. */
size_t gs_mixer_size(uint32_t voices, size_t voice_bytes);

/* Plays a sound from now on in a voice that is free, or else in the one that matters least, of these in the one that
 * began first, which then fades first. Returns a number for the voice, above 0, which stands for it until it plays
 * something else; or an error of its header or arguments, GS_ERR_MEMORY if its class is too large for a voice or all
 * voices matter more, GS_ERR_UNSUPPORTED if its sample rate is another one. An error changes nothing. */
int32_t gs_mixer_play(gs_mixer *mixer, const gs_sound *sound);

/* Plays a sound in the same voice after what it plays, without a gap; instead of what was queued there before. */
int gs_mixer_queue(gs_mixer *mixer, int32_t voice, const gs_sound *sound);

/* Fades a voice out and ends it, with what was queued. */
int gs_mixer_stop(gs_mixer *mixer, int32_t voice);

/* Moves a voice's gain in equal steps to another one, which it has after so many samples, 0 to 2^31 - 1, or after
 * GS_SHORTEST_FADE. */
int gs_mixer_fade(gs_mixer *mixer, int32_t voice, uint32_t gain, uint32_t samples);

/* Moves a voice between left and right. */
int gs_mixer_set_pan(gs_mixer *mixer, int32_t voice, int32_t pan);

/* gs_set_pitch, of a voice whose sound began with a pitch. */
int gs_mixer_set_pitch(gs_mixer *mixer, int32_t voice, uint32_t pitch);

/* With `on` 0 lets a voice go on behind its loop; else has it loop, as a sound's `loops` does. */
int gs_mixer_set_loop(gs_mixer *mixer, int32_t voice, int on);

/* gs_set_budget for all voices together, from the next 64 samples on: the weakest tones of all stay out. */
int gs_mixer_set_budget(gs_mixer *mixer, uint32_t macs);

/* 1 while a voice plays, or has something queued; then GS_OK, or the error of the stream at which it ended. GS_OK of a
 * voice that has played something else since. */
int gs_mixer_status(const gs_mixer *mixer, int32_t voice);

/* Gives the next `samples` samples of each channel, 0 to 2^30 - 1. Returns how many, which is as many, or
 * GS_ERR_ARGUMENT. */
int32_t gs_mix(gs_mixer *mixer, int16_t *pcm, uint32_t samples);

/* The number of the clip's sample that gs_read will write next, 0 to gs_info.samples. */
uint32_t gs_tell(const gs_decoder *decoder);

/* Decodes every slot of the stream and verifies its checksums and its structure, without rendering. Returns GS_OK with
 * the decoder rewound, or the error, which gs_read then returns too. In a build with GS_CHECK_COST it also counts what
 * tones take: GS_ERR_COST, with the decoder rewound all the same, tells that it is more in some 20 ms than peak_macs
 * promises, which is found where it is twice as much; the sides of tones count too after gs_set_stereo. What noise and a
 * residual layer can take follows from the class. */
int gs_check(gs_decoder *decoder);

/* The header of the decoder's stream. */
void gs_get_info(const gs_decoder *decoder, gs_info *info);

/* The entropy decoder's state; all zero before the first slot is decoded. */
void gs_get_coder_state(const gs_decoder *decoder, gs_coder_state *state);

/* A few words on any value of gs_error, "unknown error" for others; "" when built with GS_NO_ERROR_STRINGS. Never
 * NULL. */
const char *gs_error_string(int error);

/* A class that is known at compile time is named by a prefix of five macros. This is that of every stream of the
 * encoder's speech preset up to 24 kHz. */
#define GS_SPEECH_MAX_TONES 216
#define GS_SPEECH_SCALES 6
#define GS_SPEECH_MAX_NOISES 80
#define GS_SPEECH_NOISE_FRAME_LOG2 7
#define GS_SPEECH_RESIDUAL 1

/* Bytes of memory for a class, as gs_decoder_size, for use in a constant expression: GS_DECODER_BYTES(GS_SPEECH). */
#define GS_DECODER_BYTES(prefix)                                                                                       \
    (GS_DECODER_FIXED_BYTES + GS_TONE_BYTES(prefix##_MAX_TONES) +                                                      \
     GS_NOISE_BYTES(prefix##_MAX_NOISES, prefix##_NOISE_FRAME_LOG2) +                                                  \
     GS_RESIDUAL_BYTES(prefix##_RESIDUAL, prefix##_NOISE_FRAME_LOG2) +                                                 \
     2u * GS_CONTEXTS(prefix##_SCALES, prefix##_MAX_NOISES))

/* Declares `name`, memory for the streams of a class: static GS_DECODER_STORAGE(memory, GS_SPEECH); */
#define GS_DECODER_STORAGE(name, prefix)                                                                               \
    union {                                                                                                            \
        void *alignment;                                                                                               \
        uint8_t bytes[GS_DECODER_BYTES(prefix)];                                                                       \
    } name

/* The same with memory for playing otherwise than encoded. */
#define GS_PLAYBACK_SIZE(prefix)                                                                                       \
    (((GS_DECODER_BYTES(prefix) + 7u) & ~(size_t)7u) + GS_PLAYBACK_BYTES(prefix##_MAX_TONES, prefix##_RESIDUAL))
#define GS_PLAYBACK_STORAGE(name, prefix)                                                                              \
    union {                                                                                                            \
        void *alignment;                                                                                               \
        uint8_t bytes[GS_PLAYBACK_SIZE(prefix)];                                                                       \
    } name

/* The same for streams of two channels of a class that has these numbers; `panned` is 1 if their Gaussians are. */
#define GS_STEREO_SIZE(prefix, panned)                                                                                 \
    (((GS_DECODER_BYTES(prefix) + ((panned) ? 2u * GS_SIDE_CONTEXTS : 0u) + 7u) & ~(size_t)7u) +                       \
     GS_STEREO_BYTES(panned, prefix##_MAX_TONES, prefix##_MAX_NOISES, prefix##_NOISE_FRAME_LOG2))
#define GS_STEREO_STORAGE(name, prefix, panned)                                                                        \
    union {                                                                                                            \
        void *alignment;                                                                                               \
        uint8_t bytes[GS_STEREO_SIZE(prefix, panned)];                                                                 \
    } name

/* The same for streams of one channel and a listener. */
#define GS_LISTENER_SIZE(prefix)                                                                                       \
    (((GS_DECODER_BYTES(prefix) + 7u) & ~(size_t)7u) +                                                                 \
     GS_LISTENER_BYTES(prefix##_MAX_TONES, prefix##_MAX_NOISES, prefix##_NOISE_FRAME_LOG2))
#define GS_LISTENER_STORAGE(name, prefix)                                                                              \
    union {                                                                                                            \
        void *alignment;                                                                                               \
        uint8_t bytes[GS_LISTENER_SIZE(prefix)];                                                                       \
    } name

/* The same on a machine of 32 bits, whatever this is compiled for. */
#define GS_DECODER_BYTES_32(prefix) (GS_DECODER_BYTES(prefix) - GS_DECODER_POINTERS * ((uint32_t)sizeof(void *) - 4u))

/* Bytes of memory for a mixer, and the declaration of it: static GS_MIXER_STORAGE(memory, 4, GS_DECODER_BYTES(CLASS)); */
#define GS_MIXER_BYTES(voices, voice_bytes)                                                                            \
    (GS_MIXER_FIXED_BYTES + (voices) * (GS_VOICE_FIXED_BYTES + (((voice_bytes) + 7u) & ~(size_t)7u)))
#define GS_MIXER_STORAGE(name, voices, voice_bytes)                                                                    \
    union {                                                                                                            \
        void *alignment;                                                                                               \
        uint8_t bytes[GS_MIXER_BYTES(voices, voice_bytes)];                                                            \
    } name

/* The initialiser of a gs_class: of a prefix, and of its numbers. */
#define GS_CLASS(prefix)                                                                                               \
    GS_CLASS_OF(prefix##_MAX_TONES, prefix##_SCALES, prefix##_MAX_NOISES, prefix##_NOISE_FRAME_LOG2, prefix##_RESIDUAL)
#define GS_CLASS_OF(max_tones, scales, max_noises, noise_frame_log2, residual)                                         \
    {max_tones, scales, max_noises, noise_frame_log2, residual, 1, 0}

/* Parts of GS_DECODER_BYTES; of no other use. */
#define GS_DECODER_POINTERS 3u
#define GS_DECODER_FIXED_BYTES (192u + GS_DECODER_POINTERS * sizeof(void *))
#define GS_TONE_BYTES(max_tones) (568u + 12u * (max_tones))
#define GS_NOISE_BYTES(max_noises, noise_frame_log2)                                                                   \
    ((max_noises) ? 84u + 4u * (max_noises) + (3u << (noise_frame_log2)) : 0u)
#define GS_RESIDUAL_BYTES(residual, noise_frame_log2) ((residual) ? 316u + (1u << (noise_frame_log2)) : 0u)
#define GS_STEREO_BYTES(panned, max_tones, max_noises, noise_frame_log2)                                               \
    (8u + sizeof(void *) +                                                                                             \
     ((panned) ? 568u + 4u * (max_tones) + 2u * (max_noises) + ((max_noises) ? 3u << (noise_frame_log2) : 0u) : 0u))
#define GS_LISTENER_BYTES(max_tones, max_noises, noise_frame_log2)                                                     \
    (272u + sizeof(void *) + 568u + 8u * (max_tones) + ((max_noises) ? 3u << (noise_frame_log2) : 0u))
#define GS_PITCH_BYTES(max_tones) (116u + 2u * sizeof(void *) + 10u * (max_tones))
#define GS_PACE_BYTES 60u
#define GS_KEPT_BYTES 320u
#define GS_PLAYBACK_BYTES(max_tones, residual)                                                                         \
    (((GS_PITCH_BYTES(max_tones) + 3u) & ~3u) + GS_PACE_BYTES + 8u * (max_tones) + ((residual) ? GS_KEPT_BYTES : 0u))
#define GS_MIXER_FIXED_BYTES (32u + 3u * sizeof(void *))
#define GS_VOICE_FIXED_BYTES ((36u + sizeof(gs_sound) + sizeof(void *) - 1u) & ~(sizeof(void *) - 1u))
#define GS_SIDE_CONTEXTS 114u
#define GS_CONTEXTS(scales, max_noises) (89u * (scales) + ((max_noises) ? 238u : 0u))

#ifndef GS_DECLARATIONS_ONLY
#ifdef __cplusplus
}
#endif
#endif

#endif
