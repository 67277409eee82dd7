#include <plateau/nn/attention.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;
using testing::context;
using testing::random_buffer;
using testing::same_bits;
using testing::same_rows;

index const width = 12, heads = 4, kv_heads = 2, head_width = 6;

template <class T>
nn::attention<context, T> make(bool rotary, bool bias = true) {
    nn::attention<context, T> layer;
    layer.shape = {heads, kv_heads, head_width, static_cast<T>(1 / std::sqrt(6.0))};
    layer.query = testing::random_linear<T>(heads * head_width, width, bias, 1);
    layer.key = testing::random_linear<T>(kv_heads * head_width, width, bias, 2);
    layer.value = testing::random_linear<T>(kv_heads * head_width, width, bias, 3);
    layer.output = testing::random_linear<T>(width, heads * head_width, bias, 4);
    if (rotary) layer.rotary = std::make_shared<nn::rope>(nn::rope::standard(head_width, 1e4));
    return layer;
}

/// Where rows stand: after a prefix, if there is one.
struct placed {
    index start = 0;
    nn::kept_keys const* prefix = nullptr;
    nn::kept_keys* record = nullptr;
};

template <class T>
buffer<T, 2> forward(nn::attention<context, T> const& layer, buffer<T, 2> const& x, hooks::hook_set<T> const& set = {},
                     placed const& at = {}) {
    index const rows = x.extent(0);
    std::vector<hooks::site> sites;
    layer.list(sites, 1);
    buffer<T, 2> y({rows, width});
    testing::run_rows<T>(x, testing::positions(at.start, rows, 0, at.prefix, at.record), set, sites, [&](auto& pass) {
        auto const in = pass.matrix(nn::norm_out_buffer, width), out = pass.matrix(nn::added_buffer, width);
        for (index r = 0; r < rows; ++r) std::copy_n(x[r].data(), width, in[r].data());
        layer.forward({pass, 1}, in, out);
        y = testing::copy_of<T>(out, rows);
    });
    return y;
}

TEST_CASE("hooks fire in the listed order, TransformerLens'", "[nn][attention]") {
    auto const layer = make<double>(true);
    testing::record<double> record;
    forward(layer, random_buffer<double, 2>({3, width}, 5), record.watch("*") | record.watch("*hook_result"));
    CHECK(record.order == std::vector<std::string>{
                              "blocks.1.attn.hook_q", "blocks.1.attn.hook_k", "blocks.1.attn.hook_v",
                              "blocks.1.attn.hook_rot_q", "blocks.1.attn.hook_rot_k", "blocks.1.attn.hook_attn_scores",
                              "blocks.1.attn.hook_pattern", "blocks.1.attn.hook_z", "blocks.1.attn.hook_result"});
    std::vector<hooks::site> sites, without_rotary;
    layer.list(sites, 1);
    for (std::size_t i = 0; i < sites.size(); ++i) {
        CHECK(sites[i].name() == record.order[i]);
        auto const& seen = record.seen.at(sites[i].name());
        CHECK(seen.extent(1) == sites[i].heads);
        CHECK(seen.extent(2) == (sites[i].axes == hooks::site_axes::keys ? 3 : sites[i].width));
    }
    make<double>(false).list(without_rotary, 1);
    CHECK(without_rotary.size() == sites.size() - 2);
    CHECK_THROWS_AS(hooks::matching_sites(without_rotary, "*hook_rot_q"), site_error);
    CHECK(layer.kv_width() == kv_heads * head_width);
}

