#pragma once
/// What a path is.

#include <concepts>
#include <span>

namespace plateau::paths {

/// A path maps a fraction t to a point of the activation space: path(t, out) writes the point to out [D].
/// Any type with this call is a path; it must be safe to call concurrently.
template <class Candidate, class T>
concept Path = requires(Candidate const& path, double t, std::span<T> out) {
    { path(t, out) } -> std::same_as<void>;
};

}  // namespace plateau::paths
