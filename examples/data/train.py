#!/usr/bin/env python3
"""Trains and packages plateau's embedded language model. This file is its provenance.

    python train.py --corpus DIR --out DIR [--work DIR] [--steps N | --minutes M] [--compile] [--check]

DIR given to --corpus holds the six Jane Austen novels named in NOVELS below as plain text without
any header or footer (public domain; MODEL_CARD.md has their SHA-256).

What it does, in order
  1. folds the line breaks of the novels (one paragraph per line), holds out the last 4 % of each,
  2. trains a byte-level BPE of 1,024 tokens on the training part,
  3. trains a small deep Llama-style decoder and keeps float32 snapshots at geometric steps,
  4. picks the prompts (10-token windows of held-out text),
  5. exports the snapshots in bfloat16 as folders that `transformers` loads as they are,
  6. reloads what it exported and measures it: held-out loss and max slope, written to
     measurements.json (the numbers in MODEL_CARD.md).

`--only export` redoes 4 to 6 from the snapshots in --work; `--only measure` redoes 6.
Needs torch, tokenizers, safetensors, numpy; `--check` compares with transformers as well.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

NOVELS = ["austen-emma.txt", "austen-mansfieldpark.txt", "austen-northangerabbey.txt",
          "austen-persuasion.txt", "austen-prideprejudice.txt", "austen-sensesensibility.txt"]
HELD_OUT = 0.04          # the last part of each novel
EOT = "<|endoftext|>"    # stands between the novels; never at the start of a prompt

CFG = dict(vocab=1024, d=96, layers=18, heads=4, kv_heads=2, head_dim=24, mlp=256,
           context=128, theta=10000.0, eps=1e-5)
TRAIN = dict(batch=32, lr=3e-3, lr_end=0.03, warmup=100, weight_decay=0.1, betas=(0.9, 0.95),
             clip=1.0, seed=20240917)
SNAPSHOTS = [0, 16, 32, 64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192]
EXPORT = [0, 16, 32, 64, 128, 256, 512]           # and the final one
PROMPT_TOKENS, PROMPTS, ALPHAS = 10, 128, 50


# ---------------------------------------------------------------- text and tokenizer

def fold(text):
    """One paragraph per line: the line breaks of the printed page are no part of the language."""
    paragraphs, current = [], []
    for line in text.replace("\r", "").split("\n") + [""]:
        line = " ".join(line.split())
        if line:
            current.append(line)
        elif current:
            paragraphs.append(" ".join(current))
            current = []
    return paragraphs


def read_corpus(folder):
    train, held = [], []
    for name in NOVELS:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
            paragraphs = fold(f.read())
        total, seen, cut = sum(map(len, paragraphs)), 0, 0
        while seen < (1 - HELD_OUT) * total:
            seen += len(paragraphs[cut])
            cut += 1
        train.append("\n".join(paragraphs[:cut]) + "\n")
        held.append("\n".join(paragraphs[cut:]) + "\n")
    return train, held


def train_tokenizer(texts, path):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=CFG["vocab"], special_tokens=[EOT], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.save(path)
    return tok


def to_ids(tok, texts):
    ids = []
    for text in texts:
        ids.append(tok.token_to_id(EOT))
        for line in text.splitlines(keepends=True):
            ids += tok.encode(line).ids
    return np.array(ids, dtype=np.int64)


# ---------------------------------------------------------------- model

class RMSNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        x = x.float()
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CFG["eps"]))


class Block(nn.Module):
    """Pre-norm attention (RoPE, grouped keys and values) and SiLU-gated MLP, as in Llama.
    q, k, v and gate, up are stored joined for speed and split in the export."""
    def __init__(self):
        super().__init__()
        c = CFG
        self.q, self.kv = c["heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"]
        self.norm1, self.norm2 = RMSNorm(c["d"]), RMSNorm(c["d"])
        self.qkv = nn.Linear(c["d"], self.q + 2 * self.kv, bias=False)
        self.o = nn.Linear(self.q, c["d"], bias=False)
        self.gate_up = nn.Linear(c["d"], 2 * c["mlp"], bias=False)
        self.down = nn.Linear(c["mlp"], c["d"], bias=False)

    def heads(self, x, cos, sin):
        """Queries, keys and values, [batch, head, position, head_dim], rotated."""
        b, t, _ = x.shape
        dh, group = CFG["head_dim"], CFG["heads"] // CFG["kv_heads"]
        q, k, v = self.qkv(self.norm1(x)).split([self.q, self.kv, self.kv], -1)
        q, k, v = (y.view(b, t, -1, dh).transpose(1, 2) for y in (q, k, v))

        def rope(y):
            half = torch.cat([-y[..., dh // 2:], y[..., :dh // 2]], -1)
            return (y * cos + half * sin).to(v.dtype)
        return rope(q), rope(k).repeat_interleave(group, 1), v.repeat_interleave(group, 1)

    def rest(self, x, a):
        x = x + self.o(a.transpose(1, 2).reshape(*x.shape[:2], self.q))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)

    def forward(self, x, cos, sin):
        q, k, v = self.heads(x, cos, sin)
        return self.rest(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def patched(self, context, x, cos, sin):
        """context: [n, t, d], a prompt each; x: [n, m, d], m alternatives to its last position.
        Only the last position differs, so the keys and values before it are computed once."""
        q, k, v = self.heads(context, cos, sin)
        out = self.rest(context, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        at = len(cos) - 1
        q, own_k, own_v = self.heads(x, cos[at:], sin[at:])
        scale = CFG["head_dim"] ** -0.5
        score = torch.cat([q @ k[:, :, :at].transpose(2, 3), (q * own_k).sum(-1, keepdim=True)], -1)
        w = (score * scale).softmax(-1)
        return out, self.rest(x, w[..., :at] @ v[:, :, :at] + w[..., at:] * own_v)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        c = CFG
        self.embed = nn.Embedding(c["vocab"], c["d"])
        self.blocks = nn.ModuleList(Block() for _ in range(c["layers"]))
        self.norm = RMSNorm(c["d"])
        f = c["theta"] ** (-torch.arange(0, c["head_dim"], 2).double() / c["head_dim"])
        angle = torch.outer(torch.arange(c["context"]).double(), f)
        angle = torch.cat([angle, angle], -1)
        self.register_buffer("cos", angle.cos().float(), persistent=False)
        self.register_buffer("sin", angle.sin().float(), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                scale = (2 * c["layers"]) ** -0.5 if name.endswith(("o.weight", "down.weight")) else 1
                nn.init.normal_(p, 0, 0.02 * scale)

    def run(self, x, first, last):
        t = x.shape[1]
        for block in self.blocks[first:last]:
            x = block(x, self.cos[:t], self.sin[:t])
        return x

    def forward(self, ids, targets=None):
        x = self.norm(self.run(self.embed(ids), 0, CFG["layers"]))
        logits = F.linear(x, self.embed.weight)    # tied
        if targets is None:
            return logits
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


# ---------------------------------------------------------------- measurement

@torch.no_grad()
def held_out_loss(model, ids):
    """Mean cross-entropy (nats per token) over adjoining windows of the context length."""
    t = CFG["context"]
    n = (len(ids) - 1) // t
    x = torch.from_numpy(ids[:n * t]).view(n, t)
    y = torch.from_numpy(ids[1:n * t + 1]).view(n, t)
    return sum(model(x[i:i + 32], y[i:i + 32]).item() * len(x[i:i + 32]) for i in range(0, n, 32)) / n


@torch.no_grad()
def max_slopes(model, prompts):
    """prompts: [n, 10] ids. Pair i is (i, i+1); the context is always that of prompt i.
    The residual stream after block 0 at the last token goes from A to B in 50 steps, the read-out is
    the residual stream after the final norm at the last token."""
    resid = model.run(model.embed(prompts), 0, 1)
    alpha = torch.arange(ALPHAS).float().div(ALPHAS - 1)[:, None]
    cos, sin = model.cos[:prompts.shape[1]], model.sin[:prompts.shape[1]]
    out = []
    for i in range(0, len(prompts) - 1, 32):
        n = min(32, len(prompts) - 1 - i)
        context = resid[i:i + n]
        x = (1 - alpha) * context[:, -1:] + alpha * resid[i + 1:i + n + 1, -1:]
        for block in model.blocks[1:]:
            context, x = block.patched(context, x, cos, sin)
        y = model.norm(x).double()
        d = (y - y[:, :1]).norm(dim=-1)
        # 0 / 0 gives nan where the two prompts have the same last vector; summary leaves these out
        out.append(((d / d[:, -1:]).diff(dim=1).amax(1) * (ALPHAS - 1)).numpy())
    return np.concatenate(out)


def summary(slopes, block=5, draws=2000, seed=0):
    """Median, quartiles, 95 % interval of the median by a moving-block bootstrap over the chain."""
    n = len(slopes)
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n - block + 1, (draws, -(-n // block)))
    index = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n]
    medians = np.nanmedian(slopes[index], axis=1)
    q25, q50, q75 = np.nanpercentile(slopes, [25, 50, 75])
    low, high = np.percentile(medians, [2.5, 97.5])
    return dict(pairs=int(np.isfinite(slopes).sum()), median=q50, low=low, high=high, q25=q25, q75=q75)


def held_out_windows(ids, n, seed=1):
    rng = np.random.default_rng(seed)
    starts = rng.integers(1, len(ids) - PROMPT_TOKENS, n)
    return torch.from_numpy(ids[starts[:, None] + np.arange(PROMPT_TOKENS)])


def choose_prompts(tok, ids, seed=2):
    """Windows of held-out text that begin at a word, hold no line break and encode to themselves."""
    rng = np.random.default_rng(seed)
    starts = rng.permutation(len(ids) - PROMPT_TOKENS)
    taken, lines, used = [], [], np.zeros(len(ids), bool)
    for s in starts:
        w = ids[s:s + PROMPT_TOKENS].tolist()
        text = tok.decode(w, skip_special_tokens=False)
        if (not text.startswith(" ") or not text[1:2].isalpha() or "\n" in text or EOT in text
                or not text.isascii() or used[s:s + PROMPT_TOKENS].any() or tok.encode(text).ids != w):
            continue
        used[s:s + PROMPT_TOKENS] = True
        taken.append(w)
        lines.append(text)
        if len(lines) == PROMPTS:
            return taken, lines
    raise SystemExit("too little held-out text")


# ---------------------------------------------------------------- files in the layout of transformers

def hf_config():
    c = CFG
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False,
        "attention_dropout": 0.0, "bos_token_id": None, "eos_token_id": 0, "head_dim": c["head_dim"],
        "hidden_act": "silu", "hidden_size": c["d"], "initializer_range": 0.02,
        "intermediate_size": c["mlp"], "max_position_embeddings": c["context"], "mlp_bias": False,
        "num_attention_heads": c["heads"], "num_hidden_layers": c["layers"],
        "num_key_value_heads": c["kv_heads"], "pretraining_tp": 1, "rms_norm_eps": c["eps"],
        "rope_scaling": None, "rope_theta": c["theta"], "tie_word_embeddings": True,
        "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": c["vocab"]}


def to_hf(state):
    q, kv = CFG["heads"] * CFG["head_dim"], CFG["kv_heads"] * CFG["head_dim"]
    out = {"model.embed_tokens.weight": state["embed.weight"], "model.norm.weight": state["norm.weight"]}
    for i in range(CFG["layers"]):
        a, b = f"blocks.{i}.", f"model.layers.{i}."
        out[b + "input_layernorm.weight"] = state[a + "norm1.weight"]
        out[b + "post_attention_layernorm.weight"] = state[a + "norm2.weight"]
        for name, w in zip("qkv", state[a + "qkv.weight"].split([q, kv, kv])):
            out[b + f"self_attn.{name}_proj.weight"] = w
        out[b + "self_attn.o_proj.weight"] = state[a + "o.weight"]
        for name, w in zip(("gate", "up"), state[a + "gate_up.weight"].chunk(2)):
            out[b + f"mlp.{name}_proj.weight"] = w
        out[b + "mlp.down_proj.weight"] = state[a + "down.weight"]
    return {k: v.to(torch.bfloat16).contiguous() for k, v in out.items()}


def from_hf(path):
    from safetensors.torch import load_file
    hf = {k: v.float() for k, v in load_file(path).items()}
    state = {"embed.weight": hf["model.embed_tokens.weight"], "norm.weight": hf["model.norm.weight"]}
    for i in range(CFG["layers"]):
        a, b = f"blocks.{i}.", f"model.layers.{i}."
        state[a + "norm1.weight"] = hf[b + "input_layernorm.weight"]
        state[a + "norm2.weight"] = hf[b + "post_attention_layernorm.weight"]
        state[a + "qkv.weight"] = torch.cat([hf[b + f"self_attn.{n}_proj.weight"] for n in "qkv"])
        state[a + "o.weight"] = hf[b + "self_attn.o_proj.weight"]
        state[a + "gate_up.weight"] = torch.cat([hf[b + f"mlp.{n}_proj.weight"] for n in ("gate", "up")])
        state[a + "down.weight"] = hf[b + "mlp.down_proj.weight"]
    model = Model().eval()
    model.load_state_dict(state)
    return model


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def folders(out, final):
    """step -> folder; the final checkpoint is stored once, in the model's own folder."""
    steps = [s for s in EXPORT if s < final]
    return {**{s: os.path.join(out, "checkpoints", f"step-{s:06d}") for s in steps}, final: out}


