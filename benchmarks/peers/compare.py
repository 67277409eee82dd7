"""plateau's `stable_regions` beside PyTorch on the same tokens: one table of points per second.

    python compare.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --tokens tokens.npy
    python compare.py --model DIR --tokens tokens.npy --dtype bf16 --pairs 200 --peers shared-tuned compiled-tuned

A peer is a mode of peer.py, which says what each does; `-tuned` preloads tune_mkl.c, built here, and binds the threads. All load and
check themselves first; then each of --repeats rounds runs plateau and every peer once, in turn, while the others wait, so that
what else happens on the machine hits all alike. The program runs as its users run it, and leaves its files in a temporary
folder; points per second are what it reports itself, without loading and writing, as the peers' are. Its time without the
prefix is the difference of two runs, one with three times the points: the prefix is the same.

One pair of many points is a 2-D slice: --pairs 1 --points 2500.

GPT-2 small, without a published checkpoint at hand: python peer.py save --random gpt2 --save DIR, then --model DIR.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ("naive", "shared", "compiled")
DEFAULT_PEERS = ("naive", "naive-tuned", "shared-tuned", "compiled-tuned")
INCLUDING, EXCLUDING = "points_per_second", "points_per_second_without_prefix"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--model", metavar="DIR", help="a Hugging Face folder")
    model.add_argument("--gguf", metavar="FILE", help="a GGUF file")
    parser.add_argument("--tokens", metavar="FILE.npy", required=True, help="token ids [prompts, T]")
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", nargs="+", default=DEFAULT_PEERS, choices=[m + t for m in MODES for t in ("", "-tuned")], metavar="PEER",
                        help=f"of {', '.join(MODES)}, each also with -tuned (default: {' '.join(DEFAULT_PEERS)})")
    parser.add_argument("--program", default=os.path.join(HERE, "../../build/examples/stable_regions"), help="stable_regions")
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    options = parser.parse_args()
    if options.pairs < 1 or options.points < 2 or options.repeats < 1:
        parser.error("--pairs and --repeats must be at least 1, --points at least 2")
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is not there: build it, or name it with --program")
    return options


class Peer:
    """A process of peer.py that waits for the word."""

    def __init__(self, name, arguments, preload, folder, program="peer.py"):
        self.name, self.results = name, os.path.join(folder, name + ".npz")
        environment = dict(os.environ)
        if name.endswith("-tuned"):
            environment.update(LD_PRELOAD=preload, OMP_PROC_BIND="true")
        command = [sys.executable, os.path.join(HERE, program), name.removesuffix("-tuned"), *arguments, "--on-demand", "--results", self.results]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = self._answer()  # once it is ready; loading and compiling are not timed, but would disturb the others

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the peer {self.name} ended with status {self.process.wait()}; its message stands above")
        return json.loads(line)

    def repeat(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Plateau:
    name = "plateau"

    def __init__(self, options, tokens, folder):
        self.out = os.path.join(folder, "plateau")
        self.points, self.total = options.points, options.pairs * options.points
        self.command = [options.program, "--model", options.gguf or options.model, "--tokens", tokens,
                        "--dtype", options.dtype, "--threads", str(options.threads)]

    def seconds(self, points, out):
        command = [*self.command, "--steps", str(points), "--out", out]
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)}\nended with status {run.returncode}: {run.stderr.strip().splitlines()[-1:]}")
        with open(os.path.join(out, "summary.json")) as file:
            self.about = json.load(file)
        return self.about["seconds"]

    def repeat(self):
        long, short = self.seconds(3 * self.points, self.out + "-longer"), self.seconds(self.points, self.out)
        return {INCLUDING: self.total / short, EXCLUDING: 2 * self.total / max(long - short, 1e-9)}


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            fields = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
        return next(v.strip() for k, v in fields.items() if k.strip() == "model name")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        preload = ""
        if any(name.endswith("-tuned") for name in options.peers):
            preload = os.path.join(folder, "tune_mkl.so")
            subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", preload, os.path.join(HERE, "tune_mkl.c")], check=True)
        prompts = np.load(options.tokens)
        tokens = os.path.join(folder, "tokens.npy")
        np.save(tokens, prompts[: options.pairs + 1])  # a chain of so many pairs
        source = ["--gguf", options.gguf] if options.gguf else ["--model", options.model]
        arguments = [*source, "--tokens", options.tokens, "--dtype", options.dtype, "--pairs", str(options.pairs),
                     "--points", str(options.points), "--threads", str(options.threads)]
        runners = [Plateau(options, tokens, folder)]
        for name in dict.fromkeys(options.peers):
            print(f"{name}: loads and checks itself", file=sys.stderr)
            runners.append(Peer(name, arguments, preload, folder))

        figures = {runner.name: [] for runner in runners}
        for round_ in range(options.repeats):
            print(f"round {round_ + 1} of {options.repeats}", file=sys.stderr)
            for runner in runners:
                figures[runner.name].append(runner.repeat())
        differences = {}
        ours = np.load(os.path.join(runners[0].out, "distances.npy"))
        for peer in runners[1:]:
            theirs = np.load(peer.results)
            differences[peer.name] = float((np.abs(ours - theirs["distances"]) / theirs["norms"][:, None]).max())
            peer.close()

    def median(name, key):
        values = [f[key] for f in figures[name] if key in f]
        return statistics.median(values) if values else None

    def cell(value, form):
        return "-" if value is None else format(value, form)

    def ratio(name, key):
        mine, other = median("plateau", key), median(name, key)
        return mine / other if mine and other else None

    about = runners[1].about
    machine = {"processor": processor(), "plateau": runners[0].about["version"], "torch": about["torch"],
               "transformers": about["transformers"], "python": about["python"]}
    print(f"{os.path.basename((options.gguf or options.model).rstrip('/'))}, {options.dtype}: {options.pairs} pairs x {options.points} points of "
          f"{prompts.shape[1]} tokens, {options.threads} threads; medians of {options.repeats} rounds, points per second")
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    row = "{:<16}{:>18}{:>18}{:>16}{:>16}{:>18}".format
    print(row("", "including prefix", "excluding prefix", "plateau / it", "excluding", "|d - plateau's d|"))
    for name in figures:
        print(row(name, cell(median(name, INCLUDING), ".0f"), cell(median(name, EXCLUDING), ".0f"), cell(ratio(name, INCLUDING), ".2f"),
                  cell(ratio(name, EXCLUDING), ".2f"), cell(differences.get(name), ".1e")))
    print("|d - plateau's d|: largest, in units of |F(A)|")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "options": vars(options), "figures": figures, "differences": differences}, file, indent=1)


if __name__ == "__main__":
    main()
