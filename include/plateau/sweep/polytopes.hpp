#pragma once
/// Polytopes by their sign codes: sampled along paths, exact at the first MLP, and near an activation.

#include <numeric>
#include <vector>

#include <plateau/sweep/exact_crossings.hpp>
#include <plateau/sweep/local_complexity.hpp>
#include <plateau/sweep/sign_change_counts.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

struct polytopes_options {
    sign_change_options along = {};
    bool exact = false;              ///< along straight lines alone
    std::vector<double> radii = {};  ///< of local complexity, as shares of |x|
    index directions = 25;           ///< of its neighbourhoods
};

struct polytopes {
    sign_change_counts counts;
    exact_crossings exact = {};                ///< if wanted
    tensor::buffer<index, 2> sampled = {};     ///< [P,S − 1] the same gates under the same held attention
    tensor::buffer<index, 3> complexity = {};  ///< [K,N,L] by radius, or none

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {  // of pairs, without the names of their gates
        sign_change_counts::each_array(self.counts, visit);
        visit(self.exact.of), visit(self.sampled);
    }
    /// Says whose gates they are.
    void name_gates(std::vector<hooks::site> const& sites, std::string const& write) {
        counts.gates = gates_behind(sites, write);
        exact.at = counts.gates.front();
    }

    /// [P]
    std::vector<double> exact_totals() const {
        std::vector<double> all;
        for (auto const& of_pair : exact.of) all.push_back(static_cast<double>(of_pair.size()));
        return all;
    }
    std::vector<double> sampled_totals() const {
        std::vector<double> all;
        for (index p = 0; p < sampled.extent(0); ++p) {
            auto const of_pair = sampled[p].flat();
            all.push_back(static_cast<double>(std::accumulate(of_pair.begin(), of_pair.end(), index{0})));
        }
        return all;
    }
    /// [P,S − 1]
    std::vector<index> exact_by_interval() const {
        std::vector<index> all;
        for (index p = 0; p < counts.pairs(); ++p) {
            auto const of_pair = exact.by_interval(p, sampled.extent(1) + 1);
            all.insert(all.end(), of_pair.begin(), of_pair.end());
        }
        return all;
    }
};

/// @throws as count_sign_changes, find_exact_crossings, local_complexity; usage_error for exact crossings of bent paths
template <class T>
polytopes find_polytopes(model<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                         polytopes_options const& o) {
    auto const& a = o.along;
    if (o.exact && a.path != "linear" && !a.random_direction)
        throw usage_error("crossings are exact along straight lines alone, not on the path ", a.path);
    polytopes all{count_sign_changes(model, prompts, pairs, a)};
    require_finite(all.counts.curves.distances, a.read);
    if (o.exact) {
        auto const lines = [&](index steps) {
            return sweep_points<T>{
                steps,
                a.random_direction ? random_lines<T>(steps, a.seed, a.first_pair) : straight_lines<T>(steps),
                {.write = a.write, .progress = a.progress}};
        };
        auto const& at = all.counts.gates.front();
        auto const held = hold_attention(model, prompts, pairs, lines(3), at);
        all.exact = find_exact_crossings(model, prompts, pairs, lines(3), held);
        all.sampled = sample_crossings(model, prompts, pairs, lines(a.steps), held, at);
    }
    if (!o.radii.empty())
        all.complexity = local_complexity(model, prompts, {a.write, o.radii, o.directions, a.seed, 0, a.progress});
    return all;
}

}  // namespace plateau::sweep
