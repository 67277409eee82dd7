#pragma once
/// Random data for tests: a function of the seed alone, the same on every machine.

#include <array>
#include <cstdint>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/normal.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::testing {

/// N(0, deviation²), independent.
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> random_buffer(std::array<index, Rank> extents, std::uint64_t seed, double deviation = 1) {
    counter_rng rng{seed};
    tensor::buffer<T, Rank> values(extents);
    for (T& value : values.flat()) value = static_cast<T>(static_cast<float>(deviation * standard_normal(rng)));
    return values;
}

template <class T>
std::vector<T> random_vector(index size, std::uint64_t seed, double deviation = 1) {
    auto const values = random_buffer<T, 1>({size}, seed, deviation);
    return {values.flat().begin(), values.flat().end()};
}

/// The same matrix in bfloat16, rounded.
inline tensor::buffer<bfloat16, 2> in_bfloat16(tensor::buffer<float, 2> const& values) {
    tensor::buffer<bfloat16, 2> rounded(values.extents());
    for (index i = 0; i < values.size(); ++i) rounded.data()[i] = bfloat16{values.data()[i]};
    return rounded;
}

}  // namespace plateau::testing
