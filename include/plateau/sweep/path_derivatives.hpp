#pragma once
/// Derivatives along paths between activations: how fast the output moves, and which parts of the model move it.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/carry_tangents.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/sweep/freeze.hpp>
#include <plateau/sweep/named_paths.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::sweep {

/// Where some pairs are in a longer list.
struct pair_part {
    index first = 0;      ///< number of the first of them
    index all = 0;        ///< pairs of that list; 0 where these are all
    index positions = 0;  ///< that are written, at most, of all of them; 0 where these tell it
};

struct path_derivatives_options {
    std::string write = "blocks.0.hook_resid_post";
    std::string read = "ln_final.hook_out";
    engine::write_positions positions = {};
    std::vector<frozen_sites> frozen = {};         ///< sites held where a first pass had them: their tangents are zero
    std::string path = "linear";                   ///< one of path_names
    std::vector<double> path_mean = {};            ///< of path_mean_of, where it is known
    index steps = 50;                              ///< points of a pair, α = i / (steps − 1)
    std::vector<hooks::constant_sites> held = {};  ///< K sets of parts that a derivative takes for constant
    bool vectors = false;                          ///< J u and J_S u themselves, not their norms alone
    bool jacobian = false;                         ///< J itself: as many tangents as it has columns
    double min_d1 = 0;                             ///< pairs with d(1) at most this have no slope
    pair_part part = {};                           ///< of the pairs that directions and cotangents are of
    std::function<void(index)> progress = {};      ///< told of points; called concurrently
};

/// P pairs, S points, K sets, W the width of the read site.
template <class T>
struct path_derivatives {
    std::vector<double> alpha;            ///< [S]
    tensor::buffer<double, 2> distances;  ///< [P,S] d(α) = |F(x(α)) − F(x(0))|
    tensor::buffer<double, 2> jvp_norm;   ///< [P,S] |J u|
    tensor::buffer<double, 2> slope;      ///< [P,S] d'(α) / d(1), along dx/dα whatever u is; NaN for degenerate pairs
    tensor::buffer<double, 3> held_norm;  ///< [K,P,S] |J_S u|
    tensor::buffer<T, 3> jvp = {};        ///< [P,S,W], if wanted
    tensor::buffer<T, 4> held_jvp = {};   ///< [K,P,S,W], if wanted
    tensor::buffer<T, 4> jacobian = {};   ///< [P,S,W,D], if wanted

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.alpha, -1), visit(self.distances), visit(self.jvp_norm), visit(self.slope);
        visit(self.held_norm, 1), visit(self.jvp), visit(self.held_jvp, 1), visit(self.jacobian);
    }

    /// Of each pair that has any, the largest slope among its points.
    std::vector<double> largest_slopes() const {
        std::vector<double> all;
        for (index p = 0; p < slope.extent(0); ++p) {
            auto const of_pair = slope[p].flat();
            double const largest = *std::max_element(of_pair.begin(), of_pair.end());
            if (!std::isnan(of_pair.front())) all.push_back(largest);
        }
        return all;
    }

    /// [P,S] of one set: the basin statistic ln |J_S u| − ln |J u|: positive where the parts that S holds contract.
    std::vector<double> basin_of(index set) const {
        std::vector<double> all;
        for (index i = 0; i < jvp_norm.size(); ++i)
            all.push_back(std::log(held_norm[set].data()[i]) - std::log(jvp_norm.data()[i]));
        return all;
    }
    /// [K,P,S] of all of them.
    std::vector<double> basin() const {
        std::vector<double> all;
        for (index set = 0; set < held_norm.extent(0); ++set) {
            auto const one = basin_of(set);
            all.insert(all.end(), one.begin(), one.end());
        }
        return all;
    }
};

/// Bytes that the derivatives at one point take at most. @param back  with cotangents, of one written position
/// @throws site_error on sites that the model does not have
inline index bytes_of_point(path_derivatives_options const& o, std::vector<hooks::site> const& sites, bool back) {
    auto const read = hooks::find_site(sites, o.read), write = hooks::find_site(sites, o.write);
    index const width = read.heads * read.width, written = write.heads * write.width;
    auto const vectors = static_cast<index>(1 + o.held.size());
    index const of_vector = 1 + (o.vectors ? width : 0) + (back ? written : 0);
    return (3 + vectors * of_vector + (o.jacobian ? width * written : 0)) * index{sizeof(double)};
}

