// What activations prints and writes: names, shapes, values, padding.

#include <cmath>
#include <cstring>
#include <sstream>

#include <plateau/io/npz.hpp>

#include "programs/run.hpp"
#include "support/golden.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// Lines of `activations --list`: name and shape.
std::vector<std::pair<std::string, std::string>> listed(std::string const& model) {
    std::vector<std::pair<std::string, std::string>> sites;
    std::istringstream lines{succeed("activations", {"--list", "--model", model}).out};
    for (std::string line; std::getline(lines, line);) {
        auto const tab = line.find('\t');
        REQUIRE(tab != std::string::npos);
        sites.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    }
    return sites;
}

/// "[N,T,4,6]" with N and T filled in.
std::string filled(std::string const& shape, index prompts, index longest) {
    std::string text;
    for (char c : shape) {
        if (c == 'N') text += std::to_string(prompts);
        else if (c == 'T') text += std::to_string(longest);
        else text += c;
    }
    return text;
}

std::string text_of(std::vector<index> const& shape) {
    std::string text = "[";
    for (index extent : shape) text += (text.size() > 1 ? "," : "") + std::to_string(extent);
    return text + "]";
}

words arguments(std::string const& model, std::filesystem::path const& out, std::string const& sites,
                words const& more = {}) {
    words all{"--model", golden_model(model), "--tokens", golden_model(model) + "/tokens.npy", "--sites", sites,
              "--out",   out.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

template <class T>
void check_against_reference(std::string const& model, std::string const& dtype, double bound) {
    CAPTURE(model, dtype);
    scratch_dir const dir;
    auto const file = dir / "a.npz";
    auto const result = succeed("activations", arguments(model, file, "*", {"--dtype", dtype, "--threads", "2"}));
    CHECK_THAT(result.out, contains("unembed.hook_out"));
    CHECK(dir.entries() == 1);
    plateau::io::npz_reader const npz{file};
    auto const tokens = plateau::io::integers(npz.read("tokens"), "tokens");
    CHECK(npz.read("tokens").descr == "<i8");
    CHECK(tokens.values ==
          plateau::io::integers(plateau::io::read_npy(golden_model(model) + "/tokens.npy"), model).values);
    CHECK_FALSE(npz.contains("lengths"));
    auto sites = listed(golden_model(model));
    auto const on_request = std::erase_if(sites, [](auto const& one) {  // listed, but not found by `*`
        auto const is = [&](char const* ending) { return one.first.ends_with(ending); };
        return is("_input") || is("attn_in") || is("mlp_in") || is("hook_result");
    });
    CHECK(on_request >= 5);
    CHECK(npz.names().size() == sites.size() + 1);
    auto const expected = golden::expected(model);
    for (auto const& [name, shape] : sites) {
        CAPTURE(name, shape);
        auto const array = npz.read<T>(name);  // throws if the type is another
        REQUIRE(text_of(array.shape) == filled(shape, tokens.shape[0], tokens.shape[1]));
        auto const reference = expected.find(name);
        if (reference == expected.end()) continue;
        REQUIRE(array.values.size() == reference->second.values.size());
        double worst = 0, largest = 0;
        for (std::size_t i = 0; i < array.values.size(); ++i) {
            double const want = reference->second.values[i], got = static_cast<double>(array.values[i]);
            if (std::isinf(want)) {
                REQUIRE(got == want);  // masked scores
                continue;
            }
            worst = std::isnan(got) ? std::numeric_limits<double>::infinity() : std::max(worst, std::abs(got - want));
            largest = std::max(largest, std::abs(want));
        }
        CHECK(worst <= bound * largest);
    }
    for (auto const& [name, tensor] : expected) {
        CAPTURE(name);
        CHECK(npz.contains(name));
    }
}

TEST_CASE("a site that is there on request is given to who names it", "[programs][activations]") {
    scratch_dir const dir;
    succeed("activations", arguments("gpt2", dir / "a.npz", "*.hook_q_input,*hook_result,*hook_z,*resid_pre"));
    plateau::io::npz_reader const npz{dir / "a.npz"};
    auto const q = npz.read<float>("blocks.1.hook_q_input"), x = npz.read<float>("blocks.1.hook_resid_pre");
    CHECK(text_of(q.shape) == "[2,7,3,18]");
    CHECK(text_of(npz.read<float>("blocks.2.attn.hook_result").shape) == "[2,7,3,18]");
    for (std::size_t row = 0; row < 14; ++row) {
        for (std::size_t h = 0; h < 3; ++h) {
            for (std::size_t i = 0; i < 18; ++i) REQUIRE(q.values[(row * 3 + h) * 18 + i] == x.values[row * 18 + i]);
        }
    }
}

TEST_CASE("activations are those of the published implementation", "[programs][activations][golden]") {
    for (auto const* model : {"llama_gqa", "llama3_rope", "llama_bias_headdim", "qwen2", "gpt2", "gpt2_options"}) {
        check_against_reference<float>(model, "fp32", 2e-5);
        check_against_reference<double>(model, "fp64", 1e-10);
    }
}

TEST_CASE("--list needs a model and no more, and prints every hook point", "[programs][activations]") {
    auto const sites = listed(golden_model("llama_gqa"));
    std::map<std::string, std::string> const shapes(sites.begin(), sites.end());
    CHECK(shapes.size() == sites.size());
    CHECK(shapes.at("hook_embed") == "[N,T,24]");
    CHECK(shapes.at("blocks.2.attn.hook_q") == "[N,T,4,6]");
    CHECK(shapes.at("blocks.2.attn.hook_rot_k") == "[N,T,2,6]");
    CHECK(shapes.at("blocks.0.attn.hook_attn_scores") == "[N,4,T,T]");
    CHECK(shapes.at("blocks.1.ln1.hook_scale") == "[N,T,1]");
    CHECK(shapes.at("unembed.hook_out") == "[N,T,67]");
    CHECK(shapes.count("blocks.3.hook_resid_post") == 0);
    CHECK(shapes.count("hook_pos_embed") == 0);
    auto const of_gpt2 = listed(golden_model("gpt2"));
    CHECK(std::any_of(of_gpt2.begin(), of_gpt2.end(), [](auto const& site) { return site.first == "hook_pos_embed"; }));
}

TEST_CASE("patterns choose the hook points, in firing order", "[programs][activations]") {
    scratch_dir const dir;
    auto const names = [&](std::string const& sites) {
        succeed("activations", arguments("llama_gqa", dir / "a.npz", sites));
        return plateau::io::npz_reader{dir / "a.npz"}.names();
    };
    CHECK(names("blocks.*.hook_resid_post,unembed.hook_out") == words{"tokens", "blocks.0.hook_resid_post",
                                                                      "blocks.1.hook_resid_post",
                                                                      "blocks.2.hook_resid_post", "unembed.hook_out"});
    CHECK(names("blocks.?.hook_resid_pre") ==
          words{"tokens", "blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre", "blocks.2.hook_resid_pre"});
    CHECK(names("*1*hook_v") == words{"tokens", "blocks.1.attn.hook_v"});  // * takes dots too
    CHECK(names("unembed.hook_out,hook_embed,hook_*bed") == words{"tokens", "hook_embed", "unembed.hook_out"});
}

TEST_CASE("capturing one site or all of them, on any number of threads, gives the same bits",
          "[programs][activations]") {
    scratch_dir const dir;
    succeed("activations", arguments("llama_gqa", dir / "all.npz", "*", {"--threads", "1"}));
    plateau::io::npz_reader const all{dir / "all.npz"};
    for (auto const* site :
         {"unembed.hook_out", "blocks.1.hook_resid_post", "blocks.2.attn.hook_pattern", "ln_final.hook_out"}) {
        CAPTURE(site);
        succeed("activations", arguments("llama_gqa", dir / "one.npz", site));
        CHECK(plateau::io::npz_reader{dir / "one.npz"}.read(site).data == all.read(site).data);
    }
    for (auto const* threads : {"2", "3"}) {
        succeed("activations", arguments("llama_gqa", dir / "again.npz", "*", {"--threads", threads}));
        CHECK(bytes_of(dir / "again.npz") == bytes_of(dir / "all.npz"));
    }
}

TEST_CASE("bf16 rounds the weights and gives float32 arrays", "[programs][activations]") {
    scratch_dir const dir;
    succeed("activations", arguments("llama_gqa", dir / "a.npz", "unembed.hook_out", {"--dtype", "bf16"}));
    auto const logits = plateau::io::npz_reader{dir / "a.npz"}.read<float>("unembed.hook_out");
    auto const expected = golden::expected("llama_gqa").at("unembed.hook_out");
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(logits.values.at(i)) - expected.values[i]));
        largest = std::max(largest, std::abs(expected.values[i]));
    }
    CHECK(worst > 1e-5 * largest);
    CHECK(worst < 0.05 * largest);
}

