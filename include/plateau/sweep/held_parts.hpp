#pragma once
/// Parts of the model held along paths, one kind at a time: how sharp the jump is without what they do.

#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <plateau/paths/grid.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/freeze.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// One kind of part and the sites that it is made of.
struct part_name {
    char const* name;
    char const* sites;
};
inline constexpr std::array<part_name, 4> part_names{{
    {"patterns", "blocks.*.attn.hook_pattern"},
    {"attention outputs", "blocks.*.hook_attn_out"},
    {"MLP outputs", "blocks.*.hook_mlp_out"},
    {"norm scales", "*hook_scale"},
}};

/// Curves with one kind of part held.
struct held_curves {
    std::string part;  ///< "nothing" of none
    std::string at;    ///< "A", "mean", or empty
    transitions curves;
    std::vector<double> whole;  ///< [P] d(1)
};

/// d(α) along the points of a sweep, [P,S] each: with nothing held, then with each kind of part held at the context's
/// own run and at its mean over the path; NaN all over where a stream is not finite without a part.
/// @throws as freeze, distances_along; numeric_error where it is not finite with nothing held
template <class T>
std::vector<tensor::buffer<double, 2>> held_distances(model<T> const& model, prompt_list const& prompts,
                                                      std::vector<prompt_pair> const& pairs,
                                                      sweep_points<T> const& along) {
    auto const alpha = paths::even_grid(0, 1, along.points);
    std::vector<tensor::buffer<double, 2>> all;
    auto const add = [&](std::vector<frozen_sites> const& what) {
        try {
            auto const held = freeze(model, prompts, pairs, along, what);
            auto curves = distances_along(model, prompts, pairs, alpha, along.write, along.setup, held);
            require_finite(curves.distances, along.setup.read);
            all.push_back(std::move(curves.distances));
        } catch (numeric_error const&) {  // held norms let a stream grow beyond all bounds
            if (what.empty()) throw;
            all.emplace_back(std::array<index, 2>{static_cast<index>(pairs.size()), along.points});
            std::fill_n(all.back().data(), all.back().size(), std::numeric_limits<double>::quiet_NaN());
        }
    };
    add({});
    for (auto const& [name, sites] : part_names) {
        add({{sites, frozen_at::context}});
        add({{sites, frozen_at::path_mean}});
    }
    return all;
}

/// What they say. @param distances  of held_distances
/// @return NaN for a part without which some stream is not finite, or no pair's output moves any more
/// @throws numeric_error if no pair's output moves with nothing held
inline std::vector<held_curves> held_curves_of(std::vector<tensor::buffer<double, 2>> const& distances, double min_d1) {
    std::vector<held_curves> all{{"nothing", "", {}, {}}};
    for (auto const& [name, sites] : part_names) {
        for (auto const* at : {"A", "mean"}) all.push_back({name, at, {}, {}});
    }
    for (std::size_t k = 0; k < all.size(); ++k) {
        auto const& of_part = distances[k];
        index const pairs = of_part.extent(0), points = of_part.extent(1);
        try {
            require_finite(of_part, all[k].part);
            all[k].curves = transitions_of(paths::even_grid(0, 1, points), of_part, min_d1);
            for (index p = 0; p < pairs; ++p) all[k].whole.push_back(of_part(p, points - 1));
        } catch (numeric_error const&) {
            if (k == 0) throw;
            std::vector<double> const none(static_cast<std::size_t>(pairs), std::numeric_limits<double>::quiet_NaN());
            all[k].curves.width = all[k].whole = none;
        }
    }
    return all;
}

/// Both. @see Shinkle & Heimersheim 2025
template <class T>
std::vector<held_curves> hold_parts(model<T> const& model, prompt_list const& prompts,
                                    std::vector<prompt_pair> const& pairs, sweep_points<T> const& along,
                                    double min_d1) {
    return held_curves_of(held_distances(model, prompts, pairs, along), min_d1);
}

/// Width and d(1), medians over pairs; the change of width pair by pair. @param held  of hold_parts
inline statistics::interval_table held_table(pair_design const& design, std::vector<held_curves> const& held) {
    statistics::interval_table table{{"held", "at"}, {"width", "change of width", "d(1) over that of nothing held"}};
    for (auto const& one : held) {
        std::vector<double> change, ratio;
        for (std::size_t p = 0; p < one.whole.size(); ++p) {
            change.push_back(one.curves.width[p] - held[0].curves.width[p]);
            ratio.push_back(one.whole[p] / held[0].whole[p]);
        }
        table.row({one.part, one.at}, {design.median(one.curves.width), design.median(change), design.median(ratio)});
    }
    return table;
}

}  // namespace plateau::sweep
