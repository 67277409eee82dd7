// Sensitive directions: how far the predictions move when an activation is pushed by a length in directions of
// different kinds.
//
//     sensitive_directions --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// For each prompt the activation A at the write site and last position becomes A + L d/|d|, and KL(p(A) || p(A + L
// d/|d|)) of the next-token distributions there is read. See Heimersheim & Mendel 2024; Lee & Heimersheim 2024, arXiv
// 2410.12555.

#include <cstdio>
#include <map>

#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/statistics/permutation_test.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/sparse_features.hpp"

namespace {

using plateau::index;
namespace directions = plateau::directions;
namespace paths = plateau::paths;
namespace statistics = plateau::statistics;

constexpr char const* files_text =
    "Families of directions d at an activation A:\n"
    "  isotropic    N(0, I)                                     cov-random   x - A, x of N(mu, Sigma)\n"
    "  cov-mixture  x1 - x2, both of N(mu, Sigma)               real         x - A, x another prompt's activation\n"
    "  real-mixture x1 - x2, of two other prompts               pca          one of the first --components principal "
    "components, either sign\n"
    "  rows         a random row of --rows FILE.npy [F,D], such as the decoder of a sparse autoencoder\n"
    "  sae-active, sae-inactive, sae-dead   with --sae: the decoder row of a feature that is active at A; that fires "
    "elsewhere, not at A; that\n"
    "               fires nowhere, over the activations that mean and covariance are of                sae-error    "
    "SAE(A) - A\n"
    "Files written to --out (K families as in summary.json, N prompts, R repeats, L lengths, T tokens of the longest "
    "prompt):\n"
    "  kl.npy        float64 [K,N,R,L]  KL(p(A) || p(A + L d/|d|)) at the last position; nats\n"
    "  perturbation_lengths.npy  float64 [L]  L, in the unit of activations whatever the --unit\n"
    "  norms.npy     float64 [N]        |A|, in the same unit\n"
    "  tokens.npy    int64   [N,T]      token ids of the prompts, -1 beyond a shorter one\n"
    "  lengths.npy   int64   [N]        tokens of each prompt; only if they differ\n"
    "  sensitive_directions.csv  K x L rows   family,length,kl,kl_low,kl_high,ratio,ratio_low,ratio_high: median over "
    "prompts of the KL (nats;\n"
    "                mean of a prompt's repeats) and of its ratio to the isotropic one of the same prompt and length, "
    "with intervals\n"
    "  sensitive_directions.png  both, against length\n"
    "  summary.json  one object         program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds, load_seconds,\n"
    "                points_per_second, options, prompts, repeats, families, unit (of lengths), fit_samples, fit_rank, "
    "shrinkage, with --sae dead_features, by family\n"
    "                [value, low, high]: kl_at (--at; nats), length_to_threshold (in --unit; prompts that do not reach "
    "it\n"
    "                count with the longest length; null where the median prompt does not),\n"
    "                ratio_to_isotropic (at --at), p_isotropic (signs of its logarithm flipped)\n";

constexpr std::array<char const*, 11> family_names{"isotropic",    "cov-random", "cov-mixture", "real",
                                                   "real-mixture", "pca",        "rows",        "sae-active",
                                                   "sae-inactive", "sae-dead",   "sae-error"};

struct options : program::direction_options {
    std::vector<std::string> families{"isotropic", "cov-random", "cov-mixture", "real", "real-mixture", "pca"};
    std::vector<double> lengths;
    double scale = 1;
    double at = 0;
    double threshold = 0.1;
    index components = 10;
    index repeats = 1;
    bool centred = false;
    std::string rows;
    std::string sae;

