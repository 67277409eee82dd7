#pragma once
/// Kernels of elementwise.hpp.

#include <plateau/backend/cuda/activated.cuh>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/elementwise.hpp>
#include <plateau/backend/cuda/map_rows.cuh>

namespace plateau::backend::cuda {

struct sum_of {
    template <class T>
    __device__ T operator()(T a, T b) const {
        return a + b;
    }
};

template <class T>
struct times {
    T factor;
    __device__ T operator()(T x) const { return x * factor; }
};

template <class T>
struct capped {
    T bound;
    __device__ T operator()(T x) const { return bound * tanh(x / bound); }
};

template <class T>
struct clipped {
    T bound;
    __device__ T operator()(T x) const { return x > bound ? bound : x < -bound ? -bound : x; }
};

/// The smallest row that holds something infinite or NaN, into `first`.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    finite_kernel(strided<T const> x, index rows, index columns, bool aligned, unsigned long long* first) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    T zeros = 0;  // they stay so unless an element is infinite or NaN
    for_each_pack<T>(columns, [&](index i, index count) {
        auto const loaded = load(x[r] + i, count, aligned);
#pragma unroll
        for (T const& value : loaded.values) zeros += value * T(0);
    });
    if (__any_sync(whole_warp, !(zeros == T(0))) && threadIdx.x == 0)
        atomicMin(first, static_cast<unsigned long long>(r));
}

/// A lane turns pairs of packs. @param half  pairs of a head
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    rotate_kernel(strided<T> x, index rows, int heads, index width, index half, bool aligned, strided<T const> cosines,
                  strided<T const> sines) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    int const packs = static_cast<int>((half + pack<T>::size - 1) / pack<T>::size);  // of half a head
    int const stride = static_cast<int>(gridDim.y) * warp_lanes;
    for (int p = static_cast<int>(blockIdx.y * warp_lanes + threadIdx.x); p < heads * packs; p += stride) {
        index const i = p % packs * pack<T>::size, count = half - i;
        T* const low = x[r] + p / packs * width + i;
        auto a = load<T>(low, count, aligned), b = load<T>(low + half, count, aligned);
        auto const c = load(cosines[r] + i, count, aligned), s = load(sines[r] + i, count, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            T const first = a.values[k], second = b.values[k];
            a.values[k] = first * c.values[k] - second * s.values[k];
            b.values[k] = second * c.values[k] + first * s.values[k];
        }
        store(a, low, count, aligned);
        store(b, low + half, count, aligned);
    }
}

template <class T, class F>
void map_in_place(cuda_context const& ctx, device_view<T, 2> x, F f) {
    auto const rows = rows_of(x);
    map_rows(ctx.stream(), f, x.extent(0), x.extent(1), rows, strided<T const>{rows.data, rows.stride});
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void add(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, device_view<T, 2> y) {
    tensor::require_extents(x.extents(), y.extents(), "what is added");
    auto const to = cuda::rows_of(y);
    cuda::map_rows(ctx.stream(), cuda::sum_of{}, y.extent(0), y.extent(1), to,
                   cuda::strided<T const>{to.data, to.stride}, cuda::rows_of(x));
}

template <DeviceElement T>
void activate(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> x,
              std::type_identity_t<device_view<T const, 2>> up, device_view<T, 2> out) {
    tensor::require_extents(out.extents(), x.extents(), "the result of an activation");
    if (up.size() > 0) tensor::require_extents(up.extents(), x.extents(), "the gated input of an activation");
    auto const start = [&](auto f) {
        auto const from = cuda::rows_of(x);
        auto const to = cuda::rows_of(out);
        if (up.size() == 0) cuda::map_rows(ctx.stream(), f, x.extent(0), x.extent(1), to, from);
        else cuda::map_rows(ctx.stream(), f, x.extent(0), x.extent(1), to, from, cuda::rows_of(up));
    };
    switch (kind) {
        case activation::silu: return start(cuda::act<activation::silu>{});
        case activation::gelu: return start(cuda::act<activation::gelu>{});
        case activation::gelu_tanh: return start(cuda::act<activation::gelu_tanh>{});
        case activation::relu: return start(cuda::act<activation::relu>{});
    }
}

template <DeviceElement T>
void scale(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> factor) {
    cuda::map_in_place(ctx, x, cuda::times<T>{factor});
}

template <DeviceElement T>
void cap(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> bound) {
    cuda::map_in_place(ctx, x, cuda::capped<T>{bound});
}

template <DeviceElement T>
void clip(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> bound) {
    cuda::map_in_place(ctx, x, cuda::clipped<T>{bound});
}

template <DeviceElement T>
void note_not_finite(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                     device_view<index, 1> cell) {
    tensor::require_extents<1>(cell.extents(), {1}, "the cell for a row that is not finite");
    static_assert(sizeof(index) == sizeof(unsigned long long));
    constexpr int ones = 0xFF;  // the largest unsigned number, larger than any row, is the index -1
    cuda::fill_bytes(cell.data(), ones, sizeof(index), ctx.stream());
    auto const rows = cuda::rows_of(x);
    cuda::launch(&cuda::finite_kernel<T>, cuda::grid_of(x.extent(0), x.extent(1), cuda::columns_per_warp<T>),
                 cuda::warp_per_row, 0, ctx.stream(), rows, x.extent(0), x.extent(1), cuda::aligned(rows),
                 reinterpret_cast<unsigned long long*>(cell.data()));
}

template <DeviceElement T>
index first_not_finite(cuda_context const& ctx, device_view<T const, 2> x) {
    device_buffer<index, 1> first{ctx, {1}};
    note_not_finite<T>(ctx, x, first.view());
    return to_host(ctx, first)(0);
}

template <DeviceElement T>
void rotate(cuda_context const& ctx, device_view<T, 2> x, index heads,
            std::type_identity_t<device_view<T const, 2>> cosines,
            std::type_identity_t<device_view<T const, 2>> sines) {
    index const rows = x.extent(0), half = cosines.extent(1), width = heads > 0 ? x.extent(1) / heads : 0;
    tensor::require_extents(cosines.extents(), {rows, half}, "the cosines of a rotation");
    tensor::require_extents(sines.extents(), {rows, half}, "the sines of a rotation");
    if (heads < 1 || width * heads != x.extent(1) || 2 * half > width) {
        throw shape_error("a rotation of ", 2 * half, " coordinates of each of ", heads, " heads does not fit rows of ",
                          x.extent(1));
    }
    auto const all = cuda::rows_of(x);
    auto const c = cuda::rows_of(cosines), s = cuda::rows_of(sines);
    bool const whole_packs = half % cuda::pack<T>::size == 0 && width % cuda::pack<T>::size == 0;
    bool const aligned = whole_packs && cuda::aligned(all) && cuda::aligned(c, s);
    cuda::launch(&cuda::rotate_kernel<T>, cuda::grid_of(rows, heads * half, cuda::columns_per_warp<T>),
                 cuda::warp_per_row, 0, ctx.stream(), all, rows, static_cast<int>(heads), width, half, aligned, c, s);
}

}  // namespace plateau::backend
