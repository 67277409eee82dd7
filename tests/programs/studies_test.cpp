// The studies of prompt pairs: their files beside those of stable_regions, what their tables say, and what they refuse.

#include <cmath>
#include <cstdint>
#include <sstream>

#include "programs/run.hpp"
#include "programs/two_checkpoints.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// Programs that take the same options, and the picture of each.
std::vector<std::string> const studies{"emergence", "depth", "similar_dissimilar", "region_count", "predict_jump"};

words with(words all, words const& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// Two checkpoints, and how programs are run on the first one.
struct random_models : two_checkpoints {
    words run(std::string const& out, words const& more = {}) const {
        return with(
            {"--model", path("step-8"), "--tokens", tokens, "--out", path(out), "--resamples", "40", "--dtype", "fp64"},
            more);
    }
};

std::vector<double> values_of(std::filesystem::path const& file) { return read_npy<double>(file).values; }

void same(std::vector<double> const& a, std::vector<double> const& b) {
    REQUIRE(a.size() == b.size());
    CHECK(plateau::testing::same_bits(a.data(), b.data(), static_cast<index>(a.size())));
}

std::vector<double> row(plateau::io::npy_data<double> const& all, std::size_t i) {
    auto const width = all.values.size() / static_cast<std::size_t>(all.shape.at(0));
    auto const begin = all.values.begin() + static_cast<std::ptrdiff_t>(i * width);
    return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}

/// "value [low, high]" as numbers of a summary, in order.
void check_interval(nlohmann::json const& x) {
    REQUIRE(x.size() == 3);
    CHECK(x[1].get<double>() <= x[2].get<double>());
}

TEST_CASE("emergence and depth have the curves of stable_regions", "[programs][studies]") {
    random_models const given;
    succeed("emergence", given.run("e", {"--checkpoints", given.path("step-8") + "," + given.path("step-32")}));
    CHECK(read_npy<std::int64_t>(given.dir / "e/steps.npy").values == std::vector<std::int64_t>{8, 32});
    auto const slopes = read_npy<double>(given.dir / "e/max_slope.npy"),
               relative = read_npy<double>(given.dir / "e/relative.npy");
    CHECK(relative.shape == std::vector<index>{2, 11, 50});
    CHECK(read_npy<double>(given.dir / "e/median_curve.npy").shape == std::vector<index>{2, 50});
    for (std::size_t c = 0; c < 2; ++c) {
        auto const* const name = c == 0 ? "step-8" : "step-32";
        succeed("stable_regions",
                {"--model", given.path(name), "--tokens", given.tokens, "--out", given.path("s"), "--dtype", "fp64"});
        same(row(slopes, c), values_of(given.dir / "s/max_slope.npy"));
        same(row(relative, c), values_of(given.dir / "s/relative.npy"));
        same(row(read_npy<double>(given.dir / "e/alpha_jump.npy"), c), values_of(given.dir / "s/alpha_jump.npy"));
        auto const summary = json_of(given.dir / "e/summary.json"), single = json_of(given.dir / "s/summary.json");
        CHECK(summary.at("max_slope_median")[c][0] == single.at("max_slope_median"));
        check_interval(summary.at("max_slope_median")[c]);
    }

    succeed("depth", given.run("d", {"--write-layers", "0,1:2"}));
    CHECK(read_npy<std::int64_t>(given.dir / "d/write_layers.npy").values == std::vector<std::int64_t>{0, 1, 2});
    CHECK(read_npy<std::int64_t>(given.dir / "d/read_layers.npy").values == std::vector<std::int64_t>{1, 2});
    auto const by_write = read_npy<double>(given.dir / "d/write_max_slope.npy"),
               by_read = read_npy<double>(given.dir / "d/read_max_slope.npy");
    for (std::size_t layer = 0; layer < 3; ++layer) {
        succeed("stable_regions",
                {"--model", given.path("step-8"), "--tokens", given.tokens, "--out", given.path("s"), "--dtype", "fp64",
                 "--write-site", "blocks." + std::to_string(layer) + ".hook_resid_post"});
        same(row(by_write, layer), values_of(given.dir / "s/max_slope.npy"));
        if (layer == 0) continue;
        succeed("stable_regions",
                {"--model", given.path("step-8"), "--tokens", given.tokens, "--out", given.path("s"), "--dtype", "fp64",
                 "--read-site", "blocks." + std::to_string(layer) + ".hook_resid_post"});
        same(row(by_read, layer - 1), values_of(given.dir / "s/max_slope.npy"));
    }
}

TEST_CASE("the embedded checkpoints show regions emerge, and what they emerge from", "[programs][studies]") {
    scratch_dir const dir;
    auto const result = succeed("emergence", {"--out", (dir / "out").string(), "--resamples", "100", "--steps", "30"});
    auto const summary = json_of(dir / "out/summary.json");
    CHECK(read_npy<std::int64_t>(dir / "out/steps.npy").values ==
          std::vector<std::int64_t>{0, 16, 32, 64, 128, 256, 512, 1099});
    auto const median = [&](std::size_t c) { return summary.at("max_slope_median")[c][0].get<double>(); };
    CHECK(median(0) < 1.3);
    CHECK(median(7) > 4);
    auto const share = summary.at("cross_share");
    CHECK(share[0][0] == 0);  // Wilson's interval, since no resample can find what no pair has
    CHECK(share[0][2].get<double>() > 0.02);
    CHECK(share[7][0].get<double>() > 0.9);
    // what the mean changes by is the sum of its parts
    std::istringstream lines{bytes_of(dir / "out/changes.csv")};
    std::string line;
    std::getline(lines, line);
    CHECK(line.rfind("from,to,both,change of mean,change of mean_low,", 0) == 0);
    int rows = 0;
    for (; std::getline(lines, line); ++rows) {
        std::vector<double> cells;
        std::istringstream parts{line};
        for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell == "nan" ? NAN : std::stod(cell));
        REQUIRE(cells.size() == 18);
        CHECK(std::abs(cells[6] + cells[9] + cells[12] - cells[3]) < 1e-12);
    }
    CHECK(rows == 7);
    for (auto const* part : {"new regions", "sharper boundaries", "jump spread", "same pairs"})
        CHECK_THAT(result.out, contains(part));
}

