#pragma once
/// Sweeps of any size: in one go, or in pieces that a journal keeps and that ranks share.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/engine/prompt_pair.hpp>
#include <plateau/engine/prompts.hpp>
#include <plateau/models/memory_plan.hpp>
#include <plateau/program/command_line.hpp>
#include <plateau/program/long_run/dealer.hpp>
#include <plateau/program/long_run/interruption.hpp>
#include <plateau/program/long_run/journal.hpp>
#include <plateau/program/long_run/measured.hpp>
#include <plateau/program/long_run/ranks.hpp>
#include <plateau/program/meter.hpp>

namespace plateau::program {

/// A sweep over things, pairs of prompts as a rule, each of as many points.
struct sweep_work {
    index count = 0, points = 1;
    prompt_list const& prompts;  ///< what it depends on beside the options
    std::vector<engine::prompt_pair> const& pairs = {};
};

/// Things [first, first + count).
template <class Thing>
std::vector<Thing> some_of(std::vector<Thing> const& all, index first, index count) {
    return {all.begin() + first, all.begin() + first + count};
}

/// This rank has done its part; what is left is for the first one.
struct part_done {};

/// What is left of a run when it was asked to end.
class interrupted_error : public error {
public:
    using error::error;
};

/// The sweeps of one run of a program, in the order in which they come. Without journal and other ranks a sweep is one
/// call; else pieces of about a second, which are dealt on demand, and give the same results: a row's bits do not
/// depend on what is computed beside it.
class long_runs {
public:
    /// Adds --journal and --resume. Programs that never call `measure` have neither.
    void add_options(command_line& app);
    /// Whether a launcher has started several ranks.
    bool launched() const { return ranks_ != nullptr && ranks_->count() > 1; }
    /// Joins the other ranks, if there are any. Of a program that sweeps nothing rank 0 does all.
    /// @throws usage_error as `ranks`; part_done on the other ranks of such a program
    void join();
    /// Opens the journal, if there is to be one. A resumed run has to have its options, but for those that may differ.
    /// @throws usage_error, file_error
    void open(command_line const& app);
    /// What a resumed run has to have in common too. @param facts  {name, value}: of the model, of who computes
    /// @throws usage_error
    void describe(std::vector<std::pair<std::string, std::string>> const& facts);

    bool joined_others() const { return launched() && sweeps_; }
    /// Among the ranks of this machine.
    int rank_here() const { return joined_others() ? ranks_->rank_here() : 0; }
    /// Rank 0, or the only one.
    bool writes() const { return !joined_others() || ranks_->first(); }
    bool in_pieces() const { return !journal_path_.empty() || !resume_path_.empty() || joined_others(); }
    /// Things of `count` that are in memory together: all, or a piece.
    index most_at_once(index count) const { return in_pieces() ? std::max<index>(1, count / 20) : count; }
    index resumed_points() const { return resumed_points_; }
    int count() const { return joined_others() ? ranks_->count() : 1; }
    /// Threads of this rank: as many as asked for, or else its share of the machine.
    int threads_of_rank(int asked) const;

    /// How ranks of one machine have weights once; null where there is one.
    models::weight_sharing const* sharing() const {
        return joined_others() && ranks_->count_here() > 1 ? shared_.get() : nullptr;
    }

    /// Ends a run that went well, on every rank: each waits for rank 0.
    void part() const {
        if (launched()) ranks_->part();
    }
    [[noreturn]] void give_up(std::string const& program, std::string const& problem, int status);

    /// All of a sweep's results, on every rank. @param measure  (first, count) -> results of these things, which list
    ///         their arrays as raw_arrays wants
    /// @throws interrupted_error; what `measure` and the journal throw
    template <class Measure>
    auto measure(sweep_work const& work, meter& meter, Measure const& measure) {
        using results = std::invoke_result_t<Measure const&, index, index>;
        if (!in_pieces() || work.count == 0) return measure(index{0}, work.count);
        run(work, meter, byte_maker(work, measure));
        auto const stored = shared_pieces();
        std::vector<std::vector<std::byte>> bytes;
        program::pieces arrays;
        for (auto const& one : stored.places) bytes.push_back(stored.read(one));
        for (auto const& one : bytes) arrays.push_back(arrays_in(one));
        return program::joined<results>(arrays);
    }

    /// The same as pieces, in little memory, of a run's last sweep. @throws part_done on ranks that do not write
    template <class Measure>
    auto measure_in_pieces(sweep_work const& work, meter& meter, Measure const& measure) {
        using results = std::invoke_result_t<Measure const&, index, index>;
        if (!in_pieces() || work.count == 0) return measured<results>{measure(index{0}, work.count)};
        run(work, meter, byte_maker(work, measure));
        if (!writes()) throw part_done{};
        return measured<results>{own_pieces()};
    }

private:
    /// Takes the bytes of a chunk.
    using chunk_taker = std::function<void(chunk_place const&, std::vector<std::byte>)>;
    /// Measures things and gives their chunks.
    using chunk_maker = std::function<void(index first, index count, index chunk, chunk_taker const&)>;

    template <class Measure>
    static chunk_maker byte_maker(sweep_work const& work, Measure const& measure) {
        return [&work, &measure](index first, index count, index chunk, chunk_taker const& take) {
            try {
                auto const found = measure(first, count);
                auto const arrays = raw_arrays(found);
                for (index at = 0; at < count; at += chunk) {
                    index const here = std::min(chunk, count - at);
                    take({0, first + at, here}, bytes_of(arrays, at, here, count));
                }
            } catch (numeric_error const& problem) {
                throw numeric_error(counted_from(first, work.count, problem.what()));
            } catch (domain_error const& problem) {
                throw domain_error(counted_from(first, work.count, problem.what()));
            }
        };
    }
    static std::string counted_from(index first, index count, std::string const& text);

    /// Runs what the journal does not have of the next sweep.
    void run(sweep_work const& work, meter& meter, chunk_maker const& make);
    void run_alone(dealer& deals, chunk_maker const& make, chunk_taker const& keep);
    void run_first_of_many(dealer& deals, chunk_maker const& make, chunk_taker const& keep, meter& meter, index points);
    void run_one_of_many(chunk_maker const& make, index chunk);
    void keep(chunk_place where, std::vector<std::byte> content);
    [[noreturn]] void end_early(index left) const;

    stored_pieces own_pieces() const;
    /// Those of the first rank, on every one.
    stored_pieces shared_pieces();

    std::string journal_path_, resume_path_;
    bool sweeps_ = false;
    std::unique_ptr<ranks> ranks_;
    std::unique_ptr<models::weight_sharing> shared_;
    std::unique_ptr<journal> journal_;
    std::unique_ptr<interruption> interruption_;
    std::map<chunk_place, std::shared_ptr<std::vector<std::byte> const>> kept_;  // where there is no journal
    std::vector<chunk_place> places_;                                            // of the sweep that ran last
    index sweep_ = -1, resumed_points_ = 0;
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/long_runs.ipp>
#endif
