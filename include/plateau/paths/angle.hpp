#pragma once
/// The angle between two activations, and how much of each a point between them on the great circle has.

#include <cmath>
#include <numbers>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/paths/point.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::paths {

/// Ω = ∠(a, b) = 2 atan2(|â − b̂|, |â + b̂|) ∈ [0, π]: full precision at all angles, unlike acos of the cosine.
/// @param a,b  [D] finite, not zero; radians come back      @throws shape_error, domain_error
/// @see Kahan, "Mindless assessments of roundoff", section 12
template <class T>
double angle(std::span<T const> a, std::span<T const> b) {
    require_equal_lengths("angle", a.size(), b);
    double const in_a = 1 / length_of(a, "the first vector"), in_b = 1 / length_of(b, "the second vector");
    auto const squares = [&](double sign) {
        return tensor::lane_sum(a.size(), [&](std::size_t i) {
            double const x = static_cast<double>(a[i]) * in_a + sign * static_cast<double>(b[i]) * in_b;
            return x * x;
        });
    };
    return 2 * std::atan2(std::sqrt(squares(-1)), std::sqrt(squares(1)));
}

/// Weights (w_a, w_b) of spherical interpolation, direction = w_a â + w_b b̂:
///     w_a = sin((1 − t)Ω) / sin Ω,   w_b = sin(tΩ) / sin Ω
/// Ω < 1e-8 gives (1 − t, t), which differs from it by less than rounding. t = 0 and t = 1 give (1, 0) and (0, 1)
/// exactly.
/// @pre Ω ∈ [0, π), see `require_not_antiparallel`      @see Shoemake 1985, "Animating rotation with quaternion curves"
struct slerp_weights {
    double a;
    double b;

    slerp_weights(double t, double angle) : a{1 - t}, b{t} {
        if (t == 0 || t == 1 || angle < 1e-8) return;
        a = std::sin((1 - t) * angle) / std::sin(angle);
        b = std::sin(t * angle) / std::sin(angle);
    }
};

/// d(w_a)/dt and d(w_b)/dt of the same weights: −Ω cos((1 − t)Ω) / sin Ω and Ω cos(tΩ) / sin Ω; −1 and 1 below 1e-8.
struct slerp_slopes {
    double a = -1;
    double b = 1;

    slerp_slopes(double t, double angle) {
        if (angle < 1e-8) return;
        a = -angle * std::cos((1 - t) * angle) / std::sin(angle);
        b = angle * std::cos(t * angle) / std::sin(angle);
    }
};

/// Between opposite vectors there is no one great circle: π − Ω < 1e-6 is an error (float vectors are no more exact).
/// @return angle      @throws domain_error
inline double require_not_antiparallel(double angle) {
    if (std::numbers::pi - angle < 1e-6) {
        throw domain_error(
            "a and b are antiparallel: no great circle leads from one to the other; go by way of a third "
            "vector (a polyline of two arcs), or along a straight line");
    }
    return angle;
}

}  // namespace plateau::paths
