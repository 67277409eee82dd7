#pragma once
/// One GGUF file (versions 2 and 3), or all parts of a split one, memory-mapped.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/gguf_blocks.hpp>
#include <plateau/io/gguf_cursor.hpp>
#include <plateau/io/gguf_metadata.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

/// Metadata and tensors of one file. The tables are checked on construction; elements are decoded from
/// the mapping when asked for. Values are those of gguf.quants.dequantize (Python package gguf), bit for
/// bit. Reading is safe from many threads.
/// A file that says `split.count` = n > 1 is one of n parts NAME-00001-of-0000n.gguf: any of them opens all. The
/// metadata are those of the first part.
/// @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; gguf-split and llama_model_loader of llama.cpp
class gguf_file {
public:
    /// @throws file_error if the file cannot be read or is malformed: wrong magic, version or byte order,
    ///         counts or lengths past the end, an alignment that is no power of two, a key or tensor
    ///         twice, an unsupported tensor type, a shape that overflows or does not fill whole blocks,
    ///         data that is misaligned, overlapping or past the end; of a split file also a part that is missing,
    ///         of another model or number, and a number of tensors that is not split.tensors.count
    explicit gguf_file(std::filesystem::path path);

    /// Of a split file the part that was given.
    std::filesystem::path const& path() const { return files_.front().path(); }
    gguf_metadata const& metadata() const { return metadata_; }
    bool contains(std::string_view name) const { return table_.contains(name); }
    tensor_table const& tensors() const { return table_; }

    /// Sorted.
    std::vector<std::string> names() const { return table_.names(); }

    /// The shape is row-major, slowest axis first: the reverse of GGUF's `ne`.
    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return table_.at(name).info; }

    /// The stored bytes of a tensor. @throws file_error if there is no such tensor
    std::span<std::byte const> bytes(std::string_view name) const {
        auto const& at = table_.at(name);
        return {at.file + at.begin, at.size};
    }

    /// All elements, row-major: decoded to float (F64: as they are), then widened exactly or rounded to nearest, ties
    /// to even.
    /// @throws file_error if there is no such tensor; shape_error if `out` has another number of elements;
    ///         numeric_error with the flat index of a value that is not finite
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const {
        auto const& at = table_.at(name);
        table_.require_elements(at, out.size());
        decode(at, 0, out);
    }

    /// Rows [first, first + count) of the first axis, as `read`.
    /// @throws shape_error also if the tensor is a scalar or has fewer rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const {
        auto const& at = table_.at(name);
        decode(at, table_.first_element(at, first, count, out.size()), out);
    }

    /// out.size() elements from flat index `first` of one of tensors(), as `read`.
    template <class T>
    void decode(stored_tensor const& at, index first, std::span<T> out) const;

    /// @copydoc mapped_file::drop_pages
    void drop_pages() const {
        for (auto const& file : files_) file.drop_pages();
    }

private:
    gguf_metadata add_file(std::filesystem::path path, index part);
    void add_other_parts(index count);
    void require_part(gguf_metadata const& metadata, index part) const;

    std::list<mapped_file> files_;
    gguf_metadata metadata_;
    tensor_table table_;
};

template <class T>
void gguf_file::decode(stored_tensor const& at, index first, std::span<T> out) const {
    constexpr index chunk = 1024;  // a multiple of the elements of every block
    float decoded[chunk];
    auto const& encoding = *find_gguf_encoding(at.info.stored);
    index const per_block = encoding.elements;
    index const last = first + static_cast<index>(out.size());
    std::byte const* const data = at.file + at.begin;
    if (encoding.number) {
        std::span const source{data + first * encoding.bytes, out.size() * size_of(*encoding.number)};
        index const bad = convert_elements(*encoding.number, source, out);
        if (bad >= 0) table_.refuse_value(at, first + bad, dtype_of<T>);
        return;
    }
    for (index from = first / per_block * per_block; from < last; from += chunk) {
        index const blocks = (std::min(chunk, last - from) + per_block - 1) / per_block;
        encoding.decode(data + from / per_block * encoding.bytes, blocks, decoded);
        index const begin = std::max(first, from);
        index const end = std::min(last, from + chunk);
        auto const target = out.subspan(static_cast<std::size_t>(begin - first), static_cast<std::size_t>(end - begin));
        auto const source =
            std::as_bytes(std::span{decoded}).subspan(static_cast<std::size_t>(begin - from) * sizeof(float));
        index const bad = convert_elements(dtype::f32, source.first(target.size() * sizeof(float)), target);
        if (bad >= 0) table_.refuse_value(at, begin + bad, dtype_of<T>);
    }
}

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf.ipp>
#endif
