// rejected: elements of a view's last axis must be contiguous
#include <plateau/tensor/eigen.hpp>

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void f(matrix& m) {
    auto column = m.col(0);
    plateau::tensor::as_view(column);
}
