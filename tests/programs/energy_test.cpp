// The program energy: its files beside one another, its controls, and what it refuses.

#include <cmath>
#include <cstdint>

#include <plateau/io/npy.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

TEST_CASE("marks of heads, their controls and held parts", "[programs][energy]") {
    scratch_dir const dir;
    std::vector<std::vector<plateau::token_id>> prompts;
    for (int i = 0; i < 8; ++i) prompts.push_back({3 + i, 5, 7 + 2 * i, 11, 29 - i});
    auto const tokens = write_tokens(dir / "tokens.npy", prompts);
    auto const with = [&](std::string const& out, words const& more) {
        words all{"--model",     golden_model("llama_gqa"),
                  "--tokens",    tokens,
                  "--pairs",     "disjoint",
                  "--steps",     "9",
                  "--resamples", "50",
                  "--out",       (dir / out).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    words const given{"--mlp", "--causality", "--curves", "--permutations", "19"};
    auto const result = succeed("energy", with("out", given));
    CHECK_THAT(result.out, contains("ridge of MLPs"));
    CHECK_THAT(result.out, contains("MLP outputs"));
    auto const out = dir / "out";
    auto const places = read_npy<double>(out / "places.npy"), mlp = read_npy<double>(out / "mlp_energy.npy");
    auto const switches = read_npy<std::int64_t>(out / "switches.npy");
    index const layers = switches.shape.at(1), heads = switches.shape.at(2);
    REQUIRE(switches.shape == std::vector<index>{4, layers, heads});
    REQUIRE(places.shape == std::vector<index>{7, 4, layers, heads});
    REQUIRE(mlp.shape == std::vector<index>{4, layers, 9});
    for (std::size_t p = 0; p < 4; ++p) {
        for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l) {
            CHECK((l == 0) == (mlp.values[(p * static_cast<std::size_t>(layers) + l) * 9] == 0));
            for (std::size_t h = 0; h < static_cast<std::size_t>(heads); ++h) {
                auto const at = (p * static_cast<std::size_t>(layers) + l) * static_cast<std::size_t>(heads) + h;
                auto const of_mark = static_cast<std::size_t>(4 * layers * heads);
                CHECK(std::isnan(places.values[6 * of_mark + at]) == (switches.values[at] != 1));
                for (std::size_t m = 0; m < 7; ++m) {
                    double const place = places.values[m * of_mark + at];
                    CHECK((std::isnan(place) || (l > 0 && place >= 0 && place <= 1)));
                }
            }
        }
    }
    auto const fixed = read_npy<double>(out / "energy.npy"), own = read_npy<double>(out / "energy_own.npy"),
               moved = read_npy<double>(out / "from_start.npy");
    REQUIRE(fixed.shape == std::vector<index>{4, layers, heads, 9});
    for (std::size_t i = 0; i < fixed.values.size(); ++i) {
        bool const before = i / (9 * static_cast<std::size_t>(heads)) % static_cast<std::size_t>(layers) == 0;
        CHECK(std::isnan(fixed.values[i]) == before);
        if (before) continue;
        CHECK(own.values[i] <= fixed.values[i]);  // one key more
        CHECK((i % 9 == 0) == (moved.values[i] == 0));
    }
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("marks").size() == 8);
    CHECK(std::abs(summary.at("never").get<double>() + summary.at("once").get<double>() +
                   summary.at("repeatedly").get<double>() - 1) < 1e-12);

    auto one_thread = given;
    one_thread.insert(one_thread.end(), {"--threads", "1"});
    succeed("energy", with("one", one_thread));
    check_same_files(out, dir / "one");
    for (words const& control : {words{"--shuffled-keys"}, words{"--toward", "random"}, words{"--weights", "random"}}) {
        succeed("energy", with("control", control));
        CHECK(read_npy<double>(dir / "control" / "places.npy").values != places.values);
        CHECK_FALSE(std::filesystem::exists(dir / "control" / "held.csv"));
    }

    auto const bad = (dir / "bad").string();
    fail(1, "energy", {"--model", golden_model("gemma2"), "--tokens", tokens, "--out", bad}, "capped");
    fail(1, "energy", with("bad", {"--write-site", "blocks.2.hook_resid_mid"}), "write earlier");
    fail(2, "energy", with("bad", {"--permutations", "0"}), "--permutations");
    fail(2, "energy", with("bad", {"--toward", "random", "--path", "slerp"}), "straight lines");
    succeed("energy", with("random", {"--causality", "--toward", "random"}));
    CHECK(bytes_of(dir / "random" / "held.csv") != bytes_of(out / "held.csv"));
}

}  // namespace
