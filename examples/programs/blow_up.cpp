// Blow-up: how long the plateau around an activation is, real or drawn at random with the same mean and covariance.
//
//     blow_up --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 150 --out results
//
// In the context of each prompt the activation at the write site and last position is a centre C, its own activation or
// a draw of N(μ, Σ), and moves toward a target T in steps: C + s n D, D = (T − C)/|T − C|, n = 0..100. The output is
// watched at the last layer. See Giglemiani et al. 2024, arXiv 2409.15019; Heimersheim & Mendel 2024.

#include <cstdio>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/blow_up.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/sweep/curves.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/sparse_features.hpp"

namespace {

using plateau::index;
namespace directions = plateau::directions;
namespace metrics = plateau::metrics;
namespace paths = plateau::paths;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;

constexpr char const* files_text =
    "Centres, written in the context of each prompt: real, the prompt's own activation A; gaussian, a draw of N(mu, "
    "Sigma), at its own length or\n"
    "(--centre-norm real) at that of A; with --sae also synthetic-baseline, the features active at A replaced by as "
    "many others as strong, and\n"
    "synthetic-structured, by others about as rare and as similar to each other, decoded. Targets, the same for all "
    "centres: real, another prompt's activation; gaussian, another draw of\n"
    "N(mu, Sigma); isotropic, the centre plus a draw of N(0, I).\n"
    "Files written to --out (C = 2 or 4 centres, G = 3 targets, N prompts, S points, T tokens of the longest prompt):\n"
    "  distances.npy      float64 [C,G,N,S]  L2 distance of the read-out to that at the centre; unit of the read-out\n"
    "  kl.npy             float64 [C,G,N,S]  KL(p(centre) || p(point)) at the last position; nats\n"
    "  max_slope_step.npy float64 [C,G,N]    the step, from point n to n+1, of the largest increase of the distance: "
    "the plateau's length in steps\n"
    "  blow_up_max.npy    float64 [C,G,N]    the step of the largest increase of log KL, in the middle half of the "
    "steps; NaN if none\n"
    "  blow_up_first.npy  float64 [C,G,N]    the first step there that is above mean + sd; NaN if none\n"
    "  area.npy           float64 [C,G,N]    area under the distance up to max_slope_step; unit of the read-out x unit "
    "of lengths\n"
    "  area_fixed.npy     float64 [C,G,N]    the same up to --area-until for all: small where the output holds still\n"
    "  perturbation_lengths.npy  float64 [S] s n, in the unit of activations whatever the --unit\n"
    "  norms.npy          float64 [C,N]      |C|, in the same unit\n"
    "  tokens.npy         int64   [N,T]      token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] "
    "if they differ\n"
    "  blow_up.csv        C x G rows         the first table: medians over prompts with their 95 % intervals (_low, "
    "_high)\n"
    "  effects.csv        the second table, of all quantities: real against gaussian centres, and targets against each "
    "other, prompt by prompt\n"
    "  blow_up.png        median distance curves and their bands, by target; the share of plateaus that have ended by "
    "each length\n"
    "  summary.json       one object         program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds, load_seconds,\n"
    "                     points_per_second, options, prompts, steps, unit (of lengths), step (length), fit_samples, "
    "fit_rank, shrinkage, read_site,\n"
    "                     by centre_target [value, low, high] of max_slope_step, blow_up_max, blow_up_first, area, "
    "area_fixed (medians), and\n"
    "                     effects: by name and quantity difference (mean), cliffs_delta, cohens_d, p (signs of the "
    "differences flipped)\n"
    "Cliff's delta is P(x > y) - P(x < y), Cohen's d the difference of means in standard deviations. A step at either "
    "end of the range says that\n"
    "the plateau was not seen to end: take another --step.\n";

std::vector<std::string> const centre_names{"real", "gaussian", "synthetic-baseline", "synthetic-structured"};
constexpr std::array<char const*, 3> target_names{"real", "gaussian", "isotropic"};
constexpr index targets = 3;

struct options : program::direction_options {
    std::string read_site;
    std::string centre_norm = "own";
    std::string sae;

