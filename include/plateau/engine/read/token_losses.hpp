#pragma once
/// Cross-entropy of a text's tokens.

#include <cmath>
#include <functional>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/engine/forward_in_pieces.hpp>
#include <plateau/nn/not_finite.hpp>

namespace plateau::engine {

/// Cross-entropy of every token that has one before it:
///     losses[i][t] = −log p(token t+1 of prompt i | its tokens 0 … t),   t = 0 … T−2, in nats
/// Prompts run as in `forward_in_pieces`, with hooks at work; logits exist for 256 tokens of the vocabulary at a time,
/// so that memory does not grow with the vocabulary. A prompt's bits do not depend on the others.
/// @param progress  told of positions that are done, from many threads; may be empty
/// @throws usage_error on prompts that do not fit, and on a hook that changes the logits, which are never there;
///         site_error on unknown hook points, numeric_error also if a loss is not finite
template <class T>
std::vector<std::vector<double>> token_losses(engine<T> const& engine, prompt_list const& prompts,
                                              hooks::hook_set<T> const& set = {},
                                              std::function<void(index)> const& progress = {}) {
    for (auto const& hook : set.hooks()) {
        bool const logits = matches(hook.pattern, "unembed.hook_out") || matches(hook.pattern, "hook_logits");
        if (hook.reads_only || !logits) continue;
        throw usage_error(
            "token_losses cannot let a hook change the logits, they are never there as a whole: "
            "change unembed.hook_in");
    }
    std::vector<std::vector<double>> losses(prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i) losses[i].resize(prompts[i].size() - (prompts[i].empty() ? 0 : 1));
    auto look = [&](hooks::rows_at<T>& here) {
        std::vector<index> targets(here.rows.size());  // the last position of a prompt has none: any will do
        std::vector<double> results(here.rows.size());
        for (std::size_t r = 0; r < targets.size(); ++r) {
            auto const& row = here.rows[r];
            if (row.last) continue;
            targets[r] = prompts[static_cast<std::size_t>(row.item)][static_cast<std::size_t>(row.position) + 1];
        }
        auto const rows = here.read();
        engine.log_probabilities({rows.data(), {rows.extent(0), here.shape[1]}, {rows.stride(0), 1}}, targets, results);
        for (std::size_t r = 0; r < targets.size(); ++r) {
            auto const& row = here.rows[r];
            if (row.last) continue;
            if (!std::isfinite(results[r])) {
                throw nn::not_finite_error(row.item, "the loss of prompt ", row.item, ", position ", row.position + 1,
                                           " is not finite: check the weights, or compute with a wider dtype");
            }
            losses[static_cast<std::size_t>(row.item)][static_cast<std::size_t>(row.position)] = -results[r];
        }
        if (progress) progress(static_cast<index>(targets.size()));
    };
    forward_in_pieces(engine, prompts, set | hooks::capture<T>("unembed.hook_in", std::move(look)));
    return losses;
}

PLATEAU_COMPILED_FUNCTION(token_losses);

}  // namespace plateau::engine
