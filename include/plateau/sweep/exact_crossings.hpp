#pragma once
/// Exact crossings of the first MLP's gates behind a write, along straight lines, in closed form.

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/read/sign_codes.hpp>
#include <plateau/engine/read/whole_paths.hpp>
#include <plateau/hooks/ablate.hpp>
#include <plateau/metrics/gate_crossings.hpp>
#include <plateau/metrics/sign_changes.hpp>
#include <plateau/sweep/freeze.hpp>
#include <plateau/sweep/gate_sites.hpp>
#include <plateau/sweep/interpolate.hpp>

namespace plateau::sweep {

/// One gate's sign change.
struct gate_crossing {
    index gate;
    double alpha;
};

struct exact_crossings {
    gate_site at;                                ///< whose gates
    std::vector<std::vector<gate_crossing>> of;  ///< [P], gate by gate, α rising

    /// How many of a pair lie in each interval of an even grid, [steps − 1].
    std::vector<index> by_interval(index pair, index steps) const {
        std::vector<index> counts(static_cast<std::size_t>(steps - 1));
        for (auto const& one : of[static_cast<std::size_t>(pair)])
            ++counts[std::min(counts.size() - 1, static_cast<std::size_t>(one.alpha * static_cast<double>(steps - 1)))];
        return counts;
    }
};

namespace detail {

/// The gates where their norm gives zero: what biases make of them, [F].
template <class T>
std::vector<double> gate_constants(model<T> const& model, gate_site const& at) {
    std::vector<double> constants(static_cast<std::size_t>(at.gates));
    if (at.normalized.empty()) return constants;
    model.run({{0}}, hooks::zero_ablate<T>(at.normalized) | hooks::capture<T>(at.pre, [&](hooks::rows_at<T>& here) {
                         auto const row = here.read()[0].flat();
                         std::copy(row.begin(), row.end(), constants.begin());
                     }));
    return constants;
}

}  // namespace detail

/// What holds the attention's output between the write and the first MLP at the context's own run, if any is between:
/// to be given to other sweeps over the same pairs, which then see the same gates.
template <class T>
hooks::hook_set<T> hold_attention(model<T> const& model, prompt_list const& prompts,
                                  std::vector<prompt_pair> const& pairs, sweep_points<T> const& sweep,
                                  gate_site const& at) {
    if (at.attention.empty()) return {};
    return freeze(model, prompts, pairs, sweep, {{at.attention, frozen_at::context}});
}

/// Of three points of each line. With the attention's output held, what the MLP reads is linear in α, and a gate
///     z(α) = p(α) / s(α) + c,   p linear, s the norm's divisor:
/// z and s at α = 0, ½, 1 tell all of it; c is the gate of a point that the norm makes zero.
/// @param lines  writes the points 0, ½, 1 of straight lines      @param held  of hold_attention
/// @throws site_error unless what is written adds to the residual stream, see gates_behind; as distances_along
/// @see methods for ReLU networks: Sotoudeh & Thakur 2019, arXiv 1908.06214 (ExactLine)
template <class T>
exact_crossings find_exact_crossings(model<T> const& model, prompt_list const& prompts,
                                     std::vector<prompt_pair> const& pairs, sweep_points<T> const& lines,
                                     hooks::hook_set<T> const& held) {
    using hooks::site_id;
    auto const write = engine::resolve_write_site(model.sites(), lines.setup.write).at;
    constexpr std::array adding{site_id::embed,     site_id::pos_embed, site_id::resid_pre, site_id::attn_out,
                                site_id::resid_mid, site_id::mlp_out,   site_id::resid_post};
    if (std::find(adding.begin(), adding.end(), write.id) == adding.end())
        throw site_error("crossings are exact where the residual stream is written, or what adds to it, not at ",
                         write.name());
    exact_crossings all{gates_behind(model.sites(), lines.setup.write).front(), {}};
    all.of.resize(pairs.size());
    auto const constants = detail::gate_constants(model, all.at);
    tensor::buffer<double, 2> scales({static_cast<index>(pairs.size()), 3});
    std::fill_n(scales.data(), scales.size(), 1.0);
    auto reads = held;
    if (!all.at.scale.empty())
        reads = reads | engine::read_paths<T>(all.at.scale, [&](index pair, tensor::view<T const, 2> s) {
                    for (index i = 0; i < 3; ++i) scales(pair, i) = static_cast<double>(s(i, 0));
                });
    reads = reads | engine::read_paths<T>(all.at.pre, [&](index pair, tensor::view<T const, 2> z) {
                auto const s = scales[pair].flat();
                metrics::gate_on_line line{0, 0, 0, metrics::squared_divisor::through(s[0], s[1], s[2])};
                for (index j = 0; j < z.extent(1); ++j) {
                    line.constant = constants[static_cast<std::size_t>(j)];
                    line.start = (static_cast<double>(z(0, j)) - line.constant) * s[0];
                    line.end = (static_cast<double>(z(2, j)) - line.constant) * s[2];
                    for (double const alpha : metrics::crossings_of(line))
                        all.of[static_cast<std::size_t>(pair)].push_back({j, alpha});
                }
            });
    engine::patched_rows<T>{model.engine(), prompts, 3, lines.setup}.run(pairs, lines.write, reads);
    return all;
}

/// The same sampled: sign changes of those gates from point to point, [P,S − 1]; from below, as two between two points
/// are not seen.
/// @param lines  writes S points of the same lines
template <class T>
tensor::buffer<index, 2> sample_crossings(model<T> const& model, prompt_list const& prompts,
                                          std::vector<prompt_pair> const& pairs, sweep_points<T> const& lines,
                                          hooks::hook_set<T> const& held, gate_site const& at) {
    tensor::buffer<index, 2> found({static_cast<index>(pairs.size()), lines.points - 1});
    auto const take = [&](index pair, tensor::view<std::uint64_t const, 2> codes) {
        auto const changes = metrics::sign_changes_along(codes);
        std::copy(changes.begin(), changes.end(), found[pair].data());
    };
    engine::patched_rows<T>{model.engine(), prompts, lines.points, lines.setup}.run(
        pairs, lines.write, held | engine::read_sign_codes<T>(at.pre, take));
    return found;
}

}  // namespace plateau::sweep
