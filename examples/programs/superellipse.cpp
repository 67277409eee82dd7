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

#include <array>
#include <cmath>
#include <numbers>

#include <plateau/metrics/superellipse.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/normal_quantile.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/angle_maps.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/surface_maps.hpp>
#endif

#include "support/interval_table.hpp"
#include "support/program.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace paths = plateau::paths;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

constexpr char const* files_text =
    "Files written to --out (Q pairs of directions, kind by kind; A anchors, G = --grid; rows run along the second "
    "angle, columns along the\n"
    "first; D the width of the write site; N prompts, T tokens of the longest):\n"
    "  distances.npy    float64 [Q,A,G,G]  L2 distance of the read-out to that of the anchor's own run; unit of the "
    "read-out\n"
    "  medians.npy      float64 [Q,G,G]    its median over anchors\n"
    "  angles.npy       float64 [G]        degrees from the anchor\n"
    "  directions.npy   float64 [Q,2,D]    the directions, before what is parallel to an anchor is taken off\n"
    "  exponents.npy    float64 [Q,3,3]    p with the lower and upper end of its 95 % interval, at thresholds of 0.25, "
    "0.5 and 1 times the\n"
    "                   smaller axis' maximum (the published one is 0.5); NaN where an axis does not reach it\n"
    "  intercepts.npy   float64 [Q,3,2]    plateau-breaking angles: where the first and the second axis reach the "
    "threshold; degrees\n"
    "  tokens.npy       int64   [N,T]      token ids of the prompts, -1 beyond a shorter one; lengths.npy int64 [N] if "
    "lengths differ\n"
    "  superellipse.csv 3 Q rows           "
    "kind,pair,share,level,intercept_1,intercept_2,points,exponent,exponent_low,exponent_high\n"
    "  superellipse.png the first three pairs of every kind: median distance, contour, fitted superellipse\n"
    "  summary.json     one object         program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                   load_seconds, points_per_second, options, write_site, read_site, anchors, grid, degrees, "
    "direction_pairs (Q),\n"
    "                   kinds, exponents ([value, low, high] by kind: median over its pairs, at the published "
    "threshold)\n"
    "Kinds of directions: random, isotropic Gaussian vectors; random-difference, differences of the activations of two "
    "prompts drawn among\n"
    "those that are no anchors, four prompts a pair; or an NPY file of numbers [2P,D] or [P,2,D], taken two by two.\n"
    "Anchors: the first --anchors prompts. Intervals: bootstrap over anchors; that of a kind resamples the anchors of "
    "all its pairs at once.\n"
    "Sites by default: written after block 2 (block 0 of fewer than 5), read after the last but one (the last of fewer "
    "than 3), as published.\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

struct options : program::common_options {
    std::string write_site, read_site;
    std::vector<std::string> directions{"random", "random-difference"};
    index anchors = 30, pairs = 4, grid = 31, resamples = 200;
    double degrees = 60;
};

constexpr std::array<double, 3> shares{0.25, 0.5, 1};
constexpr double per_degree = std::numbers::pi / 180;

/// A pair of directions, and what is found with it.
struct response {
    std::string kind;
    index number = 0;
    std::vector<double> d1, d2;
    tensor::buffer<double, 3> distances;  ///< [A, G, G]
    std::array<metrics::iso_response, 3> contours;
    std::array<statistics::estimate, 3> exponents{};
};

std::vector<double> gaussian(index width, plateau::counter_rng& rng) {
    std::vector<double> direction;
    for (index i = 0; i < width; ++i)
        direction.push_back(statistics::normal_quantile(rng.uniform() + 0x1p-54));  // never 0
    return direction;
}

