// Directions and synthetic activations of sparse autoencoders.
#include <plateau/sae/feature_direction.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sae/synthetic_activation.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/directions/concepts.hpp>

namespace {

using namespace plateau;
using plateau::index;
using context = backend::cpu_context;
using autoencoder = sae::sparse_autoencoder<context, double>;
using sae::feature_state;
using sae::synthetic_kind;

static_assert(directions::Direction<sae::feature_direction<context, float>, float>);
static_assert(directions::Direction<sae::error_direction<context, double>, double>);
static_assert(directions::Direction<sae::synthetic_activation<context, double>, double>);

autoencoder load(context const& ctx, std::string const& name = "standard") {
    return sae::load_sae<double>(std::filesystem::path(baked::tests) / "golden" / "saes" / name, ctx);
}

/// Counts over random activations.
sae::feature_counts counted(context const& ctx, autoencoder const& sae, index rows, std::uint64_t seed) {
    auto const x = testing::random_buffer<double, 2>({rows, sae.width()}, seed);
    tensor::buffer<double, 2> features({rows, sae.features()});
    sae.encode(ctx, x, features);
    sae::feature_counts counts{sae.features()};
    counts.add(features.view());
    return counts;
}

/// Planted features: feature i is x_i, with decoder row e_i or what is given.
autoencoder planted(index width, tensor::buffer<double, 2> decoder) {
    sae::sae_weights<context, double> weights;
    weights.encoder = context::weight<double>{context{1}, width, width, dtype::f64};
    auto writer = weights.encoder.writer();
    tensor::buffer<double, 2> one({width, width});
    for (index i = 0; i < width; ++i) one(i, i) = 1;
    writer.inputs(0, one);
    weights.decoder = std::move(decoder);
    weights.decoder_bias = tensor::buffer<double, 1>({width});
    weights.encoder_bias = tensor::buffer<double, 1>({width});
    sae::sae_config config;
    config.width = config.features = width;
    return {std::move(config), std::move(weights)};
}

tensor::buffer<double, 2> identity(index width) {
    tensor::buffer<double, 2> one({width, width});
    for (index i = 0; i < width; ++i) one(i, i) = 1;
    return one;
}

TEST_CASE("decoder rows are drawn from the features in the state asked for, all of them", "[sae][directions]") {
    context const ctx{1};
    auto const sae = load(ctx);
    auto const counts = counted(ctx, sae, 2, 1);  // few, so that features remain that fire nowhere
    auto const a = testing::random_vector<double>(sae.width(), 2);
    auto const features = sae::features_of<context, double>(ctx, sae, a);
    for (auto const state : {feature_state::active, feature_state::alive_inactive, feature_state::dead}) {
        std::set<index> expected, found;
        for (index f = 0; f < sae.features(); ++f) {
            bool const active = features[static_cast<std::size_t>(f)] > 0;
            bool const fits = state == feature_state::active
                                  ? active
                                  : !active && (counts.count(f) > 0) == (state == feature_state::alive_inactive);
            if (fits) expected.insert(f);
        }
        REQUIRE(expected.size() > 3);
        sae::feature_direction<context, double> const family{ctx, sae, counts, state};
        counter_rng rng{3};
        for (int k = 0; k < 1000; ++k) {
            auto const drawn = family(a, rng);
            index f = 0;
            while (f < sae.features() && !std::ranges::equal(drawn, sae.decoder_row(f))) ++f;
            found.insert(f);
        }
        CHECK(found == expected);
    }
}

TEST_CASE("a state that no feature is in gives no direction, and says so", "[sae][directions]") {
    context const ctx{1};
    auto const sae = planted(3, identity(3));
    sae::feature_counts counts{3};
    tensor::buffer<double, 2> rows({1, 3});
    for (double& x : rows.view().flat()) x = 1;
    counts.add(rows.view());
    counter_rng rng{1};
    std::vector<double> const on{1, 2, 3}, off{-1, -1, -1}, wide{1, 2, 3, 4};
    CHECK_THROWS_AS((sae::feature_direction<context, double>{ctx, sae, counts, feature_state::dead}(on, rng)),
                    domain_error);
    CHECK_THROWS_AS((sae::feature_direction<context, double>{ctx, sae, counts, feature_state::alive_inactive}(on, rng)),
                    domain_error);
    CHECK_THROWS_AS((sae::feature_direction<context, double>{ctx, sae, counts, feature_state::active}(off, rng)),
                    domain_error);
    CHECK_THROWS_AS((sae::feature_direction<context, double>{ctx, sae, counts, feature_state::active}(wide, rng)),
                    shape_error);
    CHECK_THROWS_AS((sae::error_direction<context, double>{ctx, sae}(wide, rng)), shape_error);
}

TEST_CASE("the error direction leads to the reconstruction", "[sae][directions]") {
    context const ctx{1};
    for (char const* name : {"standard", "standard_layer_norm", "topk", "gated"}) {
        auto const sae = load(ctx, name);
        auto const a = testing::random_vector<double>(sae.width(), 2);
        tensor::buffer<double, 2> back({1, sae.width()});
        sae.reconstruct(ctx, tensor::view<double const, 2>{a.data(), {1, sae.width()}}, back);
        counter_rng rng{1};
        auto const error = sae::error_direction<context, double>{ctx, sae}(a, rng);
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] + error[i] - back.data()[i]) < 1e-14);
        CHECK(rng.next() == counter_rng{1}.next());  // nothing is drawn
    }
}

