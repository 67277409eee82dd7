#pragma once
/// Bodies of program/long_run/shared_weights.hpp.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
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
    ::mmap(pages.first, pages.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
           static_cast<::off_t>(offset + before));
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

PLATEAU_PROGRAM_INLINE void share_weights(ranks const& all, std::vector<std::span<std::byte>> const& memory,
                                          std::function<void()> const& fill) {
    std::vector<std::size_t> phases;
    for (auto const& one : memory) phases.push_back(detail::phase_of(one));
    if (all.count_here() < 2) return fill();
    if (all.rank_here() == 0) {
        fill();
        auto const offsets = detail::offsets_of(memory, phases);
        auto path = detail::file_with_room(offsets.back());
        detail::open_file const file{path.empty() ? -1 : ::open(path.c_str(), O_RDWR | O_CLOEXEC)};
        bool written = file.at >= 0;
        for (std::size_t k = 0; k < memory.size() && written; ++k) {
            written = detail::moved_whole(memory[k], offsets[k], [&](void* from, std::size_t count, std::size_t at) {
                return ::pwrite(file.at, from, count, static_cast<::off_t>(at));
            });
            if (written) detail::map_over(memory[k], file.at, offsets[k]);
        }
        std::string told = written ? path.string() : "";
        for (std::size_t const one : phases) told += concat({"\n", one});
        (void)all.told_by_first_here(told);
        all.meet_here();
        std::error_code ignored;
        if (!path.empty()) std::filesystem::remove(path, ignored);
        return;
    }
    auto const told = all.told_by_first_here("");
    auto const path = told.substr(0, told.find('\n'));
    std::vector<std::size_t> theirs;
    for (auto at = told.find('\n'); at != std::string::npos; at = told.find('\n', at + 1))
        theirs.push_back(static_cast<std::size_t>(std::strtoull(told.c_str() + at + 1, nullptr, 10)));
    if (theirs.size() != memory.size()) throw std::logic_error("the ranks of a machine have other weights");
    bool has_all = false;
    {
        detail::open_file const file{path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
        auto const offsets = detail::offsets_of(memory, theirs);
        has_all = file.at >= 0;
        for (std::size_t k = 0; k < memory.size() && has_all; ++k) {
            // whole pages are mapped where they lie alike; ends of pages, and the rest, are read
            bool const alike = theirs[k] == phases[k];
            tensor::whole_pages const pages{memory[k].data(), memory[k].size()};
            auto const* const first = static_cast<std::byte*>(pages.first);
            auto const before = alike && pages.size > 0 ? static_cast<std::size_t>(first - memory[k].data()) : 0;
            auto const mapped = alike ? pages.size : 0;
            auto const read = [&](void* to, std::size_t count, std::size_t at) {
                return ::pread(file.at, to, count, static_cast<::off_t>(at));
            };
            if (mapped > 0) detail::map_over(memory[k], file.at, offsets[k]);
            has_all = detail::moved_whole(memory[k].first(before), offsets[k], read) &&
                      detail::moved_whole(memory[k].subspan(before + mapped), offsets[k] + before + mapped, read);
        }
    }
    all.meet_here();
    if (!has_all) fill();
}

}  // namespace plateau::program
