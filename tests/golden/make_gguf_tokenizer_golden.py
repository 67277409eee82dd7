"""Makes the vocabularies of golden/gguf and what llama.cpp makes of difficult texts with them.

    pip install gguf tokenizers llama-cpp-python        (made with gguf 0.19, tokenizers 0.23, llama-cpp-python 0.3.36)
    python make_tokenizer_golden.py; python make_gguf_tokenizer_golden.py

golden/gguf/
    scores.gguf      SentencePiece: the tokens of golden/tokenizer/llama2.json, shuffled, with scores in place of merges, some of them equal
    phi3.gguf        the same with added tokens, called Phi-3: most take the white space after them
    no_prefix.gguf   as Gemma's: no space goes before the text; runs of new lines and of spaces are user-defined tokens
    same_scores.gguf tokens in their order and with equal scores, as converters write them that know only tokenizer.json
    characters.gguf  as Gemma 4's: merges of characters
    scores.json      {file: {"bos": whether it is added, "cases": [[text, ids], ...]}}, by llama.cpp; of same_scores.gguf by tokenizers from llama2.json
    words.json       {"tokens", "merges": of bytes, across everything that a way to cut words cuts; "texts";
                      "ways": {name of tokenizer.ggml.pre: {"bos": whether it is added by default, "ids": of the texts}}}, by llama.cpp;
                      "marks"; "published": {name: ids of the marks}}, by tokenizers, for llama.cpp composes no characters and approximates two patterns

compare_gguf_tokenizers.py lists where the two differ.
"""
import json
import random
import tempfile
from pathlib import Path

from gguf import GGUFWriter, TokenType
from llama_cpp import Llama
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import make_tokenizer_golden as golden

FOLDER = Path(__file__).parent / "gguf"
MARK = "▁"
draw = random.Random(7)
TEXTS = ["", " ", "a", "The plateau lies high above the river", "  The  plateau ", " the\n\n the\n", "\u2581the \u2581", "12.5 metres in 300 steps!", "they'd told it's",
         "é ß жук 中文 🚀 e\u0301", "\x00\x01\t\r\n", "      " * 5 + "x", "thethethethe", "plateau" * 6, "in a few steps, the ground falls away", "\u00a0\u3000x"]


def write(file, model, tokens, types, **more):
    writer = GGUFWriter(FOLDER / file, more.pop("arch", "llama"))
    if "name" in more:
        writer.add_name(more.pop("name"))
    writer.add_tokenizer_model(model)
    if "pre" in more:
        writer.add_tokenizer_pre(more.pop("pre"))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    for key, value in more.items():
        getattr(writer, "add_" + key)(value)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def llama(file):
    model = Llama(model_path=str(file), vocab_only=True, verbose=False)
    return lambda text, bos=False: model.tokenize(text.encode(), add_bos=bos, special=True)


def with_added(texts, added):
    pieces = TEXTS[3:-1] + added * 3  # without white space beyond ASCII, which llama.cpp leaves where tokenizers strips it
    return texts + added + ["".join(draw.choice(pieces + [" ", "\n ", "  "]) for _ in range(5)) for _ in range(24)]


