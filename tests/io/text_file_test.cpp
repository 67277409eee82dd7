#include <plateau/io/text_file.hpp>

#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/io/json_reader.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using namespace std::string_literals;
namespace io = plateau::io;
using plateau::file_error;

TEST_CASE("a text file loses its byte order mark and the \\r of \\r\\n alone", "[io][text_file]") {
    scratch_dir const dir;
    auto const read = [&](std::string_view bytes) { return io::read_text_file(dir.write("a.txt", bytes)); };
    CHECK(read("").empty());
    CHECK(read("\xEF\xBB\xBF").empty());
    CHECK(read("\xEF\xBB\xBF\xEF\xBB\xBF"
               "a") ==
          "\xEF\xBB\xBF"
          "a");
    CHECK(read("a\r\nb\rc\n\r\n\r\r\n\r") == "a\nb\rc\n\n\r\n\r");
    CHECK(read("a\xEF\xBB\xBF\r\n") == "a\xEF\xBB\xBF\n");
    CHECK(read("one\0two\r\n"s) == "one\0two\n"s);  // zero bytes in a text are its author's
    CHECK(read("a\0"s) == "a\0"s);
}

TEST_CASE("text in UTF-16 or UTF-32 is refused with the command that converts it", "[io][text_file]") {
    scratch_dir const dir;
    for (auto const& [bytes, name] : {std::pair{"\xFF\xFEo\0n\0"s, "UTF-16 "},
                                      {"\xFE\xFF\0o\0n"s, "UTF-16 "},
                                      {"\xFF\xFE"s, "UTF-16 "},
                                      {"o\0n\0"s, "UTF-16LE "},
                                      {"\0o\0n"s, "UTF-16BE "},
                                      {"\xFF\xFE\0\0o\0\0\0"s, "UTF-32 "},
                                      {"\0\0\xFE\xFF\0\0\0o"s, "UTF-32 "}}) {
        auto const path = dir.write("a.txt", bytes);
        CHECK_THAT(message_of<file_error>([&] { io::read_text_file(path); }),
                   contains("a.txt") && contains("iconv -f "s + name));
        CHECK_THAT(message_of<file_error>([&] { io::parse_json(bytes, "config.json"); }),
                   contains("config.json") && contains("iconv -f "s + name));
    }
}

TEST_CASE("text that is not UTF-8 is refused with its line and byte", "[io][text_file]") {
    scratch_dir const dir;
    auto const path = dir.write("a.txt", "\xEF\xBB\xBFone\r\nt\xffo\n");
    CHECK_THAT(message_of<file_error>([&] { io::read_text_file(path); }),
               contains("a.txt: line 2: not UTF-8 at byte 9 of the file, byte 1 of the line"));
}

TEST_CASE("JSON may begin with a byte order mark", "[io][text_file]") {
    auto const document = io::parse_json("\xEF\xBB\xBF{\"a\": 3}", "t");
    CHECK(io::field<plateau::index>(document.root(), "a", "t") == 3);
}

}  // namespace
