#include <plateau/engine/load.hpp>

#include <cmath>
#include <mutex>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;
namespace models = plateau::models;

struct error_of_site {
    double difference = 0, largest = 0;
    index compared = 0;
};

/// Largest difference of every expected site of a model, and the largest magnitude expected there.
template <class T>
std::map<std::string, error_of_site> errors_of(std::string const& name) {
    auto const expected = golden::expected(name);
    auto const model = plateau::testing::golden_model<T>(name)(2);
    auto const prompts = golden::prompts(golden::models_folder() / name / "tokens.npy");
    auto const length = static_cast<index>(prompts.front().size());
    std::map<std::string, error_of_site> errors;
    hooks::hook_set<T> captures;
    for (auto const& [site, reference] : expected) {
        auto const compare = [&errors, &reference, length](hooks::site const& at, hooks::where const& w,
                                                           plateau::tensor::view<T const, 3> rows) {
            auto& error = errors[at.name()];
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& id = w.rows[r];
                index const a_count = rows.extent(1), b_count = rows.extent(2);
                for (index a = 0; a < a_count; ++a) {
                    for (index b = 0; b < b_count; ++b) {
                        index const offset =
                            at.axes == hooks::site_axes::keys || at.axes == hooks::site_axes::heads_first
                                ? ((id.item * a_count + a) * length + id.position) * b_count + b
                                : ((id.item * length + id.position) * a_count + a) * b_count + b;
                        double const want = reference.values.at(static_cast<std::size_t>(offset));
                        double const got = static_cast<double>(rows(static_cast<index>(r), a, b));
                        ++error.compared;
                        if (std::isinf(want) && want == got) continue;
                        error.difference = std::max(error.difference, std::abs(got - want));
                        if (std::isnan(got)) error.difference = std::numeric_limits<double>::infinity();
                        error.largest = std::max(error.largest, std::abs(want));
                    }
                }
            }
        };
        captures = captures | hooks::capture<T>(site, hooks::serialised<T>(compare));
    }
    model.run(prompts, captures);
    return errors;
}

TEMPLATE_TEST_CASE("every expected site agrees with the published implementation", "[models][golden]", float, double) {
    double const bound = std::is_same_v<TestType, double> ? 1e-10 : 2e-5;
    for (auto const& name : golden::model_names()) {
        auto const errors = errors_of<TestType>(name);
        auto const expected = golden::expected(name);
        CHECK(errors.size() == expected.size());
        auto const config_file = golden::models_folder() / name / "config.json";
        auto const config = models::parse_model_config(plateau::io::read_text(config_file), config_file.string());
        // embedding, the stream before and after every block and between its parts, the final norm, logits
        CHECK(static_cast<index>(errors.size()) >= 5 + config.layers * (config.parallel ? 1 : 2));
        for (auto const& [site, error] : errors) {
            CAPTURE(name, site, error.difference, error.largest);
            CHECK(error.compared == static_cast<index>(expected.at(site).values.size()));
            CHECK(error.difference <= bound * error.largest);
        }
    }
}

TEST_CASE("the configuration of transformers 4 means the same as that of transformers 5", "[models][config]") {
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const read = [&](char const* file) {
            auto const path = golden::models_folder() / name / file;
            return plateau::models::parse_model_config(plateau::io::read_text(path), path.string());
        };
        auto const a = read("config.json"), b = read("config.v4.json");
        CHECK(a.layers == b.layers);
        CHECK(a.d_head == b.d_head);
        CHECK(a.kv_heads == b.kv_heads);
        CHECK(a.d_mlp == b.d_mlp);
        CHECK(a.norm_eps == b.norm_eps);
        CHECK(a.act == b.act);
        CHECK(a.rope.kind == b.rope.kind);
        CHECK(a.rope.theta == b.rope.theta);
        CHECK(a.rope.factor == b.rope.factor);
        CHECK(a.rope.original_context == b.rope.original_context);
        CHECK(a.tied_head == b.tied_head);
        CHECK(a.rope.fraction == b.rope.fraction);
        CHECK(a.windows == b.windows);
        CHECK(a.score_scale == b.score_scale);
        CHECK(a.qkv_bias == b.qkv_bias);
        CHECK(a.mlp_bias == b.mlp_bias);
    }
}

TEST_CASE("dynamic rotary positions are the usual ones within the trained length", "[models][golden]") {
    plateau::testing::scratch_dir const folder;
    auto const from = golden::models_folder() / "llama_dynamic_rope";
    auto text = plateau::io::read_text(from / "config.json");
    auto const at = text.find("\"dynamic\"");
    REQUIRE(at != std::string::npos);
    tiny::write_text(folder.path() / "config.json", text.replace(at, 9, "\"default\""));
    std::filesystem::copy(from / "model.safetensors", folder.path() / "model.safetensors");
    auto const dynamic = plateau::testing::golden_model<float>("llama_dynamic_rope")(1);
    auto const usual = plateau::load<float>(folder.path());
    auto prompt = golden::prompts(from / "tokens.npy").front();
    CHECK(usual.context_length() == 16);
    CHECK(dynamic.logits({prompt}).extent(0) == 24);  // longer than trained
    prompt.resize(16);
    auto const a = dynamic.logits(prompt), b = usual.logits(prompt);
    CHECK(plateau::testing::same_bits(a.data(), b.data(), a.size()));
}

TEST_CASE("bfloat16 storage stays within its rounding of fp32", "[models][bf16]") {
    auto const prompts = golden::prompts(golden::models_folder() / "llama_gqa" / "tokens.npy");
    auto const logits = [&](bool bf16) {
        auto const model = plateau::testing::golden_model<float>("llama_gqa", {.bf16 = bf16})(1);
        std::vector<float> all;
        model.run(prompts, hooks::capture<float>("unembed.hook_out", [&](auto const&, auto const&, auto rows) {
                      all.insert(all.end(), rows.data(), rows.data() + rows.size());
                  }));
        return all;
    };
    auto const full = logits(false), half = logits(true);
    REQUIRE(full.size() == half.size());
    double difference = 0, largest = 0;
    for (std::size_t i = 0; i < full.size(); ++i) {
        difference = std::max(difference, std::abs(static_cast<double>(full[i] - half[i])));
        largest = std::max(largest, std::abs(static_cast<double>(full[i])));
    }
    CHECK(difference < 0.1 * largest);
    CHECK(difference > 1e-5 * largest);  // the rounding happened
}

}  // namespace