# ---------------------------------------------------------------- training

def train(args, ids, held):
    torch.manual_seed(TRAIN["seed"])
    rng = np.random.default_rng(TRAIN["seed"])
    model = Model()
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(ids)} training tokens, "
          f"{len(held)} held out", flush=True)
    decay = [p for p in model.parameters() if p.dim() == 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": TRAIN["weight_decay"]},
                             {"params": plain, "weight_decay": 0.0}],
                            lr=TRAIN["lr"], betas=TRAIN["betas"], fused=True)
    step_model = torch.compile(model) if args.compile else model
    windows = held_out_windows(held, 65)
    log = open(os.path.join(args.work, "log.jsonl"), "w")
    t, start, step, recent = CFG["context"], time.time(), 0, []
    while True:
        elapsed = time.time() - start
        # Without --minutes the schedule runs over --steps; with it, over the clock, so that a busy
        # machine still ends the run at the bottom of the cosine.
        progress = elapsed / (60 * args.minutes) if args.minutes else step / args.steps
        done = progress >= 1
        if step in SNAPSHOTS or done or step % 1000 == 0:
            model.eval()
            loss = held_out_loss(model, held)
            slopes = summary(max_slopes(model, windows))
            model.train()
            torch.save(model.state_dict(), os.path.join(args.work, f"step-{step:06d}.pt"))
            row = dict(step=step, seconds=round(elapsed, 1), held_out=round(loss, 4),
                       train=round(float(np.mean(recent or [0])), 4), slope=round(float(slopes["median"]), 3))
            recent = []
            print(row, flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
        if done:
            return step
        lr = TRAIN["lr"] * min(1, (step + 1) / TRAIN["warmup"]) * (
            TRAIN["lr_end"] + (1 - TRAIN["lr_end"]) * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in opt.param_groups:
            group["lr"] = lr
        at = rng.integers(0, len(ids) - t - 1, TRAIN["batch"])
        batch = torch.from_numpy(ids[at[:, None] + np.arange(t + 1)])
        loss = step_model(batch[:, :-1], batch[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), TRAIN["clip"])
        opt.step()
        opt.zero_grad(set_to_none=True)
        recent.append(loss.item())
        step += 1
        if step % 50 == 0:
            print(f"step {step} loss {np.mean(recent[-50:]):.3f} lr {lr:.2e} "
                  f"{(time.time() - start) / step:.3f} s a step", flush=True)


def export(args, tok, held, final):
    from safetensors.torch import save_file
    for step, folder in folders(args.out, final).items():
        os.makedirs(folder, exist_ok=True)
        state = torch.load(os.path.join(args.work, f"step-{step:06d}.pt"))
        save_file(to_hf(state), os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        os.chmod(os.path.join(folder, "model.safetensors"), 0o644)
        write_json(os.path.join(folder, "config.json"), hf_config())
    tok.save(os.path.join(args.out, "tokenizer.json"))
    write_json(os.path.join(args.out, "tokenizer_config.json"), {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": EOT, "unk_token": None,
        "bos_token": None, "clean_up_tokenization_spaces": False,
        "model_max_length": CFG["context"]})
    with open(os.path.join(args.out, "prompts.txt"), "w", encoding="utf-8", newline="\n") as f:
        f.write("\n".join(choose_prompts(tok, held)[1]) + "\n")


def measure(args, tok, held, final):
    with open(os.path.join(args.out, "prompts.txt"), encoding="utf-8", newline="\n") as f:
        lines = f.read().split("\n")[:-1]
    prompts = torch.tensor([tok.encode(line).ids for line in lines])
    assert prompts.shape == (PROMPTS, PROMPT_TOKENS)
    windows, rows = held_out_windows(held, 300), []
    for step, folder in folders(args.out, final).items():
        path = os.path.join(folder, "model.safetensors")
        model = from_hf(path)
        row = dict(step=step, tokens=step * TRAIN["batch"] * CFG["context"], bytes=os.path.getsize(path),
                   held_out_loss=held_out_loss(model, held),
                   prompts=summary(max_slopes(model, prompts)), windows=summary(max_slopes(model, windows)))
        if args.check:
            from transformers import AutoModelForCausalLM
            other = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
            with torch.no_grad():
                row["logits_vs_transformers"] = (other(prompts).logits - model(prompts)).abs().max().item()
        rows.append(row)
        p = row["prompts"]
        print(f"step {step:6d} loss {row['held_out_loss']:.4f} max slope {p['median']:.3f} "
              f"[{p['low']:.3f}, {p['high']:.3f}] quartiles {p['q25']:.3f} {p['q75']:.3f}; windows "
              f"{row['windows']['median']:.3f}", row.get("logits_vs_transformers", ""), flush=True)
    write_json(os.path.join(args.work, "measurements.json"), rows)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", required=True, help="folder with the texts named in NOVELS")
    ap.add_argument("--out", required=True, help="the model's folder (embedded/)")
    ap.add_argument("--work", default="train-work", help="snapshots and logs")
    ap.add_argument("--steps", type=int, default=1100)
    ap.add_argument("--minutes", type=float, default=0, help="schedule over the clock instead of --steps")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--compile", action="store_true")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--only", choices=["export", "measure"])
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    os.makedirs(args.work, exist_ok=True)
    os.makedirs(args.out, exist_ok=True)

    texts, held_texts = read_corpus(args.corpus)
    path = os.path.join(args.work, "tokenizer.json")
    if args.only:
        from tokenizers import Tokenizer
        tok = Tokenizer.from_file(path)
    else:
        tok = train_tokenizer(texts, path)
    held = to_ids(tok, held_texts)
    if args.only:
        final = max(int(n[5:11]) for n in os.listdir(args.work) if n.startswith("step-"))
    else:
        final = train(args, to_ids(tok, texts), held)
    if args.only != "measure":
        export(args, tok, held, final)
    measure(args, tok, held, final)


if __name__ == "__main__":
    main()
