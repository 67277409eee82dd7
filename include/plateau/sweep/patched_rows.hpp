#pragma once
/// The engine: many patched rows through the layers after a write site, their prefix computed once.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/models/forward.hpp>
#include <plateau/sweep/row_blocks.hpp>
#include <plateau/sweep/write_site.hpp>

namespace plateau::sweep {

struct patched_rows_options {
    std::string write_site = "blocks.0.hook_resid_post";  ///< where points are written
    index first_position = -1;   ///< first position written, negative from the prompt's end: -1 is the last
    index positions = 1;         ///< how many consecutive positions are written
    index points = 50;           ///< per pair
    index block_rows = 252;      ///< rows that travel together; no result depends on it
    index prefix_bytes = index{1} << 30;  ///< memory for prefix keys and values at a time; no result depends on it
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
/// The positions before the first written one are computed once per context prompt, their keys and values shared by
/// all of its rows. A row has the same bits as in a full forward pass patched at the same place, whatever else shares
/// its block, whatever the block's size and the number of threads. In a block the rows of a pair are together, and
/// the row of point 0 comes first: where a pair continues in another block it is evaluated again, marked `repeated`.
/// @throws usage_error, site_error (no such site, or read before it is written), numeric_error naming layer and pair
template <class Context, class Model>
class patched_rows {
public:
    using T = typename Model::value_type;

    /// @param ctx,model,prompts  kept as references
    patched_rows(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                 patched_rows_options options)
        : ctx_{ctx}, model_{model}, prompts_{prompts}, options_{std::move(options)},
          write_{resolve_write_site(model.sites(), options_.write_site)} {
        models::require_prompts(model, prompts);
        if (options_.points < 1) throw usage_error("a sweep needs at least one point per pair");
        if (options_.positions < 1) throw usage_error("a sweep must write at least one position");
    }

