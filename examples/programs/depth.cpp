// Depth: how sharp stable regions are by the layer where an activation is written, and by the layer where its effect is
// read.
//
//     depth --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// First x(α) = (1−α)A + αB is written after every block in turn and read at the end: fewer and fewer layers are left to
// make a jump of it. Then it is written after one block and read after every later one. See Janiak et al. 2024, arXiv
// 2409.17113, appendix E, and Shinkle & Heimersheim 2025.

#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/studies.hpp"

namespace {

using plateau::index;
namespace statistics = plateau::statistics;

constexpr char const* files_text =
    "Files written to --out (L layers, P pairs, S steps, N prompts, T tokens of the longest):\n"
    "  write_relative.npy    float64 [W,P,S]  d(alpha)/d(1) at --read-site, written after block l, l as in "
    "write_layers.npy; no unit; NaN for\n"
    "                        a degenerate pair\n"
    "  write_max_slope.npy   float64 [W,P]    its largest step, x (S-1): per unit of alpha\n"
    "  write_width.npy       float64 [W,P]    alpha at 0.9 - alpha at 0.1 of its isotonic fit\n"
    "  write_layers.npy      int64   [W]      blocks after which it was written, of those of --write-layers\n"
    "  read_relative.npy     float64 [R,P,S]  d(alpha)/d(1), written after block --fixed-write and read after block l\n"
    "  read_max_slope.npy    float64 [R,P]    as above\n"
    "  read_width.npy        float64 [R,P]    as above\n"
    "  read_layers.npy       int64   [R]      blocks after which it was read, --fixed-write + 1 to the last\n"
    "  depth.csv             W + R rows       the table: medians with their 95 % intervals (_low, _high)\n"
    "  tokens.npy            int64   [N,T]    token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] "
    "if lengths differ\n"
    "  pairs.npy             int64   [P,2]    prompts of each pair, counted from 0: context, other\n"
    "  depth.png             median max slope and median width by layer, with their intervals\n"
    "  summary.json          one object       program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                        load_seconds, points_per_second, options, pairs, steps, layers, and by layer [value, low, "
    "high] of\n"
    "                        write_max_slope_median, write_width_median, read_max_slope_median, read_width_median\n"
    "A straight line has max slope 1 and width 0.8. Intervals: moving blocks of a chain's pairs, prompts drawn again "
    "where pairs share\n"
    "them otherwise. A layer at which every pair is degenerate is an error: raise no --min-d1 above its d(1).\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::study_options {
    std::string write_layers;
    index fixed_write = 0;
};

std::string after_block(index layer) { return "blocks." + std::to_string(layer) + ".hook_resid_post"; }

/// "3,7" or "0:28" (up to and with 28), or all. @throws usage_error
std::vector<index> layers_of(std::string const& text, index layers) {
    std::vector<index> all;
    auto const wrong = [&](std::string const& why) {
        return plateau::usage_error("--write-layers " + text + ": " + why + "; give numbers of blocks, 0 to " +
                                    std::to_string(layers - 1) + ", as 0,7,14 or 0:28");
    };
    auto const number = [&](std::string const& part) {
        if (part.empty() || part.size() > 6 || part.find_first_not_of("0123456789") != std::string::npos)
            throw wrong("'" + part + "' is no number");
        index const layer = std::stol(part);
        if (layer >= layers) throw wrong("there is no block " + part);
        return layer;
    };
    if (text.empty()) {
        for (index l = 0; l < layers; ++l) all.push_back(l);
        return all;
    }
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t const end = std::min(text.find(',', begin), text.size());
        std::string const part = text.substr(begin, end - begin);
        begin = end + 1;
        auto const colon = part.find(':');
        index const first = number(part.substr(0, colon)),
                    last = colon == std::string::npos ? first : number(part.substr(colon + 1));
        for (index l = first; l <= last; ++l) all.push_back(l);
    }
    if (all.empty()) throw wrong("it names no block");
    return all;
}

/// One series: the layers, what was measured at each, and medians with intervals.
struct series {
    std::vector<index> layers;
    std::vector<program::pair_curves> curves;
    std::vector<statistics::estimate> slope, width;

    void add(index layer, program::pair_curves measured, program::pair_design const& design, options const& o) {
        layers.push_back(layer);
        slope.push_back(design.median(measured.max_slope, o));
        width.push_back(design.median(measured.width, o));
        curves.push_back(std::move(measured));
    }

