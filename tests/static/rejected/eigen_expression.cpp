// rejected: has no elements in memory
#include <plateau/tensor/eigen.hpp>

void f(Eigen::VectorXf& a, Eigen::VectorXf& b) {
    auto const sum = a + b;
    plateau::tensor::as_view(sum);
}
