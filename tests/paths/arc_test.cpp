#include <plateau/paths/arc.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <plateau/metrics/l2_distance.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;
using metrics::l2_distance;

vector at(paths::arc<double> const& path, double t, std::size_t size) {
    vector out(size, -77);
    path(t, out);
    return out;
}

TEST_CASE("an arc keeps the distance of a to the mean; it ends at b only if b has it too", "[paths][arc]") {
    index const size = GENERATE(2, 7, 65);
    auto const a = testing::random_vector<double>(size, 1), b = testing::random_vector<double>(size, 2),
               m = testing::random_vector<double>(size, 3);
    paths::arc<double> const path{a, b, m};
    double const radius = l2_distance<double>(a, m), radius_b = l2_distance<double>(b, m);
    for (double t : {0.0, 0.2, 0.5, 0.9, 1.0}) {
        CHECK_THAT(l2_distance<double>(at(path, t, a.size()), m), testing::WithinRel(radius, 1e-12));
    }
    CHECK(testing::same_bits(at(path, 0, a.size()).data(), a.data(), size));
    CHECK_THAT(l2_distance<double>(at(path, 1, a.size()), b), testing::WithinAbs(std::abs(radius - radius_b), 1e-12));
    // the points lie on the rays from the mean through the straight line
    auto const x = at(path, 0.4, a.size());
    double inner = 0, line_norm = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        double const line = 0.6 * a[i] + 0.4 * b[i] - m[i];
        inner += (x[i] - m[i]) * line;
        line_norm += line * line;
    }
    CHECK_THAT(inner, testing::WithinRel(radius * std::sqrt(line_norm), 1e-12));
}

TEST_CASE("an arc of interpolated radius ends at b", "[paths][arc]") {
    auto const a = testing::random_vector<double>(65, 1), b = testing::random_vector<double>(65, 2),
               m = testing::random_vector<double>(65, 3);
    paths::arc<double> const path{a, b, m, paths::arc_radius::interpolated};
    CHECK(testing::same_bits(at(path, 0, 65).data(), a.data(), 65));
    CHECK(testing::same_bits(at(path, 1, 65).data(), b.data(), 65));
    double const expected = 0.7 * l2_distance<double>(a, m) + 0.3 * l2_distance<double>(b, m);
    CHECK_THAT(l2_distance<double>(at(path, 0.3, 65), m), testing::WithinRel(expected, 1e-12));
}

TEST_CASE("an arc of floats is rounded once", "[paths][arc]") {
    auto const a = testing::random_vector<float>(129, 1), b = testing::random_vector<float>(129, 2),
               m = testing::random_vector<float>(129, 3);
    vector const da(a.begin(), a.end()), db(b.begin(), b.end()), dm(m.begin(), m.end());
    std::vector<float> out(129);
    paths::arc<float>{a, b, m}(0.37, out);
    auto const exact = at(paths::arc<double>{da, db, dm}, 0.37, 129);
    for (std::size_t i = 0; i < out.size(); ++i) REQUIRE(out[i] == static_cast<float>(exact[i]));
}

TEST_CASE("an arc that has no direction is an error", "[paths][arc]") {
    vector const a{1, 0}, b{-1, 0}, m{0, 0}, other{0, 3};
    CHECK_THROWS_WITH((paths::arc<double>{m, b, m}), testing::contains("a - mean"));
    CHECK_THROWS_AS((paths::arc<double>{a, m, m, paths::arc_radius::interpolated}), domain_error);
    CHECK_NOTHROW(paths::arc<double>{a, m, other});
    paths::arc<double> const through{a, b, m};
    vector out(2);
    CHECK_THROWS_AS(through(0.5, out), domain_error);
    CHECK_NOTHROW(through(0.49, out));
    CHECK_THROWS_AS((paths::arc<double>{a, b, vector{1, 2, 3}}), shape_error);
    CHECK_THROWS_AS((paths::arc<double>{vector{NAN, 0}, b, m}), domain_error);
}

}  // namespace
