#include <plateau/core/parallel.hpp>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;

TEST_CASE("every item is handled exactly once, by a worker below the number of threads", "[core][parallel]") {
    index const count = GENERATE(0, 1, 7, 32, 65, 1000);
    int const threads = GENERATE(1, 2, 5, 40);
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
    std::atomic<int> wrong_worker{0};
    parallel_for(threads, count, [&](index item, int worker) {
        ++calls[static_cast<std::size_t>(item)];
        wrong_worker += worker < 0 || worker >= threads;
    });
    int wrong = 0;
    for (auto const& call : calls) wrong += call != 1;
    CHECK(wrong == 0);
    CHECK(wrong_worker == 0);
}

TEST_CASE("a worker number belongs to one thread at a time", "[core][parallel]") {
    int const threads = GENERATE(1, 3, 8);
    std::vector<std::atomic<int>> inside(static_cast<std::size_t>(threads));
    std::atomic<int> collisions{0};
    parallel_for(threads, 200, [&](index, int worker) {
        auto& mine = inside[static_cast<std::size_t>(worker)];
        collisions += mine++ != 0;
        std::this_thread::yield();
        --mine;
    });
    CHECK(collisions == 0);
}

TEST_CASE("one thread takes the items in order", "[core][parallel]") {
    int const threads = GENERATE(-3, 0, 1);  // fewer than one thread is one
    std::vector<index> order;
    parallel_for(threads, 50, [&](index item, int) { order.push_back(item); });
    std::vector<index> expected(50);
    std::iota(expected.begin(), expected.end(), index{0});
    CHECK(order == expected);
}

TEST_CASE("nothing to do starts nothing", "[core][parallel]") {
    index const count = GENERATE(0, -5);
    int calls = 0;
    parallel_for(4, count, [&](index, int) { ++calls; });
    CHECK(calls == 0);
}

TEST_CASE("the exception of the smallest failed item comes out", "[core][parallel]") {
    int const threads = GENERATE(1, 2, 4);
    // All items below `threads` start together and fail, the smallest last.
    std::atomic<int> started{0};
    auto const run = [&] {
        parallel_for(threads, 100, [&](index item, int) {
            ++started;
            auto const patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
            while (started < threads && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
            if (item == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
            throw std::runtime_error("item " + std::to_string(item));
        });
    };
    CHECK_THROWS_WITH(run(), "item 0");
    CHECK(started == threads);  // and no new item started
}

TEST_CASE("an exception of any type keeps its type", "[core][parallel]") {
    CHECK_THROWS_AS(parallel_for(
                        3, 10,
                        [](index item, int) {
        if (item == 4) throw 17;
                        }),
                    int);
}

TEST_CASE("items before a failing one are all handled", "[core][parallel]") {
    int const threads = GENERATE(1, 4);
    std::vector<std::atomic<int>> calls(100);
    auto const run = [&] {
        parallel_for(threads, 100, [&](index item, int) {
            if (item == 60) throw std::logic_error("stop");
            ++calls[static_cast<std::size_t>(item)];
        });
    };
    CHECK_THROWS_AS(run(), std::logic_error);
    int handled = 0;
    for (std::size_t item = 0; item < 60; ++item) handled += calls[item];
    CHECK(handled == 60);
}

TEST_CASE("a loop inside of a loop finishes", "[core][parallel]") {
    std::atomic<index> sum{0};
    parallel_for(3, 7, [&](index a, int) { parallel_for(2, 11, [&](index b, int) { sum += a * 100 + b; }); });
    CHECK(sum == 100 * 21 * 11 + 7 * 55);
}

TEST_CASE("a request for no particular number of threads gives at least one", "[core][parallel]") {
    CHECK(resolve_threads(0) >= 1);
    CHECK(resolve_threads(-2) >= 1);
    CHECK(resolve_threads(1) == 1);
    CHECK(resolve_threads(129) == 129);
}

}  // namespace
