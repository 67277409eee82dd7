"""transformers in double precision throughout.

A transformers model of dtype float64 is not double: its RMSNorm, softmax and RoPE name float32 in their code and compute there. Inside
`everywhere(families)` the modelling modules see float64 under the names float32 and float, `Tensor.float()` widens to double, and new tensors
default to double; `verify()` raises on any operation that still gives a float tensor of less than double precision. Use both together, and build
the model inside as well: the inverse frequencies of RoPE are computed at construction.
"""
import contextlib
import importlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_shared = ("transformers.modeling_rope_utils", "transformers.activations", "transformers.masking_utils")


class _widened_torch:
    """The torch module, except that its single precision is double."""

    def __getattr__(self, name):
        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


@contextlib.contextmanager
def everywhere(*families):
    families = [f.removesuffix("_text") for f in families]
    names = [f"transformers.models.{f}.modeling_{f}" for f in families] + list(_shared)
    modules = [importlib.import_module(n) for n in names]
    modules = [m for m in modules if getattr(m, "torch", None) is torch]
    single, default = torch.Tensor.float, torch.get_default_dtype()
    try:
        for m in modules:
            m.torch = _widened_torch()
        torch.Tensor.float = torch.Tensor.double
        torch.set_default_dtype(torch.float64)
        yield
    finally:
        for m in modules:
            m.torch = torch
        torch.Tensor.float = single
        torch.set_default_dtype(default)


class verify(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(t, torch.Tensor) and t.is_floating_point() and t.dtype != torch.float64:
                raise RuntimeError(f"{func} computes in {t.dtype}")
        return out


def build(config, state):
    """A model of this configuration with these weights widened to double; call inside everywhere()."""
    from transformers import AutoModelForCausalLM

    config = type(config).from_dict(config.to_dict())
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float64).double().eval()    # born double: scales of embeddings too
    missing, unexpected = model.load_state_dict({k: v.double() for k, v in state.items()}, strict=False)
    if missing or unexpected:
        raise RuntimeError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    return model
