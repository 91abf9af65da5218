#!/bin/sh
# Builds and tests the library in every configuration that finds a different kind of fault; what needs clang, its
# sanitizers, valgrind or cppcheck is left out, and that is said, where they are not installed.
# Usage: tests/check.sh [BUILD_DIR]
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source/build/check}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

configuration() {
    name=$1
    shift
    echo "== $name"
    cmake -S "$source" -B "$build/$name" "$@" >/dev/null
    cmake --build "$build/$name" --parallel "$jobs" >"$build/$name.log" 2>&1 || {
        cat "$build/$name.log"
        exit 1
    }
    ctest --test-dir "$build/$name" --parallel "$jobs" --output-on-failure --no-tests=error >"$build/$name.log" || {
        cat "$build/$name.log"
        exit 1
    }
}

# Whether a tool is installed.
has() {
    command -v "$1" >/dev/null || {
        echo "== without $1, which is not installed"
        return 1
    }
}

# Whether clang is installed, and with it the libraries of a sanitizer, which some systems package apart.
has_sanitizer() {
    has clang || return 1
    echo 'int main(void) { return 0; }' | clang -x c "-fsanitize=$1" -o /dev/null - 2>/dev/null || {
        echo "== without clang's sanitizer '$1', whose library is not installed"
        return 1
    }
}

# A build with checks, which is too slow without some optimisation.
checked() {
    name=$1
    shift
    configuration "$name" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g" "$@"
}

configuration plain
configuration small -DCMAKE_BUILD_TYPE=MinSizeRel -DAUDIO_GS_ERROR_STRINGS=OFF
checked ranges -DAUDIO_GS_RANGE_CHECKS=ON
checked sanitized -DAUDIO_GS_RANGE_CHECKS=ON -DAUDIO_GS_SANITIZE=address,undefined
if has_sanitizer memory; then
    checked memory -DCMAKE_C_COMPILER=clang -DAUDIO_GS_SANITIZE=memory
fi
if has_sanitizer undefined; then
    checked integer -DCMAKE_C_COMPILER=clang -DAUDIO_GS_SANITIZE=undefined,implicit-conversion,local-bounds
fi
if has valgrind; then
    echo "== valgrind"
    under_valgrind() {
        valgrind --quiet --error-exitcode=1 --leak-check=full "$build/plain/tests/$1" "$2"
    }
    for step in container range_coder slots tone pcm noise misuse decoder mixer hostile; do
        for seed in 0 1 2 3; do
            under_valgrind "test_$step" "$seed"
        done
    done
fi
if has cppcheck; then
    echo "== cppcheck"
    # It misjudges shifts of negative numbers and conversions that wrap, both of which gs_platform.h asserts, and what is
    # counted over all kinds of Gaussians, which nobody reads behind the last of them; it takes a structure whose
    # members are set one by one for one without values; and the angle 0 of a build for size for a pointer in another.
    cppcheck --quiet --std=c99 --max-configs=32 --enable=warning,style,performance,portability --error-exitcode=1 \
        --suppress=shiftTooManyBitsSigned --suppress=shiftNegativeLHS --suppress=knownConditionTrueFalse \
        --suppress='unreadVariable:*/gs_slots.c' --suppress='uselessAssignmentPtrArg:*/gs_slots.c' \
        --suppress='ctuuninitvar:*/gs_residual.c' --suppress='ctunullpointer:*/gs_cosine.h' \
        -I "$source/include" -I "$source/src" "$source/src"
fi
