#!/bin/sh
# Lines of the parsers that the committed corpora (or FOLDER/PARSER of one's own) run:   sh tests/fuzz/coverage.sh BUILD [FOLDER]
# Needs clang++, llvm-profdata and llvm-cov of one version (Debian: clang, llvm).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
version=${PLATEAU_LLVM:-14}
mkdir -p "$build"
folder=${2:-$build/unpacked}
[ $# -gt 1 ] || python3 "$here/corpus.py" unpack "$folder"
"clang++-$version" -std=c++20 -O0 -g1 -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping -DPLATEAU_HAS_XTENSOR=0 \
    -I"$here/../../include" -isystem/usr/include/eigen3 "$here/fuzz.cpp" -o "$build/covered" -lutf8proc -lpcre2-8 -lz -lminizip
for parser in $(ls "$folder"); do
    LLVM_PROFILE_FILE="$build/$parser.profraw" PLATEAU_PARSER=$parser "$build/covered" -runs=0 "$folder/$parser" >/dev/null 2>&1
done
"llvm-profdata-$version" merge -o "$build/all.profdata" "$build"/*.profraw
"llvm-cov-$version" report "$build/covered" -instr-profile="$build/all.profdata" $(find "$here/../../include/plateau/io" "$here/../../include/plateau/models" "$here/../../include/plateau/sae" -name '*.[hi]pp') |
    awk '/---/ || /^Filename/ || NF >= 10 { if (NF >= 10) printf "%-60s %8s %8s %9s\n", $1, $8, $9, $10; }'
