#pragma once
/// What the matrix products of any backend take beside their input.

#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// A weight [N, K] and what is added to its products, [N] or nothing.
template <class Context, class T>
struct linear_parameters {
    using weight_type = typename Context::template weight<T>;

    weight_type const& weight;
    tensor::view<T const, 1, typename Context::space> bias = {};

    linear_parameters(weight_type const& w, tensor::view<T const, 1, typename Context::space> b = {})
        : weight{w}, bias{b} {}
};

/// Whether a result replaces what its place held, or is added to it.
enum class accumulate : bool { no, yes };

}  // namespace plateau::backend
