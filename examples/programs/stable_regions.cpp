// Stable regions of the residual stream: interpolate between the activations of pairs of prompts and watch the output.
//
//     stable_regions --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 100 --out results
//
// For each pair (context, other) the activation at the write site and last position of the context prompt is replaced
// by x(α) = (1−α)A + αB, or another --path; d(α) is the distance of the read-out to that at α = 0. See Janiak et al.
// 2024, arXiv 2409.17113. --context, --position and --mode choose another prompt to run in and other positions,
// --freeze holds what would follow x.

#include <array>
#include <cstdio>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/refine_jumps.hpp>
#include <plateau/sweep/transplant_gap.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/curves.hpp>
#endif

#include "support/interventions.hpp"
#include "support/named_paths.hpp"
#include "support/path_metrics.hpp"
#include "support/studies.hpp"

namespace {

using plateau::index;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

constexpr char const* files_text =
    "Files written to --out (P pairs, twice as many with --context both; S steps, N prompts, T tokens of the "
    "longest):\n"
    "  distances.npy   float64 [P,S]  d(alpha): L2 distance of the read-out to that at alpha = 0; unit of the "
    "read-out\n"
    "  distances.K.npy float64 [P,S]  the same at the K-th of several --read-site, K = 2, 3, ...; everything else is "
    "of the first\n"
    "  relative.npy    float64 [P,S]  d(alpha)/d(1), no unit; NaN for a degenerate pair\n"
    "  share.npy       float64 [P,S]  --metrics share: d_A/(d_A+d_B), d to the read-outs at alpha = 0 and 1; no unit\n"
    "  projection.npy  float64 [P,S]  --metrics projection: <x-a,b-a>/|b-a|^2 of read-outs, a and b those of both "
    "ends; no unit\n"
    "  arc.npy         float64 [P,S]  --metrics arc: length that the read-out has travelled, of the whole; no unit\n"
    "  cosine.npy      float64 [P,S]  --metrics cosine: 1 - cosine of the read-out and that at alpha = 0; no unit\n"
    "                  NAME.K.npy: the same at the K-th of several --read-site; NaN where a metric is not defined\n"
    "  max_slope.npy   float64 [P]    largest step of the relative curve, x (S-1): per unit of alpha\n"
    "  alpha_jump.npy  float64 [P]    where that step is: alpha, in [0,1]\n"
    "  refined.npy     float64 [P,4]  --refine: place of the steepest change (alpha), bound on its error, slope there, "
    "and 1 if that\n"
    "                  slope no longer grew when the last interval was divided, 0 if it is a lower bound\n"
    "  kl.npy          float64 [P,S]  --kl: KL(p(0)||p(alpha)) of the next-token distributions; nats\n"
    "  kl_reverse.npy  float64 [P,S]  --kl: KL(p(alpha)||p(0)); nats\n"
    "  top_tokens.npy  int64   [P,S,K]  --top-k K: the likeliest next tokens, the first one first\n"
    "  top_log_probs.npy  float64 [P,S,K]  --top-k K: log of their probabilities; nats\n"
    "  transplant_gap.npy  float64 [P]  with --context, --position, --mode, --freeze or --transplant-gap: distance of "
    "the\n"
    "                  read-out at the path's end that is not the context's own (alpha = 1 in context A, 0 in context "
    "B) to\n"
    "                  that of the other prompt's own clean run; unit of the read-out; 0 if both ends are natural "
    "runs; NaN\n"
    "                  for attention scores or patterns of prompts of different lengths\n"
    "  contexts.npy    int64   [P]    with the same options: the prompt in which the rows of each pair ran\n"
    "  tokens.npy      int64   [N,T]  token ids of the prompts, -1 beyond a shorter one\n"
    "  lengths.npy     int64   [N]    tokens of each prompt; only if lengths differ\n"
    "  pairs.npy       int64   [P,2]  prompts of each pair, counted from 0: A, B (context, other unless --context says "
    "else)\n"
    "  curves.csv      P x S rows     pair,context,other,alpha,distance,relative; units as above; context: where rows "
    "ran\n"
    "  curves.png      median curve with its quartile band, and the histogram of max slopes\n"
    "  summary.json    one object     program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                  load_seconds, points_per_second, options, pairs, steps, degenerate_pairs, max_slope_q25,\n"
    "                  max_slope_median, max_slope_q75, alpha_jump_median; seconds of computing and of loading; with "
    "the\n"
    "                  options named at transplant_gap.npy also context, position, mode, freeze, transplant_gap_q25,\n"
    "                  transplant_gap_median, transplant_gap_q75\n"
    "x(alpha) goes from A to B whatever the context, and d(alpha) is the distance to the row at x = A in the same "
    "context.\n"
    "--context both: first the P pairs in context A, then the same pairs in context B, in every array and in "
    "curves.csv.\n"
    "--freeze: values of a first pass without any freezing; sites that fire no later than the write site do not follow "
    "x\n"
    "and are left as they are. A is the context prompt's own run.\n"
    "A pair is degenerate if d(1) <= --min-d1: it is reported and left out of quantiles.\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::common_options {
    std::string pairs = "chain";
    std::string write_site = "blocks.0.hook_resid_post";
    std::string read_site = "ln_final.hook_out";
    std::string path = "linear";
    std::vector<std::string> metrics;
    index steps = 50;
    double min_d1 = 0;
    double refine = 0;
    bool kl = false;
    index top_k = 0;
    bool gap = false;
    program::intervention_options interventions;

