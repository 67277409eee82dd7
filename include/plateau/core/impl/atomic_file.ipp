#pragma once
/// Bodies of core/atomic_file.hpp.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <streambuf>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>

namespace plateau {

PLATEAU_INLINE atomic_file::atomic_file(std::filesystem::path target)
    : target_{std::move(target)}, buffer_{*this}, stream_{&buffer_} {
    // Lets an operator<< rethrow the file_error instead of hiding it in a state bit.
    stream_.exceptions(std::ios::badbit);
    open();
}

PLATEAU_INLINE atomic_file::~atomic_file() {
    if (handle_ != nullptr) std::fclose(handle_);
    discard();
}

PLATEAU_INLINE_HOT void atomic_file::write(void const* data, std::size_t bytes) {
    if (bytes > 0 && std::fwrite(data, 1, bytes, open_handle()) != bytes) fail("write to", errno);
}

PLATEAU_INLINE void atomic_file::seek(long offset) {
    if (std::fseek(open_handle(), offset, SEEK_SET) != 0) fail("seek in", errno);
}

PLATEAU_INLINE void atomic_file::seek_end() {
    if (std::fseek(open_handle(), 0, SEEK_END) != 0) fail("seek in", errno);
}

PLATEAU_INLINE long atomic_file::tell() {
    long const at = std::ftell(open_handle());
    if (at < 0) fail("seek in", errno);
    return at;
}

PLATEAU_INLINE void atomic_file::close() {
    if (handle_ == nullptr) return;
    std::FILE* handle = std::exchange(handle_, nullptr);
    bool const flushed = std::fflush(handle) == 0;
    int reason = errno;
    bool const closed = std::fclose(handle) == 0;
    if (flushed && !closed) reason = errno;
    if (!flushed || !closed) fail("write to", reason);
}

PLATEAU_INLINE void atomic_file::commit() {
    close();
    if (!temporary_.empty() && std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename to", errno);
    temporary_.clear();
}

PLATEAU_INLINE_HOT std::streamsize atomic_file::unbuffered::xsputn(char const* text, std::streamsize count) {
    file_.write(text, static_cast<std::size_t>(count));
    return count;
}

PLATEAU_INLINE std::streambuf::int_type atomic_file::unbuffered::overflow(int_type character) {
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    char const byte = traits_type::to_char_type(character);
    file_.write(&byte, 1);
    return character;
}

PLATEAU_INLINE void atomic_file::open() {
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

PLATEAU_INLINE std::FILE* atomic_file::open_handle() const {
    if (handle_ == nullptr) throw file_error("cannot write to ", target_.string(), ": it is closed already");
    return handle_;
}

PLATEAU_INLINE void atomic_file::discard() noexcept {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
}

PLATEAU_INLINE void atomic_file::fail(char const* action, int reason) const {
    std::string text =
        std::string("cannot ") + action + " " + target_.string() + ": " + std::generic_category().message(reason);
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) text += "; free some space or choose another --out";
    else if (reason == ENOENT) text += "; create the directory first";
    else if (reason == EACCES || reason == EROFS || reason == EPERM) text += "; choose a place that you may write to";
    throw file_error(text);
}

}  // namespace plateau
