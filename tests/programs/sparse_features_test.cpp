// sensitive_directions and blow_up with a sparse autoencoder: --sae.

#include <cmath>

#include <plateau/sae/feature_direction.hpp>
#include <plateau/sae/load_sae.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");
constexpr index width = 24, features = 40;

/// A random autoencoder of the model's width. @param dead  of its features, so many
/// @param metadata  more of it
std::string write_sae(scratch_dir const& dir, std::string const& site, index dead, index inputs = width,
                      nlohmann::json const& metadata = {}) {
    tiny::checkpoint file{1};
    file.tensors.clear();
    plateau::counter_rng rng{3};
    auto const add = [&](std::string const& name, std::vector<index> shape, float spread) {
        tiny::stored_tensor tensor{shape, {}};
        for (index i = 0; i < shape[0] * (shape.size() > 1 ? shape[1] : 1); ++i)
            tensor.values.push_back(spread * static_cast<float>(rng.uniform() - 0.5));
        file.tensors[name] = std::move(tensor);
    };
    add("W_enc", {inputs, features}, 2);
    add("W_dec", {features, inputs}, 1);
    add("b_dec", {inputs}, 0.2F);
    add("b_enc", {features}, 0.2F);
    for (index f = 0; f < dead; ++f) file.tensors["b_enc"].values[static_cast<std::size_t>(f)] = -1e6F;
    auto const folder = dir.path() / "sae";
    std::filesystem::create_directories(folder);
    file.write(folder);
    std::filesystem::rename(folder / "model.safetensors", folder / "sae_weights.safetensors");
    std::filesystem::remove(folder / "config.json");
    nlohmann::json config{{"d_in", inputs},
                          {"d_sae", features},
                          {"architecture", "standard"},
                          {"metadata", {{"hook_name", site}, {"sae_lens_version", "6.0.0"}}}};
    if (metadata.is_object()) config["metadata"].update(metadata);
    tiny::write_text(folder / "cfg.json", config.dump());
    return folder.string();
}

std::string prompts(scratch_dir const& dir) {
    return write_tokens(dir / "tokens.npy", tiny::random_prompts(5, std::vector<index>(6, 7), 60));
}

TEST_CASE("sensitive_directions --sae adds rows of features and the error", "[programs][sensitive_directions][sae]") {
    scratch_dir const dir;
    auto const sae = write_sae(dir, "blocks.1.hook_resid_pre", 5),
               tokens = prompts(dir);  // the other name of blocks.0.hook_resid_post
    words const arguments{
        "--model",   model,       "--tokens",    tokens,
        "--sae",     sae,         "--families",  "isotropic,real,sae-error,sae-dead,sae-active,sae-inactive",
        "--lengths", "0.1,0.5,1", "--resamples", "50"};
    auto const with = [&](words more) {
        more.insert(more.begin(), arguments.begin(), arguments.end());
        return more;
    };
    succeed("sensitive_directions", with({"--threads", "1", "--out", (dir / "one").string()}));
    succeed("sensitive_directions", with({"--threads", "3", "--out", (dir / "three").string()}));
    check_same_files(dir / "one", dir / "three");
    auto const kl = read_npy<double>(dir / "one" / "kl.npy");
    CHECK(kl.shape == std::vector<index>{6, 6, 1, 3});
    for (double const x : kl.values) CHECK((std::isfinite(x) && x >= 0));
    auto const summary = json_of(dir / "one" / "summary.json");
    CHECK(summary.at("dead_features").get<int>() >= 5);
    CHECK(summary.at("kl_at").size() == 6);
    // without --families: those that exist come after the others
    auto const run =
        succeed("sensitive_directions", {"--model", model, "--tokens", tokens, "--sae", sae, "--lengths", "0.5",
                                         "--resamples", "50", "--components", "2", "--out", (dir / "all").string()});
    CHECK(json_of(dir / "all" / "summary.json").at("families").size() == 10);
}

TEST_CASE("sensitive_directions --sae leaves out a family without directions, unless it was asked for",
          "[programs][sensitive_directions][sae]") {
    scratch_dir const dir;
    auto const sae = write_sae(dir, "blocks.0.hook_resid_post", features), tokens = prompts(dir);  // all dead
    words const arguments{
        "--model", model,         "--tokens", tokens,         "--sae", sae,     "--lengths",
        "0.5",     "--resamples", "50",       "--components", "2",     "--out", (dir / "out").string()};
    auto const run = succeed("sensitive_directions", arguments);
    CHECK_THAT(run.out, contains("sae-active is left out"));
    CHECK_THAT(run.out, contains("sae-inactive is left out"));
    CHECK(json_of(dir / "out" / "summary.json").at("families").size() == 8);
    auto asked = arguments;
    asked.insert(asked.end(), {"--families", "isotropic,sae-active"});
    fail(1, "sensitive_directions", asked, "no feature of the sparse autoencoder is active");
    CHECK_THAT(run.out, contains("sae-dead"));
}

