#include <plateau/models/layer_turns.hpp>

#include <chrono>
#include <thread>

#include <plateau/engine/forward_in_pieces.hpp>
#include <plateau/engine/generate.hpp>

#include "support/first_difference.hpp"
#include "support/sweeps.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::testing::same_bits;

/// A tiny Llama of five layers, in memory or in turns.
struct models_in_turns {
    plateau::testing::scratch_dir folder;

    explicit models_in_turns(bool tied) {
        tiny::checkpoint made{11, 0.3f, 5};
        made.tied = tied;
        if (tied) made.tensors.erase("lm_head.weight");
        made.write(folder.path());
    }
    template <class T>
    threaded_model<T> operator()(index capacity, int blocks, bool bf16 = false) const {
        plateau::load_options options;
        options.bf16 = bf16;
        plateau::models::turn_limits const limits{
            .capacity = capacity, .blocks = blocks, .block_bytes = 1 << 20, .prefix_bytes = 1 << 12};
        if (capacity > 0) options.memory = plateau::within(limits);
        return {folder.path(), options};
    }
};

template <class T>
bool same_values(plateau::tensor::buffer<T, 2> const& a, plateau::tensor::buffer<T, 2> const& b) {
    return a.extents() == b.extents() && a.size() > 0 && same_bits(a.data(), b.data(), a.size());
}

/// Everything that a model is asked for, with one in memory and one in turns.
template <class T>
void check_same(threaded_model<T> const& whole, threaded_model<T> const& turned, int threads) {
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7, 8, 12, 4}, 37);
    auto const &one = whole(1), &other = turned(threads);
    for (auto const& prompt : prompts) CHECK(same_values(one.logits(prompt), other.logits(prompt)));

    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "ln_final.hook_out", "unembed.hook_out"};
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0}, {1, 3, 3}, {4, 5}, {6, 4}, {5, 1}, {2, 5}};
    for (auto const* write : {"hook_embed", "blocks.1.hook_resid_post", "blocks.2.attn.hook_v"}) {
        for (index const inline_rows : {index{0}, index{48}}) {
            sweep_options o;
            o.points = 13;
            o.setup.write = write;
            o.travel = {.block_rows = 12, .max_inline_prefix_rows = inline_rows};
            CHECK(plateau::testing::first_difference(by_engine<T>(turned, prompts, pairs, o, reads, threads),
                                                     by_engine<T>(whole, prompts, pairs, o, reads)) == "");
        }
    }
    auto const written = engine::generate(other.engine(), prompts, {.max_new_tokens = 5});
    auto const expected = engine::generate(one.engine(), prompts, {.max_new_tokens = 5});
    for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(written[i].tokens == expected[i].tokens);

    readings<T> by_pieces, at_once;
    engine::forward_in_pieces(other.engine(), prompts, hooks::capture<T>("unembed.hook_out", keep(by_pieces)), 3);
    engine::forward(one.engine(), prompts, hooks::capture<T>("unembed.hook_out", keep(at_once)));
    CHECK(plateau::testing::first_difference(by_pieces, at_once) == "");

    auto const jacobian_of = [&](plateau::model<T> const& m) {
        return m.jacobian(prompts[1], {.write = "blocks.1.hook_resid_post", .read = "blocks.4.hook_resid_post"});
    };
    CHECK(same_values(jacobian_of(one), jacobian_of(other)));
    plateau::tensor::buffer<T, 2> units({3, one.vocabulary()});
    for (index i = 0; i < 3; ++i) units(i, 7 * i) = T{1};
    auto const back = [&](plateau::model<T> const& m) {
        return m.vjp(prompts[2], units, {.read = "unembed.hook_out"});
    };
    CHECK(same_values(back(one), back(other)));
}

