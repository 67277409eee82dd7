#!/usr/bin/env python3
"""Derivatives of the models in a folder, by transformers in double precision: MODEL/derivatives.npz.

    python3 make_derivatives.py [FOLDER [MODEL ...]]                 (default: all of models/ here)

The context is the first prompt of tokens.npy, the other the second. x = 0.7 A + 0.3 B replaces the output of block 0 at the last position; J =
d(final norm's output at the last position)/dx, whole, by reverse mode. Arrays: u [2,D], v [2,W]; for each frozen SET jvp.SET [2,W] = J u and vjp.SET
[2,D] = J^T v; logits.jvp [2,V]. A set's parts are detached where they are computed: attn_out and mlp_out (behind norms after the part), pattern (the
softmax), gate (act(z) of a gated MLP, act(z)/z of another), norm_scale (the divisor of every norm). Gradients df/dx [D], reference = the run of A:
gradient.logit and gradient.log_probability of token 5, gradient.kl_from_reference, gradient.kl_to_reference, gradient.distance (of the norm's output).
Interventions at all positions, w [D] given: changed.NAME.jvp [2,W] and changed.NAME.vjp [2,D] for zero (block 1's MLP output), add (w to block 1's
output), scale (0.3 times its attention output), project (w out of its output), set (its input to w), head (head 1 of its z to zero).
"""
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig

import reference_sites
import site_graph
import true_double
from make_models import load_state

SETS = ("none", "attn_out", "pattern", "mlp_out", "gate", "norm_scale", "pattern+gate+norm_scale", "attn_out+gate")
tensor = lambda x: x[0] if isinstance(x, tuple) else x
again = lambda result, x: (x, *result[1:]) if isinstance(result, tuple) else x


def unmoved_scale(module, args, result):
    x, (eps, weight, bias) = args[0], reference_sites.norm_parameters(module)
    if "LayerNorm" in type(module).__name__:
        x = x - x.mean(-1, keepdim=True)
    scale = (x.pow(2).mean(-1, keepdim=True) + eps).sqrt().detach()
    y = x / scale * weight + bias
    assert (y - result).abs().max() <= 1e-12 * result.abs().max().clamp(min=1)
    return y


def frozen(model, parts):
    """Handles of the hooks that detach; the softmax is the caller's."""
    names, handles = reference_sites.MODULES[model.config.model_type], []
    part = reference_sites.part
    base = part(model, names["base"])
    for block in getattr(base, names["blocks"]):
        attn = part(block, names["attn"])
        if "attn_out" in parts:
            handles.append((part(block, names["ln1_post"]) or attn).register_forward_hook(lambda m, a, r: again(r, tensor(r).detach())))
        if "mlp_out" in parts:
            handles.append((part(block, names["ln2_post"]) or part(block, names["mlp"])).register_forward_hook(lambda m, a, r: tensor(r).detach()))
        if "gate" in parts:
            gated = names["gate"] != "" and part(block, names["gate"]) is not None or model.config.model_type == "phi3"
            act = next(m for n, m in block.named_modules() if n.split(".")[-1] in ("act", "act_fn", "activation_fn"))
            handles.append(act.register_forward_hook(lambda m, a, r: r.detach() if gated else a[0] * (r / a[0]).detach()))
        if "norm_scale" in parts:
            for n in ("ln1", "ln1_post", "ln2", "ln2_post"):
                if part(block, names[n]) is not None:
                    handles.append(part(block, names[n]).register_forward_hook(unmoved_scale))
            for n in ("q_norm", "k_norm"):
                if part(attn, names[n]) is not None:
                    handles.append(part(attn, names[n]).register_forward_hook(unmoved_scale))
    final = part(base, names["final"])
    if "norm_scale" in parts and final is not None:
        handles.append(final.register_forward_hook(unmoved_scale))
    return handles


