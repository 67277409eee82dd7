#pragma once
/// CUDA's status codes as exceptions that say what to do.

#include <cuda_runtime.h>

#include <plateau/core/error.hpp>

namespace plateau::backend::cuda {

/// The way out of what CUDA complains about.
inline char const* way_out(cudaError_t status) {
    switch (status) {
        case cudaErrorNoDevice: return "; this machine shows no CUDA device: use --backend cpu";
        case cudaErrorInsufficientDriver: return "; install a driver for CUDA 13 or newer, or use --backend cpu";
        case cudaErrorDevicesUnavailable:
            return "; another program has the device for itself: wait for it, or use --backend cpu";
        case cudaErrorInitializationError:
        case cudaErrorNotSupported:
        case cudaErrorSystemNotReady:
        case cudaErrorSystemDriverMismatch:
            return "; driver and device do not work together here, see nvidia-smi: use --backend cpu";
        case cudaErrorNoKernelImageForDevice:
            return "; plateau::cuda was compiled for other devices: configure with -DPLATEAU_CUDA_ARCHITECTURES=<this "
                   "one's>";
        case cudaErrorInvalidConfiguration: return "; more rows than a launch can have: use smaller blocks of rows";
        default:
            return "; after an error in a kernel every call fails: start the program again, under compute-sanitizer";
    }
}

/// @param what  was asked for, as "a copy to the device"
/// @throws memory_error if memory ran out, device_error on anything else but success
inline void check(cudaError_t status, message_piece what) {
    if (status == cudaSuccess) [[likely]]
        return;
    static_cast<void>(cudaGetLastError());  // the next call reports its own trouble
    std::string asked;
    what.append_to(asked);
    if (status == cudaErrorMemoryAllocation) {
        throw memory_error("CUDA has no memory for ", asked, "; use smaller blocks of rows, or --dtype bf16");
    }
    throw device_error("CUDA refused ", asked, ": ", cudaGetErrorString(status), way_out(status));
}

}  // namespace plateau::backend::cuda
