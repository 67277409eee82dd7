#include <plateau/sae/feature_counts.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sae/sparse_autoencoder.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <plateau/io/npy.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using context = backend::cpu_context;
using testing::contains;

std::filesystem::path saes() { return std::filesystem::path(baked::tests) / "golden" / "saes"; }

template <class T>
tensor::buffer<T, 2> matrix(std::filesystem::path const& file) {
    auto const array = io::read_npy<double>(file);
    tensor::buffer<T, 2> result({array.shape.at(0), array.shape.at(1)});
    for (index i = 0; i < result.size(); ++i)
        result.data()[i] = static_cast<T>(array.values[static_cast<std::size_t>(i)]);
    return result;
}

template <class T>
double largest(tensor::buffer<T, 2> const& m) {
    double most = 0;
    for (index i = 0; i < m.size(); ++i) most = std::max(most, std::abs(static_cast<double>(m.data()[i])));
    return most;
}

TEMPLATE_TEST_CASE("autoencoders that SAELens saved give its features and reconstructions", "[sae][golden]", float,
                   double) {
    context const ctx{1};
    double const bound = std::is_same_v<TestType, double> ? 1e-12 : 1e-6;
    int count = 0;
    for (auto const& entry : std::filesystem::directory_iterator(saes())) {
        auto const folder = entry.path();
        CAPTURE(folder.filename().string());
        ++count;
        auto const sae = sae::load_sae<TestType>(folder, ctx);
        CHECK(sae.config().site == "blocks.2.hook_resid_pre");
        auto const inputs = io::read_npy<float>(folder / "inputs.npy");
        index const rows = inputs.shape.at(0);
        tensor::buffer<TestType, 2> x({rows, sae.width()}), features({rows, sae.features()}), back({rows, sae.width()});
        std::copy(inputs.values.begin(), inputs.values.end(), x.data());
        auto const scales = sae.encode(ctx, x, features);
        sae.decode(features, scales, back);
        auto const want = matrix<TestType>(folder / "features.npy"),
                   want_back = matrix<TestType>(folder / "reconstructions.npy");
        double worst = 0, worst_back = 0;
        for (index i = 0; i < features.size(); ++i) {
            worst = std::max(worst,
                             std::abs(static_cast<double>(features.data()[i]) - static_cast<double>(want.data()[i])));
            CHECK((features.data()[i] > 0) == (want.data()[i] > 0));
        }
        for (index i = 0; i < back.size(); ++i) {
            worst_back = std::max(
                worst_back, std::abs(static_cast<double>(back.data()[i]) - static_cast<double>(want_back.data()[i])));
        }
        CHECK(worst <= bound * largest(want));
        CHECK(worst_back <= bound * largest(want_back));
        tensor::buffer<TestType, 2> whole({rows, sae.width()});
        sae.reconstruct(ctx, x, whole);
        CHECK(std::equal(back.data(), back.data() + back.size(), whole.data()));
    }
    CHECK(count == 11);
}

TEST_CASE("features are those of each row alone, and decoder rows are what a feature writes", "[sae]") {
    context const ctx{1};
    auto const sae = sae::load_sae<double>(saes() / "topk_rescaled", ctx);
    auto const x = matrix<double>(saes() / "standard" / "reconstructions.npy");
    tensor::buffer<double, 2> all({x.extent(0), sae.features()}), one({1, sae.features()});
    sae.encode(ctx, x, all);
    for (index r = 0; r < x.extent(0); ++r) {
        sae.encode(ctx, x.view().rows(r, 1), one);
        CHECK(std::equal(one.data(), one.data() + one.size(), all[r].data()));
        CHECK(std::count_if(one.data(), one.data() + one.size(), [](double f) { return f > 0; }) <= 7);
    }
    auto const plain = sae::load_sae<double>(saes() / "standard", ctx);
    tensor::buffer<double, 2> features({2, plain.features()}), out({2, plain.width()});
    features(1, 33) = 2.5;
    plain.decode(features, {}, out);
    for (index i = 0; i < plain.width(); ++i) {
        CHECK_THAT(out(1, i) - out(0, i),
                   testing::WithinAbs(2.5 * plain.decoder_row(33)[static_cast<std::size_t>(i)], 1e-14));
        CHECK(plain.decoder()(33, i) == plain.decoder_row(33)[static_cast<std::size_t>(i)]);
    }
}

