#!/usr/bin/env python3
"""Runs an old and a new build of the programs beside each other on one machine and reports every difference.

    python3 tests/support/compare_builds.py --old OLD_BUILD --new NEW_BUILD [--models DIR_OR_GGUF ...] [--quick]
        [--only PROGRAM,...] [--allow FILE] [--keep DIR] [--jobs N]
    python3 tests/support/compare_builds.py --old OLD_BUILD --self-test      (finds what is planted, and nothing else)

A build is a CMake build folder with <build>/examples/NAME; its sources are what its CMakeCache.txt names. Each case runs
the old program, then the new one (every other case the other way round), each in a folder of its own with the same
relative paths. Compared are: the set of files left, every file byte for byte (of summary.json the values of seconds,
load_seconds, points_per_second and peak_memory aside, the keys must be there), stdout without "N points per second",
stderr, the exit status, --help and --version. Folders of the two builds read <build>, <source> and <run> in texts.
Cases: per program a base case in every dtype on every instruction set of this machine, threads varied, and more option
sets on the default one, which together must leave every file that --help names (else "never left" is reported); small
models of all families and a GGUF file; runs that must fail; with --models, one case per program on each of them.
Beside it: peak memory (median and worst ratio of new to old, flagged above 1.1; what the programs share with this
script's own size, some 20 MB, cannot be told apart), titles of TEST_CASEs and ctest names that the new build has lost,
and stable_regions_on_cpu, the program on the emulated CUDA device, where both builds have it. That program cannot print
how many bytes came to the host: tests/backend/cuda/engine_test.cpp counts them (cuda_on_cpu::bytes_given).
--allow FILE: one regular expression a line, then " # " and a reason. A line of stdout, stderr or --help, or a lost title,
that matches one may differ, and is reported with the reason; never a file. Exit status: 0 if nothing else differs, else 1.
"""
import argparse
import array
import collections
import concurrent.futures
import difflib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

