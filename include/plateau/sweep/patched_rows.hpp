#pragma once
/// The engine: many patched rows through the layers after a write site, their prefix computed once.

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/clean_prompts.hpp>
#include <plateau/sweep/row_blocks.hpp>

namespace plateau::sweep {

struct patched_rows_options {
    std::string write_site = "blocks.0.hook_resid_post";  ///< where points are written
    index first_position = -1;   ///< first position written, negative from the prompt's end: -1 is the last
    index positions = 1;         ///< how many consecutive positions are written
    index points = 50;           ///< per pair
    index block_rows = 252;      ///< rows that travel together; no result depends on it
    index prefix_bytes = index{1} << 30;  ///< memory for prefix keys and values at a time; no result depends on it
    index riding_rows = 48;  ///< prefixes of no more positions in all run in the blocks of their rows; no result depends on it
    std::function<void(index)> on_points = {};  ///< called with the number of points just finished, concurrently
};

/// Writes point `point` of pair `pair` to `out`, given the clean activations at the write site.
///     a,b,out  [positions, width]: of the context prompt, of the other prompt, of the row
/// Called concurrently.
template <class T>
using point_writer = std::function<void(index pair, index point, tensor::view<T const, 2> a,
                                        tensor::view<T const, 2> b, tensor::view<T, 2> out)>;

/// Evaluates pairs × points rows. For each pair (context, other) the context prompt runs with the activation at the
/// write site replaced, at its positions [first, first + positions), by `write(pair, point)`. Hooks in `reads` see the
/// rows with {item = pair, point, position}; a row carries every position from the first written to the prompt's last.
///
/// The positions before the first written one are computed once for all contexts in which they hold the same tokens, their
/// keys and values shared by all rows. If they are few, they travel with the rows instead, once per block: weights are read
/// once less. A row has the same bits as in a full forward pass patched at the same place, whatever else shares
/// its block, whatever the block's size and the number of threads. In a block the rows of a pair are together, and
/// the row of point 0 comes first: where a pair continues in another block it is evaluated again, marked `repeated`.
/// @throws usage_error, site_error (no such site, or read before it is written), numeric_error naming layer and pair
template <class Context, class Model>
class patched_rows {
public:
    using T = typename Model::value_type;

    /// @param ctx,model,prompts  kept as references
    [[gnu::cold]] patched_rows(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                 patched_rows_options options)
        : ctx_{ctx}, model_{model}, prompts_{prompts}, options_{std::move(options)},
          write_{resolve_write_site(model.sites(), options_.write_site)},
          clean_{ctx, model, prompts, write_, options_.first_position} {
        models::require_prompts(model, prompts);
        if (options_.points < 1) throw usage_error("a sweep needs at least one point per pair");
        if (options_.positions < 1) throw usage_error("a sweep must write at least one position");
    }

    /// @param reads  hooks that look; one that changes values is an error, since it would have to reach the prefix too
    [[gnu::cold]] void run(std::vector<prompt_pair> const& pairs, point_writer<T> const& write, hooks::hook_set<T> const& reads) {
        require_pairs(pairs);
        for (auto const& read : reads.hooks()) {
            if (!read.reads_only) {
                throw usage_error{"a sweep takes hooks that look, the one at ", read.pattern,
                                  " changes values: the shared "
                                  "prefix would not see it; patch in a full forward pass instead"};
            }
        }
        require_reads_after_write(model_.sites(), write_, reads);
        hooks::hook_set<T> set = reads;
        if (!write_.direct) set = hooks::patch<T>(write_.at.name(), write_hook(pairs, write)) | reads;
        hooks::plan<T> const plan{set, model_.sites()};
        last_layer_ = std::max(plan.layers_wanted(model_.layers()), write_.first_layer);
        passes_ = std::vector<typename Model::pass_type>(static_cast<std::size_t>(ctx_.threads()));
        for (std::size_t first = 0; first < pairs.size();) {
            std::size_t const end = end_of_wave(pairs, first);
            run_prompts(pairs, first, end);
            run_rows(pairs, first, end, write, plan);
            first = end;
        }
        plan.require_all_fired("no row came past it");
    }

private:
    [[gnu::cold]] void require_pairs(std::vector<prompt_pair> const& pairs) const {
        if (pairs.empty()) throw usage_error("there are no pairs: two prompts make one");
        auto const count = static_cast<index>(prompts_.size());
        for (auto const& [context, other] : pairs) {
            for (index i : {context, other}) {
                if (i < 0 || i >= count) {
                    throw usage_error{"a pair names prompt ", i, ", there are ", count};
                }
                if (clean_.start(i) < 0 || clean_.start(i) + options_.positions > clean_.length(i)) {
                    throw usage_error{"prompt ", i, " has ", clean_.length(i),
                                      " tokens: too few for the positions to be written"};
                }
            }
        }
    }

