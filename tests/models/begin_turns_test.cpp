#include <plateau/models/begin_turns.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/models/memory_plan.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
using namespace plateau::models;

/// Units that count how often they came, and how many were there together.
struct counted_units final : weight_units {
    explicit counted_units(int units) : times(static_cast<std::size_t>(units)), here(times.size()) {}
    void bring(int unit) override {
        auto const u = static_cast<std::size_t>(unit);
        wrong += here[u].exchange(true);
        ++times[u];
        most = std::max<int>(most, ++there);
    }
    void drop(int unit) override {
        wrong += !here[static_cast<std::size_t>(unit)].exchange(false);
        --there;
    }
    std::vector<int> times;
    std::vector<std::atomic<bool>> here;
    std::atomic<int> there{0}, most{0}, wrong{0};  // Catch's checks are for one thread
};

/// Sends `count` threads through the units, each `rounds` times. @return the most that computed together
int travel(layer_turns& turns, counted_units& units, int count, int rounds, int first, int last) {
    std::atomic<int> computing{0}, most{0}, wrong{0}, waiting{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t) {
        threads.emplace_back([&] {
            ++waiting;
            while (waiting < count) std::this_thread::yield();
            for (int round = 0; round < rounds; ++round) {
                layer_stay stay{&turns};
                for (int u = first; u < last; ++u) {
                    stay.at(u, u + 1 < last ? u + 1 : -1);
                    int const now = ++computing;
                    int seen = most;
                    while (seen < now && !most.compare_exchange_weak(seen, now)) {}
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    wrong += !units.here[static_cast<std::size_t>(u)];
                    --computing;
                }
            }
        });
    }
    for (auto& one : threads) one.join();
    CHECK(wrong == 0);
    CHECK(units.wrong == 0);
    return most;
}

TEST_CASE("threads travel together through units that do not fit", "[models][turns]") {
    auto* const units = new counted_units{9};
    auto const begun = begin_turns(std::unique_ptr<weight_units>{units}, std::vector<index>(9, 100),
                                   {.capacity = 299, .threads = 2, .blocks = 6});
    auto& turns = *begun;
    int const together = travel(turns, *units, 6, 3, 0, 9);
    CHECK(together <= 2);
    CHECK(units->most <= 2);
    for (int const n : units->times) {
        CHECK(n >= 1);
        CHECK(n <= 5);  // three rounds, and a thread that came late
    }
    index read = 0;
    for (int const n : units->times) read += 100 * n;
    CHECK(turns.bytes_brought() == read);
    CHECK(turns.all_bytes() == 900);
}

TEST_CASE("units that memory has room for stay from wave to wave", "[models][turns]") {
    auto* const units = new counted_units{8};
    auto const begun = begin_turns(std::unique_ptr<weight_units>{units}, std::vector<index>(8, 100),
                                   {.capacity = 600, .threads = 1, .blocks = 1});
    auto& turns = *begun;
    travel(turns, *units, 1, 10, 0, 8);
    index read = turns.bytes_brought() / 100;
    CHECK(read <= 8 + 9 * 4);  // of eight, two move and four of the others stay
    CHECK(units->most == 6);
}

TEST_CASE("downwards, by leaps and one within another nobody waits for ever", "[models][turns]") {
    auto* const units = new counted_units{7};
    auto const begun = begin_turns(std::unique_ptr<weight_units>{units}, std::vector<index>(7, 100),
                                   {.capacity = 200, .threads = 2, .blocks = 4});
    auto& turns = *begun;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&turns, t] {
            for (int u = 6; u >= 0; --u) {
                layer_stay stay{&turns, u};
                layer_stay const inner{&turns, (u * 3 + t) % 7};
                if (t > 1) {
                    layer_stay const third{&turns, (u + t) % 7};
                }
                stay.at((u + 5) % 7);
            }
        });
    }
    for (auto& one : threads) one.join();
    CHECK(units->wrong == 0);
    CHECK(units->most <= 7);
}

constexpr index mebi = index{1} << 20;

/// 32 layers of 400 MiB, embeddings of 250 each, blocks of 50.
memory_needs big_needs() {
    memory_needs needs;
    needs.units.assign(32, 400 * mebi);
    needs.units.insert(needs.units.end(), 2, 250 * mebi);
    needs.block_rows = 250;
    needs.row_bytes = mebi / 5;
    needs.threads = 4;
    needs.held = 60 * mebi;
    return needs;
}

TEST_CASE("a plan keeps to its limit", "[models][memory]") {
    auto const needs = big_needs();
    index const all = 32 * 400 * mebi + 500 * mebi;
    CHECK_FALSE(plan_memory({.bytes = index{16} << 30}, needs, true).in_turns);
    for (index const limit : {1200 * mebi, 2048 * mebi, 6144 * mebi, 12000 * mebi}) {
        auto const plan = plan_memory({.bytes = limit}, needs, true);
        CAPTURE(limit);
        REQUIRE(plan.in_turns);
        auto const& l = plan.limits;
        CHECK(l.threads == 4);
        CHECK(l.blocks >= 1);
        CHECK(l.capacity >= 800 * mebi);
        CHECK(l.block_bytes == 250 * needs.row_bytes);
        CHECK(needs.held + l.capacity + l.blocks * l.block_bytes + l.prefix_bytes + 16 * mebi <= limit);
        CHECK(plan.limits.wave_bytes <= all);
        CHECK(plan.limits.wave_bytes >= all - l.capacity);
        CHECK_THAT(plan.text, contains("blocks of 250 rows") && contains("generate"));
    }
    // twice the memory: more blocks, and less to read
    auto const less = plan_memory({.bytes = 3072 * mebi}, needs, true);
    auto const more = plan_memory({.bytes = 6144 * mebi}, needs, true);
    CHECK(more.limits.blocks > less.limits.blocks);
    CHECK(more.limits.wave_bytes < less.limits.wave_bytes);
}

TEST_CASE("memory that not even two layers fit into is an error with the least that would do", "[models][memory]") {
    auto const needs = big_needs();
    auto const message = plateau::testing::message_of<plateau::memory_error>(
        [&] { plan_memory({.bytes = 512 * mebi, .asked = true}, needs, true); });
    CHECK_THAT(message, contains("does not fit into 512 MiB") && contains("give at least --memory "));
    auto const at = message.find("--memory ") + 9;
    index const least = std::stol(message.substr(at)) * mebi;
    CHECK(plan_memory({.bytes = least}, needs, true).in_turns);
    CHECK_THROWS_AS(plan_memory({.bytes = least - 8 * mebi}, needs, true), plateau::memory_error);
}

TEST_CASE("weights elsewhere are an error only where somebody asked", "[models][memory]") {
    auto const needs = big_needs();
    CHECK_FALSE(plan_memory({.bytes = 512 * mebi}, needs, false).in_turns);
    CHECK_FALSE(plan_memory({.bytes = index{1} << 40, .asked = true}, needs, false).in_turns);
    CHECK_THROWS_WITH(plan_memory({.bytes = 512 * mebi, .asked = true}, needs, false),
                      contains("--memory") && contains("--backend cpu"));
}

}  // namespace
