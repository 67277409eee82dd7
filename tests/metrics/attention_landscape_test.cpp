#include <plateau/metrics/attention_landscape.hpp>

#include <cmath>

#include <plateau/metrics/activation_potential.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using metrics::attention_landscape_of;
using plateau::index;
using testing::WithinAbs;

double const infinity = std::numeric_limits<double>::infinity();

TEST_CASE("the numbers of a query are those of their formulas", "[metrics][attention_landscape]") {
    index const keys = 7, width = 5;
    double const beta = 0.4;
    auto const k = testing::random_buffer<double, 2>({keys, width}, 1, 2);
    auto const q = testing::random_vector<double>(width, 2, 2);
    std::vector<double> scores, mean(5);
    double squares = 0, all = 0, before = 0;
    for (double const x : q) squares += x * x;
    for (index i = 0; i < keys; ++i) {
        double sum = 0;
        for (index d = 0; d < width; ++d) {
            sum += k(i, d) * q[static_cast<std::size_t>(d)];
            if (i + 1 < keys) mean[static_cast<std::size_t>(d)] += k(i, d) / (keys - 1);
        }
        scores.push_back(beta * sum);
        all += std::exp(beta * sum);
        if (i + 1 < keys) before += std::exp(beta * sum);
    }
    auto const found = attention_landscape_of(scores, beta, squares);
    CHECK_THAT(found.own, WithinAbs(squares / 2 - std::log(all) / beta, 1e-12));
    CHECK_THAT(found.fixed, WithinAbs(squares / 2 - std::log(before) / beta, 1e-12));
    double centred = 0, entropy = 0;  // with the keys themselves centred
    for (index i = 0; i + 1 < keys; ++i) {
        double sum = 0;
        for (index d = 0; d < width; ++d)
            sum += (k(i, d) - mean[static_cast<std::size_t>(d)]) * q[static_cast<std::size_t>(d)];
        centred += std::exp(beta * sum);
    }
    CHECK_THAT(found.centred, WithinAbs(squares / 2 - std::log(centred) / beta, 1e-12));
    for (double const s : scores) entropy -= std::exp(s) / all * std::log(std::exp(s) / all);
    CHECK_THAT(found.entropy, WithinAbs(entropy, 1e-12));
    CHECK(found.likeliest == std::max_element(scores.begin(), scores.end()) - scores.begin());
}

TEST_CASE("a rescaling of queries against keys moves the energy alone", "[metrics][attention_landscape]") {
    auto const scores = testing::random_vector<double>(6, 3);
    auto const one = attention_landscape_of(scores, 0.5, 4), other = attention_landscape_of(scores, 0.5, 4 * 9);
    CHECK(one.own != other.own);
    CHECK(one.entropy == other.entropy);
    CHECK(one.margin == other.margin);
    CHECK(one.likeliest == other.likeliest);
}

TEST_CASE("keys out of sight do not count; without any before there is no fixed landscape",
          "[metrics][attention_landscape]") {
    auto const seen = attention_landscape_of(std::vector{0.3, -0.2, 1.0}, 1, 2);
    auto const masked = attention_landscape_of(std::vector{-infinity, 0.3, -infinity, -0.2, 1.0}, 1, 2);
    CHECK_THAT(masked.fixed, WithinAbs(seen.fixed, 1e-15));
    CHECK_THAT(masked.centred, WithinAbs(seen.centred, 1e-15));
    CHECK_THAT(masked.own, WithinAbs(seen.own, 1e-15));
    CHECK(masked.likeliest == 4);
    for (auto const& alone : {std::vector{2.0}, std::vector{-infinity, 2.0}}) {
        auto const found = attention_landscape_of(alone, 2, 2);
        CHECK(std::isnan(found.fixed));
        CHECK(std::isnan(found.centred));
        CHECK(found.own == 0);
        CHECK(found.entropy == 0);
        CHECK(std::isinf(found.margin));
    }
}

TEST_CASE("the potential by a table is the integral", "[metrics][activation_potential]") {
    auto const kind = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu);
    metrics::activation_potential const potential{kind};
    double worst = 0;
    for (double z = -24.9; z < 25; z += 0.00737)
        worst = std::max(worst, std::abs(potential(z) - metrics::activation_integral(kind, z)));
    for (double const z : {-20.0, 20.0, -1e3, 1e3, 0.0, 1.0 / 512})
        worst = std::max(worst, std::abs(potential(z) - metrics::activation_integral(kind, z)));
    CAPTURE(worst);
    CHECK(worst <= 2e-13);
    CHECK(std::isnan(potential(std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
