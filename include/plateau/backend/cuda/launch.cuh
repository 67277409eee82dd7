#pragma once
/// The one way to start a kernel.

#include <cstddef>
#include <string>
#include <utility>

#include <plateau/backend/cuda/runtime.hpp>
#include <plateau/backend/cuda/status.cuh>
#include <plateau/core/types.hpp>

namespace plateau::backend::cuda {

/// The kernel's name, for messages. The address of the kernel is all that CUDA wants to know.
template <class Kernel>
std::string name_of_kernel(Kernel* kernel) {
    char const* name = nullptr;
    bool const known = cudaFuncGetName(&name, reinterpret_cast<void const*>(kernel)) == cudaSuccess && name != nullptr;
    return known ? name : "a kernel";
}

/// Starts kernel(arguments...) on the stream; a grid without blocks does nothing.
/// @param shared_bytes  0 for our own kernels, which take their shared memory through block_shared
/// @throws device_error naming the kernel and its grid
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes, stream_handle stream,
            Arguments&&... arguments) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    cudaError_t const status = cudaLaunchKernelEx(&config, kernel, Parameters(std::forward<Arguments>(arguments))...);
    if (status == cudaSuccess) [[likely]]
        return;
    check(status,
          concat({"to start ", name_of_kernel(kernel), " on ", grid.x, " x ", grid.y, " x ", grid.z, " blocks"}));
}

/// Parts of `size` that `count` things fill, the last one perhaps not wholly.
constexpr unsigned parts(index count, index size) { return static_cast<unsigned>((count + size - 1) / size); }

}  // namespace plateau::backend::cuda
