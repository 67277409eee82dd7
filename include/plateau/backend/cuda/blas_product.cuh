#pragma once
/// One matrix product as cuBLASLt is asked for it.

#include <array>
#include <cstring>
#include <memory>
#include <type_traits>

#include <plateau/backend/cuda/blas.hpp>
#include <plateau/backend/cuda/blas_library.cuh>
#include <plateau/backend/cuda/status.cuh>

namespace plateau::backend::cuda {

/// The way out of what cuBLASLt complains about.
inline char const* way_out(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "; CUDA's runtime or driver does not fit this cuBLAS: use --backend cpu";
        case CUBLAS_STATUS_ARCH_MISMATCH:
        case CUBLAS_STATUS_NOT_SUPPORTED:
            return "; this device cannot do it: use other products (fp32), or --backend cpu";
        default:
            return "; after an error in a kernel every call fails: start the program again, under compute-sanitizer";
    }
}

/// @param what  was asked for, as "a matrix product"
/// @throws memory_error if memory ran out, device_error on anything else but success
inline void check(cublasStatus_t status, message_piece what) {
    if (status == CUBLAS_STATUS_SUCCESS) [[likely]]
        return;
    std::string asked;
    what.append_to(asked);
    if (status == CUBLAS_STATUS_ALLOC_FAILED) {
        throw memory_error("cuBLASLt has no memory for ", asked, "; use smaller blocks of rows, or --dtype bf16");
    }
    throw device_error("cuBLASLt refused ", asked, ": ", cublas().text(status), way_out(status));
}

/// Whether an algorithm can be used at all: what it cannot do is told in one of two ways. @throws as check, on anything
/// else
inline bool possible(cublasStatus_t status, message_piece what) {
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return false;
    check(status, what);
    return true;
}

/// How things of cuBLASLt's end.
struct blas_destroy {
    void operator()(cublasLtHandle_t old) const { static_cast<void>(cublas().destroy(old)); }
    void operator()(cublasLtMatrixLayout_t old) const { static_cast<void>(cublas().layout_destroy(old)); }
    void operator()(cublasLtMatmulDesc_t old) const { static_cast<void>(cublas().operation_destroy(old)); }
    void operator()(cublasLtMatmulPreference_t old) const { static_cast<void>(cublas().preference_destroy(old)); }
};
template <class Handle>
using blas_object = std::unique_ptr<std::remove_pointer_t<Handle>, blas_destroy>;
using blas_handle = blas_object<cublasLtHandle_t>;
using blas_layout = blas_object<cublasLtMatrixLayout_t>;
using blas_operation = blas_object<cublasLtMatmulDesc_t>;
using blas_preference = blas_object<cublasLtMatmulPreference_t>;

/// @param create  create(&handle)
template <class Object, class Create>
Object made(char const* what, Create const& create) {
    typename Object::pointer handle = nullptr;
    check(create(&handle), what);
    return Object{handle};
}

inline blas_layout layout_of(cudaDataType type, index rows, index columns, index stride) {
    return made<blas_layout>("the layout of a matrix", [&](cublasLtMatrixLayout_t* made) {
        return cublas().layout_create(made, type, static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows),
                                      stride);
    });
}

struct product_types {
    cudaDataType operands, result;
    cublasComputeType_t sums;
};

inline product_types types_of(product_kind kind) {
    switch (kind) {
        case product_kind::fp64: return {CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F};
        case product_kind::fp32: return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
        case product_kind::tf32: return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32};
        default: return {CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    }
}

/// Algorithms for one product. An array, for nvcc 13.0 breaks down over a std::vector of cuBLASLt's structures.
struct blas_candidates {
    static constexpr std::size_t most = 16;
    std::array<cublasLtMatmulAlgo_t, most> all;
    std::size_t count = 0;

    /// Another one, if it is another and there is room.
    void add(cublasLtMatmulAlgo_t const& one) {
        for (std::size_t i = 0; i < count; ++i) {
            if (std::memcmp(&all[i], &one, sizeof one) == 0) return;
        }
        if (count < most) all[count++] = one;
    }
    cublasLtMatmulAlgo_t const* begin() const { return all.data(); }
    cublasLtMatmulAlgo_t const* end() const { return all.data() + count; }
};

