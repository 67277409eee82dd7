#include <plateau/sweep/direction_families.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
using plateau::testing::WithinAbs;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;
using vector = std::vector<double>;

TEST_CASE("named families give unit vectors, each the same whichever others there are", "[sweep][direction_families]") {
    auto const model = sweeps::random_model<double>();
    plateau::prompt_list const prompts{{1, 2, 3}, {4, 5, 6}, {7, 8, 9, 10}};
    auto const fit =
        sweep::fit_activations(model(1), prompts, {"blocks.0.hook_resid_post", prompts}, {.components = 2});
    tensor::buffer<double, 2> rows({1, model.width()});
    rows(0, 1) = -2;
    sweep::direction_sources<double> const from{fit, rows};
    std::vector<sweep::direction_family<double>> all;
    for (std::string const name : {"isotropic", "cov-random", "cov-mixture", "real", "real-mixture", "pca", "rows"})
        all.push_back(sweep::named_family(name, from));
    auto const units = sweep::draw_units<double>(all, fit.real, 2, 5);
    auto const width = static_cast<std::size_t>(model.width());
    REQUIRE(units.size() == 3 * 7 * 2 * width);
    for (std::size_t k = 0; k < units.size(); k += width) {
        double squares = 0;
        for (std::size_t i = 0; i < width; ++i) squares += units[k + i] * units[k + i];
        CHECK_THAT(squares, WithinAbs(1, 1e-12));
    }
    CHECK(units[12 * width + 1] == -1);  // the family rows of the first prompt
    auto const alone = sweep::draw_units<double>({all[3]}, fit.real, 2, 5);
    CHECK(std::equal(alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(2 * width),
                     units.begin() + static_cast<std::ptrdiff_t>(6 * width)));
    CHECK(sweep::names_of(all)[5] == "pca");
    CHECK(sweep::why_missing<double>(all[0], fit.real).empty());
    sweep::direction_family<double> const none{"none", [](auto a, auto&) { return vector(a.size()); }, 0};
    CHECK(sweep::why_missing<double>(none, fit.real).starts_with("prompt 0: "));
    CHECK_THROWS_AS(sweep::named_family("sideways", from), plateau::usage_error);
    CHECK_THROWS_AS(sweep::named_family("sae-dead", from), plateau::usage_error);
}

}  // namespace
