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
#include <charconv>
#include <cmath>
#include <map>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/jump_prediction.hpp>
#include <plateau/metrics/label_map.hpp>
#include <plateau/sweep/slice.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/label_maps.hpp>
#include <plateau/viz/slices.hpp>
#include <plateau/viz/surface_maps.hpp>
#endif

#include "support/checkpoints.hpp"
#include "support/named_paths.hpp"
#include "support/program.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace paths = plateau::paths;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

constexpr char const* files_text =
    "Files written to --out (G = --grid; rows run along beta, columns along alpha, both from the lower end of --range; "
    "of n > 1 slices -\n"
    "several triples, or several checkpoints - every array but alpha.npy begins with the axis n):\n"
    "  d_a.npy, d_b.npy, d_c.npy  float64 [G,G]  L2 distance of the read-out at (beta, alpha) to that of the prompt's "
    "own run, in the\n"
    "                     context of prompt A, B, C; unit of the read-out\n"
    "  alpha.npy          float64 [G]      the coordinates of columns, and of rows; A lies at (0,0), B at (1,0), C at "
    "(t,1)\n"
    "  labels.npy         int64 [3,G,G]    --labels: the likeliest next token at every point, in the contexts of A, B, "
    "C\n"
    "  boundary_a.npy, boundary_b.npy  float64 [G,G]  --boundary: the same distances in the contexts of A and B over "
    "the plane through A,\n"
    "                     B and the mean m of all prompts' activations: A + alpha (B-A) + beta (x-m), x the foot of m "
    "on AB; columns\n"
    "                     alpha from 0 to 1, rows beta from -1 to 1; of the first triple, the last checkpoint\n"
    "  tokens.npy         int64 [N,T]      token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] if "
    "lengths differ\n"
    "  slices.csv         n rows           slice,checkpoint,a,b,c,c_alpha,largest_d_a,largest_d_b,largest_d_c: prompts "
    "by number, t, and\n"
    "                     the largest distances; with --labels also components_a..c (connected regions of equal "
    "labels) and\n"
    "                     boundary_a..c (share of neighbouring points whose labels differ)\n"
    "  slice.png          the slice in colours. Several are drawn with colours that compare, each distance divided by "
    "its largest in\n"
    "                     the whole series; slices.apng is the same, a frame each; slice_own.png divides by the "
    "largest in each panel.\n"
    "                     Of more than 48 slices these three show the first 48\n"
    "  labels.png         --labels: the three label maps of the first triple, the last checkpoint\n"
    "  boundary.png       --boundary: the two heat maps, dashed the boundary that the angle's bisector at m predicts\n"
    "  summary.json       one object       program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                     load_seconds, points_per_second, options, grid, range, slices, checkpoints (names), anchors "
    "(prompt\n"
    "                     numbers [n,3]), anchor_coordinates (alpha, beta of A, B, C, [n,3,2]), largest_distances "
    "[n,3]; with --labels\n"
    "                     components [n,3], boundary_fraction [n,3]; with --boundary alpha_mean (alpha of x), "
    "alpha_jump_predicted\n"
    "Triples of prompts A, B, C, counted from 0: --anchors FILE.npy, integers [n,3] or [3]; or --pairs FILE.npy, "
    "integers [P,2]: A, B, with\n"
    "the first prompt that is neither as C; or --pairs chain: (0,1,2), (1,2,3), ...; or --pairs disjoint: (0,1,2), "
    "(3,4,5), ...\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::common_options {
    std::string anchors, pairs, range = "-0.25,1.25";
    std::vector<std::string> checkpoints;
    std::string write_site = "blocks.0.hook_resid_post";
    std::string read_site = "ln_final.hook_out";
    index grid = 61;
    bool labels = false, boundary = false;
    double frame_seconds = 0.8;
};

using triple = std::array<index, 3>;

