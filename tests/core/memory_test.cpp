#include <plateau/core/memory.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using plateau::index;
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

TEST_CASE("amounts of memory are bytes, or powers of two with M and G", "[core][memory]") {
    using plateau::memory_of_text;
    CHECK(memory_of_text("6G", "--memory") == 6442450944);
    CHECK(memory_of_text("200M", "--memory") == 209715200);
    CHECK(memory_of_text("123456789", "--memory") == 123456789);
    for (auto const* wrong : {"", "G", "0", "0M", "-1G", "6g", "6GB", "6 G", "1.5G", "12K", "99999999999999G", "six",
                              "9223372036854775808", "+1G"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(memory_of_text(wrong, "--memory"), plateau::usage_error);
    }
    CHECK(plateau::memory_text(200 << 20) == "200 MiB");
    CHECK(plateau::memory_text(index{6} << 30) == "6.0 GiB");
    CHECK(plateau::memory_text((index{5} << 30) + (index{700} << 20)) == "5.6 GiB");
}

TEST_CASE("control groups limit memory, with all that stand above them", "[core][memory]") {
    using plateau::control_group_limit;
    plateau::testing::scratch_dir const root;
    auto const at = root.path().string();
    CHECK(control_group_limit("", at) == -1);
    std::string const unified = "0::/user/job/step\n";
    CHECK(control_group_limit(unified, at) == -1);
    root.write("user/job/step/memory.max", "max\n");
    CHECK(control_group_limit(unified, at) == -1);
    root.write("user/memory.max", "5000\n");
    CHECK(control_group_limit(unified, at) == 5000);
    root.write("user/job/memory.max", "7000\n");
    CHECK(control_group_limit(unified, at) == 5000);
    root.write("user/job/step/memory.max", "3000\n");
    CHECK(control_group_limit(unified, at) == 3000);
    // of version 1 beside others; a path of which a container sees nothing but the end
    std::string const first = "12:pids:/a/b\n4:cpu,memory:/a/b\n3:cpuset:/a\n";
    CHECK(control_group_limit(first, at) == -1);
    root.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK(control_group_limit(first, at) == -1);
    root.write("memory/a/memory.limit_in_bytes", "2000\n");
    CHECK(control_group_limit(first, at) == 2000);
    root.write("memory/a/b/memory.limit_in_bytes", "2500\n");
    CHECK(control_group_limit(first, at) == 2000);
    CHECK(control_group_limit(first + unified, at) == 2000);
    CHECK(control_group_limit("4:memory:/", at) == -1);
    root.write("memory/memory.limit_in_bytes", "100\n");
    CHECK(control_group_limit("4:memory:/", at) == 100);
    CHECK(control_group_limit("4:memory:/elsewhere/x\n", at) == 100);
    CHECK(control_group_limit("no line of that form\n4:memory", at) == -1);
}

TEST_CASE("what is resident and what is allowed are sizes of this machine", "[core][memory]") {
    CHECK(plateau::resident_memory() > index{1} << 20);
    CHECK(plateau::resident_memory() < plateau::allowed_memory());
}

}  // namespace
