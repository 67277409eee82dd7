"""Makes golden/tokenizer/folders.json: what transformers makes of folders as they are found, with vocab.json and merges.txt alone, with tokens
that only the files beside tokenizer.json add, or with truncation and padding in it.

    pip install transformers        (made with transformers 5.24)
    python make_tokenizer_folders.py

Each entry: the tokenizer of golden/tokenizer that gives vocabulary and merges, the other files, and cases [text, ids as published, text of
these ids]. `drop` are added tokens that are taken out of tokenizer.json; without `whole` the folder has vocab.json and merges.txt in its place.
"""
import json
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "tokenizer"
TEXTS = ["", " The house's 12 walls", "we'LL\n\n x  y e\u0301 caf\u00e9 \u4e2d\u6587", "a<|endoftext|>b </s> <s>", "the plateau <new>  river<other> x",
         "<|im_start|>the<|im_end|>", "[PAD] [MASK]plateau", "<|endoftext|>the", "</s>the river " * 3, "<extra> <extra2>  x"]
GPT2 = {"tokenizer_class": "GPT2Tokenizer"}


def token(content, **more):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": False} | more


def entries():
    """name: tokenizer, other files, and options."""
    opt = {"__type": "AddedToken"} | token("</s>", normalized=True)
    decoder = {"0": token("!"), "360": token("<|endoftext|>", special=True), "361": token("<new>", lstrip=True), "362": token("<other>", special=True)}
    cut = {"truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
           "padding": {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "!"}}
    yield "gpt2", "words.json", {"tokenizer_config.json": GPT2}, {}
    yield "gpt2_by_model_type", "words.json", {"config.json": {"model_type": "gpt2"}}, {}
    yield "gpt2_fast", "words.json", {"tokenizer_config.json": {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": True}}, {}
    yield "gpt2_with_bos", "words.json", {"tokenizer_config.json": GPT2 | {"add_bos_token": True}}, {}
    yield "opt", "words.json", {"tokenizer_config.json": GPT2 | {"add_bos_token": True, "bos_token": opt, "eos_token": opt, "unk_token": opt,
                                                                 "pad_token": opt | {"content": "<pad>"}}, "config.json": {"model_type": "opt"}}, {}
    yield "opt_with_map", "words.json", {"tokenizer_config.json": GPT2 | {"add_bos_token": True},
                                         "special_tokens_map.json": {"bos_token": token("</s>", normalized=True), "eos_token": "</s>", "unk_token": "</s>"}}, {}
    yield "qwen2", "qwen.json", {"tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "eos_token": "<|im_end|>",
                                                           "pad_token": "<|endoftext|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}}, {}
    yield "qwen2_by_model_type", "qwen.json", {"config.json": {"model_type": "qwen2"}}, {}
    yield "qwen2_decoder", "qwen.json", {"tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False, "added_tokens_decoder": {
        "337": token("<|endoftext|>", special=True), "338": token("<|im_start|>", special=True), "339": token("<|im_end|>", special=True)}}}, {}
    yield "added_decoder", "words.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "added_tokens_decoder": decoder}}, {"whole": True}
    yield "added_file", "words.json", {"added_tokens.json": {"<other>": 362, "<new>": 361, "[PAD]": 363},
                                       "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}}, {"whole": True}
    yield "added_file_gpt2", "words.json", {"added_tokens.json": {"<new>": 361}, "tokenizer_config.json": GPT2}, {}
    yield "named_tokens", "words.json", {"tokenizer_config.json": {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>", "pad_token": "[PAD]", "mask_token": "[MASK]",
        "extra_special_tokens": ["<extra>", "<extra2>"]}}, {"whole": True}
    yield "named_map", "words.json", {"special_tokens_map.json": {"eos_token": "<|endoftext|>", "pad_token": token("[PAD]", lstrip=True)},
                                      "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<s>"}}, {"whole": True}
    yield "dropped", "words.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "added_tokens_decoder": {
        "360": token("<|endoftext|>", special=True)}}}, {"whole": True, "drop": True}
    yield "cut", "words.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}, {"whole": True, "more": cut}
    yield "cut_with_bos", "digits.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}, {"whole": True, "more": cut}
    llama = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    for kind, model in (("LlamaTokenizer", "llama"), ("LlamaTokenizer", "mistral"), ("PreTrainedTokenizerFast", "llama")):
        yield f"{kind}_{model}", "llama2.json", {"tokenizer_config.json": llama | {"tokenizer_class": kind}, "config.json": {"model_type": model}}, {"whole": True}
    yield "llama_legacy", "llama2.json", {"tokenizer_config.json": llama | {"tokenizer_class": "LlamaTokenizerFast", "legacy": True}}, {"whole": True}
    yield "llama_without_space", "llama2.json", {"tokenizer_config.json": llama | {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False}}, {"whole": True}
    yield "code_llama", "llama2.json", {"tokenizer_config.json": {"tokenizer_class": "CodeLlamaTokenizer"}}, {"whole": True}
    yield "gemma", "gemma.json", {"tokenizer_config.json": {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True}}, {"whole": True}
    yield "neox", "words.json", {"config.json": {"model_type": "gpt_neox"}}, {}
    yield "neox_with_bos", "words.json", {"tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizerFast", "add_bos_token": True}}, {}
    yield "whole_with_bos", "words.json", {"tokenizer_config.json": GPT2 | {"add_bos_token": True, "add_eos_token": True}}, {"whole": True}
    yield "template_without_bos", "digits.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False}}, {"whole": True}
    yield "template_of_neox", "digits.json", {"tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizer", "add_prefix_space": True}}, {"whole": True}
    yield "whole_with_space", "words.json", {"tokenizer_config.json": GPT2 | {"add_prefix_space": True}}, {"whole": True}
    yield "extra_object", "words.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "other_token": "<other>",
                                                                   "extra_special_tokens": {"new_token": "<new>", "x": "<extra>"}}}, {"whole": True}
    hole = [{"id": 360} | token("<|endoftext|>", special=True), {"id": 400} | token("<new>"), {"id": 5} | token("<other>"), {"id": 361} | token("the")]
    yield "hole", "words.json", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}, {"whole": True, "more": {"added_tokens": hole}}
    yield "decoder_instead", "words.json", {"tokenizer_config.json": GPT2 | {"added_tokens_decoder": decoder}}, {"whole": True, "more": {"added_tokens": hole}}


