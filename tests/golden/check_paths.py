"""Compares `stable_regions --path NAME` with the published algorithms, written down again in PyTorch, on a real model.

    python check_paths.py build/examples/stable_regions FILE.gguf [--prompts N] [--steps S] [--layers]

Draws N prompts of 10 random tokens, runs every path over the chain of their pairs, and runs the whole prompt again for every point in transformers, with
the output of block 0 replaced at the last position. Prints for each path the largest |d - reference| in units of |F(A)|, and the same for Shinkle's
share |x - x_0| / (|x - x_0| + |x - x_1|) times its denominator. --layers also reads every later block's output. Exits with 1 above 1e-5.
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
parser.add_argument("--prompts", type=int, default=13)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--layers", action="store_true")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)

model = published.load(options.model).base_model
blocks = published.blocks_of(model)
rng = np.random.default_rng(options.seed)
tokens = torch.from_numpy(np.stack([rng.permutation(model.config.vocab_size)[:10] for _ in range(options.prompts)]))


run = lambda prompt, points=None: published.read_outs(model, prompt, points)
clean = torch.stack([run(prompt)[0, 0] for prompt in tokens]).double()
mean = clean.mean(dim=0).float().double()                       # rounded as an activation is
unit = lambda v: v / v.norm()
angle = lambda a, b: torch.acos((unit(a) @ unit(b)).clamp(-1, 1))


def linear(a, b, t):
    return (1 - t) * a + t * b


def arc(a, b, t):                                               # Janiak et al., code
    x = linear(a, b, t)
    return mean + (x - mean) * (a - mean).norm() / (x - mean).norm(dim=1, keepdim=True)


def arc_to_b(a, b, t):
    x = linear(a, b, t)
    return mean + (x - mean) * linear((a - mean).norm(), (b - mean).norm(), t) / (x - mean).norm(dim=1, keepdim=True)


def slerp(a, b, t):
    w = angle(a, b)
    return (torch.sin((1 - t) * w) * a + torch.sin(t * w) * b) / torch.sin(w)


def slerp_rescaled(a, b, t):
    return slerp(unit(a), unit(b), t) * linear(a.norm(), b.norm(), t)


def slerp_folded(a, b, t):                                      # Shinkle & Heimersheim: acos of |cos|
    w = torch.acos((unit(a) @ unit(b)).abs())
    return linear(a.norm(), b.norm(), t) * (torch.sin((1 - t) * w) * unit(a) + torch.sin(t * w) * unit(b)) / torch.sin(w)


def rotation(a, b, t):                                          # da Silva & Heimersheim, one dimension
    tangent = unit(b - (b @ unit(a)) * unit(a))
    return a.norm() * (torch.cos(t * angle(a, b)) * unit(a) + torch.sin(t * angle(a, b)) * tangent)


def rotation_added(a, b, t):
    tangent = unit(b - (b @ unit(a)) * unit(a))
    return a + a.norm() * torch.sin(t * angle(a, b)) * tangent


t = torch.arange(options.steps, dtype=torch.float64)[:, None] / (options.steps - 1)
failed = False
for path in (linear, arc, arc_to_b, slerp, slerp_rescaled, slerp_folded, rotation, rotation_added):
    name = path.__name__.replace("_", "-")
    sites = ["ln_final.hook_out"] + ([f"blocks.{i}.hook_resid_post" for i in range(1, len(blocks))] if options.layers else [])
    with tempfile.TemporaryDirectory() as d:
        np.save(d + "/tokens.npy", tokens.numpy())
        subprocess.run([options.program, "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads), "--path", name,
                        "--steps", str(options.steps), "--read-site", ",".join(sites), "--metrics", "share", "--out", d + "/out"], check=True, stdout=subprocess.DEVNULL)
        load = lambda what: torch.from_numpy(np.stack([np.load(f"{d}/out/{what}.npy" if k == 0 else f"{d}/out/{what}.{k + 1}.npy")
                                                       for k in range(len(sites))], axis=1))  # [P, sites, S]
        ours, share = load("distances"), load("share")
    worst, worst_share = 0.0, 0.0
    for p in range(options.prompts - 1):
        a, b = clean[p], clean[p + 1]
        points = path(a, b, t)
        points[0] = a
        out = run(tokens[p], points.float()).double()           # [L + 1, S, D]
        out = torch.cat([out[-1:], out[1:-1]])[: len(sites)]     # as the sites are listed
        d = (out - out[:, :1]).norm(dim=2)
        worst = max(worst, ((d - ours[p]).abs().amax(dim=1) / out[:, 0].norm(dim=1)).max().item())
        to_end = (out - out[:, -1:]).norm(dim=2)
        # the share's error times what it is a share of is a distance's error
        worst_share = max(worst_share, (((d / (d + to_end) - share[p]) * (d + to_end)).abs().amax(dim=1) / out[:, 0].norm(dim=1)).max().item())
    print(f"{name:15} {options.prompts - 1} pairs x {options.steps} steps, {len(sites)} read sites: {worst:.2e} |F(A)|, share of the distances {worst_share:.2e}")
    failed |= not max(worst, worst_share) <= BOUND
sys.exit(failed)
