#pragma once
/// Kernels of norm.hpp: a block of threads per row.

#include <plateau/backend/cuda/map_rows.cuh>
#include <plateau/backend/cuda/norm.hpp>

namespace plateau::backend::cuda {

inline constexpr int norm_warps = 4;
inline constexpr int norm_threads = norm_warps * warp_lanes;

/// Σ term(x_i) over the row, in double: a thread takes its packs in their order, then block_sum.
template <class T, class Term>
__device__ __forceinline__ double row_sum(T const* x, index columns, bool aligned, Term const& term) {
    double sum = 0;
    for (index i = threadIdx.x * pack<T>::size; i < columns; i += norm_threads * pack<T>::size) {
        auto const loaded = load(x + i, columns - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            if (i + k < columns) sum += term(static_cast<double>(loaded.values[k]));
        }
    }
    return block_sum<norm_warps>(sum);
}

/// What a row is shifted and divided by.
template <class T>
struct row_moments {
    double mean;
    T scale;
};

template <norm_kind Kind, class T>
__device__ __forceinline__ row_moments<T> moments_of(T const* x, index columns, double epsilon, bool aligned) {
    double const size = static_cast<double>(columns);
    double mean = 0;
    if constexpr (Kind == norm_kind::layer)
        mean = row_sum(x, columns, aligned, [](double value) { return value; }) / size;
    double const squares =
        row_sum(x, columns, aligned, [mean](double value) { return (value - mean) * (value - mean); });
    return {mean, static_cast<T>(sqrt(squares / size + epsilon))};
}

/// x, or x · weight, or x + bias, or both rounded once.
template <class T>
struct affine_step {
    bool weighted, biased;

    __device__ __forceinline__ T operator()(T x, T weight, T bias) const {
        if (weighted) return biased ? fma(x, weight, bias) : x * weight;
        return biased ? x + bias : x;
    }
};

template <norm_kind Kind, class T>
__global__ void __launch_bounds__(norm_threads)
    scale_kernel(strided<T const> x, index columns, double epsilon, bool aligned, strided<T> centred, T* scale) {
    index const r = blockIdx.x;
    auto const moments = moments_of<Kind>(x[r], columns, epsilon, aligned);
    if (threadIdx.x == 0) scale[r] = moments.scale;
    if constexpr (Kind == norm_kind::layer) {
        for (index i = threadIdx.x * pack<T>::size; i < columns; i += norm_threads * pack<T>::size) {
            auto values = load(x[r] + i, columns - i, aligned);
#pragma unroll
            for (T& value : values.values) value = static_cast<T>(static_cast<double>(value) - moments.mean);
            store(values, centred[r] + i, columns - i, aligned);
        }
    }
}

template <norm_kind Kind, class T>
__global__ void __launch_bounds__(norm_threads)
    norm_kernel(strided<T const> x, index columns, double epsilon, bool aligned, T const* weight, T const* bias,
                strided<T> out) {
    index const r = blockIdx.x;
    auto const moments = moments_of<Kind>(x[r], columns, epsilon, aligned);
    T const inverse = T{1} / moments.scale;
    affine_step<T> const step{weight != nullptr, bias != nullptr};
    for (index i = threadIdx.x * pack<T>::size; i < columns; i += norm_threads * pack<T>::size) {
        auto values = load(x[r] + i, columns - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            if (i + k >= columns) break;
            T value = values.values[k];
            if constexpr (Kind == norm_kind::layer) value = static_cast<T>(static_cast<double>(value) - moments.mean);
            values.values[k] =
                step(value * inverse, step.weighted ? weight[i + k] : T(1), step.biased ? bias[i + k] : T(0));
        }
        store(values, out[r] + i, columns - i, aligned);
    }
}

/// A warp per row: x · (1 / scale), and the affine step.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    divide_kernel(strided<T const> x, index rows, index columns, bool aligned, T const* scale, strided<T> out) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    T const inverse = T{1} / scale[r];
    for_each_pack<T>(columns, [&](index i, index count) {
        auto values = load(x[r] + i, count, aligned);
#pragma unroll
        for (T& value : values.values) value *= inverse;
        store(values, out[r] + i, count, aligned);
    });
}

