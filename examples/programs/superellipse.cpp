// Iso-response contours over two angles, and the exponent of the superellipse through them: is a plateau's rim that of
// a quadratic form?
//
//     superellipse --model SmolLM2-135M-Instruct.Q4_1.gguf --directions random,random-difference --direction-pairs 4
//     --out results
//
// Anchors (activations of prompts) are turned at fixed norm towards pairs of directions, by 0 to 60 degrees each; the
// distance of the read-out from the anchor's own run, its median over anchors, and the contour at half of the smaller
// axis' maximum. |x|^p + |y|^p = 1 is fitted to it: p = 2 is an ellipse, as a quadratic form has it, p > 2 a plateau
// with privileged directions. See da Silva & Heimersheim 2026, arXiv 2606.24964.

#include <cmath>
#include <numbers>

#include <plateau/core/csv.hpp>
#include <plateau/io/npy_numbers.hpp>
#include <plateau/program/long_run/study_sweeps.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/superellipse.hpp>
#include <plateau/viz/surface_maps.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::with_interval;

program::manifest const leaves{
    .axes =
        "Q pairs of directions, kind by kind; A anchors, G = --grid; rows run along the second angle, columns along "
        "the first; D the width of the write site; N prompts, T tokens of the longest",
    .files =
        {{"distances.npy", "float64 [Q,A,G,G]",
          "L2 distance of the read-out to that of the anchor's own run; unit of the read-out"},
         {"medians.npy", "float64 [Q,G,G]", "its median over anchors"},
         {"angles.npy", "float64 [G]", "degrees from the anchor"},
         {"directions.npy", "float64 [Q,2,D]", "the directions, before what is parallel to an anchor is taken off"},
         {"exponents.npy", "float64 [Q,3,3]",
          "p with the lower and upper end of its 95 % interval, at thresholds of 0.25, 0.5 and 1 times the smaller "
          "axis' maximum (the published one is 0.5); NaN where an axis does not reach it"},
         {"intercepts.npy", "float64 [Q,3,2]",
          "plateau-breaking angles: where the first and the second axis reach the threshold; degrees"},
         program::tokens_file,
         program::lengths_file,
         {"superellipse.csv", "3 Q rows",
          "kind,pair,share,level,intercept_1,intercept_2,points,exponent,exponent_low,exponent_high"},
         {"superellipse.png", "",
          "the first three pairs of every kind: median distance, contour, fitted superellipse"}},
    .summary =
        "write_site, read_site, anchors, grid, degrees, direction_pairs (Q), kinds, exponents ([value, low, "
        "high] by kind: median over its pairs, at the published threshold)",
    .notes = {
        "Kinds of directions: random, isotropic Gaussian vectors; random-difference, differences of the "
        "activations of two prompts drawn among those that are no anchors, four prompts a pair; or an NPY file of "
        "numbers [2P,D] or [P,2,D], taken two by two.",
        "Anchors: the first --anchors prompts. Intervals: bootstrap over anchors; that of a kind resamples the "
        "anchors of all its pairs at once.",
        "Sites by default: written after block 2 (block 0 of fewer than 5), read after the last but one (the last "
        "of fewer than 3), as published.",
        program::prompts_note}};

struct options : program::common_options {
    std::string write_site, read_site;
    std::vector<std::string> directions{"random", "random-difference"};
    index anchors = 30, pairs = 4, grid = 31, resamples = 200;
    double degrees = 60;
};

constexpr double per_degree = std::numbers::pi / 180;

/// Directions of a file, two by two. @throws usage_error, file_error
std::vector<directions::direction_pair> pairs_of_file(std::string const& path, index width) {
    if (!std::filesystem::exists(path)) {
        throw usage_error("--directions ", path,
                          ": there is no such file; give random, random-difference or an NPY file");
    }
    auto const array = io::read_numbers(path);
    auto const size = static_cast<index>(array.values.size());
    if (array.shape.size() < 2 || array.shape.back() != width || size == 0 || size / width % 2 != 0) {
        throw usage_error(path, ": directions must have the shape [2P,D] or [P,2,D], D = ", width,
                          " as wide as the write site");
    }
    return directions::pairs_of_rows(std::filesystem::path(path).filename().string(), array.values, width);
}

struct results {
    std::string write_site, read_site;
    prompt_list prompts;
    std::vector<double> angles = {};                    ///< [G] radians
    std::vector<index> anchors = {};                    ///< [A], the first prompts
    std::vector<sweep::angle_response> responses = {};  ///< [Q]
};

/// The pairs of directions of all kinds that are asked for. @param activations  [N, D] of the prompts
void choose_directions(options const& o, tensor::buffer<double, 2> const& activations, results& all) {
    index const width = activations.extent(1);
    for (auto const& kind : o.directions) {
        auto pairs = kind == "random" ? directions::random_pairs(width, o.pairs, o.seed)
                     : kind == "random-difference"
                         ? directions::difference_pairs(activations, o.anchors, o.pairs, o.seed)
                         : pairs_of_file(kind, width);
        for (auto& one : pairs) all.responses.push_back({std::move(one)});
    }
}