TEST_CASE("blow_up --sae adds centres made of features", "[programs][blow_up][sae]") {
    scratch_dir const dir;
    auto const sae = write_sae(dir, "blocks.0.hook_resid_post", 3), tokens = prompts(dir);
    words const arguments{"--model", model, "--tokens", tokens, "--steps", "12", "--step", "0.1", "--resamples", "50"};
    auto const with = [&](words more) {
        more.insert(more.begin(), arguments.begin(), arguments.end());
        return more;
    };
    succeed("blow_up", with({"--out", (dir / "plain").string()}));
    succeed("blow_up", with({"--sae", sae, "--threads", "1", "--out", (dir / "one").string()}));
    succeed("blow_up", with({"--sae", sae, "--threads", "3", "--out", (dir / "three").string()}));
    check_same_files(dir / "one", dir / "three");
    auto const plain = read_npy<double>(dir / "plain" / "distances.npy"),
               all = read_npy<double>(dir / "one" / "distances.npy");
    CHECK(plain.shape == std::vector<index>{2, 3, 6, 13});
    REQUIRE(all.shape == std::vector<index>{4, 3, 6, 13});
    CHECK(std::equal(plain.values.begin(), plain.values.end(),
                     all.values.begin()));  // real and gaussian centres are as they were
    for (double const x : all.values) CHECK(std::isfinite(x));
    CHECK(read_npy<double>(dir / "one" / "norms.npy").shape == std::vector<index>{4, 6});
    auto const summary = json_of(dir / "one" / "summary.json");
    CHECK(summary.at("max_slope_step").size() == 12);
    CHECK(summary.at("effects").contains("real - synthetic-structured centre, toward real"));
}

TEST_CASE("autoencoders that do not fit are refused", "[programs][sae]") {
    scratch_dir const dir;
    auto const tokens = prompts(dir);
    for (std::string const program : {"sensitive_directions", "blow_up"}) {
        words const arguments{"--model", model, "--tokens", tokens, "--out", (dir / "out").string(), "--sae"};
        auto const with = [&](std::string const& folder) {
            auto all = arguments;
            all.push_back(folder);
            return all;
        };
        fail(2, program, with(write_sae(dir, "blocks.2.hook_resid_post", 0)), "blocks.2.hook_resid_post");
        fail(2, program, with(write_sae(dir, "blocks.0.hook_resid_post", 0, width + 1)), "25 inputs");
        fail(1, program, with((dir / "nothing").string()), "cfg.json");
    }
    fail(2, "sensitive_directions", {"--model", model, "--tokens", tokens, "--families", "isotropic,sae-error"},
         "--sae");
}

TEST_CASE("an autoencoder that knows another model or other prompts says so in a line", "[programs][sae]") {
    scratch_dir const dir;
    auto const tokens = prompts(dir);
    nlohmann::json const centred{{"model_from_pretrained_kwargs", {{"center_writing_weights", true}}}};
    auto const lines = [&](std::string const& model_folder, nlohmann::json const& metadata, std::string const& out) {
        index const inputs = model_folder == model ? width : 18;
        auto const sae = write_sae(dir, "blocks.0.hook_resid_post", 0, inputs, metadata);
        auto const result = run("sensitive_directions", {"--model", model_folder, "--tokens", tokens, "--sae", sae,
                                                         "--families", "isotropic,sae-error", "--lengths", "0.5",
                                                         "--resamples", "50", "--out", (dir / out).string()});
        REQUIRE(result.status == 0);
        return result.err;
    };
    CHECK(lines(model, {}, "plain").empty());
    CHECK_THAT(lines(model, centred, "rms"), contains("has RMSNorm") && contains("as they are"));
    CHECK(bytes_of(dir / "plain" / "kl.npy") == bytes_of(dir / "rms" / "kl.npy"));
    auto const gpt2 = golden_model("gpt2");
    CHECK(lines(gpt2, {}, "gpt2").empty());
    CHECK_THAT(lines(gpt2, centred, "gpt2_centred"), contains("less their mean over the residual stream"));
    CHECK(bytes_of(dir / "gpt2" / "kl.npy") != bytes_of(dir / "gpt2_centred" / "kl.npy"));
    auto const both = lines(model, {{"prepend_bos", true}, {"context_size", 4}}, "bos");
    CHECK_THAT(both, contains("6 of 6 prompts do not") && contains("texts of 4 tokens"));
    CHECK(std::ranges::count(both, '\n') == 2);
}

}  // namespace
