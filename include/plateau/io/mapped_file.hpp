#pragma once
/// Files mapped into memory, read-only.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// The bytes of a regular file, paged in on demand. An empty file has no bytes and is no error.
/// @throws file_error with the path and the system's reason; on a Git LFS pointer, with the command that fetches the
/// file
class mapped_file {
public:
    explicit mapped_file(std::filesystem::path path);
    ~mapped_file();
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

    /// Gives back the memory of the pages that were read so far; reading them again pages them in again. Safe at any
    /// time, also while other threads read.
    void drop_pages() const;

private:
    [[noreturn]] void fail(int reason) const;
    [[noreturn]] void fail_closing(int descriptor, int reason) const;

    std::filesystem::path path_;
    std::byte const* data_ = nullptr;
    std::size_t size_ = 0;
};

/// As mapped_file::drop_pages, of the pages that hold these bytes of a mapped file alone.
void drop_pages(std::span<std::byte const> bytes);

/// Asks the system to read these bytes of a mapped file now, all at once: from a disk that is half as long again, or
/// twice, as fast as page by page when they are needed.
void will_need(std::span<std::byte const> bytes);

/// The whole of a file as text, byte for byte. @throws file_error
std::string read_text(std::filesystem::path const& path);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/mapped_file.ipp>
#endif
