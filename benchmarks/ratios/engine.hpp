#pragma once
/// C6, C7, C10 and C11: the engine beside the matrix products that it consists of, on random models of full depth.

#include "../probe.hpp"
#include "../sweep_run.hpp"
#include "machine.hpp"
#include "report.hpp"

namespace plateau::benchmarks {

/// Every round: the peak of all threads at once, the engine, its products alone, the peak, and the engine on one
/// thread.
template <class Stored>
void measure_engine(model_shape shape, settings const& s, std::vector<ratio>& ratios) {
    constexpr bool full = std::is_same_v<Stored, float>;
    if (s.quick) shape.layers = 4;
    sweep_task const task{shape, 20, s.quick ? 25 : 50};
    auto const all = make_random_engine<Stored>(shape, s.threads);
    auto const one = full && s.threads > 1 ? make_random_engine<Stored>(shape, 1) : nullptr;
    auto const path = all->context().path();
    auto const prompts = random_prompts(task.pairs + 1, task.length);
    run_sweep(*all, prompts, task);
    run_row_products(*all, task);

    other_programs const others;
    std::vector<double> products, floors, scaling, probe_scaling, prefixes, points;
    for (int round = 0; round < s.rounds; ++round) {
        double const before = peak_flops(path, s.threads);
        auto const times = run_sweep(*all, prompts, task);
        double const product_time = run_row_products(*all, task);
        double const peak = 0.5 * (before + peak_flops(path, s.threads));
        products.push_back(product_time / times.rows);
        floors.push_back(task.row_flops() / peak / times.rows);
        prefixes.push_back(times.prefix / (task.prefix_flops() / (task.row_flops() / times.rows)));
        points.push_back(static_cast<double>(task.rows()) / (times.prefix + times.rows));
        if (!one) continue;
        double const single_peak = peak_flops(path);
        auto const single = run_sweep(*one, prompts, task);
        if (single.checksum != times.checksum)
            throw numeric_error("the number of threads changed the result of the engine");
        scaling.push_back((single.prefix + single.rows) / (times.prefix + times.rows));
        probe_scaling.push_back(peak / single_peak);
    }
    std::string const of = std::string(", ") + shape.name;
    std::string const speed = fixed(median(points), 0) + " points per second; other programs used " +
                              fixed(others.processors(), 2) + " processors";
    if (!full) {
        ratios.push_back(
            {"C6b", "products / rows of the engine, bf16" + of, median(products), 0.86, 0.94, false, speed});
        return;
    }
    ratios.push_back({"C6", "products / rows of the engine, fp32" + of, median(products), 0.92, 0.97, false, speed});
    ratios.push_back({"C7", "time at the peak / rows of the engine, fp32" + of, median(floors), 0.78, 0.90});
    ratios.push_back({"C11", "prefixes / the same work at the rows' speed" + of, median(prefixes), 1.3, 1.1, true});
    if (s.threads == 1) return;
    ratios.push_back({"C10", concat({index{s.threads}, " threads / 1 thread, fp32"}) + of, median(scaling),
                      0.9 * s.threads, 0.985 * s.threads, false, "the peak itself " + fixed(median(probe_scaling), 2)});
}

inline void measure_engines(settings const& s, std::vector<ratio>& ratios) {
    for (auto const& shape : {smollm2, gpt2}) {
        measure_engine<float>(shape, s, ratios);
        measure_engine<bfloat16>(shape, s, ratios);
    }
}

}  // namespace plateau::benchmarks
