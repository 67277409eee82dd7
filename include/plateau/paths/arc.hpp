#pragma once
/// An arc about the mean of the activations.

#include <cmath>
#include <span>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/point.hpp>

namespace plateau::paths {

/// How far from the mean an arc runs.
enum class arc_radius {
    constant,      ///< |a − m| throughout, as published: x(1) is b only if |b − m| = |a − m|
    interpolated,  ///< (1 − α)|a − m| + α|b − m|: x(1) = b
};

/// The straight line pushed out from m to a given radius:
///     x(α) = m + (l(α) − m) · radius(α) / |l(α) − m|,   l(α) = (1 − α) a + α b
/// @param a,b,mean  [D] finite, a ≠ mean; kept as references      @param α  outside of [0, 1] goes on
/// @throws shape_error on unequal lengths; domain_error if a = mean (with `interpolated` also if b = mean), and from
///         the call if the line meets the mean at α
/// @post x(0) = a bit for bit; |x(α) − m| = radius(α). In double, O(D), no allocation
/// @see Janiak et al. 2024, code (arc interpolation); not in the paper
template <class T>
class arc {
public:
    arc(std::span<T const> a, std::span<T const> b, std::span<T const> mean, arc_radius radius = arc_radius::constant)
        : a_{a}, b_{b}, mean_{mean}, interpolated_{radius == arc_radius::interpolated} {
        require_equal_lengths("an arc", a.size(), b, mean);
        radius_a_ = distance_to_mean(0, "a - mean");
        radius_b_ = interpolated_ ? distance_to_mean(1, "b - mean") : radius_a_;
    }

    void operator()(double alpha, std::span<T> out) const {
        if (alpha == 0 || (alpha == 1 && interpolated_)) {
            weighted_sum(out, term<T>{1 - alpha, a_}, term<T>{alpha, b_});
            return;
        }
        double const radius = (1 - alpha) * radius_a_ + alpha * radius_b_;
        double const scale = radius / distance_to_mean(alpha, "the line from a to b, less the mean,");
        weighted_sum(out, term<T>{scale * (1 - alpha), a_}, term<T>{scale * alpha, b_}, term<T>{1 - scale, mean_});
    }

    /// With y = x_lin − m, ρ = |y|, R the radius and s = R / ρ:  dx/dα = s (b − a) + s' y,  s' = (R' − s ρ') / ρ.
    void derivative(double alpha, std::span<T> out) const {
        double const distance = distance_to_mean(alpha, "the line from a to b, less the mean,");
        double const along = tensor::lane_sum(a_.size(), [&](std::size_t i) {
            double const m = static_cast<double>(mean_[i]), a = static_cast<double>(a_[i]);
            double const step = static_cast<double>(b_[i]) - a;
            return ((1 - alpha) * (a - m) + alpha * (a + step - m)) * step;
        });
        double const scale = ((1 - alpha) * radius_a_ + alpha * radius_b_) / distance;
        double const change = (radius_b_ - radius_a_ - scale * (along / distance)) / distance;
        weighted_sum(out, term<T>{change * (1 - alpha) - scale, a_}, term<T>{change * alpha + scale, b_},
                     term<T>{-change, mean_});
    }

private:
    double distance_to_mean(double alpha, char const* what) const {
        double const distance = std::sqrt(tensor::lane_sum(a_.size(), [&](std::size_t i) {
            double const m = static_cast<double>(mean_[i]);
            double const x = (1 - alpha) * (static_cast<double>(a_[i]) - m) + alpha * (static_cast<double>(b_[i]) - m);
            return x * x;
        }));
        if (!(distance > 0) || std::isinf(distance)) {
            throw domain_error(what,
                               distance == 0 ? " is zero: it has no direction from the mean" : " is no finite vector");
        }
        return distance;
    }

    std::span<T const> a_;
    std::span<T const> b_;
    std::span<T const> mean_;
    bool interpolated_;
    double radius_a_ = 0;
    double radius_b_ = 0;
};

static_assert(DifferentiablePath<arc<float>, float>);

}  // namespace plateau::paths
