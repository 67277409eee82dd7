#pragma once
/// Output files that appear under their final name complete or not at all.

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <span>
#include <streambuf>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau {

/// A file that is written under a temporary name in the directory of its final name. `commit` gives it
/// the final name in one step; without it the destructor removes what was written.
/// A target that exists and is no regular file (a pipe, /dev/stdout) is written to directly.
/// Every operation throws file_error with the path and the system's reason if it fails.
class atomic_file {
public:
    /// @throws file_error if the directory is missing or cannot be written to, or the target is a directory
    explicit atomic_file(std::filesystem::path target);
    ~atomic_file();
    atomic_file(atomic_file const&) = delete;
    atomic_file& operator=(atomic_file const&) = delete;

    std::filesystem::path const& target() const { return target_; }

    void write(void const* data, std::size_t bytes);
    void write(std::string_view text) { write(text.data(), text.size()); }
    void write(std::span<std::byte const> bytes) { write(bytes.data(), bytes.size()); }

    /// Formatted output into the same file; a failing `<<` throws the file_error.
    std::ostream& stream() { return stream_; }

    /// Moves the place of the next write to `offset` bytes from the start.
    void seek(long offset);
    void seek_end();
    long tell();

    /// Writes everything out and closes, still under the temporary name: after it only a rename can fail.
    void close();

    /// Closes and renames to the final name, replacing an older file.
    void commit();

private:
    class unbuffered : public std::streambuf {
    public:
        explicit unbuffered(atomic_file& file) : file_{file} {}

    protected:
        std::streamsize xsputn(char const* text, std::streamsize count) override;
        int_type overflow(int_type character) override;

    private:
        atomic_file& file_;
    };

    void open();
    std::FILE* open_handle() const;
    void discard() noexcept;
    [[noreturn]] void fail(char const* action, int reason) const;

    std::filesystem::path target_;
    std::filesystem::path temporary_;  // empty once renamed, and for a target that is written directly
    std::FILE* handle_ = nullptr;
    unbuffered buffer_;
    std::ostream stream_;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/atomic_file.ipp>
#endif
