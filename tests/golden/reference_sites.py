"""Every TransformerLens site of a transformers model, taken from the published modules with forward hooks.

What no module hands out is formed from the values around it: hook_scale = sqrt(var + eps), hook_normalized = centred input / hook_scale, and the
scores (q k^T times the module's own scaling, capped and masked as it does); all are checked against the module's output (norm(x), softmax(scores) =
pattern). Queries, keys and values are taken before OLMo's clamp, as the bridge does. Shapes of q_norm and k_norm by head: [N,H,T,E], as TransformerLens' bridge gives them.
"""
import sys

import torch

residual = ("hook_embed", "hook_pos_embed", "hook_resid_pre", "hook_resid_mid", "hook_resid_post", "ln_final.hook_normalized", "ln_final.hook_out",
            "unembed.hook_out", "hook_logits")

# where the published modules are; "" is a part that the family does not have
LLAMA = dict(base="model", blocks="layers", embed="embed_tokens", positions="", final="norm", ln1="input_layernorm", ln1_post="",
             ln2="post_attention_layernorm", ln2_post="", attn="self_attn", q="q_proj", k="k_proj", v="v_proj", qkv="", o="o_proj", q_norm="", k_norm="",
             gate="mlp.gate_proj", mlp_in="mlp.up_proj", mlp_out="mlp.down_proj", mlp="mlp", head="lm_head")
GPT2 = dict(LLAMA, base="transformer", blocks="h", embed="wte", positions="wpe", final="ln_f", ln1="ln_1", ln2="ln_2", attn="attn", q="", k="", v="",
            o="c_proj", gate="", mlp_in="mlp.c_fc", mlp_out="mlp.c_proj")
MODULES = {
    "gpt2": GPT2,
    "gpt_neo": dict(GPT2, attn="attn.attention", q="q_proj", k="k_proj", v="v_proj", o="out_proj"),
    "gpt_neox": dict(LLAMA, base="gpt_neox", embed="embed_in", final="final_layer_norm", attn="attention", q="", k="", v="", qkv="query_key_value", o="dense",
                     gate="", mlp_in="mlp.dense_h_to_4h", mlp_out="mlp.dense_4h_to_h"),
    "llama": LLAMA, "mistral": LLAMA, "qwen2": LLAMA, "gemma": LLAMA, "olmo": LLAMA,
    "qwen3": dict(LLAMA, q_norm="q_norm", k_norm="k_norm"),
    "olmo2": dict(LLAMA, ln1="", ln1_post="post_attention_layernorm", ln2="", ln2_post="post_feedforward_layernorm", q_norm="q_norm", k_norm="k_norm"),
    "gemma2": dict(LLAMA, ln1_post="post_attention_layernorm", ln2="pre_feedforward_layernorm", ln2_post="post_feedforward_layernorm"),
    "phi": dict(LLAMA, final="final_layernorm", ln2="", o="dense", gate="", mlp_in="mlp.fc1", mlp_out="mlp.fc2", q_norm="q_layernorm", k_norm="k_layernorm"),
    "gemma3_text": dict(LLAMA, ln1_post="post_attention_layernorm", ln2="pre_feedforward_layernorm", ln2_post="post_feedforward_layernorm",
                        q_norm="q_norm", k_norm="k_norm"),
    "olmo3": dict(LLAMA, ln1="", ln1_post="post_attention_layernorm", ln2="", ln2_post="post_feedforward_layernorm", q_norm="q_norm", k_norm="k_norm"),
    "smollm3": LLAMA, "granite": LLAMA, "stablelm": dict(LLAMA, q_norm="q_layernorm", k_norm="k_layernorm"),
    "phi3": dict(LLAMA, q="", k="", v="", qkv="qkv_proj"),
    "opt": dict(LLAMA, base="model.decoder", positions="embed_positions", final="final_layer_norm", ln1="self_attn_layer_norm", ln2="final_layer_norm",
                o="out_proj", gate="", mlp_in="fc1", mlp_out="fc2", mlp="fc2"),
}


def finishes_logits(config):
    """Whether logits are others than what the unembedding makes."""
    return bool(getattr(config, "final_logit_softcapping", None)) or getattr(config, "logits_scaling", 1) != 1


def is_residual(site):
    return site.endswith(residual)


def part(module, name):
    """A module by its path, or None without one."""
    for step in name.split(".") if name else ():
        module = getattr(module, step, None)
    return module if name else None


def parallel(config):
    return config.model_type == "phi" or config.model_type in ("gpt_neox", "stablelm") and config.use_parallel_residual


