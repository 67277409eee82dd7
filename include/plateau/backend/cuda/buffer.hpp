#pragma once
/// Owning dense tensors in device memory, allocated and released in the order of a stream.

#include <array>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::backend {

/// A dense tensor of the device. Elements have no values until something writes them.
/// @pre the context outlives it
template <class T, std::size_t Rank>
class device_buffer {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    device_buffer() = default;

    /// @throws memory_error, device_error; shape_error on a negative or overflowing extent
    device_buffer(cuda_context const& ctx, std::array<index, Rank> extents) : extents_{extents}, stream_{ctx.stream()} {
        index const most = std::numeric_limits<index>::max() / static_cast<index>(sizeof(T));
        index count = 1;
        for (index extent : extents) {
            if (extent < 0 || (extent > 0 && count > most / extent)) {
                throw shape_error("a device buffer cannot have the shape ", shape_text(extents));
            }
            count *= extent;
        }
        data_ = static_cast<T*>(cuda::allocate(static_cast<std::size_t>(count) * sizeof(T), stream_));
    }

    device_buffer(device_buffer&& other) noexcept
        : extents_{std::exchange(other.extents_, {})}, stream_{other.stream_}, data_{std::exchange(other.data_,
                                                                                                   nullptr)} {}
    device_buffer& operator=(device_buffer&& other) noexcept {
        std::swap(extents_, other.extents_);
        std::swap(stream_, other.stream_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~device_buffer() { cuda::release(data_, stream_); }

    T* data() { return data_; }
    T const* data() const { return data_; }
    std::array<index, Rank> const& extents() const { return extents_; }
    index extent(std::size_t axis) const { return extents_[axis]; }
    index size() const { return view().size(); }
    device_view<T, Rank> view() { return {data_, extents_}; }
    device_view<T const, Rank> view() const { return {data_, extents_}; }
    operator device_view<T, Rank>() { return view(); }
    operator device_view<T const, Rank>() const { return view(); }

private:
    std::array<index, Rank> extents_{};
    cuda::stream_handle stream_ = nullptr;
    T* data_ = nullptr;
};

/// A copy on the device. @pre x is dense, or @throws shape_error
template <class T, std::size_t Rank>
device_buffer<std::remove_const_t<T>, Rank> to_device(cuda_context const& ctx, tensor::view<T, Rank> x) {
    if (!x.dense()) {
        throw shape_error("only a dense tensor can be copied to the device; the one of shape ", shape_text(x.extents()),
                          " has gaps");
    }
    device_buffer<std::remove_const_t<T>, Rank> copy{ctx, x.extents()};
    cuda::upload(copy.view().data(), x.data(), static_cast<std::size_t>(x.size()) * sizeof(T), ctx.stream());
    return copy;
}

template <class T, std::size_t Rank>
device_buffer<T, Rank> to_device(cuda_context const& ctx, tensor::buffer<T, Rank> const& x) {
    return to_device(ctx, x.view());
}

/// A copy on the host; waits for the stream. @throws device_error what of the operations before failed
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> to_host(cuda_context const& ctx, device_buffer<T, Rank> const& x) {
    auto copy = tensor::buffer<T, Rank>::for_overwrite(x.extents());
    cuda::download(copy.data(), x.view().data(), static_cast<std::size_t>(copy.size()) * sizeof(T), ctx.stream());
    return copy;
}

}  // namespace plateau::backend