/// LOW,HIGH. @throws usage_error
std::array<double, 2> range_of(std::string const& text) {
    std::array<double, 2> range{};
    auto const* const end = text.data() + text.size();
    auto const low = std::from_chars(text.data(), end, range[0]);
    bool good = low.ec == std::errc{} && low.ptr != end && *low.ptr == ',';
    if (good) {
        auto const high = std::from_chars(low.ptr + 1, end, range[1]);
        good = high.ec == std::errc{} && high.ptr == end && std::isfinite(range[0]) && std::isfinite(range[1]) &&
               range[0] < range[1];
    }
    if (!good)
        throw plateau::usage_error("--range '" + text +
                                   "' is no range: give two numbers, the lower one first, such as -0.25,1.25");
    return range;
}

/// Integers [n, columns] of a file, or [columns].
std::vector<index> rows_of(std::string const& option, std::string const& path, index columns) {
    if (!std::filesystem::exists(path)) throw plateau::usage_error(option + " " + path + ": there is no such file");
    auto const array = program::read_integers(path);
    if (array.shape.empty() || array.shape.size() > 2 || array.shape.back() != columns || array.values.empty()) {
        throw plateau::usage_error(path + ": " + option + " takes an array of the shape [n," + std::to_string(columns) +
                                   "], prompts by number");
    }
    return array.values;
}

/// The triples that --anchors or --pairs ask for; by default the first three prompts.
std::vector<triple> triples_of(options const& o, index prompts) {
    std::vector<triple> all;
    if (prompts < 3) throw plateau::usage_error("a slice needs three prompts, there are " + std::to_string(prompts));
    if (o.pairs == "chain" || o.pairs == "disjoint") {
        for (index i = 0; i + 2 < prompts; i += o.pairs == "chain" ? 1 : 3) all.push_back({i, i + 1, i + 2});
    } else if (!o.pairs.empty()) {
        auto const pairs = rows_of("--pairs", o.pairs, 2);
        for (std::size_t i = 0; i < pairs.size(); i += 2) {
            index third = 0;
            while (third == pairs[i] || third == pairs[i + 1]) ++third;
            all.push_back({pairs[i], pairs[i + 1], third});
        }
    } else if (!o.anchors.empty()) {
        auto const numbers = rows_of("--anchors", o.anchors, 3);
        for (std::size_t i = 0; i < numbers.size(); i += 3) all.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
    } else {
        all.push_back({0, 1, 2});
    }
    for (auto const& anchors : all) {
        for (index const i : anchors) {
            if (i >= 0 && i < prompts) continue;
            throw plateau::usage_error("an anchor is prompt " + std::to_string(i) + ", there are " +
                                       std::to_string(prompts) + ", counted from 0");
        }
    }
    return all;
}

/// One slice, and what is said of it.
struct panel {
    std::string name;
    triple anchors{};
    sweep::plane_slice slice;
    tensor::buffer<index, 3> labels;  ///< [3, G, G], or nothing
    std::array<double, 3> largest{};
    std::array<index, 3> components{};
    std::array<double, 3> boundary{};
};

/// The plane through A, B and the mean.
struct boundary_map {
    tensor::buffer<double, 3> distances;  ///< [2, G, G]
    double alpha_mean = 0, alpha_jump = 0;
};

/// What all slices have in common, and all of them.
struct study {
    paths::surface_grid grid;
    std::vector<panel> panels;
    boundary_map boundary;
    std::map<index, std::string> words;  ///< of the tokens in label maps
    std::array<std::string, 3> anchors;  ///< texts of the first triple
    program::prompt_list prompts;
    program::run_cost cost;

    /// The slice that label maps and boundary maps are drawn of: of the last checkpoint, or of the first triple.
    panel const& shown() const {
        return panels.size() > 1 && panels[0].anchors == panels[1].anchors ? panels.back() : panels.front();
    }
};

