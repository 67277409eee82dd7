// rejected: plateau's views are row-major
#include <plateau/tensor/eigen.hpp>

void f(Eigen::MatrixXf& matrix) { plateau::tensor::as_view(matrix); }
