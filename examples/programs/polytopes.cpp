// Polytopes by their sign codes: how many gates of the MLPs change sign along paths between activations, and whether
// they do so where the output jumps.
//
//     polytopes --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 301 --exact --out results
//
// The paper counts gates whose sign differs at both ends, at one layer (appendix F). Here all blocks are counted point
// by point, on nested grids, on plateaus and on jumps; exactly for the first MLP that follows.

#include <plateau/paths/grid.hpp>
#include <plateau/program/line_options.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/compare_regions.hpp>
#include <plateau/sweep/polytope_figure.hpp>
#include <plateau/sweep/polytopes.hpp>
#include <plateau/sweep/same_region.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes =
        "P pairs, L blocks, S steps, I = S-1 intervals, G nested grids, K radii, N prompts, T tokens of the longest",
    .files =
        {{"mismatch.npy", "int64 [P,L]",
          "gates of a block's MLP whose sign differs between alpha = 0 and 1; 0 before the write site"},
         {"hamming.npy", "int64 [P,L,I]",
          "sampled sign changes: gates that differ at both ends of an interval; 0 before the write site, as below"},
         {"convergence.npy", "int64 [P,L,G]", "sign changes summed over even grids of fewer intervals"},
         {"grids.npy", "int64 [G]", "intervals of those: the divisors of S-1, from S-1 down to 1 (the mismatch)"},
         {"mlp_steps.npy", "float64 [P,L,I]",
          "how far what the MLP reads moves, before its norm (resid_mid; of a parallel block resid_pre): its unit"},
         {"exact.npy", "int64 [P,I]",
          "every sign change of the gates of the first MLP behind the write site, the attention's output between "
          "held at the context's own run",
          "--exact"},
         {"exact_sampled.npy", "int64 [P,I]", "the same sampled", "--exact"},
         {"complexity.npy", "int64 [K,N,L]",
          "gates whose sign is not the same at all vertices of a cross-polytope about each prompt's activation",
          "--complexity"},
         {"distances.npy", "float64 [P,S]", "d(alpha): L2 distance of the read-out to that at alpha = 0"},
         {"likeliest.npy", "int64 [P,S]", "the likeliest next token"},
         {"polytopes.csv", "a row a block",
          "of those behind the write site, then of all together: medians over pairs with their 95 % intervals "
          "(_low, _high); undone: share of the sign changes that do not last; per length: by gate and way"},
         {"polytopes.png", "",
          "sign changes along the path, by block, in the steepest tenth; mismatch of the last "
          "two blocks"},
         program::tokens_file,
         program::lengths_file,
         program::pairs_file},
    .summary =
        "pairs, steps, degenerate_pairs, gates (of a block), by block [value, low, high] of mismatch_median, "
        "crossings_median, density_median (shares of its gates), of all blocks together mismatch_one_region, "
        "mismatch_apart, mismatch_difference; one_region_pairs; with --exact exact_block, exact_median, "
        "exact_sampled_median",
    .notes = {
        "A gate is the argument of an MLP's activation at the last position, its sign positive or not. For smooth "
        "activations (SiLU, GELU) sign codes are no linear regions. Sampled counts grow with the grid: choose S-1 with "
        "many divisors (--steps 65) and look at convergence.npy. Plateaus are where d(alpha)/d(1), made monotone, is "
        "below 0.1 or above 0.9. One region: the same token is likeliest all along the path.",
        program::prompts_note}};

struct options : program::line_options {
    bool exact = false;
    std::vector<double> complexity;
    index directions = 25;
};

