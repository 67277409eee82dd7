#pragma once
/// G1 and G8: products of layers beside a large product of the same mode in the same run.

#include <tuple>

#include "device.hpp"

namespace plateau::benchmarks {

/// A product that the device's memory holds, of one kind.
class device_product {
public:
    using kind = backend::cuda::product_kind;

    device_product(device const& ctx, kind how, index rows, index outputs, index inputs)
        : ctx_{ctx}, how_{how}, rows_{rows}, outputs_{outputs}, inputs_{inputs}, y_{ctx, {rows, outputs}} {
        if (how == kind::bf16) {
            half_x_ = random_on<bfloat16, 2>(ctx, {rows, inputs}, 1),
            half_w_ = random_on<bfloat16, 2>(ctx, {outputs, inputs}, 2);
        } else {
            x_ = random_on<float, 2>(ctx, {rows, inputs}, 1), w_ = random_on<float, 2>(ctx, {outputs, inputs}, 2);
        }
    }

    void operator()() {
        bool const half = how_ == kind::bf16;
        backend::cuda::matrix_rows const x{half ? static_cast<void const*>(half_x_.data()) : x_.data(), inputs_};
        backend::cuda::matrix_rows const w{half ? static_cast<void const*>(half_w_.data()) : w_.data(), inputs_};
        ctx_.blas().multiply(how_, rows_, outputs_, inputs_, x, w, y_.data(), outputs_, false);
    }
    double flops() const {
        return 2.0 * static_cast<double>(rows_) * static_cast<double>(outputs_) * static_cast<double>(inputs_);
    }

private:
    device const& ctx_;
    kind how_;
    index rows_, outputs_, inputs_;
    backend::device_buffer<float, 2> y_, x_{ctx_, {0, 0}}, w_{ctx_, {0, 0}};
    backend::device_buffer<bfloat16, 2> half_x_{ctx_, {0, 0}}, half_w_{ctx_, {0, 0}};
};

/// The matrices of a layer, with how often each is multiplied in it.
inline std::vector<std::pair<matrix_shape, int>> products_of(model_shape const& m) {
    std::vector<std::pair<matrix_shape, int>> all{
        {{m.q_width(), m.width}, 1}, {{m.width, m.q_width()}, 1}, {{m.kv_width(), m.width}, 2}};
    all.push_back({{m.d_mlp, m.width}, m.llama ? 2 : 1});
    all.push_back({{m.width, m.d_mlp}, 1});
    return all;
}

/// Operations per second of all products of a layer / those of the large product: every round times both in turn.
inline ratio layer_over_cube(device const& ctx, backend::cuda::product_kind how, model_shape const& shape,
                             gpu_settings const& s, ratio r) {
    device_clock const clock{ctx};
    device_product cube{ctx, how, s.cube, s.cube, s.cube};
    std::vector<std::tuple<device_product, int, index>> products;
    for (auto const& [matrix, times] : products_of(shape)) {
        auto& product = std::get<0>(
            products.emplace_back(device_product{ctx, how, s.rows, matrix.outputs, matrix.inputs}, times, 1));
        std::get<2>(products.back()) = clock.repeats_for(s.slice, product);
    }
    index const cubes = clock.repeats_for(s.slice, cube);
    std::vector<double> fractions, rates;
    std::vector<std::vector<double>> alone(products.size());
    for (int round = 0; round < s.rounds; ++round) {
        double const before = clock.seconds(cubes, cube);
        double time = 0, flops = 0;
        std::vector<double> of_each;
        for (auto& [product, times, repeats] : products) {
            double const seconds = clock.seconds(repeats, product);
            time += times * seconds;
            flops += times * product.flops();
            of_each.push_back(product.flops() / seconds);
        }
        double const peak = cube.flops() / (0.5 * (before + clock.seconds(cubes, cube)));
        rates.push_back(peak);
        fractions.push_back(flops / time / peak);
        for (std::size_t i = 0; i < alone.size(); ++i) alone[i].push_back(of_each[i] / peak);
    }
    r.measured = median(fractions);
    r.detail = concat({index{s.cube}, "^3 "}) + in_units(median(rates)) + "FLOP/s;";
    auto const matrices = products_of(shape);
    for (std::size_t i = 0; i < alone.size(); ++i) {
        r.detail +=
            concat({" ", matrices[i].first.outputs, "x", matrices[i].first.inputs, " "}) + fixed(median(alone[i]), 2);
    }
    return r;
}

inline void measure_gpu_products(gpu_settings const& s, std::vector<ratio>& ratios) {
    using kind = backend::cuda::product_kind;
    device const ctx;
    struct wanted {
        model_shape shape;
        double gate, aim;
    };
    std::string const rows = concat({", ", s.rows, " rows"});
    for (auto const& [shape, gate, aim] :
         {wanted{smollm2, 0.40, 0.55}, {gpt2, 0.50, 0.65}, {qwen2, 0.55, 0.70}, {olmo, 0.70, 0.85}}) {
        auto const of = s.models({shape}).front();
        ratios.push_back(layer_over_cube(
            ctx, kind::bf16, of, s,
            {"G1", std::string("products of a layer / large product, bf16, ") + shape.name + rows, 0, gate, aim}));
    }
    for (auto const how : {kind::fp32, kind::tf32}) {
        for (auto const& shape : {smollm2, gpt2}) {
            auto const of = s.models({shape}).front();
            std::string const what =
                std::string("products of a layer / large product, ") + (how == kind::fp32 ? "fp32, " : "tf32, ");
            ratios.push_back(layer_over_cube(ctx, how, of, s, {"G8", what + shape.name + rows, 0, 0.6, 0.75}));
        }
    }
}

}  // namespace plateau::benchmarks