TEST_CASE("prompts that end alike lie nearer to each other than prompts that do not", "[programs][studies]") {
    scratch_dir const dir;
    auto const result = succeed("similar_dissimilar", {"--out", (dir / "out").string(), "--resamples", "100"});
    auto const summary = json_of(dir / "out/summary.json");
    auto const kinds = read_npy<std::int64_t>(dir / "out/kinds.npy").values,
               pairs = read_npy<std::int64_t>(dir / "out/pairs.npy").values;
    auto const tokens = read_npy<std::int64_t>(dir / "out/tokens.npy");
    auto const last = [&](std::int64_t prompt) {
        return tokens.values[static_cast<std::size_t>((prompt + 1) * tokens.shape[1] - 1)];
    };  // of one length
    std::size_t const triples = summary.at("triples");
    REQUIRE(triples > 10);
    for (std::size_t p = 0; p < 2 * triples; ++p) {
        CHECK(kinds[p] == (p < triples ? 0 : 1));
        CHECK((last(pairs[2 * p]) == last(pairs[2 * p + 1])) == (p < triples));
        if (p < triples) CHECK(pairs[2 * p] == pairs[2 * (p + triples)]);
    }
    CHECK(kinds[2 * triples] == 2);
    CHECK(summary.at("same_max_slope_median")[2].get<double>() < 1.5);
    CHECK(summary.at("different_max_slope_median")[1].get<double>() > 2);
    CHECK(summary.at("max_slope_cliffs_delta")[0].get<double>() < -0.9);
    auto const logits = read_npy<double>(dir / "out/illustrative_logits.npy");
    CHECK(logits.shape == std::vector<index>{6, 50});
    CHECK(std::abs(logits.values[0]) < 1e-12);
    CHECK(std::abs(logits.values[49] - 1) < 1e-12);
    auto const output = values_of(dir / "out/output_distance.npy");
    for (double const d : output) {
        CHECK(d >= 0);
        CHECK(d <= 1);
    }
    CHECK_FALSE(std::filesystem::exists(dir / "out/corpus_distance.npy"));
    for (auto const* part : {"D1", "S3", "' breathtaking'", "Cliff's delta", "output distance"})
        CHECK_THAT(result.out, contains(part));
}

TEST_CASE("what follows the last tokens in a corpus is compared where it is known", "[programs][studies]") {
    scratch_dir const dir;
    std::string text;
    std::vector<std::string> const parts{"She looked at the house, and then ", "he had been there. The end of ",
                                         "in the morning it was said, "};
    for (std::size_t i = 0; i < 400; ++i) text += parts[i % 3];
    auto const corpus = dir.write("corpus.txt", text).string();
    succeed("similar_dissimilar", {"--corpus", corpus, "--count", "40", "--length", "6", "--min-count", "20",
                                   "--resamples", "50", "--out", (dir / "out").string()});
    auto const distances = values_of(dir / "out/corpus_distance.npy");
    auto const kinds = read_npy<std::int64_t>(dir / "out/kinds.npy").values;
    index known = 0;
    for (std::size_t p = 0; p < distances.size(); ++p) {
        known += !std::isnan(distances[p]);
        if (kinds[p] == 0 && !std::isnan(distances[p])) CHECK(distances[p] == 0);  // one token, one distribution
    }
    CHECK(known > 10);
    succeed("similar_dissimilar", {"--out", (dir / "out").string(), "--resamples", "50"});
    CHECK_FALSE(std::filesystem::exists(dir / "out/corpus_distance.npy"));  // of the run before
}