/// @throws numeric_error that names the context and the place where a distance is infinite or NaN
void require_finite(tensor::buffer<double, 3> const& distances, paths::surface_grid const& grid,
                    std::string const& site) {
    for (index k = 0; k < distances.extent(0); ++k) {
        for (index i = 0; i < grid.size(); ++i) {
            if (std::isfinite(distances[k].data()[i])) continue;
            throw plateau::numeric_error("the read-out at " + site + " is not finite in the context of prompt " +
                                         std::string(1, "ABC"[k]) + " at (" + plateau::fixed(grid[i][0], 4) + ", " +
                                         plateau::fixed(grid[i][1], 4) +
                                         "): check the weights, or compute with a wider dtype");
        }
    }
}

void describe_labels(panel& one) {
    for (index k = 0; k < 3; ++k) {
        auto const at = static_cast<std::size_t>(k);
        auto const map = tensor::view<index const, 2>(one.labels[k]);
        one.components[at] = metrics::regions_of(map).count();
        double differ = 0;
        for (auto const& side : metrics::boundaries_of(map, 1, 1)) differ += side.length;
        one.boundary[at] = differ / static_cast<double>(2 * map.extent(0) * (map.extent(0) - 1));
    }
}

plateau::engine::setup setup_of(options const& o, plateau::progress& bar) {
    return {.write = o.write_site, .read = o.read_site, .progress = [&](index points) { bar.advance(points); }};
}

/// One slice of one model.
template <class T>
panel run_slice(options const& o, plateau::model<T> const& model, program::prompt_list const& prompts,
                triple const& anchors, plateau::progress& bar, study& all) {
    auto const& grid = all.grid;
    panel one;
    one.anchors = anchors;
    plateau::engine::predictions<T> predictions;
    plateau::hooks::hook_set<T> also;
    if (o.labels) {
        predictions = {3, 1 + grid.size(), 1};
        also = plateau::engine::read_predictions(model.engine(), predictions);
    }
    program::stopwatch const watch;
    one.slice = sweep::slice(model, prompts, anchors, grid, setup_of(o, bar), also);
    all.cost.seconds += watch.seconds();
    all.cost.points += 3 * grid.size();
    require_finite(one.slice.distances, grid, o.read_site);
    for (std::size_t k = 0; k < 3; ++k) {
        auto const flat = one.slice.distances[static_cast<index>(k)].flat();
        one.largest[k] = *std::max_element(flat.begin(), flat.end());
    }
    if (!o.labels) return one;
    one.labels = tensor::buffer<index, 3>({3, grid.rows(), grid.columns()});
    for (index k = 0; k < 3; ++k) {
        for (index i = 0; i < grid.size(); ++i) {
            index const token = predictions.best(k, 1 + i, 0).token;
            one.labels[k].data()[i] = token;
            if (!all.words.contains(token))
                all.words[token] = program::shown(model, static_cast<plateau::token_id>(token));
        }
    }
    describe_labels(one);
    return one;
}

/// The grid of the boundary heat map.
paths::surface_grid boundary_grid(index points) {
    return {paths::even_grid(0, 1, points), paths::even_grid(-1, 1, points)};
}

/// The published boundary heat map, both ways.
template <class T>
boundary_map run_boundary(options const& o, plateau::model<T> const& model, program::prompt_list const& prompts,
                          triple const& anchors, program::run_cost& cost) {
    auto const grid = boundary_grid(o.grid);
    plateau::progress bar{"points of the boundary", 2 * (1 + grid.size())};
    program::stopwatch const watch;
    auto const clean = sweep::last_activations(model, prompts, o.write_site);
    auto const mean = program::mean_of<T>(clean);
    auto const a = std::span<T const>{clean[anchors[0]].flat()}, b = std::span<T const>{clean[anchors[1]].flat()};
    paths::plane<T> const plane{a, b,
                                mean};  // its axis points from the foot to the mean, the published one away from it
    boundary_map found;
    found.distances = sweep::surface_distances(
        model, prompts, {anchors[0], anchors[1]}, grid,
        [&](index, double u, double v, std::span<T> out) { plane(u, -v, out); }, setup_of(o, bar));
    cost.seconds += watch.seconds();
    cost.points += 2 * grid.size();
    require_finite(found.distances, grid, o.read_site);
    found.alpha_mean = metrics::alpha_mean(a, b, std::span<T const>{mean});
    found.alpha_jump = metrics::bisector_prediction(a, b, std::span<T const>{mean});
    return found;
}

