"""Makes golden/weights_sha256.json: weights_sha256 of summary.json, by hashlib, of the committed models and of a small file.

    pip install gguf numpy        (made with gguf 0.19; the hashes are those of any version)
    python make_weights_hashes.py

SHA-256 over one line a tensor, sorted by name as bytes: "NAME DTYPE D0xD1… HEX", HEX the SHA-256 of its stored bytes.
"""
import hashlib
import json
import re
import struct
from pathlib import Path

from gguf import GGUFReader

FOLDER = Path(__file__).parent


def line(name, dtype, extents, data):
    return name, f"{name} {dtype} {'x'.join(map(str, extents))} {hashlib.sha256(data).hexdigest()}\n"


def of_lines(lines):
    in_order = sorted(lines, key=lambda one: one[0].encode())
    return hashlib.sha256("".join(text for _, text in in_order).encode()).hexdigest()


def safetensors_lines(content):
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    header.pop("__metadata__", None)
    return [line(name, at["dtype"], at["shape"], data[slice(*at["data_offsets"])]) for name, at in header.items()]


def of_folder(folder):
    """The shards that are there, whatever the index says."""
    return of_lines([one for file in folder.glob("*.safetensors") for one in safetensors_lines(file.read_bytes())])


def of_gguf(file):
    """One file, or all parts of a split model."""
    first = re.match(r"(.*)-\d{5}(-of-\d{5}\.gguf)$", file.name)
    parts = sorted(file.parent.glob(f"{first[1]}-*{first[2]}")) if first else [file]
    return of_lines([line(one.name, one.tensor_type.name, [int(extent) for extent in one.shape], one.data.tobytes())
                     for part in parts for one in GGUFReader(part).tensors])


def odd_file():
    """A scalar, a tensor without elements, and names whose bytes sort otherwise than their letters."""
    header = ('{"é":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"z":{"dtype":"I64","shape":[],"data_offsets":[4,12]},'
              '"Z":{"dtype":"F16","shape":[0,3],"data_offsets":[12,12]}}').encode()
    return struct.pack("<Q", len(header)) + header + bytes(range(12))


hashes = {f"models/{folder.name}": of_folder(folder) for folder in sorted((FOLDER / "models").iterdir())}
hashes |= {file.relative_to(FOLDER).as_posix(): of_gguf(file) for file in sorted((FOLDER / "gguf").glob("**/*.gguf"))}
hashes["odd_file"] = of_lines(safetensors_lines(odd_file()))
(FOLDER / "weights_sha256.json").write_text(json.dumps(hashes, indent=2) + "\n")
