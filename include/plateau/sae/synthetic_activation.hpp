#pragma once
/// Activations that are not real but made of features as real ones are.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sae/feature_direction.hpp>

namespace plateau::sae {

/// What a synthetic activation has in common with the real one in whose place it stands.
enum class synthetic_kind {
    baseline,    ///< a bag of features: as many, as strong, any of those alive
    structured,  ///< also about as rare each, and about as similar to each other
};

/// Replaces the features active at an activation by other ones, strength by strength, and decodes them. Only features
/// that are alive are taken, none twice, none for itself unless no other one is left.
///   baseline    each by any
///   structured  from the strongest on, each by one of the `window` features nearest to it in how often they fire: the
///   first by any of them,
///               each further one by that whose cosines to the decoder rows already taken are nearest (least sum of
///               squares) to those that the replaced one has to the rows which these replaced
/// The study says what is matched (number and strength; also sparsity and pairwise cosine), not how: the procedure is
/// ours.
/// @see Giglemiani et al. 2024, arXiv 2409.15019
template <class Context, class T>
class synthetic_activation {
public:
    /// @param ctx,sae  kept as references      @param counts  over activations like those to be replaced
    /// @throws usage_error if window < 1, or no feature is alive
    synthetic_activation(Context const& ctx, sparse_autoencoder<Context, T> const& sae, feature_counts const& counts,
                         synthetic_kind kind, index window = 64)
        : ctx_{ctx}, sae_{sae}, kind_{kind}, window_{static_cast<std::size_t>(std::max<index>(window, 1))},
          alive_{counts.alive()} {
        if (window < 1) throw usage_error("features are replaced by one of a window of at least 1, got ", window);
        if (alive_.empty())
            throw usage_error(
                "no feature of the sparse autoencoder ever fires: does it belong to this model and site?");
        std::stable_sort(alive_.begin(), alive_.end(),
                         [&](index f, index g) { return counts.count(f) < counts.count(g); });
        place_.assign(static_cast<std::size_t>(sae.features()), 0);
        for (std::size_t i = 0; i < alive_.size(); ++i) place_[static_cast<std::size_t>(alive_[i])] = i;
        for (index f = 0; f < sae.features(); ++f)
            lengths_.push_back(std::sqrt(tensor::dot(sae.decoder_row(f), sae.decoder_row(f))));
    }

    /// @param a  [D]      @return [D]; with the features of `replaced`      @throws as replaced
    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        auto const width = static_cast<index>(a.size());
        tensor::buffer<T, 2> features({1, sae_.features()}), decoded({1, width});
        auto const scales = sae_.encode(ctx_, tensor::view<T const, 2>{a.data(), {1, width}}, features);
        auto const other = replaced(features.flat(), rng);
        sae_.decode(tensor::view<T const, 2>{other.data(), {1, sae_.features()}}, scales, decoded);
        return {decoded.data(), decoded.data() + width};
    }

    /// The features after the exchange, [F]: the same strengths, at others. @param features  [F]
    /// @throws domain_error if more features are active than are alive in the counts
    std::vector<T> replaced(std::span<T const> features, counter_rng& rng) const {
        std::vector<index> active;
        for (index f = 0; f < sae_.features(); ++f) {
            if (features[static_cast<std::size_t>(f)] > 0) active.push_back(f);
        }
        if (active.size() > alive_.size()) {
            throw domain_error(active.size(), " features are active here, but only ", alive_.size(),
                               " were ever seen to fire: count over more activations");
        }
        std::stable_sort(active.begin(), active.end(), [&](index f, index g) {
            return features[static_cast<std::size_t>(f)] > features[static_cast<std::size_t>(g)];
        });
        std::vector<T> result(features.size());
        std::vector<bool> used(alive_.size());
        std::vector<index> taken;
        for (std::size_t i = 0; i < active.size(); ++i) {
            auto const at = replacement(std::span<index const>{active}.first(i + 1), taken, used, rng);
            used[at] = true;
            taken.push_back(alive_[at]);
            result[static_cast<std::size_t>(alive_[at])] = features[static_cast<std::size_t>(active[i])];
        }
        return result;
    }

private:
    double cosine(index f, index g) const {
        double const norms = lengths_[static_cast<std::size_t>(f)] * lengths_[static_cast<std::size_t>(g)];
        return norms > 0 ? tensor::dot(sae_.decoder_row(f), sae_.decoder_row(g)) / norms : 0;
    }

    /// Which of the alive features replaces the last of `active`.
    std::size_t replacement(std::span<index const> active, std::vector<index> const& taken,
                            std::vector<bool> const& used, counter_rng& rng) const {
        index const own = active.back();
        auto candidates = free_within(0, alive_.size(), used, own);
        if (kind_ == synthetic_kind::structured) {
            // one that the counts never saw fire stands among the rarest
            std::size_t begin = place_[static_cast<std::size_t>(own)], end = begin;
            begin -= std::min(begin, window_ / 2);
            end = std::min(begin + window_, alive_.size());
            for (;;) {
                auto near = free_within(begin, end, used, own);
                if (!near.empty() || (begin == 0 && end == alive_.size())) {
                    if (!near.empty()) candidates = std::move(near);
                    break;
                }
                begin -= std::min(begin, window_);
                end = std::min(end + window_, alive_.size());
            }
        }
        if (candidates.empty()) return place_[static_cast<std::size_t>(own)];  // nothing but itself is left
        if (kind_ == synthetic_kind::baseline || taken.empty())
            return candidates[static_cast<std::size_t>(rng.below(candidates.size()))];
        std::vector<double> wanted;
        for (std::size_t i = 0; i < taken.size(); ++i) wanted.push_back(cosine(own, active[i]));
        std::size_t best = candidates.front();
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t const at : candidates) {
            double error = 0;
            for (std::size_t i = 0; i < taken.size(); ++i) {
                double const off = cosine(alive_[at], taken[i]) - wanted[i];
                error += off * off;
            }
            if (error >= least) continue;
            least = error;
            best = at;
        }
        return best;
    }

    std::vector<std::size_t> free_within(std::size_t begin, std::size_t end, std::vector<bool> const& used,
                                         index own) const {
        std::vector<std::size_t> found;
        for (std::size_t at = begin; at < end; ++at) {
            if (!used[at] && alive_[at] != own) found.push_back(at);
        }
        return found;
    }

    Context const& ctx_;
    sparse_autoencoder<Context, T> const& sae_;
    synthetic_kind kind_;
    std::size_t window_;
    std::vector<index> alive_;        ///< from the rarest on
    std::vector<std::size_t> place_;  ///< [F] of an alive feature among them
    std::vector<double> lengths_;     ///< [F] of decoder rows
};

}  // namespace plateau::sae
