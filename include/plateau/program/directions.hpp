#pragma once
/// Studies of directions: their options, the fit that they ask for, and what they tell of it.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <plateau/io/npy_numbers.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/sweep/activation_fit.hpp>
#include <plateau/sweep/sparse_features.hpp>

namespace plateau::program {

struct direction_options : common_options {
    std::string write_site = "blocks.0.hook_resid_post";
    std::string fit_positions = "later";
    std::string fit_corpus;
    index fit_count = 1000;
    std::string shrinkage = "none";
    std::string unit = "norm";
    index resamples = 2000;
    std::string sae;

    statistics::bootstrap_options resampling() const { return {.resamples = resamples, .seed = seed + 1}; }
    std::string length_text(std::string const& what) const {
        return unit == "norm" ? what + ", in units of the median |A|" : what;
    }
};

/// What N(mu, Sigma) is of, for the text of --help.
inline constexpr char const* fit_note =
    "The normal distribution N(mu, Sigma) has the mean and covariance of activations at --write-site, at "
    "--fit-positions of --fit-count windows of --fit-corpus, or of the --corpus, or else of the prompts themselves. "
    "With no more of them than dimensions Sigma is singular; draws are then mu + sum_i z_i (x_i - mu) / sqrt(n - 1), "
    "within the space of what was seen. --shrinkage draws Sigma towards a sphere. --unit norm: lengths are in units of "
    "the median |A| of the prompts; raw: as they are, as published for GPT-2. Intervals are 95 % bootstraps over "
    "prompts.";

inline void add_direction_options(command_line& app, direction_options& o) {
    add_option(app, "--write-site", &o.write_site, "where activations are pushed, at the last position");
    add_choice(app, "--fit-positions", o.fit_positions, {"last", "later", "all"},
               "of which activations mean and covariance are: last; all; or later, all but the first, "
               "which in many models is unlike any other");
    app.add_option("--fit-corpus", &o.fit_corpus, "text for mean and covariance, instead of --corpus or the prompts");
    add_option(app, "--fit-count", &o.fit_count, "windows of that text, at most; as long as the longest prompt")
        .within(1, 1 << 30);
    add_option(app, "--shrinkage", &o.shrinkage,
               "of the covariance towards a sphere: none, oas (Chen et al. 2010), or a share in [0,1]");
    add_choice(app, "--unit", o.unit, {"norm", "raw"}, "of lengths: norm, the median |A| of the prompts, or raw");
    add_option(app, "--resamples", &o.resamples, "of the bootstraps that make intervals").within(1, 1 << 20);
}

/// @param adds  what an autoencoder adds to the study
inline void add_sae_option(command_line& app, direction_options& o, std::string const& adds) {
    app.add_option(
        "--sae", &o.sae,
        "a sparse autoencoder of --write-site, a folder of SAELens, sparsify, Gemma Scope or dictionary_learning: " +
            adds);
}

/// Windows of a text, as load_prompts draws them, but no more than there are.
template <class T>
prompt_list fit_prompts(direction_options const& o, model<T> const& model, prompt_list const& prompts) {
    auto const& file = o.fit_corpus.empty() ? o.corpus : o.fit_corpus;
    if (file.empty()) return prompts;
    auto windows = o;
    windows.tokens.clear(), windows.prompts.clear();
    windows.corpus = file;
    windows.length = longest_of(prompts);
    windows.bos = "off";
    windows.seed = o.seed + 1;
    auto const tokens = encode_file(model, file);
    windows.count = std::clamp<index>(static_cast<index>(tokens.size()) / windows.length, 1, o.fit_count);
    return load_prompts(windows, model, false);
}

/// The activations that mean, covariance and the counts of features are of.
template <class T>
sweep::activation_sample fit_sample(direction_options const& o, model<T> const& model, prompt_list const& prompts) {
    auto const at = o.fit_positions == "last"  ? hooks::positions::last()
                    : o.fit_positions == "all" ? hooks::positions::all()
                                               : hooks::positions{1, 0};
    return {o.write_site, fit_prompts(o, model, prompts), at};
}

/// How far --shrinkage draws a covariance; nothing for oas. @throws usage_error
inline std::optional<double> shrinkage_of(std::string const& text) {
    if (text == "none") return 0;
    if (text == "oas") return std::nullopt;
    char* end = nullptr;
    double const share = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(share >= 0 && share <= 1))
        throw usage_error("--shrinkage ", text, ": give none, oas, or a number from 0 to 1");
    return share;
}

/// What studies of directions begin with: the fit, and the autoencoder of --sae.
template <class T>
struct fitted {
    sweep::activation_fit<T> fit;
    std::unique_ptr<sweep::sparse_features<T> const> features;  ///< null without --sae
};

/// Says on stderr what a user should know of an autoencoder, and of prompts that are unlike what it was trained on.
template <class T>
void tell_notes(sweep::sparse_features<T> const& features, model<T> const& model, prompt_list const& prompts) {
    auto const bos = model.bos();
    auto const with_bos =
        std::ranges::count_if(prompts, [&](auto const& one) { return !one.empty() && bos && one.front() == *bos; });
    for (auto const& note : features.notes()) std::cerr << note << '\n';
    for (auto const& note : sae::prompt_notes(features.config(), static_cast<index>(prompts.size()),
                                              static_cast<index>(with_bos), longest_of(prompts), bos.has_value()))
        std::cerr << note << '\n';
}

/// @param components  principal components that are found, at most      @throws as fit_activations, sparse_features
template <class T>
fitted<T> fit_of(direction_options const& o, model<T> const& model, prompt_list const& prompts, index components = 0) {
    auto const sample = fit_sample(o, model, prompts);
    fitted<T> all{sweep::fit_activations(model, prompts, sample, {shrinkage_of(o.shrinkage), components}), nullptr};
    if (o.sae.empty()) return all;
    all.features = std::make_unique<sweep::sparse_features<T> const>(o.sae, model, sample, o.threads);
    tell_notes(*all.features, model, prompts);
    return all;
}

/// Directions [F, D] of an NPY file of floats; nothing without one. @param option  that names it
/// @throws usage_error on another shape or type; file_error
inline tensor::buffer<double, 2> read_rows(std::string const& option, std::string const& path, index width) {
    if (path.empty()) return {};
    auto const array = io::read_numbers(path);
    if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] != width) {
        throw usage_error(option, " ", path, ": directions at this site must be float32 or float64 of the shape [F,",
                          width, "]");
    }
    tensor::buffer<double, 2> rows({array.shape[0], width});
    std::ranges::copy(array.values, rows.data());
    return rows;
}

/// --unit in that of activations.
inline double unit_of(direction_options const& o, sweep::fit_facts const& fit) {
    return o.unit == "norm" ? fit.median_norm() : 1;
}

/// "median |A| = 12.30, N(mu, Sigma) of 100 activations"
inline std::string fit_text(sweep::fit_facts const& fit) {
    return concat({"median |A| = ", fixed(fit.median_norm(), 2), ", N(mu, Sigma) of ", fit.samples, " activations",
                   fit.samples <= fit.width ? " (fewer than dimensions)" : ""});
}

/// The keys fit_samples, fit_rank and shrinkage.
inline void put_fit(nlohmann::ordered_json& summary, sweep::fit_facts const& fit) {
    summary["fit_samples"] = fit.samples;
    summary["fit_rank"] = fit.rank;
    summary["shrinkage"] = fit.shrinkage;
}

}  // namespace plateau::program
