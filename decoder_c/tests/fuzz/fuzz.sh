#!/bin/sh
# Fuzzes the decoder with libFuzzer under clang's address and undefined-behaviour sanitizers, from the golden streams on.
# Keeps its corpus from run to run; what it finds lies beside it, and belongs into tests/fuzz/cases once it is mended.
# Usage: tests/fuzz/fuzz.sh [BUILD_DIR [SECONDS [VECTORS]]]
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$tests/../.." && pwd)
build=${1:-$source/build/fuzz}
seconds=${2:-60}
vectors=${3:-$source/../tests/vectors}
mkdir -p "$build/corpus" "$build/seeds" "$build/found"

command -v clang >/dev/null || {
    echo "clang is not installed" >&2
    exit 1
}
clang -std=c99 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
    -DGS_RANGE_CHECKS -DGS_CHECK_COST -I "$source/include" -I "$source/src" \
    "$tests/fuzz_decoder.c" "$source"/src/*.c -o "$build/fuzz_decoder"

# A script in front of each stream: mends checksums, then acts.
for stream in "$vectors"/*.bin; do
    seed=$build/seeds/$(basename "$stream" .bin)
    printf '\001\000\012\177\000\200\007\100\003\300\012\377\006\000\001\001\002\010\012\200\011\000\005\044\004\120\010\000\007\377\012\377' >"$seed"
    cat "$stream" >>"$seed"
done
"$build/fuzz_decoder" -max_total_time="$seconds" -max_len=8192 -timeout=25 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/found/" "$build/corpus" "$build/seeds"
