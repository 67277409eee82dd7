#pragma once
/// Bodies of io/gguf_checkpoint.hpp.

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/gguf_config.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

namespace detail {

/// "blk.3.attn_q.weight" to "model.layers.3.self_attn.q_proj.weight"; other names as they are.
PLATEAU_INLINE std::string hugging_face_name(std::string_view stored) {
    if (stored == "token_embd.weight") return "model.embed_tokens.weight";
    if (stored == "output_norm.weight") return "model.norm.weight";
    if (stored == "output.weight") return "lm_head.weight";
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> parts{{
        {"attn_norm", "input_layernorm"},
        {"attn_q", "self_attn.q_proj"},
        {"attn_k", "self_attn.k_proj"},
        {"attn_v", "self_attn.v_proj"},
        {"attn_output", "self_attn.o_proj"},
        {"ffn_norm", "post_attention_layernorm"},
        {"ffn_gate", "mlp.gate_proj"},
        {"ffn_up", "mlp.up_proj"},
        {"ffn_down", "mlp.down_proj"},
    }};
    constexpr std::string_view block = "blk.";
    auto const layer_end = stored.find('.', block.size());
    auto const part_end = stored.rfind('.');
    if (!stored.starts_with(block) || layer_end == std::string_view::npos || part_end <= layer_end)
        return std::string(stored);
    auto const layer = stored.substr(block.size(), layer_end - block.size());
    auto const part = stored.substr(layer_end + 1, part_end - layer_end - 1);
    for (auto const& [theirs, ours] : parts) {
        if (part != theirs) continue;
        return concat({"model.layers.", layer, ".", ours, stored.substr(part_end)});
    }
    return std::string(stored);
}

}  // namespace detail

PLATEAU_INLINE index gguf_checkpoint::permuted_rows(tensor_info const& info) const {
    if (config_.model_type != "llama") return 0;
    if (info.name.find(".self_attn.q_proj.") != std::string::npos) return config_.heads * config_.d_head;
    if (info.name.find(".self_attn.k_proj.") != std::string::npos) return config_.kv_heads * config_.d_head;
    return 0;
}

PLATEAU_INLINE gguf_checkpoint::gguf_checkpoint(std::filesystem::path const& path)
    : file_{path}, config_{config_from_gguf(file_)}, table_{path.string()} {
    for (auto tensor : file_.tensors().all()) {
        std::string const stored = tensor.info.name;
        if (stored == "rope_freqs.weight") continue;
        tensor.info.name = detail::hugging_face_name(stored);
        index const rows = permuted_rows(tensor.info);
        if (rows > 0 && (tensor.info.shape.empty() || tensor.info.shape[0] != rows)) {
            throw config_error(path.string(), ": tensor ", printable(stored), " has shape ",
                               to_string(tensor.info.shape), ", expected ", rows, " rows");
        }
        table_.add(std::move(tensor));
    }
}

}  // namespace plateau::io
