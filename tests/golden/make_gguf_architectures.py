"""Makes golden/gguf/architectures: tiny files of every architecture, made by llama.cpp's converter from models that transformers saved.

    python make_gguf_architectures.py LLAMA_CPP        (gguf_convert.py says where it is from; made with llama-cpp-python 0.3.36)

golden/gguf/architectures/
    NAME.gguf             of golden/models/NAME, and of the folders beside it; llama_linear_rope: q, k and v in one tensor (--fuse-qkv)
    NAME/                 models whose options a GGUF file carries, where those of golden/models have others: config.json, model.safetensors, tokens.npy,
                          expected/SITE.npy as there
"""
import os
import shutil
import sys
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"                                # before transformers and gguf

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import check_gguf_architectures
import family_models as f
import gguf_convert
from reference_sites import is_residual

HERE = Path(__file__).parent
FOLDER = HERE / "gguf" / "architectures"
PUBLISHED = ("llama_bias_headdim", "llama3_rope", "llama_linear_rope", "qwen2", "qwen3", "gpt2", "gpt_neox", "phi3", "gemma", "olmo_clip", "olmo2",
             "olmo3", "llama_yarn_rope", "phi3_longrope")
OWN = {
    "phi2": f.phi(hidden_size=16, intermediate_size=40, num_attention_heads=2, num_key_value_heads=1, num_hidden_layers=1, **f.rope(partial_rotary_factor=0.75)),
    "gemma2": f.gemma2(hidden_size=16, intermediate_size=20, query_pre_attn_scalar=8),
    "gemma3": f.gemma3(hidden_size=16, intermediate_size=20, query_pre_attn_scalar=8, num_hidden_layers=6,
                       rope_parameters=dict(full_attention=dict(rope_type="linear", rope_theta=2e4, factor=4.0),
                                            sliding_attention=dict(rope_type="default", rope_theta=300.0))),
    "smollm3": f.smollm3(hidden_size=16, intermediate_size=20, num_hidden_layers=4, no_rope_layers=None, **f.rope(theta=2000.0)),
}


def main(llama_cpp):
    gguf_convert.use(llama_cpp)
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, config in OWN.items():
        folder = FOLDER / name
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        f.randomise(model, 22)
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        (folder / "model.safetensors").chmod(0o644)
        tokens = torch.randint(0, f.VOCAB, (2, 9), generator=torch.Generator().manual_seed(22))
        np.save(folder / "tokens.npy", tokens.numpy())
        (folder / "expected").mkdir()
        for site, values in check_gguf_architectures.expected_sites(model, tokens).items():
            if is_residual(site):
                np.save(folder / "expected" / f"{site}.npy", values)
    for name in PUBLISHED + tuple(OWN):
        folder = FOLDER / name if name in OWN else HERE / "models" / name
        gguf_convert.convert(folder, FOLDER / f"{name}.gguf", fuse_qkv=name == "llama_linear_rope")


if __name__ == "__main__":
    main(sys.argv[1])
