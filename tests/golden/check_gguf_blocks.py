"""Compares what plateau reads from GGUF files with gguf.quants.dequantize, bit for bit, on random blocks of every type.

    pip install gguf numpy
    python check_gguf_blocks.py BUILD/tests/decode_gguf [--blocks 1000000] [--seed 0]

Blocks have random bytes and finite scales of every exponent. Every file is also read as parts that GGUFWriter splits. float32, and float64 of F64,
which has to be what GGUFReader gives. Prints the nanoseconds that an element takes.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from gguf import GGMLQuantizationType as Type
    from gguf import GGUFReader, GGUFWriter
except ImportError:
    print("skipped: the Python package gguf is not there")
    sys.exit(0)

import numpy as np
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

import make_gguf_golden as golden

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--blocks", type=int, default=10**6)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
draw = np.random.default_rng(arguments.seed)
PIECE = 20000  # blocks a file: half the values fit into little memory
failed = 0


def read(path, folder, kind):
    printed = subprocess.run([arguments.program, path, folder / "values", kind], check=True, capture_output=True, text=True).stdout
    return np.fromfile(folder / "values", kind), [float(line.split()[1]) for line in printed.splitlines()]


def write(path, tensors, kind, **more):
    writer = GGUFWriter(path, "none", **more)
    for name, data in tensors.items():
        writer.add_tensor(name, data, raw_dtype=None if kind == Type.F64 else kind)
    golden.write(writer)


for kind in [*golden.SCALES, Type.F64]:
    wrong, done, times = 0, 0, []
    while done < arguments.blocks:
        count = min(PIECE, arguments.blocks - done)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            if kind == Type.F64:  # finite numbers of every exponent
                bits = draw.integers(0, 0x7FF0000000000000, 2 * count, dtype=np.uint64) | (draw.integers(0, 2, 2 * count, dtype=np.uint64) << np.uint64(63))
                data = bits.view(np.float64)
            else:
                data = golden.blocks(kind, count, draw)
            half = len(data) // 2
            tensors = {"a": data[:half].reshape(half, -1), "b": data[half:].reshape(len(data) - half, -1)}
            tensors = {name: data for name, data in tensors.items() if len(data)}
            write(folder / "whole.gguf", tensors, kind)
            want = [t.data if kind == Type.F64 else dequantize(t.data, kind) for t in sorted(GGUFReader(folder / "whole.gguf").tensors, key=lambda t: t.name)]
            want = np.concatenate([values.ravel() for values in want])
            paths = [folder / "whole.gguf"]
            if len(tensors) == 2:
                write(folder / "parts.gguf", tensors, kind, split_max_tensors=1)
                paths.append(folder / f"parts-0000{1 + done // PIECE % 2}-of-00002.gguf")
            for path in paths:
                got, elapsed = read(path, folder, "float64" if kind == Type.F64 else "float32")
                wrong += int((got.view(np.uint8) != want.view(np.uint8)).any()) if got.size == want.size else 1
                times += elapsed
        done += count
    failed += wrong
    print(f"{kind.name:8} {done:9} blocks  {min(times):6.3f} ns/element  {'equal' if wrong == 0 else 'DIFFERENT'}", flush=True)
sys.exit(failed > 0)
