#pragma once
/// The weights of a linear layer in the order in which the matrix kernels read them.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend {

/// The weight of a linear layer, [N, K] = outputs × inputs, packed once into panels of 64 outputs, the last one filled
/// up with zeros:
///     panel p, full:      [K, 64],    element (k, j) = W[64p + j, k]
///     panel p, bfloat16:  [K/2, 64],  two neighbouring k in one word, the even one in the lower half
/// Stored in T, or in bfloat16 where T is float: then inputs are rounded to bfloat16 too, products and sums are float.
template <class T>
class linear_weight {
public:
    linear_weight() = default;

    /// @param weight  [N, K]
    explicit linear_weight(tensor::view<T const, 2> weight)
        : outputs_{weight.extent(0)}, inputs_{weight.extent(1)}, full_{{panels(), inputs_, panel_columns}} {
        for_each_block([&](index p, index j, index first, index last) {
            T* const to = full_[p].data() + j;
            T const* const from = weight[p * panel_columns + j].data();
            for (index k = first; k < last; ++k) to[k * panel_columns] = from[k];
        });
    }
    explicit linear_weight(tensor::view<bfloat16 const, 2> weight)
        requires std::is_same_v<T, float>
        : outputs_{weight.extent(0)}, inputs_{weight.extent(1)}, bf16_{{panels(), (inputs_ + 1) / 2, panel_columns}} {
        for_each_block([&](index p, index j, index first, index last) {
            std::uint32_t* const to = bf16_[p].data() + j;
            bfloat16 const* const from = weight[p * panel_columns + j].data();
            for (index k = first; k < last; ++k) {
                to[k / 2 * panel_columns] |= std::uint32_t{from[k].bits} << (k % 2 * 16);
            }
        });
    }
    explicit linear_weight(tensor::buffer<T, 2> const& weight) : linear_weight{weight.view()} {}
    explicit linear_weight(tensor::buffer<bfloat16, 2> const& weight)
        requires std::is_same_v<T, float>
        : linear_weight{weight.view()} {}

    index outputs() const { return outputs_; }
    index inputs() const { return inputs_; }
    index panels() const { return (outputs_ + panel_columns - 1) / panel_columns; }
    bool is_bf16() const { return bf16_.size() > 0; }

    /// Panel p. @pre the storage is full, or bfloat16
    T const* panel(index p) const { return full_[p].data(); }
    std::uint32_t const* panel_pairs(index p) const { return bf16_[p].data(); }

    /// W[n, k] as `linear` sees it.
    T operator()(index n, index k) const {
        index const p = n / panel_columns, column = n % panel_columns;
        if (!is_bf16()) return full_(p, k, column);
        bfloat16 value;
        value.bits = static_cast<std::uint16_t>(bf16_(p, k / 2, column) >> (k % 2 * 16));
        return static_cast<T>(static_cast<float>(value));
    }

private:
    /// Calls f(panel, column, first input, last input) for all weights, a few inputs at a time: what they are written to
    /// stays in the first-level cache.
    template <class F>
    void for_each_block(F&& f) const {
        constexpr index block = 32;
        for (index p = 0; p < panels(); ++p) {
            index const columns = std::min(panel_columns, outputs_ - p * panel_columns);
            for (index first = 0; first < inputs_; first += block) {
                for (index j = 0; j < columns; ++j) f(p, j, first, std::min(first + block, inputs_));
            }
        }
    }

    index outputs_ = 0;
    index inputs_ = 0;
    tensor::buffer<T, 3> full_;              // [panels, K, 64]
    tensor::buffer<std::uint32_t, 3> bf16_;  // [panels, K/2, 64]
};

}  // namespace plateau::backend
