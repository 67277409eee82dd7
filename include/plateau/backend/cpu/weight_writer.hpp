#pragma once
/// How values come into a linear_weight.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <plateau/backend/cpu/kernels.hpp>
#include <plateau/core/dtype.hpp>
#include <plateau/tensor/pages.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// Packs the values of a linear_weight [N, K] into its panels, in pieces that cover it once, in any order and from many
/// threads. A piece of outputs is written panel by panel, whose pages come first into being here.
/// Values are T, or bfloat16 if that is how the weight is stored; the padding of a piece is written with it.
template <class T>
class weight_writer {
public:
    static constexpr index output_step = panel_columns;  ///< pieces of outputs begin at a multiple of it
    static constexpr index input_step = 2;               ///< pieces of inputs begin at a multiple of it

    /// @param full, pairs  the panels in the one storage or the other; the one that is not there is null
    weight_writer(index outputs, index inputs, T* full, std::uint32_t* pairs)
        : outputs_{outputs}, inputs_{inputs}, full_{full}, pairs_{pairs} {}

    /// W[first + i, k] = values(i, k).
    /// @param values  [count, K]; first + count is N or a multiple of output_step
    void outputs(index first, tensor::view<T const, 2> values) const {
        write_outputs(full_, inputs_, first, values, [](T const* row, index k) { return row[k]; });
    }
    void outputs(index first, tensor::view<bfloat16 const, 2> values) const {
        write_outputs(pairs_, (inputs_ + 1) / 2, first, values, [inputs = inputs_](bfloat16 const* row, index pair) {
            return word(row[2 * pair], 2 * pair + 1 < inputs ? row[2 * pair + 1] : bfloat16{});
        });
    }

    /// W[n, first + i] = values(i, n): rows of Wᵀ.
    /// @param values  [count, N]; first + count is K or a multiple of input_step
    void inputs(index first, tensor::view<T const, 2> values) const {
        for_each_panel([&](index p, index columns) {
            T* to = full_ + (p * inputs_ + first) * panel_columns;
            tensor::claim_pages(to, static_cast<std::size_t>(values.extent(0) * panel_columns) * sizeof(T));
            for (index i = 0; i < values.extent(0); ++i, to += panel_columns) {
                std::copy_n(&values(i, p * panel_columns), columns, to);
                std::fill(to + columns, to + panel_columns, T{});
            }
        });
    }
    void inputs(index first, tensor::view<bfloat16 const, 2> values) const {
        index const pairs = (values.extent(0) + 1) / 2;
        for_each_panel([&](index p, index columns) {
            std::uint32_t* to = pairs_ + (p * ((inputs_ + 1) / 2) + first / 2) * panel_columns;
            tensor::claim_pages(to, static_cast<std::size_t>(pairs * panel_columns) * sizeof *to);
            for (index i = 0; i < pairs; ++i, to += panel_columns) {
                bfloat16 const* const even = &values(2 * i, p * panel_columns);
                if (2 * i + 1 < values.extent(0)) {
                    bfloat16 const* const odd = even + values.stride(0);
                    for (index j = 0; j < columns; ++j) to[j] = word(even[j], odd[j]);
                } else {
                    for (index j = 0; j < columns; ++j) to[j] = word(even[j], bfloat16{});
                }
                std::fill(to + columns, to + panel_columns, 0u);
            }
        });
    }

private:
    static std::uint32_t word(bfloat16 even, bfloat16 odd) {
        return even.bits | std::uint32_t{odd.bits} << 16;
    }

    /// f(panel, outputs in it)
    template <class F>
    void for_each_panel(F&& f) const {
        for (index p = 0; p * panel_columns < outputs_; ++p) f(p, std::min(panel_columns, outputs_ - p * panel_columns));
    }

    /// Writes panels of [depth, 64] words: word (k, j) = load(row j, k), zero where there is no row.
    template <class Word, class S, class Load>
    static void write_outputs(Word* panels, index depth, index first, tensor::view<S const, 2> values, Load const load) {
        for (index row = 0; row < values.extent(0); row += panel_columns) {
            index const columns = std::min(panel_columns, values.extent(0) - row);
            Word* const to = panels + (first + row) * depth;  // whole panels lie before it
            tensor::claim_pages(to, static_cast<std::size_t>(depth * panel_columns) * sizeof(Word));
            // what a few words of depth are written to stays in the first-level cache while all rows come by
            constexpr index block = 32, together = 4;
            for (index begin = 0; begin < depth; begin += block) {
                index const end = std::min(begin + block, depth);
                index j = 0;
                for (; j + together <= columns; j += together) {
                    S const* const from = &values(row + j, 0);
                    index const stride = values.stride(0);
                    for (index k = begin; k < end; ++k) {
                        Word const words[together] = {load(from, k), load(from + stride, k), load(from + 2 * stride, k),
                                                      load(from + 3 * stride, k)};
                        std::memcpy(to + k * panel_columns + j, words, sizeof words);
                    }
                }
                for (; j < panel_columns; ++j) {
                    for (index k = begin; k < end; ++k) {
                        to[k * panel_columns + j] = j < columns ? load(&values(row + j, 0), k) : Word{};
                    }
                }
            }
        }
    }

    index outputs_;
    index inputs_;
    T* full_;
    std::uint32_t* pairs_;
};

}  // namespace plateau::backend
