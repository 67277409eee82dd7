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

#include <plateau/paths/grid.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/distance_curves.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/predictions.hpp>
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

template <class T>
void require_finite(sweep::predictions<T> const& p) {
    for (index i = 0; i < p.log_sum_exp.size(); ++i) {
        if (std::isfinite(p.log_sum_exp.data()[i])) continue;
        throw plateau::numeric_error("the logits are not finite for pair " +
                                     std::to_string(i / p.log_sum_exp.extent(1)) + ", point " +
                                     std::to_string(i % p.log_sum_exp.extent(1)) + ": compute with a wider dtype");
    }
}

template <class T>
void write_predictions(plateau::output_set& out, sweep::predictions<T> const& p, options const& o) {
    auto const [pairs, steps, k] = p.best.extents();
    if (o.kl) {
        plateau::io::write_npy(out.file("kl.npy"), p.kl_from_start.flat(), {pairs, steps});
        plateau::io::write_npy(out.file("kl_reverse.npy"), p.kl_to_start.flat(), {pairs, steps});
    }
    if (k == 0) return;
    std::vector<std::int64_t> tokens;
    std::vector<double> log_probabilities;
    for (index i = 0; i < p.best.size(); ++i) {
        auto const& [logit, token] = p.best.data()[i];
        tokens.push_back(token);
        log_probabilities.push_back(static_cast<double>(logit) - p.log_sum_exp.data()[i / k]);
    }
    plateau::io::write_npy(out.file("top_tokens.npy"), tokens, {pairs, steps, k});
    plateau::io::write_npy(out.file("top_log_probs.npy"), log_probabilities, {pairs, steps, k});
}

void write_refined(plateau::output_set& out, std::vector<plateau::paths::refined_jump> const& jumps) {
    std::vector<double> values;
    for (auto const& one : jumps)
        values.insert(values.end(), {one.place, one.error, one.slope, one.resolved ? 1.0 : 0.0});
    plateau::io::write_npy(out.file("refined.npy"), values, {static_cast<index>(jumps.size()), 4});
}

void write_csv(plateau::atomic_file& file, std::vector<sweep::prompt_pair> const& pairs,
               sweep::distance_curves const& curves, program::pair_curves const& r) {
    file.write("pair,context,other,alpha,distance,relative\n");
    std::size_t const steps = curves.alpha.size();
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        for (std::size_t i = 0; i < steps; ++i) {
            std::array<char, 160> line{};
            std::snprintf(line.data(), line.size(), "%zu,%lld,%lld,%.17g,%.17g,%.17g\n", p,
                          static_cast<long long>(pairs[p].context), static_cast<long long>(pairs[p].other),
                          curves.alpha[i], curves[static_cast<index>(p)][i], r.relative[p * steps + i]);
            file.write(std::string_view{line.data()});
        }
    }
}

/// Positions of the rows of a pair, at most.
index own_positions(sweep::write_positions const& write, plateau::models::prompt_list const& prompts) {
    index const longest = program::longest_of(prompts);
    return write.suffix ? longest : std::max<index>(1, longest - std::max<index>(0, write.at.first_in(longest)));
}