/// Directions of a file, two by two. @throws usage_error, file_error
std::vector<response> directions_of_file(std::string const& path, index width) {
    if (!std::filesystem::exists(path)) {
        throw plateau::usage_error("--directions " + path +
                                   ": there is no such file; give random, random-difference or an NPY file");
    }
    auto const stored = plateau::io::read_npy(path);
    plateau::io::npy_data<double> array;
    if (stored.descr == "<f4") {
        auto const single = plateau::io::typed<float>(stored, path);
        array = {single.shape, {single.values.begin(), single.values.end()}};
    } else {
        array = plateau::io::typed<double>(stored, path);
    }
    auto const size = static_cast<index>(array.values.size());
    if (array.shape.size() < 2 || array.shape.back() != width || size == 0 || size / width % 2 != 0) {
        throw plateau::usage_error(path + ": directions must have the shape [2P,D] or [P,2,D], D = " +
                                   std::to_string(width) + " as wide as the write site");
    }
    std::vector<response> all;
    for (auto at = array.values.begin(); at != array.values.end(); at += 2 * width) {
        all.push_back({std::filesystem::path(path).filename().string(),
                       static_cast<index>(all.size()),
                       {at, at + width},
                       {at + width, at + 2 * width},
                       {},
                       {},
                       {}});
    }
    return all;
}

/// The pairs of directions of all kinds that are asked for. @param activations  [N, D] of the prompts
std::vector<response> directions_of(options const& o, tensor::buffer<double, 2> const& activations) {
    index const width = activations.extent(1);
    std::vector<response> all;
    for (auto const& kind : o.directions) {
        if (kind != "random" && kind != "random-difference") {
            for (auto& one : directions_of_file(kind, width)) all.push_back(std::move(one));
            continue;
        }
        index const others = activations.extent(0) - o.anchors;
        if (kind == "random-difference" && others < 4) {
            throw plateau::usage_error(
                "--directions random-difference needs four prompts that are no anchors, there are " +
                std::to_string(others) + ": give more prompts, or fewer --anchors");
        }
        for (index n = 0; n < o.pairs; ++n) {
            auto const seed =
                plateau::counter_rng{o.seed + (kind == "random" ? 1u : 2u)}.at(static_cast<std::uint64_t>(n));
            response one{kind, n, {}, {}, {}, {}, {}};
            if (kind == "random") {
                plateau::counter_rng rng{seed};
                one.d1 = gaussian(width, rng), one.d2 = gaussian(width, rng);
            } else {
                auto const drawn = plateau::sample_without_replacement(others, 4, seed);
                for (index i = 0; i < width; ++i) {
                    auto const value = [&](std::size_t k) { return activations(o.anchors + drawn[k], i); };
                    one.d1.push_back(value(1) - value(0));
                    one.d2.push_back(value(3) - value(2));
                }
            }
            all.push_back(std::move(one));
        }
    }
    return all;
}

/// The median over some anchors (numbers, possibly repeated), [G, G].
tensor::buffer<double, 2> median_map(tensor::buffer<double, 3> const& distances, std::span<index const> anchors) {
    tensor::buffer<double, 2> result({distances.extent(1), distances.extent(2)});
    std::vector<double> column(anchors.size());
    for (index i = 0; i < result.size(); ++i) {
        for (std::size_t k = 0; k < anchors.size(); ++k) column[k] = distances[anchors[k]].data()[i];
        result.data()[i] = statistics::median(column);
    }
    return result;
}

/// The contour of the median over some anchors. @param share  of the smaller axis' maximum
metrics::iso_response contour_of(tensor::buffer<double, 3> const& distances, std::vector<double> const& angles,
                                 std::span<index const> anchors, double share) {
    return metrics::iso_response_of(angles, angles, median_map(distances, anchors), share);
}

/// The exponents of a kind's pairs, and their median.
struct kind_summary {
    std::string name;
    std::vector<response const*> pairs;
    statistics::estimate exponent{};
};

struct study {
    program::run_cost cost;
    std::string write_site, read_site;
    program::prompt_list prompts;
    std::vector<double> angles = {};       ///< radians
    std::vector<index> anchors = {};       ///< [A], the first prompts
    std::vector<response> responses = {};  ///< [Q]
    std::vector<kind_summary> kinds = {};
};