/// What the prompts' activations are pushed towards, and how far the read-out goes.
template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    auto& meter = study.meter;
    int const layers = model.layers();
    auto const after = [](int block) { return "blocks." + std::to_string(block) + ".hook_resid_post"; };
    results all{o.write_site.empty() ? after(layers < 5 ? 0 : 2) : o.write_site,
                o.read_site.empty() ? after(std::max(layers < 3 ? layers - 1 : layers - 2, 0)) : o.read_site,
                program::load_prompts(o, model, false)};
    if (static_cast<index>(all.prompts.size()) < o.anchors)
        throw usage_error("--anchors ", o.anchors, ": there are ", all.prompts.size(), " prompts");
    all.angles = paths::even_grid(0, o.degrees * per_degree, o.grid);
    paths::surface_grid const grid{all.angles, all.angles};
    for (index k = 0; k < o.anchors; ++k) all.anchors.push_back(k);
    prompt_list const anchors(all.prompts.begin(), all.prompts.begin() + o.anchors);
    meter.timed([&] {
        auto const activations = sweep::last_activations(model, all.prompts, all.write_site);
        tensor::buffer<double, 2> doubles(activations.extents());
        std::ranges::copy(activations.flat(), doubles.data());
        choose_directions(o, doubles, all);
        auto const count = static_cast<index>(all.responses.size());
        program::require_memory(count, 3 * o.anchors * grid.size() * index{sizeof(double)},
                                concat({"the distances of ", count, " pairs of directions"}),
                                "ask for fewer of them, or a smaller --grid");
        meter.points = count * o.anchors * grid.size();
        meter.show(meter.points + count * o.anchors);
        engine::setup const where{.write = all.write_site, .read = all.read_site, .progress = meter.counter()};
        sweep::measure_responses(all.responses, model, anchors, grid, where,
                                 program::sweeper(study, grid.size(), anchors));
    });
    return all;
}

std::vector<double> in_degrees(std::vector<double> angles) {
    for (double& angle : angles) angle /= per_degree;
    return angles;
}

void write(program::outputs& out, options const& o, results const& all) {
    using response = sweep::angle_response;
    out.axis("Q", static_cast<index>(all.responses.size()));
    out.axis("A", o.anchors);
    out.axis("G", o.grid);
    out.axis("D", static_cast<index>(all.responses.front().d1.size()));
    std::vector<double> directions, exponents, intercepts;
    std::string csv = "kind,pair,share,level,intercept_1,intercept_2,points,exponent,exponent_low,exponent_high\n";
    for (auto const& one : all.responses) {
        for (auto const& d : {one.d1, one.d2}) directions.insert(directions.end(), d.begin(), d.end());
        for (std::size_t s = 0; s < response::shares.size(); ++s) {
            auto const& [level, intercept, points] = one.contours[s];
            auto const& p = one.exponents[s];
            double const first = intercept[0] / per_degree, second = intercept[1] / per_degree;
            exponents.insert(exponents.end(), {p.value, p.low, p.high});
            intercepts.insert(intercepts.end(), {first, second});
            csv += csv_line(one.kind, one.number, response::shares[s], level, first, second, points.size(), p.value,
                            p.low, p.high);
        }
    }
    out.array("distances.npy", all.responses, [](response const& one) { return one.distances.flat(); });
    out.array("medians.npy", all.responses, [&](response const& one) {
        auto const median = sweep::median_map(one.distances, all.anchors);
        return std::vector<double>(median.flat().begin(), median.flat().end());
    });
    out.array("angles.npy", in_degrees(all.angles));
    out.array("directions.npy", directions);
    out.array("exponents.npy", exponents);
    out.array("intercepts.npy", intercepts);
    out.text("superellipse.csv", csv);
    program::write_prompts(out, all.prompts);
}

/// One map, its contour, the fit and an ellipse. @param map  median distances; has to live as long
viz::surface_map panel_of(sweep::angle_response const& one, tensor::buffer<double, 2> const& map,
                          std::vector<double> const& degrees) {
    auto const& [level, intercepts, points] = one.contours[1];
    auto const& exponent = one.exponents[1];
    auto const curve = [&, &intercepts = intercepts](double p) {
        auto path = metrics::superellipse_curve(intercepts, p, 91);
        for (auto& [u, v] : path) u /= per_degree, v /= per_degree;
        return path;
    };
    viz::surface_map panel{concat({one.kind, " ", one.number, ":  p = ", with_interval(exponent, 2)}),
                           {degrees, degrees},
                           map,
                           "α₁  (degrees)",
                           "α₂  (degrees)"};
    panel.lines.push_back({"contour",
                           {viz::palette::vermillion, 2.6},
                           viz::contour_path(metrics::iso_contour(degrees, degrees, map, level))});
    if (std::isnan(exponent.value)) return panel;
    panel.lines.push_back({"fit", {viz::palette::ink, 1.4, {5, 3.5}}, curve(exponent.value)});
    panel.lines.push_back({"p = 2", {viz::palette::quiet_ink, 1.1, {1.5, 2.5}}, curve(2)});
    return panel;
}

