"""Writes saes/: small random sparse autoencoders in the folders of other projects than SAELens, and what these make of some activations.

    pip install torch numpy safetensors dictionary-learning eai-sparsify       (made with 0.1.0 and 1.3.3)
    python make_sae_folders.py                           # after make_sae.py, which begins with an empty folder

    dictionary_*    config.json as its trainers write it, and ae.safetensors: ae.pt, converted as plateau says; by dictionary_learning's own classes
    sparsify_*      cfg.json and sae.safetensors from SparseCoder.save_to_disk, in a folder named as a module
    gemma_scope_*   params.npz, and params.safetensors of Gemma Scope 2, by JumpReLUSAE's formulas of SAELens
    centred, unfolded   cfg.json of SAELens with center_writing_weights, and of a checkpoint with activation_scaler.json, by SAELens' process_sae_in:
                    the first of activations less their mean, the second after fold_activation_norm_scaling_factor

Each with inputs [R, D], features [R, F] and reconstructions [R, D], computed in double from the stored float weights. A reconstruction of centred
activations has the mean again.
"""
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from dictionary_learning import dictionary
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from safetensors.torch import save_file
from sparsify.config import SparseCoderConfig
from sparsify.sparse_coder import SparseCoder

FOLDER = Path(__file__).parent / "saes"
WIDTH, FEATURES, ROWS, K = 12, 72, 9, 6
torch.manual_seed(1)
torch.set_grad_enabled(False)


def randomised(module):
    for name, parameter in module.named_parameters():
        matrix = parameter.ndim == 2
        parameter.copy_(torch.randn_like(parameter) * (0.4 if matrix else 0.2))
        if name == "threshold":
            parameter.abs_()
    return module


def write_values(folder, encode, decode, centred=False):
    x = torch.randn(ROWS, WIDTH) * 1.5 + 0.2
    mean = x.double().mean(-1, keepdim=True) if centred else 0
    features = encode(x.double() - mean)
    np.save(folder / "inputs.npy", x.numpy())
    np.save(folder / "features.npy", features.numpy())
    np.save(folder / "reconstructions.npy", (decode(features) + mean).numpy())
    print(f"{str(folder.relative_to(FOLDER)):50} {(features > 0).float().sum(1).mean():5.1f} of {features.shape[1]} features fire")


def fresh(name):
    folder = FOLDER / name
    shutil.rmtree(FOLDER / name.split("/")[0], ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1))


def of_dictionary_learning(name, kind, ae, scale=None, **more):
    folder = fresh("dictionary_" + name)
    randomised(ae)
    if hasattr(ae, "threshold") and ae.threshold.ndim == 0:
        ae.threshold.fill_(0.7)
    save_file({k: v.contiguous() for k, v in ae.state_dict().items()}, folder / "ae.safetensors")
    write_json(folder / "config.json", {"trainer": {"dict_class": kind, "activation_dim": WIDTH, "dict_size": FEATURES, "layer": 1, "lm_name": "a/b",
                                                    "submodule_name": "resid_post_layer_1", **more}, "buffer": {"d_submodule": WIDTH, "ctx_len": 128}})
    if scale is not None:
        ae.double()
        scale(ae)
    ae.double()
    write_values(folder, ae.encode, ae.decode)


def normalised(ae):
    """AutoEncoder.normalize_decoder, which from_pretrained calls, in double."""
    norms = torch.norm(ae.decoder.weight, dim=0)
    ae.decoder.weight.data /= norms
    ae.encoder.weight.data *= norms[:, None]
    ae.encoder.bias.data *= norms


def of_sparsify(name, module, **more):
    folder = fresh(f"sparsify_{name}/{module}")
    coder = randomised(SparseCoder(WIDTH, SparseCoderConfig(num_latents=FEATURES, k=K, **more)))
    coder.save_to_disk(folder)
    coder.double()

    def encode(x):
        values, places, _ = coder.encode(x)
        return torch.zeros(len(x), FEATURES, dtype=x.dtype).scatter_(-1, places, values)

    write_values(folder, encode, lambda f: f @ coder.W_dec + coder.b_dec)