namespace detail {

/// What tangents of some pairs are read into.
template <class T>
class derivative_reader {
public:
    /// @param into  of all pairs      @param first,count  the pairs of this sweep among them
    /// @param own_direction  tangents are dx/dα, u, and u once more for every set; otherwise u is dx/dα
    derivative_reader(path_derivatives<T>& into, index first, index count, index width, bool own_direction)
        : into_{into}, first_{first}, own_direction_{own_direction}, moved_({count, into.distances.extent(1), width}) {}

    /// Sees F(x(α)) beside F(x(0)).
    void take_value(engine::read_out<T> const& r) {
        auto const moved = moved_[r.pair][r.point].flat();
        for (std::size_t j = 0; j < moved.size(); ++j)
            moved[j] = static_cast<double>(r.value[j]) - static_cast<double>(r.reference[j]);
        into_.distances(first_ + r.pair, r.point) = std::sqrt(tensor::dot(moved, moved));
    }

    /// Sees a tangent, after the value of its point.
    void take_tangent(hooks::row_id const& id, std::span<T const> du) {
        index const pair = first_ + id.item, point = id.point;
        double const norm = std::sqrt(tensor::dot(du, du));
        if (id.tangent == 0) {  // dx/dα
            auto const moved = moved_[id.item][point].flat();
            double along = 0;
            for (std::size_t j = 0; j < du.size(); ++j) along += moved[j] * static_cast<double>(du[j]);
            into_.slope(pair, point) = point == 0 ? norm : along / into_.distances(pair, point);
        }
        index const set = id.tangent - (own_direction_ ? 2 : 1);  // −1 for none
        if (set < -1) return;
        (set < 0 ? into_.jvp_norm(pair, point) : into_.held_norm(set, pair, point)) = norm;
        if (into_.jvp.size() == 0) return;
        std::copy(du.begin(), du.end(),
                  set < 0 ? into_.jvp[pair][point].data() : into_.held_jvp[set][pair][point].data());
    }

private:
    path_derivatives<T>& into_;
    index first_;
    bool own_direction_;
    tensor::buffer<double, 3> moved_;  // [pairs, S, W]: F(x(α)) − F(x(0))
};

}  // namespace detail

/// J itself at every point, [P, S, W, D]: column j is J e_j. @throws as carry_tangents
template <class T>
tensor::buffer<T, 4> jacobians_along(model<T> const& model, prompt_list const& prompts,
                                     std::vector<engine::prompt_pair> const& pairs, path_derivatives_options const& o) {
    auto const read = hooks::find_site(model.sites(), o.read), write = hooks::find_site(model.sites(), o.write);
    index const width = read.heads * read.width, written = write.heads * write.width;
    tensor::buffer<T, 4> all({static_cast<index>(pairs.size()), o.steps, width, written});
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    if (o.positions.suffix || o.positions.at != hooks::positions::last() || !o.frozen.empty())
        throw usage_error("whole Jacobians are of the last position, without frozen sites");
    constexpr index most = 512;  // columns at a time
    for (index first = 0; first < written; first += most) {
        engine::tangent_request<T> what;
        what.count = std::min(most, written - first);
        what.set.assign(static_cast<std::size_t>(what.count), 0);
        what.start = [first](index, index, index i, auto, auto, tensor::view<T, 2> out) {
            std::fill_n(out.data(), out.extent(1), T{0});
            out(0, first + i) = T{1};
        };
        what.reads = hooks::capture<T>(o.read, [&](hooks::rows_at<T>& here) {
            auto const rows = here.read();
            for (index t = 0; t < here.count(); ++t) {
                auto const& id = here.rows[static_cast<std::size_t>(t)];
                auto const into = all[id.item][id.point];
                for (index w = 0; w < width; ++w) into(w, first + id.tangent) = rows[t].data()[w];
            }
        });
        engine::setup const setup{.write = o.write, .read = o.read};
        engine::carry_tangents<T>(model.engine(), prompts, pairs, {o.steps, along.points, setup}, what);
    }
    return all;
}

