#pragma once
/// Writes several named arrays into one file: NumPy's NPZ, a zip of NPY arrays. Needs minizip and zlib; link them.

#if (defined(PLATEAU_HAS_MINIZIP) && !PLATEAU_HAS_MINIZIP) || !__has_include(<minizip/zip.h>)
#error "plateau/io/npz_writer.hpp needs minizip (Debian: libminizip-dev, link minizip and z)"
#endif

#include <cstddef>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/npy_header.hpp>

namespace plateau::io {

namespace detail {
struct npz_callbacks;
}

/// Writes arrays one after the other, uncompressed, with a fixed date, so that equal arrays make equal
/// bytes; zip64 where needed. Large arrays can be written in pieces:
///     npz_writer npz{file};
///     npz.begin("a", "<f4", {3, 4}); npz.write(bytes); npz.write(more); npz.end();
///     npz.add("b", values, {7});
///     npz.close();
///     file.commit();
/// @throws file_error if writing fails; shape_error if the bytes do not make the array
class npz_writer {
public:
    /// @param file  an empty file that can be seeked; it must outlive the writer
    explicit npz_writer(atomic_file& file);
    ~npz_writer();
    npz_writer(npz_writer const&) = delete;
    npz_writer& operator=(npz_writer const&) = delete;

    /// Begins the array `name`, of `descr` (see npy_descr), in C order.
    void begin(std::string const& name, std::string_view descr, std::vector<index> const& shape);

    /// The next elements of the array, in any division.
    void write(std::span<std::byte const> bytes);

    /// Ends the array. @throws shape_error unless exactly its elements were written
    void end();

    /// A whole array. @param values  [product of shape]
    template <class T>
    void add(std::string const& name, std::span<T const> values, std::vector<index> const& shape) {
        begin(name, npy_descr<T>, shape);
        write(std::as_bytes(values));
        end();
    }
    template <class Values>
    void add(std::string const& name, Values const& values, std::vector<index> const& shape) {
        using element = std::remove_cvref_t<decltype(*std::data(values))>;
        add(name, std::span<element const>(std::data(values), std::size(values)), shape);
    }

    /// Writes the directory of the zip. Without it the file is no NPZ.
    void close();

private:
    void put(void const* data, std::size_t bytes);
    void require(int status);

    friend struct detail::npz_callbacks;

    atomic_file& file_;
    void* zip_ = nullptr;  // of minizip
    std::exception_ptr failure_;
    bool abandoned_ = false;
    name_index names_;
    std::string open_name_;
    std::size_t missing_ = 0;  // bytes of the open array still to be written
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/npz_writer.ipp>
#endif
