#pragma once
/// The integral of an activation function from 0: the potential whose slope the activation is.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numbers>

#include <plateau/core/variants.hpp>
#include <plateau/metrics/dilogarithm.hpp>

namespace plateau::metrics {

/// φ(z) = ∫_0^z act(t) dt >= 0, with a relative error of a few ε.
///     act(t) = t g(t) with g(t) + g(−t) = 1, so φ(z) + φ(−z) = z²/2 and φ(z) = z²/2 − T(z) for z > 0, T(−z) below,
///     T(a) = ∫_0^a t g(−t) dt, which tends to a constant:
///     relu       T = 0
///     silu       T = π²/12 − a log(1 + e^−a) + Li₂(−e^−a)
///     gelu       T = ¼ + ½ ((a² − 1) Φ(−a) − a φ_N(a)),   Φ and φ_N of the standard normal distribution
///     gelu_tanh  by Gauss-Legendre panels; so are the others below 1, where the terms above cancel
/// @return NaN of NaN; for −∞ the constant: π²/12 of silu, ¼ of gelu, 0 of relu
inline double activation_integral(activation kind, double z);

namespace detail {

/// g of act(t) = t g(t).
inline double activation_gate(activation kind, double t) {
    switch (kind) {
        case activation::silu: return 1 / (1 + std::exp(-t));
        case activation::gelu: return std::erfc(-t / std::numbers::sqrt2) / 2;
        case activation::gelu_tanh:  // (1 + tanh(y)) / 2, y = √(2/π) (t + 0.044715 t³), without loss where it is near 0
            return 1 / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (t + 0.044715 * t * t * t)));
        case activation::relu: break;
    }
    return t > 0 ? 1 : 0;
}

/// ∫_0^a t g(−t) dt by ten nodes a panel of length 1 at most: the poles of these gates lie more than 2 from the real
/// axis, so a panel is exact to 10^−20.
inline double tail_by_quadrature(activation kind, double a) {
    constexpr double nodes[] = {0.14887433898163121088, 0.4333953941292471908, 0.67940956829902440623,
                                0.86506336668898451073, 0.97390652851717172008};
    constexpr double weights[] = {0.29552422471475287017, 0.26926671930999635509, 0.219086362515982044,
                                  0.14945134915058059315, 0.066671344308688137594};
    double const panels = std::ceil(a), half = a / panels / 2;
    double total = 0;
    for (double panel = 0; panel < panels; ++panel) {
        double const middle = (2 * panel + 1) * half;
        for (std::size_t k = 0; k < std::size(nodes); ++k) {
            for (double const t : {middle - nodes[k] * half, middle + nodes[k] * half}) {
                total += weights[k] * half * t * activation_gate(kind, -t);
            }
        }
    }
    return total;
}

}  // namespace detail

inline double activation_integral(activation kind, double z) {
    if (std::isnan(z)) return z;
    auto const tail = [&](double a) {
        if (kind == activation::relu) return 0.0;
        if (a < 1) return detail::tail_by_quadrature(kind, a);
        if (kind == activation::gelu_tanh) return detail::tail_by_quadrature(kind, std::min(a, 9.0));  // e^−66 beyond
        a = std::min(a, 1000.0);                                                                       // 0 beyond
        if (kind == activation::silu) {
            double const e = std::exp(-a);
            return std::numbers::pi * std::numbers::pi / 12 - a * std::log1p(e) + dilogarithm(-e);
        }
        double const density = std::exp(-a * a / 2) / std::sqrt(2 * std::numbers::pi);
        return 0.25 + ((a * a - 1) * std::erfc(a / std::numbers::sqrt2) / 2 - a * density) / 2;
    };
    return z > 0 ? z * z / 2 - tail(z) : tail(-z);
}

}  // namespace plateau::metrics
