#pragma once
/// Full forward passes of many prompts, with hooks.

#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/engine/engine.hpp>

namespace plateau::engine {

/// Runs every prompt through the model, as far as the hooks ask for. Rows carry {item = prompt, position}; a prompt's
/// positions come in one call, in order. Prompts run on the engine's threads; a prompt's bits do not depend on the
/// others.
/// @throws usage_error on prompts that do not fit, site_error on unknown hook points, numeric_error
template <class T>
void forward(engine<T> const& engine, prompt_list const& prompts, hooks::hook_set<T> const& set) {
    engine.require_prompts(prompts);
    hooks::plan<T> const plan{set, engine.sites()};
    auto const batches = batches_of(prompts, engine.batch_rows(tokens_of(prompts)));
    auto const runners = engine.runners();
    parallel_for(engine.under_way(), static_cast<index>(batches.size()), [&](index batch, int worker) {
        auto const [first, end] = batches[static_cast<std::size_t>(batch)];
        nn::rows rows;
        for (index i = first; i < end; ++i) rows.add_prompt(i, prompts[static_cast<std::size_t>(i)]);
        block_run<T> run{.rows = rows, .plan = &plan, .last = plan.layers_wanted(engine.layers())};
        run.read_out_for_plan();
        runners[static_cast<std::size_t>(worker)]->run(run);
    });
    plan.require_all_fired("no row came past it");
}

PLATEAU_COMPILED_FUNCTION(forward);

}  // namespace plateau::engine
