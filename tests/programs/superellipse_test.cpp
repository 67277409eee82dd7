// The program superellipse: its files, its directions, and what it refuses.

#include <cmath>
#include <cstdint>
#include <numbers>

#include <plateau/engine/load.hpp>
#include <plateau/metrics/superellipse.hpp>
#include <plateau/sweep/angle_maps.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::contains;
using plateau::testing::scratch_dir;
namespace paths = plateau::paths;

std::string const model = golden_model("llama_gqa");

std::set<std::string> const all_files {
    "angles.npy", "directions.npy", "distances.npy", "exponents.npy", "intercepts.npy", "medians.npy", "summary.json",
        "superellipse.csv",
#if PLATEAU_HAS_CAIRO
        "superellipse.png",
#endif
        "tokens.npy"
};

struct eight_prompts {
    std::vector<std::vector<plateau::token_id>> prompts;
    scratch_dir dir;
    std::string tokens;

    eight_prompts() {
        for (plateau::token_id i = 0; i < 8; ++i) prompts.push_back({3 + i, 5, 7 + i, 11, 29 - 3 * i});
        tokens = write_tokens(dir / "tokens.npy", prompts);
    }
    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", model, "--tokens",    tokens, "--out", (dir / out).string(),
                  "--grid",  "7",   "--resamples", "20"};
        if (std::find(more.begin(), more.end(), "--anchors") == more.end()) all.insert(all.end(), {"--anchors", "4"});
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
};

TEST_CASE("superellipse leaves the responses of the library, their medians and their fits",
          "[programs][superellipse]") {
    eight_prompts const given;
    auto const out = given.dir / "out";
    auto const result = succeed("superellipse", given.with("out", {"--dtype", "fp64", "--direction-pairs", "2"}));
    CHECK(names_in(out) == all_files);
    auto const distances = read_npy<double>(out / "distances.npy"), medians = read_npy<double>(out / "medians.npy");
    auto const directions = read_npy<double>(out / "directions.npy"),
               exponents = read_npy<double>(out / "exponents.npy");
    auto const intercepts = read_npy<double>(out / "intercepts.npy"), angles = read_npy<double>(out / "angles.npy");
    CHECK(distances.shape == std::vector<index>{4, 4, 7, 7});
    CHECK(medians.shape == std::vector<index>{4, 7, 7});
    CHECK(exponents.shape == std::vector<index>{4, 3, 3});
    CHECK(intercepts.shape == std::vector<index>{4, 3, 2});
    CHECK(std::abs(angles.values.back() - 60) < 1e-12);

    auto const loaded = plateau::load<double>(model, {.backend = {.threads = 1}});
    index const width = loaded.width();
    REQUIRE(directions.shape == std::vector<index>{4, 2, width});
    auto const grid = paths::even_grid(0, std::numbers::pi / 3, 7);
    plateau::prompt_list const anchors(given.prompts.begin(), given.prompts.begin() + 4);
    auto const layers = loaded.layers();
    REQUIRE(layers < 5);
    for (std::size_t q = 0; q < 4; ++q) {
        auto const* const d = directions.values.data() + static_cast<index>(q) * 2 * width;
        auto const expected = plateau::sweep::angle_maps(
            loaded, anchors, std::span<double const>{d, static_cast<std::size_t>(width)},
            std::span<double const>{d + width, static_cast<std::size_t>(width)}, {grid, grid},
            {.read = "blocks." + std::to_string(layers - 2) + ".hook_resid_post"});
        CHECK(std::equal(expected.flat().begin(), expected.flat().end(),
                         distances.values.begin() + static_cast<std::ptrdiff_t>(q) * expected.size()));
        plateau::tensor::buffer<double, 2> median({7, 7});
        for (index i = 0; i < 49; ++i) {
            std::array<double, 4> column{};
            for (index a = 0; a < 4; ++a) column[static_cast<std::size_t>(a)] = expected[a].data()[i];
            std::sort(column.begin(), column.end());
            median.data()[i] = (column[1] + column[2]) / 2;
            CHECK(std::abs(median.data()[i] - medians.values[q * 49 + static_cast<std::size_t>(i)]) <= 1e-12);
        }
        double const shares[3] = {0.25, 0.5, 1};
        for (std::size_t s = 0; s < 3; ++s) {
            auto const contour = plateau::metrics::iso_response_of(grid, grid, median, shares[s]);
            double const p = plateau::metrics::superellipse_exponent(contour.points);
            auto const* const got = exponents.values.data() + (q * 3 + s) * 3;
            CHECK(std::abs(got[0] - p) < 1e-6);
            CHECK(std::abs(intercepts.values[(q * 3 + s) * 2] - contour.intercepts[0] * 180 / std::numbers::pi) < 1e-9);
            if (s == 1) CHECK((got[1] <= got[0] && got[0] <= got[2]));
        }
    }
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("kinds") == std::vector<std::string>{"random", "random-difference"});
    CHECK(summary.at("direction_pairs") == 4);
    CHECK(summary.at("write_site") == "blocks.0.hook_resid_post");
    for (auto const& one : summary.at("exponents")) CHECK(one.size() == 3);
    // the median over two pairs is their mean
    CHECK(std::abs(summary.at("exponents")[0][0].get<double>() - (exponents.values[3] + exponents.values[12]) / 2) <
          1e-12);
    CHECK_THAT(result.out, contains("random-difference, median"));
    CHECK(plateau::testing::bytes_of(out / "superellipse.csv").find("random-difference,1,1,") != std::string::npos);
}