template <class T>
void require_parameters(device_view<T const, 1> parameters, index columns, char const* what) {
    if (parameters.size() > 0) tensor::require_extents<1>(parameters.extents(), {columns}, what);
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void rms_scale(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
               device_view<T, 1> scale) {
    tensor::require_extents<1>(scale.extents(), {x.extent(0)}, "the scales of rows");
    auto const rows = cuda::rows_of(x);
    cuda::launch(&cuda::scale_kernel<norm_kind::rms, T>, cuda::parts(x.extent(0), 1), cuda::norm_threads, 0,
                 ctx.stream(), rows, x.extent(1), epsilon, cuda::aligned(rows), cuda::strided<T>{}, scale.data());
}

template <DeviceElement T>
void centre_and_scale(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
                      device_view<T, 2> centred, device_view<T, 1> scale) {
    tensor::require_extents<1>(scale.extents(), {x.extent(0)}, "the scales of rows");
    tensor::require_extents(centred.extents(), x.extents(), "the centred rows");
    auto const rows = cuda::rows_of(x);
    auto const to = cuda::rows_of(centred);
    cuda::launch(&cuda::scale_kernel<norm_kind::layer, T>, cuda::parts(x.extent(0), 1), cuda::norm_threads, 0,
                 ctx.stream(), rows, x.extent(1), epsilon, cuda::aligned(rows) && cuda::aligned(to), to, scale.data());
}

template <DeviceElement T>
void divide_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                 std::type_identity_t<device_view<T const, 1>> scale, device_view<T, 2> out) {
    tensor::require_extents<1>(scale.extents(), {x.extent(0)}, "the scales of rows");
    tensor::require_extents(out.extents(), x.extents(), "the divided rows");
    auto const from = cuda::rows_of(x);
    auto const to = cuda::rows_of(out);
    cuda::launch(&cuda::divide_kernel<T>, cuda::grid_of(x.extent(0), x.extent(1), cuda::columns_per_warp<T>),
                 cuda::warp_per_row, 0, ctx.stream(), from, x.extent(0), x.extent(1),
                 cuda::aligned(from) && cuda::aligned(to), scale.data(), to);
}

template <DeviceElement T>
void affine(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
            std::type_identity_t<device_view<T const, 1>> weight, std::type_identity_t<device_view<T const, 1>> bias,
            device_view<T, 2> out) {
    tensor::require_extents(out.extents(), x.extents(), "the result of affine");
    cuda::require_parameters(weight, x.extent(1), "the weight of a norm");
    cuda::require_parameters(bias, x.extent(1), "the bias of a norm");
    bool const weighted = weight.size() > 0, biased = bias.size() > 0;
    auto const from = cuda::rows_of(x);
    cuda::map_rows(ctx.stream(), cuda::affine_step<T>{weighted, biased}, x.extent(0), x.extent(1), cuda::rows_of(out),
                   from, weighted ? cuda::every_row(weight) : from, biased ? cuda::every_row(bias) : from);
}

template <DeviceElement T>
void norm(cuda_context const& ctx, norm_kind kind, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
          std::type_identity_t<device_view<T const, 1>> weight, std::type_identity_t<device_view<T const, 1>> bias,
          device_view<T, 2> out) {
    tensor::require_extents(out.extents(), x.extents(), "the result of norm");
    cuda::require_parameters(weight, x.extent(1), "the weight of a norm");
    cuda::require_parameters(bias, x.extent(1), "the bias of a norm");
    auto const from = cuda::rows_of(x);
    auto const to = cuda::rows_of(out);
    auto const kernel =
        kind == norm_kind::rms ? &cuda::norm_kernel<norm_kind::rms, T> : &cuda::norm_kernel<norm_kind::layer, T>;
    cuda::launch(kernel, cuda::parts(x.extent(0), 1), cuda::norm_threads, 0, ctx.stream(), from, x.extent(1), epsilon,
                 cuda::aligned(from) && cuda::aligned(to), weight.data(), bias.data(), to);
}

}  // namespace plateau::backend
