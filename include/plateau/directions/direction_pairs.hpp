#pragma once
/// Pairs of directions: random ones, and differences of the activations of other prompts.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/statistics/normal_quantile.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::directions {

/// Two directions of one kind.
struct direction_pair {
    std::string kind;
    index number = 0;            ///< among those of its kind
    std::vector<double> d1, d2;  ///< [D]
};

namespace detail {

inline std::vector<double> gaussian_direction(index width, counter_rng& rng) {
    std::vector<double> direction;
    for (index i = 0; i < width; ++i)
        direction.push_back(statistics::normal_quantile(rng.uniform() + 0x1p-54));  // never 0
    return direction;
}

}  // namespace detail

/// Isotropic Gaussian vectors. @param count  pairs, each a function of the seed and its number
inline std::vector<direction_pair> random_pairs(index width, index count, std::uint64_t seed) {
    std::vector<direction_pair> all;
    for (index n = 0; n < count; ++n) {
        counter_rng rng{counter_rng{seed + 1}.at(static_cast<std::uint64_t>(n))};
        auto d1 = detail::gaussian_direction(width, rng), d2 = detail::gaussian_direction(width, rng);
        all.push_back({"random", n, std::move(d1), std::move(d2)});
    }
    return all;
}

/// Differences of the activations of two prompts, four prompts a pair. @param activations  [N, D]
/// @param first  prompts from this one on are drawn      @throws usage_error unless those are four
inline std::vector<direction_pair> difference_pairs(tensor::buffer<double, 2> const& activations, index first,
                                                    index count, std::uint64_t seed) {
    index const others = activations.extent(0) - first;
    if (others < 4) {
        throw usage_error("--directions random-difference needs four prompts that are no anchors, there are ", others,
                          ": give more prompts, or fewer --anchors");
    }
    std::vector<direction_pair> all;
    for (index n = 0; n < count; ++n) {
        auto const drawn =
            sample_without_replacement(others, 4, counter_rng{seed + 2}.at(static_cast<std::uint64_t>(n)));
        direction_pair one{"random-difference", n, {}, {}};
        for (index i = 0; i < activations.extent(1); ++i) {
            auto const value = [&](std::size_t k) { return activations(first + drawn[k], i); };
            one.d1.push_back(value(1) - value(0));
            one.d2.push_back(value(3) - value(2));
        }
        all.push_back(std::move(one));
    }
    return all;
}

/// Directions of one's own, two by two. @param values  [2P, D], row by row
inline std::vector<direction_pair> pairs_of_rows(std::string const& kind, std::span<double const> values, index width) {
    std::vector<direction_pair> all;
    for (auto at = values.begin(); at != values.end(); at += 2 * width)
        all.push_back({kind, static_cast<index>(all.size()), {at, at + width}, {at + width, at + 2 * width}});
    return all;
}

}  // namespace plateau::directions
