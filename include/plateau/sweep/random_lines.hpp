#pragma once
/// Straight lines from A in random directions, as long as those to B: the control of lines between prompts.

#include <cmath>
#include <cstdint>

#include <plateau/core/normal.hpp>
#include <plateau/engine/point_writer.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/paths/point.hpp>

namespace plateau::sweep {

/// x(α) = A + α |B − A| u, u uniform on the unit sphere, the same along a pair's line; α = i / (steps − 1).
/// @param seed  u is a function of it and of the pair's number alone
/// @param first_pair  number of the first of these pairs, if they are part of a longer list
template <class T>
engine::point_writer<T> random_lines(index steps, std::uint64_t seed, index first_pair = 0) {
    return [steps, seed, first_pair](index pair, index point, tensor::view<T const, 2> from,
                                     tensor::view<T const, 2> to, tensor::view<T, 2> out) {
        counter_rng rng{counter_rng{seed}.at(static_cast<std::uint64_t>(first_pair + pair))};
        for (index j = 0; j < out.extent(0); ++j) {
            auto const a = from[j].flat();
            auto const u = standard_normals(a.size(), rng);
            double squares = 0;
            for (double const one : u) squares += one * one;
            double const length = metrics::l2_distance<T>(a, to[j].flat()) / std::sqrt(squares);
            paths::weighted_sum(out[j].flat(), paths::term<T>{1, a},
                                paths::term<double>{paths::grid_fraction(point, steps) * length, u});
        }
    };
}

}  // namespace plateau::sweep
