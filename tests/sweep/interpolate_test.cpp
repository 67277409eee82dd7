#include <plateau/sweep/interpolate.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/first_difference.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace sweep = plateau::sweep;
using plateau::testing::contains;
using plateau::testing::golden_model;

struct curves {
    plateau::prompt_list prompts;
    std::vector<sweep::prompt_pair> pairs;
    plateau::io::npy_data<double> distances, norms;
};

/// Curves of the published implementation: the whole prompt again for every point.
curves golden_curves(std::string const& model, std::string const& variant) {
    auto const folder = golden::models_folder() / model / "curves";
    curves c;
    std::vector<index> lengths;
    bool const ragged = variant == "_ragged";
    if (ragged) lengths = plateau::io::integers(plateau::io::read_npy(folder / "lengths_ragged.npy"), "lengths").values;
    c.prompts = golden::prompts(folder / (ragged ? "tokens_ragged.npy" : "tokens.npy"), lengths);
    auto const pairs = plateau::io::integers(plateau::io::read_npy(folder / "pairs.npy"), "pairs");
    for (std::size_t i = 0; i < pairs.values.size(); i += 2) c.pairs.push_back({pairs.values[i], pairs.values[i + 1]});
    c.distances = plateau::io::read_npy<double>(folder / ("distances" + variant + ".npy"));
    c.norms = plateau::io::read_npy<double>(folder / ("norms" + variant + ".npy"));
    return c;
}

TEMPLATE_TEST_CASE("curves agree with the published way", "[sweep][interpolate][golden]", float, double) {
    double const bound = std::is_same_v<TestType, double> ? 1e-9 : 1e-5;
    for (std::string const name : {"llama_gqa", "gpt2"}) {
        auto const model = golden_model<TestType>(name)(2);
        for (std::string const variant : {"", "_middle", "_ragged"}) {
            CAPTURE(name, variant);
            auto const expected = golden_curves(name, variant);
            index const steps = expected.distances.shape.at(1);
            sweep::setup setup;
            if (variant == "_middle") {
                setup.write = "blocks.1.hook_resid_pre";
                setup.read = "blocks.1.hook_resid_post";
            }
            auto const got = sweep::interpolate(model, expected.prompts, expected.pairs, steps, setup);
            REQUIRE(got.distances.size() == static_cast<index>(expected.distances.values.size()));
            for (index p = 0; p < got.distances.extent(0); ++p) {
                CHECK(got[p][0] == 0);
                double const norm = expected.norms.values.at(static_cast<std::size_t>(p));
                for (index i = 0; i < steps; ++i) {
                    double const want = expected.distances.values[static_cast<std::size_t>(p * steps + i)];
                    CHECK(std::abs(got.distances(p, i) - want) <= bound * norm);
                }
            }
        }
    }
}

TEST_CASE("one pair is a row of many", "[sweep][interpolate]") {
    auto const model = golden_model<float>("llama_gqa")(1);
    auto const prompts = golden::prompts(golden::models_folder() / "llama_gqa" / "tokens.npy");
    auto const one = sweep::interpolate(model, prompts[0], prompts[1], 23);
    auto const many = sweep::interpolate(model, prompts, {{1, 0}, {0, 1}, {0, 0}}, 23);
    CHECK(plateau::testing::first_difference(one, std::vector<double>(many[1].begin(), many[1].end())) == "");
    CHECK(one.back() > 0);
    for (double d : many[2]) CHECK(d < 1e-4);  // from a prompt to itself: rounding of the path alone
}

TEST_CASE("attention scores and patterns can be read out too", "[sweep][interpolate]") {
    auto const model = golden_model<double>("llama_gqa")(1);
    auto const prompts = golden::prompts(golden::models_folder() / "llama_gqa" / "tokens.npy");
    for (std::string const read : {"blocks.2.attn.hook_attn_scores", "blocks.2.attn.hook_pattern"}) {
        auto const curve = sweep::interpolate(model, prompts[0], prompts[1], 5, {.read = read});
        CHECK(curve.front() == 0);
        CHECK(std::isfinite(curve.back()));
        CHECK(curve.back() > 0);
    }
}

TEST_CASE("fewer than two steps are no interpolation", "[sweep][interpolate][errors]") {
    auto const model = golden_model<float>("llama_gqa")(1);
    CHECK_THROWS_WITH(sweep::interpolate(model, std::vector<plateau::token_id>{1}, {2}, 1),
                      contains("at least 2 steps"));
}

}  // namespace
