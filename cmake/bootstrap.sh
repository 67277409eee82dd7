# Shared by first_light.sh and run_tests.sh: what this machine lacks, and where the build goes. POSIX sh, to be sourced.
# Expects the variable `source` (the repository). Sets `build` (PLATEAU_BUILD, or build/ in the repository) and `jobs`.

build=${PLATEAU_BUILD:-$source/build}

say() { printf 'plateau: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}

# add_unless_command COMMAND PACKAGE: PACKAGE joins `missing` unless there is such a command
add_unless_command() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# add_unless_installed PACKAGE...
add_unless_installed() {
    for package in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
            installed) ;;
            *) missing="$missing $package" ;;
        esac
    done
}

# ensure LIBRARY-PACKAGE...: compiler, build tools and these libraries, from apt where they are missing
ensure() {
    missing=
    command -v "${CXX:-c++}" >/dev/null 2>&1 || add_unless_command g++ g++
    add_unless_command cmake cmake
    command -v make >/dev/null 2>&1 || add_unless_command ninja ninja-build
    add_unless_command pkg-config pkg-config
    add_unless_installed "$@"
    [ -n "$missing" ] || return 0

    if ! command -v apt-get >/dev/null 2>&1; then
        say "this machine has no apt-get, and these Debian packages (or what they are called here) are missing:"
        say "  $missing"
        say "Where they are there under another name, build without this script:"
        say "  cmake -S $source -B $build && cmake --build $build"
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "as root, please: apt-get install --no-install-recommends$missing"
        as_root=sudo
    fi
    say "installing$missing"
    apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"
    $apt update </dev/null >&2 || say "apt-get update failed; trying with the package lists that are there"
    # shellcheck disable=SC2086  # a list of words
    $apt install --no-install-recommends $missing </dev/null >&2 ||
        fail "apt-get could not install$missing. Check the package sources and the network, then try again."
}

# configure OPTION...: OPTIONs are for this call; the generator is chosen in a new build folder alone
configure() {
    if [ ! -f "$build/CMakeCache.txt" ] && [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja >/dev/null 2>&1; then
        set -- -G Ninja "$@"
    fi
    cmake -S "$source" -B "$build" "$@" >&2 || fail "cmake could not configure $build; see above"
}

# A compiler needs up to 1.5 GiB for a file of ours: no more of them at a time than fit.
jobs=$(nproc 2>/dev/null || echo 1)
available=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo 2>/dev/null || echo "$jobs")
[ "${available:-0}" -ge 1 ] || available=1
[ "$jobs" -le "$available" ] || jobs=$available
