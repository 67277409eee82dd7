#pragma once
/// The CPU backend's context.

#include <array>
#include <type_traits>

#include <plateau/backend/concepts.hpp>
#include <plateau/backend/cpu/kernels.hpp>
#include <plateau/backend/rows.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::backend {

template <class T>
class linear_weight;
class cpu_context;

/// What the attention keeps from layer to layer: nothing.
struct nothing_kept {
    void begin() {}
    static constexpr std::array<index, 3> form() { return {}; }
};

/// Work that comes by again and again in the same form: done each time.
struct repeated_on_host {
    template <class Work>
    void run(cpu_context const&, work_form const&, Work const& work) const {
        work();
    }
};

/// Looks for values that are not finite: layer by layer, so that nothing is left to be told at the end.
struct checked_at_once {
    /// The first row of x that holds something infinite or NaN, or −1. @param x  [R, D]
    template <class T>
    index after_layer(cpu_context const& ctx, int layer, int layers, tensor::view<T, 2> x);
    static constexpr noted_row first(cpu_context const&, int, int) { return {}; }
    static constexpr index moves() { return 0; }
};

/// Computes on the host. Operations run on the calling thread; engines above spread blocks of rows over
/// `threads()` threads, one thread per block through all layers.
class cpu_context {
public:
    using space = tensor::host_space;
    template <class T, std::size_t Rank>
    using buffer = tensor::buffer<T, Rank>;
    template <class T>
    using weight = linear_weight<T>;
    template <class T>
    using attention_work = nothing_kept;
    using repeated = repeated_on_host;
    using finite_notes = checked_at_once;

    /// @param threads  0 means one per hardware thread
    /// @param path     must be one that this machine can run
    explicit cpu_context(int threads = 0, instruction_set path = chosen_instruction_set())
        : threads_{resolve_threads(threads)}, path_{path}, kernels_{&kernels_of<float>(path)} {}

    int threads() const { return threads_; }
    /// Rows that best travel together: they stay in cache, and are whole tiles of the matrix kernels.
    static constexpr index block_rows() { return host_block_rows; }
    instruction_set path() const { return path_; }
    template <class T>
    kernel_table<T> const& kernels() const {
        if constexpr (std::is_same_v<T, float>) return *kernels_;
        else return kernels_of<T>(path_);
    }

private:
    int threads_;
    instruction_set path_;
    kernel_table<float> const* kernels_;
};

template <>
inline constexpr op_set operations_of<cpu_context, float>{operations};
template <>
inline constexpr op_set operations_of<cpu_context, double>{operations};

static_assert(Backend<cpu_context>);

}  // namespace plateau::backend
