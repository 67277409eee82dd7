#pragma once
/// Bodies of io/npz_writer.hpp.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <minizip/zip.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/npy_header.hpp>
#include <plateau/io/npz_writer.hpp>

namespace plateau::io {

namespace detail {

/// Exceptions must not pass through the C library: these keep the first and report failure.
struct npz_callbacks {
    static uLong write(void* self, void*, void const* data, uLong bytes) noexcept {
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

    static ZPOS64_T tell(void* self, void*) noexcept {
        auto& writer = *static_cast<npz_writer*>(self);
        if (writer.abandoned_) return 0;
        try {
            return static_cast<ZPOS64_T>(writer.file_.tell());
        } catch (...) {
            if (!writer.failure_) writer.failure_ = std::current_exception();
            return 0;
        }
    }

    static long seek(void* self, void*, ZPOS64_T offset, int origin) noexcept {
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
};

}  // namespace detail

PLATEAU_INLINE npz_writer::npz_writer(atomic_file& file) : file_{file} {
    ::zlib_filefunc64_def functions{};
    functions.zopen64_file = [](void* self, void const*, int) { return self; };
    functions.zwrite_file = detail::npz_callbacks::write;
    functions.ztell64_file = detail::npz_callbacks::tell;
    functions.zseek64_file = detail::npz_callbacks::seek;
    functions.zclose_file = [](void*, void*) { return 0; };
    functions.zerror_file = [](void*, void*) { return 0; };
    functions.opaque = this;
    zip_ = ::zipOpen2_64("", APPEND_STATUS_CREATE, nullptr, &functions);
    if (zip_ == nullptr) require(ZIP_INTERNALERROR);
}

PLATEAU_INLINE npz_writer::~npz_writer() {
    abandoned_ = true;
    if (zip_ != nullptr) ::zipClose(zip_, nullptr);
}

PLATEAU_INLINE void npz_writer::begin(std::string const& name, std::string_view descr,
                                      std::vector<index> const& shape) {
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

PLATEAU_INLINE void npz_writer::write(std::span<std::byte const> bytes) {
    if (open_name_.empty()) throw file_error(file_.target().string(), ": no array has begun");
    if (bytes.size() > missing_) throw shape_error(open_name_, ": more elements than its shape has");
    missing_ -= bytes.size();
    put(bytes.data(), bytes.size());
}

PLATEAU_INLINE void npz_writer::end() {
    if (open_name_.empty()) throw file_error(file_.target().string(), ": no array has begun");
    if (missing_ > 0) throw shape_error(open_name_, ": ", missing_, " bytes of its shape are missing");
    require(::zipCloseFileInZip(zip_));
    open_name_.clear();
}

PLATEAU_INLINE void npz_writer::close() {
    if (zip_ == nullptr || !open_name_.empty()) throw file_error(file_.target().string(), ": cannot be closed now");
    require(::zipClose(std::exchange(zip_, nullptr), nullptr));
}

PLATEAU_INLINE void npz_writer::put(void const* data, std::size_t bytes) {
    constexpr std::size_t most = 1u << 30;
    for (auto const* at = static_cast<char const*>(data); bytes > 0;) {
        std::size_t const now = std::min(bytes, most);
        require(::zipWriteInFileInZip(zip_, at, static_cast<unsigned>(now)));
        at += now;
        bytes -= now;
    }
}

PLATEAU_INLINE void npz_writer::require(int status) {
    if (failure_) std::rethrow_exception(failure_);
    if (status != ZIP_OK) {
        throw file_error("cannot write to ", file_.target().string(), ": minizip reports ", status);
    }
}

}  // namespace plateau::io
