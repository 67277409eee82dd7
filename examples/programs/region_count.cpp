// Region count: how often two prompts lie in one stable region, and how many regions that speaks for.
//
//     region_count --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 2000 --pairs disjoint --steps 30
//     --out results
//
// Two prompts lie in one region if nothing jumps between them: if the max slope of d(α)/d(1) stays below a threshold,
// or by other signs. If P is how often that is so, there are 1/P regions in effect, and more if they differ in size.
// See Janiak et al. 2024, arXiv 2409.17113, appendix G.

#include <plateau/program/pairs.hpp>
#include <plateau/sweep/labelled_lines.hpp>
#include <plateau/sweep/likeliest_tokens.hpp>
#include <plateau/sweep/same_region.hpp>
#include <plateau/viz/curves.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::estimate;
using statistics::with_interval;

program::manifest const leaves{
    .axes = "P pairs, S steps, N prompts, T tokens of the longest",
    .files = {{"relative.npy", "float64 [P,S]", "d(alpha)/d(1), no unit; NaN for a degenerate pair"},
              {"max_slope.npy", "float64 [P]", "its largest step, x (S-1): per unit of alpha"},
              {"lipschitz.npy", "float64 [P]", "largest step / mean of the first ten, no unit"},
              {"path_labels.npy", "int64 [P,S]",
               "the likeliest next token along the path, in the context of the first prompt"},
              {"labels.npy", "int64 [N]", "the likeliest next token of each prompt's own run"},
              program::tokens_file,
              program::lengths_file,
              program::pairs_file,
              {"region_count.csv", "", "the first table, every number with its 95 % interval (_low, _high)"},
              {"same_region.csv", "", "the second table"},
              {"region_count.png", "", "the curves, and the histogram of max slopes"}},
    .summary =
        "pairs, steps, degenerate_pairs, max_slope_quantiles (5, 25, 50, 75, 95, 99 %), same_region (thresholds), "
        "and by threshold [value, low, high] of same_region_share, regions_equal, regions_shape_2",
    .notes = {
        "First table. P is the share of pairs in one region by that sign; `equal sizes` the number of regions 1/P "
        "if all are of one size, the least that P allows; `sizes of shape 2` (1 + 1/2)/P, if sizes are spread as "
        "the published script has it (negative binomial of shape 2). Signs of the pairs: thresholds of the max "
        "slope; a Lipschitz ratio below 1.5; the likeliest token the same all along the path. Signs of the "
        "prompts alone, over every two of them: the same likeliest token, and, for comparison, the same last "
        "token.",
        "Second table. Of the pairs with a max slope that small, or of all: how many share the last token, and "
        "the likeliest next one.",
        "Intervals: moving blocks of a chain's pairs, Wilson's of disjoint ones and of the second table, prompts "
        "drawn again otherwise.",
        program::prompts_note}};

struct options : program::pair_options {
    std::vector<double> same_region{1.2, 1.5};
};

struct results {
    prompt_list prompts;
    sweep::pair_design design;
    sweep::transitions curves = {};
    std::vector<double> lipschitz = {};                ///< [P]
    std::vector<index> labels = {}, path_labels = {};  ///< [N], [P,S]
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto prompts = program::load_prompts(o, model, false);
    results all{prompts, program::pairs_of(o, prompts)};
    index const count = all.design.count();
    program::require_memory(o.steps, (count + 1) * 6 * index{sizeof(double)},
                            concat({o.steps, " steps of ", count, " pairs"}), "ask for fewer steps or pairs");
    study.meter.expect(count * o.steps);
    auto const where = o.sites(study.meter);
    auto swept = program::sweep_pairs(study, prompts, all.design, o.steps, [&](auto const& pairs, index) {
        return sweep::labelled_lines(model, prompts, pairs, o.steps, where);
    });
    all.curves = sweep::transitions_of(swept.curves.alpha, swept.curves.distances, o.min_d1);
    std::ranges::copy(sweep::likeliest_tokens(model, prompts), std::back_inserter(all.labels));
    all.path_labels = std::move(swept.labels);
    all.lipschitz = sweep::lipschitz_ratios(all.curves, swept.curves);
    return all;
}

/// The tables, and the numbers of the first one's thresholds.
struct tables {
    statistics::interval_table counts{{"one region if", "of"}, {"P", "regions, equal sizes", "sizes of shape 2"}, 4};
    statistics::interval_table who{{"pairs with", "how many"}, {"same last token", "same likeliest token"}, 3};
    statistics::interval_table quantiles{{"max slope"}, {"value"}};
    std::vector<estimate> share = {}, equal = {}, shape_2 = {}, slopes = {};

