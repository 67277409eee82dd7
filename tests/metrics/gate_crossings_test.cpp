#include <plateau/metrics/gate_crossings.hpp>

#include <cstdint>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using metrics::crossings_of;
using metrics::gate_on_line;
using metrics::squared_divisor;
using plateau::index;

/// A random gate behind a norm: z(α) = w · m(α) / s(α) + c.
gate_on_line random_gate(std::uint64_t seed, double constant) {
    index const width = 6;
    auto const a = testing::random_vector<double>(width, 3 * seed),
               b = testing::random_vector<double>(width, 3 * seed + 1),
               w = testing::random_vector<double>(width, 3 * seed + 2);
    gate_on_line gate{0, 0, constant, {1e-5, 0, 0}};
    for (std::size_t i = 0; i < a.size(); ++i) {
        double const d = b[i] - a[i];
        gate.start += w[i] * a[i];
        gate.end += w[i] * b[i];
        gate.divisor.a += a[i] * a[i] / width;
        gate.divisor.b += 2 * a[i] * d / width;
        gate.divisor.c += d * d / width;
    }
    return gate;
}

TEST_CASE("crossings are where a fine scan finds them, once, twice or never", "[metrics][gate_crossings]") {
    int seen[3] = {0, 0, 0};
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        for (double const constant : {0.0, 0.5, -0.9, 2.0}) {
            auto const gate = random_gate(seed, constant);
            auto const found = crossings_of(gate);
            std::vector<double> scanned;
            index const points = 4001;
            for (index i = 1; i < points; ++i) {
                double const before = static_cast<double>(i - 1) / (points - 1),
                             at = static_cast<double>(i) / (points - 1);
                if ((gate.at(before) > 0) != (gate.at(at) > 0)) scanned.push_back((before + at) / 2);
            }
            CAPTURE(seed, constant, found, scanned);
            bool const between = found.size() == 2 && found[1] - found[0] < 1.0 / (points - 1);
            REQUIRE((found.size() == scanned.size() || between));
            CHECK(found.size() % 2 == ((gate.at(0) > 0) != (gate.at(1) > 0)));
            ++seen[found.size()];
            for (std::size_t k = 0; k < found.size(); ++k) {
                if (!between) CHECK(std::abs(found[k] - scanned[k]) <= 0.51 / (points - 1));
                double const size = std::abs(gate.start) + std::abs(gate.end) + 3 * std::abs(constant);
                CHECK(std::abs(gate.at(found[k])) <= 1e-14 * size);
            }
        }
    }
    CHECK(seen[0] > 100);
    CHECK(seen[1] > 100);
    CHECK(seen[2] > 10);
}

TEST_CASE("a zero that is only touched is no crossing", "[metrics][gate_crossings]") {
    // s² = 1 + (α − ½)²: 1 − s touches zero at ½ from below
    gate_on_line const touching{1, 1, -1, {1.25, -1, 1}};
    CHECK(crossings_of(touching).empty());
    gate_on_line const through{1.01, 1.01, -1, {1.25, -1, 1}};
    CHECK(crossings_of(through).size() == 2);
}

TEST_CASE("a zero at an end belongs to the sign on its own side", "[metrics][gate_crossings]") {
    CHECK(crossings_of({0, 1, 0}) == std::vector{0.0});  // not positive, then positive
    CHECK(crossings_of({0, -1, 0}).empty());
    CHECK(crossings_of({1, 0, 0}) == std::vector{1.0});
    CHECK(crossings_of({-1, 0, 0}).empty());
    CHECK(crossings_of({0, 0, 0}).empty());
}

TEST_CASE("a divisor is known from three of its values", "[metrics][gate_crossings]") {
    squared_divisor const wanted{2, -1, 3};
    auto const s = [&](double alpha) { return std::sqrt(wanted.at(alpha)); };
    auto const found = squared_divisor::through(s(0), s(0.5), s(1));
    for (double const alpha : {0.0, 0.3, 0.8, 1.0})
        CHECK_THAT(found.at(alpha), Catch::Matchers::WithinAbs(wanted.at(alpha), 1e-14));
}

}  // namespace
