#include <plateau/io/npy_numbers.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
namespace io = plateau::io;

TEST_CASE("numbers of either precision are read as doubles, other types are refused", "[io][npy_numbers]") {
    scratch_dir const dir;
    io::write_npy(dir / "single.npy", std::vector<float>{0.1F, 2, 3, 4}, {2, 2});
    io::write_npy(dir / "double.npy", std::vector<double>{0.1, 2}, {2});
    io::write_npy(dir / "whole.npy", std::vector<std::int64_t>{1}, {1});
    CHECK(io::read_numbers(dir / "single.npy").values == std::vector<double>{0.1F, 2, 3, 4});
    CHECK(io::read_numbers(dir / "single.npy").shape == std::vector<plateau::index>{2, 2});
    CHECK(io::read_numbers(dir / "double.npy").values == std::vector<double>{0.1, 2});
    CHECK_THAT(message_of<plateau::usage_error>([&] { io::read_numbers(dir / "whole.npy"); }),
               contains("holds '<i8', expected numbers"));
    CHECK_THROWS_AS(io::read_numbers(dir / "none.npy"), plateau::file_error);
}

}  // namespace