TEST_CASE("topk keeps the first of equal features", "[sae]") {
    context const ctx{1};
    sae::sae_config config;
    config.architecture = sae::sae_architecture::topk;
    config.width = 1;
    config.features = 5;
    config.k = 2;
    sae::sae_weights<context, double> weights;
    tensor::buffer<double, 2> ones({5, 1});
    std::fill_n(ones.data(), 5, 1.0);
    weights.encoder = backend::linear_weight<double>{ones};
    weights.decoder = std::move(ones);
    weights.decoder_bias = tensor::buffer<double, 1>({1});
    weights.encoder_bias = tensor::buffer<double, 1>({5});
    sae::sparse_autoencoder<context, double> const sae{config, std::move(weights)};
    tensor::buffer<double, 2> x({2, 1}), features({2, 5});
    x(0, 0) = 3;
    x(1, 0) = -3;
    sae.encode(ctx, x, features);
    CHECK(std::vector<double>(features.data(), features.data() + 10) ==
          std::vector<double>{3, 3, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("features are counted", "[sae]") {
    sae::feature_counts counts{4};
    tensor::buffer<float, 2> rows({2, 4});
    rows(0, 1) = 2;
    rows(1, 1) = 1;
    rows(1, 3) = 0.5f;
    counts.add(rows.view());
    CHECK(counts.rows() == 2);
    CHECK(counts.count(1) == 2);
    CHECK(counts.alive() == std::vector<index>{1, 3});
    CHECK(counts.dead() == std::vector<index>{0, 2});
    CHECK_THROWS_AS(counts.add(tensor::buffer<float, 2>({1, 5}).view()), shape_error);
    CHECK_THROWS_AS(sae::feature_counts{0}, shape_error);
}

/// A copy of a golden autoencoder with one text of its configuration replaced.
struct changed_sae {
    changed_sae(std::string const& name, std::string const& from, std::string const& to) {
        std::filesystem::copy(saes() / name, dir.path(), std::filesystem::copy_options::recursive);
        auto text = io::read_text(dir / "cfg.json");
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        std::ofstream{dir / "cfg.json"} << text;
    }
    void refuses(std::string const& part) const {
        CAPTURE(part);
        CHECK_THROWS_WITH(sae::load_sae<float>(dir.path(), context{1}), contains(part));
    }
    testing::scratch_dir dir;
};

TEST_CASE("what an autoencoder's files say wrongly, or plateau cannot do, is an error that names it", "[sae][errors]") {
    changed_sae("standard", "\"standard\"", "\"temporal\"").refuses("temporal\" is not supported");
    changed_sae("standard", "\"normalize_activations\": \"none\"",
                "\"normalize_activations\": \"covariance_whitening\"")
        .refuses("fold it into the weights");
    changed_sae("standard", "\"d_in\": 12", "\"d_in\": 13")
        .refuses("W_enc has the shape [12, 70], cfg.json asks for [13, 70]");
    changed_sae("standard", "\"d_in\": 12", "\"d_in\": 0").refuses("must be positive");
    changed_sae("standard", "\"d_in\": 12,", "").refuses("d_in");
    changed_sae("standard", "\"standard\"", "\"gated\"").refuses("no tensor b_mag");
    changed_sae("standard", "\"standard\"", "\"jumprelu\"").refuses("no tensor threshold");
    changed_sae("topk", "\"k\": 7", "\"k\": 71").refuses("k must be 1 to d_sae = 70");
    changed_sae("topk", "\"k\": 7,", "").refuses("k");
    changed_sae("before_6", "\"relu\"", "\"tanh-relu\"").refuses("tanh-relu\" is not supported");
    changed_sae("before_6", "\"d_in\"", "\"finetuning_scaling_factor\": true, \"d_in\"")
        .refuses("finetuning_scaling_factor");
    changed_sae const cut("standard", "\"d_in\"", "\"d_in\"");
    std::filesystem::resize_file(cut.dir / "sae_weights.safetensors", 4000);
    cut.refuses("sae_weights.safetensors");
    std::filesystem::remove(cut.dir / "sae_weights.safetensors");
    cut.refuses("save_model");

    auto const sae = sae::load_sae<float>(saes() / "standard", context{1});
    CHECK_NOTHROW(sae::require_site(sae.config(), "blocks.2.hook_resid_pre", 12));
    CHECK_NOTHROW(sae::require_site(sae.config(), "blocks.1.hook_resid_post", 12));
    CHECK_THROWS_WITH(sae::require_site(sae.config(), "blocks.2.hook_resid_post", 12),
                      contains("trained at \"blocks.2.hook_resid_pre"));
    CHECK_THROWS_WITH(sae::require_site(sae.config(), "blocks.2.hook_resid_pre", 64), contains("12 inputs"));
    tensor::buffer<float, 2> narrow({1, 11}), features({1, 70});
    CHECK_THROWS_AS(sae.encode(context{1}, narrow, features), shape_error);
}

}  // namespace