    index centres() const { return sae.empty() ? 2 : 4; }
    index kinds() const { return centres() * targets; }
    index steps = 100;
    double step = 0;
    double area_until = 0;
};

/// What a curve says, for all prompts of a kind.
struct quantity {
    char const* key;
    std::string title;
    bool on_screen;                                ///< in the table of effects on stdout, too
    std::vector<std::vector<double>> values = {};  ///< [kinds][N]
};

/// Where area_fixed ends.
index steps_until(options const& o) { return std::lround(o.area_until / o.step); }

double as_number(std::optional<index> step) {
    return step ? static_cast<double>(*step) : std::numeric_limits<double>::quiet_NaN();
}

/// Real centre against gaussian, or a target against another: two kinds, prompt by prompt.
struct comparison {
    std::string name;
    index x, y;
};

index kind_of(index centre, index target) { return centre * targets + target; }
std::string name_of_kind(index kind) {
    return centre_names[static_cast<std::size_t>(kind / targets)] + " toward " +
           target_names[static_cast<std::size_t>(kind % targets)];
}

/// Prompts of which both kinds have a value.
std::vector<std::array<double, 2>> paired(std::vector<double> const& x, std::vector<double> const& y) {
    std::vector<std::array<double, 2>> both;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!std::isnan(x[i]) && !std::isnan(y[i])) both.push_back({x[i], y[i]});
    }
    return both;
}

/// A statistic of two samples as one of pairs.
template <class Statistic>
auto of_columns(Statistic const& statistic) {
    return [&statistic](std::span<std::array<double, 2> const> pairs) {
        std::vector<double> x, y;
        for (auto const& pair : pairs) x.push_back(pair[0]), y.push_back(pair[1]);
        return statistic(x, y);
    };
}

/// Where the steps of a sweep begin and lead: centres [CN, D], and the unit vector from each toward each target [CN ·
/// 3, D].
template <class T>
struct steps_of_centres {
    plateau::tensor::buffer<T, 2> centres;
    plateau::tensor::buffer<double, 2> units;
    std::vector<double> norms;
};

template <class T>
steps_of_centres<T> draw_steps(program::activation_fit<T> const& fit, program::sparse_features<T> const& features,
                               options const& o) {
    using plateau::sae::synthetic_kind;
    index const count = fit.real.extent(0), width = fit.real.extent(1), centres = o.centres();
    steps_of_centres<T> all{plateau::tensor::buffer<T, 2>{{centres * count, width}},
                            plateau::tensor::buffer<double, 2>{{o.kinds() * count, width}},
                            {}};
    std::vector<plateau::sae::synthetic_activation<typename program::sparse_features<T>::Context, T>> synthetic;
    for (auto const kind : {synthetic_kind::baseline, synthetic_kind::structured}) {
        if (features.sae) synthetic.emplace_back(*features.ctx, *features.sae, *features.counts, kind);
    }
    plateau::tensor::view<T const, 2> const real = fit.real;
    for (index i = 0; i < count; ++i) {
        std::span<T const> const a = real[i].flat();
        auto rng = [&](std::uint64_t what) { return program::stream_of(o.seed, what, i); };
        auto centre_rng = rng(0), real_rng = rng(1), gaussian_rng = rng(2), isotropic_rng = rng(3);
        std::ranges::copy(a, all.centres[i].data());
        auto const place = [&](index centre, std::vector<double> drawn) {
            if (o.centre_norm == "real")
                drawn = directions::rescaled(std::span<double const>{drawn}, fit.norms[static_cast<std::size_t>(i)]);
            std::ranges::transform(drawn, all.centres[centre * count + i].data(),
                                   [](double x) { return static_cast<T>(x); });
        };
        place(1, (*fit.normal)(centre_rng));
        for (index c = 2; c < centres; ++c) {
            auto synthetic_rng = rng(static_cast<std::uint64_t>(c) + 2);
            place(c, synthetic[static_cast<std::size_t>(c - 2)](a, synthetic_rng));
        }
        auto toward_real = directions::toward_real<T>{real}(a, real_rng);  // A + this is the other activation
        for (std::size_t k = 0; k < toward_real.size(); ++k) toward_real[k] += static_cast<double>(a[k]);
        directions::toward const other{std::move(toward_real)}, gaussian{(*fit.normal)(gaussian_rng)};
        auto const free = directions::isotropic{}(a, isotropic_rng);
        for (index c = 0; c < centres; ++c) {
            std::span<T const> const centre = all.centres.view()[c * count + i].flat();
            std::array<std::vector<double>, targets> const to{other(centre, real_rng), gaussian(centre, gaussian_rng),
                                                              free};
            for (index t = 0; t < targets; ++t) {
                auto const unit = paths::unit(std::span<double const>{to[static_cast<std::size_t>(t)]},
                                              "the way from a centre to its target");
                std::ranges::copy(unit, all.units[kind_of(c, t) * count + i].data());
            }
        }
    }
    for (index r = 0; r < centres * count; ++r)
        all.norms.push_back(paths::length_of(std::span<T const>{all.centres.view()[r].flat()}, "a centre"));
    return all;
}

