#pragma once
/// Points of any path between the activations of a pair.

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <plateau/paths/concepts.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

/// Writes the point at t of a pair's path to `out`, given the clean activations at the write site, as a `point_writer`
/// is:
///     a,b,out  [positions, width]. Called concurrently.
template <class T>
using path_writer = std::function<void(index pair, double t, tensor::view<T const, 2> a, tensor::view<T const, 2> b,
                                       tensor::view<T, 2> out)>;

/// Paths from A, the activation of a pair's context at every written position, to B, the other prompt's; the reverse
/// for a pair `to_context`. A path is made anew for every point, at every position of its own: O(D).
/// @param pairs  kept as a reference      @param make  (a, b) -> path; called concurrently
/// @throws from the sweep: domain_error naming the pair, where a path cannot be; what else `make` throws
template <class T, class Make>
    requires paths::PathMaker<Make, T>
[[gnu::cold]] path_writer<T> paths_of(std::vector<prompt_pair> const& pairs, Make make) {
    return [&pairs, make = std::move(make)](index pair, double t, tensor::view<T const, 2> a,
                                            tensor::view<T const, 2> b, tensor::view<T, 2> out) {
        if (pairs[static_cast<std::size_t>(pair)].to_context) std::swap(a, b);
        try {
            for (index j = 0; j < out.extent(0); ++j) {
                make(std::span<T const>{a[j].flat()}, std::span<T const>{b[j].flat()})(t, out[j].flat());
            }
        } catch (domain_error const& problem) {
            throw domain_error("pair ", pair, ": ", problem.what());
        }
    };
}

/// Point i of a pair is its path at grid[i].
template <class T>
[[gnu::cold]] point_writer<T> at_grid(path_writer<T> path, std::vector<double> grid) {
    return [path = std::move(path), grid = std::move(grid)](index pair, index point, tensor::view<T const, 2> a,
                                                            tensor::view<T const, 2> b, tensor::view<T, 2> out) {
        path(pair, grid[static_cast<std::size_t>(point)], a, b, out);
    };
}

/// Both together:
///     along_paths<float>(pairs, [](auto a, auto b) { return paths::slerp<float>{a, b}; }, paths::even_grid(0, 1, 50))
template <class T, class Make>
    requires paths::PathMaker<Make, T>
[[gnu::cold]] point_writer<T> along_paths(std::vector<prompt_pair> const& pairs, Make make, std::vector<double> grid) {
    return at_grid<T>(paths_of<T>(pairs, std::move(make)), std::move(grid));
}

}  // namespace plateau::sweep