def sentencepiece():
    content = json.loads((FOLDER.parent / "tokenizer" / "llama2.json").read_text(encoding="utf-8"))
    ordered = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    normal = [token for token in ordered if token not in ("<unk>", "<s>", "</s>", *golden.BYTES)]
    scores = {token: -float(i) for i, token in enumerate(draw.sample(normal, len(normal)))}
    for token in draw.sample(normal, len(normal) // 3):
        scores[token] = -5.0
    start, kinds = ["<unk>", "<s>", "</s>"], [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    tokens, types = start + golden.BYTES + normal, kinds + [TokenType.BYTE] * 256 + [TokenType.NORMAL] * len(normal)
    of = lambda listed: [scores.get(token, 0.0) for token in listed]
    cases = {}

    def save(file, added, **more):
        all_tokens, all_types = tokens + [token for token, _ in added], types + [kind for _, kind in added]
        write(file, "llama", all_tokens, all_types, token_scores=more.pop("token_scores", of(all_tokens)), **more)
        encode = llama(FOLDER / file)
        texts = with_added(TEXTS, ["<s>", "<unk>", *[token for token, _ in added]])
        cases[file] = {"bos": len(encode("", True)) == 1, "cases": [[text, encode(text)] for text in texts]}

    save("scores.gguf", [])
    save("phi3.gguf", [("<|user|>", TokenType.CONTROL), ("<|end|>", TokenType.CONTROL), ("<|endoftext|>", TokenType.CONTROL), ("[PAD403]", TokenType.UNUSED)],
         arch="phi3", name="Tiny Phi-3", pre="default", add_bos_token=True)
    runs = [("\n" * count, TokenType.USER_DEFINED) for count in (2, 3)] + [(" " * count, TokenType.USER_DEFINED) for count in (2, 4)]
    save("no_prefix.gguf", runs + [("<start_of_turn>", TokenType.CONTROL)], arch="gemma", add_space_prefix=False, add_bos_token=False)

    in_order = [TokenType.NORMAL if token not in start else TokenType.CONTROL for token in ordered]
    in_order = [TokenType.BYTE if token in golden.BYTES else kind for token, kind in zip(ordered, in_order)]
    write("same_scores.gguf", "llama", ordered, in_order, token_scores=[-1000.0] * len(ordered), unk_token_id=0)
    peer = Tokenizer.from_str(json.dumps(content))
    cases["same_scores.gguf"] = {"bos": True, "cases": [[text, peer.encode(text, add_special_tokens=False).ids] for text in with_added(TEXTS, ["<s>", "<unk>"])]}

    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in content["model"]["merges"]]
    write("characters.gguf", "gemma4", ordered, in_order, token_merges=merges, bos_token_id=1, eos_token_id=2, unk_token_id=0, add_bos_token=False)
    encode = llama(FOLDER / "characters.gguf")
    cases["characters.gguf"] = {"bos": len(encode("", True)) == 1, "cases": [[text, encode(text)] for text in with_added(TEXTS, ["<s>"])]}
    lines = [f"{json.dumps(name)}: " + json.dumps(case, separators=(",", ":")) for name, case in cases.items()]
    (FOLDER / "scores.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


NAMES = """gpt-2 phi-2 olmo mpt smollm starcoder refact command-r llama-bpe llama3 llama-v3 falcon3 dbrx smaug-bpe chatglm-bpe glm4 qwen2 stablelm2
deepseek-r1-qwen megrez laguna ufakzeka qwen35 tekken gpt-4o llama4 falcon deepseek-llm deepseek-coder deepseek-v3 spark2_5 minicpm5 seed-coder bailingmoe
exaone-moe jais-2 bloom viking chameleon""".split()
HARD = ["it's IT'S we'Ve they'LL I'm 'Re 'S's", "x12345678 9 1234", " \u0663\u0664\u0665\u0666 ½²Ⅷ7", "Hello World, HELLO wORLD helloWorld", "a  b   c \n d\n\n\ne \r\n\r\n f\t\tg ",
        "...///\n\n!?\r\n (x) $+<=>^~| `` #tag @me", "中文字符 かな ひらがな 한국어 中", "нещо на Български Ёлка", "ÀÉÎ ßß ŒŒ", "\u0915\u0903x", "  leading", "trailing  ", "\n leading",
        "!hello #World -x _y", "a/b//c\n/d", "«quoted» „so“ —dash…", "IMGIMGABZ <sentinel:12>", "。、！？x ,. (y) |z|", "   \t\n", "x xyzzy xyzzyx", "!!\n.\n\n \n\n \n", "abc\n\ndef ghi\n", "'sand 'reddish", "I'd\u2019s" + " " * 37 + "x" + " " * 11]

MARKS = ["a \u0301b k\u0301s", "\u0928\u0903x \u0915\u093f\u0924\u093e\u092c", "e\u0301E\u0301 x\u0301'S", " \u0301\u0302", "Vie\u0302\u0301t nAm", "\u1100\u1161\u11a8 x", "AbC\u0301dE"]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+TAIL|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*TAIL|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN35 = golden.QWEN.replace(r"]?\p{L}+", r"]?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
PUBLISHED = {"qwen2": (golden.QWEN, True), "qwen35": (QWEN35, False), "olmo": (GPT2, True), "tekken": (CASED.replace("TAIL", "") + r"\p{N}" + REST, False),
             "gpt-4o": (CASED.replace("TAIL", "(?i:'s|'t|'re|'ve|'m|'ll|'d)?") + r"\p{N}{1,3}" + REST, False)}


def published(content, name):
    pattern, composes = PUBLISHED[name]
    vocabulary, merges = content["vocab"], [tuple(merge) for merge in content["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=name == "tekken"))
    if composes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in MARKS]


def words():
    text = (golden.TEXT + "\n".join(HARD + MARKS)) * 3
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, max_token_length=6)
    pieces = [text[i:i + size] for size in (2, 3, 4, 5, 7) for i in range(0, len(text), size)]
    tokenizer.train_from_iterator(pieces, trainer)
    content = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(content["vocab"], key=content["vocab"].get) + ["Ġxyzzy", "<|endoftext|>"]  # the first is made by no merge
    merges = [" ".join(merge) for merge in content["merges"]]
    types = [TokenType.NORMAL] * (len(tokens) - 1) + [TokenType.CONTROL]
    ways = {}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "words.gguf"
        for name in NAMES:
            write(file, "gpt2", tokens, types, pre=name, token_merges=merges, bos_token_id=len(tokens) - 1, eos_token_id=len(tokens) - 1)
            encode = llama(file)
            ways[name] = {"bos": len(encode("", True)) == 1, "ids": [encode(text) for text in HARD]}
    groups = {}
    for name, way in ways.items():
        groups.setdefault(json.dumps(way["ids"]), []).append(name)
    print(len(tokens), "tokens; names that differ on no text:", *groups.values(), sep="\n")
    rows = [f"{json.dumps(name)}: " + json.dumps(way, separators=(",", ":")) for name, way in ways.items()]
    head = [f"{json.dumps(key)}: " + json.dumps(value, separators=(",", ":")) for key, value in (("tokens", tokens), ("merges", merges), ("texts", HARD), ("marks", MARKS))]
    head.append('"published": ' + json.dumps({name: published(content, name) for name in PUBLISHED}, separators=(",", ":")))
    (FOLDER / "words.json").write_text("{\n" + ",\n".join(head) + ',\n"ways": {\n' + ",\n".join(rows) + "\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    sentencepiece()
    words()