/// What is reported. Curves are in the order of kinds, then prompts.
struct results {
    program::run_cost cost;
    std::string read_site;
    program::prompt_list prompts;
    program::fit_facts fit = {};
    double step = 0;                                             ///< in the unit of activations
    std::vector<double> lengths = {};                            ///< [S]
    std::vector<double> norms = {};                              ///< [C,N]
    plateau::tensor::buffer<double, 2> distances = {}, kl = {};  ///< [C·G·N, S]

    index count() const { return static_cast<index>(prompts.size()); }
    index points() const { return static_cast<index>(lengths.size()); }
};

/// @throws numeric_error that names the prompt, the kind and the step where a number is infinite or NaN
void require_finite(results const& r) {
    for (index pair = 0; pair < r.distances.extent(0); ++pair) {
        for (index n = 0; n < r.points(); ++n) {
            if (std::isfinite(r.distances(pair, n)) && std::isfinite(r.kl(pair, n))) continue;
            throw plateau::numeric_error("the read-out at " + r.read_site + " is not finite for prompt " +
                                         std::to_string(pair % r.count()) + ", " + name_of_kind(pair / r.count()) +
                                         ", step " + std::to_string(n) + ": take shorter steps, or a wider dtype");
        }
    }
}

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    auto const last = "blocks." + std::to_string(model.layers() - 1) + ".hook_resid_post";
    results r{{model.computer(), load_seconds},
              o.read_site.empty() ? last : o.read_site,
              program::load_prompts(o, model, false)};
    index const count = r.count(), points = o.steps + 1, kinds = o.kinds();
    program::require_memory(points, count * kinds * 6 * index{sizeof(double)},
                            std::to_string(points) + " points of " + std::to_string(count) + " prompts",
                            "ask for fewer steps, or fewer prompts at a time");
    program::stopwatch const watch;
    auto const fit = program::fit_activations(model, r.prompts, o, 0);
    auto const features = program::load_sparse_features(model, r.prompts, o, o.sae);
    auto way = draw_steps(fit, features, o);
    r.fit = fit;
    r.step = o.step * fit.unit;
    r.lengths = paths::step_grid(0, r.step, points);
    std::vector<sweep::prompt_pair> pairs;  // kinds, prompts
    for (index pair = 0; pair < kinds * count; ++pair) pairs.push_back({pair % count, pair % count});
    auto const write = [&](index pair, index point, auto, auto, auto to) {
        index const centre = pair / (targets * count) * count + pair % count;
        paths::weighted_sum(
            to[0].flat(), paths::term<T>{1, way.centres.view()[centre].flat()},
            paths::term<double>{r.lengths[static_cast<std::size_t>(point)], way.units.view()[pair].flat()});
    };
    plateau::engine::predictions<T> predictions{kinds * count, points, 0};
    r.cost.points = kinds * count * points;
    plateau::progress bar{"points", r.cost.points};
    auto curves = sweep::distances_along(
        model, r.prompts, pairs, r.lengths, write,
        {.write = o.write_site, .read = r.read_site, .progress = [&](index done) { bar.advance(done); }},
        plateau::engine::read_predictions(model.engine(), predictions));
    r.cost.seconds = watch.seconds();
    r.distances = std::move(curves.distances);
    r.kl = std::move(predictions.kl_from_start);
    r.norms = std::move(way.norms);
    require_finite(r);
    return r;
}

