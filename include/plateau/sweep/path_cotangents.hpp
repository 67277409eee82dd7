#pragma once
/// Cotangents along paths between activations: what numbers of the output owe to the written positions.

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <plateau/sweep/path_derivatives.hpp>

namespace plateau::sweep {

/// P pairs, S points, K sets, n written positions, D the width of the write site.
template <class T>
struct path_cotangents {
    tensor::buffer<T, 4> vjp;               ///< [P,S,n,D] Jᵀv; NaN beyond the positions of a pair that has fewer
    tensor::buffer<T, 5> held_vjp;          ///< [K,P,S,n,D] J_Sᵀv
    std::vector<char> computed_again = {};  ///< [P] 1 where values of layers were, of some rows

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.vjp), visit(self.held_vjp, 1), visit(self.computed_again);
    }

    /// How they came back.
    char const* how() const {
        return std::ranges::count(computed_again, 1) > 0 ? "weights transposed, values computed again"
                                                         : "weights transposed, values kept";
    }
};

/// Positions that are written, at most. @throws as resolve_rows
inline index written_positions(prompt_list const& prompts, std::vector<engine::prompt_pair> const& pairs,
                               engine::write_positions const& where) {
    index most = 1;
    for (auto const& pair : pairs) {
        auto const& context = prompts[static_cast<std::size_t>(pair.context)];
        auto const& other = prompts[static_cast<std::size_t>(pair.other())];
        most = std::max(most, engine::resolve_rows(where, context, other, pair).count);
    }
    return most;
}

/// Jᵀv, J = dF/dx, at every point of every pair's path, and J_Sᵀv with the parts of each set taken for constant.
/// @param cotangents  v, [1, W] or one for each pair, [P, W]
/// @throws as carry_cotangents and freeze; usage_error on cotangents of another shape
template <class T>
path_cotangents<T> cotangents_along(model<T> const& model, prompt_list const& prompts,
                                    std::vector<engine::prompt_pair> const& pairs, path_derivatives_options const& o,
                                    tensor::view<T const, 2> cotangents) {
    auto const read = hooks::find_site(model.sites(), o.read), write = hooks::find_site(model.sites(), o.write);
    auto const count = static_cast<index>(pairs.size()), sets = static_cast<index>(o.held.size());
    index const width = read.heads * read.width, written = write.heads * write.width;
    index const given = cotangents.extent(0), whole = o.part.all > 0 ? o.part.all : count;
    if (cotangents.extent(1) != width || (given != 1 && given != whole))
        throw usage_error("cotangents are [", width, "] or [", whole, ", ", width, "], not [", given, ", ",
                          cotangents.extent(1), "]");
    index const positions = o.part.positions > 0 ? o.part.positions : written_positions(prompts, pairs, o.positions);
    path_cotangents<T> r{tensor::buffer<T, 4>({count, o.steps, positions, written}),
                         tensor::buffer<T, 5>({sets, count, o.steps, positions, written})};
    std::fill_n(r.vjp.data(), r.vjp.size(), std::numeric_limits<T>::quiet_NaN());
    std::fill_n(r.held_vjp.data(), r.held_vjp.size(), std::numeric_limits<T>::quiet_NaN());
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    engine::cotangent_request<T> what;
    what.count = 1 + sets;
    what.read = o.read;
    what.sets.insert(what.sets.end(), o.held.begin(), o.held.end());
    for (index k = 0; k < sets; ++k) what.set.push_back(static_cast<std::uint8_t>(k + 1));
    what.start = [&](index pair, index, index, std::span<T> out) {
        std::copy_n(cotangents[given == 1 ? 0 : o.part.first + pair].data(), width, out.data());
    };
    what.take = [&](index pair, index point, index i, tensor::view<T const, 2> g) {
        T* const to = i == 0 ? r.vjp[pair][point].data() : r.held_vjp[i - 1][pair][point].data();
        for (index j = 0; j < g.extent(0); ++j) std::copy_n(g[j].data(), written, to + j * written);
    };
    engine::setup const setup{.write = o.write, .read = o.read, .positions = o.positions, .progress = o.progress};
    hooks::hook_set<T> changes;
    if (!o.frozen.empty()) changes = freeze(model, prompts, pairs, {o.steps, along.points, setup}, o.frozen);
    auto const report =
        engine::carry_cotangents<T>(model.engine(), prompts, pairs, {o.steps, along.points, setup, changes}, what);
    r.computed_again.assign(pairs.size(), report.computed_again ? 1 : 0);
    return r;
}

/// Derivatives both ways.
template <class T>
struct derivatives_both_ways {
    path_derivatives<T> found;
    path_cotangents<T> back = {};  ///< if wanted

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        path_derivatives<T>::each_array(self.found, visit), path_cotangents<T>::each_array(self.back, visit);
    }
};

/// @param directions  as derivatives_along      @param cotangents  as cotangents_along; none for no way back
template <class T>
derivatives_both_ways<T> both_ways_along(model<T> const& model, prompt_list const& prompts,
                                         std::vector<engine::prompt_pair> const& pairs, path_derivatives_options o,
                                         tensor::view<T const, 2> directions, tensor::view<T const, 2> cotangents) {
    derivatives_both_ways<T> all{derivatives_along<T>(model, prompts, pairs, o, directions)};
    o.progress = {};
    if (cotangents.size() > 0) all.back = cotangents_along<T>(model, prompts, pairs, o, cotangents);
    return all;
}

PLATEAU_COMPILED_FUNCTION(cotangents_along);

}  // namespace plateau::sweep
