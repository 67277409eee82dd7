"""Makes golden/tokenizer: tiny byte-level tokenizers trained on a paragraph, and what Hugging Face tokenizers makes of difficult texts.

    pip install tokenizers        (made with tokenizers 0.23.3)
    python make_tokenizer_golden.py

golden/tokenizer/
    words.json     cut as GPT-2 does; merges as pairs
    digits.json    cut as SmolLM2 does; merges as strings; puts a bos token before the text; some bytes have no token
    prefix.json    a space goes before every piece; added tokens that take white space or are found late; an unknown token
    cases.json     {file: [[text, ids], ...]}, ids without the bos token
"""
import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

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


def main():
    FOLDER.mkdir(exist_ok=True)
    cases = {}
    for seed, (name, make, merges_as_strings) in enumerate([("words.json", words, False), ("digits.json", digits, True), ("prefix.json", prefix, False)]):
        tokenizer = save(make(), name, merges_as_strings)
        cases[name] = [[text, tokenizer.encode(text, add_special_tokens=False).ids] for text in texts(tokenizer, seed)]
    lines = [json.dumps(name) + ": [\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in listed) + "\n]" for name, listed in cases.items()]
    (FOLDER / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
