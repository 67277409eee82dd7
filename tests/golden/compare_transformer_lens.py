"""The hook points of `activations` against TransformerLens' bridge, on the tiny checkpoints beside this script.

    python compare_transformer_lens.py build/examples/activations [NAME ...]        (default: every folder of models/)

One line per checkpoint: sites compared, the largest error in units of a site's largest magnitude (fp32; the bridge is never double), and the sites
that the bridge does not fire or defines otherwise: those are checked against their formulas by reference_sites.py. Masked scores are -3.4e38 there and
-inf here, and are left out. Exits with 1 above 2e-5. Needs torch, transformers, tokenizers, transformer-lens (4.3).
"""
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM

import make_models

BOUND = 2e-5
# GPT-Neo's and OPT's bridges hand out the pattern under the name of the scores
OTHERWISE = {"gpt_neo": "hook_attn_scores", "opt": "hook_attn_scores", "opt_options": "hook_attn_scores"}
# the bridge divides scores by the root of the head width whatever scale_attn_weights says; it knows NeoX in parallel alone
WRONG_THERE = ("gpt2_relu_unscaled", "gpt_neox_sequential")


def cache_of(folder, tokens):
    """The bridge's activations; it wants a complete folder, with a tokenizer in it."""
    from transformer_lens.model_bridge import TransformerBridge

    config = AutoConfig.from_pretrained(folder)
    single = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    single.load_state_dict({k: v.float() for k, v in make_models.load_state(folder, single).items()})
    with tempfile.TemporaryDirectory() as d:
        single.save_pretrained(d)
        words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(config.vocab_size)}, unk_token="w0"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        words.save(d + "/tokenizer.json")
        Path(d, "tokenizer_config.json").write_text(json.dumps(dict(tokenizer_class="PreTrainedTokenizerFast", unk_token="w0", bos_token="w1", eos_token="w2",
                                                                    pad_token="w2")))
        bridge = TransformerBridge.boot_transformers(d, dtype=torch.float32)
        logits, cache = bridge.run_with_cache(tokens)
    got = {k: v.detach().numpy() for k, v in cache.items() if isinstance(v, torch.Tensor)}
    if "hook_logits" in got:
        del got["hook_logits"]
    return got, logits.detach().numpy()


def compare(name, program):
    folder = Path(__file__).parent / "models" / name
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([program, "--model", folder, "--tokens", folder / "tokens.npy", "--sites", "*", "--out", d + "/a.npz"], check=True, capture_output=True)
        ours = dict(np.load(d + "/a.npz"))
    tokens = torch.from_numpy(ours.pop("tokens").astype(np.int64))
    theirs, logits = cache_of(folder, tokens)
    theirs["hook_logits" if "hook_logits" in ours else "unembed.hook_out"] = logits
    worst, at, compared, apart = 0.0, "", 0, []
    for site, a in ours.items():
        short = site.split(".")[-1]
        if site not in theirs or short == OTHERWISE.get(name):
            apart.append(site)
            continue
        b = np.asarray(theirs[site])
        if b.size == a.size and b.shape != a.shape and b.shape[0] == a.shape[0] * a.shape[1]:
            b = b.reshape(a.shape)                              # OPT's MLP runs on all positions of all prompts at once
        if b.shape != a.shape and np.broadcast_shapes(a.shape, b.shape) == a.shape:
            b = np.broadcast_to(b, a.shape)                     # positions once for all prompts
        if b.shape != a.shape:
            print(f"{name} {site}: shape {a.shape}, TransformerLens {b.shape}")
            return False
        finite = np.isfinite(a)
        error = np.abs(a.astype(np.float64) - b)[finite].max() / np.abs(b[finite]).max()
        compared += 1
        if error > worst:
            worst, at = error, site
    kinds = sorted({".".join(s.split(".")[2:]) if s.startswith("blocks.") else s for s in apart})
    print(f"{name:20} {compared:4} sites, worst {worst:.1e} ({at}); not fired or otherwise: {', '.join(kinds)}")
    return worst <= BOUND


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    names = sys.argv[2:] or sorted({f.name for f in (Path(__file__).parent / "models").iterdir()} - set(WRONG_THERE))
    results = []
    for name in names:
        try:
            results.append(compare(name, sys.argv[1]))
        except Exception as problem:                            # the bridge cannot load everything
            print(f"{name:20} the bridge fails: {type(problem).__name__}: {str(problem)[:120]}")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
