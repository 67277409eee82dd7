#pragma once
/// The memory of a CUDA device, as a space of views.

#include <concepts>
#include <cstddef>

#include <plateau/tensor/view.hpp>

namespace plateau::backend {

class cuda_context;

/// Memory that kernels may touch and host code may not: views of it have no elements to call for.
struct device_space {};

template <class T, std::size_t Rank>
using device_view = tensor::view<T, Rank, device_space>;

/// Types that the device's operations are compiled for, in `plateau::cuda`. Of another type they are only declared, so
/// that the linker would be the first to complain.
template <class T>
concept DeviceElement = std::same_as<T, float> || std::same_as<T, double>;

}  // namespace plateau::backend
