#!/bin/sh
# Fuzzes the parsers of files that people bring, under AddressSanitizer and UndefinedBehaviorSanitizer:
#     sh tests/fuzz/run.sh BUILD SECONDS [PARSER…]
# BUILD keeps the program, the corpora as they grow (BUILD/grown/PARSER) and what was found (BUILD/found). SECONDS are those of one parser.
# Needs clang++ with libFuzzer (Debian: clang). Exit 1 if anything was found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
seconds=$2
shift 2
compiler=${PLATEAU_FUZZ_COMPILER:-clang++}
mkdir -p "$build/found"
"$compiler" -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DPLATEAU_HAS_XTENSOR=0 \
    -I"$here/../../include" -isystem/usr/include/eigen3 "$here/fuzz.cpp" -o "$build/fuzz" -lutf8proc -lpcre2-8 -lz -lminizip
python3 "$here/corpus.py" unpack "$build/grown"
python3 "$here/corpus.py" seeds "$build/seeds"
[ $# -gt 0 ] || set -- $(ls "$build/seeds")
status=0
for parser in "$@"; do
    mkdir -p "$build/grown/$parser"
    log="$build/found/$parser.log"
    outcome="nothing found"
    UBSAN_OPTIONS=print_stacktrace=1 PLATEAU_PARSER=$parser "$build/fuzz" "$build/grown/$parser" "$build/seeds/$parser" \
        -max_total_time="$seconds" -max_len=32768 -timeout=20 -rss_limit_mb=3000 -dict="$here/words.dict" \
        -artifact_prefix="$build/found/$parser-" -print_final_stats=1 >"$log" 2>&1 || { outcome="FOUND: see $log"; status=1; }
    printf '%-20s %10s executions, %5s features, %s\n' "$parser" "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" \
        "$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' "$log" | tail -1)" "$outcome"
done
exit $status
