/* make_stream STREAM PCM [SEED]: a stream of random legal decisions and what a decoder must make of it (16-bit, native
 * byte order). Without a seed, one whose class the README's example has memory for. */
#include "gs_test.h"

static const char *stream_name;
static const char *pcm_name;
static int any_class;
static int written;

static void write_file(const char *name, const void *data, size_t bytes)
{
    FILE *file = fopen(name, "wb");

    CHECK(file);
    CHECK(fwrite(data, 1, bytes, file) == bytes);
    CHECK(fclose(file) == 0);
}

/* Whether streams of the class, with noise, fit memory for the speech class. */
static int is_speech(const gs_class *decoder_class)
{
    static const gs_class speech = GS_CLASS(GS_SPEECH);

    return decoder_class->max_tones <= speech.max_tones && decoder_class->scales <= speech.scales &&
           decoder_class->max_noises > 0 && decoder_class->max_noises <= speech.max_noises &&
           decoder_class->noise_frame_log2 <= speech.noise_frame_log2 && decoder_class->residual <= speech.residual;
}

static void make(void)
{
    test_stream stream;

    if (written)
        return;
    test_stream_make(&stream);
    if (any_class || (is_speech(&stream.info.decoder_class) && stream.count > 100)) {
        write_file(stream_name, stream.bytes.data, stream.bytes.count);
        write_file(pcm_name, stream.pcm, stream.info.samples * sizeof *stream.pcm);
        written = 1;
    }
    test_stream_free(&stream);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: make_stream STREAM PCM [SEED]\n");
        return 2;
    }
    stream_name = argv[1];
    pcm_name = argv[2];
    any_class = argc > 3;
    (void)test_seeds(argc - 2, argv + 2, 100, make);
    return !written;
}
