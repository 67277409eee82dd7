"""Small configurations of every family, with options that its published checkpoints have, and random weights under which every part matters."""
import torch
from transformers import (Gemma2Config, Gemma3TextConfig, GemmaConfig, GPT2Config, GPTNeoConfig, GPTNeoXConfig, GraniteConfig, LlamaConfig,
                          MistralConfig, Olmo2Config, Olmo3Config, OlmoConfig, OPTConfig, Phi3Config, PhiConfig, Qwen2Config, Qwen3Config,
                          SmolLM3Config, StableLmConfig)

VOCAB = 67
special = dict(bos_token_id=1, eos_token_id=2, pad_token_id=None)



def with_defaults(kind, **base):
    return lambda **changes: kind(**{"vocab_size": VOCAB, **base, **special, **changes})


wide = dict(hidden_size=24, intermediate_size=28, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64)
grouped = dict(wide, num_key_value_heads=2)
llama = with_defaults(LlamaConfig, **grouped, rms_norm_eps=1e-5, tie_word_embeddings=False)
gpt2 = with_defaults(GPT2Config, n_embd=18, n_layer=3, n_head=3, n_positions=32)
gpt_neo = with_defaults(GPTNeoConfig, hidden_size=18, num_layers=3, num_heads=3, max_position_embeddings=32, window_size=3,
                        attention_types=[[["global", "local"], 1], [["local"], 1]])
gpt_neox = with_defaults(GPTNeoXConfig, **wide)
mistral = with_defaults(MistralConfig, **grouped, sliding_window=3)
qwen2 = with_defaults(Qwen2Config, **grouped, rms_norm_eps=1e-6)
qwen3 = with_defaults(Qwen3Config, **grouped, head_dim=8)
olmo = with_defaults(OlmoConfig, **grouped)
olmo2 = with_defaults(Olmo2Config, **grouped, rms_norm_eps=1e-4)
gemma = with_defaults(GemmaConfig, **dict(grouped, num_key_value_heads=1), head_dim=10)
gemma2 = with_defaults(Gemma2Config, **dict(grouped, num_hidden_layers=3), head_dim=8, sliding_window=3, query_pre_attn_scalar=20,
                       attn_logit_softcapping=2.0, final_logit_softcapping=3.0)
gemma3 = with_defaults(Gemma3TextConfig, **dict(grouped, num_hidden_layers=3), head_dim=8, sliding_window=3, query_pre_attn_scalar=20)
olmo3 = with_defaults(Olmo3Config, **dict(grouped, num_hidden_layers=4), sliding_window=3)
smollm3 = with_defaults(SmolLM3Config, **dict(grouped, num_hidden_layers=3), no_rope_layers=[1, 0, 1])
granite = with_defaults(GraniteConfig, **grouped, embedding_multiplier=3.0, attention_multiplier=0.3, residual_multiplier=0.4, logits_scaling=4.0)
stablelm = with_defaults(StableLmConfig, **dict(grouped, hidden_size=32))
phi = with_defaults(PhiConfig, **dict(wide, hidden_size=32))
phi3 = with_defaults(Phi3Config, **grouped, original_max_position_embeddings=64)
opt = with_defaults(OPTConfig, hidden_size=24, ffn_dim=28, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=32)


def rope(kind="default", theta=10000.0, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=theta, **more))


def rope_llama(**parameters):
    return dict(hidden_size=16, intermediate_size=22, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256, **rope(**parameters))


