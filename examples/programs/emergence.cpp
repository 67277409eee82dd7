// Emergence: how stable regions come about in training, on the same prompts and pairs at every checkpoint.
//
//     emergence --out results                      (the checkpoints of the embedded model)
//     emergence --checkpoints step1000,step16000,step143000 --prompts prompts.txt --out results
//
// What sharpens the curves has three parts, told apart here: more pairs lie in different regions, the boundaries
// between those that do are sharper, and they are crossed at the same place. See Janiak et al. 2024, arXiv 2409.17113,
// section 4 and footnote 5.

#include <charconv>

#include <plateau/statistics/share_and_level.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/studies.hpp"

namespace {

using plateau::index;
namespace statistics = plateau::statistics;
using statistics::estimate;

constexpr char const* files_text =
    "Files written to --out (C checkpoints in the order given, P pairs, S steps, N prompts, T tokens of the longest):\n"
    "  steps.npy          int64   [C]      training steps, the first number in the checkpoint's name, or its place in "
    "the order\n"
    "  relative.npy       float64 [C,P,S]  d(alpha)/d(1), no unit; NaN for a degenerate pair\n"
    "  median_curve.npy   float64 [C,S]    its median over pairs, point by point\n"
    "  max_slope.npy      float64 [C,P]    largest step of the relative curve, x (S-1): per unit of alpha\n"
    "  alpha_jump.npy     float64 [C,P]    where that step is: alpha, in [0,1]\n"
    "  width.npy          float64 [C,P]    alpha at 0.9 - alpha at 0.1 of the isotonic fit\n"
    "  emergence.csv      C rows           what the first two tables say, every number with its 95 % interval (_low, "
    "_high)\n"
    "  changes.csv        C-1 rows         what the third table says\n"
    "  tokens.npy         int64   [N,T]    token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] if "
    "lengths differ\n"
    "  pairs.npy          int64   [P,2]    prompts of each pair, counted from 0: context, other\n"
    "  emergence.png      median max slope against the step, and the median curve of every checkpoint\n"
    "  summary.json       one object       program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                     load_seconds, points_per_second, options, checkpoints (names), pairs, steps, same_region "
    "(the\n"
    "                     threshold), and by checkpoint [value, low, high] of max_slope_median, max_slope_mean, "
    "width_median,\n"
    "                     cross_share, cross_level, jump_spread, median_curve_width\n"
    "Tables. A pair is taken to cross a boundary if its max slope is --same-region or more.\n"
    "  share across      share of the pairs that do: new regions\n"
    "  level across      median max slope of those\n"
    "  jump spread       interquartile range of alpha_jump of those: jumps at one place, or anywhere; in alpha\n"
    "  width of medians  width of the median curve: wider than the median width as far as jumps are spread\n"
    "From one checkpoint to the next the mean of max slopes changes by the sum of three parts: new regions (change of "
    "the share x gap\n"
    "between the levels), sharper boundaries (change of the level across x share), and the rest (change of the level "
    "of the others).\n"
    "The level of the pairs that are across at both (how many: `both`) changes by `same pairs` in the median, which no "
    "change of\n"
    "membership can cause. Intervals: moving blocks of a chain's pairs, prompts drawn again where pairs share them "
    "otherwise.\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::study_options {
    std::vector<std::string> checkpoints;
    index final_step = 1099;  // of the embedded model
    double same_region = 1.5;
};

/// A model at one moment of its training.
struct checkpoint {
    std::string path, name;
    index step = 0;
};

/// The last part of the path; the first number in it, or its place in the order.
checkpoint checkpoint_at(std::string const& path, index place) {
    std::filesystem::path const folder{path};
    checkpoint result{path, (folder.has_filename() ? folder : folder.parent_path()).filename().string(), place};
    auto const digit = result.name.find_first_of("0123456789");
    if (digit != std::string::npos)
        std::from_chars(result.name.data() + digit, result.name.data() + result.name.size(), result.step);
    return result;
}

/// Those given; else those beside the model, in folders checkpoints/*, and then the model itself.
std::vector<checkpoint> checkpoints_of(options const& o) {
    std::vector<checkpoint> all;
    for (auto const& path : o.checkpoints) all.push_back(checkpoint_at(path, static_cast<index>(all.size())));
    if (!all.empty()) return all;
    auto const folder = std::filesystem::path(o.model) / "checkpoints";
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(folder, none)) {
        if (entry.is_directory()) all.push_back(checkpoint_at(entry.path().string(), 0));
    }
    if (all.empty()) {
        throw plateau::usage_error(
            "--model " + o.model +
            " has no folder 'checkpoints' with models in it: name them as --checkpoints A,B,...");
    }
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) {
        return std::pair{a.step, a.name} < std::pair{b.step, b.name};
    });
    all.push_back(checkpoint_at(o.model, 0));
    all.back().step = o.final_step;
    return all;
}

