#include <plateau/io/prompt_files.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
namespace io = plateau::io;
using plateau::usage_error;

TEST_CASE("every line of a file is a prompt, leading spaces kept", "[io][prompt_files]") {
    scratch_dir const dir;
    CHECK(io::read_lines(dir.write("a.txt", " one\ntwo \r\nthree").string()) ==
          std::vector<std::string>{" one", "two ", "three"});
    CHECK_THAT(message_of<usage_error>([&] { io::read_lines(dir.write("b.txt", "one\n\ntwo\n").string()); }),
               contains("line 2 is empty"));
    CHECK_THAT(message_of<usage_error>([&] { io::read_lines(dir.write("c.txt", "").string()); }),
               contains("no prompt"));
}

TEST_CASE("token ids are read from arrays of integers [N,T], or [T] where one prompt will do", "[io][prompt_files]") {
    scratch_dir const dir;
    auto const path = (dir / "tokens.npy").string();
    io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, 2, 3, 4}, {2, 2});
    CHECK(io::read_tokens(path) == std::vector<std::vector<plateau::token_id>>{{1, 2}, {3, 4}});
    io::write_npy(dir / "tokens.npy", std::vector<std::int32_t>{7, 8}, {2});
    CHECK(io::read_tokens(path, true) == std::vector<std::vector<plateau::token_id>>{{7, 8}});
    CHECK_THROWS_AS(io::read_tokens(path), usage_error);
    io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, -1}, {1, 2});
    CHECK_THAT(message_of<usage_error>([&] { io::read_tokens(path); }), contains("prompt 0 holds -1"));
    io::write_npy(dir / "tokens.npy", std::vector<double>{1, 2}, {1, 2});
    CHECK_THAT(message_of<usage_error>([&] { io::read_tokens(path); }), contains("expected integers"));
}

}  // namespace
