/* The file of test_single_header that contains the decoder. It includes the header without it first, as its own headers
 * might. */
#include "audio_gs.h"

/* Names of its own, as those of variables, parameters and members in the decoder's sources. */
enum { least, seek, outside, held, phase, decoder, state, slots, coder, tone, noise };

#define AUDIO_GS_IMPLEMENTATION
#include "audio_gs.h"