/// J u, J = dF/dx, at every point x(α) of every pair's path, and J_S u with the parts of each set taken for constant.
///     slope = d'(α) / d(1) = (F(x) − F(x(0))) · J (dx/dα) / (d(α) d(1)),   at α = 0 its limit |J dx/dα| / d(1)
/// @param directions  u, of the shape written: [n, D] for n positions, or [P · n, D] with one for each pair; none for
/// u = dx/dα      @throws as carry_tangents and freeze; usage_error on directions of another shape
template <class T>
path_derivatives<T> derivatives_along(model<T> const& model, prompt_list const& prompts,
                                      std::vector<engine::prompt_pair> const& pairs, path_derivatives_options const& o,
                                      tensor::view<T const, 2> directions = {}) {
    auto const read = hooks::find_site(model.sites(), o.read), write = hooks::find_site(model.sites(), o.write);
    auto const count = static_cast<index>(pairs.size()), sets = static_cast<index>(o.held.size());
    index const width = read.heads * read.width, written = write.heads * write.width;
    bool const own = directions.size() > 0;
    if (own && directions.extent(1) != written)
        throw usage_error("directions are ", written, " wide, not ", directions.extent(1));
    path_derivatives<T> r{paths::even_grid(0, 1, o.steps), tensor::buffer<double, 2>({count, o.steps}),
                          tensor::buffer<double, 2>({count, o.steps}), tensor::buffer<double, 2>({count, o.steps}),
                          tensor::buffer<double, 3>({sets, count, o.steps})};
    if (o.vectors) {
        r.jvp = tensor::buffer<T, 3>({count, o.steps, width});
        r.held_jvp = tensor::buffer<T, 4>({sets, count, o.steps, width});
    }
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    auto const derivative = named_derivative<T>(o.path, along.mean);
    constexpr index most = 1 << 23;  // read-outs are kept for so many numbers at a time
    index const together = std::clamp<index>(most / std::max<index>(1, o.steps * width), 1, std::max<index>(1, count));
    for (index first = 0; first < count || count == 0; first += together) {
        std::vector<engine::prompt_pair> const some(pairs.begin() + first,
                                                    pairs.begin() + std::min(count, first + together));
        detail::derivative_reader<T> reader{r, first, static_cast<index>(some.size()), width, own};
        engine::tangent_request<T> what;
        what.count = 1 + (own ? 1 : 0) + sets;
        what.sets.insert(what.sets.end(), o.held.begin(), o.held.end());
        what.set.assign(static_cast<std::size_t>(what.count - sets), 0);
        for (index k = 0; k < sets; ++k) what.set.push_back(static_cast<std::uint8_t>(k + 1));
        what.start = [&](index pair, index point, index i, auto from, auto to, tensor::view<T, 2> out) {
            if (!own || i == 0)
                return derivative(first + pair, r.alpha[static_cast<std::size_t>(point)], from, to, out);
            index const n = out.extent(0), given = directions.extent(0);
            index const whole = o.part.all > 0 ? o.part.all : count, number = o.part.first + first + pair;
            if (given != n && given != whole * n)
                throw usage_error("there are ", given, " directions, not ", n, " or ", whole * n, ": ", n,
                                  " positions of ", whole, " pairs are written");
            for (index j = 0; j < n; ++j)
                std::copy_n(directions[given == n ? j : number * n + j].data(), written, out[j].data());
        };
        what.reads = hooks::capture<T>(o.read, [&](hooks::rows_at<T>& here) {
            auto const rows = here.read();
            for (index t = 0; t < here.count(); ++t) {
                auto const& id = here.rows[static_cast<std::size_t>(t)];
                if (id.last) reader.take_tangent(id, {rows[t].data(), static_cast<std::size_t>(width)});
            }
        });
        auto const values =
            engine::each_read_out<T>(o.read, [&](engine::read_out<T> const& one) { reader.take_value(one); });
        engine::setup const setup{.write = o.write, .read = o.read, .positions = o.positions, .progress = o.progress};
        engine::point_writer<T> const points = [&](index pair, index point, auto from, auto to, auto out) {
            along.points(first + pair, point, from, to, out);
        };
        hooks::hook_set<T> changes;
        if (!o.frozen.empty()) changes = freeze(model, prompts, some, {o.steps, points, setup}, o.frozen);
        engine::carry_tangents<T>(model.engine(), prompts, some, {o.steps, points, setup, changes | values}, what);
    }
    for (index p = 0; p < count; ++p) {
        double const whole = r.distances(p, o.steps - 1);
        for (index i = 0; i < o.steps; ++i)
            r.slope(p, i) = whole > o.min_d1 ? r.slope(p, i) / whole : std::numeric_limits<double>::quiet_NaN();
    }
    if (o.jacobian) r.jacobian = jacobians_along(model, prompts, pairs, o);
    return r;
}

PLATEAU_COMPILED_FUNCTION(jacobians_along);
PLATEAU_COMPILED_FUNCTION(derivatives_along);

}  // namespace plateau::sweep