TEMPLATE_TEST_CASE("layers that take turns give the bits of a model in memory", "[engine][turns]", float, double) {
    models_in_turns const made{false};
    auto const whole = made.operator()<TestType>(0, 0);
    CHECK(whole(1).engine().facts().turns == nullptr);
    index const all = made.operator()<TestType>(1, 1)(1).engine().facts().turns->all_bytes();
    for (int const blocks : {1, 2, 5}) {
        for (int const threads : {1, 2}) {
            CAPTURE(blocks, threads);
            auto const turned = made.operator()<TestType>(2 * all / 5, blocks);
            REQUIRE(turned(threads).engine().facts().turns != nullptr);
            check_same<TestType>(whole, turned, threads);
        }
    }
}

TEST_CASE("so do tied embeddings, bfloat16, and memory for no layer at all", "[engine][turns]") {
    models_in_turns const made{true};
    auto const whole = made.operator()<float>(0, 0, true);
    for (index const capacity : {index{1}, index{1} << 30}) {
        auto const turned = made.operator()<float>(capacity, 3, true);
        check_same<float>(whole, turned, 2);
        auto const& turns = *turned(2).engine().facts().turns;
        if (capacity > 1) CHECK(turns.bytes_brought() == turns.all_bytes());  // once for good
        else CHECK(turns.bytes_brought() > 4 * turns.all_bytes());
    }
}

TEST_CASE("a hook deep in a pass may ask for logits while its layer is in use", "[engine][turns]") {
    models_in_turns const made{false};
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);
    auto const lens_of = [&](plateau::model<float> const& m) {
        std::vector<double> all(4);
        auto const lens = hooks::capture<float>("blocks.1.hook_resid_post", [&](hooks::rows_at<float>& here) {
            auto const rows = here.read();
            std::vector<index> const targets(static_cast<std::size_t>(here.count()), 5);
            std::vector<double> found(targets.size());
            m.engine().log_probabilities({rows.data(), {rows.extent(0), m.width()}}, targets, found);
            for (std::size_t r = 0; r < found.size(); ++r)
                if (here.rows[r].last) all[static_cast<std::size_t>(here.rows[r].item)] = found[r];
        });
        m.run(prompts, lens);
        return all;
    };
    CHECK(lens_of(made.operator()<float>(1, 4)(2)) == lens_of(made.operator()<float>(0, 0)(1)));
}

TEST_CASE("blocks that are under way together share what is read", "[engine][turns]") {
    models_in_turns const made{false};
    index const all = made.operator()<float>(1, 1)(1).engine().facts().turns->all_bytes();
    auto const prompts = tiny::random_prompts(5, std::vector<index>(30, 50), 37);  // six blocks
    auto const bytes_with = [&](int blocks) {
        auto const turned = made.operator()<float>(2 * all / 6, blocks);
        auto const& model = turned(2);
        // a layer that takes its time, as one of a model that does not fit does
        model.run(prompts, hooks::capture<float>("blocks.*.hook_resid_post", [](hooks::rows_at<float>&) {
                      std::this_thread::sleep_for(std::chrono::milliseconds(4));
                  }));
        return model.engine().facts().turns->bytes_brought();
    };
    index const together = bytes_with(6), one_by_one = bytes_with(1);
    CAPTURE(together, one_by_one, all);
    CHECK(one_by_one > 3 * all);
    CHECK(together < 2 * all);
}

TEST_CASE("weights that are not finite are told when their layer comes, to everybody", "[engine][turns]") {
    models_in_turns const made{false};
    tiny::checkpoint broken{11, 0.3f, 5};
    broken.tensors["model.layers.3.mlp.up_proj.weight"].values[5] = std::numeric_limits<float>::infinity();
    broken.write(made.folder.path());
    auto const turned = made.operator()<float>(1, 4);
    auto const prompts = tiny::random_prompts(3, std::vector<index>(8, 40), 37);
    for (int again = 0; again < 2; ++again) {
        CHECK_THROWS_WITH(turned(2).run(prompts, hooks::capture<float>("ln_final.hook_out", [](auto&) {})),
                          plateau::testing::contains("model.layers.3.mlp.up_proj.weight"));
    }
}

}  // namespace
