#pragma once
/// Bodies of io/gguf_architectures.hpp.

#include <span>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/variants.hpp>
#include <plateau/io/gguf_architectures.hpp>

namespace plateau::io {

namespace detail {

inline constexpr std::string_view llama_names =
    " token_embd=model.embed_tokens output_norm=model.norm output=lm_head attn_norm=input_layernorm "
    "attn_q=self_attn.q_proj attn_k=self_attn.k_proj attn_v=self_attn.v_proj attn_q_norm=self_attn.q_norm "
    "attn_k_norm=self_attn.k_norm attn_output=self_attn.o_proj ffn_norm=post_attention_layernorm "
    "ffn_gate=mlp.gate_proj ffn_up=mlp.up_proj ffn_down=mlp.down_proj ";
inline constexpr std::string_view gpt2_names =
    " token_embd=transformer.wte position_embd=transformer.wpe output_norm=transformer.ln_f attn_norm=ln_1 "
    "attn_qkv=attn.c_attn attn_output=attn.c_proj ffn_norm=ln_2 ffn_up=mlp.c_fc ffn_down=mlp.c_proj ";
inline constexpr std::string_view gpt_neox_names =
    " token_embd=gpt_neox.embed_in output_norm=gpt_neox.final_layer_norm output=embed_out "
    "attn_qkv=attention.query_key_value attn_output=attention.dense ffn_up=mlp.dense_h_to_4h "
    "ffn_down=mlp.dense_4h_to_h ";
inline constexpr std::string_view phi_names =
    " output_norm=model.final_layernorm attn_output=self_attn.dense ffn_up=mlp.fc1 ffn_down=mlp.fc2 ";
inline constexpr std::string_view phi3_names = " attn_qkv=self_attn.qkv_proj ffn_up=mlp.gate_up_proj ";
inline constexpr std::string_view gemma2_names =
    " post_attention_norm=post_attention_layernorm ffn_norm=pre_feedforward_layernorm "
    "post_ffw_norm=post_feedforward_layernorm ";
inline constexpr std::string_view olmo2_names =
    " post_attention_norm=post_attention_layernorm post_ffw_norm=post_feedforward_layernorm ";

// The order is that of messages.
inline constexpr gguf_architecture gguf_architectures[]{
    {.name = "llama", .model_type = "llama", .rows = gguf_rows::rotary_pairs},  // Mistral's too
    {.name = "qwen2", .model_type = "qwen2"},
    {.name = "qwen3", .model_type = "qwen3", .qk_norm = qk_norm_kind::per_head},
    {.name = "gpt2",
     .model_type = "gpt2",
     .blocks = "transformer.h.",
     .names = gpt2_names,
     .rows = gguf_rows::transposed,
     .norm = norm_kind::layer,
     .act = activation::gelu_tanh,
     .gated = false,
     .learned_positions = true,
     .assumed_sizes = true},
    {.name = "gptneox",
     .model_type = "gpt_neox",
     .blocks = "gpt_neox.layers.",
     .names = gpt_neox_names,
     .rows = gguf_rows::stacked,
     .norm = norm_kind::layer,
     .act = activation::gelu,
     .gated = false,
     .partial_rotary = true,
     .options = " use_parallel_residual "},
    {.name = "phi2",
     .model_type = "phi",
     .names = phi_names,
     .norm = norm_kind::layer,
     .act = activation::gelu_tanh,
     .gated = false,
     .parallel = true,
     .partial_rotary = true,
     .assumed_sizes = true},
    {.name = "phi3", .model_type = "phi3", .names = phi3_names, .partial_rotary = true, .windowed_type = "phi3"},
    {.name = "gemma", .model_type = "gemma", .act = activation::gelu_tanh, .scaled_embedding = true},
    {.name = "gemma2",
     .model_type = "gemma2",
     .names = gemma2_names,
     .act = activation::gelu_tanh,
     .scaled_embedding = true,
     .scores_by_width = 46,
     .unwindowed_every = 2,
     .window = 4096,
     .windowed_type = "gemma2",
     .options = " attn_logit_softcapping final_logit_softcapping "},
    {.name = "gemma3",
     .model_type = "gemma3_text",
     .names = gemma2_names,
     .act = activation::gelu_tanh,
     .scaled_embedding = true,
     .qk_norm = qk_norm_kind::per_head,
     .scores_by_width = 62,
     .unwindowed_every = 6,
     .local_theta = 10000,
     .windowed_type = "gemma3_text",
     .options = " final_logit_softcapping "},
    {.name = "olmo",
     .model_type = "olmo",
     .rows = gguf_rows::rotary_pairs_of_weights,
     .norm = norm_kind::layer,
     .norm_weights = false,
     .options = " attention.clamp_kqv "},
    {.name = "olmo2",
     .model_type = "olmo2",
     .names = olmo2_names,
     .qk_norm = qk_norm_kind::whole,
     .unwindowed_every = 4,
     .local_theta = -1,
     .windowed_type = "olmo3"},
    {.name = "smollm3", .model_type = "smollm3", .rows = gguf_rows::rotary_pairs, .unrotated_every = 4},
};

}  // namespace detail

PLATEAU_INLINE std::span<gguf_architecture const> known_gguf_architectures() { return detail::gguf_architectures; }

PLATEAU_INLINE std::string hugging_face_name(gguf_architecture const& architecture, std::string_view stored) {
    constexpr std::string_view block = "blk.";
    auto const ending = stored.rfind('.');
    if (ending == std::string_view::npos) return std::string(stored);
    std::string_view at, part = stored.substr(0, ending);
    if (stored.starts_with(block)) {
        auto const number_end = stored.find('.', block.size());
        if (number_end >= ending) return std::string(stored);
        at = stored.substr(block.size(), number_end + 1 - block.size());
        part = stored.substr(number_end + 1, ending - number_end - 1);
    }
    auto const wanted = concat({" ", part, "="});
    for (auto const names : {architecture.names, detail::llama_names}) {
        auto const found = names.find(wanted);
        if (found == std::string_view::npos) continue;
        auto const begin = found + wanted.size();
        auto const name = names.substr(begin, names.find(' ', begin) - begin);
        return concat({at.empty() ? at : architecture.blocks, at, name, stored.substr(ending)});
    }
    return std::string(stored);
}

}  // namespace plateau::io
