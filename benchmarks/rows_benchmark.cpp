// The operations on rows, one thread, in memory of 0.4, 4 and 168 MB all together: the second-level cache, the third,
// and beyond (where the third is not larger still). Counters:
//   B/s        bytes that have to be read and written, each once; what a fused operation saves is not among them
//   of_copy    that over the bandwidth of a copy, or of_read of reading alone, in memory of the same size, measured in
//   between elements/s numbers that go in
// A copy also brings in the memory that it overwrites, which nobody counts: kernels that work in place may be beyond 1.

#include <plateau/metrics/l2_distance.hpp>

#include "against_probe.hpp"
#include "probe.hpp"
#include "random_model.hpp"

namespace {

namespace backend = plateau::backend;
using namespace plateau::benchmarks;
using plateau::activation;
using plateau::index;

context const ctx{1};
using matrix = plateau::tensor::buffer<float, 2>;
using vector = plateau::tensor::buffer<float, 1>;

enum class reference { copy, read };

/// Rows of `width` numbers so that `matrices` of them fill the footprint, the argument in kB.
index rows_of(benchmark::State const& state, index width, index matrices) {
    return std::max<index>(1, state.range(0) * 1000 / (4 * width * matrices));
}

/// @param moved  numbers read and written      @param in  numbers that go in
template <class Work>
void measure(benchmark::State& state, index moved, index in, Work&& work, reference against = reference::copy) {
    bandwidth_probe probe{ctx.path(), state.range(0) * 1000};
    auto const rate = against_probe(state, 4.0 * static_cast<double>(moved), work,
                                    [&] { return against == reference::copy ? probe.copy() : probe.read(); });
    state.counters["B/s"] = per_second(rate.reached);
    state.counters[against == reference::copy ? "of_copy" : "of_read"] = rate.fraction;
    state.counters["elements/s"] = per_second(rate.reached / 4 * static_cast<double>(in) / static_cast<double>(moved));
}

matrix random_rows(index rows, index width, std::uint64_t seed) {
    return random_values<float, 2>({rows, width}, seed, 2.0f);
}

void norm(benchmark::State& state, plateau::norm_kind kind, index d) {
    index const rows = rows_of(state, d, 2);
    matrix const x = random_rows(rows, d, 1);
    vector const weight = random_values<float, 1>({d}, 2), bias = random_values<float, 1>({d}, 3), none;
    matrix y({rows, d});
    auto const& shift = kind == plateau::norm_kind::layer ? bias : none;
    measure(state, 2 * rows * d, rows * d, [&] { backend::norm<float>(ctx, kind, x, 1e-5, weight, shift, y.view()); });
}

void add(benchmark::State& state) {
    index const d = smollm2.width, rows = rows_of(state, d, 2);
    matrix const x = random_rows(rows, d, 1);
    matrix y({rows, d});
    measure(state, 3 * rows * d, rows * d, [&] { backend::add<float>(ctx, x, y.view()); });
}

/// Queries of the last position: every row turns by the same angles.
void rotate(benchmark::State& state) {
    index const d = smollm2.q_width(), half = smollm2.head_width / 2, rows = rows_of(state, d, 1);
    matrix x = random_rows(rows, d, 1);
    std::vector<float> cosines(static_cast<std::size_t>(half), 0.6f), sines(static_cast<std::size_t>(half), 0.8f);
    using same_rows = plateau::tensor::view<float const, 2>;
    same_rows const all_cosines{cosines.data(), {rows, half}, {0, 1}}, all_sines{sines.data(), {rows, half}, {0, 1}};
    measure(state, 2 * rows * d, rows * d,
            [&] { backend::rotate<float>(ctx, x.view(), d / smollm2.head_width, all_cosines, all_sines); });
}

void activate(benchmark::State& state, activation kind, bool gated) {
    index const f = smollm2.d_mlp, rows = rows_of(state, f, gated ? 3 : 2);
    matrix const x = random_rows(rows, f, 1), up = gated ? random_rows(rows, f, 2) : matrix{};
    matrix y({rows, f});
    measure(state, (gated ? 3 : 2) * rows * f, (gated ? 2 : 1) * rows * f,
            [&] { backend::activate<float>(ctx, kind, x, up, y.view()); });
}

/// Rows of 256 keys, no prefix apart.
void softmax(benchmark::State& state) {
    index const keys = 256, rows = rows_of(state, keys, 1);
    matrix x = random_rows(rows, keys, 1);
    auto const& kernels = ctx.kernels<float>();
    measure(state, 2 * rows * keys, rows * keys, [&] {
        for (index r = 0; r < rows; ++r) kernels.softmax_row(x[r].data(), keys);
    });
}

/// Of every row to the first.
void row_distance(benchmark::State& state) {
    index const d = smollm2.width, rows = rows_of(state, d, 1);
    matrix const x = random_rows(rows, d, 1);
    measure(
        state, rows * d, rows * d,
        [&] {
        double sum = 0;
        for (index r = 0; r < rows; ++r) sum += plateau::metrics::l2_distance<float>(x[0].flat(), x[r].flat());
        benchmark::DoNotOptimize(sum);
        },
        reference::read);
}

void footprints(benchmark::internal::Benchmark* b) {
    b->Arg(400)
        ->Arg(4'000)
        ->Arg(168'000)
        ->ArgName("kB")
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond)
        ->Iterations(benchmark_rounds);
}

BENCHMARK_CAPTURE(norm, rms, plateau::norm_kind::rms, smollm2.width)->Apply(footprints);
BENCHMARK_CAPTURE(norm, layer, plateau::norm_kind::layer, gpt2.width)->Apply(footprints);
BENCHMARK(add)->Apply(footprints);
BENCHMARK(rotate)->Apply(footprints);
BENCHMARK_CAPTURE(activate, gelu, activation::gelu, false)->Apply(footprints);
BENCHMARK_CAPTURE(activate, gelu_tanh, activation::gelu_tanh, false)->Apply(footprints);
BENCHMARK_CAPTURE(activate, silu, activation::silu, false)->Apply(footprints);
BENCHMARK_CAPTURE(activate, silu_gated, activation::silu, true)->Apply(footprints);
BENCHMARK(softmax)->Apply(footprints);
BENCHMARK(row_distance)->Apply(footprints);

}  // namespace
