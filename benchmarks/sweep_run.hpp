#pragma once
/// One run of the engine on a random model, its prefixes and its rows timed apart, beside the work that they are.

#include <atomic>

#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/distances.hpp>
#include <plateau/paths/linear.hpp>

#include "random_model.hpp"
#include "timing.hpp"

namespace plateau::benchmarks {

/// The published experiment: a chain of pairs, patched after block 0 at the last position, distances after the final
/// norm.
struct sweep_task {
    model_shape shape;
    index pairs = 20, points = 50, length = 10;

    index rows() const { return pairs * points; }

    /// Float operations in matrix products: of all rows, through the layers after the first.
    double row_flops() const { return static_cast<double>(rows() * (shape.layers - 1)) * shape.flops(); }

    /// Of the prompts: all of their positions through the first layer; those before the patch through the others, the
    /// contexts' alone, and of the last layer keys and values alone.
    double prefix_flops() const {
        auto const positions = static_cast<double>(pairs * (length - 1));
        return static_cast<double>((pairs + 1) * length) * shape.flops() +
               positions * (static_cast<double>(shape.layers - 2) * shape.flops() + shape.kv_flops());
    }

    /// Of the attention, scores and mixtures, in rows and prompts: 4 H E for every key that a position sees.
    double attention_flops() const {
        auto const keys = [](index n) { return static_cast<double>(n * (n + 1) / 2); };  // seen by n positions in a row
        double const seen = static_cast<double>(rows() * (shape.layers - 1) * length) +
                            static_cast<double>(pairs * (shape.layers - 2)) * keys(length - 1) +
                            static_cast<double>(pairs + 1) * keys(length);
        return 4 * static_cast<double>(shape.q_width()) * seen;
    }
};

struct sweep_times {
    double prefix = 0, rows = 0;  ///< seconds
    double checksum = 0;          ///< Σ of all distances
};

/// The engine writes the first point when the last prefix is done and its first block of rows begins: there one ends
/// and the other starts. So both are times of the engine itself, within one run.
inline sweep_times run_sweep(random_engine const& on, prompt_list const& prompts, sweep_task const& task) {
    using clock = std::chrono::steady_clock;
    std::vector<engine::prompt_pair> pairs;
    for (index i = 0; i < task.pairs; ++i) pairs.push_back({i, i + 1});
    std::atomic<clock::rep> rows_begin{0};
    engine::point_writer<float> const write = [&](index, index point, tensor::view<float const, 2> a,
                                                  tensor::view<float const, 2> b, tensor::view<float, 2> out) {
        if (rows_begin.load(std::memory_order_relaxed) == 0) {
            clock::rep none = 0;
            rows_begin.compare_exchange_strong(none, clock::now().time_since_epoch().count());
        }
        paths::linear<float> const line{a[0].flat(), b[0].flat()};
        line(static_cast<double>(point) / static_cast<double>(task.points), out[0].flat());
    };
    tensor::buffer<double, 2> distances({task.pairs, task.points});
    engine::patched_rows<float> rows{on, prompts, task.points, {}};
    auto const begin = clock::now();
    rows.run(pairs, write, engine::read_distances<float>("ln_final.hook_out", distances));
    auto const end = clock::now();
    clock::time_point const middle{clock::duration{rows_begin.load()}};
    sweep_times times{std::chrono::duration<double>(middle - begin).count(),
                      std::chrono::duration<double>(end - middle).count()};
    for (double distance : distances.flat()) times.checksum += distance;
    return times;
}

/// Seconds of the matrix products alone that the rows of a task take: the same calls of `linear`, on the model's own
/// weights, in the engine's blocks and on its threads, from and to matrices of their own like the engine's.
inline double run_row_products(random_engine const& on, sweep_task const& task) {
    context const& ctx = on.context();
    random_transformer const& model = on.model();
    std::vector<index> const one_row(static_cast<std::size_t>(task.pairs), 1);
    auto const blocks = engine::deal_rows(one_row, task.points, ctx.block_rows(), ctx.threads());
    auto const& shape = task.shape;
    struct matrices {
        tensor::buffer<float, 2> normed, q, k, v, z, delta, gate, in, post;
    };
    index most = 0;
    std::vector<index> rows_of;
    for (index b = 0; b < blocks.count(); ++b) {
        index rows = 0;
        for (auto const& run : blocks[b]) rows += run.points + (run.first_point > 0 ? 1 : 0);
        rows_of.push_back(rows);
        most = std::max(most, rows);
    }
    std::vector<matrices> of_worker;
    for (int worker = 0; worker < ctx.threads(); ++worker) {
        auto const values = [&](index width) { return random_values<float, 2>({most, width}, 11); };
        of_worker.push_back({values(shape.width), values(shape.q_width()), values(shape.kv_width()),
                             values(shape.kv_width()), values(shape.q_width()), values(shape.width),
                             values(shape.d_mlp), values(shape.d_mlp), values(shape.d_mlp)});
    }
    return wall_seconds([&] {
        parallel_for(ctx.threads(), blocks.count(), [&](index b, int worker) {
            index const rows = rows_of[static_cast<std::size_t>(b)];
            auto& m = of_worker[static_cast<std::size_t>(worker)];
            auto const product = [&](tensor::buffer<float, 2> const& x, nn::linear<context, float> const& layer,
                                     tensor::buffer<float, 2>& y) {
                backend::linear<float>(ctx, x.view().rows(0, rows), layer.weight, y.view().rows(0, rows));
            };
            for (std::size_t layer = 1; layer < model.blocks.size(); ++layer) {
                auto const& attention = model.blocks[layer].attention.part;
                auto const& mlp = model.blocks[layer].mlp.part;
                product(m.normed, attention.query, m.q);
                product(m.normed, attention.key, m.k);
                product(m.normed, attention.value, m.v);
                product(m.z, attention.output, m.delta);
                if (mlp.gated) product(m.normed, mlp.gate, m.gate);
                product(m.normed, mlp.in, m.in);
                product(m.post, mlp.out, m.delta);
            }
        });
    });
}

}  // namespace plateau::benchmarks
