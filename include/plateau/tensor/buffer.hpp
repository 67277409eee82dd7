#pragma once
/// Owning dense row-major tensors in host memory, aligned to cache lines.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include <plateau/tensor/view.hpp>

namespace plateau::tensor {

namespace detail {

inline constexpr std::align_val_t storage_alignment{64};

/// Memory for a tensor, zeroed or as it comes; null for one without elements.
inline void* new_storage(std::span<index const> extents, std::size_t element_bytes, bool zeroed) {
    index const most = std::numeric_limits<index>::max() / static_cast<index>(element_bytes);
    index count = 1;
    for (index extent : extents) {
        if (extent < 0 || (extent > 0 && count > most / extent)) {
            throw shape_error("a buffer cannot have the shape ", shape_text(extents));
        }
        count *= extent;
    }
    if (count == 0) return nullptr;
    auto const bytes = static_cast<std::size_t>(count) * element_bytes;
    void* const memory = ::operator new(bytes, storage_alignment, std::nothrow);
    if (memory == nullptr) {
        throw memory_error("no memory for a buffer of ", bytes, " bytes, shape ", shape_text(extents));
    }
    return zeroed ? std::memset(memory, 0, bytes) : memory;
}

inline void delete_storage(void* memory) { ::operator delete(memory, storage_alignment); }

}  // namespace detail

/// A dense tensor that owns its elements. Moves are cheap and copies are explicit (`clone`).
/// Elements are value-initialised. Storage is aligned to 64 bytes.
/// @throws memory_error if the storage cannot be had, shape_error on a negative or overflowing extent
template <class T, std::size_t Rank>
class buffer {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    using value_type = T;
    static constexpr std::size_t rank = Rank;

    buffer() = default;
    explicit buffer(std::array<index, Rank> extents) : buffer{extents, true} {}

    /// A buffer whose elements have no values yet: for what is written as a whole anyway, so that every page of it is
    /// touched once, by the thread that writes it.
    static buffer for_overwrite(std::array<index, Rank> extents) { return buffer{extents, false}; }

    buffer(buffer&& other) noexcept
        : extents_{std::exchange(other.extents_, {})}, data_{std::exchange(other.data_, nullptr)} {}
    buffer& operator=(buffer&& other) noexcept {
        if (this == &other) return *this;
        detail::delete_storage(data_);
        extents_ = std::exchange(other.extents_, {});
        data_ = std::exchange(other.data_, nullptr);
        return *this;
    }
    ~buffer() { detail::delete_storage(data_); }
    buffer(buffer const&) = delete;
    buffer& operator=(buffer const&) = delete;

    /// A deep copy.
    buffer clone() const {
        buffer copy{extents_};
        if (size() > 0) std::copy_n(data(), size(), copy.data());
        return copy;
    }

    T* data() { return data_; }
    T const* data() const { return data_; }
    std::array<index, Rank> const& extents() const { return extents_; }
    index extent(std::size_t axis) const { return extents_[axis]; }
    index size() const { return view().size(); }

    tensor::view<T, Rank> view() { return {data(), extents_}; }
    tensor::view<T const, Rank> view() const { return {data(), extents_}; }
    operator tensor::view<T, Rank>() { return view(); }
    operator tensor::view<T const, Rank>() const { return view(); }

    template <class... I>
    T& operator()(I... i) {
        return view()(i...);
    }
    template <class... I>
    T const& operator()(I... i) const {
        return view()(i...);
    }
    decltype(auto) operator[](index i) { return view()[i]; }
    decltype(auto) operator[](index i) const { return view()[i]; }
    std::span<T> flat() & { return view().flat(); }
    std::span<T const> flat() const& { return view().flat(); }
    void flat() const&& = delete;  // a range-for over it would outlive the elements

private:
    buffer(std::array<index, Rank> extents, bool zeroed)
        : extents_{extents}, data_{static_cast<T*>(detail::new_storage(extents, sizeof(T), zeroed))} {}

    std::array<index, Rank> extents_{};
    T* data_ = nullptr;
};

}  // namespace plateau::tensor
