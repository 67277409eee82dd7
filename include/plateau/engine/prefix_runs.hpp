#pragma once
/// Runs each prompt once: its activations at the write site, and the prefix keys and values that its rows share.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/engine/hook_roles.hpp>
#include <plateau/engine/prefix_plan.hpp>

namespace plateau::engine {

/// What runs of prompts are for, and with which hooks.
template <class T>
struct prefix_task {
    write_site write;
    std::vector<prompt_use> uses;         ///< by prompt
    prefix_use how = prefix_use::shared;  ///< `shared` if there are hooks of the prefix
    int last_layer = 0;                   ///< rows run through [first layer, last_layer)
    bool endpoints_see_hooks = false;     ///< values at the write site are of runs with hooks of the prefix, before
                                          ///< they act there
};

/// Runs of a set of prompts, and runs with the hooks that are the same for all points of a path, where there are any.
template <class T>
class prefix_runs {
public:
    using runners = std::vector<std::unique_ptr<block_runner<T>>>;

    /// @param engine,prompts  kept as references
    prefix_runs(engine<T> const& engine, prompt_list const& prompts) : engine_{engine}, prompts_{prompts} {}

    std::vector<token_id> const& tokens(index i) const { return prompts_[at(i)]; }
    index length(index i) const { return static_cast<index>(tokens(i).size()); }

    /// Values at the write site of prompt i, positions [first, first + count).
    tensor::view<T const, 2> site(index i, index first, index count) const {
        return kept_[at(i)].site.view().rows(first - task_.uses[at(i)].first, count);
    }
    /// The residual stream of prompt i where rows start, from a position to its end.
    tensor::view<T const, 2> start(index i, index first) const {
        auto const& from = kept_[at(i)].residual.size() > 0 ? kept_[at(i)].residual : kept_[at(i)].site;
        return from.view().rows(first - task_.uses[at(i)].first, length(i) - first);
    }
    /// The residual stream where rows start, of the positions before those of rows.
    tensor::view<T const, 2> prefix_residual(index i) const { return kept_[at(i)].prefix_residual; }
    nn::kept_keys const* prefix(index i) const { return kept_[at(i)].prefix.get(); }
    index prefix_positions(index i) const { return task_.uses[at(i)].prefix; }
    /// The tokens of these.
    std::span<token_id const> prefix_tokens(index i) const {
        return std::span{tokens(i)}.first(static_cast<std::size_t>(prefix_positions(i)));
    }
    /// The prompt that stands for all whose prefixes are the same.
    index owner(index i) const { return owners_[at(i)]; }

    /// Runs prompts, and forgets those of the run before. @throws not_finite_error naming the prompt
    PLATEAU_RARE void run(prefix_task<T> task, hook_roles<T> const& roles, runners const& by_worker) {
        task_ = std::move(task);
        bool const hooked = !roles.prefix_hooks.empty();
        bool const separate_clean_run = hooked && !task_.endpoints_see_hooks;
        owners_ = shared_with(prompts_, task_.uses, hooked, roles.prompt_dependent, engine_.facts().ropes);
        kept_ = std::vector<kept>(prompts_.size());
        std::vector<index> all, contexts;
        for (index i = 0; i < static_cast<index>(task_.uses.size()); ++i) {
            if (task_.uses[at(i)].first < 0) continue;
            make_room(i, separate_clean_run);
            all.push_back(i);
            if (prefix_positions(i) >= 0) contexts.push_back(i);
        }
        // ends of paths without hooks, where those of the prefix would change them: a round of their own
        auto const& write = task_.write;
        if (separate_clean_run) run_all(all, {keep_site(), write.layers_to_write()}, by_worker);
        // prefixes with their hooks, and in the same round the ends, unless they are there already
        auto const keep = separate_clean_run ? keep_start() : keep_site() | keep_start();
        int const layers =
            separate_clean_run ? write.layers_to_start() : std::max(write.layers_to_write(), write.layers_to_start());
        run_all(separate_clean_run ? contexts : all, {keep | roles.prefix_hooks, layers, true, hooked}, by_worker);
    }

    /// An empty cache for the prefix of prompt i.
    std::unique_ptr<nn::kept_keys> make_cache(index i) const {
        int const first = task_.write.first_layer;
        return engine_.keep(first, task_.last_layer - first, prefix_positions(i));
    }

private:
    /// What is kept of a prompt.
    struct kept {
        tensor::buffer<T, 2> site;              ///< [T − first, width] at the write site
        tensor::buffer<T, 2> residual;          ///< [T − first, D] where rows start; empty if `site` is that
        tensor::buffer<T, 2> prefix_residual;   ///< [prefix, D] there, of positions before; in_block, unless as tokens
        std::unique_ptr<nn::kept_keys> prefix;  ///< of the positions before; shared alone
    };
    /// One round through some prompts.
    struct round {
        hooks::hook_set<T> hooks;
        int layers;
        bool for_rows = false;  ///< prefixes run on, through the layers of rows
        bool hooked = false;    ///< with hooks of the prefix
    };

