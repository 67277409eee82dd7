// The programs sensitive_directions and blow_up: their files, what they hold against other programs and the library,
// what they refuse.

#include <cmath>
#include <sstream>

#include <plateau/metrics/blow_up.hpp>
#include <plateau/statistics/summaries.hpp>

#include "programs/run.hpp"
#include "support/science.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::largest_difference;
using plateau::testing::scratch_dir;
using plateau::testing::WithinRel;
namespace metrics = plateau::metrics;
namespace statistics = plateau::statistics;

std::string const model = golden_model("llama_gqa");

std::set<std::string> with_picture(std::set<std::string> names, [[maybe_unused]] std::string const& picture) {
#if PLATEAU_HAS_CAIRO
    names.insert(picture);
#endif
    return names;
}

/// Runs on random prompts of five tokens, in double, where no compiler flag changes a number.
struct study {
    std::string program;
    index prompts = 6;
    scratch_dir dir;

    words with(std::string const& out, words const& more) const {
        std::vector<std::vector<std::int64_t>> all;
        plateau::counter_rng rng{5};
        for (index i = 0; i < prompts; ++i) {
            auto& prompt = all.emplace_back(5);
            for (auto& token : prompt) token = static_cast<std::int64_t>(rng.below(60));
        }
        words arguments{"--model",     model,
                        "--dtype",     "fp64",
                        "--tokens",    write_tokens(dir / "tokens.npy", all),
                        "--out",       (dir / out).string(),
                        "--resamples", "50"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    std::filesystem::path run(std::string const& out, words const& more = {}) const {
        succeed(program, with(out, more));
        return dir / out;
    }
    void refuse(int status, words const& more, std::string const& part) const {
        fail(status, program, with("none", more), part);
        CHECK_FALSE(std::filesystem::exists(dir / "none"));
    }
};

/// |B − A| and, at α = 0, 1/4, ..., 1, distances and KL of the straight line from prompt 0 to prompt 1 and back.
struct lines {
    double apart;
    std::vector<double> distances, kl;  ///< [2, 5]

    lines(study const& s, std::string const& read) {
        auto const pairs = s.dir / "pairs.npy";
        plateau::io::write_npy(pairs, std::vector<std::int64_t>{0, 1, 1, 0}, {2, 2});
        auto const run = [&](std::string const& out, std::string const& site) {
            auto arguments = s.with(out, {"--pairs", pairs.string(), "--steps", "5", "--kl", "--read-site", site});
            std::erase(arguments, "--resamples"), std::erase(arguments, "50");
            succeed("stable_regions", arguments);
        };
        run("lines", read);
        run("lengths", "blocks.0.hook_resid_post");
        distances = read_npy<double>(s.dir / "lines" / "distances.npy").values;
        kl = read_npy<double>(s.dir / "lines" / "kl.npy").values;
        apart = read_npy<double>(s.dir / "lengths" / "distances.npy").values[4];
    }
};

std::string text_of(double value) {
    std::ostringstream text;
    text.precision(17);
    text << value;
    return text.str();
}

TEST_CASE("sensitive_directions: toward the only other prompt is the straight line to it",
          "[programs][sensitive_directions]") {
    study const s{"sensitive_directions", 2, {}};
    lines const expected{s, "ln_final.hook_out"};
    auto const quarter = expected.apart / 4;
    auto const out = s.run("out", {"--families", "real", "--unit", "raw", "--lengths",
                                   text_of(quarter) + "," + text_of(2 * quarter) + "," + text_of(4 * quarter)});
    auto const kl = read_npy<double>(out / "kl.npy");
    CHECK(kl.shape == std::vector<index>{1, 2, 1, 3});
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t l : {0u, 1u, 2u})
            CHECK_THAT(kl.values[i * 3 + l], WithinRel(expected.kl[i * 5 + (l == 2 ? 4 : l + 1)], 1e-6));
    }
}