/// What is known of a checkpoint.
struct moment {
    program::pair_curves curves;
    estimate slope, slope_mean, width, share, level, spread, median_width;
    std::vector<double> median_curve;
};

moment moment_of(options const& o, program::pair_design const& design, program::pair_curves curves) {
    moment m;
    m.slope = design.median(curves.max_slope, o);
    m.slope_mean = design.mean(curves.max_slope, o);
    m.width = design.median(curves.width, o);
    std::vector<double> across, level, jump;
    std::vector<index> pairs;
    double const nan = std::numeric_limits<double>::quiet_NaN();
    for (index p = 0; p < design.count(); ++p) {
        auto const k = static_cast<std::size_t>(p);
        double const slope = curves.max_slope[k];
        bool const crosses = slope >= o.same_region;
        across.push_back(std::isnan(slope) ? nan : crosses ? 1 : 0);
        level.push_back(crosses ? slope : nan);
        jump.push_back(crosses ? curves.alpha_jump[k] : nan);
        pairs.push_back(p);
    }
    m.share = design.share(across, o);
    m.level = design.median(level, o);
    m.spread = design.interval(
        std::span<double const>{jump},
        [](std::span<double const> values) {
        auto const q = statistics::quartiles_of(values);
        return q.q75 - q.q25;
        },
        o);
    m.median_width = design.interval(
        std::span<index const>{pairs},
        [&](std::span<index const> drawn) {
        return plateau::metrics::transition_of(curves.alpha, curves.median_curve(drawn)).width;
        },
        o);
    m.median_curve = curves.median_curve(pairs);
    m.curves = std::move(curves);
    return m;
}

/// What changed from one checkpoint to the next.
struct change {
    estimate total, from_share, from_above, from_below, same_pairs;
    index both = 0;
};

change change_of(options const& o, program::pair_design const& design, moment const& before, moment const& after) {
    using both_slopes = std::array<double, 2>;
    std::vector<both_slopes> slopes;
    change c;
    for (std::size_t p = 0; p < before.curves.max_slope.size(); ++p) {
        slopes.push_back({before.curves.max_slope[p], after.curves.max_slope[p]});
        c.both += slopes.back()[0] >= o.same_region && slopes.back()[1] >= o.same_region;
    }
    auto const part = [&](double statistics::change_parts::*which) {
        return design.interval(
            std::span<both_slopes const>{slopes},
            [&](std::span<both_slopes const> drawn) { return statistics::change_of_mean(drawn, o.same_region).*which; },
            o);
    };
    c.total = part(&statistics::change_parts::total);
    c.from_share = part(&statistics::change_parts::from_share);
    c.from_above = part(&statistics::change_parts::from_above);
    c.from_below = part(&statistics::change_parts::from_below);
    c.same_pairs = design.interval(
        std::span<both_slopes const>{slopes},
        [&](std::span<both_slopes const> drawn) {
        std::vector<double> levels[2];
        for (auto const& one : drawn) {
            if (!(one[0] >= o.same_region && one[1] >= o.same_region)) continue;
            levels[0].push_back(one[0]);
            levels[1].push_back(one[1]);
        }
        return statistics::median(levels[1]) - statistics::median(levels[0]);
        },
        o);
    return c;
}

#if PLATEAU_HAS_CAIRO
/// A number of every checkpoint against its step (+ 1, so that step 0 has a place on a logarithmic axis), with its
/// interval.
plateau::viz::labelled_curve against_step(char const* label, std::vector<checkpoint> const& checkpoints,
                                          std::vector<moment> const& moments, estimate moment::*number) {
    plateau::viz::labelled_curve curve{.label = label, .x = {}, .y = {}, .points = true};
    for (std::size_t c = 0; c < moments.size(); ++c) {
        auto const& x = moments[c].*number;
        curve.x.push_back(static_cast<double>(checkpoints[c].step + 1));
        curve.y.push_back(x.value);
        curve.low.push_back(x.low);
        curve.high.push_back(x.high);
    }
    return curve;
}

