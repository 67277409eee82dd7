// Predicting the jump: where between two activations the output jumps, from what is known before any point is run.
//
//     predict_jump --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// Candidates: the foot of the activations' mean on the line from A to B; the bisector of the angle at the mean (Janiak
// et al. 2024, arXiv 2409.17113, code); neurons of the first MLP that only one of the ends turns on (LASR code); and
// one half.

#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/jump_predictors.hpp>
#include <plateau/sweep/jump_scores.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::estimate;
using statistics::with_interval;

program::manifest const leaves{
    .axes = "P pairs, S steps, N prompts, T tokens of the longest",
    .files = {{"alpha_jump.npy", "float64 [P]",
               "centre of the steepest step of d(alpha): alpha, in [0,1]; NaN for a degenerate pair"},
              {"alpha_mean.npy", "float64 [P]",
               "<B-A, m-A> / |B-A|^2, m the mean of the N prompts' activations: alpha, any number"},
              {"bisector.npy", "float64 [P]", "|A-m| / (|A-m| + |B-m|): alpha, in [0,1]"},
              {"neurons_ratio.npy", "float64 [P]",
               "first alpha where the neurons that B alone turns on outweigh those that A alone does, each sum in "
               "units of its own end; NaN where they never do"},
              {"neurons_naive.npy", "float64 [P]", "the same with the sums as they are"},
              {"masked.npy", "int64 [P]",
               "1: the pair passes the published masks, d(1) > --min-d1, a distance to m that varies by more than "
               "--mean-range along the path and is least neither in the first nor in the last two steps"},
              {"relative.npy", "float64 [P,S]", "d(alpha)/d(1), no unit"},
              program::tokens_file,
              program::lengths_file,
              program::pairs_file,
              {"predict_jump.csv", "", "the tables, every number with its 95 % interval (_low, _high)"},
              {"predict_jump.png", "", "where the jump is against where it is expected, of every predictor"}},
    .summary =
        "pairs, steps, degenerate_pairs, masked_pairs, predictors (names), and by predictor [value, low, high] "
        "of mean_error, rms_error, right_side, correlation, over all pairs that have one",
    .notes = {"Table. error: |predicted - found|, in alpha; right side: share of the pairs with both on the same side "
              "of 1/2; correlation: Pearson's. All pairs first, then those that pass the masks. Intervals: moving "
              "blocks of a chain's pairs, prompts drawn again where pairs share them otherwise. Neurons are read at "
              "the last position, after their nonlinearity; a neuron is on where it is above 0.",
              program::prompts_note}};

struct options : program::pair_options {
    std::string neurons = "blocks.1.mlp.hook_post";
    double mean_range = 3;
};

struct results {
    prompt_list prompts;
    sweep::pair_design design;
    sweep::transitions curves = {};
    std::vector<sweep::jump_predictor> predictors = {};
    std::vector<bool> masked = {};  ///< [P]: passes the published masks
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto prompts = program::load_prompts(o, model, false);
    results all{prompts, program::pairs_of(o, prompts)};
    auto const site = hooks::find_site(model.sites(), o.neurons);
    index const count = all.design.count(), width = site.heads * site.width;
    index const together = study.runs.most_at_once(count);
    program::require_memory(o.steps, (together + 1) * width * index{sizeof(T)},
                            concat({width, " neurons at ", o.steps, " steps of ", together, " pairs"}),
                            "ask for fewer steps or pairs");
    study.meter.expect(count * o.steps);
    auto const where = o.sites(study.meter);
    tensor::buffer<T, 2> clean;  // of all prompts, once a sweep has found them usable
    auto const activations = [&]() -> auto const& {
        if (clean.size() == 0) clean = sweep::last_activations(model, prompts, o.write_site);
        return clean;
    };
    auto swept = program::sweep_pairs(study, prompts, all.design, o.steps, [&](auto const& pairs, index) {
        tensor::buffer<T, 3> neurons({std::ssize(pairs), o.steps, width});
        sweep::predicted_curves some{
            sweep::interpolate(model, prompts, pairs, o.steps, where, sweep::read_along(site, neurons))};
        sweep::require_finite(some.curves.distances, where.read);
        some.predictors = sweep::jump_predictors(pairs, activations(), neurons, some.curves.alpha);
        return some;
    });
    all.curves = sweep::transitions_of(swept.curves.alpha, swept.curves.distances, o.min_d1);
    all.predictors = std::move(swept.predictors);
    all.masked = sweep::mean_masks(all.design.pairs, activations(), all.curves, o.mean_range);
    return all;
}

