#!/bin/sh
# From a fresh clone to the test results: installs what is missing (apt), builds everything, runs the tests with the
# label `fast`. Arguments go to ctest, for example: -R tests.io
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/cmake/bootstrap.sh"

ensure libeigen3-dev rapidjson-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev libminizip-dev zlib1g-dev libcairo2-dev libcli11-dev fonts-dejavu-core \
    libxtensor-dev catch2 libbenchmark-dev clang-format ccache
case $(ccache --show-config 2>/dev/null) in
    *"(default) max_size"*) export CCACHE_MAXSIZE=2G ;;  # room for several versions of everything
esac
configure -DPLATEAU_BUILD_TESTS=ON -DPLATEAU_BUILD_EXAMPLES=ON -DPLATEAU_BUILD_BENCHMARKS=ON
cmake --build "$build" --parallel "$jobs" >&2 || fail "the build failed; see above"
ctest --test-dir "$build" -L fast --output-on-failure --no-tests=error --parallel "$jobs" "$@"
