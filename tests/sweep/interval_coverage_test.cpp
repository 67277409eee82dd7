// Intervals that studies of pairs print, on planted data: how often they hold the truth.
#include <cmath>
#include <utility>
#include <vector>

#include <plateau/core/normal.hpp>
#include <plateau/sweep/compare_regions.hpp>
#include <plateau/sweep/mark_lags.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using dependence = sweep::pair_design::dependence;
using statistics::estimate;

constexpr index repetitions = 1500;  // a share of 0.95 is known to 0.6 %

struct coverage {
    double share = 0;
    void add(estimate const& one, double truth) {
        share += (one.low <= truth && truth <= one.high) / double{repetitions};
    }
};

sweep::pair_design design_of(index prompts, dependence how, std::uint64_t seed) {
    auto const numbers = how == dependence::none    ? corpus::disjoint_pairs(prompts)
                         : how == dependence::chain ? corpus::chain_pairs(prompts)
                                                    : corpus::all_pairs(prompts);
    auto design = sweep::design_of(numbers, prompts, how);
    design.resampling = {.resamples = 400, .seed = seed};
    return design;
}

/// Values of pairs that share something with their prompts, skewed as counts and places are: e^(x/2), median 1.
std::vector<double> values_of(sweep::pair_design const& design, counter_rng& rng) {
    auto const of_prompt = standard_normals(static_cast<std::size_t>(design.prompts), rng);
    std::vector<double> values;
    for (auto const& pair : design.pairs) {
        double const x = of_prompt[static_cast<std::size_t>(pair.from)] + of_prompt[static_cast<std::size_t>(pair.to)] +
                         standard_normal(rng);
        values.push_back(std::exp(x / 2 / std::sqrt(3)));
    }
    return values;
}

TEST_CASE("medians and means over pairs hold the truth as often as they say", "[sweep][coverage][full]") {
    using design_case = std::pair<dependence, index>;
    auto const [how, prompts] = GENERATE(design_case{dependence::none, 400}, design_case{dependence::none, 120},
                                         design_case{dependence::chain, 400}, design_case{dependence::prompts, 80});
    coverage median, mean;
    for (index r = 0; r < repetitions; ++r) {
        counter_rng rng{static_cast<std::uint64_t>(1000 * r + prompts)};
        auto const design = design_of(prompts, how, static_cast<std::uint64_t>(r));
        auto const values = values_of(design, rng);
        median.add(design.median(values), 1);
        mean.add(design.mean(values), std::exp(0.125));
    }
    WARN(static_cast<int>(how) << " of " << prompts << " prompts: median " << median.share << ", mean " << mean.share);
    for (auto const* one : {&median, &mean}) {
        CHECK(one->share >= 0.92);
        CHECK(one->share <= 0.97);
    }
}

TEST_CASE("differences between pairs in one region and pairs apart hold the truth", "[sweep][coverage][full]") {
    coverage together, apart, difference;
    for (index r = 0; r < repetitions; ++r) {
        counter_rng rng{static_cast<std::uint64_t>(77 * r + 5)};
        auto const design = design_of(500, dependence::none, static_cast<std::uint64_t>(r));
        auto values = values_of(design, rng);
        std::vector<double> same;
        for (double& one : values) {
            same.push_back(rng.uniform() < 0.15 ? 1 : 0);
            if (same.back() == 1) one *= 0.6;
        }
        auto const found = sweep::compare_regions(design, values, same);
        together.add(found.together, 0.6);
        apart.add(found.apart, 1);
        difference.add(found.difference, 0.4);
    }
    WARN("together " << together.share << ", apart " << apart.share << ", difference " << difference.share);
    for (auto const* one : {&together, &apart, &difference}) {
        CHECK(one->share >= 0.92);
        CHECK(one->share <= 0.97);
    }
}

TEST_CASE("lags of marks hold the truth: medians over heads, then over pairs", "[sweep][coverage][full]") {
    coverage there, lag;
    // of a pair with an offset u ~ N(.05, .1) and heads N(u, .15): the median over heads is symmetric about .05
    for (index r = 0; r < repetitions; ++r) {
        counter_rng rng{static_cast<std::uint64_t>(31 * r + 7)};
        auto const design = design_of(200, dependence::none, static_cast<std::uint64_t>(r));
        sweep::mark_lags lags;
        for (index p = 0; p < design.count(); ++p) {
            double const offset = 0.05 + 0.1 * standard_normal(rng);
            std::vector<double> places;
            for (int h = 0; h < 15; ++h) {
                double const place = 0.5 + offset + 0.15 * standard_normal(rng);
                places.push_back(rng.uniform() < 0.8 ? place : std::numeric_limits<double>::quiet_NaN());
            }
            lags.add(places, 0.5, 0.4);
        }
        auto const row = sweep::row_of("", lags, design);
        there.add(row.there, 0.8);
        lag.add(row.lag, 0.05);
    }
    WARN("there " << there.share << ", lag " << lag.share);
    for (auto const* one : {&there, &lag}) {
        CHECK(one->share >= 0.92);
        CHECK(one->share <= 0.97);
    }
}

}  // namespace
