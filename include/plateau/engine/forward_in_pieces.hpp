#pragma once
/// Forward passes of prompts of any length, on all threads: a long prompt goes through the layers piece by piece.

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/engine/engine.hpp>

namespace plateau::engine {

namespace detail {

/// What one thread takes through all layers: prompts [first, end) as they are, or positions [start, start + rows) of
/// one.
struct piece {
    index first = 0, end = 0;
    index start = 0, rows = 0;
    bool has_next = false;  ///< the piece after this one is the same prompt's next
};

/// Short prompts share a piece, long ones are cut; the pieces of a prompt stand one after the other.
inline std::vector<piece> pieces_of(prompt_list const& prompts, index rows) {
    std::vector<piece> pieces;
    for (auto const& [first, end] : batches_of(prompts, rows)) {
        auto const length = static_cast<index>(prompts[static_cast<std::size_t>(first)].size());
        if (end - first > 1 || length <= rows) {
            pieces.push_back({first, end, 0, 0, false});
            continue;
        }
        for (index start = 0; start < length; start += rows) {
            index const count = std::min(rows, length - start);
            pieces.push_back({first, end, start, count, start + count < length});
        }
    }
    return pieces;
}

/// How many layers a piece has left behind it, for the one that follows: 0 once it has begun.
class piece_progress {
public:
    /// Waits until `layers` layers are left behind. @return false if the piece failed
    bool wait_for(int layers) {
        int seen = passed_.load(std::memory_order_acquire);
        for (; seen != failed && seen < layers; seen = passed_.load(std::memory_order_acquire)) passed_.wait(seen);
        return seen != failed;
    }
    void set(int layers) {
        passed_.store(layers, std::memory_order_release);
        passed_.notify_all();
    }
    void fail() { set(failed); }

private:
    static constexpr int not_begun = -1, failed = -2;
    std::atomic<int> passed_{not_begun};
};

/// One run of `forward_in_pieces`.
template <class T>
class piecewise_run {
public:
    /// @param engine,prompts,plan  kept as references
    piecewise_run(engine<T> const& engine, prompt_list const& prompts, hooks::plan<T> const& plan, index rows)
        : engine_{engine}, prompts_{prompts}, plan_{plan}, pieces_{pieces_of(prompts, rows)}, progress_(pieces_.size()),
          caches_(prompts.size()) {}

    index pieces() const { return static_cast<index>(pieces_.size()); }

    /// @throws what the engine throws; then the pieces that wait for this one end, too
    void take(index number, block_runner<T>& runner) {
        auto& own = progress_[static_cast<std::size_t>(number)];
        try {
            if (!run(number, runner)) own.fail();
        } catch (...) {
            own.fail();
            throw;
        }
    }

private:
    bool run(index number, block_runner<T>& runner) {
        auto const p = static_cast<std::size_t>(number);
        auto const& piece = pieces_[p];
        int const last = plan_.layers_wanted(engine_.layers());
        if (piece.start > 0 && !progress_[p - 1].wait_for(0)) return false;
        auto& cache = caches_[static_cast<std::size_t>(piece.first)];  // made by a prompt's first piece
        if (piece.has_next && piece.start == 0) {
            cache = engine_.keep(0, last, static_cast<index>(prompts_[static_cast<std::size_t>(piece.first)].size()));
        }
        progress_[p].set(0);
        nn::rows rows;
        for (index i = piece.first; i < piece.end; ++i) {
            std::span<token_id const> const prompt{prompts_[static_cast<std::size_t>(i)]};
            if (piece.rows == 0) {
                rows.add_prompt(i, prompt);
                continue;
            }
            auto const some =
                prompt.subspan(static_cast<std::size_t>(piece.start), static_cast<std::size_t>(piece.rows));
            auto const first = nn::rows::prompt_row(i, piece.start, static_cast<index>(prompt.size()));
            rows.add(first, some, cache.get(), piece.has_next ? cache.get() : nullptr);
        }
        block_run<T> run{.rows = rows, .plan = &plan_, .last = last};
        run.read_out_for_plan();
        // a layer is entered when the piece before has left it, on the keys and values that it kept
        if (piece.start > 0) run.enter = [&](int layer) { return progress_[p - 1].wait_for(layer + 1); };
        run.left = [&](int layer) {
            progress_[p].set(layer + 1);
            bool const ends = piece.start > 0 && !piece.has_next && layer + 1 == last;
            if (ends) cache.reset();  // given back by the prompt's last piece
        };
        return runner.run(run);
    }

    engine<T> const& engine_;
    prompt_list const& prompts_;
    hooks::plan<T> const& plan_;
    std::vector<piece> pieces_;
    std::vector<piece_progress> progress_;                // by piece
    std::vector<std::unique_ptr<nn::kept_keys>> caches_;  // by prompt
};

}  // namespace detail

/// Runs every prompt through the model as `forward` does, with the same bits at every hook point, but a long prompt's
/// rows come in pieces of at most `rows` positions, maybe several at once: piece c passes through layer l as soon as
/// piece c − 1 has left it, on keys and values kept. So all threads work on one prompt, and memory is that of a piece
/// per thread and the keys and values of the prompts under way.
/// @param rows  ≥ 1; 0 chooses
/// @throws as `forward`
template <class T>
void forward_in_pieces(engine<T> const& engine, prompt_list const& prompts, hooks::hook_set<T> const& set,
                       index rows = 0) {
    engine.require_prompts(prompts);
    hooks::plan<T> const plan{set, engine.sites()};
    if (rows < 1) rows = std::min(engine.batch_rows(tokens_of(prompts)), engine.facts().block_rows);
    detail::piecewise_run<T> pieces{engine, prompts, plan, rows};
    auto const runners = engine.runners();
    // pieces are handed out in order, so that the one that a piece waits for is always under way
    parallel_for(engine.under_way(), pieces.pieces(),
                 [&](index number, int worker) { pieces.take(number, *runners[static_cast<std::size_t>(worker)]); });
    plan.require_all_fired("no row came past it");
}

PLATEAU_COMPILED_FUNCTION(forward_in_pieces);

}  // namespace plateau::engine
