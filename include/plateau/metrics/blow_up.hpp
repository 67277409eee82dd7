#pragma once
/// The step at which the output of a perturbed run blows up, and the area under the plateau before it.

#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::metrics {

enum class blow_up_rule {
    max,    ///< the step of the largest Δ log KL
    first,  ///< the first step with Δ log KL > mean + one standard deviation (of the same steps, divided by their
            ///< number)
};

/// The blow-up step i, from point i to point i + 1, among the middle half S/4 ≤ i < 3S/4 of the steps.
/// @param kl  [S] divergence along the path, S >= 4. Steps from or to a value that is not positive and finite do not
/// count
/// @return nothing if no step remains, or none is above the rule's bound      @throws shape_error if S < 4
/// @see LASR code after Heimersheim & Mendel 2024
inline std::optional<index> blow_up_step(std::span<double const> kl, blow_up_rule rule = blow_up_rule::max) {
    if (kl.size() < 4) throw shape_error("a blow-up needs at least 4 points, got ", kl.size());
    auto const growth = [&](std::size_t i) {
        return std::log(kl[i + 1]) - std::log(kl[i]);
    };  // NaN or ±∞ where undefined
    std::size_t const begin = kl.size() / 4, end = 3 * kl.size() / 4;
    std::optional<index> largest;
    double sum = 0, squares = 0, count = 0;
    for (std::size_t i = begin; i < end && i + 1 < kl.size(); ++i) {
        if (!std::isfinite(growth(i))) continue;
        if (!largest || growth(i) > growth(static_cast<std::size_t>(*largest))) largest = static_cast<index>(i);
        sum += growth(i);
        count += 1;
    }
    if (!largest || rule == blow_up_rule::max) return largest;
    for (std::size_t i = begin; i < end && i + 1 < kl.size(); ++i) {
        if (std::isfinite(growth(i))) squares += (growth(i) - sum / count) * (growth(i) - sum / count);
    }
    double const bound = sum / count + std::sqrt(squares / count);
    for (std::size_t i = begin; i < end && i + 1 < kl.size(); ++i) {
        if (std::isfinite(growth(i)) && growth(i) > bound) return static_cast<index>(i);
    }
    return std::nullopt;
}

/// The step i, from point i to point i + 1, of the largest increase of a distance curve: the length of the plateau in
/// steps.
/// @param curve  [S], S >= 2      @return nothing for a curve with a NaN      @throws shape_error if S < 2
/// @see Giglemiani et al. 2024, arXiv 2409.15019 (max-slope step)
inline std::optional<index> max_slope_step(std::span<double const> curve) {
    if (curve.size() < 2) throw shape_error("max_slope_step needs at least 2 points, got ", curve.size());
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
        if (std::isnan(curve[i + 1] - curve[i])) return std::nullopt;
        if (curve[i + 1] - curve[i] > curve[best + 1] - curve[best]) best = i;
    }
    return static_cast<index>(best);
}

/// Area under a curve from point 0 to point `until` (trapezoids), unit of the curve times that of `step`.
/// @param until  as max_slope_step or blow_up_step says, in [0, S)      @param step  distance of neighbouring points
/// @throws shape_error if `until` is not a point      @see Giglemiani et al. 2024; where the area ends is our reading
inline double area_under_plateau(std::span<double const> curve, index until, double step) {
    if (until < 0 || static_cast<std::size_t>(until) >= curve.size()) {
        throw shape_error("point ", until, " is not on a curve of ", curve.size());
    }
    double area = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(until); ++i) area += (curve[i] + curve[i + 1]) / 2 * step;
    return area;
}

}  // namespace plateau::metrics
