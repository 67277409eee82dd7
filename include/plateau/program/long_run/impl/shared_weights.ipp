#pragma once
/// Bodies of program/long_run/shared_weights.hpp.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/program/long_run/shared_weights.hpp>
#include <plateau/tensor/pages.hpp>

namespace plateau::program {

namespace detail {

constexpr std::size_t page_bytes = tensor::whole_pages::page;

PLATEAU_PROGRAM_INLINE std::size_t phase_of(std::span<std::byte> memory) {
    return reinterpret_cast<std::uintptr_t>(memory.data()) % page_bytes;
}

/// A descriptor that closes.
struct open_file {
    int at = -1;
    explicit open_file(int descriptor) : at{descriptor} {}
    ~open_file() {
        if (at >= 0) ::close(at);
    }
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
};

/// Whether all bytes were read or written there.
template <class Move>
bool moved_whole(std::span<std::byte> memory, std::size_t offset, Move const& move) {
    while (!memory.empty()) {
        auto const count = move(memory.data(), std::min(memory.size(), std::size_t{1} << 30), offset);
        if (count <= 0) return false;
        memory = memory.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::size_t>(count);
    }
    return true;
}

/// Where each piece of memory begins in the file, in the same place of a page as in memory; the last number is the
/// file's size.
PLATEAU_PROGRAM_INLINE std::vector<std::size_t> offsets_of(std::vector<std::span<std::byte>> const& memory,
                                                           std::vector<std::size_t> const& phases) {
    std::vector<std::size_t> offsets;
    std::size_t end = 0;
    for (std::size_t k = 0; k < memory.size(); ++k) {
        offsets.push_back((end + page_bytes - 1) / page_bytes * page_bytes + phases[k]);
        end = offsets.back() + memory[k].size();
    }
    offsets.push_back((end + page_bytes - 1) / page_bytes * page_bytes);
    return offsets;
}

/// Maps the whole pages of a piece from the file, which has the same bytes. They stay the process' own to write to.
PLATEAU_PROGRAM_INLINE void map_over(std::span<std::byte> memory, int file, std::size_t offset) {
    tensor::whole_pages const pages{memory.data(), memory.size()};
    if (pages.size == 0) return;
    auto const before = static_cast<std::size_t>(static_cast<std::byte*>(pages.first) - memory.data());
    void* const mapped = ::mmap(pages.first, pages.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                                static_cast<::off_t>(offset + before));
    if (mapped == MAP_FAILED) throw memory_error("the weights that ranks of this machine share cannot be mapped");
}

/// A new file in the first folder that has room for so many bytes; its path is empty if none has.
PLATEAU_PROGRAM_INLINE std::filesystem::path file_with_room(std::size_t bytes) {
    char const* const temporary = std::getenv("TMPDIR");
    constexpr std::size_t spare = std::size_t{64} << 20;
    for (std::filesystem::path const folder : {"/dev/shm", temporary != nullptr ? temporary : "/tmp"}) {
        std::error_code failed;
        auto const space = std::filesystem::space(folder, failed);
        if (failed || space.available < bytes + spare) continue;
        auto const path = folder / concat({"plateau-weights-", ::getpid()});
        std::filesystem::remove(path, failed);  // of a process of that number that ended within the next lines
        open_file const made{::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600)};
        if (made.at >= 0 && ::posix_fallocate(made.at, 0, static_cast<::off_t>(bytes)) == 0) return path;
        std::filesystem::remove(path, failed);
    }
    return {};
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE void weights_of_machine::share(std::vector<std::span<std::byte>> const& memory,
                                                      std::function<void()> const& fill) const {
    std::vector<std::size_t> phases;
    for (auto const& one : memory) phases.push_back(detail::phase_of(one));
    if (all_.rank_here() == 0) return fill_and_show(memory, phases, fill);
    bool const whole = map(memory, phases);
    all_.meet_here();
    if (!whole) fill();
}

PLATEAU_PROGRAM_INLINE void weights_of_machine::fill_and_show(std::vector<std::span<std::byte>> const& memory,
                                                              std::vector<std::size_t> const& phases,
                                                              std::function<void()> const& fill) const {
    fill();
    // a file with the same bytes, each piece in the same place of a page
    auto const offsets = detail::offsets_of(memory, phases);
    auto const path = detail::file_with_room(offsets.back());
    detail::open_file const file{path.empty() ? -1 : ::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    bool written = file.at >= 0;
    for (std::size_t k = 0; k < memory.size() && written; ++k) {
        written = detail::moved_whole(memory[k], offsets[k], [&](void* from, std::size_t count, std::size_t at) {
            return ::pwrite(file.at, from, count, static_cast<::off_t>(at));
        });
        if (written) detail::map_over(memory[k], file.at, offsets[k]);
    }
    // the others map it; then nobody needs its name
    std::string told = written ? path.string() : "";
    for (std::size_t const one : phases) told += concat({"\n", one});
    (void)all_.told_by_first_here(told);
    all_.meet_here();
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove(path, ignored);
}

PLATEAU_PROGRAM_INLINE bool weights_of_machine::map(std::vector<std::span<std::byte>> const& memory,
                                                    std::vector<std::size_t> const& phases) const {
    // the file's path, and where in a page each piece begins there
    auto const told = all_.told_by_first_here("");
    auto const path = told.substr(0, told.find('\n'));
    std::vector<std::size_t> theirs;
    for (auto at = told.find('\n'); at != std::string::npos; at = told.find('\n', at + 1))
        theirs.push_back(static_cast<std::size_t>(std::strtoull(told.c_str() + at + 1, nullptr, 10)));
    if (theirs.size() != memory.size()) throw std::logic_error("the ranks of a machine have other weights");
    detail::open_file const file{path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.at < 0) return false;
    auto const offsets = detail::offsets_of(memory, theirs);
    auto const read = [&](void* to, std::size_t count, std::size_t at) {
        return ::pread(file.at, to, count, static_cast<::off_t>(at));
    };
    for (std::size_t k = 0; k < memory.size(); ++k) {
        // whole pages are mapped where they lie alike; ends of pages, and the rest, are read
        tensor::whole_pages const pages{memory[k].data(), memory[k].size()};
        auto const mapped = theirs[k] == phases[k] ? pages.size : 0;
        auto const before =
            mapped > 0 ? static_cast<std::size_t>(static_cast<std::byte*>(pages.first) - memory[k].data()) : 0;
        if (mapped > 0) detail::map_over(memory[k], file.at, offsets[k]);
        if (!detail::moved_whole(memory[k].first(before), offsets[k], read) ||
            !detail::moved_whole(memory[k].subspan(before + mapped), offsets[k] + before + mapped, read))
            return false;
    }
    return true;
}

}  // namespace plateau::program