# name: (configuration, tokens per prompt)
MODELS = {
    "llama_gqa": (llama(num_hidden_layers=3, intermediate_size=27), 7),
    "llama_bias_headdim": (llama(hidden_size=21, intermediate_size=27, num_attention_heads=3, num_key_value_heads=1, head_dim=12, attention_bias=True,
                                 mlp_bias=True, tie_word_embeddings=True, rms_norm_eps=1e-2), 7),
    # wavelengths of head_dim 8, theta 1000: 6.3 (kept), 35 (blended), 199 and 1117 (divided by 8); the zones end at 16 and 64
    "llama3_rope": (llama(**rope_llama(kind="llama3", theta=1000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                       original_max_position_embeddings=64)), 24),
    "llama_linear_rope": (llama(**rope_llama(kind="linear", theta=500.0, factor=4.0)), 24),
    "llama_bf16": (llama(hidden_size=16, intermediate_size=20, tie_word_embeddings=True), 7),      # lm_head.weight is stored beside the embedding
    "llama_f16": (llama(hidden_size=16, intermediate_size=20, tie_word_embeddings=True), 7),       # only lm_head.weight is stored, and inv_freq buffers
    "llama_sharded": (llama(hidden_size=16, intermediate_size=20), 7),
    "qwen2": (qwen2(hidden_size=20, intermediate_size=33, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True, use_sliding_window=False,
                    **rope(theta=1e6)), 7),
    "gpt2": (gpt2(), 7),
    # stored without the prefix "transformer." and with the attn.bias masks of old files
    "gpt2_options": (gpt2(n_layer=2, n_inner=23, activation_function="gelu", scale_attn_by_inverse_layer_idx=True, layer_norm_epsilon=1e-2), 7),
    "gpt2_relu_unscaled": (gpt2(n_layer=2, n_inner=20, activation_function="relu", scale_attn_weights=False, tie_word_embeddings=False), 7),
    # the normalisation made constant, as in published LayerNorm-free GPT-2 checkpoints: epsilon 1e12, weights near 1e6
    "gpt2_lnfree": (gpt2(n_layer=2, n_inner=20, layer_norm_epsilon=1e12), 7),
    "gpt_neo": (gpt_neo(), 9),
    "gpt_neox": (gpt_neox(**rope(partial_rotary_factor=0.7)), 7),
    "gpt_neox_sequential": (gpt_neox(use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new", layer_norm_eps=1e-3,
                                     **rope(theta=500.0, partial_rotary_factor=1.0)), 7),
    "mistral": (mistral(head_dim=8), 9),
    "qwen2_window": (qwen2(use_sliding_window=True, sliding_window=4, max_window_layers=1), 9),
    "qwen3": (qwen3(head_dim=10, tie_word_embeddings=True), 7),
    "olmo_clip": (olmo(clip_qkv=0.9), 7),
    "olmo2": (olmo2(), 7),
    "gemma": (gemma(), 7),
    "gemma2": (gemma2(), 9),
    "phi": (phi(num_key_value_heads=2, **rope(partial_rotary_factor=0.5)), 7),
    "phi_qk_layernorm": (phi(qk_layernorm=True, num_hidden_layers=1, **rope(theta=800.0, partial_rotary_factor=0.75)), 7),
    "phi3": (phi3(sliding_window=5, **rope(partial_rotary_factor=0.7)), 9),
    "opt": (opt(), 7),
    "opt_options": (opt(enable_bias=False, layer_norm_elementwise_affine=False, tie_word_embeddings=False, activation_function="gelu"), 7),
    "gemma3": (gemma3(layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                      rope_parameters=dict(full_attention=dict(rope_type="linear", rope_theta=2e4, factor=4.0),
                                           sliding_attention=dict(rope_type="default", rope_theta=300.0))), 9),
    "olmo3": (olmo3(rope_parameters=dict(full_attention=dict(rope_type="yarn", rope_theta=5e5, factor=4.0, original_max_position_embeddings=16),
                                         sliding_attention=dict(rope_type="default", rope_theta=5e5))), 9),
    "smollm3": (smollm3(**rope(theta=2000.0)), 9),
    "granite": (granite(), 7),
    "stablelm": (stablelm(num_key_value_heads=4, use_qkv_bias=True, **rope(partial_rotary_factor=0.5)), 7),
    "stablelm_parallel": (stablelm(use_parallel_residual=True, qk_layernorm=True, num_hidden_layers=1, **rope(theta=800.0, partial_rotary_factor=0.25)), 7),
    # prompts of 24 tokens, beyond the 16 of the first training
    "llama_dynamic_rope": (llama(**dict(rope_llama(kind="dynamic", theta=500.0, factor=2.0), max_position_embeddings=16)), 24),
    "llama_yarn_rope": (llama(**rope_llama(kind="yarn", theta=500.0, factor=4.0, beta_fast=2.0, beta_slow=0.25, original_max_position_embeddings=16)), 24),
    "phi3_longrope": (phi3(original_max_position_embeddings=16, **rope("longrope", partial_rotary_factor=0.7, short_factor=[1.0, 1.5], long_factor=[2.0, 5.5],
                                                                       original_max_position_embeddings=16)), 24),
}


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    normal = lambda p, std: torch.randn(p.shape, generator=g) * std
    config = model.config
    epsilon = getattr(config, "layer_norm_epsilon", 0)
    unscaled = not getattr(config, "scale_attn_weights", True) or config.model_type == "gpt_neo"
    for name, p in model.named_parameters():
        part = name.split(".")[-2]
        if name.endswith(".bias"):
            p.data = normal(p, 0.2)
        elif "norm" in part or ".norms." in name or part.startswith("ln_"):
            p.data = normal(p, 0.3) if config.model_type.startswith("gemma") else (1 + normal(p, 0.3)) * (1e6 if epsilon > 1 else 1)
        elif part in ("wte", "embed_tokens", "embed_in"):
            p.data = normal(p, 0.6)
        elif part in ("q_proj", "k_proj", "c_attn", "query_key_value", "qkv_proj"):
            p.data = normal(p, 0.2 if unscaled else 0.35)
        else:
            p.data = normal(p, 0.22)
    model.tie_weights()
