#pragma once
/// The dilogarithm of a real number.

#include <cmath>
#include <cstddef>
#include <iterator>
#include <numbers>
#include <string>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// Li₂(x) = −∫_0^x log(1 − t) / t dt = Σ_{k≥1} x^k / k², real for x <= 1, with a relative error of a few ε.
///     u − u²/4 + Σ_k B_2k u^(2k+1) / (2k+1)!,   u = −log(1 − x), |u| <= log 2      for −1 <= x <= ½
///     π²/6 − log(x) log(1 − x) − Li₂(1 − x)                                       for ½ < x <= 1
///     −π²/6 − log²(−x) / 2 − Li₂(1 / x)                                           for x < −1
/// @return NaN of NaN, −∞ of −∞      @throws domain_error if x > 1
/// @see 't Hooft & Veltman 1979, "Scalar one-loop integrals", appendix A; scipy.special.spence(1 − x)
inline double dilogarithm(double x) {
    if (x > 1) throw domain_error("the dilogarithm is real up to 1, got ", std::to_string(x));
    constexpr double basel = std::numbers::pi * std::numbers::pi / 6;  // Li₂(1)
    if (x < -1) {
        double const l = std::log(-x);
        return -basel - l * l / 2 - dilogarithm(1 / x);
    }
    if (x == 1) return basel;
    if (x > 0.5) return basel - std::log(x) * std::log1p(-x) - dilogarithm(1 - x);
    constexpr double bernoulli[] = {1.0 / 36,
                                    -1.0 / 3600,
                                    4.7241118669690098262e-6,
                                    -9.1857730746619635509e-8,
                                    1.8978869988970999072e-9,
                                    -4.0647616451442255268e-11,
                                    8.9216910204564525552e-13,
                                    -1.9939295860721075687e-14,
                                    4.5189800296199181917e-16};  // B_2k / (2k + 1)!
    double const u = -std::log1p(-x);
    double sum = 0;
    for (std::size_t k = std::size(bernoulli); k-- > 0;) sum = (sum + bernoulli[k]) * u * u;
    return u + u * (sum - u / 4);
}

}  // namespace plateau::metrics
