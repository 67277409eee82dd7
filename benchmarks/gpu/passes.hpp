#pragma once
/// G2, G3 and G5: rows through all layers after the first, beside the products and the bytes that this is, and as a
/// graph.

#include "device.hpp"
#include "products.hpp"

namespace plateau::benchmarks {

/// Rows of pairs of 50 after a prompt's prefix, as the engine moves them through a model, again and again.
class row_pass {
public:
    using model_type = random_transformer_on<device>;

    row_pass(device const& ctx, model_type const& model, model_shape const& shape, index rows, index tokens = 10)
        : model_{model}, prefix_{ctx, 1, model.layers() - 1, tokens - 1, shape.kv_width()}, pass_{ctx} {
        auto const keys = random_values<float, 2>({tokens - 1, shape.kv_width()}, 5);
        for (int layer = 1; layer < model.layers(); ++layer) {
            backend::upload<float>(ctx, keys, prefix_.keys(layer));
            backend::upload<float>(ctx, keys, prefix_.values(layer));
        }
        std::vector<token_id> const token(1);
        for (index r = 0; r < rows; ++r) {
            auto row = nn::rows::prompt_row(0, tokens - 1, tokens);
            row.item = r / 50;
            row.point = r % 50;
            rows_.add(row, token, &prefix_);
        }
        pass_.begin(rows_, nullptr);
        auto const start = random_on<float, 2>(ctx, {rows, shape.width}, 6);
        backend::copy<float>(ctx, start.view(), pass_.residual(shape.width));
    }

    void operator()() { model_.run(pass_, 1, model_.layers(), "pair"); }

private:
    model_type const& model_;
    nn::kv_cache<device, float> prefix_;
    nn::rows rows_;
    nn::pass<device, float> pass_;
};

/// The products of those layers alone, on the model's own weights, which are in bfloat16.
class pass_products {
public:
    pass_products(device const& ctx, random_transformer_on<device> const& model, model_shape const& shape, index rows)
        : ctx_{ctx}, model_{model}, rows_{backend::cuda::in_steps(rows, backend::cuda::row_step)},
          x_{random_on<bfloat16, 2>(ctx, {rows_, std::max({shape.width, shape.q_width(), shape.d_mlp})}, 7)},
          y_{ctx, {rows_, std::max({shape.width, shape.q_width(), shape.d_mlp})}} {}

    void operator()() {
        for (std::size_t layer = 1; layer < model_.blocks.size(); ++layer) {
            auto const& attention = model_.blocks[layer].attention.part;
            auto const& mlp = model_.blocks[layer].mlp.part;
            for (auto const* one : {&attention.query, &attention.key, &attention.value, &attention.output})
                multiply(*one);
            if (mlp.gated) multiply(mlp.gate);
            multiply(mlp.in);
            multiply(mlp.out);
        }
    }

private:
    void multiply(nn::linear<device, float> const& layer) {
        using backend::cuda::in_steps, backend::cuda::column_step;
        auto const w = layer.weight.rounded();
        index const outputs = in_steps(layer.weight.outputs(), column_step),
                    inputs = in_steps(layer.weight.inputs(), column_step);
        ctx_.blas().multiply(backend::cuda::product_kind::bf16, rows_, outputs, inputs, {x_.data(), inputs},
                             {w.data(), w.stride(0)}, y_.data(), outputs, false);
    }

