#pragma once
/// Bodies of program/long_run/ranks.hpp.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/program/long_run/ranks.hpp>

#ifndef PLATEAU_HAS_MPI
#define PLATEAU_HAS_MPI 0
#endif
#if PLATEAU_HAS_MPI
#include <mpi.h>
#endif

namespace plateau::program {

namespace detail {

/// How many processes a launcher says that there are; 1 without one. Open MPI, MPICH and others by PMI, Slurm's srun.
PLATEAU_PROGRAM_INLINE int launched_ranks() {
    for (char const* const name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
        if (char const* const value = std::getenv(name); value != nullptr && std::atoi(value) > 0)
            return std::atoi(value);
    }
    return 1;
}

PLATEAU_PROGRAM_INLINE std::string host_name() {
    char name[256] = "";
    return gethostname(name, sizeof name - 1) == 0 ? name : "an unknown host";
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE void ranks::pause() { std::this_thread::sleep_for(std::chrono::milliseconds{1}); }

#if PLATEAU_HAS_MPI

namespace detail {

constexpr std::size_t most_at_once = std::size_t{1} << 30;  // counts of MPI are of 32 bits

PLATEAU_PROGRAM_INLINE void require_mpi(int code) {
    if (code != MPI_SUCCESS) throw std::runtime_error("MPI failed with code " + std::to_string(code));
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE ranks::ranks() {
    if (detail::launched_ranks() <= 1) return;
    int given = 0;
    detail::require_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given));
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &count_);
    MPI_Comm here = MPI_COMM_NULL;
    detail::require_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &here));
    MPI_Comm_rank(here, &rank_here_);
    MPI_Comm_size(here, &count_here_);
    here_.resize(static_cast<std::size_t>(count_here_));
    detail::require_mpi(MPI_Allgather(&rank_, 1, MPI_INT, here_.data(), 1, MPI_INT, here));
    MPI_Comm_free(&here);
    if (given < MPI_THREAD_FUNNELED)
        give_up("plateau", "this MPI has no threads at all (MPI_THREAD_FUNNELED): use another one", 1);
}

PLATEAU_PROGRAM_INLINE ranks::~ranks() {
    if (count_ > 1) MPI_Finalize();
}

PLATEAU_PROGRAM_INLINE void ranks::send(int to, int tag, std::span<std::byte const> content) const {
    std::uint64_t const size = content.size();
    detail::require_mpi(MPI_Send(&size, 1, MPI_UINT64_T, to, tag, MPI_COMM_WORLD));
    while (!content.empty()) {
        auto const part = content.first(std::min(content.size(), detail::most_at_once));
        detail::require_mpi(MPI_Send(part.data(), static_cast<int>(part.size()), MPI_BYTE, to, tag, MPI_COMM_WORLD));
        content = content.subspan(part.size());
    }
}

PLATEAU_PROGRAM_INLINE std::optional<ranks::message> ranks::taken_in() const {
    int there = 0;
    MPI_Status status;
    detail::require_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status));
    if (there == 0) return {};
    message one{status.MPI_SOURCE, status.MPI_TAG};
    std::uint64_t size = 0;
    detail::require_mpi(MPI_Recv(&size, 1, MPI_UINT64_T, one.from, one.tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    one.content.resize(size);
    for (std::size_t at = 0; at < size; at += detail::most_at_once) {
        auto const part = std::min<std::size_t>(size - at, detail::most_at_once);
        detail::require_mpi(MPI_Recv(one.content.data() + at, static_cast<int>(part), MPI_BYTE, one.from, one.tag,
                                     MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    }
    return one;
}

PLATEAU_PROGRAM_INLINE void ranks::give_up(std::string const& program, std::string const& problem, int status) const {
    std::cerr.clear();
    std::cerr << program << ": rank " << rank_ << " on " << detail::host_name() << ": " << problem << std::endl;
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
}

#else

PLATEAU_PROGRAM_INLINE ranks::ranks() {
    int const count = detail::launched_ranks();
    if (count > 1)
        throw usage_error("this program was built without MPI and finds itself under ", count,
                          " ranks, each of which would do all of the work: build it with -DPLATEAU_MPI=ON, or start "
                          "one");
}
PLATEAU_PROGRAM_INLINE ranks::~ranks() = default;
PLATEAU_PROGRAM_INLINE void ranks::send(int, int, std::span<std::byte const>) const {}
PLATEAU_PROGRAM_INLINE std::optional<ranks::message> ranks::taken_in() const { return {}; }
PLATEAU_PROGRAM_INLINE void ranks::give_up(std::string const& program, std::string const& problem, int status) const {
    std::cerr << program << ": " << problem << std::endl;
    std::_Exit(status);
}

#endif

PLATEAU_PROGRAM_INLINE ranks::message ranks::wait_for(int tag) const {
    auto const before = std::find_if(early_.begin(), early_.end(), [&](message const& one) { return one.tag == tag; });
    if (before != early_.end()) {
        auto one = std::move(*before);
        early_.erase(before);
        return one;
    }
    for (;;) {
        auto one = taken_in();
        if (!one) pause();
        else if (one->tag == tag) return std::move(*one);
        else early_.push_back(std::move(*one));
    }
}

PLATEAU_PROGRAM_INLINE std::optional<ranks::message> ranks::received() const {
    if (early_.empty()) return taken_in();
    auto one = std::move(early_.front());
    early_.pop_front();
    return one;
}

PLATEAU_PROGRAM_INLINE std::string ranks::told_by_first(std::string const& text) const {
    constexpr int tag = 1;
    if (count_ == 1) return text;
    if (first()) {
        for (int to = 1; to < count_; ++to) send(to, tag, std::as_bytes(std::span{text}));
        return text;
    }
    auto const heard = wait_for(tag);
    return {reinterpret_cast<char const*>(heard.content.data()), heard.content.size()};
}

PLATEAU_PROGRAM_INLINE std::string ranks::told_by_first_here(std::string const& text) const {
    constexpr int tag = 2;
    if (rank_here_ == 0) {
        for (std::size_t k = 1; k < here_.size(); ++k) send(here_[k], tag, std::as_bytes(std::span{text}));
        return text;
    }
    auto const heard = wait_for(tag);
    return {reinterpret_cast<char const*>(heard.content.data()), heard.content.size()};
}

PLATEAU_PROGRAM_INLINE void ranks::meet_here() const {
    constexpr int tag = 3;
    if (rank_here_ > 0) return send(here_.front(), tag, {});
    for (std::size_t k = 1; k < here_.size(); ++k) (void)wait_for(tag);
}

PLATEAU_PROGRAM_INLINE void ranks::part() const { (void)told_by_first("done"); }

}  // namespace plateau::program
