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
tensor::buffer<T, Rank> moved_to(cpu_context const&, tensor::buffer<T, Rank> x) {
    return x;
}

/// Host rows where operations can read them. @param x  [R, D], to live as long as the result
template <class T>
tensor::view<T const, 2> in_backend(cpu_context const&, tensor::view<T const, 2> x) {
    return x;
}

/// A host tensor with the values of one of the backend's.
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> to_host(cpu_context const&, tensor::buffer<T, Rank> const& x) {
    return x.clone();
}

/// to = from. @param from,to  [R, D], not overlapping      @throws shape_error on extents that do not fit
template <class T>
[[gnu::noinline]] void copy(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> from,
                            std::type_identity_t<tensor::view<T, 2>> to) {
    tensor::require_extents(to.extents(), from.extents(), "the target of a copy");
    for (index r = 0; r < from.extent(0); ++r) std::copy_n(from[r].data(), from.extent(1), to[r].data());
}

/// x = 0. @param x  [R, D]
template <class T>
[[gnu::cold]] void clear(cpu_context const&, std::type_identity_t<tensor::view<T, 2>> x) {
    for (index r = 0; r < x.extent(0); ++r) std::fill_n(x[r].data(), x.extent(1), T{0});
}

}  // namespace plateau::backend
