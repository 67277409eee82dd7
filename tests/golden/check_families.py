"""Every family with options drawn at random: the program `activations` against transformers in double precision, at every hook point.

    python check_families.py build/examples/activations [--seeds 3] [--families olmo gemma2]

Saves tiny random checkpoints (F32, F16 or BF16, in one file or in shards, with and without the prefix of their names) and compares the program in
fp64 and fp32 with the published modules on the stored weights. One line per family and option: how often it was drawn, and the largest error of a
site in units of its largest magnitude. Exits with 1 if one is above 1e-10 (fp64) or 2e-5 (fp32). Needs torch, transformers, safetensors.
"""
import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import family_models as f
import make_models
import reference_sites
import true_double

BOUNDS = {"fp64": 1e-10, "fp32": 2e-5}


def one_of(*values):
    return lambda r: r.choice(values)


RMS_EPS = ("rms_norm_eps", one_of(1e-6, 1e-5, 1e-2))
LN_EPS = ("layer_norm_eps", one_of(1e-5, 1e-2))
TIED = ("tie_word_embeddings", one_of(True, False))
ROPE = ("rope", "llama")
GROUPS = ("num_key_value_heads", one_of(1, 2, 4))
HEAD = ("head_dim", one_of(6, 8, 12))
QKV_BIAS = ("attention_bias", one_of(True, False))
ACT = one_of("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu")


def partial(*fractions):
    return ("rope_parameters", lambda r: dict(rope_type="default", rope_theta=r.choice((1e4, 300.0)), partial_rotary_factor=r.choice(fractions)))


def yarn(r):
    """Yarn with what a file may say, for prompts of 11 tokens within or beyond the original positions."""
    some = dict(rope_type="yarn", rope_theta=r.choice((300.0, 1e4)), factor=r.choice((2.0, 4.0, 16)), original_max_position_embeddings=r.choice((8, 32, 4096)))
    more = dict(attention_factor=r.choice((0.7, 1.3)), mscale=r.choice((0.5, 1.0)), mscale_all_dim=r.choice((0.8, 1.0)), beta_fast=r.choice((8, 64.0)),
                beta_slow=r.choice((0.5, 2)), truncate=r.choice((True, False)))
    return some | {k: v for k, v in more.items() if r.random() < 0.4}


def longrope(r, pairs, original=None):
    numbers = lambda: [round(r.uniform(1, 8), 3) for _ in range(pairs)]
    some = dict(rope_type="longrope", rope_theta=r.choice((300.0, 1e4)), short_factor=numbers(), long_factor=numbers(),
                original_max_position_embeddings=original or r.choice((8, 11, 32)))
    more = dict(factor=r.choice((1.0, 4.0)), attention_factor=r.choice((0.7, 1.2)))
    return some | {k: v for k, v in more.items() if r.random() < 0.4}


