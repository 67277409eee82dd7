#include <plateau/metrics/pattern_statistics.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using testing::WithinAbs;
using vector = std::vector<double>;

TEST_CASE("entropy lies between one key and all keys", "[metrics][pattern_statistics]") {
    CHECK(metrics::pattern_entropy(vector{0, 1, 0}) == 0);
    CHECK_THAT(metrics::pattern_entropy(vector(8, 0.125)), WithinAbs(std::log(8), 1e-15));
    CHECK_THROWS_AS(metrics::pattern_entropy(vector{}), domain_error);
    CHECK_THROWS_AS(metrics::pattern_entropy(vector{0.5, 0.6}), domain_error);
    CHECK_THROWS_AS(metrics::pattern_entropy(vector{NAN, 1}), domain_error);
    CHECK_THROWS_AS(metrics::pattern_entropy(vector{-0.5, 1.5}), domain_error);
}

TEST_CASE("the likeliest key and its margin", "[metrics][pattern_statistics]") {
    std::vector<float> const scores{1, -INFINITY, 4, 2.5F, 4};
    CHECK(metrics::likeliest_key<float>(scores) == 2);
    CHECK(metrics::top_two_margin<float>(scores) == 0);
    CHECK(metrics::top_two_margin<double>(vector{-INFINITY, -3, -4.5}) == 1.5);
    CHECK(metrics::top_two_margin<double>(vector{-INFINITY, -3}) == INFINITY);
    CHECK(metrics::top_two_margin<double>(vector{7}) == INFINITY);
    CHECK_THROWS_AS(metrics::likeliest_key<double>(vector{}), shape_error);
    CHECK_THROWS_AS(metrics::likeliest_key<double>(vector{1, NAN}), domain_error);
    CHECK_THROWS_AS(metrics::top_two_margin<double>(vector{}), shape_error);
    CHECK_THROWS_AS(metrics::top_two_margin<double>(vector{1, NAN}), domain_error);
    CHECK_THROWS_AS(metrics::top_two_margin<double>(vector{1, INFINITY}), domain_error);
    CHECK_THROWS_AS(metrics::top_two_margin<double>(vector{-INFINITY, -INFINITY}), domain_error);
}

/// ⟨key, query⟩ of each key, times β.
vector scores_of(tensor::buffer<double, 2> const& keys, vector const& query, double beta) {
    vector scores;
    for (index k = 0; k < keys.extent(0); ++k) scores.push_back(beta * tensor::dot(keys[k].flat(), std::span{query}));
    return scores;
}

TEST_CASE("the slope of the energy is the query without what attention reads", "[metrics][pattern_statistics]") {
    index const width = 7, count = 33;
    double const beta = 1 / std::sqrt(7.0), step = 1e-5;
    auto const keys = testing::random_buffer<double, 2>({count, width}, 1);
    auto query = testing::random_vector<double>(width, 2);
    auto const energy = [&] {
        return metrics::hopfield_energy<double>(scores_of(keys, query, beta), beta,
                                                tensor::dot(std::span{query}, std::span{query}));
    };
    auto const weights = metrics::log_softmax<double>(scores_of(keys, query, beta));
    for (index i = 0; i < width; ++i) {
        double read = 0;
        for (index k = 0; k < count; ++k) read += std::exp(weights[static_cast<std::size_t>(k)]) * keys.view()(k, i);
        double& element = query[static_cast<std::size_t>(i)];
        double const middle = element;
        element = middle + step;
        double const above = energy();
        element = middle - step;
        double const slope = (above - energy()) / (2 * step);
        element = middle;
        CHECK_THAT(slope, WithinAbs(middle - read, 1e-8));
    }
}

TEST_CASE("energies do not overflow, and masked keys do not count", "[metrics][pattern_statistics]") {
    CHECK_THAT(metrics::hopfield_energy<double>(vector{1e5, 1e5, -INFINITY}, 0.5, 6),
               WithinAbs(3 - 2 * (1e5 + std::log(2)), 1e-10));
    CHECK_THROWS_AS(metrics::hopfield_energy<double>(vector{}, 1, 1), shape_error);
    CHECK_THROWS_AS(metrics::hopfield_energy<double>(vector{-INFINITY}, 1, 1), domain_error);
    CHECK_THROWS_AS(metrics::hopfield_energy<double>(vector{NAN}, 1, 1), domain_error);
    CHECK_THROWS_AS(metrics::hopfield_energy<double>(vector{1}, GENERATE(0, -1, NAN, INFINITY), 1), domain_error);
    CHECK_THROWS_AS(metrics::hopfield_energy<double>(vector{1}, 1, GENERATE(-1, NAN, INFINITY)), domain_error);
}

}  // namespace
