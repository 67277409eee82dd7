#include <plateau/models/shuffled_weights.hpp>

#include <algorithm>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace models = plateau::models;

using source_of = models::source_of<plateau::io::safetensors_checkpoint, float>;

std::vector<float> values_of(models::tensor_source<float> const& source, std::string const& name) {
    index size = 1;
    for (index const extent : source.shape(name)) size *= extent;
    std::vector<float> values(static_cast<std::size_t>(size));
    source.read_rows(name, 0, source.shape(name).front(), std::span<float>{values});
    return values;
}

TEST_CASE("a shuffled tensor has the values of the stored one in other places", "[models][shuffled]") {
    source_of const source{golden::models_folder() / "llama_gqa"};
    models::shuffled_weights<float> const shuffled{source, 1}, again{source, 1}, other{source, 2};
    for (std::string const name :
         {"model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"}) {
        auto before = values_of(source, name), after = values_of(shuffled, name);
        CHECK(after == values_of(again, name));
        CHECK_FALSE(after == values_of(other, name));
        CHECK_FALSE(after == before);
        std::sort(before.begin(), before.end());
        std::sort(after.begin(), after.end());
        CHECK(after == before);
    }
}

TEST_CASE("rows of a shuffled tensor are those of the whole, however they are read", "[models][shuffled]") {
    source_of const source{golden::models_folder() / "llama_gqa"};
    models::shuffled_weights<float> const whole{source, 1}, parts{source, 1};
    std::string const name = "model.layers.0.mlp.up_proj.weight";
    auto const shape = source.shape(name);
    auto const values = values_of(whole, name);
    std::vector<float> pieced(values.size());
    for (index r = shape[0] - 1; r >= 0; --r) {
        parts.read_rows(name, r, 1,
                        std::span<float>{pieced}.subspan(static_cast<std::size_t>(r * shape[1]),
                                                         static_cast<std::size_t>(shape[1])));
    }
    CHECK(pieced == values);
}

TEST_CASE("a shuffled model runs, the same for any number of threads", "[models][shuffled]") {
    plateau::load_options const options{.weights = plateau::weights::shuffled, .seed = 7};
    auto const model = plateau::testing::golden_model<float>("gpt2", options);
    auto const run = [&](int threads) {
        std::vector<float> logits;
        model(threads).run({{1, 2, 3}},
                           plateau::hooks::capture<float>("unembed.hook_out", [&](auto const&, auto const&, auto rows) {
                               logits.assign(rows.data(), rows.data() + rows.size());
                           }));
        return logits;
    };
    CHECK(run(1) == run(3));
}

}  // namespace
