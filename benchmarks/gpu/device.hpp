#pragma once
/// What all figures of a device need: rows of random numbers there, its clock, and the copies that memory is compared
/// with.

#include <algorithm>
#include <vector>

#include <plateau/backend/backends.hpp>

#include "../random_model.hpp"
#include "../ratios/report.hpp"
#include "../timing.hpp"

namespace plateau::benchmarks {

using device = backend::cuda_context;

/// How large the work is. Smaller sizes fit into caches or leave a device without work, and show nothing but that the
/// program runs.
struct gpu_settings {
    int rounds = 7;        ///< every figure is the median of so many
    double slice = 0.01;   ///< seconds of a device that work is repeated for, per round
    index rows = 16384;    ///< of products and passes
    index cube = 8192;     ///< extents of the products that others are compared with
    double bytes = 2.5e8;  ///< that a kernel bound by memory moves at least
    index layers = 0;      ///< of the models; 0 for their own
    bool tiny = false;     ///< models of no published shape
    bool quick = false;

    index rows_of(index row_bytes) const {
        return std::max<index>(64, static_cast<index>(bytes) / row_bytes / 64 * 64 + 64);
    }
    std::vector<model_shape> models(std::vector<model_shape> some) const {
        for (auto& one : some) {
            if (layers > 0) one.layers = std::min(one.layers, layers);
            if (tiny)
                one.width = 16, one.heads = 2, one.kv_heads = one.kv_heads == one.heads ? 2 : 1, one.head_width = 8,
                one.d_mlp = 24;
        }
        return some;
    }
};

/// Rows of the device with random numbers in [-size, size), which repeat after a million.
template <class T, std::size_t Rank>
backend::device_buffer<T, Rank> random_on(device const& ctx, std::array<index, Rank> extents, std::uint64_t seed,
                                          float size = 0.5f) {
    backend::device_buffer<T, Rank> memory{ctx, extents};
    constexpr index together = index{1} << 20;
    auto const values = random_values<T, 1>({std::min(together, memory.size())}, seed, size);
    for (index first = 0; first < memory.size(); first += together) {
        auto const count = static_cast<std::size_t>(std::min(together, memory.size() - first));
        backend::cuda::upload(memory.data() + first, values.data(), count * sizeof(T), ctx.stream());
    }
    return memory;
}

/// Time on the device itself, between two points of a context's stream.
class device_clock {
public:
    explicit device_clock(device const& ctx) : ctx_{&ctx} {}

    /// Seconds of each of `repeats` calls of `work`, which gives work to the stream.
    template <class F>
    double seconds(index repeats, F&& work) const {
        backend::cuda::record(from_, ctx_->stream());
        for (index i = 0; i < repeats; ++i) work();
        backend::cuda::record(to_, ctx_->stream());
        backend::cuda::wait(to_);
        return 1e-3 * std::max(backend::cuda::milliseconds(from_, to_), 1e-6) / static_cast<double>(repeats);
    }

    /// How often `work` fits into `wanted` seconds, at least once. Calls it some times, so that it is warm.
    template <class F>
    index repeats_for(double wanted, F&& work) const {
        seconds(2, work);
        return std::clamp<index>(static_cast<index>(wanted / seconds(2, work)), 1, 1000);
    }

private:
    device const* ctx_;
    backend::cuda::owned_event from_, to_;
};

/// Bytes per second, read and written, of copies within the device's memory: CUDA's own, or those of a kernel that only
/// copies, whichever are faster.
class copy_probe {
public:
    copy_probe(device const& ctx, gpu_settings const& s)
        : ctx_{ctx}, clock_{ctx}, from_{random_on<float, 2>(ctx, {s.rows_of(4 * width), width}, 1)},
          to_{random_on<float, 2>(ctx, from_.extents(), 2)}, repeats_{clock_.repeats_for(s.slice, [this] { copy(); })} {
        clock_.seconds(2, [this] { copy_by_kernel(); });
    }

    double bytes_per_second() {
        double const time = std::min(clock_.seconds(repeats_, [this] { copy(); }),
                                     clock_.seconds(repeats_, [this] { copy_by_kernel(); }));
        return 2.0 * static_cast<double>(from_.size()) * sizeof(float) / time;
    }

private:
    static constexpr index width = 1024;
    void copy() { backend::copy<float>(ctx_, from_, to_.view()); }
    void copy_by_kernel() { backend::affine<float>(ctx_, from_, {}, {}, to_.view()); }

    device const& ctx_;
    device_clock clock_;
    backend::device_buffer<float, 2> from_, to_;
    index repeats_;
};

/// 1.23 T
inline std::string in_units(double value) {
    for (auto const& [size, unit] : {std::pair{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}}) {
        if (value >= size) return fixed(value / size, 2) + unit;
    }
    return fixed(value, 2) + " ";
}

}  // namespace plateau::benchmarks
