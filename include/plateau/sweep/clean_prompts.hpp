#pragma once
/// Prompts as they are: the activations at the write site, and what the positions before it leave to the rows after
/// them.

#include <algorithm>
#include <vector>

#include <plateau/models/forward.hpp>
#include <plateau/models/reserve_blocks.hpp>
#include <plateau/sweep/interventions.hpp>
#include <plateau/sweep/prompt_pair.hpp>

namespace plateau::sweep {

/// How the positions before the first of a row reach the rows that see them.
enum class prefix_use : std::uint8_t {
    none,    ///< not at all: no row runs in this prompt
    shared,  ///< their keys and values are computed once, for all rows
    riding,  ///< their residual stream is kept, to run on in the blocks of their rows
};

/// What is wanted of a prompt.
struct prompt_use {
    index first = -1;   ///< first position of which something is kept; −1: the prompt does not run at all
    index prefix = -1;  ///< positions before those of rows, at most; −1: no row runs in it
};

/// Clean runs of a set of prompts, and runs with the hooks that are the same for all points of a path, where there are
/// any.
template <class Context, class Model>
class clean_prompts {
public:
    using T = typename Model::value_type;
    using cache = nn::kv_cache<Context, T>;

    /// What is kept of a prompt.
    struct kept {
        tensor::buffer<T, 2> site;      ///< [T − first, width] at the write site
        tensor::buffer<T, 2> residual;  ///< [T − first, D] where rows start; empty if `site` is that
        tensor::buffer<T, 2>
            before;    ///< [prefix, D] the positions before, where rows start; riding, unless rows start as tokens
        cache prefix;  ///< of the positions before; shared alone
    };

    /// @param ctx,model,prompts  kept as references
    clean_prompts(Context const& ctx, Model const& model, models::prompt_list const& prompts)
        : ctx_{ctx}, model_{model}, prompts_{prompts} {}

    std::vector<token_id> const& tokens(index i) const { return prompts_[at(i)]; }
    index length(index i) const { return static_cast<index>(tokens(i).size()); }

    /// Values at the write site of prompt i, positions [first, first + count).
    tensor::view<T const, 2> site(index i, index first, index count) const {
        return kept_[at(i)].site.view().rows(first - uses_[at(i)].first, count);
    }
    /// The residual stream of prompt i where rows start, from a position to its end.
    tensor::view<T const, 2> start(index i, index first) const {
        auto const& from = kept_[at(i)].residual.size() > 0 ? kept_[at(i)].residual : kept_[at(i)].site;
        return from.view().rows(first - uses_[at(i)].first, length(i) - first);
    }
    tensor::view<T const, 2> before(index i) const { return kept_[at(i)].before; }
    cache const& prefix(index i) const { return kept_[at(i)].prefix; }
    index prefix_positions(index i) const { return uses_[at(i)].prefix; }
    /// The prompt that stands for all whose prefixes are the same.
    index owner(index i) const { return owners_[at(i)]; }

    /// Runs prompts, and forgets those of the run before.
    /// @param uses        by prompt
    /// @param how         prefixes are used; `shared` if they have hooks
    /// @param last_layer  layers that rows run through: keys and values are kept of [first layer, last_layer)
    /// @param with        hooks of the prefix
    /// @param at_write    the values at the write site are of runs with these hooks too, before they act there
    /// @throws not_finite_error naming the prompt
    [[gnu::cold]] void run(write_site const& write, std::vector<prompt_use> uses, prefix_use how, int last_layer,
                           interventions<T> const& with, bool at_write,
                           std::vector<typename Model::pass_type>& passes) {
        write_ = write;
        how_ = how;
        last_layer_ = last_layer;
        uses_ = std::move(uses);
        bool const apart = !with.steady.empty() && !at_write;
        kept_.clear();
        kept_.resize(prompts_.size());
        find_owners(with);
        for (index i = 0; i < static_cast<index>(uses_.size()); ++i) {
            if (uses_[at(i)].first >= 0) make_room(i, apart);
        }
        std::vector<index> all, contexts;
        for (index i = 0; i < static_cast<index>(uses_.size()); ++i) {
            if (uses_[at(i)].first >= 0) all.push_back(i);
            if (prefix_positions(i) >= 0) contexts.push_back(i);
        }
        if (apart) run_all(all, keep_site(), with, write_.layers_to_write(), false, passes);
        run_all(apart ? contexts : all, apart ? keep_start() : keep_site() | keep_start(), with,
                apart ? write_.layers_to_start() : std::max(write_.layers_to_write(), write_.layers_to_start()), true,
                passes);
    }

