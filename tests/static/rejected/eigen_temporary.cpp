// rejected: (use of deleted function|call to deleted function)
#include <plateau/tensor/eigen.hpp>

void f() { plateau::tensor::as_view(Eigen::VectorXf(3)); }