TEMPLATE_TEST_CASE("the steps that hooks show make up the attention", "[nn][attention]", float, double) {
    bool const rotary = GENERATE(false, true);
    index const rows = 7;
    auto const layer = make<TestType>(rotary);
    auto const x = random_buffer<TestType, 2>({rows, width}, GENERATE(5u, 6u));
    testing::record<TestType> seen;
    auto const y = forward(layer, x, seen.watch("*"));
    auto const& q = seen.at(rotary ? "rot_q" : "hook_q");
    auto const& k = seen.at(rotary ? "rot_k" : "hook_k");
    auto const& v = seen.at("hook_v");
    auto const& scores = seen.at("attn_scores");
    auto const& pattern = seen.at("pattern");
    auto const& z = seen.at("hook_z");
    double const tolerance = 200 * testing::epsilon_of<TestType>;
    for (index r = 0; r < rows; ++r) {
        for (index h = 0; h < heads; ++h) {
            double sum = 0;
            for (index j = 0; j <= r; ++j) {
                double dot = 0;
                for (index e = 0; e < head_width; ++e) {
                    dot += static_cast<double>(q(r, h, e)) * static_cast<double>(k(j, h / 2, e));
                }
                REQUIRE_THAT(static_cast<double>(scores(r, h, j)), testing::WithinAbs(dot / std::sqrt(6.0), tolerance));
                sum += std::exp(static_cast<double>(scores(r, h, j)));
            }
            for (index j = 0; j < rows; ++j) {
                double const expected = j <= r ? std::exp(static_cast<double>(scores(r, h, j))) / sum : 0;
                REQUIRE_THAT(static_cast<double>(pattern(r, h, j)), testing::WithinAbs(expected, tolerance));
            }
            for (index e = 0; e < head_width; ++e) {
                double mix = 0;
                for (index j = 0; j <= r; ++j) {
                    mix += static_cast<double>(pattern(r, h, j)) * static_cast<double>(v(j, h / 2, e));
                }
                REQUIRE_THAT(static_cast<double>(z(r, h, e)), testing::WithinAbs(mix, tolerance));
            }
        }
        for (index d = 0; d < width; ++d) {
            double out = static_cast<double>(layer.output.bias(d));
            for (index i = 0; i < heads * head_width; ++i) {
                out += static_cast<double>(z(r, i / head_width, i % head_width)) *
                       static_cast<double>(layer.output.weight(d, i));
            }
            REQUIRE_THAT(static_cast<double>(y(r, d)), testing::WithinAbs(out, tolerance));
        }
    }
}

TEMPLATE_TEST_CASE("looking changes no bit, nor does writing what was there", "[nn][attention]", float, double) {
    bool const rotary = GENERATE(false, true);
    auto const layer = make<TestType>(rotary);
    auto const x = random_buffer<TestType, 2>({33, width}, 5);
    auto const y = forward(layer, x);
    testing::record<TestType> seen;
    CHECK(same_rows(forward(layer, x, seen.watch("*")).view(), y.view()));
    for (auto const& name : seen.order) {
        CAPTURE(name);
        testing::record<TestType> again;
        CHECK(same_rows(forward(layer, x, again.watch(name)).view(), y.view()));
        CHECK(same_rows(forward(layer, x, testing::replay(name, seen)).view(), y.view()));
        CHECK_FALSE(same_rows(forward(layer, x, testing::multiply(name, TestType(1.5))).view(), y.view()));
    }
}

TEST_CASE("a uniform pattern gives the mean of the values", "[nn][attention]") {
    auto const layer = make<double>(GENERATE(false, true));
    testing::record<double> seen;
    auto const uniform =
        hooks::patch<double>("*pattern", [](hooks::site const&, hooks::where const& w, view<double, 3> rows) {
            for (index r = 0; r < rows.extent(0); ++r) {
                index const visible = w.rows[static_cast<std::size_t>(r)].position + 1;
                for (index h = 0; h < heads; ++h) {
                    for (index j = 0; j < visible; ++j) rows(r, h, j) = 1.0 / static_cast<double>(visible);
                }
            }
        });
    forward(layer, random_buffer<double, 2>({9, width}, 5), uniform | seen.watch("*hook_v") | seen.watch("*hook_z"));
    for (index r = 0; r < 9; ++r) {
        for (index h = 0; h < heads; ++h) {
            for (index e = 0; e < head_width; ++e) {
                double mean = 0;
                for (index j = 0; j <= r; ++j) mean += seen.at("hook_v")(j, h / 2, e) / static_cast<double>(r + 1);
                REQUIRE_THAT(seen.at("hook_z")(r, h, e), testing::WithinAbs(mean, 1e-14));
            }
        }
    }
}

TEMPLATE_TEST_CASE("a row does not see what comes after it", "[nn][attention]", float, double) {
    auto const layer = make<TestType>(true);
    auto x = random_buffer<TestType, 2>({7, width}, 5);
    auto const before = forward(layer, x);
    index const changed = GENERATE(1, 3, 6);
    for (index d = 0; d < width; ++d) x(changed, d) += TestType(1);
    auto const after = forward(layer, x);
    CHECK(same_rows(after.view().rows(0, changed), before.view().rows(0, changed)));
    CHECK_FALSE(same_bits(after[changed].data(), before[changed].data(), width));
}

