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

#include <plateau/statistics/permutation_test.hpp>
#include <plateau/sweep/patched_rows.hpp>
#include <plateau/sweep/predictions.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/sparse_features.hpp"

namespace {

using plateau::index;
namespace directions = plateau::directions;
namespace paths = plateau::paths;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;

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
    index families, prompts, repeats;
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

template <class Context, class Model, class T>
measurement measure(Context const& ctx, Model const& model, plateau::models::prompt_list const& prompts,
                    options const& o, program::activation_fit<T> const& fit, std::vector<double> const& lengths,
                    plateau::tensor::view<double const, 2> rows, program::sparse_features<T> const& features) {
    measurement m{static_cast<index>(o.families.size()), static_cast<index>(prompts.size()), o.repeats, lengths, {}};
    auto const per_family = static_cast<index>(lengths.size()) * o.repeats;
    auto const width = static_cast<std::size_t>(fit.real.extent(1));
    std::vector<double> units;  // [N, K, R, D]
    for (index i = 0; i < m.prompts; ++i) {
        std::span<T const> const a = fit.real.view()[i].flat();
        for (auto const& name : o.families) {
            auto const direction = family_of<T>(name, fit, rows, features);
            auto const kind = std::find(family_names.begin(), family_names.end(), name) - family_names.begin();
            for (index r = 0; r < o.repeats; ++r) {
                auto rng = program::stream_of(o.seed, static_cast<std::uint64_t>(kind), i * o.repeats + r);
                auto drawn = direction(a, rng);
                if (o.centred) drawn = directions::without_own_mean(std::span<double const>{drawn});
                auto const unit = paths::unit(std::span<double const>{drawn}, "a direction");
                units.insert(units.end(), unit.begin(), unit.end());
            }
        }
    }
    std::vector<sweep::prompt_pair> pairs;
    for (index i = 0; i < m.prompts; ++i) pairs.push_back({i, i});
    sweep::predictions<T> predictions{m.prompts, 1 + m.points(), 0};
    plateau::progress bar{"points", m.prompts * (1 + m.points())};
    sweep::patched_rows_options sweep_options;
    sweep_options.write_site = o.write_site;
    sweep_options.points = 1 + m.points();
    sweep_options.on_points = [&](index done) { bar.advance(done); };
    sweep::patched_rows<Context, Model> engine{ctx, model, prompts, std::move(sweep_options)};
    // point 0 is A itself; then families, repeats, lengths
    engine.run(
        pairs,
        [&](index pair, index point, auto a, auto, auto out) {
        if (point == 0) return paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()});
        index const number = (pair * m.families + (point - 1) / per_family) * o.repeats +
                             (point - 1) % per_family / static_cast<index>(lengths.size());
        std::span<double const> const unit{units.data() + static_cast<std::size_t>(number) * width, width};
        paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()},
                            paths::term<double>{lengths[static_cast<std::size_t>(point - 1) % lengths.size()], unit});
        },
        sweep::read_predictions(ctx, model, predictions));
    for (index f = 0; f < m.families; ++f) {
        for (index i = 0; i < m.prompts; ++i) {
            for (index p = 0; p < per_family; ++p) {
                double const kl = predictions.kl_from_start(i, 1 + f * per_family + p);
                if (!std::isfinite(kl)) {
                    throw plateau::numeric_error("the predictions of prompt " + std::to_string(i) +
                                                 " are not finite along " + o.families[static_cast<std::size_t>(f)] +
                                                 ": ask for shorter lengths, or a wider dtype");
                }
                m.kl.push_back(std::max(kl, 0.0));  // rounding may leave −1e-12
            }
        }
    }
    return m;
}

/// exp of an estimate of logarithms.
statistics::estimate exponential(statistics::estimate const& x) {
    return {std::exp(x.value), std::exp(x.low), std::exp(x.high), x.standard_error * std::exp(x.value)};
}

