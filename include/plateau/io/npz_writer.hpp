#pragma once
/// Writes several named arrays into one file: NumPy's NPZ, a zip of NPY arrays. The only header that names minizip.

#if (defined(PLATEAU_HAS_MINIZIP) && !PLATEAU_HAS_MINIZIP) || !__has_include(<minizip/zip.h>)
#error "plateau/io/npz_writer.hpp needs minizip (Debian: libminizip-dev, link minizip and z)"
#endif

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <minizip/zip.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/npy_header.hpp>

namespace plateau::io {

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

    // Exceptions must not pass through the C library: the callbacks keep the first and report failure.
    static uLong write_callback(void* self, void*, void const* data, uLong bytes) noexcept;
    static ZPOS64_T tell_callback(void* self, void*) noexcept;
    static long seek_callback(void* self, void*, ZPOS64_T offset, int origin) noexcept;

    atomic_file& file_;
    ::zipFile zip_ = nullptr;
    std::exception_ptr failure_;
    bool abandoned_ = false;
    name_index names_;
    std::string open_name_;
    std::size_t missing_ = 0;  // bytes of the open array still to be written
};

inline npz_writer::npz_writer(atomic_file& file) : file_{file} {
    ::zlib_filefunc64_def functions{};
    functions.zopen64_file = [](void* self, void const*, int) { return self; };
    functions.zwrite_file = write_callback;
    functions.ztell64_file = tell_callback;
    functions.zseek64_file = seek_callback;
    functions.zclose_file = [](void*, void*) { return 0; };
    functions.zerror_file = [](void*, void*) { return 0; };
    functions.opaque = this;
    zip_ = ::zipOpen2_64("", APPEND_STATUS_CREATE, nullptr, &functions);
    if (zip_ == nullptr) require(ZIP_INTERNALERROR);
}

inline npz_writer::~npz_writer() {
    abandoned_ = true;
    if (zip_ != nullptr) ::zipClose(zip_, nullptr);
}

inline void npz_writer::begin(std::string const& name, std::string_view descr, std::vector<index> const& shape) {
    if (zip_ == nullptr || !open_name_.empty())
        throw file_error(file_.target().string(), ": ", name, " begins too late");
    if (name.empty() || !names_.add(name).second) {
        throw file_error(file_.target().string(), ": the array name \"", name, "\" is empty or used twice");
    }
    std::string const prefix = npy_prefix(descr, shape);
    auto const header = parse_npy_header(std::as_bytes(std::span{prefix}), name);
    ::zip_fileinfo info{};
    info.tmz_date.tm_mday = 1;
    info.tmz_date.tm_year = 1980;
    constexpr std::size_t zip64_from = 0xFFFF0000u;
    int const wide = header.data_bytes() + prefix.size() >= zip64_from ? 1 : 0;
    require(::zipOpenNewFileInZip64(zip_, (name + ".npy").c_str(), &info, nullptr, 0, nullptr, 0, nullptr, 0, 0, wide));
    open_name_ = name;
    missing_ = header.data_bytes();
    put(prefix.data(), prefix.size());
}

inline void npz_writer::write(std::span<std::byte const> bytes) {
    if (open_name_.empty()) throw file_error(file_.target().string(), ": no array has begun");
    if (bytes.size() > missing_) throw shape_error(open_name_, ": more elements than its shape has");
    missing_ -= bytes.size();
    put(bytes.data(), bytes.size());
}

inline void npz_writer::end() {
    if (open_name_.empty()) throw file_error(file_.target().string(), ": no array has begun");
    if (missing_ > 0) throw shape_error(open_name_, ": ", missing_, " bytes of its shape are missing");
    require(::zipCloseFileInZip(zip_));
    open_name_.clear();
}

inline void npz_writer::close() {
    if (zip_ == nullptr || !open_name_.empty()) throw file_error(file_.target().string(), ": cannot be closed now");
    require(::zipClose(std::exchange(zip_, nullptr), nullptr));
}

inline void npz_writer::put(void const* data, std::size_t bytes) {
    constexpr std::size_t most = 1u << 30;
    for (auto const* at = static_cast<char const*>(data); bytes > 0;) {
        std::size_t const now = std::min(bytes, most);
        require(::zipWriteInFileInZip(zip_, at, static_cast<unsigned>(now)));
        at += now;
        bytes -= now;
    }
}

inline void npz_writer::require(int status) {
    if (failure_) std::rethrow_exception(failure_);
    if (status != ZIP_OK) {
        throw file_error("cannot write to ", file_.target().string(), ": minizip reports ", status);
    }
}

inline uLong npz_writer::write_callback(void* self, void*, void const* data, uLong bytes) noexcept {
    auto& writer = *static_cast<npz_writer*>(self);
    if (writer.abandoned_) return bytes;
    try {
        writer.file_.write(data, bytes);
        return bytes;
    } catch (...) {
        if (!writer.failure_) writer.failure_ = std::current_exception();
        return 0;
    }
}

inline ZPOS64_T npz_writer::tell_callback(void* self, void*) noexcept {
    auto& writer = *static_cast<npz_writer*>(self);
    if (writer.abandoned_) return 0;
    try {
        return static_cast<ZPOS64_T>(writer.file_.tell());
    } catch (...) {
        if (!writer.failure_) writer.failure_ = std::current_exception();
        return 0;
    }
}

inline long npz_writer::seek_callback(void* self, void*, ZPOS64_T offset, int origin) noexcept {
    auto& writer = *static_cast<npz_writer*>(self);
    if (writer.abandoned_) return 0;
    try {
        if (origin == ZLIB_FILEFUNC_SEEK_CUR) writer.file_.seek(writer.file_.tell() + static_cast<long>(offset));
        else if (origin == ZLIB_FILEFUNC_SEEK_SET) writer.file_.seek(static_cast<long>(offset));
        else writer.file_.seek_end();
        return 0;
    } catch (...) {
        if (!writer.failure_) writer.failure_ = std::current_exception();
        return -1;
    }
}

}  // namespace plateau::io
