#pragma once
/// Work of a stream, recorded once and given to it again in one call.

#include <utility>

#include <plateau/backend/cuda/context.hpp>

namespace plateau::backend::cuda {

/// What some function gave to a context's stream: kernels and matrix products, on the memory that they had then.
class graph {
public:
    /// Records what `give` gives, and does none of it.
    /// @pre `give` makes no memory, copies nothing between host and device and waits for nothing      @throws
    /// device_error; what `give` throws
    template <class Give>
    graph(cuda_context const& ctx, Give const& give) : stream_{ctx.stream()} {
        begin_recording(stream_);
        try {
            give();
        } catch (...) {
            drop_recording(stream_);
            throw;
        }
        handle_ = end_recording(stream_);
    }
    graph(graph&& other) noexcept : stream_{other.stream_}, handle_{std::exchange(other.handle_, nullptr)} {}
    graph& operator=(graph&& other) noexcept {
        std::swap(stream_, other.stream_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~graph() {
        if (handle_ != nullptr) end_graph(handle_);
    }

    /// Gives all of it to the stream. @pre the memory is still where it was      @throws device_error
    void run() const { run_graph(handle_, stream_); }

private:
    stream_handle stream_;
    graph_handle handle_ = nullptr;
};

}  // namespace plateau::backend::cuda