TEST_CASE("region_count counts what its thresholds say", "[programs][studies]") {
    random_models const given;
    for (std::string const pairs : {"chain", "disjoint", "all"}) {
        succeed("region_count", given.run("out", {"--pairs", pairs, "--same-region", "1.1,2"}));
        auto const slopes = values_of(given.dir / "out/max_slope.npy");
        CHECK(slopes.size() == (pairs == "chain" ? 11 : pairs == "disjoint" ? 6 : 66));
        auto const summary = json_of(given.dir / "out/summary.json");
        for (std::size_t k = 0; k < 2; ++k) {
            double const limit = k == 0 ? 1.1 : 2;
            auto const below =
                static_cast<double>(std::count_if(slopes.begin(), slopes.end(), [&](double s) { return s < limit; }));
            double const share = below / static_cast<double>(slopes.size());
            auto const found = summary.at("same_region_share")[k];
            CHECK(std::abs(found[0].get<double>() - share) < 1e-14);
            check_interval(found);
            CHECK(found[1].get<double>() >= 0);
            CHECK(found[2].get<double>() <= 1);
            if (share > 0) CHECK(std::abs(summary.at("regions_equal")[k][0].get<double>() * share - 1) < 1e-12);
            if (share > 0) CHECK(std::abs(summary.at("regions_shape_2")[k][0].get<double>() * share - 1.5) < 1e-12);
            else CHECK(summary.at("regions_equal")[k][0].is_null());  // no bound
        }
    }
    succeed("stable_regions", {"--model", given.path("step-8"), "--tokens", given.tokens, "--out", given.path("s"),
                               "--dtype", "fp64", "--pairs", "all", "--top-k", "1"});
    CHECK(read_npy<std::int64_t>(given.dir / "s/top_tokens.npy").values ==
          read_npy<std::int64_t>(given.dir / "out/path_labels.npy").values);
}

TEST_CASE("predict_jump's predictions are those of their formulas", "[programs][studies]") {
    random_models const given;
    succeed("predict_jump", given.run("out"));
    auto const jump = values_of(given.dir / "out/alpha_jump.npy"), foot = values_of(given.dir / "out/alpha_mean.npy"),
               bisector = values_of(given.dir / "out/bisector.npy");
    auto const masked = read_npy<std::int64_t>(given.dir / "out/masked.npy").values;
    REQUIRE(jump.size() == 11);
    REQUIRE(masked.size() == 11);
    double sum = 0;
    for (std::size_t p = 0; p < jump.size(); ++p) {
        CHECK(bisector[p] > 0);
        CHECK(bisector[p] < 1);
        CHECK((foot[p] < 0.5) == (bisector[p] < 0.5));  // both say to which end the mean is nearer
        sum += std::abs(bisector[p] - jump[p]) / 11;
    }
    auto const summary = json_of(given.dir / "out/summary.json");
    CHECK(summary.at("predictors")[1] == "bisector");
    CHECK(std::abs(summary.at("mean_error")[1][0].get<double>() - sum) < 1e-14);
    CHECK(summary.at("correlation")[4][0].is_null());  // one half tells no pair from another
    for (auto const* key : {"mean_error", "rms_error", "right_side"}) check_interval(summary.at(key)[0]);
    // a pair of one prompt with itself is degenerate, and without a prediction
    plateau::io::write_npy(given.dir / "pairs.npy", std::vector<std::int64_t>{0, 1, 2, 2, 4, 5}, {3, 2});
    succeed("predict_jump", given.run("out", {"--pairs", given.path("pairs.npy")}));
    CHECK(std::isnan(values_of(given.dir / "out/alpha_jump.npy")[1]));
    CHECK(std::isnan(values_of(given.dir / "out/alpha_mean.npy")[1]));
    CHECK(json_of(given.dir / "out/summary.json").at("degenerate_pairs") == 1);
}

TEST_CASE("studies leave the same bytes for any number of threads", "[programs][studies]") {
    scratch_dir const dir;
    std::string const program = GENERATE("emergence", "depth", "similar_dissimilar", "region_count", "predict_jump");
    CAPTURE(program);
    auto const tokens =
        dir.write("prompts.txt",
                  " She had always\n The house\n He said that the\n It was the\n in the morning\n of the house\n")
            .string();
    for (auto const* threads : {"1", "3"}) {
        succeed(program, {"--prompts", tokens, "--threads", threads, "--resamples", "20", "--steps", "12", "--out",
                          (dir / threads).string()});
    }
    check_same_files(dir / "1", dir / "3");
#if PLATEAU_HAS_CAIRO
    CHECK(names_in(dir / "1").count(program + ".png") == 1);
#endif
}

