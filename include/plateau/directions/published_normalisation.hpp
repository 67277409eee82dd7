#pragma once
/// The normalisation of targets and directions in published code.

#include <span>
#include <vector>

#include <plateau/directions/controls.hpp>

namespace plateau::directions {

/// x less its own mean over its D elements, which a LayerNorm would remove anyway (an RMSNorm would not).
/// @param x  [D], D >= 1; in double      @throws shape_error if D = 0
template <class T>
std::vector<double> without_own_mean(std::span<T const> x) {
    if (x.empty()) throw shape_error("a vector without elements has no mean");
    double const mean = tensor::lane_sum(x.size(), [&](std::size_t i) { return static_cast<double>(x[i]); }) /
                        static_cast<double>(x.size());
    std::vector<double> result(x.begin(), x.end());
    for (double& one : result) one -= mean;
    return result;
}

/// x less its own mean, at the length of a. @param x,a  [D]      @throws shape_error; domain_error if nothing of x is
/// left, or a is zero
/// @see LASR code after Heimersheim & Mendel 2024
template <class T, class U>
std::vector<double> published_normalisation(std::span<T const> x, std::span<U const> a) {
    paths::require_equal_lengths("a normalised direction", a.size(), x);
    auto const centred = without_own_mean(x);
    return rescaled(std::span<double const>{centred}, paths::length_of(a, "a"));
}

}  // namespace plateau::directions
