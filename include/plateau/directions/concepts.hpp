#pragma once
/// Concepts of a direction, and of a sampler of activation space.

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/paths/tangent.hpp>

namespace plateau::directions {

/// A direction says which way an activation is pushed: direction(a, rng) -> [D], of any length but 0. Those that are
/// drawn take their numbers from rng alone, so that a result is a function of the seed.
/// Any type with this call is one; it must be safe to call concurrently:
///     [](std::span<float const> a, plateau::counter_rng&) { return std::vector<double>(a.begin(), a.end()); }   //
///     away from 0
template <class Candidate, class T>
concept Direction = requires(Candidate const& direction, std::span<T const> a, counter_rng& rng) {
    { direction(a, rng) } -> std::convertible_to<std::vector<double>>;
};

/// A direction of whatever type.
template <class T>
using any_direction = std::function<std::vector<double>(std::span<T const>, counter_rng&)>;

/// A sampler draws points of activation space: sampler(rng) -> [D].
template <class Candidate>
concept Sampler = requires(Candidate const& sampler, counter_rng& rng) {
    { sampler(rng) } -> std::convertible_to<std::vector<double>>;
};

/// The direction at a as a vector of length 1. @param name  for messages
/// @throws shape_error if it has not a's length; domain_error if it is zero or not finite
template <class T, Direction<T> D>
std::vector<double> unit_direction(D const& direction, std::span<T const> a, counter_rng& rng,
                                   std::string const& name = "the direction") {
    std::vector<double> const drawn = direction(a, rng);
    if (drawn.size() != a.size())
        throw shape_error(name, " has ", drawn.size(), " elements, the activation ", a.size());
    return paths::unit(std::span<double const>{drawn}, name.c_str());
}

}  // namespace plateau::directions