void fit(options const& o, study& all) {
    auto const anchors = std::span<index const>{all.anchors};
    statistics::bootstrap_options const resampling{.resamples = o.resamples, .seed = o.seed};
    for (auto& one : all.responses) {
        for (std::size_t s = 0; s < shares.size(); ++s) {
            one.contours[s] = contour_of(one.distances, all.angles, anchors, shares[s]);
            one.exponents[s] = statistics::block_bootstrap(
                anchors, 1,
                [&](std::span<index const> drawn) {
                return metrics::superellipse_exponent(contour_of(one.distances, all.angles, drawn, shares[s]).points);
                },
                resampling);
        }
        if (all.kinds.empty() || all.kinds.back().name != one.kind) all.kinds.push_back({one.kind, {}, {}});
        all.kinds.back().pairs.push_back(&one);
    }
    for (auto& kind : all.kinds) {
        kind.exponent = statistics::block_bootstrap(
            anchors, 1,
            [&](std::span<index const> drawn) {
            std::vector<double> found;
            for (auto const* one : kind.pairs)
                found.push_back(
                    metrics::superellipse_exponent(contour_of(one->distances, all.angles, drawn, shares[1]).points));
            return statistics::median(found);
            },
            resampling);
    }
}

void write_csv(study const& all, plateau::atomic_file& file) {
    file.write("kind,pair,share,level,intercept_1,intercept_2,points,exponent,exponent_low,exponent_high\n");
    for (auto const& one : all.responses) {
        for (std::size_t s = 0; s < shares.size(); ++s) {
            auto const& found = one.contours[s];
            std::array<char, 240> line{};
            std::snprintf(line.data(), line.size(), ",%lld,%g,%.17g,%.17g,%.17g,%zu,%.17g,%.17g,%.17g\n",
                          static_cast<long long>(one.number), shares[s], found.level, found.intercepts[0] / per_degree,
                          found.intercepts[1] / per_degree, found.points.size(), one.exponents[s].value,
                          one.exponents[s].low, one.exponents[s].high);
            file.write(one.kind + line.data());
        }
    }
}

void write_arrays(options const& o, study const& all, plateau::output_set& out) {
    auto const count = static_cast<index>(all.responses.size()),
               width = static_cast<index>(all.responses.front().d1.size());
    std::vector<double> distances, medians, directions, exponents, intercepts, degrees;
    auto const append = [](std::vector<double>& to, auto const& values) {
        to.insert(to.end(), values.begin(), values.end());
    };
    for (auto const& one : all.responses) {
        append(distances, one.distances.flat());
        auto const median = median_map(one.distances, all.anchors);
        append(medians, median.flat());
        append(directions, one.d1);
        append(directions, one.d2);
        for (std::size_t s = 0; s < shares.size(); ++s) {
            append(exponents, std::array{one.exponents[s].value, one.exponents[s].low, one.exponents[s].high});
            append(intercepts,
                   std::array{one.contours[s].intercepts[0] / per_degree, one.contours[s].intercepts[1] / per_degree});
        }
    }
    for (double const angle : all.angles) degrees.push_back(angle / per_degree);
    plateau::io::write_npy(out.file("distances.npy"), distances, {count, o.anchors, o.grid, o.grid});
    plateau::io::write_npy(out.file("medians.npy"), medians, {count, o.grid, o.grid});
    plateau::io::write_npy(out.file("angles.npy"), degrees, {o.grid});
    plateau::io::write_npy(out.file("directions.npy"), directions, {count, 2, width});
    plateau::io::write_npy(out.file("exponents.npy"), exponents, {count, 3, 3});
    plateau::io::write_npy(out.file("intercepts.npy"), intercepts, {count, 3, 2});
}

