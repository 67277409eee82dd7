#pragma once
/// Superellipses of plateaus: iso-response contours over two angles, and the exponents through them with intervals.

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <plateau/directions/direction_pairs.hpp>
#include <plateau/metrics/superellipse.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/angle_maps.hpp>
#include <plateau/sweep/at_once.hpp>

namespace plateau::sweep {

/// A pair of directions, and what is found with it.
struct angle_response : directions::direction_pair {
    /// Thresholds, as shares of the smaller axis' maximum; the published one is the second.
    static constexpr std::array<double, 3> shares{0.25, 0.5, 1};

    tensor::buffer<double, 3> distances = {};            ///< [A, G, G]
    std::array<metrics::iso_response, 3> contours = {};  ///< of the median over anchors
    std::array<statistics::estimate, 3> exponents = {};  ///< p with its interval over anchors
};

/// The median over some anchors (numbers, possibly repeated), [G, G].
inline tensor::buffer<double, 2> median_map(tensor::buffer<double, 3> const& distances,
                                            std::span<index const> anchors) {
    tensor::buffer<double, 2> result({distances.extent(1), distances.extent(2)});
    std::vector<double> column(anchors.size());
    for (index i = 0; i < result.size(); ++i) {
        for (std::size_t k = 0; k < anchors.size(); ++k) column[k] = distances[anchors[k]].data()[i];
        result.data()[i] = statistics::median(column);
    }
    return result;
}

/// The median exponent of the pairs of a kind.
struct kind_exponent {
    std::string name;
    std::vector<angle_response const*> pairs;
    statistics::estimate
        exponent{};  ///< at the published threshold; its bootstrap resamples the anchors of all at once
};

/// Fits contours and exponents of every response, and gives those of kinds. @param angles  [G] radians, of both axes
/// @param anchors  [A] their numbers
inline std::vector<kind_exponent> fit_superellipses(std::vector<angle_response>& responses,
                                                    std::vector<double> const& angles, std::span<index const> anchors,
                                                    statistics::bootstrap_options const& resampling) {
    auto const contour_of = [&](angle_response const& one, std::span<index const> drawn, double share) {
        return metrics::iso_response_of(angles, angles, median_map(one.distances, drawn), share);
    };
    auto const exponent_of = [&](angle_response const& one, std::span<index const> drawn, double share) {
        return metrics::superellipse_exponent(contour_of(one, drawn, share).points);
    };
    std::vector<kind_exponent> kinds;
    for (auto& one : responses) {
        for (std::size_t s = 0; s < one.shares.size(); ++s) {
            one.contours[s] = contour_of(one, anchors, one.shares[s]);
            one.exponents[s] = statistics::block_bootstrap(
                anchors, 1, [&](std::span<index const> drawn) { return exponent_of(one, drawn, one.shares[s]); },
                resampling);
        }
        if (kinds.empty() || kinds.back().name != one.kind) kinds.push_back({one.kind, {}, {}});
        kinds.back().pairs.push_back(&one);
    }
    for (auto& kind : kinds) {
        auto const median = [&](std::span<index const> drawn) {
            std::vector<double> found;
            for (auto const* one : kind.pairs) found.push_back(exponent_of(*one, drawn, one->shares[1]));
            return statistics::median(found);
        };
        kind.exponent = statistics::block_bootstrap(anchors, 1, median, resampling);
    }
    return kinds;
}

/// @throws numeric_error that names the anchor and the directions where a distance is infinite or NaN
inline void require_finite(angle_response const& one, std::string const& site) {
    for (index i = 0; i < one.distances.size(); ++i) {
        if (std::isfinite(one.distances.data()[i])) continue;
        throw numeric_error("the read-out at ", site, " is not finite for anchor ",
                            i / (one.distances.extent(1) * one.distances.extent(2)), " and directions ", one.kind, " ",
                            one.number, ": check the weights, or compute with a wider dtype");
    }
}

/// Maps of some anchors, [n, G, G].
struct anchor_maps {
    tensor::buffer<double, 3> distances;

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.distances);
    }
};

/// Fills in the distances of every response. @param sweep  of the anchors of the first one, then of the second, …, one
/// call or several      @throws as angle_maps; numeric_error of require_finite
template <class T, class Sweep = at_once>
void measure_responses(std::vector<angle_response>& responses, model<T> const& model, prompt_list const& anchors,
                       paths::surface_grid const& grid, engine::setup const& where, Sweep const& sweep = {}) {
    index const count = std::ssize(anchors);
    auto const found = sweep(std::ssize(responses) * count, [&](index first, index some) {
        anchor_maps part{tensor::buffer<double, 3>({some, grid.rows(), grid.columns()})};
        for (index at = 0; at < some;) {
            auto const& one = responses[static_cast<std::size_t>((first + at) / count)];
            index const from = (first + at) % count, here = std::min(some - at, count - from);
            std::vector<T> const d1(one.d1.begin(), one.d1.end()), d2(one.d2.begin(), one.d2.end());
            prompt_list const of_part(anchors.begin() + from, anchors.begin() + from + here);
            auto const maps = angle_maps(model, of_part, d1, d2, grid, where);
            std::copy_n(maps.data(), maps.size(), part.distances[at].data());
            at += here;
        }
        return part;
    });
    for (std::size_t q = 0; q < responses.size(); ++q) {
        responses[q].distances = tensor::buffer<double, 3>({count, grid.rows(), grid.columns()});
        auto& own = responses[q].distances;
        std::copy_n(found.distances.data() + static_cast<index>(q) * own.size(), own.size(), own.data());
        require_finite(responses[q], where.read);
    }
}

}  // namespace plateau::sweep
