#include <plateau/io/prompt_files.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
namespace io = plateau::io;
using plateau::usage_error;

TEST_CASE("every line of a file is a prompt, leading spaces kept", "[io][prompt_files]") {
    scratch_dir const dir;
    std::vector<std::string> const lines{" one", "two ", "three"};
    CHECK(io::read_prompt_lines(dir.write("a.txt", " one\ntwo \r\nthree").string()) == lines);
    CHECK(io::read_prompt_lines(dir.write("a.txt", "\xEF\xBB\xBF one\ntwo \r\nthree\r\n").string()) == lines);
    CHECK(io::read_prompt_lines(dir.write("a.txt", "\rone\rtwo\r\r\n\r").string()) ==
          std::vector<std::string>{"\rone\rtwo\r", "\r"});
    for (auto const* text : {"one\n\ntwo\n", "one\r\n\r\ntwo"})
        CHECK_THAT(message_of<usage_error>([&] { io::read_prompt_lines(dir.write("b.txt", text).string()); }),
                   contains("line 2 is empty"));
    for (auto const* text : {"", "\xEF\xBB\xBF"})
        CHECK_THAT(message_of<usage_error>([&] { io::read_prompt_lines(dir.write("c.txt", text).string()); }),
                   contains("no prompt"));
    CHECK(io::read_lines(dir.write("d.txt", "a\n\nb\n\n").string()) == std::vector<std::string>{"a", "", "b", ""});
    CHECK(io::read_lines(dir.write("d.txt", "").string()).empty());
}

TEST_CASE("token ids are read from arrays of integers [N,T], or [T] where one prompt will do", "[io][prompt_files]") {
    scratch_dir const dir;
    auto const path = (dir / "tokens.npy").string();
    io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, 2, 3, 4}, {2, 2});
    CHECK(io::read_tokens(path) == std::vector<std::vector<plateau::token_id>>{{1, 2}, {3, 4}});
    io::write_npy(dir / "tokens.npy", std::vector<std::int32_t>{7, 8}, {2});
    CHECK(io::read_tokens(path, true) == std::vector<std::vector<plateau::token_id>>{{7, 8}});
    CHECK_THROWS_AS(io::read_tokens(path), usage_error);
    io::write_npy(dir / "tokens.npy", std::vector<double>{1, 2}, {1, 2});
    CHECK_THAT(message_of<usage_error>([&] { io::read_tokens(path); }), contains("expected integers"));
    io::write_npy(dir / "tokens.npy", std::vector<std::uint64_t>{1, 2, 3, UINT64_MAX}, {2, 2});
    CHECK_THAT(message_of<usage_error>([&] { io::read_tokens(path); }),
               contains("row 1, column 1 (both from 0) holds 18446744073709551615") && contains("beyond int64"));
    io::write_npy(dir / "tokens.npy", std::vector<std::uint16_t>{1, 65535}, {1, 2});
    CHECK(io::read_tokens(path) == std::vector<std::vector<plateau::token_id>>{{1, 65535}});
}

TEST_CASE("-1 pads a shorter prompt on the right, and nowhere else", "[io][prompt_files]") {
    scratch_dir const dir;
    auto const path = (dir / "tokens.npy").string();
    io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, -1, -1, 2, 3, 4, 5, 6, -1}, {3, 3});
    CHECK(io::read_tokens(path) == std::vector<std::vector<plateau::token_id>>{{1}, {2, 3, 4}, {5, 6}});
    io::write_npy(dir / "tokens.npy", std::vector<std::int32_t>{1, 2, -1}, {3});
    CHECK(io::read_tokens(path, true) == std::vector<std::vector<plateau::token_id>>{{1, 2}});
    auto const refusal = [&](std::vector<std::int64_t> const& values) {
        io::write_npy(dir / "tokens.npy", values, {2, 3});
        return message_of<usage_error>([&] { io::read_tokens(path); });
    };
    CHECK_THAT(refusal({1, 2, 3, 4, -1, 5}), contains("row 1, column 1") && contains("-1"));
    CHECK_THAT(refusal({-1, 2, 3, 4, 4, 5}), contains("row 0, column 0") && contains("-1"));
    CHECK_THAT(refusal({1, 2, 3, -1, -1, -1}), contains("row 1") && contains("column 0") && contains("-1"));
    CHECK_THAT(refusal({1, 2, -2, 4, 4, 5}), contains("row 0, column 2") && contains("-2"));
    CHECK_THAT(refusal({1, 2, 3, 4, std::int64_t{1} << 40, 5}), contains("no token id"));
}

}  // namespace