/// What a slice is called among others.
std::string name_of(program::checkpoint const& checkpoint, std::size_t checkpoints, triple const& anchors,
                    std::size_t triples) {
    if (checkpoints > 1) return checkpoint.name;
    if (triples == 1) return "";
    return "prompts " + std::to_string(anchors[0]) + ", " + std::to_string(anchors[1]) + ", " +
           std::to_string(anchors[2]);
}

/// A prompt as the picture shows it.
std::string text_of(program::model_texts const& model, std::vector<plateau::token_id> const& prompt) {
    if (model.tokenizer) return "“" + model.tokenizer->decode(prompt) + "”";
    std::string ids;
    for (auto const token : prompt) ids += std::to_string(token) + " ";
    return ids;
}

/// Adds the slices of one checkpoint, of the last one also what is drawn beside them.
template <class T>
void measure(options const& o, plateau::model<T> const& model, std::vector<program::checkpoint> const& checkpoints,
             program::checkpoint const& checkpoint, study& all) {
    auto const prompts = program::load_prompts(o, model, false);
    auto const triples = triples_of(o, static_cast<index>(prompts.size()));
    if (triples.size() > 1 && checkpoints.size() > 1) {
        throw plateau::usage_error(
            "several triples of several checkpoints are too much for one picture: give one triple");
    }
    program::require_memory(
        o.grid, o.grid * static_cast<index>(std::max(triples.size(), checkpoints.size())) * (o.labels ? 250 : 80),
        "slices of " + std::to_string(o.grid) + " x " + std::to_string(o.grid) + " points", "ask for a smaller --grid");
    {
        plateau::progress bar{checkpoints.size() > 1 ? checkpoint.name + ": points" : "points",
                              static_cast<index>(triples.size()) * 3 * (1 + all.grid.size())};
        for (auto const& anchors : triples) {
            all.panels.push_back(run_slice(o, model, prompts, anchors, bar, all));
            all.panels.back().name = name_of(checkpoint, checkpoints.size(), anchors, triples.size());
        }
    }
    if (&checkpoint != &checkpoints.back()) return;
    if (o.boundary) all.boundary = run_boundary(o, model, prompts, triples[0], all.cost);
    for (std::size_t k = 0; k < 3; ++k) {
        all.anchors[k] = text_of(model, prompts[static_cast<std::size_t>(triples[0][k])]);
    }
    all.prompts = prompts;
    all.cost.by = model.computer();
}

study measure_all(options const& o, std::vector<program::checkpoint> const& checkpoints) {
    study all;
    auto const range = range_of(o.range);
    all.grid = {paths::even_grid(range[0], range[1], o.grid), paths::even_grid(range[0], range[1], o.grid)};
    for (auto const& checkpoint : checkpoints) {
        auto from = o;
        from.model = checkpoint.path;
        program::with_model(from, [&](auto const& model, double load_seconds) {
            measure(o, model, checkpoints, checkpoint, all);
            all.cost.load_seconds += load_seconds;
        });
    }
    return all;
}

/// All slices' arrays as one; the axis of slices only if there are several.
template <class Value, class Take>
void write_all(plateau::atomic_file& file, study const& all, std::vector<index> shape, Take const& take) {
    std::vector<Value> values;
    for (auto const& one : all.panels) {
        auto const flat = take(one);
        values.insert(values.end(), flat.begin(), flat.end());
    }
    if (all.panels.size() > 1) shape.insert(shape.begin(), static_cast<index>(all.panels.size()));
    plateau::io::write_npy(file, std::span<Value const>{values}, std::span<index const>{shape});
}

