#pragma once
/// Rows as kernels see them, and accesses of 16 bytes where the addresses allow them.

#include <cstdint>

#include <cuda_runtime.h>

#include <plateau/backend/cuda/device_space.hpp>

namespace plateau::backend::cuda {

/// Rows at a fixed distance; without data there are none, with stride 0 all are the same.
template <class T>
struct strided {
    T* data;
    index stride;

    __device__ __forceinline__ T* operator[](index row) const { return data + row * stride; }
};

template <class T>
strided<T> rows_of(device_view<T, 2> x) {
    return {x.data(), x.stride(0)};
}

/// The same row for all. @param x  [D], or empty
template <class T>
strided<T> every_row(device_view<T, 1> x) {
    return {x.data(), 0};
}

/// 16 bytes of neighbours.
template <class T>
struct alignas(16) pack {
    static constexpr int size = 16 / sizeof(T);
    T values[size];
};

/// True if each of the rows starts at a multiple of 16 bytes.
template <class... T>
bool aligned(strided<T>... rows) {
    auto const one = [](auto const& x) {
        return reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0 &&
               x.stride * static_cast<index>(sizeof(*x.data)) % 16 == 0;
    };
    return (one(rows) && ...);
}

/// The first `count` of the neighbours at `from`, zeros for the rest. @param aligned  `from` is a multiple of 16 bytes
template <class T>
__device__ __forceinline__ pack<T> load(T const* from, index count, bool aligned) {
    if (aligned && count >= pack<T>::size) return *reinterpret_cast<pack<T> const*>(from);
    pack<T> loaded;
#pragma unroll
    for (int i = 0; i < pack<T>::size; ++i) loaded.values[i] = i < count ? from[i] : T{};
    return loaded;
}

template <class T>
__device__ __forceinline__ void store(pack<T> const& values, T* to, index count, bool aligned) {
    if (aligned && count >= pack<T>::size) {
        *reinterpret_cast<pack<T>*>(to) = values;
        return;
    }
#pragma unroll
    for (int i = 0; i < pack<T>::size; ++i) {
        if (i < count) to[i] = values.values[i];
    }
}

}  // namespace plateau::backend::cuda
