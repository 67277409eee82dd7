"""One model in every form in which people have it: the program `activations` must give the same bytes for all of them.

    python check_folders.py build/examples/activations [--seeds 4] [--families llama gpt2]      (needs torch, transformers, safetensors)

For each family random tiny models: safetensors as save_pretrained writes it, beside pytorch_model.bin (one file, or shards behind an index; rows or
columns first; a tied head that shares its storage; old buffers) and names as torch.compile, DDP, FSDP, Lightning and PEFT leave them.
transformers.from_pretrained must find the same weights in the folders with pytorch_model.bin; so that `activations` is right for the first form
is what check_families.py shows. Then heads that are stored beside the embedding in a tied model: logits against transformers.
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import check_families
import true_double


def run(program, folder, tokens):
    out = folder.parent / (folder.name + ".npz")
    done = subprocess.run([program, "--model", folder, "--tokens", tokens, "--dtype", "fp64", "--out", out,
                           "--sites", "blocks.*.hook_resid_post,unembed.hook_out"], capture_output=True, text=True)
    if done.returncode: raise SystemExit(f"{folder}: {done.stderr}")
    with np.load(out) as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files}, done.stderr


def in_columns(tensor, pick):
    if tensor.dim() < 2 or pick.random() < 0.5: return tensor
    return tensor.t().contiguous().t()


def write_bin(folder, tensors, pick, tied):
    tensors = {name: in_columns(one, pick) for name, one in tensors.items()}
    if tied: tensors[tied[0]] = tensors[tied[1]]
    protocol = pick.choice([2, 3])        # what torch.load itself reads with weights_only
    if pick.random() < 0.5:
        torch.save(tensors, folder / "pytorch_model.bin", pickle_protocol=protocol)
        return
    names = sorted(tensors)
    parts = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, own in parts.items(): torch.save({n: tensors[n] for n in own}, folder / file, pickle_protocol=protocol)
    index = {"metadata": {}, "weight_map": {n: file for file, own in parts.items() for n in own}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


WRAPPERS = {
    "_orig_mod.": lambda name: "_orig_mod." + name,
    "module.": lambda name: "module." + name,
    "module._orig_mod.": lambda name: "module._orig_mod." + name,
    "model.": lambda name: "model." + name,
    "base_model.model.": lambda name: "base_model.model." + name,
    "FSDP": lambda name: "_fsdp_wrapped_module." + name.replace(".0.", ".0._fsdp_wrapped_module.").replace(".1.", ".1._checkpoint_wrapped_module."),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--families", nargs="*", default=sorted(check_families.OPTIONS))
    given = parser.parse_args()
    forms = wrong = 0
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for family in given.families:
            for seed in range(given.seeds):
                pick = random.Random(f"{family} {seed}")
                make, options = check_families.OPTIONS[family]
                config = make(**check_families.draw_options(options, pick))
                torch.manual_seed(seed)
                here = Path(scratch) / f"{family}{seed}"
                try:
                    model = AutoModelForCausalLM.from_config(config)
                except Exception:
                    continue        # options that transformers does not take together
                with torch.no_grad():
                    for one in model.parameters(): one.normal_(0, 0.3)
                dtype = pick.choice([torch.float32, torch.bfloat16, torch.float16])
                plain = here / "plain"
                model.to(dtype).save_pretrained(plain)
                tensors = load_file(plain / "model.safetensors")
                tokens = here / "tokens.npy"
                np.save(tokens, np.array([[pick.randrange(60) for _ in range(9)] for _ in range(2)], np.int64))
                expected, _ = run(given.program, plain, tokens)
                embedding = [n for n in model.state_dict() if model.state_dict()[n].data_ptr() == model.get_input_embeddings().weight.data_ptr()]
                tied = [n for n in embedding if n not in tensors] + [n for n in embedding if n in tensors] if config.tie_word_embeddings else []

                def form(name, write):
                    nonlocal forms, wrong
                    folder = here / name.replace(".", "_")
                    folder.mkdir(exist_ok=True)
                    (folder / "config.json").write_text((plain / "config.json").read_text())
                    write(folder)
                    got, notes = run(given.program, folder, tokens)
                    forms += 1
                    if got != expected:
                        wrong += 1
                        print(f"{family} {seed} {name} differs: {notes}")
                    return folder

                folder = form("bin", lambda to: write_bin(to, tensors, pick, tied if len(tied) == 2 else None))
                again = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).state_dict()
                for name, one in model.state_dict().items():
                    if not torch.equal(one, again[name]):
                        wrong += 1
                        print(f"{family} {seed}: transformers finds another {name}")
                for wrapper in pick.sample(sorted(WRAPPERS), 3):
                    renamed = {WRAPPERS[wrapper](n): one for n, one in tensors.items()}
                    form("wrapped " + wrapper, (lambda to: save_file(renamed, to / "model.safetensors")) if pick.random() < 0.5
                         else lambda to: torch.save(renamed, to / "pytorch_model.bin"))

                if len(tied) == 2:      # another head stored
                    head = {**tensors, tied[0]: torch.randn_like(tensors[tied[1]])}
                    folder = here / "head"
                    folder.mkdir()
                    (folder / "config.json").write_text((plain / "config.json").read_text())
                    save_file(head, folder / "model.safetensors")
                    arrays, notes = run(given.program, folder, tokens)
                    found = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
                    state = {n: one for n, one in found.state_dict().items()}
                    untied = type(config).from_dict({**found.config.to_dict(), "tie_word_embeddings": False})
                    untied.final_logit_softcapping = None       # the site stands before the cap
                    with true_double.everywhere(config.model_type), torch.no_grad():
                        logits = true_double.build(untied, state)(input_ids=torch.tensor(np.load(tokens))).logits.numpy()
                    got = np.frombuffer(arrays["unembed.hook_out"]).reshape(logits.shape)
                    worst = max(worst, np.abs(got - logits).max() / np.abs(logits).max())
                    forms += 1
                    if "is used, as transformers 5 does" not in notes: wrong += 1
            print(f"{family}: {forms} forms so far, {wrong} wrong; stored heads within {worst:.1e}", flush=True)
    return int(wrong > 0 or worst > 1e-10)


if __name__ == "__main__":
    sys.exit(main())
