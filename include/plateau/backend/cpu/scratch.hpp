#pragma once
/// Work memory of the kernels.

#include <array>
#include <cstddef>

#include <plateau/tensor/buffer.hpp>

namespace plateau::backend::detail {

/// What a thread keeps memory for: each use has its own, so that they may be at work together.
enum class scratch_use {
    rounded_rows,    ///< of a product's input, in bfloat16
    weight_panel,    ///< of weights in bfloat16, widened
    products,        ///< of some outputs, before they go where they belong
    factors,         ///< what products are multiplied by, or exponentials of a few logits
    scores,          ///< of a head's queries with their keys
    own_dots,        ///< of each row's query with its own key
    key_panels,      ///< keys of a head
    value_panel,     ///< values of a head, 64 columns of them
    mixed_panel,     ///< their sums
    norm_units,      ///< a normalised row, and what its tangents are multiplied by
    tangent_scores,  ///< of a head's tangents
    cap_slopes,      ///< of a head's scores
    own_changes,     ///< of tangents' scores with their own keys
};
inline constexpr std::size_t scratch_uses = 13;

/// Memory of this thread for `count` elements, kept from call to call. What it holds is whatever was left there.
/// @throws memory_error
template <class T>
T* scratch(scratch_use use, index count) {
    static thread_local std::array<tensor::buffer<T, 1>, scratch_uses> memories;
    auto& memory = memories[static_cast<std::size_t>(use)];
    if (memory.size() < count) {
        memory = {};
        memory = tensor::buffer<T, 1>({count});
    }
    return memory.data();
}

}  // namespace plateau::backend::detail