    bool names(std::string const& family) const { return std::count(families.begin(), families.end(), family) > 0; }
    bool names_sae() const {
        return std::any_of(families.begin(), families.end(), [](auto const& name) { return name.starts_with("sae-"); });
    }
};

/// [F, D] of an NPY file of floats. @throws usage_error on another shape or type; file_error
plateau::tensor::buffer<double, 2> read_rows(std::string const& path, index width) {
    auto const array = plateau::io::read_npy(path);
    bool const single = array.descr == "<f4";
    if ((!single && array.descr != "<f8") || array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] != width) {
        throw plateau::usage_error("--rows " + path +
                                   ": directions at this site must be float32 or float64 of the shape [F," +
                                   std::to_string(width) + "]");
    }
    plateau::tensor::buffer<double, 2> rows({array.shape[0], width});
    if (single) std::ranges::copy(plateau::io::typed<float>(array, path).values, rows.data());
    else std::ranges::copy(plateau::io::typed<double>(array, path).values, rows.data());
    return rows;
}

/// A family by its name. Put your own here: anything that makes a vector of an activation.
template <class T>
directions::any_direction<T> family_of(std::string const& name, program::activation_fit<T> const& fit,
                                       plateau::tensor::view<double const, 2> rows,
                                       program::sparse_features<T> const& features) {
    plateau::tensor::view<T const, 2> const real = fit.real;
    if (name == "isotropic") return directions::isotropic{};
    if (name == "cov-random") return directions::toward_sample{*fit.normal};
    if (name == "cov-mixture") return directions::sample_mixture{*fit.normal};
    if (name == "real") return directions::toward_real<T>{real};
    if (name == "real-mixture") return directions::real_mixture<T>{real};
    if (name == "pca") return directions::random_row<double>{fit.components, directions::row_sign::random};
    if (name.starts_with("sae-")) return features.family(name);
    return directions::random_row<double>{rows};
}

/// KL of every family, prompt, repeat and length, in this order.
struct measurement {
    index families = 0, prompts = 0, repeats = 0;
    std::vector<double> lengths;  ///< [L]
    std::vector<double> kl;       ///< [K, N, R, L]

    index points() const { return families * repeats * static_cast<index>(lengths.size()); }

    /// [N]: the mean over a prompt's repeats.
    std::vector<double> by_prompt(std::size_t family, std::size_t length) const {
        std::vector<double> values;
        for (index i = 0; i < prompts; ++i) {
            double sum = 0;
            for (index r = 0; r < repeats; ++r) {
                auto const row = (static_cast<index>(family) * prompts + i) * repeats + r;
                sum += kl[static_cast<std::size_t>(row) * lengths.size() + length];
            }
            values.push_back(sum / static_cast<double>(repeats));
        }
        return values;
    }

    /// [N]: log of the ratio to another family's; NaN where either is not positive.
    std::vector<double> log_ratios(std::size_t family, std::size_t to, std::size_t length) const {
        auto values = by_prompt(family, length);
        auto const others = by_prompt(to, length);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = values[i] > 0 && others[i] > 0 ? std::log(values[i] / others[i])
                                                       : std::numeric_limits<double>::quiet_NaN();
        }
        return values;
    }

    /// [N]: the length at which a prompt's KL first reaches `bound`, linear between lengths from (0, 0) on; the longest
    /// if it does not.
    std::vector<double> length_to(std::size_t family, double bound) const {
        std::vector<double> found(static_cast<std::size_t>(prompts), std::numeric_limits<double>::infinity());
        std::vector<double> before(found.size(), 0.0);
        for (std::size_t l = 0; l < lengths.size(); ++l) {
            auto const values = by_prompt(family, l);
            double const from = l > 0 ? lengths[l - 1] : 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (std::isinf(found[i]) && values[i] >= bound)
                    found[i] = from + (lengths[l] - from) * (bound - before[i]) / (values[i] - before[i]);
                before[i] = values[i];
            }
        }
        for (double& one : found) one = std::min(one, lengths.back());
        return found;
    }
};

/// What is reported.
struct results {
    program::run_cost cost;
    program::prompt_list prompts;
    program::fit_facts fit = {};
    std::vector<std::string> families = {};  ///< those of the options, and what --sae adds to them
    std::string left_out = {};               ///< why it does not add some
    std::optional<std::size_t> dead_features = {};
    measurement kl = {};
};

