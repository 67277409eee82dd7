#pragma once
/// What the studies of directions share: real activations, the normal distribution fitted to them, families of
/// directions by name, and intervals over prompts.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <plateau/directions/fit_gaussian.hpp>
#include <plateau/directions/isotropic.hpp>
#include <plateau/directions/principal_components.hpp>
#include <plateau/directions/published_normalisation.hpp>
#include <plateau/directions/random_row.hpp>
#include <plateau/directions/real.hpp>
#include <plateau/directions/toward.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/stream_activations.hpp>

#include "interval_table.hpp"
#include "program.hpp"

namespace program {

namespace directions = plateau::directions;

struct direction_options : common_options {
    std::string write_site = "blocks.0.hook_resid_post";
    std::string fit_positions = "later";
    std::string fit_corpus;
    index fit_count = 1000;
    std::string shrinkage = "none";
    std::string unit = "norm";
    index resamples = 2000;
};

constexpr char const* fit_text =
    "The normal distribution N(mu, Sigma) has the mean and covariance of activations at --write-site, at "
    "--fit-positions of --fit-count\n"
    "windows of --fit-corpus, or of the --corpus, or else of the prompts themselves. With no more of them than "
    "dimensions Sigma is singular;\n"
    "draws are then mu + sum_i z_i (x_i - mu) / sqrt(n - 1), within the space of what was seen. --shrinkage draws "
    "Sigma towards a sphere.\n"
    "--unit norm: lengths are in units of the median |A| of the prompts; raw: as they are, as published for GPT-2.\n"
    "Intervals are 95 % bootstraps over prompts.\n";

inline void add_direction_options(CLI::App& app, direction_options& o) {
    app.add_option("--write-site", o.write_site, "where activations are pushed, at the last position")
        ->capture_default_str();
    app.add_option("--fit-positions", o.fit_positions,
                   "of which activations mean and covariance are: last; all; or later, all but the first, "
                   "which in many models is unlike any other")
        ->check(CLI::IsMember({"last", "later", "all"}))
        ->capture_default_str();
    app.add_option("--fit-corpus", o.fit_corpus, "text for mean and covariance, instead of --corpus or the prompts");
    app.add_option("--fit-count", o.fit_count, "windows of that text, at most; as long as the longest prompt")
        ->check(CLI::Range(1, 1 << 30))
        ->capture_default_str();
    app.add_option("--shrinkage", o.shrinkage,
                   "of the covariance towards a sphere: none, oas (Chen et al. 2010), or a share in [0,1]")
        ->capture_default_str();
    app.add_option("--unit", o.unit, "of lengths: norm, the median |A| of the prompts, or raw")
        ->check(CLI::IsMember({"norm", "raw"}))
        ->capture_default_str();
    app.add_option("--resamples", o.resamples, "of the bootstraps that make intervals")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
}

/// Windows of a text, as load_prompts draws them, but no more than there are.
template <class T>
prompt_list fit_prompts(direction_options const& o, plateau::model<T> const& model, prompt_list const& prompts) {
    auto const& file = o.fit_corpus.empty() ? o.corpus : o.fit_corpus;
    if (file.empty()) return prompts;
    auto windows = o;
    windows.tokens.clear(), windows.prompts.clear();
    windows.corpus = file;
    windows.length = longest_of(prompts);
    windows.bos = "off";
    windows.seed = o.seed + 1;
    auto const tokens = encode(model, plateau::io::read_text(file), file);
    windows.count = std::clamp<index>(static_cast<index>(tokens.size()) / windows.length, 1, o.fit_count);
    return load_prompts(windows, model, false);
}

/// Which of their positions --fit-positions names.
inline plateau::hooks::positions fit_positions(direction_options const& o) {
    using plateau::hooks::positions;
    return o.fit_positions == "last"  ? positions::last()
           : o.fit_positions == "all" ? positions::all()
                                      : positions{1, 0};
}

/// The normal distribution of activations at the write site.
struct fit_facts {
    std::vector<double> norms;  ///< [N] lengths of the prompts' own, at their last positions
    double unit = 1;            ///< of lengths: the median norm, or 1
    std::shared_ptr<directions::gaussian const> normal;
    index width = 0;
    index samples = 0;  ///< activations that mean and covariance are of
    double shrinkage = 0;

