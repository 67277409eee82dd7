#include <plateau/core/core_affinity.hpp>

#include <atomic>

#include <plateau/core/parallel.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;

#if defined(__linux__)

int processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

TEST_CASE("threads stay on as many processors as asked for, and are let go in the end", "[core][core_affinity]") {
    int const before = processors();
    {
        plateau::core_affinity const held{1};
        REQUIRE(held.held());
        std::atomic<int> others{0};
        plateau::parallel_for(3, 12, [&](index, int) {
            cpu_set_t set;
            CPU_ZERO(&set);
            sched_getaffinity(0, sizeof set, &set);
            if (CPU_COUNT(&set) != 1) ++others;
        });
        CHECK(others == 0);
        CHECK(processors() == 1);
    }
    CHECK(processors() == before);
}

TEST_CASE("more threads than processors are not held", "[core][core_affinity]") {
    int const before = processors();
    plateau::core_affinity const held{before + 1};
    CHECK_FALSE(held.held());
    CHECK(processors() == before);
}

#endif

}  // namespace
