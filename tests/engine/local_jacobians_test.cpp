#include <plateau/engine/local_jacobians.hpp>

#include <plateau/engine/load.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace {

using plateau::index;

TEST_CASE("local Jacobians of all blocks are those of each block", "[engine][tangents]") {
    std::vector<plateau::token_id> const prompt{3, 5, 7, 11};
    for (std::string const name : {"llama_gqa", "gpt2", "phi"}) {
        auto const model = plateau::load<double>(golden::models_folder() / name, {.backend = {.threads = 2}});
        for (auto const& [write, read] : {std::pair{"hook_resid_pre", "hook_resid_post"},
                                          {"attn.hook_z", "hook_resid_post"},
                                          {"hook_resid_pre", "mlp.hook_post"}}) {
            auto const all = plateau::local_jacobians(model, prompt, {.write = write, .read = read});
            REQUIRE(all.extent(0) == model.layers());
            for (int layer = 0; layer < model.layers(); ++layer) {
                CAPTURE(name, write, read, layer);
                auto const within = "blocks." + std::to_string(layer) + ".";
                auto const one = model.jacobian(prompt, {.write = within + write, .read = within + read});
                REQUIRE(all[layer].extents() == one.extents());
                double worst = 0, largest = 0;
                for (index i = 0; i < one.size(); ++i) {
                    worst = std::max(worst, std::abs(all[layer].data()[i] - one.data()[i]));
                    largest = std::max(largest, std::abs(one.data()[i]));
                }
                CHECK(worst <= 1e-13 * largest);
            }
        }
    }
    auto const model = plateau::load<float>(golden::models_folder() / "llama_gqa");
    CHECK_THROWS_AS(plateau::local_jacobians(model, prompt, {.write = "hook_resid_post", .read = "hook_resid_pre"}),
                    plateau::site_error);
}

}  // namespace
