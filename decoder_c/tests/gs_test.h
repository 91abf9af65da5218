/* What the tests share: a check, a random generator, and streams made of random legal decisions. */
#ifndef GS_TEST_H
#define GS_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gs_pcm.h"
#include "gs_residual.h"
#include "gs_slots.h"

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #condition);                                   \
            test_failed();                                                                                             \
        }                                                                                                              \
    } while (0)

/* Says which seed failed and exits. */
void test_failed(void);

/* Runs `test` for seeds 0 .. runs-1, or for the one seed named on the command line. Returns main's status. */
int test_seeds(int argc, char **argv, uint32_t runs, void (*test)(void));

/* Uniform in 0 .. below-1. */
uint32_t test_random(uint32_t below);

typedef struct test_bytes {
    uint8_t *data;
    uint32_t count;
    uint32_t room;
} test_bytes;

void test_append(test_bytes *bytes, uint32_t byte);
void test_append_number(test_bytes *bytes, uint32_t value, uint32_t count);
void test_append_varint(test_bytes *bytes, uint32_t value);
uint32_t test_crc(const uint8_t *data, uint32_t count);

/* A range encoder, the inverse of gs_range_coder.c. Its gs_range lets the decoder's own slot parser drive it. */
typedef struct test_coder {
    gs_range_coder as_range; /* first: the parser's pointer to it is a pointer to the coder */
    uint64_t low;
    uint32_t range;
    uint32_t pending;
    uint8_t cache;
    int started;
    int full[GS_KINDS]; /* no more of the kind */
    const uint16_t *contexts;
    uint32_t tone_contexts; /* how many of them belong to tones */
    uint32_t more_in_1024;  /* how often another Gaussian follows */
    uint32_t ones_in_1024;  /* how often any other modelled bit is a one */
    test_bytes bytes;
} test_coder;

void test_coder_start(test_coder *coder);
void test_coder_bit(test_coder *coder, uint16_t *context, uint32_t bit);
void test_coder_direct(test_coder *coder, uint32_t value, uint32_t bits);
void test_coder_end(test_coder *coder);

typedef struct test_stream {
    gs_info info;
    test_bytes bytes;
    gs_gaussian *gaussians;
    uint32_t count;
    int16_t *pcm; /* what a decoder must give, straight from the formulas of SPEC.md */
} test_stream;

/* The first sample of a Gaussian, as the stream has it. */
uint32_t test_onset(const gs_gaussian *gaussian);

/* The sample after its last, counted the same way. */
uint32_t test_end(const gs_info *info, const gs_gaussian *gaussian);

/* Slots before sample 0. */
int32_t test_lead_in(const gs_info *info);

/* The levels of the bands in a frame, limited, and how many bands there are, by the formulas of SPEC.md. */
uint32_t test_noise_levels(const test_stream *stream, int64_t frame, int64_t *level);

/* Bin of the centre of a band. */
uint32_t test_noise_bin(const gs_info *info, uint32_t band);

typedef struct test_complex {
    int64_t re;
    int64_t im;
} test_complex;

/* The spectrum of a frame, raised to the highest block exponent, the transform of one, and both. Exponents are
 * returned. */
int64_t test_noise_spectrum(const test_stream *stream, int64_t frame, int64_t *spectrum);
void test_noise_transform(const int64_t *spectrum, uint32_t frame_log2, test_complex *z);
int64_t test_noise_frame(const test_stream *stream, int64_t frame, test_complex *z);

/* The block between two frames. */
void test_noise_block(const gs_info *info, const int64_t *exponent, test_complex *const *z, int64_t *noise);

/* The header as the format has it; loop points only if info->has_loop. */
void test_append_header(test_bytes *bytes, const gs_info *info);
void test_append_segment(test_bytes *bytes, const test_bytes *data);
void test_stream_make(test_stream *stream);

/* One whose header is changed first, to another legal one. */
void test_stream_make_with(test_stream *stream, void (*change)(gs_info *info));
void test_stream_free(test_stream *stream);

/* A decoder on memory of exactly the stream's class, to be freed by the caller with free(). */
gs_decoder *test_open(const test_stream *stream);

/* Reads `count` samples of each channel, at most so many at a time; pcm has room for all. */
void test_read(gs_decoder *decoder, uint32_t most, uint32_t count, int16_t *pcm);

/* What gs_decoder_size says of the stream's class. */
size_t test_room(const gs_info *info);

#endif
