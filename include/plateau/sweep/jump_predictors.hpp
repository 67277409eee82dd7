#pragma once
/// Predictors of jumps: where the output should jump, from activations alone and from the first MLP's neurons.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/metrics/jump_prediction.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/neuron_prediction.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// A predictor, and where it expects each pair's jump.
struct jump_predictor {
    std::string name;
    std::string key;             ///< of files and summaries; empty for one that is the same for all pairs
    std::vector<double> places;  ///< [P] in α; NaN where it has none
};

/// Those of jump_predictors, without places.
inline std::vector<jump_predictor> named_predictors() {
    return {{"alpha mean", "alpha_mean", {}},
            {"bisector", "bisector", {}},
            {"neurons, ratio", "neurons_ratio", {}},
            {"neurons, naive", "neurons_naive", {}},
            {"one half", "", {}}};
}

/// Neurons along every path, [P, S, width]: reads them into `neurons`, which stays where it is.
/// @pre neurons [pairs, points of a pair, heads · width of the site]
template <class T>
hooks::hook_set<T> read_along(hooks::site const& site, tensor::buffer<T, 3>& neurons) {
    return engine::each_read_out<T>(site.name(), [&neurons](engine::read_out<T> const& r) {
        std::copy_n(r.value.data(), neurons.extent(2), neurons[r.pair][r.point].data());
    });
}

/// The foot of the activations' mean on the line from A to B, the bisector of the angle at that mean, two rules about
/// neurons that only one of the ends turns on, and one half.
/// @param activations  [N, width], whose mean is meant      @param neurons  [P, S, F] along the paths
/// @see Janiak et al. 2024, code (mean and bisector); LASR code (neurons)
template <class T>
std::vector<jump_predictor> jump_predictors(std::vector<prompt_pair> const& pairs,
                                            tensor::buffer<T, 2> const& activations,
                                            tensor::buffer<T, 3> const& neurons, std::vector<double> const& alpha) {
    auto all = named_predictors();
    auto const mean = mean_activation(activations);
    for (index p = 0; p < static_cast<index>(pairs.size()); ++p) {
        auto const& pair = pairs[static_cast<std::size_t>(p)];
        std::span<T const> const a = activations[pair.from].flat(), b = activations[pair.to].flat(), m{mean};
        all[0].places.push_back(metrics::alpha_mean(a, b, m));
        all[1].places.push_back(metrics::bisector_prediction(a, b, m));
        for (auto const rule : {metrics::neuron_rule::ratio, metrics::neuron_rule::naive}) {
            auto const at = metrics::neuron_prediction<T>(neurons[p], rule);
            all[rule == metrics::neuron_rule::ratio ? 2 : 3].places.push_back(
                at ? alpha[static_cast<std::size_t>(*at)] : std::numeric_limits<double>::quiet_NaN());
        }
        all[4].places.push_back(0.5);
    }
    return all;
}

/// Distance curves of pairs, and what is expected of them.
struct predicted_curves {
    distance_curves curves = {};
    std::vector<jump_predictor> predictors = named_predictors();

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        distance_curves::each_array(self.curves, visit);
        for (auto& one : self.predictors) visit(one.places);
    }
};

/// [P]: the pairs of the published masks: not degenerate, and the distance of the line to the activations' mean varies
/// by more than `range` and is least neither in the first nor in the last two steps.
/// @see Janiak et al. 2024, code
template <class T>
std::vector<bool> mean_masks(std::vector<prompt_pair> const& pairs, tensor::buffer<T, 2> const& activations,
                             transitions const& curves, double range) {
    auto const mean = mean_activation(activations);
    std::vector<bool> passes;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        paths::linear<T> const line{activations[pairs[p].from].flat(), activations[pairs[p].to].flat()};
        std::vector<T> x(mean.size());
        std::vector<double> to_mean;
        for (double const alpha : curves.alpha) {
            line(alpha, x);
            to_mean.push_back(metrics::l2_distance<T>(x, mean));
        }
        passes.push_back(!std::isnan(curves.max_slope[p]) && metrics::passes_the_mean(to_mean, range));
    }
    return passes;
}

}  // namespace plateau::sweep