# Words of a case that are no arguments: @noout, no --out is added; @full, stdout is /dev/full; @limit:N, files of N
# blocks at most; @env:NAME=VALUE; @baked, the data folder is the one known to the build, not PLATEAU_DATA.
# in/... are inputs (`write_inputs`), data/... the examples/data of the build's own sources. The first case is the base.
FEW = "--prompts in/prompts.txt --resamples 40"
PAIRS = FEW + " --steps 7"
CASES = {
    "activation_patching": [
        "", "--clean ' She had always' --corrupted ' She could always' --answer ' been' --wrong ' be'", "--bos on",
        "--tokens in/two.npy --answer 21 --wrong id:22 --model in/golden/models/llama_gqa", "--weights shuffled --seed 3"],
    "activations": [
        "--prompts in/prompts.txt --sites *", "--list @noout", "--prompts in/ragged.txt --sites *",
        "--tokens in/tokens.npy --sites blocks.?.attn.hook_pattern,unembed.hook_out --bos on", "--sites hook_embed",
        "--corpus in/corpus.txt --count 5 --length 12 --seed 2 --sites *.hook_resid_post,ln_final.*",
        "--weights random --seed 5 --prompts in/two.txt --sites *", "@baked --list @noout"],
    "blow_up": [
        f"{FEW} --steps 10", "--prompts in/ragged.txt --resamples 30 --steps 8 --centre-norm real --unit raw --step 3",
        f"{FEW} --steps 8 --sae in/sae_standard --area-until 0.1", f"{FEW} --steps 6 --sae in/sae_topk --shrinkage oas",
        f"{FEW} --steps 6 --sae in/sae_gated --fit-positions all --read-site blocks.3.hook_resid_post",
        "--corpus in/corpus.txt --count 4 --length 6 --resamples 20 --steps 6 --shrinkage 0.2 --fit-positions last",
        f"{FEW} --steps 6 --fit-corpus in/corpus.txt --fit-count 50 --sae in/sae_jumprelu"],
    "depth": [
        f"{PAIRS} --write-layers 0,5:8,16", "--prompts in/ragged.txt --resamples 30 --steps 5 --write-layers 2 --pairs all",
        f"{PAIRS} --write-layers 3,17 --fixed-write 12 --pairs disjoint --read-site blocks.17.hook_mlp_out",
        f"{PAIRS} --write-layers 1 --pairs in/pairs.npy --min-d1 0.5 --weights random --seed 9"],
    "emergence": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 5 --pairs disjoint --same-region 1.2 --final-step 2000",
        f"{PAIRS} --checkpoints data/embedded/checkpoints/step-000064,data/embedded --pairs all --write-site hook_embed"],
    "evaluate": [
        "--text in/corpus.txt --length 40", "--tokens in/tokens.npy", "--text in/ragged.txt --length 16 --stride 5 --bos on",
        "--tokens in/flat.npy --length 6 @noout", "--text in/prompts.txt --weights random --seed 4"],
    "first_light": ["data/embedded", "in/golden/models/llama_gqa"],
    "generate": [
        "--prompt ' The house at the end' --max-new-tokens 12",
        "--prompts in/ragged.txt --temperature 0.8 --top-k 20 --seed 7 --max-new-tokens 9 --ignore-eos",
        "--tokens in/tokens.npy --max-new-tokens 5 --only-new --bos on", "--prompt ' She' --temperature 1.3 @noout --seed 1",
        "--prompt ' She' --max-new-tokens 9 --steer in/steer.npy --steer-site blocks.4.hook_resid_pre --steer-scale -2",
        "--corpus in/corpus.txt --count 3 --length 5 --top-k 3 --max-new-tokens 4",
        "--model in/golden/models/gpt2 --tokens in/tokens.npy --max-new-tokens 4"],
    "predict_jump": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 6 --mean-range 0.5 --pairs all",
        f"{PAIRS} --pairs in/pairs.npy --write-site blocks.2.hook_resid_post --neurons blocks.3.mlp.hook_post --min-d1 0"],
    "region_count": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 12 --pairs all --same-region 1.1,2,3",
        f"{PAIRS} --pairs disjoint --write-site blocks.1.hook_resid_post --read-site blocks.9.hook_resid_post"],
    "sensitive_directions": [
        f"{FEW} --lengths 0.2,0.6,1.2", "--prompts in/ragged.txt --resamples 30 --lengths 0.5,1 --repeats 3 --centred --at 1",
        f"{FEW} --lengths 0.4,1 --rows in/rows.npy --components 3 --shrinkage oas --fit-positions all",
        f"{FEW} --lengths 0.4,1 --sae in/sae_standard", f"{FEW} --lengths 0.5 --sae in/sae_topk --shrinkage 0.3",
        f"{FEW} --lengths 0.5 --sae in/sae_gated --families isotropic,sae-error,sae-active --scale 2 --threshold 0.02",
        f"{FEW} --lengths 0.5 --sae in/sae_jumprelu --families isotropic,sae-dead,sae-inactive --seed 11",
        f"{FEW} --lengths 3,9 --unit raw --fit-corpus in/corpus.txt --fit-count 40 --families isotropic,cov-mixture,pca"],
    "similar_dissimilar": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 5 --pairs all --read-site blocks.17.hook_resid_post",
        "--corpus in/corpus.txt --count 60 --length 6 --min-count 2 --steps 5 --resamples 30"],
    "slice_2d": [
        "--prompts in/prompts.txt --grid 7", "--prompts in/prompts.txt --grid 6 --labels --boundary --range -0.5,1.5",
        "--prompts in/ragged.txt --grid 5 --pairs chain --labels", "--prompts in/prompts.txt --grid 5 --pairs disjoint",
        "--prompts in/prompts.txt --grid 5 --anchors in/anchors.npy --write-site blocks.1.hook_resid_post",
        "--prompts in/two.txt --pairs in/pair.npy --grid 4 --read-site unembed.hook_out",
        "--prompts in/prompts.txt --grid 5 --checkpoints data/embedded/checkpoints --labels --boundary --frame-seconds 0.3"],
    "stable_regions": [
        "--prompts in/prompts.txt --steps 9", "--prompts in/prompts.txt --steps 9 --kl --top-k 3 --refine 1e-3",
        "--prompts in/ragged.txt --steps 5 --pairs all --metrics share,projection,arc,cosine --transplant-gap "
        "--read-site ln_final.hook_out,blocks.9.hook_resid_post,unembed.hook_out", "--steps 3 @baked", "--bos on --steps 3",
        *(f"--prompts in/prompts.txt --steps 5 --path {path}" for path in (
            "arc", "arc-to-b", "slerp", "slerp-rescaled", "slerp-folded", "rotation", "rotation-added")),
        "--prompts in/prompts.txt --steps 6 --context both --freeze blocks.*.hook_mlp_out@mean,*ln2.hook_scale@A --kl",
        "--prompts in/prompts.txt --steps 6 --context B --mode suffix", "--tokens in/tokens64.npy --position=-3:-1 --steps 5",
        "--corpus in/corpus.txt --count 6 --length 9 --seed 3 --steps 5 --pairs disjoint --min-d1 9 --pin",
        "--prompts in/prompts.txt --pairs in/pairs.npy --steps 70 --write-site blocks.4.attn.hook_z --weights shuffled",
        "--model in/golden/gguf/tiny_llama.gguf --tokens in/tokens.npy --steps 6 --read-site unembed.hook_out --kl",
        "--prompts in/prompts.txt --steps 3 @full"],
    "superellipse": [
        "--prompts in/prompts.txt --anchors 3 --grid 7 --resamples 10 --direction-pairs 2",
        "--prompts in/ragged.txt --anchors 2 --grid 5 --resamples 10 --directions in/directions.npy --degrees 40",
        "--prompts in/prompts.txt --anchors 8 --grid 6 --resamples 10 --direction-pairs 1 --directions random --seed 5 "
        "--write-site blocks.4.hook_resid_post --read-site blocks.12.hook_resid_post"],
    "your_own": ["", "data/embedded"],
}
FAMILIES = [  # on each of the small models of tests/golden/models and gguf; the first alone with --quick
    ("activations", "--tokens in/tokens.npy --sites * --dtype fp32"),
    ("activations", "--tokens in/tokens.npy --sites * --dtype fp64"),
    ("activations", "--tokens in/tokens64.npy --sites *hook_resid_post,unembed.hook_out --dtype bf16"),
    ("activations", "--tokens in/tokens.npy --sites unembed.hook_out --weights random --seed 2"),
    ("stable_regions", "--tokens in/tokens.npy --steps 5 --path slerp --kl --weights shuffled"),
    ("activation_patching", "--tokens in/two.npy --answer 21 --wrong 22"),
    ("generate", "--tokens in/tokens.npy --max-new-tokens 6 --ignore-eos"), ("evaluate", "--tokens in/tokens.npy")]
