"""The cases of compare_builds.py: what the programs are run with, what must fail, and the inputs of both."""
import array
import json
import random
import shutil
import struct

NEVER_LEFT = {("evaluate", "lengths.npy"): ": --tokens are of one length, unless -1 may pad them"}
FREE = ("first_light", "your_own")  # they take a model, and no options

# Words of a case that are no arguments: @noout, no --out is added; @full, stdout is /dev/full; @limit:N, files of N
# blocks at most; @env:NAME=VALUE; @either, it may fail; @baked, without PLATEAU_DATA, so the data that the build knows
# (not for pictures: the model's path is drawn). in/... are inputs, see `write_inputs`, data/... the examples/data of
# the build's own sources. The first case of a program is its base case.
FEW = "--prompts in/prompts.txt --resamples 40"
PAIRS = FEW + " --steps 7"
CASES = {
    "activation_patching": [
        "", "--clean ' She had always' --corrupted ' She could always' --answer ' been' --wrong ' be'",
        "--bos on --model in/models/bos",
        "--tokens in/two.npy --answer 21 --wrong 22 --model in/golden/models/llama_gqa",
        "--weights shuffled --seed 3 --answer ' be' --wrong ' been'"],
    "activations": [
        "--prompts in/prompts.txt --sites *", "--list @noout", "--prompts in/ragged.txt --sites *",
        "--tokens in/tokens.npy --sites blocks.?.attn.hook_pattern,unembed.hook_out --model in/models/bos --bos on",
        "--sites hook_embed",
        "--corpus in/corpus.txt --count 5 --length 12 --seed 2 --sites *.hook_resid_post,ln_final.*",
        "--weights random --seed 5 --prompts in/two.txt --sites *", "@baked --list @noout"],
    "blow_up": [
        f"{FEW} --steps 10", "--prompts in/ragged.txt --resamples 30 --steps 8 --centre-norm real --unit raw --step 3",
        f"{FEW} --steps 8 --sae in/sae_standard --area-until 0.1", f"{FEW} --steps 6 --sae in/sae_topk --shrinkage oas",
        f"{FEW} --steps 6 --sae in/sae_gated --fit-positions all --read-site blocks.3.hook_resid_post",
        "--corpus in/corpus.txt --count 4 --length 6 --resamples 20 --steps 6 --shrinkage 0.2 --fit-positions last",
        f"{FEW} --steps 6 --fit-corpus in/corpus.txt --fit-count 50 --sae in/sae_jumprelu"],
    "depth": [
        f"{PAIRS} --write-layers 0,5:8,16",
        "--prompts in/ragged.txt --resamples 30 --steps 5 --write-layers 2 --pairs all",
        f"{PAIRS} --write-layers 3,16 --fixed-write 12 --pairs disjoint --read-site blocks.17.hook_mlp_out --bos off",
        f"{PAIRS} --write-layers 1 --pairs in/pairs.npy --min-d1 1e-4 --weights random --seed 9"],
    "emergence": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 5 --pairs disjoint --same-region 1.2 --final-step 2000",
        f"{PAIRS} --checkpoints data/embedded/checkpoints/step-000064,data/embedded --pairs all "
        "--write-site hook_embed"],
    "evaluate": [
        "--text in/corpus.txt --length 40", "--tokens in/tokens.npy",
        "--text in/ragged.txt --length 16 --stride 5 --bos on --model in/models/bos",
        "--tokens in/flat.npy --length 6 @noout", "--text in/prompts.txt --weights random --seed 4",
        "--tokens in/padded.npy @either"],
    "first_light": ["data/embedded"],
    "generate": [
        "--prompt ' The house at the end' --max-new-tokens 12",
        "--prompts in/ragged.txt --temperature 0.8 --top-k 20 --seed 7 --max-new-tokens 9 --ignore-eos",
        "--tokens in/tokens.npy --max-new-tokens 5 --only-new", "--prompt ' She' --temperature 1.3 @noout",
        "@baked --prompt a --model in/models/bos --max-new-tokens 3 @noout",
        "--prompts in/two.txt --bos on --model in/models/bos",
        "--prompt ' She' --max-new-tokens 9 --steer in/steer.npy --steer-site blocks.4.hook_resid_pre --steer-scale -2",
        "--corpus in/corpus.txt --count 3 --length 5 --top-k 3 --max-new-tokens 4",
        "--model in/golden/models/gpt2 --tokens in/tokens.npy --max-new-tokens 4"],
    "predict_jump": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 6 --mean-range 0.5 --pairs all",
        f"{PAIRS} --pairs in/pairs.npy --write-site blocks.2.hook_resid_post --min-d1 0 "
        "--neurons blocks.3.mlp.hook_post"],
    "region_count": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 12 --pairs all --same-region 1.1,2,3",
        f"{PAIRS} --pairs disjoint --write-site blocks.1.hook_resid_post --read-site blocks.9.hook_resid_post"],
    "sensitive_directions": [
        f"{FEW} --lengths 0.2,0.6,1.2",
        "--prompts in/ragged.txt --resamples 30 --lengths 0.5,1 --repeats 3 --centred --at 1",
        f"{FEW} --lengths 0.4,1 --rows in/rows.npy --components 3 --shrinkage oas --fit-positions all",
        f"{FEW} --lengths 0.4,1 --sae in/sae_standard", f"{FEW} --lengths 0.5 --sae in/sae_topk --shrinkage 0.3",
        f"{FEW} --lengths 0.5 --sae in/sae_gated --families isotropic,sae-error,sae-active --scale 2 --threshold 0.02",
        f"{FEW} --lengths 0.5 --sae in/sae_jumprelu --families isotropic,sae-dead,sae-inactive --seed 11",
        f"{FEW} --lengths 3,9 --unit raw --fit-corpus in/corpus.txt --fit-count 40 "
        "--families isotropic,cov-mixture,pca"],
    "similar_dissimilar": [
        PAIRS, "--prompts in/ragged.txt --resamples 30 --steps 5 --pairs all --read-site blocks.17.hook_resid_post",
        "--corpus in/corpus.txt --count 60 --length 6 --min-count 2 --steps 5 --resamples 30"],
    "slice_2d": [
        "--prompts in/prompts.txt --grid 7", "--prompts in/prompts.txt --grid 6 --labels --boundary --range -0.5,1.5",
        "--prompts in/ragged.txt --grid 5 --pairs chain --labels", "--prompts in/prompts.txt --grid 5 --pairs disjoint",
        "--prompts in/prompts.txt --grid 5 --anchors in/anchors.npy --write-site blocks.1.hook_resid_post",
        "--prompts in/two.txt --pairs in/pair.npy --grid 4 --read-site unembed.hook_out",
        "--prompts in/prompts.txt --grid 5 --checkpoints data/embedded/checkpoints --labels --boundary "
        "--frame-seconds 0.3"],
    "stable_regions": [
        "--prompts in/prompts.txt --steps 9", "--prompts in/prompts.txt --steps 9 --kl --top-k 3 --refine 1e-3",
        "--prompts in/ragged.txt --steps 5 --pairs all --metrics share,projection,arc,cosine --transplant-gap "
        "--read-site ln_final.hook_out,blocks.9.hook_resid_post,unembed.hook_out",
        "--bos on --steps 3 --model in/models/bos",
        *(f"--prompts in/prompts.txt --steps 5 --path {path}" for path in (
            "arc", "arc-to-b", "slerp", "slerp-rescaled", "slerp-folded", "rotation", "rotation-added")),
        "--prompts in/prompts.txt --steps 6 --context both --freeze blocks.*.hook_mlp_out@mean,*ln2.hook_scale@A --kl",
        "--prompts in/prompts.txt --steps 6 --context B --mode suffix",
        "--tokens in/tokens64.npy --position=-3:-1 --steps 5",
        "--corpus in/corpus.txt --count 6 --length 9 --seed 3 --steps 5 --pairs disjoint --min-d1 9 --pin",
        "--prompts in/prompts.txt --pairs in/pairs.npy --steps 70 --write-site blocks.4.attn.hook_z --weights shuffled",
        "--model in/golden/gguf/tiny_llama.gguf --tokens in/tokens.npy --steps 6 --read-site unembed.hook_out --kl",
        "--prompts in/prompts.txt --steps 3 --pin --threads 99", "--prompts in/prompts.txt --steps 3 @full"],
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
EXTRA = {  # on each model of --models, which MODEL is
    "activation_patching": "--clean ' The house' --corrupted ' The woods'",
    "activations": "--prompts in/two.txt --sites *hook_resid_post,unembed.hook_out", "blow_up": TINY,
    "depth": f"{TINY} --write-layers 0,1", "emergence": f"{TINY} --checkpoints MODEL,MODEL",
    "evaluate": "--text in/two.txt", "generate": "--prompts in/two.txt --max-new-tokens 6", "predict_jump": TINY,
    "region_count": TINY, "similar_dissimilar": TINY, "slice_2d": "--prompts in/two.txt --grid 3 --labels",
    "sensitive_directions": "--prompts in/two.txt --resamples 20 --lengths 0.5,1 --families isotropic,real,pca",
    "superellipse": "--prompts in/two.txt --anchors 2 --grid 4 --resamples 5 --direction-pairs 1 --directions random",
    "stable_regions": "--prompts in/prompts.txt --steps 6 --kl --top-k 2"}
