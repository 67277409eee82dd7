// What stable_regions leaves: every file, shape, type and key of the contract, and how they hang together.

#include <cmath>
#include <map>
#include <sstream>

#include <plateau/io/npz.hpp>

#include "programs/run.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// The numbers of an output folder.
struct results {
    explicit results(std::filesystem::path const& folder)
        : distances{read_npy<double>(folder / "distances.npy")}, relative{read_npy<double>(folder / "relative.npy")},
          max_slope{read_npy<double>(folder / "max_slope.npy")}, alpha_jump{read_npy<double>(folder /
                                                                                             "alpha_jump.npy")},
          tokens{read_npy<std::int64_t>(folder / "tokens.npy")}, pairs{read_npy<std::int64_t>(folder / "pairs.npy")},
          summary(json_of(folder / "summary.json")) {}  // braces would make an array

    std::size_t pair_count() const { return static_cast<std::size_t>(distances.shape.at(0)); }
    std::size_t steps() const { return static_cast<std::size_t>(distances.shape.at(1)); }
    double distance(std::size_t pair, std::size_t i) const { return distances.values.at(pair * steps() + i); }

    plateau::io::npy_data<double> distances, relative, max_slope, alpha_jump;
    plateau::io::npy_data<std::int64_t> tokens, pairs;
    nlohmann::json summary;
};

/// numpy.quantile of what is not NaN.
double quantile(std::vector<double> values, double q) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    std::sort(values.begin(), values.end());
    double const at = q * static_cast<double>(values.size() - 1);
    auto const low = static_cast<std::size_t>(std::floor(at));
    auto const high = std::min(low + 1, values.size() - 1);
    return values[low] + (values[high] - values[low]) * (at - static_cast<double>(low));
}

/// Everything that follows from distances.npy, computed again.
void check_consistent(std::filesystem::path const& folder, double min_d1 = 0) {
    results const r{folder};
    std::size_t const count = r.pair_count(), steps = r.steps();
    auto const p = static_cast<index>(count), s = static_cast<index>(steps);
    REQUIRE(r.relative.shape == std::vector<index>{p, s});
    REQUIRE(r.max_slope.shape == std::vector<index>{p});
    REQUIRE(r.alpha_jump.shape == std::vector<index>{p});
    REQUIRE(r.pairs.shape == std::vector<index>{p, 2});
    REQUIRE(r.tokens.shape.size() == 2);
    index degenerate = 0;
    for (std::size_t i = 0; i < count; ++i) {
        CAPTURE(i);
        CHECK(plateau::testing::same_bits(r.distance(i, 0), 0.0));
        double const end = r.distance(i, steps - 1);
        bool const missing = end <= min_d1;
        degenerate += missing ? 1 : 0;
        double best = -std::numeric_limits<double>::infinity();
        std::size_t at = 0;
        for (std::size_t k = 0; k < steps; ++k) {
            double const value = r.relative.values[i * steps + k];
            if (missing) REQUIRE(std::isnan(value));
            else REQUIRE(value == r.distance(i, k) / end);
            if (k == 0 || missing) continue;
            double const difference = value - r.relative.values[i * steps + k - 1];
            if (difference > best) {
                best = difference;
                at = k - 1;
            }
        }
        if (missing) {
            CHECK(std::isnan(r.max_slope.values[i]));
            CHECK(std::isnan(r.alpha_jump.values[i]));
        } else {
            double const intervals = static_cast<double>(steps - 1);
            CHECK(r.max_slope.values[i] == best * intervals);
            CHECK(r.alpha_jump.values[i] == (static_cast<double>(at) + 0.5) / intervals);
        }
    }
    CHECK(r.summary.at("pairs") == p);
    CHECK(r.summary.at("steps") == s);
    CHECK(r.summary.at("degenerate_pairs") == degenerate);
    auto const near = [&](char const* key, std::vector<double> const& values, double q) {
        CAPTURE(key);
        double const expected = quantile(values, q);
        CHECK(std::abs(r.summary.at(key).get<double>() - expected) <= 1e-12 * std::abs(expected));
    };
    near("max_slope_q25", r.max_slope.values, 0.25);
    near("max_slope_median", r.max_slope.values, 0.5);
    near("max_slope_q75", r.max_slope.values, 0.75);
    near("alpha_jump_median", r.alpha_jump.values, 0.5);

    // curves.csv says the same, to the last bit
    std::istringstream lines{bytes_of(folder / "curves.csv")};
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK(line == "pair,context,other,alpha,distance,relative");
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < steps; ++k) {
            REQUIRE(std::getline(lines, line));
            std::vector<std::string> cells;
            std::istringstream parts{line};
            for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
            CAPTURE(line);
            REQUIRE(cells.size() == 6);
            REQUIRE(cells[0] == std::to_string(i));
            REQUIRE(cells[1] == std::to_string(r.pairs.values[2 * i]));
            REQUIRE(cells[2] == std::to_string(r.pairs.values[2 * i + 1]));
            REQUIRE(std::stod(cells[3]) == static_cast<double>(k) / static_cast<double>(steps - 1));
            REQUIRE(std::stod(cells[4]) == r.distance(i, k));
            double const relative = r.relative.values[i * steps + k];
            REQUIRE((std::isnan(relative) ? cells[5] == "nan" : std::stod(cells[5]) == relative));
        }
    }
    CHECK_FALSE(std::getline(lines, line));
}

