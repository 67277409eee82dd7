"""Corpora of tests/fuzz: the seeds, made of the committed small files, and their archives.

    python corpus.py seeds OUT               OUT/PARSER/FILE for every parser, to start fuzzing from
    python corpus.py pack FOLDER [PARSER]    corpus/PARSER.gz of FOLDER/PARSER: each input behind its length, four bytes
    python corpus.py unpack OUT [PARSER]     the archives as OUT/PARSER/FILE
"""
import gzip
import hashlib
import io
import json
import pathlib
import random
import struct
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
CORPUS = HERE / "corpus"
MOST = 16384  # bytes of an input; mutations of longer ones reach little


def write(out, parser, data):
    folder = out / parser
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def shorter_tokenizer(text):
    """The first tokens and merges alone: mutations find the rest of the file sooner."""
    value = json.loads(text)
    vocabulary = value["model"]["vocab"]
    kept = dict(sorted(vocabulary.items(), key=lambda entry: entry[1])[:300]) if isinstance(vocabulary, dict) else vocabulary[:300]
    value["model"]["vocab"] = kept
    names = set(kept) if isinstance(kept, dict) else {entry[0] for entry in kept}
    merges = [merge for merge in value["model"].get("merges", []) if all(part in names for part in (merge.split(" ") if isinstance(merge, str) else merge))]
    joined = [merge for merge in merges if ("".join(merge.split(" ")) if isinstance(merge, str) else "".join(merge)) in names]
    value["model"]["merges"] = joined[:200]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def safetensors(tensors):
    header, data = {}, b""
    for name, (kind, shape, values) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def without_values(data):
    """A GGUF file with zeros for the elements of its tensors, which compress."""
    at = 24
    tensors, keys = struct.unpack_from("<QQ", data, 8)

    def number(code, size):
        nonlocal at
        at += size
        return struct.unpack_from("<" + code, data, at - size)[0]

    def text():
        nonlocal at
        size = number("Q", 8)
        at += size

    def value(kind):
        nonlocal at
        if kind == 8:
            text()
        elif kind == 9:
            inner, count = number("I", 4), number("Q", 8)
            for _ in range(count):
                value(inner)
        else:
            at += (1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8)[kind]

    for _ in range(keys):
        text()
        value(number("I", 4))
    for _ in range(tensors):
        text()
        axes = number("I", 4)
        at += 8 * axes + 12
    return data[:at] + bytes(len(data) - at)


