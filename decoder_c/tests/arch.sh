#!/bin/sh
# Builds the library for other architectures, and runs the golden streams and the tests of the steps there under qemu's
# user emulation: 32 and 64 bits, both orders of bytes. An architecture whose compiler or emulator is not installed is
# left out, and that is said; if none is there, the exit code is 77.
# Usage: tests/arch.sh BUILD_DIR VECTORS [ARCHITECTURE...]
#   Debian: qemu-user, gcc-i686-linux-gnu, gcc-mips-linux-gnu, gcc-aarch64-linux-gnu, gcc-riscv64-linux-gnu,
#   gcc-s390x-linux-gnu, and libc6-dev-ARCH-cross of each
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=$1
vectors=$2
shift 2
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
done=0

# One seed of those tests that run many of them: what is looked for here shows in any.
steps="container range_coder slots tone noise residual pcm playback decoder mixer hostile misuse"

for architecture in ${*:-i386 aarch64 riscv64 s390x mips}; do
    prefix=$architecture
    [ "$architecture" = i386 ] && prefix=i686
    compiler=$prefix-linux-gnu-gcc
    emulator=qemu-$architecture
    missing=
    for tool in "$compiler" "$emulator"; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    if [ -n "$missing" ]; then
        echo "== without $architecture:$missing is not installed"
        continue
    fi
    echo "== $architecture"
    cmake -S "$source" -B "$build/$architecture" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$architecture" \
        -DCMAKE_C_COMPILER="$compiler" -DCMAKE_EXE_LINKER_FLAGS=-static -DCMAKE_BUILD_TYPE=Release >/dev/null
    cmake --build "$build/$architecture" --parallel "$jobs" >"$build/$architecture.log" 2>&1 || {
        cat "$build/$architecture.log"
        exit 1
    }
    "$emulator" "$build/$architecture/tests/test_vectors" "$vectors"
    for step in $steps; do
        "$emulator" "$build/$architecture/tests/test_$step" 0 || {
            echo "$architecture: test_$step fails" >&2
            exit 1
        }
    done
    done=$((done + 1))
done
if [ "$done" = 0 ]; then
    echo "no architecture can be emulated here" >&2
    exit 77
fi
echo "$done architectures give the samples of all vectors and pass the tests of the steps"
