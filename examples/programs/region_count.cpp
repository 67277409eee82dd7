// Region count: how often two prompts lie in one stable region, and how many regions that speaks for.
//
//     region_count --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 2000 --pairs disjoint --steps 30
//     --out results
//
// Two prompts lie in one region if nothing jumps between them: if the max slope of d(α)/d(1) stays below a threshold,
// or by other signs. If P is how often that is so, there are 1/P regions in effect, and more if they differ in size.
// See Janiak et al. 2024, arXiv 2409.17113, appendix G.

#include <plateau/engine/generate.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/lipschitz_ratio.hpp>
#include <plateau/statistics/region_count.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/curves.hpp>
#endif

#include "support/studies.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace statistics = plateau::statistics;
using statistics::estimate;

constexpr char const* files_text =
    "Files written to --out (P pairs, S steps, N prompts, T tokens of the longest):\n"
    "  relative.npy       float64 [P,S]  d(alpha)/d(1), no unit; NaN for a degenerate pair\n"
    "  max_slope.npy      float64 [P]    its largest step, x (S-1): per unit of alpha\n"
    "  lipschitz.npy      float64 [P]    largest step / mean of the first ten, no unit\n"
    "  path_labels.npy    int64   [P,S]  the likeliest next token along the path, in the context of the first prompt\n"
    "  labels.npy         int64   [N]    the likeliest next token of each prompt's own run\n"
    "  tokens.npy         int64   [N,T]  token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] if "
    "lengths differ\n"
    "  pairs.npy          int64   [P,2]  prompts of each pair, counted from 0: context, other\n"
    "  region_count.csv   the first table, every number with its 95 % interval (_low, _high)\n"
    "  same_region.csv    the second table\n"
    "  region_count.png   the curves, and the histogram of max slopes\n"
    "  summary.json       one object     program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                     load_seconds, points_per_second, options, pairs, steps, degenerate_pairs, "
    "max_slope_quantiles (5, 25, 50, 75,\n"
    "                     95, 99 %), same_region (thresholds), and by threshold [value, low, high] of "
    "same_region_share,\n"
    "                     regions_equal, regions_shape_2\n"
    "First table. P is the share of pairs in one region by that sign; `equal sizes` the number of regions 1/P if all "
    "are of one size, the\n"
    "least that P allows; `sizes of shape 2` (1 + 1/2)/P, if sizes are spread as the published script has it (negative "
    "binomial of\n"
    "shape 2). Signs of the pairs: thresholds of the max slope; a Lipschitz ratio below 1.5; the likeliest token the "
    "same all along the\n"
    "path. Signs of the prompts alone, over every two of them: the same likeliest token, and, for comparison, the same "
    "last token.\n"
    "Second table. Of the pairs with a max slope that small, or of all: how many share the last token, and the "
    "likeliest next one.\n"
    "Intervals: moving blocks of a chain's pairs, Wilson's of disjoint ones and of the second table, prompts drawn "
    "again otherwise.\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::study_options {
    std::vector<double> same_region{1.2, 1.5};
};

double const nan = std::numeric_limits<double>::quiet_NaN();

/// 1 where the sign says one region, 0 where it does not, NaN for a degenerate pair.
template <class Sign>
std::vector<double> indicator(std::vector<double> const& slopes, Sign const& sign) {
    std::vector<double> is;
    for (std::size_t p = 0; p < slopes.size(); ++p) is.push_back(std::isnan(slopes[p]) ? nan : sign(p) ? 1 : 0);
    return is;
}

/// Of the pairs that `among` holds, the share for which `is` holds.
estimate share_among(std::vector<double> const& among, std::vector<double> const& is) {
    index count = 0, held = 0;
    for (std::size_t p = 0; p < among.size(); ++p) {
        if (among[p] != 1) continue;
        ++count;
        held += is[p] == 1;
    }
    return count == 0 ? estimate{nan, nan, nan, nan} : statistics::wilson_share(held, count);
}

