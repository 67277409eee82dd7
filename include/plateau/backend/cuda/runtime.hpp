#pragma once
/// What plateau asks of CUDA's runtime, apart from kernels. These functions live in `plateau::cuda`, so that a .cpp needs none of
/// CUDA's headers.

#include <cstddef>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

struct CUstream_st;

namespace plateau::backend::cuda {

/// cudaStream_t, by its own name.
using stream_handle = CUstream_st*;

/// @throws device_error where there is no driver or no device
stream_handle make_stream();
void end_stream(stream_handle stream) noexcept;

/// The current device's name, and its free and whole memory in bytes. @throws device_error
std::string device_name();
struct memory_sizes {
    std::size_t free, all;
};
memory_sizes memory_of_device();

/// Waits for everything that the stream was given. @throws device_error what of it failed
void synchronize(stream_handle stream);

/// Memory from the stream's pool, with no values. @throws memory_error, device_error
void* allocate(std::size_t bytes, stream_handle stream);
void release(void* memory, stream_handle stream) noexcept;

/// In the order of the stream. Host memory may be reused at once after `upload`; `download` waits. @throws device_error
void upload(void* to, void const* from, std::size_t bytes, stream_handle stream);
void download(void* to, void const* from, std::size_t bytes, stream_handle stream);
void fill_bytes(void* memory, int byte, std::size_t bytes, stream_handle stream);

enum class direction { to_device, to_host, within };

/// Rows of `bytes` bytes at their distances. In the order of the stream; waits for nothing. @throws device_error
void copy_rows(void* to, index to_stride, void const* from, index from_stride, index rows, index bytes, direction way, stream_handle stream);
/// Zeros.
void clear_rows(void* memory, index stride, index rows, index bytes, stream_handle stream);

}  // namespace plateau::backend::cuda