#if PLATEAU_HAS_CAIRO
void draw(options const& o, study const& all, plateau::atomic_file& file) {
    namespace viz = plateau::viz;
    std::vector<double> degrees;
    for (double const angle : all.angles) degrees.push_back(angle / per_degree);
    std::vector<tensor::buffer<double, 2>> medians;
    medians.reserve(all.responses.size());
    viz::surface_figure figure;
    figure.title = program::title_of(o);
    figure.counts = std::to_string(o.anchors) + (o.anchors == 1 ? " anchor × " : " anchors × ") +
                    std::to_string(o.grid) + " × " + std::to_string(o.grid) + " angles";
    figure.subtitle = "median distance from the anchor's own run; " + all.write_site + " → " + all.read_site;
    auto const in_degrees = [](std::vector<std::array<double, 2>> path) {
        for (auto& [u, v] : path) u /= per_degree, v /= per_degree;
        return path;
    };
    for (auto const& kind : all.kinds) {
        for (auto const* one : kind.pairs) {
            if (one->number >= 3) continue;
            auto const& map = medians.emplace_back(median_map(one->distances, all.anchors));
            auto const& found = one->contours[1];
            viz::surface_map panel{one->kind + " " + std::to_string(one->number) +
                                       ":  p = " + program::with_interval(one->exponents[1], 2),
                                   {degrees, degrees},
                                   map,
                                   "α₁  (degrees)",
                                   "α₂  (degrees)"};
            panel.lines.push_back({"contour",
                                   {viz::palette::vermillion, 2.6},
                                   viz::contour_path(metrics::iso_contour(degrees, degrees, map, found.level))});
            if (!std::isnan(one->exponents[1].value)) {
                panel.lines.push_back(
                    {"fit",
                     {viz::palette::ink, 1.4, {5, 3.5}},
                     in_degrees(metrics::superellipse_curve(found.intercepts, one->exponents[1].value, 91))});
                panel.lines.push_back({"p = 2",
                                       {viz::palette::quiet_ink, 1.1, {1.5, 2.5}},
                                       in_degrees(metrics::superellipse_curve(found.intercepts, 2, 91))});
            }
            figure.maps.push_back(std::move(panel));
        }
    }
    viz::write_surfaces(figure, file.stream());
}
#endif

/// @throws numeric_error that names the anchor and the directions where a distance is infinite or NaN
void require_finite(response const& one, std::string const& site) {
    for (index i = 0; i < one.distances.size(); ++i) {
        if (std::isfinite(one.distances.data()[i])) continue;
        throw plateau::numeric_error("the read-out at " + site + " is not finite for anchor " +
                                     std::to_string(i / (one.distances.extent(1) * one.distances.extent(2))) +
                                     " and directions " + one.kind + " " + std::to_string(one.number) +
                                     ": check the weights, or compute with a wider dtype");
    }
}

/// What the prompts' activations are pushed towards, and how far the read-out goes.
template <class T>
study measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    int const layers = model.layers();
    auto const after = [](int block) { return "blocks." + std::to_string(block) + ".hook_resid_post"; };
    study all{{model.computer(), load_seconds},
              o.write_site.empty() ? after(layers < 5 ? 0 : 2) : o.write_site,
              o.read_site.empty() ? after(std::max(layers < 3 ? layers - 1 : layers - 2, 0)) : o.read_site,
              program::load_prompts(o, model, false)};
    if (static_cast<index>(all.prompts.size()) < o.anchors) {
        throw plateau::usage_error("--anchors " + std::to_string(o.anchors) + ": there are " +
                                   std::to_string(all.prompts.size()) + " prompts");
    }
    all.angles = paths::even_grid(0, o.degrees * per_degree, o.grid);
    paths::surface_grid const grid{all.angles, all.angles};
    for (index k = 0; k < o.anchors; ++k) all.anchors.push_back(k);
    program::prompt_list const anchors(all.prompts.begin(), all.prompts.begin() + o.anchors);
    program::stopwatch const watch;
    auto const activations = sweep::last_activations(model, all.prompts, all.write_site);
    tensor::buffer<double, 2> doubles(activations.extents());
    std::ranges::copy(activations.flat(), doubles.data());
    all.responses = directions_of(o, doubles);
    auto const count = static_cast<index>(all.responses.size());
    program::require_memory(count, 3 * o.anchors * grid.size() * index{sizeof(double)},
                            "the distances of " + std::to_string(count) + " pairs of directions",
                            "ask for fewer of them, or a smaller --grid");
    all.cost.points = count * o.anchors * grid.size();
    plateau::progress bar{"points", all.cost.points + count * o.anchors};
    plateau::engine::setup const where{
        .write = all.write_site, .read = all.read_site, .progress = [&](index done) { bar.advance(done); }};
    for (auto& one : all.responses) {
        std::vector<T> const d1(one.d1.begin(), one.d1.end()), d2(one.d2.begin(), one.d2.end());
        one.distances = sweep::angle_maps(model, anchors, d1, d2, grid, where);
        require_finite(one, all.read_site);
    }
    all.cost.seconds = watch.seconds();
    return all;
}

