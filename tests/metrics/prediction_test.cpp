#include <plateau/metrics/jump_prediction.hpp>
#include <plateau/metrics/neuron_prediction.hpp>
#include <plateau/metrics/off_manifold.hpp>

#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/metrics/cosine_distance.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/paths/refine_jump.hpp>
#include <plateau/paths/slerp_rescaled.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

TEST_CASE("a map that sorts by direction from the mean jumps where the bisector says", "[metrics][jump_prediction]") {
    index const width = GENERATE(2, 7, 65);
    auto const a = testing::random_vector<double>(width, GENERATE(1u, 2u)),
               b = testing::random_vector<double>(width, 3), m = testing::random_vector<double>(width, 4, 0.3);
    vector x(a.size());
    auto const from_mean = [&](vector const& v) {
        vector d(v.size());
        for (std::size_t i = 0; i < d.size(); ++i) d[i] = v[i] - m[i];
        return d;
    };
    auto const region = [&](double t) {
        paths::linear<double>{a, b}(t, x);
        auto const d = from_mean(x);
        return metrics::cosine_distance<double>(d, from_mean(a)) > metrics::cosine_distance<double>(d, from_mean(b))
                   ? 1.0
                   : 0.0;
    };
    auto const found = paths::refine_jump(region, {.tolerance = 1e-9});
    CHECK_THAT(found.place, testing::WithinAbs(metrics::bisector_prediction<double>(a, b, m), 2e-9));
}

TEST_CASE("alpha_mean is the foot of the mean, the nearest place of the line to it", "[metrics][jump_prediction]") {
    auto const a = testing::random_vector<double>(33, 1), b = testing::random_vector<double>(33, 2),
               m = testing::random_vector<double>(33, 3);
    double const foot = metrics::alpha_mean<double>(a, b, m);
    auto const distance = [&](double t) {
        vector x(33);
        paths::linear<double>{a, b}(t, x);
        return metrics::l2_distance<double>(x, m);
    };
    CHECK(distance(foot) < distance(foot + 1e-4));
    CHECK(distance(foot) < distance(foot - 1e-4));
    CHECK(std::isnan(metrics::alpha_mean<double>(a, a, m)));
    CHECK(std::isnan(metrics::bisector_prediction<double>(a, a, a)));
    CHECK(metrics::bisector_prediction<double>(a, b, a) == 0);
    CHECK(metrics::bisector_prediction<double>(a, b, b) == 1);
    CHECK_THROWS_AS(metrics::bisector_prediction<double>(a, b, vector{1}), shape_error);
}

TEST_CASE("the published masks", "[metrics][jump_prediction]") {
    vector const passes{9, 8, 5, 8, 9}, shallow{9, 8, 7, 8, 9}, at_end{9, 5, 8, 9, 9}, broken{9, NAN, 1, 2, 9};
    CHECK(metrics::passes_the_mean(passes));
    CHECK_FALSE(metrics::passes_the_mean(shallow));
    CHECK(metrics::passes_the_mean(shallow, 1.5));
    CHECK_FALSE(metrics::passes_the_mean(at_end));
    CHECK(metrics::passes_the_mean(at_end, 3, 1));
    CHECK_FALSE(metrics::passes_the_mean(broken));
    CHECK_THROWS_AS(metrics::passes_the_mean(vector{}), shape_error);
}

TEST_CASE("neurons of one end alone predict the jump where their sums cross", "[metrics][neuron_prediction]") {
    // columns: on at A alone (fades by 0.9), on at B alone (from 0.3 on), on at both, on at neither
    index const points = 11;
    tensor::buffer<double, 2> neurons({points, 4});
    for (index s = 0; s < points; ++s) {
        double const t = static_cast<double>(s) / 10;
        neurons(s, 0) = std::max(0.0, 4 * (0.9 - t));
        neurons(s, 1) = std::max(0.0, t - 0.3);
        neurons(s, 2) = 100;
        neurons(s, 3) = s == 5 ? 50 : 0;
    }
    // ratio: (0.9 − t) / 0.9 < (t − 0.3) / 0.7; naive: 4 (0.9 − t) < t − 0.3
    double const ratio = (1 + 0.3 / 0.7) / (1 / 0.9 + 1 / 0.7), naive = (3.6 + 0.3) / 5;
    CHECK(metrics::neuron_prediction<double>(neurons) == static_cast<index>(std::ceil(10 * ratio)));
    CHECK(metrics::neuron_prediction<double>(neurons, metrics::neuron_rule::naive) ==
          static_cast<index>(std::ceil(10 * naive)));
}

TEST_CASE("without such neurons there is no prediction", "[metrics][neuron_prediction]") {
    tensor::buffer<float, 2> neurons({3, 2});
    CHECK(metrics::neuron_prediction<float>(neurons) == std::nullopt);
    neurons(0, 0) = 1;
    CHECK(metrics::neuron_prediction<float>(neurons) == std::nullopt);  // none that B alone turns on
    CHECK(metrics::neuron_prediction<float>(neurons, metrics::neuron_rule::naive) == std::nullopt);
    CHECK_THROWS_AS(metrics::neuron_prediction<float>(tensor::buffer<float, 2>({1, 2})), shape_error);
}

TEST_CASE("norms dip on a straight line by 1 - cos of half the angle, and not on a sphere", "[metrics][off_manifold]") {
    double const angle = GENERATE(0.5, 2.0);
    vector const a{2, 0}, b{2 * std::cos(angle), 2 * std::sin(angle)};
    tensor::buffer<double, 2> line({101, 2}), circle({101, 2});
    auto const grid = paths::even_grid(0, 1, 101);
    paths::write_points<double>(paths::linear<double>{a, b}, grid, line.view());
    paths::write_points<double>(paths::slerp_rescaled<double>{a, b}, grid, circle.view());
    CHECK_THAT(metrics::norm_dip<double>(line), testing::WithinAbs(1 - std::cos(angle / 2), 1e-12));
    CHECK_THAT(metrics::norm_dip<double>(circle), testing::WithinAbs(0, 1e-14));
    CHECK_THAT(metrics::detour_ratio<double>(line), testing::WithinRel(1, 1e-12));
    CHECK_THAT(metrics::detour_ratio<double>(circle), testing::WithinRel(angle / 2 / std::sin(angle / 2), 1e-4));
    CHECK(std::isnan(metrics::norm_dip<double>(tensor::buffer<double, 2>({3, 2}))));
    CHECK(std::isnan(metrics::detour_ratio<double>(tensor::buffer<double, 2>({3, 2}))));
    CHECK_THROWS_AS(metrics::norm_dip<double>(tensor::buffer<double, 2>({1, 2})), shape_error);
    CHECK_THROWS_AS(metrics::detour_ratio<double>(tensor::buffer<double, 2>({1, 2})), shape_error);
}

TEST_CASE("the k-th nearest is the k-th of all distances", "[metrics][off_manifold]") {
    tensor::buffer<float, 2> samples({4, 1});
    for (index i = 0; i < 4; ++i) samples(i, 0) = static_cast<float>(i * i);
    std::vector<float> const x{3};
    CHECK(metrics::knn_radius<float>(x, samples, 1) == 1);
    CHECK(metrics::knn_radius<float>(x, samples, 2) == 2);
    CHECK(metrics::knn_radius<float>(x, samples, 4) == 6);
    CHECK_THROWS_AS(metrics::knn_radius<float>(x, samples, GENERATE(0, 5)), shape_error);
    CHECK_THROWS_AS(metrics::knn_radius<float>(std::vector<float>{1, 2}, samples, 1), shape_error);
}

}  // namespace
