#pragma once
/// Distance curves along straight lines between activations: the stable-regions experiment.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <plateau/metrics/l2_distance.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

/// The published experiment's choices.
struct interpolate_options {
    std::string write = "blocks.0.hook_resid_post";  ///< where x(α) replaces the activation, at the last position
    std::string read = "ln_final.hook_out";          ///< where the change is measured, at the last position
    index steps = 50;                                ///< points α = i / (steps − 1)
    std::function<void(index)> on_points = {};       ///< called with the number of points just finished, concurrently
};

/// d(α) of many pairs.
struct distance_curves {
    std::vector<double> alpha;            ///< [S]
    tensor::buffer<double, 2> distances;  ///< [P, S]: L2 distance of the read-out to that at α = 0

    std::span<double const> operator[](index pair) const { return distances[pair].flat(); }
};

namespace detail {

/// Reduces read-outs to the distance from the row of point 0, block by block. @param result  [P, S]
template <class T>
[[gnu::cold]] hooks::sink<T> distance_sink(tensor::view<double, 2> result) {
    return [result](hooks::site const& at, hooks::where const& w, tensor::view<T const, 3> rows) {
        std::vector<T> reference, current;
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (!row.last) continue;
            auto const values = rows[static_cast<index>(r)];
            // a row of scores or patterns ends with its own key
            index const width = at.axes == hooks::site_axes::keys ? row.position + 1 : values.extent(1);
            current.clear();
            for (index a = 0; a < values.extent(0); ++a) {
                current.insert(current.end(), values[a].data(), values[a].data() + width);
            }
            if (row.point == 0) reference = current;
            if (!row.repeated) {
                result(row.item, row.point) = metrics::l2_distance<T>(reference, current);
            }
        }
    };
}

}  // namespace detail

/// d(α) = ‖F_p(x(α)) − F_p(x(0))‖₂ with x(α) = (1−α)A + αB: A and B are the activations of a pair's prompts at the write
/// site and last position, p is the first prompt of the pair, F_p the read site at p's last position.
/// @param prompts  N token lists      @param pairs  P pairs of numbers in [0, N)      @param also  what else to read
/// @throws usage_error (steps < 2, no pairs, unusable prompts), site_error, numeric_error
/// @see Janiak et al. 2024, section 2
template <class Context, class Model>
[[gnu::cold]] distance_curves interpolate(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                            std::vector<prompt_pair> const& pairs, interpolate_options const& options,
                            hooks::hook_set<typename Model::value_type> const& also = {}) {
    using T = typename Model::value_type;
    if (options.steps < 2) {
        throw usage_error{"an interpolation needs at least 2 steps, got ", options.steps};
    }
    distance_curves curves;
    for (index i = 0; i < options.steps; ++i) curves.alpha.push_back(paths::grid_fraction(i, options.steps));
    curves.distances = tensor::buffer<double, 2>({static_cast<index>(pairs.size()), options.steps});
    patched_rows_options sweep;
    sweep.write_site = options.write;
    sweep.points = options.steps;
    sweep.on_points = options.on_points;
    point_writer<T> const write = [&](index, index point, tensor::view<T const, 2> a, tensor::view<T const, 2> b,
                                      tensor::view<T, 2> out) {
        paths::linear<T> const line{a[0].flat(), b[0].flat()};
        line(curves.alpha[static_cast<std::size_t>(point)], out[0].flat());
    };
    auto const read = hooks::find_site(model.sites(), options.read);
    patched_rows<Context, Model> engine{ctx, model, prompts, std::move(sweep)};
    engine.run(pairs, write, hooks::capture<T>(read.name(), detail::distance_sink<T>(curves.distances)) | also);
    return curves;
}

/// One pair: the curve d(α), [S].
template <class Context, class Model>
[[gnu::cold]] std::vector<double> interpolate(Context const& ctx, Model const& model, std::vector<token_id> const& context,
                                std::vector<token_id> const& other, interpolate_options const& options) {
    auto const curves = interpolate(ctx, model, models::prompt_list{context, other}, {{0, 1}}, options);
    auto const curve = curves[0];
    return {curve.begin(), curve.end()};
}

}  // namespace plateau::sweep
