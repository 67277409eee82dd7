#pragma once
/// What plateau asks of CUDA's runtime, apart from kernels. These functions live in `plateau::cuda`, so that a .cpp
/// needs none of CUDA's headers.

#include <cstddef>
#include <string>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

struct CUstream_st;
struct CUevent_st;
struct CUgraphExec_st;

namespace plateau::backend::cuda {

/// cudaStream_t and cudaEvent_t, by their own names.
using stream_handle = CUstream_st*;
using event_handle = CUevent_st*;
using graph_handle = CUgraphExec_st*;

/// @throws device_error where there is no driver or no device
stream_handle make_stream();
void end_stream(stream_handle stream) noexcept;

/// From here on device memory that is released stays in the pool of the current device, for what is allocated next: of
/// itself the pool gives it all back to the driver whenever a stream is waited for. @throws device_error
void keep_released_memory();

/// The device that this host thread gives its work to. @throws device_error
int current_device();
void use_device(int device);

/// The current device's name, and its free and whole memory in bytes. What the pool keeps is free too. @throws
/// device_error
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

/// In the order of the stream. Host memory may be reused at once after `upload`; `download` waits.
/// @throws device_error, also while the stream is recorded
void upload(void* to, void const* from, std::size_t bytes, stream_handle stream);
void download(void* to, void const* from, std::size_t bytes, stream_handle stream);
void fill_bytes(void* memory, int byte, std::size_t bytes, stream_handle stream);

enum class direction { to_device, to_host, within };

/// Rows of `bytes` bytes at their distances. In the order of the stream; waits for nothing. @throws device_error, also
/// of the host's rows while the stream is recorded
void copy_rows(void* to, index to_stride, void const* from, index from_stride, index rows, index bytes, direction way,
               stream_handle stream);
/// Zeros.
void clear_rows(void* memory, index stride, index rows, index bytes, stream_handle stream);

/// Host memory from which the device reads by itself. @throws memory_error, device_error
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* memory) noexcept;

/// A point in the work of a stream. @throws device_error, as the three functions below
event_handle make_event();
void end_event(event_handle event) noexcept;
void record(event_handle event, stream_handle stream);
/// Waits until the stream has come to where the event was recorded last; not at all if it was not.
void wait(event_handle event);
/// Between two events that were waited for.
double milliseconds(event_handle from, event_handle to);

/// From here on the stream does nothing of what it is given, until `end_recording` gives it all as a graph. @throws
/// device_error
void begin_recording(stream_handle stream);
graph_handle end_recording(stream_handle stream);
void drop_recording(stream_handle stream) noexcept;
/// Gives all of a graph's work to the stream, in its order. @throws device_error
void run_graph(graph_handle graph, stream_handle stream);
void end_graph(graph_handle graph) noexcept;

/// A stream of its own.
class owned_stream {
public:
    owned_stream() : handle_{make_stream()} {}
    owned_stream(owned_stream const&) = delete;
    owned_stream& operator=(owned_stream const&) = delete;
    ~owned_stream() { end_stream(handle_); }
    operator stream_handle() const { return handle_; }

private:
    stream_handle handle_;
};

/// An event of its own.
class owned_event {
public:
    owned_event() : handle_{make_event()} {}
    owned_event(owned_event&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
    owned_event& operator=(owned_event&&) = delete;
    ~owned_event() {
        if (handle_ != nullptr) end_event(handle_);
    }
    operator event_handle() const { return handle_; }

private:
    event_handle handle_;
};

/// Device memory that grows with what is asked of it, and is asked for again only then.
class growing_memory {
public:
    explicit growing_memory(stream_handle stream) : stream_{stream} {}
    growing_memory(growing_memory const&) = delete;
    growing_memory& operator=(growing_memory const&) = delete;
    ~growing_memory() { release(data_, stream_); }

    /// At least `bytes`, with whatever they held or nothing; what was given before may be gone, in the order of the
    /// stream.
    /// @throws memory_error, device_error
    void* get(std::size_t bytes) {
        if (bytes <= bytes_) return data_;
        release(std::exchange(data_, nullptr),
                stream_);  // first, so that there is room for both where there is for one
        bytes_ = 0;
        data_ = allocate(bytes, stream_);
        bytes_ = bytes;
        ++moves_;
        return data_;
    }

    /// How often the memory has come to stand elsewhere.
    std::size_t moves() const { return moves_; }

private:
    stream_handle stream_;
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t moves_ = 0;
};

}  // namespace plateau::backend::cuda
