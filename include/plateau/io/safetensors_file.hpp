#pragma once
/// One safetensors file, memory-mapped.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// The tensors of one file. The header is checked on construction; elements are read from the mapping
/// when asked for, so that opening costs nothing per weight. Reading is safe from many threads.
class safetensors_file {
public:
    /// @throws file_error if the file cannot be read or is malformed
    explicit safetensors_file(std::filesystem::path const& path)
        : file_{path}, header_{parse_safetensors_header(file_.bytes(), path.string())} {}

    std::filesystem::path const& path() const { return file_.path(); }
    safetensors_header const& header() const { return header_; }
    bool contains(std::string_view name) const { return header_.entries.find(name) != header_.entries.end(); }

    /// Sorted.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (auto const& [name, entry] : header_.entries) names.push_back(name);
        return names;
    }

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return entry(name).info; }

    /// The stored bytes of a tensor, at any alignment. @throws file_error if there is no such tensor
    std::span<std::byte const> bytes(std::string_view name) const {
        auto const& at = entry(name);
        return file_.bytes().subspan(at.begin, at.end - at.begin);
    }

    /// All elements, row-major, converted: widening is exact, narrowing rounds to nearest, ties to even.
    /// @throws file_error if there is no such tensor or its type is no float; shape_error if `out` has
    ///         another number of elements; numeric_error with the flat index of a value that is not
    ///         finite, before or after the conversion
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const {
        auto const& at = entry(name);
        require_elements(at, out.size());
        convert(at, 0, out);
    }

    /// Rows [first, first + count) of the first axis, as `read`.
    /// @throws shape_error also if the tensor is a scalar or has fewer rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const {
        auto const& at = entry(name);
        convert(at, first_element(at, first, count, out.size()), out);
    }

private:
    safetensors_entry const& entry(std::string_view name) const {
        auto const at = header_.entries.find(name);
        if (at == header_.entries.end()) {
            throw file_error{path().string(), ": there is no tensor ", printable(name)};
        }
        return at->second;
    }

    [[gnu::cold]] std::string describe_tensor(safetensors_entry const& at) const {
        return concat({path().string(), ": tensor ", printable(at.info.name), " of shape ", to_string(at.info.shape)});
    }

    void require_elements(safetensors_entry const& at, std::size_t expected) const {
        if (static_cast<index>(expected) != element_count(at.info)) {
            throw shape_error{describe_tensor(at), " has ", element_count(at.info), " elements, expected ", expected};
        }
    }

    /// The flat index where rows [first, first + count) begin, if they are there and have `expected` elements.
    std::size_t first_element(safetensors_entry const& at, index first, index count, std::size_t expected) const {
        if (at.info.shape.empty() || first < 0 || count < 0 || first > at.info.shape[0] - count) {
            throw shape_error{describe_tensor(at), " has no rows [", first, ", ", first, " + ", count, ")"};
        }
        index const rows = at.info.shape[0];
        auto const width = static_cast<std::size_t>(rows > 0 ? element_count(at.info) / rows : 0);
        if (expected != width * static_cast<std::size_t>(count)) {
            throw shape_error{describe_tensor(at), " has ", width, " elements in a row, ", expected,
                              " were asked for in ", count, " rows"};
        }
        return static_cast<std::size_t>(first) * width;
    }

    dtype stored_type(safetensors_entry const& at) const {
        if (auto const stored = safetensors_dtype(at.info.stored)) return *stored;
        throw file_error{describe_tensor(at), " is stored as ", at.info.stored,
                         "; weights must be F64, F32, F16 or BF16"};
    }

    [[noreturn]] void refuse_value(safetensors_entry const& at, std::size_t bad, dtype type) const {
        throw numeric_error{describe_tensor(at), ": the value at flat index ", bad, " is not finite in ", name_of(type),
                            "; the checkpoint is damaged, or needs a wider --dtype"};
    }

    template <class T>
    void convert(safetensors_entry const& at, std::size_t first, std::span<T> out) const {
        dtype const stored = stored_type(at);
        std::size_t const width = size_of(stored);
        auto const source = file_.bytes().subspan(at.begin + first * width, out.size() * width);
        index const bad = convert_elements(stored, source, out);
        if (bad >= 0) refuse_value(at, first + static_cast<std::size_t>(bad), dtype_of<T>);
    }

    mapped_file file_;
    safetensors_header header_;
};

}  // namespace plateau::io
