#include <plateau/program/outputs.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using plateau::program::manifest;
using plateau::program::outputs;
using json = nlohmann::ordered_json;

manifest const leaves{.axes = "P pairs, S steps",
                      .files = {{"relative.npy", "float64 [P,S]", "d(alpha)/d(1)"},
                                {"kinds.npy", "int64 [P]", "which"},
                                {"pairs.npy", "int64 [P,2]", "who", "--pairs"},
                                {"kl.npy", "float64 [n,P]", "nats", "--kl"},
                                {"distances.K.npy", "float64 [P,S]", "at the K-th site", "--sites"}},
                      .summary = "pairs (how many), max_slope_median"};

/// What has to be there always.
void write_all(outputs& out) {
    out.axis("P", 2);
    out.axis("S", 3);
    out.array("relative.npy", std::vector<double>(6, 0.5));
    out.array("kinds.npy", std::vector<bool>{true, false});
}

TEST_CASE("arrays get the shape and the type that the manifest tells", "[program][outputs]") {
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    write_all(out);
    out.array("pairs.npy", std::vector<plateau::index>{0, 1, 1, 2});
    out.publish({{"program", "mine"}}, {{"pairs", 2}});
    auto const relative = plateau::io::read_npy<double>(dir / "relative.npy");
    CHECK(relative.shape == std::vector<plateau::index>{2, 3});
    CHECK(relative.values == std::vector<double>(6, 0.5));
    CHECK(plateau::io::read_npy<std::int64_t>(dir / "kinds.npy").values == std::vector<std::int64_t>{1, 0});
    CHECK(plateau::io::read_npy<std::int64_t>(dir / "pairs.npy").shape == std::vector<plateau::index>{2, 2});
    CHECK(json::parse(bytes_of(dir / "summary.json")) == json{{"program", "mine"}, {"pairs", 2}});
}

TEST_CASE("an absent axis is left out of the shape", "[program][outputs]") {
    auto const n = GENERATE(plateau::index{-1}, plateau::index{1}, plateau::index{3});
    STATIC_REQUIRE(outputs::absent == -1);
    CAPTURE(n);
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    write_all(out);
    out.axis("n", n);
    out.array("kl.npy", std::vector<double>(n == 3 ? 6 : 2));
    out.publish({}, {});
    auto const shape = plateau::io::read_npy<double>(dir / "kl.npy").shape;
    CHECK(shape == (n < 0 ? std::vector<plateau::index>{2} : std::vector<plateau::index>{n, 2}));
}

TEST_CASE("what is not as the manifest tells is a fault of the program", "[program][outputs]") {
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    write_all(out);
    auto const fault = [&](auto const& what) { return message_of<std::logic_error>(what); };
    CHECK_THAT(fault([&] { out.array("other.npy", std::vector<double>{1}); }), contains("does not tell other.npy"));
    CHECK_THAT(fault([&] { out.array("pairs.npy", std::vector<double>(6)); }), contains("has 6 values"));
    CHECK_THAT(fault([&] { out.array("kl.npy", std::vector<double>(6)); }), contains("axis n of kl.npy"));
    CHECK_THAT(fault([&] { out.axis("P", 3); }), contains("P has two lengths"));
    CHECK_THAT(fault([&] { out.publish({}, {{"max_slope", 1}}); }), contains("key max_slope,"));
    CHECK_FALSE(std::filesystem::exists(dir / "relative.npy"));
}

TEST_CASE("a file that every run leaves cannot be forgotten", "[program][outputs]") {
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    out.axis("P", 2);
    out.array("kinds.npy", std::vector<int>{0, 1});
    CHECK_THAT(message_of<std::logic_error>([&] { out.publish({}, {}); }), contains("relative.npy was not written"));
}

TEST_CASE("a run removes what an earlier one left and it did not write, and nothing of others", "[program][outputs]") {
    scratch_dir const dir;
    for (auto const* name : {"pairs.npy", "kl.npy", "distances.2.npy", "distances.3.npy", "mine.npy"})
        dir.write(name, "old");
    outputs out{leaves, dir.path()};
    write_all(out);
    out.array("distances.2.npy", std::vector<double>(6));
    CHECK(std::filesystem::exists(dir / "kl.npy"));
    out.publish({}, {});
    for (auto const* gone : {"pairs.npy", "kl.npy", "distances.3.npy"})
        CHECK_FALSE(std::filesystem::exists(dir / gone));
    CHECK(bytes_of(dir / "mine.npy") == "old");
    CHECK(plateau::io::read_npy<double>(dir / "distances.2.npy").values.size() == 6);
}

TEST_CASE("an estimate in a summary is [value, low, high]; NaN is null", "[program][outputs]") {
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    write_all(out);
    plateau::statistics::estimate const x{0.1, std::numeric_limits<double>::quiet_NaN(), 0.3, 1};
    out.publish({}, {{"max_slope_median", x}});
    CHECK(json::parse(bytes_of(dir / "summary.json"))["max_slope_median"] == json{0.1, nullptr, 0.3});
}

TEST_CASE("values of many things are written one after the other", "[program][outputs]") {
    struct layer {
        std::vector<double> slope;
        std::vector<int> kind;
    };
    std::vector<layer> const layers{{{1, 2, 3}, {7}}, {{4, 5, 6}, {8}}};
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    out.axis("P", 2);
    out.axis("S", 3);
    out.array("relative.npy", layers, &layer::slope);
    out.array("kinds.npy", layers, [](layer const& one) { return one.kind; });
    out.publish({}, {});
    CHECK(plateau::io::read_npy<double>(dir / "relative.npy").values == std::vector<double>{1, 2, 3, 4, 5, 6});
    CHECK(plateau::io::read_npy<std::int64_t>(dir / "kinds.npy").values == std::vector<std::int64_t>{7, 8});
    outputs wrong{leaves, dir.path()};
    wrong.axis("P", 3);
    CHECK_THAT(message_of<std::logic_error>([&] { wrong.array("kinds.npy", layers, &layer::kind); }),
               contains("has 2 values"));
}

}  // namespace
