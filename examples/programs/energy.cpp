// Energy: whether attention along paths between activations looks like steps of a Hopfield network, whose energy has a
// ridge where the output jumps.
//
//     energy --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 400 --pairs disjoint --causality
//
// Of every head E(q) = −β⁻¹ log Σ exp(β ⟨k, q⟩) + ½ |q|² and what no rescaling of queries against keys moves; controls
// are --shuffled-keys, --toward random and --weights random.

#include <plateau/paths/grid.hpp>
#include <plateau/program/line_options.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/energy_figure.hpp>
#include <plateau/sweep/head_switches.hpp>
#include <plateau/sweep/path_energies.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes = "M marks, P pairs, L blocks, H heads, S steps, N prompts, T tokens of the longest",
    .files =
        {{"places.npy", "float64 [M,P,L,H]", "alpha of every mark, in the order below; NaN where there is none"},
         {"switches.npy", "int64 [P,L,H]",
          "how often the likeliest key changes along the path; 0 before the write site"},
         {"distances.npy", "float64 [P,S]", "d(alpha): L2 distance of the read-out to that at alpha = 0"},
         {"mlp_energy.npy", "float64 [P,L,S]",
          "-sum of phi(z) over the gates z of a block's MLP, phi the integral of its activation; 0 before the write "
          "site",
          "--mlp"},
         {"marks.csv", "a row a mark",
          "the table (with --mlp also ridges of MLPs), every number with its interval (_low, _high)"},
         {"heads.csv", "a row a head",
          "of blocks behind the write site: pairs without, with one, with several changes of the likeliest key; "
          "Spearman's rho of the place "
          "of the only one and alpha of the jump over pairs; its p against permuted pairs, for all heads together"},
         {"held.csv", "9 rows", "the second table; - where a stream grows beyond all bounds", "--causality"},
         {"energy.png", "", "where marks lie beside the jump; by block; how often heads switch"},
         program::tokens_file,
         program::lengths_file,
         program::pairs_file},
    .summary =
        "pairs, steps, degenerate_pairs, marks (names), by mark [value, low, high] of there, lag, away, chance; "
        "never, once, repeatedly (shares of heads and pairs), largest_rho, largest_rho_head, largest_rho_p",
    .notes = {
        "Energies depend on the gauge (q and k may be rescaled against each other); entropy, margin and the likeliest "
        "key do not. there: share of heads that have the mark. lag: its alpha - that of the largest step of d(alpha); "
        "away: |lag|; chance: |lag| to the jump of a pair half the list away. Medians over the heads of all blocks "
        "behind the "
        "write "
        "site, then over pairs. rho wants 10 pairs, p values pairs without common prompts: left out otherwise.",
        program::prompts_note, "Marks:"}};

struct options : program::line_options {
    bool shuffled = false, mlp = false, causality = false, curves = false;
    index permutations = 999;
};

struct results {
    prompt_list prompts;
    sweep::pair_design design;
    sweep::path_energies found = {};
    std::vector<index> blocks = {}, mlp_blocks = {};
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto prompts = program::load_prompts(o, model, false);
    auto design = program::pairs_of(o, prompts);
    index const pairs = design.count(), heads = model.config.heads;
    index const numbers = 8 * heads + (o.mlp ? o.steps : 0) + (o.curves ? 6 * heads * o.steps : 0);
    program::require_memory(pairs, numbers * model.layers() * index{sizeof(double)},
                            concat({pairs, " pairs at ", model.layers(), " blocks, ", o.steps, " steps"}),
                            "ask for fewer pairs or steps at a time");
    results r{std::move(prompts), std::move(design)};
    for (auto const& one : sweep::attentions_behind(model.sites(), o.write_site)) r.blocks.push_back(one.layer);
    index const points = o.steps * (o.causality ? 10 : 1);
    study.meter.expect(pairs * points);
    sweep::path_energies_options what{{.write = o.write_site,
                                       .read = o.read_site,
                                       .path = o.path,
                                       .random_direction = o.random(),
                                       .shuffled_keys = o.shuffled,
                                       .seed = o.seed,
                                       .steps = o.steps,
                                       .progress = study.meter.counter()},
                                      o.mlp,
                                      o.curves,
                                      o.causality};
    study.meter.timed([&] { what.along.path_mean = sweep::path_mean_of(model, r.prompts, o.path, o.write_site); });
    r.found = program::sweep_pairs(study, r.prompts, r.design, points, [&](auto const& some, index first) {
        what.along.first_pair = first;
        return sweep::find_path_energies(model, r.prompts, some, what);
    });
    if (!o.mlp) return r;
    for (auto const& one : sweep::gates_behind(model.sites(), o.write_site)) r.mlp_blocks.push_back(one.layer);
    return r;
}

