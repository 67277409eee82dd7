#pragma once
/// Straight lines between activations with the likeliest next token at every point.

#include <vector>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

struct labelled_curves {
    distance_curves curves;
    std::vector<index> labels = {};  ///< [P,S]

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        distance_curves::each_array(self.curves, visit);
        visit(self.labels);
    }
};

/// @throws as interpolate; numeric_error where a read-out is not finite
template <class T>
labelled_curves labelled_lines(model<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                               index steps, setup const& where) {
    engine::predictions<T> predictions{static_cast<index>(pairs.size()), steps, 1};
    labelled_curves all{
        interpolate(model, prompts, pairs, steps, where, engine::read_predictions(model.engine(), predictions))};
    require_finite(all.curves.distances, where.read);
    for (auto const& best : predictions.best.flat()) all.labels.push_back(best.token);
    return all;
}

}  // namespace plateau::sweep
