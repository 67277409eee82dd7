#include <plateau/paths/polyline.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <plateau/metrics/l2_distance.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

TEMPLATE_TEST_CASE("a polyline meets its anchors, bit for bit", "[paths][polyline]", float, double) {
    index const count = GENERATE(2, 3, 7, 32);
    auto const fraction = GENERATE(paths::polyline_fraction::segments, paths::polyline_fraction::length);
    auto const anchors = testing::random_buffer<TestType, 2>({count, 33}, 1);
    paths::polyline<TestType> const path{anchors, fraction};
    std::vector<TestType> out(33);
    CHECK(path.place_of(0) == 0);
    CHECK(path.place_of(count - 1) == 1);
    for (index k = 0; k < count; ++k) {
        path(path.place_of(k), out);
        REQUIRE(testing::same_bits(out.data(), anchors[k].data(), 33));
    }
}

TEST_CASE("by segments every segment has the same share, by length the speed is the same", "[paths][polyline]") {
    tensor::buffer<double, 2> anchors({3, 1});
    anchors(1, 0) = 1;
    anchors(2, 0) = 4;
    vector x(1);
    auto const at = [&](auto const& path, double t) {
        path(t, x);
        return x[0];
    };
    paths::polyline<double> const by_segments{anchors}, by_length{anchors, paths::polyline_fraction::length};
    CHECK(at(by_segments, 0.25) == 0.5);
    CHECK(at(by_segments, 0.75) == 2.5);
    for (double t : {-0.5, 0.1, 0.25, 0.7, 1.5}) CHECK_THAT(at(by_length, t), testing::WithinAbs(4 * t, 1e-15));
    CHECK(at(by_segments, -0.5) == -1);  // the first segment goes on
    CHECK(at(by_segments, 1.5) == 7);
}

TEST_CASE("a polyline needs two anchors, and by length different ones", "[paths][polyline]") {
    tensor::buffer<double, 2> const one({1, 3}), same({3, 3});
    CHECK_THROWS_AS((paths::polyline<double>{one}), shape_error);
    CHECK_NOTHROW((paths::polyline<double>{same}));
    CHECK_THROWS_WITH((paths::polyline<double>{same, paths::polyline_fraction::length}),
                      testing::contains("anchors 0 and 1"));
    vector out(4);
    CHECK_THROWS_AS((paths::polyline<double>{same}(0.5, out)), shape_error);
}

}  // namespace
