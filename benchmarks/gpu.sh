#!/bin/sh
# What one runs on a machine with a GPU: builds, tests plateau::cuda on the device, compares it with the CPU, and measures it, in
# about 8 minutes.
#
#     sh benchmarks/gpu.sh                    # on the machine with the GPU: nvcc 13, a C++20 compiler and CMake, no package source
#     sh benchmarks/gpu.sh --unpack           # before, where there is apt: the headers that the build needs, into .gpu-headers/
#     sh benchmarks/gpu.sh --architecture 90a # instead of what nvidia-smi says
#
# Leaves $OUT/gpu.json and $OUT/gpu.log (OUT: gpu-results/). A step that fails is reported and the next one begins; one that the
# time does not allow is left out (SECONDS_ALLOWED, 480). The exit status is 1 if a step failed. Without a device everything is
# built, and the end says so. COMMIT names the commit where there is no git. The build is in build-gpu/ (PLATEAU_BUILD).
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
headers=$source/.gpu-headers
build=${PLATEAU_BUILD:-$source/build-gpu}
out=${OUT:-gpu-results}
allowed=${SECONDS_ALLOWED:-480}
start=$(date +%s)
architecture=

packages="libeigen3-dev catch2 rapidjson-dev nlohmann-json3-dev libcli11-dev libssl-dev libxtensor-dev xtl-dev libbenchmark-dev
    libbenchmark1debian libpcre2-dev libminizip-dev zlib1g-dev"

# Libraries come as archives: links between files, and what the loader would have to find, do not travel everywhere.
unpack() {
    set -e
    mkdir -p "$headers/packages"
    cd "$headers/packages"
    # shellcheck disable=SC2086  # a list of words
    apt-get download $packages
    for package in *.deb; do dpkg -x "$package" "$headers"; done
    cd "$headers"
    rm -rf packages usr/share/doc usr/share/man usr/share/lintian usr/bin
    rm -rf usr/include/eigen3/unsupported usr/lib/*/libpcre2-16* usr/lib/*/libpcre2-32* usr/lib/*/libssl.a
    mv usr/include/*/openssl/*.h usr/include/openssl/  # what the compiler of Debian alone would look for there
    find . -type l -exec rm -f {} +
    for file in usr/lib/*/pkgconfig/*.pc; do
        # shellcheck disable=SC2016  # pkg-config expands it
        sed -e 's|^prefix=/usr$|prefix=${pcfiledir}/../../..|' -e '/^Libs:/s/-lminizip$/-lminizip -lz/' "$file" >"$file.new"
        mv "$file.new" "$file"
    done
    echo "$headers: $(du -sk "$headers" | cut -f1) KiB"
}

while [ $# -gt 0 ]; do
    case $1 in
        --unpack) unpack; exit ;;
        --architecture) architecture=${2:?--architecture needs a number}; shift ;;
        *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done

mkdir -p "$out/parts" || exit 2
out=$(cd "$out" && pwd)
log=$out/gpu.log
: >"$log"
say() { printf '%s\n' "$*" | tee -a "$log"; }
quoted() { printf '"%s"' "$(printf '%s' "$*" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' | tr '\t\n' '  ')"; }
have() { command -v "$1" >/dev/null 2>&1; }

steps=
failures=0
note() {  # NAME STATE SECONDS
    steps="$steps${steps:+,
    }{\"step\": $(quoted "$1"), \"state\": $(quoted "$2"), \"seconds\": $3}"
    say "== $1: $2 ($3 s)"
}
left() { echo $((start + allowed - $(date +%s))); }

limit() {  # SECONDS COMMAND...
    seconds=$1
    shift
    if have timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# step NAME SECONDS COMMAND...: at most so long, and not beyond the end; its words go to the log. Sets `state`: passed, failed or left out.
step() {
    name=$1 most=$2
    shift 2
    rest=$(left)
    if [ "$rest" -lt 5 ]; then
        state="left out: no time"
        note "$name" "$state" 0
        return 1
    fi
    [ "$most" -le "$rest" ] || most=$rest
    printf '\n== %s: %s\n' "$name" "$*" >>"$log"
    began=$(date +%s)
    limit "$most" "$@" >"$out/parts/last.txt" 2>&1
    status=$?
    cat "$out/parts/last.txt" >>"$log"
    case $status in
        0) state=passed ;;
        1) case $name in ratios*) state="done: a figure misses its gate" ;; *) state="failed: exit status 1" ;; esac ;;
        124) state="failed: not done after $most s" ;;
        *) state="failed: exit status $status" ;;
    esac
    if [ "$state" = passed ] && grep -q -e '^skipped: ' -e '^not available: ' "$out/parts/last.txt"; then
        state=$(grep -m 1 -e '^skipped: ' -e '^not available: ' "$out/parts/last.txt")
    fi
    case $state in failed*) failures=$((failures + 1)); tail -n 25 "$out/parts/last.txt" ;; esac
    note "$name" "$state" $(($(date +%s) - began))
    [ "$state" = passed ]
}

device="" driver="" capability=""
if have nvidia-smi; then
    one() { nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }
    device=$(one name) driver=$(one driver_version) capability=$(one compute_cap | tr -d '. ')
    case $capability in *[!0-9]* | "") capability="" ;; esac
fi
if [ -z "$architecture" ]; then
    architecture=${capability:-90}
    [ "$architecture" != 90 ] || architecture=90a
fi
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
cuda=$("${nvcc:-false}" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\), V\(.*\)/\2/p')
commit=${COMMIT:-$(git -C "$source" rev-parse HEAD 2>/dev/null || echo unknown)}
[ -n "${COMMIT:-}" ] || [ -z "$(git -C "$source" status --porcelain --untracked-files=no 2>/dev/null)" ] || commit="$commit and changes"
jobs=$(nproc 2>/dev/null || echo 2)
say "commit $commit; device ${device:-none}; driver ${driver:-none}; CUDA ${cuda:-none}; architecture $architecture; $jobs processors"

set -- -DCMAKE_BUILD_TYPE=Release -DPLATEAU_CUDA=ON "-DPLATEAU_CUDA_ARCHITECTURES=$architecture" -DPLATEAU_BUILD_GPU_TESTS=ON \
    -DPLATEAU_INSTALL=OFF
[ ! -f "$build/CMakeCache.txt" ] && have ninja && set -- -G Ninja "$@"
[ -z "$nvcc" ] || set -- "$@" "-DPLATEAU_NVCC=$nvcc"
if [ -d "$headers" ]; then
    set -- "$@" "-DCMAKE_PREFIX_PATH=$headers/usr" -DFETCHCONTENT_FULLY_DISCONNECTED=ON
    PKG_CONFIG_LIBDIR=$(echo "$headers"/usr/lib/*/pkgconfig | tr ' ' ':')
    export PKG_CONFIG_LIBDIR