TEST_CASE("prompts of unequal length are padded, and have the bits of a run alone", "[programs][activations]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    words const lines{" the river", "The plateau lies high above", "a"};
    std::string text;
    for (auto const& line : lines) text += line + "\n";
    auto const run_text = [&](std::string const& prompts, std::string const& out) {
        succeed("activations", {"--model", model, "--prompts", dir.write("prompts.txt", prompts).string(), "--sites",
                                "*", "--out", (dir / out).string(), "--threads", "2"});
        return plateau::io::npz_reader{dir / out};
    };
    auto const together = run_text(text, "together.npz");
    auto const tokens = together.read<std::int64_t>("tokens");
    auto const lengths = together.read<std::int64_t>("lengths");
    index const count = 3, longest = tokens.shape.at(1);
    REQUIRE(lengths.shape == std::vector<index>{count});
    REQUIRE(*std::max_element(lengths.values.begin(), lengths.values.end()) == longest);
    REQUIRE(*std::min_element(lengths.values.begin(), lengths.values.end()) == 1);
    for (index i = 0; i < count; ++i) {
        auto const alone = run_text(lines[static_cast<std::size_t>(i)] + "\n", "alone.npz");
        CHECK_FALSE(alone.contains("lengths"));
        auto const ids = alone.read<std::int64_t>("tokens");
        index const length = lengths.values[static_cast<std::size_t>(i)];
        REQUIRE(ids.shape == std::vector<index>{1, length});
        for (index t = 0; t < longest; ++t) {
            auto const token = tokens.values[static_cast<std::size_t>(i * longest + t)];
            CHECK(token == (t < length ? ids.values[static_cast<std::size_t>(t)] : -1));
        }
        for (auto const& name : together.names()) {
            if (name == "tokens" || name == "lengths") continue;
            CAPTURE(i, name);
            auto const many = together.read<float>(name), one = alone.read<float>(name);
            bool const scores = name.ends_with("attn_scores"), keys = scores || name.ends_with("pattern");
            index const heads = keys ? many.shape[1] : 1;
            index const width = static_cast<index>(one.values.size()) / (keys ? heads * length * length : length);
            index wrong = 0;
            auto const expect = [&](float got, float want) {
                wrong += std::memcmp(&got, &want, sizeof got) == 0 ? 0 : 1;
            };
            for (index h = 0; h < heads; ++h) {
                for (index t = 0; t < longest; ++t) {
                    if (keys) {
                        for (index key = 0; key < longest; ++key) {
                            float const got =
                                many.values[static_cast<std::size_t>(((i * heads + h) * longest + t) * longest + key)];
                            if (t >= length || key >= length) wrong += std::isnan(got) ? 0 : 1;
                            else expect(got, one.values[static_cast<std::size_t>((h * length + t) * length + key)]);
                            if (t < length && key < length && key > t) {
                                expect(got, scores ? -std::numeric_limits<float>::infinity() : 0.0f);
                            }
                        }
                    } else {
                        for (index d = 0; d < width; ++d) {
                            float const got = many.values[static_cast<std::size_t>((i * longest + t) * width + d)];
                            if (t >= length) wrong += std::isnan(got) ? 0 : 1;
                            else expect(got, one.values[static_cast<std::size_t>(t * width + d)]);
                        }
                    }
                }
            }
            CHECK(wrong == 0);
        }
    }
}

}  // namespace
