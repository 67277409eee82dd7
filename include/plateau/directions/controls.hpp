#pragma once
/// Matched controls: what differs from a perturbation in one respect alone. All in double, O(D).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <plateau/paths/angle.hpp>
#include <plateau/paths/exp_map.hpp>

namespace plateau::directions {

/// d at another length, "equal norm". @param d  [D] finite, not zero      @throws domain_error on such a d, or unless
/// length is finite
template <class T>
std::vector<double> rescaled(std::span<T const> d, double length) {
    if (!std::isfinite(length)) throw domain_error("a direction cannot be given a length that is no finite number");
    auto result = paths::unit(d, "the direction");
    for (double& x : result) x *= length;
    return result;
}

/// a + ε d / |d|, ε = |x − a|: as far from a as x is, in the direction d. With `isotropic` Gurnee's
/// l2_error_preserving_perturbation.
/// @param a,x,d  [D]; d not zero      @post a itself if x = a      @throws shape_error, domain_error
/// @see Gurnee 2024, "SAE reconstruction errors are (empirically) pathological"
template <class T>
std::vector<double> equal_error(std::span<T const> a, std::span<T const> x, std::span<double const> d) {
    paths::require_equal_lengths("a matched control", a.size(), x, d);
    double const error = std::sqrt(tensor::lane_sum(a.size(), [&](std::size_t i) {
        double const e = static_cast<double>(x[i]) - static_cast<double>(a[i]);
        return e * e;
    }));
    auto point = rescaled(d, error);
    for (std::size_t i = 0; i < a.size(); ++i) point[i] += static_cast<double>(a[i]);
    return point;
}

/// Whose length a control of equal cosine has.
enum class control_norm { of_activation, of_reference };

/// r (cos Ω â + sin Ω d̂⊥), Ω = ∠(a, x), d⊥ the part of d orthogonal to a, r = |a| or |x|: at x's angle from a, in
/// another direction. Gurnee's cos_preserving perturbation, with or without the norm of the reconstruction x.
/// @param a,x  [D] not zero      @param d  [D] not parallel to a      @throws shape_error, domain_error
template <class T>
std::vector<double> equal_cosine(std::span<T const> a, std::span<T const> x, std::span<double const> d,
                                 control_norm norm) {
    paths::require_equal_lengths("a matched control", a.size(), x, d);
    double const angle = paths::angle(a, x);
    double const radius = norm == control_norm::of_activation ? paths::length_of(a, "a") : paths::length_of(x, "x");
    auto const centre = paths::unit(a, "a"), side = paths::tangent(d, {std::span<double const>{centre}});
    std::vector<double> point(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        point[i] = radius * (std::cos(angle) * centre[i] + std::sin(angle) * side[i]);
    return point;
}

/// A perturbation p of a in two parts that add up to it: along a, which changes the norm alone (to first order), and
/// across.
struct perturbation_parts {
    std::vector<double> radial;   ///< ⟨p, â⟩ â
    std::vector<double> angular;  ///< p − ⟨p, â⟩ â
};

/// @param a  [D] not zero      @param p  [D]      @throws shape_error, domain_error
template <class T>
perturbation_parts parts_of(std::span<T const> a, std::span<double const> p) {
    paths::require_equal_lengths("a perturbation", a.size(), p);
    perturbation_parts parts{paths::unit(a, "a"), {p.begin(), p.end()}};
    double const along = tensor::dot(std::span<double const>{parts.radial}, p);
    for (std::size_t i = 0; i < p.size(); ++i) {
        parts.radial[i] *= along;
        parts.angular[i] -= parts.radial[i];
    }
    return parts;
}

/// a + s â: only the norm differs, by s. @param s  > −|a|, so that x keeps a's direction      @throws domain_error
template <class T>
std::vector<double> radial_point(std::span<T const> a, double s) {
    double const length = paths::length_of(a, "a");
    if (!(s > -length))
        throw domain_error("a radial step of ", std::to_string(s), " leads through 0: the activation's length is ",
                           std::to_string(length));
    return rescaled(a, length + s);
}

/// The point at distance s from a on the sphere |x| = |a|, towards d: only the direction differs, and the L2 error is
/// that of `radial_point`:  θ = 2 asin(s / 2|a|),  x = |a| (cos θ â + sin θ d̂⊥).
/// @param s  in [0, 2|a|]      @param d  [D] not parallel to a      @throws shape_error, domain_error
template <class T>
std::vector<double> angular_point(std::span<T const> a, double s, std::span<double const> d) {
    double const radius = paths::length_of(a, "a");
    if (!(s >= 0 && s <= 2 * radius)) {
        throw domain_error("no two points of the sphere |x| = ", std::to_string(radius), " are at the distance ",
                           std::to_string(s));
    }
    std::vector<double> const centre(a.begin(), a.end());
    std::vector<double> point(a.size());
    paths::exp_map<double>{centre, d}(2 * std::asin(s / (2 * radius)), point);
    return point;
}

}  // namespace plateau::directions
