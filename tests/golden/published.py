"""The published implementation of a model: a Hugging Face folder or a GGUF file, loaded by transformers in fp32."""
import os

import torch
from transformers import AutoModelForCausalLM


def load(path):
    if os.path.isdir(path):
        source = dict(pretrained_model_name_or_path=path)
    else:
        folder, file = os.path.split(os.path.abspath(path))
        source = dict(pretrained_model_name_or_path=folder, gguf_file=file)
    return AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32).eval()