/// Y = X Wᵀ as cuBLASLt sees it. Its matrices are stored by columns, so that our rows are its columns: it computes Yᵀ =
/// W Xᵀ, [N, R] = op(A) B, where A [K, N] are the bytes of W, to be transposed, and B [K, R] those of X.
class blas_product {
public:
    blas_product(product_kind kind, index rows, index outputs, index inputs, index x_stride, index w_stride,
                 index y_stride)
        : types_{types_of(kind)}, operation_{made<blas_operation>(
                                      "the description of a matrix product",
                                      [&](auto* made) {
        return cublas().operation_create(made, types_.sums, types_.result);
                                      })},
    w_{layout_of(types_.operands, outputs, inputs, w_stride)}, x_{layout_of(types_.operands, rows, inputs, x_stride)},
    y_{layout_of(types_.result, rows, outputs, y_stride)} {
        cublasOperation_t const transposed = CUBLAS_OP_T;
        check(cublas().operation_set(operation_.get(), CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
              "the description of a matrix product");
    }

    /// Those of the heuristics' algorithms, best first, that sum without a split in memory of `workspace` bytes.
    blas_candidates candidates(cublasLtHandle_t handle, std::size_t workspace) const {
        auto const preference = made<blas_preference>("preferences of matrix products", cublas().preference_create);
        auto const prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
            check(cublas().preference_set(preference.get(), attribute, &value, sizeof value),
                  "preferences of matrix products");
        };
        prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{workspace});
        prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_NONE});
        for (auto const alignment :
             {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
              CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
            prefer(alignment, std::uint32_t{16});
        }
        std::array<cublasLtMatmulHeuristicResult_t, blas_candidates::most / 2> results{};
        int count = 0;
        blas_candidates found{};
        auto const named =
            cublas().heuristic(handle, operation_.get(), w_.get(), x_.get(), y_.get(), y_.get(), preference.get(),
                               static_cast<int>(results.size()), results.data(), &count);
        if (!possible(named, "an algorithm for a matrix product")) return found;
        for (int i = 0; i < count; ++i) {
            auto algorithm = results[static_cast<std::size_t>(i)].algo;
            if (results[static_cast<std::size_t>(i)].state != CUBLAS_STATUS_SUCCESS) continue;
            auto const set = [&](cublasLtMatmulAlgoConfigAttributes_t attribute, auto value) {
                return possible(cublas().algorithm_set(&algorithm, attribute, &value, sizeof value), "a sum in one");
            };
            if (!set(CUBLASLT_ALGO_CONFIG_SPLITK_NUM, std::int32_t{1})) continue;
            if (!set(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_NONE})) continue;
            cublasLtMatmulHeuristicResult_t checked{};
            auto const status = cublas().algorithm_check(handle, operation_.get(), w_.get(), x_.get(), y_.get(),
                                                         y_.get(), &algorithm, &checked);
            if (possible(status, "an algorithm for a matrix product") && checked.workspaceSize <= workspace)
                found.add(algorithm);
        }
        return found;
    }

    /// @return the status of what is only known when it is tried
    cublasStatus_t start(cublasLtHandle_t handle, cublasLtMatmulAlgo_t const& algorithm, void const* x, void const* w,
                         void* y, bool add, void* workspace, std::size_t workspace_bytes, stream_handle stream) const {
        double const wide[] = {0, 1};
        float const narrow[] = {0, 1};
        auto const factor = [&](bool one) {
            return types_.result == CUDA_R_64F ? static_cast<void const*>(wide + one)
                                               : static_cast<void const*>(narrow + one);
        };
        return cublas().multiply(handle, operation_.get(), factor(true), w, w_.get(), x, x_.get(), factor(add), y,
                                 y_.get(), y, y_.get(), &algorithm, workspace, workspace_bytes, stream);
    }

private:
    product_types types_;
    blas_operation operation_;
    blas_layout w_, x_, y_;
};

}  // namespace plateau::backend::cuda
