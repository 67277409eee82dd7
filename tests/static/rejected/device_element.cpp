// rejected: (no match for call|no matching function for call)
#include <plateau/backend/cuda/device_space.hpp>

float f(plateau::backend::device_view<float, 2> x) { return x(0, 0); }