    bool predicts() const { return kl || top_k > 0; }
};

/// The read sites, one or several.
std::vector<std::string> read_sites_of(std::string const& text) {
    std::vector<std::string> sites;
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t const end = std::min(text.find(',', begin), text.size());
        sites.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return sites;
}

/// Where d(alpha) of the k-th read site lies, counted from 0.
std::string distances_name(std::size_t k) {
    return k == 0 ? "distances.npy" : "distances." + std::to_string(k + 1) + ".npy";
}

/// What options mean.
struct plan {
    plateau::engine::write_positions positions;
    std::vector<sweep::frozen_sites> frozen;
    std::vector<std::string> read_sites;
    bool intervenes = false;
};

/// What the model predicts at every point.
struct next_tokens {
    tensor::buffer<double, 2> kl, kl_reverse;  ///< [P,S], nats
    std::vector<std::int64_t> tokens;          ///< [P,S,K]
    std::vector<double> log_probabilities;     ///< [P,S,K]
};

/// @throws numeric_error that names the pair and the point where logits are not finite
template <class T>
next_tokens next_tokens_of(plateau::engine::predictions<T> p) {
    for (index i = 0; i < p.log_sum_exp.size(); ++i) {
        if (std::isfinite(p.log_sum_exp.data()[i])) continue;
        throw plateau::numeric_error("the logits are not finite for pair " +
                                     std::to_string(i / p.log_sum_exp.extent(1)) + ", point " +
                                     std::to_string(i % p.log_sum_exp.extent(1)) + ": compute with a wider dtype");
    }
    next_tokens all{std::move(p.kl_from_start), std::move(p.kl_to_start), {}, {}};
    for (index i = 0; i < p.best.size(); ++i) {
        auto const& [logit, token] = p.best.data()[i];
        all.tokens.push_back(token);
        all.log_probabilities.push_back(static_cast<double>(logit) - p.log_sum_exp.data()[i / p.best.extent(2)]);
    }
    return all;
}

/// What is reported.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;
    std::vector<sweep::prompt_pair> pairs = {};
    std::vector<tensor::buffer<double, 2>> distances = {};  ///< [P,S], by read site
    program::pair_curves curves = {};
    program::path_metrics whole;
    next_tokens predicted = {};
    std::vector<double> gaps = {};                           ///< [P], or none
    std::vector<plateau::paths::refined_jump> refined = {};  ///< [P], or none

    index count() const { return static_cast<index>(pairs.size()); }
};

