// rejected: (assignment of read-only|cannot assign to return value)
#include <plateau/tensor/view.hpp>

void f(plateau::tensor::view<float const, 1> x) { x[0] = 1; }