void run(program::study& study, options const& o) {
    require_valid(o);
    if (o.permutations < 1) throw usage_error("--permutations must be at least 1, got ", o.permutations);
    auto const r = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    auto const curves = sweep::transitions_of(r.found.curves.alpha, r.found.curves.distances, o.min_d1);
    auto const switches =
        sweep::head_switches_of(r.design, r.found.marks, curves.alpha_jump, r.blocks, {o.permutations, o.seed});
    study.summary = {
        {"pairs", r.design.count()},   {"steps", o.steps},           {"degenerate_pairs", curves.degenerate},
        {"never", switches.shares[0]}, {"once", switches.shares[1]}, {"repeatedly", switches.shares[2]}};
    if (!switches.best.empty()) {
        study.summary["largest_rho_head"] = switches.best;
        study.summary["largest_rho"] = switches.rho;
        study.summary["largest_rho_p"] = switches.p;
    }
    auto rows = sweep::rows_of(r.design, r.found.marks, curves.alpha_jump, r.blocks);
    if (o.mlp) {
        auto const lags = sweep::mlp_lags(r.found.mlp, curves.alpha_jump, r.mlp_blocks);
        rows.push_back(sweep::row_of("ridge of MLPs", lags, r.design));
    }
    for (auto const& [name, there, lag, away, chance] : rows) {
        study.summary["marks"].push_back(name), study.summary["there"].push_back(there);
        study.summary["lag"].push_back(lag), study.summary["away"].push_back(away);
        study.summary["chance"].push_back(chance);
    }
    auto const table = sweep::table_of(rows);
    auto text = table.render() + switches.text();
    auto& out = study.out();
    out.axis("M", sweep::marks);
    out.axis("L", r.found.marks.layers());
    out.axis("H", r.found.marks.heads());
    out.axis("S", paths::even_grid(0, 1, o.steps));
    program::write_prompts_and_pairs(out, r.prompts, r.design);
    out.array("places.npy", r.found.marks.places().flat());
    out.array("switches.npy", r.found.marks.switches().flat());
    out.array("distances.npy", r.found.curves.distances.flat());
    if (o.mlp) out.array("mlp_energy.npy", r.found.mlp.flat());
    for (std::size_t k = 0; o.curves && k < sweep::energy_curve_names.size(); ++k)
        out.array(sweep::energy_curve_names[k].name + std::string(".npy"), r.found.of_heads[k].flat());
    out.text("marks.csv", table.csv());
    out.text("heads.csv", switches.csv);
    if (o.causality) {
        auto const held = sweep::held_table(r.design, sweep::held_curves_of(r.found.held, o.min_d1));
        out.text("held.csv", held.csv());
        text += '\n' + held.render();
    }
    viz::labelled_figure figure{
        .title = program::title_of(o) + (o.shuffled ? ", keys shuffled" : ""),
        .counts = concat({r.design.count(), " pairs × ", o.steps, " steps"}),
        .subtitle = o.write_site + " → " + o.read_site + (o.random() ? ", random directions" : ""),
        .panels = sweep::energy_panels(r.found.marks, curves.alpha_jump, r.design, r.blocks)};
    if (o.mlp) figure.panels.push_back(sweep::mlp_energy_panel(r.found.mlp, r.found.curves.alpha, r.mlp_blocks));
    program::draw(out, "energy.png", figure);
    study.report(o,
                 concat({program::model_text(o), ": ", r.design.count(), " pairs x ", o.steps,
                         " steps; in alpha, 95 % intervals in brackets"}),
                 text + program::degenerate_text(curves) + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    auto told = leaves;
    for (auto const& [name, what] : sweep::mark_names) told.notes.push_back(concat({"  ", name, ": ", what}));
    for (auto const& [name, what, values] : sweep::energy_curve_names)
        told.files.push_back({name + std::string(".npy"), "float64 [P,L,H,S]", what, "--curves"});
    program::study study{"energy", "Energies of attention heads along paths, beside the output's jump.", told};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_line_options(app, o);
    app.add_flag("--shuffled-keys", o.shuffled, "a control: coordinates of keys in random order over positions");
    app.add_flag("--mlp", o.mlp, "also energies of MLPs as memories of their gates' rows");
    app.add_flag("--curves", o.curves, "also the curves of every head that marks are found in");
    app.add_flag("--causality", o.causality, "also width and d(1) with parts held at A and at the path's mean");
    program::add_option(app, "--permutations", &o.permutations, "of pairs, for the correlation of switch and jump");
    return study.run(argc, argv, [&] { run(study, o); });
}
