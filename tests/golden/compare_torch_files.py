"""Random dictionaries of tensors, saved by torch.save, beside the same tensors as safetensors: all names, types, extents and bytes.

    python compare_torch_files.py PROGRAM [COUNT]      (pip install torch safetensors)

PROGRAM prints one line a tensor of a file, "NAME DTYPE D0xD1… HEX", HEX the SHA-256 of its bytes: tests/support/tensor_lines.cpp.
"""
import hashlib
import random
import subprocess
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import torch

SPELLING = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64",
            torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
            torch.complex64: "C64", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.uint16: "U16"}


def random_tensor(pick):
    dtype = pick.choice(list(SPELLING))
    shape = [pick.choice([0, 1, 2, 3, 5, 7]) if pick.random() < 0.1 else pick.randint(1, 6) for _ in range(pick.randint(0, 4))]
    base = torch.randint(0, 2 if dtype == torch.bool else 100, [extent + pick.randint(0, 2) for extent in shape]).to(dtype)
    view = base[tuple(slice(pick.randint(0, all_ - own), None) for all_, own in zip(base.shape, shape))]
    view = view[tuple(slice(0, own) for own in shape)]
    if view.dim() > 1 and pick.random() < 0.4: view = view.permute(random.Random(pick.random()).sample(range(view.dim()), view.dim()))
    if view.dim() > 0 and pick.random() < 0.2: view = view[::2]
    if view.dim() > 0 and view.numel() and pick.random() < 0.1: view = view[:1].expand([3, *view.shape[1:]])
    if view.dtype.is_floating_point and pick.random() < 0.2: view = torch.nn.Parameter(view, requires_grad=False)
    return view


def random_dictionary(pick):
    tensors = OrderedDict() if pick.random() < 0.5 else {}
    for i in range(pick.randint(0, 12)):
        name = pick.choice(["layer.", "größe.", "x y", ""]) + str(i)
        tensors[name] = pick.choice(list(tensors.values())) if tensors and pick.random() < 0.2 else random_tensor(pick)
    if isinstance(tensors, OrderedDict): tensors._metadata = OrderedDict({"": {"version": 1}})
    return tensors


def lines_of(tensors):
    lines = []
    for name, tensor in tensors.items():
        plain = tensor.detach().clone(memory_format=torch.contiguous_format).reshape(-1).clone()
        data = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        lines.append((name.encode(), f"{name} {SPELLING[tensor.dtype]} {'x'.join(map(str, tensor.shape))} {hashlib.sha256(data).hexdigest()}"))
    return [line for _, line in sorted(lines)]


def main(program, count):
    wrong = seen = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            pick = random.Random(seed)
            tensors = random_dictionary(pick)
            file = Path(folder) / "file.bin"
            torch.save(tensors, file, pickle_protocol=pick.choice([2, 3, 4, 5]))
            run = subprocess.run([program, file], capture_output=True, text=True)
            if run.stdout.splitlines() != lines_of(tensors):
                wrong += 1
                print(f"seed {seed}: {run.stdout}{run.stderr}\nexpected {lines_of(tensors)}")
            seen += len(tensors)
    print(f"{count} files, {seen} tensors, {wrong} files differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200))
