// Predicting the jump: where between two activations the output jumps, from what is known before any point is run.
//
//     predict_jump --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// Candidates: the foot of the activations' mean on the line from A to B; the bisector of the angle at the mean (Janiak
// et al. 2024, arXiv 2409.17113, code); neurons of the first MLP that only one of the ends turns on (LASR code); and
// one half.

#include <plateau/metrics/jump_prediction.hpp>
#include <plateau/metrics/neuron_prediction.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/sweep/activations.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/named_paths.hpp"
#include "support/studies.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;
using statistics::estimate;

constexpr char const* files_text =
    "Files written to --out (P pairs, S steps, N prompts, T tokens of the longest):\n"
    "  alpha_jump.npy     float64 [P]    centre of the steepest step of d(alpha): alpha, in [0,1]; NaN for a "
    "degenerate pair\n"
    "  alpha_mean.npy     float64 [P]    <B-A, m-A> / |B-A|^2, m the mean of the N prompts' activations: alpha, any "
    "number\n"
    "  bisector.npy       float64 [P]    |A-m| / (|A-m| + |B-m|): alpha, in [0,1]\n"
    "  neurons_ratio.npy  float64 [P]    first alpha where the neurons that B alone turns on outweigh those that A "
    "alone does, each sum in\n"
    "                     units of its own end; NaN where they never do\n"
    "  neurons_naive.npy  float64 [P]    the same with the sums as they are\n"
    "  masked.npy         int64   [P]    1: the pair passes the published masks, d(1) > --min-d1, a distance to m that "
    "varies by more than\n"
    "                     --mean-range along the path and is least neither in the first nor in the last two steps\n"
    "  relative.npy       float64 [P,S]  d(alpha)/d(1), no unit\n"
    "  predict_jump.csv   the tables, every number with its 95 % interval (_low, _high)\n"
    "  tokens.npy         int64   [N,T]  token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] if "
    "lengths differ\n"
    "  pairs.npy          int64   [P,2]  prompts of each pair, counted from 0: context, other\n"
    "  predict_jump.png   where the jump is against where it is expected, of every predictor\n"
    "  summary.json       one object     program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                     load_seconds, points_per_second, options, pairs, steps, degenerate_pairs, masked_pairs, "
    "predictors (names), and by\n"
    "                     predictor [value, low, high] of mean_error, rms_error, right_side, correlation, over all "
    "pairs that have one\n"
    "Table. error: |predicted - found|, in alpha; right side: share of the pairs with both on the same side of 1/2; "
    "correlation: Pearson's.\n"
    "All pairs first, then those that pass the masks. Intervals: moving blocks of a chain's pairs, prompts drawn again "
    "where pairs share\n"
    "them otherwise. Neurons are read at the last position, after their nonlinearity; a neuron is on where it is above "
    "0.\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::study_options {
    std::string neurons = "blocks.1.mlp.hook_post";
    double mean_range = 3;
};

double const nan = std::numeric_limits<double>::quiet_NaN();

/// A predictor: its name, and what it says of each pair.
struct predictor {
    std::string name, file;
    std::vector<double> places;
};

/// How good it is, over the pairs that `use` holds.
struct score {
    estimate error, rms, side, correlation;
    index count = 0;
};

