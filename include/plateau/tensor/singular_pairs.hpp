#pragma once
/// The largest singular values of a matrix that is known by its products alone, by Eigen for the small problem.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include <Eigen/SVD>

#include <plateau/core/normal.hpp>
#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/eigen.hpp>

namespace plateau::tensor {

/// Products of a matrix A [m, n] with many vectors at once.
struct matrix_products {
    index rows, columns;                                                 ///< m, n
    std::function<buffer<double, 2>(view<double const, 2>)> times;       ///< [k, n] -> A x of each row, [k, m]
    std::function<buffer<double, 2>(view<double const, 2>)> transposed;  ///< [k, m] -> Aᵀ y of each row, [k, n]
};

struct singular_options {
    double tolerance = 1e-9;  ///< |Aᵀu − σ v| ≤ tolerance · σ_1: values are then right to about its square
    index most_products = 10000;
    std::uint64_t seed = 0;  ///< of the first block
};

/// A ≈ Σ_i σ_i u_i v_iᵀ.
struct singular_pairs {
    std::vector<double> values;    ///< [k], descending
    buffer<double, 2> left = {};   ///< [k, m] u_i, of either sign
    buffer<double, 2> right = {};  ///< [k, n] v_i
    index products = 0;            ///< with A and Aᵀ, in all
};

namespace detail {

using columns_matrix = Eigen::MatrixXd;

/// Appends the rows of `block` to the orthonormal columns of `basis`, each made orthogonal to what is there; what is
/// left of a row below `small` is left out. @return columns that came
inline index extend_basis(columns_matrix& basis, columns_matrix const& block, double small) {
    index const before = basis.cols();
    for (index i = 0; i < block.cols() && basis.cols() < basis.rows(); ++i) {
        Eigen::VectorXd x = block.col(i);
        double const whole = x.norm();
        for (int pass = 0; pass < 2; ++pass) x -= basis * (basis.transpose() * x);
        if (!(x.norm() > small) || !(x.norm() > 1e-10 * whole)) continue;
        x -= basis * (basis.transpose() * x);
        basis.conservativeResize(Eigen::NoChange, basis.cols() + 1);
        basis.col(basis.cols() - 1) = x.normalized();
    }
    return basis.cols() - before;
}

inline columns_matrix product(std::function<buffer<double, 2>(view<double const, 2>)> const& with,
                              columns_matrix const& x) {
    buffer<double, 2> rows({x.cols(), x.rows()});
    as_eigen(rows.view()) = x.transpose();
    auto const result = with(rows);
    return as_eigen(result.view()).transpose();
}

}  // namespace detail

/// The k largest singular values and their vectors: Rayleigh-Ritz in the block Krylov space of AᵀA, which takes the
/// residuals of the k pairs in until they are small, or until it is the whole space, where all is exact.
/// @throws usage_error unless 1 <= k <= min(m, n); numeric_error after most_products, or on products that are not
/// finite
/// @see Golub & Underwood 1977; Halko, Martinsson & Tropp 2011
inline singular_pairs largest_singular_pairs(matrix_products const& a, index k, singular_options const& options = {}) {
    if (k < 1 || k > std::min(a.rows, a.columns))
        throw usage_error("a matrix of ", a.rows, " x ", a.columns, " has no ", k, " largest singular values");
    counter_rng draws{options.seed};
    auto const random_block = [&](index count) {
        detail::columns_matrix block(a.columns, count);
        for (index i = 0; i < block.size(); ++i) block.data()[i] = standard_normal(draws);
        return block;
    };
    detail::columns_matrix basis(a.columns, 0), images(a.rows, 0);  // V, orthonormal, and A V
    detail::extend_basis(basis, random_block(std::min(k + 2, a.columns)), 0);
    singular_pairs result;
    for (;;) {
        auto const fresh = basis.cols() - images.cols();
        auto const image = detail::product(a.times, basis.rightCols(fresh));
        result.products += fresh + k;
        if (!image.allFinite()) throw numeric_error("products of this matrix are not finite");
        images.conservativeResize(Eigen::NoChange, basis.cols());
        images.rightCols(fresh) = image;
        Eigen::JacobiSVD<detail::columns_matrix> const small{images, Eigen::ComputeThinU | Eigen::ComputeThinV};
        detail::columns_matrix const left = small.matrixU().leftCols(k), right = basis * small.matrixV().leftCols(k);
        Eigen::VectorXd const values = small.singularValues().head(k);
        detail::columns_matrix residual = detail::product(a.transposed, left);
        residual -= right * values.asDiagonal();
        double const bound = options.tolerance * values(0);
        bool const all = basis.cols() == a.columns;
        if (all || residual.colwise().norm().maxCoeff() <= bound) {
            result.values.assign(values.data(), values.data() + k);
            result.left = buffer<double, 2>({k, a.rows}), result.right = buffer<double, 2>({k, a.columns});
            as_eigen(result.left.view()) = left.transpose();
            as_eigen(result.right.view()) = right.transpose();
            return result;
        }
        if (result.products >= options.most_products)
            throw numeric_error("the ", k, " largest singular values do not converge within ", result.products,
                                " products: a larger tolerance may be all that their numbers allow");
        if (detail::extend_basis(basis, residual, bound / 2) == 0)
            detail::extend_basis(basis, random_block(1), 0);  // an invariant space: look outside of it
    }
}

}  // namespace plateau::tensor