struct results {
    prompt_list prompts;
    sweep::pair_design design;
    sweep::polytopes found = {};
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto prompts = program::load_prompts(o, model, false);
    auto design = program::pairs_of(o, prompts);
    results r{std::move(prompts), std::move(design)};
    index const pairs = r.design.count(), blocks = model.layers();
    program::require_memory(pairs * blocks, 4 * o.steps * index{sizeof(double)},
                            concat({o.steps, " steps of ", pairs, " pairs at ", blocks, " blocks"}),
                            "ask for fewer pairs or steps at a time");
    if (!o.complexity.empty())
        program::require_memory(static_cast<index>(r.prompts.size()),
                                o.directions * model.width() * index{sizeof(double)},
                                concat({o.directions, " directions about each of ", r.prompts.size(), " prompts"}),
                                "ask for fewer directions or prompts at a time");
    auto const vertices = 2 * o.directions * static_cast<index>(o.complexity.size() * r.prompts.size());
    index const points = o.exact ? 2 * o.steps + 3 : o.steps;
    study.meter.expect(pairs * points + vertices);
    sweep::polytopes_options what{{.write = o.write_site,
                                   .read = o.read_site,
                                   .path = o.path,
                                   .random_direction = o.random(),
                                   .seed = o.seed,
                                   .steps = o.steps,
                                   .progress = study.meter.counter()},
                                  o.exact};
    study.meter.timed([&] { what.along.path_mean = sweep::path_mean_of(model, r.prompts, o.path, o.write_site); });
    r.found = program::sweep_pairs(study, r.prompts, r.design, points, [&](auto const& some, index first) {
        what.along.first_pair = first;
        return sweep::find_polytopes(model, r.prompts, some, what);
    });
    r.found.name_gates(model.sites(), o.write_site);
    if (o.complexity.empty()) return r;
    index const count = std::ssize(r.prompts);
    auto const complexity = [&](index first, index some) -> program::one_array<tensor::buffer<index, 3>, 1> {
        return {
            sweep::local_complexity(model, program::some_of(r.prompts, first, some),
                                    {o.write_site, o.complexity, o.directions, o.seed, first, study.meter.counter()})};
    };
    auto found = study.meter.timed([&] {
        return study.runs.measure({count, vertices / count, r.prompts}, study.meter, complexity);
    });
    r.found.complexity = std::move(found.values);
    return r;
}

void write(program::outputs& out, options const& o, results const& r) {
    auto const& counts = r.found.counts;
    out.axis("L", counts.layers());
    out.axis("S", paths::even_grid(0, 1, o.steps));
    out.axis("I", o.steps - 1);
    out.axis("G", static_cast<index>(counts.grids.size()));
    program::write_prompts_and_pairs(out, r.prompts, r.design);
    out.array("mismatch.npy", counts.mismatches());
    out.array("hamming.npy", counts.hamming.flat());
    out.array("convergence.npy", counts.by_grid.flat());
    out.array("grids.npy", counts.grids);
    out.array("mlp_steps.npy", counts.lengths.flat());
    out.array("distances.npy", counts.curves.distances.flat());
    out.array("likeliest.npy", counts.labels);
    if (o.exact) {
        out.array("exact.npy", r.found.exact_by_interval());
        out.array("exact_sampled.npy", r.found.sampled.flat());
    }
    if (o.complexity.empty()) return;
    out.axis("K", static_cast<index>(o.complexity.size()));
    out.array("complexity.npy", r.found.complexity.flat());
}

using column = std::vector<double> sweep::polytope_numbers::*;
using numbers = sweep::polytope_numbers;
std::pair<char const*, column> const columns[] = {
    {"crossings", &numbers::crossings}, {"mismatch", &numbers::mismatch},     {"on plateaus", &numbers::plateau},
    {"in the jump", &numbers::jump},    {"density ratio", &numbers::density}, {"steepest tenth", &numbers::steepest},
    {"its way", &numbers::length},      {"undone", &numbers::again},          {"per length", &numbers::per_length}};

/// None of these is below zero, whatever a bootstrap of few pairs says.
statistics::estimate within_zero(statistics::estimate x) {
    x.low = std::max(x.low, 0.0);
    return x;
}

