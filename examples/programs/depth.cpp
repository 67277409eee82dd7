// Depth: how sharp stable regions are by the layer where x(α) is written, and by the layer where its effect is read.
//
//     depth --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// First x(α) = (1−α)A + αB is written after every block in turn and read at the end: fewer and fewer layers are left to
// make a jump of it. Then it is written after one block and read after every later one. See Janiak et al. 2024, arXiv
// 2409.17113, appendix E, and Shinkle & Heimersheim 2025.

#include <plateau/paths/grid.hpp>
#include <plateau/program/lists.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/depth.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::estimate;

program::manifest const leaves{
    .axes = "W layers written after, R layers read, P pairs, S steps, N prompts, T tokens of the longest",
    .files = {{"write_relative.npy", "float64 [W,P,S]",
               "d(alpha)/d(1) at --read-site, written after block l, l as in write_layers.npy; no unit; NaN for a "
               "degenerate pair"},
              {"write_max_slope.npy", "float64 [W,P]", "its largest step, x (S-1): per unit of alpha"},
              {"write_width.npy", "float64 [W,P]", "alpha at 0.9 - alpha at 0.1 of its isotonic fit"},
              {"write_layers.npy", "int64 [W]", "blocks after which it was written, of those of --write-layers"},
              {"read_relative.npy", "float64 [R,P,S]",
               "d(alpha)/d(1), written after block --fixed-write and read after block l"},
              {"read_max_slope.npy", "float64 [R,P]", "as above"},
              {"read_width.npy", "float64 [R,P]", "as above"},
              {"read_layers.npy", "int64 [R]", "blocks after which it was read, --fixed-write + 1 to the last"},
              {"depth.csv", "W + R rows", "the table: medians with their 95 % intervals (_low, _high)"},
              {"depth.png", "", "median max slope and median width by layer, with their intervals"},
              program::tokens_file,
              program::lengths_file,
              program::pairs_file},
    .summary =
        "pairs, steps, layers, and by layer [value, low, high] of write_max_slope_median, write_width_median, "
        "read_max_slope_median, read_width_median",
    .notes = {"A straight line has max slope 1 and width 0.8. Intervals: moving blocks of a chain's pairs, prompts "
              "drawn again where pairs share them otherwise. A layer at which every pair is degenerate is an error: "
              "raise no --min-d1 above its d(1).",
              program::prompts_note}};

struct options : program::pair_options {
    std::string write_layers;
    index fixed_write = 0;
};

struct results {
    prompt_list prompts;
    sweep::pair_design design;
    index layers;
    sweep::depth_series by_write = {}, by_read = {};
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto const layers = static_cast<index>(model.layers());
    auto const written = program::blocks_of("--write-layers", o.write_layers, layers);
    if (o.fixed_write < 0 || o.fixed_write >= layers)
        throw usage_error("--fixed-write ", o.fixed_write, ": the blocks are 0 to ", layers - 1);
    auto prompts = program::load_prompts(o, model, false);
    results all{prompts, program::pairs_of(o, prompts), layers};
    program::require_memory(2 * layers + 2, all.design.count() * o.steps * index{sizeof(double)},
                            concat({o.steps, " steps of ", all.design.count(), " pairs at ", layers, " layers"}),
                            "ask for fewer steps or pairs");
    index const sweeps = static_cast<index>(written.size()) + (o.fixed_write + 1 < layers ? 1 : 0);
    study.meter.expect(sweeps * all.design.count() * o.steps);
    for (index const layer : written) {
        sweep::setup const where{.write = sweep::after_block(layer), .read = o.read_site};
        auto const curves = program::sweep_lines(study, model, prompts, all.design, o.steps, where);
        all.by_write.add(layer, sweep::transitions_of(curves.alpha, curves.distances, o.min_d1));
    }
    if (o.fixed_write + 1 == layers) return all;
    auto const found = program::sweep_pairs(study, prompts, all.design, o.steps, [&](auto const& pairs, index) {
        sweep::line_study const lines{prompts, pairs, o.steps};
        return sweep::curves_by_read_layer(model, lines, o.fixed_write, {.progress = study.meter.counter()});
    });
    all.by_read = sweep::series_of(found, o.fixed_write + 1, o.min_d1);
    return all;
}

/// A series with medians over pairs, block by block.
struct medians {
    sweep::depth_series const& of;
    std::vector<estimate> slope, width;

