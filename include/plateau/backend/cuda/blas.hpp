#pragma once
/// The one seam through which every matrix product of the CUDA backend goes: cuBLASLt, row-major.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <plateau/backend/cuda/runtime.hpp>

namespace plateau::backend::cuda {

/// What is multiplied, and how it is summed.
enum class product_kind : std::uint8_t {
    fp64,
    fp32,
    tf32,  ///< of floats, rounded to 10 bits of mantissa; sums in float
    bf16,  ///< of bfloat16; results and sums in float
};

/// Products have extents in whole steps: of rows those of most kernels' tiles, of columns 16 bytes and more.
inline constexpr index row_step = 128, column_step = 8;
constexpr index in_steps(index count, index step) { return (count + step - 1) / step * step; }

/// Rows of a matrix in device memory; each starts at a multiple of 16 bytes. @param stride  in elements
struct matrix_rows {
    void const* data;
    index stride;
};

/// cuBLASLt's handle, its workspace, and the algorithm of every product. Nothing of it exists until the first product.
class blas {
public:
    explicit blas(stream_handle stream);
    blas(blas const&) = delete;
    blas& operator=(blas const&) = delete;
    ~blas();

    /// Loads cuBLASLt, as the first product does otherwise. @throws device_error where it is not found
    static void load();

    /// Y = X Wᵀ, or Y += X Wᵀ: element (r, n) is Σ_k X[r, k] W[n, k].
    /// Algorithms are chosen when this kind, N and K come by for the first time, whatever R is: of those that
    /// cuBLASLt's heuristics name, without a split of the sum, and that were seen to give the same bits, the ones that
    /// are measured to be fastest for few rows and for many. They stay.
    /// @param rows  R, a multiple of row_step      @param outputs,inputs  N and K, multiples of column_step
    /// @param x  [R, K]      @param w  [N, K]      @param y  [R, N], not overlapping x or w
    /// @post the bits of a row of Y depend on that row of X (and Y) and on W alone: one kernel computes all elements,
    ///       or one of two with the same sums, each by a loop over k of its own, in the steps of the kernel's tile, "in
    ///       one sequence" (cublasLt.h of CUBLASLT_REDUCTION_SCHEME_NONE), which knows neither the other rows of the
    ///       tile nor the tile's place. Whole steps of rows and of inputs leave no reason for another loop at the end.
    ///       This is how such kernels are built; cuBLAS itself promises the same bits for calls of one shape only.
    ///       tests.cuda.device looks at it on a device.
    /// @throws device_error, memory_error
    void multiply(product_kind kind, index rows, index outputs, index inputs, matrix_rows x, matrix_rows w, void* y,
                  index y_stride, bool add);

    /// Memory for the operands of products, one block for each use. @throws memory_error, device_error
    enum class use : std::uint8_t { input, sum, factor, rows };
    void* scratch(use what, std::size_t bytes) { return scratch_[static_cast<std::size_t>(what)].get(bytes); }
    /// How often one of them has come to stand elsewhere.
    std::size_t moves() const {
        std::size_t all = 0;
        for (auto const& one : scratch_) all += one.moves();
        return all;
    }

private:
    struct state;
    struct end_state {
        void operator()(state* old) const;
    };

    stream_handle stream_;
    std::array<growing_memory, 4> scratch_;
    std::unique_ptr<state, end_state> state_;
};

}  // namespace plateau::backend::cuda
