// Directions: what each is made of, and that a user's own is one.

#include <plateau/directions/difference_of_means.hpp>
#include <plateau/directions/gaussian.hpp>
#include <plateau/directions/isotropic.hpp>
#include <plateau/directions/random_row.hpp>
#include <plateau/directions/real.hpp>
#include <plateau/directions/toward.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/science.hpp"

namespace {

using namespace plateau;
using namespace plateau::directions;
using plateau::index;
using testing::largest_difference;

/// Draws that are told in advance: k, k + 1, ... at every coordinate.
struct counting_sampler {
    std::vector<double> operator()(counter_rng& rng) const {
        return std::vector<double>(3, static_cast<double>(rng.next() % 1000));
    }
};

TEST_CASE("isotropic directions have mean 0, variance 1 and no preferred pair of coordinates",
          "[directions][isotropic]") {
    std::vector<float> const a(5, 3.f);
    counter_rng rng{1};
    index const draws = 20000;
    std::vector<double> mean(5), products(25);
    for (index k = 0; k < draws; ++k) {
        auto const d = isotropic{}(std::span<float const>{a}, rng);
        REQUIRE(d.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            mean[i] += d[i] / static_cast<double>(draws);
            for (std::size_t j = 0; j < 5; ++j) products[i * 5 + j] += d[i] * d[j] / static_cast<double>(draws);
        }
    }
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(std::abs(mean[i]) < 0.03);  // four standard errors
        for (std::size_t j = 0; j < 5; ++j) CHECK(std::abs(products[i * 5 + j] - (i == j ? 1.0 : 0.0)) < 0.045);
    }
}

TEST_CASE("a stream of its own gives the same direction whatever was drawn before", "[directions]") {
    std::vector<float> const a(7, 1.f);
    counter_rng first{counter_rng{3}.at(8)}, again{counter_rng{3}.at(8)}, other{counter_rng{3}.at(9)};
    auto const d = isotropic{}(std::span<float const>{a}, first);
    CHECK(d == isotropic{}(std::span<float const>{a}, again));
    CHECK(d != isotropic{}(std::span<float const>{a}, other));
}

TEST_CASE("toward a target is target - a, toward a sample is sample - a, a mixture does not use a",
          "[directions][toward]") {
    std::vector<float> const a{1, 2, 3}, elsewhere{-9, 0, 4};
    counter_rng rng{1};
    CHECK(toward{{2, 2, 2}}(std::span<float const>{a}, rng) == std::vector<double>{1, 0, -1});
    counter_rng known{5}, drawn{5};
    double const x1 = counting_sampler{}(known)[0], x2 = counting_sampler{}(known)[0];
    CHECK(toward_sample{counting_sampler{}}(std::span<float const>{a}, drawn) ==
          std::vector<double>{x1 - 1, x1 - 2, x1 - 3});
    for (auto const& from : {a, elsewhere}) {
        counter_rng both{5};
        CHECK(sample_mixture{counting_sampler{}}(std::span<float const>{from}, both) ==
              std::vector<double>(3, x1 - x2));
    }
    CHECK_THROWS_AS((toward{{1, 2}}(std::span<float const>{a}, rng)), shape_error);
    counting_sampler const kept;
    CHECK(toward_sample{std::cref(kept)}(std::span<float const>{a}, rng).size() == 3);
}

TEST_CASE("real directions take every other activation, never a itself nor the same one twice", "[directions][real]") {
    auto rows = testing::random_buffer<float, 2>({4, 3}, 1);
    std::copy_n(rows[1].data(), 3, rows[3].data());  // the same activation in two prompts
    tensor::view<float const, 2> const all = rows;
    std::span<float const> const a = all[0].flat();
    std::set<std::vector<double>> seen, mixtures;
    counter_rng rng{1};
    for (int k = 0; k < 200; ++k) {
        seen.insert(toward_real<float>{all}(a, rng));
        mixtures.insert(real_mixture<float>{all}(a, rng));
    }
    CHECK(seen == std::set{difference(all[1].flat(), a), difference(all[2].flat(), a)});
    CHECK(mixtures == std::set{difference(all[1].flat(), all[2].flat()), difference(all[2].flat(), all[1].flat())});
    CHECK_THROWS_AS((toward_real<float>{all.rows(0, 1)}(a, rng)), domain_error);
    CHECK_THROWS_AS((real_mixture<float>{all.rows(0, 2)}(a, rng)), domain_error);
}

TEST_CASE("a random row comes as it is, or with either sign", "[directions][random_row]") {
    auto const rows = testing::random_buffer<float, 2>({5, 3}, 1);
    std::vector<float> const a(3, 1.f), wide(4, 1.f);
    std::set<std::vector<double>> plain, signs;
    counter_rng rng{1};
    for (int k = 0; k < 300; ++k) {
        plain.insert(random_row<float>{rows}(std::span<float const>{a}, rng));
        signs.insert(random_row<float>{rows, row_sign::random}(std::span<float const>{a}, rng));
    }
    CHECK(plain.size() == 5);
    CHECK(signs.size() == 10);
    for (auto const& d : plain) CHECK(signs.count(d) == 1);
    CHECK_THROWS_AS((random_row<float>{rows}(std::span<float const>{wide}, rng)), shape_error);
    CHECK_THROWS_AS((random_row<float>{rows.view().rows(0, 0)}(std::span<float const>{a}, rng)), shape_error);
}

TEST_CASE("a difference of means recovers the planted shift", "[directions][difference_of_means]") {
    auto to = testing::random_buffer<float, 2>({31, 4}, 1), from = testing::random_buffer<float, 2>({17, 4}, 2);
    std::vector<double> expected(4);
    for (index i = 0; i < 4; ++i) {
        for (index r = 0; r < 31; ++r) expected[static_cast<std::size_t>(i)] += to(r, i) / 31.0;
        for (index r = 0; r < 17; ++r) expected[static_cast<std::size_t>(i)] -= from(r, i) / 17.0;
    }
    CHECK(largest_difference(difference_of_means<float>(to, from), expected) < 1e-14);
    auto const none = difference_of_means<float>(to, to);
    CHECK(largest_difference(none, std::vector<double>(4)) < 1e-15);
    CHECK_THROWS_AS((difference_of_means<float>(to, from.view().rows(0, 0))), shape_error);
    CHECK_THROWS_AS((difference_of_means<float>(to, testing::random_buffer<float, 2>({3, 5}, 1))), shape_error);
}

TEST_CASE("a lambda of a user's own is a direction; what it returns is checked", "[directions][errors]") {
    std::vector<float> const a{3, 4};
    counter_rng rng{1};
    auto const away = [](std::span<float const> x, counter_rng&) { return std::vector<double>(x.begin(), x.end()); };
    static_assert(Direction<decltype(away), float>);
    static_assert(!Direction<int, float>);
    auto const unit = unit_direction(away, std::span<float const>{a}, rng);
    CHECK(largest_difference(unit, std::vector<double>{0.6, 0.8}) < 1e-15);
    any_direction<float> const any = away;
    CHECK(unit_direction(any, std::span<float const>{a}, rng) == unit);
    auto const refuse = [&](std::vector<double> d, auto expected) {
        CHECK_THROWS_AS(unit_direction([&](std::span<float const>, counter_rng&) { return d; },
                                       std::span<float const>{a}, rng, "mine"),
                        decltype(expected));
    };
    refuse({0, 0}, domain_error{""});
    refuse({1, std::nan("")}, domain_error{""});
    refuse({1, INFINITY}, domain_error{""});
    refuse({1, 2, 3}, shape_error{""});
}

}  // namespace
