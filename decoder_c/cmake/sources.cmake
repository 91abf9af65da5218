# The library's sources, relative to its folder, for every build system that reads CMake.
set(AUDIO_GS_SOURCES
  src/gs_container.c
  src/gs_decoder.c
  src/gs_dequantise.c
  src/gs_error.c
  src/gs_noise.c
  src/gs_range.c
  src/gs_render.c
  src/gs_slot.c)
