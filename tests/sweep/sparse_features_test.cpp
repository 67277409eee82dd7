#include <plateau/sweep/sparse_features.hpp>

#include <filesystem>
#include <fstream>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace plateau;
using plateau::index;

TEST_CASE("features are counted over a sample, and give directions at its activations", "[sweep][sparse_features]") {
    // a golden autoencoder of width 12, said to be of a site of that width
    std::string const site = "blocks.2.attn.hook_v";
    testing::scratch_dir const folder;
    auto const golden = std::filesystem::path(baked::tests) / "golden" / "saes" / "standard";
    auto config = io::read_text(golden / "cfg.json");
    std::string const of = "blocks.2.hook_resid_pre";
    config.replace(config.find(of), of.size(), site);
    std::ofstream{folder.path() / "cfg.json"} << config;
    std::filesystem::copy(golden / "sae_weights.safetensors", folder.path());
    auto const sae = folder.path().string();

    auto const threaded = sweeps::random_model<double>();
    auto const& model = threaded(1);
    prompt_list const prompts{{1, 2, 3}, {4, 5, 6, 7}, {8, 9}};
    sweep::activation_sample const sample{site, prompts};
    sweep::sparse_features<double> const features{sae, model, sample, 1};
    CHECK(features.counts().rows() == 6);  // all positions but the first
    CHECK(features.counts().rows() == sample.count());
    auto const real = sweep::last_activations(model, prompts, sample.site);
    counter_rng rng{1};
    CHECK(features.direction(sae::feature_state::active)(real[0].flat(), rng).size() == 12);
    CHECK(features.error()(real[0].flat(), rng).size() == 12);
    CHECK(features.synthetic(sae::synthetic_kind::baseline)(real[0].flat(), rng).size() == 12);
    auto elsewhere = sample;
    elsewhere.site = "blocks.1.hook_mlp_out";
    CHECK_THROWS_AS((sweep::sparse_features<double>{sae, model, elsewhere}), plateau::error);
}

}  // namespace
