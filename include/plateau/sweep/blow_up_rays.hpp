#pragma once
/// Rays from centres, real activations and random ones of the same statistics, toward targets.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/streams.hpp>
#include <plateau/directions/controls.hpp>
#include <plateau/directions/isotropic.hpp>
#include <plateau/directions/real.hpp>
#include <plateau/directions/toward.hpp>
#include <plateau/paths/tangent.hpp>
#include <plateau/sweep/activation_fit.hpp>
#include <plateau/sweep/sparse_features.hpp>

namespace plateau::sweep {

/// Kinds of rays: every centre toward every target. A kind is centre · G + target.
struct ray_kinds {
    static constexpr index targets = 3;  ///< G
    static constexpr std::array<char const*, targets> target_names{"real", "gaussian", "isotropic"};
    static constexpr std::array<char const*, 4> centre_names{"real", "gaussian", "synthetic-baseline",
                                                             "synthetic-structured"};
    index centres = 2;  ///< C, the first ones of the names

    index count() const { return centres * targets; }
    static constexpr index of(index centre, index target) { return centre * targets + target; }
    static std::string centre_name(index kind) { return centre_names[static_cast<std::size_t>(kind / targets)]; }
    static std::string target_name(index kind) { return target_names[static_cast<std::size_t>(kind % targets)]; }
    /// "real toward gaussian"
    static std::string name(index kind) { return centre_name(kind) + " toward " + target_name(kind); }
};

struct ray_options {
    std::uint64_t seed = 0;
    bool real_norm = false;  ///< centres that are not real have the length of the real one
};

/// Where rays begin and lead, of every kind at every one of N prompts.
template <class T>
struct blow_up_rays {
    ray_kinds kinds;
    index prompts = 0;
    tensor::buffer<T, 2> centres;     ///< [C·N, D]
    tensor::buffer<double, 2> units;  ///< [C·G·N, D] from each centre toward each target
    std::vector<double> norms = {};   ///< [C,N] |centre|
};

namespace detail {

/// Streams of random numbers of a ray's parts; synthetic centres have further ones.
enum ray_stream : std::uint64_t { centre_stream, real_stream, gaussian_stream, isotropic_stream, synthetic_stream };

/// The targets of one prompt: points, but for the isotropic one, which is a direction.
template <class T>
std::array<std::vector<double>, ray_kinds::targets> draw_targets(activation_fit<T> const& fit, index prompt,
                                                                 std::uint64_t seed) {
    std::span<T const> const a = fit.real.view()[prompt].flat();
    auto real_rng = stream_of(seed, real_stream, prompt), gaussian_rng = stream_of(seed, gaussian_stream, prompt),
         isotropic_rng = stream_of(seed, isotropic_stream, prompt);
    auto other = directions::toward_real<T>{fit.real}(a, real_rng);  // A + this is the other activation
    for (std::size_t k = 0; k < other.size(); ++k) other[k] += static_cast<double>(a[k]);
    auto drawn = fit.normal(gaussian_rng);
    return {std::move(other), std::move(drawn), directions::isotropic{}(a, isotropic_rng)};
}

}  // namespace detail

/// In the place of each prompt's activation A, centres
///     real                  A itself
///     gaussian              a draw of N(μ, Σ)
///     synthetic-baseline    the autoencoder's features active at A, replaced by as many others as strong, decoded
///     synthetic-structured  the same by others about as rare and as similar to each other
/// and targets, the same for all centres:
///     real       another prompt's activation
///     gaussian   another draw of N(μ, Σ)
///     isotropic  the centre plus a draw of N(0, I)
/// @param features  or null: the first two centres alone
/// @throws domain_error where a centre is its own target, or there is no other activation
/// @see Giglemiani et al. 2024, arXiv 2409.15019; Heimersheim & Mendel 2024
template <class T>
blow_up_rays<T> draw_rays(activation_fit<T> const& fit, sparse_features<T> const* features,
                          ray_options const& options) {
    using sae::synthetic_kind;
    index const count = fit.real.extent(0), width = fit.real.extent(1);
    ray_kinds const kinds{features != nullptr ? 4 : 2};
    blow_up_rays<T> rays{kinds, count, tensor::buffer<T, 2>{{kinds.centres * count, width}},
                         tensor::buffer<double, 2>{{kinds.count() * count, width}}};
    std::vector<sae::synthetic_activation<typename sparse_features<T>::context, T>> synthetic;
    for (auto const kind : {synthetic_kind::baseline, synthetic_kind::structured}) {
        if (features != nullptr) synthetic.push_back(features->synthetic(kind));
    }
    for (index i = 0; i < count; ++i) {
        // centres: the activation itself, a draw, and what the autoencoder makes of it
        std::span<T const> const a = fit.real.view()[i].flat();
        std::ranges::copy(a, rays.centres[i].data());
        auto const place = [&](index centre, std::vector<double> drawn) {
            if (options.real_norm)
                drawn = directions::rescaled(std::span<double const>{drawn}, fit.norms[static_cast<std::size_t>(i)]);
            std::ranges::transform(drawn, rays.centres[centre * count + i].data(),
                                   [](double x) { return static_cast<T>(x); });
        };
        auto centre_rng = stream_of(options.seed, detail::centre_stream, i);
        place(1, fit.normal(centre_rng));
        for (std::size_t s = 0; s < synthetic.size(); ++s) {
            auto rng = stream_of(options.seed, detail::synthetic_stream + s, i);
            place(2 + static_cast<index>(s), synthetic[s](a, rng));
        }
        // unit vectors from each centre to each target
        auto const targets = detail::draw_targets(fit, i, options.seed);
        for (index kind = 0; kind < kinds.count(); ++kind) {
            std::span<T const> const centre = rays.centres.view()[kind / ray_kinds::targets * count + i].flat();
            std::span<double const> const target{targets[static_cast<std::size_t>(kind % ray_kinds::targets)]};
            bool const is_direction = kind % ray_kinds::targets == 2;
            auto const way = is_direction ? std::vector<double>(target.begin(), target.end())
                                          : directions::difference(target, centre);
            auto const unit = paths::unit(std::span<double const>{way}, "the way from a centre to its target");
            std::ranges::copy(unit, rays.units[kind * count + i].data());
        }
    }
    for (index r = 0; r < kinds.centres * count; ++r)
        rays.norms.push_back(paths::length_of(std::span<T const>{rays.centres.view()[r].flat()}, "a centre"));
    return rays;
}

}  // namespace plateau::sweep
