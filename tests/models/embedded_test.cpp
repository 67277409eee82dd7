// The model that comes with plateau: loads as published, tokenises its prompts, has stable regions.

#include <plateau/engine/load.hpp>

#include <sstream>

#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;

std::filesystem::path folder() {
    return std::filesystem::path(baked::tests).parent_path() / "examples" / "data" / "embedded";
}

template <class T>
plateau::prompt_list prompts_of(plateau::model<T> const& model) {
    std::istringstream lines{plateau::io::read_text(folder() / "prompts.txt")};
    plateau::prompt_list prompts;
    for (std::string line; std::getline(lines, line);) prompts.push_back(model.tokenize(line));
    return prompts;
}

std::vector<double> slopes(sweep::distance_curves const& curves) {
    std::vector<double> values;
    for (index p = 0; p < curves.distances.extent(0); ++p) {
        values.push_back(metrics::max_slope(metrics::relative_distance(curves[p])).value);
    }
    return values;
}

std::vector<sweep::prompt_pair> chain(index pairs) {
    std::vector<sweep::prompt_pair> all;
    for (index i = 0; i < pairs; ++i) all.push_back({i, i + 1});
    return all;
}

TEST_CASE("the embedded prompts are ten tokens each and decode to themselves", "[models][embedded]") {
    auto const model = plateau::load<float>(folder(), {.backend = {.threads = 1}});
    std::istringstream lines{plateau::io::read_text(folder() / "prompts.txt")};
    index count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        auto const ids = model.tokenize(line);
        CHECK(ids.size() == 10);
        CHECK(model.require_tokenizer().decode(ids) == line);
    }
    CHECK(count >= 100);
}

TEST_CASE("max slopes of the embedded model equal those of the published implementation", "[models][embedded]") {
    // transformers 5.23 in float64, the first eight chained pairs, 50 steps; its norms and softmax are float32
    std::vector<double> const published{4.39548852, 8.0058623,  3.58068193, 7.63680776,
                                        9.44012253, 6.10386712, 3.44918213, 5.039058};
    auto const model = plateau::load<double>(folder(), {.backend = {.threads = 2}});
    auto const got = slopes(sweep::interpolate(model, prompts_of(model), chain(8), 50));
    for (std::size_t i = 0; i < published.size(); ++i)
        CHECK_THAT(got[i], plateau::testing::WithinAbs(published[i], 1e-4));
}

TEST_CASE("stable regions emerge over the training of the embedded model", "[models][embedded]") {
    auto const median = [&](std::filesystem::path const& checkpoint) {
        auto const model = plateau::load<float>(checkpoint, {.backend = {.threads = 2}});
        return statistics::quartiles_of(slopes(sweep::interpolate(model, prompts_of(model), chain(60), 50))).median;
    };
    index checkpoints = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder() / "checkpoints")) {
        double const slope = median(entry.path());
        bool const early = entry.path().filename() == "step-000000" || entry.path().filename() == "step-000016";
        bool const late = entry.path().filename() >= "step-000064";
        CAPTURE(entry.path(), slope);
        if (early) CHECK(slope < 1.3);
        if (late) CHECK(slope > 2);
        ++checkpoints;
    }
    CHECK(checkpoints == 7);
    CHECK(median(folder()) > 3);
}

}  // namespace
