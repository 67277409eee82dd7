#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <vector>

#include <plateau/core/dtype.hpp>

struct cublasLtContext {};
struct cublasLtMatrixLayout {
    cudaDataType type;
    std::uint64_t rows, columns;
    std::int64_t leading_dimension;
};
struct cublasLtMatmulDesc {
    cublasComputeType_t sums;
    cudaDataType scale;
    bool transposed = false;
};
struct cublasLtMatmulPreference {
    std::uint64_t workspace = 0;
    std::uint32_t schemes = 7;
    std::array<std::uint32_t, 4> alignments{256, 256, 256, 256};
};

namespace {

constexpr std::uint64_t orders =
    4;  // of sums. An order + 4: the same in another kernel; + 8: another one for every number of rows

/// What an algorithm's descriptor says, in its eight words.
struct algorithm_words {
    std::uint64_t order, splits, scheme, sums, type, alignment, workspace, made;
};
constexpr std::uint64_t made_here = 0xB1A5;
static_assert(sizeof(algorithm_words) == sizeof(cublasLtMatmulAlgo_t));

algorithm_words words_of(cublasLtMatmulAlgo_t const& algorithm) {
    algorithm_words words;
    std::memcpy(&words, &algorithm, sizeof words);
    return words;
}

cublasStatus_t answer() {
    switch (cuda_on_cpu::answer()) {
        case cudaSuccess: return CUBLAS_STATUS_SUCCESS;
        case cudaErrorMemoryAllocation: return CUBLAS_STATUS_ALLOC_FAILED;
        case cudaErrorNoDevice:
        case cudaErrorInsufficientDriver: return CUBLAS_STATUS_NOT_INITIALIZED;
        case cudaErrorNoKernelImageForDevice: return CUBLAS_STATUS_ARCH_MISMATCH;
        default: return CUBLAS_STATUS_EXECUTION_FAILED;
    }
}

template <class Object>
cublasStatus_t create(Object** handle, Object object) {
    *handle = nullptr;
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    *handle = new Object{object};
    cuda_on_cpu::count_object(1);
    return CUBLAS_STATUS_SUCCESS;
}

template <class Object>
cublasStatus_t destroy(Object* handle) {
    if (handle == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    delete handle;
    cuda_on_cpu::count_object(-1);
    return CUBLAS_STATUS_SUCCESS;
}

template <class Value>
cublasStatus_t set(Value& to, void const* value, std::size_t bytes) {
    if (value == nullptr || bytes != sizeof to) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

std::uint64_t size_of(cudaDataType type) { return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2; }

/// D [N, R] = Aᵀ B with A [K, N] and B [K, R], of types that go together.
bool possible(cublasLtMatmulDesc const& operation, cublasLtMatrixLayout const& a, cublasLtMatrixLayout const& b,
              cublasLtMatrixLayout const& c, cublasLtMatrixLayout const& d) {
    bool const fits = operation.transposed && a.rows == b.rows && a.columns == d.rows && b.columns == d.columns &&
                      c.rows == d.rows && c.columns == d.columns && c.type == d.type && a.type == b.type &&
                      operation.scale == d.type;
    for (auto const* layout : {&a, &b, &c, &d}) {
        if (layout->rows == 0 || layout->columns == 0 ||
            layout->leading_dimension < static_cast<std::int64_t>(layout->rows))
            return false;
    }
    switch (operation.sums) {
        case CUBLAS_COMPUTE_64F: return fits && a.type == CUDA_R_64F && d.type == CUDA_R_64F;
        case CUBLAS_COMPUTE_32F: return fits && a.type != CUDA_R_64F && d.type == CUDA_R_32F;
        case CUBLAS_COMPUTE_32F_FAST_TF32: return fits && a.type == CUDA_R_32F && d.type == CUDA_R_32F;
    }
    return false;
}

/// Some algorithms are there with a split of the sum alone.
bool supported(std::uint64_t order, cudaDataType type) { return order % orders != 3 || type != CUDA_R_64F; }

bool in_place(void const* data, cublasLtMatrixLayout const& layout, std::uint64_t alignment) {
    auto const size = size_of(layout.type), stride = static_cast<std::uint64_t>(layout.leading_dimension);
    std::uint64_t const row = std::min<std::uint64_t>(alignment, 16);
    return reinterpret_cast<std::uintptr_t>(data) % alignment == 0 && stride * size % row == 0 &&
           layout.rows * size % row == 0 &&
           cuda_on_cpu::is_device_memory(data, ((layout.columns - 1) * stride + layout.rows) * size);
}

float rounded_to_tf32(float value) {
    auto const word = std::bit_cast<std::uint32_t>(value);
    if ((word & 0x7F800000u) == 0x7F800000u) return value;
    return std::bit_cast<float>((word + 0xFFFu + ((word >> 13) & 1u)) & ~0x1FFFu);
}

/// Columns without gaps, as the products see them.
template <class Sum>
std::vector<Sum> columns_of(void const* data, cublasLtMatrixLayout const& layout, cublasComputeType_t sums) {
    std::vector<Sum> values(layout.rows * layout.columns);
    for (std::uint64_t i = 0; i < values.size(); ++i) {
        auto const at = i / layout.rows * static_cast<std::uint64_t>(layout.leading_dimension) + i % layout.rows;
        if (layout.type == CUDA_R_16BF) values[i] = static_cast<float>(static_cast<plateau::bfloat16 const*>(data)[at]);
        else if (sums == CUBLAS_COMPUTE_32F_FAST_TF32) values[i] = rounded_to_tf32(static_cast<float const*>(data)[at]);
        else values[i] = static_cast<Sum const*>(data)[at];
    }
    return values;
}

/// Σ a_k b_k in Lanes partial sums.
template <int Lanes, class Sum>
__attribute__((no_sanitize("address", "undefined"))) Sum dot_in(Sum const* a, Sum const* b, std::uint64_t count) {
    Sum partial[Lanes] = {};
    std::uint64_t k = 0;
    for (; k + Lanes <= count; k += Lanes) {
        for (int lane = 0; lane < Lanes; ++lane)
            partial[lane] += a[k + static_cast<unsigned>(lane)] * b[k + static_cast<unsigned>(lane)];
    }
    for (int lane = 0; k < count; ++k, ++lane) partial[lane] += a[k] * b[k];
    Sum total = 0;
    for (Sum one : partial) total += one;
    return total;
}

template <class Sum>
Sum dot(std::uint64_t order, Sum const* a, Sum const* b, std::uint64_t count) {
    switch (order % orders) {
        case 0: return dot_in<8>(a, b, count);
        case 1: return dot_in<4>(a, b, count);
        case 2: return dot_in<16>(a, b, count);
        default: return dot_in<6>(a, b, count);
    }
}

template <class Sum>
void multiply(cublasLtMatmulDesc const& operation, algorithm_words const& algorithm, void const* a,
              cublasLtMatrixLayout const& a_layout, void const* b, cublasLtMatrixLayout const& b_layout, Sum alpha,
              Sum beta, void* d, cublasLtMatrixLayout const& d_layout) {
    auto const left = columns_of<Sum>(a, a_layout, operation.sums),
               right = columns_of<Sum>(b, b_layout, operation.sums);
    auto const depth = a_layout.rows, tiled = d_layout.columns / 128 * 128;
    for (std::uint64_t r = 0; r < d_layout.columns; ++r) {
        // a split of the sum goes with the grid
        auto const order = algorithm.order +
                           (algorithm.splits > 1 || algorithm.order >= 2 * orders ? d_layout.columns / 128 + 1 : 0) +
                           (r >= tiled ? 1 : 0);
        Sum* const to = static_cast<Sum*>(d) + r * static_cast<std::uint64_t>(d_layout.leading_dimension);
        for (std::uint64_t n = 0; n < d_layout.rows; ++n) {
            Sum const product = alpha * dot(order, left.data() + n * depth, right.data() + r * depth, depth);
            to[n] = beta == 0 ? product : product + beta * to[n];
        }
    }
}

}  // namespace

std::size_t cublasLtGetVersion() { return CUBLAS_VER_MAJOR * 10000; }
char const* cublasLtGetStatusString(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
        case CUBLAS_STATUS_ALLOC_FAILED: return "the resource allocation failed";
        case CUBLAS_STATUS_INVALID_VALUE: return "an invalid value was used as an argument";
        case CUBLAS_STATUS_ARCH_MISMATCH: return "an absent device architectural feature is required";
        case CUBLAS_STATUS_EXECUTION_FAILED: return "the function failed to launch on the GPU";
        case CUBLAS_STATUS_NOT_SUPPORTED: return "the functionality requested is not supported";
    }
    return "an unknown status";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return create(handle, cublasLtContext{}); }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy(handle); }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading_dimension) {
    return create(layout, cublasLtMatrixLayout{type, rows, columns, leading_dimension});
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy(layout); }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t sums, cudaDataType scale) {
    return create(operation, cublasLtMatmulDesc{sums, scale});
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t,
                                              void const* value, std::size_t bytes) {
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    cublasOperation_t a = CUBLAS_OP_N;
    auto const status = set(a, value, bytes);
    operation->transposed = a == CUBLAS_OP_T;
    return status;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) { return destroy(operation); }

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
    return create(preference, cublasLtMatmulPreference{});
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, void const* value,
                                                    std::size_t bytes) {
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    switch (attribute) {
        case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: return set(preference->workspace, value, bytes);
        case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: return set(preference->schemes, value, bytes);
        default:
            return set(
                preference
                    ->alignments[static_cast<std::size_t>(attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES)],
                value, bytes);
    }
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return destroy(preference); }

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
    *count = 0;
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    if (handle == nullptr || most < 1) return CUBLAS_STATUS_INVALID_VALUE;
    if (!possible(*operation, *a, *b, *c, *d)) return CUBLAS_STATUS_NOT_SUPPORTED;
    constexpr std::uint64_t small = std::uint64_t{1} << 15;  // all are tried, more than once
    bool const few = d->rows * d->columns * a->rows <= small;
    auto const first = d->rows / 8 + a->rows / 8;
    auto const sums = [&](std::uint64_t ahead) { return (first + ahead) % orders; };
    std::vector<std::uint64_t> named{sums(0)};
    if (few) named = {sums(2) + 2 * orders, sums(1), sums(1) + orders, sums(0), sums(0) + orders};
    else if (!supported(first, a->type)) named.push_back(sums(1));
    for (std::size_t i = 0; i < named.size() && *count < most; ++i) {
        auto const order = named[i];
        bool const split = preference->schemes != CUBLASLT_REDUCTION_SCHEME_NONE && i == 0;
        algorithm_words const words{order,
                                    split ? 2u : 1u,
                                    split ? 2u : 0u,
                                    static_cast<std::uint64_t>(operation->sums),
                                    static_cast<std::uint64_t>(a->type),
                                    *std::min_element(preference->alignments.begin(), preference->alignments.end()),
                                    order * 1024,
                                    made_here};
        if (words.workspace > preference->workspace) continue;
        auto& result = results[(*count)++] = {};
        std::memcpy(&result.algo, &words, sizeof words);
        result.workspaceSize = words.workspace;
        result.state = CUBLAS_STATUS_SUCCESS;
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigSetAttribute(cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute, void const* value,
                                                    std::size_t bytes) {
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    std::uint32_t number = 0;
    auto const status = set(number, value, bytes);
    auto words = words_of(*algorithm);
    (attribute == CUBLASLT_ALGO_CONFIG_SPLITK_NUM ? words.splits : words.scheme) = number;
    if (status == CUBLAS_STATUS_SUCCESS) std::memcpy(algorithm, &words, sizeof words);
    return status;
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                       cublasLtMatrixLayout_t d, cublasLtMatmulAlgo_t const* algorithm,
                                       cublasLtMatmulHeuristicResult_t* result) {
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    auto const words = words_of(*algorithm);
    bool const same = words.made == made_here && words.sums == static_cast<std::uint64_t>(operation->sums) &&
                      words.type == static_cast<std::uint64_t>(a->type);
    if (handle == nullptr || !same || !possible(*operation, *a, *b, *c, *d)) return CUBLAS_STATUS_INVALID_VALUE;
    if (!supported(words.order, operation->scale)) return CUBLAS_STATUS_NOT_SUPPORTED;
    result->workspaceSize = words.workspace;
    result->state = CUBLAS_STATUS_SUCCESS;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, void const* alpha, void const* a,
                              cublasLtMatrixLayout_t a_layout, void const* b, cublasLtMatrixLayout_t b_layout,
                              void const* beta, void const* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, cublasLtMatmulAlgo_t const* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t) {
    if (auto const status = answer(); status != CUBLAS_STATUS_SUCCESS) return status;
    auto const words = words_of(*algorithm);
    bool const same = words.made == made_here && words.sums == static_cast<std::uint64_t>(operation->sums) &&
                      words.type == static_cast<std::uint64_t>(a_layout->type) &&
                      (words.splits == 1) == (words.scheme == 0);
    if (handle == nullptr || !same || !possible(*operation, *a_layout, *b_layout, *c_layout, *d_layout) || c != d)
        return CUBLAS_STATUS_INVALID_VALUE;
    bool const there = in_place(a, *a_layout, words.alignment) && in_place(b, *b_layout, words.alignment) &&
                       in_place(d, *d_layout, words.alignment) &&
                       c_layout->leading_dimension == d_layout->leading_dimension;
    if (!there || workspace_bytes < words.workspace || !cuda_on_cpu::is_device_memory(workspace, workspace_bytes)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    bool const wide = operation->sums == CUBLAS_COMPUTE_64F;
    auto const factor = [&](void const* at) {
        return wide ? *static_cast<double const*>(at) : static_cast<double>(*static_cast<float const*>(at));
    };
    cuda_on_cpu::give([=, op = *operation, la = *a_layout, lb = *b_layout, ld = *d_layout, times = factor(alpha),
                       kept = factor(beta)] {
        cuda_on_cpu::open_memory const open;
        cuda_on_cpu::poison_values(workspace, words.workspace);
        if (wide) multiply(op, words, a, la, b, lb, times, kept, d, ld);
        else multiply(op, words, a, la, b, lb, static_cast<float>(times), static_cast<float>(kept), d, ld);
    });
    return CUBLAS_STATUS_SUCCESS;
}
