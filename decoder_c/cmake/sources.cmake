# The library's sources, relative to its folder, for every build system that reads CMake. sources.txt has them, headers
# too, in the order in which they make one file.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/sources.txt AUDIO_GS_SOURCES)
list(FILTER AUDIO_GS_SOURCES INCLUDE REGEX "[.]c$")
