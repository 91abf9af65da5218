/* For build systems that look for headers beside the sources: Arduino. */
#include "../include/audio_gs.h"