viz::labelled_figure figure_of(options const& o, results const& all, std::vector<sweep::jump_score> const& scores) {
    viz::interval const whole{0, 1};
    viz::labelled_figure figure{
        .title = program::title_of(o),
        .counts = concat({all.design.count(), " pairs × ", o.steps, " steps, 95 % intervals"}),
        .subtitle = "where the output jumps, against where it was expected to;  " + o.write_site + " → " + o.read_site};
    for (std::size_t k = 0; k + 1 < all.predictors.size(); ++k) {  // one half needs no picture
        auto const& [name, key, places] = all.predictors[k];
        auto const how_good =
            "r = " + with_interval(scores[k].correlation, 2) + ",  mean error " + with_interval(scores[k].error, 3);
        auto const outside = std::ranges::count_if(places, [](double x) { return x < 0 || x > 1; });
        figure.panels.push_back(
            {name + (outside > 0 ? concat({"  (", outside, " pairs outside of [0, 1])"}) : ""),
             {"α expected", false, whole},
             {"α of the jump", false, whole},
             {{.label = how_good, .x = places, .y = all.curves.alpha_jump, .points = true, .line = false}},
             {{.diagonal = true}}});
    }
    return figure;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (!(o.mean_range >= 0)) throw usage_error("--mean-range must be a distance, 0 or more");
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    auto const passing = std::ranges::count(all.masked, true);

    statistics::interval_table table{{"pairs", "predictor", "known"},
                                     {"mean error", "RMS error", "right side", "correlation"}};
    study.summary = {{"pairs", all.design.count()},
                     {"steps", o.steps},
                     {"degenerate_pairs", all.curves.degenerate},
                     {"masked_pairs", passing}};
    std::vector<sweep::jump_score> scores;
    std::vector<bool> const every(all.masked.size(), true);
    for (auto const* use : {&every, &all.masked}) {
        for (auto const& one : all.predictors) {
            auto const s = sweep::score_of(all.design, one.places, all.curves.alpha_jump, *use);
            table.row({use == &every ? "all" : "masked", one.name, std::to_string(s.count)},
                      {s.error, s.rms, s.side, s.correlation});
            if (use != &every) continue;
            scores.push_back(s);
            study.summary["predictors"].push_back(one.name);
            study.summary["mean_error"].push_back(s.error);
            study.summary["rms_error"].push_back(s.rms);
            study.summary["right_side"].push_back(s.side);
            study.summary["correlation"].push_back(s.correlation);
        }
    }

    auto& out = study.out();
    program::write_prompts_and_pairs(out, all.prompts, all.design);
    program::write_transitions(out, all.curves);
    for (auto const& one : all.predictors) {
        if (!one.key.empty()) out.array(one.key + ".npy", one.places);
    }
    out.array("masked.npy", all.masked);
    out.text("predict_jump.csv", table.csv());
    program::draw(out, "predict_jump.png", figure_of(o, all, scores));
    study.report(
        o,
        concat({program::model_text(o), ": ", all.design.count(), " pairs x ", o.steps, " steps, ", o.write_site,
                " -> ", o.read_site, "; ", passing, " pass the masks; 95 % intervals in brackets"}),
        table.render() + program::degenerate_text(all.curves));
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "predict_jump",
        "Predicting the jump: where the output jumps between two activations, and where it was expected to.", leaves};
    options o;
    o.min_d1 = 0.01;  // the published mask
    program::add_study_options(study, o);
    program::add_pair_options(study.app, o);
    program::add_site_options(study.app, o);
    program::add_option(study.app, "--neurons", &o.neurons, "the neurons of the first MLP after the write site");
    program::add_option(study.app, "--mean-range", &o.mean_range,
                        "how much the distance to the mean has to vary along a path; published 3, of models whose "
                        "activations are longer or shorter than others");
    return study.run(argc, argv, [&] { run(study, o); });
}
