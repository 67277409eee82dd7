// 2-D slices: the plane through the activations of three prompts, coloured by how near the output is to that of each
// prompt's own run.
//
//     slice_2d --model SmolLM2-135M-Instruct.Q4_1.gguf --prompts three_lines.txt --grid 256 --labels --out results
//     slice_2d --checkpoints examples/data/embedded/checkpoints,examples/data/embedded --out results     (one panel
//     each, and an animation)
//
// X = A + α(B−A) + β(C−P), P the foot of C on the line AB. Three passes, one in the context of each prompt: d_A =
// |F_A(A) − F_A(X)|, d_B and d_C likewise; red, green and blue are 1 − d / max d. See Janiak et al. 2024, arXiv
// 2409.17113, figure 1 and appendix.

#include <array>
#include <map>

#include <plateau/corpus/triples.hpp>
#include <plateau/program/checkpoints.hpp>
#include <plateau/program/lists.hpp>
#include <plateau/program/long_run/study_sweeps.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/report/slices.hpp>
#include <plateau/sweep/boundary_map.hpp>
#include <plateau/sweep/slice_figures.hpp>
#include <plateau/viz/boundary_maps.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes =
        "G = --grid; rows run along beta, columns along alpha, both from the lower end of --range; of n > 1 slices, "
        "several triples or several checkpoints, d_a, d_b, d_c and labels begin with the axis n",
    .files =
        {{"d_a.npy", "float64 [n?,G,G]",
          "L2 distance of the read-out at (beta, alpha) to that of prompt A's own run, in its context; unit of the "
          "read-out"},
         {"d_b.npy", "float64 [n?,G,G]", "the same of prompt B"},
         {"d_c.npy", "float64 [n?,G,G]", "the same of prompt C"},
         {"alpha.npy", "float64 [G]",
          "the coordinates of columns, and of rows; A lies at (0,0), B at (1,0), C at (t,1)"},
         {"labels.npy", "int64 [n?,3,G,G]", "the likeliest next token at every point, in the contexts of A, B, C",
          "--labels"},
         {"boundary_a.npy", "float64 [G,G]",
          "the same distances in the context of A over the plane through A, B and the mean m of all prompts' "
          "activations: A + alpha (B-A) + beta (x-m), x the foot of m on AB; columns alpha from 0 to 1, rows beta "
          "from -1 to 1; of the first triple, the last checkpoint",
          "--boundary"},
         {"boundary_b.npy", "float64 [G,G]", "the same in the context of B", "--boundary"},
         program::tokens_file,
         program::lengths_file,
         {"slices.csv", "n rows",
          "slice,checkpoint,a,b,c,c_alpha,largest_d_a,largest_d_b,largest_d_c: prompts by number, t, and the "
          "largest distances; with --labels also components_a..c (connected regions of equal labels) and "
          "boundary_a..c (share of neighbouring points whose labels differ)"},
         {"slice.png", "",
          "the slice in colours. Several are drawn with colours that compare, each distance divided by its largest "
          "in the whole series. Of more than 48 slices it shows the first 48"},
         {"slices.apng", "", "the same, a frame each", "several slices"},
         {"slice_own.png", "", "the same, divided by the largest in each panel", "several slices"},
         {"labels.png", "", "the three label maps of the first triple, the last checkpoint", "--labels"},
         {"boundary.png", "", "the two heat maps, dashed the boundary that the angle's bisector at m predicts",
          "--boundary"}},
    .summary =
        "grid, range, slices, checkpoints (names), anchors (prompt numbers [n,3]), anchor_coordinates (alpha, "
        "beta of A, B, C, [n,3,2]), largest_distances [n,3]; with --labels components [n,3], boundary_fraction "
        "[n,3]; with --boundary alpha_mean (alpha of x), alpha_jump_predicted",
    .notes = {"Triples of prompts A, B, C, counted from 0: --anchors FILE.npy, integers [n,3] or [3]; or --pairs "
              "FILE.npy, integers [P,2]: A, B, with the first prompt that is neither as C; or --pairs chain: (0,1,2), "
              "(1,2,3), ...; or --pairs disjoint: (0,1,2), (3,4,5), ...",
              program::prompts_note}};

