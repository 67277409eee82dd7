#pragma once
/// A sparse autoencoder of a site, with how often its features fire there.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/backend/cpu.hpp>
#include <plateau/directions/concepts.hpp>
#include <plateau/sae/feature_direction.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sae/synthetic_activation.hpp>
#include <plateau/sweep/activation_fit.hpp>

namespace plateau::sweep {

/// It computes on the processor, wherever the model does. Directions and activations made of it keep references to it.
template <class T>
class sparse_features {
public:
    using context = backend::cpu_context;

    /// @param folder  as sae::load_sae takes it      @param sample  activations over which features are counted
    /// @param threads  0 for one per core      @throws as load_sae, prepare, stream_activations
    sparse_features(std::string const& folder, model<T> const& model, activation_sample const& sample, int threads = 0)
        : on_{threads}, sae_{sae::load_sae<T>(folder, on_)}, counts_{sae_.features()} {
        constexpr index rows_at_a_time = 256;
        auto const site = hooks::find_site(model.sites(), sample.site);
        bool const has_post_norms = std::ranges::any_of(model.sites(), [](hooks::site const& one) {
            return one.id == hooks::site_id::ln1_post_out || one.id == hooks::site_id::ln2_post_out;
        });
        notes_ = sae::prepare(sae_, site.name(), site.heads * site.width, model.config.norm, has_post_norms);
        stream_activations(model, sample.texts, sample.site, sample.at, [&](tensor::view<T const, 2> batch) {
            for (index first = 0; first < batch.extent(0); first += rows_at_a_time) {
                index const count = std::min(rows_at_a_time, batch.extent(0) - first);
                tensor::buffer<T, 2> features({count, sae_.features()});
                sae_.encode(on_, batch.rows(first, count), features);
                counts_.add(features.view());
            }
        });
    }
    sparse_features(sparse_features const&) = delete;
    sparse_features& operator=(sparse_features const&) = delete;

    sae::feature_counts const& counts() const { return counts_; }
    sae::sae_config const& config() const { return sae_.config(); }
    /// What a user should know of the autoencoder at this site of this model, one sentence each.
    std::vector<std::string> const& notes() const { return notes_; }

    /// The decoder row of a feature that is in this state at the activation.
    directions::any_direction<T> direction(sae::feature_state state) const {
        return sae::feature_direction<context, T>{on_, sae_, counts_, state};
    }
    /// SAE(A) − A.
    directions::any_direction<T> error() const { return sae::error_direction<context, T>{on_, sae_}; }

    /// Activations whose features are exchanged for other ones.
    sae::synthetic_activation<context, T> synthetic(sae::synthetic_kind kind) const {
        return {on_, sae_, counts_, kind};
    }

private:
    context on_;
    sae::sparse_autoencoder<context, T> sae_;
    sae::feature_counts counts_;
    std::vector<std::string> notes_;
};

}  // namespace plateau::sweep