def npy(descr, shape, data, order=False, version=1):
    text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def seeds(out):
    rng = random.Random(1)
    for path in sorted(GOLDEN.glob("models/*/config.json")) + [GOLDEN.parent.parent / "examples/data/embedded/config.json"]:
        write(out, "configuration", path.read_bytes())
        write(out, "json", path.read_bytes())
    write(out, "json", b'[null, true, false, -1, 18446744073709551615, 1e308, -0.0, "\\ud83d\\ude42\\u0000\\n", {"a": {}, "b": []}]')
    for path in sorted(GOLDEN.glob("tokenizer/*.json")) + sorted(GOLDEN.glob("tokenizer/*/tokenizer.json")):
        if path.name not in ("cases.json", "decoded.json") and b'"model"' in path.read_bytes():
            write(out, "tokenizer_json", shorter_tokenizer(path.read_text()))
    for path in sorted(GOLDEN.glob("**/tokenizer_config.json")) + [GOLDEN.parent.parent / "examples/data/embedded/tokenizer_config.json"]:
        write(out, "tokenizer_config", path.read_bytes())
    write(out, "tokenizer_config", b'{"tokenizer_class":"LlamaTokenizer","bos_token":{"content":"<s>"},"eos_token":"<s>","add_bos_token":true,'
                                   b'"added_tokens_decoder":{"3":{"content":"<x>","lstrip":true,"special":true}}}')
    for path in sorted(GOLDEN.glob("gguf/*.gguf")):
        if path.stat().st_size <= 65536:
            for parser in ("gguf", "gguf_model", "gguf_tokenizer"):
                write(out, parser, path.read_bytes())
    for path in sorted(GOLDEN.glob("torch/**/*.bin")):
        if path.stat().st_size <= MOST:
            write(out, "torch_file", path.read_bytes())
        try:
            with zipfile.ZipFile(path) as archive:
                write(out, "torch_pickle", archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl"))))
        except (zipfile.BadZipFile, StopIteration):
            pass  # one of those that are refused
    for path in sorted(GOLDEN.glob("gguf/architectures/*.gguf")):
        write(out, "gguf_model", without_values(path.read_bytes()))
    for kind in ("llava", "gemma3", "mistral3", "unknown"):
        text = {"model_type": "gemma3_text" if kind == "gemma3" else "llama", "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
        write(out, "configuration", json.dumps({"model_type": kind, "text_config": text, "vision_config": {}, "tie_word_embeddings": kind == "llava"}).encode())
    for kind, width in (("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("U8", 1), ("F8_E4M3", 1)):
        write(out, "safetensors", safetensors({"a": (kind, [3, 2], rng.randbytes(6 * width)), "b": (kind, [], rng.randbytes(width)), "c": (kind, [0, 4], b"")}))
    write(out, "safetensors", safetensors({}))
    write(out, "safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 269060552\n")
    for where in ("shard-1.safetensors", "../shard-1.safetensors", "other.safetensors"):
        write(out, "safetensors_index", json.dumps({"metadata": {"total_size": 12}, "weight_map": {"a": where, "b": "shard-1.safetensors"}}).encode())
    arrays = [npy(descr, shape, rng.randbytes(6 * width), order, version)
              for descr, width in (("<f4", 4), ("<f8", 8), ("<f2", 2), ("<i8", 8), ("<i4", 4), ("<u2", 2), ("|u1", 1), ("|b1", 1), ("<u8", 8))
              for shape, order, version in (((6,), False, 1), ((2, 3), True, 2))]
    arrays += [npy("<f4", (), rng.randbytes(4)), npy("<i8", (0, 3), b"")]
    for array in arrays:
        write(out, "npy", array)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for force in (False, True):
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", method) as to:
                for i, array in enumerate(arrays[:4]):
                    with to.open(zipfile.ZipInfo(f"array{i}.npy", (1980, 1, 1, 0, 0, 0)), "w", force_zip64=force) as entry:
                        entry.write(array)
            write(out, "npz", archive.getvalue())
    for text in (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
                 r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
                 r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\d+", r"[\x{4e00}-\x{9fa5}\x21-\x7e]+|(?=a)b?", r"(?<!x)(a|b){2,}+", r"\N{x}[[:alpha:]&&[^a]]"):
        write(out, "pattern", text.encode())
    vocabulary = {letter: i for i, letter in enumerate(["a", "b", "c", "\u0120", "ab", "</s>"])}
    for kind in ("GPT2Tokenizer", "Qwen2Tokenizer", "PreTrainedTokenizerFast"):
        files = [json.dumps(vocabulary), "#version: 0.2\na b\n", json.dumps({"tokenizer_class": kind, "bos_token": "</s>", "add_bos_token": True}),
                 json.dumps({"<x>": 6}), json.dumps({"model_type": "opt"})]
        write(out, "vocabulary_folder", b"\0".join(text.encode() for text in files))
    small = {"model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}, "truncation": {"max_length": 2}, "added_tokens": [{"id": 5, "content": "</s>", "special": True}],
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}, "decoder": {"type": "ByteLevel"}}
    files = [json.dumps(small), json.dumps({"bos_token": "</s>", "added_tokens_decoder": {"7": {"content": "<y>", "lstrip": True, "special": True}}}),
             json.dumps({"bos_token": {"content": "</s>"}, "additional_special_tokens": ["<z>"]}), json.dumps({"<x>": 6})]
    write(out, "tokenizer_folder", b"\0".join(text.encode() for text in files))
    for path in sorted(GOLDEN.glob("saes/**/c*g.json")):
        kind = "sparsify" if (path.parent / "sae.safetensors").exists() else "dictionary" if path.name == "config.json" else "sae"
        said = json.loads(path.read_text())
        for holder in (said, said.get("trainer", {})):
            for key, size in (("d_in", 4), ("d_sae", 8), ("num_latents", 8), ("activation_dim", 4), ("dict_size", 8), ("k", 2)):
                if key in holder:
                    holder[key] = size
        write(out, f"{kind}_configuration", json.dumps(said).encode())


def pack(folder, only):
    CORPUS.mkdir(exist_ok=True)
    for parser in sorted(path for path in folder.iterdir() if path.is_dir() and only in (None, path.name)):
        inputs = [path.read_bytes() for path in sorted(parser.iterdir(), key=lambda path: (path.stat().st_size, path.name))]
        with open(CORPUS / f"{parser.name}.gz", "wb") as to:  # one stream, since most inputs are nearly alike
            with gzip.GzipFile("", "wb", 9, to, mtime=0) as stream:
                for data in inputs:
                    stream.write(struct.pack("<I", len(data)) + data)


def unpack(out, only):
    for archive in sorted(CORPUS.glob("*.gz")):
        if only not in (None, archive.stem):
            continue
        stream = gzip.decompress(archive.read_bytes())
        (out / archive.stem).mkdir(parents=True, exist_ok=True)
        while stream:
            (size,) = struct.unpack_from("<I", stream)
            write(out, archive.stem, stream[4:4 + size])
            stream = stream[4 + size:]


if __name__ == "__main__":
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    only = sys.argv[3] if len(sys.argv) > 3 else None
    {"seeds": lambda: seeds(folder), "pack": lambda: pack(folder, only), "unpack": lambda: unpack(folder, only)}[what]()