TEST_CASE("studies refuse options without sense, and leave nothing", "[programs][studies]") {
    random_models const given;
    auto const before = names_in(given.dir.path());
    auto const expect = [&](int status, std::string const& program, words const& more, std::string const& part) {
        fail(status, program, given.run("out", more), part);
        CHECK(names_in(given.dir.path()) == before);
    };
    for (auto const& program : studies) {
        if (program == "similar_dissimilar") continue;  // needs text
        words const models = program == "emergence" ? words{"--checkpoints", given.path("step-8")} : words{};
        auto const refused = [&](words const& more, std::string const& part) {
            expect(2, program, with(models, more), part);
        };
        refused({"--steps", "1"}, "--steps must be at least 2");
        refused({"--pairs", "ring"}, "chain, disjoint, all");
        refused({"--min-d1", "-1"}, "--min-d1");
        refused({"--bogus"}, "--bogus");
        expect(1, program, with(models, {"--min-d1", "1e9"}), "degenerate");
    }
    fail(2, "depth", with(given.run("out"), {"--resamples", "0"}), "--resamples");
    expect(2, "depth", {"--write-layers", "3"}, "there is no block 3");
    expect(2, "depth", {"--write-layers", "2:1"}, "names no block");
    expect(2, "depth", {"--write-layers", "0,x"}, "'x' is no number");
    expect(2, "depth", {"--write-layers", "0,,1"}, "'' is no number");
    expect(2, "depth", {"--fixed-write", "3"}, "the blocks are 0 to 2");
    expect(2, "emergence", {}, "has no folder 'checkpoints'");
    expect(1, "emergence", {"--checkpoints", given.path("step-8") + "," + given.path("absent")}, "absent");
    expect(2, "emergence", {"--checkpoints", given.path("step-8"), "--same-region", "0"}, "--same-region");
    expect(2, "region_count", {"--same-region", "1.2,-1"}, "--same-region");
    expect(2, "predict_jump", {"--mean-range", "-1"}, "--mean-range");
    expect(1, "predict_jump", {"--neurons", "blocks.9.mlp.hook_post"}, "blocks.9.mlp.hook_post");
    expect(1, "similar_dissimilar", {}, "token ids");  // the model knows no text
}

TEST_CASE("the last of the layers can be written to, and a model of one layer has nothing later to read",
          "[programs][studies]") {
    random_models const given;
    succeed("depth", given.run("out", {"--write-layers", "2", "--fixed-write", "2"}));
    CHECK(read_npy<double>(given.dir / "out/read_max_slope.npy").shape.at(0) == 0);
    CHECK(read_npy<double>(given.dir / "out/write_max_slope.npy").shape == std::vector<index>{1, 11});
}

TEST_CASE("two prompts make a study without intervals", "[programs][studies]") {
    scratch_dir const dir;
    auto const prompts = dir.write("two.txt", " She had always\n The house was\n").string();
    for (auto const& program : studies) {
        CAPTURE(program);
        succeed(program,
                {"--prompts", prompts, "--steps", "5", "--resamples", "20", "--out", (dir / program).string()});
    }
}

TEST_CASE("the help of studies names every option, file and shape", "[programs][studies]") {
    for (auto const& program : studies) {
        CAPTURE(program);
        auto const help = succeed(program, {"--help"}).out;
        for (auto const* word :
             {"--model",     "--weights",    "--dtype",    "--backend", "--threads", "--seed",  "--out",   "--tokens",
              "--prompts",   "--corpus",     "--count",    "--length",  "--bos",     "--pairs", "--steps", "--min-d1",
              "--resamples", "summary.json", "tokens.npy", "pairs.npy", "[P,2]",     "[N,T]",   "float64", "int64"}) {
            CHECK_THAT(help, contains(word));
        }
        CHECK_THAT(help, contains(program + ".png"));
    }
}

TEST_CASE("one's own path, metric and direction run in the sweeps of the library", "[programs][studies]") {
    auto const out = succeed("your_own", {}).out;
    for (auto const* part : {"coordinate by coordinate", "share on plateaus", "toward its outliers", "max slope"})
        CHECK_THAT(out, contains(part));
    CHECK(std::count(out.begin(), out.end(), '\n') == 2 + 6 + 1 + 2 + 6);
    fail(1, "your_own", {"/nowhere"}, "there is no model at");
}

}  // namespace
