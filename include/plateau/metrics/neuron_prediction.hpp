#pragma once
/// The expected place of the jump, from neurons of the first MLP that only one of the ends turns on.

#include <optional>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

enum class neuron_rule {
    ratio,  ///< both sums in units of their value at their own end
    naive,  ///< the sums as they are
};

/// The first point where S_A < S_B, with S_A(α) the sum of the activations of neurons that are on (> 0) at A and off at
/// B, S_B those on at B and off at A.
/// @param neurons  [S, F] activations after the nonlinearity along the path, A first, B last; S >= 2
/// @return nothing if S_A never falls below S_B; with `ratio` also if either sum is zero at its end
/// @throws shape_error if S < 2      @see LASR code (blow-up predictor; baselines `naive` and α = ½)
template <class T>
std::optional<index> neuron_prediction(tensor::view<T const, 2> neurons, neuron_rule rule = neuron_rule::ratio) {
    index const points = neurons.extent(0), width = neurons.extent(1);
    if (points < 2) throw shape_error("neuron_prediction needs both ends of a path, got points: ", points);
    struct sums {
        double a = 0, b = 0;
    };
    std::vector<sums> along(static_cast<std::size_t>(points));
    for (index f = 0; f < width; ++f) {
        bool const on_at_a = neurons(0, f) > T{}, on_at_b = neurons(points - 1, f) > T{};
        if (on_at_a == on_at_b) continue;
        for (index s = 0; s < points; ++s) {
            auto& sum = along[static_cast<std::size_t>(s)];
            (on_at_a ? sum.a : sum.b) += static_cast<double>(neurons(s, f));
        }
    }
    double const unit_a = rule == neuron_rule::ratio ? along.front().a : 1;
    double const unit_b = rule == neuron_rule::ratio ? along.back().b : 1;
    if (!(unit_a > 0 && unit_b > 0)) return std::nullopt;
    for (index s = 0; s < points; ++s) {
        auto const& sum = along[static_cast<std::size_t>(s)];
        if (sum.a / unit_a < sum.b / unit_b) return s;
    }
    return std::nullopt;
}

}  // namespace plateau::metrics
