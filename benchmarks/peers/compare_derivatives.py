"""plateau's derivatives beside PyTorch's on the same tokens: one table of points per second, J u and J^T v.

    python compare_derivatives.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --tokens tokens.npy

The work and the peers are those of derivative_peer.py, with and without tune_mkl.c as in compare.py; plateau is derivative_ratios, which computes the
same in its own process. All load, warm up and check themselves first; then each of --repeats rounds runs all of them once, in turn.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import compare

PEERS = ("naive", "naive-tuned", "shared", "shared-tuned")


class Plateau:
    name = "plateau"

    def __init__(self, options, folder):
        self.results = os.path.join(folder, "plateau")
        command = [options.program, options.gguf or options.model, options.tokens, "--pairs", str(options.pairs), "--points", str(options.points),
                   "--threads", str(options.threads), "--on-demand", self.results]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    _answer, repeat, close = compare.Peer._answer, compare.Peer.repeat, compare.Peer.close

    def norms(self):
        return {mode: np.load(f"{self.results}.{mode}.npy") for mode in ("jvp", "vjp")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--model", metavar="DIR", help="a Hugging Face folder")
    model.add_argument("--gguf", metavar="FILE", help="a GGUF file")
    parser.add_argument("--tokens", metavar="FILE.npy", required=True, help="token ids [prompts, T]")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", nargs="+", default=PEERS, choices=PEERS)
    parser.add_argument("--program", default=os.path.join(compare.HERE, "../../build/benchmarks/derivative_ratios"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        preload = os.path.join(folder, "tune_mkl.so")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", preload, os.path.join(compare.HERE, "tune_mkl.c")], check=True)
        source = ["--gguf", options.gguf] if options.gguf else ["--model", options.model]
        arguments = [*source, "--tokens", options.tokens, "--pairs", str(options.pairs), "--points", str(options.points), "--threads", str(options.threads)]
        runners = [Plateau(options, folder)]
        for name in options.peers:
            print(f"{name}: loads and warms up", file=sys.stderr)
            runners.append(compare.Peer(name, arguments, preload, folder, "derivative_peer.py"))
        figures = {runner.name: [] for runner in runners}
        for round_ in range(options.repeats):
            print(f"round {round_ + 1} of {options.repeats}", file=sys.stderr)
            for runner in runners:
                figures[runner.name].append(runner.repeat())
        ours, differences = runners[0].norms(), {}
        for one in runners[1:]:
            theirs = np.load(one.results)
            differences[one.name] = {mode: float((np.abs(theirs[mode] - ours[mode]) / ours[mode].max(1, keepdims=True)).max()) for mode in ours}
            one.close()
        runners[0].close()
        about = runners[1].about
    print(f"{os.path.basename((options.gguf or options.model).rstrip('/'))}: {options.pairs} pairs x {options.points} points, {options.threads} threads; "
          f"medians of {options.repeats} rounds, points per second, prefixes included")
    print(f"processor {compare.processor()}, torch {about['torch']}, transformers {about['transformers']}")
    row = "{:<16}{:>10}{:>14}{:>14}{:>10}{:>14}{:>14}".format
    print(row("", "J u", "plateau / it", "difference", "J^T v", "plateau / it", "difference"))
    median = {name: {mode: statistics.median(f[mode] for f in values) for mode in ("jvp", "vjp")} for name, values in figures.items()}
    for name, value in median.items():
        cells = [name]
        for mode in ("jvp", "vjp"):
            cells += [f"{value[mode]:.0f}", *(["", ""] if name == "plateau" else
                                              [f"{median['plateau'][mode] / value[mode]:.2f}", f"{differences[name][mode]:.1e}"])]
        print(row(*cells))
    print("difference: of the norms, largest, in units of a pair's largest")
    print(json.dumps(figures), file=sys.stderr)


if __name__ == "__main__":
    main()
