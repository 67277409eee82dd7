#pragma once
/// Kernels of tangents.hpp, but for those of attention.

#include <vector>

#include <plateau/backend/cuda/activated.cuh>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/kernels/norm.cuh>
#include <plateau/backend/cuda/map_rows.cuh>
#include <plateau/backend/cuda/tangents.hpp>

namespace plateau::backend::cuda {

/// The row that a tangent belongs to, and whether it is held.
struct tangent_row {
    index row;
    int held;
};

inline device_buffer<tangent_row, 1> on_device(cuda_context const& ctx, tangents_of const& of) {
    std::vector<tangent_row> rows;
    for (index t = 0; t < of.count(); ++t) rows.push_back({of.row(t), of.is_held(t) ? 1 : 0});
    return to_device(ctx, tensor::view<tangent_row const, 1>{rows.data(), {of.count()}});
}

/// Σ term(x_i, y_i), in double, in the order of row_sum. @pre term(x, 0) = 0, as behind the row's end
template <class T, class Term>
__device__ __forceinline__ double row_sum_of_two(T const* x, T const* y, index columns, bool aligned,
                                                 Term const& term) {
    double sum = 0;
    for (index i = threadIdx.x * pack<T>::size; i < columns; i += norm_threads * pack<T>::size) {
        auto const a = load(x + i, columns - i, aligned), b = load(y + i, columns - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k)
            sum += term(static_cast<double>(a.values[k]), static_cast<double>(b.values[k]));
    }
    return block_sum<norm_warps>(sum);
}

/// A block per tangent and head. @param width  of a head
template <norm_kind Kind, class T>
__global__ void __launch_bounds__(norm_threads)
    norm_tangent_kernel(strided<T const> x, index width, double epsilon, bool aligned, T const* weight,
                        tangent_row const* of, strided<T const> dx, strided<T> dy) {
    tangent_row const tangent = of[blockIdx.x];
    index const at = blockIdx.y * width;
    T const *const value = x[tangent.row] + at, *const from = dx[blockIdx.x] + at;
    auto const moments = moments_of<Kind>(value, width, epsilon, aligned);
    double const size = static_cast<double>(width);
    T const inverse = T{1} / moments.scale;
    double mean = 0, along = 0;
    if constexpr (Kind == norm_kind::layer) mean = row_sum(from, width, aligned, [](double y) { return y; }) / size;
    auto const unit = [&](double one) { return static_cast<T>(one - moments.mean) * inverse; };
    if (tangent.held == 0) {  // the same for all threads of the block
        along = row_sum_of_two(value, from, width, aligned,
                               [&](double one, double y) { return static_cast<double>(unit(one)) * y; }) /
                size;
    }
    for (index i = threadIdx.x * pack<T>::size; i < width; i += norm_threads * pack<T>::size) {
        auto const values = load(value + i, width - i, aligned);
        auto moved = load(from + i, width - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            if (i + k >= width) break;
            T const gain = (weight != nullptr ? weight[i + k] : T(1)) * inverse;
            T const part = static_cast<T>(along) * unit(static_cast<double>(values.values[k]));
            moved.values[k] = (moved.values[k] - static_cast<T>(mean) - part) * gain;
        }
        store(moved, dy[blockIdx.x] + at + i, width - i, aligned);
    }
}

/// act(x) = x · g(x): g, and act'(x).
template <activation Kind, class T>
__device__ __forceinline__ T gate_of(T x) {
    if constexpr (Kind == activation::silu) return T(1) / (T(1) + exp(-x));
    if constexpr (Kind == activation::gelu) return T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
    if constexpr (Kind == activation::gelu_tanh)
        return T(1) / (T(1) + exp(T(-1.59576912160573071176) * (x + T(0.044715) * x * x * x)));
    if constexpr (Kind == activation::relu) return x > T(0) ? T(1) : T(0);
}
template <activation Kind, class T>
__device__ __forceinline__ T slope_of(T x, T gate) {
    if constexpr (Kind == activation::silu) return gate + x * gate * (T(1) - gate);
    if constexpr (Kind == activation::gelu) return gate + x * T(0.39894228040143267794) * exp(T(-0.5) * x * x);
    if constexpr (Kind == activation::gelu_tanh) {
        T const inner = T(1.59576912160573071176) + T(3 * 0.044715 * 1.59576912160573071176) * x * x;
        return gate + x * gate * (T(1) - gate) * inner;
    }
    if constexpr (Kind == activation::relu) return gate;
}

/// @param up  null for a plain layer      @param slope,factor  may be x and up
template <activation Kind, class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    slope_kernel(strided<T const> x, strided<T const> up, index rows, index columns, bool aligned, strided<T> slope,
                 strided<T> factor) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    for_each_pack<T>(columns, [&](index i, index count) {
        bool const gated = up.data != nullptr;
        auto values = load(x[r] + i, count, aligned);
        auto by = gated ? load(up[r] + i, count, aligned) : values;
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            T const at = values.values[k], gate = gate_of<Kind>(at);
            values.values[k] = slope_of<Kind>(at, gate) * (gated ? by.values[k] : T(1));
            by.values[k] = gated ? at * gate : gate;
        }
        store(values, slope[r] + i, count, aligned);
        store(by, factor[r] + i, count, aligned);
    });
}

