#pragma once
/// Rotation of an activation at fixed norm: the exponential map of the sphere, in one and two dimensions.

#include <cmath>
#include <span>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/tangent.hpp>

namespace plateau::paths {

/// Turns a by the angle θ towards d:
///     x(θ) = |a| (cos θ â + sin θ d̂⊥),   d⊥ = d − ⟨d, â⟩ â
/// @param a  [D] finite, not zero; kept as a reference      @param d  [D], not parallel to a
/// @param θ  radians; the path is the great circle through a and d
/// @throws shape_error on unequal lengths; domain_error on a zero vector or d parallel to a
/// @post x(0) = a bit for bit; |x(θ)| = |a|, ∠(a, x(θ)) = |θ| for |θ| ≤ π. In double, O(D), no allocation per point
/// @see Heimersheim & Mendel 2024 (angle version); da Silva & Heimersheim 2026
template <class T>
class exp_map {
public:
    exp_map(std::span<T const> a, std::span<T const> d)
        : a_{a}, radius_{length_of(a, "a")}, tangent_{tangent(d, {std::span<double const>{unit(a, "a")}})} {}

    void operator()(double theta, std::span<T> out) const {
        weighted_sum(out, term<T>{std::cos(theta), a_}, term<double>{radius_ * std::sin(theta), tangent_});
    }

    void derivative(double theta, std::span<T> out) const {
        weighted_sum(out, term<T>{-std::sin(theta), a_}, term<double>{radius_ * std::cos(theta), tangent_});
    }

private:
    std::span<T const> a_;
    double radius_;
    std::vector<double> tangent_;
};

/// Turns a by r = |(α₁, α₂)| towards α₁ d̂₁⊥ + α₂ d̂₂⊥, with d₁⊥ orthogonal to a and d₂⊥ to both:
///     x(α₁, α₂) = |a| (cos r â + sin r (α₁ d̂₁⊥ + α₂ d̂₂⊥) / r)
/// @param a,d1,d2  [D] as above, d2 not in the plane of a and d1      @param α₁,α₂  radians
/// @throws shape_error, domain_error
/// @post x(0, 0) = a bit for bit; norm |a| and angle r exact, up to rounding
/// @see da Silva & Heimersheim 2026, arXiv 2606.24964 and their code
template <class T>
class exp_surface {
public:
    exp_surface(std::span<T const> a, std::span<T const> d1, std::span<T const> d2)
        : a_{a}, radius_{length_of(a, "a")} {
        auto const centre = unit(a, "a");
        first_ = tangent(d1, {std::span{centre}});
        second_ = tangent(d2, {std::span{centre}, std::span{first_}});
    }

    void operator()(double alpha_1, double alpha_2, std::span<T> out) const {
        double const r = std::hypot(alpha_1, alpha_2);
        double const share = r > 0 ? radius_ * std::sin(r) / r : 0;
        weighted_sum(out, term<T>{std::cos(r), a_}, term<double>{share * alpha_1, first_},
                     term<double>{share * alpha_2, second_});
    }

private:
    std::span<T const> a_;
    double radius_;
    std::vector<double> first_;
    std::vector<double> second_;
};

static_assert(DifferentiablePath<exp_map<float>, float> && Surface<exp_surface<float>, float>);

}  // namespace plateau::paths