using quantities = std::array<quantity, 5>;

quantities quantities_of(options const& o, results const& r) {
    quantities all{{{"max_slope_step", "max-slope step", true},
                    {"blow_up_max", "blow-up (max)", true},
                    {"blow_up_first", "blow-up (first)", false},
                    {"area", "area to that step", false},
                    {"area_fixed", "area to " + plateau::fixed(o.area_until, 2), true}}};
    for (auto& q : all) q.values.resize(static_cast<std::size_t>(o.kinds()));
    for (index pair = 0; pair < r.distances.extent(0); ++pair) {
        std::span<double const> const curve = r.distances[pair].flat(), kl = r.kl[pair].flat();
        auto const kind = static_cast<std::size_t>(pair / r.count());
        auto const end = metrics::max_slope_step(curve);
        all[0].values[kind].push_back(as_number(end));
        all[1].values[kind].push_back(as_number(metrics::blow_up_step(kl, metrics::blow_up_rule::max)));
        all[2].values[kind].push_back(as_number(metrics::blow_up_step(kl, metrics::blow_up_rule::first)));
        all[3].values[kind].push_back(metrics::area_under_plateau(curve, *end, o.step));
        all[4].values[kind].push_back(metrics::area_under_plateau(curve, steps_until(o), o.step));
    }
    return all;
}

/// Kinds that are compared prompt by prompt.
std::vector<comparison> comparisons_of(options const& o) {
    std::vector<comparison> all;
    for (index c = 1; c < o.centres(); ++c) {
        for (index t = 0; t < targets; ++t) {
            all.push_back({"real - " + centre_names[static_cast<std::size_t>(c)] + " centre, toward " +
                               target_names[static_cast<std::size_t>(t)],
                           kind_of(0, t), kind_of(c, t)});
        }
    }
    all.push_back({"toward gaussian - toward real, real centre", kind_of(0, 1), kind_of(0, 0)});
    all.push_back({"isotropic - toward gaussian, real centre", kind_of(0, 2), kind_of(0, 1)});
    return all;
}

/// The tables; `shown` are those effects that stdout shows.
struct tables {
    program::interval_table medians, effects, shown;
};

/// The tables; their numbers go to the summary too.
tables tables_of(options const& o, quantities const& all, nlohmann::ordered_json& summary) {
    std::vector<std::string> titles;
    for (auto const& q : all) titles.push_back(q.title);
    program::interval_table const none{{"comparison", "of", "p"}, {"mean difference", "Cliff's delta", "Cohen's d"}};
    tables text{{{"centre", "target"}, titles, 1}, none, none};
    for (index kind = 0; kind < o.kinds(); ++kind) {
        std::vector<statistics::estimate> row;
        std::string const centre = centre_names[static_cast<std::size_t>(kind / targets)],
                          target = target_names[static_cast<std::size_t>(kind % targets)];
        for (auto const& q : all) {
            row.push_back(program::over_prompts(q.values[static_cast<std::size_t>(kind)], statistics::median, o));
            summary[q.key][centre + "_" + target] = program::json_of(row.back());
        }
        text.medians.row({centre, target}, row);
    }
    auto const comparisons = comparisons_of(o);
    for (auto const& q : all) {
        for (auto const& [name, x, y] : comparisons) {
            auto const both = paired(q.values[static_cast<std::size_t>(x)], q.values[static_cast<std::size_t>(y)]);
            if (both.size() < 2) continue;
            std::vector<double> difference;
            for (auto const& pair : both) difference.push_back(pair[0] - pair[1]);
            std::array const found{program::over_prompts(difference, statistics::mean, o),
                                   program::over_prompts(both, of_columns(statistics::cliffs_delta), o),
                                   program::over_prompts(both, of_columns(statistics::cohens_d), o)};
            double const p = statistics::sign_flip_test(difference, 1, statistics::mean, {.seed = o.seed + 1}).p;
            text.effects.row({name, q.title, plateau::fixed(p, 4)}, {found.begin(), found.end()});
            if (q.on_screen) text.shown.row({name, q.title, plateau::fixed(p, 4)}, {found.begin(), found.end()});
            auto& entry = summary["effects"][name][q.key];
            entry["difference"] = program::json_of(found[0]);
            entry["cliffs_delta"] = program::json_of(found[1]);
            entry["cohens_d"] = program::json_of(found[2]);
            entry["p"] = p;
        }
    }
    return text;
}

