#pragma once
/// Output files that appear under their final name complete or not at all.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plateau/core/error.hpp>

namespace plateau {

/// A file that is written under a temporary name in the directory of its final name. `commit` gives it
/// the final name in one step; without it the destructor removes what was written.
/// A target that exists and is no regular file (a pipe, /dev/stdout) is written to directly.
/// Every operation throws file_error with the path and the system's reason if it fails.
class atomic_file {
public:
    /// @throws file_error if the directory is missing or cannot be written to, or the target is a directory
    explicit atomic_file(std::filesystem::path target) : target_{std::move(target)}, buffer_{*this}, stream_{&buffer_} {
        // Lets an operator<< rethrow the file_error instead of hiding it in a state bit.
        stream_.exceptions(std::ios::badbit);
        open();
    }

    ~atomic_file() {
        if (handle_ != nullptr) std::fclose(handle_);
        discard();
    }
    atomic_file(atomic_file const&) = delete;
    atomic_file& operator=(atomic_file const&) = delete;

    std::filesystem::path const& target() const { return target_; }

    void write(void const* data, std::size_t bytes) {
        if (bytes > 0 && std::fwrite(data, 1, bytes, open_handle()) != bytes) fail("write to", errno);
    }
    void write(std::string_view text) { write(text.data(), text.size()); }
    void write(std::span<std::byte const> bytes) { write(bytes.data(), bytes.size()); }

    /// Formatted output into the same file; a failing `<<` throws the file_error.
    std::ostream& stream() { return stream_; }

    /// Moves the place of the next write to `offset` bytes from the start.
    void seek(long offset) {
        if (std::fseek(open_handle(), offset, SEEK_SET) != 0) fail("seek in", errno);
    }
    void seek_end() {
        if (std::fseek(open_handle(), 0, SEEK_END) != 0) fail("seek in", errno);
    }
    long tell() {
        long const at = std::ftell(open_handle());
        if (at < 0) fail("seek in", errno);
        return at;
    }

    /// Writes everything out and closes, still under the temporary name: after it only a rename can fail.
    void close() {
        if (handle_ == nullptr) return;
        std::FILE* handle = std::exchange(handle_, nullptr);
        bool const flushed = std::fflush(handle) == 0;
        int reason = errno;
        bool const closed = std::fclose(handle) == 0;
        if (flushed && !closed) reason = errno;
        if (!flushed || !closed) fail("write to", reason);
    }

    /// Closes and renames to the final name, replacing an older file.
    void commit() {
        close();
        if (!temporary_.empty() && std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename to", errno);
        temporary_.clear();
    }

private:
    class unbuffered : public std::streambuf {
    public:
        explicit unbuffered(atomic_file& file) : file_{file} {}

    protected:
        std::streamsize xsputn(char const* text, std::streamsize count) override {
            file_.write(text, static_cast<std::size_t>(count));
            return count;
        }
        int_type overflow(int_type character) override {
            if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
            char const one = traits_type::to_char_type(character);
            file_.write(&one, 1);
            return character;
        }

    private:
        atomic_file& file_;
    };

    void open() {
        std::error_code missing;
        auto const status = std::filesystem::status(target_, missing);
        if (target_.filename().empty() || status.type() == std::filesystem::file_type::directory) {
            throw file_error("cannot write the file ", target_.string(), ": it is a directory; name a file in it");
        }
        bool const direct = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
        int descriptor = -1;
        if (direct) {
            descriptor = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
        } else {
            static std::atomic<unsigned> count{0};
            do {  // a leftover of a killed process may hold the name
                temporary_ = target_.parent_path() /
                             (".plateau-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp");
                descriptor = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            } while (descriptor < 0 && errno == EEXIST);
        }
        if (descriptor < 0) {
            int const reason = errno;
            temporary_.clear();
            fail("create", reason);
        }
        handle_ = ::fdopen(descriptor, direct ? "wb" : "w+b");
        if (handle_ == nullptr) {
            int const reason = errno;
            ::close(descriptor);
            discard();
            fail("create", reason);
        }
    }

    std::FILE* open_handle() const {
        if (handle_ == nullptr) throw file_error("cannot write to ", target_.string(), ": it is closed already");
        return handle_;
    }

    void discard() noexcept {
        if (!temporary_.empty()) ::unlink(temporary_.c_str());
        temporary_.clear();
    }

    [[noreturn, gnu::cold]] void fail(char const* action, int reason) const {
        std::string text =
            std::string("cannot ") + action + " " + target_.string() + ": " + std::generic_category().message(reason);
        if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG)
            text += "; free some space or choose another --out";
        else if (reason == ENOENT) text += "; create the directory first";
        else if (reason == EACCES || reason == EROFS || reason == EPERM)
            text += "; choose a place that you may write to";
        throw file_error(text);
    }

    std::filesystem::path target_;
    std::filesystem::path temporary_;  // empty once renamed, and for a target that is written directly
    std::FILE* handle_ = nullptr;
    unbuffered buffer_;
    std::ostream stream_;
};

}  // namespace plateau