TEST_CASE("sensitive_directions leaves what its help names, and medians that follow from its arrays",
          "[programs][sensitive_directions]") {
    study const s{"sensitive_directions", 6, {}};
    auto const rows = (s.dir / "rows.npy").string();
    plateau::io::write_npy(rows, std::vector<float>(2 * 24, 1.f), {2, 24});
    auto const out = s.run("out", {"--rows", rows, "--repeats", "2", "--lengths", "0.2,0.5,1.5", "--at", "0.6"});
    CHECK(names_in(out) == with_picture({"kl.npy", "norms.npy", "perturbation_lengths.npy", "sensitive_directions.csv",
                                         "summary.json", "tokens.npy"},
                                        "sensitive_directions.png"));
    auto const kl = read_npy<double>(out / "kl.npy");
    REQUIRE(kl.shape == std::vector<index>{7, 6, 2, 3});
    for (double const x : kl.values) CHECK(x >= 0);
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("families").size() == 7);
    CHECK(summary.at("fit_samples") == 24);  // of 6 prompts, without their first positions: no more than dimensions
    CHECK(summary.at("fit_rank") == 24);
    double const unit = statistics::median(read_npy<double>(out / "norms.npy").values);
    CHECK(summary.at("unit") == unit);
    CHECK(largest_difference(read_npy<double>(out / "perturbation_lengths.npy").values,
                             std::vector<double>{0.2 * unit, 0.5 * unit, 1.5 * unit}) == 0);
    auto const mean_of = [&](std::size_t family, std::size_t prompt) {
        std::size_t const row = (family * 6 + prompt) * 2;
        return (kl.values[row * 3 + 1] + kl.values[(row + 1) * 3 + 1]) / 2;
    };
    for (std::size_t f = 0; f < 7; ++f) {
        std::vector<double> values, logs;
        for (std::size_t i = 0; i < 6; ++i)
            values.push_back(mean_of(f, i)), logs.push_back(std::log(mean_of(f, i) / mean_of(0, i)));
        std::string const name = summary.at("families")[f];
        CAPTURE(name);
        auto const at = summary.at("kl_at").at(name);
        CHECK_THAT(at[0].get<double>(), WithinRel(statistics::median(values), 1e-12));
        CHECK(at[1].get<double>() <= at[0].get<double>());
        CHECK(at[2].get<double>() >= at[0].get<double>());
        if (f > 0)
            CHECK_THAT(summary.at("ratio_to_isotropic").at(name)[0].get<double>(),
                       WithinRel(std::exp(statistics::median(logs)), 1e-12));
    }
    // a matrix whose rows are all the same is one direction: both repeats, every prompt
    for (std::size_t i = 0; i < 6; ++i) {
        for (std::size_t l = 0; l < 3; ++l)
            CHECK(kl.values[((6 * 6 + i) * 2) * 3 + l] == kl.values[((6 * 6 + i) * 2 + 1) * 3 + l]);
    }
    // a family's numbers are its own, whatever else is asked for
    auto const alone =
        read_npy<double>(s.run("alone", {"--families", "cov-mixture", "--repeats", "2", "--lengths", "0.2,0.5,1.5"}) /
                         "kl.npy")
            .values;
    CHECK(largest_difference(alone, std::vector<double>(kl.values.begin() + 2 * 36, kl.values.begin() + 3 * 36)) <
          1e-12);
    CHECK_THAT(bytes_of(out / "sensitive_directions.csv"),
               contains("family,length,kl,kl_low,kl_high,ratio,ratio_low,ratio_high\nisotropic,"));
}

