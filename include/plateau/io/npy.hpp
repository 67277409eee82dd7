#pragma once
/// Arrays in NumPy's NPY format, little-endian.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/npy_header.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// An array of any element type, in C order.
struct npy_array {
    std::string descr;  ///< "<f4", "<i8", ...
    std::vector<index> shape;
    std::vector<std::byte> data;

    index size() const { return element_count({{}, {}, shape}); }
};

/// An array of elements T, in C order.
template <class T>
struct npy_data {
    std::vector<index> shape;
    std::vector<T> values;
};

/// The array that `bytes` holds; Fortran order is turned into C order.
/// @throws file_error: as parse_npy_header; elements cut; bytes left over
npy_array parse_npy(std::span<std::byte const> bytes, std::string const& where);

/// @throws file_error also if the file cannot be read
inline npy_array read_npy(std::filesystem::path const& path) {
    mapped_file const file{path};
    return parse_npy(file.bytes(), path.string());
}

/// The elements as T. @throws file_error if another type is stored
template <class T>
npy_data<T> typed(npy_array const& array, std::string const& where) {
    static_assert(!std::is_same_v<T, bool>, "read |b1 through npy_array::data");
    if (array.descr != npy_descr<T>) {
        throw file_error(where, ": the array holds '", array.descr, "', expected '", npy_descr<T>, "'");
    }
    npy_data<T> out{array.shape, std::vector<T>(static_cast<std::size_t>(array.size()))};
    if (!out.values.empty()) std::memcpy(out.values.data(), array.data.data(), array.data.size());
    return out;
}

template <class T>
npy_data<T> read_npy(std::filesystem::path const& path) {
    return typed<T>(read_npy(path), path.string());
}

/// The elements of an array of any integer type, widened.
/// @throws file_error if it holds floats or booleans, or a value beyond int64
npy_data<index> integers(npy_array const& array, std::string const& where);

namespace detail {

inline void require_npy_size(std::size_t values, std::span<index const> shape) {
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

}  // namespace detail

/// Writes an array in C order, byte for byte as numpy.save does.
/// @param values  [product of shape]
/// @throws shape_error if they do not fit together; file_error if writing fails
template <class T>
void write_npy(atomic_file& file, std::span<T const> values, std::span<index const> shape) {
    detail::require_npy_size(values.size(), shape);
    file.write(npy_prefix(npy_descr<T>, shape));
    file.write(std::as_bytes(values));
}

/// As above; the caller looks after the state of the stream.
template <class T>
void write_npy(std::ostream& stream, std::span<T const> values, std::span<index const> shape) {
    detail::require_npy_size(values.size(), shape);
    std::string const prefix = npy_prefix(npy_descr<T>, shape);
    stream.write(prefix.data(), static_cast<std::streamsize>(prefix.size()));
    stream.write(reinterpret_cast<char const*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
}

/// As above, into a file of its own that appears complete or not at all.
template <class T>
void write_npy(std::filesystem::path const& path, std::span<T const> values, std::span<index const> shape) {
    atomic_file file{path};
    write_npy(file, values, shape);
    file.commit();
}

/// The three of them for containers: write_npy(file, distances, {pairs, steps}).
template <class Target, class Values>
void write_npy(Target&& target, Values const& values, std::initializer_list<index> shape) {
    using element = std::remove_cvref_t<decltype(*std::data(values))>;
    write_npy(target, std::span<element const>(std::data(values), std::size(values)),
              std::span<index const>(shape.begin(), shape.size()));
}

namespace detail {

/// Copies from Fortran to C order, item by item.
inline void to_c_order(npy_header const& header, std::byte const* from, std::byte* to) {
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

inline npy_array parse_npy(std::span<std::byte const> bytes, std::string const& where) {
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

inline npy_data<index> integers(npy_array const& array, std::string const& where) {
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
