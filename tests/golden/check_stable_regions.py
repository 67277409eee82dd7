"""Compares a results folder of `stable_regions` with transformers, in the published way, and times both.

    stable_regions --model FILE.gguf --tokens tokens.npy --out results
    python check_stable_regions.py FILE.gguf results [--double] [--pairs N]

For each pair the whole prompt runs again for every point (batches of 50), with the output of block 0 replaced by a hook at the last position; the
read-out is the last hidden state, after the final norm. Prints the largest |d(alpha) - reference| in units of |F(A)|, the quantiles of the max slope,
and points per second of both. The model is a GGUF file or a Hugging Face folder. --double makes the reference compute in double throughout.
Needs torch, transformers, gguf.
"""
import argparse
import contextlib
import json
import os
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import true_double

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
parser.add_argument("results")
parser.add_argument("--double", action="store_true")
parser.add_argument("--pairs", type=int, default=None, help="check the first N pairs only")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)
tokens = torch.from_numpy(np.load(os.path.join(options.results, "tokens.npy")))
pairs = np.load(os.path.join(options.results, "pairs.npy"))[: options.pairs]
distances = np.load(os.path.join(options.results, "distances.npy"))[: options.pairs]
steps = distances.shape[1]
alpha = torch.arange(steps, dtype=torch.float64)[:, None] / (steps - 1)

if os.path.isdir(options.model):
    source = dict(pretrained_model_name_or_path=options.model)
else:
    folder, file = os.path.split(os.path.abspath(options.model))
    source = dict(pretrained_model_name_or_path=folder, gguf_file=file)
published = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32).eval()


def after_block_0(model, prompt):
    kept = {}
    handle = model.model.layers[0].register_forward_hook(lambda module, inputs, output: kept.update(h=output))
    model.model(input_ids=prompt[None], use_cache=False)
    handle.remove()
    return kept["h"][0, -1].clone()


def curve(model, a, b):
    x_a, x_b = after_block_0(model, tokens[a]), after_block_0(model, tokens[b])
    points = ((1 - alpha) * x_a.double() + alpha * x_b.double()).to(x_a.dtype)
    read = []
    for batch in points.split(50):
        def replace(module, inputs, output):
            output = output.clone()
            output[:, -1] = batch
            return output
        handle = model.model.layers[0].register_forward_hook(replace)
        read.append(model.model(input_ids=tokens[a][None].expand(len(batch), -1), use_cache=False).last_hidden_state[:, -1].double())
        handle.remove()
    read = torch.cat(read)
    return (read - read[0]).norm(dim=1).numpy(), read[0].norm().item()


with contextlib.ExitStack() as stack:
    model = published
    if options.double:
        stack.enter_context(true_double.everywhere("llama"))
        model = true_double.build(published.config, published.state_dict())
        stack.enter_context(true_double.verify())
    curve(model, *pairs[0])  # warm up
    start = time.perf_counter()
    reference = [curve(model, a, b) for a, b in pairs]
    seconds = time.perf_counter() - start

errors = np.array([np.abs(d - ours).max() / norm for (d, norm), ours in zip(reference, distances)])
relative = np.array([d / d[-1] for d, _ in reference])
slopes = np.diff(relative, axis=1).max(axis=1) * (steps - 1)
with open(os.path.join(options.results, "summary.json")) as file:
    summary = json.load(file)
print(f"{len(pairs)} pairs x {steps} steps: max |d - reference| = {errors.max():.2e} |F(A)|, median of the pairs' maxima {np.median(errors):.2e}")
print("max slope, quartiles of the reference:", " ".join(f"{q:.4f}" for q in np.quantile(slopes, [0.25, 0.5, 0.75])))
print(f"points per second: transformers {len(pairs) * steps / seconds:.0f}, plateau {summary['points_per_second']:.0f} ({summary['threads']} threads)")
