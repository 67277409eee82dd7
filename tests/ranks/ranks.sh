#!/bin/sh
# ranks.sh MPIEXEC PROGRAM PROGRAM_WITH_MPI GENERATE_WITH_MPI
#
# The same bytes under 1, 2 and 3 ranks as without MPI; a journal that ranks wrote and one process resumes, and the
# other way round; errors of ranks; a rank that is killed; a program without MPI that finds itself under several.
set -u
launcher=$1 plain=$2 program=$3 other=$4
work=$(mktemp -d "${TMPDIR:-/tmp}/plateau-ranks.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
case $("$launcher" --version 2>&1) in
    *"Open MPI"* | *OpenRTE*) many="--oversubscribe --bind-to none" && [ "$(id -u)" = 0 ] && many="$many --allow-run-as-root" ;;
    *) many="" ;;
esac
OMPI_MCA_btl_vader_single_copy_mechanism=none  # containers may forbid one process to read another's memory
export OMPI_MCA_btl_vader_single_copy_mechanism
failed=0
fail() { echo "failed: $*"; failed=1; }
ranks() {  # COUNT ARGUMENT...
    count=$1; shift
    # shellcheck disable=SC2086
    timeout 120 "$launcher" $many -n "$count" "$@"
}
same() {
    for one in plain/*; do
        name=$(basename "$one")
        [ "$name" = summary.json ] || cmp "$one" "$1/$name" || fail "$1/$name is not what one process writes"
    done
}
tells() { grep -q "\"$2\": $3" "$1/summary.json" || fail "$1/summary.json does not say $2: $3"; }
sweep="--pairs chain --kl --steps 41 --threads 1" long="--pairs chain --kl --steps 1501 --threads 1"

# shellcheck disable=SC2086
"$plain" $sweep --out plain >/dev/null || exit 1
ranks 2 true 2>/dev/null || { echo "skipped: $launcher cannot start two processes here"; exit 0; }
for count in 1 2 3; do
    ranks $count "$program" $sweep --out "of$count" >"of$count.txt" 2>said || { fail "$count ranks"; cat said; }
    same "of$count"
    tells "of$count" ranks $count
    [ "$(wc -l <"of$count.txt")" -eq "$(wc -l <of1.txt)" ] || fail "a table was printed more than once"
done

ranks 2 "$program" $sweep --out journalled --journal two.journal >/dev/null 2>said || { fail "a journal of two ranks"; cat said; }
same journalled
"$plain" $sweep --out resumed --resume two.journal >/dev/null || fail "one process resumes"
same resumed
tells resumed resumed_points $((127 * 41))
"$plain" $sweep --out one --journal one.journal >/dev/null
ranks 3 "$program" $sweep --out resumed3 --resume one.journal >/dev/null 2>said || { fail "ranks resume"; cat said; }
same resumed3
tells resumed3 ranks 3

# one of them killed: the others end, and what was finished is there
ranks 2 "$program" $long --out killed --journal killed.journal >/dev/null 2>&1 &
launched=$!
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.5
    victim=$(pgrep -f "out killed --journal killed.journal" | while read -r pid; do
        [ "$(basename "$(readlink "/proc/$pid/exe")")" = "$(basename "$program")" ] && echo "$pid"; done | tail -n 1)
    [ -n "$victim" ] && [ "$(cat killed.journal* 2>/dev/null | wc -c)" -gt 100000 ] && break
done
[ -n "$victim" ] && kill -KILL "$victim"
wait $launched && fail "a killed rank went unnoticed"
[ -e killed/distances.npy ] && fail "a killed run left files"
"$plain" $long --out killed --resume killed.journal >/dev/null || fail "what a killed rank left cannot be resumed"
"$plain" $long --out undisturbed >/dev/null
cmp killed/distances.npy undisturbed/distances.npy || fail "a resumed run differs"
grep -q '"resumed_points": 0' killed/summary.json && fail "a killed run left no finished chunk"

# errors: one message, an end
ranks 2 "$program" $sweep --write-site nowhere --out wrong >/dev/null 2>said && fail "a wrong site went unnoticed"
grep -q "rank [01] on .*nowhere" said || { fail "an error does not name its rank"; cat said; }
ranks 2 "$plain" $sweep --out wrong >/dev/null 2>said && fail "a program without MPI does all of the work twice"
grep -q "PLATEAU_MPI" said || { fail "it does not say what to build"; cat said; }

# what sweeps nothing is done by rank 0 alone
ranks 2 "$other" --prompt "The house" --max-new-tokens 3 >two.txt 2>said || { fail "a program that sweeps nothing"; cat said; }
[ "$(wc -l <two.txt)" -eq 1 ] || fail "a text was written more than once"
exit $failed
