#!/bin/sh
# sh debian.sh SOURCE FOLDER
# Makes the Debian packages of SOURCE in FOLDER, lets lintian look at them where it is, and uses them in a Debian of their own, made by
# debootstrap in FOLDER/root and removed in the end: programs without a compiler around, then the projects of tests/consumer. As root, with
# a mirror in reach (PLATEAU_MIRROR, http://deb.debian.org/debian); otherwise a line that begins with `skipped: `.
# PLATEAU_JOBS says how many compilers run at a time; PLATEAU_KEEP=1 leaves the Debian there, to look around in.
set -eu
source=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
mirror=${PLATEAU_MIRROR:-http://deb.debian.org/debian}
root=$folder/root
jobs=${PLATEAU_JOBS:-$(nproc)}
say() { printf 'packages: %s\n' "$*"; }
skip() { echo "skipped: $*"; exit 0; }
fail() { say "$*"; exit 1; }
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

[ "$(id -u)" -eq 0 ] || skip "only root can make a Debian in a folder"
command -v debootstrap >/dev/null || skip "there is no debootstrap"
command -v dpkg-shlibdeps >/dev/null || skip "there is no dpkg-shlibdeps (dpkg-dev)"

say "building"
cmake -S "$source" --preset package -B "$folder/build" >"$folder/configure.log" || fail "cmake fails; see $folder/configure.log"
cmake --build "$folder/build" --target plateau_tools plateau_compiled --parallel "$jobs" >"$folder/build.log" 2>&1 ||
    fail "the build fails; see $folder/build.log"
rm -f "$folder"/build/packaging/*.deb
cpack --config "$folder/build/CPackConfig.cmake" -B "$folder/build/packaging" >"$folder/cpack.log" 2>&1 || fail "cpack fails; see $folder/cpack.log"
dev=$(ls "$folder"/build/packaging/libplateau-dev_*.deb)
tools=$(ls "$folder"/build/packaging/plateau-tools_*.deb)
for deb in "$dev" "$tools"; do
    say "$(basename "$deb"), $(wc -c <"$deb") bytes"
    dpkg-deb --field "$deb" Depends Recommends Suggests Installed-Size
done
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error "$dev" "$tools" || fail "lintian has errors"
    say "lintian has no errors"
else
    say "there is no lintian, so it has not looked at them"
fi
if command -v pyspdxtools >/dev/null; then  # Python's spdx-tools
    pyspdxtools -i "$folder/build/packaging/plateau.spdx.json" || fail "plateau.spdx.json is not valid"
    say "plateau.spdx.json is valid"
fi
grep -q "no help2man" "$folder/cpack.log" && say "there is no help2man, so there are no man pages"

# A Debian with nothing in it
rm -rf --one-file-system "$root"
leave() {
    umount "$root/proc" 2>/dev/null || true
    [ -n "${PLATEAU_KEEP:-}" ] || rm -rf --one-file-system "$root"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
say "making a Debian in $root"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$folder/debootstrap.log" 2>&1 || {
    grep -qiE "(couldn't|failed to) (download|retriev)|failed getting release|Invalid Release" "$folder/debootstrap.log" || fail "debootstrap fails; see $folder/debootstrap.log"
    skip "$mirror cannot be reached"
}
mount -t proc proc "$root/proc" 2>/dev/null || say "no /proc in there: the programs take the folder that they were built with"
mkdir "$root/debs"
cp "$dev" "$tools" "$root/debs"
mkdir -p "$root/source/tests" "$root/source/examples"
cp "$source/README.md" "$root/source"
cp -r "$source/tests/consumer" "$root/source/tests"
cp -r "$source"/examples/*.cpp "$source/examples/programs" "$source/examples/data" "$root/source/examples"
inside apt-get -q update >"$folder/apt.log" 2>&1 || fail "apt-get update fails; see $folder/apt.log"
install() { inside apt-get -q -y install --no-install-recommends "$@" >>"$folder/apt.log" 2>&1 || fail "$* cannot be installed; see $folder/apt.log"; }

say "programs, with what they depend on alone"
install "/debs/$(basename "$tools")"
inside dpkg --verify plateau-tools
version=$(dpkg-deb --field "$tools" Version)
count=0
for program in $(dpkg-deb --fsys-tarfile "$tools" | tar -t | sed -n 's|^\./usr/bin/\(..*\)$|\1|p'); do
    [ "$(inside "$program" --version)" = "$version" ] || fail "$program --version does not say $version"
    inside "$program" --help | grep -q -- "--model TEXT=/usr/share/plateau/embedded" || fail "$program does not find the embedded model"
    if [ -d "$root/usr/share/man/man1" ] && [ ! -e "$root/usr/share/man/man1/$program.1.gz" ]; then fail "$program has no man page"; fi
    count=$((count + 1))
done
[ "$count" -ge 19 ] || fail "there are $count programs"
inside stable_regions --out /first | tail -4
[ -s "$root/first/curves.png" ] || fail "stable_regions has left no picture"
inside emergence --steps 5 --out /emergence >/dev/null || fail "emergence finds no checkpoints"
[ "$(inside generate --prompt "The house" --max-new-tokens 4 | wc -c)" -gt 9 ] || fail "generate writes nothing"
inside tokenize --text " The house" | grep -q '^[0-9 ]*$' || fail "tokenize gives no ids"
say "$count programs run"
for pair in Nehalem=portable Haswell=avx2; do  # other processors, where there is an emulator
    processor=${pair%=*} expected=${pair#*=}
    command -v qemu-x86_64 >/dev/null || break
    head -n 8 "$root/usr/share/plateau/embedded/prompts.txt" >"$folder/prompts.txt"
    qemu-x86_64 -cpu "$processor" -L "$root" "$root/usr/bin/stable_regions" --steps 5 --threads 1 --prompts "$folder/prompts.txt" \
        --out "$folder/$processor" >"$folder/$processor.log" 2>&1 || fail "stable_regions does not run on a $processor; see $folder/$processor.log"
    grep -q "\"instruction_set\": \"$expected\"" "$folder/$processor/summary.json" || fail "on a $processor stable_regions does not take $expected"
    say "stable_regions runs on a $processor, as $expected"
done

say "the consumers of tests/consumer"
install "/debs/$(basename "$dev")" cmake g++ make
inside dpkg --verify libplateau-dev
# consume KIND NAME [OPTION...]
consume() {
    kind=$1 name=$2
    shift 2
    { inside cmake -S "/source/tests/consumer/$kind" -B "/$name" -DPLATEAU_SOURCE=/source "$@" &&
        inside cmake --build "/$name" --parallel "$jobs" &&
        inside ctest --test-dir "/$name" --output-on-failure --no-tests=error; } >"$folder/$name.log" 2>&1 || fail "$name fails; see $folder/$name.log"
    say "$name: $(grep 'tests passed' "$folder/$name.log")"
}
consume find_package find_package
consume one_file one_file
# shellcheck disable=SC2046  # a list of words
install $(dpkg-deb --field "$dev" Recommends | tr -d ',')
consume find_package find_package_with_program
grep -q "copied_without_a_model" "$folder/find_package_with_program.log" || fail "the component program is not found though its libraries are there"

say "and gone again"
inside apt-get -q -y purge libplateau-dev plateau-tools >>"$folder/apt.log" 2>&1
left=$(inside find / -xdev \( -path /source -o -path /proc -o -path /debs -o -path /var/lib \) -prune -o -name '*plateau*' -print | grep -v -e '^/find_package' -e '^/one_file' || true)
[ -z "$left" ] || fail "purged, and still there: $left"
say "passed"
