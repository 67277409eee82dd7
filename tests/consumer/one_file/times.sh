#!/bin/sh
# sh times.sh PREFIX [ROUNDS]: lines of projects of one file, and processor seconds (user + system, least of ROUNDS) that they take to compile
# from the headers of an installed plateau and linked to its plateau::compiled. Beside them what parsing the standard library takes.
set -eu
prefix=$1 rounds=${2:-1}
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../../examples
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: "${CXX:=g++}"
seconds() {  # SOURCE [FLAG...]
    for round in $(seq "$rounds"); do
        /usr/bin/env TIMEFORMAT='%U %S' bash -c 'time "$@"' - "$CXX" -std=c++20 -O2 -DEIGEN_NO_CUDA -DPLATEAU_HAS_XTENSOR=0 \
            -I"$prefix/include" -I/usr/include/eigen3 -c -o "$scratch/object.o" "$@" 2>&1 | tail -n 1
    done | awk '{ s = $1 + $2; if (NR == 1 || s < least) least = s } END { printf "%.2f", least }'
}
printf '#include <filesystem>\n#include <functional>\n#include <map>\n#include <thread>\n' >"$scratch/standard.cpp"
printf '%-20s %6s %9s %9s\n' file lines headers linked
printf '%-20s %6s %9s\n' 'standard library' 4 "$(seconds "$scratch/standard.cpp")"
for source in "$examples/first_light.cpp" "$examples/cache_everything.cpp" "$examples/patch_a_head.cpp" "$examples/own_path.cpp" \
    "$here/path_and_metric.cpp" "$examples/own_block.cpp" "$examples/kernel.cpp" "$here/own_arrays.cpp"; do
    printf '%-20s %6d %9s %9s\n' "$(basename "$source" .cpp)" "$(wc -l <"$source")" "$(seconds "$source")" \
        "$(seconds "$source" -DPLATEAU_COMPILED=1)"
done