std::set<std::string> const file_names {
    "distances.npy", "relative.npy", "max_slope.npy", "alpha_jump.npy", "tokens.npy",
#if PLATEAU_HAS_CAIRO
        "curves.png",
#endif
        "pairs.npy", "curves.csv", "summary.json"
};

/// A random model and twelve prompts of nine tokens for it.
struct random_model {
    random_model() {
        tiny::checkpoint const model{3};
        model.write(dir.path());
        prompts = tiny::random_prompts(5, std::vector<index>(12, 9), model.vocab);
        tokens = write_tokens(dir / "prompts.npy", prompts);
    }
    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", dir.path().string(), "--tokens", tokens, "--out", (dir / out).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    /// Pairs of different prompts, in no order.
    std::string write_random_pairs(index count) const {
        plateau::counter_rng rng{11};
        std::vector<std::int32_t> pairs;
        for (index i = 0; i < count; ++i) {
            auto const context = static_cast<std::int32_t>(rng.below(12)),
                       step = static_cast<std::int32_t>(1 + rng.below(11));
            pairs.insert(pairs.end(), {context, (context + step) % 12});
        }
        plateau::io::write_npy(dir / "pairs.npy", pairs, {count, 2});
        return (dir / "pairs.npy").string();
    }

    scratch_dir dir;
    std::vector<std::vector<plateau::token_id>> prompts;
    std::string tokens;
};

TEST_CASE("stable_regions writes the contract's files and agrees with the published implementation",
          "[programs][stable_regions][golden]") {
    for (std::string const model : {"llama_gqa", "gpt2"}) {
        for (std::string const dtype : {"fp32", "fp64"}) {
            CAPTURE(model, dtype);
            scratch_dir const dir;
            auto const out = dir / "deep/out";
            auto const curves = std::filesystem::path(golden_model(model)) / "curves";
            auto const result =
                succeed("stable_regions", {"--model", golden_model(model), "--tokens", (curves / "tokens.npy").string(),
                                           "--pairs", (curves / "pairs.npy").string(), "--steps", "11", "--dtype",
                                           dtype, "--threads", "2", "--seed", "9", "--out", out.string()});
            CHECK(names_in(out) == file_names);
            check_consistent(out);

            results const r{out};
            auto const expected = read_npy<double>(curves / "distances.npy");
            auto const norms = read_npy<double>(curves / "norms.npy");
            REQUIRE(r.distances.shape == expected.shape);
            double const bound = dtype == "fp64" ? 1e-9 : 1e-5;
            for (std::size_t i = 0; i < expected.values.size(); ++i) {
                CHECK(std::abs(r.distances.values[i] - expected.values[i]) <= bound * norms.values[i / 11]);
            }
            CHECK(r.tokens.values == read_npy<std::int64_t>(curves / "tokens.npy").values);
            CHECK(r.pairs.values == read_npy<std::int64_t>(curves / "pairs.npy").values);

            auto const& s = r.summary;
            CHECK(s.at("program") == "stable_regions");
            CHECK(s.at("version").is_string());
            CHECK(s.at("model") == golden_model(model));
            CHECK(s.at("dtype") == dtype);
            CHECK(s.at("backend") == "cpu");
            CHECK(s.at("threads") == 2);
            CHECK(s.at("seed") == 9);
            CHECK(s.at("options").is_object());
            CHECK(s.at("load_seconds").get<double>() > 0);
            double const seconds = s.at("seconds");
            CHECK(seconds > 0);
            CHECK(std::abs(s.at("points_per_second").get<double>() * seconds - 33) < 1e-6);
            CHECK(s.size() == 25);
            for (auto const& [key, value] : s.items())
                CHECK((key == "options" || key == "rope" || value.is_string() || value.is_number()));

#if PLATEAU_HAS_CAIRO
            auto const picture = bytes_of(out / "curves.png");
            CHECK(picture.substr(0, 8) == "\x89PNG\r\n\x1a\n");
            CHECK(picture.find("tIME") == std::string::npos);
            CHECK(picture.size() > 5000);
#endif
            CHECK_THAT(result.out, contains("max slope") && contains("median") && contains(out.string()));
        }
    }
}

