#include <plateau/engine/read/read_out.hpp>

#include <mutex>

#include <plateau/engine/read/distances.hpp>

#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;

std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0}, {1, 3, 3}};

prompt_list some_prompts() { return tiny::random_prompts(3, {6, 9, 5, 7}, 37); }

/// What a hook was told of a point.
template <class T>
struct told {
    int times = 0;
    index points = 0;
    std::vector<T> value, reference;
};
template <class T>
using all_told = std::map<std::pair<index, index>, told<T>>;

/// Everything that is told of a sweep. @param copies  counts reference rows that are evaluated again
template <class T>
all_told<T> read_outs(plateau::model<T> const& model, std::string const& site, sweep_options const& o, index& copies) {
    std::mutex guard;
    all_told<T> all;
    copies = 0;
    auto const reads = engine::each_read_out<T>(site, [&](engine::read_out<T> const& r) {
        std::lock_guard const lock{guard};
        auto& one = all[{r.pair, r.point}];
        ++one.times;
        one.points = r.points;
        one.value.assign(r.value.begin(), r.value.end());
        one.reference.assign(r.reference.begin(), r.reference.end());
    });
    auto const count = hooks::capture<T>(site, [&](hooks::rows_at<T>& here) {
        std::lock_guard const lock{guard};
        for (auto const& row : here.rows) copies += row.reference_copy && row.last;
    });
    auto const prompts = some_prompts();
    engine::patched_rows<T>{model.engine(), prompts, o.points, o.setup, o.travel}.run(pairs, line<T>(o.points),
                                                                                      reads | count);
    return all;
}

TEMPLATE_TEST_CASE("every pair and point is told of once, beside point 0 of its pair, however small the blocks",
                   "[engine][read_out]", float, double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 30;
    for (auto const at : {hooks::positions::last(), hooks::positions{-3, -1}}) {
        o.setup.positions.at = at;
        for (std::string const site : {"blocks.2.hook_resid_post", "blocks.1.attn.hook_z", "unembed.hook_out",
                                       "blocks.2.attn.hook_pattern", "blocks.2.attn.hook_attn_scores"}) {
            auto const expected = published_way<T>(model, prompts, pairs, o, {site});
            index copies = 0;
            for (auto const& [rows, threads] : std::vector<std::pair<index, int>>{{252, 1}, {60, 2}, {7, 2}, {1, 1}}) {
                CAPTURE(at.first, site, rows, threads);
                o.travel.block_rows = rows;
                auto const all = read_outs(model(threads), site, o, copies);
                CHECK(all.size() == pairs.size() * 30);
                for (auto const& [key, one] : all) {
                    auto const& pair = pairs[static_cast<std::size_t>(key.first)];
                    auto const length = static_cast<index>(prompts[static_cast<std::size_t>(pair.context)].size());
                    CHECK(one.times == 1);
                    CHECK(one.points == 30);
                    CHECK(one.value == expected.at({site, key.first, key.second, length - 1}));
                    CHECK(one.reference == expected.at({site, key.first, 0, length - 1}));
                    if (site.starts_with("blocks.2.attn"))
                        CHECK(one.value.size() == static_cast<std::size_t>(4 * length));
                }
                CHECK((rows < 60 ? copies > 0 : true));  // there were some, and nobody was told of them
            }
        }
    }
}

TEST_CASE("scores are as wide as the last position, whatever shares the block", "[engine][read_out]") {
    auto const model = random_model<float>();
    sweep_options o;
    o.points = 2;
    index copies = 0;
    auto const all = read_outs(model(1), "blocks.1.attn.hook_pattern", o, copies);
    for (auto const& [key, one] : all) {
        std::array<std::size_t, 4> const lengths{6, 9, 7, 7};  // of the contexts
        CHECK(one.value.size() == 4 * lengths[static_cast<std::size_t>(key.first)]);
        CHECK(one.reference.size() == one.value.size());
        for (std::size_t head = 0; head < 4; ++head) {
            double sum = 0;
            for (std::size_t k = 0; k < one.value.size() / 4; ++k)
                sum += static_cast<double>(one.value[head * one.value.size() / 4 + k]);
            CHECK_THAT(sum, plateau::testing::WithinAbs(1, 1e-5));
        }
    }
}

TEMPLATE_TEST_CASE("distances formed where the rows are have the bits of those of the read-outs",
                   "[engine][read_out][distances]", float, double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 30;
    o.setup.positions.at = {-2, 0};
    for (std::string const site : {"blocks.2.hook_resid_post", "ln_final.hook_out", "blocks.2.attn.hook_q",
                                   "unembed.hook_out", "blocks.2.attn.hook_pattern"}) {
        index copies = 0;
        auto const all = read_outs(model(1), site, o, copies);
        for (auto const& [rows, threads] : std::vector<std::pair<index, int>>{{252, 2}, {7, 2}, {1, 1}}) {
            CAPTURE(site, rows, threads);
            plateau::tensor::buffer<double, 2> distances({4, 30});
            for (double& d : distances.flat()) d = -1;
            engine::patched_rows<T>{model(threads).engine(), prompts, 30, o.setup, {.block_rows = rows}}.run(
                pairs, line<T>(30), engine::read_distances<T>(site, distances));
            for (auto const& [key, one] : all) {
                CHECK(distances(key.first, key.second) == plateau::metrics::l2_distance<T>(one.reference, one.value));
                CHECK((distances(key.first, key.second) > 0) == (key.second > 0));
            }
        }
    }
}

TEST_CASE("of a block the rows at last positions are found, each with its pair's point 0", "[engine][read_out]") {
    std::vector<hooks::row_id> ids;
    auto const add = [&](index pair, index point, bool last, bool copy = false) {
        hooks::row_id row;
        row.item = pair, row.point = point, row.last = last, row.reference_copy = copy;
        ids.push_back(row);
    };
    add(3, 0, false, true), add(3, 0, true, true), add(3, 7, false), add(3, 7, true);  // two positions each
    add(4, 0, true), add(4, 1, true), add(4, 2, true);
    engine::last_rows const last{ids};
    CHECK(last.rows == std::vector<index>{1, 3, 4, 5, 6});
    CHECK(last.references == std::vector<index>{0, 0, 2, 2, 2});
    CHECK(last.count() == 5);
    CHECK(engine::last_rows{{}}.count() == 0);
}

}  // namespace
