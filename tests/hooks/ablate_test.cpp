#include <plateau/hooks/ablate.hpp>

#include <set>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/site_rows.hpp"

namespace {

using namespace plateau::hooks;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::site_rows;
using row = std::vector<double>;

TEST_CASE("zero ablation leaves the rest", "[hooks][ablate]") {
    site_rows rows{site_id::z, site_axes::heads, 2, 2, 2};
    rows.act(zero_ablate<double>("*", positions::last() & heads{1}));
    CHECK(rows.row(0) == row{1, 2, 3, 4});
    CHECK(rows.row(1) == row{5, 6, 0, 0});
    rows.act(set_to<double>("*", {7, 8}, heads{0}));
    CHECK(rows.row(0) == row{7, 8, 3, 4});
}

TEST_CASE("mean ablation puts the mean of the examples", "[hooks][ablate]") {
    auto rows = site_rows::vectors(2, 2);
    plateau::tensor::buffer<double, 2> examples({2, 2});
    examples(0, 0) = 1, examples(0, 1) = -4, examples(1, 0) = 2, examples(1, 1) = 4;
    rows.act(mean_ablate<double>("*", examples.view(), positions::one(0)));
    CHECK(rows.row(0) == row{1.5, 0});
    CHECK(rows.row(1) == row{3, 4});
    CHECK_THROWS_WITH(mean_ablate<double>("*", {nullptr, {0, 2}}), contains("an example at least"));
}

TEST_CASE("resampling is a function of seed, site, prompt and position", "[hooks][ablate]") {
    auto const examples = plateau::testing::random_buffer<double, 2>({8, 4}, 3);
    auto const drawn = [&](site_id id, index item, std::uint64_t seed, index rows) {
        site_rows all{id, site_axes::heads, rows, 2, 2, item};
        all.act(resample_ablate<double>("*", examples.view(), seed));
        std::vector<index> which;
        for (index r = 0; r < rows; ++r) {
            index found = -1;
            for (index n = 0; n < 8; ++n) {
                if (std::equal(examples[n].data(), examples[n].data() + 4, all.values[r].data())) found = n;
            }
            CHECK(found >= 0);  // both heads of the same example
            which.push_back(found);
        }
        return which;
    };
    auto const first = drawn(site_id::z, 0, 1, 40);
    CHECK(std::set<index>(first.begin(), first.end()).size() > 4);
    CHECK(drawn(site_id::z, 0, 1, 40) == first);
    CHECK(drawn(site_id::z, 1, 1, 40) != first);
    CHECK(drawn(site_id::q, 0, 1, 40) != first);
    CHECK(drawn(site_id::z, 0, 2, 40) != first);
    auto const fewer = drawn(site_id::z, 0, 1, 7);
    CHECK(std::equal(fewer.begin(), fewer.end(), first.begin()));
    CHECK_THROWS_AS(resample_ablate<double>("*", {nullptr, {0, 2}}, 1), plateau::usage_error);
}

}  // namespace