void write_predictions(plateau::output_set& out, results const& r, options const& o) {
    index const pairs = r.count(), k = o.top_k;
    if (o.kl) {
        plateau::io::write_npy(out.file("kl.npy"), r.predicted.kl.flat(), {pairs, o.steps});
        plateau::io::write_npy(out.file("kl_reverse.npy"), r.predicted.kl_reverse.flat(), {pairs, o.steps});
    }
    if (k == 0) return;
    plateau::io::write_npy(out.file("top_tokens.npy"), r.predicted.tokens, {pairs, o.steps, k});
    plateau::io::write_npy(out.file("top_log_probs.npy"), r.predicted.log_probabilities, {pairs, o.steps, k});
}

void write_refined(plateau::output_set& out, std::vector<plateau::paths::refined_jump> const& jumps) {
    std::vector<double> values;
    for (auto const& one : jumps)
        values.insert(values.end(), {one.place, one.error, one.slope, one.resolved ? 1.0 : 0.0});
    plateau::io::write_npy(out.file("refined.npy"), values, {static_cast<index>(jumps.size()), 4});
}

void write_pairs(plateau::output_set& out, results const& r, bool contexts_too) {
    std::vector<std::int64_t> ends, contexts;
    for (auto const& pair : r.pairs) {
        ends.insert(ends.end(), {pair.from, pair.to});
        contexts.push_back(pair.context);
    }
    plateau::io::write_npy(out.file("pairs.npy"), ends, {r.count(), 2});
    if (contexts_too) plateau::io::write_npy(out.file("contexts.npy"), contexts, {r.count()});
}

void write_csv(plateau::atomic_file& file, results const& r) {
    file.write("pair,context,other,alpha,distance,relative\n");
    auto const& alpha = r.curves.alpha;
    for (std::size_t p = 0; p < r.pairs.size(); ++p) {
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            std::array<char, 160> line{};
            std::snprintf(line.data(), line.size(), "%zu,%lld,%lld,%.17g,%.17g,%.17g\n", p,
                          static_cast<long long>(r.pairs[p].context), static_cast<long long>(r.pairs[p].other()),
                          alpha[i], r.distances[0](static_cast<index>(p), static_cast<index>(i)),
                          r.curves.relative[p * alpha.size() + i]);
            file.write(std::string_view{line.data()});
        }
    }
}

/// Positions of the rows of a pair, at most.
index own_positions(plateau::engine::write_positions const& write, program::prompt_list const& prompts) {
    index const longest = program::longest_of(prompts);
    return write.suffix ? longest : std::max<index>(1, longest - std::max<index>(0, write.at.first_in(longest)));
}

template <class T>
void require_room(options const& o, plan const& p, plateau::model<T> const& model, results const& r) {
    if (o.top_k > model.vocabulary()) {
        throw plateau::usage_error("--top-k " + std::to_string(o.top_k) + ": the vocabulary has " +
                                   std::to_string(model.vocabulary()) + " tokens");
    }
    program::require_memory(
        o.steps,
        (r.count() + 1) *
            (3 + static_cast<index>(p.read_sites.size() * (1 + o.metrics.size())) + (o.kl ? 3 : 0) + 4 * o.top_k) *
            index{sizeof(double)},
        std::to_string(o.steps) + " steps of " + std::to_string(r.count()) + " pairs",
        "ask for fewer steps, or fewer pairs at a time");
    plateau::hooks::find_site(model.sites(), p.read_sites[0]);  // throws before frozen sites can
    program::require_memory(1,
                            program::frozen_bytes(model, p.frozen, r.count(), own_positions(p.positions, r.prompts),
                                                  program::longest_of(r.prompts)) +
                                1,
                            "the values of frozen sites", "freeze fewer sites, or fewer pairs at a time");
}

/// What --path names, in the model's arithmetic.
template <class T>
struct path_points {
    std::vector<T> mean;  ///< of the prompts' activations, if the path needs it
    sweep::path_writer<T> path;
    sweep::point_writer<T> points;

    path_points(options const& o, plateau::model<T> const& model, program::prompt_list const& prompts)
        : mean{o.path.starts_with("arc") ? program::mean_of<T>(sweep::last_activations(model, prompts, o.write_site))
                                         : std::vector<T>{}},
          path{program::named_path<T>(o.path, mean)}, points{o.path == "linear"
                                                                 ? sweep::straight_lines<T>(o.steps)
                                                                 : sweep::at_grid<T>(path, plateau::paths::even_grid(
                                                                                               0, 1, o.steps))} {}
};

