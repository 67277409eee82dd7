// Blow-up: how long the plateau around an activation is, real or drawn at random with the same mean and covariance.
//
//     blow_up --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 150 --out results
//
// In the context of each prompt the activation at the write site and last position is a centre C, its own activation or
// a draw of N(μ, Σ), and moves toward a target T in steps: C + s n D, D = (T − C)/|T − C|, n = 0..100. The output is
// watched at the last layer. See Giglemiani et al. 2024, arXiv 2409.15019; Heimersheim & Mendel 2024.

#include <plateau/paths/grid.hpp>
#include <plateau/program/directions.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/statistics/paired_effect.hpp>
#include <plateau/sweep/blow_up_statistics.hpp>

namespace {

using namespace plateau;
using plateau::index;
using sweep::plateau_ends;
using sweep::ray_kinds;

program::manifest const leaves{
    .axes = "C = 2 or 4 centres, G = 3 targets, N prompts, S points, T tokens of the longest",
    .files = {{"distances.npy", "float64 [C,G,N,S]",
               "L2 distance of the read-out to that at the centre; unit of the read-out"},
              {"kl.npy", "float64 [C,G,N,S]", "KL(p(centre) || p(point)) at the last position; nats"},
              {"max_slope_step.npy", "float64 [C,G,N]",
               "the step, from point n to n+1, of the largest increase of the distance: the plateau's length in steps"},
              {"blow_up_max.npy", "float64 [C,G,N]",
               "the step of the largest increase of log KL, in the middle half of the steps; NaN if none"},
              {"blow_up_first.npy", "float64 [C,G,N]", "the first step there that is above mean + sd; NaN if none"},
              {"area.npy", "float64 [C,G,N]",
               "area under the distance up to max_slope_step; unit of the read-out x unit of lengths"},
              {"area_fixed.npy", "float64 [C,G,N]",
               "the same up to --area-until for all: small where the output holds still"},
              {"perturbation_lengths.npy", "float64 [S]", "s n, in the unit of activations whatever the --unit"},
              {"norms.npy", "float64 [C,N]", "|C|, in the same unit"},
              program::tokens_file,
              program::lengths_file,
              {"blow_up.csv", "C x G rows",
               "the first table: medians over prompts with their 95 % intervals (_low, _high)"},
              {"effects.csv", "",
               "the second table, of all quantities: real against gaussian centres, and targets against each other, "
               "prompt by prompt"},
              {"blow_up.png", "",
               "median distance curves and their bands, by target; the share of plateaus that have ended by each "
               "length"}},
    .summary =
        "prompts, steps, unit (of lengths), step (length), fit_samples, fit_rank, shrinkage, read_site, by "
        "centre_target [value, low, high] of max_slope_step, blow_up_max, blow_up_first, area, area_fixed "
        "(medians), and effects: by name and quantity difference (mean), cliffs_delta, cohens_d, p (signs of the "
        "differences flipped)",
    .notes = {
        "Centres, written in the context of each prompt: real, the prompt's own activation A; gaussian, a draw of "
        "N(mu, Sigma), at its own length or (--centre-norm real) at that of A; with --sae also "
        "synthetic-baseline, the features active at A replaced by as many others as strong, and "
        "synthetic-structured, by others about as rare and as similar to each other, decoded.",
        "Targets, the same for all centres: real, another prompt's activation; gaussian, another draw of N(mu, "
        "Sigma); isotropic, the centre plus a draw of N(0, I).",
        "Cliff's delta is P(x > y) - P(x < y), Cohen's d the difference of means in standard deviations. A step "
        "at either end of the range says that the plateau was not seen to end: take another --step.",
        program::fit_note, program::prompts_note}};

struct options : program::direction_options {
    std::string read_site;
    std::string centre_norm = "own";
    index steps = 100;
    double step = 0;
    double area_until = 0;

