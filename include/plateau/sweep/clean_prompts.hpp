#pragma once
/// Prompts as they are: the activations at the write site, and what the positions before it leave to the rows after them.

#include <algorithm>
#include <map>
#include <vector>

#include <plateau/models/forward.hpp>
#include <plateau/sweep/write_site.hpp>

namespace plateau::sweep {

/// How the positions before the first written one reach the rows that see them.
enum class prefix_use : std::uint8_t {
    none,    ///< not at all: no row runs in this prompt
    shared,  ///< their keys and values are computed once, for all rows
    riding,  ///< their residual stream is kept, to run on in the blocks of their rows
};

/// Clean runs of a set of prompts. Rows own the positions from `start` of a prompt to its end.
template <class Context, class Model>
class clean_prompts {
public:
    using T = typename Model::value_type;
    using cache = nn::kv_cache<Context, T>;

    /// What is kept of a prompt.
    struct kept {
        tensor::buffer<T, 2> site;      ///< [own positions, width] at the write site
        tensor::buffer<T, 2> residual;  ///< [own positions, D] where rows start, unless they start at the write site
        tensor::buffer<T, 2> before;  ///< [start, D] the positions before, where rows start; riding, unless rows start at the embedding
        cache prefix;                   ///< of the positions before; shared alone
    };

    /// @param ctx,model,prompts  kept as references      @param first_position  negative from a prompt's end
    clean_prompts(Context const& ctx, Model const& model, models::prompt_list const& prompts, write_site const& write,
                  index first_position)
        : ctx_{ctx}, model_{model}, prompts_{prompts}, write_{write}, first_position_{first_position} {}

    std::vector<token_id> const& tokens(index i) const { return prompts_[at(i)]; }
    index length(index i) const { return static_cast<index>(tokens(i).size()); }
    /// First position of prompt i that rows own.
    index start(index i) const { return first_position_ < 0 ? length(i) + first_position_ : first_position_; }

    kept const& operator[](index i) const { return kept_[at(i)]; }
    /// The prompt that stands for all whose positions before `start` hold the same tokens.
    index owner(index i) const { return owners_[at(i)]; }

    /// Runs prompts, and forgets those of the run before.
    /// @param contexts    prompts that rows run in, each once      @param others  run too, for their write sites
    /// @param use         of the positions before `start` of the contexts
    /// @param last_layer  layers that rows run through: keys and values are kept of [first layer, last_layer)
    /// @throws not_finite_error naming the prompt
    [[gnu::cold]] void run(std::vector<index> const& contexts, std::vector<index> const& others, prefix_use use, int last_layer,
             std::vector<typename Model::pass_type>& passes) {
        last_layer_ = last_layer;
        kept_.clear();
        kept_.resize(prompts_.size());
        owners_.assign(prompts_.size(), -1);
        uses_.assign(prompts_.size(), prefix_use::none);
        std::vector<char> runs(prompts_.size());
        for (index i : others) runs[at(i)] = 1;
        std::map<std::vector<token_id>, index> known;
        for (index i : contexts) {
            runs[at(i)] = 1;
            owners_[at(i)] = known.emplace(std::vector<token_id>(tokens(i).begin(), tokens(i).begin() + start(i)), i).first->second;
            if (owner(i) == i) uses_[at(i)] = use;
        }
        std::vector<std::vector<index>> batches;  // in the order of the prompts, whatever the order of the pairs
        index total = 0, filled = 0;
        for (index i = 0; i < static_cast<index>(runs.size()); ++i) total += runs[at(i)] != 0 ? length(i) : 0;
        index const rows = models::batch_rows(total, ctx_.threads());
        for (index i = 0; i < static_cast<index>(runs.size()); ++i) {
            if (runs[at(i)] == 0) continue;
            make_room(i);
            if (batches.empty() || filled + length(i) > rows) batches.emplace_back(), filled = 0;
            batches.back().push_back(i);
            filled += length(i);
        }
        hooks::plan<T> const plan{keep_hooks(), model_.sites()};
        parallel_for(ctx_.threads(), static_cast<index>(batches.size()), [&](index b, int worker) {
            run_batch(batches[static_cast<std::size_t>(b)], plan, passes[static_cast<std::size_t>(worker)]);
        });
    }

    /// An empty cache for the positions before `start` of prompt i.
    cache make_cache(index i) const {
        return cache{write_.first_layer, last_layer_ - write_.first_layer, start(i), model_.kv_width()};
    }

private:
    static std::size_t at(index i) { return static_cast<std::size_t>(i); }

