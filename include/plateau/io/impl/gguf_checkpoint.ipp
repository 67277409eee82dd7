#pragma once
/// Bodies of io/gguf_checkpoint.hpp.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf_architectures.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/gguf_config.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

PLATEAU_INLINE gguf_rows gguf_checkpoint::moved(tensor_info const& info) const {
    auto const is = [&](std::string_view part) { return info.name.find(part) != std::string::npos; };
    bool moves = false;
    switch (rows_) {
        case gguf_rows::rotary_pairs: moves = is(".q_proj.") || is(".k_proj."); break;
        case gguf_rows::rotary_pairs_of_weights: moves = is(".q_proj.weight") || is(".k_proj.weight"); break;
        case gguf_rows::stacked: moves = is(".query_key_value."); break;
        case gguf_rows::transposed: moves = is(".c_") && is(".weight") && info.shape.size() == 2; break;
        case gguf_rows::kept: break;
    }
    return moves ? rows_ : gguf_rows::kept;
}

PLATEAU_INLINE index gguf_checkpoint::stored_row(gguf_rows moved, index row) const {
    index const width = config_.d_head, in_head = row % width, half = width / 2;
    if (moved != gguf_rows::stacked) return row - in_head + in_head % half * 2 + in_head / half;
    return (row / width % 3 * config_.heads + row / (3 * width)) * width + in_head;
}

PLATEAU_INLINE gguf_checkpoint::gguf_checkpoint(std::filesystem::path const& path)
    : file_{path}, config_{config_from_gguf(file_)}, rows_{gguf_architecture_of(file_).rows}, table_{path.string()} {
    auto const& architecture = gguf_architecture_of(file_);
    index const q = config_.heads * config_.d_head, kv = config_.kv_heads * config_.d_head;
    for (auto const& at : file_.tensors().all()) {
        std::string_view const stored = at.info.name, together = ".attn_qkv.";
        if (stored.starts_with("rope_f")) continue;  // divisors of frequencies, of the configuration
        auto const require_rows = [&](index rows) {
            if (!at.info.shape.empty() && at.info.shape[0] == rows && at.size % static_cast<std::size_t>(rows) == 0)
                return;
            throw config_error(path.string(), ": tensor ", printable(stored), " has shape ", to_string(at.info.shape),
                               ", expected ", rows, " rows");
        };
        auto const name = hugging_face_name(architecture, stored);
        // q, k and v one below the other, of a family that has a tensor each: files of old converters and of --fuse-qkv
        auto const split = name == stored ? stored.find(together) : std::string_view::npos;
        std::string_view const parts = split == std::string_view::npos ? "-" : "qkv";
        for (std::size_t i = 0; i < parts.size(); ++i) {
            auto tensor = at;
            tensor.info.name = name;
            if (parts.size() == 3) {
                require_rows(q + 2 * kv);
                std::size_t const row_bytes = at.size / static_cast<std::size_t>(q + 2 * kv);
                index const first = i == 0 ? 0 : i == 1 ? q : q + kv, rows = i == 0 ? q : kv;
                tensor.begin += row_bytes * static_cast<std::size_t>(first);
                tensor.size = row_bytes * static_cast<std::size_t>(rows);
                tensor.info.shape[0] = rows;
                tensor.info.name =
                    hugging_face_name(architecture, concat({stored.substr(0, split), ".attn_", parts.substr(i, 1), ".",
                                                            stored.substr(split + together.size())}));
            }
            auto const how = moved(tensor.info);
            if (how == gguf_rows::transposed) std::swap(tensor.info.shape[0], tensor.info.shape[1]);
            else if (how == gguf_rows::stacked) require_rows(3 * q);
            else if (how != gguf_rows::kept && parts.size() == 1)
                require_rows(name.find(".q_proj.") != std::string::npos ? q : kv);
            table_.add(std::move(tensor));
        }
    }
}

}  // namespace plateau::io
