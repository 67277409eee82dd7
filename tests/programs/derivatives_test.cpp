// The program derivatives: its files, against finer curves of stable_regions and its own Jacobians, and what it
// refuses.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <plateau/io/npy.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");

struct three_prompts {
    scratch_dir dir;
    std::vector<std::vector<plateau::token_id>> prompts{{3, 5, 7, 11, 29}, {4, 5, 8, 11, 26}, {9, 9, 1, 2, 3}};
    std::string tokens = write_tokens(dir / "tokens.npy", prompts);

    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", model, "--tokens", tokens, "--out", (dir / out).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
};

TEST_CASE("slopes are those of the curves of stable_regions, on every path", "[programs][derivatives]") {
    three_prompts const given;
    for (std::string const path :
         {"linear", "arc", "arc-to-b", "slerp", "slerp-rescaled", "slerp-folded", "rotation", "rotation-added"}) {
        CAPTURE(path);
        succeed("derivatives", given.with("exact", {"--dtype", "fp64", "--steps", "11", "--path", path}));
        succeed("stable_regions", given.with("fine", {"--dtype", "fp64", "--steps", "2001", "--path", path}));
        auto const slope = read_npy<double>(given.dir / "exact" / "slope.npy");
        auto const d = read_npy<double>(given.dir / "fine" / "relative.npy");
        REQUIRE(slope.shape == std::vector<index>{2, 11});
        double largest = 0, worst = 0;
        for (std::size_t p = 0; p < 2; ++p) {
            for (std::size_t i = 1; i < 10; ++i) {
                double const* const at = d.values.data() + p * 2001 + i * 200;
                double const wanted = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / 12 * 2000;
                worst = std::max(worst, std::abs(slope.values[p * 11 + i] - wanted));
                largest = std::max(largest, std::abs(wanted));
            }
            // at α = 0, where d has a kink, the slope on the right of it
            double const* const at = d.values.data() + p * 2001;
            CHECK(std::abs(slope.values[p * 11] - (-3 * at[0] + 4 * at[1] - at[2]) / 2 * 2000) <= 1e-3 * largest);
        }
        CHECK(worst <= 1e-6 * largest);
    }
}

TEST_CASE("products with directions of one's own are those with whole Jacobians", "[programs][derivatives]") {
    three_prompts const given;
    index const width = 24;
    std::vector<double> u(static_cast<std::size_t>(2 * width));
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = std::sin(static_cast<double>(i * i));
    plateau::io::write_npy(given.dir / "u.npy", u, {2, width});
    auto const v = std::vector<double>(u.rbegin(), u.rbegin() + width);
    plateau::io::write_npy(given.dir / "v.npy", v, {width});
    auto const out = given.dir / "out";
    auto const result =
        succeed("derivatives",
                given.with("out", {"--dtype", "fp64", "--steps", "4", "--direction", (given.dir / "u.npy").string(),
                                   "--frozen", "attn_out,pattern+gate+norm_scale,blocks.1.hook_mlp_out", "--vectors",
                                   "--jacobian", "--cotangent", (given.dir / "v.npy").string()}));
    auto const jvp = read_npy<double>(out / "jvp.npy"), jacobian = read_npy<double>(out / "jacobian.npy");
    auto const norm = read_npy<double>(out / "jvp_norm.npy"), held = read_npy<double>(out / "frozen_jvp.npy");
    auto const held_norm = read_npy<double>(out / "frozen_norm.npy"), basin = read_npy<double>(out / "basin.npy");
    REQUIRE(jacobian.shape == std::vector<index>{2, 4, width, width});
    REQUIRE(held.shape == std::vector<index>{3, 2, 4, width});
    for (index p = 0; p < 2; ++p) {
        for (index i = 0; i < 4; ++i) {
            auto const point = static_cast<std::size_t>(p * 4 + i);
            double square = 0;
            for (index w = 0; w < width; ++w) {
                auto const row = point * static_cast<std::size_t>(width) + static_cast<std::size_t>(w);
                double const product =
                    std::inner_product(u.begin() + p * width, u.begin() + (p + 1) * width,
                                       jacobian.values.begin() + static_cast<std::ptrdiff_t>(row) * width, 0.0);
                CHECK(std::abs(product - jvp.values[row]) <= 1e-12 * norm.values[point]);
                square += jvp.values[row] * jvp.values[row];
            }
            CHECK(norm.values[point] == Approx(std::sqrt(square)));
            for (std::size_t k = 0; k < 3; ++k)
                CHECK(basin.values[k * 8 + point] ==
                      Approx(std::log(held_norm.values[k * 8 + point] / norm.values[point])));
        }
    }
    auto const back = read_npy<double>(out / "vjp.npy"), held_back = read_npy<double>(out / "frozen_vjp.npy");
    REQUIRE(back.shape == std::vector<index>{2, 4, width});
    REQUIRE(held_back.shape == std::vector<index>{3, 2, 4, width});
    for (std::size_t point = 0; point < 8; ++point) {  // ⟨v, J u⟩ = ⟨Jᵀv, u⟩, with and without sets
        for (std::size_t k = 0; k < 4; ++k) {
            auto const at =
                static_cast<std::ptrdiff_t>(((k == 0 ? 0 : k - 1) * 8 + point) * static_cast<std::size_t>(width));
            auto const& ju = k == 0 ? jvp : held;
            auto const& jv = k == 0 ? back : held_back;
            double const forward = std::inner_product(v.begin(), v.end(), ju.values.begin() + at, 0.0);
            double const backward = std::inner_product(u.begin() + static_cast<std::ptrdiff_t>(point / 4) * width,
                                                       u.begin() + static_cast<std::ptrdiff_t>(point / 4 + 1) * width,
                                                       jv.values.begin() + at, 0.0);
            CHECK(std::abs(forward - backward) <= 1e-11 * norm.values[point]);
        }
    }
    auto const summary = json_of(out / "summary.json");
    CHECK(summary["frozen"].size() == 3);
    CHECK(summary["basin_median"].size() == 3);
    CHECK(summary["tangents_per_second"].get<double>() > 0);
    CHECK(summary["cotangents"] == "weights transposed, values kept");
}

