// Metrics beside numpy, scipy and scikit-learn.
#include <algorithm>
#include <vector>

#include "support/catch.hpp"
#include "support/science.hpp"

#include <plateau/metrics/cosine_distance.hpp>
#include <plateau/metrics/cross_entropy.hpp>
#include <plateau/metrics/isotonic_fit.hpp>
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/metrics/kl_divergence.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/label_map.hpp>
#include <plateau/metrics/lp_distance.hpp>
#include <plateau/metrics/superellipse.hpp>

namespace {

using namespace plateau;
using plateau::index;
using testing::largest_difference;
using testing::number;
using testing::numbers;

/// The larger one of what was and |a − b| / max(1, |b|).
void widen(double& worst, double a, double b) {
    worst = std::max(worst, largest_difference(std::vector{a}, std::vector{b}));
}

TEST_CASE("isotonic fits are those of scikit-learn", "[metrics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("isotonic")) {
        auto const curve = numbers(c, "curve");
        worst = std::max(worst, largest_difference(metrics::isotonic_fit(curve), numbers(c, "fit")));
        worst = std::max(
            worst, largest_difference(metrics::isotonic_fit(curve, numbers(c, "weights")), numbers(c, "weighted")));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("divergences are those of scipy", "[metrics][golden]") {
    auto const subject = testing::science("distributions");
    double worst = 0;
    for (auto const& c : subject.at("logits")) {
        auto const p = numbers(c, "p_logits"), q = numbers(c, "q_logits");
        auto const both = metrics::kl_of_logits<double>(p, q);
        widen(worst, both.from_reference, number(c, "kl"));
        widen(worst, both.to_reference, number(c, "reverse"));
        widen(worst, metrics::log_sum_exp<double>(p), number(c, "log_sum_exp"));
        worst = std::max(worst, largest_difference(metrics::log_softmax<double>(p), numbers(c, "log_softmax")));
        widen(worst, metrics::jensen_shannon_of_logits<double>(p, q), number(c, "js"));
        widen(worst, metrics::cross_entropy<double>(p, 1), number(c, "cross_entropy"));
        widen(worst, metrics::cross_entropy_change<double>(p, q, 1), number(c, "cross_entropy_change"));
    }
    auto const& zeros = subject.at("zeros");
    auto const p = numbers(zeros, "p"), q = numbers(zeros, "q");
    widen(worst, metrics::kl_divergence(p, q), number(zeros, "kl"));
    widen(worst, metrics::jensen_shannon_distance(p, q), number(zeros, "js"));
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("distances are those of scipy", "[metrics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("distances")) {
        auto const a = numbers(c, "a"), b = numbers(c, "b");
        widen(worst, metrics::lp_distance<double>(a, b, 1), number(c, "l1"));
        widen(worst, metrics::lp_distance<double>(a, b, 2.5), number(c, "l25"));
        widen(worst, metrics::lp_distance<double>(a, b, 3), number(c, "l3"));
        widen(worst, metrics::lp_distance<double>(a, b, INFINITY), number(c, "largest"));
        widen(worst, metrics::l2_distance<double>(a, b), number(c, "l2"));
        widen(worst, metrics::cosine_distance<double>(a, b), number(c, "cosine"));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("superellipse fits are those of scipy's bounded search", "[metrics][golden]") {
    for (auto const& c : testing::science("superellipse")) {
        auto const x = numbers(c, "x"), y = numbers(c, "y");
        std::vector<std::array<double, 2>> points;
        for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y[i]});
        // the loss is flat at its minimum: p is known to the root of the precision of double
        CHECK_THAT(metrics::superellipse_exponent(points), testing::WithinAbs(number(c, "fit"), 1e-6));
    }
}

TEST_CASE("connected regions are those of scipy.ndimage", "[metrics][golden]") {
    auto const c = testing::science("regions");
    auto const labels = testing::matrix<index>(c, "labels");
    auto found = metrics::regions_of<index>(labels);
    CHECK(found.count() == c.at("count").get<index>());
    std::sort(found.area.begin(), found.area.end());
    CHECK(found.area == c.at("areas").get<std::vector<index>>());
}

}  // namespace
