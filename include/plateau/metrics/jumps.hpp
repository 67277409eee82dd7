#pragma once
/// The jumps of a curve, and the plateaus between them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/metrics/sampled_curve.hpp>

namespace plateau::metrics {

/// Neighbouring steps that are all steep, and go the same way.
struct jump {
    std::size_t first, last;  ///< points: the jump leads from curve[first] to curve[last]
    double place;             ///< α, the mean of its steps' centres weighted with their heights
    double height;            ///< curve[last] − curve[first]
};

struct jump_rule {
    double steepness = 2;  ///< a steep step: |slope| at least this many times (max − min) / (range of α)
    double height = 0.05;  ///< a jump: |height| at least this share of max − min
};

/// The jumps of a curve, in order. @param alpha  [S] ascending, S >= 2      @param curve  [S]
/// @return none for a constant curve or one with a NaN      @throws shape_error, domain_error, see require_curve
/// The thresholds are ours: no published definition fixes them.
inline std::vector<jump> find_jumps(std::span<double const> alpha, std::span<double const> curve,
                                    jump_rule const& rule = {}) {
    require_curve(alpha, curve);
    double low = curve[0], high = curve[0];
    for (double value : curve) {
        if (std::isnan(value)) return {};
        low = std::min(low, value);
        high = std::max(high, value);
    }
    if (low == high) return {};
    double const steep = rule.steepness * (high - low) / (alpha.back() - alpha.front());
    std::vector<jump> found;
    for (std::size_t i = 0; i + 1 < curve.size();) {
        auto const slope = [&](std::size_t k) { return (curve[k + 1] - curve[k]) / (alpha[k + 1] - alpha[k]); };
        if (std::abs(slope(i)) < steep) {
            ++i;
            continue;
        }
        jump one{i, i, 0, 0};
        bool const up = slope(i) > 0;
        double moment = 0;
        for (; i + 1 < curve.size() && std::abs(slope(i)) >= steep && (slope(i) > 0) == up; ++i) {
            moment += (curve[i + 1] - curve[i]) * (alpha[i] + alpha[i + 1]) / 2;
        }
        one.last = i;
        one.height = curve[one.last] - curve[one.first];
        one.place = moment / one.height;
        if (std::abs(one.height) >= rule.height * (high - low)) found.push_back(one);
    }
    return found;
}

/// What lies between two neighbouring jumps.
struct sub_plateau {
    std::size_t first, last;  ///< points
    double level;             ///< mean of its points
    double width;             ///< α[last] − α[first]
    double flatness;          ///< ρ = mean |slope| inside / ((max − min) / range of α): 0 if flat; below ½ a true
                              ///< sub-plateau by the rule of MARS V, whose exact ρ is not published
};

/// The stretches between the jumps of a curve, in order, one fewer than jumps; a stretch of one point has width 0 and
/// flatness 0. @param jumps  of `find_jumps` of the same curve
inline std::vector<sub_plateau> sub_plateaus(std::span<double const> alpha, std::span<double const> curve,
                                             std::span<jump const> jumps) {
    std::vector<sub_plateau> found;
    if (jumps.empty()) return found;
    auto const [low, high] = std::minmax_element(curve.begin(), curve.end());
    double const mean_slope = (*high - *low) / (alpha.back() - alpha.front());
    for (std::size_t j = 0; j + 1 < jumps.size(); ++j) {
        sub_plateau one{jumps[j].last, jumps[j + 1].first, 0, 0, 0};
        double travelled = 0;
        for (std::size_t i = one.first; i <= one.last; ++i) one.level += curve[i];
        for (std::size_t i = one.first; i < one.last; ++i) travelled += std::abs(curve[i + 1] - curve[i]);
        one.level /= static_cast<double>(one.last - one.first + 1);
        one.width = alpha[one.last] - alpha[one.first];
        if (one.width > 0) one.flatness = travelled / one.width / mean_slope;
        found.push_back(one);
    }
    return found;
}

}  // namespace plateau::metrics
