#pragma once
/// The functions of runtime.hpp, for the one file that is compiled into `plateau::cuda`.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include <plateau/backend/cuda/runtime.hpp>
#include <plateau/backend/cuda/status.cuh>

namespace plateau::backend::cuda {

stream_handle make_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    return stream;
}

void end_stream(stream_handle stream) noexcept { static_cast<void>(cudaStreamDestroy(stream)); }

int current_device() {
    int device = 0;
    check(cudaGetDevice(&device), "the current device");
    return device;
}

void use_device(int device) { check(cudaSetDevice(device), "a thread's device"); }

/// The one that cudaMallocAsync takes from.
static cudaMemPool_t memory_pool() {
    cudaMemPool_t pool = nullptr;
    check(cudaDeviceGetDefaultMemPool(&pool, current_device()), "the pool of device memory");
    return pool;
}

void keep_released_memory() {
    auto all = std::numeric_limits<std::uint64_t>::max();
    check(cudaMemPoolSetAttribute(memory_pool(), cudaMemPoolAttrReleaseThreshold, &all),
          "to keep released memory in its pool");
}

std::string device_name() {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, current_device()), "a device's properties");
    return properties.name;
}

memory_sizes memory_of_device() {
    memory_sizes sizes{};
    check(cudaMemGetInfo(&sizes.free, &sizes.all), "the size of device memory");
    std::uint64_t held = 0, used = 0;
    auto const pool = memory_pool();
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &held),
          "the size of the pool of device memory");
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used),
          "what of the pool of device memory is in use");
    sizes.free += held - std::min(used, held);
    return sizes;
}

void synchronize(stream_handle stream) { check(cudaStreamSynchronize(stream), "to finish what a stream was given"); }

/// What a graph would do again with memory that others may have by then.
static void require_not_recorded(stream_handle stream, char const* what) {
    auto recorded = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &recorded), "whether a stream is recorded");
    if (recorded != cudaStreamCaptureStatusNone) check(cudaErrorStreamCaptureUnsupported, what);
}

void* allocate(std::size_t bytes, stream_handle stream) {
    if (bytes == 0) return nullptr;
    require_not_recorded(stream, "memory of a graph's own");
    void* memory = nullptr;
    check(cudaMallocAsync(&memory, bytes, stream), std::to_string(bytes) + " bytes of device memory");
    return memory;
}

void release(void* memory, stream_handle stream) noexcept {
    if (memory != nullptr) static_cast<void>(cudaFreeAsync(memory, stream));
}

/// Waits where the device reads any host memory by itself, and so possibly later; elsewhere such memory is read at
/// once.
static void require_read(stream_handle stream) {
    static bool const reads_later = [] {
        int by_itself = 0;
        check(cudaDeviceGetAttribute(&by_itself, cudaDevAttrPageableMemoryAccessUsesHostPageTables, current_device()),
              "how the device reads host memory");
        return by_itself != 0;
    }();
    if (reads_later) synchronize(stream);
}

void upload(void* to, void const* from, std::size_t bytes, stream_handle stream) {
    if (bytes == 0) return;
    require_not_recorded(stream, "a graph's copy of host memory");
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "a copy to the device");
    require_read(stream);
}

void download(void* to, void const* from, std::size_t bytes, stream_handle stream) {
    if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "a copy from the device");
    synchronize(stream);
}

void fill_bytes(void* memory, int byte, std::size_t bytes, stream_handle stream) {
    if (bytes > 0) check(cudaMemsetAsync(memory, byte, bytes, stream), "to fill device memory");
}

void copy_rows(void* to, index to_stride, void const* from, index from_stride, index rows, index bytes, direction way,
               stream_handle stream) {
    if (rows == 0 || bytes == 0) return;
    if (way != direction::within) require_not_recorded(stream, "a graph's copy of host memory");
    auto const kind = way == direction::to_device ? cudaMemcpyHostToDevice
                      : way == direction::to_host ? cudaMemcpyDeviceToHost
                                                  : cudaMemcpyDeviceToDevice;
    auto const size = [](index n) { return static_cast<std::size_t>(n); };
    if (rows == 1 || (to_stride == bytes && from_stride == bytes)) {
        check(cudaMemcpyAsync(to, from, size(rows * bytes), kind, stream), "a copy of rows");
    } else {
        check(cudaMemcpy2DAsync(to, size(to_stride), from, size(from_stride), size(bytes), size(rows), kind, stream),
              "a copy of rows");
    }
    if (way == direction::to_device) require_read(stream);
}

void clear_rows(void* memory, index stride, index rows, index bytes, stream_handle stream) {
    if (rows == 0 || bytes == 0) return;
    auto const size = [](index n) { return static_cast<std::size_t>(n); };
    if (rows == 1 || stride == bytes) return fill_bytes(memory, 0, size(rows * bytes), stream);
    check(cudaMemset2DAsync(memory, size(stride), 0, size(bytes), size(rows), stream), "to clear device memory");
}

void* allocate_pinned(std::size_t bytes) {
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), std::to_string(bytes) + " bytes of pinned host memory");
    return memory;
}

void release_pinned(void* memory) noexcept {
    if (memory != nullptr) static_cast<void>(cudaFreeHost(memory));
}

event_handle make_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "an event");
    return event;
}

void end_event(event_handle event) noexcept { static_cast<void>(cudaEventDestroy(event)); }

void record(event_handle event, stream_handle stream) { check(cudaEventRecord(event, stream), "to record an event"); }

void wait(event_handle event) { check(cudaEventSynchronize(event), "to finish what a stream was given"); }

double milliseconds(event_handle from, event_handle to) {
    float elapsed = 0;
    check(cudaEventElapsedTime(&elapsed, from, to), "the time between two events");
    return static_cast<double>(elapsed);
}

void begin_recording(stream_handle stream) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "to record what a stream is given");
}

graph_handle end_recording(stream_handle stream) {
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream, &graph), "what a stream was given");
    cudaGraphExec_t executable = nullptr;
    auto const status = cudaGraphInstantiate(&executable, graph, 0);
    static_cast<void>(cudaGraphDestroy(graph));
    check(status, "a graph of what a stream was given");
    return executable;
}

void drop_recording(stream_handle stream) noexcept {
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph != nullptr)
        static_cast<void>(cudaGraphDestroy(graph));
    static_cast<void>(cudaGetLastError());
}

void run_graph(graph_handle graph, stream_handle stream) { check(cudaGraphLaunch(graph, stream), "to start a graph"); }

void end_graph(graph_handle graph) noexcept { static_cast<void>(cudaGraphExecDestroy(graph)); }

}  // namespace plateau::backend::cuda
