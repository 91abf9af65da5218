"""Write the C source of the extension module `audio_gs.codec._decoder`.

    python _decoder_build.py DECLARATIONS OUTPUT.c

DECLARATIONS is what a C preprocessor leaves of decoder_c/include/audio_gs.h with GS_DECLARATIONS_ONLY defined, so the
binding cannot drift from the library; structure layouts and constants are checked by the C compiler (cffi's API mode).
Runs while the package is built, never afterwards, and is not installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cffi


def main() -> None:
    declarations, output = map(Path, sys.argv[1:])
    builder = cffi.FFI()
    builder.cdef(declarations.read_text(encoding="utf-8"))
    builder.set_source("audio_gs.codec._decoder", '#include "audio_gs.h"')
    builder.emit_c_code(str(output))


if __name__ == "__main__":
    main()
