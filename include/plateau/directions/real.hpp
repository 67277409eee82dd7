#pragma once
/// Directions made of real activations.

#include <algorithm>
#include <initializer_list>
#include <span>
#include <vector>

#include <plateau/directions/toward.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::directions {

namespace detail {

/// A row drawn among those that are not, bit for bit, one of `taken`. @throws domain_error if there is none. O(N + D)
template <class T>
std::span<T const> draw_other_row(tensor::view<T const, 2> rows, std::initializer_list<std::span<T const>> taken,
                                  counter_rng& rng) {
    std::vector<index> others;
    for (index r = 0; r < rows.extent(0); ++r) {
        auto const is = [&](std::span<T const> one) { return std::ranges::equal(one, rows[r].flat()); };
        if (std::none_of(taken.begin(), taken.end(), is)) others.push_back(r);
    }
    if (others.empty())
        throw domain_error("none of ", rows.extent(0), " activations is another one: give more, of different prompts");
    return rows[others[rng.below(others.size())]].flat();
}

}  // namespace detail

/// x − a, x a random one of the rows that is not a itself. @param rows  [N, D], kept as a view      @throws
/// domain_error if there is none
/// @see Heimersheim & Mendel 2024 ("r-other")
template <class T>
struct toward_real {
    tensor::view<T const, 2> rows;

    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        return difference(detail::draw_other_row<T>(rows, {a}, rng), a);
    }
};

/// x₁ − x₂, two different random rows, neither of them a. Parameters and exceptions as above.
/// @see Lee & Heimersheim 2024, arXiv 2410.12555
template <class T>
struct real_mixture {
    tensor::view<T const, 2> rows;

    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        auto const first = detail::draw_other_row<T>(rows, {a}, rng);
        return difference(first, detail::draw_other_row<T>(rows, {a, first}, rng));
    }
};

static_assert(Direction<toward_real<float>, float> && Direction<real_mixture<float>, float>);

}  // namespace plateau::directions
