#pragma once
/// Files mapped into memory, read-only.

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plateau/core/error.hpp>

namespace plateau::io {

/// The bytes of a regular file, paged in on demand. An empty file has no bytes and is no error.
/// @throws file_error with the path and the system's reason
class mapped_file {
public:
    [[gnu::cold]] explicit mapped_file(std::filesystem::path path) : path_{std::move(path)} {
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
    }

    ~mapped_file() {
        if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
    }
    mapped_file(mapped_file&& other) noexcept
        : path_{std::move(other.path_)}, data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_,
                                                                                                         0)} {}
    mapped_file& operator=(mapped_file&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }

    std::filesystem::path const& path() const { return path_; }
    std::span<std::byte const> bytes() const { return {data_, size_}; }
    std::string_view text() const { return {reinterpret_cast<char const*>(data_), size_}; }

    /// Gives back the memory of the pages that were looked at so far; who looks again pages them in again. Safe at any
    /// time, also while others read.
    void drop_pages() const {
        if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
    }

private:
    [[noreturn, gnu::cold]] void fail(int reason) const {
        std::string text = concat({"cannot read ", path_.string(), ": ", std::generic_category().message(reason)});
        if (reason == ENOENT) text += "; check the path";
        if (reason == EINVAL) text = concat({"cannot read ", path_.string(), ": it is not a regular file"});
        throw file_error(text);
    }
    [[noreturn, gnu::cold]] void fail_closing(int descriptor, int reason) const {
        ::close(descriptor);
        fail(reason);
    }

    std::filesystem::path path_;
    std::byte const* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The whole of a file as text, byte for byte. @throws file_error
[[gnu::cold]] inline std::string read_text(std::filesystem::path const& path) {
    return std::string(mapped_file{path}.text());
}

}  // namespace plateau::io
