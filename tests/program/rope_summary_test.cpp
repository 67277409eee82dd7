#include <plateau/program/rope_summary.hpp>

#include <vector>

#include "support/catch.hpp"

namespace {

using plateau::io::rope_kind;
using plateau::program::rope_summary;
using plateau::testing::WithinRel;
using json = nlohmann::ordered_json;

plateau::io::model_config with(plateau::io::rope_config rope) {
    plateau::io::model_config config;
    config.d_head = 8;
    config.rope = rope;
    return config;
}

TEST_CASE("rotary positions that nothing rescales have a type, a theta and dimensions", "[program][rope_summary]") {
    CHECK(rope_summary(with({.kind = rope_kind::standard, .theta = 1e6})) ==
          json{{"type", "default"}, {"theta", 1e6}, {"dimensions", 8}});
    CHECK(rope_summary(with({.kind = rope_kind::standard, .fraction = 0.5})) ==
          json{{"type", "default"}, {"theta", 10000.0}, {"dimensions", 4}});
    CHECK(rope_summary(with({.kind = rope_kind::none})).is_null());
}

TEST_CASE("linear scaling divides all frequencies by its factor", "[program][rope_summary]") {
    CHECK(rope_summary(with({.kind = rope_kind::linear, .factor = 4})) ==
          json{{"type", "linear"},
               {"theta", 10000.0},
               {"dimensions", 8},
               {"factor", 4.0},
               {"factors", std::vector<double>(4, 4.0)}});
}

TEST_CASE("divisors of a file are the factors", "[program][rope_summary]") {
    CHECK(rope_summary(with({.kind = rope_kind::standard, .divisors = {1, 1.25, 4, 8}})) ==
          json{{"type", "default"},
               {"theta", 10000.0},
               {"dimensions", 8},
               {"factors", std::vector<double>{1, 1.25, 4, 8}}});
}

TEST_CASE("llama3 scaling has its parameters and the factors that transformers has", "[program][rope_summary]") {
    auto const told = rope_summary(with({.kind = rope_kind::llama3,
                                         .theta = 1000,
                                         .factor = 8,
                                         .low_freq_factor = 1,
                                         .high_freq_factor = 4,
                                         .original_context = 64}));
    CHECK(told["type"] == "llama3");
    CHECK(told["factor"] == 8);
    CHECK(told["low_freq_factor"] == 1);
    CHECK(told["high_freq_factor"] == 4);
    CHECK(told["original_max_position_embeddings"] == 64);
    // theta^(-2i/8) over ROPE_INIT_FUNCTIONS["llama3"] of transformers 5.23, which computes in float
    std::vector<double> const published{1.0, 2.765173270825313, 7.999999488315073, 8.000000002920956};
    REQUIRE(told["factors"].size() == published.size());
    for (std::size_t i = 0; i < published.size(); ++i)
        CHECK_THAT(told["factors"][i].get<double>(), WithinRel(published[i], 1e-6));
}

TEST_CASE("scalings that go by the length have their parameters and both lists of factors", "[program][rope_summary]") {
    CHECK(rope_summary(with({.kind = rope_kind::dynamic, .factor = 2, .original_context = 64})) ==
          json{{"type", "dynamic"},
               {"theta", 10000.0},
               {"dimensions", 8},
               {"factor", 2.0},
               {"original_max_position_embeddings", 64}});
    auto const told = rope_summary(with({.kind = rope_kind::longrope,
                                         .factor = 4,
                                         .original_context = 64,
                                         .short_factors = {1, 1, 2, 4},
                                         .long_factors = {2, 4, 4, 8},
                                         .attention_factor = 1.25}));
    CHECK(told["type"] == "longrope");
    CHECK(told["attention_factor"] == 1.25);
    CHECK(told["factors"] == std::vector<double>{1, 1, 2, 4});
    CHECK(told["long_factors"] == std::vector<double>{2, 4, 4, 8});
    auto const yarn = rope_summary(with({.kind = rope_kind::yarn, .factor = 4, .original_context = 64}));
    CHECK((yarn["type"] == "yarn" && yarn["beta_fast"] == 32 && yarn["beta_slow"] == 1 && yarn["truncate"] == true));
    CHECK(yarn["factors"].size() == 4);
}

TEST_CASE("layers with rotary positions of their own, or none, are told", "[program][rope_summary]") {
    auto config = plateau::io::model_config{};
    config.d_head = 8;
    config.rope = {.kind = rope_kind::linear, .factor = 4};
    config.local_rope = {.kind = rope_kind::standard, .theta = 300};
    config.unrotated = {1, 3};
    auto const told = rope_summary(config);
    CHECK(told["full_attention"]["type"] == "linear");
    CHECK(told["sliding_attention"] == json{{"type", "default"}, {"theta", 300.0}, {"dimensions", 8}});
    CHECK(told["layers_without"] == json{1, 3});
}

}  // namespace
