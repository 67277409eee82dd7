#include <plateau/metrics/cross_entropy.hpp>
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/metrics/kl_divergence.hpp>
#include <plateau/metrics/log_softmax.hpp>
#include <plateau/metrics/logit_difference.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

double const infinity = INFINITY;

TEMPLATE_TEST_CASE("a distribution sums to one, and does not change with a constant added", "[metrics][log_softmax]",
                   float, double) {
    index const size = GENERATE(1, 7, 32, 65, 129);
    auto logits = testing::random_vector<TestType>(size, 1, 8);
    auto const before = metrics::log_softmax<TestType>(logits);
    double total = 0;
    for (double l : before) total += std::exp(l);
    CHECK_THAT(total, testing::WithinAbs(1, 1e-14));
    for (auto& l : logits) l += TestType(1024);
    auto const after = metrics::log_softmax<TestType>(logits);
    for (std::size_t i = 0; i < before.size(); ++i)
        REQUIRE_THAT(after[i], testing::WithinAbs(before[i], 2048 * testing::epsilon_of<TestType>));
}

TEST_CASE("large logits do not overflow, and -inf is a token that cannot come", "[metrics][log_softmax]") {
    CHECK_THAT(metrics::log_sum_exp<double>(vector{1e5, 1e5}), testing::WithinRel(1e5 + std::log(2), 1e-15));
    CHECK(metrics::log_softmax<double>(vector{3, -infinity})[1] == -infinity);
    CHECK(metrics::log_softmax<double>(vector{3, -infinity})[0] == 0);
    CHECK_THROWS_AS(metrics::log_sum_exp<double>(vector{1, NAN}), domain_error);
    CHECK_THROWS_AS(metrics::log_sum_exp<double>(vector{1, infinity}), domain_error);
    CHECK_THROWS_AS(metrics::log_sum_exp<double>(vector{-infinity, -infinity}), domain_error);
    CHECK_THROWS_AS(metrics::log_sum_exp<double>(vector{}), shape_error);
}

TEST_CASE("divergences are zero between equals, not negative, and those of the definition",
          "[metrics][kl_divergence]") {
    vector const p{0.5, 0.5}, q{0.9, 0.1};
    CHECK(metrics::kl_divergence(p, p) == 0);
    CHECK_THAT(metrics::kl_divergence(p, q), testing::WithinRel(0.5 * std::log(0.5 / 0.9) + 0.5 * std::log(5), 1e-15));
    auto const left = testing::random_vector<double>(65, GENERATE(1u, 2u)),
               right = testing::random_vector<double>(65, 3);
    auto const both = metrics::kl_of_logits<double>(left, right), reverse = metrics::kl_of_logits<double>(right, left);
    CHECK(both.from_reference > 0);
    CHECK(both.from_reference == reverse.to_reference);
    CHECK(both.to_reference == reverse.from_reference);
    CHECK(metrics::kl_of_logits<double>(left, left).from_reference == 0);
}

TEST_CASE("what cannot come makes a divergence infinite one way alone", "[metrics][kl_divergence]") {
    vector const p{0.5, 0.5, 0}, q{1, 0, 0}, l{0, 0, -infinity}, m{0, -infinity, -infinity};
    CHECK(metrics::kl_divergence(p, q) == infinity);
    CHECK_THAT(metrics::kl_divergence(q, p), testing::WithinRel(std::log(2), 1e-15));
    auto const both = metrics::kl_of_logits<double>(l, m);
    CHECK(both.from_reference == infinity);
    CHECK_THAT(both.to_reference, testing::WithinRel(std::log(2), 1e-15));
}

TEST_CASE("what is no distribution is an error", "[metrics][kl_divergence]") {
    vector const p{0.5, 0.5};
    for (auto const& wrong :
         {vector{1.5, -0.5}, vector{0.5, NAN}, vector{0.7, 0.7}, vector{0, 0}, vector{infinity, 0}}) {
        CHECK_THROWS_AS(metrics::kl_divergence(p, wrong), domain_error);
        CHECK_THROWS_AS(metrics::jensen_shannon_distance(wrong, p), domain_error);
    }
    CHECK_THROWS_AS(metrics::kl_divergence(p, vector{1}), shape_error);
    CHECK_THROWS_AS(metrics::kl_of_logits<double>(p, vector{1}), shape_error);
    CHECK_THROWS_AS(metrics::jensen_shannon_distance(p, vector{1}), shape_error);
}

TEST_CASE("the Jensen-Shannon distance is a metric from 0 to 1", "[metrics][jensen_shannon]") {
    CHECK(metrics::jensen_shannon_distance(vector{1, 0}, vector{0, 1}) == 1);
    auto const a = testing::random_vector<double>(33, 1), b = testing::random_vector<double>(33, 2, 3),
               c = testing::random_vector<double>(33, 3);
    double const ab = metrics::jensen_shannon_of_logits<double>(a, b),
                 bc = metrics::jensen_shannon_of_logits<double>(b, c);
    CHECK(metrics::jensen_shannon_of_logits<double>(a, a) == 0);
    CHECK_THAT(metrics::jensen_shannon_of_logits<double>(b, a), testing::WithinAbs(ab, 1e-15));
    CHECK(metrics::jensen_shannon_of_logits<double>(a, c) <= ab + bc);
    CHECK((ab > 0 && ab < 1));
}

TEST_CASE("cross-entropy is that of the token that came", "[metrics][cross_entropy]") {
    std::vector<float> const clean{0, 0, 0, 0}, changed{0, 0, 0, -INFINITY};
    CHECK_THAT(metrics::cross_entropy<float>(clean, 2), testing::WithinRel(std::log(4), 1e-15));
    CHECK_THAT(metrics::cross_entropy_change<float>(clean, changed, 2), testing::WithinRel(std::log(3.0 / 4), 1e-14));
    CHECK(metrics::cross_entropy_change<float>(clean, changed, 3) == infinity);
    CHECK_THROWS_AS(metrics::cross_entropy<float>(clean, GENERATE(-1, 4)), domain_error);
}

TEST_CASE("a normalised logit difference runs from 0 to 1", "[metrics][logit_difference]") {
    vector const of_a{5, 4, 1}, of_b{1, 2, 3};  // Δ = 4, 2, −2
    auto const curve = metrics::normalised_logit_difference(of_a, of_b);
    CHECK(curve.front() == 0);
    CHECK(curve.back() == 1);
    CHECK_THAT(curve[1], testing::WithinRel(1.0 / 3, 1e-15));
    auto const same = metrics::normalised_logit_difference(of_a, of_a);
    CHECK((std::isnan(same[0]) && std::isnan(same[1]) && std::isnan(same[2])));
    CHECK_THROWS_AS(metrics::normalised_logit_difference(of_a, vector{1, 2}), shape_error);
    CHECK_THROWS_AS(metrics::normalised_logit_difference(vector{1}, vector{1}), shape_error);
}

}  // namespace
