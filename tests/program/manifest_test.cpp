#include <plateau/program/manifest.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

using namespace plateau::program;
using plateau::testing::contains;

manifest const leaves{.axes = "P pairs, S steps",
                      .files = {{"relative.npy", "float64 [P,S]", "d(alpha)/d(1), no unit"},
                                {"distances.K.npy", "float64 [P,S]", "at the K-th read site"},
                                {"kl.npy", "float64 [P,S]", "KL divergence; nats", "--kl"},
                                {"curves.png", "", "the picture"}},
                      .summary = "pairs, steps",
                      .notes = {"A pair is degenerate if nothing changes."}};

TEST_CASE("the text of --help tells every file, its shape, its unit, its option, and the keys", "[program][manifest]") {
    auto const text = help_text(leaves);
    for (auto const* piece : {"Files written to --out (P pairs, S steps):", "relative.npy", "float64 [P,S]", "no unit",
                              "distances.K.npy", "--kl: KL divergence; nats", "curves.png", "summary.json",
                              "points_per_second", "A pair is degenerate if nothing changes."}) {
        CHECK_THAT(text, contains(piece));
    }
}

TEST_CASE("lines of the text are at most 110 columns, and go on below the description", "[program][manifest]") {
    auto long_one = leaves;
    for (int i = 0; i < 60; ++i) long_one.files[0].what += " word";
    auto const text = help_text(long_one);
    std::size_t column = 0, longest = 0;
    for (char const c : text) {
        column = c == '\n' ? 0 : column + 1;
        longest = std::max(longest, column);
    }
    CHECK(longest <= 110);
    CHECK(longest > 100);
    auto const description = text.find("d(alpha)") - text.rfind('\n', text.find("d(alpha)")) - 1;
    CHECK_THAT(text, contains("\n" + std::string(description, ' ') + "word"));
}

TEST_CASE("the axes of a file are those between its brackets", "[program][manifest]") {
    CHECK(axes_of(leaves.files[0]) == std::vector<std::string>{"P", "S"});
    CHECK(axes_of({"a.npy", "int64 [N,2]", ""}) == std::vector<std::string>{"N", "2"});
    CHECK(axes_of({"a.csv", "P x S rows", ""}).empty());
    CHECK(axes_of({"a.npy", "float64 [n?,G,G]", ""}) == std::vector<std::string>{"n", "G", "G"});
    CHECK_THAT(help_text({.axes = "", .files = {{"a.npy", "float64 [n?,G,G]", "x"}}}), contains("float64 [G,G]  x"));
}

TEST_CASE("a numbered file stands for all of its numbers and nothing else", "[program][manifest]") {
    auto const& numbered = leaves.files[1];
    CHECK(has_name(numbered, "distances.2.npy"));
    CHECK(has_name(numbered, "distances.13.npy"));
    for (auto const* other :
         {"distances.npy", "distances..npy", "distances.x.npy", "distances.2.csv", "my.distances.2.npy"})
        CHECK_FALSE(has_name(numbered, other));
    CHECK(has_name(leaves.files[0], "relative.npy"));
    CHECK_FALSE(has_name(leaves.files[0], "relative.2.npy"));
}

}  // namespace
