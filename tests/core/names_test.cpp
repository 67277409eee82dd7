#include <plateau/core/names.hpp>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;

/// The definition, by recursion.
bool matches_by_definition(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern[0] == '*') {
        return matches_by_definition(pattern.substr(1), name) ||
               (!name.empty() && matches_by_definition(pattern, name.substr(1)));
    }
    return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
           matches_by_definition(pattern.substr(1), name.substr(1));
}

std::size_t distance_by_definition(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return a.size() + b.size();
    std::size_t const replaced = distance_by_definition(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1);
    return std::min({replaced, distance_by_definition(a.substr(1), b) + 1, distance_by_definition(a, b.substr(1)) + 1});
}

std::string random_text(counter_rng& rng, std::string_view alphabet, std::uint64_t longest) {
    std::string text;
    for (auto n = rng.below(longest + 1); n > 0; --n) text += alphabet[rng.below(alphabet.size())];
    return text;
}

TEST_CASE("a pattern matches names", "[core][names]") {
    CHECK(matches("", ""));
    CHECK(matches("*", ""));
    CHECK(matches("**", ""));
    CHECK_FALSE(matches("?", ""));
    CHECK_FALSE(matches("", "a"));
    CHECK(matches("blocks.*.hook_resid_post", "blocks.0.hook_resid_post"));
    CHECK(matches("blocks.*.hook_resid_post", "blocks.10.hook_resid_post"));
    CHECK_FALSE(matches("blocks.?.hook_resid_post", "blocks.10.hook_resid_post"));
    CHECK(matches("blocks.??.hook_resid_post", "blocks.10.hook_resid_post"));
    CHECK(matches("*hook_q", "blocks.0.attn.hook_q"));  // dots too
    CHECK(matches("blocks.0.*", "blocks.0.attn.hook_q"));
    CHECK(matches("blocks.0.hook_*mid", "blocks.0.hook_resid_mid"));
    CHECK(matches("blocks.0.hook_resid_mid*", "blocks.0.hook_resid_mid"));  // nothing too
    CHECK_FALSE(matches("blocks.1.*", "blocks.10.attn.hook_q"));
    CHECK_FALSE(matches("hook_q", "blocks.0.attn.hook_q"));  // the whole name
    CHECK_FALSE(matches("blocks.0", "blocks.0.attn.hook_q"));
    CHECK_FALSE(matches("Hook_q", "hook_q"));
    CHECK(matches("a.b", "a.b"));
    CHECK_FALSE(matches("a.b", "axb"));  // a dot is a dot
}

TEST_CASE("patterns agree with their definition", "[core][names]") {
    counter_rng rng{GENERATE(0u, 1u, 2u)};
    int matched = 0;
    for (int i = 0; i < 3000; ++i) {
        auto const pattern = random_text(rng, "ab*?", 6);
        auto const name = random_text(rng, "ab", 6);
        bool const expected = matches_by_definition(pattern, name);
        matched += expected;
        if (matches(pattern, name) != expected) {
            CAPTURE(pattern, name, expected);
            CHECK(false);
        }
    }
    CHECK(matched > 100);
}

TEST_CASE("a pattern of many stars takes no exponential time", "[core][names]") {
    std::string pattern, name(2000, 'a');
    for (int i = 0; i < 200; ++i) pattern += "*a";
    CHECK(matches(pattern, name));
    CHECK_FALSE(matches(pattern + "b", name));
}

TEST_CASE("the edit distance of known words", "[core][names]") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("flaw", "lawn") == 2);
    CHECK(edit_distance("hook_resid_post", "hook_resid_pre") == 3);
}

TEST_CASE("the edit distance agrees with its definition and is a metric", "[core][names]") {
    counter_rng rng{GENERATE(3u, 4u)};
    for (int i = 0; i < 100; ++i) {
        auto const a = random_text(rng, "abc", 5), b = random_text(rng, "abc", 5), c = random_text(rng, "abc", 5);
        CAPTURE(a, b, c);
        REQUIRE(edit_distance(a, b) == distance_by_definition(a, b));
        REQUIRE(edit_distance(a, b) == edit_distance(b, a));
        REQUIRE((edit_distance(a, b) == 0) == (a == b));
        REQUIRE(edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c));
    }
}

TEST_CASE("the nearest names come nearest first, ties in their order", "[core][names]") {
    std::vector<std::string> const names{"hook_q", "hook_k", "hook_embed", "hook_z", "unembed.hook_in"};
    CHECK(nearest_names("hook_v", names) == std::vector<std::string>{"hook_q", "hook_k", "hook_z"});
    CHECK(nearest_names("hook_z", names, 1) == std::vector<std::string>{"hook_z"});
    CHECK(nearest_names("hook_embd", names, 1) == std::vector<std::string>{"hook_embed"});
    CHECK(nearest_names("x", names, 9).size() == names.size());
    CHECK(nearest_names("x", {}).empty());
    CHECK(nearest_names("x", names, 0).empty());
}

TEST_CASE("names are joined", "[core][names]") {
    CHECK(join({}) == "");
    CHECK(join({"a"}) == "a");
    CHECK(join({"a", "b", "c"}) == "a, b, c");
    CHECK(join({"a", "b"}, " or ") == "a or b");
    CHECK(join({"", "b"}) == ", b");  // an empty part is a part
}

}  // namespace