    void write(plateau::output_set& out, std::string const& name) const {
        auto const count = static_cast<index>(layers.size());
        auto const put = [&](char const* what, auto const& of, bool by_step) {
            std::vector<double> all;
            for (auto const& c : curves) all.insert(all.end(), of(c).begin(), of(c).end());
            index const pairs = count == 0 ? 0 : curves[0].count(), steps = count == 0 ? 0 : curves[0].steps();
            auto& file = out.file(name + what);
            if (by_step) plateau::io::write_npy(file, all, {count, pairs, steps});
            else plateau::io::write_npy(file, all, {count, pairs});
        };
        put(
            "_relative.npy", [](auto const& c) -> auto const& { return c.relative; }, true);
        put(
            "_max_slope.npy", [](auto const& c) -> auto const& { return c.max_slope; }, false);
        put(
            "_width.npy", [](auto const& c) -> auto const& { return c.width; }, false);
        plateau::io::write_npy(out.file(name + "_layers.npy"), std::vector<std::int64_t>(layers.begin(), layers.end()),
                               {count});
    }
};

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, series const& by_write, series const& by_read, index pairs,
                  std::string const& title, std::ostream& out) {
    namespace viz = plateau::viz;
    auto const panel =
        [&](char const* name, char const* unit, std::vector<statistics::estimate> series::*number, double straight) {
        viz::labelled_panel all{name, {"block l"}, {unit}, {}, {{straight, false, false, "no plateau"}}};
        auto const add = [&](std::string const& label, series const& of) {
            viz::labelled_curve curve{.label = label, .x = {}, .y = {}, .points = true};
            for (std::size_t k = 0; k < of.layers.size(); ++k) {
                auto const& x = (of.*number)[k];
                curve.x.push_back(static_cast<double>(of.layers[k]));
                curve.y.push_back(x.value);
                curve.low.push_back(x.low);
                curve.high.push_back(x.high);
            }
            all.curves.push_back(std::move(curve));
        };
        add("written after block l, read at " + o.read_site, by_write);
        if (!by_read.layers.empty())
            add("written after block " + std::to_string(o.fixed_write) + ", read after block l", by_read);
        return all;
    };
    viz::labelled_figure figure;
    figure.title = title;
    figure.counts = std::to_string(pairs) + " pairs × " + std::to_string(o.steps) + " steps";
    figure.subtitle = "medians over pairs with their 95 % intervals";
    figure.panels = {panel("sharpness", "max slope of d(α) / d(1)", &series::slope, 1),
                     panel("width of the transition", "α at 0.9 − α at 0.1", &series::width, 0.8)};
    viz::write_labelled_curves(figure, out);
}
#endif

/// What is reported.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;
    program::pair_design design;
    index layers = 0;
    series by_write = {}, by_read = {};

    index later(options const& o) const { return layers - 1 - o.fixed_write; }
};

/// Written after one block after the other, read at --read-site.
template <class T>
void sweep_written(options const& o, plateau::model<T> const& model, std::vector<index> const& layers,
                   program::point_count& counted, results& all) {
    for (index const layer : layers) {
        auto const curves = program::sweep_lines(model, all.prompts, all.design.pairs, o.steps,
                                                 {.write = after_block(layer), .read = o.read_site}, counted);
        all.by_write.add(layer, program::curves_of(curves.alpha, curves.distances, o.min_d1), all.design, o);
    }
}

