#pragma once
/// Sums in double, in a fixed order that vectorises.

#include <array>
#include <cstddef>
#include <span>

namespace plateau::tensor {

/// Σ_i term(i) for i in [0, n): eight partial sums, i mod 8, added up in their order. O(n), no allocation.
template <class Term>
double lane_sum(std::size_t n, Term const& term) {
    constexpr std::size_t lanes = 8;
    std::array<double, lanes> sums{};
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += term(i + lane);
    }
    for (std::size_t lane = 0; i < n; ++i, ++lane) sums[lane] += term(i);
    double total = 0;
    for (double sum : sums) total += sum;
    return total;
}

/// ⟨a, b⟩, products and sum in double. @param a,b  [n] @pre equal lengths
template <class T, class U>
double dot(std::span<T> a, std::span<U> b) {
    return lane_sum(a.size(), [&](std::size_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

}  // namespace plateau::tensor
