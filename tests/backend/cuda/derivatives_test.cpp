// Tangents and cotangents through a model on the device, beside the CPU's.
#include <map>
#include <string>
#include <vector>

#include <plateau/engine/carry_tangents.hpp>
#include <plateau/engine/load.hpp>
#include <plateau/hooks/steer.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "backend/cuda/on_device.hpp"
#include "support/golden.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using cuda = backend::cuda_context;

struct products {
    std::vector<double> forwards, backwards;
};

/// J u of the last position and Jᵀv of the written ones, at two points of two pairs, with and without held parts.
template <class T>
products products_of(model<T> const& model, engine::setup const& setup, std::vector<std::string> const& constant,
                     hooks::hook_set<T> const& changes) {
    prompt_list const prompts{{3, 5, 7, 11, 29}, {4, 5, 8, 11, 26}, {9, 9, 1, 2, 3}};
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}};
    engine::followed_points<T> const points{2, sweep::straight_lines<T>(2), setup, changes};
    std::map<std::array<index, 3>, std::vector<double>> forwards, backwards;
    engine::tangent_request<T> what;
    what.count = 2;
    what.sets = {hooks::constant_sites{}, hooks::constant_sites{constant, model.sites()}};
    what.set = {0, 1};
    what.start = [](index, index, index, auto, auto, tensor::view<T, 2> out) {
        for (index j = 0; j < out.extent(0); ++j) {
            for (index d = 0; d < out.extent(1); ++d) out(j, d) = static_cast<T>(std::sin(double(d * d + j + 1)));
        }
    };
    what.reads = hooks::capture<T>(setup.read, [&](hooks::rows_at<T>& here) {
        auto const rows = here.read();
        for (index r = 0; r < here.count(); ++r) {
            auto const& id = here.rows[static_cast<std::size_t>(r)];
            if (!id.last) continue;
            auto& into = forwards[{id.item, id.point, id.tangent}];
            for (index h = 0; h < rows.extent(1); ++h)
                into.insert(into.end(), rows[r][h].data(), rows[r][h].data() + rows.extent(2));
        }
    });
    engine::carry_tangents<T>(model.engine(), prompts, pairs, points, what);
    engine::cotangent_request<T> back;
    back.count = 2, back.sets = what.sets, back.set = what.set, back.read = setup.read;
    back.start = [](index, index, index, std::span<T> out) {
        for (std::size_t j = 0; j < out.size(); ++j) out[j] = static_cast<T>(std::cos(double(j * j)));
    };
    back.take = [&](index pair, index point, index i, tensor::view<T const, 2> g) {
        auto& into = backwards[{pair, point, i}];
        for (index j = 0; j < g.extent(0); ++j) into.insert(into.end(), g[j].data(), g[j].data() + g.extent(1));
    };
    engine::carry_cotangents<T>(model.engine(), prompts, pairs, points, back);
    products all;
    for (auto const& [key, values] : forwards) all.forwards.insert(all.forwards.end(), values.begin(), values.end());
    for (auto const& [key, values] : backwards) all.backwards.insert(all.backwards.end(), values.begin(), values.end());
    return all;
}

double off(std::vector<double> const& got, std::vector<double> const& wanted) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        worst = std::max(worst, std::abs(got[i] - wanted[i]));
        largest = std::max(largest, std::abs(wanted[i]));
    }
    return worst / largest;
}

TEMPLATE_TEST_CASE("derivatives on the device are those on the CPU", "[cuda][tangents]", float, double) {
    struct example {
        std::string model;
        engine::setup setup;
        std::vector<std::string> constant;
    };
    std::vector<example> const examples{
        {"llama_gqa", {.read = "unembed.hook_out"}, {"pattern", "gate"}},
        {"gemma2", {.write = "hook_embed", .read = "hook_logits", .positions = {.suffix = true}}, {"norm_scale"}},
        {"qwen3", {.write = "blocks.0.hook_q_input", .positions = {hooks::positions{-3, 0}}}, {"attn_out"}},
        {"mistral", {.write = "blocks.0.ln1.hook_scale", .read = "blocks.1.attn.hook_result"}, {"mlp_out"}},
        {"olmo_clip", {.positions = {hooks::positions{-2, 0}}}, {"mlp_out"}},
        {"phi", {.write = "blocks.0.hook_resid_pre"}, {"blocks.1.hook_attn_out", "gate"}}};
    double const tolerance = std::is_same_v<TestType, double> ? 1e-11 : 3e-5;
    auto const device = shared<cuda const>();
    for (auto const& one : examples) {
        CAPTURE(one.model);
        auto const folder = golden::models_folder() / one.model;
        auto const changes = hooks::scale<TestType>("blocks.1.hook_attn_out", 0.5) |
                             hooks::scale<TestType>("blocks.1.attn.hook_pattern", 0.7) |
                             hooks::scale<TestType>("blocks.1.attn.hook_attn_scores", 0.9);
        auto const expected =
            products_of(load<TestType>(folder, {.backend = {.threads = 1}}), one.setup, one.constant, changes);
        auto const got = products_of(load_on<TestType>(device, folder), one.setup, one.constant, changes);
        CHECK(off(got.forwards, expected.forwards) <= tolerance);
        CHECK(off(got.backwards, expected.backwards) <= tolerance);
    }
}

}  // namespace
