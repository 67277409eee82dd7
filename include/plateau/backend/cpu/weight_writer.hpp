#pragma once
/// Writes values into a linear_weight.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <plateau/backend/cpu/kernels.hpp>
#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/tensor/pages.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// Where the parts of a weight go, if it has some.
struct parts_of_weight {
    index step = 0;                ///< words from one part to the next
    int most = 0;                  ///< parts that are kept
    std::uint8_t* used = nullptr;  ///< [panels]: parts of which one is not zero
};

/// Packs the values of a linear_weight [N, K] into its panels, in pieces that cover it once, in any order and from many
/// threads. The padding of a panel is written with it.
/// Values are T, or bfloat16 if that is how the weight is stored. A weight in parts takes T.
template <class T>
class weight_writer {
public:
    static constexpr index output_step = panel_columns;  ///< pieces of outputs begin at a multiple of it
    static constexpr index input_step = 2;               ///< pieces of inputs begin at a multiple of it

    /// @param full, pairs  the panels in the one storage or the other; the one that is not there is null
    weight_writer(index outputs, index inputs, T* full, std::uint32_t* pairs, parts_of_weight parts = {})
        : outputs_{outputs}, inputs_{inputs}, full_{full}, pairs_{pairs}, parts_{parts} {}

    /// W[first + i, k] = values(i, k).
    /// @param values  [count, K]; first + count is N or a multiple of output_step
    void outputs(index first, tensor::view<T const, 2> values) const {
        if constexpr (std::is_same_v<T, float>) {
            if (parts_.most > 0) return split(first, values, false);
        }
        for_each_panel(full_ + first * inputs_, inputs_, values.extent(0), [&](T* to, index row, index columns) {
            transpose(values.rows(row, columns), to, inputs_, [](T const* from, index k) { return from[k]; });
        });
    }
    void outputs(index first, tensor::view<bfloat16 const, 2> values) const {
        index const whole = inputs_ / 2;
        for_each_panel(pairs_ + first * depth(), depth(), values.extent(0),
                       [&](std::uint32_t* to, index row, index columns) {
            transpose(values.rows(row, columns), to, whole,
                      [](bfloat16 const* from, index pair) { return neighbours(from + 2 * pair); });
            if (whole == depth()) return;
            for (index j = 0; j < panel_columns; ++j) {  // the last input has no neighbour
                to[whole * panel_columns + j] = j < columns ? word(values(row + j, inputs_ - 1), {}) : 0;
            }
        });
    }

    /// W[n, first + i] = values(i, n): rows of Wᵀ.
    /// @param values  [count, N]; first + count is K or a multiple of input_step
    void inputs(index first, tensor::view<T const, 2> values) const {
        if constexpr (std::is_same_v<T, float>) {
            if (parts_.most > 0) return split(first, values, true);
        }
        for_each_panel(full_, inputs_, outputs_, [&](T* to, index column, index columns) {
            to += first * panel_columns;
            for (index i = 0; i < values.extent(0); ++i, to += panel_columns) {
                std::copy_n(&values(i, column), columns, to);
                std::fill(to + columns, to + panel_columns, T{});
            }
        });
    }
    void inputs(index first, tensor::view<bfloat16 const, 2> values) const {
        for_each_panel(pairs_, depth(), outputs_, [&](std::uint32_t* to, index column, index columns) {
            to += first / 2 * panel_columns;
            for (index i = 0; i < values.extent(0); i += 2, to += panel_columns) {
                bfloat16 const* const even = &values(i, column);
                bfloat16 const* const odd = i + 1 < values.extent(0) ? even + values.stride(0) : nullptr;
                if (odd != nullptr)
                    for (index j = 0; j < columns; ++j) to[j] = word(even[j], odd[j]);
                else
                    for (index j = 0; j < columns; ++j) to[j] = word(even[j], {});
                std::fill(to + columns, to + panel_columns, 0u);
            }
        });
    }

private:
    static std::uint32_t word(bfloat16 even, bfloat16 odd) { return even.bits | std::uint32_t{odd.bits} << 16; }

