"""Writes saes/: small random sparse autoencoders as SAELens saves them, and what SAELens makes of some activations.

    python make_sae.py

One folder per autoencoder with cfg.json and sae_weights.safetensors, from SAELens' own save_model (two of them with a configuration of before its
version 6), and its inputs [R, D], features [R, F] and reconstructions [R, D], computed by SAELens in double from the stored float weights.
Needs torch, numpy, sae-lens (6.54; with transformer-lens below 3).
"""
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.saes.gated_sae import GatedSAE, GatedSAEConfig
from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig
from sae_lens.saes.sae import SAE, SAEMetadata
from sae_lens.saes.standard_sae import StandardSAE, StandardSAEConfig
from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig

FOLDER = Path(__file__).parent / "saes"
WIDTH, FEATURES, ROWS = 12, 70, 9
torch.manual_seed(0)
torch.set_grad_enabled(False)


def randomised(sae):
    for name, parameter in sae.named_parameters():
        scale = {"W_enc": 0.4, "W_dec": 0.5, "threshold": 0.3}.get(name, 0.2)
        parameter.copy_(torch.randn_like(parameter) * scale)
        if name == "threshold":
            parameter.abs_()
    return sae


def old_format(folder, **extra):
    """The configuration as SAELens wrote it before version 6: flat, with other names."""
    cfg = json.loads((folder / "cfg.json").read_text())
    metadata = cfg.pop("metadata")
    cfg["hook_name"] = metadata["hook_name"]
    cfg.update(extra)
    (folder / "cfg.json").write_text(json.dumps(cfg, indent=1))


def write(name, sae, old=None):
    folder = FOLDER / name
    getattr(sae, "save_inference_model", sae.save_model)(folder)  # of one in training: as it is used
    cfg = json.loads((folder / "cfg.json").read_text())
    cfg["metadata"] = {"hook_name": cfg["metadata"]["hook_name"], "sae_lens_version": "6.54.12"}
    (folder / "cfg.json").write_text(json.dumps(cfg, indent=1))
    if old is not None:
        old_format(folder, **old)
    loaded = SAE.load_from_disk(folder).to(torch.float64)
    x = torch.randn(ROWS, WIDTH) * 1.5 + 0.2
    features = loaded.encode(x.double())
    np.save(folder / "inputs.npy", x.numpy())
    np.save(folder / "features.npy", features.numpy())
    np.save(folder / "reconstructions.npy", loaded.decode(features).numpy())
    print(f"{name:22} {(features > 0).float().sum(1).mean():5.1f} of {FEATURES} features fire")


def common(**more):
    return dict(d_in=WIDTH, d_sae=FEATURES, metadata=SAEMetadata(hook_name="blocks.2.hook_resid_pre"), **more)


shutil.rmtree(FOLDER, ignore_errors=True)
write("standard", randomised(StandardSAE(StandardSAEConfig(**common()))))
write("standard_uncentred", randomised(StandardSAE(StandardSAEConfig(**common(apply_b_dec_to_input=False, normalize_activations="expected_average_only_in")))))
write("standard_layer_norm", randomised(StandardSAE(StandardSAEConfig(**common(normalize_activations="layer_norm")))))
write("standard_constant_norm", randomised(StandardSAE(StandardSAEConfig(**common(normalize_activations="constant_norm_rescale")))))
write("gated", randomised(GatedSAE(GatedSAEConfig(**common()))))
write("jumprelu", randomised(JumpReLUSAE(JumpReLUSAEConfig(**common()))))
write("topk", randomised(TopKSAE(TopKSAEConfig(**common(k=7)))))
write("topk_rescaled", randomised(TopKSAE(TopKSAEConfig(**common(k=7, rescale_acts_by_decoder_norm=True)))))
trained = randomised(BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**common(k=5.0))))
trained.topk_threshold.fill_(0.8)
write("batchtopk", trained)
write("before_6", randomised(StandardSAE(StandardSAEConfig(**common()))), old=dict(activation_fn_str="relu", normalize_activations=False))
write("before_6_topk", randomised(TopKSAE(TopKSAEConfig(**common(k=7)))), old=dict(architecture="standard", activation_fn_str="topk", activation_fn_kwargs={"k": 7}))