TINY = "--prompts in/two.txt --resamples 20 --steps 4"
EXTRA = {  # on each model of --models
    "activation_patching": "--clean ' The house' --corrupted ' The woods'", "activations":
    "--prompts in/two.txt --sites *hook_resid_post,unembed.hook_out", "blow_up": TINY,
    "depth": f"{TINY} --write-layers 0,1", "emergence": f"{TINY} --checkpoints MODEL,MODEL", "evaluate":
    "--text in/two.txt", "generate": "--prompts in/two.txt --max-new-tokens 6", "predict_jump": TINY, "region_count": TINY,
    "sensitive_directions": "--prompts in/two.txt --resamples 20 --lengths 0.5,1 --families isotropic,real,pca",
    "similar_dissimilar": TINY, "slice_2d": "--prompts in/two.txt --grid 3 --labels", "superellipse":
    "--prompts in/two.txt --anchors 2 --grid 4 --resamples 5 --direction-pairs 1 --directions random",
    "stable_regions": "--prompts in/prompts.txt --steps 6 --kl --top-k 2"}
NEEDED = {"activations": "--sites hook_embed", "evaluate": "--text in/prompts.txt", "generate": "--prompt a"}
WRONG_EVERYWHERE = ["--bogus", "left-over", "--threads -1", "--dtype fp16", "--model in/absent", "--seed -1",
                    "--model in/models/half", "--weights noise", "--out in/a_file/deeper", "--backend cuda"]
REGIONS = "--model in/golden/models/llama_gqa --tokens in/tokens.npy --steps 4 "
WRONG = {
    "stable_regions": [
        *(f"--model in/models/{name} --tokens in/tokens.npy" for name in (
            "header", "header_cut", "longer", "no_weights", "no_config", "bad_config", "empty_config", "mamba", "nan",
            "no_tensor", "no_shard", "cut.gguf", "text.gguf", "empty.gguf")),
        "--model in/models/overflow --tokens in/tokens.npy --read-site unembed.hook_out",
        *(f"{REGIONS} --tokens in/wrong/{name}.npy" for name in (
            "float", "cube", "none", "cut", "garbage", "empty", "outside", "negative", "long", "single", "absent")),
        *(REGIONS + more for more in (
            "--steps 1", "--steps some", "--top-k 1000000", "--path bend", "--min-d1 nan", "--min-d1 1e9",
            "--pairs chains", "--pairs in/wrong/three.npy", "--pairs in/wrong/far.npy", "--pairs in/wrong/minus.npy",
            "--write-site blocks.0.hook_resid_pos", "--read-site ln_final.hook_output", "--write-site blocks.9.*",
            "--write-site blocks.0.attn.hook_pattern", "--read-site hook_embed", "--context C", "--mode prefix",
            "--mode suffix --position 3", "--position 7", "--position 3:2", "--freeze blocks.1.hook_mlp_out",
            "--freeze blocks.1.hook_mlp_oat@A", "--freeze blocks.1.hook_resid_pre@mean", "--steps 9000000000000000000",
            "--refine 2", "--metrics length", "--prompts in/two.txt", "--count 3", "--bos maybe", "--pin --threads 4096",
            "--read-site ln_final.hook_out,nowhere", "--out in/a_file", "@limit:0", "@limit:8 --steps 300")),
        *(f"--prompts in/wrong/{name}.txt" for name in ("gap", "empty", "bytes", "absent")), "--prompts in/one.txt",
        "--model in/golden/models/llama_gqa --prompts in/two.txt", "--corpus in/corpus.txt --count 3 --length 400",
        "--corpus in/corpus.txt --count 100000", "--corpus in/wrong/empty.txt --count 2", "--backend tpu", "--steps",
        "@env:PLATEAU_INSTRUCTION_SET=widest --steps 3"],
    "activation_patching": [
        "--clean ' She had'", "--clean ' She had' --corrupted ' She could always'", "--answer ' had been'", "--answer 1024",
        "--wrong 99999999999999999999", "--answer ' be' --wrong ' be'", "--clean '' --corrupted ''",
        "--tokens in/tokens.npy", "--model in/golden/models/gpt2"],
    "activations": ["--sites nothing*", "--sites ,", "--sites blocks.99.*", "--sites hook_embed --out in/absent/a.npz",
                    "--sites hook_embed @noout", "--sites hook_embed --out in", "--list --model in/models/no_tensor @noout",
                    "--list @full @noout", "--sites * @limit:8"],
    "blow_up": ["--steps 3", "--step -1", "--area-until 9 --prompts in/prompts.txt", "--centre-norm none", "--prompts in/one.txt",
                "--sae in/absent", "--sae in/golden/saes/gated", "--read-site blocks.99.hook_resid_post"],
    "depth": ["--write-layers 18", "--write-layers 2:1", "--write-layers 0,x", "--fixed-write 99", "--resamples 0",
              "--prompts in/prompts.txt --min-d1 1e9 --write-layers 1"],
    "emergence": ["--checkpoints data/embedded,in/absent", "--same-region 0", "--model in/golden/models/gpt2"],
    "evaluate": ["@noout", "--tokens in/wrong/single.npy --length 1", "--tokens in/wrong/outside.npy", "--text in/wrong/bytes.txt",
                 "--text in/absent.txt", "--text in/wrong/empty.txt", "--tokens in/tokens.npy --length 8 --stride 9"],
    "first_light": ["in/absent", "in/models/half"],
    "generate": ["", "--prompt ''", "--prompt a --max-new-tokens 0", "--prompt a --max-new-tokens 9999",
                 "--prompt a --temperature -1", "--prompt a --temperature warm", "--prompt a --top-k -1",
                 "--prompt a --steer in/steer.npy", "--prompt a --steer in/rows.npy --steer-site hook_embed",
                 "--prompt a --steer in/steer.npy --steer-site nowhere", "--prompt a @full --max-new-tokens 2 @noout",
                 "--prompt a --steer in/steer.npy --steer-site hook_embed --steer-scale 1e300"],
    "predict_jump": ["--mean-range -1", "--neurons blocks.99.mlp.hook_post", "--steps 1"],
    "region_count": ["--same-region 1.2,-1", "--pairs ring", "--min-d1 -1"],
    "sensitive_directions": ["--families rows", "--rows in/steer.npy", "--families sideways", "--families real,real",
                             "--lengths 1,1", "--scale 0", "--threshold -1", "--shrinkage much", "--unit miles",
                             "--families isotropic,sae-error", "--sae in/golden/saes/topk", "--rows in/wrong/nan.npy"],
    "similar_dissimilar": ["--model in/golden/models/gpt2", "--corpus in/corpus.txt --count 1", "--min-count x"],
    "slice_2d": ["--range 1,0", "--range nan,1", "--frame-seconds 0", "--anchors in/absent.npy", "--anchors in/pair.npy",
                 "--anchors in/wrong/far3.npy", "--anchors in/wrong/same.npy", "--prompts in/one.txt", "--grid 1",
                 "--pairs chain --anchors in/anchors.npy", "--checkpoints data", "--read-site blocks.0.hook_resid_pre"],
    "superellipse": ["--anchors 1", "--anchors 999", "--anchors 126", "--direction-pairs 0", "--degrees nan",
                     "--directions sideways", "--directions in/steer.npy", "--directions in/wrong/same_rows.npy"],
    "your_own": ["in/absent"],
}
ON_DEVICE = ["--backend cuda --steps 4", "--backend cuda --steps 4 --dtype bf16 --kl --top-k 2",
             "--backend cuda --steps 3 --float-products bf16x3 --context both --freeze blocks.*.hook_mlp_out@mean"]