TEST_CASE(
    "sensitive_directions and blow_up leave the same bytes for any number of threads, other numbers for another seed",
    "[programs][sensitive_directions][blow_up]") {
    std::string const program = GENERATE("sensitive_directions", "blow_up");
    study const s{program, 6, {}};
    words const few = program == "blow_up"
                          ? words{"--steps", "8", "--shrinkage", "oas"}
                          : words{"--lengths", "0.5,1", "--shrinkage", "0.1", "--fit-positions", "all"};
    auto with = [&](words const& more) {
        auto all = few;
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    check_same_files(s.run("one", with({"--threads", "1"})), s.run("three", with({"--threads", "3"})));
    CHECK(bytes_of(s.dir / "one" / "kl.npy") != bytes_of(s.run("other", with({"--seed", "9"})) / "kl.npy"));
}

TEST_CASE("sensitive_directions refuses what has no meaning", "[programs][sensitive_directions]") {
    study const s{"sensitive_directions", 3, {}};
    auto const wide = (s.dir / "wide.npy").string();
    plateau::io::write_npy(wide, std::vector<float>(10, 1.f), {2, 5});
    s.refuse(2, {"--families", "rows"}, "needs --rows");
    s.refuse(2, {"--rows", wide}, "of the shape [F,");
    s.refuse(2, {"--families", "sideways"}, "--families");
    s.refuse(2, {"--families", "real,real"}, "twice");
    s.refuse(2, {"--lengths", "1,1"}, "each above the one before");
    s.refuse(2, {"--lengths", "0,1"}, "--lengths");
    s.refuse(2, {"--scale", "0"}, "--scale");
    s.refuse(2, {"--threshold", "-1"}, "--threshold");
    s.refuse(2, {"--shrinkage", "much"}, "--shrinkage much");
    s.refuse(2, {"--shrinkage", "1.5"}, "--shrinkage 1.5");
    s.refuse(2, {"--unit", "miles"}, "--unit");
    s.refuse(1, {"--write-site", "blocks.7.hook_resid_post"}, "blocks.7.hook_resid_post");
    study const two{"sensitive_directions", 2, {}};
    two.refuse(1, {"--families", "real-mixture"}, "none of 2 activations is another one");
    study const one{"sensitive_directions", 1, {}};
    one.refuse(1, {"--families", "real"}, "none of 1 activations is another one");
    one.run("out", {"--families", "isotropic", "--lengths", "1"});  // a single prompt has numbers, and no intervals
    CHECK(json_of(one.dir / "out" / "summary.json").at("kl_at").at("isotropic")[1].is_null());
}

TEST_CASE("blow_up: toward the only other prompt is the straight line to it", "[programs][blow_up]") {
    study const s{"blow_up", 2, {}};
    lines const expected{s, "blocks.1.hook_resid_post"};
    auto const out = s.run("out", {"--unit", "raw", "--step", text_of(expected.apart / 4), "--steps", "4",
                                   "--read-site", "blocks.1.hook_resid_post"});
    auto const distances = read_npy<double>(out / "distances.npy"), kl = read_npy<double>(out / "kl.npy");
    REQUIRE(distances.shape == std::vector<index>{2, 3, 2, 5});
    CHECK(largest_difference(std::vector<double>(distances.values.begin(), distances.values.begin() + 10),
                             expected.distances) < 1e-9);
    CHECK(largest_difference(std::vector<double>(kl.values.begin(), kl.values.begin() + 10), expected.kl) < 1e-9);
}

TEST_CASE("blow_up leaves what its help names, and numbers that follow from its curves", "[programs][blow_up]") {
    study const s{"blow_up", 6, {}};
    auto const out = s.run("out", {"--steps", "16", "--step", "0.25", "--centre-norm", "real", "--area-until", "1"});
    CHECK(names_in(out) ==
          with_picture({"area.npy", "area_fixed.npy", "blow_up.csv", "blow_up_first.npy", "blow_up_max.npy",
                        "distances.npy", "effects.csv", "kl.npy", "max_slope_step.npy", "norms.npy",
                        "perturbation_lengths.npy", "summary.json", "tokens.npy"},
                       "blow_up.png"));
    auto const distances = read_npy<double>(out / "distances.npy"), kl = read_npy<double>(out / "kl.npy");
    REQUIRE(distances.shape == std::vector<index>{2, 3, 6, 17});
    auto const steps = read_npy<double>(out / "max_slope_step.npy").values,
               last = read_npy<double>(out / "blow_up_max.npy").values,
               first = read_npy<double>(out / "blow_up_first.npy").values,
               area = read_npy<double>(out / "area.npy").values,
               fixed = read_npy<double>(out / "area_fixed.npy").values,
               norms = read_npy<double>(out / "norms.npy").values;
    auto const same = [](std::optional<index> step, double written) {
        return step ? static_cast<double>(*step) == written : std::isnan(written);
    };
    for (std::size_t p = 0; p < 36; ++p) {
        std::span const curve{distances.values.data() + p * 17, 17}, divergence{kl.values.data() + p * 17, 17};
        CHECK(curve[0] == 0);
        CHECK(same(metrics::max_slope_step(curve), steps[p]));
        CHECK(same(metrics::blow_up_step(divergence, metrics::blow_up_rule::max), last[p]));
        CHECK(same(metrics::blow_up_step(divergence, metrics::blow_up_rule::first), first[p]));
        CHECK_THAT(area[p], WithinRel(metrics::area_under_plateau(curve, static_cast<index>(steps[p]), 0.25), 1e-12));
        CHECK_THAT(fixed[p], WithinRel(metrics::area_under_plateau(curve, 4, 0.25), 1e-12));
    }
    for (std::size_t i = 0; i < 6; ++i) CHECK_THAT(norms[6 + i], WithinRel(norms[i], 1e-12));
    auto const summary = json_of(out / "summary.json");
    std::vector<double> const real_isotropic(steps.begin() + 12, steps.begin() + 18),
        gaussian_isotropic(steps.begin() + 30, steps.end());
    CHECK(summary.at("max_slope_step").at("real_isotropic")[0].get<double>() == statistics::median(real_isotropic));
    auto const effect = summary.at("effects").at("real - gaussian centre, toward isotropic").at("max_slope_step");
    double difference = 0;
    for (std::size_t i = 0; i < 6; ++i) difference += (real_isotropic[i] - gaussian_isotropic[i]) / 6;
    CHECK_THAT(effect.at("difference")[0].get<double>(), plateau::testing::WithinAbs(difference, 1e-12));
    CHECK(effect.at("p").get<double>() > 0);
}

TEST_CASE("blow_up refuses what has no meaning", "[programs][blow_up]") {
    study const s{"blow_up", 3, {}};
    s.refuse(2, {"--steps", "3"}, "--steps must be at least 4");
    s.refuse(2, {"--step", "-1"}, "--step");
    s.refuse(2, {"--area-until", "9"}, "--area-until");
    s.refuse(2, {"--centre-norm", "none"}, "--centre-norm");
    s.refuse(1, {"--read-site", "blocks.9.hook_resid_post"}, "blocks.9.hook_resid_post");
    study const one{"blow_up", 1, {}};
    one.refuse(1, {}, "none of 1 activations is another one");
}

TEST_CASE("both programs need no option, and say in --help what they leave",
          "[programs][sensitive_directions][blow_up]") {
    for (std::string const program : {"sensitive_directions", "blow_up"}) {
        auto const help = succeed(program, {"--help"}).out;
        for (auto const* name : {"kl.npy", "norms.npy", "perturbation_lengths.npy", "tokens.npy", "lengths.npy",
                                 "summary.json", "--shrinkage", "--fit-positions", "nats"}) {
            CHECK_THAT(help, contains(name));
        }
        scratch_dir const dir;
        auto const out = (dir / "out").string();
        auto arguments = program == "blow_up" ? words{"--steps", "8", "--resamples", "20"}
                                              : words{"--lengths", "1", "--resamples", "20"};
        arguments.insert(arguments.end(), {"--out", out});
        CHECK_THAT(succeed(program, arguments).out, contains("128 prompts"));
    }
}

}  // namespace