    device const& ctx_;
    random_transformer_on<device> const& model_;
    index rows_;
    backend::device_buffer<bfloat16, 2> x_;
    backend::device_buffer<float, 2> y_;
};

/// Bytes that a row moves in a layer outside of its products, as the operations are now: rows in float, rounded to
/// bfloat16 before each product that does not share its input with another one's call.
inline double other_bytes(model_shape const& m) {
    index const d = m.width, q = m.q_width(), kv = m.kv_width(), f = m.d_mlp;
    index bytes = 2 * 8 * d  // norms
                  + 3 * 6 * d + 6 * q + 6 * d +
                  6 * f                     // rounding: for q, k and v, output, the MLP's first product, its last
                  + 4 * (2 * q + 2 * kv)    // attention
                  + 2 * 12 * d              // added to the residual stream
                  + (m.llama ? 12 : 8) * f  // the activation
                  + 4 * d;                  // whether all is finite
    if (m.llama) bytes += 8 * (q + kv) + 2 * 4 * m.head_width;  // rotations, with their angles
    else bytes += 8 * (q + 2 * kv);                             // biases
    return static_cast<double>(bytes);
}

inline void measure_gpu_pass(model_shape const& shape, gpu_settings const& s, double g3_gate, double g3_aim,
                             std::vector<ratio>& ratios) {
    device const ctx;
    auto const model = random_model<bfloat16>(ctx, shape);
    device_clock const clock{ctx};
    copy_probe copy{ctx, s};
    row_pass whole{ctx, model, shape, s.rows};
    pass_products products{ctx, model, shape, s.rows};
    index const wholes = clock.repeats_for(s.slice, whole), alone = clock.repeats_for(s.slice, products);
    double const bytes = other_bytes(shape) * static_cast<double>(s.rows * (shape.layers - 1));
    std::vector<double> floors, shares, rates;
    for (int round = 0; round < s.rounds; ++round) {
        double const before = copy.bytes_per_second(), time = clock.seconds(wholes, whole),
                     product_time = clock.seconds(alone, products);
        double const bandwidth = 0.5 * (before + copy.bytes_per_second());
        floors.push_back(time / (product_time + bytes / bandwidth));
        shares.push_back(product_time / time);
        rates.push_back(static_cast<double>(s.rows) / time);
    }
    std::string const of = concat({", bf16, ", shape.name, ", ", s.rows, " rows, ", shape.layers - 1, " layers"});
    ratios.push_back({"G2", "pass / (its products + its other bytes at a copy's speed)" + of, median(floors), 1.25,
                      1.10, true, in_units(median(rates)) + "rows through these layers per second"});
    ratios.push_back({"G3", "products / pass" + of, median(shares), g3_gate, g3_aim});
}

/// A pass of few rows as a graph / as launches, by the host's clock: each ends with a word of whether all was finite.
inline void measure_gpu_graph(model_shape const& shape, gpu_settings const& s, std::vector<ratio>& ratios) {
    constexpr index rows = 50;
    device recorded, plain;
    plain.record_work(false);
    auto const model = random_model<bfloat16>(recorded, shape), same = random_model<bfloat16>(plain, shape);
    row_pass as_graph{recorded, model, shape, rows}, as_launches{plain, same, shape, rows};
    auto const time_of = [](device const& ctx, row_pass& pass, index repeats) {
        ctx.synchronize();
        return wall_seconds([&] {
                   for (index i = 0; i < repeats; ++i) pass();
                   ctx.synchronize();
               }) /
               static_cast<double>(repeats);
    };
    for (int warm = 0; warm < 3; ++warm) as_graph(), as_launches();
    index const repeats = std::clamp<index>(static_cast<index>(s.slice / time_of(plain, as_launches, 2)), 1, 1000);
    std::vector<double> fractions, graphs;
    for (int round = 0; round < s.rounds; ++round) {
        double const before = time_of(plain, as_launches, repeats), time = time_of(recorded, as_graph, repeats);
        fractions.push_back(time / (0.5 * (before + time_of(plain, as_launches, repeats))));
        graphs.push_back(time);
    }
    ratios.push_back({"G5", concat({"pass of 50 rows as a graph / as launches, bf16, ", shape.name}), median(fractions),
                      0.7, 0.4, true, fixed(1e6 * median(graphs), 0) + " us as a graph"});
}

inline void measure_gpu_passes(gpu_settings const& s, std::vector<ratio>& ratios) {
    struct wanted {
        model_shape shape;
        double gate, aim;
        index layers;  ///< of the large ones some: every layer is like the others, and making weights takes the time
    };
    for (auto const& [shape, gate, aim, layers] :
         {wanted{smollm2, 0.50, 0.60, 0}, {gpt2, 0.58, 0.67, 0}, {qwen2, 0.65, 0.74, 7}, {olmo, 0.80, 0.86, 5}}) {
        auto of = s.models({shape}).front();
        if (layers > 0) of.layers = std::min(of.layers, layers);
        measure_gpu_pass(of, s, gate, aim, ratios);
    }
    for (auto const& shape : s.models({smollm2, gpt2})) measure_gpu_graph(shape, s, ratios);
}

}  // namespace plateau::benchmarks
