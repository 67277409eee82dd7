#pragma once
/// Arrays in NumPy's NPY format, little-endian.

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
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
npy_array read_npy(std::filesystem::path const& path);

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

void require_npy_size(std::size_t values, std::span<index const> shape);

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

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/npy.ipp>
#endif
