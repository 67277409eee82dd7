#pragma once
/// What a path is, what a surface is, and what makes one from two activations.

#include <concepts>
#include <span>

namespace plateau::paths {

/// A path maps a number t to a point of the activation space: path(t, out) writes the point to out [D]. What t means
/// (a fraction from A to B, a length, an angle) is the path's own affair.
/// Any type with this call is a path; it must be safe to call concurrently.
template <class Candidate, class T>
concept Path = requires(Candidate const& path, double t, std::span<T> out) {
    { path(t, out) } -> std::same_as<void>;
};

/// A path that knows its own derivative: path.derivative(t, out) writes dx/dt, formed as points are.
template <class Candidate, class T>
concept DifferentiablePath = Path<Candidate, T> && requires(Candidate const& path, double t, std::span<T> out) {
    { path.derivative(t, out) } -> std::same_as<void>;
};

/// A surface maps two numbers to a point: surface(u, v, out). `line_on` makes paths of it.
template <class Candidate, class T>
concept Surface = requires(Candidate const& surface, double u, double v, std::span<T> out) {
    { surface(u, v, out) } -> std::same_as<void>;
};

/// Makes the path of a pair from its two activations a, b [D]: what an experiment over many pairs is given.
/// `[](auto a, auto b) { return slerp<float>{a, b}; }` is one; the path may keep a and b as references.
template <class Candidate, class T>
concept PathMaker = requires(Candidate const& make, std::span<T const> a, std::span<T const> b) {
    { make(a, b) } -> Path<T>;
};

}  // namespace plateau::paths