fi
build_all() {
    step configure 60 cmake -S "$source" -B "$build" "$@" || return 1
    step "build the library" "$allowed" cmake --build "$build" --parallel "$jobs" --target plateau_cuda
    # each by itself in the end, so that one that does not compile costs no other one
    targets="gpu_ratios cuda_device_tests cuda_first_steps stable_regions activations"
    # shellcheck disable=SC2086  # a list of words
    step build "$allowed" cmake --build "$build" --parallel "$jobs" --target $targets && return
    for target in $targets; do
        step "build $target" "$allowed" cmake --build "$build" --parallel "$jobs" --target "$target"
    done
}
build_all "$@"
built=$(($(date +%s) - start))
tests=$build/tests/backend/cuda/cuda_device_tests
ratios=$build/benchmarks/gpu_ratios
stable_regions=$build/examples/stable_regions

# The largest difference of two curves.csv's distances, as a share of the largest distance: at most BOUND.
close_curves() {  # BOUND A B
    paste -d, "$2/curves.csv" "$3/curves.csv" | awk -F, -v bound="$1" '
        NR == 1 { next }
        { d = $5 - $(NF / 2 + 5); if (d < 0) d = -d; if (d > worst) worst = d; if ($5 > most) most = $5; ++rows }
        END { share = most > 0 ? worst / most : -1
              printf "%d points, the largest distance %g, the largest difference %g of it, at most %g\n", rows, most, share, bound
              exit !(rows > 0 && most > 0 && worst <= bound * most) }'
}
# Six prompts of ten tokens below 256.
write_tokens() {
    {
        printf '\223NUMPY\001\000v\000'
        printf '%-117s\n' "{'descr': '<i4', 'fortran_order': False, 'shape': (6, 10), }"
        token=1
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 \
            31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60; do
            token=$(((token * 73 + 41) % 251))
            # shellcheck disable=SC2059  # the format is the byte
            printf "\\$(printf %03o $token)\\000\\000\\000"
        done
    } >"$1"
}
write_config() {  # a Llama of SmolLM2-135M's shape with a small vocabulary
    mkdir -p "$1"
    cat >"$1/config.json" <<'CONFIG'
{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": 576, "num_hidden_layers": 30,
 "num_attention_heads": 9, "num_key_value_heads": 3, "intermediate_size": 1536, "vocab_size": 1000, "max_position_embeddings": 2048,
 "rms_norm_eps": 1e-05, "rope_theta": 100000.0, "rope_scaling": null, "attention_bias": false, "mlp_bias": false,
 "tie_word_embeddings": true, "initializer_range": 0.041666666666666664, "torch_dtype": "float32"}
CONFIG
}
# parity NAME OPTION...: one backend, then the other, in each mode; the bound is what the mode's rounding makes of it
parity() {
    called=$1
    shift
    set -- "$@" --tokens "$out/parts/tokens.npy"
    step "parity, $called, cpu" 60 "$stable_regions" "$@" --backend cpu --out "$out/parts/$called-cpu" || return
    for mode in fp32:1e-5 bf16x3:1e-4 tf32:1e-2; do
        products=${mode%:*}
        step "parity, $called, cuda, $products" 60 "$stable_regions" "$@" --backend cuda --float-products "$products" \
            --out "$out/parts/$called-$products" || continue
        began=$(date +%s)
        if found=$(close_curves "${mode#*:}" "$out/parts/$called-cpu" "$out/parts/$called-$products"); then
            state="passed: $found"
        else
            state="failed: $found" failures=$((failures + 1))
        fi
        note "parity, $called, $products beside the CPU" "$state" $(($(date +%s) - began))
    done
}

