#pragma once
/// Directions that a sparse autoencoder knows: the rows of its decoder, and its error. Both model
/// directions::Direction.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/sae/feature_counts.hpp>
#include <plateau/sae/sparse_autoencoder.hpp>

namespace plateau::sae {

/// What a feature does where its direction is to be used.
enum class feature_state {
    active,          ///< it fires at this activation
    alive_inactive,  ///< it fires at others, but not here
    dead,            ///< it fires nowhere
};

/// Features of one activation, [F]. @param a  [D]      @throws shape_error on another length
template <class Context, class T>
std::vector<T> features_of(Context const& ctx, sparse_autoencoder<Context, T> const& sae, std::span<T const> a) {
    std::vector<T> features(static_cast<std::size_t>(sae.features()));
    sae.encode(ctx, tensor::view<T const, 2>{a.data(), {1, static_cast<index>(a.size())}},
               tensor::view<T, 2>{features.data(), {1, sae.features()}});
    return features;
}

/// The decoder row of a feature that is active here, or alive but inactive here, or dead: one of them, each as likely
/// as the next.
/// @see Lee & Heimersheim 2024, arXiv 2410.12555
template <class Context, class T>
class feature_direction {
public:
    /// @param ctx,sae,counts  kept as references; counts over the activations that tell alive features from dead ones
    feature_direction(Context const& ctx, sparse_autoencoder<Context, T> const& sae, feature_counts const& counts,
                      feature_state state)
        : ctx_{ctx}, sae_{sae}, counts_{counts}, state_{state} {}

    /// @throws domain_error if no feature is in this state here; shape_error
    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        auto const features = features_of(ctx_, sae_, a);
        std::vector<index> candidates;
        for (index f = 0; f < sae_.features(); ++f) {
            bool const active = features[static_cast<std::size_t>(f)] > 0, alive = active || counts_.count(f) > 0;
            auto const state = active  ? feature_state::active
                               : alive ? feature_state::alive_inactive
                                       : feature_state::dead;
            if (state == state_) candidates.push_back(f);
        }
        if (candidates.empty()) {
            constexpr char const* what[] = {"active at this activation", "alive and inactive at this activation",
                                            "dead"};
            throw domain_error("no feature of the sparse autoencoder is ", what[static_cast<int>(state_)],
                               ": there is no such direction");
        }
        auto const row = sae_.decoder_row(candidates[static_cast<std::size_t>(rng.below(candidates.size()))]);
        return {row.begin(), row.end()};
    }

private:
    Context const& ctx_;
    sparse_autoencoder<Context, T> const& sae_;
    feature_counts const& counts_;
    feature_state state_;
};

/// SAE(a) − a: from an activation towards its reconstruction. @see Gurnee 2024; Lee & Heimersheim 2024
template <class Context, class T>
class error_direction {
public:
    /// @param ctx,sae  kept as references
    error_direction(Context const& ctx, sparse_autoencoder<Context, T> const& sae) : ctx_{ctx}, sae_{sae} {}

    /// @throws shape_error on another length
    std::vector<double> operator()(std::span<T const> a, counter_rng&) const {
        auto const width = static_cast<index>(a.size());
        tensor::buffer<T, 2> back({1, width});
        sae_.reconstruct(ctx_, tensor::view<T const, 2>{a.data(), {1, width}}, back);
        std::vector<double> error;
        for (std::size_t i = 0; i < a.size(); ++i)
            error.push_back(static_cast<double>(back.data()[i]) - static_cast<double>(a[i]));
        return error;
    }

private:
    Context const& ctx_;
    sparse_autoencoder<Context, T> const& sae_;
};

}  // namespace plateau::sae