/// What is known of pairs and prompts.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;
    program::pair_design design;
    program::pair_curves curves = {};
    std::vector<double> lipschitz = {};          ///< [P]
    std::vector<index> labels = {};              ///< [N]
    std::vector<std::int64_t> path_labels = {};  ///< [P,S]

    std::vector<index> last_tokens() const {
        std::vector<index> all;
        for (auto const& prompt : prompts) all.push_back(prompt.back());
        return all;
    }
    /// The pairs for which both prompts have the same label.
    std::vector<double> same(std::vector<index> const& of_prompts) const {
        return indicator(curves.max_slope, [&](std::size_t p) {
            auto const& pair = design.pairs[p];
            return of_prompts[static_cast<std::size_t>(pair.from)] == of_prompts[static_cast<std::size_t>(pair.to)];
        });
    }
    /// The pairs with one label all along the path.
    std::vector<double> one_label() const {
        return indicator(curves.max_slope, [&](std::size_t p) {
            auto const path = path_labels.begin() + static_cast<std::ptrdiff_t>(p) * curves.steps();
            return std::all_of(path, path + curves.steps(), [&](std::int64_t label) { return label == *path; });
        });
    }
};

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    results all{{model.computer(), load_seconds}, program::load_prompts(o, model, false), {}};
    all.design = program::pairs_of(o.pairs, static_cast<index>(all.prompts.size()));
    index const count = all.design.count();
    program::require_memory(o.steps, (count + 1) * 6 * index{sizeof(double)},
                            std::to_string(o.steps) + " steps of " + std::to_string(count) + " pairs",
                            "ask for fewer steps or pairs");
    plateau::engine::predictions<T> predictions{count, o.steps, 1};
    all.cost.points = count * o.steps;
    program::point_count counted;
    counted.expect(all.cost.points);
    auto const swept = program::sweep_lines(model, all.prompts, all.design.pairs, o.steps, o.sites(), counted,
                                            plateau::engine::read_predictions(model.engine(), predictions));
    counted.end();
    all.cost.seconds = counted.seconds;
    all.curves = program::curves_of(swept.alpha, swept.distances, o.min_d1);
    for (auto const& next : plateau::engine::generate(model.engine(), all.prompts, {.max_new_tokens = 1}))
        all.labels.push_back(next.tokens[0]);
    for (auto const& best : predictions.best.flat()) all.path_labels.push_back(best.token);
    for (index p = 0; p < count; ++p) {
        bool const degenerate = std::isnan(all.curves.max_slope[static_cast<std::size_t>(p)]);
        all.lipschitz.push_back(degenerate ? nan : metrics::lipschitz_ratio(swept[p]));
    }
    return all;
}

/// Both tables, and the numbers of the first one's thresholds.
struct tables {
    program::interval_table counts{{"one region if", "of"}, {"P", "regions, equal sizes", "sizes of shape 2"}, 4};
    program::interval_table who{{"pairs with", "how many"}, {"same last token", "same likeliest token"}, 3};
    std::vector<std::array<estimate, 3>> by_threshold = {};

    std::array<estimate, 3> add(std::string const& sign, std::string const& of, estimate const& same) {
        estimate const equal = statistics::region_count(same, INFINITY), spread = statistics::region_count(same, 2);
        counts.row({sign, of}, {same, equal, spread});
        return {same, equal, spread};
    }
};

tables tables_of(options const& o, results const& found) {
    tables all;
    auto const& slopes = found.curves.max_slope;
    auto const last_tokens = found.last_tokens();
    auto const same_last = found.same(last_tokens), same_label = found.same(found.labels),
               any = indicator(slopes, [](std::size_t) { return true; });
    auto const how_many = [](std::vector<double> const& is) {
        return std::to_string(std::count(is.begin(), is.end(), 1.0));
    };
    std::string const pairs_text = std::to_string(found.design.count() - found.curves.degenerate) + " pairs",
                      prompts_text = "every 2 of " + std::to_string(found.prompts.size());
    for (double const limit : o.same_region) {
        auto const is = indicator(slopes, [&](std::size_t p) { return slopes[p] < limit; });
        auto const name = "max slope < " + plateau::fixed(limit, 2);
        all.by_threshold.push_back(all.add(name, pairs_text, found.design.share(is, o)));
        all.who.row({name, how_many(is)}, {share_among(is, same_last), share_among(is, same_label)});
    }
    all.who.row({"any", how_many(any)}, {found.design.share(same_last, o), found.design.share(same_label, o)});
    auto const smooth = indicator(slopes, [&](std::size_t p) { return found.lipschitz[p] < 1.5; });
    all.add("Lipschitz ratio < 1.5", pairs_text, found.design.share(smooth, o));
    all.add("one token likeliest all along", pairs_text, found.design.share(found.one_label(), o));
    statistics::bootstrap_options const resampling{.resamples = o.resamples, .seed = o.seed};
    all.add("same likeliest token", prompts_text, statistics::same_region_estimate(found.labels, resampling));
    all.add("same last token", prompts_text, statistics::same_region_estimate(last_tokens, resampling));
    return all;
}

