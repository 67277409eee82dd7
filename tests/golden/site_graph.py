"""A published model as a function from what one site holds to what others hold, with autograd through all of it.

    graph = SiteGraph(model)                                   inside true_double.everywhere(...) for double precision
    graph.run(tokens)                                          {site: tensor} of the last position, heads flattened
    graph.run(tokens, write="blocks.0.hook_resid_pre", x=x, positions=slice(-3, None), constant={"gate"})
    graph.run(tokens, changes={"blocks.1.hook_mlp_out": lambda y: 0 * y})        [T, heads width] of all positions

Sites as TransformerLens names them; tokens [T]; x [positions, width]. What no module hands out is formed from the values around it, as in
reference_sites, and put back into them: the divisor and the quotient of a norm, each head's own input and result. Parts in `constant`, or names
of sites, are detached where they are computed.
"""
import sys

import torch

import reference_sites

part = reference_sites.part


class SiteGraph:
    def __init__(self, model):
        self.model, self.config = model, model.config
        self.names = reference_sites.MODULES[model.config.model_type]
        self.base = part(model, self.names["base"])
        self.heads = model.config.num_heads if model.config.model_type == "gpt_neo" else model.config.num_attention_heads
        self.kv_heads = getattr(model.config, "num_key_value_heads", None) or self.heads
        self.head_dim = getattr(model.config, "head_dim", None) or model.config.hidden_size // self.heads
        self.parallel = reference_sites.parallel(model.config)

    def at(self, name, value, shape=None, parts=()):
        """The site's value [T, ...] as hooks leave it: detached where it is held, written where it is written, kept."""
        flat = value.reshape(len(self.tokens), -1)
        if name in self.constant or self.constant & set(parts):
            flat = flat.detach()
        if name == self.write:
            self.found = flat[self.positions]
            if self.x is not None:
                rows = torch.arange(len(self.tokens))[self.positions]
                flat = torch.index_put(flat, (rows,), self.x)
        if name in self.changes:
            flat = self.changes[name](flat)
        self.kept[name] = flat[-1]
        return flat.reshape(value.shape).clone()               # OLMo clamps in place

    def on(self, module, change):
        if module is not None:
            self.handles.append(module.register_forward_hook(lambda m, a, r: again(r, change(m, a, first(r)))))

    def before(self, module, change):
        if module is not None:
            self.handles.append(module.register_forward_pre_hook(lambda m, a: (change(a[0]), *a[1:]) if a else None))

    def norm(self, module, prefix, by_head=False):
        """A norm whose divisor and quotient are sites; by_head: [1,H,T,E] or [1,T,H,E]."""
        def change(m, args, result):
            x, (eps, weight, bias) = args[0], reference_sites.norm_parameters(m)
            if "LayerNorm" in type(m).__name__:
                x = x - x.mean(-1, keepdim=True)
            turn = by_head and x.dim() == 4 and x.shape[1] != len(self.tokens)
            site = (lambda n, y, parts=(): self.at(prefix + n, y.transpose(1, 2), parts=parts).transpose(1, 2)) if turn else \
                (lambda n, y, parts=(): self.at(prefix + n, y, parts=parts))
            scale = site("hook_scale", (x.pow(2).mean(-1, keepdim=True) + eps).sqrt(), ("norm_scale",))
            y = site("hook_normalized", x / scale) * weight + bias
            if self.x is None:
                assert (y - result).abs().max() <= self.tolerance * result.abs().max().clamp(min=1), prefix
            return site("hook_out", y)
        self.on(module, change)

    def attention_inputs(self, i, block, attn):
        """Each head's own input; then queries, keys and values."""
        b, names = f"blocks.{i}.", self.names
        norm = part(block, names["ln1"])
        one = names["qkv"] or ("c_attn" if self.config.model_type == "gpt2" else "")
        h, kv, e = self.heads, self.kv_heads, self.head_dim
        copies = {}

        def split(module, args, kwargs):
            """Copies of the block's input, behind the norm."""
            x = self.pre
            own = {}
            if h == kv:
                together = self.at(b + "hook_attn_in", x[0, :, None].expand(-1, h, -1))
                own = {n: together for n in "qkv"}
            for n, heads in (("q", h), ("k", kv), ("v", kv)):
                y = self.at(b + f"hook_{n}_input", own.get(n, x[0, :, None].expand(-1, heads, -1)))
                copies[n] = y if norm is None else norm.forward(y) if "norm_scale" not in self.constant else frozen_norm(norm, y)

        self.handles.append(attn.register_forward_pre_hook(split, with_kwargs=True))
        product = lambda m, y: m.forward(y)

        def separate(n, heads):
            def change(m, args, result):
                whole = product(m, copies[n])                                  # [T, heads, heads E]
                own = whole.reshape(len(self.tokens), heads, heads, e).diagonal(dim1=1, dim2=2).transpose(1, 2)
                y = self.at(b + "attn.hook_" + n, own if self.splits(b) else result[0].reshape(-1, heads, e))
                return y.reshape(result.shape)
            return change

        if not one:
            for n, heads in (("q", h), ("k", kv), ("v", kv)):
                self.on(part(attn, names[n]), separate(n, heads))
            return

        def pieces(y):
            """[..., all] -> q, k, v [..., heads, E]"""
            if self.config.model_type == "gpt_neox":
                return y.reshape(*y.shape[:-1], h, 3, e).unbind(-2)
            q, k, v = y.split((h * e, kv * e, kv * e), -1)
            return q.reshape(*y.shape[:-1], h, e), k.reshape(*y.shape[:-1], kv, e), v.reshape(*y.shape[:-1], kv, e)

        def change(m, args, result):
            found = list(pieces(result[0]))
            for j, n in enumerate("qkv"):
                if self.splits(b):
                    found[j] = pieces(product(m, copies[n]))[j].diagonal(dim1=1, dim2=2).transpose(1, 2)
                found[j] = self.at(b + "attn.hook_" + n, found[j])
            if self.config.model_type == "gpt_neox":
                return torch.stack(found, -2).reshape(result.shape)
            return torch.cat([y.reshape(len(self.tokens), -1) for y in found], -1).reshape(result.shape)
        self.on(part(attn, one), change)

    def splits(self, b):
        split = {b + n for n in ("hook_attn_in", "hook_q_input", "hook_k_input", "hook_v_input")}
        return self.split or self.write in split or bool(self.constant & split)

    def block(self, i, block):
        b, names = f"blocks.{i}.", self.names
        attn, at = part(block, names["attn"]), lambda key: part(block, names[key])

        def enter(x):
            self.pre = self.at(b + "hook_resid_pre", x)
            return self.pre

        self.before(block, enter)
        self.norm(at("ln1"), b + "ln1.")
        self.attention_inputs(i, block, attn)
        for n in ("q_norm", "k_norm"):
            self.norm(part(attn, names[n]), f"{b}attn.{n}.", by_head=self.config.model_type not in ("olmo2", "olmo3"))
        o = part(attn, names["o"])
        self.before(o, lambda z: self.at(b + "attn.hook_z", z))

        def results(m, args, out):
            """Each head's part of the output."""
            name = b + "attn.hook_result"
            z, weight = args[0][0], m.weight if type(m).__name__ == "Conv1D" else m.weight.T                # [H E, D]
            own = torch.einsum("the,hed->thd", z.reshape(len(z), self.heads, -1), weight.reshape(self.heads, -1, weight.shape[1]))
            own = self.at(name, own)
            return (own.sum(1) + (0 if m.bias is None else m.bias))[None] if name == self.write or name in self.constant else out
        self.on(o, results)
        self.norm(at("ln1_post"), b + "ln1_post.")

        times = reference_sites.multiplier(self.config)        # of what is added: the module's own output is divided by it again

        def attention_out(m, args, out):
            out = self.at(b + "hook_attn_out", out * times, parts=("attn_out",))
            if self.parallel:
                return out / times
            mid = self.at(b + "hook_resid_mid", self.pre + out)
            return (mid - self.pre if b + "hook_resid_mid" in (self.write, *self.constant, *self.changes) else out) / times
        self.on(at("ln1_post") or attn, attention_out)
        separate = not self.parallel or at("ln2") is not None
        if separate:
            read = at("ln2") or at("mlp")
            self.before(read, lambda x: self.at(b + "hook_mlp_in", x))
        self.norm(at("ln2"), b + "ln2.")
        gated = at("gate") is not None or self.config.model_type == "phi3"
        act = next(m for n, m in block.named_modules() if n.split(".")[-1] in ("act", "act_fn", "activation_fn"))
        if self.config.model_type == "phi3":
            def both(m, args, result):
                gate, up = result.chunk(2, -1)
                return torch.cat((self.at(b + "mlp.hook_pre", gate), self.at(b + "mlp.hook_pre_linear", up)), -1)
            self.on(block.mlp.gate_up_proj, both)
        else:
            self.on(at("gate") if gated else at("mlp_in"), lambda m, a, r: self.at(b + "mlp.hook_pre", r))
            if gated:
                self.on(at("mlp_in"), lambda m, a, r: self.at(b + "mlp.hook_pre_linear", r))
        if "gate" in self.constant:
            self.on(act, lambda m, a, r: r.detach() if gated else a[0] * (r / a[0]).detach())
        self.before(at("mlp_out"), lambda x: self.at(b + "mlp.hook_post", x))
        self.norm(at("ln2_post"), b + "ln2_post.")
        self.on(at("ln2_post") or at("mlp"), lambda m, a, r: self.at(b + "hook_mlp_out", r * times, parts=("mlp_out",)) / times)
        self.on(block, lambda m, a, r: self.at(b + "hook_resid_post", r))

    def attention(self, published):
        def change(module, query, key, value, mask, **rest):
            a = f"blocks.{module.layer_idx}.attn."
            if not self.names["positions"] and reference_sites.rotates(self.config, module.layer_idx):
                query = self.at(a + "hook_rot_q", query.transpose(1, 2)).transpose(1, 2)
                key = self.at(a + "hook_rot_k", key.transpose(1, 2)).transpose(1, 2)
            return published(module, query, key, value, mask, **rest)
        return change

    def run(self, tokens, write=None, x=None, positions=slice(-1, None), constant=(), split=False, changes={}):
        self.changes = changes
        self.tokens, self.write, self.x, self.positions, self.constant, self.split = tokens, write, x, positions, set(constant), split
        self.kept, self.handles, self.found = {}, [], None
        self.tolerance = 1e-12 if next(self.model.parameters()).dtype == torch.float64 else 1e-4
        names, base = self.names, self.base
        s = getattr(self.config, "embedding_multiplier", 1)
        self.on(part(base, names["embed"]), lambda m, a, r: self.at("hook_embed", r * s) / s)
        if names["positions"]:
            self.on(part(base, names["positions"]), lambda m, a, r: self.at("hook_pos_embed", r.expand(1, len(tokens), -1)))
        for i, block in enumerate(getattr(base, names["blocks"])):
            self.block(i, block)
        self.norm(part(base, names["final"]), "ln_final.")
        self.before(self.model.lm_head, lambda x: self.at("unembed.hook_in", x))
        self.on(self.model.lm_head, lambda m, a, r: self.at("unembed.hook_out", r))
        modelling = sys.modules[type(self.model).__module__]
        published, softmax = getattr(modelling, "eager_attention_forward", None), torch.nn.functional.softmax
        if published is not None:
            modelling.eager_attention_forward = self.attention(published)
        if "pattern" in self.constant:
            torch.nn.functional.softmax = lambda *a, **k: softmax(*a, **k).detach()
        try:
            logits = self.model(input_ids=tokens[None], use_cache=False).logits
        finally:
            if published is not None:
                modelling.eager_attention_forward = published
            torch.nn.functional.softmax = softmax
            for h in self.handles:
                h.remove()
        if reference_sites.finishes_logits(self.config):
            self.at("hook_logits", logits)
        return self.kept


def first(x):
    return x[0] if isinstance(x, tuple) else x


def again(result, x):
    return (x, *result[1:]) if isinstance(result, tuple) else x


def frozen_norm(m, x):
    eps, weight, bias = reference_sites.norm_parameters(m)
    if "LayerNorm" in type(m).__name__:
        x = x - x.mean(-1, keepdim=True)
    scale = (x.pow(2).mean(-1, keepdim=True) + eps).sqrt().detach()
    return x / scale * weight + bias
