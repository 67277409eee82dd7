#pragma once
/// CUDA's vocabulary as far as plateau uses it, over fibers. Stands before CUDA's own header in the search path.

#include <math.h>

#include <bit>
#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>

#include "support/cuda_on_cpu/block.hpp"
#include "support/cuda_on_cpu/memory.hpp"
#include "support/cuda_on_cpu/vocabulary.hpp"

// What kernels say. The last arguments are where they say it.

inline void __syncthreads(char const* file = __builtin_FILE(), int line = __builtin_LINE()) { cuda_on_cpu::barrier({file, line}); }

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
    cuda_on_cpu::warp_call(cuda_on_cpu::collective::synchronise, mask, 0, cuda_on_cpu::lane(), {file, line});
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, char const* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
    unsigned const own = cuda_on_cpu::lane(), w = static_cast<unsigned>(width);
    return cuda_on_cpu::shuffle(mask, value, own / w * w + static_cast<unsigned>(source) % w, {file, line});
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, char const* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
    unsigned const own = cuda_on_cpu::lane(), w = static_cast<unsigned>(width);
    return cuda_on_cpu::shuffle(mask, value, own % w + delta < w ? own + delta : own, {file, line});
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = warpSize, char const* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
    unsigned const own = cuda_on_cpu::lane(), source = own ^ static_cast<unsigned>(lanes), w = static_cast<unsigned>(width);
    return cuda_on_cpu::shuffle(mask, value, source / w <= own / w ? source : own, {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int vote, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
    auto const votes = cuda_on_cpu::warp_call(cuda_on_cpu::collective::ballot, mask, vote != 0, cuda_on_cpu::lane(), {file, line});
    return static_cast<unsigned>(votes);
}

inline int __any_sync(unsigned mask, int vote, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return __ballot_sync(mask, vote, file, line) != 0;
}

inline int __all_sync(unsigned mask, int vote, char const* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return __ballot_sync(mask, vote, file, line) == mask;
}

inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }

/// One rounding each, never fused.
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }

/// Threads change places only where they wait, so that a plain read and write is one step.
template <class T>
T atomicAdd(T* at, std::type_identity_t<T> value) {
    T const before = *at;
    *at += value;
    return before;
}

template <class T>
T atomicMin(T* at, std::type_identity_t<T> value) {
    T const before = *at;
    if (value < before) *at = value;
    return before;
}

inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }

// What the host says. There is one device; streams do at once what they are told.

using cudaStream_t = struct CUstream_st*;

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInitializationError = 3,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorDevicesUnavailable = 46,
    cudaErrorNoDevice = 100,
    cudaErrorNoKernelImageForDevice = 209,
    cudaErrorLaunchFailure = 719,
    cudaErrorNotSupported = 801,
    cudaErrorSystemNotReady = 802,
    cudaErrorSystemDriverMismatch = 803,
    cudaErrorStreamCaptureUnsupported = 900,
};
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone = 0, cudaStreamCaptureStatusActive = 1 };
enum cudaDeviceAttr { cudaDevAttrPageableMemoryAccessUsesHostPageTables = 100 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum { cudaStreamNonBlocking = 1 };

inline char const* cudaGetErrorString(cudaError_t status) {
    switch (status) {
        case cudaSuccess: return "no error";
        case cudaErrorInvalidValue: return "invalid argument";
        case cudaErrorMemoryAllocation: return "out of memory";
        case cudaErrorInvalidConfiguration: return "invalid configuration argument";
        case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
        case cudaErrorNoDevice: return "no CUDA-capable device is detected";
        case cudaErrorLaunchFailure: return "unspecified launch failure";
        case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
        case cudaErrorInitializationError: return "initialization error";
        case cudaErrorDevicesUnavailable: return "CUDA-capable device(s) is/are busy or unavailable";
        case cudaErrorNotSupported: return "operation not supported";
        case cudaErrorSystemNotReady: return "system not yet initialized";
        case cudaErrorSystemDriverMismatch: return "system has unsupported display driver / cuda driver combination";
        case cudaErrorNoKernelImageForDevice: return "no kernel image is available for execution on the device";
    }
    return "unrecognized error code";
}

namespace cuda_on_cpu {

/// What the next calls of the runtime answer instead of doing anything: `fail_call(n, status)` makes the n-th one from now fail.
void fail_call(int number, cudaError_t status);

/// Calls from now up to the one that fails; 0 if it has failed, or none will.
int calls_before_failure();

/// Graphs that ran.
int graphs_run();

/// Every call of the runtime asks this first.
cudaError_t answer();
/// So do those that a stream does not take while it is recorded.
cudaError_t answer_unless_recording();

/// Does something for the stream at once; while it is recorded, keeps it for the graph instead.
void give(std::function<void()> work);

/// The name of a function of this program, as a reader would write it.
std::string name_of_function(void const* function);

}  // namespace cuda_on_cpu

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = nullptr;
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    cuda_on_cpu::count_object(1);
    return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) {
    cuda_on_cpu::count_object(-1);
    return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer_unless_recording(); status != cudaSuccess) return status;
    cuda_on_cpu::wait_for_reads(cuda_on_cpu::reads());
    cuda_on_cpu::trim_pool();
    return cudaSuccess;
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

