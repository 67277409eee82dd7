#include <plateau/metrics/activation_integral.hpp>
#include <plateau/metrics/dilogarithm.hpp>

#include <cmath>
#include <numbers>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using metrics::activation_integral;
using metrics::dilogarithm;
using testing::WithinAbs;
using testing::WithinRel;

constexpr double squared_pi = std::numbers::pi * std::numbers::pi;

TEST_CASE("the dilogarithm has its known values", "[metrics][dilogarithm]") {
    double const log_2 = std::numbers::ln2, log_phi = std::log(std::numbers::phi);
    CHECK(dilogarithm(0) == 0);
    CHECK_THAT(dilogarithm(1), WithinRel(squared_pi / 6, 1e-15));
    CHECK_THAT(dilogarithm(-1), WithinRel(-squared_pi / 12, 1e-15));
    CHECK_THAT(dilogarithm(0.5), WithinRel(squared_pi / 12 - log_2 * log_2 / 2, 1e-15));
    CHECK_THAT(dilogarithm(1 / std::numbers::phi), WithinRel(squared_pi / 10 - log_phi * log_phi, 2e-15));
    CHECK_THAT(dilogarithm(-std::numbers::phi), WithinRel(-squared_pi / 10 - log_phi * log_phi, 2e-15));
    CHECK_THAT(dilogarithm(1e-200), WithinRel(1e-200, 1e-15));
    CHECK_THAT(dilogarithm(-std::exp(700.0)), WithinRel(-squared_pi / 6 - 700.0 * 700 / 2, 1e-14));
    CHECK(dilogarithm(-INFINITY) == -INFINITY);
    CHECK(std::isnan(dilogarithm(NAN)));
    CHECK_THROWS_AS(dilogarithm(1.0000001), domain_error);
}

TEST_CASE("dilogarithms of x and −x add up to that of the square", "[metrics][dilogarithm]") {
    for (double x = 1.0 / 64; x <= 1; x += 1.0 / 64) {
        REQUIRE_THAT(2 * (dilogarithm(x) + dilogarithm(-x)), WithinRel(dilogarithm(x * x), 1e-13));
    }
}

TEST_CASE("an integral grows by Simpson's sum of its activation", "[metrics][activation_integral]") {
    auto const kind = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu);
    auto const act = [kind](double t) {
        switch (kind) {
            case activation::silu: return t / (1 + std::exp(-t));
            case activation::gelu: return t * (1 + std::erf(t / std::numbers::sqrt2)) / 2;
            case activation::gelu_tanh:
                return t * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (t + 0.044715 * t * t * t))) / 2;
            case activation::relu: break;
        }
        return std::fmax(t, 0.0);
    };
    double const step = 1.0 / 128;
    for (double z = -12; z < 12; z += step) {
        double const simpson = step / 6 * (act(z) + 4 * act(z + step / 2) + act(z + step));
        REQUIRE_THAT(activation_integral(kind, z + step) - activation_integral(kind, z), WithinAbs(simpson, 2e-13));
    }
}

TEST_CASE("an integral is 0 at 0, never below, and exact near 0 and far away", "[metrics][activation_integral]") {
    auto const kind = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh);
    CHECK(activation_integral(kind, 0) == 0);
    CHECK_THAT(activation_integral(kind, 1e-9), WithinRel(0.25e-18, 1e-8));
    CHECK_THAT(activation_integral(kind, -1e-9), WithinRel(0.25e-18, 1e-8));
    double const limit = activation_integral(kind, -INFINITY);
    CHECK(activation_integral(kind, -700) == limit);
    CHECK_THAT(activation_integral(kind, 700), WithinRel(245000 - limit, 1e-15));
    CHECK(activation_integral(kind, INFINITY) == INFINITY);
    CHECK(std::isnan(activation_integral(kind, NAN)));
    double last = 0;
    for (double z = 0; z > -50; z -= 1.0 / 32) {  // quadrature and closed forms join at −1
        REQUIRE(activation_integral(kind, z) >= last);
        last = activation_integral(kind, z) * (1 - 1e-15);
    }
    for (double const z : {0.9, 1.1, 3.0}) {
        CHECK_THAT(activation_integral(kind, z) + activation_integral(kind, -z), WithinRel(z * z / 2, 1e-15));
    }
}

TEST_CASE("the constants of integrals far below 0", "[metrics][activation_integral]") {
    CHECK_THAT(activation_integral(activation::silu, -INFINITY), WithinRel(squared_pi / 12, 1e-15));
    CHECK(activation_integral(activation::gelu, -INFINITY) == 0.25);
    CHECK(activation_integral(activation::relu, -INFINITY) == 0);
    CHECK(activation_integral(activation::relu, 3) == 4.5);
    CHECK(std::isnan(activation_integral(activation::relu, NAN)));
}

}  // namespace
