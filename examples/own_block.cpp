// A part of your own in every block, in forward passes, under hooks and in a sweep: squared ReLU in place of SiLU.
//     own_block [MODEL]
// -> as published +max slope [0-9.]+
// -> squared ReLU +max slope [0-9.]+

#include <algorithm>
#include <cstdio>

#include <plateau/plateau.hpp>

namespace nn = plateau::nn;
namespace hooks = plateau::hooks;
using context = plateau::backend::cpu_context;

namespace {

inline constexpr nn::work_buffer pre_buffer{"squared pre"}, linear_buffer{"squared pre_linear"};  // [R, F]
/// out = (max(x W_gateᵀ, 0)² · (x W_inᵀ)) W_outᵀ, or without a gate max(x W_inᵀ, 0)² W_outᵀ
struct squared_relu_mlp {
    using rows = nn::layer_rows<context, float>;
    nn::mlp<context, float> of;  // whose matrices they are

    void forward(rows l, rows::const_rows_view x, rows::rows_view y) const {
        auto const pre = l.matrix(pre_buffer, of.in.weight.outputs()), linear = l.matrix(linear_buffer, pre.extent(1));
        (of.gated ? of.gate : of.in).forward(l.context(), x, pre);
        l.hook(hooks::site_id::mlp_pre, pre);
        if (of.gated) {
            of.in.forward(l.context(), x, linear);
            l.hook(hooks::site_id::mlp_pre_linear, linear);
        }
        for (plateau::index r = 0; r < pre.extent(0); ++r) {  // for any backend: over backend::host_rows
            for (plateau::index i = 0; i < pre.extent(1); ++i) {
                float const positive = std::max(pre(r, i), 0.0f);
                pre(r, i) = positive * positive * (of.gated ? linear(r, i) : 1);
            }
        }
        l.hook(hooks::site_id::mlp_post, pre);
        of.out.forward(l.context(), pre, y);  // overwrites y
    }
    void list(std::vector<hooks::site>& sites, int layer) const { of.list(sites, layer); }  // the same hook points
};
using my_block = nn::block<nn::norm<context, float>, nn::attention<context, float>, squared_relu_mlp>;

}  // namespace

int main(int argc, char** argv) {
    auto const file = plateau::models::open<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    context const cpu;
    auto published = [&] { return plateau::models::assemble(cpu, file.config, *file.weights); };
    auto mine =
        plateau::models::with_mlp<my_block>(published(), [](auto of) { return squared_relu_mlp{std::move(of)}; });
    auto const measure = [&](char const* name, plateau::model<float> const& model) {
        auto const a = model.tokenize(" The end of the street was very"),
                   b = model.tokenize(" The end of the street was in");
        auto const relative = plateau::metrics::relative_distance(plateau::sweep::interpolate(model, a, b, 50));
        std::printf("%-14s max slope %.2f\n", name, plateau::metrics::max_slope(relative).value);
    };
    measure("as published", plateau::model<float>{cpu, published(), file.texts()});
    measure("squared ReLU", plateau::model<float>{cpu, std::move(mine), file.texts()});
}
