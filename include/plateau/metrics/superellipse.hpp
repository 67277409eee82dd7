#pragma once
/// The exponent of a superellipse through an iso-response contour: how many privileged directions a site has.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/iso_contour.hpp>
#include <plateau/metrics/sampled_curve.hpp>

namespace plateau::metrics {

/// argmin_p Σ (|x|^p + |y|^p − 1)² for p ∈ [0.5, 10] over the points with 0.05 < x, y < 1.5: a scan, then golden
/// section, to 1e-8. p = 2 is a quadratic form; p > 2 allows more directions than dimensions.
/// @param points  (x, y) in units of the axes' intercepts      @return NaN if no point is in range
/// @see da Silva & Heimersheim 2026, arXiv 2606.24964
inline double superellipse_exponent(std::span<std::array<double, 2> const> points) {
    std::vector<std::array<double, 2>> logs;
    for (auto const& [x, y] : points) {
        if (x > 0.05 && x < 1.5 && y > 0.05 && y < 1.5) logs.push_back({std::log(x), std::log(y)});
    }
    if (logs.empty()) return std::numeric_limits<double>::quiet_NaN();
    auto const loss = [&](double p) {
        double sum = 0;
        for (auto const& [x, y] : logs) {
            double const rest = std::exp(p * x) + std::exp(p * y) - 1;
            sum += rest * rest;
        }
        return sum;
    };
    double best = 0.5, step = 0.05;
    for (int i = 0; i <= 190; ++i) {
        if (loss(0.5 + i * step) < loss(best)) best = 0.5 + i * step;
    }
    double low = std::max(0.5, best - step), high = std::min(10.0, best + step);
    double const golden = (std::sqrt(5.0) - 1) / 2;
    while (high - low > 1e-8) {
        double const left = high - golden * (high - low), right = low + golden * (high - low);
        (loss(left) < loss(right) ? high : low) = loss(left) < loss(right) ? right : left;
    }
    return (low + high) / 2;
}

/// A quadrant of responses over two angles, with what the fit needs of it.
struct iso_response {
    double level;                               ///< T = factor · min over both axes of the axis' largest response
    std::array<double, 2> intercepts;           ///< α₁*, α₂*: plateau-breaking angles, unit of the grid's angles
    std::vector<std::array<double, 2>> points;  ///< (sin α cos φ / sin α₁*, sin α sin φ / sin α₂*) at the contour's
                                                ///< corners, each as often as segments meet there
};

/// The iso-response contour of a map over (α₁, α₂) in its published coordinates, α = |(α₁, α₂)|, φ its direction.
/// @param u,v  [columns], [rows] angles in radians, ascending from 0      @param map  [rows, columns] response, medians
/// over anchors
/// @param factor  share of the axes' largest response; published ½, with 1 and 2 times that as variants
/// @param margin  points nearer than this to the outer edges of the grid are left out; published 1°
/// @return intercepts NaN and no points if an axis does not reach T      @throws shape_error, domain_error
/// @see da Silva & Heimersheim 2026 and code
inline iso_response iso_response_of(std::span<double const> u, std::span<double const> v,
                                    tensor::view<double const, 2> map, double factor = 0.5,
                                    double margin = 0.017453292519943295) {
    tensor::require_extents(map.extents(), {static_cast<index>(v.size()), static_cast<index>(u.size())}, "a map");
    std::vector<double> first, second;  // along the axes
    for (index c = 0; c < map.extent(1); ++c) first.push_back(map(0, c));
    for (index r = 0; r < map.extent(0); ++r) second.push_back(map(r, 0));
    require_curve(u, first);
    require_curve(v, second);
    if (u.front() != 0 || v.front() != 0) throw domain_error("the angles of an iso-response have to begin at 0");
    auto const largest = [](std::vector<double> const& axis) { return *std::max_element(axis.begin(), axis.end()); };
    iso_response result;
    result.level = factor * std::min(largest(first), largest(second));
    result.intercepts = {first_place_at(u, first, result.level), first_place_at(v, second, result.level)};
    double const unit_u = std::sin(result.intercepts[0]), unit_v = std::sin(result.intercepts[1]);
    if (!(unit_u > 0 && unit_v > 0)) return result;
    auto const add = [&](std::array<double, 2> const& at) {
        double const angle = std::hypot(at[0], at[1]);
        if (at[0] > u.back() - margin || at[1] > v.back() - margin || angle == 0) return;
        double const scale = std::sin(angle) / angle;
        result.points.push_back({scale * at[0] / unit_u, scale * at[1] / unit_v});
    };
    for (auto const& segment : iso_contour(u, v, map, result.level)) {
        add(segment.from);
        add(segment.to);
    }
    return result;
}

/// The curve |sin α cos φ / sin α₁*|^p + |sin α sin φ / sin α₂*|^p = 1 over the quadrant, in the angles (α₁, α₂) = α
/// (cos φ, sin φ):
///     sin α = (|cos φ / sin α₁*|^p + |sin φ / sin α₂*|^p)^(−1/p)
/// @param intercepts  α₁*, α₂* in (0, π/2], radians      @param count  points, even in φ from 0 to π/2, both included
/// @return (α₁, α₂) in radians; NaN where no angle reaches the curve      @throws usage_error if count < 2
inline std::vector<std::array<double, 2>> superellipse_curve(std::array<double, 2> const& intercepts, double p,
                                                             index count) {
    if (count < 2) throw usage_error("a curve needs at least 2 points, got ", count);
    std::vector<std::array<double, 2>> curve;
    for (index i = 0; i < count; ++i) {
        double const phi = std::numbers::pi / 2 * static_cast<double>(i) / static_cast<double>(count - 1);
        double const across = i + 1 == count ? 0 : std::cos(phi), along = std::sin(phi);
        double const x = across / std::sin(intercepts[0]), y = along / std::sin(intercepts[1]);
        double const alpha = std::asin(std::pow(std::pow(x, p) + std::pow(y, p), -1 / p));
        curve.push_back({alpha * across, alpha * along});
    }
    return curve;
}

}  // namespace plateau::metrics
