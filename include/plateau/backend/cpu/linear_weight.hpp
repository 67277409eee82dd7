#pragma once
/// The weights of a linear layer in the order in which the matrix kernels read them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/cpu/weight_writer.hpp>
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

    /// Memory whose values are for writer() to write.
    /// @param storage  dtype_of<T>, or bf16 where T is float      @throws memory_error, shape_error
    linear_weight(cpu_context const&, index outputs, index inputs, dtype storage)
        : linear_weight{outputs, inputs, storage} {}

    /// @param weight  [N, K]
    explicit linear_weight(tensor::view<T const, 2> weight)
        : linear_weight{weight.extent(0), weight.extent(1), dtype_of<T>} {
        writer().outputs(0, weight);
    }
    explicit linear_weight(tensor::view<bfloat16 const, 2> weight) requires std::is_same_v<T, float>
        : linear_weight{weight.extent(0), weight.extent(1), dtype::bf16} {
        writer().outputs(0, weight);
    }
    explicit linear_weight(tensor::buffer<T, 2> const& weight) : linear_weight{weight.view()} {}
    explicit linear_weight(tensor::buffer<bfloat16, 2> const& weight) requires std::is_same_v<T, float>
        : linear_weight{weight.view()} {}

    index outputs() const { return outputs_; }
    index inputs() const { return inputs_; }
    index panels() const { return (outputs_ + panel_columns - 1) / panel_columns; }
    bool is_bf16() const { return bf16_.size() > 0; }

    /// Writes the values; stays valid when the weight is moved.
    weight_writer<T> writer() { return {outputs_, inputs_, full_.data(), bf16_.data()}; }

    /// What the panels take. Its pages may be given back, and the values written again by writer().
    std::span<std::byte> memory() {
        return is_bf16() ? std::as_writable_bytes(bf16_.flat()) : std::as_writable_bytes(full_.flat());
    }

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
    linear_weight(index outputs, index inputs, dtype storage) : outputs_{outputs}, inputs_{inputs} {
        if (storage == dtype::bf16) bf16_ = decltype(bf16_)::for_overwrite({panels(), (inputs + 1) / 2, panel_columns});
        else full_ = decltype(full_)::for_overwrite({panels(), inputs, panel_columns});
    }

    index outputs_ = 0;
    index inputs_ = 0;
    tensor::buffer<T, 3> full_;              // [panels, K, 64]
    tensor::buffer<std::uint32_t, 3> bf16_;  // [panels, K/2, 64]
};

static_assert(FillableWeight<linear_weight<float>, cpu_context, float> &&
              FillableWeight<linear_weight<double>, cpu_context, double>);

}  // namespace plateau::backend
