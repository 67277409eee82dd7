#pragma once
/// The straight line between two activations.

#include <algorithm>
#include <span>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/paths/concepts.hpp>

namespace plateau::paths {

/// Linear interpolation   x(α) = (1 − α) a + α b,   formed in double and rounded once.
/// @param a,b  [D] finite; kept as references      @param α  outside [0, 1] extrapolates
/// @throws shape_error on unequal extents
/// @post x(0) = a and x(1) = b bit for bit. O(D), no allocation.
/// @see Janiak et al. 2024, section 2
template <class T>
class linear {
public:
    linear(std::span<T const> a, std::span<T const> b) : a_{a}, b_{b} {
        if (a.size() != b.size()) {
            throw shape_error("a linear path needs end points of equal length, got ", a.size(), " and ", b.size());
        }
    }

    void operator()(double alpha, std::span<T> out) const {
        if (out.size() != a_.size()) {
            throw shape_error("the point of a linear path has length ", a_.size(), ", not ", out.size());
        }
        if (alpha == 0 || alpha == 1) {  // the sum below would turn a −0 of an end point into 0
            auto const end = alpha == 0 ? a_ : b_;
            std::copy(end.begin(), end.end(), out.begin());
            return;
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<T>((1 - alpha) * static_cast<double>(a_[i]) + alpha * static_cast<double>(b_[i]));
        }
    }

    /// dx/dα = b − a.
    void derivative(double, std::span<T> out) const {
        if (out.size() != a_.size()) {
            throw shape_error("the derivative of a linear path has length ", a_.size(), ", not ", out.size());
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<T>(static_cast<double>(b_[i]) - static_cast<double>(a_[i]));
        }
    }

private:
    std::span<T const> a_;
    std::span<T const> b_;
};

/// Fraction i of an even grid of `steps` points from 0 to 1: i / (steps − 1). @pre steps >= 2
constexpr double grid_fraction(long long i, long long steps) {
    return static_cast<double>(i) / static_cast<double>(steps - 1);
}

static_assert(DifferentiablePath<linear<float>, float>);

}  // namespace plateau::paths