def draw_rope(r, kind, drawn):
    """Rotary positions of any kind; a prompt of 11 tokens is short or long for them."""
    pairs = drawn.get("head_dim", 6) // 2
    choices = [lambda: dict(rope_type="default", rope_theta=r.choice((1e4, 300.0))), lambda: dict(rope_type="linear", rope_theta=500.0, factor=4.0),
               lambda: dict(rope_type="llama3", rope_theta=1000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
               lambda: dict(rope_type="dynamic", rope_theta=r.choice((1e4, 300.0)), factor=r.choice((1.0, 2.0, 3.5))), lambda: yarn(r), lambda: longrope(r, pairs)]
    scaling = r.choice(choices)()
    more = dict(max_position_embeddings=r.choice((8, 10, 11, 64))) if scaling["rope_type"] == "dynamic" else {}
    if kind == "by layer type":
        one = lambda: {k: v for k, v in r.choice(choices)().items()} | (dict(rope_theta=r.choice((300.0, 2e4))) if r.random() < 0.5 else {})
        both = dict(full_attention=one(), sliding_attention=one())
        scales = any(one["rope_type"] == "dynamic" for one in both.values())
        return dict(dict(max_position_embeddings=r.choice((8, 10, 11, 64))) if scales else {}, rope_parameters=both)
    if kind == "phi3":
        fraction, original = r.choice((0.7, 1.0)), r.choice((8, 32))
        scaling = r.choice((dict(rope_type="default", rope_theta=300.0), longrope(r, int(6 * fraction) // 2, original)))
        scaling["partial_rotary_factor"], more = fraction, dict(original_max_position_embeddings=original)
    return dict(more, rope_parameters=scaling)


def draw_options(options, r):
    drawn = {}
    for name, draw in sorted(options, key=lambda one: one[0] == "rope"):
        drawn.update(draw_rope(r, draw, drawn) if name == "rope" else {name: draw(r)})
    return drawn


# what is drawn for each family
OPTIONS = {
    "gpt2": (f.gpt2, [("n_inner", one_of(None, 23)), ("activation_function", ACT), ("scale_attn_by_inverse_layer_idx", one_of(True, False)),
                      ("scale_attn_weights", one_of(True, False)), ("layer_norm_epsilon", one_of(1e-5, 1e-2, 1e12)), TIED]),
    "gpt_neo": (f.gpt_neo, [("attention_types", one_of([[["global", "local"], 1], [["local"], 1]], [[["local"], 3]], [[["global"], 3]])),
                            ("window_size", one_of(1, 2, 5, 40)), ("intermediate_size", one_of(None, 23)), ("activation_function", ACT), TIED]),
    "gpt_neox": (f.gpt_neox, [("use_parallel_residual", one_of(True, False)), partial(0.4, 0.7, 1.0), ("hidden_act", ACT), QKV_BIAS, LN_EPS, TIED]),
    "llama": (f.llama, [ROPE, GROUPS, HEAD, QKV_BIAS, ("mlp_bias", one_of(True, False)), RMS_EPS, TIED]),
    "mistral": (f.mistral, [("sliding_window", one_of(None, 1, 4, 50)), ROPE, GROUPS, HEAD, RMS_EPS, TIED]),
    "qwen2": (f.qwen2, [("use_sliding_window", one_of(True, False)), ("sliding_window", one_of(2, 5)), ("max_window_layers", one_of(0, 1, 2)), ROPE, GROUPS, TIED]),
    "qwen3": (f.qwen3, [("use_sliding_window", one_of(True, False)), ("sliding_window", one_of(2, 5)), ("max_window_layers", one_of(0, 1, 2)), QKV_BIAS, ROPE, GROUPS,
                        HEAD, RMS_EPS, TIED]),
    "olmo": (f.olmo, [("clip_qkv", one_of(None, 0.3, 1.0, 8.0)), QKV_BIAS, ROPE, GROUPS, TIED]),
    "olmo2": (f.olmo2, [QKV_BIAS, ROPE, GROUPS, RMS_EPS, TIED]),
    "gemma": (f.gemma, [("hidden_act", one_of("gelu", "gelu_pytorch_tanh")), QKV_BIAS, ROPE, GROUPS, HEAD, RMS_EPS]),
    "gemma2": (f.gemma2, [("sliding_window", one_of(1, 4, 50)), ("query_pre_attn_scalar", one_of(8, 37)), ("attn_logit_softcapping", one_of(None, 0.7, 5.0)),
                          ("final_logit_softcapping", one_of(None, 1.0, 30.0)),
                          ("layer_types", one_of(None, ["full_attention", "sliding_attention", "sliding_attention"])), QKV_BIAS, GROUPS, HEAD]),
    "gemma3": (f.gemma3, [("sliding_window", one_of(1, 4, 50)), ("query_pre_attn_scalar", one_of(8, 37)), ("final_logit_softcapping", one_of(None, 1.0)),
                          ("layer_types", one_of(None, ["full_attention", "sliding_attention", "sliding_attention"])), QKV_BIAS, GROUPS, HEAD, RMS_EPS,
                          ("hidden_activation", ACT), ("rope", "by layer type")]),
    "olmo3": (f.olmo3, [("sliding_window", one_of(1, 4, 50)), QKV_BIAS, GROUPS, RMS_EPS, TIED, ("rope", "by layer type"),
                        ("layer_types", one_of(None, ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]))]),
    "smollm3": (f.smollm3, [("no_rope_layers", one_of(None, [0, 1, 1], [1, 1, 0, 1])), ("no_rope_layer_interval", one_of(1, 2, 3)), QKV_BIAS,
                            ("mlp_bias", one_of(True, False)), ("use_sliding_window", one_of(True, False)), ("sliding_window", one_of(None, 1, 4)),
                            ROPE, GROUPS, RMS_EPS, TIED]),
    "granite": (f.granite, [("embedding_multiplier", one_of(1, 12.0, 0.7)), ("attention_multiplier", one_of(1, 0.2, 0.05)),
                            ("residual_multiplier", one_of(1, 0.22, 1.4)), ("logits_scaling", one_of(1, 16.0, 3, 0.3)), QKV_BIAS,
                            ("mlp_bias", one_of(True, False)), ROPE, GROUPS, RMS_EPS, TIED]),
    "stablelm": (f.stablelm, [("use_parallel_residual", one_of(True, False)), ("qk_layernorm", one_of(True, False)), ("use_qkv_bias", one_of(True, False)),
                              partial(0.25, 0.5, 1.0), ("hidden_act", ACT), GROUPS, LN_EPS, TIED]),
    "phi": (f.phi, [partial(0.5, 0.75), ("qk_layernorm", one_of(True, False)), ("hidden_act", ACT), GROUPS, LN_EPS, TIED]),
    "phi3": (f.phi3, [("rope", "phi3"), ("sliding_window", one_of(None, 1, 4, 50)), GROUPS, RMS_EPS, TIED]),
    "opt": (f.opt, [("enable_bias", one_of(True, False)), ("layer_norm_elementwise_affine", one_of(True, False)), ("activation_function", ACT), TIED]),
}


def save(model, folder, how, r):
    """Saves as a published checkpoint may look; returns what was done."""
    model = model.to(getattr(torch, how["dtype"]))
    model.config.dtype = getattr(torch, how["dtype"])
    model.save_pretrained(folder, max_shard_size=how["shards"])
    base = reference_sites.MODULES[model.config.model_type]["base"].split(".")[0] + "."
    if not how["prefix"]:
        for file in folder.glob("*.safetensors"):
            save_file({k.removeprefix(base): v for k, v in load_file(file).items()}, file, metadata={"format": "pt"})
        index = folder / "model.safetensors.index.json"
        if index.exists():
            index.write_text(index.read_text().replace(f'"{base}', '"'))
    if how["keys"] == "v4":
        import json
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(make_models.v4_config(config)))
    return model


def check(family, seed, program, worst):
    make, options = OPTIONS[family]
    r = random.Random(f"{family} {seed}")
    drawn = draw_options(options, r)
    how = dict(dtype=r.choice(("float32", "float32", "float16", "bfloat16")), shards=r.choice(("10KB", "5GB")), prefix=r.choice((True, True, False)),
               keys=r.choice(("v4", "v5")) if "layer_types" not in drawn else "v5")
    if drawn.get("layer_norm_epsilon") == 1e12:
        how["dtype"] = "float32"
    config = make(**drawn)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    f.randomise(model, seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = save(model, folder, how, r)
        g = torch.Generator().manual_seed(seed)
        tokens = torch.randint(0, f.VOCAB, (2, 11), generator=g)
        np.save(folder / "tokens.npy", tokens.numpy())
        with true_double.everywhere(config.model_type):
            double = true_double.build(model.config, {k: v for k, v in model.state_dict().items()})
            with true_double.verify():
                expected = reference_sites.sites(double, tokens)
        errors = {}
        for dtype, bound in BOUNDS.items():
            out = folder / f"{dtype}.npz"
            done = subprocess.run([program, "--model", name, "--tokens", folder / "tokens.npy", "--sites", "*", "--dtype", dtype, "--out", out],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                return f"{family} seed {seed} {drawn} {how}: {done.stderr.strip()}"
            got = dict(np.load(out))
            got.pop("tokens")
            if set(got) != set(expected):
                return f"{family} seed {seed}: sites {sorted(set(got) ^ set(expected))}"
            errors[dtype] = 0.0
            for site, want in expected.items():
                want = want.numpy()
                if got[site].shape != want.shape:
                    return f"{family} seed {seed} {site}: shape {got[site].shape}, expected {want.shape}"
                finite = np.isfinite(want)
                if not np.array_equal(finite, np.isfinite(got[site])):
                    return f"{family} seed {seed} {site}: other masked entries"
                error = np.abs(got[site] - want)[finite].max() / np.abs(want[finite]).max()
                errors[dtype] = max(errors[dtype], error)
                if not error <= bound:
                    return f"{family} seed {seed} {drawn} {how} {dtype} {site}: {error:.1e}"
    for key in [f"{k} = {v}" for k, v in drawn.items()] + [f"{k} = {v}" for k, v in how.items()]:
        entry = worst.setdefault((family, key), [0, 0.0, 0.0])
        entry[0] += 1
        entry[1], entry[2] = max(entry[1], errors["fp64"]), max(entry[2], errors["fp32"])
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--families", nargs="+", default=list(OPTIONS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    worst, failures = {}, []
    for family in arguments.families:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            if problem := check(family, seed, arguments.program, worst):
                failures.append(problem)
    print(f"{'family':10} {'option':84} {'models':>6} {'fp64':>8} {'fp32':>8}")
    for (family, key), (count, double, single) in sorted(worst.items()):
        print(f"{family:10} {key:84.84} {count:6} {double:8.1e} {single:8.1e}")
    for family in arguments.families:
        rows = [v for (name, _), v in worst.items() if name == family]
        if rows:
            print(f"{family}: worst {max(v[1] for v in rows):.1e} in fp64, {max(v[2] for v in rows):.1e} in fp32")
    print("\n".join(failures) if failures else "all agree")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
