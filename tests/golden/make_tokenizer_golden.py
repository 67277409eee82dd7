"""Makes golden/tokenizer: tiny byte-level tokenizers trained on a paragraph, and what Hugging Face tokenizers makes of difficult texts.

    pip install tokenizers        (made with tokenizers 0.23.3)
    python make_tokenizer_golden.py

golden/tokenizer/
    words.json     cut as GPT-2 does; merges as pairs
    digits.json    cut as SmolLM2 does; merges as strings; puts a bos token before the text; some bytes have no token
    prefix.json    a space goes before every piece; added tokens that take white space or are found late; an unknown token
    composed.json  as GPT-NeoX: NFC, runs of spaces as added tokens; and single words
    qwen.json      as Qwen2: NFC, words by the pattern of Qwen2
    llama2.json    as Llama 2: "▁" by normalizers, no pre-tokenizer, byte fallback
    mistral.json   as Mistral and later Llamas: Metaspace that prepends to the first piece alone
    gemma.json     as Gemma: "▁" by a normalizer, split at spaces
    partial.json   tokens for some bytes only, so that unknown tokens come too, not fused; NFKC, Strip, pieces cut in every way
    cases.json     {file: [[text, ids], ...]}, ids without the bos token
    decoded.json   {file: [[ids, text, text without special tokens], ...]}
"""
import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = Path(__file__).parent / "tokenizer"
TEXT = """The plateau lies high above the river, and whoever walks across it sees little change for a long while: the grass, the stones and the
wind stay what they were. Then, within a few steps, the ground falls away, and the traveller stands in another country. They'd been told so; it's
what we've all heard, and I'm sure you'll say that it doesn't matter. In 1848, 1905 and 2023 people measured it: 12.5 metres in 300 steps!
"""


