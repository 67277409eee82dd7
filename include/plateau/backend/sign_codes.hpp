#pragma once
/// The form of sign codes on any backend: 64 signs to a word.

#include <cstdint>

#include <plateau/tensor/view.hpp>

namespace plateau::backend {

inline constexpr index signs_of_a_word = 64;

/// ⌈N / 64⌉.
constexpr index words_of_signs(index count) { return (count + signs_of_a_word - 1) / signs_of_a_word; }

/// @throws shape_error unless codes [R, W], others [Q, W], references [R] and distances [R] fit
template <class Space>
void require_hamming(tensor::view<std::uint64_t const, 2, Space> codes,
                     tensor::view<std::uint64_t const, 2, Space> others, tensor::view<index const, 1, Space> references,
                     tensor::view<index, 1, Space> distances) {
    tensor::require_extents(others.extents(), {others.extent(0), codes.extent(1)}, "the other sign codes");
    tensor::require_extents<1>(references.extents(), {codes.extent(0)}, "which sign code is the reference");
    tensor::require_extents<1>(distances.extents(), {codes.extent(0)}, "the distances of sign codes");
}

}  // namespace plateau::backend
