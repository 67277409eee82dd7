#pragma once
/// Directions toward points, and between them.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <plateau/directions/concepts.hpp>

namespace plateau::directions {

/// target − a, in double. @param target,a  [D]      @throws shape_error on unequal lengths
template <class U, class T>
std::vector<double> difference(std::span<U const> target, std::span<T const> a) {
    paths::require_equal_lengths("a direction", a.size(), target);
    std::vector<double> result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) result[i] = static_cast<double>(target[i]) - static_cast<double>(a[i]);
    return result;
}

/// target − a, for one target. @param target  [D]
class toward {
public:
    explicit toward(std::vector<double> target) : target_{std::move(target)} {}

    template <class T>
    std::vector<double> operator()(std::span<T const> a, counter_rng&) const {
        return difference(std::span<double const>{target_}, a);
    }

private:
    std::vector<double> target_;
};

/// x − a with x drawn anew: "cov-random" if the sampler is a `gaussian`. It holds −a, and so shrinks a a little.
/// @param sampler  kept by value; `std::cref` keeps a reference      @see Heimersheim & Mendel 2024
template <Sampler S>
class toward_sample {
public:
    explicit toward_sample(S sampler) : sampler_{std::move(sampler)} {}

    template <class T>
    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        std::vector<double> const x = sampler_(rng);
        return difference(std::span<double const>{x}, a);
    }

private:
    S sampler_;
};

/// x₁ − x₂, both drawn anew: the "cov-random mixture", which does not use the activation, and so has no −a in it.
/// @see Lee & Heimersheim 2024, arXiv 2410.12555; the formula is our reading of it
template <Sampler S>
class sample_mixture {
public:
    explicit sample_mixture(S sampler) : sampler_{std::move(sampler)} {}

    template <class T>
    std::vector<double> operator()(std::span<T const>, counter_rng& rng) const {
        std::vector<double> const first = sampler_(rng), second = sampler_(rng);
        return difference(std::span<double const>{first}, std::span<double const>{second});
    }

private:
    S sampler_;
};

}  // namespace plateau::directions
