"""Patched rows with a shared prefix in PyTorch: the mathematics of plateau's engine, written by hand on the weights of a `transformers` model.

Used by peer.py. The read-out of a row depends on its own residual stream and on the keys and values of the prompt before it, so
the prompt runs once and its rows run as one matrix. What makes this fast:

  - prefixes of many prompts are one batch; after block 0 only the T-1 positions before the patch run on, and the last layer
    computes nothing but their keys and values;
  - rows of many pairs are one batch in every layer but for the attention;
  - queries, keys and values are one product, gate and up another; the scale of the attention is part of the query's weights;
  - positions of RoPE are counted from the patched one, so that the rows, all at position 0, need no rotation.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def _linear(weights, biases):
    """One nn.Linear of several, stacked along the outputs."""
    weight = torch.cat([w.detach() for w in weights])
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=biases[0] is not None)
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if biases[0] is not None:
        layer.bias = nn.Parameter(torch.cat([b.detach() for b in biases]), requires_grad=False)
    return layer


def _turn(x, cos, sin):
    """RoPE of x [N,T,heads,E] by cos and sin [T,1,E]."""
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-high, low), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self, norm_1, qkv, out, norm_2, up, down, *, heads, kv_heads, width, gated):
        super().__init__()
        self.norm_1, self.qkv, self.out, self.norm_2, self.up, self.down = norm_1, qkv, out, norm_2, up, down
        self.heads, self.kv_heads, self.width, self.gated = heads, kv_heads, width, gated

    def heads_of(self, x):
        """Queries, keys and values of x [..., D], each [..., heads, E]; queries are scaled."""
        y = self.qkv(self.norm_1(x))
        return y.view(*y.shape[:-1], -1, self.width).split((self.heads, self.kv_heads, self.kv_heads), dim=-2)

    def finish(self, x, z):
        """The rest of the block: attention's output z [..., H*E] and the MLP."""
        x = x + self.out(z)
        y = self.up(self.norm_2(x))
        if self.gated:
            gate, y = y.chunk(2, dim=-1)
            y = F.silu(gate) * y if torch.is_grad_enabled() else F.silu(gate).mul_(y)
        else:
            y = F.gelu(y, approximate="tanh")
        return x + self.down(y)

    def prefix(self, x, rotation, only_keys=False):
        """x [N,T,D]: the block's output (None if only_keys), and keys and values [N,KV,T,E]."""
        q, k, v = self.heads_of(x)
        if rotation is not None:
            k = _turn(k, *rotation)
        k, v = k.transpose(1, 2), v.transpose(1, 2)
        if only_keys:
            return None, k, v
        if rotation is not None:
            q = _turn(q, *rotation)
        z = F.scaled_dot_product_attention(q.transpose(1, 2), k, v, is_causal=True, scale=1.0, enable_gqa=self.heads != self.kv_heads)
        return self.finish(x, z.transpose(1, 2).flatten(2)), k, v

    def rows(self, x, keys, values, mask):
        """x [P,S,D]: S rows of each of P pairs; keys, values [P,KV,T-1,E] of what stands before them.

        With a mask [S, T-1+S], the rows of a pair are one call of SDPA in which each sees the prefix and itself; without one the
        attention is spelt out, and no product of a row with another row is formed.
        """
        P, S, _ = x.shape
        q, k, v = self.heads_of(x)
        if mask is not None:
            keys, values = torch.cat((keys, k.transpose(1, 2)), dim=2), torch.cat((values, v.transpose(1, 2)), dim=2)
            z = F.scaled_dot_product_attention(q.transpose(1, 2), keys, values, attn_mask=mask, scale=1.0, enable_gqa=self.heads != self.kv_heads)
            return self.finish(x, z.transpose(1, 2).reshape(P, S, -1))
        group = self.heads // self.kv_heads
        q = q.reshape(P, S, self.kv_heads, group, self.width).transpose(1, 2)  # [P,KV,S,G,E]
        k, v = k.transpose(1, 2).unsqueeze(3), v.transpose(1, 2).unsqueeze(3)  # [P,KV,S,1,E]
        before = (q.flatten(2, 3) @ keys.mT).view(P, self.kv_heads, S, group, -1)
        pattern = torch.cat((before, (q * k).sum(-1, keepdim=True)), dim=-1).softmax(dim=-1)
        z = (pattern[..., :-1].flatten(2, 3) @ values).view_as(q) + pattern[..., -1:] * v
        return self.finish(x, z.transpose(1, 2).reshape(P, S, -1))


