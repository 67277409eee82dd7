#include <plateau/sweep/sensitivity.hpp>

#include <plateau/sweep/direction_families.hpp>
#include <plateau/sweep/sensitivity_medians.hpp>

#include <cmath>
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

/// Two families, two prompts, two repeats, lengths 1 and 2 of a unit of 10.
sweep::sensitivity by_hand() {
    return {.families = {"isotropic", "real"},
            .prompts = 2,
            .repeats = 2,
            .lengths = {1, 2},
            .unit = 10,
            .kl = {1, 4, 3, 8, 0, 0, 0, 2, /* real: */ 2, 8, 6, 16, 1, 1, 1, 7}};
}

TEST_CASE("numbers of a prompt are means over its repeats", "[sweep][sensitivity]") {
    auto const all = by_hand();
    CHECK(all.points() == 8);
    CHECK(all.scaled_lengths() == vector{10, 20});
    CHECK(all.by_prompt(0, 0) == vector{2, 0});
    CHECK(all.by_prompt(1, 1) == vector{12, 4});
    auto const ratios = all.log_ratios(1, 0, 0);
    CHECK_THAT(ratios[0], WithinAbs(std::log(2), 1e-15));
    CHECK(std::isnan(ratios[1]));
    CHECK(all.nearest_to(1.4) == 0);
    CHECK(all.nearest_to(100) == 1);
}

TEST_CASE("a threshold is reached between lengths, or counts with the longest", "[sweep][sensitivity]") {
    auto const all = by_hand();
    CHECK(all.length_to(0, 1) == vector{0.5, 2});  // 2 at 1; 0 at 1 and 1 at 2
    CHECK(all.length_to(0, 4) == vector{1.5, 2});  // between 2 and 6
    CHECK(all.length_to(1, 100) == vector{2, 2});
}

TEST_CASE("families are compared with the isotropic one, if it is there", "[sweep][sensitivity_medians]") {
    auto all = by_hand();
    sweep::family_comparison const how{.at = 1, .threshold = 4, .resampling = {.resamples = 50}};
    auto const found = sweep::medians_of(all, how);
    REQUIRE(found.size() == 2);
    CHECK(found[1].family == "real");
    CHECK(found[0].kl[1].value == 3.5);  // of 6 and 1
    CHECK(found[0].ratio.empty());
    CHECK(std::isnan(found[0].ratio_at(1).value));
    CHECK(std::isnan(found[0].p));
    CHECK_THAT(found[1].ratio_at(1).value, WithinAbs(std::sqrt(8), 1e-12));  // of 2 and 4
    CHECK(found[1].p > 0.4);                                                 // two of four flips
    CHECK_THAT(found[0].length_to_threshold.value, WithinAbs(1.75, 1e-12));
    all.families[0] = "other";
    CHECK(sweep::medians_of(all, how)[1].ratio.empty());
    CHECK(std::isnan(
        sweep::medians_of(all, {.threshold = 100, .resampling = {.resamples = 5}})[0].length_to_threshold.value));
}

TEST_CASE("the divergence of a push grows with its square from nothing", "[sweep][sensitivity]") {
    auto const model = sweeps::random_model<double>();
    plateau::prompt_list const prompts{{1, 2, 3}, {4, 5, 6, 7}};
    std::string const site = "blocks.0.hook_resid_post";
    auto const real = sweep::last_activations(model(1), prompts, site);
    sweep::direction_family<double> const first{"first",
                                                [](auto a, auto&) {
        vector d(a.size());
        return d[0] = 1, d;
                                                },
                                                0};
    auto const units = sweep::draw_units<double>({first}, real, 1, 0);
    sweep::sensitivity all{.families = {"first"}, .prompts = 2, .lengths = {1, 2}, .unit = 1e-3};
    sweep::measure_sensitivity(model(1), prompts, units, {.write = site}, all);
    REQUIRE(all.kl.size() == 4);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(all.kl[2 * i] > 0);
        CHECK_THAT(all.kl[2 * i + 1] / all.kl[2 * i], WithinAbs(4, 0.1));
    }
}

}  // namespace
