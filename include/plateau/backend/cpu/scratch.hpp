#pragma once
/// Work memory of the kernels.

#include <plateau/tensor/buffer.hpp>

namespace plateau::backend::detail {

/// Memory of this thread for `count` elements, kept from call to call; two uses at a time need two values of Which.
/// What it holds is whatever was left there. @throws memory_error
template <class T, int Which = 0>
T* scratch(index count) {
    static thread_local tensor::buffer<T, 1> memory;
    if (memory.size() < count) {
        memory = {};
        memory = tensor::buffer<T, 1>({count});
    }
    return memory.data();
}

}  // namespace plateau::backend::detail