class SharedPrefix(nn.Module):
    """`prefix` runs prompts, `rows` runs patched rows; both may be compiled."""

    def __init__(self, layers, norm, embedding, *, positions=None, frequencies=None, rotary_scale=1.0, attention="sdpa"):
        super().__init__()
        self.layers, self.norm, self.embedding, self.positions = nn.ModuleList(layers), norm, embedding, positions
        self.frequencies, self.rotary_scale, self.attention = frequencies, rotary_scale, attention

    def _rotation(self, T, dtype):
        if self.frequencies is None:
            return None
        angle = torch.arange(1 - T, 1, dtype=torch.float32)[:, None] * self.frequencies.float()  # the patched position is 0
        angle = torch.cat((angle, angle), dim=-1)[:, None]
        return (angle.cos() * self.rotary_scale).to(dtype), (angle.sin() * self.rotary_scale).to(dtype)

    def prefix(self, tokens):
        """tokens [P+1,T], a chain of prompts: the residual stream after block 0 at the last position [P+1,D], and for each later
        layer the keys and values [P,KV,T-1,E] of the first P prompts."""
        x = self.embedding(tokens)
        if self.positions is not None:
            x = x + self.positions.weight[: tokens.shape[1]]
        rotation = self._rotation(tokens.shape[1], x.dtype)
        x, _, _ = self.layers[0].prefix(x, rotation)
        last, x = x[:, -1], x[:-1, :-1]
        if rotation is not None:
            rotation = tuple(r[:-1] for r in rotation)
        kept = []
        for layer in self.layers[1:]:
            x, k, v = layer.prefix(x, rotation, only_keys=layer is self.layers[-1])
            kept.append((k, v))
        return last, kept

    def read(self, x, kept):
        """x [P,S,D], written after block 0 at the last position: the read-out [P,S,D]."""
        mask = None
        if self.attention == "sdpa":
            S, before = x.shape[1], kept[0][0].shape[2]
            itself = torch.full((S, S), float("-inf"), dtype=x.dtype).fill_diagonal_(0)
            mask = torch.cat((torch.zeros(S, before, dtype=x.dtype), itself), dim=1)
        for layer, (k, v) in zip(self.layers[1:], kept):
            x = layer.rows(x, k, v, mask)
        return self.norm(x)

    def rows(self, x, kept):
        """As read: distances [P,S] of the read-out to that of row 0, and its norm [P]."""
        read = self.read(x, kept).float()
        return (read - read[:, :1]).norm(dim=-1), read[:, 0].norm(dim=-1)


def of_llama(model, attention):
    """Of a Llama-shaped base model of `transformers`."""
    c = model.config
    width = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    scale = width**-0.5

    def norm(source):
        copy = nn.RMSNorm(c.hidden_size, eps=c.rms_norm_eps)
        copy.weight = nn.Parameter(source.weight.detach(), requires_grad=False)
        return copy

    def scaled(b):
        return None if b is None else b * scale

    layers = []
    for layer in model.layers:
        a, m = layer.self_attn, layer.mlp
        layers.append(Layer(
            norm(layer.input_layernorm),
            _linear((a.q_proj.weight * scale, a.k_proj.weight, a.v_proj.weight), (scaled(a.q_proj.bias), a.k_proj.bias, a.v_proj.bias)),
            _linear((a.o_proj.weight,), (a.o_proj.bias,)),
            norm(layer.post_attention_layernorm),
            _linear((m.gate_proj.weight, m.up_proj.weight), (m.gate_proj.bias, m.up_proj.bias)),
            _linear((m.down_proj.weight,), (m.down_proj.bias,)),
            heads=c.num_attention_heads, kv_heads=c.num_key_value_heads, width=width, gated=True))
    return SharedPrefix(layers, norm(model.norm), model.embed_tokens, frequencies=model.rotary_emb.inv_freq,
                        rotary_scale=model.rotary_emb.attention_scaling, attention=attention)


def of_gpt2(model, attention):
    """Of a GPT-2-shaped base model of `transformers`; its Conv1D keeps weights as [inputs, outputs]."""
    c = model.config
    width = c.hidden_size // c.num_attention_heads
    scale = torch.cat((torch.full((c.hidden_size,), width**-0.5), torch.ones(2 * c.hidden_size)))  # of q, k, v

    def linear(source, factor=None):
        weight, bias = source.weight.T, source.bias
        if factor is not None:
            weight, bias = weight * factor[:, None].to(weight.dtype), bias * factor.to(bias.dtype)
        return _linear((weight,), (bias,))

    layers = [Layer(b.ln_1, linear(b.attn.c_attn, scale), linear(b.attn.c_proj), b.ln_2, linear(b.mlp.c_fc), linear(b.mlp.c_proj),
                    heads=c.num_attention_heads, kv_heads=c.num_attention_heads, width=width, gated=False) for b in model.h]
    return SharedPrefix(layers, model.ln_f, model.wte, positions=model.wpe, attention=attention)


def build(model, attention="sdpa"):
    """The program of a base model of `transformers`, sharing the tensors that need no change."""
    families = {"llama": of_llama, "gpt2": of_gpt2}
    if model.config.model_type not in families:
        raise ValueError(f"the model is of type {model.config.model_type}; this program knows {', '.join(families)}")
    return families[model.config.model_type](model, attention).eval().requires_grad_(False)