struct options : program::common_options {
    std::string anchors, pairs, range = "-0.25,1.25";
    std::vector<std::string> checkpoints;
    std::string write_site = "blocks.0.hook_resid_post";
    std::string read_site = "ln_final.hook_out";
    index grid = 61;
    bool labels = false, boundary = false;
    double frame_seconds = 0.8;
};

/// The triples that --anchors or --pairs ask for; by default the first three prompts.
std::vector<corpus::triple> triples_of(options const& o, index prompts) {
    if (prompts < 3) throw usage_error("a slice needs three prompts, there are ", prompts);
    auto const rows_of = [](std::string const& option, std::string const& path, index columns) {
        if (!std::filesystem::exists(path)) throw usage_error(option, " ", path, ": there is no such file");
        auto const array = program::read_integers(path);
        if (!array.shape.empty() && array.shape.size() < 3 && array.shape.back() == columns && !array.values.empty())
            return array.values;
        throw usage_error(path, ": ", option, " takes an array of the shape [n,", columns, "], prompts by number");
    };
    auto const all = o.pairs == "chain"      ? corpus::chain_triples(prompts)
                     : o.pairs == "disjoint" ? corpus::disjoint_triples(prompts)
                     : !o.pairs.empty()      ? corpus::triples_of_pairs(rows_of("--pairs", o.pairs, 2))
                     : !o.anchors.empty()    ? corpus::triples_of_rows(rows_of("--anchors", o.anchors, 3))
                                             : std::vector<corpus::triple>{{0, 1, 2}};
    return all;
}

/// What all slices have in common, and all of them.
struct results {
    std::vector<models::training_checkpoint> checkpoints;
    paths::surface_grid grid;
    std::vector<sweep::named_slice> slices = {};
    sweep::boundary_map boundary = {};
    std::map<index, std::string> words = {};  ///< of the tokens in label maps
    std::array<std::string, 3> anchors = {};  ///< texts of the first triple
    prompt_list prompts = {};

    /// The slice that label maps are drawn of: of the last checkpoint, or of the first triple.
    sweep::named_slice const& shown() const { return checkpoints.size() > 1 ? slices.back() : slices.front(); }
};

/// Adds the slices of one checkpoint, of the last one also what is drawn beside them.
template <class T>
void measure(options const& o, model<T> const& model, models::training_checkpoint const& at, program::study& study,
             results& all) {
    auto const& prompts = all.prompts = program::load_prompts(o, model, false);
    auto const triples = triples_of(o, static_cast<index>(prompts.size()));
    bool const many = all.checkpoints.size() > 1;
    if (triples.size() > 1 && many)
        throw usage_error("several triples of several checkpoints are too much for one picture: give one triple");
    program::require_memory(
        o.grid, o.grid * static_cast<index>(std::max(triples.size(), all.checkpoints.size())) * (o.labels ? 250 : 80),
        concat({"slices of ", o.grid, " x ", o.grid, " points"}), "ask for a smaller --grid");
    engine::setup const where{.write = o.write_site, .read = o.read_site, .progress = study.meter.counter()};
    study.meter.show(3 * std::ssize(triples) * (1 + all.grid.size()), many ? at.name + ": points" : "points");
    auto const rows = [&](index contexts) { return program::sweeper(study, contexts * o.grid, prompts); };
    auto found = study.meter.timed(
        [&] { return sweep::slices_with_labels(model, prompts, triples, all.grid, where, o.labels, rows(3)); });
    for (auto& slice : found) {
        auto const& one = all.slices.emplace_back(sweep::named_slice{std::move(slice), many ? at.name : ""});
        if (triples.size() > 1) all.slices.back().name = sweep::prompts_text(one.anchors);
        study.meter.points += 3 * all.grid.size();
        for (index const token : one.labels.flat())
            all.words.try_emplace(token, program::token_text(model, static_cast<token_id>(token)));
    }
    study.meter.end();
    if (&at != &all.checkpoints.back()) return;
    if (o.boundary) {
        study.meter.show(2 * (1 + o.grid * o.grid), "points of the boundary");
        all.boundary = study.meter.timed(
            [&] { return sweep::map_boundary(model, prompts, triples[0][0], triples[0][1], o.grid, where, rows(2)); });
        study.meter.points += 2 * o.grid * o.grid;
    }
    for (std::size_t k = 0; k < 3; ++k)
        all.anchors[k] = program::prompt_text(model, prompts[static_cast<std::size_t>(triples[0][k])]);
}

