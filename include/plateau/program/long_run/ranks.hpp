#pragma once
/// The processes of one run on one or many machines, under MPI.

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <plateau/program/compiled.hpp>

namespace plateau::program {

/// What a launcher has started together. Rank 0 deals, keeps the journal and writes; all compute. Only one thread may
/// call; nobody waits in a spin.
class ranks {
public:
    /// Joins the others, if a launcher has started more than one process.
    /// @throws usage_error in a build without MPI that finds itself under more than one rank
    ranks();
    ~ranks();
    ranks(ranks const&) = delete;
    ranks& operator=(ranks const&) = delete;

    int rank() const { return rank_; }
    int count() const { return count_; }
    bool first() const { return rank_ == 0; }
    /// Among those on this machine.
    int rank_here() const { return rank_here_; }
    int count_here() const { return count_here_; }

    struct message {
        int from = 0, tag = 0;
        std::vector<std::byte> content = {};
    };
    void send(int to, int tag, std::span<std::byte const> content) const;
    /// What has come, if anything has.
    std::optional<message> received() const;
    /// The next one with this tag, however long it takes. Others that come before it are received later.
    message wait_for(int tag) const;
    /// Waits a little while others compute.
    static void pause();

    /// The same text everywhere: that of rank 0.
    std::string told_by_first(std::string const& text) const;
    /// The same on every rank of this machine: that of its first one.
    std::string told_by_first_here(std::string const& text) const;
    /// The first one of this machine waits until all others of it have come here too.
    void meet_here() const;

    /// Ends all processes after an error of this one.
    [[noreturn]] void give_up(std::string const& program, std::string const& problem, int status) const;
    /// Ends this one after all others have come here.
    void part() const;

private:
    std::optional<message> taken_in() const;

    int rank_ = 0, count_ = 1, rank_here_ = 0, count_here_ = 1;
    std::vector<int> here_ = {0};        // ranks of this machine
    mutable std::deque<message> early_;  // that came while others were waited for
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/ranks.ipp>
#endif
