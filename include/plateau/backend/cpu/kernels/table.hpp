#pragma once
/// The kernels of the CPU backend by name.

#include <cstdint>

#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// Outputs of a linear layer stand in panels of this many; where there are few columns, a product takes narrow panels
/// too.
inline constexpr index panel_columns = 64, narrow_columns = 16;

/// Rows in memory, the first at `data`, each `stride` elements after the one before; 0 for the same row again and
/// again.
template <class T>
struct strided {
    T* data = nullptr;
    index stride = 0;

    T* operator[](index row) const { return data + row * stride; }
};

/// What a product does with what its output holds.
enum class sum_start : std::uint8_t {
    zero,         ///< overwrites it
    continued,    ///< goes on from it: the same bits as one longer sum
    added_after,  ///< starts at zero and is added to it in the end: less rounding in long sums
};

/// Rows in parts of bfloat16, each value their sum: two neighbouring k to a word, the even one in the lower half.
struct part_rows {
    std::uint32_t const* data = nullptr;  ///< part 0
    index stride = 0;                     ///< words from one row to the next
    index step = 0;                       ///< words from one part to the next
    int parts = 0;
};

/// One function per kernel, for elements of type T. Strides in elements; what a kernel computes stands with the
/// operation that calls it. Every element of every result is computed in an order that depends on nothing but its row.
template <class T>
struct kernel_table {
    /// c [rows, columns] from a [rows, depth] · b [depth, columns], columns 64 or 16; each element one chain of
    /// multiply-adds in the order of k. `next` is the b of the call to come, or null: it is brought nearer meanwhile
    void (*multiply)(strided<T const> a, strided<T const> b, index columns, index rows, index depth, strided<T> c,
                     sum_start start, T const* next);
    /// the same for a and b in bfloat16, two neighbouring k to a word; null where the processor has no such product.
    /// float alone
    void (*multiply_pairs)(strided<std::uint32_t const> a, std::uint32_t const* b, index rows, index depth,
                           strided<T> c, sum_start start, std::uint32_t const* next);
    /// a row of inputs rounded to bfloat16: (count + 1) / 2 words for multiply_pairs, or as floats. float alone
    void (*round_row_to_pairs)(T const* x, index count, std::uint32_t* out);
    void (*round_row)(T const* x, index count, T* out);
    /// `pairs` × 64 words to 2 · `pairs` × 64 floats: a panel for multiply. float alone
    void (*widen_pairs)(std::uint32_t const* words, index pairs, T* out);
    T (*rms_scale_row)(T const* x, index n, double epsilon);
    T (*centre_row)(T const* x, index n, double epsilon, T* centred);
    void (*divide_row)(T const* x, index n, T scale, T* out);
    void (*affine_row)(T const* x, index n, T const* weight, T const* bias, T* out);
    /// the steps above at once, with the same bits; weight and bias may be null
    void (*norm_row)(norm_kind kind, T const* x, index n, double epsilon, T const* weight, T const* bias, T* out);
    bool (*finite_row)(T const* x, index n);
    void (*scale_row)(T* x, index n, T factor);
    void (*cap_row)(T* x, index n, T bound);
    /// y += x, rows × n of them
    void (*add_rows)(strided<T const> x, index rows, index n, strided<T> y);
    /// `up` may be null
    void (*activate_rows)(activation kind, strided<T const> x, strided<T const> up, index rows, index n,
                          strided<T> out);
    void (*rotate_row)(T* x, index heads, T const* cosines, T const* sines, index half);
    void (*softmax_row)(T* row, index count);
    T (*largest)(T const* x, index n);
    /// out = e^(x − shift); their sum
    double (*exp_row)(T const* x, index n, T shift, T* out);
    /// Σ w (x − y)
    double (*weighted_difference)(T const* w, T const* x, T const* y, index n);
    /// y_r += weights_r · x_r, one multiply-add per element
    void (*add_weighted_rows)(strided<T const> weights, strided<T const> x, index rows, index n, strided<T> y);
    /// out[h] = ⟨q_h, k_{h / group}⟩
    void (*dot_heads)(T const* q, T const* k, index heads, index group, index width, T* out);
    /// c [rows, 64] = Σ xᵢ · wⱼ over the parts i + j < orders, of rows of x and a panel of w [(depth + 1) / 2, 64].
    /// Each element by steps of 32 k, in each step a product of parts after the other, in the order that their numbers
    /// decide; a product as TDPBF16PS forms it. Null, like the next one, where there are no tiles. float alone
    void (*multiply_parts)(part_rows x, part_rows w, index rows, index depth, int orders, strided<T> c) = nullptr;
    /// a row in parts, part p at out + p · step. @see parts.hpp
    void (*split_row)(T const* x, index count, int parts, std::uint32_t* out, index step) = nullptr;
};

}  // namespace plateau::backend
