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
#include <plateau/core/macros.hpp>

namespace plateau::backend {

/// The weight of a linear layer, [N, K] = outputs × inputs, packed once into panels of 64 outputs, the last one filled
/// up with zeros:
///     panel p, full:      [K, 64],    element (k, j) = W[64p + j, k]
///     panel p, bfloat16:  [K/2, 64],  two neighbouring k in one word, the even one in the lower half
/// Stored in T, or in bfloat16 where T is float: then inputs are rounded to bfloat16 too, products and sums are float.
/// Of a context whose products of floats are of their parts, a weight in float is stored as its parts, a matrix of
/// panels each: W = W₀ + W₁ + … Of values that have fewer parts, as those of a file in bfloat16, fewer are read.
template <class T>
class linear_weight {
public:
    linear_weight() = default;

    /// Memory whose values are for writer() to write.
    /// @param storage  dtype_of<T>, or bf16 where T is float      @throws memory_error, shape_error
    linear_weight(cpu_context const& ctx, index outputs, index inputs, dtype storage)
        : linear_weight{outputs, inputs, storage,
                        std::is_same_v<T, float> && storage != dtype::bf16 ? parts_of(ctx.products()) : 0} {}

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
    bool is_bf16() const { return parts_.size() > 0 && most_ == 0; }
    /// Parts of which values are the sum, at most; 0 unless it is stored as parts.
    int most_parts() const { return most_; }
    /// Whether it is stored in words, of one or several parts.
    bool in_parts() const { return parts_.size() > 0; }

    /// Writes the values; stays valid when the weight is moved.
    weight_writer<T> writer() {
        return {outputs_, inputs_, full_.data(), parts_.data(), {part_words(), most_, used_.data()}};
    }

    /// What the panels take. Its pages may be given back, and the values written again by writer().
    std::span<std::byte> memory() {
        return in_parts() ? std::as_writable_bytes(parts_.flat()) : std::as_writable_bytes(full_.flat());
    }

    /// Panel p. @pre the storage is full, or bfloat16
    T const* panel(index p) const { return full_[p].data(); }
    std::uint32_t const* panel_pairs(index p) const { return parts_[0][p].data(); }
    /// Those of its parts that are not zero. @pre in_parts()
    part_rows panel_parts(index p) const {
        return {panel_pairs(p), panel_columns, part_words(), is_bf16() ? 1 : used_[p]};
    }

    /// W[n, k] as `linear` sees it.
    T operator()(index n, index k) const {
        index const p = n / panel_columns, column = n % panel_columns;
        if (!in_parts()) return full_(p, k, column);
        float sum = 0;
        for (int part = panel_parts(p).parts - 1; part >= 0; --part) {  // small ones first: the sum of all is exact
            bfloat16 value;
            value.bits = static_cast<std::uint16_t>(parts_(part, p, k / 2, column) >> (k % 2 * 16));
            sum += static_cast<float>(value);
        }
        return static_cast<T>(sum);
    }

private:
    PLATEAU_INLINE linear_weight(index outputs, index inputs, dtype storage, int most = 0)
        : outputs_{outputs}, inputs_{inputs}, most_{most} {
        if (most > 0) used_ = decltype(used_)({panels()});
        if (most > 0 || storage == dtype::bf16) {
            parts_ = decltype(parts_)::for_overwrite({std::max(most, 1), panels(), (inputs + 1) / 2, panel_columns});
        } else {
            full_ = decltype(full_)::for_overwrite({panels(), inputs, panel_columns});
        }
    }

    index part_words() const { return panels() * ((inputs_ + 1) / 2) * panel_columns; }

    index outputs_ = 0;
    index inputs_ = 0;
    int most_ = 0;
    tensor::buffer<T, 3> full_;               // [panels, K, 64]
    tensor::buffer<std::uint32_t, 4> parts_;  // [parts, panels, K/2, 64]
    tensor::buffer<std::uint8_t, 1> used_;    // [panels], of several parts
};

static_assert(FillableWeight<linear_weight<float>, cpu_context, float> &&
              FillableWeight<linear_weight<double>, cpu_context, double>);

}  // namespace plateau::backend
