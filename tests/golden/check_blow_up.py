"""Compares `blow_up` around real activations with the published algorithm, written down again in PyTorch, on a real model.

    python check_blow_up.py build/examples/blow_up FILE.gguf [--pairs N]

For each of N pairs of prompts of 10 random tokens, A + s n D with D = (T - A)/|T - A|, n = 0..100 and s = 0.02 |A|: the whole prompt runs again for every
point in transformers, with the output of block 0 replaced at the last position. Prints the largest |d - reference| in units of |F(A)| (the residual stream
after the last block), the largest difference of KL, and how many of the steps (max-slope; blow-up, max and first) are equal, each computed here from the
reference's own curves. Exits with 1 above 1e-5, or if a step differs. The model is a GGUF file or a Hugging Face folder. Needs torch, transformers, gguf.
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
parser.add_argument("--pairs", type=int, default=8)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)

whole = published.load(options.model)
model = whole.base_model
rng = np.random.default_rng(options.seed)


def blow_up(kl):
    """The LASR code's rules: the middle half of the steps, the largest increase of log KL, and the first above mean + sd."""
    growth = np.diff(np.log(kl))[len(kl) // 4 : 3 * len(kl) // 4]
    above = np.nonzero(growth > growth.mean() + growth.std())[0]
    return len(kl) // 4 + growth.argmax(), len(kl) // 4 + above[0]


worst, worst_kl, equal = 0.0, 0.0, np.zeros(3, dtype=int)
for _ in range(options.pairs):
    tokens = torch.from_numpy(np.stack([rng.permutation(model.config.vocab_size)[:10] for _ in range(2)]))
    with tempfile.TemporaryDirectory() as d:
        np.save(d + "/tokens.npy", tokens.numpy())
        subprocess.run([options.program, "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads), "--unit", "norm",
                        "--resamples", "10", "--out", d + "/out"], check=True, stdout=subprocess.DEVNULL)
        ours = {name: np.load(f"{d}/out/{name}.npy")[0, 0, 0] for name in ("distances", "kl", "max_slope_step", "blow_up_max", "blow_up_first")}
        lengths = torch.from_numpy(np.load(d + "/out/perturbation_lengths.npy"))
    a, t = (published.read_outs(model, prompt)[0, 0].double() for prompt in tokens)
    points = a + lengths[:, None] * (t - a) / (t - a).norm()
    points[0] = a
    out = torch.cat([published.read_outs(model, tokens[0], batch) for batch in points.float().split(51)], dim=1)
    read, log_p = out[-2].double(), whole.lm_head(out[-1]).double().log_softmax(dim=1)
    distances = (read - read[0]).norm(dim=1).numpy()
    kl = (log_p[0].exp() * (log_p[0] - log_p)).sum(dim=1).numpy()
    worst = max(worst, np.abs(distances - ours["distances"]).max() / read[0].norm().item())
    worst_kl = max(worst_kl, np.abs(kl - ours["kl"]).max())
    with np.errstate(divide="ignore"):
        steps = np.diff(distances).argmax(), *blow_up(kl)
    equal += np.array(steps) == [ours[name] for name in ("max_slope_step", "blow_up_max", "blow_up_first")]
print(f"{options.pairs} centres x {len(lengths)} points: {worst:.2e} |F(A)|, KL {worst_kl:.2e} nats")
print(f"equal steps: max-slope {equal[0]}, blow-up (max) {equal[1]}, blow-up (first) {equal[2]}, of {options.pairs}")
sys.exit(not (worst <= BOUND and (equal == options.pairs).all()))
