#include <plateau/io/mapped_file.hpp>

#include <filesystem>
#include <string>
#include <utility>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/memory.hpp"
#include "support/scratch.hpp"

using namespace plateau::testing;
using plateau::file_error;
using plateau::io::mapped_file;

TEST_CASE("a mapped file shows its bytes", "[io][mapped_file]") {
    scratch_dir const dir;
    std::string const content = std::string(10'000, 'x') + std::string("\0end", 4);
    mapped_file file{dir.write("a", content)};
    CHECK(file.text() == content);
    CHECK(file.bytes().size() == content.size());
    mapped_file moved{std::move(file)};
    CHECK(moved.text() == content);
    mapped_file other{dir.write("b", "b")};
    other = std::move(moved);
    CHECK(other.text() == content);
    CHECK(other.path() == dir / "a");
    CHECK(plateau::io::read_text(dir / "a") == content);
}

TEST_CASE("dropped pages give their memory back and come again when they are looked at", "[io][mapped_file]") {
    scratch_dir const dir;
    std::size_t const size = 8 << 20;
    std::string content(size, 'x');
    for (std::size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>(i / 1000 % 100);
    mapped_file const file{dir.write("a", content)};
    bool const same = file.text() == content;
    double const read = status_bytes("RssFile:");
    file.drop_pages();
    double const dropped = status_bytes("RssFile:");
    CHECK(same);
    if (memory_is_measurable) CHECK(read - dropped >= 0.9 * static_cast<double>(size));
    bool const same_again = file.text() == content;
    CHECK(same_again);
    mapped_file{dir.write("b", "")}.drop_pages();
}

TEST_CASE("pages of a part are given back alone", "[io][mapped_file]") {
    scratch_dir const dir;
    std::size_t const size = 8 << 20;
    std::string const content(size, 'x');
    mapped_file const file{dir.write("a", content)};
    bool const same = file.text() == content;
    double const read = status_bytes("RssFile:");
    plateau::io::drop_pages(file.bytes().subspan(size / 2 + 77, size / 4));
    double const dropped = status_bytes("RssFile:");
    CHECK(same);
    if (memory_is_measurable) {
        CHECK(read - dropped >= 0.2 * static_cast<double>(size));
        CHECK(read - dropped <= 0.8 * static_cast<double>(size));  // with the rest of huge pages, of 2 MiB
    }
    plateau::io::drop_pages({});
    bool const same_again = file.text() == content;
    CHECK(same_again);
}

TEST_CASE("an empty file has no bytes", "[io][mapped_file]") {
    scratch_dir const dir;
    CHECK(mapped_file{dir.write("a", "")}.bytes().empty());
}

TEST_CASE("what cannot be mapped is named with the reason", "[io][mapped_file]") {
    scratch_dir const dir;
    CHECK_THAT(message_of<file_error>([&] { mapped_file{dir / "absent"}; }),
               contains("absent") && contains("No such file"));
    CHECK_THAT(message_of<file_error>([&] { mapped_file{dir.path()}; }), contains("directory"));
    CHECK_THAT(message_of<file_error>([] { mapped_file{"/dev/null"}; }), contains("not a regular file"));
}
