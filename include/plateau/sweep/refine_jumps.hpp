#pragma once
/// The jumps of many pairs to a tolerance: where a grid of steps saturates, a few more points tell place and slope.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/metrics/relative_distance.hpp>
#include <plateau/paths/refine_jump.hpp>
#include <plateau/sweep/along.hpp>
#include <plateau/sweep/distance_curves.hpp>

namespace plateau::sweep {

struct refine_jumps_options {
    double tolerance = 1e-4;  ///< wanted bound on the error of the place, in α
    index per_round = 3;      ///< new points of a pair in one run of the engine; one more, at α = 0, is the reference
    double noise = 0;         ///< error of d(α)/d(1): see paths::refine_options
    double min_d1 = 0;        ///< pairs with d(1) no larger are degenerate: all of theirs is NaN, after no evaluation
};

/// Goes on from a sweep over an even grid to the steepest place of d(α)/d(1): all pairs are searched at once, a round
/// of every search per run of the engine.
/// @param coarse   what the sweep over the grid gave, from its first α to its last
/// @param path     the paths that the sweep went along      @param also  interventions that it had, as they were
/// @return by pair; evaluations include the grid's
/// @throws usage_error (options, another number of pairs), numeric_error; as distances_along
template <class Context, class Model>
[[gnu::cold]] std::vector<paths::refined_jump> refine_jumps(
    Context const& ctx, Model const& model, models::prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
    distance_curves const& coarse, path_writer<typename Model::value_type> const& path,
    refine_jumps_options const& options, curve_options curve,
    hooks::hook_set<typename Model::value_type> const& also = {}) {
    using T = typename Model::value_type;
    auto const count = static_cast<index>(pairs.size());
    if (coarse.distances.extent(0) != count) {
        throw usage_error("the jumps of ", count, " pairs are to be refined from the curves of ",
                          coarse.distances.extent(0));
    }
    double const nan = std::numeric_limits<double>::quiet_NaN(), start = coarse.alpha.front();
    paths::refine_options search;
    search.first = start;
    search.last = coarse.alpha.back();
    search.coarse = static_cast<index>(coarse.alpha.size());
    search.tolerance = options.tolerance;
    search.per_round = options.per_round;
    search.noise = options.noise;
    std::vector<std::optional<paths::jump_search>> searches(pairs.size());
    for (index p = 0; p < count; ++p) {
        auto const relative = metrics::relative_distance(coarse[p], options.min_d1);
        if (std::isnan(relative.back())) continue;
        searches[static_cast<std::size_t>(p)].emplace(search).give(relative);
    }
    curve.whole_pairs = false;
    curve.on_points = {};
    for (;;) {
        // pairs keep their numbers, which hooks may go by; one whose search is over runs along at the start of its path
        index most = 0;
        for (auto const& one : searches) most = std::max(most, one ? static_cast<index>(one->wanted().size()) : 0);
        if (most == 0) break;
        point_writer<T> const write = [&](index pair, index point, tensor::view<T const, 2> a,
                                          tensor::view<T const, 2> b, tensor::view<T, 2> out) {
            auto const& one = searches[static_cast<std::size_t>(pair)];
            bool const wants = one && point > 0 && point <= static_cast<index>(one->wanted().size());
            path(pair, wants ? one->wanted()[static_cast<std::size_t>(point - 1)] : start, a, b, out);
        };
        auto const found = distances_along(ctx, model, prompts, pairs,
                                           std::vector<double>(static_cast<std::size_t>(most + 1)), write, curve, also);
        for (index p = 0; p < count; ++p) {
            auto& one = searches[static_cast<std::size_t>(p)];
            if (!one || one->wanted().empty()) continue;
            std::vector<double> relative;
            for (std::size_t i = 1; i <= one->wanted().size(); ++i) relative.push_back(found[p][i] / coarse[p].back());
            one->give(relative);
        }
    }
    std::vector<paths::refined_jump> jumps;
    for (auto const& one : searches)
        jumps.push_back(one ? one->result() : paths::refined_jump{nan, nan, nan, nan, nan, false, 0});
    return jumps;
}

}  // namespace plateau::sweep