ready=no
if [ -x "$tests" ] && step "a device" 60 "$tests" "what goes to the device comes back with its bits"; then ready=yes; fi
sanitizer="not available"
some_cases="a row is normalised alone - float,distances of rows to their references - float,many heads that share one key - float"
if [ $ready = yes ]; then
    step "first steps" 60 "$build/tests/backend/cuda/cuda_first_steps"
    for part in products kernels passes; do  # first what only this machine can say
        step "ratios, $part" 100 "$ratios" --part $part --json "$out/parts/$part.json"
        cat "$out/parts/last.txt"
    done
    step tests 120 "$tests" "~[full]"
    set --
    if have python3; then
        rm -f "$out/parts/torch.json"
        step "PyTorch" 60 python3 "$source/benchmarks/gpu/torch_peer.py" --json "$out/parts/torch.json"
        [ ! -s "$out/parts/torch.json" ] || set -- --peer "$out/parts/torch.json"
    else
        note "PyTorch" "not available: there is no python3" 0
    fi
    step "ratios, points" 100 "$ratios" --part points "$@" --json "$out/parts/points.json"
    cat "$out/parts/last.txt"
    write_tokens "$out/parts/tokens.npy"
    write_config "$out/parts/smollm2"
    parity embedded
    parity "smollm2-random" --model "$out/parts/smollm2" --weights random
    if have compute-sanitizer; then
        limit 45 compute-sanitizer --error-exitcode 9 "$tests" "what goes to the device comes back with its bits" >>"$log" 2>&1
        case $? in
            0 | 9)
                sanitizer=ran
                for tool in memcheck racecheck synccheck initcheck; do
                    step "compute-sanitizer, $tool" 30 compute-sanitizer --tool "$tool" --error-exitcode 9 "$tests" "$some_cases"
                done
                ;;
            *) note "compute-sanitizer" "not available: it does not run here" 0 ;;
        esac
    else
        note "compute-sanitizer" "not available" 0
    fi
    step "tests of large sizes" 60 "$tests" "[full]"
elif [ -x "$ratios" ]; then
    step "ratios" 30 "$ratios"
fi

{
    printf '{\n  "commit": %s,\n  "device": %s,\n  "driver": %s,\n  "cuda": %s,\n  "architecture": %s,\n' "$(quoted "$commit")" \
        "$([ $ready = yes ] && quoted "$device" || echo null)" "$(quoted "$driver")" "$(quoted "$cuda")" "$(quoted "$architecture")"
    printf '  "build_seconds": %s,\n  "seconds": %s,\n  "compute_sanitizer": %s,\n  "failures": %s,\n' "$built" $(($(date +%s) - start)) \
        "$(quoted "$sanitizer")" "$failures"
    printf '  "steps": [\n    %s\n  ]' "$steps"
    if [ $ready = yes ]; then
        for part in products kernels passes points torch; do
            [ -s "$out/parts/$part.json" ] || continue
            printf ',\n  "%s": ' $part
            cat "$out/parts/$part.json"
        done
    fi
    printf '\n}\n'
} >"$out/gpu.json"
rm -rf "$out/parts"

say ""
if [ $ready != yes ] && [ $failures -eq 0 ]; then
    say "There is no device here that CUDA can use: everything was built in $built s, nothing was measured."
    say "$out/gpu.json and gpu.log have the rest."
    exit 0
fi
say "$failures steps failed; built in $built s, all in $(($(date +%s) - start)) s. $out/gpu.json and gpu.log have the rest."
[ $failures -eq 0 ]