    [[gnu::cold]] void make_room(index i) {
        auto& one = kept_[at(i)];
        one.site = tensor::buffer<T, 2>({length(i) - start(i), write_.width()});
        if (!write_.direct) one.residual = tensor::buffer<T, 2>({length(i) - start(i), model_.width()});
        if (uses_[at(i)] == prefix_use::shared) one.prefix = make_cache(i);
        if (uses_[at(i)] == prefix_use::riding && hooks::in_block(write_.at.id)) one.before = tensor::buffer<T, 2>({start(i), model_.width()});
    }

    /// Keeps the write site, and where rows start.
    [[gnu::cold]] hooks::hook_set<T> keep_hooks() {
        auto set = hooks::capture<T>(
            write_.at.name(), [this](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
                each_row(w, [&](kept& one, index own, index r) {
                    if (own >= 0) std::copy_n(rows[r].data(), rows.extent(1) * rows.extent(2), one.site[own].data());
                    else if (write_.direct) keep_start(one, own, rows[r].data());
                });
            });
        if (!write_.direct && hooks::in_block(write_.at.id)) {
            hooks::site residual = write_.at;
            residual.id = hooks::site_id::resid_pre;
            set = set | hooks::capture<T>(residual.name(), [this](hooks::site const&, hooks::where const& w,
                                                                  tensor::view<T const, 3> rows) {
                      each_row(w, [&](kept& one, index own, index r) { keep_start(one, own, rows[r].data()); });
                  });
        }
        return set;
    }

    /// Calls f(what is kept of the prompt, its position counted from the first own one, row).
    template <class F>
    void each_row(hooks::where const& w, F&& f) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            f(kept_[at(row.item)], row.position - start(row.item), static_cast<index>(r));
        }
    }

    void keep_start(kept& one, index own, T const* row) {
        auto& to = own < 0 ? one.before : one.residual;
        if (to.size() > 0) std::copy_n(row, model_.width(), to[own < 0 ? own + one.before.extent(0) : own].data());
    }

    [[gnu::cold]] void run_batch(std::vector<index> const& batch, hooks::plan<T> const& plan, typename Model::pass_type& pass) {
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> all_tokens;
        for (index i : batch) {
            sequences.push_back({static_cast<index>(ids.size()), length(i), 0, nullptr,
                                 uses_[at(i)] == prefix_use::shared ? &kept_[at(i)].prefix : nullptr});
            for (index t = 0; t < length(i); ++t) {
                ids.push_back({i, 0, t, t + 1 == length(i)});
                all_tokens.push_back(tokens(i)[at(t)]);
            }
        }
        int const clean_layers = hooks::in_block(write_.at.id) ? write_.at.layer + 1 : 0;
        pass.begin(ids, sequences, &plan);
        model_.embed(ctx_, pass, all_tokens);
        model_.run(ctx_, pass, 0, clean_layers, "prompt");
        auto const residual = pass.residual(model_.width());

        // from here on the prefixes alone: their rows move together to the front of the block
        std::vector<hooks::row_id> prefix_ids;
        std::vector<nn::sequence<Context, T>> prefix_sequences;
        for (auto const& whole : sequences) {
            index const count = whole.record == nullptr ? 0 : whole.record->positions();
            if (count == 0) continue;
            prefix_sequences.push_back({static_cast<index>(prefix_ids.size()), count, 0, nullptr, whole.record});
            for (index t = 0; t < count; ++t) {
                auto const row = static_cast<index>(prefix_ids.size());
                prefix_ids.push_back(ids[at(whole.first_row + t)]);
                if (row == whole.first_row + t) continue;
                std::copy_n(residual[whole.first_row + t].data(), model_.width(), residual[row].data());
            }
        }
        if (prefix_ids.empty() || clean_layers >= last_layer_) return;
        pass.begin(prefix_ids, prefix_sequences, nullptr);
        model_.run(ctx_, pass, clean_layers, last_layer_ - 1, "prompt");
        model_.record_keys_and_values(ctx_, pass, last_layer_ - 1);
    }

    Context const& ctx_;
    Model const& model_;
    models::prompt_list const& prompts_;
    write_site write_;
    index first_position_;
    int last_layer_ = 0;
    std::vector<kept> kept_;  // by prompt; empty where nobody asked for it
    std::vector<index> owners_;
    std::vector<prefix_use> uses_;
};

}  // namespace plateau::sweep
