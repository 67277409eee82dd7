#pragma once
/// The normal distribution of activations at a site over texts and positions, beside the activations under study.

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/directions/fit_gaussian.hpp>
#include <plateau/directions/principal_components.hpp>
#include <plateau/paths/tangent.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/stream_activations.hpp>

namespace plateau::sweep {

/// Which activations a distribution, or the counts of features, are of.
struct activation_sample {
    std::string site;
    prompt_list texts;
    hooks::positions at = {1, 0};  ///< of every text; this leaves out the first, in many models unlike all others

    /// How many there are. @throws usage_error where a text has not these positions
    index count() const {
        index all = 0;
        for (auto const& text : texts) {
            auto const length = static_cast<index>(text.size());
            at.require(length);
            all += at.end_in(length) - at.first_in(length);
        }
        return all;
    }
};

struct fit_options {
    std::optional<double> shrinkage = 0.0;  ///< of the covariance towards a sphere, in [0, 1]; none: `oas_shrinkage`
    index components = 0;                   ///< principal components that are found, at most
};

/// What is told of a fit.
struct fit_facts {
    std::vector<double> norms;  ///< [N] |A| of the activations under study
    index width = 0;            ///< D
    index samples = 0;          ///< activations that mean and covariance are of
    index rank = 0;             ///< of the covariance's factor
    double shrinkage = 0;       ///< as it was applied

    double median_norm() const { return statistics::median(norms); }
};

template <class T>
struct activation_fit : fit_facts {
    tensor::buffer<T, 2> real;             ///< [N, D] the activations under study: the prompts' own, at their ends
    directions::gaussian normal;           ///< N(μ, Σ), Σ shrunk
    tensor::buffer<double, 2> components;  ///< [k, D] principal components of the sample
};

/// Fits N(μ, Σ) to a sample: by its covariance [D, D], or of no more activations than dimensions by the rows
/// themselves, within whose affine space draws then stay. @param prompts  under study, read at their last positions
/// @throws as stream_activations, last_activations; domain_error on zero or infinite activations, or a shrinkage
/// outside [0, 1]
template <class T>
activation_fit<T> fit_activations(model<T> const& model, prompt_list const& prompts, activation_sample const& sample,
                                  fit_options const& options = {}) {
    auto real = last_activations(model, prompts, sample.site);
    std::vector<double> norms;
    for (index i = 0; i < real.extent(0); ++i)
        norms.push_back(paths::length_of(std::span<T const>{real.view()[i].flat()}, "an activation"));

    index const width = real.extent(1), samples = sample.count();
    bool const few = samples <= width;
    tensor::buffer<T, 2> rows({few ? samples : 0, width});
    index filled = 0;
    statistics::running_covariance seen{width};
    stream_activations(model, sample.texts, sample.site, sample.at, [&](tensor::view<T const, 2> batch) {
        if (!few || !options.shrinkage) seen.add(batch);
        for (index r = 0; few && r < batch.extent(0); ++r, ++filled)
            std::ranges::copy(batch[r].flat(), rows[filled].data());
    });
    double const shrinkage =
        options.shrinkage ? *options.shrinkage : directions::oas_shrinkage(seen.covariance(0), seen.count());
    tensor::view<T const, 2> const few_rows = rows;
    auto normal = few ? directions::fit_gaussian(few_rows, shrinkage)
                      : directions::fit_gaussian(seen, shrinkage, directions::not_definite::clip);
    tensor::buffer<double, 2> components;
    if (options.components > 0) {
        index const count = std::min({options.components, width, samples - 1});
        components = few ? directions::principal_components_of_rows(few_rows, count).components
                         : directions::principal_components_of(seen.covariance(), count).components;
    }
    fit_facts facts{std::move(norms), width, samples, normal.rank(), shrinkage};
    return {std::move(facts), std::move(real), std::move(normal), std::move(components)};
}

}  // namespace plateau::sweep