NEEDED = {"activations": "--sites hook_embed", "evaluate": "--text in/prompts.txt", "generate": "--prompt a"}
WRONG_EVERYWHERE = ["--bogus", "left-over", "--threads -1", "--dtype fp16", "--model in/absent", "--seed -1",
                    "--model in/models/half", "--weights noise", "--out in/a_file/deeper", "--backend cuda"]
SMALL = "--model in/golden/models/llama_gqa "
REGIONS = SMALL + "--tokens in/tokens.npy "
WRONG = {
    "stable_regions": [
        *(f"--model in/models/{name} --tokens in/tokens.npy" for name in (
            "header", "header_cut", "longer", "no_weights", "no_config", "bad_config", "empty_config", "mamba", "nan",
            "no_tensor", "no_shard", "cut.gguf", "text.gguf", "empty.gguf")),
        "--model in/models/overflow --tokens in/tokens.npy --read-site unembed.hook_out",
        *(f"{SMALL} --tokens in/wrong/{name}.npy" for name in (
            "float", "cube", "none", "cut", "garbage", "empty", "outside", "negative", "long", "single", "absent")),
        *(REGIONS + more for more in (
            "--steps 1", "--steps some", "--top-k 1000000", "--path bend", "--min-d1 nan", "--min-d1 1e9",
            "--pairs chains", "--pairs in/wrong/three.npy", "--pairs in/wrong/far.npy", "--pairs in/wrong/minus.npy",
            "--write-site blocks.0.hook_resid_pos", "--read-site ln_final.hook_output", "--write-site blocks.9.*",
            "--write-site blocks.0.attn.hook_pattern", "--read-site hook_embed", "--context C", "--mode prefix",
            "--mode suffix --position 3", "--position 7", "--position 3:2", "--freeze blocks.1.hook_mlp_out",
            "--freeze blocks.1.hook_mlp_oat@A", "--freeze blocks.1.hook_resid_pre@mean", "--steps 9000000000000000000",
            "--refine 2", "--metrics length", "--prompts in/two.txt", "--count 3", "--bos maybe",
            "--read-site ln_final.hook_out,nowhere", "--out in/a_file", "@limit:0", "@limit:8 --steps 300")),
        *(f"--prompts in/wrong/{name}.txt" for name in ("gap", "empty", "bytes", "absent")), "--prompts in/one.txt",
        "--model in/golden/models/llama_gqa --prompts in/two.txt", "--corpus in/corpus.txt --count 3 --length 400",
        "--corpus in/corpus.txt --count 100000", "--corpus in/wrong/empty.txt --count 2", "--backend tpu", "--bos on",
        "--steps",
        "@env:PLATEAU_INSTRUCTION_SET=widest --steps 3"],
    "activation_patching": [
        "--clean ' She had'", "--clean ' She had' --corrupted ' She could always'", "--answer ' had been'",
        "--answer 1024",
        "--wrong 99999999999999999999", "--answer ' be' --wrong ' be'", "--clean '' --corrupted ''",
        "--tokens in/tokens.npy", "--model in/golden/models/gpt2"],
    "activations": ["--sites nothing*", "--sites ,", "--sites blocks.99.*", "--sites hook_embed --out in/absent/a.npz",
                    "--sites hook_embed @noout", "--sites hook_embed --out in",
                    "--list --model in/models/no_tensor @noout",
                    "--list @full @noout", "--sites * @limit:8"],
    "blow_up": ["--steps 3", "--step -1", "--area-until 9 --prompts in/prompts.txt", "--centre-norm none",
                "--prompts in/one.txt",
                "--sae in/absent", "--sae in/golden/saes/gated", "--read-site blocks.99.hook_resid_post"],
    "depth": ["--write-layers 18", "--write-layers 2:1", "--write-layers 0,x", "--fixed-write 99", "--resamples 0",
              "--prompts in/prompts.txt --min-d1 1e9 --write-layers 1"],
    "emergence": ["--checkpoints data/embedded,in/absent", "--same-region 0", "--model in/golden/models/gpt2"],
    "evaluate": ["@noout", "--tokens in/wrong/single.npy --length 1",
                 "--model in/golden/models/gpt2 --tokens in/wrong/outside.npy", "--text in/wrong/bytes.txt",
                 "--text in/absent.txt", "--text in/wrong/empty.txt", "--tokens in/tokens.npy --length 8 --stride 9"],
    "first_light": ["in/absent", "in/golden/models/llama_gqa", "in/models/half"],
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
    "slice_2d": ["--range 1,0", "--range nan,1", "--frame-seconds 0", "--anchors in/absent.npy",
                 "--anchors in/pair.npy",
                 "--anchors in/wrong/far3.npy", "--anchors in/wrong/same.npy", "--prompts in/one.txt", "--grid 1",
                 "--pairs chain --anchors in/anchors.npy", "--checkpoints in/wrong",
                 "--read-site blocks.0.hook_resid_pre"],
    "superellipse": ["--anchors 1", "--anchors 999", "--anchors 126", "--direction-pairs 0", "--degrees nan",
                     "--directions sideways", "--directions in/steer.npy", "--directions in/wrong/same_rows.npy"],
    "your_own": ["in/absent"],
}
ON_DEVICE = ["--prompts in/two.txt --backend cuda --steps 4",
"--prompts in/two.txt --backend cuda --steps 4 --dtype bf16 --kl --top-k 2",
             "--prompts in/two.txt --backend cuda --steps 3 --float-products bf16x3 --context both "
             "--freeze blocks.*.hook_mlp_out@mean"]