/// Unit vectors of every prompt, family and repeat, [N, K, R, D].
template <class T>
std::vector<double> draw_units(options const& o, std::vector<std::string> const& families,
                               program::activation_fit<T> const& fit, plateau::tensor::view<double const, 2> rows,
                               program::sparse_features<T> const& features) {
    std::vector<double> units;
    for (index i = 0; i < fit.real.extent(0); ++i) {
        std::span<T const> const a = fit.real.view()[i].flat();
        for (auto const& name : families) {
            auto const direction = family_of<T>(name, fit, rows, features);
            auto const kind = std::find(family_names.begin(), family_names.end(), name) - family_names.begin();
            for (index k = 0; k < o.repeats; ++k) {
                auto rng = program::stream_of(o.seed, static_cast<std::uint64_t>(kind), i * o.repeats + k);
                auto drawn = direction(a, rng);
                if (o.centred) drawn = directions::without_own_mean(std::span<double const>{drawn});
                auto const unit = paths::unit(std::span<double const>{drawn}, "a direction");
                units.insert(units.end(), unit.begin(), unit.end());
            }
        }
    }
    return units;
}

/// The divergences [N, 1 + points]: point 0 is A itself; then families, repeats, lengths.
template <class T>
plateau::tensor::buffer<double, 2> sweep_lengths(options const& o, plateau::model<T> const& model,
                                                 program::prompt_list const& prompts, measurement const& m,
                                                 std::vector<double> const& units) {
    auto const lengths = static_cast<index>(m.lengths.size()), per_family = lengths * m.repeats;
    auto const width = units.size() / static_cast<std::size_t>(m.prompts * m.families * m.repeats);
    auto const write = [&](index pair, index point, auto a, auto, auto out) {
        if (point == 0) return paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()});
        index const number =
            (pair * m.families + (point - 1) / per_family) * m.repeats + (point - 1) % per_family / lengths;
        std::span<double const> const unit{units.data() + static_cast<std::size_t>(number) * width, width};
        paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()},
                            paths::term<double>{m.lengths[static_cast<std::size_t>((point - 1) % lengths)], unit});
    };
    std::vector<plateau::engine::prompt_pair> pairs;
    for (index i = 0; i < m.prompts; ++i) pairs.push_back({i, i});
    plateau::engine::predictions<T> predictions{m.prompts, 1 + m.points(), 0};
    plateau::progress bar{"points", m.prompts * (1 + m.points())};
    plateau::engine::setup const where{.write = o.write_site, .progress = [&](index done) { bar.advance(done); }};
    plateau::engine::patched_rows<T>{model.engine(), prompts, 1 + m.points(), where}.run(
        pairs, write, plateau::engine::read_predictions(model.engine(), predictions));
    return std::move(predictions.kl_from_start);
}

/// @throws numeric_error that names the prompt and the family where a divergence is infinite or NaN
void take_divergences(plateau::tensor::buffer<double, 2> const& kl, std::vector<std::string> const& families,
                      measurement& m) {
    index const per_family = m.points() / m.families;
    for (index f = 0; f < m.families; ++f) {
        for (index i = 0; i < m.prompts; ++i) {
            for (index p = 0; p < per_family; ++p) {
                double const one = kl(i, 1 + f * per_family + p);
                if (!std::isfinite(one)) {
                    throw plateau::numeric_error("the predictions of prompt " + std::to_string(i) +
                                                 " are not finite along " + families[static_cast<std::size_t>(f)] +
                                                 ": ask for shorter lengths, or a wider dtype");
                }
                m.kl.push_back(std::max(one, 0.0));  // rounding may leave −1e-12
            }
        }
    }
}

