#!/bin/sh
# threads.sh SOURCE FOLDER
#
# The tests of the engine and of layers that take turns under ThreadSanitizer, built for it in FOLDER.
set -eu
source=$1 folder=$2
cmake -S "$source" -B "$folder" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O1 -g1 -fsanitize=thread" -DPLATEAU_CUDA=OFF \
    -DPLATEAU_BUILD_TESTS=ON -DPLATEAU_BUILD_EXAMPLES=OFF -DPLATEAU_BUILD_BENCHMARKS=OFF >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log"; exit 1; }
cmake --build "$folder" --target plateau_tests_engine plateau_tests_models -j "$(nproc)" >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log"; exit 1; }
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
"$folder/tests/engine_tests" "~[full]"
"$folder/tests/models_tests" "[turns]"
