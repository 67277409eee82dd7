#pragma once
/// Points of any path between the activations of a pair.

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/engine/point_writer.hpp>
#include <plateau/paths/concepts.hpp>

namespace plateau::sweep {

/// Writes the point at t of a pair's path to `out`, given the clean activations that it goes from and to, as a
/// `point_writer` is: [positions, width] each. Called concurrently.
template <class T>
using path_writer = std::function<void(index pair, double t, tensor::view<T const, 2> from, tensor::view<T const, 2> to,
                                       tensor::view<T, 2> out)>;

namespace detail {

/// Does with the path of every position what `write(path, t, out)` does. @throws domain_error naming the pair
template <class T, class Make, class Write>
path_writer<T> each_path(Make make, Write write) {
    return [make = std::move(make), write](index pair, double t, tensor::view<T const, 2> from,
                                           tensor::view<T const, 2> to, tensor::view<T, 2> out) {
        try {
            for (index j = 0; j < out.extent(0); ++j) {
                write(make(std::span<T const>{from[j].flat()}, std::span<T const>{to[j].flat()}), t, out[j].flat());
            }
        } catch (domain_error const& problem) {
            throw domain_error("pair ", pair, ": ", problem.what());
        }
    };
}

}  // namespace detail

/// The paths that `make` makes. A path is made anew for every point, at every position of its own: O(D).
/// @param make  (a, b) -> path; called concurrently
/// @throws from the sweep: domain_error naming the pair, where a path cannot be; what else `make` throws
template <class T, paths::PathMaker<T> Make>
path_writer<T> paths_of(Make make) {
    return detail::each_path<T>(std::move(make), [](auto const& path, double t, std::span<T> out) { path(t, out); });
}
/// Their derivatives dx/dt. @param make  (a, b) -> a differentiable path
template <class T, paths::PathMaker<T> Make>
path_writer<T> derivatives_of(Make make) {
    return detail::each_path<T>(std::move(make),
                                [](auto const& path, double t, std::span<T> out) { path.derivative(t, out); });
}

/// Point i of a pair is its path at grid[i].
template <class T>
engine::point_writer<T> at_grid(path_writer<T> path, std::vector<double> grid) {
    return [path = std::move(path), grid = std::move(grid)](index pair, index point, tensor::view<T const, 2> from,
                                                            tensor::view<T const, 2> to, tensor::view<T, 2> out) {
        path(pair, grid[static_cast<std::size_t>(point)], from, to, out);
    };
}

/// Both together:
///     along_paths<float>([](auto a, auto b) { return paths::slerp<float>{a, b}; }, paths::even_grid(0, 1, 50))
template <class T, paths::PathMaker<T> Make>
engine::point_writer<T> along_paths(Make make, std::vector<double> grid) {
    return at_grid<T>(paths_of<T>(std::move(make)), std::move(grid));
}

PLATEAU_COMPILED_FUNCTION(at_grid);

}  // namespace plateau::sweep