    /// word(pair[0], pair[1]) in one load.
    static std::uint32_t neighbours(bfloat16 const* pair) {
        static_assert(std::endian::native == std::endian::little);
        std::uint32_t both;
        std::memcpy(&both, pair, sizeof both);
        return both;
    }

    index depth() const { return (inputs_ + 1) / 2; }  // of a panel of pairs

    /// Puts the parts of two values where their word is. @return how many of them are not zero
    int put_parts(std::uint32_t* to, float even, float odd) const {
        int used = 0;
        for (int p = 0; p < parts_.most; ++p) {
            std::uint32_t const both = word(take_part(even), take_part(odd));
            to[p * parts_.step] = both;
            if ((both & 0x7FFF7FFFu) != 0) used = p + 1;
        }
        return used;
    }

    /// Panels of which other threads may write a piece, too.
    void note_parts(index panel, int used) const {
        std::atomic_ref<std::uint8_t> const known{parts_.used[panel]};
        auto before = known.load(std::memory_order_relaxed);
        auto const now = static_cast<std::uint8_t>(used);
        while (before < now && !known.compare_exchange_weak(before, now, std::memory_order_relaxed)) {}
    }

    /// As outputs(), or as inputs() where values are rows of Wᵀ, of the parts of values.
    PLATEAU_RARE void split(index first, tensor::view<T const, 2> values, bool transposed) const {
        index const some = transposed ? values.extent(0) : inputs_;  // inputs
        for_each_panel(pairs_ + (transposed ? 0 : first * depth()), depth(), transposed ? outputs_ : values.extent(0),
                       [&](std::uint32_t* to, index output, index columns) {
            auto const value = [&](index j, index k) {
                return j >= columns || k >= some ? T{} : transposed ? values(k, output + j) : values(output + j, k);
            };
            if (transposed) to += first / 2 * panel_columns;
            int used = 0;
            for (index k = 0; k < some; k += 2, to += panel_columns) {
                for (index j = 0; j < panel_columns; ++j)
                    used = std::max(used, put_parts(to + j, value(j, k), value(j, k + 1)));
            }
            note_parts(((transposed ? 0 : first) + output) / panel_columns, used);
        });
    }

    /// Calls write(panel, its first output, how many) for panels of [depth, 64] words with `outputs` outputs in all.
    template <class Word, class Write>
    static void for_each_panel(Word* panels, index depth, index outputs, Write const& write) {
        for (index first = 0; first < outputs; first += panel_columns) {
            write(panels + first * depth, first, std::min(panel_columns, outputs - first));
        }
    }

    /// Words [0, depth) of a panel: word (k, j) = load(row j, k), zero where there is no row.
    template <class Word, class S, class Load>
    static void transpose(tensor::view<S const, 2> rows, Word* panel, index depth, Load const& load) {
        tensor::claim_pages(panel, static_cast<std::size_t>(depth * panel_columns) * sizeof(Word));
        constexpr index block = 32, together = 4;  // words that stay in the first-level cache while all rows come by
        for (index first = 0; first < depth; first += block) {
            index const last = std::min(first + block, depth);
            index j = 0;
            for (; j + together <= rows.extent(0); j += together) {
                S const* const from = &rows(j, 0);
                index const stride = rows.stride(0);
                for (index k = first; k < last; ++k) {
                    Word const words[together] = {load(from, k), load(from + stride, k), load(from + 2 * stride, k),
                                                  load(from + 3 * stride, k)};
                    std::memcpy(panel + k * panel_columns + j, words, sizeof words);
                }
            }
            for (; j < panel_columns; ++j) {
                for (index k = first; k < last; ++k) {
                    panel[k * panel_columns + j] = j < rows.extent(0) ? load(&rows(j, 0), k) : Word{};
                }
            }
        }
    }

    index outputs_;
    index inputs_;
    T* full_;
    std::uint32_t* pairs_;
    parts_of_weight parts_;
};

}  // namespace plateau::backend
