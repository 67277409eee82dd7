"""Compares the distances of `superellipse` with the published algorithm, written down again in PyTorch, on a real model.

    python check_angles.py build/examples/superellipse FILE.gguf [--anchors 6] [--points 200]

Draws prompts of 10 random tokens and turns their activations after block 2 at fixed norm towards a random pair of directions and a pair of differences of
activations, 31 x 31 points of 0 to 60 degrees; the whole prompt runs again for every point, read after the last but one block. Compares --points points of
each map, drawn at random. Prints the largest |d - reference| in units of |F(A)|. Exits with 1 above 1e-5.
The model is a GGUF file or a Hugging Face folder. Needs torch, transformers, gguf.
"""
import argparse
import subprocess
import sys
import tempfile

import numpy as np
import torch

import published

BOUND = 1e-5

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("model")
parser.add_argument("--anchors", type=int, default=6)
parser.add_argument("--points", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)

model = published.load(options.model).base_model
write, read = 2, len(published.blocks_of(model)) - 2
rng = np.random.default_rng(options.seed)
tokens = torch.from_numpy(np.stack([rng.permutation(model.config.vocab_size)[:10] for _ in range(options.anchors + 4)]))
with tempfile.TemporaryDirectory() as d:
    np.save(d + "/tokens.npy", tokens.numpy())
    subprocess.run([options.program, "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads), "--anchors",
                    str(options.anchors), "--direction-pairs", "1", "--resamples", "1", "--out", d + "/out"], check=True, stdout=subprocess.DEVNULL)
    ours, directions = np.load(d + "/out/distances.npy"), torch.from_numpy(np.load(d + "/out/directions.npy")).float().double()

unit = lambda v: v / v.norm()
angles = torch.linspace(0, np.pi / 3, 31, dtype=torch.float64)
drawn = torch.from_numpy(rng.choice(31**2, min(options.points, 31**2), replace=False))
first, second = angles[drawn % 31, None], angles[drawn // 31, None]
r = torch.hypot(first, second)
failed = False
for kind, name in enumerate(("random", "random-difference")):
    worst = 0.0
    for k in range(options.anchors):
        clean = published.read_outs(model, tokens[k])
        a, natural = clean[write, 0].double(), clean[read, 0].double()
        e1, e2 = directions[kind]
        e1 = unit(e1 - (e1 @ unit(a)) * unit(a))
        e2 = e2 - (e2 @ unit(a)) * unit(a)
        e2 = unit(e2 - (e2 @ e1) * e1)
        x = a.norm() * (torch.cos(r) * unit(a) + torch.sin(r) * (first * e1 + second * e2) / r.clamp(min=1e-300))
        out = torch.cat([published.read_outs(model, tokens[k], part, write)[read] for part in torch.split(x.float(), 100)]).double()
        mine = torch.from_numpy(ours[kind, k]).flatten()[drawn]
        worst = max(worst, ((out - natural).norm(dim=1) - mine).abs().max().item() / natural.norm().item())
    print(f"{name}: {options.anchors} anchors x {len(drawn)} of 31 x 31 points, {worst:.2e} |F(A)|")
    failed |= not worst <= BOUND
sys.exit(failed)
