#include <plateau/statistics/over_prompts.hpp>

#include <cmath>
#include <vector>

#include <plateau/statistics/summaries.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using statistics::mean;
using statistics::over_prompts;

TEST_CASE("an interval over prompts is that of independent values; one prompt has none", "[statistics][over_prompts]") {
    std::vector<double> const values{1, 2, 3, 4, 5, 6};
    auto const found = over_prompts(values, mean, {.resamples = 200, .seed = 3});
    auto const same =
        statistics::block_bootstrap(std::span<double const>{values}, 1, mean, {.resamples = 200, .seed = 3});
    CHECK(found.value == 3.5);
    CHECK(found.low == same.low);
    CHECK(found.high == same.high);
    CHECK(found.low < 3.5);
    CHECK(over_prompts(std::span{values}.first(3), mean, {}).value == 2);
    auto const one = over_prompts(std::vector<double>{7}, mean, {});
    CHECK(one.value == 7);
    CHECK(std::isnan(one.low));
    CHECK(std::isnan(over_prompts(std::vector<double>{}, mean, {}).value));
}

}  // namespace
