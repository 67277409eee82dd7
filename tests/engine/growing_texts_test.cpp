#include <plateau/engine/growing_texts.hpp>

#include <plateau/engine/forward.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::testing::contains;
using plateau::testing::random_model;

TEMPLATE_TEST_CASE("texts that grow by any number of tokens have the logits of the whole", "[engine][generate]", float,
                   double) {
    auto const model = random_model<TestType>(3)(1);
    using running = engine::growing_texts<TestType>;
    auto const texts = tiny::random_prompts(5, {30, 64, 3}, 37);
    std::vector<std::vector<std::vector<TestType>>> expected(texts.size());
    engine::forward(model.engine(), texts,
                    hooks::capture<TestType>("unembed.hook_out", [&](auto const&, hooks::where const& w, auto rows) {
                        for (std::size_t r = 0; r < w.rows.size(); ++r) {
                            auto const logits = rows[static_cast<index>(r)].flat();
                            expected[static_cast<std::size_t>(w.rows[r].item)].emplace_back(logits.begin(),
                                                                                            logits.end());
                        }
                    }));
    hooks::plan<TestType> const plan{{}, model.sites()};
    running prompts{model.engine(), plan};
    for (std::size_t i = 0; i < texts.size(); ++i)
        CHECK(prompts.add(static_cast<index>(i), static_cast<index>(texts[i].size())) == static_cast<index>(i));
    plateau::counter_rng rng{7};
    for (bool more = true; more;) {
        std::vector<typename running::step> steps;
        for (std::size_t i = texts.size(); i-- > 0;) {  // in another order than they were added in
            auto const from = static_cast<std::size_t>(prompts.length(static_cast<index>(i)));
            auto const count = std::min<std::size_t>(rng.below(6), texts[i].size() - from);
            if (count > 0) steps.push_back({static_cast<index>(i), {texts[i].data() + from, count}});
        }
        more = false;
        if (!steps.empty()) {
            auto const logits = prompts.advance(steps);
            for (std::size_t s = 0; s < steps.size(); ++s) {
                auto const& whole = expected[static_cast<std::size_t>(steps[s].text)]
                                            [static_cast<std::size_t>(prompts.length(steps[s].text)) - 1];
                CHECK(plateau::testing::same_bits(logits[static_cast<index>(s)].data(), whole.data(), 37));
            }
        }
        for (std::size_t i = 0; i < texts.size(); ++i)
            more = more || prompts.length(static_cast<index>(i)) < static_cast<index>(texts[i].size());
    }
}

TEMPLATE_TEST_CASE("rotary frequencies go by the length of a text as in the caches of transformers",
                   "[engine][generate][golden]", float, double) {
    double const bound = std::is_same_v<TestType, double> ? 1e-10 : 2e-5;
    for (std::string const name : {"llama_dynamic_rope", "phi3_longrope"}) {
        CAPTURE(name);
        auto const folder = golden::models_folder() / name / "growing";
        auto const texts = golden::prompts(folder / "tokens.npy");
        auto const expected = plateau::io::read_npy<double>(folder / "logits.npy");
        auto const model = plateau::testing::golden_model<TestType>(name)(1);
        index const steps = expected.shape[1], vocabulary = expected.shape[2];
        hooks::plan<TestType> const plan{{}, model.sites()};
        engine::growing_texts<TestType> growing{model.engine(), plan};
        for (std::size_t i = 0; i < texts.size(); ++i) growing.add(static_cast<index>(i), 24);
        double difference = 0, largest = 0;
        for (index n = 0; n < steps; ++n) {
            std::vector<typename engine::growing_texts<TestType>::step> more;
            for (std::size_t i = 0; i < texts.size(); ++i) {
                index const from = n == 0 ? 0 : 11 + n, count = n == 0 ? 12 : 1;
                more.push_back({static_cast<index>(i), std::span{texts[i]}.subspan(static_cast<std::size_t>(from),
                                                                                   static_cast<std::size_t>(count))});
            }
            auto const logits = growing.advance(more);
            for (index i = 0; i < logits.extent(0); ++i) {
                for (index v = 0; v < vocabulary; ++v) {
                    double const want = expected.values[static_cast<std::size_t>((i * steps + n) * vocabulary + v)];
                    difference = std::max(difference, std::abs(static_cast<double>(logits(i, v)) - want));
                    largest = std::max(largest, std::abs(want));
                }
            }
        }
        CHECK(difference <= bound * largest);
    }
}

TEST_CASE("a text that outgrows its place is refused", "[engine][generate][errors]") {
    auto const model = random_model<float>(3)(1);
    hooks::plan<float> const plan{{}, model.sites()};
    engine::growing_texts<float> prompts{model.engine(), plan};
    CHECK_THROWS_WITH(prompts.add(4, 65),
                      contains("prompt 4: 65 positions are asked for, the model's context ends at 64"));
    prompts.add(4, 3);
    std::vector<token_id> const tokens{1, 2, 3, 4};
    auto const advance = [&](std::size_t count) {
        std::vector<engine::growing_texts<float>::step> const steps{{0, {tokens.data(), count}}};
        prompts.advance(steps);
    };
    CHECK_THROWS_WITH(advance(4), contains("beyond the 3 positions"));
    CHECK_THROWS_WITH(advance(0), contains("by no token"));
    CHECK_NOTHROW(advance(3));
    CHECK_THROWS_WITH(advance(1), contains("beyond the 3 positions"));
}

}  // namespace
