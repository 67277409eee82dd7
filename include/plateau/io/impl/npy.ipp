#pragma once
/// Bodies of io/npy.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/npy_header.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

PLATEAU_INLINE npy_array read_npy(std::filesystem::path const& path) {
    mapped_file const file{path};
    return parse_npy(file.bytes(), path.string());
}

namespace detail {

PLATEAU_INLINE void require_npy_size(std::size_t values, std::span<index const> shape) {
    index count = 1;
    bool fits = true;
    for (index extent : shape) {
        fits = fits && extent >= 0 && (extent == 0 || count <= std::numeric_limits<index>::max() / extent);
        if (fits) count *= extent;
    }
    if (!fits || count != static_cast<index>(values)) {
        throw shape_error(values, " values do not make an array of shape ",
                          to_string(std::vector<index>(shape.begin(), shape.end())));
    }
}

/// Copies from Fortran to C order, item by item.
PLATEAU_INLINE_HOT void to_c_order(npy_header const& header, std::byte const* from, std::byte* to) {
    std::size_t const rank = header.shape.size(), item = header.item_bytes;
    std::vector<index> at(rank, 0);
    for (std::size_t done = 0; done < header.data_bytes(); done += item) {
        index source = 0;
        for (std::size_t axis = rank; axis-- > 0;) source = source * header.shape[axis] + at[axis];
        std::memcpy(to + done, from + static_cast<std::size_t>(source) * item, item);
        for (std::size_t axis = rank; axis-- > 0 && ++at[axis] == header.shape[axis];) at[axis] = 0;
    }
}

template <class T>
void widen(npy_array const& array, std::vector<index>& out, std::string const& where) {
    for (std::size_t i = 0; i < array.data.size() / sizeof(T); ++i) {
        T value;
        std::memcpy(&value, array.data.data() + i * sizeof(T), sizeof(T));
        if constexpr (std::is_same_v<T, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<index>::max())) {
                throw file_error(where, ": the value ", value, " is too large");
            }
        }
        out.push_back(static_cast<index>(value));
    }
}

}  // namespace detail

PLATEAU_INLINE npy_array parse_npy(std::span<std::byte const> bytes, std::string const& where) {
    npy_header header = parse_npy_header(bytes, where);
    auto const data = bytes.subspan(header.data_begin);
    std::size_t const needed = header.data_bytes();
    if (data.size() != needed) {
        throw file_error(where, ": an array of shape ", to_string(header.shape), " has ", needed,
                         " bytes, the file has ", data.size(),
                         data.size() < needed ? "; it is cut, write it again" : "; it holds more than one array");
    }
    npy_array array{std::move(header.descr), header.shape, std::vector<std::byte>(needed)};
    if (header.fortran_order && header.shape.size() > 1) detail::to_c_order(header, data.data(), array.data.data());
    else if (needed > 0) std::memcpy(array.data.data(), data.data(), needed);
    return array;
}

PLATEAU_INLINE npy_data<index> integers(npy_array const& array, std::string const& where) {
    npy_data<index> out{array.shape, {}};
    out.values.reserve(static_cast<std::size_t>(array.size()));
    if (array.descr == "<i8") detail::widen<std::int64_t>(array, out.values, where);
    else if (array.descr == "<i4") detail::widen<std::int32_t>(array, out.values, where);
    else if (array.descr == "<i2") detail::widen<std::int16_t>(array, out.values, where);
    else if (array.descr == "|i1") detail::widen<std::int8_t>(array, out.values, where);
    else if (array.descr == "<u8") detail::widen<std::uint64_t>(array, out.values, where);
    else if (array.descr == "<u4") detail::widen<std::uint32_t>(array, out.values, where);
    else if (array.descr == "<u2") detail::widen<std::uint16_t>(array, out.values, where);
    else if (array.descr == "|u1") detail::widen<std::uint8_t>(array, out.values, where);
    else throw file_error(where, ": the array holds '", array.descr, "', expected integers; save int32 or int64");
    return out;
}

}  // namespace plateau::io
