#pragma once
/// A transformer over a block of one's own, whose MLP squares what a ReLU leaves.

#include <algorithm>
#include <memory>
#include <utility>

#include <plateau/models/assemble.hpp>
#include <plateau/models/open.hpp>

#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace plateau::testing {

inline constexpr nn::work_buffer squared_buffer{"squared"};
inline constexpr nn::work_buffer before_buffer{"before the square"};
inline constexpr hooks::site_id squared_site = hooks::own_site(0);

/// out = relu(x W_inᵀ)² W_outᵀ: two products, a work buffer and a hook point of its own between them.
template <class T>
struct squared_relu {
    using rows = nn::layer_rows<backend::cpu_context, T>;

    nn::linear<backend::cpu_context, T> in;   ///< [F, D]
    nn::linear<backend::cpu_context, T> out;  ///< [D, F]

    void forward(rows l, typename rows::const_rows_view x, typename rows::rows_view y) const {
        auto const hidden = l.matrix(squared_buffer, in.weight.outputs());
        in.forward(l.context(), x, hidden);
        l.hook(hooks::site_id::mlp_pre, hidden);
        for (index r = 0; r < hidden.extent(0); ++r) {
            for (T& value : hidden[r].flat()) value = std::max(value, T{0}) * value;
        }
        l.hook(squared_site, hidden);
        out.forward(l.context(), hidden, y);
    }

    void jvp(nn::layer_duals<backend::cpu_context, T> l, nn::dual<typename rows::rows_view> x,
             nn::dual<typename rows::rows_view> y) const {
        index const width = in.weight.outputs();
        auto const z = l.matrix(squared_buffer, width), before = l.matrix(before_buffer, width);
        in.forward(l.context(), x.value, before.value);
        forward(l.value, x.value, y.value);
        in.jvp(l.context(), x.tangent, z.tangent);
        l.hook_tangents(hooks::site_id::mlp_pre, z.tangent);
        for (index t = 0; t < z.tangent.extent(0); ++t) {
            for (index i = 0; i < width; ++i) z.tangent(t, i) *= 2 * std::max(before.value(l.all().row(t), i), T{0});
        }
        l.hook_tangents(squared_site, z.tangent);
        out.jvp(l.context(), z.tangent, y.tangent);
    }

    void list(std::vector<hooks::site>& sites, int layer) const {
        index const width = in.weight.outputs();
        hooks::add_site(sites, {hooks::site_id::mlp_pre, layer, hooks::site_axes::vector, 1, width});
        hooks::add_site(sites, {squared_site, layer, hooks::site_axes::vector, 1, width, "mlp.hook_squared"});
    }
};

template <class T>
using own_block = nn::block<nn::norm<backend::cpu_context, T>, nn::attention<backend::cpu_context, T>, squared_relu<T>>;
template <class T>
using own_transformer = models::transformer<backend::cpu_context, T, own_block<T>>;
template <class T>
using standard_transformer = models::transformer<backend::cpu_context, T>;

/// A random model of standard blocks that computes the same: relu(z) · z, gated by the same z.
template <class T>
standard_transformer<T> gated_by_itself(int threads = 1) {
    scratch_dir const folder;
    tiny::checkpoint checkpoint{11};
    for (index layer = 0; layer < checkpoint.layers; ++layer) {
        std::string const at = "model.layers." + std::to_string(layer) + ".mlp.";
        checkpoint.tensors[at + "gate_proj.weight"] = checkpoint.tensors[at + "up_proj.weight"];
    }
    checkpoint.write(folder.path());
    auto const opened = models::open<T>(folder.path());
    auto model =
        models::assemble<backend::cpu_context, T>(backend::cpu_context{threads}, opened.config, *opened.weights);
    for (auto& block : model.blocks) block.mlp.part.act = activation::relu;
    return model;
}

/// The same weights in blocks of one's own.
template <class T>
own_transformer<T> squared(standard_transformer<T> from) {
    return models::with_mlp<own_block<T>>(std::move(from), [](auto mlp) {
        return squared_relu<T>{std::move(mlp.in), std::move(mlp.out)};
    });
}

}  // namespace plateau::testing
