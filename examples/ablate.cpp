// What each block's MLP is worth: the loss of a text with its output set to the mean over positions, instead of its
// own.
//
//     ablate [MODEL]
//
// -> as it is +[0-9.]+ nats per token
// -> without MLP +0 +[0-9.]+

#include <cstdio>
#include <memory>

#include <plateau/engine/read/token_losses.hpp>
#include <plateau/hooks/ablate.hpp>
#include <plateau/hooks/recording.hpp>
#include <plateau/plateau.hpp>

namespace hooks = plateau::hooks;

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const text{model.tokenize(
        " The house at the end of the street was very old, and nobody had lived in it for many years. At night the "
        "children of the village said that they could see a light in one of its windows.")};

    auto const loss = [&](hooks::hook_set<float> const& set) {
        double sum = 0;
        auto const losses = plateau::engine::token_losses(model.engine(), text, set)[0];
        for (double const l : losses) sum += l;
        return sum / static_cast<double>(losses.size());
    };
    std::printf("as it is      %.3f nats per token\n", loss({}));

    auto const kept = std::make_shared<hooks::recording<float>>();
    model.run(text, hooks::record<float>("blocks.*.hook_mlp_out", kept));
    for (int layer = 0; layer < model.layers(); ++layer) {
        auto const site = hooks::find_site(model.sites(), "blocks." + std::to_string(layer) + ".hook_mlp_out");
        auto const examples = kept->examples(site);
        std::printf("without MLP %2d %.3f\n", layer, loss(hooks::mean_ablate<float>(site.name(), examples.view())));
    }
}