    /// @param reads  hooks that look; one that changes values is an error, since it would have to reach the prefix too
    void run(std::vector<prompt_pair> const& pairs, point_writer<T> const& write, hooks::hook_set<T> const& reads) {
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
    /// What is kept of a clean prompt.
    struct clean_run {
        tensor::buffer<T, 2> site;         ///< [own positions, width] at the write site
        tensor::buffer<T, 2> residual;     ///< [own positions, D] where rows start, unless they start at the write site
        nn::kv_cache<Context, T> prefix;   ///< context prompts only
    };

    std::vector<token_id> const& prompt(index i) const { return prompts_[static_cast<std::size_t>(i)]; }
    clean_run& clean(index i) { return clean_[static_cast<std::size_t>(i)]; }
    clean_run const& clean(index i) const { return clean_[static_cast<std::size_t>(i)]; }
    index length(index i) const { return static_cast<index>(prompt(i).size()); }

    /// First position of prompt i that rows own.
    index start(index i) const {
        return options_.first_position < 0 ? length(i) + options_.first_position : options_.first_position;
    }

    [[gnu::cold]] void require_pairs(std::vector<prompt_pair> const& pairs) const {
        if (pairs.empty()) throw usage_error("there are no pairs: two prompts make one");
        auto const count = static_cast<index>(prompts_.size());
        for (auto const& [context, other] : pairs) {
            for (index i : {context, other}) {
                if (i < 0 || i >= count) {
                    throw usage_error{"a pair names prompt ", i, ", there are ", count};
                }
                if (start(i) < 0 || start(i) + options_.positions > length(i)) {
                    throw usage_error{"prompt ", i, " has ", length(i),
                                      " tokens: too few for the positions to be written"};
                }
            }
        }
    }

    index cache_bytes(index i) const {
        return nn::kv_cache<Context, T>::bytes(last_layer_ - write_.first_layer, start(i), model_.kv_width());
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

    /// Clean runs of the prompts of pairs [first, end): activations at the write site, and the contexts' prefixes.
    [[gnu::cold]] void run_prompts(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end) {
        std::vector<char> used(prompts_.size()), is_context(prompts_.size());
        for (std::size_t i = first; i < end; ++i) {
            for (index prompt : {pairs[i].context, pairs[i].other}) used[static_cast<std::size_t>(prompt)] = 1;
            is_context[static_cast<std::size_t>(pairs[i].context)] = 1;
        }
        clean_.clear();
        clean_.resize(prompts_.size());
        std::vector<index> which;  // in order, so that batches are the same whatever the order of pairs
        index total = 0;
        for (index i = 0; i < static_cast<index>(prompts_.size()); ++i) {
            if (used[static_cast<std::size_t>(i)] == 0) continue;
            auto& kept = clean(i);
            kept.site = tensor::buffer<T, 2>({length(i) - start(i), write_.width()});
            if (!write_.direct) kept.residual = tensor::buffer<T, 2>({length(i) - start(i), model_.width()});
            if (is_context[static_cast<std::size_t>(i)] != 0) {
                kept.prefix = nn::kv_cache<Context, T>(write_.first_layer, last_layer_ - write_.first_layer, start(i),
                                                       model_.kv_width());
            }
            which.push_back(i);
            total += length(i);
        }
        hooks::plan<T> const plan{keep_hooks(), model_.sites()};
        index const rows = models::batch_rows(total, ctx_.threads());
        std::vector<std::vector<index>> batches;
        for (index i : which) {
            if (batches.empty() || batch_length(batches.back()) + length(i) > rows) batches.emplace_back();
            batches.back().push_back(i);
        }
        try {
            parallel_for(ctx_.threads(), static_cast<index>(batches.size()), [&](index b, int worker) {
                run_prompt_batch(batches[static_cast<std::size_t>(b)], is_context, plan,
                                 passes_[static_cast<std::size_t>(worker)]);
            });
        } catch (nn::not_finite_error const& problem) {  // it knows the prompt; who asked for it knows the pair
            std::size_t pair = first;
            while (pairs[pair].context != problem.item && pairs[pair].other != problem.item) ++pair;
            throw numeric_error{problem.what(), " (a prompt of pair ", pair, ")"};
        }
    }

    index batch_length(std::vector<index> const& batch) const {
        index rows = 0;
        for (index i : batch) rows += length(i);
        return rows;
    }

    /// Keeps the write site, and where rows start.
    [[gnu::cold]] hooks::hook_set<T> keep_hooks() {
        auto const keep = [this](tensor::buffer<T, 2> clean_run::*member) {
            return [this, member](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
                index const width = rows.extent(1) * rows.extent(2);
                for (std::size_t r = 0; r < w.rows.size(); ++r) {
                    auto const& row = w.rows[r];
                    if (row.position < start(row.item)) continue;
                    auto& kept = clean(row.item).*member;
                    std::copy_n(rows[static_cast<index>(r)].data(), width, kept[row.position - start(row.item)].data());
                }
            };
        };
        auto set = hooks::capture<T>(write_.at.name(), keep(&clean_run::site));
        if (!write_.direct && hooks::in_block(write_.at.id)) {
            hooks::site residual = write_.at;
            residual.id = hooks::site_id::resid_pre;
            set = set | hooks::capture<T>(residual.name(), keep(&clean_run::residual));
        }
        return set;
    }

    void run_prompt_batch(std::vector<index> const& batch, std::vector<char> const& is_context,
                          hooks::plan<T> const& plan, typename Model::pass_type& pass) {
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens;
        for (index i : batch) {
            bool const context = is_context[static_cast<std::size_t>(i)] != 0;
            sequences.push_back({static_cast<index>(ids.size()), length(i), 0, nullptr,
                                 context ? &clean(i).prefix : nullptr});
            for (index t = 0; t < length(i); ++t) {
                ids.push_back({i, 0, t, t + 1 == length(i)});
                tokens.push_back(prompt(i)[static_cast<std::size_t>(t)]);
            }
        }
        int const clean_layers = hooks::in_block(write_.at.id) ? write_.at.layer + 1 : 0;
        pass.begin(ids, sequences, &plan);
        model_.embed(ctx_, pass, tokens);
        model_.run(ctx_, pass, 0, clean_layers, "prompt");

        // from here on the prefixes of the contexts alone: their rows move together to the front of the block
        auto const residual = pass.residual(model_.width());
        std::vector<hooks::row_id> prefix_ids;
        std::vector<nn::sequence<Context, T>> prefix_sequences;
        for (auto const& whole : sequences) {
            if (whole.record == nullptr) continue;
            index const count = whole.record->positions();
            if (count == 0) continue;
            prefix_sequences.push_back({static_cast<index>(prefix_ids.size()), count, 0, nullptr, whole.record});
            for (index t = 0; t < count; ++t) {
                auto const row = static_cast<index>(prefix_ids.size());
                prefix_ids.push_back(ids[static_cast<std::size_t>(whole.first_row + t)]);
                if (row != whole.first_row + t) {
                    std::copy_n(residual[whole.first_row + t].data(), model_.width(), residual[row].data());
                }
            }
        }
        if (prefix_ids.empty() || clean_layers >= last_layer_) return;
        pass.begin(prefix_ids, prefix_sequences, nullptr);
        model_.run(ctx_, pass, clean_layers, last_layer_ - 1, "prompt");
        model_.record_keys_and_values(ctx_, pass, last_layer_ - 1);
    }

    /// Writes the points of all rows of a block; `rows` [R, width].
    void write_points(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                      std::span<hooks::row_id const> ids, tensor::view<T, 2> rows) const {
        for (index r = 0; r < static_cast<index>(ids.size());) {
            auto const& row = ids[static_cast<std::size_t>(r)];
            auto const [context, other] = pairs[static_cast<std::size_t>(row.item)];
            auto const& a = clean(context).site;
            auto const& b = clean(other).site;
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

    void run_rows(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end,
                  point_writer<T> const& write, hooks::plan<T> const& plan) {
        std::vector<row_count> counts;
        for (std::size_t i = first; i < end; ++i) {
            index const context = pairs[i].context;
            counts.push_back({static_cast<index>(i), options_.points, length(context) - start(context)});
        }
        auto const blocks = row_blocks(counts, options_.block_rows, ctx_.threads());
        bool const after = plan.wants_from(hooks::site_id::ln_final_scale);
        bool const logits = plan.wants_from(hooks::site_id::unembed_out);
        parallel_for(ctx_.threads(), static_cast<index>(blocks.size()), [&](index b, int worker) {
            auto& pass = passes_[static_cast<std::size_t>(worker)];
            std::vector<hooks::row_id> ids;
            std::vector<nn::sequence<Context, T>> sequences;
            std::vector<index> tokens;
            index points = 0;
            for (auto const& run : blocks[static_cast<std::size_t>(b)]) {
                index const context = pairs[static_cast<std::size_t>(run.item)].context;
                auto const add = [&](index point, bool repeated) {
                    sequences.push_back({static_cast<index>(ids.size()), length(context) - start(context), start(context),
                                         &clean(context).prefix, nullptr});
                    for (index t = start(context); t < length(context); ++t) {
                        ids.push_back({run.item, point, t, t + 1 == length(context), repeated});
                        tokens.push_back(prompt(context)[static_cast<std::size_t>(t)]);
                    }
                };
                if (run.first_point > 0) add(0, true);
                for (index point = 0; point < run.points; ++point) add(run.first_point + point, false);
                points += run.points;
            }
            pass.begin(ids, sequences, &plan);
            fill(pairs, write, pass, tokens);
            model_.run(ctx_, pass, write_.first_layer, last_layer_, "pair");
            if (after) model_.read_out(ctx_, pass, logits);
            if (options_.on_points) options_.on_points(points);
        });
    }

    /// Puts the rows of a block where they start.
    void fill(std::vector<prompt_pair> const& pairs, point_writer<T> const& write, typename Model::pass_type& pass,
              std::vector<index> const& tokens) {
        if (!hooks::in_block(write_.at.id)) return model_.embed(ctx_, pass, tokens);
        auto const residual = pass.residual(model_.width());
        auto const ids = pass.ids();
        for (index r = 0; r < pass.rows();) {
            index const context = pairs[static_cast<std::size_t>(ids[static_cast<std::size_t>(r)].item)].context;
            auto const& kept = clean(context);
            auto const& from = write_.direct ? kept.site : kept.residual;
            for (index j = 0; j < from.extent(0); ++j, ++r) {
                std::copy_n(from[j].data(), model_.width(), residual[r].data());
            }
        }
        if (!write_.direct) return;
        write_points(pairs, write, ids, residual);
        if (write_.at.id == hooks::site_id::resid_post) pass.hook(write_.at.id, write_.at.layer, residual);
    }

    Context const& ctx_;
    Model const& model_;
    models::prompt_list const& prompts_;
    patched_rows_options options_;
    write_site write_;
    int last_layer_ = 0;
    std::vector<clean_run> clean_;  // per prompt; empty where no pair of the wave uses it
    std::vector<typename Model::pass_type> passes_;
};

}  // namespace plateau::sweep
