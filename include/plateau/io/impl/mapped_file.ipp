#pragma once
/// Bodies of io/mapped_file.hpp.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/mapped_file.hpp>

namespace plateau::io {

PLATEAU_INLINE mapped_file::mapped_file(std::filesystem::path path) : path_{std::move(path)} {
    int const descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(errno);
    struct ::stat status {};
    if (::fstat(descriptor, &status) != 0) fail_closing(descriptor, errno);
    if (S_ISDIR(status.st_mode)) fail_closing(descriptor, EISDIR);
    if (!S_ISREG(status.st_mode)) fail_closing(descriptor, EINVAL);
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ > 0) {
        void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (memory == MAP_FAILED) fail_closing(descriptor, errno);
        data_ = static_cast<std::byte const*>(memory);
    }
    ::close(descriptor);
    if (!text().starts_with("version https://git-lfs.github.com/spec/")) return;
    ::munmap(const_cast<std::byte*>(data_), size_);
    auto const folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    throw file_error(
        "cannot read ", path_.string(),
        ": this is a Git LFS pointer, which stands for a file that was not fetched; run `git lfs pull` in ",
        folder.string(), ", or download the file itself");
}

PLATEAU_INLINE mapped_file::~mapped_file() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

PLATEAU_INLINE void mapped_file::drop_pages() const {
    if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

PLATEAU_INLINE void mapped_file::fail(int reason) const {
    std::string text = concat({"cannot read ", path_.string(), ": ", std::generic_category().message(reason)});
    if (reason == ENOENT) text += "; check the path";
    if (reason == EINVAL) text = concat({"cannot read ", path_.string(), ": it is not a regular file"});
    throw file_error(text);
}

PLATEAU_INLINE void mapped_file::fail_closing(int descriptor, int reason) const {
    ::close(descriptor);
    fail(reason);
}

namespace detail {

/// The pages that hold some bytes of a mapped file.
PLATEAU_INLINE void advise(std::span<std::byte const> bytes, int what) {
    if (bytes.empty()) return;
    auto const page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    auto const before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    ::madvise(const_cast<std::byte*>(bytes.data()) - before, bytes.size() + before, what);
}

}  // namespace detail

PLATEAU_INLINE void drop_pages(std::span<std::byte const> bytes) { detail::advise(bytes, MADV_DONTNEED); }
PLATEAU_INLINE void will_need(std::span<std::byte const> bytes) { detail::advise(bytes, MADV_WILLNEED); }

PLATEAU_INLINE std::string read_text(std::filesystem::path const& path) {
    return std::string(mapped_file{path}.text());
}

}  // namespace plateau::io
