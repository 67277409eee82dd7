#pragma once
/// C1 and C2: plateau's matrix products on one thread, as fractions of the peak of multiply-adds in float.

#if defined(__unix__)
#include <unistd.h>
#endif

#include "../probe.hpp"
#include "../random_model.hpp"
#include "report.hpp"

namespace plateau::benchmarks {

/// Fraction of the peak that products of `rows` rows reach: peak, products, peak again, a few milliseconds each, and
/// that for many rounds: what else happens on the machine takes some rounds, and not the median.
template <class Stored>
double product_over_peak(context const& ctx, matrix_shape const& shape, index rows, settings const& s) {
    auto const weight = random_weight<Stored>(shape.outputs, shape.inputs, 1);
    auto const x = random_values<float, 2>({rows, shape.inputs}, 2);
    tensor::buffer<float, 2> y({rows, shape.outputs});
    auto const product = [&] { backend::linear<float>(ctx, x, weight, y); };
    double const flops = 2.0 * static_cast<double>(rows * shape.outputs * shape.inputs);
    index const repeats = repeats_for(s.slice, product);
    int const rounds = repeats > 1 ? 3 * s.rounds : s.rounds;
    std::vector<double> fractions;
    for (int round = 0; round < rounds; ++round) {
        double const before = peak_flops(ctx.path());
        double const rate = flops / seconds_per_call(repeats, product);
        fractions.push_back(rate / (0.5 * (before + peak_flops(ctx.path()))));
    }
    return median(fractions);
}

/// The worst of all matrices and all numbers of rows, and in the details the median and where the worst is.
template <class Stored>
ratio worst_product(context const& ctx, std::vector<matrix_shape> const& matrices, std::vector<index> const& rows,
                    settings const& s, ratio r) {
    std::vector<double> all;
    std::string worst;
    for (auto const& shape : matrices) {
        for (index m : rows) {
            double const fraction = product_over_peak<Stored>(ctx, shape, m, s);
            if (all.empty() || fraction < r.measured) {
                r.measured = fraction;
                worst = concat({index{m}, " x ", shape.outputs, " x ", shape.inputs});
            }
            all.push_back(fraction);
        }
    }
    auto const best = *std::max_element(all.begin(), all.end());
    r.detail = "median " + fixed(median(all), 3) + ", best " + fixed(best, 3) + "; worst " + worst;
    return r;
}

/// Bytes of the second-level cache; 1 MiB where the system does not tell.
inline index second_level_cache() {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    auto const bytes = static_cast<index>(sysconf(_SC_LEVEL2_CACHE_SIZE));
    if (bytes > 0) return bytes;
#endif
    return index{1} << 20;
}

inline void measure_products(settings const& s, std::vector<ratio>& ratios) {
    context const ctx{1};
    auto const small = matrices_of({smollm2, gpt2}), large = matrices_of({qwen2, olmo});
    ratios.push_back(
        worst_product<float>(ctx, small, {252, 1024}, s,
                             {"C1", "fp32 products / peak, SmolLM2 and GPT-2, 252 and 1024 rows", 0, 0.85, 0.93}));
    ratios.push_back(worst_product<float>(ctx, large, {1024}, s,
                                          {"C1b", "fp32 products / peak, Qwen2 and OLMo, 1024 rows", 0, 0.80, 0.90}));

    // Products of few rows are as fast as the weights come: in the cache they show the kernel, beyond it the memory.
    auto near = small, far = small;
    auto const fits = [](matrix_shape const& m) { return 4 * m.outputs * m.inputs < second_level_cache(); };
    std::erase_if(near, [&](matrix_shape const& m) { return !fits(m); });
    std::erase_if(far, fits);
    ratios.push_back(worst_product<float>(
        ctx, near, {11, 50}, s,
        {"C1c", "fp32 products / peak, weights in the second-level cache, 11 and 50 rows", 0, 0.82, 0.93}));
    ratio beyond =
        worst_product<float>(ctx, far, {11, 50}, s, {"C1c", "the same, larger matrices of SmolLM2 and GPT-2", 0, 0, 0});
    beyond.not_applicable = "their weights come from beyond it";
    ratios.push_back(beyond);

    ratio bf16 = worst_product<bfloat16>(
        ctx, small, {252, 1024}, s,
        {"C2", "bf16 products / fp32 peak, SmolLM2 and GPT-2, 252 and 1024 rows", 0, 1.6, 1.87});
    // Whether the processor can do better in bfloat16 than in float at all.
    std::vector<double> dots;
    for (int round = 0; round < s.rounds; ++round) dots.push_back(bf16_dots_over_multiply_adds());
    double const faster = median(dots);
    if (faster < 1.1) {
        bf16.not_applicable =
            faster == 0 ? "this processor has no bfloat16 dot products"
                        : "this processor's bfloat16 dot products are no faster (" + fixed(faster, 2) + " of fp32)";
    }
    ratios.push_back(bf16);
}

}  // namespace plateau::benchmarks
