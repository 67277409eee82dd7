#pragma once
/// Comparisons of numbers: the same bits, or within a named multiple of n·ε.

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include <plateau/tensor/view.hpp>

namespace plateau::testing {

template <class T>
inline constexpr double epsilon_of = static_cast<double>(std::numeric_limits<T>::epsilon());

/// Bound on the error of a sum of n products in T, whatever its order: 2 n ε Σ|a b|. @param magnitude  Σ|a b|
template <class T>
double sum_tolerance(index n, double magnitude) {
    return 2 * static_cast<double>(n + 1) * epsilon_of<T> * magnitude;
}

/// A few roundings of a value of this size: 8 ε max(|value|, least normal).
template <class T>
double rounding_tolerance(double value) {
    return 8 * epsilon_of<T> * std::fmax(std::abs(value), static_cast<double>(std::numeric_limits<T>::min()));
}

/// Equal bit for bit: tells 0 from −0, and a NaN equals itself.
template <class T>
bool same_bits(T const* a, T const* b, index n) {
    static_assert(std::is_trivially_copyable_v<T>);
    return n == 0 || std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(T)) == 0;
}

template <class T>
bool same_bits(T a, T b) {
    return same_bits(&a, &b, 1);
}

/// Every row of two matrices of equal extents, bit for bit.
template <class A, class B>
bool same_rows(A const& a, B const& b) {
    if (a.extents() != b.extents()) return false;
    for (index r = 0; r < a.extent(0); ++r) {
        if (!same_bits(a[r].data(), b[r].data(), a.extent(1))) return false;
    }
    return true;
}

}  // namespace plateau::testing
