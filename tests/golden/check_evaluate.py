"""Compares the cross-entropy that `evaluate` found with transformers' loss.

    evaluate --model FILE.gguf --text novel.txt --out results
    python check_evaluate.py FILE.gguf results

With windows one after the other the reference is `model(ids, labels=ids).loss` of every window, weighted by its predicted
tokens; with a smaller stride the tokens that an earlier window predicted are masked (label -100). Exits with 1 if the
two are more than 1e-5 apart. transformers sums its loss in fp32, which alone moves it by nearly that over a large vocabulary:
the same in double from its logits is printed too. The model is a GGUF file or a Hugging Face folder. Needs torch, transformers, gguf.
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
with open(os.path.join(options.results, "summary.json")) as file:
    summary = json.load(file)
tokens = np.load(os.path.join(options.results, "tokens.npy"))
losses = np.load(os.path.join(options.results, "losses.npy"))
length, stride = summary["length"], summary["stride"]
model = published.load(options.model)

total, double_total, count, windows, worst = 0.0, 0.0, 0, 0, 0.0
start_time = time.perf_counter()
for text, own in zip(tokens, losses):
    text = torch.from_numpy(text[text >= 0])
    seen = 0
    for begin in range(0, len(text), stride):
        end = min(begin + length, len(text))
        ids = text[None, begin:end]
        labels = ids.clone()
        labels[0, : max(seen - begin, 0)] = -100
        predicted = int((labels[0, 1:] != -100).sum())
        if predicted > 0:
            output = model(ids, labels=labels)
            total += output.loss.item() * predicted
            count += predicted
            windows += 1
            each = torch.nn.functional.cross_entropy(output.logits[0, -predicted - 1 : -1].double(), labels[0, -predicted:], reduction="none")
            double_total += each.sum().item()
            worst = max(worst, np.abs(each.numpy() - own[end - predicted : end]).max())
            del output
        seen = end
        if end == len(text):
            break
seconds = time.perf_counter() - start_time

reference = total / count
error = abs(reference - summary["cross_entropy"])
print(f"{count} tokens in {windows} windows of {length}, one every {stride}: transformers {reference:.8f}, plateau "
      f"{summary['cross_entropy']:.8f} nats/token, {error:.1e} apart; with its loss in double "
      f"{double_total / count:.8f}, {abs(double_total / count - summary['cross_entropy']):.1e} apart, the worst token {worst:.1e}")
print(f"seconds: transformers {seconds:.1f}, plateau {summary['seconds']:.1f}")
sys.exit(not (error < 1e-5 and count == summary["tokens"] and windows == summary["windows"]))