TEST_CASE("synthetic activations have as many features, as strong, and others", "[sae][directions]") {
    context const ctx{1};
    auto const sae = load(ctx, "topk");
    auto const counts = counted(ctx, sae, 300, 5);
    auto const kind = GENERATE(synthetic_kind::baseline, synthetic_kind::structured);
    sae::synthetic_activation<context, double> const make{ctx, sae, counts, kind, 8};
    auto const strengths = [](std::vector<double> features) {
        std::erase(features, 0.0);
        std::ranges::sort(features);
        return features;
    };
    counter_rng rng{1};
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto const a = testing::random_vector<double>(sae.width(), 100 + seed);
        auto const features = sae::features_of<context, double>(ctx, sae, a);
        auto const other = make.replaced(features, rng);
        REQUIRE(strengths(other) == strengths(features));
        for (std::size_t f = 0; f < other.size(); ++f) {
            if (other[f] > 0) CHECK(counts.count(static_cast<index>(f)) > 0);
            CHECK((other[f] == 0 || other[f] != features[f]));  // none for itself
        }
        counter_rng again = rng, once_more = rng;
        auto const point = make(a, again);
        tensor::buffer<double, 2> decoded({1, sae.width()});
        auto const expected = make.replaced(features, once_more);
        sae.decode(tensor::view<double const, 2>{expected.data(), {1, sae.features()}}, {}, decoded);
        CHECK(std::ranges::equal(point, decoded.view().flat()));
    }
}

TEST_CASE("structured synthetic activations keep rarity and cosines where they can, bags of features do not",
          "[sae][directions]") {
    // 6 pairs of features with a cosine of 0.9 within a pair, 0 otherwise; pairs in two classes of how often they fire
    index const d = 12;
    auto decoder = identity(d);
    for (index i = 0; i < d; i += 2) {
        decoder(i + 1, i) = 0.9;
        decoder(i + 1, i + 1) = std::sqrt(1 - 0.81);
    }
    context const ctx{1};
    auto const sae = planted(d, std::move(decoder));
    sae::feature_counts counts{d};
    tensor::buffer<double, 2> rows({10, d});
    for (index r = 0; r < 10; ++r) {
        for (index i = 0; i < d; ++i) rows(r, i) = i < 6 || r < 2;
    }
    counts.add(rows.view());
    std::vector<double> features(12);
    features[6] = 3, features[7] = 2;  // a rare pair, similar to each other
    sae::synthetic_activation<context, double> const structured{ctx, sae, counts, synthetic_kind::structured, 6},
        bag{ctx, sae, counts, synthetic_kind::baseline};
    counter_rng rng{4};
    int rare_pairs[2] = {};
    for (int k = 0; k < 200; ++k) {
        for (int kind = 0; kind < 2; ++kind) {
            auto const other = (kind == 0 ? structured : bag).replaced(features, rng);
            auto const strong = std::ranges::find(other, 3.0) - other.begin(),
                       weak = std::ranges::find(other, 2.0) - other.begin();
            rare_pairs[kind] += strong / 2 == weak / 2 && strong >= 6;
        }
    }
    CHECK(rare_pairs[0] == 200);
    CHECK(rare_pairs[1] < 40);
}

TEST_CASE("synthetic activations that cannot be are refused", "[sae][directions]") {
    context const ctx{1};
    auto const sae = planted(3, identity(3));
    sae::feature_counts const none{3};
    CHECK_THROWS_AS((sae::synthetic_activation<context, double>{ctx, sae, none, synthetic_kind::baseline}),
                    usage_error);
    sae::feature_counts one{3};
    tensor::buffer<double, 2> rows({1, 3});
    rows(0, 1) = 1;
    one.add(rows.view());
    CHECK_THROWS_AS((sae::synthetic_activation<context, double>{ctx, sae, one, synthetic_kind::baseline, 0}),
                    usage_error);
    sae::synthetic_activation<context, double> const make{ctx, sae, one, synthetic_kind::structured};
    counter_rng rng{1};
    CHECK_THROWS_AS(make(std::vector<double>{1, 1, 0}, rng), domain_error);
    CHECK(make(std::vector<double>{0, 2, 0}, rng) == std::vector<double>{0, 2, 0});  // nothing else to take
    CHECK(make(std::vector<double>{2, 0, 0}, rng) == std::vector<double>{0, 2, 0});
}

}  // namespace
