#include <plateau/core/atomic_file.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace fs = std::filesystem;
using namespace plateau::testing;
using plateau::atomic_file;
using plateau::file_error;

TEST_CASE("a file appears under its name on commit and not before", "[core][atomic_file]") {
    scratch_dir const dir;
    {
        atomic_file file{dir / "a.txt"};
        file.write("one ");
        file.stream() << 2 << " " << 2.5;
        std::vector<std::byte> const bytes(3, std::byte{'x'});
        file.write(std::span(bytes));
        CHECK_FALSE(fs::exists(dir / "a.txt"));
        CHECK(dir.entries() == 1);
        file.commit();
    }
    CHECK(bytes_of(dir / "a.txt") == "one 2 2.5xxx");
    CHECK(dir.entries() == 1);
}

TEST_CASE("without commit nothing is left and an older file stays", "[core][atomic_file]") {
    scratch_dir const dir;
    dir.write("a.txt", "old");
    {
        atomic_file file{dir / "a.txt"};
        file.write("new");
    }
    CHECK(bytes_of(dir / "a.txt") == "old");
    CHECK(dir.entries() == 1);
    atomic_file file{dir / "a.txt"};
    file.write("new");
    file.commit();
    CHECK(bytes_of(dir / "a.txt") == "new");
}

TEST_CASE("writing can go back", "[core][atomic_file]") {
    scratch_dir const dir;
    atomic_file file{dir / "a"};
    file.write("..cdef");
    CHECK(file.tell() == 6);
    file.seek(0);
    file.write("ab");
    file.seek_end();
    file.write("g");
    file.commit();
    CHECK(bytes_of(dir / "a") == "abcdefg");
    CHECK_THROWS_AS(file.write("late"), file_error);
}

TEST_CASE("targets that cannot be written are refused at once", "[core][atomic_file]") {
    scratch_dir const dir;
    fs::create_directory(dir / "folder");
    CHECK_THAT(message_of<file_error>([&] { atomic_file{dir / "folder"}; }), contains("it is a directory"));
    CHECK_THAT(message_of<file_error>([&] { atomic_file{fs::path((dir / "folder").string() + "/")}; }),
               contains("it is a directory"));
    auto const missing = message_of<file_error>([&] { atomic_file{dir / "no" / "a.npy"}; });
    CHECK_THAT(missing, contains("a.npy") && contains("No such file") && contains("create the directory"));
    dir.write("plain", "x");
    CHECK_THROWS_AS(atomic_file{dir / "plain" / "a.npy"}, file_error);
    CHECK(dir.entries() == 2);
}

TEST_CASE("a full disk is an error that names the file and the reason", "[core][atomic_file]") {
    if (!fs::exists("/dev/full")) PLATEAU_SKIP("there is no /dev/full");
    std::string const lots(1 << 20, 'x');
    // A device is written to directly, never replaced.
    auto const direct = message_of<file_error>([&] {
        atomic_file file{"/dev/full"};
        file.write(lots);
        file.commit();
    });
    CHECK_THAT(direct, contains("/dev/full") && contains("No space left") && contains("free some space"));
    CHECK(fs::is_character_file("/dev/full"));

    CHECK_THAT(message_of<file_error>([&] {
                   atomic_file file{"/dev/full"};
                   file.write("few bytes wait in the buffer until the file is closed");
                   file.commit();
               }),
               contains("No space left"));
    CHECK_THAT(message_of<file_error>([&] { atomic_file{"/dev/full"}.stream() << lots; }), contains("No space left"));
}
