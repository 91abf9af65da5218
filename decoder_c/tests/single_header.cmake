# The decoder as one header, made by HEADER_GENERATOR from the sources as they are, in C99 and in C++17.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
endif()

set(folder ${CMAKE_CURRENT_BINARY_DIR}/single_header)
file(MAKE_DIRECTORY ${folder})
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.[ch] ${PROJECT_SOURCE_DIR}/include/*.h
     ${PROJECT_SOURCE_DIR}/cmake/sources.txt ${PROJECT_SOURCE_DIR}/LICENSE)
add_custom_command(
  OUTPUT ${folder}/audio_gs.h
  COMMAND ${Python3_EXECUTABLE} ${HEADER_GENERATOR} ${PROJECT_SOURCE_DIR} ${folder}/audio_gs.h
  DEPENDS ${HEADER_GENERATOR} ${sources}
  VERBATIM)
add_custom_target(single_header DEPENDS ${folder}/audio_gs.h)

function(add_single_header_test name suffix)
  foreach(file test_single_header single_header_decoder)
    configure_file(${file}.c ${folder}/${file}.${suffix} COPYONLY)
    list(APPEND files ${folder}/${file}.${suffix})
  endforeach()
  add_executable(${name} ${files})
  add_dependencies(${name} single_header)
  target_include_directories(${name} PRIVATE ${folder})
  target_link_libraries(${name} PRIVATE gs_settings)
  set_target_properties(${name} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  add_test(NAME ${name} COMMAND ${name} ${AUDIO_GS_VECTORS})
endfunction()

add_single_header_test(single_header_c c)
# Warnings and sanitizers are those of the compiler for C.
if(CMAKE_CXX_COMPILER_ID STREQUAL CMAKE_C_COMPILER_ID)
  add_single_header_test(single_header_cpp cpp)
endif()