    index cache_bytes(index i) const {
        return nn::kv_cache<Context, T>::bytes(last_layer_ - write_.first_layer, clean_.start(i), model_.kv_width());
    }

    /// Pairs [first, end) whose prefixes fit into the memory given, at least one.
    [[gnu::cold]] std::size_t end_of_wave(std::vector<prompt_pair> const& pairs, std::size_t first) const {
        std::vector<char> seen(prompts_.size());
        index bytes = 0;
        std::size_t end = first;
        for (; end < pairs.size(); ++end) {
            auto& counted = seen[static_cast<std::size_t>(pairs[end].context)];
            if (counted == 0) bytes += cache_bytes(pairs[end].context);
            counted = 1;
            if (end > first && bytes > options_.prefix_bytes) break;
        }
        return end;
    }

    /// Clean runs of the prompts of pairs [first, end).
    [[gnu::cold]] void run_prompts(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end) {
        std::vector<index> contexts, others;
        index prefix_rows = 0;
        std::vector<char> seen(prompts_.size());
        for (std::size_t i = first; i < end; ++i) {
            others.push_back(pairs[i].other);
            auto& known = seen[static_cast<std::size_t>(pairs[i].context)];
            if (std::exchange(known, 1) != 0) continue;
            contexts.push_back(pairs[i].context);
            prefix_rows += clean_.start(pairs[i].context);
        }
        use_ = prefix_rows <= options_.riding_rows ? prefix_use::riding : prefix_use::shared;
        try {
            clean_.run(contexts, others, use_, last_layer_, passes_);
        } catch (nn::not_finite_error const& problem) {  // it knows the prompt; who asked for it knows the pair
            std::size_t pair = first;
            while (pairs[pair].context != problem.item && pairs[pair].other != problem.item) ++pair;
            throw numeric_error{problem.what(), " (a prompt of pair ", pair, ")"};
        }
    }

    /// Writes the points of all rows of a block; `rows` [R, width].
    void write_points(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                      std::span<hooks::row_id const> ids, tensor::view<T, 2> rows) const {
        for (index r = 0; r < static_cast<index>(ids.size());) {
            auto const& row = ids[static_cast<std::size_t>(r)];
            auto const [context, other] = pairs[static_cast<std::size_t>(row.item)];
            auto const& a = clean_[context].site;
            auto const& b = clean_[other].site;
            write(row.item, row.point, a.view().rows(0, options_.positions), b.view().rows(0, options_.positions),
                  rows.rows(r, options_.positions));
            r += a.extent(0);
        }
    }

    hooks::patcher<T> write_hook(std::vector<prompt_pair> const& pairs, point_writer<T> const& write) const {
        return [this, &pairs, &write](hooks::site const&, hooks::where const& w, tensor::view<T, 3> rows) {
            write_points(pairs, write, w.rows,
                         {rows.data(), {rows.extent(0), rows.extent(1) * rows.extent(2)}, {rows.stride(0), 1}});
        };
    }

    /// A block on its way: its rows, and behind them, unseen by hooks, the prefixes that ride along.
    struct row_block {
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens;
        index shown = 0;   ///< rows
        index points = 0;  ///< of them, new ones
        std::map<index, typename clean_prompts<Context, Model>::cache> caches;  ///< of riding prefixes, by owner
    };

