// Attention patterns, activations' integrals and dilogarithms beside scipy.
#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/science.hpp"

#include <plateau/metrics/activation_integral.hpp>
#include <plateau/metrics/dilogarithm.hpp>
#include <plateau/metrics/log_softmax.hpp>
#include <plateau/metrics/pattern_statistics.hpp>

namespace {

using namespace plateau;
using plateau::index;
using testing::largest_difference;
using testing::number;
using testing::numbers;

TEST_CASE("dilogarithms are those of scipy's Spence function", "[metrics][dilogarithm][golden]") {
    auto const c = testing::science("dilogarithms");
    std::vector<double> found;
    for (double x : numbers(c, "x")) found.push_back(metrics::dilogarithm(x));
    double const worst = largest_difference(found, numbers(c, "li2"));
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-14);
}

TEST_CASE("integrals of activations are scipy's closed forms and quadratures",
          "[metrics][activation_integral][golden]") {
    auto const c = testing::science("activation_integrals");
    struct one {
        activation kind;
        char const* name;
    };
    for (auto const& [kind, name] : {one{activation::silu, "silu"}, one{activation::gelu, "gelu"},
                                     one{activation::gelu_tanh, "gelu_tanh"}, one{activation::relu, "relu"}}) {
        std::vector<double> found;
        for (double z : numbers(c, "z")) found.push_back(metrics::activation_integral(kind, z));
        double const worst = largest_difference(found, numbers(c, name));
        INFO(name << ": largest difference " << worst);
        CHECK(worst <= 1e-12);
    }
}

TEST_CASE("statistics of attention patterns are those of scipy", "[metrics][pattern_statistics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("patterns")) {
        auto const scores = numbers(c, "scores");
        auto pattern = metrics::log_softmax<double>(scores);
        for (double& x : pattern) x = std::exp(x);
        CHECK(metrics::likeliest_key<double>(pattern) == c.at("likeliest").get<index>());
        double const margin = metrics::top_two_margin<double>(scores);
        CHECK(std::isinf(margin) == c.at("margin").is_null());
        std::vector<double> found{
            metrics::pattern_entropy(pattern),
            metrics::hopfield_energy<double>(scores, number(c, "beta"), number(c, "query_norm_squared"))},
            expected{number(c, "entropy"), number(c, "energy")};
        if (scores.size() > 1) {
            found.push_back(margin);
            expected.push_back(number(c, "margin"));
        }
        worst = std::max(worst, largest_difference(found, expected));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

}  // namespace
