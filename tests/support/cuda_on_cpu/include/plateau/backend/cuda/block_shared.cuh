#pragma once
/// Stands in for plateau's own header of this name: shared memory that is poisoned for every block and has red zones
/// around it.

#include <cuda_runtime.h>

namespace plateau::backend::cuda {

template <class T, int N, class Name>
T* block_shared() {
    static char key;  // one for each T, N and Name
    return static_cast<T*>(cuda_on_cpu::shared_memory(&key, N * sizeof(T), alignof(T) < 16 ? 16 : alignof(T)));
}

}  // namespace plateau::backend::cuda
