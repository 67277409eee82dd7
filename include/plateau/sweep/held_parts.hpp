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

/// Along the points of a sweep: nothing held, and each kind of part held at the context's own run and at its mean over
/// the path.
/// @return NaN for a part without which a stream is not finite, or no pair's output moves any more
/// @throws as freeze, distances_along
/// @see Shinkle & Heimersheim 2025
template <class T>
std::vector<held_curves> hold_parts(model<T> const& model, prompt_list const& prompts,
                                    std::vector<prompt_pair> const& pairs, sweep_points<T> const& along,
                                    double min_d1) {
    auto const alpha = paths::even_grid(0, 1, along.points);
    std::vector<held_curves> all;
    auto const add = [&](std::string part, std::string at, std::vector<frozen_sites> const& what) {
        all.push_back({std::move(part), std::move(at), {}, {}});
        try {
            auto const held = freeze(model, prompts, pairs, along, what);
            auto const curves = distances_along(model, prompts, pairs, alpha, along.write, along.setup, held);
            require_finite(curves.distances, along.setup.read);
            all.back().curves = transitions_of(alpha, curves.distances, min_d1);
            for (index p = 0; p < curves.distances.extent(0); ++p) all.back().whole.push_back(curves[p].back());
        } catch (numeric_error const&) {  // held norms let a stream grow beyond all bounds
            if (what.empty()) throw;
            std::vector<double> const none(pairs.size(), std::numeric_limits<double>::quiet_NaN());
            all.back().curves.width = all.back().whole = none;
        }
    };
    add("nothing", "", {});
    for (auto const& [name, sites] : part_names) {
        add(name, "A", {{sites, frozen_at::context}});
        add(name, "mean", {{sites, frozen_at::path_mean}});
    }
    return all;
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