struct cudaDeviceProp {
    char name[256];
};
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cuda_on_cpu::answer();
}
inline cudaError_t cudaSetDevice(int device) {
    auto const status = cuda_on_cpu::answer();
    return status == cudaSuccess && device != 0 ? cudaErrorInvalidValue : status;
}
/// The device reads pinned memory alone by itself.
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    *value = 0;
    return cuda_on_cpu::answer();
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    std::strcpy(properties->name, "CUDA on a CPU");
    return cuda_on_cpu::answer();
}

/// What is free shrinks with what the pool holds. @see cuda_on_cpu::set_memory_size
inline cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* all) {
    *all = cuda_on_cpu::memory_size();
    std::size_t const held = cuda_on_cpu::pool_size();
    *free = held < *all ? *all - held : 0;
    return cuda_on_cpu::answer();
}

using cudaMemPool_t = struct CUmemPoolHandle_st*;
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4, cudaMemPoolAttrReservedMemCurrent = 5, cudaMemPoolAttrUsedMemCurrent = 7 };

inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
    *pool = nullptr;  // there is one
    return cuda_on_cpu::answer();
}
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void* value) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (attribute != cudaMemPoolAttrReleaseThreshold) return cudaErrorInvalidValue;
    cuda_on_cpu::keep_in_pool(*static_cast<std::uint64_t const*>(value));
    return cudaSuccess;
}
inline cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void* value) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    bool const held = attribute == cudaMemPoolAttrReservedMemCurrent;
    if (!held && attribute != cudaMemPoolAttrUsedMemCurrent) return cudaErrorInvalidValue;
    *static_cast<std::uint64_t*>(value) = held ? cuda_on_cpu::pool_size() : cuda_on_cpu::bytes_allocated();
    return cudaSuccess;
}

inline cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t) {
    *memory = nullptr;
    if (auto const status = cuda_on_cpu::answer_unless_recording(); status != cudaSuccess) return status;
    *memory = cuda_on_cpu::allocate(bytes);
    return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

inline cudaError_t cudaFreeAsync(void* memory, cudaStream_t) {
    return cuda_on_cpu::release(memory) ? cudaSuccess : cudaErrorInvalidValue;
}

inline cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
    *memory = nullptr;
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    *memory = cuda_on_cpu::allocate_pinned(bytes);
    return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

inline cudaError_t cudaFreeHost(void* memory) { return cuda_on_cpu::release_pinned(memory) ? cudaSuccess : cudaErrorInvalidValue; }

/// What the stream had been told when the event was recorded.
struct CUevent_st {
    std::uint64_t reads = 0;
    bool recorded = false;
};
using cudaEvent_t = CUevent_st*;

inline cudaError_t cudaEventCreate(cudaEvent_t* event) {
    *event = nullptr;
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    *event = new CUevent_st;
    cuda_on_cpu::count_object(1);
    return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
    if (event == nullptr) return cudaErrorInvalidValue;
    delete event;
    cuda_on_cpu::count_object(-1);
    return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    *event = {cuda_on_cpu::reads(), true};
    return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    cuda_on_cpu::wait_for_reads(event->reads);
    return cudaSuccess;
}
/// Times are drawn: nothing but speed may depend on them.
inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (!from->recorded || !to->recorded) return cudaErrorInvalidValue;
    static std::uint32_t drawn = 1;
    drawn = drawn * 1664525u + 1013904223u;
    *milliseconds = static_cast<float>(1 + (drawn >> 28));
    return cudaSuccess;
}

