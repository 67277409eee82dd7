#pragma once
/// Bodies of program/long_run/lost_file.hpp.

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/program/long_run/lost_file.hpp>

namespace plateau::program::lost_file {

namespace detail {

/// The message, made before it is needed: a handler may do no more than write it. Two, so that one is always whole.
constinit inline std::array<std::array<char, 1024>, 2> messages{};
constinit inline std::atomic<std::size_t> current = 0;

extern "C" PLATEAU_PROGRAM_INLINE void tell_lost_file(int) {
    auto const& message = messages[current.load()];
    auto const length = std::find(message.begin(), message.end(), '\0') - message.begin();
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, message.data(), static_cast<std::size_t>(length));
    ::_exit(1);
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE void expect(std::string const& program, std::string const& reads) {
    auto const text = concat({program, ": ", reads.empty() ? std::string("a file that is read") : reads,
                              " was truncated, or its disk failed, while it was read: restore it and start again\n"});
    auto const other = 1 - detail::current.load();
    auto& message = detail::messages[other];
    message.fill('\0');
    std::copy_n(text.begin(), std::min(text.size(), message.size() - 1), message.begin());
    detail::current = other;
    std::signal(SIGBUS, detail::tell_lost_file);
}

}  // namespace plateau::program::lost_file
