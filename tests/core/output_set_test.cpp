#include <plateau/core/output_set.hpp>

#include <csignal>
#include <filesystem>
#include <string>

#include <sys/resource.h>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace fs = std::filesystem;
using namespace plateau::testing;
using plateau::file_error;
using plateau::output_set;

namespace {

/// While it lives, no file can grow beyond `bytes`, as if the disk were full.
class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        ::rlimit limit = before_;
        limit.rlim_cur = bytes;
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    file_size_limit(file_size_limit const&) = delete;
    file_size_limit& operator=(file_size_limit const&) = delete;

private:
    ::rlimit before_{};
    void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("outputs appear together", "[core][output_set]") {
    scratch_dir const dir;
    output_set out{dir / "made" / "on the way"};
    out.file("a.npy").write("aaa");
    out.file("b.csv").stream() << "b," << 1;
    CHECK_FALSE(fs::exists(out.directory() / "a.npy"));
    CHECK_THAT(message_of<file_error>([&] { out.file("a.npy"); }), contains("written twice"));
    out.commit();
    CHECK(bytes_of(out.directory() / "a.npy") == "aaa");
    CHECK(bytes_of(out.directory() / "b.csv") == "b,1");
    CHECK(std::distance(fs::directory_iterator(out.directory()), {}) == 2);
}

TEST_CASE("without commit neither files nor directories are left", "[core][output_set]") {
    scratch_dir const dir;
    {
        output_set out{dir / "x" / "y"};
        out.file("a").write("a");
        CHECK(fs::exists(dir / "x" / "y"));
    }
    CHECK(dir.entries() == 0);

    fs::create_directory(dir / "x");  // a directory that was there stays, with what is in it
    dir.write("x/a", "old");
    {
        output_set out{(dir / "x").string() + "/"};
        out.file("a").write("new");
        out.file("b").write("new");
    }
    CHECK(bytes_of(dir / "x" / "a") == "old");
    CHECK(std::distance(fs::directory_iterator(dir / "x"), {}) == 1);
}

TEST_CASE("a place that cannot be a directory is refused", "[core][output_set]") {
    scratch_dir const dir;
    dir.write("file", "x");
    CHECK_THAT(message_of<file_error>([&] { output_set{dir / "file"}; }), contains("is a file"));
    CHECK_THAT(message_of<file_error>([&] { output_set{dir / "file" / "below"}; }), contains("file/below"));
    CHECK(dir.entries() == 1);
}

TEST_CASE("a disk that fills up half-way publishes nothing", "[core][output_set]") {
    scratch_dir const dir;
    std::string message;
    {
        file_size_limit const limit{100'000};
        message = message_of<file_error>([&] {
            output_set out{dir / "out"};
            out.file("small.npy").write("fits");
            out.file("large.npy").write(std::string(300'000, 'x'));
            out.commit();
        });
        CHECK_THAT(message_of<file_error>([&] {
                       output_set out{dir / "out"};
                       out.file("small.npy").write("fits");
                       auto& large = out.file("large.npy");
                       for (int i = 0; i < 300'000; ++i) large.write("x");
                       out.commit();
                   }),
                   contains("large.npy"));
    }
    CHECK_THAT(message, contains("large.npy") && contains("choose another --out"));
    CHECK(dir.entries() == 0);
}

TEST_CASE("if publishing fails half-way, what was published is withdrawn", "[core][output_set]") {
    scratch_dir const dir;
    output_set out{dir / "out"};
    out.file("a").write("a");
    out.file("b").write("b");
    fs::create_directory(dir / "out" / "b");  // in the way of the second rename
    CHECK_THROWS_AS(out.commit(), file_error);
    CHECK_FALSE(fs::exists(dir / "out" / "a"));
}