/// The families of --sae, unless --families names some: those that have a direction at every prompt.
template <class T>
void add_sae_families(options const& o, program::sparse_features<T> const& features,
                      plateau::tensor::view<T const, 2> activations, results& r) {
    if (features.sae) r.dead_features = features.counts->dead().size();
    for (auto const& name : program::sae_family_names()) {
        if (o.sae.empty() || o.names_sae()) return;
        auto const why = features.missing(name, activations);
        if (why.empty()) r.families.push_back(name);
        else r.left_out += name + " is left out: " + why + '\n';
    }
}

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    results r{{model.computer(), load_seconds}, program::load_prompts(o, model, false)};
    program::stopwatch const watch;
    auto const fit = program::fit_activations(model, r.prompts, o, o.names("pca") ? o.components : 0);
    auto const rows = o.rows.empty() ? plateau::tensor::buffer<double, 2>{} : read_rows(o.rows, fit.width);
    auto const features = program::load_sparse_features(model, r.prompts, o, o.sae);
    r.fit = fit;
    r.families = o.families;
    add_sae_families<T>(o, features, fit.real, r);
    auto lengths = o.lengths;
    for (double& one : lengths) one *= fit.unit;
    r.kl = {static_cast<index>(r.families.size()), static_cast<index>(r.prompts.size()), o.repeats, lengths, {}};
    program::require_memory(r.kl.points() + 1, r.kl.prompts * 40,
                            std::to_string(r.kl.points() + 1) + " points of each prompt",
                            "ask for fewer lengths, repeats or prompts");
    auto const units = draw_units<T>(o, r.families, fit, rows, features);
    take_divergences(sweep_lengths(o, model, r.prompts, r.kl, units), r.families, r.kl);
    r.cost.seconds = watch.seconds();
    r.cost.points = r.kl.prompts * (r.kl.points() + 1);
    return r;
}

/// exp of an estimate of logarithms.
statistics::estimate exponential(statistics::estimate const& x) {
    return {std::exp(x.value), std::exp(x.low), std::exp(x.high), x.standard_error * std::exp(x.value)};
}

/// Fills in and checks. @throws usage_error
void settle(options& o) {
    if (o.lengths.empty()) {
        o.lengths = o.unit == "norm" ? paths::step_grid(0.01, 0.1, 21) : paths::step_grid(1, 10, 21);
    }
    for (std::size_t i = 0; i < o.lengths.size(); ++i) {
        if (!(o.lengths[i] > 0 && std::isfinite(o.lengths[i])) || (i > 0 && o.lengths[i] <= o.lengths[i - 1])) {
            throw plateau::usage_error("--lengths must be positive numbers, each above the one before");
        }
        o.lengths[i] *= o.scale;
    }
    if (!(o.scale > 0)) throw plateau::usage_error("--scale must be positive");
    if (!(o.threshold > 0)) throw plateau::usage_error("--threshold must be a divergence above 0, in nats");
    for (auto const& name : o.families) {
        if (std::count(o.families.begin(), o.families.end(), name) > 1)
            throw plateau::usage_error("--families names " + name + " twice");
    }
    if (o.rows.empty() && o.names("rows")) throw plateau::usage_error("the family rows needs --rows FILE.npy");
    if (!o.rows.empty() && !o.names("rows")) o.families.push_back("rows");
    if (o.sae.empty() && o.names_sae())
        throw plateau::usage_error("the families sae-active, sae-inactive, sae-dead and sae-error need --sae DIR");
}

double const nan = std::numeric_limits<double>::quiet_NaN();
statistics::estimate const none{nan, nan, nan, nan};

/// Medians over prompts, by family and length.
struct medians {
    std::size_t at = 0;                         ///< the length of the table
    std::optional<std::size_t> isotropic = {};  ///< the family that others are compared with
    std::vector<std::vector<statistics::estimate>> kl,
        ratio = {};  ///< [K][L]; the ratio is none where nothing is compared

    bool compares(std::size_t family) const { return isotropic && family != *isotropic; }
};

medians medians_of(options const& o, results const& r) {
    auto const near = [&](double x, double y) { return std::abs(x - o.at) < std::abs(y - o.at); };
    auto const nearest = std::min_element(o.lengths.begin(), o.lengths.end(), near) - o.lengths.begin();
    auto const families = r.families.size();
    medians all{o.at > 0 ? static_cast<std::size_t>(nearest) : o.lengths.size() / 2, {}, {}};
    auto const isotropic = std::find(r.families.begin(), r.families.end(), "isotropic");
    if (isotropic != r.families.end()) all.isotropic = static_cast<std::size_t>(isotropic - r.families.begin());
    all.kl.resize(families), all.ratio.resize(families);
    for (std::size_t f = 0; f < families; ++f) {
        for (std::size_t l = 0; l < o.lengths.size(); ++l) {
            all.kl[f].push_back(program::over_prompts(r.kl.by_prompt(f, l), statistics::median, o));
            all.ratio[f].push_back(all.compares(f) ? exponential(program::over_prompts(
                                                         r.kl.log_ratios(f, *all.isotropic, l), statistics::median, o))
                                                   : none);
        }
    }
    return all;
}

