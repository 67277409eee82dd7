#include <plateau/corpus/windows.hpp>

#include <numeric>
#include <set>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;

std::vector<token_id> counting(index n) {
    std::vector<token_id> text(static_cast<std::size_t>(n));
    std::iota(text.begin(), text.end(), 0);
    return text;
}

TEST_CASE("windows are whole pieces of the text, each at most once", "[corpus][windows]") {
    index const length = GENERATE(1, 7, 10), extra = GENERATE(0, 3);
    auto const text = counting(23 * length + std::min(extra, length - 1));
    auto const windows = corpus::draw_windows(text, 20, length, 5);
    REQUIRE(windows.size() == 20);
    std::set<token_id> begins;
    for (auto const& window : windows) {
        REQUIRE(window.size() == static_cast<std::size_t>(length));
        CHECK(window.front() % length == 0);
        CHECK(window.front() < 23 * length);
        for (std::size_t t = 0; t < window.size(); ++t) CHECK(window[t] == window[0] + static_cast<token_id>(t));
        begins.insert(window.front());
    }
    CHECK(begins.size() == 20);
    CHECK(corpus::draw_windows(text, 20, length, 5) == windows);
    CHECK(corpus::draw_windows(text, 20, length, 6) != windows);
    auto const fewer = corpus::draw_windows(text, 4, length, 5);  // the first ones of a longer draw
    CHECK(std::equal(fewer.begin(), fewer.end(), windows.begin()));
}

TEST_CASE("all windows of a text can be drawn, and no more", "[corpus][windows]") {
    auto const text = counting(32);
    std::set<token_id> begins;
    for (auto const& window : corpus::draw_windows(text, 4, 7, 1)) begins.insert(window.front());
    CHECK(begins == std::set<token_id>{0, 7, 14, 21});
    CHECK_THROWS_WITH(corpus::draw_windows(text, 5, 7, 1),
                      testing::contains("4 windows of 7 tokens, 5 were asked for"));
    CHECK_THROWS_AS(corpus::draw_windows(text, 0, 7, 1), usage_error);
    CHECK_THROWS_AS(corpus::draw_windows(text, 1, 0, 1), usage_error);
    CHECK_THROWS_AS(corpus::draw_windows({}, 1, 1, 1), usage_error);
}

}  // namespace
