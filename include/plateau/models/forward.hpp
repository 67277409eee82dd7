#pragma once
/// Full forward passes of many prompts, with hooks.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/backend/rows.hpp>
#include <plateau/models/transformer.hpp>

namespace plateau::models {

/// Prompts are token ids; lengths may differ.
using prompt_list = std::vector<std::vector<token_id>>;

/// @throws usage_error unless every prompt has 1..context tokens, each in [0, vocabulary)
[[gnu::cold]] inline void require_prompts(prompt_list const& prompts, index vocabulary, index context) {
    if (prompts.empty()) throw usage_error("there are no prompts: give at least one");
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        auto const length = static_cast<index>(prompts[i].size());
        if (length == 0) throw usage_error("prompt ", i, " is empty: a prompt needs at least one token");
        if (length > context) {
            throw usage_error("prompt ", i, " has ", length, " tokens, the model's context ends at ", context,
                              ": shorten it");
        }
        for (token_id token : prompts[i]) {
            if (token < 0 || token >= vocabulary) {
                throw usage_error("prompt ", i, " holds token ", token, ", outside of the vocabulary [0, ", vocabulary,
                                  "): was it made with another tokenizer?");
            }
        }
    }
}

/// As above, for the prompts of a model.
template <class Model>
void require_prompts(Model const& model, prompt_list const& prompts) {
    require_prompts(prompts, model.embedding->outputs(), model.context_length);
}

/// Groups of consecutive prompts of about `rows` positions each, as [first, last) pairs.
[[gnu::cold]] inline std::vector<std::pair<index, index>> batches_of(prompt_list const& prompts, index rows) {
    std::vector<std::pair<index, index>> batches;
    index filled = 0;
    for (index i = 0; i < static_cast<index>(prompts.size()); ++i) {
        auto const length = static_cast<index>(prompts[static_cast<std::size_t>(i)].size());
        if (batches.empty() || filled + length > rows) {
            batches.emplace_back(i, i);
            filled = 0;
        }
        batches.back().second = i + 1;
        filled += length;
    }
    return batches;
}

/// Rows per batch that keep the context's threads busy with `total` rows: on the CPU 60 to 504.
template <class Context>
index batch_rows(index total, Context const& ctx) {
    return std::clamp(backend::whole_tiles((total + ctx.threads() - 1) / ctx.threads()), index{60},
                      2 * ctx.block_rows());
}

/// Runs every prompt through the model, as far as the hooks ask for. Rows carry {item = prompt, position}; a prompt's
/// positions come in one call, in order. Prompts run on the context's threads; a prompt's bits do not depend on the
/// others.
/// @throws usage_error on prompts that do not fit, site_error on unknown hook points, numeric_error
template <class Context, class Model>
[[gnu::cold]] void forward(Context const& ctx, Model const& model, prompt_list const& prompts,
                           hooks::hook_set<typename Model::value_type> const& set) {
    using T = typename Model::value_type;
    require_prompts(model, prompts);
    hooks::plan<T> const plan{set, model.sites()};
    int const last = plan.layers_wanted(model.layers());
    bool const after = plan.wants_from(hooks::site_id::ln_final_scale);
    bool const logits = plan.wants_from(hooks::site_id::unembed_out);
    index total = 0;
    for (auto const& prompt : prompts) total += static_cast<index>(prompt.size());
    auto const batches = batches_of(prompts, batch_rows(total, ctx));
    auto passes = nn::passes<Context, T>(ctx);
    parallel_for(ctx.threads(), static_cast<index>(batches.size()), [&](index batch, int worker) {
        auto const [first, end] = batches[static_cast<std::size_t>(batch)];
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens;
        for (index i = first; i < end; ++i) {
            auto const& prompt = prompts[static_cast<std::size_t>(i)];
            auto const length = static_cast<index>(prompt.size());
            sequences.push_back({static_cast<index>(ids.size()), length});
            for (index t = 0; t < length; ++t) {
                ids.push_back({i, 0, t, t + 1 == length, false, i, length});
                tokens.push_back(prompt[static_cast<std::size_t>(t)]);
            }
        }
        auto& pass = passes[static_cast<std::size_t>(worker)];
        pass.begin(ids, sequences, &plan);
        model.embed(ctx, pass, tokens);
        model.run(ctx, pass, 0, last, "prompt");
        if (after) model.read_out(ctx, pass, logits);
    });
    plan.require_all_fired("no row came past it");
}

}  // namespace plateau::models
