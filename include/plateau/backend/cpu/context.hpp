#pragma once
/// The CPU backend's context.

#include <plateau/backend/concepts.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::backend {

template <class T>
class linear_weight;

/// Computes on the host. Operations run on the calling thread; engines above spread blocks of rows over
/// `threads()` threads, one thread per block through all layers.
class cpu_context {
public:
    using space = tensor::host_space;
    template <class T, std::size_t Rank>
    using buffer = tensor::buffer<T, Rank>;
    template <class T>
    using weight = linear_weight<T>;

    /// @param threads  0 means one per hardware thread
    explicit cpu_context(int threads = 0) : threads_{resolve_threads(threads)} {}

    int threads() const { return threads_; }

private:
    int threads_;
};

template <>
inline constexpr bool supports_type<cpu_context, float> = true;
template <>
inline constexpr bool supports_type<cpu_context, double> = true;

static_assert(Backend<cpu_context>);

}  // namespace plateau::backend