TEST_CASE("spans, suffixes, the other context and held sites have slopes too", "[programs][derivatives]") {
    three_prompts const given;
    for (words const& how :
         {words{"--position", "-3:"}, words{"--mode", "suffix", "--context", "both"},
          words{"--position", "2", "--context", "B"},
          words{"--freeze", "blocks.1.hook_mlp_out@A,blocks.2.attn.hook_z@mean", "--position", "1:"},
          words{"--freeze", "blocks.1.attn.hook_pattern@A,blocks.2.ln2.hook_scale@A", "--position", "1:"},
          words{"--freeze", "blocks.1.attn.hook_pattern@mean"}}) {
        CAPTURE(how[1]);
        auto const with = [&](std::string const& steps) {
            words all{"--dtype", "fp64", "--steps", steps};
            all.insert(all.end(), how.begin(), how.end());
            return all;
        };
        bool const mean =
            how[0] == "--freeze" && how[1].ends_with("mean");  // of the points of a path: both runs need the same ones
        std::string const coarse = mean ? "2001" : "11";
        succeed("derivatives", given.with("exact", with(coarse)));
        succeed("stable_regions", given.with("fine", with("2001")));
        auto const slope = read_npy<double>(given.dir / "exact" / "slope.npy");
        auto const d = read_npy<double>(given.dir / "fine" / "relative.npy");
        auto const pairs = static_cast<std::size_t>(slope.shape[0]), steps = static_cast<std::size_t>(slope.shape[1]);
        double largest = 0, worst = 0;
        for (std::size_t p = 0; p < pairs; ++p) {
            for (std::size_t i = 1; i < 10; ++i) {
                double const* const at = d.values.data() + p * 2001 + i * 200;
                double const wanted = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / 12 * 2000;
                worst = std::max(worst, std::abs(slope.values[p * steps + i * (steps - 1) / 10] - wanted));
                largest = std::max(largest, std::abs(wanted));
            }
        }
        CHECK(worst <= 1e-6 * largest);
    }
}

TEST_CASE("derivatives leaves the same bytes for any number of threads", "[programs][derivatives]") {
    three_prompts const given;
    for (std::string const dtype : {"fp32", "bf16"}) {
        words const what{"--dtype", dtype, "--steps", "9", "--frozen", "gate,attn_out+pattern", "--vectors"};
        auto const on = [&](std::string const& threads) {
            auto all = what;
            all.insert(all.end(), {"--threads", threads});
            succeed("derivatives", given.with(threads, all));
        };
        on("1"), on("3");
        for (auto const& name : names_in(given.dir / "1")) {
            CAPTURE(dtype, name);
            if (name != "summary.json")
                CHECK(plateau::testing::bytes_of(given.dir / "1" / name) ==
                      plateau::testing::bytes_of(given.dir / "3" / name));
        }
    }
}

