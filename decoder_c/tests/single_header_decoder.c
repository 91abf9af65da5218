/* The file of test_single_header that contains the decoder. It includes the header without it first, as its own headers
 * might. */
#include "audio_gs.h"

/* Names that the decoder's sources have too. */
#define COUNT_MASK "a macro"
#define KIND_TONE "another"
enum { least, seek, outside, held_of, phase_bits, decoder };

#define AUDIO_GS_IMPLEMENTATION
#include "audio_gs.h"
