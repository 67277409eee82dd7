// A part of your own in every block, in forward passes, under hooks and in a sweep: squared ReLU in place of SiLU.
//     own_block [MODEL]
// -> as published +max slope [0-9.]+
// -> squared ReLU +max slope [0-9.]+

#include <cstdio>

#include <plateau/plateau.hpp>

namespace nn = plateau::nn;
namespace hooks = plateau::hooks;
using context = plateau::backend::cpu_context;

namespace {

inline constexpr nn::work_buffer gate_buffer{"squared gate"}, up_buffer{"squared up"};  // [R, F]
/// out = (max(x W_gateᵀ, 0)² · (x W_inᵀ)) W_outᵀ
struct squared_relu_mlp {
    using rows = nn::layer_rows<context, float>;
    nn::mlp<context, float> of;  // whose matrices they are

    void forward(rows l, rows::const_rows_view x, rows::rows_view y) const {
        auto const gate = l.matrix(gate_buffer, of.in.weight.outputs()), up = l.matrix(up_buffer, gate.extent(1));
        of.gate.forward(l.context(), x, gate);
        of.in.forward(l.context(), x, up);
        plateau::backend::host_rows<context, float> own{l.pass.copies(), gate}, other{l.pass.copies(), up};
        auto const a = own.change(), b = other.read();  // on a device: copies of the rows
        for (plateau::index r = 0; r < a.extent(0); ++r) {
            for (plateau::index i = 0; i < a.extent(1); ++i) {
                a(r, i) = a(r, i) > 0 ? a(r, i) * a(r, i) * b(r, i) : 0;
            }
        }
        own.finish();
        l.hook(hooks::site_id::mlp_post, gate);
        of.out.forward(l.context(), gate, y);
    }
    void list(std::vector<hooks::site>& sites, int layer) const {
        hooks::add_site(sites, {hooks::site_id::mlp_post, layer, hooks::site_axes::vector, 1, of.in.weight.outputs()});
    }
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
        auto const text = file.tokenizer();
        auto const a = text.encode(" The end of the street was very"), b = text.encode(" The end of the street was in");
        auto const relative = plateau::metrics::relative_distance(plateau::sweep::interpolate(model, a, b, 50));
        auto const slope = plateau::metrics::max_slope(relative);
        std::printf("%-14s max slope %.2f\n", name, slope.value);
    };
    measure("as published", plateau::model<float>{cpu, published()});
    measure("squared ReLU", plateau::model<float>{cpu, std::move(mine)});
}
