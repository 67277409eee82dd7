#pragma once
/// Families of directions by name, each with the line that tells what it is.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/streams.hpp>
#include <plateau/directions/isotropic.hpp>
#include <plateau/directions/published_normalisation.hpp>
#include <plateau/directions/random_row.hpp>
#include <plateau/directions/real.hpp>
#include <plateau/directions/toward.hpp>
#include <plateau/paths/tangent.hpp>
#include <plateau/sweep/activation_fit.hpp>
#include <plateau/sweep/sparse_features.hpp>

namespace plateau::sweep {

/// A name and what it means at an activation A.
struct family_name {
    char const* name;
    char const* what;
};
inline constexpr std::array<family_name, 11> family_names{{
    {"isotropic", "N(0, I)"},
    {"cov-random", "x - A, x of N(mu, Sigma)"},
    {"cov-mixture", "x1 - x2, both of N(mu, Sigma)"},
    {"real", "x - A, x another prompt's activation"},
    {"real-mixture", "x1 - x2, of two other prompts"},
    {"pca", "a principal component of the activations, either sign"},
    {"rows", "a random row of a given matrix, such as the decoder of a sparse autoencoder"},
    {"sae-active", "the decoder row of a feature of a sparse autoencoder that is active at A"},
    {"sae-inactive", "that of one that fires elsewhere, not at A"},
    {"sae-dead", "that of one that fires nowhere, over the activations that mean and covariance are of"},
    {"sae-error", "SAE(A) - A"},
}};

/// A family under a name of its own: anything that makes a vector of an activation.
template <class T>
struct direction_family {
    std::string name;
    directions::any_direction<T> draw;
    std::uint64_t stream;  ///< of random numbers: what a family draws does not depend on which others there are
};

template <class T>
std::vector<std::string> names_of(std::vector<direction_family<T>> const& families) {
    std::vector<std::string> names;
    for (auto const& one : families) names.push_back(one.name);
    return names;
}

/// What named families are made of, kept as references.
template <class T>
struct direction_sources {
    activation_fit<T> const& fit;
    tensor::view<double const, 2> rows = {};       ///< [F, D] of the family rows
    sparse_features<T> const* features = nullptr;  ///< of the families sae-...
};

/// @throws usage_error if there is no such name, or nothing to make it of
template <class T>
direction_family<T> named_family(std::string const& name, direction_sources<T> const& of) {
    using sae::feature_state;
    auto const known = std::ranges::find(family_names, name, [](auto const& one) { return std::string(one.name); });
    if (known == family_names.end()) throw usage_error("there is no family of directions '", name, "'");
    if (name.starts_with("sae-") && of.features == nullptr)
        throw usage_error("the family ", name, " needs a sparse autoencoder");
    tensor::view<T const, 2> const real = of.fit.real;
    auto const make = [&]() -> directions::any_direction<T> {
        if (name == "isotropic") return directions::isotropic{};
        if (name == "cov-random") return directions::toward_sample{of.fit.normal};
        if (name == "cov-mixture") return directions::sample_mixture{of.fit.normal};
        if (name == "real") return directions::toward_real<T>{real};
        if (name == "real-mixture") return directions::real_mixture<T>{real};
        if (name == "pca") return directions::random_row<double>{of.fit.components, directions::row_sign::random};
        if (name == "rows") return directions::random_row<double>{of.rows};
        if (name == "sae-error") return of.features->error();
        return of.features->direction(name == "sae-active" ? feature_state::active
                                      : name == "sae-dead" ? feature_state::dead
                                                           : feature_state::alive_inactive);
    };
    return {name, make(), static_cast<std::uint64_t>(known - family_names.begin())};
}

/// Why a family has no direction at one of these activations [N, D]; empty if it has one at all.
template <class T>
std::string why_missing(direction_family<T> const& family, tensor::view<T const, 2> activations) {
    for (index i = 0; i < activations.extent(0); ++i) {
        counter_rng rng{0};
        try {
            directions::unit_direction<T>(family.draw, activations[i].flat(), rng);
        } catch (domain_error const& problem) {
            return concat({"prompt ", i, ": ", problem.what()});
        }
    }
    return "";
}

/// Unit vectors of N activations and K families, `repeats` of each, [N, K, R, D]. @param activations  [N, D]
/// @param centred  directions lose their own mean over coordinates first: what a LayerNorm would remove anyway
/// @throws domain_error where a family has no direction
template <class T>
std::vector<double> draw_units(std::vector<direction_family<T>> const& families, tensor::view<T const, 2> activations,
                               index repeats, std::uint64_t seed, bool centred = false) {
    std::vector<double> units;
    for (index i = 0; i < activations.extent(0); ++i) {
        for (auto const& family : families) {
            for (index k = 0; k < repeats; ++k) {
                auto rng = stream_of(seed, family.stream, i * repeats + k);
                auto drawn = family.draw(activations[i].flat(), rng);
                if (centred) drawn = directions::without_own_mean(std::span<double const>{drawn});
                auto const unit = paths::unit(std::span<double const>{drawn}, "a direction");
                units.insert(units.end(), unit.begin(), unit.end());
            }
        }
    }
    return units;
}

}  // namespace plateau::sweep