void write(program::outputs& out, options const& o, results const& all) {
    out.axis("n", all.slices.size() > 1 ? static_cast<index>(all.slices.size()) : program::outputs::absent);
    out.axis("G", o.grid);
    for (index k = 0; k < 3; ++k) {
        out.array(std::string("d_") + "abc"[k] + ".npy", all.slices,
                  [k](auto const& one) { return one.slice.distances[k].flat(); });
    }
    out.array("alpha.npy", all.grid.u);
    if (o.labels) out.array("labels.npy", all.slices, [](auto const& one) { return one.labels.flat(); });
    for (index k = 0; k < 2 && o.boundary; ++k)
        out.array(std::string("boundary_") + "ab"[k] + ".npy", all.boundary.distances[k].flat());
    program::write_prompts(out, all.prompts);
    out.text("slices.csv", sweep::slices_csv(all.slices, o.checkpoints.empty() ? program::title_of(o) : ""));
}

void draw(program::outputs& out, options const& o, results const& all) {
    auto const sites = o.write_site + " → " + o.read_site, points = concat({o.grid, " × ", o.grid, " points"});
    constexpr std::size_t most = 48;  // more would not fit into a PNG
    auto const count = all.slices.size();
    viz::slice_figure slices{
        .title = program::title_of(o),
        .counts = (count > most ? concat({"the first ", most, " of ", count, " slices, "}) : "") +
                  (o.checkpoints.empty() ? points : concat({count, " checkpoints × ", points})),
        .subtitle = sites,
        .anchors = count == 1 || !o.checkpoints.empty() ? all.anchors : std::array<std::string, 3>{},
        .grid = {all.grid.u, all.grid.v},
        .one_scale = count > 1};
    slices.panels = sweep::slice_panels(std::span{all.slices}.first(std::min(count, most)));
    program::draw(out, "slice.png", slices);
    if (count > 1) {
        out.picture("slices.apng", [&](std::ostream& to) { viz::write_slice_animation(slices, o.frame_seconds, to); });
        slices.one_scale = false;
        out.picture("slice_own.png", [&](std::ostream& to) { viz::write_slices(slices, to); });
    }
    if (o.labels) {
        auto labels = sweep::label_figure(all.shown(), slices.grid, all.words);
        labels.title = slices.title;
        labels.counts = points;
        labels.subtitle = "the likeliest next token; " + o.write_site + labels.subtitle;
        out.picture("labels.png", [&](std::ostream& to) { viz::write_labels(labels, to); });
    }
    if (!o.boundary) return;
    auto const& [grid, distances, alpha_mean, alpha_jump] = all.boundary;
    viz::surface_figure const figure{.title = slices.title,
                                     .counts = points,
                                     .subtitle = "distance from the context's own run; " + sites,
                                     .maps = viz::boundary_maps(distances, {grid.u, grid.v}, alpha_mean, alpha_jump)};
    out.picture("boundary.png", [&](std::ostream& to) { viz::write_surfaces(figure, to); });
}