TEST_CASE("stable_regions at other sites agrees with the published implementation",
          "[programs][stable_regions][golden]") {
    scratch_dir const dir;
    auto const curves = std::filesystem::path(golden_model("llama_gqa")) / "curves";
    succeed("stable_regions",
            {"--model", golden_model("llama_gqa"), "--tokens", (curves / "tokens.npy").string(), "--pairs",
             (curves / "pairs.npy").string(), "--steps", "11", "--write-site", "blocks.1.hook_resid_pre", "--read-site",
             "blocks.1.hook_resid_post", "--dtype", "fp64", "--out", (dir / "out").string()});
    auto const expected = read_npy<double>(curves / "distances_middle.npy");
    auto const norms = read_npy<double>(curves / "norms_middle.npy");
    results const r{dir / "out"};
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        CHECK(std::abs(r.distances.values.at(i) - expected.values[i]) <= 1e-9 * norms.values[i / 11]);
    }
}

TEST_CASE("the files of stable_regions are the same bytes for any number of threads",
          "[programs][stable_regions][threads]") {
    random_model const model;
    auto const pairs = model.write_random_pairs(200);
    for (auto const* threads : {"1", "2", "3"}) {
        succeed("stable_regions", model.with(threads, {"--threads", threads, "--pairs", pairs}));
        CHECK(json_of(model.dir / threads / "summary.json").at("threads") == std::stoi(threads));
    }
    check_consistent(model.dir / "1");
    check_same_files(model.dir / "1", model.dir / "2");
    check_same_files(model.dir / "1", model.dir / "3");
    CHECK(results{model.dir / "1"}.distances.shape == std::vector<index>{200, 50});
}

TEST_CASE("a curve has the same bits alone or among 200, and at the points that two grids share",
          "[programs][stable_regions]") {
    random_model const model;
    auto const pairs = model.write_random_pairs(200);
    for (auto const* dtype : {"fp32", "bf16"}) {
        CAPTURE(dtype);
        succeed("stable_regions", model.with("all", {"--dtype", dtype, "--pairs", pairs}));
        succeed("stable_regions", model.with("fine", {"--dtype", dtype, "--pairs", pairs, "--steps", "99"}));
        results const all{model.dir / "all"}, fine{model.dir / "fine"};
        for (std::size_t i = 0; i < all.pair_count(); ++i) {
            for (std::size_t k = 0; k < 50; ++k)
                REQUIRE(plateau::testing::same_bits(fine.distance(i, 2 * k), all.distance(i, k)));
        }
        for (std::size_t const i : {std::size_t{0}, std::size_t{117}, std::size_t{199}}) {
            std::vector<std::int32_t> const one(all.pairs.values.begin() + 2 * static_cast<index>(i),
                                                all.pairs.values.begin() + 2 * static_cast<index>(i) + 2);
            plateau::io::write_npy(model.dir / "one.npy", one, {1, 2});
            succeed("stable_regions",
                    model.with("one", {"--dtype", dtype, "--pairs", (model.dir / "one.npy").string()}));
            results const alone{model.dir / "one"};
            for (std::size_t k = 0; k < 50; ++k)
                CHECK(plateau::testing::same_bits(alone.distance(0, k), all.distance(i, k)));
        }
    }
}

