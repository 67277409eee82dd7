#include <plateau/nn/norm.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using testing::context;
using testing::random_buffer;
using testing::same_bits;

constexpr auto sites_of_norm = nn::norm_sites_from(hooks::site_id::ln1_scale);

template <class T>
nn::norm<context, T> make(norm_kind kind, index width, bool with_weights) {
    nn::norm<context, T> layer{kind, 1e-5};
    if (with_weights) {
        layer.weight = random_buffer<T, 1>({width}, 1);
        if (kind == norm_kind::layer) layer.bias = random_buffer<T, 1>({width}, 2);
    }
    return layer;
}

template <class T>
buffer<T, 2> forward(nn::norm<context, T> const& layer, buffer<T, 2> const& x, hooks::hook_set<T> const& set = {}) {
    std::vector<hooks::site> sites;
    layer.list(sites, 2, sites_of_norm, x.extent(1));
    buffer<T, 2> y(x.extents());
    testing::run_rows<T>(x, testing::positions(0, x.extent(0)), set, sites, [&](auto& pass) {
        layer.forward({pass, 2}, sites_of_norm, pass.residual(x.extent(1)), y);
    });
    return y;
}

auto both_kinds() { return GENERATE(norm_kind::rms, norm_kind::layer); }

TEMPLATE_TEST_CASE("a norm follows its formula", "[nn][norm]", float, double) {
    auto const kind = both_kinds();
    index const width = GENERATE(7, 32, 65), rows = GENERATE(1, 65);
    auto const layer = make<TestType>(kind, width, true);
    auto const x = random_buffer<TestType, 2>({rows, width}, 3);
    auto const y = forward(layer, x);
    for (index r = 0; r < rows; ++r) {
        double mean = 0, square = 0;
        for (TestType value : x[r].flat()) mean += static_cast<double>(value) / static_cast<double>(width);
        if (kind == norm_kind::rms) mean = 0;
        for (TestType value : x[r].flat())
            square += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
        double const scale = std::sqrt(square / static_cast<double>(width) + 1e-5);
        for (index i = 0; i < width; ++i) {
            double const bias = kind == norm_kind::layer ? static_cast<double>(layer.bias(i)) : 0;
            double const product = (static_cast<double>(x(r, i)) - mean) / scale * static_cast<double>(layer.weight(i));
            REQUIRE_THAT(static_cast<double>(y(r, i)),
                         testing::WithinAbs(product + bias, testing::sum_tolerance<TestType>(
                                                                4, std::abs(product) + std::abs(bias) + 1)));
        }
    }
}

TEMPLATE_TEST_CASE("its hooks show the divisor, the quotient before the weights, and the output", "[nn][norm]", float,
                   double) {
    auto const kind = both_kinds();
    index const width = 33, rows = 5;
    auto const layer = make<TestType>(kind, width, true);
    auto const x = random_buffer<TestType, 2>({rows, width}, GENERATE(3u, 4u));
    testing::record<TestType> record;
    auto const y = forward(layer, x, record.watch("*"));
    CHECK(record.order ==
          std::vector<std::string>{"blocks.2.ln1.hook_scale", "blocks.2.ln1.hook_normalized", "blocks.2.ln1.hook_out"});
    auto const& scale = record.at("hook_scale");
    auto const& normalized = record.at("hook_normalized");
    CHECK(scale.extents() == std::array<index, 3>{rows, 1, 1});
    CHECK(normalized.extents() == std::array<index, 3>{rows, 1, width});
    CHECK(same_bits(record.at("ln1.hook_out").data(), y.data(), y.size()));
    CHECK(same_bits(forward(layer, x).data(), y.data(), y.size()));  // looking changes no bit
    auto const plain = forward(make<TestType>(kind, width, false), x);
    CHECK(same_bits(normalized.data(), plain.data(), plain.size()));
    if (kind == norm_kind::rms) {
        for (index r = 0; r < rows; ++r) {
            double const value = static_cast<double>(x(r, 0)) / static_cast<double>(scale(r, 0, 0));
            CHECK_THAT(static_cast<double>(normalized(r, 0, 0)),
                       testing::WithinAbs(value, testing::rounding_tolerance<TestType>(value)));
        }
    }
}

TEMPLATE_TEST_CASE("what a patch writes is what the next step sees", "[nn][norm]", float, double) {
    auto const kind = both_kinds();
    auto const layer = make<TestType>(kind, 33, false);
    auto const x = random_buffer<TestType, 2>({5, 33}, 3);
    auto const y = forward(layer, x);
    // a frozen divisor: half of it doubles everything, exactly
    auto const doubled = forward(layer, x, testing::multiply<TestType>("*hook_scale", TestType(0.5)));
    for (index i = 0; i < y.size(); ++i) REQUIRE(doubled.data()[i] == 2 * y.data()[i]);
    auto const halved = forward(layer, x, testing::multiply<TestType>("*hook_normalized", TestType(0.5)));
    for (index i = 0; i < y.size(); ++i) REQUIRE(halved.data()[i] == y.data()[i] / 2);
    auto const nothing = forward(layer, x, testing::multiply<TestType>("*hook_out", 0));
    for (TestType value : nothing.flat()) REQUIRE(value == 0);
}

TEMPLATE_TEST_CASE("heads may have weights of their own", "[nn][norm]", float, double) {
    auto const kind = both_kinds();
    index const heads = 3, width = 7, rows = 5;
    auto const x = random_buffer<TestType, 2>({rows, heads * width}, 3);
    nn::norm<context, TestType> together{kind, 1e-5};
    together.weight = random_buffer<TestType, 1>({heads * width}, 1);
    auto const run = [&](hooks::hook_set<TestType> const& set) {
        std::vector<hooks::site> sites;
        together.list(sites, 2, sites_of_norm, width, heads);
        buffer<TestType, 2> y(x.extents());
        testing::run_rows<TestType>(x, testing::positions(0, rows), set, sites, [&](auto& pass) {
            together.forward({pass, 2}, sites_of_norm, pass.residual(heads * width), y, heads);
        });
        return y;
    };
    auto const y = run({});
    testing::record<TestType> seen;
    CHECK(same_bits(run(seen.watch("*")).data(), y.data(), y.size()));
    for (index head = 0; head < heads; ++head) {
        nn::norm<context, TestType> one{kind, 1e-5};
        one.weight = buffer<TestType, 1>({width});
        std::copy_n(together.weight.data() + head * width, width, one.weight.data());
        buffer<TestType, 2> part({rows, width});
        for (index r = 0; r < rows; ++r) std::copy_n(x[r].data() + head * width, width, part[r].data());
        auto const alone = forward(one, part);
        for (index r = 0; r < rows; ++r) CHECK(same_bits(y[r].data() + head * width, alone[r].data(), width));
    }
}

TEMPLATE_TEST_CASE("the input is left alone", "[nn][norm]", float, double) {
    auto const layer = make<TestType>(both_kinds(), 33, true);
    auto const x = random_buffer<TestType, 2>({3, 33}, 3);
    std::vector<hooks::site> sites;
    layer.list(sites, 0, sites_of_norm, 33);
    buffer<TestType, 2> y({3, 33});
    testing::run_rows<TestType>(x, testing::positions(0, 3), {}, sites, [&](auto& pass) {
        layer.forward({pass, 0}, sites_of_norm, pass.residual(33), y);
        CHECK(testing::same_rows(pass.residual(33), x.view()));
    });
}

}  // namespace
