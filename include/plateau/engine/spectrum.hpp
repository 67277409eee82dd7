#pragma once
/// Norms and singular pairs of Jacobians, from products alone.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <plateau/engine/derivatives.hpp>
#include <plateau/tensor/gram.hpp>
#include <plateau/tensor/singular_pairs.hpp>

namespace plateau {

/// A norm with its 95 % interval.
struct norm_estimate {
    double value, low, high;
};

/// ‖J‖_F of d(read)/d(write) at a prompt by Hutchinson's estimate: ‖J‖_F² is the mean of |J u|² over u ~ N(0, 1).
/// @param probes  at least 2; as many tangents      @throws usage_error; as model::jvp
template <class T>
norm_estimate frobenius_norm(model<T> const& model, std::vector<token_id> const& prompt, derivative_of const& what = {},
                             index probes = 100, std::uint64_t seed = 0) {
    if (probes < 2) throw usage_error("an estimate with an interval needs at least 2 probes, not ", probes);
    auto const write = hooks::find_site(model.sites(), what.write);
    tensor::buffer<T, 2> directions({probes, write.heads * write.width});
    counter_rng draws{seed};
    for (T& x : directions.flat()) x = static_cast<T>(standard_normal(draws));
    auto const images = model.jvp(prompt, directions, what);
    double sum = 0, squares = 0;
    for (index i = 0; i < probes; ++i) {
        auto const image = images[i].flat();
        double const square = tensor::dot(image, image);
        sum += square, squares += square * square;
    }
    auto const n = static_cast<double>(probes);
    double const mean = sum / n, variance = std::max(0.0, (squares - sum * mean) / (n - 1));
    double const half = 1.96 * std::sqrt(variance / n);
    return {std::sqrt(mean), std::sqrt(std::max(0.0, mean - half)), std::sqrt(mean + half)};
}

/// The k largest singular values of d(read)/d(write) at a prompt, u_i at the read site and v_i at the write site.
/// @param options  its tolerance is at least what products in T allow
/// @throws usage_error, numeric_error as tensor::largest_singular_pairs; as model::jvp and vjp
template <class T>
tensor::singular_pairs singular_pairs(model<T> const& model, std::vector<token_id> const& prompt, index k,
                                      derivative_of const& what = {}, tensor::singular_options options = {}) {
    options.tolerance = std::max(options.tolerance, std::is_same_v<T, float> ? 1e-4 : 0.0);
    auto const read = hooks::find_site(model.sites(), what.read), write = hooks::find_site(model.sites(), what.write);
    auto const as = []<class To>(To, auto const& from) {
        tensor::buffer<To, 2> to(from.extents());
        for (index i = 0; i < from.extent(0); ++i)
            std::transform(from[i].data(), from[i].data() + from.extent(1), to[i].data(),
                           [](auto x) { return static_cast<To>(x); });
        return to;
    };
    return tensor::largest_singular_pairs(
        {read.heads * read.width, write.heads * write.width,
         [&](tensor::view<double const, 2> x) { return as(double{}, model.jvp(prompt, as(T{}, x), what)); },
         [&](tensor::view<double const, 2> y) { return as(double{}, model.vjp(prompt, as(T{}, y), what)); }},
        k, options);
}

/// W_Uᵀ W_U, [D, D]: what norms at the logits need of the unembedding. O(V D²)
template <class T>
tensor::buffer<double, 2> unembedding_gram(model<T> const& model) {
    tensor::buffer<double, 2> gram({model.width(), model.width()});
    constexpr index most = 512;  // tokens at a time
    for (index first = 0; first < model.vocabulary(); first += most) {
        std::vector<index> tokens;
        for (index v = first; v < std::min(first + most, model.vocabulary()); ++v) tokens.push_back(v);
        auto const rows = model.engine().unembedding_of(tokens).rows;
        tensor::add_gram<T>(rows.view(), gram.view());
    }
    return gram;
}

/// ‖W_U J‖_F = √tr(Jᵀ G J) of logits before a cap, without a row for every token.
/// @param gram  G = W_Uᵀ W_U      @param jacobian  [D, n], read at unembed.hook_in      @throws shape_error
template <class T>
double norm_at_logits(tensor::view<double const, 2> gram, tensor::view<T const, 2> jacobian) {
    return std::sqrt(std::max(0.0, tensor::trace_under(gram, jacobian)));
}

}  // namespace plateau
