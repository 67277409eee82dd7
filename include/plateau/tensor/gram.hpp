#pragma once
/// Gram matrices, by Eigen. In double.

#include <Eigen/Core>

#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/eigen.hpp>

namespace plateau::tensor {

/// gram += XᵀX. @param x  [n, D]      @param gram  [D, D]      @throws shape_error on another shape. O(n D²)
template <class T>
void add_gram(view<T const, 2> x, view<double, 2> gram) {
    require_extents(gram.extents(), {x.extent(1), x.extent(1)}, "the Gram matrix of these rows");
    Eigen::MatrixXd const wide = as_eigen(x).template cast<double>();
    as_eigen(gram) += wide.transpose() * wide;
}

/// tr(XᵀGX). @param gram  G, [D, D]      @param x  [D, n]      @throws shape_error on another shape. O(n D²)
template <class T>
double trace_under(view<double const, 2> gram, view<T const, 2> x) {
    require_extents(gram.extents(), {x.extent(0), x.extent(0)}, "the Gram matrix of these columns");
    Eigen::MatrixXd const wide = as_eigen(x).template cast<double>();
    return (as_eigen(gram) * wide).cwiseProduct(wide).sum();
}

}  // namespace plateau::tensor
