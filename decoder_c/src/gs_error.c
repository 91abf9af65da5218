#include "audio_gs.h"

const char *gs_error_string(int error)
{
#ifdef GS_NO_ERROR_STRINGS
    (void)error;
    return "";
#else
    /* In the order of the numbers, which saves a table of pointers. */
    const char *text = "no error\0"
                       "wrong argument\0"
                       "memory too small or misaligned\0"
                       "truncated stream\0"
                       "corrupt stream\0"
                       "corrupt stream: wrong checksum\0"
                       "unknown format version\0"
                       "stream with an unknown feature\0"
                       "read callback failed\0"
                       "stream that costs more than it promises\0"
                       "unknown error";

    if (error > 0 || error < GS_ERR_COST)
        error = GS_ERR_COST - 1;
    for (; error < 0; error++) {
        while (*text)
            text++;
        text++;
    }
    return text;
#endif
}
