# Compiled from decoder_c/include/audio_gs.h by cffi, whose objects have no static types.
from typing import Any

ffi: Any
lib: Any