void write_figure(options const& o, std::vector<checkpoint> const& checkpoints, std::vector<moment> const& moments,
                  index pairs, std::ostream& out) {
    namespace viz = plateau::viz;
    auto const curve = [&](char const* label, estimate moment::*number) {
        return against_step(label, checkpoints, moments, number);
    };
    viz::curve_axis const step{"training step + 1", true};
    viz::labelled_panel medians{"median curve of every checkpoint",
                                {"α  (from A to B)"},
                                {"d(α) / d(1)"},
                                {},
                                {{.diagonal = true, .label = "no plateau"}}};
    for (std::size_t c = 0; c < moments.size(); ++c) {  // from light to dark in the order of training
        double const age = moments.size() < 2 ? 1 : static_cast<double>(c) / static_cast<double>(moments.size() - 1);
        viz::colour const ink{0.80 * (1 - age), 0.82 - 0.55 * age, 0.93 - 0.38 * age};
        medians.curves.push_back({.label = "step " + std::to_string(checkpoints[c].step),
                                  .x = moments[c].curves.alpha,
                                  .y = moments[c].median_curve,
                                  .ink = ink});
    }
    viz::labelled_figure figure;
    figure.title = o.checkpoints.empty() ? program::title_of(o) + ": checkpoints of its training"
                                         : checkpoints.front().name + " … " + checkpoints.back().name;
    figure.counts = std::to_string(pairs) + " pairs × " + std::to_string(o.steps) + " steps, 95 % intervals";
    figure.subtitle = o.write_site + " → " + o.read_site + ";  a pair is across a boundary if its max slope is " +
                      plateau::fixed(o.same_region, 2) + " or more";
    figure.panels = {
        {"sharpness",
         step,
         {"max slope of d(α) / d(1)"},
         {curve("median of all pairs", &moment::slope), curve("of pairs across a boundary", &moment::level)},
         {{1, false, false, "no plateau"}}},
        medians,
        {"new regions",
         step,
         {"share of pairs across a boundary"},
         {curve("max slope at the threshold or above", &moment::share)}},
        {"places of the jumps",
         step,
         {"α"},
         {curve("interquartile range of the places", &moment::spread),
          curve("width of the median curve", &moment::median_width), curve("median width", &moment::width)}}};
    viz::write_labelled_curves(figure, out);
}
#endif

/// What is reported: the moments are in the order of the checkpoints.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;  ///< of the first checkpoint, the same for all
    program::pair_design design;
    std::vector<moment> moments;

    std::vector<change> changes(options const& o) const {
        std::vector<change> all;
        for (std::size_t c = 1; c < moments.size(); ++c)
            all.push_back(change_of(o, design, moments[c - 1], moments[c]));
        return all;
    }
};

/// Adds a checkpoint to what is known.
template <class T>
void measure(options const& o, plateau::model<T> const& model, index checkpoints, program::point_count& counted,
             results& all) {
    if (all.prompts.empty()) {
        all.prompts = program::load_prompts(o, model, false);
        all.design = program::pairs_of(o.pairs, static_cast<index>(all.prompts.size()));
        all.cost.points = checkpoints * all.design.count() * o.steps;
        counted.expect(all.cost.points);
    }
    auto const curves = program::sweep_lines(model, all.prompts, all.design.pairs, o.steps, o.sites(), counted);
    all.moments.push_back(moment_of(o, all.design, program::curves_of(curves.alpha, curves.distances, o.min_d1)));
    all.cost.by = model.computer();
}

results measure_all(options const& o, std::vector<checkpoint> const& checkpoints) {
    results all;
    program::point_count counted;
    for (auto const& one : checkpoints) {
        auto of_checkpoint = o;
        of_checkpoint.model = one.path;
        program::with_model(of_checkpoint, [&](auto const& model, double load_seconds) {
            measure(o, model, static_cast<index>(checkpoints.size()), counted, all);
            all.cost.load_seconds += load_seconds;
        });
    }
    all.cost.seconds = counted.seconds;
    return all;
}

void write_arrays(options const& o, results const& found, std::vector<std::int64_t> const& steps,
                  plateau::output_set& out) {
    auto const count = static_cast<index>(steps.size()), pairs = found.design.count();
    plateau::io::write_npy(out.file("steps.npy"), steps, {count});
    auto const write = [&](char const* name, auto const& of, std::initializer_list<index> shape) {
        std::vector<double> all;
        for (auto const& m : found.moments) all.insert(all.end(), of(m).begin(), of(m).end());
        plateau::io::write_npy(out.file(name), all, shape);
    };
    write("relative.npy", [](moment const& m) -> auto const& { return m.curves.relative; }, {count, pairs, o.steps});
    write("median_curve.npy", [](moment const& m) -> auto const& { return m.median_curve; }, {count, o.steps});
    write("max_slope.npy", [](moment const& m) -> auto const& { return m.curves.max_slope; }, {count, pairs});
    write("alpha_jump.npy", [](moment const& m) -> auto const& { return m.curves.alpha_jump; }, {count, pairs});
    write("width.npy", [](moment const& m) -> auto const& { return m.curves.width; }, {count, pairs});
    program::write_prompts_and_pairs(out, found.prompts, found.design.numbers());
}

