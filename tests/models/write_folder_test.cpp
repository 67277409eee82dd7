#include <plateau/models/write_folder.hpp>

#include <filesystem>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
namespace models = plateau::models;

TEST_CASE("a folder that is written is the random model of its configuration, for every family", "[models][random]") {
    plateau::backend::cpu_context const cpu{2};
    int families = 0;
    for (auto const& entry : std::filesystem::directory_iterator(golden::models_folder())) {
        auto const config = entry.path() / "config.json";
        if (!std::filesystem::exists(config)) continue;
        CAPTURE(entry.path().string());
        ++families;
        plateau::testing::scratch_dir const dir;
        index const bytes = models::write_random_folder(cpu, config, dir.path(), 5, plateau::dtype::f32);
        CHECK(bytes < static_cast<index>(std::filesystem::file_size(dir / "model.safetensors")));
        auto const written = plateau::load<float>(dir.path());
        auto const random = plateau::load<float>(config, {.weights = plateau::weights::random, .seed = 5});
        std::vector<plateau::token_id> const prompt{1, 4, 2, 7};
        auto const a = written.logits(prompt), b = random.logits(prompt);
        REQUIRE(a.extents() == b.extents());
        CHECK(plateau::testing::same_bits(a.data(), b.data(), a.size()));
    }
    CHECK(families > 30);
}

TEST_CASE("a folder in bfloat16 holds half the bytes", "[models][random]") {
    plateau::backend::cpu_context const cpu{1};
    plateau::testing::scratch_dir const dir;
    auto const config = golden::models_folder() / "llama_gqa" / "config.json";
    index const wide = models::write_random_folder(cpu, config, dir / "wide", 5, plateau::dtype::f32);
    CHECK(2 * models::write_random_folder(cpu, config, dir / "half", 5, plateau::dtype::bf16) == wide);
    auto const written = plateau::load<float>(dir / "half", {.bf16 = true});
    auto const random = plateau::load<float>(config, {.weights = plateau::weights::random, .seed = 5, .bf16 = true});
    std::vector<plateau::token_id> const prompt{1, 4, 2};
    auto const a = written.logits(prompt), b = random.logits(prompt);
    CHECK(plateau::testing::same_bits(a.data(), b.data(), a.size()));
}

}  // namespace
