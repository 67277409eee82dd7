#pragma once
/// Streams of random numbers, one to each thing that is drawn.

#include <cstdint>

#include <plateau/core/rng.hpp>

namespace plateau {

/// The stream that belongs to the thing of this kind and number: a function of the seed and of both, so that what is
/// drawn does not depend on what else is.
inline constexpr counter_rng stream_of(std::uint64_t seed, std::uint64_t kind, index number) {
    return counter_rng{counter_rng{counter_rng{seed}.at(kind)}.at(static_cast<std::uint64_t>(number))};
}

}  // namespace plateau
