#pragma once
/// Energies along paths: all that one sweep tells of the attention heads and the MLPs of some pairs.

#include <vector>

#include <plateau/sweep/energy_curves.hpp>
#include <plateau/sweep/energy_marks.hpp>
#include <plateau/sweep/held_parts.hpp>
#include <plateau/sweep/mlp_energy.hpp>

namespace plateau::sweep {

struct path_energies_options {
    attention_energy_options along = {};
    bool mlp = false;     ///< energies of MLPs too
    bool curves = false;  ///< the curves of every head
    bool held = false;    ///< the output with parts held
};

/// Of P pairs, L blocks, H heads, S points.
struct path_energies {
    distance_curves curves = {};  ///< d(α)
    energy_marks marks = {};
    energy_curves of_heads = {};                       ///< or none
    tensor::buffer<double, 3> mlp = {};                ///< [P,L,S], or none
    std::vector<tensor::buffer<double, 2>> held = {};  ///< of held_distances, or none

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        distance_curves::each_array(self.curves, visit);
        energy_marks::each_array(self.marks, visit);
        energy_curves::each_array(self.of_heads, visit);
        visit(self.mlp), visit(self.held);
    }
};

/// @throws as attention_energies, read_mlp_energies, held_distances; numeric_error where a read-out is not finite
template <class T>
path_energies find_path_energies(model<T> const& model, prompt_list const& prompts,
                                 std::vector<prompt_pair> const& pairs, path_energies_options const& o) {
    auto const& a = o.along;
    index const count = std::ssize(pairs), layers = model.layers(), heads = model.config.heads;
    path_energies all{.marks = {count, layers, heads}};
    hooks::hook_set<T> also;
    if (o.mlp) {
        all.mlp = tensor::buffer<double, 3>({count, layers, a.steps});
        also = read_mlp_energies(model, a.write, all.mlp.view());
    }
    if (o.curves) all.of_heads = {count, layers, heads, a.steps};
    auto const take = [&](head_path const& path) {
        all.marks.take(path);
        if (o.curves) all.of_heads.take(path);
    };
    all.curves = attention_energies(model, prompts, pairs, a, take, also);
    if (o.held) {
        path_points<T> const path{model, prompts, a.path, a.write, a.steps, a.path_mean};
        sweep_points<T> const along{a.steps,
                                    a.random_direction ? random_lines<T>(a.steps, a.seed, a.first_pair) : path.points,
                                    {.write = a.write, .read = a.read, .progress = a.progress}};
        all.held = held_distances(model, prompts, pairs, along);
    }
    require_finite(all.curves.distances, a.read);
    return all;
}

}  // namespace plateau::sweep
