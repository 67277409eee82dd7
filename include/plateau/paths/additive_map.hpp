#pragma once
/// The additive twin of the exponential map: the same tangents, added.

#include <cmath>
#include <span>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/tangent.hpp>

namespace plateau::paths {

/// x(α) = a + |a| sin α d̂⊥: the tangential part of `exp_map`, with nothing taken from a, so that the norm grows.
/// @param a  [D] finite, not zero; kept as a reference      @param d  [D], not parallel to a      @param α  radians
/// @throws shape_error, domain_error as exp_map
/// @post x(0) = a bit for bit; |x(α)|² = |a|² (1 + sin² α). In double, O(D), no allocation per point
/// @see da Silva & Heimersheim 2026, code (additive variant)
template <class T>
class additive_map {
public:
    additive_map(std::span<T const> a, std::span<T const> d)
        : a_{a}, radius_{length_of(a, "a")}, tangent_{tangent(d, {std::span<double const>{unit(a, "a")}})} {}

    void operator()(double alpha, std::span<T> out) const {
        weighted_sum(out, term<T>{1, a_}, term<double>{radius_ * std::sin(alpha), tangent_});
    }

    void derivative(double alpha, std::span<T> out) const {
        weighted_sum(out, term<double>{radius_ * std::cos(alpha), tangent_});
    }

private:
    std::span<T const> a_;
    double radius_;
    std::vector<double> tangent_;
};

/// x(α₁, α₂) = a + |a| (sin α₁ d̂₁⊥ + sin α₂ d̂₂⊥), tangents as in `exp_surface`. Otherwise as above.
template <class T>
class additive_surface {
public:
    additive_surface(std::span<T const> a, std::span<T const> d1, std::span<T const> d2)
        : a_{a}, radius_{length_of(a, "a")} {
        auto const centre = unit(a, "a");
        first_ = tangent(d1, {std::span{centre}});
        second_ = tangent(d2, {std::span{centre}, std::span{first_}});
    }

    void operator()(double alpha_1, double alpha_2, std::span<T> out) const {
        weighted_sum(out, term<T>{1, a_}, term<double>{radius_ * std::sin(alpha_1), first_},
                     term<double>{radius_ * std::sin(alpha_2), second_});
    }

private:
    std::span<T const> a_;
    double radius_;
    std::vector<double> first_;
    std::vector<double> second_;
};

static_assert(DifferentiablePath<additive_map<float>, float> && Surface<additive_surface<float>, float>);

}  // namespace plateau::paths