TEST_CASE("stable_regions --exact-slope gives the same slopes, and those of refined jumps", "[programs][derivatives]") {
    three_prompts const given;
    for (words const& how : {words{}, words{"--path", "slerp", "--position", "-2:", "--context", "both"},
                             words{"--freeze", "blocks.1.hook_mlp_out@mean"}}) {
        words all{"--dtype", "fp64", "--steps", "11"};
        all.insert(all.end(), how.begin(), how.end());
        succeed("derivatives", given.with("slopes", all));
        all.insert(all.end(), {"--exact-slope", "--refine", "1e-7"});
        succeed("stable_regions", given.with("curves", all));
        auto const slope = read_npy<double>(given.dir / "slopes" / "slope.npy"),
                   exact = read_npy<double>(given.dir / "curves" / "exact_slope.npy"),
                   refined = read_npy<double>(given.dir / "curves" / "refined.npy");
        REQUIRE(exact.shape == slope.shape);
        for (std::size_t i = 0; i < slope.values.size(); ++i) CHECK(exact.values[i] == Approx(slope.values[i]));
        // the place is in the steepest step, and there the derivative is about its difference quotient
        for (std::size_t p = 0; p < static_cast<std::size_t>(refined.shape[0]); ++p) {
            auto const at = slope.values.begin() + static_cast<std::ptrdiff_t>(p * 11);
            double const largest = *std::max_element(at, at + 11);
            CHECK(refined.values[4 * p + 2] >= 0.9 * largest);
        }
    }
}

TEST_CASE("a direction of one's own has derivatives where a pair goes nowhere", "[programs][derivatives]") {
    three_prompts const given;
    plateau::io::write_npy(given.dir / "u.npy", std::vector<double>(24, 1.0), {24});
    plateau::io::write_npy(given.dir / "same.npy", std::vector<std::int64_t>{1, 1}, {1, 2});
    succeed("derivatives", given.with("out", {"--pairs", (given.dir / "same.npy").string(), "--direction",
                                              (given.dir / "u.npy").string(), "--steps", "2"}));
    CHECK(read_npy<double>(given.dir / "out" / "jvp_norm.npy").values[0] > 0);
    CHECK(std::isnan(read_npy<double>(given.dir / "out" / "slope.npy").values[0]));
    CHECK(json_of(given.dir / "out" / "summary.json")["degenerate_pairs"] == 1);
}

TEST_CASE("derivatives refuses what has none", "[programs][derivatives]") {
    three_prompts const given;
    auto const refuse = [&](words const& more, int status, std::string const& why) {
        fail(status, "derivatives", given.with("none", more), why);
        CHECK_FALSE(std::filesystem::exists(given.dir / "none" / "summary.json"));
    };
    refuse({"--frozen", "attention"}, 1, "no hook point 'attention'");
    refuse({"--read-site", "blocks.1.attn.hook_pattern"}, 1, "tangents at blocks.1.attn.hook_pattern are not defined");
    refuse({"--read-site", "blocks.0.hook_resid_pre"}, 1, "blocks.0.hook_resid_pre");
    refuse({"--direction", "nowhere.npy"}, 2, "there is no such file");
    plateau::io::write_npy(given.dir / "narrow.npy", std::vector<double>(5, 1.0), {5});
    refuse({"--direction", (given.dir / "narrow.npy").string()}, 2, "must have the shape [24]");
    plateau::io::write_npy(given.dir / "three.npy", std::vector<double>(72, 1.0), {3, 24});
    refuse({"--direction", (given.dir / "three.npy").string()}, 2, "there are 3 directions, not 1 or 2");
    std::vector<double> endless(24, INFINITY);
    plateau::io::write_npy(given.dir / "endless.npy", endless, {24});
    refuse({"--direction", (given.dir / "endless.npy").string()}, 2, "not finite");
    refuse({"--cotangent", (given.dir / "three.npy").string()}, 2, "cotangents are [24] or [2, 24], not [3, 24]");
    refuse({"--min-d1", "1e9"}, 1, "all pairs are degenerate");
    refuse({"--steps", "1"}, 2, "--steps must be at least 2");
}

}  // namespace