void write_arrays(options const& o, results const& r, quantities const& all, plateau::output_set& out) {
    index const centres = o.centres(), count = r.count(), points = r.points();
    plateau::io::write_npy(out.file("distances.npy"), r.distances.flat(), {centres, targets, count, points});
    plateau::io::write_npy(out.file("kl.npy"), r.kl.flat(), {centres, targets, count, points});
    for (auto const& q : all) {
        std::vector<double> values;
        for (auto const& of_kind : q.values) values.insert(values.end(), of_kind.begin(), of_kind.end());
        plateau::io::write_npy(out.file(std::string(q.key) + ".npy"), values, {centres, targets, count});
    }
    plateau::io::write_npy(out.file("perturbation_lengths.npy"), r.lengths, {points});
    plateau::io::write_npy(out.file("norms.npy"), r.norms, {centres, count});
    program::write_prompts(out, r.prompts);
}

#if PLATEAU_HAS_CAIRO
/// Median distance curves in the direction of one target.
plateau::viz::labelled_panel panel_of(options const& o, results const& r, index target, std::string const& length) {
    namespace viz = plateau::viz;
    auto const lengths = paths::step_grid(0, o.step, r.points());
    viz::labelled_panel panel{
        .title = target == 2 ? "in an isotropic direction"
                             : std::string("toward a ") + target_names[static_cast<std::size_t>(target)] + " target",
        .x = {length},
        .y = {"L2 distance of the output"},
        .curves = {}};
    for (index c = 0; c < o.centres(); ++c) {
        viz::labelled_curve curve{
            .label = centre_names[static_cast<std::size_t>(c)] + " centre", .x = lengths, .y = {}};
        for (index n = 0; n < r.points(); ++n) {
            std::vector<double> values;
            for (index i = 0; i < r.count(); ++i) values.push_back(r.distances(kind_of(c, target) * r.count() + i, n));
            auto const x = program::over_prompts(values, statistics::median, o);
            curve.y.push_back(x.value), curve.low.push_back(x.low), curve.high.push_back(x.high);
        }
        panel.curves.push_back(std::move(curve));
    }
    return panel;
}

