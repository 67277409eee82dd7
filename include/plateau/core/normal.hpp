#pragma once
/// Draws of the standard normal distribution from a counter-based stream.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include <plateau/core/rng.hpp>

namespace plateau {

/// One draw of N(0, 1); takes two numbers of the stream. @see Box & Muller 1958
inline double standard_normal(counter_rng& rng) {
    double const radius = std::sqrt(-2 * std::log(1 - rng.uniform()));
    return radius * std::cos(2 * std::numbers::pi * rng.uniform());
}

/// `count` independent draws.
inline std::vector<double> standard_normals(std::size_t count, counter_rng& rng) {
    std::vector<double> draws(count);
    for (double& draw : draws) draw = standard_normal(rng);
    return draws;
}

}  // namespace plateau
