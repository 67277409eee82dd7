#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/canvas.hpp>

#include <limits>
#include <sstream>
#include <vector>

#include "support/catch.hpp"
#include "support/png.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau;
using namespace plateau::viz;
using plateau::testing::png_size;

double const nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("a picture is a PNG of its size times its scale", "[viz][canvas]") {
    auto const [width, height, scale] = GENERATE(table<double, double, double>({{10, 20, 1}, {30, 7, 2}, {9, 9, 1.5}}));
    canvas const picture{width, height, scale};
    auto const size = png_size(picture.png());
    CHECK(size.width == static_cast<unsigned>(std::ceil(width * scale)));
    CHECK(size.height == static_cast<unsigned>(std::ceil(height * scale)));
    CHECK(size.width == picture.pixel_width());
    CHECK(size.height == picture.pixel_height());
}

TEST_CASE("what is drawn changes the picture, what is clipped does not", "[viz][canvas]") {
    auto const blank = canvas{40, 40}.png();
    pen const black{palette::ink, 2};
    canvas lined{40, 40}, clipped{40, 40}, written{40, 40}, filled{40, 40};
    lined.line({{0, 0}, {40, 40}}, black);
    CHECK(lined.png() != blank);
    {
        auto const inside = clipped.clip({0, 0, 10, 10});
        clipped.line({{20, 20}, {40, 40}}, black);
    }
    CHECK(clipped.png() == blank);
    clipped.line({{0, 0}, {40, 40}}, black);
    CHECK(clipped.png() == lined.png());
    written.text({5, 20}, "α", {});
    CHECK(written.png() != blank);
    filled.fill({5, 5, 10, 10}, palette::blue.with_alpha(0.5));
    CHECK(filled.png() != blank);
}

TEST_CASE("text is measured and set by the same rule", "[viz][canvas]") {
    canvas picture{100, 30};
    text_style const style{.size = 12};
    CHECK(picture.text_width("", style) == 0);
    double const once = picture.text_width("max slope", style);
    CHECK(once > 30);
    CHECK(picture.text_width("max slope", {.size = 12, .bold = true}) > once);
    CHECK_THAT(picture.text_width("max slope", {.size = 24}), plateau::testing::WithinRel(2 * once, 0.02));
    picture.text({50, 15}, "\xFF broken \n text",
                 {.size = 12, .across = horizontal::centre, .along = vertical::middle});
    CHECK_NOTHROW(picture.png());
}

TEST_CASE("places that are no numbers or far away do no harm", "[viz][canvas]") {
    canvas picture{40, 40};
    std::vector<point> const wild{{nan, 1}, {1, 1}, {1e300, -1e300}, {5, nan}, {-1e30, 3}, {1.0 / 0.0, 2}, {9, 9}};
    picture.line(wild, {palette::ink});
    picture.fill(wild, palette::blue);
    picture.fill(std::span<point const>{}, palette::blue);
    picture.text({nan, 1}, "nowhere", {});
    CHECK(png_size(picture.png()).width == 80);
    canvas broken{40, 40}, parts{40, 40};
    pen const black{palette::ink, 2};
    broken.line({{1, 1}, {20, 5}, {nan, nan}, {20, 30}, {1, 39}}, black);
    parts.line({{1, 1}, {20, 5}}, black);
    parts.line({{20, 30}, {1, 39}}, black);
    CHECK(broken.png() == parts.png());
}

TEST_CASE("impossible sizes are refused", "[viz][canvas]") {
    CHECK_THROWS_AS(canvas(0, 10), domain_error);
    CHECK_THROWS_AS(canvas(10, -1), domain_error);
    CHECK_THROWS_AS(canvas(nan, 10), domain_error);
    CHECK_THROWS_AS(canvas(10, 10, 0), domain_error);
    CHECK_THROWS_AS(canvas(-10, -10, -1), domain_error);
    CHECK_THROWS_AS(canvas(20000, 10, 2), domain_error);
}

TEST_CASE("files and streams get the same bytes, or an error", "[viz][canvas]") {
    testing::scratch_dir scratch;
    canvas picture{40, 40};
    picture.line({{0, 0}, {40, 40}}, {palette::vermillion, 3, {4, 2}});
    picture.write_png(scratch / "picture.png");
    CHECK(testing::bytes_of(scratch / "picture.png") == picture.png());
    CHECK(scratch.entries() == 1);
    std::ostringstream stream;
    picture.write_png(stream);
    CHECK(stream.str() == picture.png());

    CHECK_THROWS_AS(picture.write_png(scratch / "missing/picture.png"), file_error);
    CHECK_THROWS_AS(picture.write_png(scratch.path()), file_error);
    std::ostringstream closed;
    closed.setstate(std::ios::failbit);
    CHECK_THROWS_AS(picture.write_png(closed), file_error);
    if (std::filesystem::exists("/dev/full")) CHECK_THROWS_AS(picture.write_png("/dev/full"), file_error);
}

}  // namespace
#endif