DEVICE_PROGRAM = "stable_regions_on_cpu"
FREE = ("first_light", "your_own")  # without options
SETS = ("portable", "avx2", "avx512", "avx512_bf16")
TIMES = re.compile(r'("(?:seconds|load_seconds|points_per_second|peak_memory)": )[-+.\deE]+')
RATES = re.compile(r"[\d.]+( (?:\w+ )?(?:points|tokens|patches) per second)")
Case = collections.namedtuple("Case", "program kind words env")  # kind: base, more, family, model, wrong, text, device
Result = collections.namedtuple("Result", "status out err files peak")


def npy(path, kind, shape, values):
    """An NPY file; kind is a NumPy type such as <f8."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))}{',' * (len(shape) == 1)}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}[kind]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + array.array(code, values).tobytes())


def write_sae(folder, architecture, tensors, width=96, features=48):
    """A random sparse autoencoder of the embedded model, a few features of which never fire."""
    draw = random.Random(architecture)
    folder.mkdir()
    header, data = {}, b""
    for name in tensors.split():
        shape = {"W_enc": [width, features], "W_dec": [features, width], "b_dec": [width]}.get(name, [features])
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [draw.uniform(0, 0.1) if name == "threshold" else draw.uniform(-1, 1) for _ in range(size)]
        if name in ("b_enc", "b_gate"):
            values[:5] = [-1e6] * 5
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * size]}
        data += array.array("f", values).tobytes()
    text = json.dumps(header).encode()
    (folder / "sae_weights.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    config = {"d_in": width, "d_sae": features, "architecture": architecture, "normalize_activations": "none",
              "metadata": {"hook_name": "blocks.0.hook_resid_post", "sae_lens_version": "6.0.0"}}
    (folder / "cfg.json").write_text(json.dumps(config | ({"k": 6} if architecture == "topk" else {})))


def write_broken_models(folder, golden):
    """Models that must be refused, made of a small one."""
    whole = (golden / "models/llama_gqa/model.safetensors").read_bytes()
    config = (golden / "models/llama_gqa/config.json").read_text()
    size = struct.unpack("<Q", whole[:8])[0]
    header, data = json.loads(whole[8:8 + size]), array.array("f", whole[8 + size:])

    def damaged(name, change):
        values = array.array("f", data)
        begin, end = (at // 4 for at in header[name]["data_offsets"])
        values[begin:end] = array.array("f", (change(x) for x in values[begin:end]))
        return whole[:8 + size] + values.tobytes()
    norm, down = "model.norm.weight", "model.layers.2.mlp.down_proj.weight"
    for name, weights, text in (
            ("half", whole[:len(whole) // 2], config), ("header", whole[:4], config), ("header_cut", whole[:100], config),
            ("longer", whole + b"x", config), ("no_weights", None, config), ("no_config", whole, None),
            ("bad_config", whole, "{"), ("empty_config", whole, "{}"), ("mamba", whole, '{"model_type": "mamba"}'),
            ("nan", damaged(norm, lambda x: float("nan")), config), ("overflow", damaged(down, lambda x: x * 1e37 * 10), config),
            ("no_tensor", whole.replace(norm.encode(), b"model.none.weight"), config)):
        (folder / name).mkdir(parents=True)
        for file, content in (("model.safetensors", weights), ("config.json", text and text.encode())):
            if content is not None:
                (folder / name / file).write_bytes(content)
    shutil.copytree(golden / "models/llama_sharded", folder / "no_shard")
    sorted((folder / "no_shard").glob("*.safetensors"))[-1].unlink()
    gguf = (golden / "gguf/tiny_llama.gguf").read_bytes()
    for name, content in (("cut", gguf[:-1000]), ("text", b"this is no model at all, it is text"), ("empty", b"")):
        (folder / f"{name}.gguf").write_bytes(content)


def write_inputs(folder, source):
    """All that cases name as in/..., of the old sources and of fixed random numbers."""
    (folder / "wrong").mkdir(parents=True)
    golden = source / "tests/golden"
    (folder / "golden").symlink_to(golden)
    lines = (source / "examples/data/embedded/prompts.txt").read_text().split("\n")[:-1]
    ragged = [" She had", " The house at the end of the street was", " He looked at his watch", " It was never so"]
    for name, some in (("prompts", lines[:8]), ("two", lines[3:6]), ("one", lines[:1]), ("ragged", ragged)):
        (folder / f"{name}.txt").write_text("\n".join(some) + "\n")
    (folder / "corpus.txt").write_text("".join(lines) + (source / "README.md").read_text()[:2000])
    (folder / "a_file").write_text("kept")
    draw = random.Random(1)
    ids = [draw.randrange(1, 60) for _ in range(42)]
    close = ids[:7] + ids[:6] + [ids[20]]
    reals = [draw.gauss(0, 1) for _ in range(480)]
    for name, kind, shape, values in (
            ("tokens", "<i4", [6, 7], ids), ("tokens64", "<i8", [4, 9], ids[:36]), ("two", "<i8", [2, 7], close),
            ("flat", "<i4", [42], ids), ("pairs", "<i8", [3, 2], [0, 2, 3, 1, 2, 0]), ("pair", "<i4", [1, 2], [0, 2]),
            ("anchors", "<i8", [2, 3], [0, 1, 2, 5, 3, 1]), ("rows", "<f4", [5, 96], reals), ("steer", "<f4", [96], reals[:96]),
            ("directions", "<f8", [4, 96], reals[:384]), ("wrong/float", "<f4", [2, 5], [1] * 10),
            ("wrong/cube", "<i8", [2, 2, 2], [1] * 8), ("wrong/none", "<i8", [0, 5], []), ("wrong/single", "<i8", [1, 5], [1] * 5),
            ("wrong/outside", "<i8", [2, 2], [1, 2, 66, 67]), ("wrong/negative", "<i4", [2, 2], [-1, 2, -1, 4]),
            ("wrong/long", "<i8", [2, 65], [1] * 130), ("wrong/three", "<i8", [2, 3], [0] * 6), ("wrong/far", "<i8", [1, 2], [0, 6]),
            ("wrong/minus", "<i4", [1, 2], [0, -1]), ("wrong/far3", "<i8", [1, 3], [0, 1, 500]), ("wrong/same", "<i8", [3], [0, 1, 1]),
            ("wrong/nan", "<f4", [1, 96], [float("nan")] * 96), ("wrong/same_rows", "<f8", [2, 96], [1] * 192)):
        npy(folder / f"{name}.npy", kind, shape, values)
    whole = (folder / "tokens.npy").read_bytes()
    for name, content in (("cut.npy", whole[:-3]), ("garbage.npy", b"this is no array"), ("empty.npy", b""), ("empty.txt", b""),
                          ("gap.txt", b"one\n\ntwo\n"), ("bytes.txt", b"one\nt\xff\xfe\n")):
        (folder / "wrong" / name).write_bytes(content)
    write_sae(folder / "sae_standard", "standard", "W_enc W_dec b_dec b_enc")
    write_sae(folder / "sae_topk", "topk", "W_enc W_dec b_dec b_enc")
    write_sae(folder / "sae_jumprelu", "jumprelu", "W_enc W_dec b_dec b_enc threshold")
    write_sae(folder / "sae_gated", "gated", "W_enc W_dec b_dec b_gate b_mag r_mag")
    write_broken_models(folder / "models", golden)


class Build:
    """One of the two builds: where its programs and sources are, and how a case runs with it."""

    def __init__(self, name, path, work):
        self.name, self.path, self.work = name, pathlib.Path(path).resolve(), work / name
        cache = (self.path / "CMakeCache.txt").read_text()
        self.source = pathlib.Path(re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M)[1])
        folders = [(str(self.work), "<run>"), (str(self.path), "<build>"), (str(self.source), "<source>")]
        self.folders = sorted(folders, key=lambda pair: -len(pair[0]))

    def program(self, name):
        return self.path / ("tests/backend/cuda" if name == DEVICE_PROGRAM else "examples") / name

    def normal(self, content):
        """Bytes without this build's folders."""
        for folder, text in self.folders:
            content = re.sub(re.escape(folder.encode()) + rb"(/case-\d+)?", text.encode(), content)
        return content

    def run(self, case, number, inputs):
        folder = self.work / f"case-{number}"
        folder.mkdir(parents=True)
        (folder / "in").symlink_to(inputs)
        (folder / "data").symlink_to(self.source / "examples/data")
        arguments = [word for word in case.words if not word.startswith("@")]
        marks = dict((word[1:].split(":", 1) + [""])[:2] for word in case.words if word.startswith("@"))
        command = [str(self.program(case.program)), *arguments]
        if "limit" in marks:
            command = ["sh", "-c", f'ulimit -f {marks["limit"]}; exec "$@"', "sh", *command]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PLATEAU_")}
        env |= {"PLATEAU_DATA": "data", "ASAN_OPTIONS": "detect_leaks=0", "TERM": "dumb"} | case.env
        env |= dict([marks["env"].split("=")] if "env" in marks else [])
        if "baked" in marks:
            del env["PLATEAU_DATA"]
        texts = [folder.with_suffix(".out"), folder.with_suffix(".err")]
        with open("/dev/full" if "full" in marks else texts[0], "wb") as out, open(texts[1], "wb") as err:
            process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            timer = threading.Timer(900, process.kill)
            timer.start()
            _, status, used = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*")) if file.is_file()
                 and not {"in", "data"} & set(file.relative_to(folder).parts[:1])}
        out, err = (self.normal(text.read_bytes()) if text.exists() else b"" for text in texts)
        return Result(process.returncode, RATES.sub(r"N\1", out.decode(errors="backslashreplace")),
                      err.decode(errors="backslashreplace"), files, used.ru_maxrss)