score score_of(program::pair_design const& design, std::vector<double> const& predicted,
               std::vector<double> const& found, std::vector<bool> const& use, options const& o) {
    using both = std::array<double, 2>;
    std::vector<both> points;
    score s;
    for (std::size_t p = 0; p < found.size(); ++p) {
        bool const known = use[p] && !std::isnan(predicted[p]) && !std::isnan(found[p]);
        points.push_back(known ? both{predicted[p], found[p]}
                               : both{nan, nan});  // in its place: a chain's neighbours matter
        s.count += known;
    }
    auto const estimate_of = [&](auto const& statistic) {
        return design.interval(
            std::span<both const>{points},
            [&](std::span<both const> drawn) {
            std::vector<both> known;
            for (auto const& one : drawn) {
                if (!std::isnan(one[0])) known.push_back(one);
            }
            return known.empty() ? nan : statistic(known);
            },
            o);
    };
    auto const mean_of = [](std::vector<both> const& known, auto const& value) {
        double sum = 0;
        for (auto const& [p, f] : known) sum += value(p, f);
        return sum / static_cast<double>(known.size());
    };
    s.error = estimate_of(
        [&](auto const& known) { return mean_of(known, [](double p, double f) { return std::abs(p - f); }); });
    s.rms = estimate_of([&](auto const& known) {
        return std::sqrt(mean_of(known, [](double p, double f) { return (p - f) * (p - f); }));
    });
    std::vector<double> right;
    for (auto const& [p, f] : points)
        right.push_back(std::isnan(p) || p == 0.5 ? nan : (p < 0.5) == (f < 0.5) ? 1 : 0);  // one half is on no side
    s.side = design.share(right, o);
    s.correlation = estimate_of([](auto const& known) { return statistics::pearson(known); });
    return s;
}

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, std::vector<predictor> const& predictors, std::vector<double> const& found,
                  std::vector<score> const& scores, std::ostream& out) {
    namespace viz = plateau::viz;
    viz::labelled_figure figure;
    figure.title = program::title_of(o);
    figure.counts = std::to_string(found.size()) + " pairs × " + std::to_string(o.steps) + " steps, 95 % intervals";
    figure.subtitle =
        "where the output jumps, against where it was expected to;  " + o.write_site + " → " + o.read_site;
    viz::interval const whole{0, 1};
    for (std::size_t k = 0; k + 1 < predictors.size(); ++k) {  // one half needs no picture
        auto const how_good = "r = " + program::with_interval(scores[k].correlation, 2) + ",  mean error " +
                              program::with_interval(scores[k].error, 3);
        auto const outside = std::count_if(predictors[k].places.begin(), predictors[k].places.end(),
                                           [](double x) { return x < 0 || x > 1; });
        auto const title =
            predictors[k].name + (outside > 0 ? "  (" + std::to_string(outside) + " pairs outside of [0, 1])" : "");
        figure.panels.push_back(
            {title,
             {"α expected", false, whole},
             {"α of the jump", false, whole},
             {{.label = how_good, .x = predictors[k].places, .y = found, .points = true, .line = false}},
             {{.diagonal = true}}});
    }
    viz::write_labelled_curves(figure, out);
}
#endif

/// What is reported.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;
    program::pair_design design;
    program::pair_curves curves = {};
    std::vector<predictor> predictors = {};
    std::vector<bool> masked = {};  ///< [P]: passes the published masks

    index passing() const { return std::count(masked.begin(), masked.end(), true); }
};

/// The neurons along every path, [P,S,width], beside the sweep that finds the jumps.
template <class T>
plateau::tensor::buffer<T, 3> sweep_neurons(options const& o, plateau::model<T> const& model, results& all) {
    auto const site = plateau::hooks::find_site(model.sites(), o.neurons);
    index const count = all.design.count(), width = site.heads * site.width;
    program::require_memory(o.steps, (count + 1) * width * index{sizeof(T)},
                            std::to_string(width) + " neurons at " + std::to_string(o.steps) + " steps of " +
                                std::to_string(count) + " pairs",
                            "ask for fewer steps or pairs");
    plateau::tensor::buffer<T, 3> neurons({count, o.steps, width});
    auto const keep = plateau::engine::each_read_out<T>(site.name(), [&](plateau::engine::read_out<T> const& r) {
        std::copy_n(r.value.data(), width, neurons[r.pair][r.point].data());
    });
    all.cost.points = count * o.steps;
    program::point_count counted;
    counted.expect(all.cost.points);
    auto const swept = program::sweep_lines(model, all.prompts, all.design.pairs, o.steps, o.sites(), counted, keep);
    all.cost.seconds = counted.seconds;
    all.curves = program::curves_of(swept.alpha, swept.distances, o.min_d1);
    return neurons;
}

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    results all{{model.computer(), load_seconds}, program::load_prompts(o, model, false), {}};
    all.design = program::pairs_of(o.pairs, static_cast<index>(all.prompts.size()));
    auto const neurons = sweep_neurons(o, model, all);
    auto const activations = sweep::last_activations(model, all.prompts, o.write_site);
    auto const mean = program::mean_of<T>(activations);

    auto& predictors = all.predictors = {{"alpha mean", "alpha_mean.npy", {}},
                                         {"bisector", "bisector.npy", {}},
                                         {"neurons, ratio", "neurons_ratio.npy", {}},
                                         {"neurons, naive", "neurons_naive.npy", {}},
                                         {"one half", "", {}}};
    for (index p = 0; p < all.design.count(); ++p) {
        auto const& pair = all.design.pairs[static_cast<std::size_t>(p)];
        std::span<T const> const a = activations[pair.from].flat(), b = activations[pair.to].flat(), m{mean};
        predictors[0].places.push_back(metrics::alpha_mean(a, b, m));
        predictors[1].places.push_back(metrics::bisector_prediction(a, b, m));
        for (auto const rule : {metrics::neuron_rule::ratio, metrics::neuron_rule::naive}) {
            auto const at = metrics::neuron_prediction<T>(neurons[p], rule);
            predictors[rule == metrics::neuron_rule::ratio ? 2 : 3].places.push_back(
                at ? all.curves.alpha[static_cast<std::size_t>(*at)] : nan);
        }
        predictors[4].places.push_back(0.5);
        std::vector<T> x(mean.size());
        std::vector<double> to_mean;
        for (double const alpha : all.curves.alpha) {
            plateau::paths::linear<T>{a, b}(alpha, x);
            to_mean.push_back(metrics::l2_distance<T>(x, m));
        }
        all.masked.push_back(!std::isnan(all.curves.max_slope[static_cast<std::size_t>(p)]) &&
                             metrics::passes_the_mean(to_mean, o.mean_range));
    }
    return all;
}