    /// An empty cache for the prefix of prompt i.
    cache make_cache(index i) const {
        return cache{ctx_, write_.first_layer, last_layer_ - write_.first_layer, prefix_positions(i),
                     model_.kv_width()};
    }

private:
    static std::size_t at(index i) { return static_cast<std::size_t>(i); }
    bool owns_prefix(index i) const { return owners_[at(i)] == i; }

    /// Contexts share a prefix if it holds the same tokens, and hooks cannot tell them apart.
    [[gnu::cold]] void find_owners(interventions<T> const& with) {
        owners_.assign(prompts_.size(), -1);
        std::vector<std::uint64_t> keys;
        for (index i = 0; i < static_cast<index>(uses_.size()); ++i) {
            std::uint64_t key = 14695981039346656037u;  // FNV-1a, token by token
            for (index t = 0; t < prefix_positions(i); ++t)
                key = (key ^ static_cast<std::uint64_t>(tokens(i)[at(t)])) * 1099511628211u;
            keys.push_back(key);
        }
        auto const same = [&](index a, index b) {
            index const count = prefix_positions(a);
            return count == prefix_positions(b) &&
                   (with.steady.empty() || (!with.by_prompt && length(a) == length(b))) &&
                   std::equal(tokens(a).begin(), tokens(a).begin() + count, tokens(b).begin());
        };
        auto const order = order_by(keys);
        for (std::size_t n = 0; n < order.size(); ++n) {
            auto const i = static_cast<index>(order[n]);
            if (prefix_positions(i) < 0) continue;
            owners_[at(i)] = i;
            for (std::size_t m = n; m > 0 && keys[order[m - 1]] == keys[order[n]]; --m) {
                auto const other = static_cast<index>(order[m - 1]);
                if (prefix_positions(other) >= 0 && owns_prefix(other) && same(i, other)) owners_[at(i)] = other;
            }
        }
    }

    [[gnu::cold]] void make_room(index i, bool apart) {
        auto& one = kept_[at(i)];
        auto const& use = uses_[at(i)];
        one.site = tensor::buffer<T, 2>({length(i) - use.first, write_.width()});
        if (use.prefix < 0) return;
        if (!write_.embeds && (!write_.direct || apart))
            one.residual = tensor::buffer<T, 2>({length(i) - use.first, model_.width()});
        if (!owns_prefix(i)) return;
        if (how_ == prefix_use::shared) one.prefix = make_cache(i);
        else if (!write_.embeds) one.before = tensor::buffer<T, 2>({use.prefix, model_.width()});
    }

    [[gnu::cold]] hooks::hook_set<T> keep_site() {
        return keep_rows(write_.at, [](kept& one, index own) { return own >= 0 ? one.site[own].data() : nullptr; });
    }

    [[gnu::cold]] hooks::hook_set<T> keep_start() {
        if (write_.embeds) return {};
        auto const start = write_.start();
        return keep_rows(
                   start,
                   [](kept& one, index own) {
            return own >= 0 && one.residual.size() > 0 ? one.residual[own].data() : nullptr;
                   }) |
            keep_rows(start, nullptr);
    }

    using place = T* (*)(kept&, index own);

    /// Keeps rows of a site where `to` says; without it, those of the prefix.
    [[gnu::cold]] hooks::hook_set<T> keep_rows(hooks::site const& from, place to) {
        return hooks::capture<T>(from.name(),
                                 [this, to](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& row = w.rows[r];
                auto& one = kept_[at(row.item)];
                T* const kept_at = to != nullptr ? to(one, row.position - uses_[at(row.item)].first)
                                   : row.position < one.before.extent(0) ? one.before[row.position].data()
                                                                         : nullptr;
                if (kept_at != nullptr)
                    std::copy_n(rows[static_cast<index>(r)].data(), rows.extent(1) * rows.extent(2), kept_at);
            }
        });
    }

