"""What PyTorch reaches on a CUDA device for the work of `gpu_ratios --part points`, in points per second; "not available" where there is no
PyTorch or it sees no device.

    python torch_peer.py [--rounds N] [--json FILE]

Random weights of the shapes of SmolLM2-135M and GPT-2 small, 10 tokens, patched after block 0 at the last one, 50 points for each pair:

    naive   the published way: a forward hook on layer 0, the full prompt for every point in batches of 50, all eager; no logits
    shared  the mathematics of plateau's engine, written by hand (peers/shared_prefix.py): the prefixes of all pairs as one batch,
            their rows as another, all eager

Reported are medians over the rounds, prompts included, from tokens on the device to distances on the host. --json writes them, named
way/shape/dtype/points, as `gpu_ratios --peer FILE` reads them. Needs torch alone.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

SHAPES = {  # layers, width, heads, key-value heads, head width, width of the MLP, Llama's parts or GPT-2's
    "SmolLM2-135M": (30, 576, 9, 3, 64, 1536, True),
    "GPT-2 small": (12, 768, 12, 12, 64, 3072, False),
}
TOKENS, POINTS, VOCABULARY = 10, 50, 1000


def finish_early(why):
    print(f"not available: {why}")
    sys.exit(0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 20, 320])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--rehearse", action="store_true", help="tiny shapes on the processor: shows that the script runs")
    return parser.parse_args()


def main():
    arguments = parse()
    try:
        import torch
    except ImportError as problem:
        finish_early(problem)
    if not arguments.rehearse and not torch.cuda.is_available():
        finish_early("PyTorch sees no CUDA device")
    import torch.nn as nn
    from shared_prefix import Layer, SharedPrefix

    torch.set_default_device("cpu" if arguments.rehearse else "cuda")
    torch.set_grad_enabled(False)
    torch.manual_seed(1)

    def wait():
        if not arguments.rehearse:
            torch.cuda.synchronize()

    def model_of(shape):
        layers, d, heads, kv_heads, e, f, llama = shape

        def norm():
            return nn.RMSNorm(d, eps=1e-5) if llama else nn.LayerNorm(d)

        def layer():
            return Layer(norm(), nn.Linear(d, (heads + 2 * kv_heads) * e, bias=not llama), nn.Linear(heads * e, d, bias=not llama), norm(),
                         nn.Linear(d, (2 if llama else 1) * f, bias=not llama), nn.Linear(f, d, bias=not llama),
                         heads=heads, kv_heads=kv_heads, width=e, gated=llama)

        return SharedPrefix([layer() for _ in range(layers)], norm(), nn.Embedding(VOCABULARY, d),
                            positions=None if llama else nn.Embedding(1024, d),
                            frequencies=10000.0 ** (-torch.arange(0, e, 2) / e) if llama else None).eval()

    class Block(nn.Module):
        """A layer on full prompts, for a hook to hang on."""

        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x, rotation):
            return self.layer.prefix(x, rotation)[0]

    class Naive(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.blocks = model, nn.ModuleList(Block(layer) for layer in model.layers)

        def forward(self, tokens):
            x = self.model.embedding(tokens)
            if self.model.positions is not None:
                x = x + self.model.positions.weight[: tokens.shape[1]]
            rotation = self.model._rotation(tokens.shape[1], x.dtype)
            for block in self.blocks:
                x = block(x, rotation)
            return self.model.norm(x)

    def points_between(a, b):
        alpha = torch.linspace(0, 1, POINTS, dtype=a.dtype)[:, None]
        return (1 - alpha) * a[..., None, :] + alpha * b[..., None, :]

    def shared(model, tokens):
        last, kept = model.prefix(tokens)
        distances, _ = model.rows(points_between(last[:-1], last[1:]), kept)
        return distances.cpu()

    def naive(model, tokens):
        ends, rows = [], []

        def keep(module, inputs, output):
            ends.append(output[:, -1])

        def patch(module, inputs, output):
            output = output.clone()
            output[:, -1] = rows[-1]
            return output

        found = []
        handle = model.blocks[0].register_forward_hook(keep)
        for prompt in tokens:
            model(prompt[None])
        handle.remove()
        handle = model.blocks[0].register_forward_hook(patch)
        for pair in range(len(tokens) - 1):
            rows.append(points_between(ends[pair][0], ends[pair + 1][0]))
            read = model(tokens[pair].expand(POINTS, -1))[:, -1].float()
            found.append((read - read[0]).norm(dim=-1))
        handle.remove()
        return torch.stack(found).cpu()

    shapes = {"tiny": (2, 16, 2, 1, 8, 24, True), "tiny plain": (2, 16, 2, 2, 8, 24, False)} if arguments.rehearse else SHAPES
    found = {}
    for name, shape in shapes.items():
        for dtype_name, dtype, tf32 in (("fp32", torch.float32, False), ("tf32", torch.float32, True), ("bf16", torch.bfloat16, False)):
            torch.backends.cuda.matmul.allow_tf32 = tf32
            model = model_of(shape).to(dtype)
            hooked = Naive(model)
            for pairs in arguments.pairs:
                tokens = torch.randint(0, VOCABULARY, (pairs + 1, TOKENS))
                if dtype_name == "fp32" and pairs == arguments.pairs[0]:  # both do the same work
                    a, b = shared(model, tokens), naive(hooked, tokens)
                    if not torch.allclose(a, b, atol=1e-3 * float(b.max())):
                        sys.exit(f"torch_peer.py: the two ways differ by {float((a - b).abs().max())} of {float(b.max())}")
                for way, run, subject in (("shared", shared, model), ("naive", naive, hooked)):
                    if way == "naive" and pairs > 20:
                        continue  # points per second as of 20 pairs: every pair is a batch of its own
                    run(subject, tokens)
                    times = []
                    for _ in range(arguments.rounds):
                        wait()
                        start = time.perf_counter()
                        run(subject, tokens)
                        wait()
                        times.append(time.perf_counter() - start)
                    rate = pairs * POINTS / statistics.median(times)
                    found[f"{way}/{name}/{dtype_name}/{pairs * POINTS}"] = rate
                    print(f"{way:7} {name:13} {dtype_name:5} {pairs * POINTS:6} points: {rate:12.0f} points per second", flush=True)
    run = {"torch": torch.__version__, "device": "rehearsal" if arguments.rehearse else torch.cuda.get_device_name(),
           "rounds": arguments.rounds, "points_per_second": found}
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(run, indent=2) + "\n")


main()