void write_arrays(options const& o, results const& found, plateau::output_set& out) {
    index const count = found.design.count();
    plateau::io::write_npy(out.file("alpha_jump.npy"), found.curves.alpha_jump, {count});
    for (auto const& one : found.predictors) {
        if (!one.file.empty()) plateau::io::write_npy(out.file(one.file), one.places, {count});
    }
    plateau::io::write_npy(out.file("masked.npy"), std::vector<std::int64_t>(found.masked.begin(), found.masked.end()),
                           {count});
    plateau::io::write_npy(out.file("relative.npy"), found.curves.relative, {count, o.steps});
    program::write_prompts_and_pairs(out, found.prompts, found.design.numbers());
}

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    if (!(o.mean_range >= 0)) throw plateau::usage_error("--mean-range must be a distance, 0 or more");
    plateau::output_set out{o.out};
    auto const found =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    index const count = found.design.count();
    program::interval_table table{{"pairs", "predictor", "known"},
                                  {"mean error", "RMS error", "right side", "correlation"}};
    auto summary = program::summary_of(app, o, found.cost);
    summary["pairs"] = count;
    summary["steps"] = o.steps;
    summary["degenerate_pairs"] = found.curves.degenerate;
    summary["masked_pairs"] = found.passing();
    std::vector<score> scores;
    std::vector<bool> const all(found.masked.size(), true);
    for (auto const& [name, use] : {std::pair{"all", &all}, {"masked", &found.masked}}) {
        for (auto const& one : found.predictors) {
            auto const s = score_of(found.design, one.places, found.curves.alpha_jump, *use, o);
            table.row({name, one.name, std::to_string(s.count)}, {s.error, s.rms, s.side, s.correlation});
            if (use != &all) continue;
            scores.push_back(s);
            summary["predictors"].push_back(one.name);
            summary["mean_error"].push_back(program::json_of(s.error));
            summary["rms_error"].push_back(program::json_of(s.rms));
            summary["right_side"].push_back(program::json_of(s.side));
            summary["correlation"].push_back(program::json_of(s.correlation));
        }
    }
    write_arrays(o, found, out);
    out.file("predict_jump.csv").write(table.csv());
#if PLATEAU_HAS_CAIRO
    write_figure(o, found.predictors, found.curves.alpha_jump, scores, out.file("predict_jump.png").stream());
#else
    std::cerr << "predict_jump.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(found.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << count << " pairs x " << o.steps << " steps, "
              << o.write_site << " -> " << o.read_site << "; " << found.passing()
              << " pass the masks; 95 % intervals in brackets\n"
              << table.render();
    if (found.curves.degenerate > 0) std::cout << found.curves.degenerate << " degenerate pairs are left out\n";
    program::print_places(out, "predict_jump.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Predicting the jump: where the output jumps between two activations, and where it was expected to.",
                 "predict_jump"};
    options o;
    o.out = "predict_jump.out";
    o.min_d1 = 0.01;  // the published mask
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_pair_options(app, o);
    program::add_site_options(app, o);
    app.add_option("--neurons", o.neurons, "the neurons of the first MLP after the write site")->capture_default_str();
    app.add_option(
           "--mean-range", o.mean_range,
           "how much the distance to the mean has to vary along a path; published 3, of models whose activations are "
           "longer or shorter than others")
        ->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
