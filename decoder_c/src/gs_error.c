#include "audio_gs.h"

const char *gs_error_string(int error)
{
#ifdef GS_NO_ERROR_STRINGS
    (void)error;
    return "";
#else
    switch (error) {
    case GS_OK:
        return "no error";
    case GS_ERR_ARGUMENT:
        return "wrong argument";
    case GS_ERR_MEMORY:
        return "memory too small or misaligned";
    case GS_ERR_TRUNCATED:
        return "truncated stream";
    case GS_ERR_CORRUPT:
        return "corrupt stream";
    case GS_ERR_CRC:
        return "corrupt stream: wrong checksum";
    case GS_ERR_VERSION:
        return "unknown format version";
    case GS_ERR_UNSUPPORTED:
        return "stream with an unknown feature";
    case GS_ERR_IO:
        return "read callback failed";
    default:
        return "unknown error";
    }
#endif
}
