#include <plateau/engine/forward_in_pieces.hpp>

#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>

#include <plateau/engine/forward.hpp>

#include "support/catch.hpp"
#include "support/first_difference.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::testing::contains;
using plateau::testing::golden_model;
using plateau::testing::random_model;

/// What hooks see of every row, by site, item and position, and whether it is the prompt's last.
template <class T>
using rows_seen = std::map<std::tuple<std::string, index, index, bool>, std::vector<T>>;

/// @param run  calls a forward pass with hooks that see everything, after one that changes every third position
template <class T, class Run>
rows_seen<T> see(Run&& run) {
    rows_seen<T> seen;
    auto const touch = hooks::patch<T>("blocks.0.hook_attn_out", [](auto const&, hooks::where const& w, auto rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            if (w.rows[r].position % 3 != 0) continue;
            for (T& value : rows[static_cast<index>(r)].flat()) value *= 2;
        }
    });
    run(touch | hooks::capture<T>("*", hooks::serialised<T>([&](hooks::site const& at, hooks::where const& w,
                                                                plateau::tensor::view<T const, 3> rows) {
                                      for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                          auto const row = rows[static_cast<index>(r)];
                                          auto const& id = w.rows[r];
                                          index const width =
                                              at.axes == hooks::site_axes::keys ? id.position + 1 : row.extent(1);
                                          auto& values = seen[{at.name(), id.item, id.position, id.last}];
                                          for (index a = 0; a < row.extent(0); ++a)
                                              values.insert(values.end(), row[a].data(), row[a].data() + width);
                                      }
                                  })));
    return seen;
}

TEMPLATE_TEST_CASE("pieces of prompts have the bits of the whole at every hook point", "[engine][pieces]", float,
                   double) {
    auto const model = random_model<TestType>(3);
    auto const prompts = tiny::random_prompts(9, {1, 64, 20, 3, 63, 12, 25}, 37);
    auto const whole = see<TestType>([&](auto const& set) { engine::forward(model(1).engine(), prompts, set); });
    for (index const rows : {0, 1, 5, 12, 25, 1000}) {
        for (int const threads : {1, 2, 5}) {
            CAPTURE(rows, threads);
            CHECK((see<TestType>([&](auto const& set) {
                       engine::forward_in_pieces(model(threads).engine(), prompts, set, rows);
                   }) == whole));
        }
    }
}

/// An engine that takes its time to make room for keys and values.
template <class T>
class slow_to_keep final : public plateau::engine::engine<T> {
public:
    using base = plateau::engine::engine<T>;

    explicit slow_to_keep(base const& of) : base{of.facts()}, of_{of} {}

    std::unique_ptr<plateau::nn::kept_keys> keep(int first_layer, int layers, index positions) const override {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        return of_.keep(first_layer, layers, positions);
    }

    std::unique_ptr<plateau::engine::block_runner<T>> runner() const override { return of_.runner(); }
    std::unique_ptr<plateau::engine::line_ends> lines(plateau::tensor::buffer<T, 2> from,
                                                      plateau::tensor::buffer<T, 2> to) const override {
        return of_.lines(std::move(from), std::move(to));
    }
    index reserve(std::vector<std::unique_ptr<plateau::engine::block_runner<T>>> const& runners, index wanted,
                  index most, bool logits) const override {
        return of_.reserve(runners, wanted, most, logits);
    }
    void summarise_logits(plateau::tensor::view<T const, 2> x, std::span<index const> references,
                          std::span<plateau::backend::logit_summary> summaries,
                          plateau::tensor::view<plateau::backend::scored_token<T>, 2> best) const override {
        of_.summarise_logits(x, references, summaries, best);
    }
    void log_probabilities(plateau::tensor::view<T const, 2> x, std::span<index const> targets,
                           std::span<double> result) const override {
        of_.log_probabilities(x, targets, result);
    }
    typename base::unembedded unembedding_of(std::vector<index> const& tokens) const override {
        return of_.unembedding_of(tokens);
    }
    std::unique_ptr<plateau::engine::chosen_logits<T>> logits_of(std::vector<index> const& tokens) const override {
        return of_.logits_of(tokens);
    }

private:
    base const& of_;
};

TEST_CASE("a piece waits for the room that its prompt's first piece makes", "[engine][pieces]") {
    auto const model = random_model<float>(3);
    auto const prompts = tiny::random_prompts(9, {64, 20, 63}, 37);
    auto const whole = see<float>([&](auto const& set) { engine::forward(model(1).engine(), prompts, set); });
    slow_to_keep<float> const slow{model(5).engine()};
    for (index const rows : {1, 7, 25})
        CHECK(plateau::testing::first_difference(
                  see<float>([&](auto const& set) { engine::forward_in_pieces(slow, prompts, set, rows); }), whole) ==
              "");
}

TEST_CASE("pieces are right for every family", "[engine][pieces]") {
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const model = golden_model<float>(name);
        auto const prompts = golden::prompts(golden::models_folder() / name / "tokens.npy");
        CHECK((see<float>([&](auto const& set) { engine::forward_in_pieces(model(2).engine(), prompts, set, 4); }) ==
               see<float>([&](auto const& set) { engine::forward(model(1).engine(), prompts, set); })));
    }
}

TEST_CASE("layers that nobody looks at do not run in pieces either", "[engine][pieces]") {
    std::vector<index> seen;
    auto const look = hooks::capture<float>("blocks.0.hook_resid_post", [&](auto const&, hooks::where const& w, auto) {
        for (auto const& row : w.rows) seen.push_back(row.position);
    });
    auto const model = plateau::testing::changed_model<float>(3, [](auto& transformer) {
        auto& weight = transformer.blocks[1].attention.before->weight;
        weight.data()[0] = std::numeric_limits<float>::infinity();  // an error, if it ran
    });
    engine::forward_in_pieces(model(1).engine(), tiny::random_prompts(4, {20}, 37), look, 6);
    REQUIRE(seen.size() == 20);
    for (index t = 0; t < 20; ++t) CHECK(seen[static_cast<std::size_t>(t)] == t);
}

TEST_CASE("a piece that fails stops those that wait for it, with its message", "[engine][pieces][errors]") {
    auto const model = random_model<float>(3);
    auto const prompts = tiny::random_prompts(4, {64, 64, 64}, 37);
    for (index const where : {0, 21, 63}) {
        auto const spoil =
            hooks::patch<float>("blocks.1.hook_resid_post", [&](auto const&, hooks::where const& w, auto rows) {
                for (std::size_t r = 0; r < w.rows.size(); ++r) {
                    if (w.rows[r].item == 1 && w.rows[r].position == where)
                        rows(static_cast<index>(r), 0, 0) = std::numeric_limits<float>::infinity();
                }
            });
        for (int const threads : {1, 2, 8}) {
            CHECK_THROWS_WITH(engine::forward_in_pieces(model(threads).engine(), prompts, spoil, 6),
                              contains("after layer 1, prompt 1, position " + std::to_string(where)));
        }
    }
    auto const look = hooks::capture<float>("hook_embed", [](auto const&, auto const&, auto) {});
    CHECK_THROWS_WITH(engine::forward_in_pieces(model(1).engine(), {}, look), contains("no prompts"));
    CHECK_THROWS_WITH(engine::forward_in_pieces(model(1).engine(), {{1, 37}}, look), contains("token 37"));
}

}  // namespace