def train(pre_tokenizer, specials, size, alphabet, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def words():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = train(pre_tokenizers.ByteLevel(add_prefix_space=False), [], 360, alphabet)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def digits():
    rare = set("ÄÁðòóôõö÷øùúûüýþÿ")  # letters that stand for rare bytes
    alphabet = [letter for letter in pre_tokenizers.ByteLevel.alphabet() if letter not in rare]
    split = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer = train(split, ["<|im_start|>", "<|im_end|>"], 340, alphabet)
    tokenizer.post_processor = processors.TemplateProcessing(single="<|im_start|> $A", special_tokens=[("<|im_start|>", 0)])
    return tokenizer


def prefix():
    alphabet = [letter for letter in pre_tokenizers.ByteLevel.alphabet() if letter != "z"]
    tokenizer = train(pre_tokenizers.ByteLevel(add_prefix_space=True), ["<unk>"], 330, alphabet, unk_token="<unk>")
    tokenizer.add_special_tokens([AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
                                  AddedToken("<both>", lstrip=True, rstrip=True, normalized=False), AddedToken("<right>er", normalized=False)])
    tokenizer.add_tokens([AddedToken("plateau<left>", normalized=True), AddedToken("plateau", normalized=True)])
    return tokenizer


def composed():
    tokenizer = train(pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"], 340, pre_tokenizers.ByteLevel.alphabet())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(24, 1, -1)] + [AddedToken("e\u0301", normalized=True)])
    tokenizer.add_tokens([AddedToken("word", single_word=True, normalized=False), AddedToken("n\u0303o", single_word=True, normalized=True)])
    return tokenizer


QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def qwen():
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer = train(split, [], 340, pre_tokenizers.ByteLevel.alphabet())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return tokenizer


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def train_characters(lines, size, byte_tokens, specials, **options):
    """Merges within words; what cuts text when the tokenizer is used is set by the caller."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", **options))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials + byte_tokens, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in specials]
    return Tokenizer.from_str(json.dumps(content))


def llama2(lines=(TEXT,), size=400):
    tokenizer = train_characters(lines, size, BYTES, ["<unk>", "<s>", "</s>"], fuse_unk=True)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def mistral(lines=(TEXT,), size=400):
    tokenizer = train_characters(lines, size, BYTES, ["<unk>", "<s>", "</s>"], fuse_unk=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def gemma(lines=(TEXT,), size=400):
    tokenizer = train_characters(lines, size, BYTES, ["<pad>", "<eos>", "<bos>", "<unk>"], fuse_unk=True)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.add_tokens([AddedToken("\n" * count, normalized=False) for count in (2, 3, 4)])
    return tokenizer


def partial():
    some = [token for index, token in enumerate(BYTES) if index % 3 or index > 0xE3]
    tokenizer = train_characters([TEXT], 330, some, ["<unk>", "<s>", "</s>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=True, right=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split("\n", "removed"), pre_tokenizers.Split(Regex(r"[.,]"), "merged_with_next"),
        pre_tokenizers.Split(Regex(r"[!?\u0021-\u0023]+"), "merged_with_previous"), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex(r"\p{Lu}"), "contiguous", invert=True), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    return tokenizer


def train_large(folder, lines):
    """Larger ones, as published tokenizers of characters are built; returns their files."""
    files = []
    for make in (llama2, mistral, gemma):
        files.append(Path(folder) / f"{make.__name__}.json")
        files[-1].write_text(make(lines, 8000).to_str(), encoding="utf-8")
    return files


def save(tokenizer, name, merges_as_strings):
    content = json.loads(tokenizer.to_str())
    if merges_as_strings:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
    (FOLDER / name).write_text(text, encoding="utf-8")
    return Tokenizer.from_str(text)


def texts(tokenizer, seed):
    draw = random.Random(seed)
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    pieces = ["the", " The", "plateau", "'s", "'ll", "'LL", "we've", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\x0b", "\x85", "\u00a0", "\u1680",
              "\u180e", "\u2003", "\u2028", "\u3000", "\u200b", "1848", "7", " 12", "½", "Ⅷ", "٣", "²", "!", "?!", " ...", "#$%", "é", "ß", "жук", "中文",
              "かな", "ك", "🚀", "👩‍🔬", "e\u0301", "z", "zz", "\x00", "\x04", "\U000e0041", "ü1ü", "_", "\u0903"]
    fixed = ["", " ", "The plateau lies high.", "a  5", "a 5 6  7", "x\u180ey", "they'd've'", " " * 9 + "x", "\n \n  x", TEXT[:300], "<|endoftext" + "|>" * 2,
             "the" * 40, " <left>  plateau <both>\n\n<right> x <right>er <right> er", "plateau<left>plateau <left", "z plateauzz<unk>"]
    return fixed + ["".join(draw.choice(pieces + added * 3) for _ in range(draw.choice([2, 5, 12]))) for _ in range(60)]


def some_ids(tokenizer, cases, seed):
    """Ids of texts, ids cut anywhere, and ids that no text has."""
    draw = random.Random(seed)
    known = sorted(tokenizer.get_vocab().values())
    cut = [ids[draw.randrange(len(ids)):] for _, ids in cases if ids]
    return [ids for _, ids in cases[:20]] + cut[:30] + [[draw.choice(known) for _ in range(draw.choice([1, 3, 12]))] for _ in range(40)]


def main():
    FOLDER.mkdir(exist_ok=True)
    cases, decoded = {}, {}
    makers = [words, digits, prefix, composed, qwen, llama2, mistral, gemma, partial]
    for seed, make in enumerate(makers):
        name = make.__name__ + ".json"
        tokenizer = save(make(), name, make is digits)
        cases[name] = [[text, tokenizer.encode(text, add_special_tokens=False).ids] for text in texts(tokenizer, seed)]
        decoded[name] = [[ids, tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids)] for ids in some_ids(tokenizer, cases[name], seed)]
    for file, listed in [("cases.json", cases), ("decoded.json", decoded)]:
        lines = [json.dumps(name) + ": [\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in of_one) + "\n]" for name, of_one in listed.items()]
        (FOLDER / file).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
