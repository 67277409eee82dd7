#pragma once
/// What a mark means, in every panel: the same pen for the same statistic.

#include <algorithm>
#include <cmath>

#include <plateau/core/types.hpp>
#include <plateau/viz/canvas.hpp>

namespace plateau::viz::style {

inline pen median() { return {palette::vermillion, 2.6}; }
inline pen halo() { return {palette::white.with_alpha(0.85), 4.6}; }
inline colour quartile_band() { return palette::blue.with_alpha(0.26); }
inline pen quartile_edge() { return {palette::blue.with_alpha(0.9), 1.1}; }
inline pen no_plateau() { return {palette::ink.with_alpha(0.75), 1.2, {5, 3.5}}; }

/// Thinner ink the more curves share the panel.
inline pen single_curve(index count) {
    double const coverage = std::clamp(2.4 / std::sqrt(static_cast<double>(std::max<index>(count, 1))), 0.15, 0.8);
    return {palette::grey.with_alpha(coverage), 0.8};
}

}  // namespace plateau::viz::style
