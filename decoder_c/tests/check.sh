#!/bin/sh
# Builds and tests the library in every configuration that finds a different kind of fault. Usage: tests/check.sh [BUILD_DIR]
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source/build/check}

configuration() {
    name=$1
    shift
    echo "== $name"
    cmake -S "$source" -B "$build/$name" "$@" >/dev/null
    cmake --build "$build/$name" >/dev/null
    ctest --test-dir "$build/$name" --output-on-failure --no-tests=error >"$build/$name.log" || {
        cat "$build/$name.log"
        exit 1
    }
}

configuration plain
configuration small -DCMAKE_BUILD_TYPE=MinSizeRel -DAUDIO_GS_ERROR_STRINGS=OFF
configuration ranges -DCMAKE_BUILD_TYPE=Debug -DAUDIO_GS_RANGE_CHECKS=ON
configuration sanitized -DCMAKE_BUILD_TYPE=Debug -DAUDIO_GS_RANGE_CHECKS=ON -DAUDIO_GS_SANITIZE=address,undefined
if command -v clang >/dev/null; then
    configuration memory -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DAUDIO_GS_SANITIZE=memory
    configuration integer -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
        -DAUDIO_GS_SANITIZE=undefined,implicit-conversion,local-bounds
fi
if command -v valgrind >/dev/null; then
    echo "== valgrind"
    for step in container range slot dequantise render misuse; do
        valgrind --quiet --error-exitcode=1 --leak-check=full "$build/plain/tests/test_$step"
    done
    for seed in 0 1 2 3 4 5 6 7; do
        valgrind --quiet --error-exitcode=1 --leak-check=full "$build/plain/tests/test_noise" "$seed"
        valgrind --quiet --error-exitcode=1 --leak-check=full "$build/plain/tests/test_decoder" "$seed"
        valgrind --quiet --error-exitcode=1 --leak-check=full "$build/plain/tests/test_hostile" "$seed"
    done
fi
if command -v cppcheck >/dev/null; then
    echo "== cppcheck"
    cppcheck --quiet --std=c99 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
        -I "$source/include" -I "$source/src" "$source/src"
fi
