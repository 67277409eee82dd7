#pragma once
/// The jumps of many pairs to a tolerance: where a grid of steps saturates, a few more points tell place and slope.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/paths/refine_jump.hpp>
#include <plateau/sweep/along.hpp>
#include <plateau/sweep/curves.hpp>

namespace plateau::sweep {

struct refine_jumps_options {
    double tolerance = 1e-4;  ///< wanted bound on the error of the place, in α
    index per_round = 3;      ///< new points of a pair in one run of the engine; one more, at α = 0, is the reference
    double noise = 0;         ///< error of d(α)/d(1): see paths::refine_options
    double min_d1 = 0;        ///< pairs with d(1) no larger are degenerate: all of theirs is NaN, after no evaluation
};

/// A sweep that has been over an even grid, and what it went along.
template <class T>
struct coarse_sweep {
    distance_curves const& curves;  ///< from its first α to its last
    path_writer<T> path;
    engine::setup setup;
};

/// Goes on from a sweep over an even grid to the steepest place of d(α)/d(1): all pairs are searched at once, a round
/// of every search per run of the engine.
/// @param coarse   what the sweep over the grid gave, from its first α to its last
/// @param path     the paths that the sweep went along      @param also  interventions that it had, as they were
/// @return by pair; evaluations include the grid's
/// @throws usage_error (options, another number of pairs), numeric_error; as distances_along
template <class T>
std::vector<paths::refined_jump> refine_jumps(model<T> const& model, prompt_list const& prompts,
                                              std::vector<prompt_pair> const& pairs, coarse_sweep<T> const& coarse,
                                              refine_jumps_options const& options,
                                              hooks::hook_set<T> const& also = {}) {
    auto setup = coarse.setup;
    setup.progress = {};
    auto const& curves = coarse.curves;
    auto const& path = coarse.path;
    auto const count = static_cast<index>(pairs.size());
    if (curves.distances.extent(0) != count) {
        throw usage_error("the jumps of ", count, " pairs are to be refined from the curves of ",
                          curves.distances.extent(0));
    }
    double const nan = std::numeric_limits<double>::quiet_NaN(), start = curves.alpha.front();
    paths::refine_options search;
    search.first = start;
    search.last = curves.alpha.back();
    search.coarse = static_cast<index>(curves.alpha.size());
    search.tolerance = options.tolerance;
    search.per_round = options.per_round;
    search.noise = options.noise;
    std::vector<std::optional<paths::jump_search>> searches(pairs.size());
    for (index p = 0; p < count; ++p) {
        auto const relative = metrics::relative_distance(curves[p], options.min_d1);
        if (std::isnan(relative.back())) continue;
        searches[static_cast<std::size_t>(p)].emplace(search).give(relative);
    }
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
        auto const found = distances_along(model, prompts, pairs,
                                           std::vector<double>(static_cast<std::size_t>(most + 1)), write, setup, also);
        for (index p = 0; p < count; ++p) {
            auto& one = searches[static_cast<std::size_t>(p)];
            if (!one || one->wanted().empty()) continue;
            std::vector<double> relative;
            for (std::size_t i = 1; i <= one->wanted().size(); ++i) relative.push_back(found[p][i] / curves[p].back());
            one->give(relative);
        }
    }
    std::vector<paths::refined_jump> jumps;
    for (auto const& one : searches)
        jumps.push_back(one ? one->result() : paths::refined_jump{nan, nan, nan, nan, nan, false, 0});
    return jumps;
}

PLATEAU_COMPILED_FUNCTION(refine_jumps);

}  // namespace plateau::sweep
