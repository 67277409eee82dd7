#pragma once
/// Views as xtensor adaptors and xtensor containers as views. No element is copied in either direction.
/// Needs xtensor 0.24 or later. Not part of the umbrella header: include it where you use xtensor.

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/views/xstrided_view.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xstrided_view.hpp>
#endif

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::tensor {

/// An xtensor container or adaptor: strided elements in memory. Lazy expressions have to be evaluated first.
template <class X>
concept XtensorContainer = requires(X& x) {
    { *x.data() } -> std::convertible_to<typename std::remove_cv_t<X>::value_type>;
    x.data_offset();
    x.strides();
    x.shape();
    x.dimension();
    std::remove_cv_t<X>::static_layout;
};

/// A view as an xtensor expression of the same shape and strides, without ownership: reads and writes reach the view's
/// memory, which has to outlive it. A view<T const, N> gives one that cannot be written.
/// It is xt::strided_view over a flat adaptor: assignments to an adaptor with strides of its own write into the gaps
/// between its rows (xtensor 0.24).
template <class T, std::size_t Rank>
auto as_xtensor(view<T, Rank> view) {
    std::array<std::size_t, Rank> shape{};
    std::array<std::ptrdiff_t, Rank> strides{};
    std::size_t reach = view.empty() ? 0 : 1;  // elements from the first to the last one, gaps included
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        shape[axis] = static_cast<std::size_t>(view.extent(axis));
        // xtensor broadcasts an axis of one element by a stride of zero
        strides[axis] = view.extent(axis) == 1 ? 0 : static_cast<std::ptrdiff_t>(view.stride(axis));
        if (reach > 0) reach += (shape[axis] - 1) * static_cast<std::size_t>(strides[axis]);
    }
    auto flat = xt::adapt(view.data(), reach, xt::no_ownership(), std::array<std::size_t, 1>{reach});
    return xt::strided_view(std::move(flat), std::move(shape), std::move(strides));
}

/// A view<element, Rank> of an xtensor container whose rank is only known at run time, such as xt::xarray.
/// It lives as long as the container keeps its memory. Column-major containers do not compile.
/// @throws shape_error if the container has another rank, or if its last axis is not contiguous
template <std::size_t Rank, XtensorContainer X>
auto as_view(X& x) {
    static_assert(std::remove_cv_t<X>::static_layout != xt::layout_type::column_major,
                  "as_view: plateau's views are row-major; use xt::layout_type::row_major");
    using element = std::remove_pointer_t<decltype(x.data())>;
    if (x.dimension() != Rank) {
        throw shape_error("an xtensor of rank ", x.dimension(), " is no view of rank ", Rank,
                          "; reshape it, or ask for as_view<", x.dimension(), ">");
    }
    std::array<index, Rank> extents{};
    std::array<index, Rank> strides{};
    index dense = 1;
    for (std::size_t axis = Rank; axis-- > 0;) {
        extents[axis] = static_cast<index>(x.shape()[axis]);
        // of an axis of one element xtensor's stride is zero; any is right, and the dense one keeps dense() true
        strides[axis] = extents[axis] == 1 ? dense : static_cast<index>(x.strides()[axis]);
        dense *= extents[axis];
    }
    if (strides[Rank - 1] != 1 && dense != 0) {
        throw shape_error("the last axis of this xtensor has stride ", strides[Rank - 1],
                          "; a view needs 1: copy it into a row-major container first");
    }
    strides[Rank - 1] = 1;
    return view<element, Rank>{x.data() + x.data_offset(), extents, strides};
}

/// The same for a container that carries its rank in its type, such as xt::xtensor.
template <XtensorContainer X>
    requires requires { std::tuple_size<typename std::remove_cv_t<X>::shape_type>::value; }
auto as_view(X& x) { return as_view<std::tuple_size<typename std::remove_cv_t<X>::shape_type>::value>(x); }

}  // namespace plateau::tensor
