// Emergence: how stable regions come about in training, on the same prompts and pairs at every checkpoint.
//
//     emergence --out results                      (the checkpoints of the embedded model)
//     emergence --checkpoints step1000,step16000,step143000 --prompts prompts.txt --out results
//
// What sharpens the curves has three parts, told apart here: more pairs lie in different regions, the boundaries
// between those that do are sharper, and they are crossed at the same place. See Janiak et al. 2024, arXiv 2409.17113,
// section 4 and footnote 5.

#include <plateau/paths/grid.hpp>
#include <plateau/program/checkpoints.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/emergence.hpp>

namespace {

using namespace plateau;
using models::training_checkpoint;
using plateau::index;
using statistics::estimate;
using sweep::training_moment;

program::manifest const leaves{
    .axes = "C checkpoints in the order given, P pairs, S steps, N prompts, T tokens of the longest",
    .files =
        {{"steps.npy", "int64 [C]",
          "training steps: the number after the last \"step\" of a name, else its last one, else one more than before"},
         {"relative.npy", "float64 [C,P,S]", "d(alpha)/d(1), no unit; NaN for a degenerate pair"},
         {"median_curve.npy", "float64 [C,S]", "its median over pairs, point by point"},
         {"max_slope.npy", "float64 [C,P]", "largest step of the relative curve, x (S-1): per unit of alpha"},
         {"alpha_jump.npy", "float64 [C,P]", "where that step is: alpha, in [0,1]"},
         {"width.npy", "float64 [C,P]", "alpha at 0.9 - alpha at 0.1 of the isotonic fit"},
         program::tokens_file,
         program::lengths_file,
         program::pairs_file,
         {"emergence.csv", "C rows", "what the first two tables say, every number with its interval (_low, _high)"},
         {"changes.csv", "C-1 rows", "what the third table says"},
         {"emergence.png", "", "median max slope against the step, and the median curve of every checkpoint"}},
    .summary =
        "checkpoints (names), pairs, steps, same_region (the threshold), and by checkpoint [value, low, high] of "
        "max_slope_median, max_slope_mean, width_median, cross_share, cross_level, jump_spread, "
        "median_curve_width",
    .notes = {"Tables. A pair is taken to cross a boundary if its max slope is --same-region or more. `share across`: "
              "share of the pairs that do: new regions. `level across`: median max slope of those. `jump spread`: "
              "interquartile range of alpha_jump of those: jumps at one place, or anywhere; in alpha. `width of "
              "medians`: width of the median curve: wider than the median width as far as jumps are spread.",
              "From one checkpoint to the next the mean of max slopes changes by the sum of three parts: new regions "
              "(change of the share x gap between the levels), sharper boundaries (change of the level across x "
              "share), and the rest (change of the level of the others). The level of the pairs that are across at "
              "both (how many: `both`) changes by `same pairs` in the median, which no change of membership can cause. "
              "95 % intervals: moving blocks of a chain's pairs, prompts drawn again where pairs share them otherwise.",
              program::prompts_note}};

struct options : program::pair_options, program::checkpoint_options {
    double same_region = 1.5;
};

/// What is reported: the moments are in the order of the checkpoints.
struct results {
    std::vector<training_checkpoint> checkpoints;
    prompt_list prompts = {};  ///< of the first checkpoint, the same for all
    sweep::pair_design design = {};
    std::vector<training_moment> moments = {};
};

/// Adds a checkpoint to what is known.
template <class T>
void measure(options const& o, model<T> const& model, program::study& study, results& all) {
    auto& meter = study.meter;
    if (all.prompts.empty()) {
        all.prompts = program::load_prompts(o, model, false);
        all.design = program::pairs_of(o, all.prompts);
        meter.points = static_cast<index>(all.checkpoints.size()) * all.design.count() * o.steps;
    }
    meter.show(all.design.count() * o.steps, all.checkpoints[all.moments.size()].name + ": points");
    auto const curves = program::sweep_lines(study, model, all.prompts, all.design, o.steps, o.sites());
    meter.end();
    auto numbers = sweep::transitions_of(curves.alpha, curves.distances, o.min_d1);
    all.moments.push_back(sweep::moment_of(all.design, std::move(numbers), o.same_region));
}

struct tables {
    statistics::interval_table sharpness{{"step"}, {"median max slope", "mean max slope", "median width"}, 2};
    statistics::interval_table factors{
        {"step"}, {"share across", "level across", "jump spread", "width of medians"}, 2};
    statistics::interval_table all{{"checkpoint", "step", "degenerate"},
                                   {"max_slope_median", "max_slope_mean", "width_median", "cross_share", "cross_level",
                                    "jump_spread", "median_curve_width"}};
    statistics::interval_table parts{
        {"from", "to", "both"}, {"change of mean", "new regions", "sharper boundaries", "the rest", "same pairs"}, 2};
};

tables tables_of(options const& o, results const& found) {
    tables text;
    for (std::size_t c = 0; c < found.moments.size(); ++c) {
        auto const& m = found.moments[c];
        auto const step = std::to_string(found.checkpoints[c].step);
        text.sharpness.row({step}, {m.slope, m.slope_mean, m.width});
        text.factors.row({step}, {m.share, m.level, m.spread, m.median_width});
        text.all.row({found.checkpoints[c].name, step, std::to_string(m.curves.degenerate)},
                     {m.slope, m.slope_mean, m.width, m.share, m.level, m.spread, m.median_width});
        if (c == 0) continue;
        auto const x = sweep::change_of(found.design, found.moments[c - 1], m, o.same_region);
        text.parts.row({std::to_string(found.checkpoints[c - 1].step), step, std::to_string(x.both)},
                       {x.total, x.from_share, x.from_above, x.from_below, x.same_pairs});
    }
    return text;
}

/// Median curves from light to dark in the order of training.
viz::labelled_panel medians_panel(results const& found) {
    viz::labelled_panel panel{"median curve of every checkpoint",
                              {"α  (from A to B)"},
                              {"d(α) / d(1)"},
                              {},
                              {{.diagonal = true, .label = "no plateau"}}};
    auto const count = found.moments.size();
    for (std::size_t c = 0; c < count; ++c) {
        double const age = count < 2 ? 1 : static_cast<double>(c) / static_cast<double>(count - 1);
        panel.curves.push_back({.label = concat({"step ", found.checkpoints[c].step}),
                                .x = found.moments[c].curves.alpha,
                                .y = found.moments[c].median_curve,
                                .ink = viz::colour{0.80 * (1 - age), 0.82 - 0.55 * age, 0.93 - 0.38 * age}});
    }
    return panel;
}

viz::labelled_figure figure_of(options const& o, results const& found) {
    std::vector<double> steps;  // + 1, so that step 0 has a place on a logarithmic axis
    for (auto const& one : found.checkpoints) steps.push_back(static_cast<double>(one.step + 1));
    auto const curve = [&](char const* label, estimate training_moment::*number) {
        std::vector<estimate> values;
        for (auto const& m : found.moments) values.push_back(m.*number);
        auto of = viz::curve_of(label, steps, values);
        of.points = true;
        return of;
    };
    viz::curve_axis const step{"training step + 1", true};
    return {.title = o.checkpoints.empty() ? program::title_of(o) + ": checkpoints of its training"
                                           : found.checkpoints.front().name + " … " + found.checkpoints.back().name,
            .counts = concat({found.design.count(), " pairs × ", o.steps, " steps, 95 % intervals"}),
            .subtitle = o.write_site + " → " + o.read_site + ";  a pair is across a boundary if its max slope is " +
                        fixed(o.same_region, 2) + " or more",
            .panels = {{"sharpness",
                        step,
                        {"max slope of d(α) / d(1)"},
                        {curve("median of all pairs", &training_moment::slope),
                         curve("of pairs across a boundary", &training_moment::level)},
                        {{1, false, false, "no plateau"}}},
                       medians_panel(found),
                       {"new regions",
                        step,
                        {"share of pairs across a boundary"},
                        {curve("max slope at the threshold or above", &training_moment::share)}},
                       {"places of the jumps",
                        step,
                        {"α"},
                        {curve("interquartile range of the places", &training_moment::spread),
                         curve("width of the median curve", &training_moment::median_width),
                         curve("median width", &training_moment::width)}}}};
}

void write(program::study& study, options const& o, results const& found, tables const& text) {
    auto& out = study.out();
    std::vector<index> steps;
    std::vector<std::string> names;
    for (auto const& one : found.checkpoints) steps.push_back(one.step), names.push_back(concat({"step ", one.step}));
    out.axis("S", paths::even_grid(0, 1, o.steps));
    out.axis("C", names);
    program::write_prompts_and_pairs(out, found.prompts, found.design);
    auto const add = [&](char const* name, std::vector<double> sweep::transitions::*which) {
        out.array(
            name, found.moments, [which](training_moment const& m) -> auto& { return m.curves.*which; });
    };
    out.array("steps.npy", steps);
    add("relative.npy", &sweep::transitions::relative);
    out.array("median_curve.npy", found.moments, &training_moment::median_curve);
    add("max_slope.npy", &sweep::transitions::max_slope);
    add("alpha_jump.npy", &sweep::transitions::alpha_jump);
    add("width.npy", &sweep::transitions::width);
    out.text("emergence.csv", text.all.csv());
    out.text("changes.csv", text.parts.csv());
    program::draw(out, "emergence.png", figure_of(o, found));
    auto& summary = study.summary;
    for (auto const& one : found.checkpoints) summary["checkpoints"].push_back(one.name);
    summary["pairs"] = found.design.count();
    summary["steps"] = o.steps;
    summary["same_region"] = o.same_region;
    for (auto const& m : found.moments) {
        summary["max_slope_median"].push_back(m.slope);
        summary["max_slope_mean"].push_back(m.slope_mean);
        summary["width_median"].push_back(m.width);
        summary["cross_share"].push_back(m.share);
        summary["cross_level"].push_back(m.level);
        summary["jump_spread"].push_back(m.spread);
        summary["median_curve_width"].push_back(m.median_width);
    }
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (!(o.same_region > 0)) throw usage_error("--same-region must be a slope above 0");
    results all{program::checkpoints_of(o, o.model)};
    for (auto const& one : all.checkpoints) {
        auto of_checkpoint = o;
        of_checkpoint.model = one.path;
        study.measure(of_checkpoint, [&]<class T>(model<T> const& model) { measure(o, model, study, all); });
    }
    auto const text = tables_of(o, all);
    write(study, o, all, text);
    std::string degenerate;
    for (std::size_t c = 0; c < all.moments.size(); ++c)
        degenerate += program::degenerate_text(all.moments[c].curves, " of " + all.checkpoints[c].name);
    study.report(o,
                 concat({all.checkpoints.size(), " checkpoints, ", all.design.count(), " pairs x ", o.steps, " steps, ",
                         o.write_site, " -> ", o.read_site, "; 95 % intervals in brackets\n"}),
                 text.sharpness.render() + '\n' + text.factors.render() + '\n' + text.parts.render() + degenerate);
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "emergence", "Emergence of stable regions in training: sharpness at every checkpoint, and what it is made of.",
        leaves};
    options o;
    program::add_study_options(study, o);
    program::add_checkpoint_options(study.app, o);
    program::add_pair_options(study.app, o);
    program::add_site_options(study.app, o);
    program::add_option(study.app, "--same-region", &o.same_region,
                        "a pair with a max slope below this lies in one region");
    return study.run(argc, argv, [&] { run(study, o); });
}
