// rejected: (no match for call|no matching function for call)
#include <plateau/tensor/view.hpp>

struct device_space {};

float f(plateau::tensor::view<float, 2, device_space> x) { return x(0, 0); }
