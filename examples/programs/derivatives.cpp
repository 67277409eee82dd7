// Derivatives along paths between activations: how fast the output moves, and which parts of the model move it.
//
//     derivatives --corpus novel.txt --count 101 --frozen attn_out,pattern,mlp_out,gate,norm_scale --out results
//
// At every point x(α) J = d(read site)/d(write site), both at the last position: J u by tangents behind the rows, and
// J_S u with parts of the model taken for constant: ln |J_S u| − ln |J u| is the basin statistic.

#include <variant>

#include <plateau/core/split.hpp>
#include <plateau/program/interventions.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/program/rows_of_file.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/derivative_figure.hpp>
#include <plateau/sweep/path_cotangents.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes =
        "P pairs, S steps, K frozen sets, W and D coordinates read and written, n positions written if several are, "
        "N prompts, T tokens of the longest",
    .files =
        {{"jvp_norm.npy", "float64 [P,S]", "|J u|; unit of the read-out over that of u"},
         {"slope.npy", "float64 [P,S]",
          "d'(alpha)/d(1) = (F(alpha)-F(0)) J (dx/dalpha) / (d(alpha) d(1)), at alpha = 0 |J dx/dalpha|/d(1): along "
          "dx/dalpha whatever --direction; per unit of alpha; NaN for a degenerate pair"},
         {"frozen_norm.npy", "float64 [K,P,S]", "|J_S u|: with the parts of a set taken for constant", "--frozen"},
         {"basin.npy", "float64 [K,P,S]", "ln |J_S u| - ln |J u|; no unit", "--frozen"},
         {"jvp.npy", "float [P,S,W]", "J u", "--vectors"},
         {"frozen_jvp.npy", "float [K,P,S,W]", "J_S u", "--vectors and --frozen"},
         {"vjp.npy", "float [P,S,n?,D]", "J^T v, of the shape written", "--cotangent"},
         {"frozen_vjp.npy", "float [K,P,S,n?,D]", "J_S^T v", "--cotangent and --frozen"},
         {"jacobian.npy", "float [P,S,W,D]", "J", "--jacobian"},
         program::tokens_file,
         program::lengths_file,
         {"pairs.npy", "int64 [P,2]", "prompts of each pair, counted from 0: context, other"},
         {"derivatives.png", "", "quartiles over pairs: the slope along the path, and the basin statistic"}},
    .summary =
        "pairs, steps, degenerate_pairs, frozen (list), tangents_per_second (points x (1 + K) over seconds), "
        "slope_q25, slope_median, slope_q75 (of each pair's largest), basin_median (by set, of all points), cotangents",
    .notes = {
        "float: float64 with --dtype fp64, else float32. --dtype bf16: J of the unrounded function where x goes "
        "rounded.",
        "--frozen SET,SET,...: parts joined by +, of attn_out, pattern, mlp_out, gate, norm_scale, or names of hook "
        "points. Their tangents are zero, their values those at x. gate: the factor act(z) of a gated MLP, act(z)/z of "
        "another; norm_scale: the divisors of all norms. Sites that --freeze holds are constants too.",
        program::prompts_note}};

struct options : program::pair_options {
    std::string path = "linear", direction = "path", cotangent;
    std::vector<std::string> frozen;
    bool vectors = false, jacobian = false;
    program::intervention_options interventions;
};

template <class T>
struct results : sweep::derivatives_both_ways<T> {
    prompt_list prompts;
    sweep::pair_design design;
};
using any_results = std::variant<results<float>, results<double>>;

template <class T>
any_results measure(options const& o, program::intervention_plan const& plan, model<T> const& model,
                    program::study& study) {
    auto prompts = program::load_prompts(o, model, false);
    auto design = program::pairs_of(o, prompts);
    design.pairs = program::in_contexts(design.pairs, o.interventions.context);
    sweep::path_derivatives_options what{.write = o.write_site, .read = o.read_site, .path = o.path, .steps = o.steps};
    what.vectors = o.vectors, what.jacobian = o.jacobian, what.min_d1 = o.min_d1;
    what.positions = plan.positions, what.frozen = plan.frozen;
    for (auto const& set : o.frozen) what.held.emplace_back(split(set, '+'), model.sites());
    program::require_memory(design.count() * o.steps, sweep::bytes_of_point(what, model.sites(), !o.cotangent.empty()),
                            concat({design.count(), " pairs x ", o.steps, " steps"}),
                            "ask for fewer pairs or steps at a time, or without --vectors or --jacobian");
    auto const u =
        program::rows_at_site<T>(model, o.write_site, "--direction", o.direction == "path" ? "" : o.direction);
    auto const v = program::rows_at_site<T>(model, o.read_site, "--cotangent", o.cotangent);
    if (v.size() > 0) what.part.positions = sweep::written_positions(prompts, design.pairs, plan.positions);
    study.meter.expect(design.count() * o.steps);
    what.progress = study.meter.counter();
    study.meter.timed([&] { what.path_mean = sweep::path_mean_of(model, prompts, o.path, o.write_site); });
    what.part.all = design.count();
    auto all = program::sweep_pairs(study, prompts, design, o.steps, [&](auto const& some, index first) {
        what.part.first = first;
        return sweep::both_ways_along<T>(model, prompts, some, what, u.view(), v.view());
    });
    return results<T>{std::move(all), std::move(prompts), std::move(design)};
}

