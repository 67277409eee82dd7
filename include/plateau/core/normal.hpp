#pragma once
/// Draws of the standard normal distribution from a counter-based stream.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include <plateau/core/rng.hpp>

namespace plateau {

/// A draw of N(0, σ²) from two of the uniform distribution: σ √(−2 ln u) cos 2πv. @param u  in (0, 1]
/// @param v  in [0, 1)      @see Box & Muller 1958
inline double box_muller(double u, double v, double sigma = 1) {
    return sigma * std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

/// One draw of N(0, 1); takes two numbers of the stream.
inline double standard_normal(counter_rng& rng) {
    double const u = 1 - rng.uniform();
    return box_muller(u, rng.uniform());
}

/// `count` independent draws.
inline std::vector<double> standard_normals(std::size_t count, counter_rng& rng) {
    std::vector<double> draws(count);
    for (double& draw : draws) draw = standard_normal(rng);
    return draws;
}

}  // namespace plateau
