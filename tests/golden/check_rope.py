"""Rotary positions that go by the length of a prompt: ragged arrays and texts that grow, against transformers in double precision.

    python check_rope.py build/examples/activations build/examples/generate [--first 0] [--seeds 20]

For each seed a tiny random checkpoint of a family and a kind of rotary positions drawn at random; prompts of 1 to 40 tokens, some within and some beyond
the trained length, in one array padded with -1. Every prompt's residual stream and logits must be those of transformers for it alone, at 1e-10; and what
`generate` adds to each must be what transformers, with its cache, adds. Exits with 1 otherwise. Needs torch, transformers, safetensors.
"""
import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import check_families
import family_models as f
import reference_sites
import true_double

FAMILIES = {"llama": (f.llama, "llama"), "qwen3": (f.qwen3, "llama"), "olmo2": (f.olmo2, "llama"), "smollm3": (f.smollm3, "llama"), "granite": (f.granite, "llama"),
            "phi3": (f.phi3, "phi3"), "gemma3": (f.gemma3, "by layer type"), "olmo3": (f.olmo3, "by layer type")}
NEW = 12


def check(seed, activations, generate):
    r = random.Random(f"rope {seed}")
    family = r.choice(list(FAMILIES))
    make, kind = FAMILIES[family]
    head = {"head_dim": 8} if family in ("qwen3", "gemma3") else {}
    drawn = {**dict(max_position_embeddings=64), **head, **check_families.draw_rope(r, kind, head)}
    config = make(**drawn)
    longest = 40 if any("dynamic" in str(v) for v in drawn.values()) else min(40, config.max_position_embeddings - NEW)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    f.randomise(model, seed)
    lengths = [r.randint(1, longest) for _ in range(5)] + [longest]
    ids = np.full((len(lengths), longest), -1)
    for row, length in zip(ids, lengths):
        row[:length] = [r.randrange(f.VOCAB) for _ in range(length)]
    ids[1, :min(lengths[0], lengths[1])] = ids[0, :min(lengths[0], lengths[1])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save_pretrained(folder)
        np.save(folder / "tokens.npy", ids)
        run = lambda *a: subprocess.run([*map(str, a)], capture_output=True, text=True)
        done = run(activations, "--model", name, "--tokens", folder / "tokens.npy", "--sites", "blocks.*.hook_resid_post,unembed.hook_out", "--dtype", "fp64",
                   "--out", folder / "out.npz")
        if done.returncode:
            return f"{family} {seed} {drawn}: {done.stderr.strip()}", 0, 0
        got = dict(np.load(folder / "out.npz"))
        done = run(generate, "--model", name, "--tokens", folder / "tokens.npy", "--max-new-tokens", NEW, "--ignore-eos", "--dtype", "fp64", "--out", folder / "texts")
        if done.returncode:
            return f"{family} {seed} {drawn}: {done.stderr.strip()}", 0, 0
        texts, worst, same = np.load(folder / "texts" / "tokens.npy"), 0.0, 0
        with true_double.everywhere(config.model_type):
            for i, length in enumerate(lengths):
                tokens = torch.tensor(ids[i, :length])[None]
                expected = reference_sites.sites(true_double.build(model.config, model.state_dict()), tokens)
                for site in got.keys() - {"tokens", "lengths"}:
                    want = expected[site][0].numpy()
                    worst = max(worst, np.abs(got[site][i, :length] - want).max() / np.abs(want).max())
                text = true_double.build(model.config, model.state_dict()).generate(tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=NEW, do_sample=False,
                                                                                    pad_token_id=0, eos_token_id=None)[0].numpy()
                same += np.array_equal(text, texts[i, :len(text)])
    if not worst <= 1e-10 or same < len(lengths):
        return f"{family} {seed} {drawn} {lengths}: {worst:.1e}, {same} of {len(lengths)} texts", worst, same
    return None, worst, same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("activations")
    parser.add_argument("generate")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    failures, worst, texts = [], 0.0, 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        failure, error, same = check(seed, arguments.activations, arguments.generate)
        worst, texts = max(worst, error), texts + same
        if failure:
            failures.append(failure)
    print(f"{arguments.seeds} models: ragged prompts off by at most {worst:.1e}, {texts} texts continue as published")
    print("\n".join(failures) if failures else "all agree")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
