#include <plateau/corpus/text_windows.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
using plateau::corpus::text_windows;
using plateau::testing::contains;

TEST_CASE("windows that overlap score every token but the first, once, with enough before it", "[corpus][windows]") {
    for (index const tokens : {2, 3, 7, 8, 9, 30}) {
        for (index const length : {2, 3, 8, 100}) {
            for (index stride = 1; stride < length; ++stride) {
                std::vector<int> scored(static_cast<std::size_t>(tokens));
                for (auto const& w : text_windows(tokens, length, stride)) {
                    CHECK((w.begin >= 0 && w.begin < w.scored && w.scored < w.end && w.end <= tokens &&
                           w.end - w.begin <= length));
                    CHECK(w.begin % stride == 0);
                    for (index t = w.scored; t < w.end; ++t) {
                        ++scored[static_cast<std::size_t>(t)];
                        CHECK(t - w.begin >= std::min(t, length - stride));
                    }
                }
                CHECK(scored[0] == 0);
                CHECK(std::count(scored.begin(), scored.end(), 1) == tokens - 1);
            }
        }
    }
}

TEST_CASE("windows one after the other do not score their first tokens", "[corpus][windows]") {
    auto const windows = text_windows(21, 5, 5);  // the last token is alone in its window
    REQUIRE(windows.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        auto const begin = static_cast<index>(i) * 5;
        CHECK(windows[i].begin == begin);
        CHECK(windows[i].scored == begin + 1);
        CHECK(windows[i].end == begin + 5);
    }
    CHECK(text_windows(22, 5, 5).size() == 5);
    CHECK(text_windows(4, 5, 5).size() == 1);
}

TEST_CASE("a text of fewer than two tokens has no window", "[corpus][windows]") {
    CHECK(text_windows(0, 5, 5).empty());
    CHECK(text_windows(1, 5, 2).empty());
}

TEST_CASE("windows without sense are refused", "[corpus][windows][errors]") {
    CHECK_THROWS_WITH(text_windows(9, 1, 1), contains("2 tokens or more"));
    CHECK_THROWS_WITH(text_windows(9, 5, 0), contains("stride"));
    CHECK_THROWS_WITH(text_windows(9, 5, 6), contains("1 to 5"));
}

}  // namespace