    std::vector<double> lengths() const { return paths::step_grid(0, step, steps + 1); }  ///< in --unit
    index steps_until() const { return std::lround(area_until / step); }                  ///< where area_fixed ends
};

/// Fills in and checks. @throws usage_error
void settle(options& o) {
    if (o.steps < 4) throw usage_error("--steps must be at least 4, got ", o.steps);
    if (o.step == 0) o.step = o.unit == "norm" ? 0.02 : 0.5;
    if (!(o.step > 0 && std::isfinite(o.step))) throw usage_error("--step must be a length above 0");
    if (o.area_until == 0) o.area_until = o.step * static_cast<double>(o.steps) / 4;
    if (!(o.steps_until() >= 1 && o.steps_until() <= o.steps))
        throw usage_error("--area-until must be a length within the steps");
}

struct results {
    prompt_list prompts;
    std::string read_site;
    sweep::fit_facts fit;
    ray_kinds kinds;
    std::vector<double> norms;  ///< [C,N]
    sweep::blow_up_curves curves;
};

template <class T>
results measure(options const& o, model<T> const& model, prompt_list prompts, program::study& study) {
    auto read_site = o.read_site;
    if (read_site.empty()) read_site = concat({"blocks.", model.layers() - 1, ".hook_resid_post"});
    auto const [fit, features] = program::fit_of(o, model, prompts);
    auto rays = sweep::draw_rays(fit, features.get(), {.seed = o.seed, .real_norm = o.centre_norm == "real"});
    auto const lengths = paths::step_grid(0, o.step * program::unit_of(o, fit), o.steps + 1);
    index const count = rays.units.extent(0);
    study.meter.expect(count * (o.steps + 1));
    sweep::setup const where{.write = o.write_site, .read = read_site, .progress = study.meter.counter()};
    auto curves = study.runs.measure({count, o.steps + 1, prompts}, study.meter, [&](index first, index some) {
        return sweep::measure_rays(model, prompts, rays, lengths, where, {first, some});
    });
    curves.prompts = rays.prompts;
    sweep::require_finite(curves, read_site);
    return {std::move(prompts), read_site, fit, rays.kinds, std::move(rays.norms), std::move(curves)};
}

/// What a curve says.
struct quantity {
    std::string key, title;
    std::vector<double> plateau_ends::*values;
    bool on_screen;  ///< in the table of effects on stdout, too
};

std::vector<quantity> quantities_of(options const& o) {
    return {{"max_slope_step", "max-slope step", &plateau_ends::max_slope_step, true},
            {"blow_up_max", "blow-up (max)", &plateau_ends::blow_up_max, true},
            {"blow_up_first", "blow-up (first)", &plateau_ends::blow_up_first, false},
            {"area", "area to that step", &plateau_ends::area, false},
            {"area_fixed", "area to " + fixed(o.area_until, 2), &plateau_ends::area_fixed, true}};
}

/// `shown` are those effects that stdout shows.
struct tables {
    statistics::interval_table medians, effects, shown;
};

/// The tables; their numbers go to the summary too.
tables tables_of(options const& o, results const& all, plateau_ends const& ends, nlohmann::ordered_json& summary) {
    auto const quantities = quantities_of(o);
    std::vector<std::string> titles;
    for (auto const& q : quantities) titles.push_back(q.title);
    statistics::interval_table const none{{"comparison", "of", "p"}, {"mean difference", "Cliff's delta", "Cohen's d"}};
    tables text{{{"centre", "target"}, titles, 1}, none, none};
    for (index kind = 0; kind < all.kinds.count(); ++kind) {
        auto const centre = all.kinds.centre_name(kind), target = all.kinds.target_name(kind);
        std::vector<statistics::estimate> row;
        for (auto const& q : quantities) {
            row.push_back(
                statistics::over_prompts(all.curves.of_kind(ends.*q.values, kind), statistics::median, o.resampling()));
            summary[q.key][centre + "_" + target] = row.back();
        }
        text.medians.row({centre, target}, row);
    }
    for (auto const& q : quantities) {
        for (auto const& [name, x, y] : sweep::ray_comparisons(all.kinds)) {
            auto const of = [&](index kind) { return all.curves.of_kind(ends.*q.values, kind); };
            auto const found = statistics::paired_effect_of(of(x), of(y), o.resampling());
            if (!found) continue;
            auto const& [difference, delta, d, p] = *found;
            text.effects.row({name, q.title, fixed(p, 4)}, {difference, delta, d});
            if (q.on_screen) text.shown.row({name, q.title, fixed(p, 4)}, {difference, delta, d});
            summary["effects"][name][q.key] = {
                {"difference", difference}, {"cliffs_delta", delta}, {"cohens_d", d}, {"p", p}};
        }
    }
    return text;
}

/// Median distance curves in the direction of one target.
viz::labelled_panel target_panel(options const& o, results const& all, index target) {
    viz::labelled_panel panel{
        .title = target == 2 ? "in an isotropic direction" : "toward a " + all.kinds.target_name(target) + " target",
        .x = {o.length_text("distance from the centre")},
        .y = {"L2 distance of the output"},
        .curves = {}};
    for (index kind = target; kind < all.kinds.count(); kind += ray_kinds::targets)
        panel.curves.push_back(viz::curve_of(all.kinds.centre_name(kind) + " centre", o.lengths(),
                                             sweep::median_distances(all.curves, kind, o.resampling())));
    return panel;
}

/// The share of plateaus that have ended by each length.
viz::labelled_panel ended_panel(options const& o, results const& all, plateau_ends const& ends) {
    viz::labelled_panel panel{.title = "plateaus that have ended (max-slope step)",
                              .x = {o.length_text("distance from the centre")},
                              .y = {"share of prompts", false, viz::interval{0, 1}},
                              .curves = {}};
    bool const many = all.kinds.centres > 2;  // then toward real targets alone, in the inks of the other panels
    for (index kind = 0; kind < all.kinds.count(); kind += many ? ray_kinds::targets : 1) {
        index const centre = kind / ray_kinds::targets, target = kind % ray_kinds::targets;
        panel.curves.push_back(
            {.label = all.kinds.name(kind),
             .x = o.lengths(),
             .y = sweep::share_ended(all.curves.of_kind(ends.max_slope_step, kind), all.curves.points()),
             .dashed = !many && centre > 0,
             .ink = viz::series_ink(static_cast<std::size_t>(many ? centre : target))});
    }
    return panel;
}

viz::labelled_figure figure_of(options const& o, results const& all, plateau_ends const& ends) {
    return {.title = program::title_of(o),
            .counts = concat({all.curves.prompts, " prompts"}),
            .subtitle = o.write_site + " → " + all.read_site + "; medians over prompts with 95 % intervals",
            .panels = {target_panel(o, all, 0), target_panel(o, all, 1), target_panel(o, all, 2),
                       ended_panel(o, all, ends)}};
}

void write(program::outputs& out, options const& o, results const& all, plateau_ends const& ends) {
    out.axis("C", all.kinds.centres);
    out.axis("G", ray_kinds::targets);
    out.axis("S", all.curves.points());
    program::write_prompts(out, all.prompts);
    out.array("distances.npy", all.curves.distances.flat());
    out.array("kl.npy", all.curves.kl.flat());
    for (auto const& q : quantities_of(o)) out.array(q.key + ".npy", ends.*q.values);
    out.array("perturbation_lengths.npy", all.curves.lengths);
    out.array("norms.npy", all.norms);
}

void run(program::study& study, options o) {
    settle(o);
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) {
        auto prompts = program::load_prompts(o, model, false);
        index const kinds = ray_kinds{o.sae.empty() ? 2 : 4}.count(), count = static_cast<index>(prompts.size());
        program::require_memory(o.steps + 1, count * kinds * 6 * index{sizeof(double)},
                                concat({o.steps + 1, " points of ", count, " prompts"}),
                                "ask for fewer steps, or fewer prompts at a time");
        return study.meter.timed([&] { return measure(o, model, std::move(prompts), study); });
    });
    auto const ends = sweep::ends_of(all.curves, o.step, o.steps_until());
    index const count = all.curves.prompts;
    double const unit = program::unit_of(o, all.fit);

    study.summary = {{"prompts", count}, {"steps", o.steps}, {"unit", unit}, {"step", o.step * unit}};
    program::put_fit(study.summary, all.fit);
    study.summary["read_site"] = all.read_site;
    auto const text = tables_of(o, all, ends, study.summary);
    auto& out = study.out();
    write(out, o, all, ends);
    out.text("blow_up.csv", text.medians.csv());
    out.text("effects.csv", text.effects.csv());
    program::draw(out, "blow_up.png", figure_of(o, all, ends));
    study.report(o, concat({program::model_text(o), ": ", count, " prompts, ", o.write_site, " -> ", all.read_site}),
                 concat({o.steps, " steps of ", fixed(o.step * unit, 4), ", ", program::fit_text(all.fit), "\n\n"}) +
                     text.medians.render() + '\n' + text.shown.render() + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "blow_up", "Blow-up: how long the plateau around an activation is, real or of the same mean and covariance.",
        leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_direction_options(app, o);
    app.add_option(
        "--read-site", &o.read_site,
        "where the output is watched, at the last position (default: the residual stream after the last block)");
    program::add_choice(app, "--centre-norm", o.centre_norm, {"own", "real"},
                        "length of centres that are not real: own, or real, that of the prompt's activation");
    program::add_sae_option(app, o, "adds centres made of its features");
    program::add_option(app, "--steps", &o.steps, "steps from the centre");
    app.add_option("--step", &o.step,
                   "length of a step, in --unit (default: 0.02 for norm; 0.5, as published, for raw)");
    app.add_option("--area-until", &o.area_until, "where area_fixed ends, in --unit (default: a quarter of the way)");
    return study.run(argc, argv, [&] { run(study, o); });
}
