#pragma once
/// The CUDA backend's context.

#include <plateau/backend/cuda/runtime.hpp>

namespace plateau::backend {

/// A stream of the current device. Operations are given to the stream and return at once; the memory of views that they were
/// given must live until it has been through them, as that of a `device_buffer` of the same context does.
class cuda_context {
public:
    /// @throws device_error where there is no driver or no device
    cuda_context() : stream_{cuda::make_stream()} {}
    cuda_context(cuda_context const&) = delete;
    cuda_context& operator=(cuda_context const&) = delete;
    ~cuda_context() { cuda::end_stream(stream_); }

    cuda::stream_handle stream() const { return stream_; }

    /// Waits for all operations. @throws device_error what of them failed
    void synchronize() const { cuda::synchronize(stream_); }

private:
    cuda::stream_handle stream_;
};

}  // namespace plateau::backend
