#pragma once
/// Counter-based random numbers: the n-th number of a stream is a function of (seed, n) alone.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// The splitmix64 stream, addressed by counter. Its state is the first number that splitmix64 draws from the seed, so
/// that neighbouring seeds give unrelated streams.
/// @see Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"
class counter_rng {
public:
    explicit constexpr counter_rng(std::uint64_t seed) : seed_{mix(seed + golden)} {}

    /// The n-th 64-bit number.
    constexpr std::uint64_t at(std::uint64_t n) const { return mix(seed_ + (n + 1) * golden); }

    /// The next number of the stream.
    constexpr std::uint64_t next() { return at(counter_++); }

    /// Uniform in [0, bound), without bias. @pre bound > 0
    constexpr std::uint64_t below(std::uint64_t bound) {
        std::uint64_t const limit = ~std::uint64_t{0} - (~std::uint64_t{0} % bound + 1) % bound;
        std::uint64_t value = next();
        while (value > limit) value = next();
        return value % bound;
    }

    /// Uniform in [0, 1), 53 bits.
    constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

private:
    static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15u;
    static constexpr std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

    std::uint64_t seed_;
    std::uint64_t counter_ = 0;
};

/// Puts the elements into a random order, every one equally likely. @see Fisher & Yates 1938; Durstenfeld 1964
template <class Element>
void shuffle(std::span<Element> values, counter_rng& rng) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rng.below(i)]);
}

/// `count` different numbers of [0, population) in the order in which they were drawn.
/// Partial Fisher-Yates shuffle on a sparse array: O(count) memory.
/// @throws usage_error unless 0 <= count <= population
std::vector<index> sample_without_replacement(index population, index count, std::uint64_t seed);

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/rng.ipp>
#endif
