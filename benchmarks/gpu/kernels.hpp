#pragma once
/// G4: each kernel that memory bounds, as a fraction of the same-run copy.

#include <functional>

#include "device.hpp"

namespace plateau::benchmarks {

/// A kernel, and the bytes that it has to read and write.
struct memory_kernel {
    std::string name;
    double bytes;
    std::function<void()> run;
};

/// Bytes per second of a kernel / those of a copy before and after it.
inline ratio kernel_over_copy(device const& ctx, copy_probe& copy, memory_kernel const& kernel, gpu_settings const& s) {
    device_clock const clock{ctx};
    index const repeats = clock.repeats_for(s.slice, kernel.run);
    std::vector<double> fractions, rates;
    for (int round = 0; round < s.rounds; ++round) {
        double const before = copy.bytes_per_second(), rate = kernel.bytes / clock.seconds(repeats, kernel.run);
        fractions.push_back(rate / (0.5 * (before + copy.bytes_per_second())));
        rates.push_back(rate);
    }
    std::string const detail = in_units(median(rates)) + "B/s of " + in_units(kernel.bytes) + "B";
    return {"G4", kernel.name + " / copy", median(fractions), 0.75, 0.88, false, detail};
}

/// Calls measure(kernel) with one kernel at a time, whose memory is gone afterwards.
template <class F>
void each_memory_kernel(device const& ctx, gpu_settings const& s, F const& measure) {
    using backend::device_buffer, backend::device_view;
    auto const small = s.models({smollm2}).front(), plain = s.models({gpt2}).front();
    constexpr index e = sizeof(float);
    auto const matrix = [&](index rows, index width, std::uint64_t seed) {
        return random_on<float, 2>(ctx, {rows, width}, seed);
    };
    auto const bytes = [](index rows, index row_bytes) {
        return static_cast<double>(rows) * static_cast<double>(row_bytes);
    };
    auto const numbers = [&](index count, index below) {
        tensor::buffer<index, 1> all({count});
        for (index i = 0; i < count; ++i) all(i) = (i * 7919) % below;
        return backend::to_device(ctx, all);
    };
    for (auto const& [kind, d] : {std::pair{norm_kind::rms, small.width}, {norm_kind::layer, plain.width}}) {
        index const rows = s.rows_of(2 * d * e);
        auto const x = matrix(rows, d, 1);
        auto const weight = random_on<float, 1>(ctx, {d}, 2), bias = random_on<float, 1>(ctx, {d}, 3);
        device_buffer<float, 2> out{ctx, x.extents()};
        bool const layer = kind == norm_kind::layer;
        measure({concat({layer ? "layer norm" : "rms norm", ", ", d, " wide"}), bytes(rows, 2 * d * e),
                 [&, kind = kind] {
            backend::norm<float>(ctx, kind, x, 1e-5, weight, layer ? bias.view() : device_view<float const, 1>{},
                                 out.view());
                 }});
    }
    {
        index const d = small.width, rows = s.rows_of(3 * d * e);
        auto const x = matrix(rows, d, 1);
        auto y = matrix(rows, d, 2);
        measure(
            {concat({"add, ", d, " wide"}), bytes(rows, 3 * d * e), [&] { backend::add<float>(ctx, x, y.view()); }});
    }
    {
        index const d = small.q_width(), half = small.head_width / 2, rows = s.rows_of(2 * d * e);
        auto x = matrix(rows, d, 1);
        auto const cosines = matrix(rows, half, 2), sines = matrix(rows, half, 3);
        measure({concat({"rope, ", small.heads, " heads of ", small.head_width}), bytes(rows, 2 * d * e + 2 * half * e),
                 [&] { backend::rotate<float>(ctx, x.view(), small.heads, cosines, sines); }});
    }
    for (auto const& shape : {small, plain}) {
        index const f = shape.d_mlp, parts = shape.llama ? 3 : 2, rows = s.rows_of(parts * f * e);
        auto const x = matrix(rows, f, 1), up = matrix(shape.llama ? rows : 0, f, 2);
        device_buffer<float, 2> out{ctx, x.extents()};
        measure({concat({shape.llama ? "gated silu, " : "gelu, ", f, " wide"}), bytes(rows, parts * f * e), [&] {
                     backend::activate<float>(ctx, shape.llama ? activation::silu : activation::gelu_tanh, x, up,
                                              out.view());
                 }});
    }
    {
        index const f = small.d_mlp, rows = s.rows_of(2 * f * e);
        auto const x = matrix(rows, f, 1);
        device_buffer<bfloat16, 2> high{ctx, x.extents()}, low{ctx, x.extents()};
        measure({concat({"rounding to two bfloat16, ", f, " wide"}), bytes(rows, 2 * f * e),
                 [&] { backend::split_to_bf16<float>(ctx, x, high.view(), low.view()); }});
    }
    {
        index const d = small.width, rows = s.rows_of(d * e);
        auto const x = matrix(rows, d, 1), others = matrix(64, d, 2);
        auto const which = numbers(rows, 64);
        device_buffer<double, 1> out{ctx, {rows}};
        device_view<float const, 2> const all = x.view();
        measure({concat({"row distances, ", d, " wide, read alone"}), bytes(rows, d * e + 16),
                 [&] { backend::row_distances<float>(ctx, all, others, which.view(), out.view()); }});
    }
    {
        index const d = small.width, rows = s.rows_of(d * e);
        auto const a = matrix(64, d, 1), b = matrix(64, d, 2);
        auto const which = numbers(rows, 64);
        auto const alphas = random_on<double, 1>(ctx, {rows}, 3);
        auto out = matrix(rows, d, 4);
        measure({concat({"points of lines, ", d, " wide, written alone"}), bytes(rows, d * e + 16),
                 [&] { backend::linear_points<float>(ctx, a, b, which.view(), alphas.view(), out.view()); }});
    }
    {
        index const d = small.width, rows = s.rows_of(2 * d * e), vocabulary = s.tiny ? 100 : 49152;
        auto const table = matrix(vocabulary, d, 1);
        auto const ids = numbers(rows, vocabulary);
        auto out = matrix(rows, d, 2);
        measure({concat({"gather, ", d, " wide"}), bytes(rows, 2 * d * e + 8),
                 [&] { backend::gather_rows<float>(ctx, table, ids.view(), out.view()); }});
    }
    {
        index const n = small.d_mlp, words = backend::words_of_signs(n), rows = s.rows_of(n * e);
        auto const x = matrix(rows, n, 1);
        device_buffer<std::uint64_t, 2> codes{ctx, {rows, words}};
        measure({concat({"sign codes, ", n, " wide, read"}), bytes(rows, n * e + 8 * words),
                 [&] { backend::sign_codes<float>(ctx, x, codes.view()); }});
    }
    for (auto const& shape : {small, plain}) {
        index const q = shape.q_width(), kv = shape.kv_width(), rows = s.rows_of((2 * q + 2 * kv) * e), prefix = 9;
        auto const queries = matrix(rows, q, 1), keys = matrix(rows, kv, 2), values = matrix(rows, kv, 3);
        auto const prefix_keys = matrix(prefix, kv, 4), prefix_values = matrix(prefix, kv, 5);
        device_buffer<float, 2> z{ctx, queries.extents()};
        backend::attention_shape<float> const attention{shape.heads, shape.kv_heads, shape.head_width, 0.125f};
        std::vector<backend::segment<float, backend::device_space>> segments;
        for (index r = 0; r < rows; ++r) segments.push_back({r, 1, prefix_keys.view(), prefix_values.view()});
        backend::attention_tiles<float> tiles;
        backend::tile_attention<float>(ctx, attention, rows, segments,
                                       std::vector<backend::prefix_layers>(segments.size()), tiles);
        measure({concat({"attention after 9 positions, ", shape.heads, " heads of ", shape.head_width}),
                 bytes(rows, (2 * q + 2 * kv) * e),
                 [&] { backend::tiled_attention<float>(ctx, attention, queries, keys, values, tiles, 0, z.view()); }});
    }
}

inline void measure_gpu_kernels(gpu_settings const& s, std::vector<ratio>& ratios) {
    device const ctx;
    copy_probe copy{ctx, s};
    std::vector<double> rates;
    for (int round = 0; round < s.rounds; ++round) rates.push_back(copy.bytes_per_second());
    ratio r{"G4", "copies, bytes read and written in a second / 10^12", median(rates) / 1e12, 0, 0};
    r.not_applicable = "what the kernels are compared with";
    ratios.push_back(r);
    each_memory_kernel(ctx, s,
                       [&](memory_kernel const& kernel) { ratios.push_back(kernel_over_copy(ctx, copy, kernel, s)); });
}

}  // namespace plateau::benchmarks
