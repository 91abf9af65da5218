"""Write the C source of the extension module `audio_gs.codec._decoder` from the decoder's public header.

    python _decoder_build.py decoder_c/include/audio_gs.h OUTPUT.c

Runs while the package is built, never afterwards, and is not installed. The declarations are the header's
own, so the binding cannot drift from the library; structure layouts and constants are checked by the C
compiler (cffi's API mode).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cffi

DECLARATIONS = re.compile(r"/\* cdef: .*?\*/(.*?)/\* cdef ends \*/", re.DOTALL)


def main() -> None:
    header, output = Path(sys.argv[1]), Path(sys.argv[2])
    declarations = DECLARATIONS.search(header.read_text(encoding="utf-8"))
    if declarations is None:
        sys.exit(f"{header} lacks the marks 'cdef:' and 'cdef ends' around its declarations")
    builder = cffi.FFI()
    builder.cdef(declarations.group(1))
    builder.set_source("audio_gs.codec._decoder", f'#include "{header.name}"')
    builder.emit_c_code(str(output))


if __name__ == "__main__":
    main()