void write_arrays(options const& o, results const& found, plateau::output_set& out) {
    index const count = found.design.count();
    plateau::io::write_npy(out.file("relative.npy"), found.curves.relative, {count, o.steps});
    plateau::io::write_npy(out.file("max_slope.npy"), found.curves.max_slope, {count});
    plateau::io::write_npy(out.file("lipschitz.npy"), found.lipschitz, {count});
    plateau::io::write_npy(out.file("path_labels.npy"), found.path_labels, {count, o.steps});
    plateau::io::write_npy(out.file("labels.npy"), std::vector<std::int64_t>(found.labels.begin(), found.labels.end()),
                           {static_cast<index>(found.labels.size())});
    program::write_prompts_and_pairs(out, found.prompts, found.design.numbers());
}

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, results const& found, std::array<estimate, 3> const& first, std::ostream& out) {
    plateau::viz::curve_figure figure;
    figure.title = program::title_of(o);
    figure.subtitle = "P(max slope < " + plateau::fixed(o.same_region[0], 2) +
                      ") = " + program::with_interval(first[0], 4) + ":  in effect " +
                      program::with_interval(first[1], 0) + " regions";
    figure.alpha = found.curves.alpha;
    figure.relative = {found.curves.relative.data(), {found.design.count(), o.steps}};
    figure.max_slope = found.curves.max_slope;
    plateau::viz::write_curves(figure, out);
}
#endif

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    for (double const limit : o.same_region) {
        if (!(limit > 0)) throw plateau::usage_error("--same-region must be slopes above 0");
    }
    plateau::output_set out{o.out};
    auto const found =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    index const count = found.design.count();
    auto const text = tables_of(o, found);
    write_arrays(o, found, out);
    out.file("region_count.csv").write(text.counts.csv());
    out.file("same_region.csv").write(text.who.csv());
#if PLATEAU_HAS_CAIRO
    write_figure(o, found, text.by_threshold[0], out.file("region_count.png").stream());
#else
    std::cerr << "region_count.png is not drawn: this build has no cairo\n";
#endif
    auto summary = program::summary_of(app, o, found.cost);
    summary["pairs"] = count;
    summary["steps"] = o.steps;
    summary["degenerate_pairs"] = found.curves.degenerate;
    program::interval_table quantiles{{"max slope"}, {"value"}};
    for (double const q : {0.05, 0.25, 0.5, 0.75, 0.95, 0.99}) {
        auto const x =
            found.design.interval(std::span<double const>{found.curves.max_slope}, statistics::quantile_of{q}, o);
        summary["max_slope_quantiles"].push_back(program::json_of(x));
        quantiles.row({plateau::fixed(100 * q, 0) + " %"}, {x});
    }
    summary["same_region"] = o.same_region;
    for (auto const& [same, equal, spread] : text.by_threshold) {
        summary["same_region_share"].push_back(program::json_of(same));
        summary["regions_equal"].push_back(program::json_of(equal));
        summary["regions_shape_2"].push_back(program::json_of(spread));
    }
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(found.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << count << " pairs x " << o.steps << " steps, "
              << o.write_site << " -> " << o.read_site << "; 95 % intervals in brackets\n\n"
              << quantiles.render() << '\n'
              << text.counts.render() << '\n'
              << text.who.render();
    if (found.curves.degenerate > 0) std::cout << found.curves.degenerate << " degenerate pairs are left out\n";
    program::print_places(out, "region_count.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"How often two prompts lie in one stable region, and how many regions that speaks for.",
                 "region_count"};
    options o;
    o.out = "region_count.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_pair_options(app, o);
    program::add_site_options(app, o);
    app.add_option("--same-region", o.same_region,
                   "thresholds, separated by commas: a pair with a max slope below lies in one region")
        ->delimiter(',')
        ->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