void write_arrays(options const& o, study const& all, plateau::output_set& out) {
    std::vector<index> const square{o.grid, o.grid};
    for (index k = 0; k < 3; ++k) {
        write_all<double>(out.file(std::string("d_") + "abc"[k] + ".npy"), all, square,
                          [&](panel const& one) { return one.slice.distances[k].flat(); });
    }
    plateau::io::write_npy(out.file("alpha.npy"), all.grid.u, {o.grid});
    if (o.labels)
        write_all<std::int64_t>(out.file("labels.npy"), all, {3, o.grid, o.grid},
                                [](panel const& one) { return one.labels.flat(); });
    for (index k = 0; k < 2 && o.boundary; ++k) {
        plateau::io::write_npy(out.file(std::string("boundary_") + "ab"[k] + ".npy"), all.boundary.distances[k].flat(),
                               square);
    }
    program::write_prompts(out, all.prompts);
}

void write_csv(options const& o, study const& all, plateau::atomic_file& file) {
    file.write("slice,checkpoint,a,b,c,c_alpha,largest_d_a,largest_d_b,largest_d_c");
    file.write(o.labels ? ",components_a,components_b,components_c,boundary_a,boundary_b,boundary_c\n" : "\n");
    for (std::size_t i = 0; i < all.panels.size(); ++i) {
        auto const& one = all.panels[i];
        std::string line = std::to_string(i) + "," + (o.checkpoints.size() > 0 ? one.name : program::title_of(o));
        auto const put = [&](double value) {
            std::array<char, 40> text{};
            std::snprintf(text.data(), text.size(), ",%.17g", value);
            line += text.data();
        };
        for (index const prompt : one.anchors) line.append(",").append(std::to_string(prompt));
        put(one.slice.anchors[2][0]);
        for (double const value : one.largest) put(value);
        for (std::size_t k = 0; k < 3 && o.labels; ++k) line.append(",").append(std::to_string(one.components[k]));
        for (std::size_t k = 0; k < 3 && o.labels; ++k) put(one.boundary[k]);
        file.write(line + "\n");
    }
}

#if PLATEAU_HAS_CAIRO
std::vector<plateau::viz::place_mark> marks_of(panel const& one) {
    std::vector<plateau::viz::place_mark> marks;
    for (std::size_t k = 0; k < 3; ++k)
        marks.push_back({std::string(1, "ABC"[k]), one.slice.anchors[k][0], one.slice.anchors[k][1]});
    return marks;
}