void run(CLI::App const& app, options const& o) {
    if (o.steps < 2) throw plateau::usage_error("--steps must be at least 2, got " + std::to_string(o.steps));
    if (!(o.min_d1 >= 0)) throw plateau::usage_error("--min-d1 must be a distance, 0 or more");
    auto const positions = program::write_positions_of(o.interventions);
    auto const frozen = program::parse_freeze(o.interventions.freeze);
    auto const read_sites = read_sites_of(o.read_site);
    bool const intervenes = o.gap || program::intervenes(app);
    plateau::output_set out{o.out};
    program::with_model(o, [&](auto const& ctx, auto const& model, double load_seconds) {
        auto const prompts = program::load_prompts(o, model, false);
        auto const pairs = program::in_contexts(program::pairs_of(o.pairs, static_cast<index>(prompts.size())).pairs,
                                                o.interventions.context);
        auto const count = static_cast<index>(pairs.size());
        if (o.top_k > model.vocabulary()) {
            throw plateau::usage_error("--top-k " + std::to_string(o.top_k) + ": the vocabulary has " +
                                       std::to_string(model.vocabulary()) + " tokens");
        }
        program::require_memory(
            o.steps,
            (count + 1) *
                (3 + static_cast<index>(read_sites.size() * (1 + o.metrics.size())) + (o.kl ? 3 : 0) + 4 * o.top_k) *
                index{sizeof(double)},
            std::to_string(o.steps) + " steps of " + std::to_string(count) + " pairs",
            "ask for fewer steps, or fewer pairs at a time");

        bool const predicts = o.kl || o.top_k > 0;
        using T = typename std::decay_t<decltype(model)>::value_type;
        auto predictions = predicts ? sweep::predictions<T>(count, o.steps, o.top_k) : sweep::predictions<T>{};
        using context = std::decay_t<decltype(ctx)>;
        using model_type = std::decay_t<decltype(model)>;
        sweep::transplant_gap<context, model_type> gap{ctx, model, prompts, pairs, read_sites[0], o.steps};
        std::vector<plateau::tensor::buffer<double, 2>> more_distances;
        for (std::size_t k = 1; k < read_sites.size(); ++k)
            more_distances.emplace_back(std::array<index, 2>{count, o.steps});
        program::require_memory(1,
                                program::frozen_bytes(model, frozen, count, own_positions(positions, prompts),
                                                      program::longest_of(prompts)) +
                                    1,
                                "the values of frozen sites", "freeze fewer sites, or fewer pairs at a time");
        program::stopwatch const watch;
        std::vector<T> mean;
        if (o.path.starts_with("arc"))
            mean = program::mean_of<T>(sweep::last_activations(ctx, model, prompts, o.write_site));
        auto const path = program::named_path<T>(o.path, pairs, mean);
        auto const points = o.path == "linear" ? sweep::straight_lines<T>(pairs, o.steps)
                                               : sweep::at_grid<T>(path, plateau::paths::even_grid(0, 1, o.steps));
        plateau::hooks::hook_set<T> changes;
        if (!frozen.empty()) {
            sweep::patched_rows_options first_pass;
            first_pass.write_site = o.write_site;
            first_pass.positions = positions;
            first_pass.points = o.steps;
            changes = sweep::freeze(ctx, model, prompts, pairs, first_pass, points, frozen);
        }
        auto also = changes;
        if (predicts) also = also | sweep::read_predictions(ctx, model, predictions);
        if (intervenes) also = also | gap.reads();
        program::path_metrics<T> whole{o.metrics, read_sites.size(), count, o.steps};
        for (std::size_t k = 0; k < read_sites.size() && whole.any(); ++k) {
            also = also | whole.reads(plateau::hooks::find_site(model.sites(), read_sites[k]).name(), k);
        }
        for (std::size_t k = 1; k < read_sites.size(); ++k) {
            auto const site = plateau::hooks::find_site(model.sites(), read_sites[k]);
            also = also | sweep::read_distances<T>(ctx, site.name(), more_distances[k - 1]);
        }
        auto const curves = [&] {
            plateau::progress bar{"points", count * o.steps};  // its line ends before the table begins
            return sweep::distances_along(ctx, model, prompts, pairs, plateau::paths::even_grid(0, 1, o.steps), points,
                                          {.write = o.write_site,
                                           .read = read_sites[0],
                                           .positions = positions,
                                           .whole_pairs = whole.any(),
                                           .on_points = [&](index done) { bar.advance(done); }},
                                          also);
        }();
        auto const gaps = intervenes ? gap.distances() : std::vector<double>{};
        std::vector<plateau::paths::refined_jump> refined;
        if (o.refine > 0) {
            program::require_finite(curves.distances, read_sites[0]);
            refined =
                sweep::refine_jumps(ctx, model, prompts, pairs, curves, path,
                                    {.tolerance = o.refine,
                                     .noise = o.dtype == "fp64"   ? 1e-13
                                              : o.dtype == "bf16" ? 1e-3
                                                                  : 1e-5,
                                     .min_d1 = o.min_d1},
                                    {.write = o.write_site, .read = read_sites[0], .positions = positions}, changes);
        }
        double const seconds = watch.seconds();
        index evaluated = count * o.steps;
        for (auto const& one : refined) evaluated += std::max<index>(0, one.evaluations - o.steps);
        program::require_finite(curves.distances, read_sites[0]);
        for (std::size_t k = 1; k < read_sites.size(); ++k)
            program::require_finite(more_distances[k - 1], read_sites[k]);
        require_finite(predictions);
        auto const r = program::measure(curves.alpha, curves.distances, o.min_d1);
        auto const slopes = statistics::quartiles_of(r.max_slope);
        auto const jumps = statistics::quartiles_of(r.alpha_jump);

        plateau::io::write_npy(out.file("distances.npy"), curves.distances.flat(), {count, o.steps});
        for (std::size_t k = 1; k < read_sites.size(); ++k) {
            plateau::io::write_npy(out.file(distances_name(k)), more_distances[k - 1].flat(), {count, o.steps});
        }
        plateau::io::write_npy(out.file("relative.npy"), r.relative, {count, o.steps});
        plateau::io::write_npy(out.file("max_slope.npy"), r.max_slope, {count});
        plateau::io::write_npy(out.file("alpha_jump.npy"), r.alpha_jump, {count});
        if (o.refine > 0) write_refined(out, refined);
        write_predictions(out, predictions, o);
        whole.write(out);
        auto const prompt_count = static_cast<index>(prompts.size());
        index const longest = program::longest_of(prompts);
        plateau::io::write_npy(out.file("tokens.npy"), program::padded_tokens(prompts, longest),
                               {prompt_count, longest});
        if (program::ragged(prompts)) {
            plateau::io::write_npy(out.file("lengths.npy"), program::lengths_of(prompts), {prompt_count});
        }
        std::vector<std::int64_t> pair_ids;
        std::vector<std::int64_t> contexts;
        for (auto const& pair : pairs) {
            auto const [a, b] =
                pair.to_context ? std::pair{pair.other, pair.context} : std::pair{pair.context, pair.other};
            pair_ids.insert(pair_ids.end(), {a, b});
            contexts.push_back(pair.context);
        }
        plateau::io::write_npy(out.file("pairs.npy"), pair_ids, {count, 2});
        if (intervenes) {
            plateau::io::write_npy(out.file("contexts.npy"), contexts, {count});
            plateau::io::write_npy(out.file("transplant_gap.npy"), gaps, {count});
        }
        write_csv(out.file("curves.csv"), pairs, curves, r);
#if PLATEAU_HAS_CAIRO
        plateau::viz::curve_figure figure;
        figure.title = program::title_of(o);
        figure.subtitle = o.write_site + " → " + o.read_site;
        figure.alpha = curves.alpha;
        figure.relative = {r.relative.data(), {count, o.steps}};
        figure.max_slope = r.max_slope;
        plateau::viz::write_curves(figure, out.file("curves.png").stream());
#else
        std::cerr << "curves.png is not drawn: this build has no cairo\n";
#endif
        auto summary = program::summary_of(app, o, program::computer_of(ctx), load_seconds, seconds, evaluated);
        summary["pairs"] = count;
        summary["steps"] = o.steps;
        summary["degenerate_pairs"] = r.degenerate;
        summary["max_slope_q25"] = slopes.q25;
        summary["max_slope_median"] = slopes.median;
        summary["max_slope_q75"] = slopes.q75;
        summary["alpha_jump_median"] = jumps.median;
        auto const gap_quartiles = statistics::quartiles_of(gaps);
        if (intervenes) {
            summary["context"] = o.interventions.context;
            summary["position"] = positions.suffix ? "suffix" : o.interventions.position;
            summary["mode"] = o.interventions.mode;
            std::string all;
            for (auto const& one : o.interventions.freeze) all += (all.empty() ? "" : " ") + one;
            summary["freeze"] = all;
            summary["transplant_gap_q25"] = gap_quartiles.q25;
            summary["transplant_gap_median"] = gap_quartiles.median;
            summary["transplant_gap_q75"] = gap_quartiles.q75;
        }
        out.file("summary.json").write(program::json_text(summary));
        out.commit();
        program::remove_stale(out, program::ragged(prompts), {"lengths.npy"});
        std::error_code ignored;
        for (std::size_t k = read_sites.size(); std::filesystem::remove(out.directory() / distances_name(k), ignored);)
            ++k;
        program::remove_stale(out, intervenes, {"contexts.npy", "transplant_gap.npy"});
        program::remove_stale(out, o.refine > 0, {"refined.npy"});
        program::remove_stale(out, o.kl, {"kl.npy", "kl_reverse.npy"});
        program::remove_stale(out, o.top_k > 0, {"top_tokens.npy", "top_log_probs.npy"});
        for (auto const& metric : program::metric_names()) {
            if (std::count(o.metrics.begin(), o.metrics.end(), metric) > 0) continue;
            std::filesystem::remove(out.directory() / (metric + ".npy"), ignored);
            for (int k = 2;
                 std::filesystem::remove(out.directory() / (metric + "." + std::to_string(k) + ".npy"), ignored);)
                ++k;
        }

        plateau::table table{{"", "q25", "median", "q75"}};
        auto const row = [&](char const* name, statistics::quartiles const& q) {
            table.row({name, plateau::fixed(q.q25, 3), plateau::fixed(q.median, 3), plateau::fixed(q.q75, 3)});
        };
        row("max slope of d(alpha)/d(1)", slopes);
        row("place of the jump (alpha)", jumps);
        if (intervenes) row("transplant gap", gap_quartiles);
        if (o.refine > 0) {
            std::vector<double> places, refined_slopes;
            for (auto const& one : refined) {
                places.push_back(one.place);
                refined_slopes.push_back(one.slope);
            }
            row("max slope, refined", statistics::quartiles_of(refined_slopes));
            row("place of the jump, refined", statistics::quartiles_of(places));
        }
        std::cout << o.model << program::weights_of(o) << ": " << count << " pairs x " << o.steps << " steps, "
                  << o.write_site << " -> " << o.read_site << '\n'
                  << table.render();
        if (o.refine > 0) {
            auto const bounds = std::count_if(refined.begin(), refined.end(),
                                              [](auto const& one) { return !one.resolved && !std::isnan(one.place); });
            if (bounds > 0) std::cout << bounds << " refined slopes are lower bounds: sharper than the tolerance\n";
        }
        if (r.degenerate > 0) std::cout << r.degenerate << " degenerate pairs are left out\n";
        std::cout << plateau::fixed(static_cast<double>(evaluated) / seconds, 0) << " points per second\n";
        program::print_places(out, "curves.png");
    });
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
