"""Every TransformerLens site of a transformers Llama, Qwen2 or GPT-2 model, taken from the published modules with forward hooks.

What no module hands out is formed from the two values around it: hook_scale = sqrt(var + eps), hook_normalized = centred input / hook_scale, and
the scores (q k^T times the module's own scaling); both are checked against the module's output (norm(x), softmax(scores) = pattern).
"""
import sys

import torch

residual = ("hook_embed", "hook_pos_embed", "hook_resid_pre", "hook_resid_mid", "hook_resid_post", "ln_final.hook_normalized", "ln_final.hook_out", "unembed.hook_out")


def is_residual(site):
    return site.endswith(residual)


def sites(model, tokens):
    """[N,T] -> {site: tensor}; the logits are unembed.hook_out."""
    out, handles = {}, []
    gpt2 = model.config.model_type == "gpt2"
    base = model.transformer if gpt2 else model.model
    modelling = sys.modules[type(model).__module__]

    def keep(name, take=lambda args, result: result, shape=None):
        def hook(module, args, result):
            value = take(args, result)
            value = value[0] if isinstance(value, tuple) else value
            out[name] = (value if shape is None else value.reshape(*value.shape[:-1], *shape)).clone()
        return hook

    def first(args, result):
        return args[0]

    def on(module, *hooks):
        for h in hooks:
            handles.append(module.register_forward_hook(h))

    def norm(prefix):
        def hook(module, args, result):
            x = args[0]
            if isinstance(module, torch.nn.LayerNorm):
                x, eps = x - x.mean(-1, keepdim=True), module.eps
            else:
                eps = module.variance_epsilon
            scale = (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()
            affine = x / scale * module.weight + (module.bias if getattr(module, "bias", None) is not None else 0)
            assert (affine - result).abs().max() <= 1e-13 * result.abs().max().clamp(min=1), prefix
            out[prefix + "hook_scale"], out[prefix + "hook_normalized"], out[prefix + "hook_out"] = scale, x / scale, result.clone()
        return hook

    def attention(module, query, key, value, mask, scaling=None, **rest):
        result, pattern = published(module, query, key, value, mask, scaling=scaling, **rest)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        shared = query.shape[1] // key.shape[1]
        scores = query @ key.repeat_interleave(shared, 1).transpose(2, 3) * scale
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, float("-inf"))
        assert (scores.softmax(-1) - pattern).abs().max() < 1e-14, module.layer_idx
        a = f"blocks.{module.layer_idx}.attn."
        out[a + "hook_attn_scores"], out[a + "hook_pattern"] = scores, pattern.clone()
        if gpt2:
            for name, x in (("q", query), ("k", key), ("v", value)):
                out[a + "hook_" + name] = x.transpose(1, 2).clone()
        else:
            out[a + "hook_rot_q"], out[a + "hook_rot_k"] = query.transpose(1, 2).clone(), key.transpose(1, 2).clone()
        return result, pattern

    def pre(name):
        return keep(name, first)

    for i, block in enumerate(base.h if gpt2 else base.layers):
        b = f"blocks.{i}."
        on(block, pre(b + "hook_resid_pre"), keep(b + "hook_resid_post"))
        if gpt2:
            on(block.ln_1, norm(b + "ln1."))
            on(block.attn, keep(b + "hook_attn_out"))
            on(block.attn.c_proj, keep(b + "attn.hook_z", first, (block.attn.num_heads, block.attn.head_dim)))
            on(block.ln_2, pre(b + "hook_resid_mid"), norm(b + "ln2."))
            on(block.mlp.c_fc, keep(b + "mlp.hook_pre"))
            on(block.mlp.c_proj, pre(b + "mlp.hook_post"))
            on(block.mlp, keep(b + "hook_mlp_out"))
        else:
            attn, head = block.self_attn, (-1, block.self_attn.head_dim)
            on(block.input_layernorm, norm(b + "ln1."))
            on(attn.q_proj, keep(b + "attn.hook_q", shape=head))
            on(attn.k_proj, keep(b + "attn.hook_k", shape=head))
            on(attn.v_proj, keep(b + "attn.hook_v", shape=head))
            on(attn.o_proj, keep(b + "attn.hook_z", first, head))
            on(attn, keep(b + "hook_attn_out"))
            on(block.post_attention_layernorm, pre(b + "hook_resid_mid"), norm(b + "ln2."))
            on(block.mlp.gate_proj, keep(b + "mlp.hook_pre"))
            on(block.mlp.up_proj, keep(b + "mlp.hook_pre_linear"))
            on(block.mlp.down_proj, pre(b + "mlp.hook_post"))
            on(block.mlp, keep(b + "hook_mlp_out"))
    if gpt2:
        on(base.wte, keep("hook_embed"))
        on(base.wpe, keep("hook_pos_embed"))
        on(base.ln_f, norm("ln_final."))
    else:
        on(base.embed_tokens, keep("hook_embed"))
        on(base.norm, norm("ln_final."))
    on(model.lm_head, pre("unembed.hook_in"), keep("unembed.hook_out"))

    published = modelling.eager_attention_forward
    modelling.eager_attention_forward = attention
    try:
        with torch.no_grad():
            model(input_ids=tokens, use_cache=False)
    finally:
        modelling.eager_attention_forward = published
        for h in handles:
            h.remove()
    if gpt2:                                                    # one row of positions for all prompts
        out["hook_pos_embed"] = out["hook_pos_embed"].expand_as(out["hook_embed"]).clone()
    for i in range(model.config.num_hidden_layers):             # the sites are the exact contributions to the residual stream
        b = f"blocks.{i}."
        assert torch.equal(out[b + "hook_resid_pre"] + out[b + "hook_attn_out"], out[b + "hook_resid_mid"])
        assert torch.equal(out[b + "hook_resid_mid"] + out[b + "hook_mlp_out"], out[b + "hook_resid_post"])
        assert torch.allclose((out[b + "attn.hook_pattern"] @ out[b + "attn.hook_v"].transpose(1, 2).repeat_interleave(
            out[b + "attn.hook_pattern"].shape[1] // out[b + "attn.hook_v"].shape[2], 1)).transpose(1, 2), out[b + "attn.hook_z"], rtol=0, atol=1e-13)
    return out


def curve(model, context, other, steps, write_layer, read_layer=None):
    """[T], [T'] -> d [S], ||F(A)||: distance of the read-out at the last token when the output of block `write_layer` at the last token of
    `context` is replaced by x(alpha); every point is a full forward of the prompt. Read after the final norm, or the output of block `read_layer`."""
    gpt2 = model.config.model_type == "gpt2"
    base = model.transformer if gpt2 else model.model
    blocks = base.h if gpt2 else base.layers
    tensor = lambda o: o[0] if isinstance(o, tuple) else o

    def run(tokens, patch=None):
        kept = {}

        def hook(module, args, result):
            h = tensor(result)
            if patch is not None:
                h = h.clone()
                h[:, -1] = patch
                result = (h, *result[1:]) if isinstance(result, tuple) else h
            kept["written"] = h[0, -1].clone()
            return result

        handles = [blocks[write_layer].register_forward_hook(hook)]
        read_module = (base.ln_f if gpt2 else base.norm) if read_layer is None else blocks[read_layer]
        handles.append(read_module.register_forward_hook(lambda m, a, r: kept.update(read=tensor(r)[0, -1].clone())))
        with torch.no_grad():
            model(input_ids=tokens[None], use_cache=False)
        for h in handles:
            h.remove()
        return kept

    a, b = run(context), run(other)["written"]
    reads = []
    for i in range(steps):
        alpha = i / (steps - 1)
        reads.append(run(context, (1 - alpha) * a["written"] + alpha * b)["read"])
    reads = torch.stack(reads)
    assert torch.equal(reads[0], a["read"])                     # patching with a run's own activation is the identity
    return (reads - reads[0]).norm(dim=1), reads[0].norm()
