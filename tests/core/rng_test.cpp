#include <plateau/core/rng.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;

/// The published generator, one step at a time.
struct splitmix64 {
    std::uint64_t state;
    std::uint64_t operator()() {
        std::uint64_t z = state += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
};

TEST_CASE("the stream is splitmix64's", "[core][rng]") {
    // A seed of minus the increment leaves a state of 0, whose numbers are published widely.
    counter_rng rng{0u - 0x9E3779B97F4A7C15u};
    CHECK(rng.next() == 0xE220A8397B1DCDAFu);
    CHECK(rng.next() == 0x6E789E6AA1B965F4u);
    CHECK(rng.next() == 0x06C45D188009454Fu);
    CHECK(rng.next() == 0xF88BB8A8724C81ECu);
    CHECK(rng.next() == 0x1B39896A51A8749Bu);
    CHECK(counter_rng{42}.at(0) == 0x57E1FABA65107204u);
    CHECK(counter_rng{42}.at(2) == 0x7C816738C12903B2u);
}

TEST_CASE("any seed: the generator seeded with the first number that it draws from the seed", "[core][rng]") {
    std::uint64_t const seed = GENERATE(0u, 1u, 7u, 1234567u, 0xFFFFFFFFFFFFFFFFu);
    splitmix64 reference{splitmix64{seed}()};
    counter_rng rng{seed};
    for (int i = 0; i < 100; ++i) REQUIRE(rng.next() == reference());
}

TEST_CASE("a number is addressed by its counter, whatever was drawn before", "[core][rng]") {
    std::uint64_t const seed = GENERATE(0u, 3u, 99u);
    counter_rng sequence{seed};
    counter_rng const addressed{seed};
    std::vector<std::uint64_t> drawn;
    for (std::uint64_t n = 0; n < 65; ++n) drawn.push_back(sequence.next());
    for (std::uint64_t n = 65; n-- > 0;) REQUIRE(addressed.at(n) == drawn[n]);
    STATIC_REQUIRE(counter_rng{5}.at(3) == counter_rng{5}.at(3));  // usable at compile time
}

TEST_CASE("neighbouring seeds give unrelated streams", "[core][rng]") {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        for (std::uint64_t n = 0; n < 100; ++n) seen.insert(counter_rng{seed}.at(n));
    }
    CHECK(seen.size() == 100 * 100);  // 64-bit numbers: one coincidence has probability 3e-12
}

TEST_CASE("numbers below a bound stay below it and reach every value", "[core][rng]") {
    std::uint64_t const bound = GENERATE(1u, 2u, 3u, 7u, 32u, 65u);
    counter_rng rng{bound};
    std::vector<int> hits(bound);
    int const draws = static_cast<int>(2000 * bound);
    for (int i = 0; i < draws; ++i) {
        auto const value = rng.below(bound);
        REQUIRE(value < bound);
        ++hits[value];
    }
    // chi-square with bound - 1 degrees of freedom: mean + 6 standard deviations
    double chi = 0;
    for (int hit : hits) chi += (hit - 2000.0) * (hit - 2000.0) / 2000.0;
    CHECK(chi <= static_cast<double>(bound - 1) + 6 * std::sqrt(2.0 * static_cast<double>(bound)));
}

TEST_CASE("a bound that does not divide 2^64 is not biased", "[core][rng]") {
    // Below 3 * 2^62 a plain remainder would give the lowest third twice as often as each other.
    std::uint64_t const bound = std::uint64_t{3} << 62;
    counter_rng rng{11};
    std::array<int, 3> thirds{};
    for (int i = 0; i < 30000; ++i) ++thirds[rng.below(bound) >> 62];
    for (int third : thirds) CHECK(std::abs(third - 10000) < 500);  // 6 standard deviations
    CHECK(counter_rng{1}.below(std::numeric_limits<std::uint64_t>::max()) == counter_rng{1}.next());
}

TEST_CASE("uniform numbers lie in [0, 1), on a grid of 2^-53, with the right moments", "[core][rng]") {
    counter_rng rng{2026};
    double sum = 0, squares = 0;
    int const draws = 100000;
    for (int i = 0; i < draws; ++i) {
        double const value = rng.uniform();
        REQUIRE(value >= 0);
        REQUIRE(value < 1);
        REQUIRE(std::ldexp(value, 53) == std::floor(std::ldexp(value, 53)));
        sum += value;
        squares += value * value;
    }
    CHECK(std::abs(sum / draws - 0.5) < 6 * std::sqrt(1.0 / 12 / draws));
    CHECK(std::abs(squares / draws - 1.0 / 3) < 6 * std::sqrt(4.0 / 45 / draws));
}

TEST_CASE("a sample holds different items of the population, the same for the same seed", "[core][rng]") {
    index const population = GENERATE(1, 7, 65, 1000);
    std::uint64_t const seed = GENERATE(0u, 1u, 17u);
    for (index const count : {index{0}, index{1}, population / 2, population}) {
        auto const sample = sample_without_replacement(population, count, seed);
        REQUIRE(static_cast<index>(sample.size()) == count);
        std::set<index> const distinct(sample.begin(), sample.end());
        CHECK(static_cast<index>(distinct.size()) == count);
        if (count > 0) CHECK((*distinct.begin() >= 0 && *distinct.rbegin() < population));
        CHECK(sample == sample_without_replacement(population, count, seed));
    }
}

TEST_CASE("a smaller sample is the beginning of a larger one", "[core][rng]") {
    auto const all = sample_without_replacement(129, 129, 5);
    auto const some = sample_without_replacement(129, 32, 5);
    CHECK(std::equal(some.begin(), some.end(), all.begin()));
}

TEST_CASE("a sample of the whole population is a shuffle, every order equally likely", "[core][rng]") {
    std::array<int, 27> orders{};
    for (std::uint64_t seed = 0; seed < 6000; ++seed) {
        auto const order = sample_without_replacement(3, 3, seed);
        ++orders[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
    }
    int reached = 0;
    for (int hits : orders) {
        reached += hits > 0;
        if (hits > 0) CHECK(std::abs(hits - 1000) < 180);  // 6 standard deviations
    }
    CHECK(reached == 6);
}

TEST_CASE("a shuffle keeps the elements, and every order of four comes equally often", "[core][rng]") {
    std::map<std::array<int, 4>, int> orders;
    counter_rng rng{5};
    for (int i = 0; i < 24000; ++i) {
        std::array<int, 4> values{0, 1, 2, 3};
        shuffle(std::span{values.data(), values.size()}, rng);
        ++orders[values];
    }
    REQUIRE(orders.size() == 24);
    for (auto const& [order, count] : orders) CHECK(std::abs(count - 1000) < 160);  // 5 standard deviations
}

TEST_CASE("a sample from a huge population needs no memory for it", "[core][rng]") {
    index const population = std::numeric_limits<index>::max();
    auto const sample = sample_without_replacement(population, 100, 1);
    CHECK(std::all_of(sample.begin(), sample.end(), [&](index item) { return item >= 0 && item < population; }));
}

TEST_CASE("a sample larger than its population is an error that names both", "[core][rng]") {
    CHECK_THROWS_AS(sample_without_replacement(3, 4, 0), usage_error);
    CHECK_THROWS_AS(sample_without_replacement(3, -1, 0), usage_error);
    CHECK_THROWS_WITH(sample_without_replacement(3, 4, 0), "cannot draw 4 different items out of 3");
    CHECK(sample_without_replacement(0, 0, 0).empty());
}

}  // namespace
