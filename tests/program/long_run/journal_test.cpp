#include <plateau/program/long_run/journal.hpp>

#include "support/catch.hpp"

#if PLATEAU_HAS_SQLITE

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>

#include "support/scratch.hpp"

namespace {

using namespace plateau::program;
using plateau::counter_rng;
using plateau::file_error;
using plateau::index;
using plateau::usage_error;
using plateau::testing::contains;
using plateau::testing::scratch_dir;
using path = std::filesystem::path;
using bytes = std::vector<std::byte>;
using how = journal::opening;

std::unique_ptr<journal> opened(path const& file, how as) {
    return std::make_unique<journal>(file, as, [](std::string const&) {});
}

bytes random_bytes(index size, std::uint64_t seed) {
    counter_rng rng{seed};
    bytes all(static_cast<std::size_t>(size));
    for (auto& one : all) one = static_cast<std::byte>(rng.below(256));
    return all;
}

chunk_place const places[]{{0, 0, 3}, {0, 3, 3}, {0, 9, 2}, {1, 0, 1}};
bytes content_of(chunk_place const& where) {
    return random_bytes(200 + where.first, static_cast<std::uint64_t>(100 * where.sweep + where.first));
}

/// A finished journal of two sweeps.
path written(path const& file) {
    auto const one = opened(file, how::fresh);
    one->require("option --steps", "50");
    one->require("option --dtype", "fp32");
    for (auto const& where : places) one->add(where, content_of(where));
    return file;
}

void make_sqlite_file(path const& file) {
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "CREATE TABLE birds (name TEXT)", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(other);
}

TEST_CASE("chunks come back as they were stored, in order", "[program][journal]") {
    scratch_dir const dir;
    auto const file = written(dir / "a.db");
    CHECK_THROWS_WITH(opened(file, how::fresh), contains("--resume " + file.string()));
    auto const again = opened(file, how::resumed);
    CHECK(again->chunks(0) == std::vector<chunk_place>{places[0], places[1], places[2]});
    CHECK(again->chunks(1) == std::vector<chunk_place>{places[3]});
    CHECK(again->chunks(2).empty());
    for (auto const& where : places) CHECK(again->read(where) == content_of(where));
    CHECK_THROWS_AS(again->add(places[1], content_of(places[0])), file_error);  // it has that one
    CHECK(again->read(places[1]) == content_of(places[1]));
    again->add({2, 0, 5}, {});  // of nothing, and of more than a page
    again->add({2, 5, 5}, random_bytes(100'000, 5));
    CHECK(again->read({2, 0, 5}).empty());
    CHECK(again->read({2, 5, 5}) == random_bytes(100'000, 5));
}

TEST_CASE("what differs from the run that began it is named", "[program][journal]") {
    scratch_dir const dir;
    auto const again = opened(written(dir / "a.db"), how::resumed);
    CHECK_NOTHROW(again->require("option --steps", "50"));
    CHECK_THROWS_AS(again->require("option --steps", "60"), usage_error);
    CHECK_THROWS_WITH(again->require("option --steps", "60"), contains("its option --steps is '50', this one's '60'"));
    CHECK_THROWS_WITH(again->require("option --kl", "true", true),
                      contains("had no option --kl; this one's is 'true'"));
    CHECK_NOTHROW(again->require("weights of sweep 2", "abc"));  // of what comes later
    CHECK_NOTHROW(again->require_only("option ", {"option --steps", "option --dtype"}));
    CHECK_THROWS_WITH(again->require_only("option ", {"option --steps"}),
                      contains("its option --dtype is 'fp32', which was not given"));
}

TEST_CASE("a journal without chunks starts anew, whatever it knows", "[program][journal]") {
    scratch_dir const dir;
    auto const file = dir / "a.db";
    SECTION("none") {
        CHECK_THROWS_AS(opened(file, how::resumed), usage_error);
        CHECK_THROWS_WITH(opened(file, how::resumed), contains("--journal " + file.string()));
        CHECK_FALSE(std::filesystem::exists(file));
        return;
    }
    SECTION("of 0 bytes") { dir.write("a.db", ""); }
    SECTION("of other options") { opened(file, how::fresh)->require("option --steps", "50"); }
    CHECK_THROWS_AS(opened(file, how::fresh), usage_error);
    auto const again = opened(file, how::resumed);
    CHECK_NOTHROW(again->require("option --steps", "60"));
    CHECK(again->chunks(0).empty());
    again->add(places[0], content_of(places[0]));
    CHECK(again->chunks(0).size() == 1);
}

TEST_CASE("what is no journal stays as it is", "[program][journal]") {
    scratch_dir const dir;
    auto const file = dir / "a.db";
    SECTION("text") { dir.write("a.db", std::string(5000, 'x')); }
    SECTION("a few bytes") { dir.write("a.db", "x"); }
    SECTION("another SQLite file") { make_sqlite_file(file); }
    auto const before = plateau::testing::bytes_of(file);
    CHECK_THROWS_AS(opened(file, how::resumed), file_error);
    CHECK_THROWS_WITH(opened(file, how::resumed), contains("no journal"));
    CHECK((plateau::testing::bytes_of(file) == before));
    CHECK_THROWS_AS(opened(dir.path(), how::resumed), file_error);
    CHECK_THROWS_WITH(opened(dir / "none/a.db", how::fresh), contains("there is no folder"));
}

TEST_CASE("one has it at a time", "[program][journal]") {
    scratch_dir const dir;
    auto const file = written(dir / "a.db");
    auto first = opened(file, how::resumed);
    CHECK_THROWS_AS(opened(file, how::resumed), file_error);
    CHECK_THROWS_WITH(opened(file, how::resumed), contains("another process has the journal"));
    first->add({3, 0, 1}, content_of(places[0]));
    first.reset();
    CHECK(opened(file, how::resumed)->chunks(3).size() == 1);
}

TEST_CASE("a byte that is not what it was is an error, or changes nothing", "[program][journal]") {
    scratch_dir const dir;
    auto const whole = plateau::testing::bytes_of(written(dir / "a.db"));
    auto const with = [&](std::size_t at, char flip) {
        auto other = whole;
        other[at] = static_cast<char>(other[at] ^ flip);
        return dir.write("b.db", other);
    };
    auto const content = content_of(places[1]);
    std::string const pattern(reinterpret_cast<char const*>(content.data()), content.size());
    auto const inside = whole.find(pattern);
    REQUIRE(inside != std::string::npos);
    CHECK_THROWS_WITH(opened(with(inside + 100, 1), how::resumed)->chunks(0),
                      contains("is damaged: its chunk 3 to 5 of sweep 1"));
    counter_rng rng{11};
    int damaged = 0;
    for (int trial = 0; trial < 150; ++trial) {
        auto const at = static_cast<std::size_t>(rng.below(whole.size()));
        CAPTURE(at);
        try {
            auto const again = opened(with(at, static_cast<char>(1 << rng.below(8))), how::resumed);
            for (index sweep = 0; sweep < 3; ++sweep) {
                for (auto const& one : again->chunks(sweep)) {
                    CHECK(std::ranges::count(places, one) == 1);
                    CHECK(again->read(one) == content_of(one));
                }
            }
        } catch (file_error const&) {
            ++damaged;
        }
    }
    CHECK(damaged > 0);
}

/// While it lives a root's process may do what any other may.
struct without_privileges {
    without_privileges() {
        if (root && ::seteuid(65534) != 0) throw std::runtime_error("the test cannot change its user");
    }
    ~without_privileges() {
        if (root && ::seteuid(0) != 0) std::abort();
    }
    bool root = ::geteuid() == 0;
};

TEST_CASE("a journal that may not be written says what has to be writable", "[program][journal]") {
    using std::filesystem::perms;
    scratch_dir const dir;
    auto const file = written(dir / "a.db");
    auto const allow = [](path const& what, perms as) { std::filesystem::permissions(what, as); };
    bool const whose = GENERATE(false, true);
    CAPTURE(whose);
    allow(file, whose ? perms::owner_read | perms::group_read | perms::others_read : perms::all);
    allow(dir.path(),
          whose ? perms::all : perms::all & ~perms::group_write & ~perms::others_write & ~perms::owner_write);
    {
        without_privileges const like_anyone;
        CHECK_THROWS_AS(opened(file, how::resumed)->add({3, 0, 1}, {}), file_error);
        CHECK_THROWS_WITH(opened(file, how::resumed)->add({3, 0, 1}, {}), contains("cannot be written"));
        if (!whose) CHECK_THROWS_WITH(opened(dir / "new.db", how::fresh), contains("cannot be written"));
    }
    allow(file, perms::all);
    allow(dir.path(), perms::all);
    CHECK(opened(file, how::resumed)->chunks(0).size() == 3);
}

/// Adds chunks until the file does not take one. Returns how many it took.
index fill(path const& file, std::string const& message) {
    auto const one = opened(file, how::fresh);
    for (index n = 0; n < 1000; ++n) {
        try {
            one->add({0, n, 1}, random_bytes(20'000, static_cast<std::uint64_t>(n)));
        } catch (file_error const& problem) {
            CHECK_THAT(problem.what(), contains(message));
            return n;
        }
    }
    return -1;
}

void check_filled(path const& file, index taken) {
    CHECK(taken > 2);
    auto const again = opened(file, how::resumed);
    auto const chunks = again->chunks(0);
    REQUIRE(std::ssize(chunks) == taken);
    for (auto const& where : chunks)
        CHECK(again->read(where) == random_bytes(20'000, static_cast<std::uint64_t>(where.first)));
    again->add({0, taken, 1}, random_bytes(20'000, static_cast<std::uint64_t>(taken)));
}

TEST_CASE("a file that may not grow keeps what it holds", "[program][journal]") {
    scratch_dir const dir;
    struct limit {
        rlimit before{};
        void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
        limit() {
            ::getrlimit(RLIMIT_FSIZE, &before);
            rlimit const few{300'000, before.rlim_max};
            ::setrlimit(RLIMIT_FSIZE, &few);
        }
        ~limit() {
            ::setrlimit(RLIMIT_FSIZE, &before);
            std::signal(SIGXFSZ, handler);
        }
    };
    index taken = 0;
    {
        limit const small;
        taken = fill(dir / "a.db", "What it holds is safe");
    }
    check_filled(dir / "a.db", taken);
}

TEST_CASE("a full disk keeps what the journal holds", "[program][journal]") {
    scratch_dir const dir;
    auto const disk = (dir / "disk").string();
    std::filesystem::create_directory(disk);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=400k") != 0) {
        WARN("skipped: this process may not mount a small disk");
        return;
    }
    struct mounted {
        std::string const& at;
        ~mounted() { ::umount2(at.c_str(), MNT_DETACH); }
    } const here{disk};
    auto const file = path(disk) / "a.db";
    index const taken = fill(file, "is full. What it holds is safe");
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=4000k") == 0);
    check_filled(file, taken);
}

}  // namespace

#else

TEST_CASE("a build without SQLite says what is missing", "[program][journal]") {
    using plateau::program::journal;
    CHECK_THROWS_WITH(journal("a.db", journal::opening::fresh, [](std::string const&) {}),
                      plateau::testing::contains("libsqlite3-dev"));
}

#endif