    static std::size_t at(index i) { return static_cast<std::size_t>(i); }

    PLATEAU_INLINE void make_room(index i, bool separate_clean_run) {
        auto& one = kept_[at(i)];
        auto const& use = task_.uses[at(i)];
        auto const& write = task_.write;
        one.site = tensor::buffer<T, 2>({length(i) - use.first, write.width()});
        if (use.prefix < 0) return;
        if (!write.embeds && (!write.direct || separate_clean_run)) {
            one.residual = tensor::buffer<T, 2>({length(i) - use.first, engine_.width()});
        }
        if (owner(i) != i) return;
        if (task_.how == prefix_use::shared) one.prefix = make_cache(i);
        else if (!write.embeds) one.prefix_residual = tensor::buffer<T, 2>({use.prefix, engine_.width()});
    }

    /// Where rows are kept of.
    enum class place { write_site, start };

    hooks::hook_set<T> keep_site() { return keep_rows(task_.write.at, place::write_site); }
    hooks::hook_set<T> keep_start() {
        return task_.write.embeds ? hooks::hook_set<T>{} : keep_rows(task_.write.start(), place::start);
    }

    PLATEAU_INLINE hooks::hook_set<T> keep_rows(hooks::site const& from, place here_is) {
        return hooks::capture<T>(from.name(), [this, here_is](hooks::rows_at<T>& here) {
            auto const values = here.read();
            for (index r = 0; r < here.count(); ++r) {
                auto const& row = here.rows[at(r)];
                auto& one = kept_[at(row.item)];
                index const own = row.position - task_.uses[at(row.item)].first;
                auto const keep = [&](tensor::buffer<T, 2>& in, index number) {
                    if (number < 0 || number >= in.extent(0)) return;
                    std::copy_n(values[r].data(), here.shape[0] * here.shape[1], in[number].data());
                };
                if (here_is == place::write_site) {
                    keep(one.site, own);
                } else {
                    keep(one.residual, own);
                    keep(one.prefix_residual, row.position);
                }
            }
        });
    }

    PLATEAU_INLINE void run_all(std::vector<index> const& which, round const& of, runners const& by_worker) {
        std::vector<std::vector<index>> batches;  // in the order of the prompts, whatever the order of the pairs
        index total = 0, filled = 0;
        for (index i : which) total += length(i);
        index const rows = engine_.batch_rows(total);
        for (index i : which) {
            if (batches.empty() || filled + length(i) > rows) batches.emplace_back(), filled = 0;
            batches.back().push_back(i);
            filled += length(i);
        }
        hooks::plan<T> const plan{of.hooks, engine_.sites()};
        parallel_for(static_cast<int>(by_worker.size()), static_cast<index>(batches.size()), [&](index b, int worker) {
            run_batch(batches[at(b)], of, plan, *by_worker[static_cast<std::size_t>(worker)]);
        });
    }

    PLATEAU_INLINE void run_batch(std::vector<index> const& batch, round const& of, hooks::plan<T> const& plan,
                                  block_runner<T>& runner) {
        nn::rows rows;
        for (index i : batch) {
            rows.add_prompt(i, tokens(i), of.for_rows && owner(i) == i ? kept_[at(i)].prefix.get() : nullptr);
        }
        block_run<T> run{.rows = rows, .plan = &plan, .last = of.layers};
        runner.run(run);

        // from here on the prefixes alone
        nn::rows prefixes;
        block_run<T> on{.rows = prefixes, .first = of.layers};
        for (auto const& whole : rows.sequences) {
            index const count = whole.record == nullptr ? 0 : whole.record->positions();
            if (count == 0) continue;
            on.start.kept.push_back({whole.first_row, count});
            auto const first = rows.ids[at(whole.first_row)];
            prefixes.add(first, std::span{tokens(first.item)}.first(at(count)), nullptr, whole.record);
        }
        if (on.start.kept.empty() || of.layers >= task_.last_layer) return;
        on.plan = of.hooked ? &plan : nullptr;
        on.last = of.hooked ? task_.last_layer : task_.last_layer - 1;  // hooks see all of the last block too
        if (!of.hooked) on.keys_and_values_of = task_.last_layer - 1;
        runner.run(on);
    }

    engine<T> const& engine_;
    prompt_list const& prompts_;
    prefix_task<T> task_;
    std::vector<kept> kept_;  // by prompt; empty where nobody asked for it
    std::vector<index> owners_;
};

PLATEAU_COMPILED_CLASS(prefix_runs);

}  // namespace plateau::engine
