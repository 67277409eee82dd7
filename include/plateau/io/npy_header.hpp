#pragma once
/// The header of NumPy's NPY format: the element type, the order and the shape of one array.
///     "\x93NUMPY" | version 1, 2 or 3 | length | Python dict literal, padded with blanks | data
/// @see numpy.lib.format

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// NumPy's name of the element type that stores T, little-endian: "<f8", "<f4", "<f2", "|b1" or an integer's.
template <class T>
inline constexpr std::string_view npy_descr = [] {
    if constexpr (std::is_same_v<T, double>) return std::string_view("<f8");
    else if constexpr (std::is_same_v<T, float>) return std::string_view("<f4");
    else if constexpr (std::is_same_v<T, float16>) return std::string_view("<f2");
    else if constexpr (std::is_same_v<T, bool>) return std::string_view("|b1");
    else {
        static_assert(std::is_integral_v<T>, "NPY has no element type for T");
        constexpr std::string_view names[2][4] = {{"|u1", "<u2", "<u4", "<u8"}, {"|i1", "<i2", "<i4", "<i8"}};
        return names[std::is_signed_v<T>][std::bit_width(sizeof(T)) - 1];
    }
}();

struct npy_header {
    std::string descr;  ///< one of npy_descr
    bool fortran_order = false;
    std::vector<index> shape;
    std::size_t data_begin = 0;  ///< bytes before the elements
    std::size_t item_bytes = 0;

    std::size_t data_bytes() const { return static_cast<std::size_t>(element_count({{}, {}, shape})) * item_bytes; }
};

/// Bytes of one element; 0 for a descr that is not one of npy_descr.
constexpr std::size_t npy_item_bytes(std::string_view descr) {
    constexpr std::array<std::string_view, 12> known{"<f8", "<f4", "<f2", "|i1", "<i2", "<i4",
                                                     "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"};
    if (std::find(known.begin(), known.end(), descr) == known.end()) return 0;
    return static_cast<std::size_t>(descr[2] - '0');
}

/// Reads the header at the start of `bytes`; the elements need not be there.
/// @param where  the file, for messages
/// @throws file_error: not NPY, cut, malformed, a big-endian, structured or object type, a shape that
///         overflows
npy_header parse_npy_header(std::span<std::byte const> bytes, std::string const& where);

/// The bytes before the elements of a C-ordered array, the same that NumPy writes: version 1.0, padded to
/// a multiple of 64 with room for the first extent to grow.
/// @throws shape_error on a negative extent or more than 64 axes
std::string npy_prefix(std::string_view descr, std::span<index const> shape);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/npy_header.ipp>
#endif