def say_where(name, old, new):
    """Where two files differ first, in the terms of their kind."""
    at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    if len(old) != len(new):
        return f"{name}: {len(old)} bytes are {len(new)} now, the first that differs is {at}"
    if old[:6] == b"\x93NUMPY" == new[:6]:
        begin = 10 + struct.unpack("<H", old[8:10])[0]
        size = int((re.search(rb"'descr': '[<|]\w(\d)'", old[:begin]) or [0, b"1"])[1])
        if at >= begin:
            wrong = sum(old[i:i + size] != new[i:i + size] for i in range(begin, len(old), size))
            return f"{name}: {wrong} of {(len(old) - begin) // size} numbers differ, the first is {(at - begin) // size}"
    if name.endswith((".csv", ".json")):
        line = old[:at].count(b"\n")
        return f"{name}: line {line + 1}: {old.splitlines()[line]!r} is {new.splitlines()[line]!r} now"
    return f"{name}: byte {at} differs, {sum(a != b for a, b in zip(old, new))} in all"


class Comparison:
    """What has been compared, and what differs."""

    def __init__(self, allowed):
        self.allowed, self.reasons = allowed, collections.Counter()
        self.runs, self.failed, self.files = (collections.Counter() for _ in range(3))
        self.differences, self.left = collections.defaultdict(list), collections.defaultdict(set)
        self.peaks = collections.defaultdict(list)
        self.guard = threading.Lock()

    def differs(self, program, where, what):
        self.differences[program].append(f"{where}: {what}")

    def may_differ(self, line):
        """The reason why a line of text may differ, or None."""
        return next((reason for pattern, reason in self.allowed if pattern.search(line)), None)

    def texts(self, program, where, what, old, new):
        lines = [line for line in difflib.ndiff(old.split("\n"), new.split("\n")) if line[:2] in ("- ", "+ ")]
        for line in lines:
            reason = self.may_differ(line[2:])
            if reason is None:
                self.differs(program, where, f"{what}: {line[:200]}")
            else:
                self.reasons[reason] += 1

    def results(self, case, where, old, new):
        with self.guard:
            self.runs[case.program] += 1
            self.failed[case.program] += old.status != 0
            if old.status != new.status:
                self.differs(case.program, where, f"exit status {old.status} is {new.status} now")
            if (case.kind == "wrong") != (old.status != 0):
                self.differs(case.program, where, f"the old program ends with {old.status}: {old.err.strip()[:150]}")
            self.texts(case.program, where, "stdout", old.out, new.out)
            self.texts(case.program, where, "stderr", old.err, new.err)
            for name in sorted(old.files.keys() ^ new.files.keys()):
                self.differs(case.program, where, f"{name} is left by the {'old' if name in old.files else 'new'} one alone")
            self.left[case.program] |= {pathlib.Path(name).name for name in old.files}
            if case.kind in ("base", "model"):
                self.peaks[case.program].append(new.peak / old.peak)

    def contents(self, case, where, name, old, new):
        with self.guard:
            self.files[case.program] += 1
            if old != new:
                self.differs(case.program, where, say_where(name, old, new))


