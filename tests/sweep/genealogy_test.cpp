#include <plateau/sweep/genealogy_numbers.hpp>

#include <cmath>
#include <numbers>
#include <queue>

#include "support/sweeps.hpp"

#include <plateau/core/normal.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/sweep/genealogy_panels.hpp>
#include <plateau/sweep/genealogy_tables.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/likeliest_tokens.hpp>
#include <plateau/sweep/region_tree_figure.hpp>

namespace {

using namespace sweeps;
using plateau::counter_rng;
using plateau::index;
using plateau::usage_error;
using sweep_labels = std::vector<index>;
namespace corpus = plateau::corpus;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;
using plateau::testing::WithinAbs;

/// The smallest prompt reached from each over pairs that are edges, breadth first.
sweep_labels reached(index count, std::vector<corpus::pair> const& pairs, std::vector<bool> const& edge) {
    sweep_labels smallest(static_cast<std::size_t>(count), -1);
    for (index start = 0; start < count; ++start) {
        if (smallest[static_cast<std::size_t>(start)] >= 0) continue;
        std::queue<index> todo;
        todo.push(start);
        smallest[static_cast<std::size_t>(start)] = start;
        for (; !todo.empty(); todo.pop()) {
            for (std::size_t p = 0; p < pairs.size(); ++p) {
                auto const [a, b] = pairs[p];
                index const other = a == todo.front() ? b : b == todo.front() ? a : -1;
                if (!edge[p] || other < 0 || smallest[static_cast<std::size_t>(other)] >= 0) continue;
                smallest[static_cast<std::size_t>(other)] = start;
                todo.push(other);
            }
        }
    }
    return smallest;
}

TEMPLATE_TEST_CASE("partitions of a context are those of a search over all its paths", "[sweep][genealogy]", float,
                   double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto prompts = tiny::random_prompts(3, {6, 5, 6, 3, 6, 6, 1, 6, 7, 6}, 37);
    prompts[9] = prompts[2];  // a degenerate pair
    auto const count = std::ssize(prompts);
    auto const pairs = corpus::all_pairs(count);
    index const steps = GENERATE(2, 3, 12), in = GENERATE(0, 3, 6);
    auto const activations = sweep::last_activations(model(2), prompts, "blocks.0.hook_resid_post");
    sweep::partition_options o{.steps = steps, .same_region = 1.3};
    auto const found = sweep::partition_in_context<T>(model(2), {prompts, activations, in}, o);
    o.points_together = 40;  // several sweeps, and threads
    auto const again = sweep::partition_in_context<T>(model(1), {prompts, activations, in}, o);
    CHECK(found.labels == again.labels);
    CHECK(found.joined == again.joined);
    CHECK(found.smooth == again.smooth);
    CHECK(found.paths.width.size() == pairs.size());

    engine::predictions<T> all{std::ssize(pairs), steps, 1};
    auto const curves = sweep::lines_in_context<T>(model(1), {prompts, activations, in}, pairs, steps, o.where,
                                                   engine::read_predictions(model(1).engine(), all));
    std::vector<bool> keeps, smooth;
    for (index p = 0; p < std::ssize(pairs); ++p) {
        auto const ends = pairs[static_cast<std::size_t>(p)];
        bool one = true;
        for (index i = 0; i < steps; ++i) one = one && all.best(p, i, 0).token == all.best(p, 0, 0).token;
        CHECK(all.best(p, 0, 0).token == found.labels[static_cast<std::size_t>(ends[0])]);
        CHECK(all.best(p, steps - 1, 0).token == found.labels[static_cast<std::size_t>(ends[1])]);
        keeps.push_back(one);
        auto const relative = plateau::metrics::relative_distance(curves[p]);
        double const slope = plateau::metrics::max_slope(relative).value;
        smooth.push_back(std::isnan(slope) || slope < o.same_region);
        auto const& numbers = found.paths;
        auto const k = static_cast<std::size_t>(p);
        CHECK((numbers.slope[k] == slope || (std::isnan(slope) && std::isnan(numbers.slope[k]))));
        if (std::isnan(slope)) continue;
        CHECK(numbers.interior[k] == (relative[1] - relative[0]) * static_cast<double>(steps - 1));
        CHECK(numbers.width[k] == plateau::metrics::transition_of(curves.alpha, relative).width);
        CHECK(numbers.flanks[k] == plateau::metrics::switch_concentration_of(curves.alpha, relative).flanks);
    }
    CHECK(found.joined == reached(count, pairs, keeps));
    CHECK(found.smooth == reached(count, pairs, smooth));
    CHECK(found.joined[9] == found.joined[2]);

    // pairs with the context itself are those that every sweep has, and its own label that of its own run
    std::vector<engine::prompt_pair> own;
    for (index j = 0; j < count; ++j) own.push_back({in, j});
    auto const known = sweep::interpolate(model(2), prompts, own, steps);
    for (index p = 0; p < std::ssize(pairs); ++p) {
        auto const [i, j] = pairs[static_cast<std::size_t>(p)];
        if (i != in) continue;
        for (index s = 0; s < steps; ++s) CHECK(curves.distances(p, s) == known.distances(j, s));
    }
    CHECK(found.labels[static_cast<std::size_t>(in)] ==
          sweep::likeliest_tokens(model(2), prompts)[static_cast<std::size_t>(in)]);
}

TEST_CASE("partitions that cannot be are errors", "[sweep][genealogy]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(3, {4, 4, 4}, 37);
    auto const activations = sweep::last_activations(model(1), prompts, "blocks.0.hook_resid_post");
    auto const refused = [&](sweep::line_context<float> const& where, index steps) {
        CHECK_THROWS_AS(sweep::partition_in_context<float>(model(1), where, {.steps = steps}), usage_error);
    };
    refused({prompts, activations, 0}, 1);
    refused({prompts, activations, 3}, 5);
    refused({prompts, activations, -1}, 5);
    prompt_list const one{prompts[0]};
    refused({one, activations, 0}, 5);
    CHECK(sweep::genealogy_of(prompts, {}).contexts == sweep_labels{0, 1, 2});
    CHECK(sweep::genealogy_of(prompts, {2, 0}).contexts == sweep_labels{2, 0});
    CHECK_THROWS_AS(sweep::genealogy_of(prompts, {3}), usage_error);
    CHECK_THROWS_AS(sweep::genealogy_of(prompts, {-1}), usage_error);
    CHECK_THROWS_AS(sweep::genealogy_of(prompts, {1, 1}), usage_error);
    CHECK_THROWS_AS(sweep::genealogy_of(one, {}), usage_error);
}

/// Labels of 12 prompts at three checkpoints, the same in two contexts but for one prompt in the second: 0 splits in 0
/// and 4, then 1 and 2 merge; paths are planted too.
sweep::genealogy planted() {
    sweep::genealogy all = sweep::genealogy_of(prompt_list(12, {1}), {0, 5});
    sweep_labels const by_checkpoint[3]{{0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2},
                                        {0, 0, 0, 0, 4, 4, 1, 1, 1, 2, 2, 2},
                                        {0, 0, 0, 0, 4, 4, 1, 1, 1, 1, 1, 1}};
    auto const pairs = corpus::all_pairs(12);
    for (int k = 0; k < 3; ++k) {
        for (int c = 0; c < 2; ++c) {
            sweep::context_partition one;
            one.labels = by_checkpoint[k];
            if (c == 1) one.labels[11] = 7;  // alone
            one.joined = one.smooth = one.labels;
            for (auto const& [i, j] : pairs) {
                double const own = static_cast<double>(i + j);
                one.paths.slope.push_back(2 + k + own / 100);
                one.paths.interior.push_back(own - k);
                one.paths.drift.push_back(1);
                one.paths.width.push_back(0.5 + own / 100 + 0.1 * k);
                one.paths.gain.push_back(1), one.paths.flanks.push_back(0.2), one.paths.window.push_back(0.3);
            }
            one.paths.width[0] = NAN;
            all.partitions.push_back(std::move(one));
        }
    }
    return all;
}

TEST_CASE("a planted genealogy has the numbers and the tree that were planted", "[sweep][genealogy]") {
    auto const all = planted();
    REQUIRE(all.checkpoints() == 3);
    auto const spans = sweep::checkpoint_spans(3);
    CHECK(spans == std::vector<sweep::checkpoint_span>{{0, 1}, {1, 2}, {0, 2}});
    CHECK(sweep::checkpoint_spans(2) == std::vector<sweep::checkpoint_span>{{0, 1}});
    auto const& token = sweep::partition_rules[0];
    // together at first: 15 + 3 + 3 in one context, 15 + 3 + 1 in the other; the split takes 8 of each
    auto const split = sweep::change_between(all, token, {0, 1}, {.resamples = 50});
    CHECK_THAT(split.splitting.value, WithinAbs(16.0 / 40, 1e-14));
    CHECK(split.merging.value == 0);
    auto const merge = sweep::change_between(all, token, {1, 2}, {.resamples = 50});
    CHECK(merge.splitting.value == 0);
    CHECK_THAT(merge.merging.value, WithinAbs((9.0 + 6) / (2 * 66 - 13 - 11), 1e-14));
    // from context to context, both ways: the odd one is apart from 2 others, of 21 and 19 pairs together
    auto const floor = sweep::change_of_context(all, token, 0, {.resamples = 50});
    CHECK_THAT(floor.splitting.value, WithinAbs(2.0 / (21 + 19), 1e-14));
    CHECK_THAT(floor.merging.value, WithinAbs(2.0 / (2 * 66 - 40), 1e-14));
    auto const information = sweep::information_between(all, token, {0, 1}, {.permutations = 20});
    CHECK_THAT(information.splitting.value,  // ½ H(⅓) in both, one more cell after in each
               WithinAbs(0.5 * (std::log(3.0) - 2.0 / 3 * std::log(2.0)) + 1.0 / 24, 1e-12));
    CHECK_THAT(information.merging.value, WithinAbs(0, 1e-12));

    auto const tree = sweep::tree_of(all);
    CHECK(tree.lineage == std::vector<sweep_labels>{{0, 1, 2}, {0, 1, 2, 3}, {0, 1, 3}});
    CHECK(tree.sizes[2] == sweep_labels{4, 6, 2});
    CHECK(tree.lineages() == 4);
    CHECK(tree.peaks() == sweep_labels{6, 6, 3, 2});
    CHECK(tree.steps[0].births() == 1);
    CHECK(tree.steps[0].splits() == 1);
    CHECK(tree.steps[1].deaths() == 1);
    CHECK(tree.steps[1].merges() == 1);
    auto const csv = sweep::csv_of(tree, {0, 8, 64});
    CHECK_THAT(csv, plateau::testing::contains("0,8,0,3,0,4,2,split\n"));
    CHECK_THAT(csv, plateau::testing::contains("8,64,2,1,2,1,3,merge\n"));
    auto const figure = sweep::figure_of(tree, {0, 8, 64}, [](index label) { return std::to_string(label); });
    REQUIRE(figure.columns.size() == 3);
    CHECK(figure.columns[1].bars.size() == 4);
    CHECK(figure.columns[0].bars[0].name == "0  6");
    CHECK(figure.bands[0].size() == 4);
    double passed = 0;
    for (auto const& band : figure.bands[1]) passed += band.size;
    CHECK(passed == 12);
}

TEST_CASE("stability is of pairs that are apart at both checkpoints, and of what changes in each",
          "[sweep][genealogy]") {
    auto const all = planted();
    sweep::pair_resampling const resampling{{.resamples = 60}};
    auto const found = sweep::stability_between(all, {0, 1}, resampling);
    CHECK(found.items == 2 * 66 - 21 - 19);
    CHECK(found.interior.change.value == -1);
    CHECK(found.interior.change.low == -1);
    CHECK(found.drift.change.value == 0);
    CHECK_THAT(found.width.change.value, WithinAbs(0.1, 1e-12));
    CHECK_THAT(found.width.after.value - found.width.before.value, WithinAbs(0.1, 1e-12));
    CHECK(found.width.before.low < found.width.before.high);
    auto const medians =
        sweep::medians_at(all, 0, {&sweep::path_numbers::slope, &sweep::path_numbers::gain}, resampling);
    CHECK_THAT(medians[0].value, WithinAbs(2.11, 1e-12));
    CHECK(medians[1].value == 1);

    auto const sharp = sweep::sharpness_clock(all, resampling);
    CHECK_THAT(sharp.curve.value[2] - sharp.curve.value[0], WithinAbs(2, 1e-12));
    CHECK(sharp.checkpoint == 2);
    std::vector<double> divergence;
    for (auto const& [i, j] : corpus::all_pairs(12)) divergence.push_back(-static_cast<double>(i + j));
    auto const order = sweep::order_clock(all, divergence, resampling);
    CHECK_THAT(order.curve.value[1], WithinAbs(-1, 1e-12));
    CHECK(order.checkpoint == 0);
    auto const nothing = sweep::order_clock(all, std::vector<double>(divergence.size(), NAN), resampling);
    CHECK(std::isnan(nothing.curve.value[0]));
    CHECK_FALSE(nothing.checkpoint.has_value());
}

TEST_CASE("numbers of a genealogy do not depend on threads, and tables tell all of them", "[sweep][genealogy]") {
    auto const all = planted();
    auto const with = [&](int threads, std::vector<double> const& divergence) {
        return sweep::numbers_of(all, divergence, {{.resamples = 40}, threads});
    };
    std::vector<double> const divergence(66, 0.5);
    auto const one = with(1, divergence), three = with(3, divergence), without = with(1, {});
    std::vector<index> const steps{0, 8, 64};
    sweep::genealogy_tables const tables{one, steps}, same{three, steps}, fewer{without, steps};
    CHECK(tables.splitting().csv() == same.splitting().csv());
    CHECK(tables.information_csv() == same.information_csv());
    CHECK(tables.stability().csv() == same.stability().csv());
    CHECK(tables.clocks().csv() == same.clocks().csv());
    CHECK(tables.text() == same.text());
    CHECK_THAT(tables.splitting().csv(), plateau::testing::contains("token,0,8,0.40000000000000002,"));
    CHECK_THAT(tables.splitting().csv(), plateau::testing::contains("slope,64,other context,"));
    CHECK(tables.by_name().size() == 12);
    CHECK(tables.by_name()[0].first == "splitting_token");
    CHECK(tables.by_name()[0].second.size() == 3);
    CHECK(tables.clock_steps()[0].second == 64);
    CHECK_FALSE(fewer.clock_steps()[1].second.has_value());
    CHECK(sweep::genealogy_panels(one, steps).all().size() == 6);
    CHECK(sweep::genealogy_panels(without, steps).all().size() == 5);

    // one context has no other; two prompts have no interval; nothing is apart
    auto alone = sweep::genealogy_of(prompt_list(2, {1}), {0});
    for (int k = 0; k < 2; ++k) {
        sweep::context_partition p{{4, 4}, {0, 0}, {0, 0}, {}};
        std::vector<double> const alpha{0, 0.5, 1}, d{0, 1, 4};
        p.paths.add(alpha, d, k == 0 ? 0 : 100);  // degenerate at the second
        alone.partitions.push_back(p);
    }
    auto const little = sweep::numbers_of(alone, {0.3}, {{.resamples = 10}});
    CHECK(little.rules[0].changes[0].splitting.value == 0);
    CHECK(std::isnan(little.rules[0].changes[0].merging.value));
    CHECK(std::isnan(little.rules[0].floors[0].splitting.value));
    CHECK(little.stabilities[0].items == 0);
    CHECK(std::isnan(little.stabilities[0].width.change.value));
    CHECK(little.sharpness.curve.value[0] == 1.5);
    CHECK(std::isnan(little.sharpness.curve.low[0]));
    CHECK_FALSE(little.sharpness.checkpoint.has_value());
    std::vector<index> const two_steps{0, 8};
    sweep::genealogy_tables const of_little{little, two_steps};
    CHECK_FALSE(of_little.text().empty());
}

/// Coverage of intervals and of bands.
struct coverage {
    double held = 0;
    void add(bool holds, index repetitions) { held += (holds ? 1.0 : 0.0) / static_cast<double>(repetitions); }
    void check(char const* what) const {
        WARN(what << " " << held);
        CHECK(held >= 0.92);
        CHECK(held <= 0.97);
    }
};
bool holds(statistics::estimate const& one, double truth) { return one.low <= truth && truth <= one.high; }

TEST_CASE("intervals of stability and of medians cover as they say", "[sweep][genealogy][coverage][full]") {
    index const prompts = 60, repetitions = 1000;
    auto const pairs = corpus::all_pairs(prompts);
    coverage before, after, change, median;
    for (index k = 0; k < repetitions; ++k) {
        counter_rng rng{static_cast<std::uint64_t>(7919 * k + 3)};
        auto all = sweep::genealogy_of(prompt_list(static_cast<std::size_t>(prompts), {1}), {0, 1});
        std::vector<double> steady, moving;
        for (index i = 0; i < prompts; ++i)
            steady.push_back(standard_normal(rng)), moving.push_back(standard_normal(rng));
        for (int at = 0; at < 4; ++at) {  // [checkpoint, context]
            sweep::context_partition one;
            for (index i = 0; i < prompts; ++i) one.labels.push_back(static_cast<index>(rng.below(4)));
            for (auto const& [i, j] : pairs) {
                auto const a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
                double value = 1 + steady[a] + steady[b] + 0.5 * standard_normal(rng);
                if (at >= 2) value += 0.2 + 0.4 * (moving[a] + moving[b]) + 0.5 * standard_normal(rng);
                one.paths.width.push_back(value);
            }
            one.paths.interior = one.paths.drift = one.paths.slope = one.paths.width;
            all.partitions.push_back(std::move(one));
        }
        sweep::pair_resampling const resampling{{.resamples = 300, .seed = static_cast<std::uint64_t>(k)}};
        auto const found = sweep::stability_between(all, {0, 1}, resampling);
        before.add(holds(found.width.before, 1), repetitions);
        after.add(holds(found.width.after, 1.2), repetitions);
        change.add(holds(found.width.change, 0.2), repetitions);
        median.add(holds(sweep::medians_at(all, 0, {&sweep::path_numbers::slope}, resampling)[0], 1), repetitions);
    }
    before.check("median before");
    after.check("median after");
    change.check("median of differences");
    median.check("median of all pairs");
}

TEST_CASE("bands of sharpness and of the order of pairs cover as they say", "[sweep][genealogy][coverage][full]") {
    index const prompts = GENERATE(25, 50), repetitions = 1000;
    int const checkpoints = 5;
    double const r[checkpoints]{0, -0.2, -0.5, -0.7, -0.7};
    auto const pairs = corpus::all_pairs(prompts);
    coverage sharpness, order;
    for (index k = 0; k < repetitions; ++k) {
        counter_rng rng{static_cast<std::uint64_t>(104729 * k + 7)};
        auto all = sweep::genealogy_of(prompt_list(static_cast<std::size_t>(prompts), {1}), {0});
        std::vector<double> u, v(static_cast<std::size_t>(prompts)), divergence;
        for (index i = 0; i < prompts; ++i) u.push_back(standard_normal(rng));
        auto const sum = [](std::vector<double> const& of, corpus::pair const& pair) {
            return (of[static_cast<std::size_t>(pair[0])] + of[static_cast<std::size_t>(pair[1])]) / std::sqrt(2.0);
        };
        for (auto const& pair : pairs) divergence.push_back(sum(u, pair));
        for (double& x : v) x = standard_normal(rng);
        for (int t = 0; t < checkpoints; ++t) {
            for (double& x : v) x = 0.8 * x + 0.6 * standard_normal(rng);  // a chain over the training
            sweep::context_partition one;
            for (auto const& pair : pairs) {
                double const noise = sum(v, pair);
                one.paths.width.push_back(r[t] * sum(u, pair) + std::sqrt(1 - r[t] * r[t]) * noise);
                one.paths.slope.push_back(2 + t + noise + 0.5 * standard_normal(rng));
            }
            all.partitions.push_back(std::move(one));
        }
        sweep::pair_resampling const resampling{{.resamples = 300, .seed = static_cast<std::uint64_t>(k)}};
        auto const sharp = sweep::sharpness_clock(all, resampling).curve;
        auto const ordered = sweep::order_clock(all, divergence, resampling).curve;
        bool in_sharp = true, in_order = true;
        for (int t = 0; t < checkpoints; ++t) {
            auto const c = static_cast<std::size_t>(t);
            double const rho = 6 / std::numbers::pi * std::asin(r[t] / 2);  // Spearman's of a normal pair
            in_sharp = in_sharp && sharp.low[c] <= 2 + t && 2 + t <= sharp.high[c];
            in_order = in_order && ordered.low[c] <= rho && rho <= ordered.high[c];
        }
        sharpness.add(in_sharp, repetitions);
        order.add(in_order, repetitions);
    }
    sharpness.check("band of sharpness");
    order.check("band of the order of pairs");
}

}  // namespace