def npy(path, kind, shape, values):
    """An NPY file; kind is a NumPy type such as <f8."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}[kind]
    begin = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    path.write_bytes(begin + array.array(code, values).tobytes())


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
            ("half", whole[:len(whole) // 2], config), ("header", whole[:4], config),
            ("header_cut", whole[:100], config),
            ("longer", whole + b"x", config), ("no_weights", None, config), ("no_config", whole, None),
            ("bad_config", whole, "{"), ("empty_config", whole, "{}"), ("mamba", whole, '{"model_type": "mamba"}'),
            ("nan", damaged(norm, lambda x: float("nan")), config),
            ("overflow", damaged(down, lambda x: x * 1e37 * 10), config),
            ("no_tensor", whole.replace(norm.encode(), b"model.none.weight"), config)):
        (folder / name).mkdir(parents=True)
        for file, content in (("model.safetensors", weights), ("config.json", text and text.encode())):
            if content is not None:
                (folder / name / file).write_bytes(content)
    shutil.copytree(golden / "models/llama_sharded", folder / "no_shard")
    sorted((folder / "no_shard").glob("*.safetensors"))[-1].unlink()
    shutil.copytree(golden.parents[1] / "examples/data/embedded", folder / "bos", ignore=lambda *_: ["checkpoints"])
    settings = json.loads((folder / "bos/tokenizer_config.json").read_text()) | {"bos_token": "<|endoftext|>"}
    (folder / "bos/tokenizer_config.json").write_text(json.dumps(settings))
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
            ("flat", "<i4", [42], ids), ("padded", "<i4", [2, 5], ids[:8] + [-1] * 2), ("pairs",
            "<i8", [3, 2], [0, 2, 3, 1, 2, 0]), ("pair", "<i4", [1, 2], [0, 2]),
            ("anchors", "<i8", [2, 3], [0, 1, 2, 5, 3, 1]), ("rows", "<f4", [5, 96], reals), ("steer",
            "<f4", [96], reals[:96]),
            ("directions", "<f8", [4, 96], reals[:384]), ("wrong/float", "<f4", [2, 5], [1] * 10),
            ("wrong/cube", "<i8", [2, 2, 2], [1] * 8), ("wrong/none", "<i8", [0, 5], []), ("wrong/single",
            "<i8", [1, 5], [1] * 5),
            ("wrong/outside", "<i8", [2, 2], [1, 2, 66, 67]), ("wrong/negative", "<i4", [2, 2], [-1, 2, -1, 4]),
            ("wrong/long", "<i8", [2, 65], [1] * 130), ("wrong/three", "<i8", [2, 3], [0] * 6), ("wrong/far",
            "<i8", [1, 2], [0, 6]),
            ("wrong/minus", "<i4", [1, 2], [0, -1]), ("wrong/far3", "<i8", [1, 3], [0, 1, 500]), ("wrong/same",
            "<i8", [3], [0, 1, 1]),
            ("wrong/nan", "<f4", [1, 96], [float("nan")] * 96), ("wrong/same_rows", "<f8", [2, 96], [1] * 192)):
        npy(folder / f"{name}.npy", kind, shape, values)
    whole = (folder / "tokens.npy").read_bytes()
    for name, content in (("cut.npy", whole[:-3]), ("garbage.npy", b"this is no array"), ("empty.npy", b""),
    ("empty.txt", b""),
                          ("gap.txt", b"one\n\ntwo\n"), ("bytes.txt", b"one\nt\xff\xfe\n")):
        (folder / "wrong" / name).write_bytes(content)
    write_sae(folder / "sae_standard", "standard", "W_enc W_dec b_dec b_enc")
    write_sae(folder / "sae_topk", "topk", "W_enc W_dec b_dec b_enc")
    write_sae(folder / "sae_jumprelu", "jumprelu", "W_enc W_dec b_dec b_enc threshold")
    write_sae(folder / "sae_gated", "gated", "W_enc W_dec b_dec b_gate b_mag r_mag")
    write_broken_models(folder / "models", golden)