    void add(std::string const& sign, std::string const& of, estimate const& same) {
        counts.row({sign, of}, {same, statistics::region_count(same, INFINITY), statistics::region_count(same, 2)});
    }
};

tables tables_of(options const& o, results const& found) {
    tables all;
    auto const& [prompts, design, curves, lipschitz, labels, path_labels] = found;
    auto const last_tokens = sweep::last_tokens(prompts);
    auto const same_last = sweep::same_label(curves, design, last_tokens),
               same_next = sweep::same_label(curves, design, labels),
               any = sweep::indicator(curves, [](std::size_t) { return true; });
    auto const how_many = [](std::vector<double> const& is) { return std::to_string(std::ranges::count(is, 1.0)); };
    auto const pairs = concat({design.count() - curves.degenerate, " pairs"}),
               every_two = concat({"every 2 of ", prompts.size()});
    for (double const limit : o.same_region) {
        auto const is = sweep::indicator(curves, [&](std::size_t p) { return found.curves.max_slope[p] < limit; });
        auto const name = "max slope < " + fixed(limit, 2);
        auto const& same = all.share.emplace_back(design.share(is));
        all.equal.push_back(statistics::region_count(same, INFINITY));
        all.shape_2.push_back(statistics::region_count(same, 2));
        all.add(name, pairs, same);
        all.who.row({name, how_many(is)}, {sweep::share_among(is, same_last), sweep::share_among(is, same_next)});
    }
    all.who.row({"any", how_many(any)}, {design.share(same_last), design.share(same_next)});
    auto const smooth = sweep::indicator(curves, [&](std::size_t p) { return found.lipschitz[p] < 1.5; });
    all.add("Lipschitz ratio < 1.5", pairs, design.share(smooth));
    all.add("one token likeliest all along", pairs, design.share(sweep::one_label(curves, path_labels)));
    all.add("same likeliest token", every_two, statistics::same_region_estimate(labels, design.resampling));
    all.add("same last token", every_two, statistics::same_region_estimate(last_tokens, design.resampling));
    for (double const q : {0.05, 0.25, 0.5, 0.75, 0.95, 0.99}) {
        all.slopes.push_back(design.interval(std::span<double const>{curves.max_slope}, statistics::quantile_of{q}));
        all.quantiles.row({fixed(100 * q, 0) + " %"}, {all.slopes.back()});
    }
    return all;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (std::ranges::any_of(o.same_region, [](double limit) { return !(limit > 0); }))
        throw usage_error("--same-region must be slopes above 0");
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    auto const text = tables_of(o, all);
    viz::curve_figure const figure{
        .alpha = all.curves.alpha,
        .relative = tensor::view<double const, 2>{all.curves.relative.data(), {all.design.count(), o.steps}},
        .max_slope = all.curves.max_slope,
        .title = program::title_of(o),
        .subtitle = "P(max slope < " + fixed(o.same_region[0], 2) + ") = " + with_interval(text.share[0], 4) +
                    ":  in effect " + with_interval(text.equal[0], 0) + " regions"};

    auto& out = study.out();
    program::write_prompts_and_pairs(out, all.prompts, all.design);
    program::write_transitions(out, all.curves);
    out.array("lipschitz.npy", all.lipschitz);
    out.array("path_labels.npy", all.path_labels);
    out.array("labels.npy", all.labels);
    out.text("region_count.csv", text.counts.csv());
    out.text("same_region.csv", text.who.csv());
    out.picture("region_count.png", [&](std::ostream& to) { viz::write_curves(figure, to); });
    study.summary = {{"pairs", all.design.count()},
                     {"steps", o.steps},
                     {"degenerate_pairs", all.curves.degenerate},
                     {"max_slope_quantiles", text.slopes},
                     {"same_region", o.same_region},
                     {"same_region_share", text.share},
                     {"regions_equal", text.equal},
                     {"regions_shape_2", text.shape_2}};
    study.report(o,
                 concat({program::model_text(o), ": ", all.design.count(), " pairs x ", o.steps, " steps, ",
                         o.write_site, " -> ", o.read_site, "; 95 % intervals in brackets\n"}),
                 text.quantiles.render() + '\n' + text.counts.render() + '\n' + text.who.render() +
                     program::degenerate_text(all.curves));
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"region_count",
                         "How often two prompts lie in one stable region, and how many regions that speaks for.",
                         leaves};
    options o;
    program::add_study_options(study, o);
    program::add_pair_options(study.app, o);
    program::add_site_options(study.app, o);
    program::add_option(study.app, "--same-region", &o.same_region,
                        "thresholds, separated by commas: a pair with a max slope below lies in one region")
        .with_commas();
    return study.run(argc, argv, [&] { run(study, o); });
}