def words_of(program, text, threads):
    """The words of a case, with --out and --threads where they are meant but not said."""
    words = shlex.split(text)
    if program not in FREE:
        if "--out" not in words and "@noout" not in words:
            words += ["--out", "out.npz" if program == "activations" else "out"]
        if threads and "--threads" not in words:
            words += ["--threads", str(threads)]
    return words


def models_in(path):
    path = pathlib.Path(path).resolve()
    if path.is_file() or (path / "config.json").exists():
        return [path]
    return sorted([file for file in path.rglob("*.gguf")] + [file.parent for file in path.rglob("config.json")])


def cases_of(o, old, sets, golden):
    """All cases, the programs mixed as they come."""
    default = sets[-1:]
    for program, texts in CASES.items():
        for kind, more in (("text", "--help"), ("text", "--version")) if program not in FREE else ():
            yield Case(program, kind, [more], {})
            yield Case(program, kind, [more, "@baked"], {})
        combinations = [(dtype, name) for name in sets for dtype in ("fp32", "fp64", "bf16")]
        if program in FREE:
            combinations = [("", name) for name in sets]
        elif o.quick:
            combinations = [(dtype, name) for dtype, name in combinations if name in default or dtype == "fp32"]
        for number, (dtype, name) in enumerate(combinations):
            for threads in (1, 2) if (dtype, [name]) == ("fp32", default) else (1 + number % 2,):
                words = words_of(program, texts[0], threads) + (["--dtype", dtype] if dtype else [])
                yield Case(program, "base", words, {"PLATEAU_INSTRUCTION_SET": name})
        for text in texts[1:]:
            yield Case(program, "more", words_of(program, text, 2), {})
        for text in WRONG[program]:
            yield Case(program, "wrong", words_of(program, text, 0), {})
        for text in WRONG_EVERYWHERE if program not in FREE else []:
            words = words_of(program, f"{NEEDED.get(program, '')} {text}", 0)
            yield Case(program, "wrong" if "cuda" not in text or not cuda_runs(old) else "more", words, {})
    for model in sorted(golden.glob("models/*")) + [golden / "gguf/tiny_llama.gguf"]:
        for program, text in FAMILIES[:1 if o.quick else None]:
            if program == "activations" or "random" not in text or model.is_dir():
                words = words_of(program, f"{text} --model in/golden/{model.relative_to(golden)}", 2)
                yield Case(program, "family", words, {})
    for model in [one for path in o.models for one in models_in(path)]:
        for program, text in EXTRA.items():
            choice = "" if "MODEL" in text else f" --model {shlex.quote(str(model))}"
            for dtype in ("fp32", "bf16", "fp64") if program == "stable_regions" else ("fp32",):
                words = words_of(program, text.replace("MODEL", shlex.quote(str(model))) + choice + f" --dtype {dtype}", 2)
                yield Case(program, "model", words, {})
    for text in ON_DEVICE[:1 if o.quick else None]:
        yield Case(DEVICE_PROGRAM, "device", words_of(DEVICE_PROGRAM, f"--prompts in/two.txt {text}", 1), {})