template <class T>
void write(program::outputs& out, options const& o, results<T> const& r) {
    program::write_prompts_and_pairs(out, r.prompts, r.design);
    out.axis("S", r.found.alpha);
    out.axis("K", o.frozen);
    out.axis("W", o.vectors ? r.found.jvp.extent(2) : r.found.jacobian.extent(2));
    out.axis("D", o.jacobian ? r.found.jacobian.extent(3) : r.back.vjp.extent(3));
    out.axis("n", r.back.vjp.extent(2) > 1 ? r.back.vjp.extent(2) : program::outputs::absent);
    out.array("jvp_norm.npy", r.found.jvp_norm.flat());
    out.array("slope.npy", r.found.slope.flat());
    if (o.vectors) out.array("jvp.npy", r.found.jvp.flat());
    if (o.jacobian) out.array("jacobian.npy", r.found.jacobian.flat());
    if (!o.cotangent.empty()) out.array("vjp.npy", r.back.vjp.flat());
    if (!o.frozen.empty()) {
        if (!o.cotangent.empty()) out.array("frozen_vjp.npy", r.back.held_vjp.flat());
        out.array("frozen_norm.npy", r.found.held_norm.flat());
        out.array("basin.npy", r.found.basin());
        if (o.vectors) out.array("frozen_jvp.npy", r.found.held_jvp.flat());
    }
}

template <class T>
void report(program::study& study, options const& o, results<T> const& r) {
    auto const largest = r.found.largest_slopes();
    auto const degenerate = r.design.count() - static_cast<index>(largest.size());
    if (largest.empty() && o.direction == "path" && !o.jacobian && o.cotangent.empty())
        throw numeric_error("all pairs are degenerate: the output does not move along any path");
    table table{{"", "q25", "median", "q75"}};
    auto const row = [&](std::string const& name, std::span<double const> values) {
        auto const q = statistics::quartiles_of({values.begin(), values.end()});
        table.row({name, fixed(q.q25, 3), fixed(q.median, 3), fixed(q.q75, 3)});
        return q;
    };
    auto const q = row("largest slope d'(alpha)/d(1)", largest);
    std::vector<double> medians;
    for (std::size_t k = 0; k < o.frozen.size(); ++k)
        medians.push_back(row("basin statistic, " + o.frozen[k], r.found.basin_of(static_cast<index>(k))).median);
    viz::labelled_figure figure{.title = program::title_of(o),
                                .counts = concat({r.design.count(), " pairs × ", o.steps, " steps"}),
                                .subtitle = concat({o.write_site, " → ", o.read_site, ": medians, quartiles"}),
                                .panels = sweep::derivative_panels(r.found, o.frozen)};
    auto const tangents = study.meter.points_per_second() * static_cast<double>(1 + o.frozen.size());
    study.summary = {
        {"pairs", r.design.count()},       {"steps", o.steps},   {"degenerate_pairs", degenerate}, {"frozen", o.frozen},
        {"tangents_per_second", tangents}, {"slope_q25", q.q25}, {"slope_median", q.median},       {"slope_q75", q.q75},
        {"basin_median", medians}};
    if (!o.cotangent.empty()) study.summary["cotangents"] = r.back.how();
    write(study.out(), o, r);
    program::draw(study.out(), "derivatives.png", figure);
    auto const what = concat({program::model_text(o), ": ", r.design.count(), " pairs x ", o.steps, " steps, "});
    study.report(o, concat({what, o.write_site, " -> ", o.read_site}),
                 table.render() + (degenerate > 0 ? concat({degenerate, " degenerate pairs\n"}) : "") + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"derivatives", "Derivatives of the output along paths between activations of prompt pairs.",
                         leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_option(app, "--pairs", &o.pairs, "chain, disjoint, all, or an NPY file [P,2]: context, other");
    program::add_option(app, "--steps", &o.steps, "points per pair, alpha = i/(steps-1)");
    program::add_option(app, "--min-d1", &o.min_d1, "a pair with d(1) not above this is degenerate");
    program::add_site_options(app, o);
    std::vector<std::string> paths;
    for (auto const& one : sweep::path_names) paths.emplace_back(one.name);
    program::add_choice(app, "--path", o.path, paths, "how x goes from A to B, as in stable_regions");
    program::add_option(app, "--direction", &o.direction,
                        "u: path for dx/dalpha, or an NPY file [D] or [P,D]; of n positions [n,D] or [P,n,D]");
    app.add_option("--frozen", &o.frozen, "sets of parts taken for constant, see below").with_commas();
    program::add_intervention_options(app, o.interventions);
    app.add_option("--cotangent", &o.cotangent, "also J^T v and J_S^T v: v from an NPY file [W] or [P,W]");
    app.add_flag("--vectors", o.vectors, "also J u and J_S u themselves");
    app.add_flag("--jacobian", o.jacobian, "also J, whole: D tangents a point");
    return study.run(argc, argv, [&] {
        require_valid(o);
        auto const plan = program::plan_of(o.interventions, app);
        auto const all =
            study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, plan, model, study); });
        std::visit([&](auto const& r) { report(study, o, r); }, all);
    });
}