    /// "median |A| = 12.30, N(mu, Sigma) of 100 activations"
    std::string text() const {
        return "median |A| = " + plateau::fixed(statistics::median(norms), 2) + ", N(mu, Sigma) of " +
               std::to_string(samples) + " activations" + (samples <= width ? " (fewer than dimensions)" : "");
    }
};

/// What is known of activations at the write site.
template <class T>
struct activation_fit : fit_facts {
    plateau::tensor::buffer<T, 2> real;             ///< [N, D] the prompts' own, at their last positions
    plateau::tensor::buffer<double, 2> components;  ///< [k, D] principal components
};

/// How far --shrinkage draws a covariance. @throws usage_error
inline double shrinkage_of(direction_options const& o, plateau::statistics::running_covariance const& seen) {
    if (o.shrinkage == "none") return 0;
    if (o.shrinkage == "oas") return directions::oas_shrinkage(seen.covariance(0), seen.count());
    char* end = nullptr;
    double const share = std::strtod(o.shrinkage.c_str(), &end);
    if (o.shrinkage.empty() || *end != '\0' || !(share >= 0 && share <= 1)) {
        throw plateau::usage_error("--shrinkage " + o.shrinkage + ": give none, oas, or a number from 0 to 1");
    }
    return share;
}

/// @param count  of principal components, at most
template <class T>
activation_fit<T> fit_activations(plateau::model<T> const& model, prompt_list const& prompts,
                                  direction_options const& o, index count) {
    namespace sweep = plateau::sweep;
    activation_fit<T> fit;
    fit.real = sweep::last_activations(model, prompts, o.write_site);
    for (index i = 0; i < fit.real.extent(0); ++i)
        fit.norms.push_back(plateau::paths::length_of(std::span<T const>{fit.real.view()[i].flat()}, "an activation"));
    if (o.unit == "norm") fit.unit = statistics::median(fit.norms);

    auto const at = fit_positions(o);
    auto const texts = fit_prompts(o, model, prompts);
    for (auto const& text : texts) {
        auto const length = static_cast<index>(text.size());
        at.require(length);
        fit.samples += at.end_in(length) - at.first_in(length);
    }
    index const width = fit.width = fit.real.extent(1);
    bool const few = fit.samples <= width;
    plateau::tensor::buffer<T, 2> rows({few ? fit.samples : 0, width});
    index filled = 0;
    plateau::statistics::running_covariance seen{width};
    sweep::stream_activations(model, texts, o.write_site, at, [&](plateau::tensor::view<T const, 2> batch) {
        if (!few || o.shrinkage == "oas") seen.add(batch);
        for (index r = 0; few && r < batch.extent(0); ++r, ++filled)
            std::ranges::copy(batch[r].flat(), rows[filled].data());
    });
    fit.shrinkage = shrinkage_of(o, seen);
    plateau::tensor::view<T const, 2> const few_rows = rows;
    fit.normal = std::make_shared<directions::gaussian const>(
        few ? directions::fit_gaussian(few_rows, fit.shrinkage)
            : directions::fit_gaussian(seen, fit.shrinkage, directions::not_definite::clip));
    if (count > 0) {
        count = std::min({count, width, fit.samples - 1});
        fit.components = few ? directions::principal_components_of_rows(few_rows, count).components
                             : directions::principal_components_of(seen.covariance(), count).components;
    }
    return fit;
}

/// A statistic over prompts with its interval; NaN where there are fewer than two.
template <class V, class Statistic>
statistics::estimate over_prompts(std::vector<V> const& values, Statistic const& statistic,
                                  direction_options const& o) {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    if (values.size() < 2) return {statistic(std::span<V const>{values}), nan, nan, nan};
    return statistics::block_bootstrap(std::span<V const>{values}, 1, statistic,
                                       {.resamples = o.resamples, .seed = o.seed + 1});
}

/// The stream of numbers that belongs to one thing drawn: a function of the seed and of which thing it is.
inline plateau::counter_rng stream_of(std::uint64_t seed, std::uint64_t kind, index number) {
    return plateau::counter_rng{
        plateau::counter_rng{plateau::counter_rng{seed}.at(kind)}.at(static_cast<std::uint64_t>(number))};
}

}  // namespace program