TEST_CASE("every path begins at A, and those that end at B end there bit for bit", "[programs][stable_regions]") {
    random_model const model;
    std::map<std::string, std::vector<double>> curves;
    std::size_t const steps = 7, middle = 3;
    for (std::string const path :
         {"linear", "arc", "arc-to-b", "slerp", "slerp-rescaled", "slerp-folded", "rotation", "rotation-added"}) {
        succeed("stable_regions",
                model.with(path, {"--steps", std::to_string(steps), "--pairs", "disjoint", "--path", path}));
        check_consistent(model.dir / path);
        curves[path] = results{model.dir / path}.distances.values;
    }
    auto const& line = curves.at("linear");
    std::size_t const pairs = line.size() / steps;
    for (auto const& [path, curve] : curves) {
        CAPTURE(path);
        bool const to_b = path == "arc-to-b" || path.starts_with("slerp");
        for (std::size_t p = 0; p < pairs; ++p) {
            CHECK((curve[p * steps + steps - 1] == line[p * steps + steps - 1]) == (to_b || path == "linear"));
            if (path != "linear") CHECK(curve[p * steps + middle] != line[p * steps + middle]);
        }
    }
    for (std::size_t i = 0; i < line.size(); ++i) {  // |A| = |B| nowhere: no two of them are the same path
        if (i % steps == 0 || i % steps == steps - 1) continue;
        CHECK(curves.at("slerp")[i] != curves.at("slerp-rescaled")[i]);
        CHECK(curves.at("rotation")[i] != curves.at("rotation-added")[i]);
        CHECK(curves.at("arc")[i] != curves.at("arc-to-b")[i]);
    }
}

TEST_CASE("--metrics leaves curves of whole paths, at every read site, and changes nothing else",
          "[programs][stable_regions]") {
    random_model const model;
    words const sites{"--steps", "9", "--read-site", "ln_final.hook_out,blocks.1.hook_resid_post"};
    succeed("stable_regions", model.with("plain", sites));
    words more = sites;
    more.insert(more.end(), {"--metrics", "share,projection,arc,cosine"});
    succeed("stable_regions", model.with("whole", more));
    CHECK(bytes_of(model.dir / "plain/distances.npy") == bytes_of(model.dir / "whole/distances.npy"));
    CHECK(bytes_of(model.dir / "plain/distances.2.npy") == bytes_of(model.dir / "whole/distances.2.npy"));
    for (std::string const suffix : {".npy", ".2.npy"}) {
        CAPTURE(suffix);
        auto const of = [&](std::string const& name) {
            return read_npy<double>(model.dir / ("whole/" + name + suffix));
        };
        auto const distances = of("distances"), share = of("share"), projection = of("projection"), arc = of("arc"),
                   cosine = of("cosine");
        REQUIRE(share.shape == distances.shape);
        for (std::size_t i = 0; i < share.values.size(); ++i) {
            auto const k = i % 9;
            if (k == 0)
                CHECK(
                    (share.values[i] == 0 && projection.values[i] == 0 && arc.values[i] == 0 && cosine.values[i] == 0));
            if (k == 8) {
                CHECK(share.values[i] == 1);
                CHECK(std::abs(projection.values[i] - 1) < 1e-12);
                CHECK(arc.values[i] == 1);
            }
            if (k == 0 || k == 8) continue;
            CHECK(arc.values[i] > arc.values[i - 1]);
            CHECK(arc.values[i] < 1);
            CHECK(cosine.values[i] > 0);
            CHECK(cosine.values[i] <= 2);
            // |x - a| from the share s: d_B = d_A (1 - s) / s, and both ends are d(1) apart at most d_A + d_B
            double const to_a = distances.values[i], to_b = to_a * (1 - share.values[i]) / share.values[i],
                         apart = distances.values[i - k + 8];
            CHECK(to_a + to_b >= apart * (1 - 1e-9));
            CHECK(std::abs(projection.values[i] - 0.5 * (1 + (to_a * to_a - to_b * to_b) / (apart * apart))) <
                  1e-6);  // law of cosines
        }
    }
    succeed("stable_regions", model.with("whole", sites));
    CHECK(names_in(model.dir / "whole") == names_in(model.dir / "plain"));
}

