#pragma once
/// Text that a model writes, with hooks at work at every step.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/engine/growing_texts.hpp>
#include <plateau/engine/sampling.hpp>

namespace plateau::engine {

struct generate_options {
    index max_new_tokens = 64;
    sampling choose = {};    ///< the default takes the likeliest token
    std::uint64_t seed = 0;  ///< of what is drawn: the number of a step is sampling_number(seed, prompt, step)
    std::vector<token_id> stop =
        {};  ///< ids that end a text, usually `model.config.eos`; the one that did belongs to it
    std::function<void(index)> on_tokens = {};  ///< told of tokens that were written, from many threads
};

/// What was written after a prompt.
struct generated {
    std::vector<token_id> tokens;  ///< 1 … max_new_tokens of them
    bool stopped = false;          ///< the last one is one of `stop`
};

/// Continues every prompt: once through the model, then token by token on the keys and values kept. The rows of a step
/// carry {item = prompt, position} as in `forward`, and have the bits that `forward` gives for the whole text (but
/// where rotary frequencies go by its length, @see growing_texts); `last` is that of the row whose logits choose a
/// token. The last token of a text is chosen, and not run. Prompts run on the context's threads, those that share a
/// thread together; what is written after one depends on it, its place in the list (through the seed) and the hooks
/// alone. A hook that changes a row must act by what the row is (item, position): a text's rows come in one call for
/// the prompt, in one for each token after it. Memory: keys and values of [prompt + max_new_tokens] positions per
/// prompt; logits of one row per prompt, of all rows only while a hook wants `unembed.hook_out`.
/// @throws usage_error on prompts that do not fit, or would not fit once continued, and on options without sense;
///         site_error on unknown hook points, numeric_error
template <class T>
std::vector<generated> generate(engine<T> const& engine, prompt_list const& prompts, generate_options const& options,
                                hooks::hook_set<T> const& set = {}) {
    engine.require_prompts(prompts);
    require_valid(options.choose);
    if (options.max_new_tokens < 1)
        throw usage_error("at least 1 new token must be asked for, got ", options.max_new_tokens);
    index const most = engine.facts().context_length;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        auto const length = static_cast<index>(prompts[i].size());
        if (options.max_new_tokens <= most - length) continue;
        throw usage_error("prompt ", i, " has ", length, " tokens and ", options.max_new_tokens,
                          " more are asked for, the model's context ends at ", most, ": ask for at most ",
                          most - length, ", or shorten the prompt");
    }
    hooks::plan<T> const plan{set, engine.sites()};
    std::vector<generated> results(prompts.size());
    auto const batches = batches_of(prompts, engine.batch_rows(tokens_of(prompts)));
    parallel_for(engine.under_way(), static_cast<index>(batches.size()), [&](index batch, int) {
        auto const [first, end] = batches[static_cast<std::size_t>(batch)];
        growing_texts<T> texts{engine, plan};
        std::vector<typename growing_texts<T>::step> steps;
        for (index i = first; i < end; ++i) {
            auto const& prompt = prompts[static_cast<std::size_t>(i)];
            steps.push_back({texts.add(i, static_cast<index>(prompt.size()) + options.max_new_tokens), prompt});
        }
        for (index n = 0; n < options.max_new_tokens && !steps.empty(); ++n) {
            auto const logits = texts.advance(steps);
            auto const running_texts = static_cast<index>(steps.size());
            std::size_t left = 0;
            for (index row = 0; row < running_texts; ++row) {
                index const text = steps[static_cast<std::size_t>(row)].text, prompt = first + text;
                auto& result = results[static_cast<std::size_t>(prompt)];
                token_id const token =
                    choose_token<T>(logits[row].flat(), options.choose, sampling_number(options.seed, prompt, n));
                result.tokens.push_back(token);
                result.stopped = std::find(options.stop.begin(), options.stop.end(), token) != options.stop.end();
                if (result.stopped) texts.finish(text);
                else steps[left++].text = text;
            }
            steps.resize(left);
            for (auto& one : steps)
                one.tokens = {&results[static_cast<std::size_t>(first + one.text)].tokens.back(), 1};
            if (options.on_tokens) options.on_tokens(running_texts);
        }
    });
    plan.require_all_fired("no row came past it");
    return results;
}

PLATEAU_COMPILED_FUNCTION(generate);

}  // namespace plateau::engine