def write(folder, source, files, options):
    """The folder as the tests make it too."""
    content = json.loads((FOLDER / source).read_text(encoding="utf-8"))
    if options.get("whole"):
        content |= options.get("more", {})
        if options.get("drop"):
            content["added_tokens"] = []
        files = files | {"tokenizer.json": content}
    else:
        added = {entry["content"]: entry["id"] for entry in content["added_tokens"]}
        files = files | {"vocab.json": content["model"]["vocab"] | added}
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in content["model"]["merges"]]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    if "config.json" not in files:  # AutoTokenizer wants one, and here it says nothing
        (folder / "config.json").write_text("{}")


def main():
    from transformers import AutoTokenizer
    made = []
    for name, source, files, options in entries():
        with tempfile.TemporaryDirectory() as scratch:
            write(Path(scratch), source, files, options)
            tokenizer = AutoTokenizer.from_pretrained(scratch)
        cases = []
        for text in TEXTS:
            ids = tokenizer(text).input_ids
            cases.append([text, ids, tokenizer.decode(ids, clean_up_tokenization_spaces=False)])
        gap = tokenizer.decode([len(tokenizer) + 7, 5], clean_up_tokenization_spaces=False)
        made.append({"name": name, "source": source, "files": files, **options, "size": len(tokenizer), "bos": tokenizer.bos_token_id,
                     "eos": tokenizer.eos_token_id, "cases": cases, "gap": gap})
        print(f"{name:22} {type(tokenizer).__name__:18} {len(tokenizer)} tokens, bos {tokenizer.bos_token_id}, {cases[3][1]}")
    lines = [json.dumps(entry, separators=(",", ":")) for entry in made]
    (FOLDER / "folders.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
