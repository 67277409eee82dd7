#pragma once
/// The CPU backend's context.

#include <array>
#include <type_traits>

#include <plateau/backend/concepts.hpp>
#include <plateau/backend/cpu/choose_instruction_set.hpp>
#include <plateau/backend/cpu/kernels.hpp>
#include <plateau/backend/float_products.hpp>
#include <plateau/backend/rows.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
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

    /// @param threads   0 means one per hardware thread
    /// @param path      must be one that this machine can run
    /// @param products  of weights in float that are made for it
    /// @throws usage_error on products that the path has not
    explicit cpu_context(int threads = 0, instruction_set path = chosen_instruction_set(),
                         float_products products = float_products::fp32)
        : threads_{resolve_threads(threads)}, path_{path}, products_{products}, kernels_{&kernels_of<float>(path)} {
        if (products != float_products::fp32) require_parts();
    }

    int threads() const { return threads_; }
    /// Rows that best travel together: they stay in cache, and are whole tiles of the matrix kernels.
    static constexpr index block_rows() { return host_block_rows; }
    instruction_set path() const { return path_; }
    float_products products() const { return products_; }
    template <class T>
    kernel_table<T> const& kernels() const {
        if constexpr (std::is_same_v<T, float>) return *kernels_;
        else return kernels_of<T>(path_);
    }

private:
    PLATEAU_RARE void require_parts() const {
        if (parts_of(products_) > 0 && kernels_->multiply_parts != nullptr) return;
        throw usage_error("products in ", name_of(products_), " are not for the instruction set ", name_of(path_),
                          parts_of(products_) > 0 ? ": they take AMX, a processor with tiles; use products in fp32"
                                                  : ", but for a device; use products in fp32",
                          parts_of(products_) > 0 ? ", or --dtype bf16" : "");
    }

    int threads_;
    instruction_set path_;
    float_products products_;
    kernel_table<float> const* kernels_;
};

template <>
inline constexpr op_set operations_of<cpu_context, float>{operations};
template <>
inline constexpr op_set operations_of<cpu_context, double>{operations};

static_assert(Backend<cpu_context>);

}  // namespace plateau::backend
