#!/bin/sh
# From a fresh clone to a picture: installs what is missing (apt), builds the programs, and runs stable_regions on the
# model that comes with plateau. Ends with its table and the path of the picture. Arguments go to stable_regions.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/cmake/bootstrap.sh"

ensure libeigen3-dev rapidjson-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev libminizip-dev zlib1g-dev libcairo2-dev libcli11-dev libssl-dev fonts-dejavu-core libjs-dygraphs libsqlite3-dev
# Nothing here is for a device, and nobody should wait for nvcc.
if [ -f "$build/CMakeCache.txt" ]; then
    configure -DPLATEAU_CUDA=OFF -DPLATEAU_BUILD_EXAMPLES=ON
else
    configure -DPLATEAU_CUDA=OFF -DPLATEAU_BUILD_TESTS=OFF -DPLATEAU_BUILD_BENCHMARKS=OFF
fi
cmake --build "$build" --target stable_regions --parallel "$jobs" >&2 || fail "the build failed; see above"

"$build/examples/stable_regions" --out "$build/first_light" "$@"