TEST_CASE("superellipse leaves the same bytes for any number of threads, others for another seed",
          "[programs][superellipse]") {
    eight_prompts const given;
    for (auto const* threads : {"1", "2", "3"})
        succeed("superellipse", given.with(threads, {"--threads", threads, "--direction-pairs", "1"}));
    for (auto const* threads : {"2", "3"}) check_same_files(given.dir / "1", given.dir / threads);
    succeed("superellipse", given.with("other", {"--seed", "1", "--direction-pairs", "1"}));
    CHECK(plateau::testing::bytes_of(given.dir / "other/directions.npy") !=
          plateau::testing::bytes_of(given.dir / "1/directions.npy"));
}

TEST_CASE("directions of one's own come two by two", "[programs][superellipse]") {
    eight_prompts const given;
    succeed("superellipse", given.with("drawn", {"--directions", "random", "--direction-pairs", "2"}));
    auto const file = (given.dir / "drawn/directions.npy").string();
    auto const result = succeed("superellipse", given.with("own", {"--directions", file, "--anchors", "8"})).out;
    CHECK_THAT(result, contains("directions.npy 1"));
    auto const own = read_npy<double>(given.dir / "own/distances.npy"),
               drawn = read_npy<double>(given.dir / "drawn/distances.npy");
    CHECK(own.shape == std::vector<index>{2, 8, 7, 7});
    CHECK(std::equal(drawn.values.begin(), drawn.values.begin() + 4 * 49, own.values.begin()));
}

TEST_CASE("superellipse refuses what it cannot measure, and leaves nothing", "[programs][superellipse]") {
    eight_prompts const given;
    auto const expect = [&](int status, words const& more, std::string const& part) {
        fail(status, "superellipse", given.with("out", more), part);
        CHECK_FALSE(std::filesystem::exists(given.dir / "out"));
    };
    expect(2, {"--anchors", "1"}, "--anchors");
    expect(2, {"--anchors", "9"}, "there are 8 prompts");
    expect(2, {"--anchors", "5"}, "four prompts that are no anchors, there are 3");
    expect(2, {"--direction-pairs", "0"}, "--direction-pairs");
    expect(2, {"--degrees", "0"}, "--degrees");
    expect(2, {"--degrees", "nan"}, "--degrees");
    expect(2, {"--resamples", "0"}, "--resamples");
    expect(2, {"--directions", "sideways"}, "no such file");
    plateau::io::write_npy(given.dir / "odd.npy", std::vector<double>(24), {1, 24});
    expect(2, {"--directions", (given.dir / "odd.npy").string()}, "[2P,D]");
    plateau::io::write_npy(given.dir / "narrow.npy", std::vector<double>(6, 1), {2, 3});
    expect(2, {"--directions", (given.dir / "narrow.npy").string()}, "as wide as the write site");
    expect(1, {"--read-site", "blocks.0.hook_resid_pre"}, "read");
    expect(1, {"--write-site", "blocks.0.attn.hook_pattern"}, "as many values as its prompt has tokens");
    auto const width = plateau::load<float>(model).width();
    std::vector<double> same(static_cast<std::size_t>(2 * width), 1.0);
    plateau::io::write_npy(given.dir / "same.npy", same, {2, width});
    expect(1, {"--directions", (given.dir / "same.npy").string()}, "anchor 0");
}

TEST_CASE("superellipse --help names everything", "[programs][superellipse]") {
    auto const help = succeed("superellipse", {"--help"}).out;
    for (auto const* word : {"--model",
                             "--directions",
                             "--direction-pairs",
                             "--anchors",
                             "--grid",
                             "--degrees",
                             "--resamples",
                             "--write-site",
                             "--read-site",
                             "distances.npy",
                             "medians.npy",
                             "angles.npy",
                             "directions.npy",
                             "exponents.npy",
                             "intercepts.npy",
                             "tokens.npy",
                             "superellipse.csv",
                             "superellipse.png",
                             "summary.json",
                             "[Q,A,G,G]",
                             "[Q,2,D]",
                             "float64",
                             "int64",
                             "degrees",
                             "random-difference",
                             "kinds"}) {
        CHECK_THAT(help, contains(word));
    }
}

}  // namespace