def norm_parameters(module):
    """Epsilon, weight and bias of a norm: 1 and 0 where there are none, [H,1,E] where each head has its own."""
    own = getattr(module, "norms", None)
    if own is not None:
        return own[0].eps, torch.stack([n.weight for n in own])[:, None], 0
    eps = next((getattr(module, e) for e in ("variance_epsilon", "eps") if hasattr(module, e)), 1e-5)
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    return eps, 1 if weight is None else 1 + weight if "Gemma" in type(module).__name__ else weight, 0 if bias is None else bias


def rotates(config, layer):
    return config.model_type != "smollm3" or bool(config.no_rope_layers[layer])


def multiplier(config):
    """Of what attention and MLP add to the residual stream."""
    return getattr(config, "residual_multiplier", 1)


def sites(model, tokens):
    """[N,T] -> {site: tensor}; the logits before a cap are unembed.hook_out."""
    out, handles = {}, []
    config, names = model.config, MODULES[model.config.model_type]
    base = part(model, names["base"])
    modelling = sys.modules[type(model).__module__]
    heads = config.num_heads if config.model_type == "gpt_neo" else config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    clip = getattr(config, "clip_qkv", None)
    positions = (len(tokens), tokens.shape[1])

    def put(name, x, *shape):
        out[name] = x.reshape(*positions, *(shape or x.shape[-1:])).clone()

    def on(module, hook):
        def looking(m, args, result):                           # what a hook returns would replace the result
            hook(m, args, result)

        if module is not None:
            handles.append(module.register_forward_hook(looking))

    def tensor(x):
        return x[0] if isinstance(x, tuple) else x

    def after(module, name, *shape):
        on(module, lambda m, args, result: put(name, tensor(result), *shape))

    def added(module, name):
        on(module, lambda m, args, result: put(name, tensor(result) * multiplier(config)))

    def before(module, name, *shape):
        on(module, lambda m, args, result: put(name, args[0] if args else None, *shape))

    def norm(module, prefix, by_head=False):
        def hook(module, args, result):
            x, (eps, weight, bias) = args[0], norm_parameters(module)
            if "LayerNorm" in type(module).__name__:
                x = x - x.mean(-1, keepdim=True)
            scale = (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()
            affine = x / scale * weight + bias
            assert (affine - result).abs().max() <= 1e-13 * result.abs().max().clamp(min=1), prefix
            for name, y in (("hook_scale", scale), ("hook_normalized", x / scale), ("hook_out", result)):
                if by_head:                                     # [N,T,H,E] or [N,H,T,E]
                    out[prefix + name] = (y.transpose(1, 2) if y.shape[1] == positions[1] and y.shape[2] != positions[1] else y).clone()
                else:
                    put(prefix + name, y)
        on(module, hook)

    def split(name, a):
        """q, k and v of the one matrix that holds them."""
        def hook(module, args, result):
            if config.model_type == "gpt_neox":
                q, k, v = result.reshape(*positions, heads, 3 * head_dim).chunk(3, -1)
            else:
                q, k, v = result.split((heads * head_dim, kv_heads * head_dim, kv_heads * head_dim), -1)
            for n, x in (("q", q), ("k", k), ("v", v)):
                put(a + "hook_" + n, x, -1, head_dim)
        return hook

    def keep_scores(layer, scores, pattern):
        assert (scores.softmax(-1) - pattern).abs().max() < 1e-14, layer
        a = f"blocks.{layer}.attn."
        out[a + "hook_attn_scores"], out[a + "hook_pattern"] = scores.clone(), pattern.clone()

    def attention(module, query, key, value, mask, scaling=None, softcap=None, **rest):
        cap = {} if softcap is None else dict(softcap=softcap)
        result, pattern = published(module, query, key, value, mask, scaling=scaling, **cap, **rest)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        scores = query @ key.repeat_interleave(heads // key.shape[1], 1).transpose(2, 3) * scale
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        layer = module.layer_idx
        keep_scores(layer, scores.masked_fill(mask < -1e30 if mask.dtype != torch.bool else ~mask, float("-inf")), pattern)
        a = f"blocks.{layer}.attn."
        if config.model_type == "gpt2":
            for name, x in (("q", query), ("k", key), ("v", value)):
                out[a + "hook_" + name] = x.transpose(1, 2).clone()
        elif not names["positions"] and rotates(config, layer):
            out[a + "hook_rot_q"], out[a + "hook_rot_k"] = query.transpose(1, 2).clone(), key.transpose(1, 2).clone()
        return result, pattern

    def neo_attention(layer, window):
        def hook(module, args, result):
            a = f"blocks.{layer}.attn."
            scores = out[a + "hook_q"].transpose(1, 2) @ out[a + "hook_k"].permute(0, 2, 3, 1)
            place = torch.arange(positions[1])
            distance = place[:, None] - place[None]
            hidden = (distance < 0) | (distance >= window if window else False)
            keep_scores(layer, scores.masked_fill(hidden, float("-inf")), result[1])
        return hook

    for i, block in enumerate(getattr(base, names["blocks"])):
        b = f"blocks.{i}."
        attn, at = part(block, names["attn"]), lambda key: part(block, names[key])
        on(block, lambda m, args, result, b=b: (put(b + "hook_resid_pre", args[0]), put(b + "hook_resid_post", tensor(result))))
        norm(at("ln1"), b + "ln1.")
        for n in ("q", "k", "v"):
            after(part(attn, names[n]), b + "attn.hook_" + n, -1, head_dim)
        on(part(attn, names["qkv"]), split(names["qkv"], b + "attn."))
        for n in ("q_norm", "k_norm"):
            norm(part(attn, names[n]), f"{b}attn.{n}.", by_head=config.model_type not in ("olmo2", "olmo3"))
        before(part(attn, names["o"]), b + "attn.hook_z", heads, head_dim)
        if config.model_type == "gpt_neo":
            on(attn, neo_attention(i, config.window_size if config.attention_layers[i] == "local" else 0))
        norm(at("ln1_post"), b + "ln1_post.")
        added(at("ln1_post") or attn, b + "hook_attn_out")
        norm(at("ln2"), b + "ln2.")
        gated = at("gate") is not None
        if config.model_type == "phi3":
            def both(m, args, result, b=b):
                gate, up = result.chunk(2, -1)
                put(b + "mlp.hook_pre", gate), put(b + "mlp.hook_pre_linear", up)
            on(block.mlp.gate_up_proj, both)
        after(at("gate") if gated else at("mlp_in"), b + "mlp.hook_pre")
        if gated:
            after(at("mlp_in"), b + "mlp.hook_pre_linear")
        before(at("mlp_out"), b + "mlp.hook_post")
        norm(at("ln2_post"), b + "ln2_post.")
        added(at("ln2_post") or at("mlp"), b + "hook_mlp_out")
    on(part(base, names["embed"]), lambda m, args, result: put("hook_embed", result * getattr(config, "embedding_multiplier", 1)))
    if names["positions"]:
        on(part(base, names["positions"]), lambda m, args, result: out.update(hook_pos_embed=result.expand(*positions, -1).clone()))
    norm(part(base, names["final"]), "ln_final.")
    before(model.lm_head, "unembed.hook_in")
    after(model.lm_head, "unembed.hook_out")

    published = getattr(modelling, "eager_attention_forward", None)
    modelling.eager_attention_forward = attention
    try:
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits
    finally:
        if published is None:
            del modelling.eager_attention_forward
        else:
            modelling.eager_attention_forward = published
        for h in handles:
            h.remove()
    if finishes_logits(config):
        out["hook_logits"] = logits
    for i in range(config.num_hidden_layers):                   # the sites are the exact contributions to the residual stream
        b = f"blocks.{i}."
        pre, attn_out, mlp_out, post = (out[b + s] for s in ("hook_resid_pre", "hook_attn_out", "hook_mlp_out", "hook_resid_post"))
        if not parallel(config):
            out[b + "hook_resid_mid"] = pre + attn_out
        assert torch.allclose(pre + attn_out + mlp_out, post, rtol=0, atol=1e-13 * post.abs().max().item()), b
        shared = heads // kv_heads
        values = out[b + "attn.hook_v"] if clip is None else out[b + "attn.hook_v"].clamp(-clip, clip)
        assert torch.allclose((out[b + "attn.hook_pattern"] @ values.transpose(1, 2).repeat_interleave(shared, 1)).transpose(1, 2),
                              out[b + "attn.hook_z"], rtol=0, atol=1e-13), b
    return out


def curve(model, context, other, steps, write_layer, read_layer=None):
    """[T], [T'] -> d [S], ||F(A)||: distance of the read-out at the last token when the output of block `write_layer` at the last token of
    `context` is replaced by x(alpha); every point is a full forward of the prompt. Read after the final norm, or the output of block `read_layer`."""
    names = MODULES[model.config.model_type]
    base = part(model, names["base"])
    blocks = getattr(base, names["blocks"])
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
        read_module = getattr(base, names["final"]) if read_layer is None else blocks[read_layer]
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
