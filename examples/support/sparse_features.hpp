#pragma once
/// What the studies of directions know of a sparse autoencoder: itself, and how often its features fire.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <plateau/sae/feature_direction.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sae/synthetic_activation.hpp>

#include "directions.hpp"

namespace program {

constexpr char const* sae_help =
    "a sparse autoencoder in SAELens' format, cfg.json and sae_weights.safetensors, of --write-site";

/// Families of directions that --sae adds, in the order of `sae::feature_state`; and the error.
inline std::vector<std::string> const& sae_family_names() {
    static std::vector<std::string> const names{"sae-active", "sae-inactive", "sae-dead", "sae-error"};
    return names;
}

/// An autoencoder and its features' counts over the activations that mean and covariance are of. Empty without --sae.
/// It computes on the processor, wherever the model does.
template <class T>
struct sparse_features {
    using Context = plateau::backend::cpu_context;
    using autoencoder = plateau::sae::sparse_autoencoder<Context, T>;
    std::shared_ptr<autoencoder const> sae;
    std::shared_ptr<plateau::sae::feature_counts const> counts;
    std::shared_ptr<Context const> ctx;

    /// @pre sae; a family of sae_family_names
    directions::any_direction<T> family(std::string const& name) const {
        namespace sae_ = plateau::sae;
        if (name == "sae-error") return sae_::error_direction<Context, T>{*ctx, *sae};
        auto const state = name == "sae-active" ? sae_::feature_state::active
                           : name == "sae-dead" ? sae_::feature_state::dead
                                                : sae_::feature_state::alive_inactive;
        return sae_::feature_direction<Context, T>{*ctx, *sae, *counts, state};
    }

    /// Why a family has no direction at one of these activations; empty if it has one at all.
    std::string missing(std::string const& name, plateau::tensor::view<T const, 2> activations) const {
        auto const direction = family(name);
        for (index i = 0; i < activations.extent(0); ++i) {
            plateau::counter_rng rng{0};
            try {
                directions::unit_direction<T>(direction, activations[i].flat(), rng);
            } catch (plateau::domain_error const& problem) {
                return plateau::concat({"prompt ", i, ": ", problem.what()});
            }
        }
        return "";
    }
};

/// @param folder  --sae; empty: nothing is loaded      @throws as load_sae, require_site
template <class T>
sparse_features<T> load_sparse_features(plateau::model<T> const& model, prompt_list const& prompts,
                                        direction_options const& o, std::string const& folder) {
    sparse_features<T> result;
    if (folder.empty()) return result;
    result.ctx = std::make_shared<plateau::backend::cpu_context const>(o.threads);
    auto sae = plateau::sae::load_sae<T>(folder, *result.ctx);
    auto const site = plateau::hooks::find_site(model.sites(), o.write_site);
    plateau::sae::require_site(sae.config(), site.name(), site.heads * site.width);
    plateau::sae::feature_counts counts{sae.features()};
    plateau::sweep::stream_activations(model, fit_prompts(o, model, prompts), o.write_site, fit_positions(o),
                                       [&](plateau::tensor::view<T const, 2> batch) {
        for (index first = 0; first < batch.extent(0); first += 256) {
            index const count = std::min<index>(256, batch.extent(0) - first);
            plateau::tensor::buffer<T, 2> features({count, sae.features()});
            sae.encode(*result.ctx, batch.rows(first, count), features);
            counts.add(features.view());
        }
    });
    result.sae = std::make_shared<typename sparse_features<T>::autoencoder const>(std::move(sae));
    result.counts = std::make_shared<plateau::sae::feature_counts const>(std::move(counts));
    return result;
}

}  // namespace program
