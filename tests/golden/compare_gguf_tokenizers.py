"""Compares the tokenizers that plateau reads from GGUF files with llama.cpp: the ids that its vocabularies are published with, and what it makes of
texts and random strings.

    pip install gguf llama-cpp-python tokenizers
    python compare_gguf_tokenizers.py --program BUILD/tests/encode_texts --vocabularies llama.cpp/models [--corpus DIR] [--every-pre]

--vocabularies DIR   ggml-vocab-*.gguf, where they have them with .inp (texts between lines of __ggml_vocab_test__) and .out (ids)
--corpus DIR         also --lines lines of its .txt files and as many random strings, beside llama.cpp (20 minutes for 10,000)
--every-pre          also the vocabulary of GPT-2 under every name that tokenizer.ggml.pre can have in plateau, or under those given, beside llama.cpp

Prints for each how many texts have the same ids, and the first --show that have not. Fails if an id of an .out file differs. Where llama.cpp and the
published tokenizer.json differ plateau follows the latter: tests/README.md says where.
"""
import argparse
import json
import re
import sys
import tempfile
import unicodedata
from pathlib import Path

from gguf import GGUFReader, GGUFWriter

import compare_tokenizers as texts

SEPARATOR = "\n__ggml_vocab_test__\n"
NOT_COMPARED = ("bert-bge", "nomic-bert-moe")  # WordPiece and Unigram, which plateau refuses


def published(file):
    """Texts and ids as llama.cpp's tests/test-tokenizer-0.cpp reads them."""
    whole = Path(str(file) + ".inp").read_bytes().decode()
    listed = [[int(word) for word in line.split()] for line in Path(str(file) + ".out").read_text().splitlines()]
    parts = whole.split(SEPARATOR)
    if parts and not parts[-1]:
        parts.pop()
    assert len(parts) == len(listed), (file, len(parts), len(listed))
    return parts, listed


def llama(file):
    from llama_cpp import Llama
    return Llama(model_path=str(file), vocab_only=True, verbose=False)


def shown(text, ours, theirs):
    begin = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return f"    {json.dumps(text)[:100]} at {begin}: {ours[max(0, begin - 1):begin + 6]} {theirs[max(0, begin - 1):begin + 6]}"


def differing(name, kind, found, expected, given, show, composed=False):
    """Prints how many texts have the same ids; of vocabularies that compose characters here, also how many of the others that explains."""
    wrong = [i for i, (a, b) in enumerate(zip(found, expected)) if a != b]
    left = [i for i in wrong if not composed or unicodedata.normalize("NFC", given[i]) == given[i]]
    note = f", {len(wrong) - len(left)} others that NFC changes" if composed else ""
    print(f"{name:28} {kind:10} {len(given):7} texts {len(given) - len(wrong):7} same ids{note}", flush=True)
    for i in left[:show]:
        print(shown(given[i], found[i], expected[i]))
    return len(wrong)


def with_pre(source, target, pre):
    """The vocabulary of a file under another name of its way to cut words."""
    reader = GGUFReader(source)
    field = lambda key: reader.fields[key]
    strings = lambda key: [bytes(field(key).parts[i]).decode() for i in field(key).data]
    writer = GGUFWriter(target, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(strings("tokenizer.ggml.tokens"))
    writer.add_token_types([int(field("tokenizer.ggml.token_type").parts[i][0]) for i in field("tokenizer.ggml.token_type").data])
    writer.add_token_merges(strings("tokenizer.ggml.merges"))
    writer.add_bos_token_id(50256)
    writer.add_eos_token_id(50256)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def known_names():
    """Every name of a row of the table whose tokens are spelt in the byte alphabet."""
    table = Path(__file__).parents[2] / "include" / "plateau" / "io" / "tokenizer" / "impl" / "gguf_words.ipp"
    source = table.read_text(encoding="utf-8")
    rows = re.findall(r'\{((?:"[^"]*"\s*)+),\s*\{(.*?)\}(?:,\s*([\w:| \n]+))?\},\n', source[source.index("known_gguf_words"):], re.S)
    names = {}
    for row, _, options in rows:
        for name in " ".join(re.findall(r'"([^"]*)"', row)).split():
            if "characters" not in options:
                names[name] = "composes" in options
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--vocabularies", required=True, type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--every-pre", nargs="*", metavar="NAME")
    parser.add_argument("--only", default="", help="of the vocabularies, those whose names contain this")
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()

    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        ids_of = lambda file, given: texts.Plateau(options.program, file, scratch).run(given)[0]
        files = [file for file in sorted(options.vocabularies.glob("ggml-vocab-*.gguf"))
                 if not any(name in file.name for name in NOT_COMPARED) and options.only in file.name]
        for file in files:
            if Path(str(file) + ".out").exists():
                given, listed = published(file)
                failed += differing(file.stem[11:], "published", ids_of(file, given), listed, given, options.show)
        if options.corpus:
            lines = texts.corpus_lines(options.corpus, options.lines, options.seed)
            points, _ = texts.code_points()
            names = known_names()
            for file in files:
                fields = GGUFReader(file).fields
                pre = fields["tokenizer.ggml.pre"].contents() if "tokenizer.ggml.pre" in fields else ""
                if fields["tokenizer.ggml.model"].contents() == "gpt2" and pre not in names:
                    print(f"{file.stem[11:]:28} names no way to cut words that is known")
                    continue
                tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
                added = [bytes(tokens.parts[tokens.data[i]]).decode() for i, at in enumerate(types.data) if types.parts[at][0] in (2, 3, 4)]
                peer = llama(file)
                for kind, given in (("corpus", lines), ("random", texts.random_texts(options.lines, options.seed, added[:200], lines, points))):
                    expected = [peer.tokenize(text.encode(), add_bos=False, special=True) for text in given]
                    differing(file.stem[11:], kind, ids_of(file, given), expected, given, options.show, names.get(pre, False))
                del peer
        if options.every_pre is not None:
            lines = texts.corpus_lines(options.corpus, options.lines, options.seed)
            points, _ = texts.code_points()
            given = texts.random_texts(options.lines, options.seed, [], lines, points)
            for pre, composed in known_names().items():
                if options.every_pre and pre not in options.every_pre:
                    continue
                file = Path(scratch) / "named.gguf"
                with_pre(options.vocabularies / "ggml-vocab-gpt-2.gguf", file, pre)
                peer = llama(file)
                expected = [peer.tokenize(text.encode(), add_bos=False, special=True) for text in given]
                differing(pre, "random", ids_of(file, given), expected, given, options.show, composed)
                with_bos = peer.tokenize(b"a", add_bos=True, special=True)
                print(f"{pre:28} bos        {'yes' if len(with_bos) > 1 else 'no'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