    medians(results const& all, sweep::depth_series const& series)
        : of{series}, slope{series.medians(all.design, &sweep::transitions::max_slope)},
          width{series.medians(all.design, &sweep::transitions::width)} {}
};

void write(program::outputs& out, std::string const& name, std::string const& axis, medians const& all) {
    std::vector<std::string> blocks;
    for (index const layer : all.of.layers) blocks.push_back("block " + std::to_string(layer));
    out.axis(axis, blocks);
    out.array(name + "_relative.npy", all.of.curves, &sweep::transitions::relative);
    out.array(name + "_max_slope.npy", all.of.curves, &sweep::transitions::max_slope);
    out.array(name + "_width.npy", all.of.curves, &sweep::transitions::width);
    out.array(name + "_layers.npy", all.of.layers);
}

statistics::interval_table table_of(options const& o, medians const& by_write, medians const& by_read) {
    statistics::interval_table table{{"written after", "read"}, {"median max slope", "median width"}};
    auto const block = [](index layer) { return "block " + std::to_string(layer); };
    for (std::size_t k = 0; k < by_write.slope.size(); ++k)
        table.row({block(by_write.of.layers[k]), o.read_site}, {by_write.slope[k], by_write.width[k]});
    for (std::size_t k = 0; k < by_read.slope.size(); ++k)
        table.row({block(o.fixed_write), block(by_read.of.layers[k])}, {by_read.slope[k], by_read.width[k]});
    return table;
}

viz::labelled_figure figure_of(options const& o, index pairs, medians const& by_write, medians const& by_read) {
    auto const panel =
        [&](char const* name, char const* unit, std::vector<estimate> medians::*number, double straight) {
        viz::labelled_panel of{name, {"block l"}, {unit}, {}, {{straight, false, false, "no plateau"}}};
        auto const add = [&](std::string const& label, medians const& one) {
            of.curves.push_back(viz::curve_of(label, {one.of.layers.begin(), one.of.layers.end()}, one.*number));
            of.curves.back().points = true;
        };
        add("written after block l, read at " + o.read_site, by_write);
        if (!by_read.slope.empty())
            add(concat({"written after block ", o.fixed_write, ", read after block l"}), by_read);
        return of;
    };
    return {.title = program::title_of(o),
            .counts = concat({pairs, " pairs × ", o.steps, " steps"}),
            .subtitle = "medians over pairs with their 95 % intervals",
            .panels = {panel("sharpness", "max slope of d(α) / d(1)", &medians::slope, 1),
                       panel("width of the transition", "α at 0.9 − α at 0.1", &medians::width, 0.8)}};
}

void run(program::study& study, options const& o) {
    require_valid(o);
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    medians const by_write{all, all.by_write}, by_read{all, all.by_read};
    auto const table = table_of(o, by_write, by_read);
    auto const figure = figure_of(o, all.design.count(), by_write, by_read);

    auto& out = study.out();
    out.axis("S", paths::even_grid(0, 1, o.steps));
    program::write_prompts_and_pairs(out, all.prompts, all.design);
    write(out, "write", "W", by_write);
    write(out, "read", "R", by_read);
    out.text("depth.csv", table.csv());
    program::draw(out, "depth.png", figure);
    study.summary = {{"pairs", all.design.count()},
                     {"steps", o.steps},
                     {"layers", all.layers},
                     {"write_max_slope_median", by_write.slope},
                     {"write_width_median", by_write.width},
                     {"read_max_slope_median", by_read.slope},
                     {"read_width_median", by_read.width}};
    study.report(o,
                 concat({program::model_text(o), ": ", all.design.count(), " pairs x ", o.steps,
                         " steps; 95 % intervals in brackets"}),
                 table.render() + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"depth", "Sharpness of stable regions by the layer written to and by the layer read.", leaves};
    options o;
    program::add_study_options(study, o);
    program::add_pair_options(study.app, o);
    program::add_option(study.app, "--read-site", &o.read_site,
                        "where the change is read when the layer written to varies, at the last position");
    study.app.add_option("--write-layers", &o.write_layers,
                         "blocks after which x(alpha) is written, as 0,7,14 or 0:28; by default all");
    program::add_option(study.app, "--fixed-write", &o.fixed_write,
                        "the block after which it is written when the layer read varies");
    return study.run(argc, argv, [&] { run(study, o); });
}
