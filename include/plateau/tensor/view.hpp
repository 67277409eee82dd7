#pragma once
/// Non-owning row-major views with the memory space in the type.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include <plateau/core/error.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/types.hpp>

namespace plateau::tensor {

/// Memory that host code may touch. Another space (CUDA device memory) is another tag, so that host
/// code cannot dereference its views by accident.
struct host_space {};

/// A view of Rank extents, row-major. The last axis is contiguous; outer axes may have a stride.
///     element (i, j, ...) = data[i * stride(0) + j * stride(1) + ...]
/// Copying a view copies no element. `view<T>` converts to `view<T const>`.
template <class T, std::size_t Rank, class Space = host_space>
class view {
    static_assert(Rank >= 1);

public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using space = Space;
    static constexpr std::size_t rank = Rank;

    constexpr view() = default;

    /// Dense: strides follow from the extents.
    constexpr view(T* data, std::array<index, Rank> extents) : data_{data}, extents_{extents} {
        index stride = 1;
        for (std::size_t axis = Rank; axis-- > 0;) {
            strides_[axis] = stride;
            stride *= extents_[axis];
        }
    }

    /// @pre strides[Rank-1] == 1
    constexpr view(T* data, std::array<index, Rank> extents, std::array<index, Rank> strides)
        : data_{data}, extents_{extents}, strides_{strides} {}

    /// A mutable view is also a constant one.
    template <class U>
        requires(std::is_const_v<T>&& std::is_same_v<U, value_type>)
    constexpr view(view<U, Rank, Space> const& other)
        : data_{other.data()}, extents_{other.extents()}, strides_{other.strides()} {}

    constexpr T* data() const { return data_; }
    constexpr std::array<index, Rank> const& extents() const { return extents_; }
    constexpr std::array<index, Rank> const& strides() const { return strides_; }
    constexpr index extent(std::size_t axis) const { return extents_[axis]; }
    constexpr index stride(std::size_t axis) const { return strides_[axis]; }
    constexpr index size() const {
        index n = 1;
        for (index extent : extents_) n *= extent;
        return n;
    }
    constexpr bool empty() const { return size() == 0; }

    /// True if the elements lie without a gap.
    constexpr bool dense() const {
        index expected = 1;
        for (std::size_t axis = Rank; axis-- > 0;) {
            if (extents_[axis] != 1 && strides_[axis] != expected) return false;
            expected *= extents_[axis];
        }
        return true;
    }

    template <class... I>
        requires(sizeof...(I) == Rank && std::is_same_v<Space, host_space>)
    constexpr T& operator()(I... i) const {
        std::array<index, Rank> const at{static_cast<index>(i)...};
        index offset = 0;
        for (std::size_t axis = 0; axis < Rank; ++axis) offset += at[axis] * strides_[axis];
        return data_[offset];
    }

    /// Sub-view i of the first axis; for a vector the element itself.
    constexpr decltype(auto) operator[](index i) const requires std::is_same_v<Space, host_space> {
        if constexpr (Rank == 1) {
            return static_cast<T&>(data_[i]);
        } else {
            std::array<index, Rank - 1> extents, strides;
            for (std::size_t axis = 1; axis < Rank; ++axis) {
                extents[axis - 1] = extents_[axis];
                strides[axis - 1] = strides_[axis];
            }
            return view<T, Rank - 1, Space>{data_ + i * strides_[0], extents, strides};
        }
    }

    /// Rows [first, first + count) of the first axis.
    constexpr view rows(index first, index count) const {
        auto extents = extents_;
        extents[0] = count;
        return view{data_ + first * strides_[0], extents, strides_};
    }

    /// The elements as a span. @pre dense()
    constexpr std::span<T> flat() const requires std::is_same_v<Space, host_space> {
        return {data_, static_cast<std::size_t>(size())};
    }

private:
    T* data_ = nullptr;
    std::array<index, Rank> extents_{};
    std::array<index, Rank> strides_{};
};

/// "[3, 4]", for messages.
template <std::size_t Rank>
std::string to_string(std::array<index, Rank> const& extents) {
    return shape_text(extents);
}

namespace detail {

[[noreturn]] inline void refuse_extents(std::span<index const> actual, std::span<index const> expected,
                                        char const* what) {
    throw shape_error(what, " has shape ", shape_text(actual), ", expected ", shape_text(expected));
}

}  // namespace detail

/// @throws shape_error naming `what` unless the extents are equal
template <std::size_t Rank>
void require_extents(std::array<index, Rank> const& actual, std::array<index, Rank> const& expected, char const* what) {
    if (actual != expected) detail::refuse_extents(actual, expected, what);
}

}  // namespace plateau::tensor