std::string csv_of(results const& r, medians const& all) {
    std::string csv = "family,length,kl,kl_low,kl_high,ratio,ratio_low,ratio_high\n";
    for (std::size_t f = 0; f < r.families.size(); ++f) {
        for (std::size_t l = 0; l < r.kl.lengths.size(); ++l) {
            std::array<char, 400> line{};
            auto const &x = all.kl[f][l], &y = all.ratio[f][l];
            std::snprintf(line.data(), line.size(), "%s,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g\n",
                          r.families[f].c_str(), r.kl.lengths[l], x.value, x.low, x.high, std::abs(y.value),
                          std::abs(y.low), std::abs(y.high));  // one kind of nan
            csv += line.data();
        }
    }
    return csv;
}

/// The table; its numbers go to the summary too.
program::interval_table table_of(options const& o, results const& r, medians const& all,
                                 nlohmann::ordered_json& summary) {
    std::string const unit = o.unit == "norm" ? " |A|" : "", here = plateau::fixed(o.lengths[all.at], 2) + unit;
    program::interval_table table{
        {"direction", "p"},
        {"KL at " + here, "KL at " + plateau::fixed(o.lengths.back(), 2) + unit,
         "length to " + plateau::fixed(o.threshold, 2) + " nats", "KL / isotropic's, " + here}};
    for (std::size_t f = 0; f < r.families.size(); ++f) {
        auto reached = r.kl.length_to(f, o.threshold);
        for (double& one : reached) one /= r.fit.unit;
        auto to_threshold = program::over_prompts(reached, statistics::median, o);
        if (to_threshold.value >= o.lengths.back()) to_threshold = none;
        auto logs = all.compares(f) ? r.kl.log_ratios(f, *all.isotropic, all.at) : std::vector<double>{};
        std::erase_if(logs, [](double x) { return std::isnan(x); });
        double const p =
            logs.empty() ? nan : statistics::sign_flip_test(logs, 1, statistics::median, {.seed = o.seed + 1}).p;
        auto const& name = r.families[f];
        table.row({name, logs.empty() ? "-" : plateau::fixed(p, 4)},
                  {all.kl[f][all.at], all.kl[f].back(), to_threshold, all.ratio[f][all.at]});
        summary["kl_at"][name] = program::json_of(all.kl[f][all.at]);
        summary["length_to_threshold"][name] = program::json_of(to_threshold);
        summary["ratio_to_isotropic"][name] = program::json_of(all.ratio[f][all.at]);
        summary["p_isotropic"][name] = p;
    }
    return table;
}

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, results const& r, medians const& all, std::ostream& out) {
    namespace viz = plateau::viz;
    std::string const label =
        o.unit == "norm" ? "length of the perturbation, in units of the median |A|" : "length of the perturbation";
    viz::labelled_panel divergences{.title = "how far the predictions move",
                                    .x = {label},
                                    .y = {"KL(p(A) ‖ p(A + L d̂)), nats", true},
                                    .curves = {}};
    viz::labelled_panel ratios{.title = "compared with an isotropic direction of the same length",
                               .x = {label},
                               .y = {"KL / that of isotropic", true},
                               .curves = {},
                               .references = {{.value = 1}}};
    for (std::size_t f = 0; f < r.families.size(); ++f) {
        auto const curve = [&](std::vector<statistics::estimate> const& values) {
            viz::labelled_curve c{.label = r.families[f], .x = o.lengths, .y = {}, .ink = viz::series_ink(f)};
            for (auto const& x : values) c.y.push_back(x.value), c.low.push_back(x.low), c.high.push_back(x.high);
            return c;
        };
        divergences.curves.push_back(curve(all.kl[f]));
        if (all.compares(f)) ratios.curves.push_back(curve(all.ratio[f]));
    }
    viz::labelled_figure figure;
    figure.title = program::title_of(o);
    figure.counts = std::to_string(r.kl.prompts) + " prompts";
    figure.subtitle = o.write_site + " → next token; medians over prompts with 95 % intervals";
    figure.panels = {std::move(divergences)};
    if (!ratios.curves.empty()) figure.panels.push_back(std::move(ratios));
    viz::write_labelled_curves(figure, out);
}
#endif

