"""Compares `slice_2d` and `superellipse` with the published algorithms, written down again in PyTorch, on a real model.

    python check_slices.py build/examples MODEL [--grid 61] [--points 200]

Draws prompts of 10 random tokens. 2-D slice: the plane through three activations after block 0, three contexts, read after the final norm; the whole prompt
runs again for every point in transformers, with the output of block 0 replaced at the last position. Responses over angles: 31 x 31 points of 0 to 60 degrees
about 6 anchors, written after block 2, read after the last but one. Of each map `--points` points drawn at random are compared, and all anchors. Prints the
largest |d - reference| in units of |F(A)| and exits with 1 above 1e-5. MODEL is a GGUF file or a Hugging Face folder. Needs torch, transformers, gguf.
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
parser.add_argument("programs")
parser.add_argument("model")
parser.add_argument("--grid", type=int, default=61)
parser.add_argument("--points", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)

model = published.load(options.model).base_model
blocks = next(module for name, module in model.named_children() if name in ("layers", "h"))
rng = np.random.default_rng(options.seed)
tokens = torch.from_numpy(np.stack([rng.permutation(model.config.vocab_size)[:10] for _ in range(12)]))


def value(output):  # of a block: older versions wrap it in a tuple
    return output[0] if isinstance(output, tuple) else output


def run(prompt, write, read, points=None):
    """The last position at a read place (a block, or None for the final norm), [M, D], with `points` written after a block."""
    kept, handles = [], []

    def replace(module, inputs, output):
        h = value(output).clone()
        h[:, -1] = points
        return (h, *output[1:]) if isinstance(output, tuple) else h

    if points is not None:
        handles.append(blocks[write].register_forward_hook(replace))
    if read is not None:
        handles.append(blocks[read].register_forward_hook(lambda module, inputs, output: kept.append(value(output)[:, -1].clone())))
    out = []
    for part in (torch.split(points, 100) if points is not None else [None]):
        whole, points = points, part
        batch = prompt[None].expand(1 if part is None else len(part), -1)
        last = model(input_ids=batch, use_cache=False).last_hidden_state[:, -1]
        out.append(last if read is None else kept.pop())
        points = whole
    for handle in handles:
        handle.remove()
    return torch.cat(out).double()


def ours(program, *arguments):
    with tempfile.TemporaryDirectory() as d:
        np.save(d + "/tokens.npy", tokens.numpy())
        subprocess.run([f"{options.programs}/{program}", "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads),
                        "--out", d + "/out", *arguments], check=True, stdout=subprocess.DEVNULL)
        names = ("d_a", "d_b", "d_c") if program == "slice_2d" else ("distances", "directions")
        return [np.load(f"{d}/out/{name}.npy") for name in names]


def worst_of(got, prompt, write, read, points, which):
    """|d - reference| / |F(A)| of some points; got and points [M] and [M, D] of them."""
    own = run(prompt, write, read)[0]
    d = (run(prompt, write, read, points.float()) - own).norm(dim=1)
    return ((d - torch.from_numpy(got)).abs().max() / own.norm()).item()


failed = False
site = lambda prompt, block: run(prompt, None, block)[0]

a, b, c = (site(prompt, 0) for prompt in tokens[:3])
p = a + ((b - a) @ (c - a)) / ((b - a) @ (b - a)) * (b - a)
axis = torch.linspace(-0.25, 1.25, options.grid, dtype=torch.float64)
drawn = torch.from_numpy(rng.choice(options.grid**2, min(options.points, options.grid**2), replace=False))
alpha, beta = axis[drawn % options.grid, None], axis[drawn // options.grid, None]
points = a + alpha * (b - a) + beta * (c - p)
for k, map in enumerate(ours("slice_2d", "--grid", str(options.grid))):
    worst = worst_of(map.flatten()[drawn], tokens[k], 0, None, points, drawn)
    print(f"slice, context {'ABC'[k]}: {len(drawn)} of {options.grid} x {options.grid} points: {worst:.2e} |F(A)|")
    failed |= not worst <= BOUND

maps, directions = ours("superellipse", "--anchors", "6", "--direction-pairs", "1", "--resamples", "1")
angles = torch.linspace(0, np.pi / 3, 31, dtype=torch.float64)
drawn = torch.from_numpy(rng.choice(31**2, min(options.points, 31**2), replace=False))
first, second = angles[drawn % 31, None], angles[drawn // 31, None]
unit = lambda v: v / v.norm()
write = 0 if len(blocks) < 5 else 2
for kind in range(2):
    d1, d2 = torch.from_numpy(directions[kind]).float().double()
    worst = 0
    for k in range(6):
        x = site(tokens[k], write)
        e1 = unit(d1 - (d1 @ unit(x)) * unit(x))
        e2 = d2 - (d2 @ unit(x)) * unit(x)
        e2 = unit(e2 - (e2 @ e1) * e1)
        r = torch.hypot(first, second)
        v = (first * e1 + second * e2) / r.clamp(min=1e-300)
        turned = x.norm() * (torch.cos(r) * unit(x) + torch.sin(r) * v)
        worst = max(worst, worst_of(maps[kind, k].flatten()[drawn], tokens[k], write, len(blocks) - 2, turned, drawn))
    print(f"angles, {('random', 'random-difference')[kind]}: 6 anchors x {len(drawn)} of 31 x 31 points: {worst:.2e} |F(A)|")
    failed |= not worst <= BOUND
sys.exit(failed)
