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
#include <plateau/io/gguf_architectures.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

/// The tensors of a GGUF file as transformers names and orders them, behind the interface of
/// safetensors_checkpoint. What the converter of llama.cpp moved stands at its old place again:
///     pairs of attn_q and attn_k half a head apart:  row h·E + j·E/2 + i here = row h·E + 2i + j in the file, i < E/2
///     attn_qkv by head (GPT-NeoX):                   row (3h + j)·E + i here  = row (jH + h)·E + i in the file
///     Conv1D (GPT-2):                                [inputs, outputs] here   = [outputs, inputs] in the file
/// An attn_qkv of a family that has three tensors is three. Tensors that have no counterpart keep their names;
/// rope_freqs.weight and rope_factors_*.weight are part of the configuration. Norms of Gemma are 1 + w, as in the file.
/// @see https://github.com/ggml-org/llama.cpp/tree/master/conversion
class gguf_checkpoint {
public:
    /// @throws as gguf_file and config_from_gguf; config_error naming a tensor of which rows moved and whose shape does
    ///         not fit the configuration
    explicit gguf_checkpoint(std::filesystem::path const& path);

    std::filesystem::path const& path() const { return file_.path(); }
    gguf_file const& file() const { return file_; }
    model_config const& config() const { return config_; }

    bool contains(std::string_view name) const { return table_.contains(name); }

    /// Sorted.
    std::vector<std::string> names() const { return table_.names(); }

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return table_.at(name).info; }

    /// The bytes that a tensor is stored in. @throws as info
    std::span<std::byte const> bytes(std::string_view name) const {
        auto const& at = table_.at(name);
        return {at.file + at.begin, at.size};
    }

    /// @copydoc gguf_file::read
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const;

    /// @copydoc gguf_file::read_rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const;

    /// @copydoc mapped_file::drop_pages
    void drop_pages() const { file_.drop_pages(); }

private:
    /// What is between a tensor of the file and the one here.
    gguf_rows moved(tensor_info const& info) const;
    index stored_row(gguf_rows moved, index row) const;

    template <class T>
    void decode_rows(stored_tensor const& at, index first, index count, std::span<T> out) const;

    gguf_file file_;
    model_config config_;
    gguf_rows rows_;
    tensor_table table_;  // of file_, under other names
};

template <ReadableFloat T>
void gguf_checkpoint::read(std::string_view name, std::span<T> out) const {
    auto const& at = table_.at(name);
    table_.require_elements(at, out.size());
    if (moved(at.info) == gguf_rows::kept) file_.decode(at, 0, out);
    else decode_rows(at, 0, at.info.shape[0], out);
}

template <ReadableFloat T>
void gguf_checkpoint::read_rows(std::string_view name, index first, index count, std::span<T> out) const {
    auto const& at = table_.at(name);
    index const element = table_.first_element(at, first, count, out.size());
    if (moved(at.info) == gguf_rows::kept) file_.decode(at, element, out);
    else decode_rows(at, first, count, out);
}

template <class T>
void gguf_checkpoint::decode_rows(stored_tensor const& at, index first, index count, std::span<T> out) const {
    auto const how = moved(at.info);
    index const rows = at.info.shape[0], width = element_count(at.info) / rows;
    if (how == gguf_rows::transposed) {
        // a row here is a column of the file: those asked for are a run of each of its rows
        std::vector<T> run(static_cast<std::size_t>(count));
        for (index column = 0; column < width; ++column) {
            file_.decode(at, column * rows + first, std::span<T>(run));
            for (index row = 0; row < count; ++row) {
                out[static_cast<std::size_t>(row * width + column)] = run[static_cast<std::size_t>(row)];
            }
        }
        return;
    }
    for (index row = first; row < first + count; ++row) {
        auto const target =
            out.subspan(static_cast<std::size_t>((row - first) * width), static_cast<std::size_t>(width));
        file_.decode(at, stored_row(how, row) * width, target);
    }
}

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_checkpoint.ipp>
#endif
