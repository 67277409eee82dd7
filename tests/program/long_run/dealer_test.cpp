#include <plateau/program/long_run/dealer.hpp>

#include <thread>
#include <vector>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::program;
using plateau::counter_rng;
using plateau::index;

index below(counter_rng& rng, index bound) { return static_cast<index>(rng.below(static_cast<std::uint64_t>(bound))); }

/// Random chunks of a sweep that are finished, in order.
std::vector<chunk_place> some_done(index count, counter_rng& rng) {
    std::vector<chunk_place> done;
    for (index first = 0; first < count;) {
        index const size = std::min(count - first, 1 + below(rng, 9));
        if (rng.below(3) == 0) done.push_back({0, first, size});
        first += size;
    }
    return done;
}

TEST_CASE("what is left is dealt exactly once, in pieces of about the wanted time", "[program][dealer]") {
    counter_rng rng{static_cast<std::uint64_t>(GENERATE(range(0, 100)))};
    dealing const how{.count = below(rng, 3000),
                      .points = 1 + below(rng, 100),
                      .workers = static_cast<int>(1 + rng.below(16)),
                      .rows = 64 * (1 + below(rng, 8))};
    auto const done = some_done(how.count, rng);
    dealer deals{how, done};
    CHECK(deals.chunk() >= 1);
    CHECK((deals.chunk() == 1 || 20 * deals.chunk() <= how.count));
    std::vector<int> seen(static_cast<std::size_t>(how.count));
    for (auto const& one : done) {
        for (index i = one.first; i < one.first + one.count; ++i) ++seen[static_cast<std::size_t>(i)];
    }
    double const rate = 1 + 500 * rng.uniform();
    index const least = std::max<index>(1, (how.rows + how.points - 1) / how.points);
    index last = 0;
    while (auto const piece = deals.next()) {
        auto const [first, count] = *piece;
        REQUIRE(count > 0);
        CHECK(count <= std::max(least, deals.chunk()));
        if (last > 0) CHECK(count <= std::max(least, 8 * last));
        CHECK(static_cast<double>(count) <= std::max(static_cast<double>(least), rate));
        for (index i = first; i < first + count; ++i) ++seen.at(static_cast<std::size_t>(i));
        deals.took(last = count, static_cast<double>(count) / rate);
    }
    CHECK(std::ranges::count(seen, 1) == how.count);
    CHECK_FALSE(deals.next());
}

TEST_CASE("threads that ask together get different pieces; a stopped dealer has none", "[program][dealer]") {
    constexpr index count = 5000;
    dealer deals{{.count = count, .points = 1000, .workers = 4}, {}};
    std::vector<std::vector<std::pair<index, index>>> got(4);
    std::vector<std::thread> workers;
    for (auto& mine : got) {
        workers.emplace_back([&] {
            while (auto const piece = deals.next()) {
                mine.push_back(*piece);
                deals.took(piece->second, 1e-3);
            }
        });
    }
    for (auto& one : workers) one.join();
    std::vector<int> seen(count);
    for (auto const& mine : got) {
        for (auto const& [first, some] : mine) {
            for (index i = first; i < first + some; ++i) ++seen.at(static_cast<std::size_t>(i));
        }
    }
    CHECK(std::ranges::count(seen, 1) == count);

    dealer other{{.count = 10}, {}};
    CHECK(other.next());
    other.stop();
    CHECK_FALSE(other.next());
}

}  // namespace
