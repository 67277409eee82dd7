#include <plateau/models/random_weights.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
using plateau::testing::same_bits;
namespace models = plateau::models;

/// A random model of a folder's configuration.
plateau::model<float> random_of(std::filesystem::path const& folder, std::uint64_t seed, int threads) {
    return plateau::load<float>(folder,
                                {.backend = {.threads = threads}, .weights = plateau::weights::random, .seed = seed});
}

std::vector<float> tensor_of(models::random_weights<float> const& source, std::string const& name, index rows,
                             index columns) {
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    source.read_rows(name, 0, rows, std::span<float>{values});
    return values;
}

double deviation(std::vector<float> const& values) {
    double squares = 0, sum = 0;
    for (float const v : values) squares += static_cast<double>(v) * v, sum += v;
    double const n = static_cast<double>(values.size());
    CHECK(std::abs(sum / n) < 5 * std::sqrt(squares / n / n));  // the mean is 0
    return std::sqrt(squares / n);
}

TEST_CASE("random weights have the spread that the family starts from", "[models][random]") {
    auto const gpt2 = models::parse_model_config(
        R"({"model_type": "gpt2", "n_layer": 8, "n_embd": 64, "n_head": 4, "vocab_size": 100, "initializer_range": 0.05})",
        "config");
    models::random_weights<float> const weights{gpt2, 1};
    CHECK_THAT(deviation(tensor_of(weights, "transformer.h.3.mlp.c_fc.weight", 64, 256)),
               plateau::testing::WithinRel(0.05, 0.03));
    CHECK_THAT(deviation(tensor_of(weights, "transformer.h.3.mlp.c_proj.weight", 256, 64)),
               plateau::testing::WithinRel(0.05 / 4, 0.03));
    CHECK_THAT(deviation(tensor_of(weights, "transformer.h.3.attn.c_proj.weight", 64, 64)),
               plateau::testing::WithinRel(0.05 / 4, 0.06));
    for (float const v : tensor_of(weights, "transformer.h.3.ln_1.weight", 64, 1)) CHECK(v == 1);
    for (float const v : tensor_of(weights, "transformer.ln_f.weight", 64, 1)) CHECK(v == 1);
    for (float const v : tensor_of(weights, "transformer.h.3.mlp.c_fc.bias", 64, 1)) CHECK(v == 0);
    auto const gemma = models::parse_model_config(
        R"({"model_type": "gemma2", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 4, "intermediate_size": 8, "vocab_size": 10})",
        "config");
    for (float const v : tensor_of({gemma, 1}, "model.layers.0.pre_feedforward_layernorm.weight", 8, 1)) CHECK(v == 0);
}

TEST_CASE("an element is a function of seed, name and place", "[models][random]") {
    auto const config = models::parse_model_config(
        R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 8, "n_head": 2, "vocab_size": 100})", "config");
    auto const whole = tensor_of({config, 1}, "a.weight", 6, 8);
    std::vector<float> rows(16);
    models::random_weights<float>{config, 1}.read_rows("a.weight", 2, 2, std::span<float>{rows});
    CHECK(same_bits(rows.data(), whole.data() + 16, 16));
    CHECK_FALSE(tensor_of({config, 2}, "a.weight", 6, 8) == whole);
    CHECK_FALSE(tensor_of({config, 1}, "b.weight", 6, 8) == whole);
}

TEST_CASE("every family has a random model", "[models][random]") {
    for (auto const& name : golden::model_names()) {
        auto const folder = golden::models_folder() / name;
        CAPTURE(name);
        auto const run = [&](std::uint64_t seed, int threads) {
            std::vector<float> logits;
            random_of(folder, seed, threads)
                .run({{1, 2, 3}},
                     plateau::hooks::capture<float>("unembed.hook_out", [&](auto const&, auto const&, auto rows) {
                         logits.assign(rows.data(), rows.data() + rows.size());
                     }));
            return logits;
        };
        auto const first = run(1, 1);
        CHECK(run(1, 3) == first);
        CHECK_FALSE(run(2, 1) == first);
    }
}

TEST_CASE("a random model needs no weights", "[models][random]") {
    plateau::testing::scratch_dir const dir;
    auto const folder = golden::models_folder() / "llama_gqa";
    std::filesystem::copy_file(folder / "config.json", dir / "config.json");
    auto const logits = [&](std::filesystem::path const& of) {
        std::vector<float> all;
        random_of(of, 3, 2).run(
            {{1, 2, 3}}, plateau::hooks::capture<float>("unembed.hook_out", [&](auto const&, auto const&, auto rows) {
                all.assign(rows.data(), rows.data() + rows.size());
            }));
        return all;
    };
    CHECK(logits(dir.path()) == logits(folder));
    CHECK_THROWS_AS(random_of(dir.path(), 3, 2).require_tokenizer(), plateau::file_error);
    CHECK_THROWS_AS(plateau::load<float>(dir.path()), plateau::file_error);
    CHECK_THROWS_AS(random_of(dir / "absent", 3, 2), plateau::file_error);
    auto const path = golden::models_folder() / "olmo2" / "config.json";
    auto const config = models::parse_model_config(plateau::io::read_text(path), path.string());
    // of a configuration alone, without a folder
    models::random_weights<float> const weights{config, 1};
    auto const model = plateau::assemble<float>(std::make_shared<plateau::backend::cpu_context const>(2),
                                                plateau::models::model_texts{config, nullptr, "no folder"}, weights);
    CHECK(model.layers() == config.layers);
    CHECK_THROWS_AS(model.require_tokenizer(), plateau::file_error);
}

}  // namespace