void draw(options const& o, study const& all, plateau::output_set& out) {
    namespace viz = plateau::viz;
    std::string const sites = o.write_site + " → " + o.read_site,
                      size = (o.checkpoints.empty() ? "" : std::to_string(all.panels.size()) + " checkpoints × ") +
                             std::to_string(o.grid) + " × " + std::to_string(o.grid) + " points";
    viz::map_grid const grid{all.grid.u, all.grid.v};
    viz::slice_figure slices;
    slices.title = program::title_of(o);
    slices.counts = size;
    slices.subtitle = sites;
    slices.grid = grid;
    slices.one_scale = all.panels.size() > 1;
    if (all.panels.size() == 1 || !o.checkpoints.empty()) slices.anchors = all.anchors;
    constexpr std::size_t most = 48;  // more would not fit into a PNG
    if (all.panels.size() > most)
        slices.counts =
            "the first " + std::to_string(most) + " of " + std::to_string(all.panels.size()) + " slices, " + size;
    for (auto const& one : all.panels) {
        if (slices.panels.size() == most) break;
        auto const map = [&](index k) { return tensor::view<double const, 2>(one.slice.distances[k]); };
        slices.panels.push_back({one.name, {map(0), map(1), map(2)}, marks_of(one)});
    }
    viz::write_slices(slices, out.file("slice.png").stream());
    if (all.panels.size() > 1) {
        viz::write_slice_animation(slices, o.frame_seconds, out.file("slices.apng").stream());
        slices.one_scale = false;
        viz::write_slices(slices, out.file("slice_own.png").stream());
    }

    if (o.labels) {
        auto const& one = all.shown();
        viz::label_figure labels;
        labels.title = slices.title;
        labels.counts = std::to_string(o.grid) + " × " + std::to_string(o.grid) + " points";
        labels.subtitle = "the likeliest next token; " + o.write_site + (one.name.empty() ? "" : ", " + one.name);
        labels.grid = grid;
        labels.name = [&](index token) { return "“" + all.words.at(token) + "”"; };
        for (index k = 0; k < 3; ++k) {
            auto const at = static_cast<std::size_t>(k);
            auto const regions =
                std::to_string(one.components[at]) + (one.components[at] == 1 ? " region" : " regions");
            labels.panels.push_back(
                {std::string("in the context of ") + "ABC"[k] + ": " + regions, one.labels[k], marks_of(one)});
        }
        viz::write_labels(labels, out.file("labels.png").stream());
    }
    if (!o.boundary) return;
    auto const cells = boundary_grid(o.grid);
    auto const& found = all.boundary;
    viz::surface_figure figure;
    figure.title = slices.title;
    figure.counts = std::to_string(o.grid) + " × " + std::to_string(o.grid) + " points";
    figure.subtitle = "distance from the context's own run; " + sites;
    for (index k = 0; k < 2; ++k) {
        auto const map = tensor::view<double const, 2>(found.distances[k]);
        auto const flat = found.distances[k].flat();
        double const half = *std::max_element(flat.begin(), flat.end()) / 2;
        viz::surface_map one{std::string("in the context of ") + "AB" [k],
                             { cells.u, cells.v },
                             map,
                             "α  (from A to B)",
                             "β  (away from the mean m)"};
        one.places = {{"A", 0, 0}, {"B", 1, 0}, {"m", found.alpha_mean, -1}};
        one.lines.push_back({"half of the largest distance",
                             {viz::palette::vermillion, 1.6},
                             viz::contour_path(metrics::iso_contour(cells.u, cells.v, map, half))});
        one.lines.push_back({"bisector at m",
                             {viz::palette::ink, 1.4, {5, 3.5}},
                             {{found.alpha_mean, -1}, {2 * found.alpha_jump - found.alpha_mean, 1}}});
        figure.maps.push_back(std::move(one));
    }
    viz::write_surfaces(figure, out.file("boundary.png").stream());
}
#endif

nlohmann::ordered_json summary_of(CLI::App const& app, options const& o, study const& all,
                                  std::vector<program::checkpoint> const& checkpoints) {
    auto summary = program::summary_of(app, o, all.cost);
    auto const list = [&](auto const& take) {
        auto values = nlohmann::ordered_json::array();
        for (auto const& one : all.panels) values.push_back(take(one));
        return values;
    };
    summary["grid"] = o.grid;
    summary["range"] = range_of(o.range);
    summary["slices"] = all.panels.size();
    summary["checkpoints"] = nlohmann::ordered_json::array();
    for (auto const& one : checkpoints) summary["checkpoints"].push_back(one.name);
    summary["anchors"] = list([](panel const& one) { return one.anchors; });
    summary["anchor_coordinates"] = list([](panel const& one) { return one.slice.anchors; });
    summary["largest_distances"] = list([](panel const& one) { return one.largest; });
    if (o.labels) {
        summary["components"] = list([](panel const& one) { return one.components; });
        summary["boundary_fraction"] = list([](panel const& one) { return one.boundary; });
    }
    if (o.boundary) {
        summary["alpha_mean"] = all.boundary.alpha_mean;
        summary["alpha_jump_predicted"] = all.boundary.alpha_jump;
    }
    return summary;
}

