// Genealogy: how stable regions split and merge in training, apart from how sharp their boundaries become.
//
//     genealogy --divergence-corpus stories.txt --out results                  (the checkpoints of the embedded model)
//     genealogy --checkpoints step1000,step16000,step143000 --prompts prompts.txt --out results
//
// A partition of the prompts belongs to one context: all their activations are put into that prompt's run, and those
// that go on alike are together. Asked by Jett Janiak under "Characterizing stable regions": regions get more stable,
// and regions split.

#include <plateau/models/readable.hpp>
#include <plateau/program/checkpoints.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/genealogy_panels.hpp>
#include <plateau/sweep/genealogy_tables.hpp>
#include <plateau/sweep/output_distances.hpp>
#include <plateau/sweep/region_tree_figure.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes = "K checkpoints in the order given, C contexts, N prompts, T tokens of the longest",
    .files = {{"steps.npy", "int64 [K]",
               "training steps: the number after a name's last \"step\", else its last number"},
              {"contexts.npy", "int64 [C]", "prompts in whose runs activations are put, counted from 0"},
              {"labels.npy", "int64 [K,C,N]",
               "rule `token`: the likeliest next token when a prompt's activation at the checkpoint is put into the "
               "context's run at its last position"},
              {"components.npy", "int64 [K,C,N]",
               "rule `joined`: the smallest prompt that straight paths in that run connect to a prompt, at whose "
               "points the likeliest token is the same"},
              {"slope_components.npy", "int64 [K,C,N]", "rule `slope`: by paths with a max slope below --same-region"},
              program::tokens_file,
              program::lengths_file,
              {"splitting.csv", "", "tables 1 and 2, every number with its interval (_low, _high)"},
              {"information.csv", "", "table 3, every number with the mean and a quantile of its null; nats"},
              {"stability.csv", "", "table 4, and levels before and after"},
              {"clocks.csv", "K rows", "table 5"},
              {"tree.csv", "", "table 6: what flows from region to region, by rule `token` in the first context"},
              {"genealogy.png", "", "that tree"},
              {"training.png", "", "splitting, merging, agreement, stability and clocks over the training"}},
    .summary =
        "checkpoints (names), contexts, steps (points of a pair), same_region, degenerate_pairs (by checkpoint); "
        "[value, low, high] by spans of "
        "checkpoints (one after the other, then first to last) of splitting_token, splitting_joined, "
        "splitting_slope, merging_token, merging_joined, merging_slope; by checkpoint, from context to context, "
        "of splitting_floor_token, splitting_floor_joined, splitting_floor_slope, merging_floor_token, "
        "merging_floor_joined, merging_floor_slope; sharpness_clock, order_clock (training steps, or null)",
    .notes = {
        "Tables 1, 2: P(apart then | together at first) and P(together then | apart at first) over pairs of "
        "prompts, all contexts together; `other context`: between contexts of one checkpoint, the noise floor. "
        "3: conditional entropies (Miller-Madow) and adjusted mutual information, medians over contexts, beside "
        "permuted labels. 4: changes of d'(0)/d(1), of the drift of both outer fifths, and of the width, of "
        "pairs apart by likeliest token at both checkpoints. 5: median max slope, Spearman's rho of corpus "
        "divergence against width, both with simultaneous bands; medians of the shares of the change in the "
        "middle fifth (x 5), in both outer fifths, in the fullest fifth. 6: best matches of regions; a split or "
        "a merge is a flow of 2 prompts or more beside them.",
        "Intervals: 95 %, prompts drawn again; contexts, checkpoints, components of the sample stay as they are. A "
        "pair with d(1) not above --min-d1 is degenerate: joined by slope, left out of other numbers. --weights "
        "random: every checkpoint from a seed of its own.",
        program::prompts_note}};

struct options : program::pair_options, program::checkpoint_options {
    std::vector<index> contexts;
    double same_region = 1.5;
    std::string divergence_corpus;
    index min_count = 50;
};

/// What is reported. Partitions are in the order of the checkpoints, prompts and texts of the first one.
struct results {
    std::vector<models::training_checkpoint> checkpoints;
    std::vector<index> steps = {};
    models::model_texts texts = {};
    sweep::genealogy found = {};
    std::vector<double> divergence = {};  ///< [P], if there is a text
};

/// Adds a checkpoint to what is known; the first one makes what all share.
template <class T>
void measure(options const& o, model<T> const& model, program::study& study, results& all) {
    if (all.found.prompts.empty()) {
        all.texts = model;
        all.found = sweep::genealogy_of(program::load_prompts(o, model, false), o.contexts);
        auto const design = sweep::all_pairs_of(all.found.prompts);
        index const paths = std::ssize(all.checkpoints) * std::ssize(all.found.contexts) * design.count();
        program::require_memory(paths, 8 * index{sizeof(double)}, concat({paths, " paths"}), "ask for fewer prompts");
        study.meter.points = paths * o.steps;
        if (auto const& text = o.divergence_corpus.empty() ? o.corpus : o.divergence_corpus; !text.empty()) {
            corpus::following_tokens const next{program::encode_file(model, text)};
            all.divergence = sweep::corpus_distances(next, model.vocabulary(), all.found.prompts, design, o.min_count);
        }
    }
    auto const& name = all.checkpoints[static_cast<std::size_t>(all.found.checkpoints())].name;
    study.meter.show(study.meter.points / std::ssize(all.checkpoints), name + ": points");
    study.meter.timed([&] {
        sweep::add_checkpoint(all.found, model, {o.sites(study.meter), o.steps, o.same_region, o.min_d1},
                              program::sweeper(study, o.steps, all.found.prompts));
    });
}

