#pragma once
/// Runs a program as a user's shell would, and keeps what it said.

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace plateau::testing {

/// What came of a process.
struct process_result {
    int status = -1;         ///< exit status; 128 + the signal that ended it
    bool timed_out = false;  ///< it was killed
    std::string out, err;
};

/// Runs `arguments`, the first of them being the program (a path, or a name in PATH), with pipes for its stdout and
/// stderr and nothing for its stdin.
/// @param environment  variables set beside those of the test; an empty value removes one
/// @throws std::runtime_error if no process can be made
inline process_result run_process(std::vector<std::string> const& arguments,
                                  std::vector<std::pair<std::string, std::string>> const& environment = {},
                                  double timeout_seconds = 600) {
    std::vector<char*> words;
    for (auto const& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    std::array<std::array<int, 2>, 2> pipes{};
    for (auto& ends : pipes) {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("the test cannot make a pipe");
    }
    pid_t const child = ::fork();
    if (child < 0) throw std::runtime_error("the test cannot start a process");
    if (child == 0) {
        int const nothing = ::open("/dev/null", O_RDONLY);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(pipes[0][1], STDOUT_FILENO);
        ::dup2(pipes[1][1], STDERR_FILENO);
        for (auto const& [name, value] : environment) {
            if (value.empty()) ::unsetenv(name.c_str());
            else ::setenv(name.c_str(), value.c_str(), 1);
        }
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    process_result result;
    std::array<std::string*, 2> const texts{&result.out, &result.err};
    std::array<pollfd, 2> waiting{};
    for (std::size_t i = 0; i < 2; ++i) {
        ::close(pipes[i][1]);
        waiting[i] = {pipes[i][0], POLLIN, 0};
    }
    auto const end = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_seconds);
    while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
        if (!result.timed_out && std::chrono::steady_clock::now() > end) {
            result.timed_out = true;
            ::kill(child, SIGKILL);
        }
        if (::poll(waiting.data(), waiting.size(), 100) <= 0) continue;
        for (std::size_t i = 0; i < 2; ++i) {
            if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
            std::array<char, 4096> piece;
            ssize_t const count = ::read(waiting[i].fd, piece.data(), piece.size());
            if (count > 0) texts[i]->append(piece.data(), static_cast<std::size_t>(count));
            else if (count == 0 || errno != EINTR) waiting[i].fd = -1;  // poll skips it
        }
    }
    for (auto const& ends : pipes) ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

}  // namespace plateau::testing