/// out[t] = f(held, a[row], b[row], x[t], y[t]), element by element; out may be x or y.
template <class T, class F>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    map_tangents_kernel(F f, tangent_row const* of, index count, index columns, bool aligned, strided<T> out,
                        strided<T const> a, strided<T const> b, strided<T const> x, strided<T const> y) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= count) return;
    tangent_row const tangent = of[t];
    for_each_pack<T>(columns, [&](index i, index left) {
        auto const of_a = load(a[tangent.row] + i, left, aligned), of_b = load(b[tangent.row] + i, left, aligned);
        auto const of_x = load(x[t] + i, left, aligned), of_y = load(y[t] + i, left, aligned);
        pack<T> result;
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k)
            result.values[k] = f(tangent.held != 0, of_a.values[k], of_b.values[k], of_x.values[k], of_y.values[k]);
        store(result, out[t] + i, left, aligned);
    });
}

template <class T>
struct activation_tangent {
    bool gated;
    __device__ T operator()(bool held, T slope, T factor, T z, T up) const {
        if (held) return factor * (gated ? up : z);
        return gated ? slope * z + factor * up : slope * z;
    }
};

template <class T>
struct factor_cotangent {
    __device__ T operator()(bool, T, T factor, T g, T) const { return factor * g; }
};

template <class T>
struct slope_cotangent {
    bool gated;
    __device__ T operator()(bool held, T slope, T factor, T g, T) const {
        return held ? (gated ? T(0) : factor * g) : slope * g;
    }
};

template <class T>
struct clip_tangent {
    T bound;
    __device__ T operator()(bool, T x, T, T dx, T) const { return x > bound || x < -bound ? T(0) : dx; }
};

template <class T>
struct cap_tangent {
    T bound;
    __device__ T operator()(bool, T y, T, T dx, T) const { return dx * (T(1) - y / bound * (y / bound)); }
};

