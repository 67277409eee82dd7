#pragma once
/// Stable regions: all that one sweep along paths between activations can tell, of every pair of prompts.

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/exact_slopes.hpp>
#include <plateau/sweep/freeze.hpp>
#include <plateau/sweep/named_paths.hpp>
#include <plateau/sweep/next_tokens.hpp>
#include <plateau/sweep/path_metrics.hpp>
#include <plateau/sweep/refine_jumps.hpp>
#include <plateau/sweep/transitions.hpp>
#include <plateau/sweep/transplant_gap.hpp>

namespace plateau::sweep {

/// What a sweep does and what it reads.
struct stable_regions_options {
    std::string write = "blocks.0.hook_resid_post";
    std::vector<std::string> read{"ln_final.hook_out"};  ///< one or several; all but distances is of the first
    engine::write_positions positions = {};
    std::vector<frozen_sites> frozen = {};
    std::string path = "linear";            ///< one of path_names
    std::vector<double> path_mean = {};     ///< of path_mean_of, where it is known
    index steps = 50;                       ///< points of a pair, α = i / (steps − 1)
    std::vector<std::string> metrics = {};  ///< of path_metric_names
    bool predictions = false;               ///< divergences, and `top` likeliest next tokens
    index top = 0;
    bool gap = false;     ///< transplant gaps
    bool refine = false;  ///< jumps to a tolerance
    refine_jumps_options refinement = {};
    bool exact_slope = false;                  ///< d'(α)/d(1) as derivatives: of the points, and of refined jumps
    std::function<void(index)> progress = {};  ///< told of points; called concurrently
};

/// What it gives.
struct stable_regions_results {
    std::vector<tensor::buffer<double, 2>> distances;     ///< [P,S] by read site: L2 distance to the read-out at α = 0
    std::vector<tensor::buffer<double, 2>> metrics = {};  ///< [P,S] metric by metric, in each read site by read site
    next_tokens predicted = {};
    std::vector<double> gaps = {};                  ///< [P], or none
    std::vector<paths::refined_jump> refined = {};  ///< [P], or none
    tensor::buffer<double, 2> slopes = {};          ///< [P,S] d'(α)/d(1), or none

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.distances), visit(self.metrics);
        visit(self.predicted.kl), visit(self.predicted.kl_reverse);
        visit(self.predicted.tokens), visit(self.predicted.log_probabilities);
        visit(self.gaps), visit(self.refined), visit(self.slopes);
    }

    tensor::buffer<double, 2> const& first_distances() const { return distances[0]; }
    /// [P,4]: place, bound on its error, slope, and 1 if the slope is no lower bound.
    std::vector<double> refined_numbers() const {
        std::vector<double> all;
        for (auto const& one : refined)
            all.insert(all.end(), {one.place, one.error, one.slope, one.resolved ? 1.0 : 0.0});
        return all;
    }
    /// Of each pair the largest among its points.
    std::vector<double> largest_slopes() const {
        std::vector<double> all;
        for (index p = 0; p < slopes.extent(0); ++p)
            all.push_back(*std::max_element(slopes[p].data(), slopes[p].data() + slopes.extent(1)));
        return all;
    }
};

/// Moves each pair's activation from A to B in the context's run, and reads. Frozen sites are held all along, where a
/// first pass without any freezing had them.
/// @throws as distances_along, freeze, refine_jumps; numeric_error where a read-out is not finite
/// @see Janiak et al. 2024; Shinkle & Heimersheim 2025
template <class T>
stable_regions_results stable_regions(model<T> const& model, prompt_list const& prompts,
                                      std::vector<prompt_pair> const& pairs, stable_regions_options const& o) {
    auto const count = static_cast<index>(pairs.size());
    stable_regions_results r{std::vector<tensor::buffer<double, 2>>(o.read.size())};
    path_metrics metrics{o.metrics, o.read.size(), count, o.steps};
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    engine::setup where{.write = o.write, .read = o.read[0], .positions = o.positions};
    hooks::hook_set<T> changes;
    if (!o.frozen.empty()) changes = freeze(model, prompts, pairs, {o.steps, along.points, where}, o.frozen);

    // what else is read in the one sweep
    auto also = changes;
    auto predictions = o.predictions ? engine::predictions<T>(count, o.steps, o.top) : engine::predictions<T>{};
    transplant_gap<T> gap{model, prompts, pairs, o.read[0]};
    if (o.predictions) also = also | engine::read_predictions(model.engine(), predictions);
    if (o.gap) also = also | gap.reads();
    for (std::size_t k = 0; k < o.read.size(); ++k) {
        auto const site = hooks::find_site(model.sites(), o.read[k]).name();
        if (metrics.any()) also = also | metrics.template reads<T>(site, k);
        if (k == 0) continue;
        r.distances[k] = tensor::buffer<double, 2>({count, o.steps});
        also = also | engine::read_distances<T>(site, r.distances[k]);
    }

    where.progress = o.progress;
    auto curves = distances_along(model, prompts, pairs, paths::even_grid(0, 1, o.steps), along.points, where, also);
    if (o.gap) r.gaps = gap.distances();
    if (o.refine) {
        require_finite(curves.distances, where.read);
        r.refined =
            refine_jumps(model, prompts, pairs, coarse_sweep<T>{curves, along.path, where}, o.refinement, changes);
    }
    if (o.exact_slope) {
        swept_curves<T> swept{{.write = o.write, .read = o.read[0], .path = o.path, .steps = o.steps}, curves, changes};
        swept.along.path_mean = o.path_mean;
        swept.along.positions = o.positions, swept.along.min_d1 = o.refinement.min_d1;
        r.slopes = exact_slopes(model, prompts, pairs, swept);
        if (o.refine) use_exact_slopes(model, prompts, pairs, swept, r.refined);
    }
    r.distances[0] = std::move(curves.distances);
    for (std::size_t k = 0; k < o.read.size(); ++k) require_finite(r.distances[k], o.read[k]);
    r.metrics = std::move(metrics).take();
    r.predicted = next_tokens_of(std::move(predictions));
    return r;
}

}  // namespace plateau::sweep