/// @param count  of the columns, the first ones
statistics::interval_table table_of(results const& r, sweep::block_numbers const& blocks, numbers const& together,
                                    std::size_t count) {
    auto const shown = std::span{columns}.first(count);
    std::vector<std::string> names;
    for (auto const& one : shown) names.emplace_back(one.first);
    statistics::interval_table table{{"block"}, names, 2};
    auto const add = [&](std::string const& name, numbers const& of) {
        std::vector<statistics::estimate> row;
        for (auto const& one : shown) row.push_back(within_zero(r.design.median(of.*one.second)));
        table.row({name}, row);
    };
    for (std::size_t k = 0; k < blocks.of.size(); ++k) add(fixed(blocks.blocks[k], 0), blocks.of[k]);
    add("all", together);
    return table;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (o.directions < 1) throw usage_error("--directions must be at least 1, got ", o.directions);
    auto const r = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    auto const& counts = r.found.counts;
    auto const curves = sweep::transitions_of(counts.curves.alpha, counts.curves.distances, o.min_d1);
    sweep::block_numbers const blocks{counts, curves};
    auto const together = sweep::numbers_of(counts, curves, 0, counts.layers());
    auto const table = table_of(r, blocks, together, 7);
    auto const split = sweep::compare_regions(r.design, together.mismatch, sweep::one_label(curves, counts.labels));
    std::vector<index> gates;
    for (auto const& one : counts.gates) gates.push_back(one.gates);
    study.summary = {{"pairs", r.design.count()},
                     {"steps", o.steps},
                     {"degenerate_pairs", curves.degenerate},
                     {"gates", gates},
                     {"crossings_median", blocks.medians(r.design, &numbers::crossings)},
                     {"mismatch_median", blocks.medians(r.design, &numbers::mismatch)},
                     {"density_median", blocks.medians(r.design, &numbers::density)},
                     {"one_region_pairs", split.pairs},
                     {"mismatch_one_region", split.together},
                     {"mismatch_apart", split.apart},
                     {"mismatch_difference", split.difference}};
    auto const median_of = [&](std::vector<double> totals) {
        for (std::size_t p = 0; p < totals.size(); ++p)
            if (std::isnan(curves.max_slope[p])) totals[p] = curves.max_slope[p];
        return r.design.median(totals);
    };
    auto text = table.render() + split.text("gates that differ at both ends");
    if (o.exact) {
        auto const exact = median_of(r.found.exact_totals()), sampled = median_of(r.found.sampled_totals());
        study.summary["exact_block"] = r.found.exact.at.layer;
        study.summary["exact_median"] = exact;
        study.summary["exact_sampled_median"] = sampled;
        text += concat({"exact crossings at block ", r.found.exact.at.layer, ": "}) +
                statistics::with_interval(exact, 1) + ", sampled " + statistics::with_interval(sampled, 1) + "\n";
    }
    write(study.out(), o, r);
    study.out().text("polytopes.csv", table_of(r, blocks, together, std::size(columns)).csv());
    viz::labelled_figure const figure{.title = program::title_of(o),
                                      .counts = concat({r.design.count(), " pairs × ", o.steps, " steps"}),
                                      .subtitle = o.write_site + " → " + o.read_site + ": medians, 95 % intervals",
                                      .panels = sweep::polytope_panels(counts, curves, r.design, blocks)};
    program::draw(study.out(), "polytopes.png", figure);
    study.report(o,
                 concat({program::model_text(o), ": ", r.design.count(), " pairs x ", o.steps,
                         " steps; medians by gate of a block, 95 % intervals in brackets"}),
                 text + program::degenerate_text(curves) + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"polytopes", "Sign changes of MLP gates along paths, beside plateaus and jumps.", leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_line_options(app, o);
    app.add_flag("--exact", o.exact, "also every crossing of the first MLP's gates, in closed form");
    app.add_option("--complexity", &o.complexity, "also local complexity at these radii, shares of |x|").with_commas();
    program::add_option(app, "--directions", &o.directions, "orthogonal directions of its neighbourhoods");
    return study.run(argc, argv, [&] { run(study, o); });
}