TEMPLATE_TEST_CASE("rows after a recorded prefix have the bits of the whole sequence", "[nn][attention]", float,
                   double) {
    bool const rotary = GENERATE(false, true);
    index const rows = 70, prefix = GENERATE(1, 6, 64, 69);
    auto const layer = make<TestType>(rotary);
    auto const x = random_buffer<TestType, 2>({rows, width}, 5);
    auto const whole = forward(layer, x);
    // recorded by a run of the prefix alone, and by a run of the whole sequence of which the prefix is kept
    nn::kv_cache<context, TestType> of_prefix{testing::one_thread, 1, 1, prefix, layer.kv_width()},
        of_whole{testing::one_thread, 1, 1, prefix, layer.kv_width()};
    auto const own = testing::copy_of<TestType>(x.view().rows(prefix, rows - prefix), rows - prefix);
    forward(layer, testing::copy_of<TestType>(x, prefix), {}, {.record = &of_prefix});
    forward(layer, x, {}, {.record = &of_whole});
    CHECK(same_rows(of_prefix.keys(1), of_whole.keys(1)));
    CHECK(same_rows(of_prefix.values(1), of_whole.values(1)));
    CHECK(same_rows(forward(layer, own, {}, {.start = prefix, .prefix = &of_prefix}).view(),
                    whole.view().rows(prefix, rows - prefix)));
    testing::record<TestType> seen;  // step by step too
    CHECK(same_rows(forward(layer, own, seen.watch("*pattern"), {.start = prefix, .prefix = &of_prefix}).view(),
                    whole.view().rows(prefix, rows - prefix)));
}

TEST_CASE("what a cache keeps is what a patch made of keys and values", "[nn][attention]") {
    auto const layer = make<double>(true);
    auto const x = random_buffer<double, 2>({5, width}, 5);
    nn::kv_cache<context, double> plain{testing::one_thread, 1, 1, 5, layer.kv_width()},
        patched{testing::one_thread, 1, 1, 5, layer.kv_width()};
    forward(layer, x, {}, {.record = &plain});
    forward(layer, x, testing::multiply<double>("*rot_k", 2) | testing::multiply<double>("*hook_v", 4),
            {.record = &patched});
    for (index i = 0; i < 5 * layer.kv_width(); ++i) {
        REQUIRE(patched.keys(1).data()[i] == 2 * plain.keys(1).data()[i]);
        REQUIRE(patched.values(1).data()[i] == 4 * plain.values(1).data()[i]);
    }
}

TEST_CASE("keys and values alone are those of the whole layer", "[nn][attention]") {
    auto const layer = make<double>(true);
    auto const x = random_buffer<double, 2>({5, width}, 5);
    nn::kv_cache<context, double> expected{testing::one_thread, 1, 1, 5, layer.kv_width()},
        alone{testing::one_thread, 1, 1, 5, layer.kv_width()};
    forward(layer, x, {}, {.record = &expected});
    testing::record<double> seen;
    std::vector<hooks::site> sites;
    layer.list(sites, 1);
    testing::run_rows<double>(x, testing::positions(0, 5, 0, nullptr, &alone), seen.watch("*rot_k"), sites,
                              [&](auto& pass) {
        layer.keys_and_values({pass, 1}, pass.residual(width));
    });
    CHECK(same_rows(alone.keys(1), expected.keys(1)));
    CHECK(same_rows(alone.values(1), expected.values(1)));
}

TEST_CASE("rotation leaves the first position alone and keeps norms", "[nn][attention]") {
    testing::record<double> seen;
    forward(make<double>(true), random_buffer<double, 2>({9, width}, 5), seen.watch("*hook_q") | seen.watch("*rot_q"));
    auto const& q = seen.at("hook_q");
    auto const& rotated = seen.at("rot_q");
    CHECK(same_bits(q[0].data(), rotated[0].data(), heads * head_width));
    for (index r = 1; r < 9; ++r) {
        for (index h = 0; h < heads; ++h) {
            double before = 0, after = 0;
            for (index e = 0; e < head_width; ++e) {
                before += q(r, h, e) * q(r, h, e);
                after += rotated(r, h, e) * rotated(r, h, e);
            }
            REQUIRE_THAT(after, testing::WithinRel(before, 1e-14));
            REQUIRE_FALSE(same_bits(q[r][h].data(), rotated[r][h].data(), head_width));
        }
    }
}

}  // namespace
