#pragma once
/// Memory of the CUDA backend, as the layers use it on any backend.

#include <algorithm>
#include <array>
#include <cstddef>
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

/// Rows of a block for which work memory is there: all of it is made, so that no block fails for want of memory when
/// its first rows have been shown. Where it does not fit, half as many rows are tried, and the context's notice says
/// so.
/// @param wanted     rows, of `most` that there are      @param row_bytes  that each takes
/// @param make       called with a number of rows: makes their memory      @param release  gives back what was made
/// @throws memory_error where not even a few rows have room
template <class T, class Make, class Release>
index rows_with_memory(cuda_context const& ctx, index wanted, index most, index row_bytes, Make const& make,
                       Release const& release) {
    constexpr index fewest = 16, workspace = index{sizeof(T)} << 21;
    for (index rows = std::min(wanted, most);; rows /= 2) {
        try {
            make(rows);
            // as much again, given back at once: what operations need for themselves
            device_buffer<std::byte, 1> const spare{ctx, {rows * row_bytes + workspace}};
            return rows;
        } catch (memory_error const&) {
            if (rows < 2 * fewest) throw;
            release();
            ctx.notice(concat({"no memory for blocks of ", rows, " rows: going on with ", rows / 2}));
        }
    }
}

/// A host tensor as one of the device's. @throws memory_error, device_error
template <class T, std::size_t Rank>
device_buffer<T, Rank> owned_by(cuda_context const& ctx, tensor::buffer<T, Rank> x) {
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

/// A host tensor where operations can read it: a copy. @throws memory_error, device_error
template <class T, std::size_t Rank>
device_buffer<T, Rank> viewed_by(cuda_context const& ctx, tensor::view<T const, Rank> x) {
    device_buffer<T, Rank> copy{ctx, x.extents()};
    if constexpr (Rank == 2) upload<T>(ctx, x, copy);
    else copy = to_device(ctx, x);
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
