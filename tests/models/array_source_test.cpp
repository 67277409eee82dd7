#include <plateau/models/array_source.hpp>

#include <limits>
#include <list>

#include <plateau/engine/load.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace {

using plateau::index;
namespace models = plateau::models;

/// A checkpoint's tensors as arrays.
template <class T>
struct copied {
    plateau::io::model_config config;
    std::list<std::vector<T>> values;
    models::array_source<T> source{"my arrays"};

    explicit copied(std::filesystem::path const& folder) {
        auto const opened = models::open<T>(folder);
        config = opened.config;
        for (auto const& name : opened.weights->names()) {
            auto const shape = opened.weights->shape(name);
            index count = 1;
            for (index const extent : shape) count *= extent;
            auto& array = values.emplace_back(static_cast<std::size_t>(count));
            opened.weights->read_rows(name, 0, shape.front(), std::span<T>{array});
            source.add(name, shape, array);
        }
    }
};

TEMPLATE_TEST_CASE("a model of arrays computes what the checkpoint's does", "[models][array_source]", float, double) {
    std::vector<plateau::token_id> const prompt{1, 5, 2, 7, 3};
    auto const cpu = std::make_shared<plateau::backend::cpu_context const>(2);
    for (std::string const name : {"gpt2", "llama_gqa", "gpt_neox"}) {
        CAPTURE(name);
        auto const folder = golden::models_folder() / name;
        auto const stored = plateau::load_on<TestType>(cpu, folder);
        for (bool const bf16 : {false, true}) {
            if (bf16 && !std::is_same_v<TestType, float>) continue;
            auto const mine = [&] {
                copied<TestType> const arrays{folder};  // is gone when the model runs
                return plateau::assemble<TestType>(cpu, {arrays.config, nullptr, "no text"}, arrays.source, bf16);
            }();
            auto const wanted =
                bf16 ? plateau::load_on<TestType>(cpu, folder, {.bf16 = true}).logits(prompt) : stored.logits(prompt);
            auto const got = mine.logits(prompt);
            CHECK(std::equal(got.flat().begin(), got.flat().end(), wanted.flat().begin(), wanted.flat().end()));
        }
    }
}

TEST_CASE("an array that does not fit is refused by name", "[models][array_source]") {
    using plateau::testing::contains;
    auto const folder = golden::models_folder() / "llama_gqa";
    plateau::backend::cpu_context const cpu{1};
    copied<float> arrays{folder};
    std::vector<float> const three{1, 2, std::numeric_limits<float>::infinity()};
    CHECK_THROWS_WITH(arrays.source.add("x", {2, 2}, three), contains("my arrays: 3 values for x, whose shape has 4"));
    CHECK_THROWS_WITH(arrays.source.add("model.norm.weight", {3}, three), contains("is there twice"));
    arrays.source.add("x", {3}, three);
    CHECK_THROWS_WITH(models::assemble(cpu, arrays.config, arrays.source), contains("x"));
    std::vector<float> out(2);
    arrays.source.read_rows("x", 0, 2, std::span{out});
    CHECK(out == std::vector<float>{1, 2});
    CHECK_THROWS_WITH(arrays.source.read_rows("x", 1, 2, std::span{out}), contains("x at flat index 2 is not finite"));
    CHECK_THROWS_AS(arrays.source.read_rows("x", 2, 2, std::span{out}), plateau::shape_error);
    CHECK_THROWS_WITH(arrays.source.shape("model.nrm.weight"), contains("model.norm.weight"));
}

}  // namespace
