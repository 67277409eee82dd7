#include <plateau/hooks/hook_set.hpp>

#include <array>
#include <atomic>
#include <cmath>
#include <thread>

#include <plateau/core/parallel.hpp>

#include "support/catch.hpp"
#include "support/hooked_rows.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;
using plateau::tensor::view;

std::vector<std::string> patterns(hooks::hook_set<float> const& set) {
    std::vector<std::string> all;
    for (auto const& one : set.hooks()) all.push_back(one.pattern);
    return all;
}

hooks::hook_set<float> named(std::string const& pattern) {
    return hooks::patch<float>(pattern, [](auto&&...) {});
}

TEST_CASE("sets compose from left to right", "[hooks][hook_set]") {
    CHECK(patterns(named("a") | named("b") | named("c")) == std::vector<std::string>{"a", "b", "c"});
    CHECK(patterns(named("c") | named("a")) == std::vector<std::string>{"c", "a"});
}

TEST_CASE("composition is associative, the empty set is its unit", "[hooks][hook_set]") {
    auto const a = named("a"), b = named("b"), c = named("c");
    CHECK(patterns((a | b) | c) == patterns(a | (b | c)));
    hooks::hook_set<float> const none;
    CHECK(none.empty());
    CHECK(patterns(none | a) == patterns(a));
    CHECK(patterns(a | none) == patterns(a));
    CHECK((none | none).empty());
}

TEST_CASE("composition leaves its parts as they are", "[hooks][hook_set]") {
    auto const a = named("a");
    auto const twice = a | a;
    CHECK(patterns(a) == std::vector<std::string>{"a"});
    CHECK(patterns(twice) == std::vector<std::string>{"a", "a"});
    auto set = named("x");
    set = set | set;
    CHECK(patterns(set) == std::vector<std::string>{"x", "x"});
}

TEST_CASE("a capture looks at constant rows and says that it changes nothing", "[hooks][hook_set]") {
    STATIC_REQUIRE(std::is_constructible_v<hooks::sink<float>,
                                           void (*)(hooks::site const&, hooks::where const&, view<float const, 3>)>);
    // What asks for mutable rows is a patch and does not pass for a sink.
    STATIC_REQUIRE_FALSE(
        std::is_constructible_v<hooks::sink<float>, void (*)(hooks::site const&, hooks::where const&, view<float, 3>)>);
    CHECK(hooks::capture<float>("a", [](auto&&...) {}).hooks().front().reads_only);
    CHECK_FALSE(named("a").hooks().front().reads_only);
}

TEST_CASE("a hook is called with the site, where it is, and the rows", "[hooks][hook_set]") {
    std::vector<float> values{1, 2, 3, 4};
    std::vector<hooks::row_id> const ids{{5, 2, 9, true, false}, {5, 3, 9, true, false}};
    hooks::site const at{hooks::site_id::resid_post, 4, hooks::site_axes::vector, 1, 2};
    int calls = 0;
    auto const set = hooks::capture<float>(
                         "*",
                         [&](hooks::site const& s, hooks::where const& w, view<float const, 3> rows) {
        ++calls;
        CHECK(s.name() == "blocks.4.hook_resid_post");
        CHECK(w.layer == 4);
        CHECK(w.rows[1].point == 3);
        CHECK(rows.extents() == std::array<index, 3>{2, 1, 2});
        CHECK(rows(1, 0, 1) == 4);
                         }) |
        hooks::patch<float>("*",
                            [](hooks::site const&, hooks::where const&, view<float, 3> rows) { rows(0, 0, 0) = -1; });
    plateau::testing::act<float>(set, at, ids, {values.data(), {2, 1, 2}});
    CHECK(calls == 1);
    CHECK(values == std::vector<float>{-1, 2, 3, 4});
}

TEST_CASE("a hook may take the rows as they are, and ask for what it needs", "[hooks][hook_set]") {
    std::vector<float> values{3, 4, 0, 0, 6, 8};
    std::vector<hooks::row_id> const ids(3);
    hooks::site const at{hooks::site_id::resid_post, 4, hooks::site_axes::vector, 1, 2};
    std::vector<double> distances(3);
    auto const set = hooks::patch<float>("*", [](hooks::rows_at<float>& here) { here.change()(1, 0, 0) = 5; }) |
                     hooks::capture<float>(
                         "*",
                         [&](hooks::rows_at<float>& here) {
        CHECK(here.at.name() == "blocks.4.hook_resid_post");
        CHECK(here.count() == 3);
        CHECK(here.shape == std::array<index, 2>{1, 2});
        CHECK(here.read()(1, 0, 0) == 5);
        here.distances(std::array<index, 3>{0, 0, 0}, distances);
                         }) |
        hooks::patch<float>("*", [](hooks::rows_at<float>& here) {
            std::array<plateau::backend::row_edit, 1> const edits{{{2, 1, 1, 0, plateau::backend::edit_kind::add}}};
            here.edit(edits, std::array<float, 1>{0.5F});
        });
    plateau::testing::act<float>(set, at, ids, {values.data(), {3, 1, 2}});
    CHECK(distances == std::vector<double>{0, std::sqrt(20.0), 5});
    CHECK(values == std::vector<float>{3, 4, 5, 0, 6, 8.5F});
    // what takes rows alone and promises to change nothing is a capture
    CHECK(set.hooks()[1].reads_only);
    CHECK_FALSE(set.hooks()[0].reads_only);
}

TEST_CASE("a serialised sink is never entered twice at once", "[hooks][hook_set]") {
    std::atomic<int> inside{0}, collisions{0};
    int calls = 0;  // no atomic: the sink's lock guards it
    auto const guarded = hooks::serialised<float>([&](auto&&...) {
        collisions += inside++ != 0;
        ++calls;
        std::this_thread::yield();
        --inside;
    });
    auto const copy = guarded;  // shares the lock
    plateau::parallel_for(4, 400, [&](index item, int) { (item % 2 == 0 ? guarded : copy)({}, {}, {}); });
    CHECK(collisions == 0);
    CHECK(calls == 400);
}

TEST_CASE("a serialised sink stays usable after an exception", "[hooks][hook_set]") {
    int calls = 0;
    auto const guarded = hooks::serialised<float>([&](auto&&...) {
        if (++calls == 1) throw plateau::usage_error("once");
    });
    CHECK_THROWS_AS(guarded({}, {}, {}), plateau::usage_error);
    guarded({}, {}, {});
    CHECK(calls == 2);
}

}  // namespace