/// Reads the further sites and the metrics of the sweep into the results, which stay where they are.
template <class T>
plateau::hooks::hook_set<T> reads_of(plan const& p, plateau::model<T> const& model, results& r) {
    plateau::hooks::hook_set<T> reads;
    auto const name_of = [&](std::size_t k) {
        return plateau::hooks::find_site(model.sites(), p.read_sites[k]).name();
    };
    for (std::size_t k = 0; k < p.read_sites.size() && r.whole.any(); ++k) {
        reads = reads | r.whole.reads<T>(name_of(k), k);
    }
    for (std::size_t k = 1; k < p.read_sites.size(); ++k) {
        reads = reads | plateau::engine::read_distances<T>(name_of(k), r.distances[k]);
    }
    return reads;
}

/// Searches the steepest places of the curves. @param changes  the interventions of the sweep
template <class T>
std::vector<plateau::paths::refined_jump> refine(options const& o, plateau::model<T> const& model, results const& r,
                                                 sweep::coarse_sweep<T> const& coarse,
                                                 plateau::hooks::hook_set<T> const& changes) {
    program::require_finite(coarse.curves.distances, coarse.setup.read);
    double const noise = o.dtype == "fp64" ? 1e-13 : o.dtype == "bf16" ? 1e-3 : 1e-5;
    return sweep::refine_jumps(model, r.prompts, r.pairs, coarse,
                               {.tolerance = o.refine, .noise = noise, .min_d1 = o.min_d1}, changes);
}

template <class T>
results measure(options const& o, plan const& p, plateau::model<T> const& model, double load_seconds) {
    auto prompts = program::load_prompts(o, model, false);
    auto pairs = program::in_contexts(program::pairs_of(o.pairs, static_cast<index>(prompts.size())).pairs,
                                      o.interventions.context);
    auto const count = static_cast<index>(pairs.size());
    results r{.cost = {model.computer(), load_seconds},
              .prompts = std::move(prompts),
              .pairs = std::move(pairs),
              .whole = {o.metrics, p.read_sites.size(), count, o.steps}};
    require_room(o, p, model, r);
    r.distances.resize(p.read_sites.size());
    for (std::size_t k = 1; k < p.read_sites.size(); ++k) r.distances[k] = tensor::buffer<double, 2>({count, o.steps});
    auto predictions =
        o.predicts() ? plateau::engine::predictions<T>(count, o.steps, o.top_k) : plateau::engine::predictions<T>{};
    sweep::transplant_gap<T> gap{model, r.prompts, r.pairs, p.read_sites[0]};

    program::stopwatch const watch;
    path_points<T> const along{o, model, r.prompts};
    plateau::engine::setup where{.write = o.write_site, .read = p.read_sites[0], .positions = p.positions};
    plateau::hooks::hook_set<T> changes;
    if (!p.frozen.empty()) {
        changes = sweep::freeze(model, r.prompts, r.pairs, {o.steps, along.points, where}, p.frozen);
    }
    auto also = changes;
    if (o.predicts()) also = also | plateau::engine::read_predictions(model.engine(), predictions);
    if (p.intervenes) also = also | gap.reads();
    also = also | reads_of(p, model, r);
    auto curves = [&] {
        plateau::progress bar{"points", count * o.steps};  // its line ends before the table begins
        auto with_bar = where;
        with_bar.progress = [&](index done) { bar.advance(done); };
        return sweep::distances_along(model, r.prompts, r.pairs, plateau::paths::even_grid(0, 1, o.steps), along.points,
                                      with_bar, also);
    }();
    if (p.intervenes) r.gaps = gap.distances();
    if (o.refine > 0) r.refined = refine<T>(o, model, r, {curves, along.path, where}, changes);
    r.cost.seconds = watch.seconds();
    r.cost.points = count * o.steps;
    for (auto const& one : r.refined) r.cost.points += std::max<index>(0, one.evaluations - o.steps);
    r.distances[0] = std::move(curves.distances);
    for (std::size_t k = 0; k < p.read_sites.size(); ++k) program::require_finite(r.distances[k], p.read_sites[k]);
    r.predicted = next_tokens_of(std::move(predictions));
    r.curves = program::curves_of(curves.alpha, r.distances[0], o.min_d1);
    return r;
}