inline cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    bool const to_device = kind != cudaMemcpyDeviceToHost, from_device = kind != cudaMemcpyHostToDevice;
    if (cuda_on_cpu::is_device_memory(to, bytes) != to_device || cuda_on_cpu::is_device_memory(from, bytes) != from_device) {
        return cudaErrorInvalidValue;
    }
    cuda_on_cpu::give([=] {  // of a graph: host memory is read and written when the graph runs
        if (!from_device) cuda_on_cpu::device_reads(from, bytes);
        if (!to_device) cuda_on_cpu::device_gives(bytes);
        cuda_on_cpu::open_memory const open;
        std::memmove(to, from, bytes);
    });
    return cudaSuccess;
}

inline cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (!cuda_on_cpu::is_device_memory(memory, bytes)) return cudaErrorInvalidValue;
    cuda_on_cpu::give([=] {
        cuda_on_cpu::open_memory const open;
        std::memset(memory, value, bytes);
    });
    return cudaSuccess;
}

/// @return false if the rows are not where `kind` says, or their strides do not hold them
inline bool cuda_on_cpu_rows_fit(void const* rows, std::size_t stride, std::size_t width, std::size_t height, bool on_device) {
    return width <= stride && cuda_on_cpu::is_device_memory(rows, (height - 1) * stride + width) == on_device;
}

inline cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_stride, void const* from, std::size_t from_stride, std::size_t width,
                                     std::size_t height, cudaMemcpyKind kind, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (width == 0 || height == 0) return cudaSuccess;
    if (!cuda_on_cpu_rows_fit(to, to_stride, width, height, kind != cudaMemcpyDeviceToHost)) return cudaErrorInvalidValue;
    if (!cuda_on_cpu_rows_fit(from, from_stride, width, height, kind != cudaMemcpyHostToDevice)) return cudaErrorInvalidValue;
    cuda_on_cpu::give([=] {
        if (kind == cudaMemcpyHostToDevice) cuda_on_cpu::device_reads(from, (height - 1) * from_stride + width);
        if (kind == cudaMemcpyDeviceToHost) cuda_on_cpu::device_gives(height * width);
        cuda_on_cpu::open_memory const open;
        for (std::size_t r = 0; r < height; ++r) {
            std::memcpy(static_cast<char*>(to) + r * to_stride, static_cast<char const*>(from) + r * from_stride, width);
        }
    });
    return cudaSuccess;
}

inline cudaError_t cudaMemset2DAsync(void* memory, std::size_t stride, int value, std::size_t width, std::size_t height, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (width == 0 || height == 0) return cudaSuccess;
    if (!cuda_on_cpu_rows_fit(memory, stride, width, height, true)) return cudaErrorInvalidValue;
    cuda_on_cpu::give([=] {
        cuda_on_cpu::open_memory const open;
        for (std::size_t r = 0; r < height; ++r) std::memset(static_cast<char*>(memory) + r * stride, value, width);
    });
    return cudaSuccess;
}

struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    std::size_t dynamicSmemBytes = 0;
    cudaStream_t stream = nullptr;
};

template <class Function>
cudaError_t cudaFuncGetName(char const** name, Function* function) {
    static std::string text;
    text = cuda_on_cpu::name_of_function(reinterpret_cast<void const*>(function));
    *name = text.c_str();
    return cudaSuccess;
}

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(cudaLaunchConfig_t const* config, void (*kernel)(Parameters...), Arguments&&... arguments) {
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    dim3 const grid = config->gridDim, block = config->blockDim;
    bool const possible = grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x < 1u << 31 && grid.y < 1u << 16 && grid.z < 1u << 16 &&
                          block.x * block.y * block.z > 0 && block.x * block.y * block.z <= 1024 &&
                          config->dynamicSmemBytes == 0;  // kernels take theirs through block_shared
    if (!possible) return cudaErrorInvalidConfiguration;
    cuda_on_cpu::give([kernel, grid, block, kept = std::tuple<Parameters...>(arguments...)] {
        cuda_on_cpu::open_memory const open;
        cuda_on_cpu::run_grid(cuda_on_cpu::name_of_function(reinterpret_cast<void const*>(kernel)), grid, block,
                              [&] { std::apply([&](Parameters const&... own) { kernel(Parameters(own)...); }, kept); });
    });
    return cudaSuccess;
}

// A stream that is recorded does nothing of what it is told; the graph does it, as often as it is launched.

using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
