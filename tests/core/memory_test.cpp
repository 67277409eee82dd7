#include <plateau/core/memory.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using plateau::require_memory;

TEST_CASE("what cannot fit into memory is refused with the way out, without overflow", "[core][memory]") {
    CHECK_NOTHROW(require_memory(1, 1, "one byte", "none"));
    for (plateau::index const count : {plateau::index{1} << 40, plateau::index{1} << 62}) {
        CHECK_THAT(plateau::testing::message_of<plateau::memory_error>(
                       [&] { require_memory(count, 1 << 20, "the logits", "ask for fewer prompts"); }),
                   plateau::testing::contains("the logits need more memory than this machine's") &&
                       plateau::testing::contains("MiB: ask for fewer prompts"));
    }
}

}  // namespace
