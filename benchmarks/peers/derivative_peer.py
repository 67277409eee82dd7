"""What PyTorch reaches for derivatives at the points of peer.py's work: J (B - A) and J^T v of every point, in points per second.

    python derivative_peer.py naive  --gguf FILE --tokens tokens.npy --pairs 20 --points 50 --threads 2 --on-demand --results OUT.npz
    python derivative_peer.py shared ...

J = d(final norm's output)/d(residual stream after block 0), both at the last position; v_j = cos(j^2).

    naive   the published way: `transformers`, a forward hook on layer 0, the full prompt for every point in batches of 50; torch.func.jvp, which does
            not go through fused attention, so attention is spelt out there; torch.autograd.grad with the attention that is faster
    shared  the program of shared_prefix.py under the same transformations, all rows of --block pairs as one batch, the faster attention for each

Started by compare_derivatives.py. Needs torch, transformers, gguf.
"""
import json
import sys
import time

import numpy as np
import torch
import transformers

import peer
import shared_prefix


def direction(width):
    return torch.cos(torch.arange(width, dtype=torch.float64).square()).float()


def forwards(read, x, u):
    with torch.no_grad():
        return torch.func.jvp(read, (x,), (u,))[1]


def backwards(read, x):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        y = read(x)
        return torch.autograd.grad(y, x, direction(y.shape[-1]).expand_as(y))[0]


class Naive:
    """Each mode with a model of its own attention."""

    def __init__(self, options):
        self.models = {}
        for attention in ("eager", "sdpa"):
            model = peer.load(options, torch.float32).base_model
            model.set_attn_implementation(attention)
            self.models[attention] = model.requires_grad_(False)

    def derivatives(self, tokens, points, mode, attention):
        model = self.models[attention]
        layer = (model.h if model.config.model_type == "gpt2" else model.layers)[0]

        def run(prompts, hook):
            handle = layer.register_forward_hook(hook)
            try:
                return model(input_ids=prompts, use_cache=False).last_hidden_state[:, -1]
            finally:
                handle.remove()

        clean = []
        with torch.no_grad():
            run(tokens, lambda m, a, output: clean.append(output[:, -1].clone()))
        x = peer.line(clean[0][:-1], clean[0][1:], points)
        norms = []
        for prompt, rows, u in zip(tokens, x, clean[0][1:] - clean[0][:-1]):
            for batch in rows.split(peer.NAIVE_BATCH):
                def read(batch):
                    return run(prompt.expand(len(batch), -1), lambda m, a, output: torch.cat((output[:, :-1], batch[:, None]), 1))
                norms.append((forwards(read, batch, u.expand_as(batch)) if mode == "jvp" else backwards(read, batch)).norm(dim=-1))
        return torch.cat(norms).view(len(x), points)


class Shared:
    def __init__(self, options):
        model = peer.load(options, torch.float32).base_model
        self.programs = {a: shared_prefix.build(model, a) for a in ("explicit", "sdpa")}
        self.block = min(options.block, options.pairs)

    def derivatives(self, tokens, points, mode, attention):
        program, norms = self.programs[attention], []
        for first in range(0, len(tokens) - 1, self.block):
            with torch.no_grad():
                last, kept = program.prefix(tokens[first:first + self.block + 1])
            x = peer.line(last[:-1], last[1:], points)
            u = (last[1:] - last[:-1])[:, None].expand_as(x)
            read = lambda x: program.read(x, kept)
            norms.append((forwards(read, x, u) if mode == "jvp" else backwards(read, x)).norm(dim=-1))
        return torch.cat(norms)


def main():
    options = peer.parse()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    tokens = torch.from_numpy(np.load(options.tokens).astype(np.int64))[: options.pairs + 1]
    one = (Naive if options.mode == "naive" else Shared)(options)
    attentions = {"jvp": ["eager" if options.mode == "naive" else "explicit"], "vjp": ["eager", "sdpa"] if options.mode == "naive" else ["explicit", "sdpa"]}

    def timed(mode, attention):
        start = time.perf_counter()
        norms = one.derivatives(tokens, options.points, mode, attention)
        return time.perf_counter() - start, norms

    best, results = {}, {}
    for mode, names in attentions.items():
        first = {name: timed(mode, name)[1] for name in names}                  # warms up
        best[mode] = min(names, key=lambda name: timed(mode, name)[0])
        results[mode] = first[best[mode]].numpy()
    np.savez(options.results, **results)
    print(json.dumps({"ready": True, "attention": best, "torch": torch.__version__, "transformers": transformers.__version__}), flush=True)
    total = options.pairs * options.points
    for _ in sys.stdin:
        print(json.dumps({mode: total / timed(mode, attention)[0] for mode, attention in best.items()}), flush=True)


if __name__ == "__main__":
    main()
