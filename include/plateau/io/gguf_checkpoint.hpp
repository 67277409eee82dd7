#pragma once
/// A GGUF file as a checkpoint: Hugging Face tensor names, Hugging Face row order.

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/gguf_config.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// The tensors of a GGUF file as transformers names and orders them, behind the interface of
/// safetensors_checkpoint. Files of architecture llama hold the rows of attn_q and attn_k (and of their
/// biases) such that rotated pairs are neighbours; here they stand half a head apart again:
///     row h·E + j·E/2 + i here = row h·E + 2i + j in the file,   j ∈ {0, 1}, i < E/2
/// Tensors that have no counterpart keep their names; rope_freqs.weight is part of the configuration.
/// @see permute in llama.cpp's convert_hf_to_gguf.py
class gguf_checkpoint {
public:
    /// @throws as gguf_file and config_from_gguf; config_error if attn_q or attn_k is misshaped
    explicit gguf_checkpoint(std::filesystem::path const& path);

    std::filesystem::path const& path() const { return file_.path(); }
    gguf_file const& file() const { return file_; }
    model_config const& config() const { return config_; }

    bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }

    /// Sorted.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (auto const& [name, tensor] : tensors_) names.push_back(name);
        return names;
    }

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return find(name).info; }

    /// @copydoc gguf_file::read
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const;

    /// @copydoc gguf_file::read_rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const;

private:
    struct mapped_tensor {
        tensor_info info;
        std::string stored_name;
        bool permuted;
    };

    mapped_tensor const& find(std::string_view name) const {
        auto const at = tensors_.find(name);
        if (at == tensors_.end()) {
            throw file_error{path().string(), ": the checkpoint has no tensor ", detail::shown_name(name)};
        }
        return at->second;
    }

    gguf_file file_;
    model_config config_;
    std::map<std::string, mapped_tensor, std::less<>> tensors_;
};

namespace detail {

/// "blk.3.attn_q.weight" to "model.layers.3.self_attn.q_proj.weight"; other names as they are.
[[gnu::cold]] inline std::string hugging_face_name(std::string_view stored) {
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

inline gguf_checkpoint::gguf_checkpoint(std::filesystem::path const& path)
    : file_{path}, config_{config_from_gguf(file_)} {
    for (auto const& stored : file_.names()) {
        if (stored == "rope_freqs.weight") continue;
        mapped_tensor tensor{file_.info(stored), stored, false};
        tensor.info.name = detail::hugging_face_name(stored);
        bool const query = tensor.info.name.find(".self_attn.q_proj.") != std::string::npos;
        bool const key = tensor.info.name.find(".self_attn.k_proj.") != std::string::npos;
        if (config_.model_type == "llama" && (query || key)) {
            index const rows = (query ? config_.heads : config_.kv_heads) * config_.d_head;
            if (tensor.info.shape.empty() || tensor.info.shape[0] != rows) {
                throw config_error{path.string(), ": tensor ", detail::shown_name(stored), " has shape ",
                                   to_string(tensor.info.shape), ", expected ", rows, " rows"};
            }
            tensor.permuted = true;
        }
        std::string const name = tensor.info.name;
        if (!tensors_.emplace(name, std::move(tensor)).second) {
            throw file_error{path.string(), ": tensor ", detail::shown_name(name), " is stored twice"};
        }
    }
}

template <ReadableFloat T>
void gguf_checkpoint::read(std::string_view name, std::span<T> out) const {
    auto const& tensor = find(name);
    if (tensor.permuted && static_cast<index>(out.size()) == element_count(tensor.info)) {
        read_rows(name, 0, tensor.info.shape[0], out);
    } else {
        file_.read(tensor.stored_name, out);  // a wrong size fails there
    }
}

template <ReadableFloat T>
void gguf_checkpoint::read_rows(std::string_view name, index first, index count, std::span<T> out) const {
    auto const& tensor = find(name);
    bool const fits = !tensor.info.shape.empty() && first >= 0 && count >= 0 && first <= tensor.info.shape[0] - count;
    index const width = fits ? element_count(tensor.info) / tensor.info.shape[0] : 0;
    if (!tensor.permuted || !fits || static_cast<index>(out.size()) != width * count) {
        file_.read_rows(tensor.stored_name, first, count, out);
        return;
    }
    index const half = config_.d_head / 2;
    for (index row = first; row < first + count; ++row) {
        index const in_head = row % config_.d_head;
        index const source = row - in_head + in_head % half * 2 + in_head / half;
        auto const target =
            out.subspan(static_cast<std::size_t>((row - first) * width), static_cast<std::size_t>(width));
        file_.read_rows(tensor.stored_name, source, 1, target);
    }
}

}  // namespace plateau::io
