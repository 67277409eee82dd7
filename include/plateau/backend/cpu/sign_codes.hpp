#pragma once
/// Sign codes of rows, and how many signs two of them differ in.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/sign_codes.hpp>

namespace plateau::backend {

/// Bit i mod 64 of codes(r, i / 64) is 1 where x(r, i) > 0, and 0 where it is not (zeros, NaN) or there is no such i.
/// @param x  [R, N]      @param codes  [R, ⌈N/64⌉]      @throws shape_error on extents that do not fit
/// @see Janiak et al. 2024, appendix F, of the gates of an MLP
template <class T>
void sign_codes(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x,
                std::type_identity_t<tensor::view<std::uint64_t, 2>> codes) {
    index const rows = x.extent(0), columns = x.extent(1);
    tensor::require_extents(codes.extents(), {rows, words_of_signs(columns)}, "the sign codes of rows");
    for (index r = 0; r < rows; ++r) {
        T const* const row = x[r].data();
        for (index w = 0; w < codes.extent(1); ++w) {
            index const first = w * signs_of_a_word, count = std::min(signs_of_a_word, columns - first);
            std::uint64_t word = 0;
            for (index i = 0; i < count; ++i) word |= std::uint64_t{row[first + i] > T{0}} << i;
            codes(r, w) = word;
        }
    }
}

/// distances[r] = the number of bits in which codes_r and others_q differ, q = references[r].
/// @param codes  [R, W]      @param others  [Q, W]      @param references  [R] in [0, Q)      @param distances  [R]
/// @throws shape_error on extents that do not fit
inline void hamming_distances(cpu_context const&, tensor::view<std::uint64_t const, 2> codes,
                              tensor::view<std::uint64_t const, 2> others, tensor::view<index const, 1> references,
                              tensor::view<index, 1> distances) {
    require_hamming(codes, others, references, distances);
    for (index r = 0; r < codes.extent(0); ++r) {
        std::uint64_t const *const own = codes[r].data(), *const other = others[references[r]].data();
        index different = 0;
        for (index w = 0; w < codes.extent(1); ++w) different += std::popcount(own[w] ^ other[w]);
        distances[r] = different;
    }
}

}  // namespace plateau::backend
