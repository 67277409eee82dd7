// rejected: (no match for .operator\[\]|no viable overloaded operator\[\])
#include <plateau/backend/cuda/buffer.hpp>

float f(plateau::backend::device_buffer<float, 2>& x) { return x.view()[0].data()[0]; }
