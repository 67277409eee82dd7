#pragma once
/// Straight lines in the coordinates of a surface: every surface is full of paths.

#include <array>
#include <span>
#include <utility>

#include <plateau/paths/concepts.hpp>

namespace plateau::paths {

/// x(t) = surface((1 − t) from + t to): an axis, a row of a slice, or with from = (0, 0) a ray at any angle.
/// @param surface  kept by value; `std::cref` keeps a reference      @param from,to  coordinates of the surface
template <class On>
class line_on {
public:
    line_on(On surface, std::array<double, 2> from, std::array<double, 2> to)
        : surface_{std::move(surface)}, from_{from}, to_{to} {}

    template <class T>
        requires Surface<On, T>
    void operator()(double t, std::span<T> out) const {
        surface_((1 - t) * from_[0] + t * to_[0], (1 - t) * from_[1] + t * to_[1], out);
    }

private:
    On surface_;
    std::array<double, 2> from_;
    std::array<double, 2> to_;
};

}  // namespace plateau::paths
