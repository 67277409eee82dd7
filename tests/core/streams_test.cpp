#include <plateau/core/streams.hpp>

#include <set>

#include "support/catch.hpp"

namespace {

using namespace plateau;

TEST_CASE("every thing that is drawn has a stream of its own, the same each time", "[core][streams]") {
    std::set<std::uint64_t> firsts;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        for (std::uint64_t kind = 0; kind < 5; ++kind) {
            for (plateau::index number = 0; number < 5; ++number) {
                auto stream = stream_of(seed, kind, number), again = stream_of(seed, kind, number);
                auto const first = stream.next();
                CHECK(first == again.next());
                firsts.insert(first);
            }
        }
    }
    CHECK(firsts.size() == 125);
}

}  // namespace
