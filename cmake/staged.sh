#!/bin/sh
# sh staged.sh SOURCE BUILD JOBS [option of ctest...]
# Builds a configured tree in stages and runs its tests with the label `fast`. The tests of the core come first, then what has changed
# since the last release or PLATEAU_SINCE (a commit), then the rest. PLATEAU_MINUTES says how long that may take, from PLATEAU_START on
# (seconds since 1970; now): what is not built or run by then is named and counted as skipped, and what ran decides.
set -eu
source=$1 build=$2 jobs=$3
shift 3
targets=$build/plateau_targets.txt  # see stages.cmake
work=$build/plateau_staged
rm -rf "$work"
mkdir -p "$work"
for file in built results tests; do : >"$work/$file"; done
say() { printf 'plateau: %s\n' "$*" >&2; }

deadline=
if [ -n "${PLATEAU_MINUTES:-}" ]; then
    from() { awk -v start="${PLATEAU_START:-$(date +%s)}" -v share="$1" -v minutes="$PLATEAU_MINUTES" \
        'BEGIN { printf "%.0f", start + share * 60 * minutes }'; }
    deadline=$(from 1)
    built_by=$(from 0.7)  # where nothing is kept from before, the tests take a quarter of the time
fi
left() { echo $(($1 - $(date +%s))); }
within() {  # SECONDS COMMAND...: exit status 124 or 137 if it was ended
    seconds=$1
    shift
    if [ -n "$deadline" ] && command -v timeout >/dev/null; then set -- timeout -k 10 "$seconds" "$@"; fi
    "$@"
}

# build_some [TARGET...]: fails if time is up. Without a name, all that is left.
build_some() {
    [ -z "$deadline" ] || [ "$(left "$built_by")" -gt 0 ] || return 1
    : >"$work/began"
    status=0
    within "$(left "${built_by:-0}")" cmake --build "$build" --parallel "$jobs" ${1:+--target "$@"} </dev/null >&2 || status=$?
    case $status in
        0) if [ $# -gt 0 ]; then printf '%s\n' "$@"; else cut -f 1 "$targets"; fi >>"$work/built" ;;
        124 | 137)  # What was linked in that time is whole; what stood there before may be older than its sources.
            for target in "$@"; do
                file=$(awk -F '\t' -v name="$target" '$1 == name { print $2 }' "$targets")
                [ -z "$(find "$file" -newer "$work/began" 2>/dev/null)" ] || echo "$target" >>"$work/built"
            done
            return 1
            ;;
        *) say "the build failed; see above"; exit 1 ;;
    esac
}
# A line for each stage but the last; where time may run out, for some targets of it and of the last one, so that few are in doubt then.
since=${PLATEAU_SINCE:-$(git -C "$source" describe --tags --abbrev=0 2>/dev/null || true)}
{ [ -z "$since" ] || git -C "$source" diff --name-only "$since" -- || true; } | awk -F / -v targets="$targets" \
    -v most="${deadline:+16}" '
    { room = $1 == "include" ? $3 : $1 == "tests" ? $2 : ""
      if (room != "") changed["plateau_tests_" (/\/backend\/cuda\// ? "cuda" : room)]
      else if (NF == 2 && sub(/\.cpp$/, "", $2)) changed[$2] }
    END {
        while ((getline line <targets) > 0) {
            split(line, part, "\t")
            stage = (part[1] in changed) ? 2 : 3
            if (part[1] ~ /^plateau_tests_(core|tensor|io|paths|metrics|statistics|static)$/) stage = 1
            name[stage, ++count[stage]] = part[1]
        }
        for (stage = 1; stage <= (most ? 3 : 2); ++stage)
            for (i = 1; i <= count[stage]; ++i) printf "%s%s", name[stage, i], i == count[stage] || (most && i % most == 0) ? "\n" : " "
    }' >"$work/stages"
# shellcheck disable=SC2086  # a list of words
while read -r some; do build_some $some || break; done <"$work/stages"
build_some || say "time is up for building"

# What ctest would run: name and a target that is needed and not built, or nothing.
ctest --test-dir "$build" -N -V -L fast "$@" 2>&1 | awk -v targets="$targets" -v built="$work/built" '
    BEGIN {
        while ((getline line <built) > 0) done[line]
        while ((getline line <targets) > 0) if (split(line, part, "\t") == 2 && !(part[1] in done)) file[part[1]] = part[2]
    }
    sub(/^Could not find executable /, "") { missing = $0 }
    sub(/^[0-9]+: Test command: /, "") { command = missing " " $0 " "; missing = "" }
    sub(/^ *Test +#[0-9]+: /, "") {
        lacks = ""
        for (target in file) {
            at = index(command, file[target])
            if (at && substr(command, at + length(file[target])) ~ /^[ "|;,]/ || index(command, "/" target ".dir/")) lacks = target
        }
        print $1 "\t" lacks
    }' >"$work/tests"

status=0
numbers=$(awk -F '\t' '$2 == "" { printf ",%d", NR }' "$work/tests")
if [ -n "$numbers" ] && { [ -z "$deadline" ] || [ "$(left "$deadline")" -gt 0 ]; }; then
    [ "$(grep -c '	$' "$work/tests")" -eq "$(grep -c . "$work/tests")" ] || set -- -I "0,0,0$numbers" "$@"
    [ -z "$deadline" ] || set -- --stop-time "$(date '+%H %M %S' | awk -v left="$(left "$deadline")" '
        { t = ($1 * 3600 + $2 * 60 + $3 + left) % 86400; printf "%02d:%02d:%02d", t / 3600, t % 3600 / 60, t % 60 }')" "$@"
    # A test that the end of the time has cut off is a failed one to ctest: when it ended tells them apart.
    { within $(($(left "${deadline:-0}") + 30)) ctest --test-dir "$build" -L fast --output-on-failure --no-tests=error \
        --parallel "$jobs" "$@" || echo $? >"$work/status"; } | while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in *Test\ *#*) echo "$(date +%s) $line" >>"$work/results" ;; esac
    done
    [ ! -f "$work/status" ] || status=$(cat "$work/status")
fi

awk -F '\t' -v deadline="$deadline" -v status="$status" -v built="$work/built" -v targets="$targets" -v results="$work/results" '
    function skip(what, why) { print "skipped: " what ": " why; ++skipped }
    BEGIN {
        while ((getline line <results) > 0) if (match(line, /[0-9]+\/[0-9]+ Test +#[0-9]+: /)) {
            split(substr(line, RSTART + RLENGTH), word, " ")
            is = "failed"
            if (line ~ / Passed +[0-9.]+ sec/) is = "passed"
            if (line ~ /\*\*\*(Skipped|Not Run \(Disabled\))/) is = "not for this machine"
            if (line ~ /\*\*\*Timeout/ && deadline && line + 0 >= deadline) is = "time was up"
            state[word[1]] = is
        }
        while ((getline line <built) > 0) done[line]
        while ((getline line <targets) > 0) if (split(line, part, "\t") == 2 && !(part[1] in done)) skip(part[1], "not built")
    }
    { is = $2 != "" ? "without " $2 : ($1 in state) ? state[$1] : "time was up"
      if (is == "passed") ++passed; else if (is == "failed") ++failed; else skip($1, is) }
    END {
        if (status && !failed && !(deadline && skipped)) { print "ctest failed with status " status; broken = 1 }
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed || broken || !passed
    }' "$work/tests"
