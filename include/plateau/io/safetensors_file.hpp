#pragma once
/// One file of weights, memory-mapped: safetensors, or what torch.save wrote.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

/// The tensors of one file. The header is checked on construction; elements are read from the mapping
/// when asked for, so that opening costs nothing per weight. Reading is safe from many threads.
class safetensors_file {
public:
    /// @throws file_error if the file cannot be read or is malformed
    explicit safetensors_file(std::filesystem::path const& path);

    std::filesystem::path const& path() const { return file_.path(); }
    safetensors_header const& header() const { return header_; }  ///< of torch.save's without metadata
    bool contains(std::string_view name) const { return table().contains(name); }

    /// Sorted.
    std::vector<std::string> names() const { return table().names(); }

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return table().at(name).info; }

    /// The stored bytes of a tensor, at any alignment. @throws file_error if there is no such tensor
    std::span<std::byte const> bytes(std::string_view name) const { return bytes_of(table().at(name)); }

    /// False if the bytes are not those of the mapping, but in memory. @throws file_error if there is no such tensor
    bool is_mapped(std::string_view name) const {
        return gathered_.empty() || table().at(name).begin < file_.bytes().size();
    }

    /// All elements, row-major, converted: widening is exact, narrowing rounds to nearest, ties to even.
    /// @throws file_error if there is no such tensor or its type is no float; shape_error if `out` has
    ///         another number of elements; numeric_error with the flat index of a value that is not
    ///         finite, before or after the conversion
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const {
        auto const& at = table().at(name);
        table().require_elements(at, out.size());
        convert(at, 0, out);
    }

    /// Rows [first, first + count) of the first axis, as `read`.
    /// @throws shape_error also if the tensor is a scalar or has fewer rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const {
        auto const& at = table().at(name);
        convert(at, table().first_element(at, first, count, out.size()), out);
    }

    /// @copydoc tensor_table::drop_component
    bool drop_component(std::string_view component) { return header_.tensors.drop_component(component); }

    /// @copydoc mapped_file::drop_pages
    void drop_pages() const { file_.drop_pages(); }

private:
    tensor_table const& table() const { return header_.tensors; }

    std::span<std::byte const> bytes_of(stored_tensor const& at) const;
    dtype stored_type(stored_tensor const& at) const;

    template <class T>
    void convert(stored_tensor const& at, index first, std::span<T> out) const {
        dtype const stored = stored_type(at);
        std::size_t const width = size_of(stored);
        auto const source = bytes_of(at).subspan(static_cast<std::size_t>(first) * width, out.size() * width);
        index const bad = convert_elements(stored, source, out);
        if (bad >= 0) table().refuse_value(at, first + bad, dtype_of<T>);
    }

    mapped_file file_;
    safetensors_header header_;
    std::vector<std::byte> gathered_;  // @see torch_tensors
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/safetensors_file.ipp>
#endif