void run(CLI::App const& app, options o) {
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
    bool const has_rows = std::count(o.families.begin(), o.families.end(), "rows") > 0;
    if (o.rows.empty() && has_rows) throw plateau::usage_error("the family rows needs --rows FILE.npy");
    if (!o.rows.empty() && !has_rows) o.families.push_back("rows");
    bool const names_sae =
        std::any_of(o.families.begin(), o.families.end(), [](auto const& name) { return name.starts_with("sae-"); });
    if (o.sae.empty() && names_sae)
        throw plateau::usage_error("the families sae-active, sae-inactive, sae-dead and sae-error need --sae DIR");
    std::size_t const at = static_cast<std::size_t>(
        o.at > 0 ? std::min_element(o.lengths.begin(), o.lengths.end(),
                                    [&](double x, double y) { return std::abs(x - o.at) < std::abs(y - o.at); }) -
                       o.lengths.begin()
                 : static_cast<std::ptrdiff_t>(o.lengths.size() / 2));
    auto const isotropic =
        static_cast<std::size_t>(std::find(o.families.begin(), o.families.end(), "isotropic") - o.families.begin());
    bool const compares = isotropic < o.families.size();
    plateau::output_set out{o.out};
    program::with_model(o, [&](auto const& ctx, auto const& model, double load_seconds) {
        auto const prompts = program::load_prompts(o, model, false);
        program::stopwatch const watch;
        auto const fit = program::fit_activations(
            ctx, model, prompts, o, std::count(o.families.begin(), o.families.end(), "pca") > 0 ? o.components : 0);
        auto const rows = o.rows.empty() ? plateau::tensor::buffer<double, 2>{} : read_rows(o.rows, fit.real.extent(1));
        auto const features = program::load_sparse_features(ctx, model, prompts, o, o.sae);
        std::string left_out;
        for (auto const& name : program::sae_family_names()) {
            if (o.sae.empty() || names_sae) break;
            auto const why = features.missing(name, fit.real);
            if (why.empty()) o.families.push_back(name);
            else left_out += name + " is left out: " + why + '\n';
        }
        auto lengths = o.lengths;
        for (double& one : lengths) one *= fit.unit;
        index const points = static_cast<index>(o.families.size() * lengths.size()) * o.repeats + 1;
        program::require_memory(points, static_cast<index>(prompts.size()) * 40,
                                std::to_string(points) + " points of each prompt",
                                "ask for fewer lengths, repeats or prompts");
        auto const m = measure(ctx, model, prompts, o, fit, lengths, rows, features);
        double const seconds = watch.seconds();

        // medians by family and length
        double const nan = std::numeric_limits<double>::quiet_NaN();
        statistics::estimate const none{nan, nan, nan, nan};
        std::vector<std::vector<statistics::estimate>> kl(o.families.size()), ratio(o.families.size());
        std::string csv = "family,length,kl,kl_low,kl_high,ratio,ratio_low,ratio_high\n";
        for (std::size_t f = 0; f < o.families.size(); ++f) {
            for (std::size_t l = 0; l < lengths.size(); ++l) {
                kl[f].push_back(program::over_prompts(m.by_prompt(f, l), statistics::median, o));
                ratio[f].push_back(
                    compares && f != isotropic
                        ? exponential(program::over_prompts(m.log_ratios(f, isotropic, l), statistics::median, o))
                        : none);
                std::array<char, 400> line{};
                auto const &x = kl[f][l], &y = ratio[f][l];
                std::snprintf(line.data(), line.size(), "%s,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g\n",
                              o.families[f].c_str(), lengths[l], x.value, x.low, x.high, std::abs(y.value),
                              std::abs(y.low), std::abs(y.high));  // one kind of nan
                csv += line.data();
            }
        }
        std::string const unit = o.unit == "norm" ? " |A|" : "", here = plateau::fixed(o.lengths[at], 2) + unit;
        program::interval_table table{
            {"direction", "p"},
            {"KL at " + here, "KL at " + plateau::fixed(o.lengths.back(), 2) + unit,
             "length to " + plateau::fixed(o.threshold, 2) + " nats", "KL / isotropic's, " + here}};
        auto summary =
            program::summary_of(app, o, program::computer_of(ctx), load_seconds, seconds, m.prompts * points);
        summary["prompts"] = m.prompts;
        summary["repeats"] = o.repeats;
        summary["families"] = o.families;
        summary["unit"] = fit.unit;
        summary["fit_samples"] = fit.samples;
        summary["fit_rank"] = fit.normal->rank();
        summary["shrinkage"] = fit.shrinkage;
        if (features.sae) summary["dead_features"] = features.counts->dead().size();
        for (std::size_t f = 0; f < o.families.size(); ++f) {
            auto reached = m.length_to(f, o.threshold);
            for (double& one : reached) one /= fit.unit;
            auto to_threshold = program::over_prompts(reached, statistics::median, o);
            if (to_threshold.value >= o.lengths.back()) to_threshold = none;
            auto logs = compares && f != isotropic ? m.log_ratios(f, isotropic, at) : std::vector<double>{};
            std::erase_if(logs, [](double x) { return std::isnan(x); });
            double const p =
                logs.empty() ? nan : statistics::sign_flip_test(logs, 1, statistics::median, {.seed = o.seed + 1}).p;
            table.row({o.families[f], logs.empty() ? "-" : plateau::fixed(p, 4)},
                      {kl[f][at], kl[f].back(), to_threshold, ratio[f][at]});
            summary["kl_at"][o.families[f]] = program::json_of(kl[f][at]);
            summary["length_to_threshold"][o.families[f]] = program::json_of(to_threshold);
            summary["ratio_to_isotropic"][o.families[f]] = program::json_of(ratio[f][at]);
            summary["p_isotropic"][o.families[f]] = p;
        }

        plateau::io::write_npy(out.file("kl.npy"), m.kl,
                               {m.families, m.prompts, m.repeats, static_cast<index>(lengths.size())});
        plateau::io::write_npy(out.file("perturbation_lengths.npy"), lengths, {static_cast<index>(lengths.size())});
        plateau::io::write_npy(out.file("norms.npy"), fit.norms, {m.prompts});
        program::write_prompts(out, prompts);
        out.file("sensitive_directions.csv").write(csv);
#if PLATEAU_HAS_CAIRO
        std::string const label =
            o.unit == "norm" ? "length of the perturbation, in units of the median |A|" : "length of the perturbation";
        plateau::viz::labelled_panel divergences{.title = "how far the predictions move",
                                                 .x = {label},
                                                 .y = {"KL(p(A) ‖ p(A + L d̂)), nats", true},
                                                 .curves = {}};
        plateau::viz::labelled_panel ratios{.title = "compared with an isotropic direction of the same length",
                                            .x = {label},
                                            .y = {"KL / that of isotropic", true},
                                            .curves = {},
                                            .references = {{.value = 1}}};
        for (std::size_t f = 0; f < o.families.size(); ++f) {
            auto const curve = [&](std::vector<statistics::estimate> const& values) {
                plateau::viz::labelled_curve c{
                    .label = o.families[f], .x = o.lengths, .y = {}, .ink = plateau::viz::series_ink(f)};
                for (auto const& x : values) c.y.push_back(x.value), c.low.push_back(x.low), c.high.push_back(x.high);
                return c;
            };
            divergences.curves.push_back(curve(kl[f]));
            if (compares && f != isotropic) ratios.curves.push_back(curve(ratio[f]));
        }
        plateau::viz::labelled_figure figure;
        figure.title = program::title_of(o);
        figure.counts = std::to_string(m.prompts) + " prompts";
        figure.subtitle = o.write_site + " → next token; medians over prompts with 95 % intervals";
        figure.panels = {std::move(divergences)};
        if (!ratios.curves.empty()) figure.panels.push_back(std::move(ratios));
        plateau::viz::write_labelled_curves(figure, out.file("sensitive_directions.png").stream());
#else
        std::cerr << "sensitive_directions.png is not drawn: this build has no cairo\n";
#endif
        out.file("summary.json").write(program::json_text(summary));
        out.commit();
        program::remove_prompt_lengths(out, prompts);

        std::cout << o.model << program::weights_of(o) << ": " << m.prompts << " prompts, " << o.write_site
                  << ", median |A| = " << plateau::fixed(statistics::median(fit.norms), 2) << ", N(mu, Sigma) of "
                  << fit.samples << " activations"
                  << (fit.samples <= fit.real.extent(1) ? " (fewer than dimensions)" : "") << '\n'
                  << table.render() << left_out << plateau::fixed(static_cast<double>(m.prompts * points) / seconds, 0)
                  << " points per second\n";
        program::print_places(out, "sensitive_directions.png");
    });
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