void run(CLI::App const& app, options o) {
    settle(o);
    plateau::output_set out{o.out};
    auto const r =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    auto const all = medians_of(o, r);
    auto summary = program::summary_of(app, o, r.cost);
    summary["prompts"] = r.kl.prompts;
    summary["repeats"] = o.repeats;
    summary["families"] = r.families;
    summary["unit"] = r.fit.unit;
    summary["fit_samples"] = r.fit.samples;
    summary["fit_rank"] = r.fit.normal->rank();
    summary["shrinkage"] = r.fit.shrinkage;
    if (r.dead_features) summary["dead_features"] = *r.dead_features;
    auto const table = table_of(o, r, all, summary);
    auto const lengths = static_cast<index>(r.kl.lengths.size());
    plateau::io::write_npy(out.file("kl.npy"), r.kl.kl, {r.kl.families, r.kl.prompts, r.kl.repeats, lengths});
    plateau::io::write_npy(out.file("perturbation_lengths.npy"), r.kl.lengths, {lengths});
    plateau::io::write_npy(out.file("norms.npy"), r.fit.norms, {r.kl.prompts});
    program::write_prompts(out, r.prompts);
    out.file("sensitive_directions.csv").write(csv_of(r, all));
#if PLATEAU_HAS_CAIRO
    write_figure(o, r, all, out.file("sensitive_directions.png").stream());
#else
    std::cerr << "sensitive_directions.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(r.prompts), {"lengths.npy"});

    std::cout << o.model << program::weights_of(o) << ": " << r.kl.prompts << " prompts, " << o.write_site << ", "
              << r.fit.text() << '\n'
              << table.render() << r.left_out << plateau::fixed(r.cost.points_per_second(), 0)
              << " points per second\n";
    program::print_places(out, "sensitive_directions.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Sensitive directions: how far predictions move when activations are pushed in directions of different kinds.",
        "sensitive_directions"};
    options o;
    o.out = "sensitive_directions.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_direction_options(app, o);
    app.add_option("--families", o.families, "kinds of directions, see below")
        ->delimiter(',')
        ->check(CLI::IsMember(std::vector<std::string>(family_names.begin(), family_names.end())))
        ->capture_default_str();
    app.add_option("--rows", o.rows, "adds the family rows: NPY, floats [F,D]");
    app.add_option(
        "--sae", o.sae,
        std::string(program::sae_help) +
            ": adds those of its families that have a direction at every prompt, unless --families names some");
    app.add_option("--components", o.components, "principal components of the family pca, at most")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    app.add_option("--lengths", o.lengths,
                   "of the perturbation, in --unit (default: 21, 0.01, 0.11, ..., 2.01 for norm; 1, 11, ..., 201, as "
                   "published, for raw)")
        ->delimiter(',');
    app.add_option("--scale", o.scale, "multiplies all lengths")->capture_default_str();
    app.add_option("--at", o.at,
                   "the length of the table, in --unit; the nearest one is taken (default: the middle one)");
    app.add_option("--threshold", o.threshold, "the divergence whose length is told, in nats")->capture_default_str();
    app.add_option("--repeats", o.repeats, "directions of each kind per prompt; a prompt's number is their mean")
        ->check(CLI::Range(1, 1 << 16))
        ->capture_default_str();
    app.add_flag(
        "--centred", o.centred,
        "take from each direction its own mean over the coordinates, as published code does for models with LayerNorm");
    app.footer(std::string(files_text) + program::fit_text +
               "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.");
    return program::run(app, argc, argv, [&] { run(app, o); });
}
