#pragma once
/// Derivatives along paths of numbers that a read-out makes, and their gradients by what is written.

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <plateau/engine/read/read_out_function.hpp>
#include <plateau/sweep/kept_read_outs.hpp>
#include <plateau/sweep/path_cotangents.hpp>

namespace plateau::sweep {

/// P pairs, S points, K sets, n written positions, D the width of the write site.
template <class T>
struct function_derivatives {
    tensor::buffer<double, 2> value;          ///< [P,S] f(F(x(α)), F(x(0)))
    tensor::buffer<double, 2> slope;          ///< [P,S] df/dα
    tensor::buffer<double, 3> held_slope;     ///< [K,P,S] the same with the parts of a set taken for constant
    tensor::buffer<T, 4> gradient = {};       ///< [P,S,n,D] df/dx, if wanted; NaN beyond the positions of a pair
    tensor::buffer<T, 5> held_gradient = {};  ///< [K,P,S,n,D]
};

/// Where the points of pairs lie on their paths, and what is done to the rows of this sweep: for hooks that know its
/// pairs.
template <class T>
struct function_points {
    std::function<double(index pair, index point)> place = {};  ///< point 0 is the reference; without it an even grid
    hooks::hook_set<T> also = {};                               ///< interventions that have derivatives
};

/// f at every point of every pair's path, its slope by tangents and, with o.vectors, its gradient by cotangents.
/// @throws as derivatives_along and cotangents_along, and what f throws
template <class T>
function_derivatives<T> function_along(model<T> const& model, prompt_list const& prompts,
                                       std::vector<engine::prompt_pair> const& pairs, path_derivatives_options const& o,
                                       engine::read_out_function<T> const& f, function_points<T> const& where = {}) {
    auto const write = hooks::find_site(model.sites(), o.write);
    auto const count = static_cast<index>(pairs.size()), sets = static_cast<index>(o.held.size());
    index const written = write.heads * write.width;
    index const positions = written_positions(prompts, pairs, o.positions);
    function_derivatives<T> r{tensor::buffer<double, 2>({count, o.steps}), tensor::buffer<double, 2>({count, o.steps}),
                              tensor::buffer<double, 3>({sets, count, o.steps})};
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    auto const derivative = named_derivative<T>(o.path, along.mean);
    auto const alpha = paths::even_grid(0, 1, o.steps);
    auto const place = [&](index pair, index point) {
        return where.place ? where.place(pair, point) : alpha[static_cast<std::size_t>(point)];
    };
    engine::followed_points<T> points{.steps = o.steps, .write = along.points};
    if (where.place)
        points.write = [&](index pair, index point, auto from, auto to, auto out) {
            along.path(pair, place(pair, point), from, to, out);
        };
    points.where = {.write = o.write, .read = o.read, .positions = o.positions, .progress = o.progress};
    points.hooks = where.also;
    if (!o.frozen.empty())
        points.hooks = points.hooks | freeze(model, prompts, pairs, {o.steps, points.write, points.where}, o.frozen);
    detail::kept_read_outs<T> kept{1 + sets};
    points.hooks = points.hooks | engine::each_read_out<T>(o.read, [&](engine::read_out<T> const& one) {
                       r.value(one.pair, one.point) = f.value(one.value, one.reference);
                       kept.put(one);
                   });
    auto const ask = [&](auto& what) {
        what.count = 1 + sets;
        what.sets.insert(what.sets.end(), o.held.begin(), o.held.end());
        for (index k = 0; k < sets; ++k) what.set.push_back(static_cast<std::uint8_t>(k + 1));
    };
    engine::tangent_request<T> forwards;
    ask(forwards);
    forwards.start = [&](index pair, index point, index, auto from, auto to, tensor::view<T, 2> out) {
        derivative(pair, place(pair, point), from, to, out);
    };
    forwards.reads = hooks::capture<T>(o.read, [&](hooks::rows_at<T>& here) {
        auto const rows = here.read();
        for (index t = 0; t < here.count(); ++t) {
            auto const& id = here.rows[static_cast<std::size_t>(t)];
            if (!id.last) continue;
            auto const [value, reference] = kept.take(id.item, id.point);
            double const slope = f.along(value, reference, {rows[t].data(), value.size()});
            (id.tangent == 0 ? r.slope(id.item, id.point) : r.held_slope(id.tangent - 1, id.item, id.point)) = slope;
        }
    });
    engine::carry_tangents<T>(model.engine(), prompts, pairs, points, forwards);
    if (!o.vectors) return r;
    r.gradient = tensor::buffer<T, 4>({count, o.steps, positions, written});
    r.held_gradient = tensor::buffer<T, 5>({sets, count, o.steps, positions, written});
    std::fill_n(r.gradient.data(), r.gradient.size(), std::numeric_limits<T>::quiet_NaN());
    std::fill_n(r.held_gradient.data(), r.held_gradient.size(), std::numeric_limits<T>::quiet_NaN());
    engine::cotangent_request<T> backwards;
    ask(backwards);
    backwards.read = o.read;
    backwards.start = [&](index pair, index point, index, std::span<T> out) {
        auto const [value, reference] = kept.take(pair, point);
        auto const gradient = f.gradient(value, reference);
        std::transform(gradient.begin(), gradient.end(), out.begin(), [](double x) { return static_cast<T>(x); });
    };
    backwards.take = [&](index pair, index point, index i, tensor::view<T const, 2> g) {
        T* const to = i == 0 ? r.gradient[pair][point].data() : r.held_gradient[i - 1][pair][point].data();
        for (index j = 0; j < g.extent(0); ++j) std::copy_n(g[j].data(), written, to + j * written);
    };
    points.where.progress = {};
    engine::carry_cotangents<T>(model.engine(), prompts, pairs, points, backwards);
    return r;
}

PLATEAU_COMPILED_FUNCTION(function_along);

}  // namespace plateau::sweep