void write_arrays(options const& o, plan const& p, results const& r, plateau::output_set& out) {
    index const count = r.count();
    for (std::size_t k = 0; k < r.distances.size(); ++k) {
        plateau::io::write_npy(out.file(distances_name(k)), r.distances[k].flat(), {count, o.steps});
    }
    plateau::io::write_npy(out.file("relative.npy"), r.curves.relative, {count, o.steps});
    plateau::io::write_npy(out.file("max_slope.npy"), r.curves.max_slope, {count});
    plateau::io::write_npy(out.file("alpha_jump.npy"), r.curves.alpha_jump, {count});
    if (o.refine > 0) write_refined(out, r.refined);
    write_predictions(out, r, o);
    r.whole.write(out);
    program::write_prompts(out, r.prompts);
    write_pairs(out, r, p.intervenes);
    if (p.intervenes) plateau::io::write_npy(out.file("transplant_gap.npy"), r.gaps, {count});
    write_csv(out.file("curves.csv"), r);
}

/// Removes what an earlier run left and this one did not write.
void remove_stale(options const& o, plan const& p, results const& r, plateau::output_set const& out) {
    std::error_code ignored;
    auto const remove_numbered = [&](auto const& name_of, std::size_t k) {
        while (std::filesystem::remove(out.directory() / name_of(k), ignored)) ++k;
    };
    program::remove_stale(out, program::ragged(r.prompts), {"lengths.npy"});
    remove_numbered(distances_name, p.read_sites.size());
    program::remove_stale(out, p.intervenes, {"contexts.npy", "transplant_gap.npy"});
    program::remove_stale(out, o.refine > 0, {"refined.npy"});
    program::remove_stale(out, o.kl, {"kl.npy", "kl_reverse.npy"});
    program::remove_stale(out, o.top_k > 0, {"top_tokens.npy", "top_log_probs.npy"});
    for (auto const& metric : program::metric_names()) {
        if (std::count(o.metrics.begin(), o.metrics.end(), metric) > 0) continue;
        program::remove_stale(out, false, {(metric + ".npy").c_str()});
        remove_numbered([&](std::size_t k) { return metric + "." + std::to_string(k) + ".npy"; }, 2);
    }
}

nlohmann::ordered_json summary_of(CLI::App const& app, options const& o, plan const& p, results const& r) {
    auto const slopes = statistics::quartiles_of(r.curves.max_slope);
    auto summary = program::summary_of(app, o, r.cost);
    summary["pairs"] = r.count();
    summary["steps"] = o.steps;
    summary["degenerate_pairs"] = r.curves.degenerate;
    summary["max_slope_q25"] = slopes.q25;
    summary["max_slope_median"] = slopes.median;
    summary["max_slope_q75"] = slopes.q75;
    summary["alpha_jump_median"] = statistics::quartiles_of(r.curves.alpha_jump).median;
    if (!p.intervenes) return summary;
    summary["context"] = o.interventions.context;
    summary["position"] = p.positions.suffix ? "suffix" : o.interventions.position;
    summary["mode"] = o.interventions.mode;
    std::string all;
    for (auto const& one : o.interventions.freeze) all += (all.empty() ? "" : " ") + one;
    summary["freeze"] = all;
    auto const gaps = statistics::quartiles_of(r.gaps);
    summary["transplant_gap_q25"] = gaps.q25;
    summary["transplant_gap_median"] = gaps.median;
    summary["transplant_gap_q75"] = gaps.q75;
    return summary;
}

