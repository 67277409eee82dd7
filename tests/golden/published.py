"""The published implementation of a model: a Hugging Face folder or a GGUF file, loaded by transformers in fp32, and the published way to patch it."""
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


def blocks_of(model):
    """The transformer blocks of a model without its head."""
    return next(module for name, module in model.named_children() if name in ("layers", "h"))


def read_outs(model, prompt, points=None, block=0):
    """Runs a whole prompt [T] for every point [M, D], which replaces the output of a block at the last position, in one batch.

    Returns the last position after every block and after the final norm, [L + 1, M, D]; of the clean run, [L + 1, 1, D], without points.
    """
    read, handles, blocks = [], [], blocks_of(model)
    value = lambda output: output[0] if isinstance(output, tuple) else output  # older versions wrap it

    def replace(module, inputs, output):
        h = value(output).clone()
        h[:, -1] = points
        return (h, *output[1:]) if isinstance(output, tuple) else h

    if points is not None:
        handles.append(blocks[block].register_forward_hook(replace))
    for one in blocks:
        handles.append(one.register_forward_hook(lambda module, inputs, output: read.append(value(output)[:, -1].clone())))
    batch = prompt[None].expand(1 if points is None else len(points), -1)
    read.append(model(input_ids=batch, use_cache=False).last_hidden_state[:, -1])
    for handle in handles:
        handle.remove()
    return torch.stack(read)
