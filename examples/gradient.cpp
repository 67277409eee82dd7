// What the likeliest next token is owed to: the gradient of its logit, times what each part of each block added.
//     gradient [MODEL]
// -> block 0: attention +-?[0-9.]+, MLP +-?[0-9.]+

#include <algorithm>
#include <cstdio>
#include <string>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    auto const prompt = model.tokenize(" The house at the end of the street was very");
    auto const run = model.run_with_cache(prompt, {"blocks.*.hook_attn_out", "blocks.*.hook_mlp_out"});
    auto const last = static_cast<plateau::index>(prompt.size()) - 1;
    auto const logits = run.logits[last].flat();
    plateau::tensor::buffer<float, 2> v({1, model.vocabulary()});  // of that logit alone
    v(0, std::max_element(logits.begin(), logits.end()) - logits.begin()) = 1;
    auto const owed = [&](std::string const& site) {
        auto const gradient = model.vjp(prompt, v, {.write = site, .read = "unembed.hook_out"});
        plateau::tensor::view<float const, 3> const added = run.cache[site];
        return plateau::tensor::dot(gradient.flat(), added[0][last].flat());
    };
    for (int layer = 0; layer < model.layers(); ++layer) {
        auto const block = "blocks." + std::to_string(layer);
        std::printf("block %d: attention %7.3f, MLP %7.3f\n", layer, owed(block + ".hook_attn_out"),
                    owed(block + ".hook_mlp_out"));
    }
}
