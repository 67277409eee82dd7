#include <plateau/nn/mlp.hpp>

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

index const width = 9, inner = 21;

nn::mlp<context, double> make(activation act, bool gated, bool bias) {
    nn::mlp<context, double> layer;
    layer.act = act;
    layer.gated = gated;
    if (gated) layer.gate = testing::random_linear<double>(inner, width, bias, 1);
    layer.in = testing::random_linear<double>(inner, width, bias, 2);
    layer.out = testing::random_linear<double>(width, inner, bias, 3);
    return layer;
}

buffer<double, 2> forward(nn::mlp<context, double> const& layer, buffer<double, 2> const& x,
                          hooks::hook_set<double> const& set = {}) {
    std::vector<hooks::site> sites;
    layer.list(sites, 1);
    buffer<double, 2> y({x.extent(0), width});
    testing::run_rows<double>(x, testing::positions(0, x.extent(0)), set, sites, [&](auto& pass) {
        auto const in = pass.matrix(nn::norm_out_buffer, width), out = pass.matrix(nn::added_buffer, width);
        for (index r = 0; r < x.extent(0); ++r) std::copy_n(x[r].data(), width, in[r].data());
        layer.forward({pass, 1}, in, out);
        y = testing::copy_of<double>(out, x.extent(0));
    });
    return y;
}

/// row · Wᵀ + b
std::vector<double> applied(nn::linear<context, double> const& layer, std::vector<double> const& row) {
    std::vector<double> result;
    for (index n = 0; n < layer.weight.outputs(); ++n) {
        double sum = layer.bias.size() > 0 ? layer.bias(n) : 0;
        for (index k = 0; k < layer.weight.inputs(); ++k) sum += layer.weight(n, k) * row[static_cast<std::size_t>(k)];
        result.push_back(sum);
    }
    return result;
}

TEST_CASE("a feed-forward network follows its formula", "[nn][mlp]") {
    bool const gated = GENERATE(false, true), bias = GENERATE(false, true);
    index const rows = GENERATE(1, 7, 65);
    auto const layer = make(activation::silu, gated, bias);
    auto const x = random_buffer<double, 2>({rows, width}, 5);
    auto const y = forward(layer, x);
    for (index r = 0; r < rows; ++r) {
        std::vector<double> const row(x[r].flat().begin(), x[r].flat().end());
        auto const pre = applied(gated ? layer.gate : layer.in, row), linear = applied(layer.in, row);
        std::vector<double> post;
        for (std::size_t i = 0; i < pre.size(); ++i) {
            post.push_back(pre[i] / (1 + std::exp(-pre[i])) * (gated ? linear[i] : 1));
        }
        auto const expected = applied(layer.out, post);
        for (index i = 0; i < width; ++i) {
            REQUIRE_THAT(y(r, i), testing::WithinAbs(expected[static_cast<std::size_t>(i)], 1e-13));
        }
    }
}

TEST_CASE("its hooks fire in the listed order and show each step", "[nn][mlp]") {
    bool const gated = GENERATE(false, true);
    auto const layer = make(activation::relu, gated, true);
    auto const x = random_buffer<double, 2>({7, width}, GENERATE(5u, 6u));
    testing::record<double> record;
    auto const y = forward(layer, x, record.watch("*"));
    std::vector<hooks::site> sites;
    layer.list(sites, 1);
    std::vector<std::string> names;
    for (auto const& one : sites) names.push_back(one.name());
    CHECK(record.order == names);
    CHECK(names.size() == (gated ? 3 : 2));
    auto const& pre = record.at("mlp.hook_pre");
    auto const& post = record.at("mlp.hook_post");
    CHECK(pre.extents() == std::array<index, 3>{7, 1, inner});
    for (index i = 0; i < pre.size(); ++i) {
        double const factor = gated ? record.at("mlp.hook_pre_linear").data()[i] : 1;
        REQUIRE(post.data()[i] == (pre.data()[i] > 0 ? pre.data()[i] : 0) * factor);
    }
    CHECK(same_bits(forward(layer, x).data(), y.data(), y.size()));  // looking changes no bit
    CHECK(same_bits(forward(layer, x, testing::replay("*", record)).data(), y.data(), y.size()));
}

TEST_CASE("what a patch writes is what the next step sees", "[nn][mlp]") {
    bool const gated = GENERATE(false, true);
    auto const layer = make(activation::gelu, gated, true);
    auto const x = random_buffer<double, 2>({7, width}, 5);
    std::vector<std::string> sites{"*hook_pre", "*hook_post"};
    if (gated) sites.push_back("*hook_pre_linear");
    for (auto const& site : sites) {
        auto const y = forward(layer, x, testing::multiply<double>(site, 0));  // gelu(0) = 0
        for (index r = 0; r < 7; ++r) CHECK(same_bits(y[r].data(), layer.out.bias.data(), width));
    }
}

TEST_CASE("a row's bits do not depend on the others", "[nn][mlp]") {
    auto const layer = make(activation::gelu_tanh, true, true);
    auto const x = random_buffer<double, 2>({130, width}, 5);
    auto const together = forward(layer, x);
    for (index r : {0, 64, 129}) {
        auto const alone = forward(layer, testing::copy_of<double>(x.view().rows(r, 1), 1));
        CHECK(same_bits(alone.data(), together[r].data(), width));
    }
}

}  // namespace
