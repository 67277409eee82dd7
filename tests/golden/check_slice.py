"""Compares the distances of `slice_2d` with the published algorithm, written down again in PyTorch, on a real model.

    python check_slice.py build/examples/slice_2d FILE.gguf [--grid 61]

Draws three prompts A, B, C of 10 random tokens and runs the whole prompt again for every point of the plane
x = A + alpha (B - A) + beta (C - P), P the projection of C on the line AB, alpha and beta in [-0.25, 1.25], once in the context of each prompt.
Prints for each context the largest |d - reference| in units of that context's |F|. Exits with 1 above 1e-5.
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
parser.add_argument("--grid", type=int, default=61)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)

model = published.load(options.model).base_model
rng = np.random.default_rng(options.seed)
tokens = torch.from_numpy(np.stack([rng.permutation(model.config.vocab_size)[:10] for _ in range(3)]))
with tempfile.TemporaryDirectory() as d:
    np.save(d + "/tokens.npy", tokens.numpy())
    subprocess.run([options.program, "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads),
                    "--grid", str(options.grid), "--out", d + "/out"], check=True, stdout=subprocess.DEVNULL)
    ours = [torch.from_numpy(np.load(f"{d}/out/d_{name}.npy")) for name in "abc"]

clean = [published.read_outs(model, prompt) for prompt in tokens]
a, b, c = (one[0, 0].double() for one in clean)
foot = a + (b - a) * ((b - a) @ (c - a)) / ((b - a) @ (b - a))
axis = torch.linspace(-0.25, 1.25, options.grid, dtype=torch.float64)
failed = False
for name, prompt, reference, mine in zip("ABC", tokens, clean, ours):
    natural, worst = reference[-1, 0].double(), 0.0
    for row, beta in enumerate(axis):
        points = a + axis[:, None] * (b - a) + beta * (c - foot)
        out = published.read_outs(model, prompt, points.float())[-1].double()
        worst = max(worst, ((out - natural).norm(dim=1) - mine[row]).abs().max().item() / natural.norm().item())
    print(f"context {name}: {options.grid} x {options.grid} points, {worst:.2e} |F({name})|")
    failed |= not worst <= BOUND
sys.exit(failed)
