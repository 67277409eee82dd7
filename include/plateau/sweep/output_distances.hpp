#pragma once
/// Output distances of prompt pairs: how differently two prompts go on, as the model or as a text has it.

#include <algorithm>
#include <limits>
#include <vector>

#include <plateau/corpus/following_tokens.hpp>
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/pair_design.hpp>

namespace plateau::sweep {

/// [P]: Jensen-Shannon distance of the next-token distributions of both prompts' own runs, in [0, 1].
/// Memory: the logits of all prompts, [N, V].
template <class T>
std::vector<double> output_distances(model<T> const& model, prompt_list const& prompts, pair_design const& design) {
    auto const logits = last_activations(model, prompts, model.sites().back().name());
    std::vector<double> distances;
    for (auto const& pair : design.pairs)
        distances.push_back(metrics::jensen_shannon_of_logits<T>(logits[pair.from].flat(), logits[pair.to].flat()));
    return distances;
}

/// [P]: that of what follows the last tokens of both prompts in a text; NaN where one is followed less than
/// `min_count` times there.
inline std::vector<double> corpus_distances(corpus::following_tokens const& following, index vocabulary,
                                            prompt_list const& prompts, pair_design const& design, index min_count) {
    std::vector<double> distances;
    for (auto const& pair : design.pairs) {
        token_id const a = prompts[static_cast<std::size_t>(pair.from)].back(),
                       b = prompts[static_cast<std::size_t>(pair.to)].back();
        bool const known = std::min(following.count(a), following.count(b)) >= min_count;
        auto const next = [&](token_id token) { return following.distribution(token, vocabulary); };
        distances.push_back(known ? metrics::jensen_shannon_distance(next(a), next(b))
                                  : std::numeric_limits<double>::quiet_NaN());
    }
    return distances;
}

}  // namespace plateau::sweep
