#pragma once
/// Points of any path between the activations of a pair.

#include <utility>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

/// Point i of a pair is its path at grid[i]: from A, the activation of the pair's context at every written position, to B, the
/// other prompt's; the reverse for a pair `to_context`. A path is made anew for every point, at every position of its own: O(D).
///     along_paths<float>(pairs, [](auto a, auto b) { return paths::slerp<float>{a, b}; }, paths::even_grid(0, 1, 50))
/// @param pairs  kept as a reference      @param make  called concurrently
/// @throws from the sweep: domain_error naming the pair, where a path cannot be; what else `make` throws
template <class T, class Make>
    requires paths::PathMaker<Make, T>
[[gnu::cold]] point_writer<T> along_paths(std::vector<prompt_pair> const& pairs, Make make, std::vector<double> grid) {
    return [&pairs, make = std::move(make), grid = std::move(grid)](index pair, index point, tensor::view<T const, 2> a,
                                                                    tensor::view<T const, 2> b, tensor::view<T, 2> out) {
        if (pairs[static_cast<std::size_t>(pair)].to_context) std::swap(a, b);
        try {
            for (index j = 0; j < out.extent(0); ++j) {
                make(std::span<T const>{a[j].flat()}, std::span<T const>{b[j].flat()})(grid[static_cast<std::size_t>(point)], out[j].flat());
            }
        } catch (domain_error const& problem) {
            throw domain_error{"pair ", pair, ": ", problem.what()};
        }
    };
}

}  // namespace plateau::sweep
