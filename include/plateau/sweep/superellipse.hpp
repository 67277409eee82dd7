#pragma once
/// Superellipses of plateaus: iso-response contours over two angles, and the exponents through them with intervals.

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

}  // namespace plateau::sweep