plateau::table table_of(options const& o, study const& all, std::size_t checkpoints) {
    std::vector<std::string> header{"slice", "A", "B", "C", "C at alpha", "max d_A", "max d_B", "max d_C"};
    if (o.labels) header.insert(header.end(), {"regions in A", "in B", "in C", "boundary in A"});
    plateau::table table{header};
    for (std::size_t i = 0; i < all.panels.size(); ++i) {
        auto const& one = all.panels[i];
        std::vector<std::string> cells{checkpoints > 1 ? one.name : std::to_string(i)};
        for (index const prompt : one.anchors) cells.push_back(std::to_string(prompt));
        cells.push_back(plateau::fixed(one.slice.anchors[2][0], 3));
        for (double const value : one.largest) cells.push_back(plateau::fixed(value, 3));
        if (o.labels) {
            for (index const count : one.components) cells.push_back(std::to_string(count));
            cells.push_back(plateau::fixed(one.boundary[0], 4));
        }
        table.row(cells);
    }
    return table;
}

void run(CLI::App const& app, options o) {
    if (o.grid < 2) throw plateau::usage_error("--grid must be at least 2, got " + std::to_string(o.grid));
    range_of(o.range);
    if (!(o.frame_seconds > 0 && o.frame_seconds <= 60))
        throw plateau::usage_error("--frame-seconds must be above 0 and at most 60");
    auto const checkpoints =
        program::checkpoints_of(o.checkpoints.empty() ? std::vector<std::string>{o.model} : o.checkpoints);
    o.model = checkpoints.back().path;
    plateau::output_set out{o.out};
    auto const all = measure_all(o, checkpoints);
    write_arrays(o, all, out);
    write_csv(o, all, out.file("slices.csv"));
#if PLATEAU_HAS_CAIRO
    draw(o, all, out);
#else
    std::cerr << "slice.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary_of(app, o, all, checkpoints)));
    out.commit();
    program::remove_stale(out, program::ragged(all.prompts), {"lengths.npy"});
    program::remove_stale(out, o.labels, {"labels.npy", "labels.png"});
    program::remove_stale(out, o.boundary, {"boundary_a.npy", "boundary_b.npy", "boundary.png"});
    program::remove_stale(out, all.panels.size() > 1, {"slices.apng", "slice_own.png"});

    std::cout << (o.checkpoints.empty() ? o.model : std::to_string(checkpoints.size()) + " checkpoints")
              << program::weights_of(o) << ": " << all.panels.size()
              << (all.panels.size() == 1 ? " slice of " : " slices of ") << o.grid << " x " << o.grid
              << " points, 3 contexts, " << o.write_site << " -> " << o.read_site << '\n'
              << table_of(o, all, checkpoints.size()).render();
    if (o.boundary) {
        std::cout << "boundary: mean at alpha " << plateau::fixed(all.boundary.alpha_mean, 3)
                  << ", jump predicted at alpha " << plateau::fixed(all.boundary.alpha_jump, 3) << '\n';
    }
    std::cout << plateau::fixed(all.cost.points_per_second(), 0) << " points per second\n";
    program::print_places(out, "slice.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"2-D slices: the plane through the activations of three prompts, as the outputs see it.", "slice_2d"};
    options o;
    o.out = "slice_2d.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    auto* const anchors =
        app.add_option("--anchors", o.anchors,
                       "NPY file of integers [n,3]: prompts A, B, C by number (default: the first three prompts)");
    app.add_option("--pairs", o.pairs, "instead: chain, disjoint, or an NPY file of integers [P,2]: see below")
        ->excludes(anchors);
    app.add_option("--grid", o.grid, "points along each axis")->capture_default_str();
    app.add_option("--range", o.range, "LOW,HIGH: both coordinates' first and last value")->capture_default_str();
    app.add_option("--write-site", o.write_site, "where points are written")->capture_default_str();
    app.add_option("--read-site", o.read_site, "where the change is read, at the last position")->capture_default_str();
    app.add_option("--checkpoints", o.checkpoints,
                   "instead of --model: models, or folders of models, separated by commas; one panel each")
        ->delimiter(',')
        ->excludes("--model");
    app.add_flag("--labels", o.labels, "also the likeliest next token of every point");
    app.add_flag("--boundary", o.boundary, "also the heat maps over the plane through A, B and the mean activation");
    app.add_option("--frame-seconds", o.frame_seconds, "how long slices.apng shows each slice")->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
