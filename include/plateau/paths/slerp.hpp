#pragma once
/// Spherical linear interpolation.

#include <span>

#include <plateau/paths/angle.hpp>
#include <plateau/paths/concepts.hpp>

namespace plateau::paths {

/// Spherical linear interpolation of the vectors as they are:
///     x(t) = [sin((1 − t)Ω) a + sin(tΩ) b] / sin Ω,   Ω = ∠(a, b)
/// Of unit vectors, or of equal norms, it runs on the sphere at constant speed. Of unequal norms it is an elliptic arc;
/// `slerp_rescaled` changes the norm linearly instead.
/// @param a,b  [D] finite, not zero; kept as references      @param t  outside of [0, 1] goes on along the circle
/// @throws shape_error on unequal lengths; domain_error on a zero vector or an antiparallel pair
/// @post x(0) = a and x(1) = b bit for bit; a parallel pair gives the straight line. In double, O(D), no allocation
/// @see Shoemake 1985
template <class T>
class slerp {
public:
    slerp(std::span<T const> a, std::span<T const> b)
        : a_{a}, b_{b}, angle_{require_not_antiparallel(paths::angle(a, b))} {}

    void operator()(double t, std::span<T> out) const {
        slerp_weights const w{t, angle_};
        weighted_sum(out, term<T>{w.a, a_}, term<T>{w.b, b_});
    }

    void derivative(double t, std::span<T> out) const {
        slerp_slopes const w{t, angle_};
        weighted_sum(out, term<T>{w.a, a_}, term<T>{w.b, b_});
    }

    /// Ω, radians.
    double angle() const { return angle_; }

private:
    std::span<T const> a_;
    std::span<T const> b_;
    double angle_;
};

static_assert(DifferentiablePath<slerp<float>, float>);

}  // namespace plateau::paths
