// Stable regions of the residual stream: interpolate between the activations of pairs of prompts and watch the output.
//
//     stable_regions --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 100 --out results
//
// For each pair (context, other) the activation at the write site and last position of the context prompt is replaced
// by x(α) = (1−α)A + αB, or another --path; d(α) is the distance of the read-out to that at α = 0. See Janiak et al.
// 2024, arXiv 2409.17113. --context, --position and --mode choose another prompt to run in and other positions,
// --freeze holds what would follow x.

#include <algorithm>

#include <plateau/program/interventions.hpp>
#include <plateau/program/long_run/curve_pieces.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/stable_regions.hpp>
#include <plateau/viz/curves.hpp>

namespace {

using namespace plateau;
using plateau::index;

constexpr char const* intervening = "with --context, --position, --mode, --freeze or --transplant-gap";

program::manifest const leaves{
    .axes = "P pairs, twice as many with --context both; S steps, N prompts, T tokens of the longest",
    .files = {{"distances.npy", "float64 [P,S]",
               "d(alpha): L2 distance of the read-out to that at alpha = 0; unit of the read-out"},
              {"distances.K.npy", "float64 [P,S]",
               "the same at the K-th, K = 2, 3, ...; everything else is of the first", "several --read-site"},
              {"relative.npy", "float64 [P,S]", "d(alpha)/d(1), no unit; NaN for a degenerate pair"},
              {"max_slope.npy", "float64 [P]", "largest step of the relative curve, x (S-1): per unit of alpha"},
              {"alpha_jump.npy", "float64 [P]", "where that step is: alpha, in [0,1]"},
              {"refined.npy", "float64 [P,4]",
               "place of the steepest change (alpha), bound on its error, slope there, and 1 if that slope no longer "
               "grew when the last interval was divided, 0 if it is a lower bound",
               "--refine"},
              {"exact_slope.npy", "float64 [P,S]", "d'(alpha)/d(1), a derivative; so are refined slopes",
               "--exact-slope"},
              {"kl.npy", "float64 [P,S]", "KL(p(0)||p(alpha)) of the next-token distributions; nats", "--kl"},
              {"kl_reverse.npy", "float64 [P,S]", "KL(p(alpha)||p(0)); nats", "--kl"},
              {"top_tokens.npy", "int64 [P,S,K]", "the likeliest next tokens, the first one first", "--top-k K"},
              {"top_log_probs.npy", "float64 [P,S,K]", "log of their probabilities; nats", "--top-k K"},
              {"transplant_gap.npy", "float64 [P]",
               "distance of the read-out at the path's end that is not the context's own (alpha = 1 in context A, 0 in "
               "context B) to that of the other prompt's own clean run; unit of the read-out; 0 if both ends are "
               "natural runs; NaN for attention scores or patterns of prompts of different lengths",
               intervening},
              {"contexts.npy", "int64 [P]", "the prompt in which the rows of each pair ran", intervening},
              program::tokens_file,
              program::lengths_file,
              {"pairs.npy", "int64 [P,2]",
               "prompts of each pair, counted from 0: A, B (context, other unless --context says else)"},
              {"curves.csv", "P x S rows",
               "pair,context,other,alpha,distance,relative; units as above; context: where rows ran"},
              {"curves.png", "", "median curve with its quartile band, and the histogram of max slopes"}},
    .summary =
        "pairs, steps, degenerate_pairs, max_slope_q25, max_slope_median, max_slope_q75, alpha_jump_median; with "
        "the options named at transplant_gap.npy also context, position, mode, freeze, transplant_gap_q25, "
        "transplant_gap_median, transplant_gap_q75",
    .notes = {
        "x(alpha) goes from A to B whatever the context, and d(alpha) is the distance to the row at x = A in the "
        "same context. --context both: first the P pairs in context A, then the same pairs in context B, in "
        "every array and in curves.csv. --freeze: values of a first pass without any freezing; sites that fire no "
        "later than the write site do not follow x and are left as they are. A is the context prompt's own run. "
        "A pair is degenerate if d(1) <= --min-d1: it is reported and left out of quantiles.",
        program::prompts_note,
        "Paths (t = alpha from 0 to 1, m the mean of all prompts' activations at the write site):"}};

struct options : program::pair_options {
    std::string path = "linear";
    std::vector<std::string> metrics;
    double refine = 0;
    bool exact_slope = false, kl = false;
    index top_k = 0;
    bool gap = false;
    program::intervention_options interventions;
};

/// The K-th of some files: NAME.npy, NAME.2.npy, ...
std::string numbered(std::string const& name, std::size_t k) {
    return k == 0 ? name + ".npy" : concat({name, ".", k + 1, ".npy"});
}

using region_results = sweep::stable_regions_results;

/// Of pairs there may be more than fit into memory: their curves are read from where they lie.
struct results {
    prompt_list prompts;
    sweep::pair_design design;
    program::measured<region_results> found;
    sweep::transitions curves = {};                 ///< without the relative ones
    std::vector<paths::refined_jump> refined = {};  ///< [P], or none
    std::vector<double> numbers_of(double paths::refined_jump::*which) const {
        auto const all = refined | std::views::transform(which);
        return {all.begin(), all.end()};
    }
};

auto curves_of(options const& o, results const& r) {
    return program::curve_pieces{r.found, o.min_d1, &region_results::first_distances};
}

/// What the options mean. @param plan  of interventions
sweep::stable_regions_options sweep_of(options const& o, program::intervention_plan const& plan) {
    double const noise = o.dtype == "fp64" ? 1e-13 : o.dtype == "bf16" ? 1e-3 : 1e-5;
    return {.write = o.write_site,
            .read = split(o.read_site),
            .positions = plan.positions,
            .frozen = plan.frozen,
            .path = o.path,
            .steps = o.steps,
            .metrics = o.metrics,
            .predictions = o.kl || o.top_k > 0,
            .top = o.top_k,
            .gap = o.gap || plan.intervenes,
            .refine = o.refine > 0,
            .refinement = {.tolerance = o.refine, .noise = noise, .min_d1 = o.min_d1},
            .exact_slope = o.exact_slope};
}

template <class T>
void require_room(sweep::stable_regions_options const& what, model<T> const& model, prompt_list const& prompts,
                  index pairs) {
    if (what.top > model.vocabulary())
        throw usage_error("--top-k ", what.top, ": the vocabulary has ", model.vocabulary(), " tokens");
    auto const curves = static_cast<index>(what.read.size() * (1 + what.metrics.size()));
    index const numbers = 3 + curves + (what.predictions ? 3 : 0) + 4 * what.top;
    program::require_memory(what.steps, (pairs + 1) * numbers * index{sizeof(double)},
                            concat({what.steps, " steps of ", pairs, " pairs"}),
                            "ask for fewer steps, or fewer pairs at a time");
    hooks::find_site(model.sites(), what.read[0]);  // throws before frozen sites can
    auto const frozen = sweep::frozen_bytes(model, what.frozen, pairs, what.positions, program::longest_of(prompts));
    program::require_memory(1, frozen + 1, "the values of frozen sites",
                            "freeze fewer sites, or fewer pairs at a time");
}

template <class T>
results measure(options const& o, sweep::stable_regions_options what, model<T> const& model, program::study& study) {
    auto& meter = study.meter;
    auto prompts = program::load_prompts(o, model, false);
    auto design = program::pairs_of(o, prompts);
    design.pairs = program::in_contexts(design.pairs, o.interventions.context);
    require_room(what, model, prompts, study.runs.most_at_once(design.count()));
    meter.expect(design.count() * o.steps);
    what.progress = meter.counter();
    auto found = meter.timed([&] {
        what.path_mean = sweep::path_mean_of(model, prompts, o.path, o.write_site);
        return study.runs.measure_in_pieces({design.count(), o.steps, prompts, design.pairs}, meter,
                                            [&](index first, index count) {
            return sweep::stable_regions(model, prompts, program::some_of(design.pairs, first, count), what);
        });
    });
    results r{std::move(prompts), std::move(design), std::move(found)};
    r.curves = curves_of(o, r).numbers(paths::even_grid(0, 1, o.steps));
    r.refined = program::gathered(r.found, &region_results::refined);
    for (auto const& one : r.refined)
        meter.points += meter.resumed > 0 ? 0 : std::max<index>(0, one.evaluations - o.steps);
    return r;
}

void write(program::outputs& out, options const& o, results const& r) {
    program::write_prompts_and_pairs(out, r.prompts, r.design);
    out.axis("S", r.curves.alpha);
    auto const put = [&](std::string const& name, auto const& take) { out.array(name, r.found, take); };
    for (std::size_t k = 0, sites = split(o.read_site).size(); k < sites; ++k) {
        put(numbered("distances", k), [&](auto const& x) { return x.distances[k].flat(); });
        for (std::size_t m = 0; m < o.metrics.size(); ++m)
            put(numbered(o.metrics[m], k), [&](auto const& x) { return x.metrics[m * sites + k].flat(); });
    }
    if (o.refine > 0) put("refined.npy", &region_results::refined_numbers);
    if (o.exact_slope) put("exact_slope.npy", [](auto const& x) { return x.slopes.flat(); });
    if (o.kl) {
        put("kl.npy", [](auto const& x) { return x.predicted.kl.flat(); });
        put("kl_reverse.npy", [](auto const& x) { return x.predicted.kl_reverse.flat(); });
    }
    if (o.top_k > 0) {
        out.axis("K", o.top_k);
        put("top_tokens.npy", [](auto const& x) { return std::span{x.predicted.tokens}; });
        put("top_log_probs.npy", [](auto const& x) { return std::span{x.predicted.log_probabilities}; });
    }
    if (!program::gathered(r.found, &region_results::gaps).empty()) {
        out.array("contexts.npy", r.design.pairs | std::views::transform(&engine::prompt_pair::context));
        put("transplant_gap.npy", &region_results::gaps);
    }
    curves_of(o, r).write_relative(out);
    out.array("max_slope.npy", r.curves.max_slope);
    out.array("alpha_jump.npy", r.curves.alpha_jump);
    curves_of(o, r).write_csv(r.design.pairs, r.curves.alpha, out.open("curves.csv"));
}

/// The table of a run; what it says goes to the summary too.
table table_of(options const& o, results const& r, nlohmann::ordered_json& summary) {
    table table{{"", "q25", "median", "q75"}};
    auto const add = [&](char const* name, std::vector<double> const& values) {
        auto const q = statistics::quartiles_of(values);
        table.row({name, fixed(q.q25, 3), fixed(q.median, 3), fixed(q.q75, 3)});
        return q;
    };
    auto const tell = [&](std::string const& key, statistics::quartiles const& q) {
        summary[key + "_q25"] = q.q25, summary[key + "_median"] = q.median, summary[key + "_q75"] = q.q75;
    };
    summary = {{"pairs", r.design.count()}, {"steps", o.steps}, {"degenerate_pairs", r.curves.degenerate}};
    tell("max_slope", add("max slope of d(alpha)/d(1)", r.curves.max_slope));
    summary["alpha_jump_median"] = add("place of the jump (alpha)", r.curves.alpha_jump).median;
    if (auto const gaps = program::gathered(r.found, &region_results::gaps); !gaps.empty()) {
        program::tell(o.interventions, summary);
        tell("transplant_gap", add("transplant gap", gaps));
    }
    if (o.refine > 0) {
        add("max slope, refined", r.numbers_of(&paths::refined_jump::slope));
        add("place of the jump, refined", r.numbers_of(&paths::refined_jump::place));
    }
    if (o.exact_slope)
        add("largest derivative at the points", program::gathered(r.found, &region_results::largest_slopes));
    return table;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    auto const what = sweep_of(o, program::plan_of(o.interventions, study.app));
    auto const r = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, what, model, study); });
    viz::curve_figure const figure{.alpha = r.curves.alpha,
                                   .relative = curves_of(o, r).rows(r.design.count(), o.steps),
                                   .max_slope = r.curves.max_slope,
                                   .title = program::title_of(o),
                                   .subtitle = o.write_site + " → " + o.read_site};
    write(study.out(), o, r);
    study.out().picture("curves.png", [&](std::ostream& to) { viz::write_curves(figure, to); });
    auto const bounds = std::ranges::count_if(r.refined, &paths::refined_jump::is_bound);
    auto const bounded =
        bounds > 0 ? concat({bounds, " refined slopes are lower bounds: sharper than the tolerance\n"}) : "";
    auto const what_ran = concat({": ", r.design.count(), " pairs x ", o.steps, " steps, ", o.write_site, " -> "});
    study.report(o, program::model_text(o) + what_ran + o.read_site,
                 table_of(o, r, study.summary).render() + bounded + program::degenerate_text(r.curves) + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    auto told = leaves;
    std::vector<std::string> paths, metrics;
    for (auto const& [name, what] : sweep::path_names) {
        paths.emplace_back(name);
        told.notes.push_back(concat({"  ", name, ": ", what}));
    }
    for (auto const& [name, what] : sweep::path_metric_names) {
        auto const& metric = metrics.emplace_back(name);
        told.files.push_back(
            {metric + ".npy", "float64 [P,S]", what + std::string("; no unit"), "--metrics " + metric});
        told.files.push_back({metric + ".K.npy", "float64 [P,S]", "the same", "several --read-site"});
    }
    program::study study{"stable_regions",
                         "Stable regions: output distance along paths between activations of prompt pairs.", told};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_option(app, "--pairs", &o.pairs, "chain, disjoint, all, or an NPY file [P,2]: context, other");
    program::add_option(app, "--write-site", &o.write_site, "where x(alpha) is written");
    program::add_option(app, "--read-site", &o.read_site,
                        "where the change is read, at the last position; or several, separated by commas");
    program::add_choice(app, "--path", o.path, paths, "how x goes from A to B, see below");
    app.add_option("--metrics", &o.metrics, "also these curves, see below: share, projection, arc, cosine")
        .with_commas()
        .one_of(metrics);
    program::add_option(app, "--steps", &o.steps, "points per pair, alpha = i/(steps-1)");
    program::add_option(app, "--min-d1", &o.min_d1, "a pair with d(1) not above this is degenerate");
    app.add_option("--refine", &o.refine,
                   "then look for each pair's steepest place to this tolerance in alpha, from a few more points")
        .within(1e-9, 0.5);
    app.add_flag("--exact-slope", o.exact_slope, "also slopes as derivatives: one tangent behind every point");
    app.add_flag("--kl", o.kl, "also the divergence of the predicted distribution from that at alpha = 0");
    program::add_option(app, "--top-k", &o.top_k, "also this many likeliest next tokens of every point")
        .within(0, 1 << 20);
    app.add_flag("--transplant-gap", o.gap, "also the distance of the transplanted end's read-out to its own prompt's");
    program::add_intervention_options(app, o.interventions);
    return study.run(argc, argv, [&] { run(study, o); });
}
