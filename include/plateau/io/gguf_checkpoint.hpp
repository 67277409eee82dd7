#pragma once
/// A GGUF file as a checkpoint: Hugging Face tensor names, Hugging Face row order.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

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

    bool contains(std::string_view name) const { return table_.contains(name); }

    /// Sorted.
    std::vector<std::string> names() const { return table_.names(); }

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return table_.at(name).info; }

    /// @copydoc gguf_file::read
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const;

    /// @copydoc gguf_file::read_rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const;

    /// @copydoc mapped_file::drop_pages
    void drop_pages() const { file_.drop_pages(); }

private:
    /// The rows of a tensor that the file holds in another order; 0 if it has the order of Hugging Face.
    index permuted_rows(tensor_info const& info) const;

    template <class T>
    void decode_rows(stored_tensor const& at, index first, index count, std::span<T> out) const;

    gguf_file file_;
    model_config config_;
    tensor_table table_;  // of file_, under other names
};

template <ReadableFloat T>
void gguf_checkpoint::read(std::string_view name, std::span<T> out) const {
    auto const& at = table_.at(name);
    table_.require_elements(at, out.size());
    if (permuted_rows(at.info) == 0) file_.decode(at, 0, out);
    else decode_rows(at, 0, at.info.shape[0], out);
}

template <ReadableFloat T>
void gguf_checkpoint::read_rows(std::string_view name, index first, index count, std::span<T> out) const {
    auto const& at = table_.at(name);
    index const element = table_.first_element(at, first, count, out.size());
    if (permuted_rows(at.info) == 0) file_.decode(at, element, out);
    else decode_rows(at, first, count, out);
}

template <class T>
void gguf_checkpoint::decode_rows(stored_tensor const& at, index first, index count, std::span<T> out) const {
    index const width = element_count(at.info) / at.info.shape[0], half = config_.d_head / 2;
    for (index row = first; row < first + count; ++row) {
        index const in_head = row % config_.d_head;
        index const source = row - in_head + in_head % half * 2 + in_head / half;
        auto const target =
            out.subspan(static_cast<std::size_t>((row - first) * width), static_cast<std::size_t>(width));
        file_.decode(at, source * width, target);
    }
}

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_checkpoint.ipp>
#endif
