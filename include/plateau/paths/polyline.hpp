#pragma once
/// A path through many anchors.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/point.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::paths {

/// What a fraction of a polyline is a fraction of.
enum class polyline_fraction {
    segments,  ///< anchor k of K lies at t = k / (K − 1)
    length,    ///< constant speed: anchors lie at their share of the whole length
};

/// Straight from anchor to anchor. Outside of [0, 1] the first and last segments go on.
/// @param anchors  [K, D] finite, K >= 2; kept as a reference
/// @throws shape_error if K < 2; domain_error with `length` if a segment has no length, or none that is finite
/// @post anchors bit for bit at their places, see `place_of`. In double; a point is O(D + log K), no allocation
template <class T>
class polyline {
public:
    explicit polyline(tensor::view<T const, 2> anchors, polyline_fraction fraction = polyline_fraction::segments)
        : anchors_{anchors} {
        index const count = anchors.extent(0);
        if (count < 2) throw shape_error("a polyline needs at least 2 anchors, got ", count);
        places_.push_back(0);
        for (index k = 1; k < count; ++k) {
            places_.push_back(places_.back() + (fraction == polyline_fraction::length ? segment_length(k) : 1));
        }
        double const whole = places_.back();
        for (double& place : places_) place /= whole;
    }

    void operator()(double t, std::span<T> out) const {
        auto const above = std::upper_bound(places_.begin() + 1, places_.end() - 1, t);
        auto const k = static_cast<index>(above - places_.begin());
        double const from = places_[static_cast<std::size_t>(k - 1)], to = *above;
        double const alpha = t == to ? 1 : (t - from) / (to - from);
        weighted_sum(out, term<T>{1 - alpha, anchors_[k - 1].flat()}, term<T>{alpha, anchors_[k].flat()});
    }

    /// t of anchor k. @pre 0 <= k < K
    double place_of(index k) const { return places_[static_cast<std::size_t>(k)]; }

private:
    double segment_length(index k) const {
        auto const a = anchors_[k - 1].flat(), b = anchors_[k].flat();
        double const length = std::sqrt(tensor::lane_sum(a.size(), [&](std::size_t i) {
            double const x = static_cast<double>(b[i]) - static_cast<double>(a[i]);
            return x * x;
        }));
        if (!(length > 0) || std::isinf(length)) {
            throw domain_error("anchors ", k - 1, " and ", k, " of a polyline are the same, or not finite");
        }
        return length;
    }

    tensor::view<T const, 2> anchors_;
    std::vector<double> places_;  ///< [K] ascending from 0 to 1
};

static_assert(Path<polyline<float>, float>);

}  // namespace plateau::paths
