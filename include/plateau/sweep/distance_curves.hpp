#pragma once
/// Distance curves along whatever paths: how far the output is from that at the path's first point.

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

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

/// The same on a device: a distance for each row comes to the host.
template <class T, class Context>
[[gnu::cold]] hooks::device_action<T> distances_on_device(tensor::view<double, 2> result) {
    return [result](Context const& ctx, hooks::site const& at, hooks::where const& w, backend::device_view<T, 3> rows) {
        if (at.axes == hooks::site_axes::keys) return false;  // each row of scores has a width of its own
        std::vector<index> references;
        index first = 0;  // the row of point 0
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            if (w.rows[r].last && w.rows[r].point == 0) first = static_cast<index>(r);
            references.push_back(first);
        }
        backend::device_view<T const, 2> const all{
            rows.data(), {rows.extent(0), rows.extent(1) * rows.extent(2)}, {rows.stride(0), 1}};
        auto const which = to_device(ctx, tensor::view<index const, 1>{references.data(), {rows.extent(0)}});
        typename Context::template buffer<double, 1> found{ctx, {rows.extent(0)}};
        row_distances<T>(ctx, all, all, which.view(), found.view());
        auto const distances = to_host(ctx, found);
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (row.last && !row.repeated) result(row.item, row.point) = distances(static_cast<index>(r));
        }
        return true;
    };
}

}  // namespace detail

/// Reads d(α) at one more site: give it to a sweep beside its own. @param result  [P, S], to live as long
template <class T>
[[gnu::cold]] hooks::hook_set<T> read_distances(std::string site, tensor::view<double, 2> result) {
    return hooks::capture<T>(std::move(site), detail::distance_sink<T>(result));
}

/// As above, for a sweep on a backend: on a device the distances are formed there. @param ctx  says which
template <class T, class Context>
[[gnu::cold]] hooks::hook_set<T> read_distances(Context const&, std::string site, tensor::view<double, 2> result) {
    hooks::device_action<T> on_device;
    if constexpr (std::is_same_v<Context, backend::cuda_context>)
        on_device = detail::distances_on_device<T, Context>(result);
    return hooks::capture<T>(std::move(site), detail::distance_sink<T>(result), std::move(on_device));
}

/// Where paths are written and where their effect is read.
struct curve_options {
    std::string write = "blocks.0.hook_resid_post";  ///< where x(α) replaces the activation
    std::string read = "ln_final.hook_out";          ///< where the change is measured, at the last position
    write_positions positions = {};                  ///< where in the prompt x(α) is written: at the last position
    bool whole_pairs = false;                        ///< all points of a pair in one block, as `read_paths` wants them
    std::function<void(index)> on_points = {};       ///< called with the number of points just finished, concurrently
};

/// d(α_i) = ‖F_p(x(α_i)) − F_p(x(α_0))‖₂ of points that `write` makes: straight lines, `along_paths`, or anything.
///     alpha  [S] what the points are called, in any unit; S >= 1
/// @throws usage_error (no points, no pairs, unusable prompts), site_error, numeric_error; what `write` throws
template <class Context, class Model>
[[gnu::cold]] distance_curves distances_along(Context const& ctx, Model const& model,
                                              models::prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                                              std::vector<double> alpha,
                                              point_writer<typename Model::value_type> const& write,
                                              curve_options const& options,
                                              hooks::hook_set<typename Model::value_type> const& also = {}) {
    using T = typename Model::value_type;
    distance_curves curves;
    curves.alpha = std::move(alpha);
    auto const steps = static_cast<index>(curves.alpha.size());
    curves.distances = tensor::buffer<double, 2>({static_cast<index>(pairs.size()), steps});
    patched_rows_options sweep;
    sweep.write_site = options.write;
    sweep.points = steps;
    sweep.positions = options.positions;
    sweep.whole_pairs = options.whole_pairs;
    sweep.on_points = options.on_points;
    auto const read = hooks::find_site(model.sites(), options.read);
    patched_rows<Context, Model> engine{ctx, model, prompts, std::move(sweep)};
    engine.run(pairs, write, also | read_distances<T>(ctx, read.name(), curves.distances));
    return curves;
}

}  // namespace plateau::sweep