    /// @param for_rows  run with the hooks of the prefix, and then the prefixes on
    [[gnu::cold]] void run_all(std::vector<index> const& which, hooks::hook_set<T> const& keep,
                               interventions<T> const& with, int layers, bool for_rows,
                               std::vector<typename Model::pass_type>& passes) {
        std::vector<std::vector<index>> batches;  // in the order of the prompts, whatever the order of the pairs
        index total = 0, filled = 0;
        for (index i : which) total += length(i);
        index const rows = models::batch_rows(total, ctx_);
        for (index i : which) {
            if (batches.empty() || filled + length(i) > rows) batches.emplace_back(), filled = 0;
            batches.back().push_back(i);
            filled += length(i);
        }
        hooks::plan<T> const plan{for_rows ? keep | with.steady : keep, model_.sites()};
        parallel_for(ctx_.threads(), static_cast<index>(batches.size()), [&](index b, int worker) {
            run_batch(batches[static_cast<std::size_t>(b)], plan, layers, for_rows, !with.steady.empty(),
                      passes[static_cast<std::size_t>(worker)]);
        });
    }

    [[gnu::cold]] void run_batch(std::vector<index> const& batch, hooks::plan<T> const& plan, int layers, bool for_rows,
                                 bool hooked, typename Model::pass_type& pass) {
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> all_tokens;
        for (index i : batch) {
            bool const records = for_rows && how_ == prefix_use::shared && owns_prefix(i);
            sequences.push_back(
                {static_cast<index>(ids.size()), length(i), 0, nullptr, records ? &kept_[at(i)].prefix : nullptr});
            for (index t = 0; t < length(i); ++t) {
                ids.push_back({i, 0, t, t + 1 == length(i), false, i, length(i)});
                all_tokens.push_back(tokens(i)[at(t)]);
            }
        }
        pass.begin(ids, sequences, &plan);
        model_.embed(ctx_, pass, all_tokens);
        model_.run(ctx_, pass, 0, layers, "prompt");
        auto const residual = pass.residual(model_.width());

        // from here on the prefixes alone: their rows move together to the front of the block, by way of another matrix
        auto const moved = pass.matrix(nn::slot::delta, model_.width());
        std::vector<hooks::row_id> prefix_ids;
        std::vector<nn::sequence<Context, T>> prefix_sequences;
        for (auto const& whole : sequences) {
            index const count = whole.record == nullptr ? 0 : whole.record->positions();
            if (count == 0) continue;
            prefix_sequences.push_back({static_cast<index>(prefix_ids.size()), count, 0, nullptr, whole.record});
            backend::copy<T>(ctx_, residual.rows(whole.first_row, count),
                             moved.rows(static_cast<index>(prefix_ids.size()), count));
            for (index t = 0; t < count; ++t) prefix_ids.push_back(ids[at(whole.first_row + t)]);
        }
        if (prefix_ids.empty() || layers >= last_layer_) return;
        auto const prefix_rows = static_cast<index>(prefix_ids.size());
        backend::copy<T>(ctx_, moved.rows(0, prefix_rows), residual.rows(0, prefix_rows));
        pass.begin(prefix_ids, prefix_sequences, hooked ? &plan : nullptr);
        model_.run(ctx_, pass, layers, hooked ? last_layer_ : last_layer_ - 1,
                   "prompt");  // hooks see all of the last block too
        if (!hooked) model_.record_keys_and_values(ctx_, pass, last_layer_ - 1);
    }

    Context const& ctx_;
    Model const& model_;
    models::prompt_list const& prompts_;
    write_site write_;
    prefix_use how_ = prefix_use::none;
    int last_layer_ = 0;
    std::vector<kept> kept_;  // by prompt; empty where nobody asked for it
    std::vector<index> owners_;
    std::vector<prompt_use> uses_;
};

}  // namespace plateau::sweep