    [[gnu::cold]] row_block make_block(std::vector<prompt_pair> const& pairs, std::vector<point_run> const& runs) const {
        row_block block;
        std::map<index, index> item_of;  // of riding prefixes, for messages
        auto const add_position = [&](hooks::row_id id, index prompt) {
            block.ids.push_back(id);
            block.tokens.push_back(clean_.tokens(prompt)[static_cast<std::size_t>(id.position)]);
        };
        for (auto const& run : runs) {
            index const context = pairs[static_cast<std::size_t>(run.item)].context, owner = clean_.owner(context);
            index const start = clean_.start(context), length = clean_.length(context);
            auto const* prefix = &clean_[owner].prefix;
            if (use_ == prefix_use::riding && start > 0) {
                if (item_of.emplace(owner, run.item).second) block.caches.emplace(owner, clean_.make_cache(owner));
                prefix = &block.caches.at(owner);
            }
            auto const add = [&](index point, bool repeated) {
                block.sequences.push_back({static_cast<index>(block.ids.size()), length - start, start, prefix, nullptr});
                for (index t = start; t < length; ++t) add_position({run.item, point, t, t + 1 == length, repeated}, context);
            };
            if (run.first_point > 0) add(0, true);
            for (index point = 0; point < run.points; ++point) add(run.first_point + point, false);
            block.points += run.points;
        }
        block.shown = static_cast<index>(block.ids.size());
        for (auto& [owner, cache] : block.caches) {
            block.sequences.push_back({static_cast<index>(block.ids.size()), clean_.start(owner), 0, nullptr, &cache});
            for (index t = 0; t < clean_.start(owner); ++t) add_position({item_of.at(owner), 0, t, false}, owner);
        }
        return block;
    }

    [[gnu::cold]] void run_rows(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end,
                  point_writer<T> const& write, hooks::plan<T> const& plan) {
        std::vector<row_count> counts;
        for (std::size_t i = first; i < end; ++i) {
            index const context = pairs[i].context;
            counts.push_back({static_cast<index>(i), options_.points, clean_.length(context) - clean_.start(context)});
        }
        auto const blocks = row_blocks(counts, options_.block_rows, ctx_.threads());
        bool const after = plan.wants_from(hooks::site_id::ln_final_scale);
        bool const logits = plan.wants_from(hooks::site_id::unembed_out);
        parallel_for(ctx_.threads(), static_cast<index>(blocks.size()), [&](index b, int worker) {
            auto& pass = passes_[static_cast<std::size_t>(worker)];
            auto const block = make_block(pairs, blocks[static_cast<std::size_t>(b)]);
            pass.begin(block.ids, block.sequences, &plan, block.shown);
            fill(pairs, write, pass, block);
            model_.run(ctx_, pass, write_.first_layer, last_layer_, "pair");
            if (after) {
                pass.keep_shown();
                model_.read_out(ctx_, pass, logits);
            }
            if (options_.on_points) options_.on_points(block.points);
        });
    }

    /// Puts the rows of a block where they start.
    void fill(std::vector<prompt_pair> const& pairs, point_writer<T> const& write, typename Model::pass_type& pass,
              row_block const& block) {
        if (!hooks::in_block(write_.at.id)) return model_.embed(ctx_, pass, block.tokens);
        auto const residual = pass.residual(model_.width());
        index row = 0;
        auto const put = [&](tensor::buffer<T, 2> const& from) {
            for (index j = 0; j < from.extent(0); ++j, ++row) std::copy_n(from[j].data(), model_.width(), residual[row].data());
        };
        while (row < block.shown) {
            auto const& kept = clean_[pairs[static_cast<std::size_t>(block.ids[static_cast<std::size_t>(row)].item)].context];
            put(write_.direct ? kept.site : kept.residual);
        }
        for (auto const& one : block.caches) put(clean_[one.first].before);
        if (!write_.direct) return;
        write_points(pairs, write, pass.shown_ids(), residual);
        if (write_.at.id == hooks::site_id::resid_post) pass.hook(write_.at.id, write_.at.layer, residual);
    }

    Context const& ctx_;
    Model const& model_;
    models::prompt_list const& prompts_;
    patched_rows_options options_;
    write_site write_;
    clean_prompts<Context, Model> clean_;
    prefix_use use_ = prefix_use::shared;
    int last_layer_ = 0;
    std::vector<typename Model::pass_type> passes_;
};

}  // namespace plateau::sweep