TEST_CASE("--refine looks closer at every jump", "[programs][stable_regions]") {
    random_model const model;
    auto const result =
        succeed("stable_regions", model.with("out", {"--steps", "9", "--dtype", "fp64", "--refine", "1e-5"}));
    check_consistent(model.dir / "out");
    CHECK_THAT(result.out, contains("max slope, refined"));
    auto const refined = read_npy<double>(model.dir / "out/refined.npy");
    results const r{model.dir / "out"};
    REQUIRE(refined.shape == std::vector<index>{static_cast<index>(r.pair_count()), 4});
    for (std::size_t p = 0; p < r.pair_count(); ++p) {
        auto const* const one = refined.values.data() + 4 * p;
        CHECK(std::abs(one[0] - r.alpha_jump.values[p]) <= 0.5 / 8);
        CHECK(one[1] <= 1e-4);  // or less: where halves differ by rounding alone the search ends
        CHECK(one[2] >= r.max_slope.values[p]);
        CHECK(one[3] == 1);
    }
    succeed("stable_regions", model.with("out", {"--steps", "9"}));
    CHECK(names_in(model.dir / "out").count("refined.npy") == 0);
}

TEST_CASE("pairs are chained, disjoint, or what a file says", "[programs][stable_regions]") {
    random_model const model;
    auto const odd = write_tokens(model.dir / "odd.npy", std::vector(model.prompts.begin(), model.prompts.begin() + 5));
    auto const pairs_of = [&](words const& more) {
        words all{"--model", model.dir.path().string(),   "--tokens", odd, "--steps", "3",
                  "--out",   (model.dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        succeed("stable_regions", all);
        return results{model.dir / "out"}.pairs.values;
    };
    CHECK(pairs_of({}) == std::vector<std::int64_t>{0, 1, 1, 2, 2, 3, 3, 4});
    CHECK(pairs_of({"--pairs", "chain"}) == pairs_of({}));
    CHECK(pairs_of({"--pairs", "disjoint"}) == std::vector<std::int64_t>{0, 1, 2, 3});  // the fifth has no partner
    plateau::io::write_npy(model.dir / "pairs.npy", std::vector<std::int64_t>{4, 0, 4, 1, 2, 4}, {3, 2});
    CHECK(pairs_of({"--pairs", (model.dir / "pairs.npy").string()}) == std::vector<std::int64_t>{4, 0, 4, 1, 2, 4});
    check_consistent(model.dir / "out");
}

TEST_CASE("degenerate pairs are counted and left out; all of them are a failure", "[programs][stable_regions]") {
    random_model const model;
    auto prompts = std::vector(model.prompts.begin(), model.prompts.begin() + 4);
    prompts.push_back(prompts.back());  // pair 3: equal prompts, d(1) = 0
    auto const tokens = write_tokens(model.dir / "twins.npy", prompts);
    words const base{"--model", model.dir.path().string(), "--tokens", tokens, "--steps", "9", "--out"};
    auto const with = [&](std::string const& out, words const& more) {
        words all = base;
        all.push_back((model.dir / out).string());
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    auto const result = succeed("stable_regions", with("zero", {}));
    CHECK_THAT(result.out, contains("1 degenerate pair"));
    results const zero{model.dir / "zero"};
    CHECK(zero.summary.at("degenerate_pairs") == 1);
    check_consistent(model.dir / "zero");

    // a bound that is exactly the middle d(1): the pair at the bound is degenerate too
    std::vector<double> ends{zero.distance(0, 8), zero.distance(1, 8), zero.distance(2, 8)};
    std::sort(ends.begin(), ends.end());
    std::ostringstream bound;
    bound.precision(17);
    bound << ends[1];
    succeed("stable_regions", with("some", {"--min-d1", bound.str()}));
    results const some{model.dir / "some"};
    CHECK(some.summary.at("degenerate_pairs") == 3);
    CHECK(some.distances.values == zero.distances.values);
    check_consistent(model.dir / "some", ends[1]);

    fail(1, "stable_regions", with("none", {"--min-d1", "1e9"}), "all 4 pairs are degenerate");
    CHECK_FALSE(std::filesystem::exists(model.dir / "none"));
}

TEST_CASE("stable_regions writes and reads at any site that allows it", "[programs][stable_regions]") {
    random_model const model;
    using sites = std::pair<char const*, char const*>;
    for (auto const& [write, read] :
         {sites{"hook_embed", "unembed.hook_out"}, sites{"blocks.1.attn.hook_z", "ln_final.hook_scale"},
          sites{"blocks.0.mlp.hook_post", "blocks.2.attn.hook_pattern"},
          sites{"blocks.2.hook_resid_post", "blocks.2.hook_resid_post"}}) {
        CAPTURE(write, read);
        succeed("stable_regions",
                model.with("out", {"--steps", "5", "--pairs", "disjoint", "--write-site", write, "--read-site", read}));
        check_consistent(model.dir / "out");
    }
    // where nothing lies between, d(α) is the straight line itself
    results const straight{model.dir / "out"};
    for (std::size_t k = 0; k < 5; ++k) {
        CHECK(std::abs(straight.relative.values[k] - static_cast<double>(k) / 4) < 1e-5);
    }
}

TEST_CASE("--kl and --top-k leave what the model predicts", "[programs][stable_regions]") {
    random_model const model;
    auto const out = model.dir / "out";
    succeed("stable_regions", model.with("out", {"--steps", "6", "--kl", "--top-k", "3", "--dtype", "fp64"}));
    auto const kl = read_npy<double>(out / "kl.npy"), reverse = read_npy<double>(out / "kl_reverse.npy");
    auto const tokens = read_npy<std::int64_t>(out / "top_tokens.npy");
    auto const log_probabilities = read_npy<double>(out / "top_log_probs.npy");
    CHECK(kl.shape == std::vector<index>{11, 6});
    CHECK(reverse.shape == kl.shape);
    CHECK(tokens.shape == std::vector<index>{11, 6, 3});
    CHECK(log_probabilities.shape == tokens.shape);
    for (std::size_t i = 0; i < kl.values.size(); ++i) {
        for (auto const* values : {&kl.values, &reverse.values}) {
            if (i % 6 == 0) CHECK((*values)[i] == 0);
            else CHECK((*values)[i] > 0);
        }
        CHECK(log_probabilities.values[3 * i] >= log_probabilities.values[3 * i + 1]);
        CHECK(log_probabilities.values[3 * i] <= 0);
    }
    // at α = 0 the row is the prompt's own run
    auto const file = (model.dir / "a.npz").string();
    succeed("activations", {"--model", model.dir.path().string(), "--tokens", model.tokens, "--sites",
                            "unembed.hook_out", "--dtype", "fp64", "--out", file});
    auto const logits = plateau::io::npz_reader{file}.read<double>("unembed.hook_out");
    index const positions = logits.shape[1], vocabulary = logits.shape[2];
    for (index p = 0; p < 11; ++p) {
        auto const last = logits.values.begin() + ((p + 1) * positions - 1) * vocabulary;
        auto const at = static_cast<std::size_t>(p * 6 * 3);
        CHECK(tokens.values[at] == std::max_element(last, last + vocabulary) - last);
        double sum = 0;
        for (index v = 0; v < vocabulary; ++v) sum += std::exp(last[v]);
        CHECK(std::abs(log_probabilities.values[at] - (last[tokens.values[at]] - std::log(sum))) < 1e-12);
    }
    succeed("stable_regions", model.with("out", {"--steps", "6"}));
    CHECK(names_in(out) == file_names);  // what this run did not write is gone
}

}  // namespace
