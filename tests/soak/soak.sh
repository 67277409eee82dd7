#!/bin/sh
# What a long run survives:  sh tests/soak/soak.sh BUILD [KILLS [SECONDS]]
#
# Runs a sweep that keeps a journal again and again: killed at random moments, interrupted, stopped for SECONDS (60),
# with a full disk, without memory, with its model truncated, without permission, with a byte of its journal changed,
# beside a second process. Each is resumed, and has to leave the bytes of an undisturbed run, or to say what is wrong
# and leave nothing. A table of what was tried on stdout; exit status 1 if anything was lost.
# It wants coreutils, and as root mount and setpriv of util-linux; what is not there is named as left out.
set -u
build=$(cd "$1" && pwd) kills=${2:-200} stopped=${3:-60}
program=$build/examples/stable_regions
work=$(mktemp -d "${TMPDIR:-/tmp}/plateau-soak.XXXXXX")
cleanup() { umount "$work/disk" 2>/dev/null; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1

# a sweep of about two seconds here, whatever the machine: steps grow until it takes that long
steps=25
while :; do
    sweep="--kl --steps $steps"
    before=$(date +%s%N)
    "$program" $sweep --out plain >plain.txt 2>plain.err || { cat plain.err; exit 1; }
    took=$((($(date +%s%N) - before) / 1000000))
    [ $took -ge 1500 ] || [ $steps -ge 100000 ] && break
    steps=$((steps * 2))
done
echo "one run: $took ms, $(sed -n 's/.*"pairs": \([0-9]*\).*/\1/p' plain/summary.json | head -n 1) pairs x $steps steps"

lost=0
same() {  # FOLDER: the bytes of the undisturbed run, what a summary says of the run itself aside
    for one in plain/*; do
        name=$(basename "$one")
        [ "$name" = summary.json ] && continue
        cmp -s "$one" "$1/$name" || { echo "  $1/$name differs"; return 1; }
    done
}
row() { printf '%-46s %6s tried %6s resumed %6s lost  %s\n' "$1" "$2" "$3" "$4" "$5"; lost=$((lost + $4)); }
moment() {  # a random part of a run, in seconds
    awk -v took="$took" -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN { srand(seed); printf "%.3f", rand() * took / 1000 }'
}
finish() {  # the journal is resumed to its end: sets `points`, which it had
    "$program" $sweep --out "$1" --resume run.journal >/dev/null 2>"$1.err" || { cat "$1.err"; return 1; }
    points=$(sed -n 's/.*"resumed_points": \([0-9]*\).*/\1/p' "$1/summary.json")
    same "$1"
}

# ends of the process at random moments; every second run is ended twice
for signal in KILL TERM INT; do
    tried=0 resumed=0 gone=0 silent=0
    [ $signal = KILL ] && count=$kills || count=$((kills / 10 + 1))
    while [ $tried -lt $count ]; do
        tried=$((tried + 1))
        rm -rf run.journal* out
        timeout -s $signal "$(moment)" "$program" $sweep --out out --journal run.journal >out.txt 2>ended.err
        if [ $((tried % 2)) -eq 0 ] && [ -e run.journal ]; then
            timeout -s $signal "$(moment)" "$program" $sweep --out out --resume run.journal >out.txt 2>ended.err
        fi
        [ $signal != KILL ] && [ -s ended.err ] && ! grep -q -e "--resume run.journal" ended.err && silent=$((silent + 1))
        [ -e run.journal ] || continue  # it had not come so far
        before=$(wc -c <run.journal)
        finish out || gone=$((gone + 1))
        [ "${points:-0}" -gt 0 ] && resumed=$((resumed + 1))
    done
    row "SIG$signal at random moments" $tried $resumed $gone "$([ $silent -gt 0 ] && echo "$silent did not say how to go on")"
    lost=$((lost + silent))
done

# stopped for a while
rm -rf run.journal* out
"$program" $sweep --out out --journal run.journal >/dev/null 2>&1 &
one=$!
sleep "$(moment)"
kill -STOP $one && sleep "$stopped" && kill -CONT $one
wait $one && same out && gone=0 || gone=1
row "SIGSTOP for $stopped s" 1 - $gone ""

# says TEXT PROGRAM...: has to fail with a status of 1 to 127 and to say the text
says() {
    text=$1; shift
    "$@" >out.txt 2>said.err
    status=$?
    [ $status -ge 1 ] && [ $status -le 127 ] && grep -q -e "$text" said.err && return 0
    echo "  exit status $status instead of one that says '$text':"; cat said.err; return 1
}
half() {  # a journal of part of a run
    part=200
    while :; do
        rm -rf run.journal* out
        timeout -s KILL "$(awk -v t="$took" -v p=$part 'BEGIN { printf "%.3f", t * p / 1000000 }')" \
            "$program" $sweep --out out --journal run.journal >/dev/null 2>&1 && return  # a whole one
        [ "$(cat run.journal* 2>/dev/null | wc -c)" -gt 100000 ] && return
        part=$((part * 5 / 4))
    done
}

# a full disk
mkdir -p disk
if mount -t tmpfs -o size=400k tmpfs disk 2>/dev/null; then
    gone=0
    rm -rf out
    says "is full" "$program" $sweep --out out --journal disk/run.journal || gone=1
    rm -rf run.journal*
    cp disk/run.journal* . && finish out || gone=1
    row "a full disk, resumed on another" 1 "$([ "${points:-0}" -gt 0 ] && echo 1 || echo 0)" $gone ""
    umount disk
else
    echo "a full disk: left out, no tmpfs can be mounted here"
fi

# memory taken away, from too little to start with up to enough
half
cp run.journal kept.journal && { [ ! -e run.journal-wal ] || cp run.journal-wal kept.journal-wal; }
tried=0 told=0 gone=0 room=50000
while :; do
    rm -rf run.journal* out
    for one in kept.journal*; do cp "$one" "run${one#kept}"; done
    if (ulimit -v $room; exec "$program" $sweep --threads 1 --out out --resume run.journal >/dev/null 2>said.err); then
        same out || gone=$((gone + 1))
        break
    elif ! grep -q "shared librar" said.err; then  # it had started
        tried=$((tried + 1))
        [ -s said.err ] && [ ! -e out/distances.npy ] && finish out && told=$((told + 1)) || { gone=$((gone + 1)); cat said.err; }
    fi
    room=$((room + room / 20))
done
row "without memory, then with some" $tried $told $gone "enough are $room KiB of addresses"

# the model is truncated under the map
cp -r "${PLATEAU_DATA:-$(dirname "$0")/../../examples/data}/embedded" model 2>/dev/null || cp -r "$OLDPWD/examples/data/embedded" model
rm -rf run.journal* out
"$program" --model model --kl --steps $steps --out out --journal run.journal >/dev/null 2>said.err &
one=$!
sleep 0.02
for weights in model/*.safetensors; do : >"$weights"; done
wait $one
status=$?
gone=0
[ $status -eq 0 ] || { [ $status -eq 1 ] && [ -s said.err ]; } || { gone=1; echo "  exit status $status"; cat said.err; }
row "a model truncated while it is read" 1 - $gone "exit $status"

# no permission
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    half
    gone=0
    chmod 755 . && chmod 644 run.journal*
    says "writable" setpriv --reuid 65534 --clear-groups "$program" $sweep --out /tmp/plateau-soak-nobody --resume run.journal || gone=1
    finish out || gone=1
    row "a journal that may not be written" 1 1 $gone ""
else
    echo "a journal that may not be written: left out, it takes root and setpriv"
fi

# a changed byte: either it does not matter, or it is said
half
"$program" $sweep --out out --resume run.journal >/dev/null 2>&1
cp run.journal whole.journal
size=$(wc -c <whole.journal) tried=0 told=0 gone=0
while [ $tried -lt $((kills / 5 + 2)) ]; do
    tried=$((tried + 1))
    cp whole.journal run.journal
    at=$(awk -v n="$size" -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN { srand(seed); printf "%d", rand() * n }')
    byte=$(od -An -tu1 -j "$at" -N 1 run.journal)
    printf "\\$(printf %o $((byte ^ 1)))" | dd of=run.journal bs=1 seek="$at" conv=notrunc 2>/dev/null
    rm -rf out
    if "$program" $sweep --out out --resume run.journal >/dev/null 2>said.err; then same out || gone=$((gone + 1))
    elif [ $? -le 2 ] && [ -s said.err ] && [ ! -e out/distances.npy ]; then told=$((told + 1))
    else gone=$((gone + 1)); cat said.err
    fi
done
row "a changed byte of the journal" $tried - $gone "$told told, the others did no harm"

# wrong use
gone=0
half
says "exists" "$program" $sweep --out out --journal run.journal || gone=$((gone + 1))
says "option --steps" "$program" --kl --steps 7 --out out --resume run.journal || gone=$((gone + 1))
says "option --kl" "$program" --steps $steps --out out --resume run.journal || gone=$((gone + 1))
says "no such file" "$program" $sweep --out out --resume missing.journal || gone=$((gone + 1))
echo "no journal at all, but long enough to look like a file of some kind" >text.journal
says "no journal" "$program" $sweep --out out --resume text.journal || gone=$((gone + 1))
"$program" $sweep --out other --resume run.journal >/dev/null 2>&1 &
one=$!
sleep 0.3
says "another process" "$program" $sweep --out out --resume run.journal || gone=$((gone + 1))
wait $one && same other || gone=$((gone + 1))
: >empty.journal && mv empty.journal run.journal && finish out || gone=$((gone + 1))
row "wrong use, a second process, an empty file" 8 - $gone ""

echo "lost: $lost"
[ $lost -eq 0 ]
