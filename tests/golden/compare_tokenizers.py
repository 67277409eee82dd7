"""Compares plateau's tokenizer with Hugging Face tokenizers: ids, decoded text, and time on one thread.

    pip install tokenizers
    python compare_tokenizers.py --program BUILD/tests/encode_texts --corpus DIR tokenizer.json ...
    python compare_tokenizers.py ... --trained                  # small ones too, built as Llama 2, Mistral and Gemma are
    python compare_tokenizers.py ... --folders                  # in their place vocab.json with merges.txt alone, as classes of transformers
    python compare_tokenizers.py ... --gguf FILE.gguf tokenizer.json     # a GGUF file against the tokenizer.json of its model

Without --corpus it takes the folder corpus of $PLATEAU_SHARED_DATA, and without tokenizers every tokenizer.json there.
For each tokenizer, three sets of texts:

    corpus    --lines lines drawn from the .txt files of --corpus
    random    --lines strings of code points that Unicode 13 assigns, of all planes: letters, marks, controls, emoji sequences,
              runs of white space, pieces of the corpus, added tokens
    later     code points that it does not assign: these have to give some ids, and to come back where the two libraries agree

Every text of the first two must have the same ids, and these must decode to the same text, with special tokens and without. The
times are medians over --repeats of encoding all lines of the corpus one by one, by turns; "fast" is encode_batch_fast of
tokenizers, which leaves out what plateau has not: the place of each token in the text. The program fails if a text differs, and
with --at-least R if tokenizers takes less than R times plateau's time.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

try:
    from tokenizers import Tokenizer
except ImportError:
    print("skipped: the Python package tokenizers is not there")
    sys.exit(0)

import make_tokenizer_golden as golden

# First code points of the blocks and ranges that came after Unicode 13; Python's own tables tell what an older version has.
LATER_BLOCKS = [(0x0870, 0x089F), (0x1AC1, 0x1ACE), (0x2C2F, 0x2C2F), (0x2C5F, 0x2C5F), (0x2E53, 0x2E5D), (0x9FFD, 0x9FFF), (0xA7C0, 0xA7C1),
                (0xA7CB, 0xA7F4), (0xFBC2, 0xFBC2), (0xFD40, 0xFD4F), (0xFDCF, 0xFDCF), (0xFDFE, 0xFDFF), (0x10570, 0x105BC), (0x10780, 0x107BA),
                (0x10EC0, 0x10EFF), (0x10F70, 0x10F89), (0x11070, 0x11075), (0x11240, 0x11241), (0x11AB0, 0x11ABF), (0x11B00, 0x11B09),
                (0x11F00, 0x11F59), (0x12F90, 0x12FF2), (0x13430, 0x13455), (0x16A70, 0x16AC9), (0x1AFF0, 0x1AFFE), (0x1B11F, 0x1B167),
                (0x1CF00, 0x1CFC3), (0x1D2C0, 0x1D2D3), (0x1DF00, 0x1DF2A), (0x1E030, 0x1E08F), (0x1E290, 0x1E2AE), (0x1E4D0, 0x1E4F9),
                (0x1E7E0, 0x1E7FE), (0x1F6DC, 0x1F6DF), (0x1F774, 0x1F776), (0x1F77B, 0x1F77F), (0x1F7D9, 0x1F7D9), (0x1F7F0, 0x1F7F0),
                (0x1F979, 0x1F979), (0x1F9CC, 0x1F9CC), (0x1FA75, 0x1FA77), (0x1FA7B, 0x1FA7C), (0x1FA87, 0x1FA88), (0x1FAA9, 0x1FAAF),
                (0x1FAB7, 0x1FABF), (0x1FAC3, 0x1FACF), (0x1FAD7, 0x1FAFF), (0x2A6DE, 0x2A6DF), (0x2B735, 0x2B739), (0x2EBF0, 0x2EE5D),
                (0x31350, 0x323AF)]
LATER_SINGLE = [0x061D, 0x0888, 0x0898, 0x0C3C, 0x0C5D, 0x0CDD, 0x0CF3, 0x0ECE, 0x170D, 0x1715, 0x171F, 0x180F, 0x1B4C, 0x1B7D, 0x1B7E, 0x1DFA,
                0x20C0, 0xA7D0, 0xA7D1, 0xA7D3, 0xA7D5, 0xA7D6, 0xA7D7, 0xA7D8, 0xA7D9, 0x10EFD, 0x110C2, 0x116B9, 0x11740, 0x1E08F]


def code_points():
    """Those that Unicode 13 assigns, and those that came later, as far as this Python knows them."""
    later = set(LATER_SINGLE) | {point for first, last in LATER_BLOCKS for point in range(first, last + 1)}
    assigned = [point for point in range(0x110000) if unicodedata.category(chr(point)) not in ("Cn", "Cs") and point not in later]
    return assigned, sorted(later)


def random_texts(count, seed, added, lines, points):
    draw = random.Random(seed)
    planes = [[point for point in points if point >> 16 == plane] for plane in range(17)]
    groups = {}
    for point in points:
        groups.setdefault(unicodedata.category(chr(point)), []).append(point)
    groups = list(groups.values())
    marks = [point for point in points if unicodedata.combining(chr(point))]
    composed = [point for point in points if unicodedata.decomposition(chr(point))]
    spaces = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0xA0, 0x1680, 0x180E, 0x2003, 0x200A, 0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF]
    people, tail = [0x1F468, 0x1F469, 0x1F9D1, 0x1F3F4, 0x2764, 0x1F44B], [0x200D, 0xFE0F, 0x1F3FB, 0x1F3FF, 0x1F52C, 0x1F4BB, 0x20E3, 0xE0067, 0xE007F]
    jamo = list(range(0x1100, 0x1113)) + list(range(0x1161, 0x1176)) + list(range(0x11A7, 0x11C3)) + [0xAC00, 0xAC01, 0xD7A3]
    ascii_points = list(range(128))
    planes = [plane for plane in planes if plane]
    apostrophes = ["'s", "'T", "'re", "'VE", "'m", "'Ll", "'d", "'\u017f", "\u2019s"]

    def piece():
        kind = draw.randrange(12)
        some = lambda pool, most: "".join(chr(draw.choice(pool)) for _ in range(draw.randint(1, most)))
        if kind == 0: return some(draw.choice(planes), 6)
        if kind == 1: return some(draw.choice(groups), 6)
        if kind == 2: return chr(draw.choice(draw.choice(groups))) + some(marks, 5)
        if kind == 3: return some(composed, 4) + some(marks, 2)
        if kind == 4: return some(spaces, 6) if draw.random() < 0.5 else draw.choice([" ", "\n", "\r\n", "\t"]) * draw.randint(1, 40)
        if kind == 5: return some(people, 1) + some(tail, 3) + some(people + tail, 3)
        if kind == 6: return some(jamo, 5)
        if kind == 7: return some(ascii_points, 10)
        if kind == 8: return draw.choice(apostrophes)
        if kind == 9 and added: return draw.choice(added)
        if kind == 10: return str(draw.randrange(10 ** draw.randint(1, 12)))
        line = draw.choice(lines)
        begin = draw.randrange(len(line) + 1)
        return line[begin:begin + draw.randint(1, 30)]

    return ["".join(piece() for _ in range(draw.choice([1, 2, 4, 8, 16]))) for _ in range(count)]


def later_texts(count, seed, points, later):
    draw = random.Random(seed)
    return ["".join(chr(draw.choice(later if draw.random() < 0.5 else points)) for _ in range(draw.randint(1, 12))) for _ in range(count)]


def corpus_lines(folder, count, seed):
    lines = [line for file in sorted(Path(folder).glob("*.txt")) for line in file.read_text(encoding="utf-8").split("\n") if line]
    return random.Random(seed).sample(lines, min(count, len(lines)))


class Plateau:
    def __init__(self, program, tokenizer, scratch):
        self.program, self.tokenizer, self.scratch = program, tokenizer, Path(scratch)

    def run(self, texts, repeats=0):
        """Ids, decoded texts without and with special tokens, seconds."""
        encoded = [text.encode() for text in texts]
        (self.scratch / "texts").write_bytes(b"".join(len(text).to_bytes(4, "little") + text for text in encoded))
        done = subprocess.run([self.program, self.tokenizer, self.scratch / "texts", self.scratch / "ids", self.scratch / "decoded", str(repeats)],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{self.program} failed on {self.tokenizer} with status {done.returncode}")
        return self.ids(), *self.texts(), [float(line) for line in done.stdout.split()]

    def ids(self):
        import array
        words = array.array("i", (self.scratch / "ids").read_bytes())
        found, at = [], 0
        while at < len(words):
            found.append(words[at + 1:at + 1 + words[at]].tolist())
            at += 1 + words[at]
        return found

    def texts(self):
        data, found, at = (self.scratch / "decoded").read_bytes(), [], 0
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], "little")
            found.append(data[at + 4:at + 4 + size].decode())
            at += 4 + size
        return found[0::2], found[1::2]


def agreement(plateau, peer, texts, shown):
    """How many texts have the same ids, and how many of the ids decode alike; prints the first few that do not."""
    ids, skipped, whole, _ = plateau.run(texts)
    assert len(ids) == len(texts)
    same = decoded = 0
    for text, ours, without, with_special in zip(texts, ids, skipped, whole):
        theirs = peer.encode(text, add_special_tokens=False).ids
        same += ours == theirs
        alike = without == peer.decode(ours, skip_special_tokens=True) and with_special == peer.decode(ours, skip_special_tokens=False)
        decoded += alike
        if shown > 0 and (ours != theirs or not alike):
            shown -= 1
            print("   ", json.dumps(text), ours, theirs, json.dumps(with_special))
    return same, decoded, ids, whole


CLASSES = {"gpt2": {"tokenizer_class": "GPT2Tokenizer"}, "qwen2": {"tokenizer_class": "Qwen2Tokenizer"},
           "opt": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, **{f"{name}_token": "</s>" for name in ("bos", "eos", "unk")}}}


def write_folders(scratch, file):
    """Folders with vocab.json and merges.txt of a tokenizer of bytes, one for each of CLASSES."""
    content = json.loads(Path(file).read_text(encoding="utf-8"))
    if "ByteLevel" not in json.dumps(content["pre_tokenizer"]):
        return []
    folders = []
    for name, config in CLASSES.items():
        folders.append(Path(scratch) / f"{Path(file).parent.name}-{name}")
        folders[-1].mkdir()
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in content["model"]["merges"]]
        for name, text in [("vocab.json", json.dumps(content["model"]["vocab"])), ("merges.txt", "\n".join(["#version: 0.2", *merges, ""])),
                           ("tokenizer_config.json", json.dumps(config)), ("config.json", "{}")]:
            (folders[-1] / name).write_text(text, encoding="utf-8")
    return folders


def peer_of(file):
    if not file.is_dir():
        return Tokenizer.from_file(str(file))
    from transformers import AutoTokenizer
    return AutoTokenizer.from_pretrained(str(file)).backend_tokenizer


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def times(plateau, peer, lines, repeats):
    def one_by_one():
        for line in lines:
            peer.encode(line, add_special_tokens=False)
    one_by_one()
    ours, theirs, fast = [], [], []
    for _ in range(repeats):
        ours += plateau.run(lines, 1)[3]
        theirs.append(seconds(one_by_one))
        fast.append(seconds(lambda: peer.encode_batch_fast(lines, add_special_tokens=False)))
    return [statistics.median(values) for values in (ours, theirs, fast)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", nargs="*", help="tokenizer.json files")
    parser.add_argument("--program", required=True)
    parser.add_argument("--corpus", metavar="DIR")
    parser.add_argument("--gguf", metavar="FILE", help="read by plateau in place of the one tokenizer.json")
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--folders", action="store_true", help="compare those in place of the tokenizer.json files")
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3, metavar="N", help="print the first N texts that differ")
    parser.add_argument("--at-least", type=float, default=0, metavar="R")
    options = parser.parse_intermixed_args()

    shared = os.environ.get("PLATEAU_SHARED_DATA")
    if not options.corpus and not shared:
        print("skipped: there is no --corpus, and PLATEAU_SHARED_DATA is not set")
        sys.exit(0)
    options.corpus = options.corpus or Path(shared) / "corpus"
    if not options.tokenizers and shared:
        options.tokenizers = sorted(Path(shared).glob("*/*/tokenizer.json"))

    points, later = code_points()
    lines = corpus_lines(options.corpus, options.lines, options.seed)
    size = sum(len(line.encode()) for line in lines) / 1e6
    failed = False
    print(f"{len(lines)} lines of the corpus, {size:.2f} MB; {len(points)} code points of Unicode 13, {len(later)} later ones")
    print("tokenizer        set        texts   same ids   same decoded      plateau  tokenizers      fast   ratio  ratio to fast")
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(file) for file in options.tokenizers]
        if options.trained:
            files += golden.train_large(Path(scratch), lines)
        if options.folders:
            files = [folder for file in files for folder in write_folders(scratch, file)]
        for file in files:
            peer = peer_of(file)
            plateau = Plateau(options.program, Path(options.gguf) if options.gguf else file, scratch)
            name = file.parent.name if file.name == "tokenizer.json" else file.stem
            added = [token.content for token in peer.get_added_tokens_decoder().values()]
            sets = {"corpus": lines, "random": random_texts(options.lines, options.seed, added, lines, points),
                    "later": later_texts(options.lines // 10, options.seed, points, later)}
            for kind, texts in sets.items():
                same, decoded, ids, whole = agreement(plateau, peer, texts, options.show if kind != "later" else 0)
                note = ""
                if kind == "later":
                    note = f"   {sum(a == b for a, b in zip(texts, whole))} come back"
                    failed |= decoded < len(texts)
                else:
                    failed |= same < len(texts) or decoded < len(texts)
                    if kind == "corpus" and options.repeats > 0:
                        ours, theirs, fast = times(plateau, peer, lines, options.repeats)
                        note = f"{size / ours:8.2f} MB/s {size / theirs:6.2f} MB/s {size / fast:4.2f} MB/s {theirs / ours:7.2f} {fast / ours:7.2f}"
                        failed |= theirs < options.at_least * ours
                print(f"{name:16} {kind:8} {len(texts):7} {same:10} {decoded:14}   {note}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
