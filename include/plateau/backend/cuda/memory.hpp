#pragma once
/// Memory of the CUDA backend, as the layers use it on any backend.

#include <algorithm>
#include <array>
#include <type_traits>

#include <plateau/backend/cuda/buffer.hpp>

namespace plateau::backend {

/// A tensor on the device, with whatever values. @throws memory_error, device_error; shape_error on a negative or
/// overflowing extent
template <class T, std::size_t Rank>
device_buffer<T, Rank> allocate(cuda_context const& ctx, std::array<index, Rank> extents) {
    return {ctx, extents};
}

/// How many rows of a block suit the device, and fill no more than half of what memory is free. @param row_bytes  what
/// each takes
/// @throws device_error
inline index rows_that_fit(cuda_context const& ctx, index row_bytes) {
    return std::clamp<index>(static_cast<index>(cuda::memory_of_device().free) / 2 / row_bytes, 1, ctx.block_rows());
}

/// A host tensor as one of the device's. @throws memory_error, device_error
template <class T, std::size_t Rank>
device_buffer<T, Rank> moved_to(cuda_context const& ctx, tensor::buffer<T, Rank> x) {
    return to_device(ctx, x);
}

/// to = from. @param from,to  [R, D], not overlapping      @throws shape_error on extents that do not fit; device_error
template <class T>
void copy(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> from,
          std::type_identity_t<device_view<T, 2>> to) {
    tensor::require_extents(to.extents(), from.extents(), "the target of a copy");
    cuda::copy_rows(to.data(), to.stride(0) * index{sizeof(T)}, from.data(), from.stride(0) * index{sizeof(T)},
                    from.extent(0), from.extent(1) * index{sizeof(T)}, cuda::direction::within, ctx.stream());
}

/// The host's rows to the device; they may be reused at once. @param from,to  [R, D]      @throws shape_error,
/// device_error
template <class T>
void upload(cuda_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> from,
            std::type_identity_t<device_view<T, 2>> to) {
    tensor::require_extents(to.extents(), from.extents(), "the target of a copy");
    cuda::copy_rows(to.data(), to.stride(0) * index{sizeof(T)}, from.data(), from.stride(0) * index{sizeof(T)},
                    from.extent(0), from.extent(1) * index{sizeof(T)}, cuda::direction::to_device, ctx.stream());
}

/// Host rows where operations can read them: a copy. @param x  [R, D]      @throws memory_error, device_error
template <class T>
device_buffer<T, 2> in_backend(cuda_context const& ctx, tensor::view<T const, 2> x) {
    device_buffer<T, 2> copy{ctx, x.extents()};
    upload<T>(ctx, x, copy);
    return copy;
}

/// The device's rows to the host; waits for the stream. @param from,to  [R, D]      @throws shape_error; device_error
/// what failed before
template <class T>
void download(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> from,
              std::type_identity_t<tensor::view<T, 2>> to) {
    tensor::require_extents(to.extents(), from.extents(), "the target of a copy");
    cuda::copy_rows(to.data(), to.stride(0) * index{sizeof(T)}, from.data(), from.stride(0) * index{sizeof(T)},
                    from.extent(0), from.extent(1) * index{sizeof(T)}, cuda::direction::to_host, ctx.stream());
    ctx.synchronize();
}

/// x = 0. @param x  [R, D]      @throws device_error
template <class T>
void clear(cuda_context const& ctx, std::type_identity_t<device_view<T, 2>> x) {
    cuda::clear_rows(x.data(), x.stride(0) * index{sizeof(T)}, x.extent(0), x.extent(1) * index{sizeof(T)},
                     ctx.stream());
}

}  // namespace plateau::backend