/// What the table says goes to the summary too.
table table_of(options const& o, results const& all, nlohmann::ordered_json& summary) {
    summary = {{"grid", o.grid}, {"range", program::range_of("--range", o.range)}, {"slices", all.slices.size()}};
    for (auto const& one : all.checkpoints) summary["checkpoints"].push_back(one.name);
    std::vector<std::string> header{"slice", "A", "B", "C", "C at alpha", "max d_A", "max d_B", "max d_C"};
    if (o.labels) header.insert(header.end(), {"regions in A", "in B", "in C", "boundary in A"});
    table table{header};
    for (std::size_t i = 0; i < all.slices.size(); ++i) {
        auto const& one = all.slices[i];
        std::vector<std::string> cells{all.checkpoints.size() > 1 ? one.name : std::to_string(i)};
        for (index const prompt : one.anchors) cells.push_back(std::to_string(prompt));
        cells.push_back(fixed(one.slice.anchors[2][0], 3));
        for (double const value : one.largest) cells.push_back(fixed(value, 3));
        for (std::size_t k = 0; k < 3 && o.labels; ++k) cells.push_back(std::to_string(one.components[k]));
        if (o.labels) cells.push_back(fixed(one.boundary[0], 4));
        table.row(cells);
        summary["anchors"].push_back(one.anchors);
        summary["anchor_coordinates"].push_back(one.slice.anchors);
        summary["largest_distances"].push_back(one.largest);
        if (!o.labels) continue;
        summary["components"].push_back(one.components);
        summary["boundary_fraction"].push_back(one.boundary);
    }
    if (!o.boundary) return table;
    summary["alpha_mean"] = all.boundary.alpha_mean;
    summary["alpha_jump_predicted"] = all.boundary.alpha_jump;
    return table;
}

void run(program::study& study, options o) {
    if (o.grid < 2) throw usage_error("--grid must be at least 2, got ", o.grid);
    auto const [low, high] = program::range_of("--range", o.range);
    if (!(o.frame_seconds > 0 && o.frame_seconds <= 60))
        throw usage_error("--frame-seconds must be above 0 and at most 60");
    auto const axis = paths::even_grid(low, high, o.grid);
    results all{o.checkpoints.empty() ? std::vector{models::checkpoint_at(o.model)}
                                      : program::listed_checkpoints(o.checkpoints),
                {axis, axis}};
    for (auto const& one : all.checkpoints) {
        o.model = one.path;
        study.measure(o, [&]<class T>(model<T> const& model) { measure(o, model, one, study, all); });
    }
    auto const table = table_of(o, all, study.summary);
    write(study.out(), o, all);
    draw(study.out(), o, all);
    study.report(o,
                 concat({o.checkpoints.empty() ? o.model : concat({all.checkpoints.size(), " checkpoints"}),
                         program::weights_text(o), ": ", all.slices.size(),
                         all.slices.size() == 1 ? " slice of " : " slices of ", o.grid, " x ", o.grid,
                         " points, 3 contexts, ", o.write_site, " -> ", o.read_site}),
                 table.render() + all.boundary.text() + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "slice_2d", "2-D slices: the plane through the activations of three prompts, as the outputs see it.", leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    auto const anchors =
        app.add_option("--anchors", &o.anchors,
                       "NPY file of integers [n,3]: prompts A, B, C by number (default: the first three prompts)");
    app.add_option("--pairs", &o.pairs, "instead: chain, disjoint, or an NPY file of integers [P,2]: see below")
        .excludes(anchors);
    program::add_option(app, "--grid", &o.grid, "points along each axis");
    program::add_option(app, "--range", &o.range, "LOW,HIGH: both coordinates' first and last value");
    program::add_option(app, "--write-site", &o.write_site, "where points are written");
    program::add_option(app, "--read-site", &o.read_site, "where the change is read, at the last position");
    app.add_option("--checkpoints", &o.checkpoints,
                   "instead of --model: models, or folders of models, separated by commas; one panel each")
        .with_commas()
        .excludes(app.get_option("--model"));
    app.add_flag("--labels", o.labels, "also the likeliest next token of every point");
    app.add_flag("--boundary", o.boundary, "also the heat maps over the plane through A, B and the mean activation");
    program::add_option(app, "--frame-seconds", &o.frame_seconds, "how long slices.apng shows each slice");
    return study.run(argc, argv, [&] { run(study, o); });
}
