#pragma once
/// Eigenvectors and Cholesky factors of symmetric matrices, by Eigen. In double.

#include <optional>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/eigen.hpp>

namespace plateau::tensor {

struct symmetric_eigen {
    std::vector<double> values;  ///< [D], ascending
    buffer<double, 2> vectors;   ///< [D, D], row i belongs to value i; orthonormal, of either sign
};

namespace detail {

inline void require_symmetric(view<double const, 2> matrix) {
    require_extents(matrix.extents(), {matrix.extent(0), matrix.extent(0)}, "a symmetric matrix");
    if (matrix.extent(0) < 1) throw shape_error("a matrix without rows has no eigenvalues");
    if (!as_eigen(matrix).allFinite())
        throw domain_error("the matrix holds a NaN or an infinity: look at what it was made of");
}

}  // namespace detail

/// A = Σ_i λ_i v_i v_iᵀ. @param matrix  [D, D] symmetric (the lower triangle is read)
/// @throws shape_error unless square, D >= 1; domain_error on NaN; numeric_error if it does not converge. O(D³)
inline symmetric_eigen eigen_of_symmetric(view<double const, 2> matrix) {
    detail::require_symmetric(matrix);
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const solver{as_eigen(matrix)};
    if (solver.info() != Eigen::Success) throw numeric_error("the eigenvalues of this matrix do not converge");
    symmetric_eigen result{{}, buffer<double, 2>{{matrix.extent(0), matrix.extent(0)}}};
    result.values.assign(solver.eigenvalues().data(), solver.eigenvalues().data() + solver.eigenvalues().size());
    as_eigen(result.vectors.view()) = solver.eigenvectors().transpose();
    return result;
}

/// Lᵀ of A = L Lᵀ, so that row k is column k of L. @param matrix  [D, D] symmetric (the lower triangle is read)
/// @return nothing if A is not positive definite      @throws shape_error, domain_error as above. O(D³ / 3)
inline std::optional<buffer<double, 2>> cholesky_of_symmetric(view<double const, 2> matrix) {
    detail::require_symmetric(matrix);
    Eigen::LLT<Eigen::MatrixXd> const factor{as_eigen(matrix)};
    if (factor.info() != Eigen::Success) return std::nullopt;
    buffer<double, 2> result({matrix.extent(0), matrix.extent(0)});
    as_eigen(result.view()) = factor.matrixU();
    return result;
}

}  // namespace plateau::tensor
