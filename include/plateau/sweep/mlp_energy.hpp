#pragma once
/// Energies of MLPs as memories of their gates' rows.

#include <memory>
#include <string>
#include <utility>

#include <plateau/core/shared.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/metrics/activation_potential.hpp>
#include <plateau/sweep/gate_sites.hpp>

namespace plateau::sweep {

/// A hook for a sweep: energies(p, l, i) = −Σ_j φ(z_j), z the gates of block l at the last position, φ the integral of
/// the activation. Its negative gradient by what the MLP reads is W_gateᵀ act(z): the MLP's own output where it is not
/// gated and its output matrix is the transpose of the input's; elsewhere an analogy, no flow of the model.
/// @param energies  [P, L, S], to live as long; zeros of blocks before the write site stay
/// @throws config_error where the configuration does not tell the activation; as gates_behind
/// @see Hoover et al. 2023, arXiv 2302.07253 (energy transformer: the Hopfield part, of tied weights)
template <class T>
hooks::hook_set<T> read_mlp_energies(model<T> const& model, std::string const& write,
                                     tensor::view<double, 3> energies) {
    if (model.config.d_mlp <= 0)
        throw config_error("energies of MLPs need the activation that a configuration tells, and this model has none");
    auto const potential = shared<metrics::activation_potential const>(model.config.act);
    hooks::hook_set<T> reads;
    for (auto const& gate : gates_behind(model.sites(), write)) {
        auto const look = [potential, energies, layer = gate.layer](engine::read_out<T> const& r) {
            double sum = 0;
            for (T const z : r.value) sum += (*potential)(static_cast<double>(z));
            energies(r.pair, layer, r.point) = -sum;
        };
        reads = reads | engine::each_read_out<T>(gate.pre, look);
    }
    return reads;
}

}  // namespace plateau::sweep