plateau::table table_of(study const& all) {
    plateau::table table{
        {"directions", "pairs", "exponent p", "angle 1", "angle 2", "p at half the threshold", "p at twice"}};
    auto const degrees = [](double angle) { return std::isnan(angle) ? "-" : plateau::fixed(angle / per_degree, 1); };
    auto const shown = [](statistics::estimate const& x) { return program::with_interval(x, 2); };
    for (auto const& kind : all.kinds) {
        for (auto const* one : kind.pairs) {
            table.row({one->kind + " " + std::to_string(one->number), "1", shown(one->exponents[1]),
                       degrees(one->contours[1].intercepts[0]), degrees(one->contours[1].intercepts[1]),
                       shown(one->exponents[0]), shown(one->exponents[2])});
        }
        table.row({kind.name + ", median", std::to_string(kind.pairs.size()), shown(kind.exponent), "", "", "", ""});
    }
    return table;
}

void run(CLI::App const& app, options const& o) {
    if (o.anchors < 2) throw plateau::usage_error("--anchors must be at least 2, got " + std::to_string(o.anchors));
    if (o.pairs < 1) throw plateau::usage_error("--direction-pairs must be at least 1, got " + std::to_string(o.pairs));
    if (o.grid < 3) throw plateau::usage_error("--grid must be at least 3, got " + std::to_string(o.grid));
    if (!(o.degrees > 0 && o.degrees <= 120)) throw plateau::usage_error("--degrees must be above 0 and at most 120");
    plateau::output_set out{o.out};
    auto all =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });
    fit(o, all);

    write_arrays(o, all, out);
    program::write_prompts(out, all.prompts);
    write_csv(all, out.file("superellipse.csv"));
#if PLATEAU_HAS_CAIRO
    draw(o, all, out.file("superellipse.png"));
#else
    std::cerr << "superellipse.png is not drawn: this build has no cairo\n";
#endif
    auto summary = program::summary_of(app, o, all.cost);
    summary["write_site"] = all.write_site;
    summary["read_site"] = all.read_site;
    summary["anchors"] = o.anchors;
    summary["grid"] = o.grid;
    summary["degrees"] = o.degrees;
    summary["direction_pairs"] = all.responses.size();
    summary["kinds"] = nlohmann::ordered_json::array();
    summary["exponents"] = nlohmann::ordered_json::array();
    for (auto const& kind : all.kinds) {
        summary["kinds"].push_back(kind.name);
        summary["exponents"].push_back({kind.exponent.value, kind.exponent.low, kind.exponent.high});
    }
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(all.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << o.anchors << " anchors x " << o.grid << " x " << o.grid
              << " angles up to " << plateau::fixed(o.degrees, 0) << " degrees, " << all.write_site << " -> "
              << all.read_site << '\n'
              << table_of(all).render() << "angles: where the axes reach the threshold, degrees\n"
              << plateau::fixed(all.cost.points_per_second(), 0) << " points per second\n";
    program::print_places(out, "superellipse.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Iso-response contours over two angles from activations, and the exponent of the superellipse through them.",
        "superellipse"};
    options o;
    o.out = "superellipse.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    app.add_option("--directions", o.directions,
                   "kinds of directions, separated by commas: random, random-difference, or NPY files")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--direction-pairs", o.pairs, "pairs of directions of each kind that is drawn")
        ->capture_default_str();
    app.add_option("--anchors", o.anchors, "prompts whose activations are turned: the first ones")
        ->capture_default_str();
    app.add_option("--grid", o.grid, "angles along each axis")->capture_default_str();
    app.add_option("--degrees", o.degrees, "the largest angle of each axis")->capture_default_str();
    app.add_option("--resamples", o.resamples, "of the bootstrap over anchors")
        ->check(CLI::Range(1, 1 << 24))
        ->capture_default_str();
    app.add_option("--write-site", o.write_site, "where activations are turned (default: see below)");
    app.add_option("--read-site", o.read_site, "where the change is read, at the last position (default: see below)");
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
