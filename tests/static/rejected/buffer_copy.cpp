// rejected: (use of deleted function|call to deleted constructor)
#include <plateau/tensor/buffer.hpp>

plateau::tensor::buffer<float, 1> f(plateau::tensor::buffer<float, 1> const& x) { return x; }
