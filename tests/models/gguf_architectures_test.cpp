#include <plateau/engine/load.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/models/families.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// The files are made by llama.cpp's converter (tests/golden/make_gguf_architectures.py) from folders that transformers
// saved, and what is expected of them by transformers in double.

namespace {

namespace fs = std::filesystem;
namespace io = plateau::io;

fs::path files() { return fs::path(baked::tests) / "golden" / "gguf" / "architectures"; }

/// The model of a file as transformers saved it.
fs::path folder_of(std::string const& name) {
    return fs::exists(files() / name) ? files() / name : golden::models_folder() / name;
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (auto const& entry : fs::directory_iterator(files())) {
        if (entry.path().extension() == ".gguf") all.push_back(entry.path().stem().string());
    }
    return all;
}

std::vector<float> values_of(auto const& checkpoint, std::string const& name) {
    std::vector<float> values(static_cast<std::size_t>(io::element_count(checkpoint.info(name))));
    checkpoint.read(name, std::span<float>(values));
    return values;
}

}  // namespace

TEST_CASE("files of every architecture have the tensors of their folder, bit for bit", "[models][gguf]") {
    auto const all = names();
    CHECK(all.size() >= 18);
    for (auto const& name : all) {
        CAPTURE(name);
        io::gguf_checkpoint const file{files() / (name + ".gguf")};
        io::safetensors_checkpoint const folder{folder_of(name)};
        CHECK(file.names() == folder.names());
        bool const gemma = file.config().model_type.starts_with("gemma");
        for (auto const& tensor : folder.names()) {
            CAPTURE(tensor);
            CHECK(file.info(tensor).shape == folder.info(tensor).shape);
            auto const got = values_of(file, tensor);
            auto expected = values_of(folder, tensor);
            if (gemma && tensor.ends_with("norm.weight")) {
                for (float& value : expected) value += 1;
            }
            REQUIRE(got.size() == expected.size());
            CHECK(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0);
            // and any rows of them
            plateau::index const rows = file.info(tensor).shape[0],
                                 width = static_cast<plateau::index>(got.size()) / rows;
            for (plateau::index first : {plateau::index{0}, rows / 3, rows - 1}) {
                plateau::index const count = (rows - first + 1) / 2;
                std::vector<float> part(static_cast<std::size_t>(count * width));
                file.read_rows(tensor, first, count, std::span<float>(part));
                CHECK(std::memcmp(part.data(), got.data() + first * width, part.size() * sizeof(float)) == 0);
            }
        }
    }
}

TEST_CASE("files of every architecture have the configuration of their folder", "[models][gguf]") {
    for (auto const& name : names()) {
        CAPTURE(name);
        auto const a = io::gguf_checkpoint{files() / (name + ".gguf")}.config();
        auto const path = folder_of(name) / "config.json";
        auto const b = plateau::models::parse_model_config(io::read_text(path), path.string());
        CHECK(a.model_type == b.model_type);
        CHECK(a.layers == b.layers);
        CHECK(a.d_model == b.d_model);
        CHECK(a.heads == b.heads);
        CHECK(a.kv_heads == b.kv_heads);
        CHECK(a.d_head == b.d_head);
        CHECK(a.d_mlp == b.d_mlp);
        CHECK(a.vocab == b.vocab);
        CHECK(a.context == b.context);
        CHECK(a.norm == b.norm);
        CHECK(a.norm_eps == b.norm_eps);
        CHECK(a.norm_weights == b.norm_weights);
        CHECK(a.norm_offset == 0);
        CHECK(a.parallel == b.parallel);
        CHECK(a.act == b.act);
        CHECK(a.gated_mlp == b.gated_mlp);
        CHECK(a.qkv_bias == b.qkv_bias);
        CHECK(a.out_bias == b.out_bias);
        CHECK(a.mlp_bias == b.mlp_bias);
        CHECK(a.rope.theta == b.rope.theta);
        CHECK(a.rope.width(a.d_head) == b.rope.width(b.d_head));
        CHECK(a.rope.short_factors == b.rope.short_factors);
        CHECK(a.rope.long_factors == b.rope.long_factors);
        CHECK(std::abs(a.rope.attention_factor - b.rope.attention_factor) < 1e-6);
        CHECK(a.rope.restarts == b.rope.restarts);
        CHECK(a.most_positions() == b.most_positions());
        CHECK(a.local_rope.kind == b.local_rope.kind);
        CHECK(a.local_rope.theta == b.local_rope.theta);
        CHECK(a.unrotated == b.unrotated);
        CHECK(a.rope.divisors.empty() == (b.rope.kind != io::rope_kind::llama3));
        double const scale = 1 / std::sqrt(static_cast<double>(a.d_head));
        CHECK(std::abs(a.score_scale.value_or(scale) - b.score_scale.value_or(scale)) < 1e-15);
        CHECK(a.score_cap == b.score_cap);
        CHECK(a.clip_qkv == b.clip_qkv);
        CHECK(a.qk_norm == b.qk_norm);
        CHECK(a.windows == b.windows);
        CHECK(a.learned_positions == b.learned_positions);
        CHECK(a.embedding_scale == b.embedding_scale);
        CHECK(a.tied_head == b.tied_head);
        CHECK(a.head_bias == b.head_bias);
        CHECK(a.logit_cap == b.logit_cap);
        CHECK(a.scaled_outputs == b.scaled_outputs);
    }
}

TEST_CASE("files of every architecture compute what transformers computes", "[models][gguf][golden]") {
    std::map<std::string, double> const roundings{
        {"gemma", 2e-6}, {"gemma2", 2e-6}, {"gemma3", 2e-6}, {"llama3_rope", 2e-5}, {"phi3_longrope", 2e-5}};
    for (auto const& name : names()) {
        double const bound = roundings.contains(name) ? roundings.at(name) : 1e-10;
        auto const model = plateau::load<double>(files() / (name + ".gguf"));
        CHECK_THROWS_WITH(model.tokenize("text"),
                          plateau::testing::contains("no vocabulary") && plateau::testing::contains("token ids"));
        auto const prompts = golden::prompts(folder_of(name) / "tokens.npy");
        for (auto const& entry : fs::directory_iterator(folder_of(name) / "expected")) {
            auto const site = entry.path().stem().string();
            auto const want = io::read_npy<double>(entry.path());
            double difference = 0, largest = 0;
            std::size_t at = 0;
            for (auto const& prompt : prompts) {
                auto const got = model.run_with_cache(prompt, {site}).cache[site].values();
                for (double const value : got) {
                    double const expected = want.values.at(at++);
                    if (std::isinf(expected) && expected == value) continue;
                    difference = std::max(difference, std::abs(value - expected));
                    largest = std::max(largest, std::abs(expected));
                }
            }
            CAPTURE(name, site, difference, largest);
            CHECK(at == want.values.size());
            CHECK(difference <= bound * largest);
        }
    }
}