plateau::table table_of(options const& o, plan const& p, results const& r) {
    plateau::table table{{"", "q25", "median", "q75"}};
    auto const row = [&](char const* name, std::vector<double> const& values) {
        auto const q = statistics::quartiles_of(values);
        table.row({name, plateau::fixed(q.q25, 3), plateau::fixed(q.median, 3), plateau::fixed(q.q75, 3)});
    };
    row("max slope of d(alpha)/d(1)", r.curves.max_slope);
    row("place of the jump (alpha)", r.curves.alpha_jump);
    if (p.intervenes) row("transplant gap", r.gaps);
    if (o.refine > 0) {
        std::vector<double> places, slopes;
        for (auto const& one : r.refined) {
            places.push_back(one.place);
            slopes.push_back(one.slope);
        }
        row("max slope, refined", slopes);
        row("place of the jump, refined", places);
    }
    return table;
}

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, results const& r, std::ostream& out) {
    plateau::viz::curve_figure figure;
    figure.title = program::title_of(o);
    figure.subtitle = o.write_site + " → " + o.read_site;
    figure.alpha = r.curves.alpha;
    figure.relative = {r.curves.relative.data(), {r.count(), o.steps}};
    figure.max_slope = r.curves.max_slope;
    plateau::viz::write_curves(figure, out);
}
#endif

void run(CLI::App const& app, options const& o) {
    if (o.steps < 2) throw plateau::usage_error("--steps must be at least 2, got " + std::to_string(o.steps));
    if (!(o.min_d1 >= 0)) throw plateau::usage_error("--min-d1 must be a distance, 0 or more");
    plan const p{program::write_positions_of(o.interventions), program::parse_freeze(o.interventions.freeze),
                 read_sites_of(o.read_site), o.gap || program::intervenes(app)};
    plateau::output_set out{o.out};
    auto const r = program::with_model(
        o, [&](auto const& model, double load_seconds) { return measure(o, p, model, load_seconds); });

    write_arrays(o, p, r, out);
#if PLATEAU_HAS_CAIRO
    write_figure(o, r, out.file("curves.png").stream());
#else
    std::cerr << "curves.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary_of(app, o, p, r)));
    out.commit();
    remove_stale(o, p, r, out);

    std::cout << o.model << program::weights_of(o) << ": " << r.count() << " pairs x " << o.steps << " steps, "
              << o.write_site << " -> " << o.read_site << '\n'
              << table_of(o, p, r).render();
    if (o.refine > 0) {
        auto const bounds = std::count_if(r.refined.begin(), r.refined.end(),
                                          [](auto const& one) { return !one.resolved && !std::isnan(one.place); });
        if (bounds > 0) std::cout << bounds << " refined slopes are lower bounds: sharper than the tolerance\n";
    }
    if (r.curves.degenerate > 0) std::cout << r.curves.degenerate << " degenerate pairs are left out\n";
    std::cout << plateau::fixed(r.cost.points_per_second(), 0) << " points per second\n";
    program::print_places(out, "curves.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Stable regions: output distance along paths between activations of prompt pairs.", "stable_regions"};
    options o;
    o.out = "stable_regions.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    app.add_option("--pairs", o.pairs, "chain, disjoint, all, or an NPY file of integers [P,2]: context, other")
        ->capture_default_str();
    app.add_option("--write-site", o.write_site, "where x(alpha) is written")->capture_default_str();
    app.add_option("--read-site", o.read_site,
                   "where the change is read, at the last position; or several, separated by commas")
        ->capture_default_str();
    app.add_option("--path", o.path, "how x goes from A to B, see below")
        ->check(CLI::IsMember(program::path_names()))
        ->capture_default_str();
    app.add_option("--metrics", o.metrics, "also these curves, see below: share, projection, arc, cosine")
        ->delimiter(',')
        ->check(CLI::IsMember(program::metric_names()));
    app.add_option("--steps", o.steps, "points per pair, alpha = i/(steps-1)")->capture_default_str();
    app.add_option("--min-d1", o.min_d1, "a pair with d(1) not above this is degenerate")->capture_default_str();
    app.add_option("--refine", o.refine,
                   "then look for each pair's steepest place to this tolerance in alpha, from a few more points")
        ->check(CLI::Range(1e-9, 0.5));
    app.add_flag("--kl", o.kl, "also the divergence of the predicted distribution from that at alpha = 0");
    app.add_option("--top-k", o.top_k, "also this many likeliest next tokens of every point")
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
    app.add_flag("--transplant-gap", o.gap, "also the distance of the transplanted end's read-out to its own prompt's");
    program::add_intervention_options(app, o.interventions);
    app.footer(std::string(files_text) + '\n' + program::paths_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