def cuda_runs(build):
    command = [build.program("generate"), "--prompt", "a", "--max-new-tokens", "1", "--backend", "cuda"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def files_named(text):
    """The files that a --help says are left, as regular expressions."""
    text = text[text.find("written to --out"):]
    names = set(re.findall(r"[\w.]+\.(?:npy|npz|csv|a?png|json|html)\b", text))
    names -= {"FILE.npy", "cfg.json", "config.json", "generation_config.json"}
    return {name: re.escape(name).replace("NAME", r"\w+").replace(r"\.K\.", r"\.\d+\.") for name in names}


def titles_of(program):
    for arguments in (["--list-test-names-only"], ["--list-tests", "--verbosity", "quiet"]):
        lines = subprocess.run([program, *arguments], capture_output=True, text=True, check=False).stdout.splitlines()
        if lines:
            return {line.strip() for line in lines}
    return set()


def compare_tests(old, new, result):
    """Titles of test cases and names of tests that the new build has lost."""
    titles, programs, names = [], [], []
    for build in (old, new):
        sources = [file.read_text(errors="replace") for file in (build.source / "tests").rglob("*.[ch]pp")]
        found = re.findall(r'\b(?:TEST_CASE|SCENARIO)\w*\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', "\n".join(sources))
        titles.append({"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', one)) for one in found})
        programs.append({file.name: file for file in (build.path / "tests").rglob("*_tests") if os.access(file, os.X_OK)})
        listed = subprocess.run(["ctest", "-N"], cwd=build.path, capture_output=True, text=True, check=False).stdout
        names.append(set(re.findall(r"^ *Test +#\d+: (.*)$", listed, re.M)))
    both = programs[0].keys() & programs[1].keys()
    known = [set().union(*(titles_of(all_[name]) for name in chosen)) for all_, chosen in (
        (programs[0], both), (programs[1], programs[1]))]
    for what, before, after in (("a TEST_CASE in the sources", *titles), ("a test of a program", *known), ("ctest", *names)):
        print(f"tests: {what}: {len(before)} old, {len(after)} new, {len(before - after)} lost")
        for title in sorted(before - after):
            result.texts("(tests)", what, "lost", title, "")


def run_all(o, result, work):
    old, new = Build("old", o.old, work), Build("new", o.new, work)
    inputs = work / "in"
    write_inputs(inputs, old.source)
    first = Case("generate", "text", words_of("generate", "--prompt a --max-new-tokens 1 @noout", 1), {})
    sets = [name for name in SETS if not old.run(
        first._replace(env={"PLATEAU_INSTRUCTION_SET": name}), f"0{SETS.index(name)}", inputs).status]
    cases = list(cases_of(o, old, sets, inputs / "golden"))
    cases += [first._replace(kind="wrong", env={"PLATEAU_INSTRUCTION_SET": name}) for name in SETS if name not in sets]
    missing = {one for one in {case.program for case in cases} if not old.program(one).exists()}
    for program in sorted(one for one in {case.program for case in cases} - missing if not new.program(one).exists()):
        if program != DEVICE_PROGRAM:
            result.differs(program, "the program", "the new build has none")
        missing.add(program)
    wanted = set(o.only.split(",")) if o.only else set(CASES) | {DEVICE_PROGRAM}
    cases = [case for case in cases if case.program in wanted - missing]
    print(f"{len(cases)} cases, instruction sets {' '.join(sets)}; not there: {' '.join(sorted(missing)) or 'none'}", flush=True)
    named = {}

    def run(number):
        case = cases[number]
        pair = [build.run(case, number, inputs) for build in ((old, new) if number % 2 else (new, old))]
        before, after = pair if number % 2 else pair[::-1]
        where = " ".join([f"{key}={value}" for key, value in case.env.items()] + [case.program] + case.words)
        result.results(case, where, before, after)
        for name in before.files.keys() & after.files.keys():
            contents = [files[name].read_bytes() for files in (before.files, after.files)]
            if pathlib.Path(name).name == "summary.json":
                contents = [TIMES.sub(r"\1T", build.normal(text).decode()).encode() for build, text in zip((old, new), contents)]
            result.contents(case, where, name, *contents)
        if case.words == ["--help"]:
            named[case.program] = files_named(before.out)
        if not o.keep:
            for build in (old, new):
                shutil.rmtree(build.work / f"case-{number}")

    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for done, _ in enumerate(pool.map(run, range(len(cases))), 1):
            if done % 100 == 0:
                print(f"  {done} cases", flush=True)
    for program, names in named.items():
        for name, pattern in sorted(names.items()):
            if not any(re.fullmatch(pattern, file) for file in result.left[program]):
                result.differs(program, "--help", f"{name} is named, but never left by the cases of this script")
    if not o.only:
        compare_tests(old, new, result)


def report(result, seconds):
    for program, lines in sorted(result.differences.items()):
        print(f"\n{program}:", *sorted(set(lines)), sep="\n  ")
    print(f"\n{'program':24}{'runs':>6}{'failing':>9}{'files':>7}{'differences':>13}   peak memory new/old: median, worst")
    for program in sorted(result.runs.keys() | result.differences.keys()):
        ratios = result.peaks[program]
        peak = f"{statistics.median(ratios):.3f}, {max(ratios):.3f}{'  MORE' * (max(ratios) > 1.1)}" if ratios else ""
        print(f"{program:24}{result.runs[program]:6}{result.failed[program]:9}{result.files[program]:7}"
              f"{len(result.differences[program]):13}   {peak}")
    for reason, count in result.reasons.items():
        print(f"allowed: {count} lines: {reason}")
    total = sum(map(len, result.differences.values()))
    print(f"{sum(result.runs.values())} pairs of runs, {sum(result.failed.values())} of them failing, "
          f"{sum(result.files.values())} files, {total} differences, {seconds:.0f} s")
    return total


def compare(o):
    allowed = []
    for line in pathlib.Path(o.allow).read_text().splitlines() if o.allow else []:
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(" # ")
            if not reason.strip():
                sys.exit(f"{o.allow}: '{line}' has no reason: write PATTERN # REASON")
            allowed.append((re.compile(pattern.strip()), reason.strip()))
    result, start = Comparison(allowed), time.time()
    with tempfile.TemporaryDirectory(prefix="compare_builds.") as scratch:
        work = pathlib.Path(o.keep or scratch).resolve()
        if o.keep and work.exists() and any(work.iterdir()):
            sys.exit(f"{work} is not empty: give --keep another folder")
        run_all(o, result, work)
    report(result, time.time() - start)
    return result


# What the self-test plants: Python that runs after the real program, with its status as `status`.
PLANTED = {
    "stable_regions": ("distances.npy: 1 of ", "flip('out/distances.npy', -5)"),
    "slice_2d": ("slice.png: byte ", "flip('out/slice.png', -40)"),
    "depth": ("summary.json: line ", "replace('out/summary.json', '\"layers\": 18', '\"layers\": 19')"),
    "evaluate": ("stderr: + and more", "status and print('and more', file=sys.stderr)"),
    "generate": ("exit status 2 is 3 now", "status = 3 if status == 2 else status"),
    "region_count": ("stdout: + more", "print('more')"),
    "predict_jump": ("out/more is left by the new one alone", "os.path.isdir('out') and open('out/more', 'w')"),
    "emergence": ("", ""),
}
WRAPPER = """#!/usr/bin/env python3
import os, subprocess, sys
def replace(name, old, new):
    if os.path.exists(name):
        text = open(name).read()
        open(name, 'w').write(text.replace(old, new))
def flip(name, at):
    if os.path.exists(name):
        data = bytearray(open(name, 'rb').read())
        data[at] ^= 1
        open(name, 'wb').write(data)
status = subprocess.call([{program!r}] + sys.argv[1:])
{planted}
sys.stdout.flush()
sys.exit(status)
"""


def self_test(o):
    """Plants one difference in each of some programs, and none in another; each must be found, and nothing else."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="compare_builds.") as folder:
        folder = pathlib.Path(folder)
        (folder / "build/examples").mkdir(parents=True)
        shutil.copy(pathlib.Path(o.old) / "CMakeCache.txt", folder / "build")
        for program, (_, planted) in PLANTED.items():
            wrapper = folder / "build/examples" / program
            wrapper.write_text(WRAPPER.format(program=str(pathlib.Path(o.old).resolve() / "examples" / program), planted=planted))
            wrapper.chmod(0o755)
        o.new, o.quick, o.only, o.allow = folder / "build", True, ",".join(PLANTED), None
        found = compare(o).differences
        for program, (text, _) in PLANTED.items():
            good = [text in line for line in found[program]]
            if not all(good) or bool(good) != bool(text):
                problems.append(f"{program}: {sum(good)} of {len(good)} differences say '{text}'")
        o.allow, o.only = folder / "allow", "evaluate,generate,emergence"
        o.allow.write_text("^and more$ # planted\n")
        second = compare(o)
        if second.differences["evaluate"] or not second.differences["generate"] or not second.reasons["planted"]:
            problems.append("--allow does not allow what it names, and that alone")
    print("self-test: " + ("; ".join(problems) or "every planted difference was found, and nothing else"))
    return bool(problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", required=True)
    parser.add_argument("--new")
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--quick", action="store_true", help="fewer combinations of dtype and instruction set, fewer families")
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--allow", help="regular expressions of texts that may differ")
    parser.add_argument("--keep", help="an empty or new folder for inputs and outputs, which stay there")
    parser.add_argument("--jobs", type=int, default=1, help="cases that run at once")
    parser.add_argument("--self-test", action="store_true")
    o = parser.parse_args()
    if o.self_test:
        sys.exit(self_test(o))
    if not o.new:
        parser.error("--new is needed")
    sys.exit(1 if sum(map(len, compare(o).differences.values())) else 0)


if __name__ == "__main__":
    main()