def jumprelu():
    """W_enc, b_enc, W_dec, b_dec, threshold; encode and decode."""
    w = {"W_enc": torch.randn(WIDTH, FEATURES) * 0.4, "b_enc": torch.randn(FEATURES) * 0.2, "W_dec": torch.randn(FEATURES, WIDTH) * 0.4,
         "b_dec": torch.randn(WIDTH) * 0.2, "threshold": torch.randn(FEATURES).abs() * 0.3}
    d = {name: value.double() for name, value in w.items()}

    def encode(x):
        h = x @ d["W_enc"] + d["b_enc"]
        return torch.relu(h) * (h > d["threshold"])

    return w, encode, lambda f: f @ d["W_dec"] + d["b_dec"]


def of_gemma_scope():
    folder = fresh("gemma_scope/gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_71")
    w, encode, decode = jumprelu()
    np.savez(folder / "params.npz", **{name: value.numpy() for name, value in w.items()})
    write_values(folder, encode, decode)
    folder = fresh("gemma_scope_2/resid_post/layer_1_width_16k_l0_medium")
    w, encode, decode = jumprelu()
    save_file({name.lower(): value for name, value in w.items()}, folder / "params.safetensors")
    write_json(folder / "config.json", {"architecture": "jump_relu", "model_name": "gemma-v3-270m-pt", "hf_hook_point_in": "model.layers.1.output"})
    write_values(folder, encode, decode)


def of_saelens(name, factor=1.0, centred=False, normalize_activations="none"):
    folder = fresh(name)
    w, _, _ = jumprelu()
    del w["threshold"]
    save_file(w, folder / "sae_weights.safetensors")
    metadata = {"hook_name": "blocks.2.hook_resid_pre", "sae_lens_version": "6.54.12"}
    if centred:
        metadata["model_from_pretrained_kwargs"] = {"center_writing_weights": True}
    write_json(folder / "cfg.json", {"d_in": WIDTH, "d_sae": FEATURES, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True,
                                     "reshape_activations": "none", "architecture": "standard",
                                     "normalize_activations": normalize_activations, "metadata": metadata})
    if factor != 1:
        write_json(folder / "activation_scaler.json", {"scaling_factor": factor, "has_whitening": False})
    d = {key: value.double() for key, value in w.items()}
    d["W_enc"] *= factor  # fold_activation_norm_scaling_factor
    d["W_dec"] /= factor
    d["b_dec"] /= factor
    norm = {}

    def encode(x):  # run_time_activation_norm_fn_in
        norm["factor"] = WIDTH**0.5 / x.norm(dim=-1, keepdim=True) if normalize_activations == "constant_norm_rescale" else 1
        return torch.relu((x * norm["factor"] - d["b_dec"]) @ d["W_enc"] + d["b_enc"])

    write_values(folder, encode, lambda f: (f @ d["W_dec"] + d["b_dec"]) / norm["factor"], centred)


if __name__ == "__main__":
    of_dictionary_learning("standard", "AutoEncoder", dictionary.AutoEncoder(WIDTH, FEATURES), normalised)
    of_dictionary_learning("new", "AutoEncoderNew", dictionary.AutoEncoderNew(WIDTH, FEATURES))
    of_dictionary_learning("gated", "GatedAutoEncoder", dictionary.GatedAutoEncoder(WIDTH, FEATURES))
    of_dictionary_learning("jumprelu", "JumpReluAutoEncoder", dictionary.JumpReluAutoEncoder(WIDTH, FEATURES))
    of_dictionary_learning("topk", "AutoEncoderTopK", AutoEncoderTopK(WIDTH, FEATURES, K), k=K)
    of_dictionary_learning("batchtopk", "BatchTopKSAE", BatchTopKSAE(WIDTH, FEATURES, K), k=K)
    of_dictionary_learning("matryoshka", "MatryoshkaBatchTopKSAE", MatryoshkaBatchTopKSAE(WIDTH, FEATURES, K, [24, 48]), k=K)
    of_sparsify("topk", "layers.1")
    of_sparsify("groupmax", "layers.1", activation="groupmax")
    of_gemma_scope()
    of_saelens("centred", centred=True)
    of_saelens("centred_constant_norm", centred=True, normalize_activations="constant_norm_rescale")
    of_saelens("unfolded", factor=0.37, normalize_activations="expected_average_only_in")