void write(program::study& study, options const& o, results const& r, sweep::genealogy_tables const& tables) {
    using sweep::context_partition;
    auto& out = study.out();
    out.axis("K", r.found.checkpoints());
    out.axis("C", std::ssize(r.found.contexts));
    program::write_prompts(out, r.found.prompts);
    out.array("steps.npy", r.steps);
    out.array("contexts.npy", r.found.contexts);
    out.array("labels.npy", r.found.partitions, &context_partition::labels);
    out.array("components.npy", r.found.partitions, &context_partition::joined);
    out.array("slope_components.npy", r.found.partitions, &context_partition::smooth);
    out.text("splitting.csv", tables.splitting().csv());
    out.text("information.csv", tables.information_csv());
    out.text("stability.csv", tables.stability().csv());
    out.text("clocks.csv", tables.clocks().csv());
    auto& summary = study.summary;
    for (auto const& one : r.checkpoints) summary["checkpoints"].push_back(one.name);
    summary["contexts"] = r.found.contexts, summary["steps"] = o.steps, summary["same_region"] = o.same_region;
    summary["degenerate_pairs"] = r.found.degenerate();
    for (auto const& [key, values] : tables.by_name()) summary[key] = values;
    for (auto const& [key, step] : tables.clock_steps()) step ? summary[key] = *step : summary[key] = nullptr;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (!(o.same_region > 0)) throw usage_error("--same-region must be a slope above 0");
    if (o.min_count < 1) throw usage_error("--min-count must be at least 1, got ", o.min_count);
    results all{program::checkpoints_of(o, o.model)};
    if (all.checkpoints.size() < 2) throw usage_error("a genealogy needs at least two checkpoints, got one");
    for (auto const& one : all.checkpoints) {
        all.steps.push_back(one.step);
        auto of_checkpoint = o;
        of_checkpoint.model = one.path;
        if (o.weights == "random") of_checkpoint.seed += all.steps.size() - 1;  // or all were the same model
        study.measure(of_checkpoint, [&]<class T>(model<T> const& model) { measure(o, model, study, all); });
    }
    auto const& [checkpoints, steps, texts, found, divergence] = all;
    auto const numbers =
        sweep::numbers_of(found, divergence, {{.resamples = o.resamples, .seed = o.seed}, study.meter.by.threads});
    sweep::genealogy_tables const tables{numbers, steps};
    write(study, o, all, tables);
    auto const tree = sweep::tree_of(found);
    study.out().text("tree.csv", sweep::csv_of(tree, steps));
    auto const title = o.checkpoints.empty() ? program::title_of(o) + ": checkpoints of its training"
                                             : checkpoints.front().name + " … " + checkpoints.back().name;
    auto const counts = concat({found.prompts.size(), " prompts, ", found.contexts.size(), " contexts"});
    auto drawn = sweep::figure_of(tree, steps, [&](index label) { return models::token_text(all.texts, label); });
    auto const context = models::prompt_text(texts, found.prompts[static_cast<std::size_t>(found.contexts[0])]);
    drawn.title = title, drawn.counts = counts;
    drawn.subtitle = "regions by likeliest next token, in the run of " + context;
    study.out().picture("genealogy.png", [&](std::ostream& to) { viz::write_flows(drawn, to); });
    program::draw(study.out(), "training.png", sweep::genealogy_panels{numbers, steps}.figure(title, counts));
    auto const heading = concat({checkpoints.size(), " checkpoints, ", counts, ", ", o.steps, " points of a pair, ",
                                 o.write_site, " -> ", o.read_site, "; 95 % intervals in brackets\n"});
    study.report(o, heading,
                 tables.text() + '\n' + sweep::text_of(tree, steps) + found.degenerate_text() + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"genealogy", "How stable regions split and merge in training, and what else changes.", leaves};
    options o;
    program::add_study_options(study, o);
    program::add_checkpoint_options(study.app, o);
    program::add_curve_options(study.app, o);
    program::add_site_options(study.app, o);
    study.app.add_option("--contexts", &o.contexts, "prompts in whose runs activations are put (default: 0,1,2,3)")
        .with_commas();
    program::add_option(study.app, "--same-region", &o.same_region,
                        "a pair with a smaller max slope is joined by slope");
    study.app.add_option("--divergence-corpus", &o.divergence_corpus,
                         "text that tells how differently last tokens go on (default: that of --corpus)");
    program::add_option(study.app, "--min-count", &o.min_count, "how often a last token has to be followed there");
    return study.run(argc, argv, [&] { run(study, o); });
}
