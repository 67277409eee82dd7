#pragma once
/// Local complexity: how many hyperplanes of gates pass through a small neighbourhood of an activation.

#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/normal.hpp>
#include <plateau/core/table.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/sign_codes.hpp>
#include <plateau/metrics/sign_changes.hpp>
#include <plateau/paths/point.hpp>
#include <plateau/sweep/gate_sites.hpp>

namespace plateau::sweep {

struct local_complexity_options {
    std::string write = "blocks.0.hook_resid_post";
    std::vector<double> radii = {};  ///< [K] as shares of |x|
    index directions = 25;           ///< P: the neighbourhood has 2 P vertices
    std::uint64_t seed = 0;
    index first_prompt = 0;                    ///< number of the first prompt, of which its directions are made
    std::function<void(index)> progress = {};  ///< told of points; called concurrently
};

/// Orthonormal directions [P, D], uniform: normal draws, made orthogonal twice over. @pre P <= D
inline tensor::buffer<double, 2> random_frame(index count, index width, counter_rng& rng) {
    tensor::buffer<double, 2> frame({count, width});
    for (index i = 0; i < count; ++i) {
        auto const row = frame[i].flat();
        auto const draws = standard_normals(row.size(), rng);
        std::copy(draws.begin(), draws.end(), row.begin());
        for (index k = 0; k < 2 * i; ++k) {
            auto const other = frame[k % i].flat();
            double const along = std::inner_product(row.begin(), row.end(), other.begin(), 0.0);
            for (std::size_t j = 0; j < row.size(); ++j) row[j] -= along * other[j];
        }
        double const length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
        for (double& one : row) one /= length;
    }
    return frame;
}

/// Gates whose sign is not the same at all vertices x ± r |x| v_i of a cross-polytope about each prompt's own x,
/// [K,N,L], in the prompt's run; v_1 … v_P orthonormal, of each prompt its own. Blocks before the write have zeros.
/// @throws usage_error without radii, on one that is not positive, or on more directions than x has elements
/// @see Humayun, Balestriero & Baraniuk 2024, arXiv 2402.15555
template <class T>
tensor::buffer<index, 3> local_complexity(model<T> const& model, prompt_list const& prompts,
                                          local_complexity_options const& o) {
    auto const gates = gates_behind(model.sites(), o.write);
    index const width = engine::resolve_write_site(model.sites(), o.write).width();
    if (o.radii.empty()) throw usage_error("local complexity needs a radius at least");
    for (double const radius : o.radii) {
        if (!(radius > 0 && std::isfinite(radius)))
            throw usage_error("a radius is a positive share of |x|, got ", fixed(radius, 6));
    }
    if (o.directions < 1 || o.directions > width)
        throw usage_error("a neighbourhood has 1 to ", width, " directions here, got ", o.directions);
    auto const count = static_cast<index>(prompts.size()), radii = static_cast<index>(o.radii.size());
    index const vertices = 2 * o.directions;
    std::vector<tensor::buffer<double, 2>> frames;
    std::vector<engine::prompt_pair> own;
    counter_rng const seeds{o.seed};
    for (index i = 0; i < count; ++i) {
        counter_rng rng{seeds.at(static_cast<std::uint64_t>(o.first_prompt + i))};
        frames.push_back(random_frame(o.directions, width, rng));
        own.push_back({i, i});
    }
    auto const write = [&](index pair, index point, tensor::view<T const, 2> from, auto, tensor::view<T, 2> out) {
        auto const x = from[0].flat();
        double squares = 0;
        for (T const one : x) squares += static_cast<double>(one) * static_cast<double>(one);
        double const radius = o.radii[static_cast<std::size_t>(point / vertices)] * std::sqrt(squares);
        std::span<double const> const direction{frames[static_cast<std::size_t>(pair)][point % vertices / 2].flat()};
        paths::weighted_sum(out[0].flat(), paths::term<T>{1, x},
                            paths::term<double>{point % 2 == 0 ? radius : -radius, direction});
    };
    tensor::buffer<index, 3> found({radii, count, model.layers()});
    hooks::hook_set<T> reads;
    for (auto const& gate : gates) {
        auto const take = [&, layer = gate.layer](index pair, tensor::view<std::uint64_t const, 2> codes) {
            for (index k = 0; k < radii; ++k)
                found(k, pair, layer) = metrics::signs_that_vary(codes.rows(k * vertices, vertices));
        };
        reads = reads | engine::read_sign_codes<T>(gate.pre, take);
    }
    engine::setup const where{.write = o.write, .progress = o.progress};
    engine::patched_rows<T>{model.engine(), prompts, radii * vertices, where}.run(own, write, reads);
    return found;
}

}  // namespace plateau::sweep