/// Starts map_tangents_kernel. @param values  two matrices [R, D]      @param tangents  two matrices [t, D]
template <class T, class F>
void map_tangents(cuda_context const& ctx, F f, tangents_of const& of, device_view<T, 2> out,
                  std::array<device_view<T const, 2>, 2> const& values,
                  std::array<device_view<T const, 2>, 2> const& tangents) {
    for (auto const& one : tangents) tensor::require_extents(one.extents(), out.extents(), "tangents");
    tensor::require_extents(out.extents(), {of.count(), values[0].extent(1)}, "tangents of these rows");
    auto const rows = on_device(ctx, of);
    auto const to = rows_of(out);
    auto const a = rows_of(values[0]), b = rows_of(values[1]), x = rows_of(tangents[0]), y = rows_of(tangents[1]);
    launch(&map_tangents_kernel<T, F>, grid_of(of.count(), out.extent(1), columns_per_warp<T>), warp_per_row, 0,
           ctx.stream(), f, rows.view().data(), of.count(), out.extent(1), aligned(to) && aligned(a, b, x, y), to, a, b,
           x, y);
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void norm_tangents(cuda_context const& ctx, norm_kind kind, std::type_identity_t<device_view<T const, 2>> x,
                   index heads, double epsilon, std::type_identity_t<device_view<T const, 1>> weight,
                   tangents_of const& of, std::type_identity_t<device_view<T const, 2>> dx, device_view<T, 2> dy) {
    index const width = heads > 0 ? x.extent(1) / heads : 0;
    if (heads < 1 || width * heads != x.extent(1))
        throw shape_error("rows of ", x.extent(1), " do not fall into ", heads, " heads");
    tensor::require_extents(dx.extents(), {of.count(), x.extent(1)}, "the tangents of a norm");
    tensor::require_extents(dy.extents(), dx.extents(), "the tangents of a norm's result");
    cuda::require_parameters(weight, width, "the weight of a norm");
    auto const rows = cuda::on_device(ctx, of);
    auto const value = cuda::rows_of(x), from = cuda::rows_of(dx);
    auto const to = cuda::rows_of(dy);
    bool const aligned =
        (heads == 1 || width % cuda::pack<T>::size == 0) && cuda::aligned(value, from) && cuda::aligned(to);
    auto const kernel = kind == norm_kind::rms ? &cuda::norm_tangent_kernel<norm_kind::rms, T>
                                               : &cuda::norm_tangent_kernel<norm_kind::layer, T>;
    cuda::launch(kernel, dim3{cuda::parts(of.count(), 1), cuda::parts(heads, 1)}, cuda::norm_threads, 0, ctx.stream(),
                 value, width, epsilon, aligned, weight.data(), rows.view().data(), from, to);
}

template <DeviceElement T>
void activation_slopes(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> z,
                       std::type_identity_t<device_view<T const, 2>> up, device_view<T, 2> slope,
                       device_view<T, 2> factor) {
    tensor::require_extents(slope.extents(), z.extents(), "the slopes of an activation");
    tensor::require_extents(factor.extents(), z.extents(), "the factors of an activation");
    if (up.size() > 0) tensor::require_extents(up.extents(), z.extents(), "the gated input of an activation");
    auto const from = cuda::rows_of(z), by = up.size() > 0 ? cuda::rows_of(up) : cuda::strided<T const>{};
    auto const to = cuda::rows_of(slope), and_to = cuda::rows_of(factor);
    bool const aligned = cuda::aligned(from) && cuda::aligned(to, and_to) && (up.size() == 0 || cuda::aligned(by));
    auto const start = [&](auto kernel) {
        cuda::launch(kernel, cuda::grid_of(z.extent(0), z.extent(1), cuda::columns_per_warp<T>), cuda::warp_per_row, 0,
                     ctx.stream(), from, by, z.extent(0), z.extent(1), aligned, to, and_to);
    };
    switch (kind) {
        case activation::silu: return start(&cuda::slope_kernel<activation::silu, T>);
        case activation::gelu: return start(&cuda::slope_kernel<activation::gelu, T>);
        case activation::gelu_tanh: return start(&cuda::slope_kernel<activation::gelu_tanh, T>);
        case activation::relu: return start(&cuda::slope_kernel<activation::relu, T>);
    }
}

template <DeviceElement T>
void activation_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> slope,
                         std::type_identity_t<device_view<T const, 2>> factor, tangents_of const& of,
                         std::type_identity_t<device_view<T const, 2>> dz,
                         std::type_identity_t<device_view<T const, 2>> dup, device_view<T, 2> dy) {
    bool const gated = dup.size() > 0;
    cuda::map_tangents<T>(ctx, cuda::activation_tangent<T>{gated}, of, dy, {slope, factor}, {dz, gated ? dup : dz});
}

template <DeviceElement T>
void activation_cotangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> slope,
                           std::type_identity_t<device_view<T const, 2>> factor, tangents_of const& of,
                           std::type_identity_t<device_view<T const, 2>> g, device_view<T, 2> gup,
                           device_view<T, 2> gz) {
    bool const gated = gup.size() > 0;
    if (gated) cuda::map_tangents<T>(ctx, cuda::factor_cotangent<T>{}, of, gup, {slope, factor}, {g, g});
    cuda::map_tangents<T>(ctx, cuda::slope_cotangent<T>{gated}, of, gz, {slope, factor}, {g, g});
}

template <DeviceElement T>
void clip_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                   std::type_identity_t<T> bound, tangents_of const& of, device_view<T, 2> dx) {
    cuda::map_tangents<T>(ctx, cuda::clip_tangent<T>{bound}, of, dx, {x, x}, {dx, dx});
}

template <DeviceElement T>
void cap_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> y,
                  std::type_identity_t<T> bound, tangents_of const& of, device_view<T, 2> dx) {
    cuda::map_tangents<T>(ctx, cuda::cap_tangent<T>{bound}, of, dx, {y, y}, {dx, dx});
}

}  // namespace plateau::backend
