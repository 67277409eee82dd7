"""Compares texts that `generate` wrote greedily with those of transformers' `generate`.

    generate --model FILE.gguf --corpus novel.txt --count 20 --length 12 --max-new-tokens 64 --out results
    python check_generate.py FILE.gguf results

A text that differs is right if the reference could not tell the two tokens apart where it first does: if its two largest
logits are less than 1e-4 apart there. Exits with 1 if one differs elsewhere. The model is a GGUF file or a Hugging Face
folder. Needs torch, transformers, gguf.
"""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch

import published

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
parser.add_argument("results")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)


def read(name):
    return np.load(os.path.join(options.results, name))


tokens, prompt_lengths = read("tokens.npy"), read("prompt_lengths.npy")
lengths = read("lengths.npy") if os.path.exists(os.path.join(options.results, "lengths.npy")) else [tokens.shape[1]] * len(tokens)
with open(os.path.join(options.results, "summary.json")) as file:
    summary = json.load(file)
model = published.load(options.model)
limit = int(max(length - prompt for length, prompt in zip(lengths, prompt_lengths)))
end = {"eos_token_id": None} if "--ignore-eos" in summary["options"] else {}

equal, wrong, written, seconds, least = 0, 0, 0, 0.0, np.inf
for i, (text, length, prompt) in enumerate(zip(tokens, lengths, prompt_lengths)):
    ids = torch.from_numpy(text[None, :prompt])
    start = time.perf_counter()
    reference = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False, output_logits=True,
                               return_dict_in_generate=True, pad_token_id=0, **end)
    seconds += time.perf_counter() - start
    theirs, ours = reference.sequences[0, prompt:].numpy(), text[prompt:length]
    written += len(theirs)
    top = torch.stack([logits[0].topk(2).values for logits in reference.logits])
    least = min(least, (top[:, 0] - top[:, 1]).min().item())
    if np.array_equal(theirs, ours):
        equal += 1
        continue
    shared = min(len(theirs), len(ours))
    first = int(np.argmax(theirs[:shared] != ours[:shared])) if np.any(theirs[:shared] != ours[:shared]) else shared
    gap = (top[first, 0] - top[first, 1]).item() if first < len(top) else float("nan")
    wrong += not gap < 1e-4
    print(f"prompt {i} differs first at new token {first}, where the reference's two largest logits are {gap:.2e} apart")

print(f"{equal} of {len(tokens)} texts of up to {limit} new tokens are equal, {wrong} differ where they should not; "
      f"the reference's closest decision: {least:.2e}")
print(f"tokens per second: transformers {written / seconds:.0f} (prompt by prompt), plateau {summary['points_per_second']:.0f} "
      f"(all prompts, {summary['threads']} threads)")
sys.exit(wrong > 0)
