#pragma once
/// Prompts joined by paths along which the likeliest next token stays the same, found while a sweep of pairs runs.

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/disjoint_sets.hpp>
#include <plateau/corpus/pairings.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/engine/read/read_out.hpp>

namespace plateau::sweep {

/// The connected components of the graph whose edges are the pairs with one likeliest token at all points of their
/// path. What does not change them is not read: the inner points of a pair whose ends have different tokens, of one
/// that has changed already, and of one that earlier edges connect. The components do not depend on the order in which
/// blocks of rows come: an edge that is left out has both ends in one component anyway.
template <class T>
class joined_prompts {
public:
    /// @param engine  kept as a reference      @param labels  [N] the likeliest token at each prompt's own activation,
    ///                in the same context      @param points  of a path, S >= 2
    joined_prompts(engine::engine<T> const& engine, std::vector<index> labels, index points)
        : engine_{engine}, labels_{std::move(labels)}, inner_{points - 2}, components_{
                                                                               static_cast<index>(labels_.size())} {}

    /// Begins a sweep. @param pairs  its items, from 0 on; kept as a reference
    void begin(std::span<corpus::pair const> pairs) {
        pairs_ = pairs;
        left_.assign(pairs.size(), inner_);
        edges_.assign(pairs.size(), 0);
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            if (inner_ == 0 && label(pairs[p][0]) == label(pairs[p][1])) join(static_cast<index>(p));
        }
    }

    /// Of the pairs of the sweep that began last, 1 for edges: as many as it takes to connect what is connected.
    std::vector<char> const& edges() const { return edges_; }

    /// A hook for the sweep. Lives no longer than this. @throws numeric_error, when it acts, on logits that are not
    /// finite
    hooks::hook_set<T> reads() {
        return hooks::capture<T>("unembed.hook_in", [this](hooks::rows_at<T>& here) { look(here); });
    }

private:
    static constexpr index changes = -1;  // of left_: the token does

    index label(index prompt) const { return labels_[static_cast<std::size_t>(prompt)]; }

    bool is_open(index item) {
        auto const& [from, to] = pairs_[static_cast<std::size_t>(item)];
        return label(from) == label(to) && left_[static_cast<std::size_t>(item)] > 0 &&
               components_.smallest(from) != components_.smallest(to);
    }

    void look(hooks::rows_at<T>& here) {
        std::vector<index> chosen;
        {
            std::lock_guard const lock{guard_};
            for (index const r : engine::last_rows{here.rows}.rows) {
                auto const& row = here.rows[static_cast<std::size_t>(r)];
                if (row.point > 0 && row.point + 1 < row.points && is_open(row.item)) chosen.push_back(r);
            }
        }
        if (chosen.empty()) return;
        auto const rows = here.read();
        auto const count = static_cast<index>(chosen.size());
        tensor::buffer<T, 2> x({count, here.shape[1]});
        for (index i = 0; i < count; ++i)
            std::copy_n(rows[chosen[static_cast<std::size_t>(i)]].data(), here.shape[1], x[i].data());
        std::vector<index> own(chosen.size());  // compared to itself: no divergence is asked for
        std::iota(own.begin(), own.end(), index{0});
        std::vector<backend::logit_summary> summaries(chosen.size());
        tensor::buffer<backend::scored_token<T>, 2> best({count, 1});
        engine_.summarise_logits(x, own, summaries, best);
        std::lock_guard const lock{guard_};
        for (index i = 0; i < count; ++i) {
            auto const& row = here.rows[static_cast<std::size_t>(chosen[static_cast<std::size_t>(i)])];
            if (!std::isfinite(summaries[static_cast<std::size_t>(i)].log_sum_exp))
                throw numeric_error("the logits are not finite for pair ", row.item, ", point ", row.point,
                                    ": compute with a wider dtype");
            take(row.item, best(i, 0).token);
        }
    }

    void take(index item, index token) {
        auto& left = left_[static_cast<std::size_t>(item)];
        if (left == changes) return;
        left = token == label(pairs_[static_cast<std::size_t>(item)][0]) ? left - 1 : changes;
        if (left == 0) join(item);
    }

    void join(index item) {
        auto const& [from, to] = pairs_[static_cast<std::size_t>(item)];
        components_.merge(from, to);
        edges_[static_cast<std::size_t>(item)] = 1;
    }

    engine::engine<T> const& engine_;
    std::vector<index> labels_;
    index inner_;  // points between both ends
    std::span<corpus::pair const> pairs_;
    std::vector<index> left_;  // of each pair: inner points that are not known to have the token
    std::vector<char> edges_;
    std::mutex guard_;
    disjoint_sets components_;
};

}  // namespace plateau::sweep
