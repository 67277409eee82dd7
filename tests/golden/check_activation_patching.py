"""Compares the matrices of `activation_patching` with those of TransformerLens' `patching` module, and times both in one run.

    python check_activation_patching.py build/examples/activation_patching FILE.gguf [--clean TEXT --corrupted TEXT]

The default prompts differ in one token; with --random they are random tokens that differ from the first one on. Prints the largest
difference of each matrix and the ratio of the times: theirs is one full forward pass per patch, in the runs of `get_act_patch_resid_pre`,
`_attn_out`, `_mlp_out` and `_attn_head_out_all_pos`; ours is `seconds` of summary.json, from the first forward pass to the last read-out. Exits
with 1 above 1e-4 or below 8 times. The model is a GGUF file or a Hugging Face folder. Needs torch, transformers, transformer-lens (4.3), gguf.
"""
import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import published

BOUND, RATIO = 1e-4, 8.0

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("model")
parser.add_argument("--clean", default="When John and Mary went to the old shops, John gave the bag to")
parser.add_argument("--corrupted", default="When John and Mary went to the old shops, Mary gave the bag to")
parser.add_argument("--random", type=int, metavar="LENGTH", help="random tokens instead, so many")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)
from transformer_lens import patching
from transformer_lens.model_bridge import TransformerBridge

single = published.load(options.model)
source = (options.model, {}) if os.path.isdir(options.model) else (os.path.dirname(os.path.abspath(options.model)),
                                                                   dict(gguf_file=os.path.basename(options.model)))
tokenizer = AutoTokenizer.from_pretrained(source[0], **source[1])
if options.random:
    rng = np.random.default_rng(options.seed)
    tokens = np.stack([rng.permutation(single.config.vocab_size)[: options.random] for _ in range(2)])
else:
    tokens = np.array([tokenizer(text)["input_ids"] for text in (options.clean, options.corrupted)])

with tempfile.TemporaryDirectory() as d:
    np.save(d + "/tokens.npy", tokens.astype(np.int64))
    for _ in range(2):                                          # the first run brings the file into memory
        subprocess.run([options.program, "--model", options.model, "--tokens", d + "/tokens.npy", "--threads", str(options.threads), "--out", d + "/out"],
                       check=True, stdout=subprocess.DEVNULL)
    with open(d + "/out/summary.json") as file:
        summary = json.load(file)
    ours = {name: np.load(f"{d}/out/{name}.npy") for name in ("resid_pre", "attn_out", "mlp_out", "head_z")}
    plain = AutoModelForCausalLM.from_config(single.config, dtype=torch.float32)  # one read from GGUF does not let itself be saved
    plain.load_state_dict(single.state_dict())
    if hasattr(plain.config, "quantization_config"):
        del plain.config.quantization_config
    plain.save_pretrained(d + "/model")
    tokenizer.save_pretrained(d + "/model")
    bridge = TransformerBridge.boot_transformers(d + "/model", dtype=torch.float32)

clean, corrupted = (torch.from_numpy(t[None].astype(np.int64)) for t in tokens)


def difference(logits):
    return logits[0, -1, summary["answer"]] - logits[0, -1, summary["wrong"]]


start = time.perf_counter()
clean_logits, cache = bridge.run_with_cache(clean)
ends = [difference(logits).item() for logits in (clean_logits, bridge(corrupted))]
metric = lambda logits: (difference(logits) - ends[1]) / (ends[0] - ends[1])
theirs = {
    "resid_pre": patching.get_act_patch_resid_pre(bridge, corrupted, cache, metric),
    "attn_out": patching.get_act_patch_attn_out(bridge, corrupted, cache, metric),
    "mlp_out": patching.get_act_patch_mlp_out(bridge, corrupted, cache, metric),
    "head_z": patching.get_act_patch_attn_head_out_all_pos(bridge, corrupted, cache, metric),
}
seconds = time.perf_counter() - start

print(f"{len(tokens[0])} tokens, logit difference clean {summary['clean_logit_difference']:.6f} (theirs {ends[0]:.6f}), "
      f"corrupted {summary['corrupted_logit_difference']:.6f} (theirs {ends[1]:.6f})")
worst = 0.0
for name, matrix in theirs.items():
    if tuple(matrix.shape) != ours[name].shape:
        sys.exit(f"{name}: shape {ours[name].shape}, TransformerLens {tuple(matrix.shape)}")
    error = np.abs(matrix.double().numpy() - ours[name]).max()
    worst = max(worst, error)
    print(f"{name:10} {str(ours[name].shape):9} largest difference {error:.1e}, largest effect {np.abs(ours[name]).max():.3f}")
patches = sum(matrix.size for matrix in ours.values())
print(f"{patches} patches in {summary['seconds']:.2f} s, TransformerLens {seconds:.1f} s ({options.threads} threads each): {seconds / summary['seconds']:.1f} times; "
      f"the first {summary['first_difference']} positions are equal and not run here")
sys.exit(not (worst <= BOUND and seconds >= RATIO * summary["seconds"]))
