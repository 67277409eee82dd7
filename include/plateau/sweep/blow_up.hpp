#pragma once
/// Blow-up along rays: curves of distance and divergence from a centre, and where its plateau ends.

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/blow_up.hpp>
#include <plateau/sweep/blow_up_rays.hpp>
#include <plateau/sweep/curves.hpp>

namespace plateau::sweep {

/// Curves of all rays, kinds and in each prompts: from the point at lengths[0] on, the centre.
struct blow_up_curves {
    index prompts = 0;                    ///< N
    std::vector<double> lengths;          ///< [S] in the unit of activations
    tensor::buffer<double, 2> distances;  ///< [C·G·N, S] L2 distance of the read-out to that at the centre
    tensor::buffer<double, 2> kl;         ///< [C·G·N, S] KL(p(centre) ‖ p(point)) at the last position; nats

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.lengths, -1), visit(self.distances), visit(self.kl);
    }

    index points() const { return static_cast<index>(lengths.size()); }
    /// [N]: what rays of a kind have of one number a ray. @param numbers  [C·G·N]
    std::span<double const> of_kind(std::vector<double> const& numbers, index kind) const {
        return std::span{numbers}.subspan(static_cast<std::size_t>(kind * prompts), static_cast<std::size_t>(prompts));
    }
    /// [N]: distances of a kind at one point.
    std::vector<double> distances_at(index kind, index point) const {
        std::vector<double> values;
        for (index i = 0; i < prompts; ++i) values.push_back(distances(kind * prompts + i, point));
        return values;
    }
};

/// @throws numeric_error that names the prompt, the kind and the step where a number is infinite or NaN
inline void require_finite(blow_up_curves const& curves, std::string const& read_site) {
    for (index ray = 0; ray < curves.distances.extent(0); ++ray) {
        index const kind = ray / curves.prompts;
        for (index n = 0; n < curves.points(); ++n) {
            if (std::isfinite(curves.distances(ray, n)) && std::isfinite(curves.kl(ray, n))) continue;
            throw numeric_error("the read-out at ", read_site, " is not finite for prompt ", ray % curves.prompts, ", ",
                                ray_kinds::name(kind), ", step ", n, ": take shorter steps, or a wider dtype");
        }
    }
}

/// Some rays alone, whose numbers need not be finite. @param part  {number of the first one, how many}
template <class T>
blow_up_curves measure_rays(model<T> const& model, prompt_list const& prompts, blow_up_rays<T> const& rays,
                            std::vector<double> const& lengths, setup const& where, std::array<index, 2> part) {
    index const count = rays.prompts, per_centre = ray_kinds::targets * count;
    auto const [first, all] = part;
    std::vector<prompt_pair> pairs;
    for (index ray = first; ray < first + all; ++ray) pairs.push_back({ray % count, ray % count});
    auto const write = [&, first = first](index item, index point, auto, auto, auto to) {
        index const ray = first + item;
        index const centre = ray / per_centre * count + ray % count;
        paths::weighted_sum(
            to[0].flat(), paths::term<T>{1, rays.centres.view()[centre].flat()},
            paths::term<double>{lengths[static_cast<std::size_t>(point)], rays.units.view()[ray].flat()});
    };
    engine::predictions<T> predictions{all, static_cast<index>(lengths.size()), 0};
    auto along = distances_along(model, prompts, pairs, lengths, write, where,
                                 engine::read_predictions(model.engine(), predictions));
    return {count, lengths, std::move(along.distances), std::move(predictions.kl_from_start)};
}

/// Every prompt runs with the points C + L D of its rays at the write site and last position.
/// @param lengths  [S] in the unit of activations, the first one 0
/// @throws site_error, usage_error; numeric_error where a number is not finite
template <class T>
blow_up_curves measure_blow_up(model<T> const& model, prompt_list const& prompts, blow_up_rays<T> const& rays,
                               std::vector<double> const& lengths, setup const& where) {
    auto curves = measure_rays(model, prompts, rays, lengths, where, {0, rays.kinds.count() * rays.prompts});
    require_finite(curves, where.read);
    return curves;
}

/// Where plateaus end, [C,G,N] each.
struct plateau_ends {
    std::vector<double> max_slope_step;  ///< step, from point n to n + 1, of the largest increase of the distance
    std::vector<double> blow_up_max;     ///< of the largest increase of log KL, in the middle half; NaN if none
    std::vector<double> blow_up_first;   ///< the first there above mean + sd; NaN if none
    std::vector<double> area;            ///< under the distance up to max_slope_step; unit of the read-out × of `step`
    std::vector<double> area_fixed;      ///< up to one step for all
};

/// @param step  distance of points, in any unit      @param until  the step at which area_fixed ends
/// @throws shape_error as metrics/blow_up.hpp
inline plateau_ends ends_of(blow_up_curves const& curves, double step, index until) {
    using metrics::blow_up_rule;
    auto const number = [](std::optional<index> at) {
        return at ? static_cast<double>(*at) : std::numeric_limits<double>::quiet_NaN();
    };
    plateau_ends ends;
    for (index ray = 0; ray < curves.distances.extent(0); ++ray) {
        std::span<double const> const curve = curves.distances[ray].flat(), kl = curves.kl[ray].flat();
        auto const end = metrics::max_slope_step(curve);
        ends.max_slope_step.push_back(number(end));
        ends.blow_up_max.push_back(number(metrics::blow_up_step(kl, blow_up_rule::max)));
        ends.blow_up_first.push_back(number(metrics::blow_up_step(kl, blow_up_rule::first)));
        ends.area.push_back(metrics::area_under_plateau(curve, *end, step));
        ends.area_fixed.push_back(metrics::area_under_plateau(curve, until, step));
    }
    return ends;
}

}  // namespace plateau::sweep
