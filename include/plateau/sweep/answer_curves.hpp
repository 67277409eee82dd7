#pragma once
/// Answer curves: the logits of both ends' likeliest tokens along the line between two prompts.

#include <cstddef>
#include <utility>
#include <vector>

#include <plateau/engine/read/answer_logits.hpp>
#include <plateau/metrics/logit_difference.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/likeliest_tokens.hpp>

namespace plateau::sweep {

struct answer_curves {
    distance_curves distances;
    std::vector<std::vector<token_id>> answers = {};  ///< [P][2]: the likeliest token of both ends' own runs
    std::vector<std::vector<double>> logits = {};     ///< [P][S] normalised difference of their logits: 0 at A, 1 at B;
                                                      ///< NaN where both runs have the same one

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        distance_curves::each_array(self.distances, visit);
        visit(self.answers), visit(self.logits);
    }
};

/// Straight lines, read at where.read and at the logits. @throws as interpolate
template <class T>
answer_curves answers_along(model<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                            index steps, setup const& where) {
    auto const next = likeliest_tokens(model, prompts);
    auto const likeliest = [&](index prompt) { return next[static_cast<std::size_t>(prompt)]; };
    std::vector<std::vector<token_id>> answers;
    for (auto const& pair : pairs) answers.push_back({likeliest(pair.from), likeliest(pair.to)});
    engine::answer_logits<T> logits{model.engine(), answers, steps};
    answer_curves all{interpolate(model, prompts, pairs, steps, where, logits.reads()), std::move(answers)};
    for (index p = 0; p < static_cast<index>(pairs.size()); ++p)
        all.logits.push_back(metrics::normalised_logit_difference(logits.of(p, 0), logits.of(p, 1)));
    return all;
}

}  // namespace plateau::sweep
