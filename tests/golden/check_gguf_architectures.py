"""Every architecture of GGUF with options drawn at random: a folder saved by transformers, converted by llama.cpp's converter, computed by the
program `activations`, against transformers in double precision on the folder, at every hook point; and the weights bit for bit.

    python check_gguf_architectures.py build/examples/activations LLAMA_CPP [--seeds 100] [--architectures olmo phi3]

LLAMA_CPP: the sources of llama.cpp (gguf_convert.py). One line per architecture and option: how often it was drawn, and the largest error of a site in
units of its largest magnitude. Exits with 1 if one is above its bound: 1e-10 in general, 1e-9 with linear RoPE, and where the file rounds, 2e-6
(Gemma's norms, 1 + w in float32: one random Gemma-3 in 200 has 2.5e-6; OLMo's bound of queries, keys and values) and 2e-5 (the factors of the
frequencies of llama3 and longrope, float32).

What is drawn is what the files carry. The converter refuses or leaves out without a word:
    all         the activation; bf16, f16 and quantised types round, of course
    llama       Mistral's windows
    qwen2, qwen3  windows, llama3's RoPE
    gpt2        scale_attn_weights, scale_attn_by_inverse_layer_idx
    gptneox     rotary_emb_base, RoPE scalings
    phi2        rope_theta, RoPE scalings, qk_layernorm (refused: its tensors have no names)
    gemma       rope_theta, RoPE scalings, an untied head
    gemma2      query_pre_attn_scalar other than head_dim, layer_types, rope_theta, RoPE scalings, an untied head; caps that are null are refused
    gemma3      query_pre_attn_scalar other than head_dim, layer_types, RoPE scalings of layers with a window, an untied head
    olmo, olmo2 llama3's RoPE
    phi3        the attention_factor and factor of longrope
    smollm3     layers without RoPE other than each fourth, windows
    yarn        truncate (whole numbers of pairs), mscale and mscale_all_dim
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"                                # before transformers and gguf

import numpy as np
import torch

import check_families as c
import family_models as f
import gguf_convert
import true_double


def one_of(*values):
    return lambda r: r.choice(values)


THETA = one_of(1e4, 300.0, 1e6)
LINEAR = one_of(dict(rope_type="default", rope_theta=1e4), dict(rope_type="default", rope_theta=300.0), dict(rope_type="linear", rope_theta=500.0, factor=4.0),
                dict(rope_type="linear", rope_theta=1e4, factor=2.5))


def yarn(r):
    some = dict(rope_type="yarn", rope_theta=r.choice((300.0, 1e4)), factor=r.choice((2.0, 4.0, 16.0)), original_max_position_embeddings=r.choice((8, 32, 4096)))
    more = dict(attention_factor=r.choice((0.7, 1.3)), beta_fast=r.choice((8.0, 64.0)), beta_slow=r.choice((0.5, 2.0)))
    return some | {k: v for k, v in more.items() if r.random() < 0.4}


ROPE = ("rope_parameters", lambda r: yarn(r) if r.random() < 0.3 else LINEAR(r))
ROPE3 = ("rope_parameters", lambda r: ROPE[1](r) if r.random() < 0.6 else dict(
    rope_type="llama3", rope_theta=r.choice((1000.0, 5e5)), factor=r.choice((8.0, 32.0, 5.5)), low_freq_factor=r.choice((1.0, 2.0)), high_freq_factor=4.0,
    original_max_position_embeddings=r.choice((16, 64, 8192))))


def fraction(*fractions, theta=one_of(1e4)):
    return ("rope_parameters", lambda r: dict(rope_type="default", rope_theta=theta(r), partial_rotary_factor=r.choice(fractions)))


def phi3_rope(r):
    """Factors of short and long prompts; the prompts here are both."""
    some = fraction(0.7, 1.0, theta=THETA)[1](r)
    if r.random() < 0.5:
        return some
    numbers = lambda: [round(r.uniform(1, 8), 3) for _ in range(int(6 * some["partial_rotary_factor"]) // 2)]
    return dict(some, rope_type="longrope", short_factor=numbers(), long_factor=numbers())


def ropes_by_type(r, full=LINEAR):
    return dict(full_attention=full(r), sliding_attention=dict(rope_type="default", rope_theta=r.choice((300.0, 1e4))))


# architecture: (family's configuration, what is drawn)
OPTIONS = {
    "llama": (f.llama, [ROPE3, c.GROUPS, c.HEAD, c.QKV_BIAS, ("mlp_bias", one_of(True, False)), c.RMS_EPS, c.TIED]),
    "mistral": (f.mistral, [("sliding_window", one_of(None)), ROPE3, c.GROUPS, c.HEAD, c.RMS_EPS, c.TIED]),
    "qwen2": (f.qwen2, [ROPE, c.GROUPS, c.RMS_EPS, c.TIED]),
    "qwen3": (f.qwen3, [c.QKV_BIAS, ROPE, c.GROUPS, c.HEAD, c.RMS_EPS, c.TIED]),
    "gpt2": (f.gpt2, [("n_inner", one_of(None, 23)), ("layer_norm_epsilon", one_of(1e-5, 1e-6, 1e-2)), ("n_head", one_of(1, 3, 9)), c.TIED]),
    "gptneox": (f.gpt_neox, [("use_parallel_residual", one_of(True, False)), fraction(0.4, 0.7, 1.0), c.QKV_BIAS, c.LN_EPS, c.TIED]),
    "phi2": (f.phi, [fraction(0.5, 0.75), ("intermediate_size", one_of(28, 128)), c.GROUPS, c.LN_EPS, c.TIED]),
    "phi3": (f.phi3, [("rope_parameters", phi3_rope), ("original_max_position_embeddings", one_of(8, 16, 32)), ("sliding_window", one_of(None, 1, 4, 50)), c.GROUPS, c.RMS_EPS, c.TIED]),
    "gemma": (f.gemma, [("hidden_act", one_of("gelu", "gelu_pytorch_tanh")), c.QKV_BIAS, c.GROUPS, c.HEAD, c.RMS_EPS]),
    "gemma2": (f.gemma2, [("sliding_window", one_of(1, 4, 50)), ("attn_logit_softcapping", one_of(0.7, 5.0, 50.0)),
                          ("final_logit_softcapping", one_of(1.0, 30.0)), c.QKV_BIAS, c.GROUPS, ("head_dim", one_of(8, 12)), c.RMS_EPS]),
    "gemma3": (f.gemma3, [("num_hidden_layers", one_of(3, 7)), ("sliding_window", one_of(1, 4, 50)), ("final_logit_softcapping", one_of(None, 1.0)), c.QKV_BIAS,
                          c.GROUPS, ("head_dim", one_of(8, 12)), c.RMS_EPS, ("rope_parameters", ropes_by_type)]),
    "olmo": (f.olmo, [("clip_qkv", one_of(None, None, 0.3, 1.0, 8.0)), c.QKV_BIAS, ROPE, c.GROUPS, c.TIED]),
    "olmo2": (f.olmo2, [c.QKV_BIAS, ROPE, c.GROUPS, c.RMS_EPS, c.TIED]),
    "olmo3": (f.olmo3, [("sliding_window", one_of(1, 4, 50)), c.QKV_BIAS, c.GROUPS, c.RMS_EPS, c.TIED, ("rope_parameters", lambda r: ropes_by_type(r, ROPE[1])),
                        ("layer_types", one_of(None, ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]))]),
    "smollm3": (f.smollm3, [("num_hidden_layers", one_of(3, 5)), ("no_rope_layers", one_of(None)), c.QKV_BIAS, ("mlp_bias", one_of(True, False)), ROPE3, c.GROUPS,
                            c.RMS_EPS, c.TIED]),
}


def bound(config):
    rope = getattr(config, "rope_parameters", None) or {}
    kind = rope.get("full_attention", rope).get("rope_type")
    if kind in ("llama3", "longrope"):
        return 2e-5
    if config.model_type.startswith("gemma") or getattr(config, "clip_qkv", None):
        return 2e-6
    return 1e-9 if kind == "linear" else 1e-10


def drawn_model(architecture, seed):
    make, options = OPTIONS[architecture]
    r = random.Random(f"{architecture} {seed}")
    drawn = {name: draw(r) for name, draw in options}
    extra = {"query_pre_attn_scalar": drawn["head_dim"]} if architecture in ("gemma2", "gemma3") else {}
    config = make(**drawn, **extra)
    model = c.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    f.randomise(model, seed)
    return model, drawn


def expected_sites(model, tokens):
    with true_double.everywhere(model.config.model_type):
        double = true_double.build(model.config, dict(model.state_dict()))
        with true_double.verify():
            return {k: v.numpy() for k, v in c.reference_sites.sites(double, tokens).items()}


def check(architecture, seed, program, worst):
    model, drawn = drawn_model(architecture, seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save_pretrained(folder)
        try:
            file = gguf_convert.convert(folder, folder / "model.gguf", fuse_qkv=architecture not in ("gpt2", "gptneox", "phi3") and seed % 4 == 3)
        except Exception as problem:
            return f"{architecture} seed {seed} {drawn}: the converter: {problem!r}"
        tokens = torch.randint(0, f.VOCAB, (2, 17), generator=torch.Generator().manual_seed(seed))
        np.save(folder / "tokens.npy", tokens.numpy())
        expected = expected_sites(model, tokens)
        done = subprocess.run([program, "--model", file, "--tokens", folder / "tokens.npy", "--sites", "*", "--dtype", "fp64", "--out", folder / "out.npz"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return f"{architecture} seed {seed} {drawn}: {done.stderr.strip()}"
        got = dict(np.load(folder / "out.npz"))
        got.pop("tokens")
    if set(got) != set(expected):
        return f"{architecture} seed {seed}: sites {sorted(set(got) ^ set(expected))}"
    largest = 0.0
    for site, want in expected.items():
        finite = np.isfinite(want)
        if got[site].shape != want.shape or not np.array_equal(finite, np.isfinite(got[site])):
            return f"{architecture} seed {seed} {site}: another shape, or other masked entries"
        error = np.abs(got[site][finite] - want[finite]).max() / np.abs(want[finite]).max()
        largest = max(largest, error)
        if not error <= bound(model.config):
            return f"{architecture} seed {seed} {drawn} {site}: {error:.1e}"
    for key in [f"{k} = {v}" for k, v in drawn.items()]:
        entry = worst.setdefault((architecture, key), [0, 0.0])
        entry[0], entry[1] = entry[0] + 1, max(entry[1], largest)
    total = worst.setdefault((architecture, f"in all, bound {bound(model.config):.0e}"), [0, 0.0])
    total[0], total[1] = total[0] + 1, max(total[1], largest)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("llama_cpp")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--architectures", nargs="+", default=list(OPTIONS))
    arguments = parser.parse_args()
    gguf_convert.use(arguments.llama_cpp)
    torch.set_num_threads(1)
    worst, failures = {}, []
    for architecture in arguments.architectures:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            if problem := check(architecture, seed, arguments.program, worst):
                failures.append(problem)
    print(f"{'file':8} {'option':100} {'models':>6} {'error':>8}")
    for (architecture, key), (count, error) in sorted(worst.items()):
        print(f"{architecture:8} {key:100.100} {count:6} {error:8.1e}")
    print("\n".join(failures) if failures else "all agree")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