struct tables {
    program::interval_table sharpness{{"step"}, {"median max slope", "mean max slope", "median width"}, 2};
    program::interval_table factors{{"step"}, {"share across", "level across", "jump spread", "width of medians"}, 2};
    program::interval_table all{{"checkpoint", "step", "degenerate"},
                                {"max_slope_median", "max_slope_mean", "width_median", "cross_share", "cross_level",
                                 "jump_spread", "median_curve_width"}};
    program::interval_table parts{
        {"from", "to", "both"}, {"change of mean", "new regions", "sharper boundaries", "the rest", "same pairs"}, 2};
};

tables tables_of(options const& o, results const& found, std::vector<checkpoint> const& checkpoints) {
    tables text;
    auto const step = [&](std::size_t c) { return std::to_string(checkpoints[c].step); };
    for (std::size_t c = 0; c < found.moments.size(); ++c) {
        auto const& m = found.moments[c];
        text.sharpness.row({step(c)}, {m.slope, m.slope_mean, m.width});
        text.factors.row({step(c)}, {m.share, m.level, m.spread, m.median_width});
        text.all.row({checkpoints[c].name, step(c), std::to_string(m.curves.degenerate)},
                     {m.slope, m.slope_mean, m.width, m.share, m.level, m.spread, m.median_width});
    }
    auto const changes = found.changes(o);
    for (std::size_t c = 0; c < changes.size(); ++c) {
        auto const& x = changes[c];
        text.parts.row({step(c), step(c + 1), std::to_string(x.both)},
                       {x.total, x.from_share, x.from_above, x.from_below, x.same_pairs});
    }
    return text;
}

nlohmann::ordered_json summary_of(CLI::App const& app, options const& o, results const& found,
                                  std::vector<checkpoint> const& checkpoints) {
    auto summary = program::summary_of(app, o, found.cost);
    summary["checkpoints"] = nlohmann::ordered_json::array();
    for (auto const& one : checkpoints) summary["checkpoints"].push_back(one.name);
    summary["pairs"] = found.design.count();
    summary["steps"] = o.steps;
    summary["same_region"] = o.same_region;
    for (auto const& m : found.moments) {
        summary["max_slope_median"].push_back(program::json_of(m.slope));
        summary["max_slope_mean"].push_back(program::json_of(m.slope_mean));
        summary["width_median"].push_back(program::json_of(m.width));
        summary["cross_share"].push_back(program::json_of(m.share));
        summary["cross_level"].push_back(program::json_of(m.level));
        summary["jump_spread"].push_back(program::json_of(m.spread));
        summary["median_curve_width"].push_back(program::json_of(m.median_width));
    }
    return summary;
}

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    if (!(o.same_region > 0)) throw plateau::usage_error("--same-region must be a slope above 0");
    auto const checkpoints = checkpoints_of(o);
    plateau::output_set out{o.out};
    auto const found = measure_all(o, checkpoints);

    std::vector<std::int64_t> steps;
    for (auto const& one : checkpoints) steps.push_back(one.step);
    write_arrays(o, found, steps, out);
    auto const text = tables_of(o, found, checkpoints);
    out.file("emergence.csv").write(text.all.csv());
    out.file("changes.csv").write(text.parts.csv());
#if PLATEAU_HAS_CAIRO
    write_figure(o, checkpoints, found.moments, found.design.count(), out.file("emergence.png").stream());
#else
    std::cerr << "emergence.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary_of(app, o, found, checkpoints)));
    out.commit();
    program::remove_stale(out, program::ragged(found.prompts), {"lengths.npy"});

    std::cout << checkpoints.size() << " checkpoints, " << found.design.count() << " pairs x " << o.steps << " steps, "
              << o.write_site << " -> " << o.read_site << "; 95 % intervals in brackets\n\n"
              << text.sharpness.render() << '\n'
              << text.factors.render() << '\n'
              << text.parts.render();
    for (std::size_t c = 0; c < checkpoints.size(); ++c) {
        if (found.moments[c].curves.degenerate > 0)
            std::cout << found.moments[c].curves.degenerate << " degenerate pairs of " << checkpoints[c].name
                      << " are left out\n";
    }
    program::print_places(out, "emergence.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Emergence of stable regions in training: sharpness at every checkpoint, and what it is made of.",
                 "emergence"};
    options o;
    o.out = "emergence.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    app.add_option("--checkpoints", o.checkpoints,
                   "models in the order of training, separated by commas; by default the folders in MODEL/checkpoints, "
                   "by step, and MODEL itself. They take the first one's tokens")
        ->delimiter(',');
    app.add_option("--final-step", o.final_step, "training steps of MODEL itself, after its checkpoints")
        ->capture_default_str();
    program::add_pair_options(app, o);
    program::add_site_options(app, o);
    app.add_option("--same-region", o.same_region, "a pair with a max slope below this lies in one region")
        ->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
