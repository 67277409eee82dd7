"""Converts folders of transformers to GGUF with llama.cpp's own converter (its folder conversion/, from the source package of llama-cpp-python).

    pip install scikit-build-core; pip download --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python
    (vendor/llama.cpp of the unpacked archive is the folder that `use` wants)
"""
import json
import logging
import sys
from pathlib import Path


def use(llama_cpp):
    """Makes `conversion` and its own gguf importable. Call before anything imports gguf."""
    sys.path[:0] = [str(llama_cpp), str(Path(llama_cpp) / "gguf-py")]
    logging.disable(logging.WARNING)


def convert(folder, out, vocabulary=False, **options):
    """A GGUF file in F32 of the model in `folder`. Without a vocabulary unless asked for one: random tiny folders have none."""
    import gguf
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

    folder, out = Path(folder), Path(out)
    hparams = ModelBase.load_hparams(folder, False)
    # keys of published files that transformers 5 no longer writes
    if hparams["model_type"] == "gpt2":
        hparams.setdefault("n_ctx", hparams["n_positions"])
    if hparams["model_type"] == "gpt_neox":
        hparams.setdefault("rotary_pct", hparams["rope_parameters"]["partial_rotary_factor"])
    # the converter of Gemma-3 counts the tokens of tokenizer.json, and cuts the embedding there
    counted = folder / "tokenizer.json"
    made = hparams["model_type"] == "gemma3_text" and not counted.exists()
    if made:
        counted.write_text(json.dumps({"model": {"vocab": {str(i): i for i in range(hparams["vocab_size"])}}, "added_tokens": []}))
    kind = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
    if not vocabulary:
        kind = type(kind.__name__, (kind,), {"set_vocab": kind._set_vocab_none, "model_arch": kind.model_arch})
    instance = kind(folder, gguf.LlamaFileType.ALL_F32, out, eager=True, hparams=hparams, **options)
    instance.write()
    if made:
        counted.unlink()
    return out
