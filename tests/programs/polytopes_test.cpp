// The program polytopes: its files beside one another and beside activations, and what it refuses.

#include <cmath>
#include <cstdint>

#include <plateau/io/npy.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");

TEST_CASE("counts of polytopes agree with each other", "[programs][polytopes]") {
    scratch_dir const dir;
    std::vector<std::vector<plateau::token_id>> const prompts{
        {3, 5, 7, 11, 29}, {4, 5, 8, 11, 26}, {9, 9, 1, 2, 3}, {1, 2, 3, 4, 5}};
    auto const tokens = write_tokens(dir / "tokens.npy", prompts);
    auto const out = dir / "out";
    auto const with = [&](words const& more, std::string const& folder = "out") {
        words all{"--model", model, "--tokens", tokens, "--out", (dir / folder).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    words const given{"--steps", "13", "--exact", "--complexity", "0.01,0.3", "--directions", "4"};
    auto const result = succeed("polytopes", with(given));
    CHECK_THAT(result.out, plateau::testing::contains("exact crossings at block 1"));
    auto const hamming = read_npy<std::int64_t>(out / "hamming.npy"), grids = read_npy<std::int64_t>(out / "grids.npy"),
               mismatch = read_npy<std::int64_t>(out / "mismatch.npy"),
               convergence = read_npy<std::int64_t>(out / "convergence.npy"),
               exact = read_npy<std::int64_t>(out / "exact.npy"),
               sampled = read_npy<std::int64_t>(out / "exact_sampled.npy"),
               complexity = read_npy<std::int64_t>(out / "complexity.npy");
    index const layers = mismatch.shape.at(1);
    REQUIRE(hamming.shape == std::vector<index>{3, layers, 12});
    REQUIRE(grids.values == std::vector<std::int64_t>{12, 6, 4, 3, 2, 1});
    REQUIRE(convergence.shape == std::vector<index>{3, layers, 6});
    REQUIRE(exact.shape == std::vector<index>{3, 12});
    REQUIRE(complexity.shape == std::vector<index>{2, 4, layers});
    std::int64_t all = 0;
    for (std::size_t k = 0; k < mismatch.values.size(); ++k) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < 12; ++i) sum += hamming.values[12 * k + i];
        CHECK(convergence.values[6 * k] == sum);
        CHECK(convergence.values[6 * k + 5] == mismatch.values[k]);
        CHECK((sum >= mismatch.values[k] && (sum - mismatch.values[k]) % 2 == 0));
        all += sum;
    }
    CHECK(all > 0);
    for (std::size_t i = 0; i < exact.values.size(); ++i) CHECK(sampled.values[i] <= exact.values[i]);
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("exact_block") == 1);
    CHECK(summary.at("gates").size() == static_cast<std::size_t>(layers - 1));

    // the same bytes for one thread; random directions are other paths
    auto one_thread = given;
    one_thread.insert(one_thread.end(), {"--threads", "1"});
    succeed("polytopes", with(one_thread, "one"));
    check_same_files(out, dir / "one");
    succeed("polytopes", with({"--steps", "13", "--exact", "--toward", "random"}));
    CHECK(read_npy<std::int64_t>(out / "hamming.npy").values != hamming.values);
    CHECK_FALSE(std::filesystem::exists(out / "complexity.npy"));  // of an earlier run

    fail(2, "polytopes", with({"--exact", "--path", "slerp"}), "straight lines");
    fail(1, "polytopes", with({"--write-site", "blocks.2.hook_mlp_out"}), "write earlier");
    fail(2, "polytopes", with({"--complexity", "-1"}), "radius");
    fail(2, "polytopes", with({"--complexity", "inf"}), "radius");
    fail(2, "polytopes", with({"--directions", "0"}), "--directions");
    fail(2, "polytopes", with({"--toward", "random", "--path", "slerp"}), "straight lines");
}

}  // namespace
