#pragma once
/// How well a model predicts a text.

#include <cmath>
#include <functional>
#include <vector>

#include <plateau/backend/cpu/log_probabilities.hpp>
#include <plateau/core/names.hpp>
#include <plateau/models/forward_in_pieces.hpp>

namespace plateau::models {

/// Cross-entropy of every token that has one before it:
///     losses[i][t] = −log p(token t+1 of prompt i | its tokens 0 … t),   t = 0 … T−2, in nats
/// Prompts run as in `forward_in_pieces`, with hooks at work; logits exist for 256 tokens of the vocabulary at a time,
/// so that memory does not grow with the vocabulary. A prompt's bits do not depend on the others.
/// @param on_tokens  told of positions that are done, from many threads; may be empty
/// @throws usage_error on prompts that do not fit, and on a hook that changes the logits, which are never there;
///         site_error on unknown hook points, numeric_error also if a loss is not finite
template <class Context, class Model>
std::vector<std::vector<double>> token_losses(Context const& ctx, Model const& model, prompt_list const& prompts,
                                              hooks::hook_set<typename Model::value_type> const& set = {},
                                              std::function<void(index)> const& on_tokens = {}) {
    using T = typename Model::value_type;
    for (auto const& one : set.hooks()) {
        if (one.reads_only || (!matches(one.pattern, "unembed.hook_out") && !matches(one.pattern, "hook_logits")))
            continue;
        throw usage_error(
            "token_losses cannot let a hook change the logits, they are never there as a whole: change "
            "unembed.hook_in");
    }
    std::vector<std::vector<double>> losses(prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i) losses[i].resize(prompts[i].size() - (prompts[i].empty() ? 0 : 1));
    auto const read = hooks::capture<T>("unembed.hook_in",
                                        [&](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
        std::vector<index> targets(w.rows.size());  // the last position of a prompt has none: any will do
        std::vector<double> results(w.rows.size());
        for (std::size_t r = 0; r < targets.size(); ++r) {
            auto const& row = w.rows[r];
            if (!row.last)
                targets[r] = prompts[static_cast<std::size_t>(row.item)][static_cast<std::size_t>(row.position) + 1];
        }
        tensor::view<T const, 2> const x{rows.data(), {rows.extent(0), rows.extent(2)}, {rows.stride(0), 1}};
        backend::log_probabilities<T>(ctx, backend::in_backend(ctx, x), model.head(), model.logit_cap, targets,
                                      results);
        for (std::size_t r = 0; r < targets.size(); ++r) {
            auto const& row = w.rows[r];
            if (row.last) continue;
            if (!std::isfinite(results[r])) {
                throw nn::not_finite_error(row.item, "the loss of prompt ", row.item, ", position ", row.position + 1,
                                           " is not finite: check the weights, or compute with a wider dtype");
            }
            losses[static_cast<std::size_t>(row.item)][static_cast<std::size_t>(row.position)] = -results[r];
        }
        if (on_tokens) on_tokens(static_cast<index>(targets.size()));
    });
    forward_in_pieces(ctx, model, prompts, set | read);
    return losses;
}

}  // namespace plateau::models