/// The first three pairs of every kind.
void draw(options const& o, results const& all, std::ostream& to) {
    auto const degrees = in_degrees(all.angles);
    std::vector<tensor::buffer<double, 2>> medians;
    medians.reserve(all.responses.size());
    viz::surface_figure figure{
        .title = program::title_of(o),
        .counts = concat({o.anchors, o.anchors == 1 ? " anchor × " : " anchors × ", o.grid, " × ", o.grid, " angles"}),
        .subtitle = "median distance from the anchor's own run; " + all.write_site + " → " + all.read_site};
    for (auto const& one : all.responses) {
        if (one.number >= 3) continue;
        auto const& map = medians.emplace_back(sweep::median_map(one.distances, all.anchors));
        figure.maps.push_back(panel_of(one, map, degrees));
    }
    viz::write_surfaces(figure, to);
}

table table_of(std::vector<sweep::kind_exponent> const& kinds) {
    table table{{"directions", "pairs", "exponent p", "angle 1", "angle 2", "p at half the threshold", "p at twice"}};
    auto const degrees = [](double angle) { return std::isnan(angle) ? "-" : fixed(angle / per_degree, 1); };
    for (auto const& kind : kinds) {
        for (auto const* one : kind.pairs) {
            auto const& p = one->exponents;
            auto const& angles = one->contours[1].intercepts;
            table.row({concat({one->kind, " ", one->number}), "1", with_interval(p[1], 2), degrees(angles[0]),
                       degrees(angles[1]), with_interval(p[0], 2), with_interval(p[2], 2)});
        }
        table.row({kind.name + ", median", std::to_string(kind.pairs.size()), with_interval(kind.exponent, 2), "", "",
                   "", ""});
    }
    return table;
}

void run(program::study& study, options const& o) {
    if (o.anchors < 2) throw usage_error("--anchors must be at least 2, got ", o.anchors);
    if (o.pairs < 1) throw usage_error("--direction-pairs must be at least 1, got ", o.pairs);
    if (o.grid < 3) throw usage_error("--grid must be at least 3, got ", o.grid);
    if (!(o.degrees > 0 && o.degrees <= 120)) throw usage_error("--degrees must be above 0 and at most 120");
    auto all = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    auto const kinds =
        sweep::fit_superellipses(all.responses, all.angles, all.anchors, {.resamples = o.resamples, .seed = o.seed});
    write(study.out(), o, all);
    study.out().picture("superellipse.png", [&](std::ostream& to) { draw(o, all, to); });
    study.summary = {{"write_site", all.write_site}, {"read_site", all.read_site},
                     {"anchors", o.anchors},         {"grid", o.grid},
                     {"degrees", o.degrees},         {"direction_pairs", all.responses.size()}};
    for (auto const& kind : kinds) study.summary["kinds"].push_back(kind.name);
    for (auto const& kind : kinds) study.summary["exponents"].push_back(kind.exponent);
    study.report(o,
                 concat({program::model_text(o), ": ", o.anchors, " anchors x ", o.grid, " x ", o.grid,
                         " angles up to ", fixed(o.degrees, 0), " degrees, ", all.write_site, " -> ", all.read_site}),
                 table_of(kinds).render() + "angles: where the axes reach the threshold, degrees\n" + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "superellipse",
        "Iso-response contours over two angles from activations, and the exponent of the superellipse through them.",
        leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_option(app, "--directions", &o.directions,
                        "kinds of directions, separated by commas: random, random-difference, or NPY files")
        .with_commas();
    program::add_option(app, "--direction-pairs", &o.pairs, "pairs of directions of each kind that is drawn");
    program::add_option(app, "--anchors", &o.anchors, "prompts whose activations are turned: the first ones");
    program::add_option(app, "--grid", &o.grid, "angles along each axis");
    program::add_option(app, "--degrees", &o.degrees, "the largest angle of each axis");
    program::add_option(app, "--resamples", &o.resamples, "of the bootstrap over anchors").within(1, 1 << 24);
    app.add_option("--write-site", &o.write_site, "where activations are turned (default: see below)");
    app.add_option("--read-site", &o.read_site, "where the change is read, at the last position (default: see below)");
    return study.run(argc, argv, [&] { run(study, o); });
}
