#pragma once
/// Memory of the CPU backend: the host's.

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <plateau/backend/cpu/context.hpp>

namespace plateau::backend {

/// A tensor in the backend's memory, with whatever values. @throws memory_error, shape_error on a negative or
/// overflowing extent
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> allocate(cpu_context const&, std::array<index, Rank> extents) {
    return tensor::buffer<T, Rank>(extents);
}

/// How many rows of a block suit the backend. @param row_bytes  what each takes
inline index rows_that_fit(cpu_context const& ctx, index) { return ctx.block_rows(); }

/// A host tensor as one of the backend's.
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> owned_by(cpu_context const&, tensor::buffer<T, Rank> x) {
    return x;
}

/// Rows of a block for which work memory is there. On the host memory grows with the blocks that come: as many as
/// `wanted`.
/// @see the device's
template <class T, class Make, class Release>
index rows_with_memory(cpu_context const&, index wanted, index, index, Make const&, Release const&) {
    return wanted;
}

/// A host tensor where operations can read it. @param x  to live as long as the result
template <class T, std::size_t Rank>
tensor::view<T const, Rank> viewed_by(cpu_context const&, tensor::view<T const, Rank> x) {
    return x;
}

/// A host tensor with the values of one of the backend's.
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> to_host(cpu_context const&, tensor::buffer<T, Rank> const& x) {
    return x.clone();
}

/// to = from. @param from,to  [R, D], not overlapping      @throws shape_error on extents that do not fit
template <class T>
void copy(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> from,
          std::type_identity_t<tensor::view<T, 2>> to) {
    tensor::require_extents(to.extents(), from.extents(), "the target of a copy");
    for (index r = 0; r < from.extent(0); ++r) std::copy_n(from[r].data(), from.extent(1), to[r].data());
}

/// x = 0. @param x  [R, D]
template <class T>
void clear(cpu_context const&, std::type_identity_t<tensor::view<T, 2>> x) {
    for (index r = 0; r < x.extent(0); ++r) std::fill_n(x[r].data(), x.extent(1), T{0});
}

}  // namespace plateau::backend
