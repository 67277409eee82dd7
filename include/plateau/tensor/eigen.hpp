#pragma once
/// Views as Eigen maps and Eigen matrices as views. No element is copied in either direction.

#include <cstddef>
#include <type_traits>

#include <Eigen/Core>

#include <plateau/tensor/view.hpp>

namespace plateau::tensor {

namespace detail {

template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

template <class T, class Matrix>
using eigen_map_target = std::conditional_t<std::is_const_v<T>, Matrix const, Matrix>;

/// view<T, 1 or 2> of an Eigen object that has its elements in memory, T const or not.
template <bool Writable, class Derived>
auto view_of_eigen(Derived& matrix);

}  // namespace detail

/// A matrix view as Eigen sees it: rows may be apart, columns are contiguous. Writes through a map of a
/// view<float, 2> reach the view's memory; a view<float const, 2> gives a map that cannot be written.
template <class T>
using eigen_matrix_map = Eigen::Map<
    detail::eigen_map_target<T, Eigen::Matrix<std::remove_cv_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>,
    Eigen::Unaligned, Eigen::OuterStride<>>;

/// A vector view as an Eigen column vector.
template <class T>
using eigen_vector_map =
    Eigen::Map<detail::eigen_map_target<T, Eigen::Matrix<std::remove_cv_t<T>, Eigen::Dynamic, 1>>, Eigen::Unaligned>;

/// @param view  [R, C] host memory, rows at any distance      @return an R x C map of the same memory
template <detail::Arithmetic T>
eigen_matrix_map<T> as_eigen(view<T, 2> view) {
    return {view.data(), view.extent(0), view.extent(1), Eigen::OuterStride<>{view.stride(0)}};
}

/// @param view  [N] host memory      @return a column vector over the same memory
template <detail::Arithmetic T>
eigen_vector_map<T> as_eigen(view<T, 1> view) {
    return {view.data(), view.extent(0)};
}

/// A view of an Eigen matrix, map, ref or block: [rows, cols], or [size] for what is a vector at compile time.
/// The view lives as long as the matrix keeps its memory. Column-major matrices and strided vectors do not compile.
template <class Derived>
auto as_view(Eigen::DenseBase<Derived>& matrix) {
    constexpr bool writable = (Eigen::internal::traits<Derived>::Flags & Eigen::LvalueBit) != 0;
    return detail::view_of_eigen<writable>(matrix.derived());
}
template <class Derived>
auto as_view(Eigen::DenseBase<Derived> const& matrix) {
    return detail::view_of_eigen<false>(matrix.derived());
}

/// A view of a matrix that is about to vanish is refused.
template <class Derived>
void as_view(Eigen::PlainObjectBase<Derived>&& matrix) = delete;

namespace detail {

template <bool Writable, class Derived>
auto view_of_eigen(Derived& matrix) {
    using plain = std::remove_const_t<Derived>;
    constexpr bool in_memory = (Eigen::internal::traits<plain>::Flags & Eigen::DirectAccessBit) != 0;
    static_assert(in_memory, "as_view: this Eigen expression has no elements in memory; evaluate it first");
    if constexpr (in_memory) {
        constexpr bool vector = plain::IsVectorAtCompileTime != 0;
        static_assert(vector || plain::IsRowMajor != 0,
                      "as_view: plateau's views are row-major; use Eigen::Matrix<T, rows, columns, Eigen::RowMajor>");
        static_assert(plain::InnerStrideAtCompileTime == 1,
                      "as_view: the elements of a view's last axis must be contiguous at compile time");
        using scalar = typename plain::Scalar;
        using element = std::conditional_t<Writable, scalar, scalar const>;
        element* data = nullptr;
        if constexpr (Writable) data = matrix.data();
        else data = const_cast<plain const&>(matrix).data();
        if constexpr (vector) {
            return view<element, 1>{data, {static_cast<index>(matrix.size())}};
        } else {
            return view<element, 2>{data,
                                    {static_cast<index>(matrix.rows()), static_cast<index>(matrix.cols())},
                                    {static_cast<index>(matrix.outerStride()), 1}};
        }
    }
}

}  // namespace detail
}  // namespace plateau::tensor
