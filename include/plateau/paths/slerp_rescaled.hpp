#pragma once
/// Spherical interpolation of the direction, linear interpolation of the norm.

#include <algorithm>
#include <numbers>
#include <span>

#include <plateau/paths/angle.hpp>
#include <plateau/paths/concepts.hpp>

namespace plateau::paths {

/// Which angle the published formula is given.
enum class slerp_angle {
    exact,   ///< Ω = ∠(a, b) ∈ [0, π]: |x(t)| is the interpolated norm, for obtuse pairs too
    folded,  ///< Ω = acos|cos ∠(a, b)| ∈ [0, π/2], as published: obtuse pairs cut through the sphere (at 100° the
             ///< middle has 0.839 of its norm); acute pairs are the same
};

/// Spherical interpolation with linearly interpolated norm:
///     x(t) = ((1 − t)|a| + t|b|) · [sin((1 − t)Ω) â + sin(tΩ) b̂] / sin Ω
/// @param a,b  [D] finite, not zero; kept as references      @param t  path fraction; outside of [0, 1] extrapolates
/// @throws shape_error on unequal lengths; domain_error on a zero vector or an antiparallel pair (published: NaN)
/// @post x(0) = a and x(1) = b bit for bit; a parallel pair gives the straight line (published: NaN)
/// @see Shinkle & Heimersheim 2025, `slerp_rescale` in their code, which is `slerp_angle::folded`
template <class T>
class slerp_rescaled {
public:
    slerp_rescaled(std::span<T const> a, std::span<T const> b, slerp_angle which = slerp_angle::exact)
        : a_{a}, b_{b}, angle_{require_not_antiparallel(angle(a, b))}, norm_a_{length_of(a, "a")}, norm_b_{length_of(
                                                                                                       b, "b")} {
        if (which == slerp_angle::folded) angle_ = std::min(angle_, std::numbers::pi - angle_);
    }

    void operator()(double t, std::span<T> out) const {
        slerp_weights const w{t, angle_};
        double const ratio = norm_b_ / norm_a_;
        double const in_a = (1 - t) + t * ratio, in_b = (1 - t) / ratio + t;  // |x(t)| in units of |a|, of |b|
        weighted_sum(out, term<T>{w.a * in_a, a_}, term<T>{w.b * in_b, b_});
    }

    void derivative(double t, std::span<T> out) const {
        slerp_weights const w{t, angle_};
        slerp_slopes const slope{t, angle_};
        double const ratio = norm_b_ / norm_a_;
        double const in_a = (1 - t) + t * ratio, in_b = (1 - t) / ratio + t;
        weighted_sum(out, term<T>{slope.a * in_a + w.a * (ratio - 1), a_},
                     term<T>{slope.b * in_b + w.b * (1 - 1 / ratio), b_});
    }

private:
    std::span<T const> a_;
    std::span<T const> b_;
    double angle_;
    double norm_a_;
    double norm_b_;
};

static_assert(DifferentiablePath<slerp_rescaled<float>, float>);

}  // namespace plateau::paths
