#pragma once
/// A direction without any preference.

#include <span>
#include <vector>

#include <plateau/core/normal.hpp>
#include <plateau/directions/concepts.hpp>

namespace plateau::directions {

/// d ~ N(0, I), uniform on the sphere once it is made a unit vector. Activations are far from isotropic, so that most
/// of d lies where they never are: a weak control. @see Heimersheim & Mendel 2024; `toward_sample` is the stronger one
struct isotropic {
    template <class T>
    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        return standard_normals(a.size(), rng);
    }
};

static_assert(Direction<isotropic, float>);

}  // namespace plateau::directions
