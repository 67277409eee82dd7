#pragma once
/// Rays: steps of a length along a direction.

#include <span>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/point.hpp>

namespace plateau::paths {

/// x(s) = a + s d / |d|, so that s is a length in the unit of the activations; or d as it is, see `ray_direction`.
/// Sweeps of s as published: `step_grid(0, 0.5, 101)` (Giglemiani: 0, 0.5, …, 50), `step_grid(1, 10, 21)` (Lee: 1, 11,
/// …, 201).
enum class ray_direction {
    unit,      ///< s is a length
    as_given,  ///< s counts lengths of d: with d = b − a the ray is the straight line to b
};

/// @param a,d  [D] finite; kept as references      @throws shape_error; domain_error if d is zero or not finite
/// @post x(0) = a bit for bit. In double, O(D), no allocation
/// @see Giglemiani et al. 2024, arXiv 2409.15019; Lee & Heimersheim 2024, arXiv 2410.12555
template <class T>
class ray {
public:
    ray(std::span<T const> a, std::span<T const> d, ray_direction scale = ray_direction::unit) : a_{a}, d_{d} {
        require_equal_lengths("a ray", a.size(), d);
        double const length = length_of(d, "the direction");
        if (scale == ray_direction::unit) scale_ = 1 / length;
    }

    void operator()(double s, std::span<T> out) const { weighted_sum(out, term<T>{1, a_}, term<T>{s * scale_, d_}); }

private:
    std::span<T const> a_;
    std::span<T const> d_;
    double scale_ = 1;
};

/// The ray from a through `target`: x(s) = a + s (target − a) / |target − a|. Parameters and exceptions as `ray`;
/// domain_error if target = a.
template <class T>
class ray_toward {
public:
    ray_toward(std::span<T const> a, std::span<T const> target) : a_{a}, difference_(a.size()) {
        require_equal_lengths("a ray", a.size(), target);
        for (std::size_t i = 0; i < a.size(); ++i)
            difference_[i] = static_cast<double>(target[i]) - static_cast<double>(a[i]);
        distance_ = length_of(std::span<double const>{difference_}, "target - a");
    }

    void operator()(double s, std::span<T> out) const {
        weighted_sum(out, term<T>{1, a_}, term<double>{s / distance_, difference_});
    }

    /// |target − a|: x(distance()) is the target, up to rounding.
    double distance() const { return distance_; }

private:
    std::span<T const> a_;
    std::vector<double> difference_;
    double distance_;
};

static_assert(Path<ray<float>, float> && Path<ray_toward<float>, float>);

}  // namespace plateau::paths