/// Written after block --fixed-write, read after every later one of the same sweep.
template <class T>
void sweep_read(options const& o, plateau::model<T> const& model, program::point_count& counted, results& all) {
    auto const later = all.later(o);
    if (later == 0) return;
    auto const site = [&](index k) { return after_block(o.fixed_write + 1 + k); };
    std::vector<plateau::tensor::buffer<double, 2>> distances;
    for (index k = 0; k < later; ++k) distances.emplace_back(std::array<index, 2>{all.design.count(), o.steps});
    plateau::hooks::hook_set<T> reads;
    for (index k = 0; k + 1 < later; ++k) {
        reads = reads | plateau::engine::read_distances<T>(site(k), distances[static_cast<std::size_t>(k)]);
    }
    auto curves = program::sweep_lines(model, all.prompts, all.design.pairs, o.steps,
                                       {.write = after_block(o.fixed_write), .read = site(later - 1)}, counted, reads);
    distances.back() = std::move(curves.distances);
    for (index k = 0; k < later; ++k) {
        auto const& of_layer = distances[static_cast<std::size_t>(k)];
        program::require_finite(of_layer, site(k));
        all.by_read.add(o.fixed_write + 1 + k, program::curves_of(curves.alpha, of_layer, o.min_d1), all.design, o);
    }
}

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    auto const layers = static_cast<index>(model.layers());
    auto const written = layers_of(o.write_layers, layers);
    if (o.fixed_write < 0 || o.fixed_write >= layers) {
        throw plateau::usage_error("--fixed-write " + std::to_string(o.fixed_write) + ": the blocks are 0 to " +
                                   std::to_string(layers - 1));
    }
    results all{{model.computer(), load_seconds}, program::load_prompts(o, model, false), {}, layers};
    all.design = program::pairs_of(o.pairs, static_cast<index>(all.prompts.size()));
    index const count = all.design.count();
    program::require_memory(2 * layers + 2, count * o.steps * index{sizeof(double)},
                            std::to_string(o.steps) + " steps of " + std::to_string(count) + " pairs at " +
                                std::to_string(layers) + " layers",
                            "ask for fewer steps or pairs");
    index const sweeps = static_cast<index>(written.size()) + (all.later(o) > 0 ? 1 : 0);
    all.cost.points = sweeps * count * o.steps;
    program::point_count counted;
    counted.expect(all.cost.points);
    sweep_written(o, model, written, counted, all);
    sweep_read(o, model, counted, all);
    all.cost.seconds = counted.seconds;
    return all;
}

program::interval_table table_of(options const& o, results const& all) {
    program::interval_table table{{"written after", "read"}, {"median max slope", "median width"}};
    for (std::size_t k = 0; k < all.by_write.layers.size(); ++k) {
        table.row({"block " + std::to_string(all.by_write.layers[k]), o.read_site},
                  {all.by_write.slope[k], all.by_write.width[k]});
    }
    for (std::size_t k = 0; k < all.by_read.layers.size(); ++k) {
        table.row({"block " + std::to_string(o.fixed_write), "block " + std::to_string(all.by_read.layers[k])},
                  {all.by_read.slope[k], all.by_read.width[k]});
    }
    return table;
}

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    plateau::output_set out{o.out};
    auto const all =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    index const count = all.design.count();
    all.by_write.write(out, "write");
    all.by_read.write(out, "read");
    program::write_prompts_and_pairs(out, all.prompts, all.design.numbers());
    auto const table = table_of(o, all);
    out.file("depth.csv").write(table.csv());
#if PLATEAU_HAS_CAIRO
    write_figure(o, all.by_write, all.by_read, count, program::title_of(o), out.file("depth.png").stream());
#else
    std::cerr << "depth.png is not drawn: this build has no cairo\n";
#endif
    auto summary = program::summary_of(app, o, all.cost);
    summary["pairs"] = count;
    summary["steps"] = o.steps;
    summary["layers"] = all.layers;
    auto const put = [&](char const* name, std::vector<statistics::estimate> const& values) {
        summary[name] = nlohmann::ordered_json::array();
        for (auto const& x : values) summary[name].push_back(program::json_of(x));
    };
    put("write_max_slope_median", all.by_write.slope);
    put("write_width_median", all.by_write.width);
    put("read_max_slope_median", all.by_read.slope);
    put("read_width_median", all.by_read.width);
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(all.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << count << " pairs x " << o.steps
              << " steps; 95 % intervals in brackets\n"
              << table.render() << plateau::fixed(all.cost.points_per_second(), 0) << " points per second\n";
    program::print_places(out, "depth.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Sharpness of stable regions by the layer written to and by the layer read.", "depth"};
    options o;
    o.out = "depth.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_pair_options(app, o);
    app.add_option("--read-site", o.read_site,
                   "where the change is read when the layer written to varies, at the last position")
        ->capture_default_str();
    app.add_option("--write-layers", o.write_layers,
                   "blocks after which x(alpha) is written, as 0,7,14 or 0:28; by default all");
    app.add_option("--fixed-write", o.fixed_write, "the block after which it is written when the layer read varies")
        ->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