/// Median curves by target, and how many plateaus have ended.
plateau::viz::labelled_figure figure_of(options const& o, results const& r, quantity const& ends) {
    namespace viz = plateau::viz;
    std::string const length =
        o.unit == "norm" ? "distance from the centre, in units of the median |A|" : "distance from the centre";
    viz::labelled_figure figure;
    figure.title = program::title_of(o);
    figure.counts = std::to_string(r.count()) + " prompts";
    figure.subtitle = o.write_site + " → " + r.read_site + "; medians over prompts with 95 % intervals";
    for (index t = 0; t < targets; ++t) figure.panels.push_back(panel_of(o, r, t, length));
    viz::labelled_panel ended{.title = "plateaus that have ended (max-slope step)",
                              .x = {length},
                              .y = {"share of prompts", false, viz::interval{0, 1}},
                              .curves = {}};
    for (index kind = 0; kind < o.kinds(); ++kind) {
        bool const many = o.centres() > 2;  // then toward real targets alone, in the inks of the other panels
        if (many && kind % targets != 0) continue;
        viz::labelled_curve curve{
            .label = name_of_kind(kind),
            .x = paths::step_grid(0, o.step, r.points()),
            .y = {},
            .dashed = !many && kind >= targets,
            .ink = viz::series_ink(static_cast<std::size_t>(many ? kind / targets : kind % targets))};
        auto const& steps = ends.values[static_cast<std::size_t>(kind)];
        for (index n = 0; n < r.points(); ++n) {
            auto const by_now =
                std::count_if(steps.begin(), steps.end(), [&](double step) { return step < static_cast<double>(n); });
            curve.y.push_back(static_cast<double>(by_now) / static_cast<double>(r.count()));
        }
        ended.curves.push_back(std::move(curve));
    }
    figure.panels.push_back(std::move(ended));
    return figure;
}
#endif

void run(CLI::App const& app, options o) {
    if (o.steps < 4) throw plateau::usage_error("--steps must be at least 4, got " + std::to_string(o.steps));
    if (o.step == 0) o.step = o.unit == "norm" ? 0.02 : 0.5;
    if (!(o.step > 0 && std::isfinite(o.step))) throw plateau::usage_error("--step must be a length above 0");
    if (o.area_until == 0) o.area_until = o.step * static_cast<double>(o.steps) / 4;
    if (!(steps_until(o) >= 1 && steps_until(o) <= o.steps))
        throw plateau::usage_error("--area-until must be a length within the steps");
    plateau::output_set out{o.out};
    auto const r =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    auto const all = quantities_of(o, r);
    auto summary = program::summary_of(app, o, r.cost);
    summary["prompts"] = r.count();
    summary["steps"] = o.steps;
    summary["unit"] = r.fit.unit;
    summary["step"] = r.step;
    summary["fit_samples"] = r.fit.samples;
    summary["fit_rank"] = r.fit.normal->rank();
    summary["shrinkage"] = r.fit.shrinkage;
    summary["read_site"] = r.read_site;
    auto const text = tables_of(o, all, summary);
    write_arrays(o, r, all, out);
    out.file("blow_up.csv").write(text.medians.csv());
    out.file("effects.csv").write(text.effects.csv());
#if PLATEAU_HAS_CAIRO
    plateau::viz::write_labelled_curves(figure_of(o, r, all[0]), out.file("blow_up.png").stream());
#else
    std::cerr << "blow_up.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(r.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << r.count() << " prompts, " << o.write_site << " -> "
              << r.read_site << "\n"
              << o.steps << " steps of " << plateau::fixed(r.step, 4) << ", " << r.fit.text() << "\n\n"
              << text.medians.render() << '\n'
              << text.shown.render() << plateau::fixed(r.cost.points_per_second(), 0) << " points per second\n";
    program::print_places(out, "blow_up.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Blow-up: how long the plateau around an activation is, real or of the same mean and covariance.",
                 "blow_up"};
    options o;
    o.out = "blow_up.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_direction_options(app, o);
    app.add_option(
        "--read-site", o.read_site,
        "where the output is watched, at the last position (default: the residual stream after the last block)");
    app.add_option("--centre-norm", o.centre_norm,
                   "length of centres that are not real: own, or real, that of the prompt's activation")
        ->check(CLI::IsMember({"own", "real"}))
        ->capture_default_str();
    app.add_option("--sae", o.sae, std::string(program::sae_help) + ": adds centres made of its features");
    app.add_option("--steps", o.steps, "steps from the centre")->capture_default_str();
    app.add_option("--step", o.step,
                   "length of a step, in --unit (default: 0.02 for norm; 0.5, as published, for raw)");
    app.add_option("--area-until", o.area_until, "where area_fixed ends, in --unit (default: a quarter of the way)");
    app.footer(std::string(files_text) + program::fit_text +
               "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.");
    return program::run(app, argc, argv, [&] { run(app, o); });
}
