"""Makes golden/models: tiny random checkpoints saved by transformers, and what they compute in double precision.

    pip install torch transformers safetensors numpy        (made with torch 2.15, transformers 5.23)
    python make_models.py [folder, default models beside this file]

golden/models/NAME/
    config.json           as transformers 5 writes it;   config.v4.json: the same configuration with the keys of transformers 4
    model.safetensors     (llama_sharded: three shards and model.safetensors.index.json)
    tokens.npy            int64 [N,T]
    expected/SITE.npy     float64, TransformerLens' names and shapes; masked scores are -inf
    curves/               (llama_gqa, gpt2)
        tokens.npy int64 [4,T], pairs.npy int64 [3,2] (context, other), distances.npy float64 [3,11], norms.npy float64 [3] = ||F(A)||:
            write blocks.0.hook_resid_post, read ln_final.hook_out
        distances_middle.npy, norms_middle.npy: the same pairs, write blocks.1.hook_resid_pre, read blocks.1.hook_resid_post
        tokens_ragged.npy int64 [4,T] padded with -1, lengths_ragged.npy int64 [4], distances_ragged.npy, norms_ragged.npy: prompts of unequal length
    growing/              (whose rotary frequencies go by the length of a text)
        tokens.npy int64 [N,24], logits.npy float64 [N,12,V]: what `generate` of transformers, with its cache, adds to the first 12 tokens

Weights are scaled so that attention, norms and biases matter. The expectation is the published code made truly double (true_double.py), on the
stored weights widened to double. Every number is checked here against transformers as installed, in float32, before it is written.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import reference_sites
import true_double
from family_models import MODELS, VOCAB, randomise

EVERY_SITE = CURVES = ("llama_gqa", "gpt2")
GROWING = ("llama_dynamic_rope", "phi3_longrope")
STORED = {"llama_bf16": torch.bfloat16, "llama_f16": torch.float16}


def v4_config(config):
    """The configuration with the keys of transformers 4: dtype and RoPE parameters under their old names, what had its old default left out."""
    kind = config["model_type"]
    absent = ("dtype", "rope_parameters", "layer_types", "attention_layers") + (("pad_token_id",) if kind in ("llama", "qwen2", "gpt2") else ())
    c = {k: v for k, v in config.items() if k not in absent and ((k[-5:], v) != ("_bias", False) or kind in ("gpt_neox", "opt"))}
    derived = kind in ("llama", "mistral", "qwen2")             # elsewhere an absent head_dim has a default of its own
    if derived and config.get("head_dim", 0) * config.get("num_attention_heads", 0) == config.get("hidden_size"):
        del c["head_dim"]
    c.update(transformers_version="4.28.1", torch_dtype=config["dtype"])
    rope = config.get("rope_parameters")
    if kind in ("gemma3_text", "olmo3"):                        # "layer_types" stays: what transformers 4 had instead is a pattern
        c["layer_types"], rope = config["layer_types"], rope["full_attention"]
        if kind == "gemma3_text":
            c["rope_local_base_freq"] = config["rope_parameters"]["sliding_attention"]["rope_theta"]
    if rope:
        rope = dict(rope)
        c["rotary_emb_base" if kind == "gpt_neox" else "rope_theta"] = rope.pop("rope_theta")
        if "partial_rotary_factor" in rope:
            c["rotary_pct" if kind == "gpt_neox" else "partial_rotary_factor"] = rope.pop("partial_rotary_factor")
        scaling = rope.pop("rope_type")
        c["rope_scaling"] = None if scaling == "default" else dict({"type" if scaling == "linear" and kind == "llama" else "rope_type": scaling}, **rope)
    return c


def save(model, folder, name):
    stored = STORED.get(name, torch.float32)
    model = model.to(stored)
    model.config.dtype = stored
    model.save_pretrained(folder, max_shard_size="10KB" if name == "llama_sharded" else "5GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    file = folder / "model.safetensors"
    if name == "llama_bf16":
        s = load_file(file)
        save_file(dict(s, **{"lm_head.weight": s["model.embed_tokens.weight"].clone()}), file, metadata={"format": "pt"})
    if name == "llama_f16":
        s = load_file(file)
        s["lm_head.weight"] = s.pop("model.embed_tokens.weight")
        s |= {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.tensor([1.0, 0.01]) for i in range(2)}
        save_file(s, file, metadata={"format": "pt"})
    if name == "gpt2_options":
        s = {k.removeprefix("transformer."): v for k, v in load_file(file).items()}
        s |= {f"h.{i}.attn.bias": torch.ones(32, 32, dtype=torch.uint8).tril()[None, None] for i in range(2)}
        save_file(s, file, metadata={"format": "pt"})
    for f in folder.glob("*.safetensors"):
        f.chmod(0o644)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.v4.json").write_text(json.dumps(v4_config(config), indent=2, sort_keys=True) + "\n")


def load_state(folder, model):
    """The stored weights under the names of the model."""
    s = {}
    for file in sorted(folder.glob("*.safetensors")):
        s |= load_file(file)
    s = {k: v for k, v in s.items() if not k.endswith(("inv_freq", ".attn.bias"))}
    if model.config.model_type == "gpt_neox":
        s = {k.replace("embed_out.", "lm_head."): v for k, v in s.items()}
    if model.config.model_type == "gpt2":
        s = {k if k.startswith(("transformer.", "lm_head.")) else "transformer." + k: v for k, v in s.items()}
    if model.config.tie_word_embeddings:
        m = reference_sites.MODULES[model.config.model_type]
        embedding = f"{m['base']}.{m['embed']}.weight"
        s.setdefault(embedding, s.get("lm_head.weight"))
        s["lm_head.weight"] = s[embedding]
    return s


def store(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    array = array.numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
    np.save(file, np.ascontiguousarray(array))


def check_v4(folder):
    """transformers reads both forms of the configuration as the same model."""
    new, old = (json.loads((folder / f).read_text()) for f in ("config.json", "config.v4.json"))
    kind = type(MODELS[folder.name][0])
    a, b = (kind.from_dict(c).to_dict() for c in (new, old))
    for c in (a, b):
        c.pop("transformers_version", None), c.pop("dtype", None), c.pop("partial_rotary_factor", None), c.get("rope_parameters", {}).pop("type", None)
        for of_type in c.get("rope_parameters", {}).values():
            if isinstance(of_type, dict):
                of_type.pop("type", None)
    assert a == b, {k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if a.get(k) != b.get(k)}


def make(folder, name, seed):
    config, length = MODELS[name]
    family = config.model_type
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    randomise(model, seed)
    save(model, folder, name)
    check_v4(folder)
    g = torch.Generator().manual_seed(1000 + seed)
    tokens = torch.randint(0, VOCAB, (2, length), generator=g)
    tokens[0, 0], tokens[1, 0] = VOCAB - 1, 0
    store(folder / "tokens.npy", tokens)
    single = AutoModelForCausalLM.from_config(type(config).from_dict(json.loads((folder / "config.json").read_text())), dtype=torch.float32,
                                              attn_implementation="eager").eval()
    state = load_state(folder, single)
    single.load_state_dict({k: v.float() for k, v in state.items()})
    with torch.no_grad():
        rough = single(input_ids=tokens, use_cache=False, output_hidden_states=True)

    with true_double.everywhere(family):
        double = true_double.build(single.config, state)
        with true_double.verify():
            sites = reference_sites.sites(double, tokens)
        for x, y in zip(rough.hidden_states[:-1] + (rough.logits,), [sites[f"blocks.{i}.hook_resid_pre"] for i in range(config.num_hidden_layers)]
                        + [sites.get("hook_logits", sites["unembed.hook_out"])]):
            off = ((x.double() - y).abs().max() / y.abs().max()).item()
            assert off < 2e-5, (name, off)
        worst = ((rough.hidden_states[-1].double() - sites["ln_final.hook_out"]).abs().max() / sites["ln_final.hook_out"].abs().max()).item()
        pattern = torch.cat([sites[f"blocks.{i}.attn.hook_pattern"][..., -1, :].reshape(-1, length) for i in range(config.num_hidden_layers)])
        keys = (-(pattern * pattern.clamp_min(1e-300).log()).sum(-1)).exp().median().item()
        top = max(x.abs().max().item() for s, x in sites.items() if s.endswith("hook_resid_post"))
        print(f"{name}: {sum(f.stat().st_size for f in folder.glob('*.safetensors'))} bytes, |resid| <= {top:.2f}, float32 off by {worst:.1e} after the final norm, "
              f"the last query attends to {keys:.1f} of {length} keys")
        for site, x in sites.items():
            repeated = site.endswith("hook_resid_pre") and not site.startswith("blocks.0.")
            if name in EVERY_SITE or reference_sites.is_residual(site) and not repeated:
                store(folder / "expected" / f"{site}.npy", x)
        if name in CURVES:
            with true_double.verify():
                make_curves(folder / "curves", double, g)
        if name in GROWING:
            logits = []                                         # the head's own: `generate` hands out float32
            seen = double.lm_head.register_forward_hook(lambda m, a, r: logits.append(r[:, -1].clone()))
            start = tokens[:, :12]
            texts = double.generate(start, attention_mask=torch.ones_like(start), max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None)
            seen.remove()
            store(folder / "growing" / "tokens.npy", texts)
            store(folder / "growing" / "logits.npy", torch.stack(logits, 1))



def make_curves(folder, model, g):
    pairs = [(0, 1), (1, 2), (2, 3)]
    tokens = torch.randint(0, VOCAB, (4, 7), generator=g)
    lengths = [5, 7, 1, 6]
    ragged = [t[:n] for t, n in zip(torch.randint(0, VOCAB, (4, 7), generator=g), lengths)]
    store(folder / "tokens.npy", tokens)
    store(folder / "pairs.npy", pairs)
    store(folder / "tokens_ragged.npy", np.array([t.tolist() + [-1] * (7 - len(t)) for t in ragged]))
    store(folder / "lengths_ragged.npy", lengths)
    for suffix, prompts, layers in (("", tokens, (0, None)), ("_middle", tokens, (0, 1)), ("_ragged", ragged, (0, None))):
        d, n = zip(*(reference_sites.curve(model, prompts[i], prompts[j], 11, *layers) for i, j in pairs))
        store(folder / f"distances{suffix}.npy", torch.stack(d))
        store(folder / f"norms{suffix}.npy", torch.stack(n))
        print(f"    curves{suffix}: d(1) = {[round(x[-1].item(), 2) for x in d]}, max slope {[round((x.diff().max() / x[-1] * 10).item(), 2) for x in d]}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "models"
    for k, n in enumerate(MODELS):
        make(target / n, n, seed=17 + k)
