// Features of a sparse autoencoder at an activation: which fire, and how much of the activation they explain.
//
//     features [SAE FOLDER] [MODEL SITE]         a folder as SAELens saves it
//
// -> [0-9]+ of 70 features fire
// -> feature +[0-9]+ +[0-9.]+

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>

#include <plateau/plateau.hpp>
#include <plateau/sae/feature_direction.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sweep/activations.hpp>

int main(int argc, char** argv) {
    plateau::backend::cpu_context const cpu;
    auto sae = plateau::sae::load_sae<float>(argc > 1 ? argv[1] : "tests/golden/saes/standard", cpu);

    std::string const site = argc > 3 ? argv[3] : "blocks.0.hook_resid_post";

    // an activation where it was trained; without a model of its width, any vector
    std::vector<float> activation(static_cast<std::size_t>(sae.width()));
    for (std::size_t i = 0; i < activation.size(); ++i) activation[i] = std::sin(static_cast<float>(3 * i + 1));
    if (argc > 2) {
        auto const model = plateau::load<float>(argv[2]);
        auto const last = plateau::sweep::last_activations(model, {model.tokenize(" The house at the end")}, site);
        for (auto const& note : plateau::sae::prepare(sae, site, last.extent(1), model.config.norm, false))
            std::fprintf(stderr, "%s\n", note.c_str());
        activation.assign(last.data(), last.data() + last.size());
    }

    auto const features = plateau::sae::features_of<plateau::backend::cpu_context, float>(cpu, sae, activation);
    std::vector<std::size_t> order(features.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto i, auto j) { return features[i] > features[j]; });
    auto const firing = std::count_if(features.begin(), features.end(), [](float f) { return f > 0; });
    std::printf("%d of %d features fire\n", static_cast<int>(firing), static_cast<int>(features.size()));
    for (std::size_t k = 0; k < 5; ++k)
        std::printf("feature %4d  %.3f\n", static_cast<int>(order[k]), features[order[k]]);
}