def run(model, tokens, point=None, parts=()):
    """What the write site holds, the final norm's output and the logits, at the last position."""
    names, kept = reference_sites.MODULES[model.config.model_type], {}
    base = reference_sites.part(model, names["base"])

    def write(module, args, result):
        h = tensor(result)
        if point is not None:
            h = torch.cat((h[:, :-1], point[None, None]), 1)
        kept["x"] = h[0, -1]
        return again(result, h)

    handles = [getattr(base, names["blocks"])[0].register_forward_hook(write)] + frozen(model, parts)
    handles.append(model.lm_head.register_forward_pre_hook(lambda m, a: kept.update(read=a[0][0, -1])))
    softmax = torch.nn.functional.softmax
    if "pattern" in parts:
        torch.nn.functional.softmax = lambda *a, **k: softmax(*a, **k).detach()
    try:
        kept["logits"] = model(input_ids=tokens[None], use_cache=False).logits[0, -1]
    finally:
        torch.nn.functional.softmax = softmax
        for h in handles:
            h.remove()
    return kept


def changed(model, tokens, x, out, generator):
    """Derivatives under the library's interventions."""
    graph, w = site_graph.SiteGraph(model), torch.randn(len(x), generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    width, b = graph.head_dim, "blocks.1."
    keep = torch.ones(graph.heads * width, dtype=torch.float64)
    keep[width:2 * width] = 0
    changes = dict(zero=("hook_mlp_out", lambda y: 0 * y), add=("hook_resid_post", lambda y: y + w), scale=("hook_attn_out", lambda y: 0.3 * y),
                   project=("hook_resid_post", lambda y: y - (y @ w)[:, None] * w / (w @ w)), set=("hook_resid_pre", lambda y: w.expand_as(y)),
                   head=("attn.hook_z", lambda y: y * keep))
    out["w"] = w
    for name, (site, change) in changes.items():
        read = lambda point: graph.run(tokens, "blocks.0.hook_resid_post", point[None], changes={b + site: change})["unembed.hook_in"]
        jacobian = torch.autograd.functional.jacobian(read, x)
        out[f"changed.{name}.jvp"], out[f"changed.{name}.vjp"] = out["u"] @ jacobian.T, out["v"] @ jacobian


def make(folder, seed):
    config = AutoConfig.from_pretrained(folder)
    tokens = torch.from_numpy(np.load(folder / "tokens.npy"))
    g = torch.Generator().manual_seed(seed)
    with true_double.everywhere(config.model_type):
        from transformers import AutoModelForCausalLM
        config._attn_implementation = "eager"
        empty = AutoModelForCausalLM.from_config(config, dtype=torch.float64)
        model = true_double.build(config, load_state(folder, empty))
        with torch.no_grad():
            start, other = run(model, tokens[0]), run(model, tokens[1])
        a, b = start["x"], other["x"]
        x = 0.7 * a + 0.3 * b
        out = {"u": torch.randn(2, len(x), generator=g, dtype=torch.float64)}
        value = None
        for name in SETS:
            point = x.clone().requires_grad_()
            kept = run(model, tokens[0], point, name.split("+"))
            if value is None:
                value = kept["read"].detach()
                out["v"] = torch.randn(2, len(value), generator=g, dtype=torch.float64)
            assert (kept["read"].detach() - value).abs().max() <= 1e-12 * value.abs().max(), name
            rows = lambda y: torch.stack([torch.autograd.grad(one, point, retain_graph=True)[0] for one in y])
            jacobian = rows(kept["read"])
            out["jvp." + name], out["vjp." + name] = out["u"] @ jacobian.T, out["v"] @ jacobian
            if name == "none":
                changed(model, tokens[0], x, out, g)
                logits, before = kept["logits"].log_softmax(-1), start["logits"].log_softmax(-1)
                functions = dict(logit=kept["logits"][5], log_probability=logits[5], kl_from_reference=(before.exp() * (before - logits)).sum(),
                                 kl_to_reference=(logits.exp() * (logits - before)).sum(), distance=(kept["read"] - start["read"]).norm())
                out |= {"gradient." + n: torch.autograd.grad(f, point, retain_graph=True)[0] for n, f in functions.items()}
                out["logits.jvp"] = out["u"] @ rows(kept["logits"]).T
        np.savez(folder / "derivatives.npz", **{k: t.detach().numpy() for k, t in out.items()})
        print(folder.name, {n: round((out["jvp." + n].norm() / out["jvp.none"].norm()).item(), 3) for n in SETS})


if __name__ == "__main__":
    torch.set_num_threads(1)
    models = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "models"
    for k, folder in enumerate(sorted(f for f in models.iterdir() if not sys.argv[2:] or f.name in sys.argv[2:])):
        make(folder, 100 + k)
