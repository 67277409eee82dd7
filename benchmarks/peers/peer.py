"""What PyTorch reaches for the work of plateau's `stable_regions`, in points per second.

    python peer.py naive    --gguf SmolLM2-135M-Instruct.Q4_1.gguf --tokens tokens.npy --pairs 20 --points 50 --threads 2
    python peer.py shared   --model DIR --tokens tokens.npy --dtype bf16 --json shared.json
    python peer.py compiled --random gpt2 --tokens tokens.npy
    python peer.py save     --random gpt2 --save DIR            # a checkpoint that plateau reads

The work: tokens.npy [prompts, T] holds token ids; pair i is prompts i (A) and i+1 (B). Each of its points writes A + alpha (B - A),
alpha from 0 to 1, over the residual stream after block 0 at the last token of prompt i, and measures the L2 distance of the
output after the final norm to that at alpha = 0.

    naive     the published way: `transformers` as installed, a forward hook on layer 0, the full prompt for every point in
              batches of 50; the base model, so no logits
    shared    the program of shared_prefix.py: the prefix once per prompt, all rows of many pairs as one batch
    compiled  the same under torch.compile, weights frozen; needs a C++ compiler

Before any timing the distances of `shared` and `compiled` are compared with those of `naive` in fp32, and the program stops if
they differ by more than --tolerance times the norm of the output at A. In bf16 the bound is relative to `naive` in bf16 itself:
its own largest error, twice.

Reported are medians over --repeats: all points over all the time ("including prefix": from the first clean run to the last
distance), and over the time of the patched rows alone ("excluding prefix"). --json writes them, --results the distances.
On processors not by Intel preload tune_mkl.c, and bind the threads, so that two do not share a core:

    LD_PRELOAD=$PWD/tune_mkl.so OMP_PROC_BIND=true python peer.py shared ...

compare.py does that. Needs torch and transformers, and gguf for GGUF files.
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

os.environ.setdefault("TQDM_DISABLE", "1")  # no progress bars while loading

import numpy as np
import torch
import transformers

import shared_prefix

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
NAIVE_BATCH = 50  # rows of one forward pass
RANDOM = {"gpt2": transformers.GPT2Config}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("naive", "shared", "compiled", "save"))
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--model", metavar="DIR", help="a Hugging Face folder")
    model.add_argument("--gguf", metavar="FILE", help="a GGUF file")
    model.add_argument("--random", choices=RANDOM, help="this architecture with its default sizes and random weights")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--save", metavar="DIR", help="with mode save: where to write the checkpoint")
    parser.add_argument("--tokens", metavar="FILE.npy", help="token ids [prompts, T]")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--points", type=int, default=50, help="points of a pair, both ends included")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--block", type=int, default=20, help="pairs whose rows are one batch (shared, compiled)")
    parser.add_argument("--attention", choices=("sdpa", "explicit"), help="of the rows (shared, compiled); default: the faster one")
    parser.add_argument("--check-pairs", type=int, default=8, help="pairs compared with naive before timing")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest difference of distances in fp32")
    parser.add_argument("--json", metavar="FILE", help="write the figures here")
    parser.add_argument("--results", metavar="FILE.npz", help="write distances [P,S] and norms |F(A)| [P] here")
    parser.add_argument("--on-demand", action="store_true",
                        help="print 'ready', then run one repeat for every line on standard input and print its figures as JSON")
    options = parser.parse_args()
    if options.mode == "save":
        if not options.save:
            parser.error("mode save needs --save DIR")
    elif not options.tokens:
        parser.error(f"mode {options.mode} needs --tokens FILE.npy")
    if options.pairs < 1 or options.points < 2 or options.repeats < 1 or options.block < 1 or options.check_pairs < 1:
        parser.error("--pairs, --repeats, --block and --check-pairs must be at least 1, --points at least 2")
    return options


def load(options, dtype):
    """The published model with its head, as `transformers` builds it in this dtype."""
    if options.random:
        torch.manual_seed(options.seed)
        return transformers.AutoModelForCausalLM.from_config(RANDOM[options.random](), dtype=torch.float32).to(dtype).eval()
    source = {"pretrained_model_name_or_path": options.model}
    if options.gguf:
        folder, file = os.path.split(os.path.abspath(options.gguf))
        source = {"pretrained_model_name_or_path": folder, "gguf_file": file}
    return transformers.AutoModelForCausalLM.from_pretrained(**source, dtype=dtype).eval()


def line(a, b, points):
    """Points from a to b [P,D] as [P,S,D], formed in double and rounded once."""
    alpha = torch.linspace(0, 1, points, dtype=torch.float64)[:, None]
    return ((1 - alpha) * a.double()[:, None] + alpha * b.double()[:, None]).to(a.dtype)


class Naive:
    """The published way. `model` is a base model of `transformers`, used as it is."""

    def __init__(self, model):
        self.model = model
        self.layer = (model.h if model.config.model_type == "gpt2" else model.layers)[0]

    def _run(self, tokens, hook):
        handle = self.layer.register_forward_hook(hook)
        try:
            return self.model(input_ids=tokens, use_cache=False).last_hidden_state[:, -1]
        finally:
            handle.remove()

    def distances(self, tokens, points):
        """Of the chain of prompts tokens [P+1,T]: distances [P,S], norms [P], and seconds of the clean runs and of the points."""
        start = time.perf_counter()
        clean = []
        for batch in tokens.split(NAIVE_BATCH):
            self._run(batch, lambda module, inputs, output: clean.append(output[:, -1].clone()))
        x = line(torch.cat(clean)[:-1], torch.cat(clean)[1:], points)
        middle = time.perf_counter()
        distances, norms = [], []
        for prompt, rows in zip(tokens, x):
            read = []
            for batch in rows.split(NAIVE_BATCH):
                def write(module, inputs, output):
                    output[:, -1] = batch
                    return output
                read.append(self._run(prompt.expand(len(batch), -1), write))
            read = torch.cat(read).float()
            distances.append((read - read[0]).norm(dim=-1))
            norms.append(read[0].norm())
        return torch.stack(distances).numpy(), torch.stack(norms).numpy(), (middle - start, time.perf_counter() - middle)


class Shared:
    """The shared-prefix program, in blocks of pairs."""

    def __init__(self, model, attention, block, compiled):
        program = shared_prefix.build(model, attention)
        self.prefix, self.rows, self.block = program.prefix, program.rows, block
        if compiled:
            torch._inductor.config.freezing = True  # weights are constants, packed for their products
            self.prefix, self.rows = torch.compile(self.prefix, dynamic=False), torch.compile(self.rows, dynamic=False)

    def distances(self, tokens, points):
        """As Naive.distances."""
        distances, norms, seconds = [], [], [0.0, 0.0]
        for first in range(0, len(tokens) - 1, self.block):
            start = time.perf_counter()
            last, kept = self.prefix(tokens[first : first + self.block + 1])
            x = line(last[:-1], last[1:], points)
            middle = time.perf_counter()
            d, norm = self.rows(x, kept)
            seconds[0] += middle - start
            seconds[1] += time.perf_counter() - middle
            distances.append(d)
            norms.append(norm)
        return torch.cat(distances).numpy(), torch.cat(norms).numpy(), tuple(seconds)


def largest_difference(distances, reference, norms):
    return float((np.abs(distances - reference) / norms[:, None]).max())


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    transformers.utils.logging.disable_progress_bar()
    model = load(options, torch.float32)
    if options.mode == "save":
        model.save_pretrained(options.save)
        return
    model = model.base_model
    tokens = torch.from_numpy(np.load(options.tokens).astype(np.int64))
    if tokens.ndim != 2 or len(tokens) <= options.pairs or tokens.shape[1] < 2:
        sys.exit(f"{options.tokens}: {options.pairs} pairs need at least {options.pairs + 1} prompts of 2 tokens or more, the shape is {tuple(tokens.shape)}")
    # At least --check-pairs are compared, as far as there are tokens, in blocks of the sizes that are timed.
    known = (len(tokens) - 1) // options.pairs * options.pairs
    warm_up = min(known, max(options.pairs, options.check_pairs // options.pairs * options.pairs))
    chain = tokens[: min(options.check_pairs, warm_up) + 1]
    if options.mode != "naive" or options.dtype != "fp32":
        reference, norms, _ = Naive(model).distances(chain, options.points)
    bound, own = options.tolerance, None
    if options.dtype != "fp32":
        model = load(options, DTYPES[options.dtype]).base_model
        own = largest_difference(Naive(model).distances(chain, options.points)[0], reference, norms)
        bound = 2 * own

    if options.mode == "naive":
        peer = Naive(model)
    else:
        attention = options.attention or ("sdpa" if options.mode == "shared" and options.dtype == "fp32" else "explicit")
        peer = Shared(model, attention, min(options.block, options.pairs), options.mode == "compiled")
        del model
    distances, all_norms, _ = peer.distances(tokens[: warm_up + 1], options.points)
    tokens = tokens[: options.pairs + 1]
    difference = own
    if options.mode != "naive":
        difference = largest_difference(distances[: len(reference)], reference, norms)
        if not difference <= bound:
            sys.exit(f"{options.mode} differs from naive by {difference:.2e} |F(A)|, more than {bound:.2e}: not timed")
    if options.results:
        np.savez(options.results, distances=distances[: options.pairs], norms=all_norms[: options.pairs])

    total = options.pairs * options.points

    def repeat():
        prefix, rows = peer.distances(tokens, options.points)[2]
        return {"points_per_second": total / (prefix + rows), "points_per_second_without_prefix": total / rows}

    summary = {
        "peer": options.mode, "model": options.random or options.model or options.gguf, "dtype": options.dtype, "threads": options.threads,
        "pairs": options.pairs, "points": options.points, "tokens": tokens.shape[1], "difference": difference,
        "torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version(),
        "preload": os.environ.get("LD_PRELOAD", "")}
    if options.on_demand:
        print(json.dumps({"ready": True, **summary}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(repeat()), flush=True)
        return
    repeats = [repeat() for _ in range(options.repeats)]
    for key in repeats[0]:
        summary[key] = statistics.median(r[key] for r in repeats)
    summary["repeats"] = repeats
    print(f"{options.mode}, {options.dtype}, {options.pairs} pairs x {options.points} points of {tokens.shape[1]} tokens, {options.threads} threads"
          + ("" if difference is None else f"; {difference:.1e} |F(A)| from naive in fp32"))
    print(f"{summary['points_per_second']:.0f} points per second including prefix, "
          f"{summary['points_per_second_without_prefix']:.0f} excluding; medians of {options.repeats}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(summary, file, indent=1)


if __name__ == "__main__":
    main()
