#!/bin/sh
# From a fresh clone to the test results: installs what is missing (apt), builds everything, runs the tests with the
# label `fast`. Arguments go to ctest, for example: -R tests.io
# PLATEAU_MINUTES=75 ends it after that time; PLATEAU_SINCE=COMMIT builds first what has changed since; see staged.sh.
set -eu
PLATEAU_START=$(date +%s)
export PLATEAU_START
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/cmake/bootstrap.sh"

ensure libeigen3-dev rapidjson-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev libminizip-dev zlib1g-dev libcairo2-dev libcli11-dev libssl-dev fonts-dejavu-core libjs-dygraphs libsqlite3-dev \
    libxtensor-dev catch2 libbenchmark-dev clang-format ccache ninja-build libopenmpi-dev openmpi-bin
case $(ccache --show-config 2>/dev/null) in
    *"(default) max_size"*) export CCACHE_MAXSIZE=2G ;;  # room for several versions of everything
esac
configure -DPLATEAU_CUDA=AUTO -DPLATEAU_BUILD_TESTS=ON -DPLATEAU_BUILD_EXAMPLES=ON -DPLATEAU_BUILD_BENCHMARKS=ON
exec sh "$source/cmake/staged.sh" "$source" "$build" "$jobs" "$@"
