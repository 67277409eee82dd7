#pragma once
/// The engine: many patched rows through the layers after a write site, their prefix computed once.

#include <algorithm>
#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/sweep/clean_prompts.hpp>
#include <plateau/sweep/row_blocks.hpp>
#include <plateau/sweep/straight_rows.hpp>

namespace plateau::sweep {

struct patched_rows_options {
    std::string write_site = "blocks.0.hook_resid_post";  ///< where points are written
    write_positions positions = {};                       ///< at which positions, where a pair does not say so itself
    bool ends_with_hooks = false;  ///< A and B are of runs with the hooks that rows have too, not of clean ones
    index points = 50;             ///< per pair
    index block_rows = 0;  ///< rows that travel together; 0: as many as suit the backend; no result depends on it
    index prefix_bytes = index{1} << 30;  ///< memory for prefix keys and values at a time; no result depends on it
    index riding_rows =
        48;  ///< prefixes of no more positions in all run in the blocks of their rows; no result depends on it
    bool whole_pairs =
        false;  ///< all points of a pair in one block, however many rows that has; no result depends on it
    std::function<void(index)> on_points = {};  ///< called with the number of points just finished, concurrently
};

/// Writes point `point` of pair `pair` to `out`, given the clean activations at the write site.
///     a,b,out  [positions, width]: of the context prompt, of the other prompt, of the row
/// Called concurrently. One that writes (1 − t)·a + t·b, or with the ends changed about, may say so: then a device
/// makes the points.
template <class T>
class point_writer {
public:
    /// A point of a straight line: from a to b, or from b to a.
    struct on_line {
        double fraction;
        bool from_other;
    };

    template <std::invocable<index, index, tensor::view<T const, 2>, tensor::view<T const, 2>, tensor::view<T, 2>> F>
    point_writer(F write, std::function<on_line(index pair, index point)> line = {})
        : write_{std::move(write)}, line_{std::move(line)} {}

    void operator()(index pair, index point, tensor::view<T const, 2> a, tensor::view<T const, 2> b,
                    tensor::view<T, 2> out) const {
        write_(pair, point, a, b, out);
    }
    bool has_lines() const { return static_cast<bool>(line_); }
    /// @pre has_lines(); all points of a pair are from the same end
    on_line line(index pair, index point) const { return line_(pair, point); }

private:
    std::function<void(index, index, tensor::view<T const, 2>, tensor::view<T const, 2>, tensor::view<T, 2>)> write_;
    std::function<on_line(index, index)> line_;
};

/// Evaluates pairs × points rows. For each pair (context, other) the context prompt runs with the activation at the
/// write site replaced, at the positions to be written, by `write(pair, point)`. Hooks see the rows with
/// {item = pair, point, position}; a row carries every position from the first written to the prompt's last.
///
/// The positions before the first written one are computed once for all contexts in which they hold the same tokens,
/// their keys and values shared by all rows. If they are few, they travel with the rows instead, once per block:
/// weights are read once less. A row has the same bits as in a full forward pass patched at the same place, whatever
/// else shares its block, whatever the block's size and the number of threads. In a block the rows of a pair are
/// together, and the row of point 0 comes first: where a pair continues in another block it is evaluated again, marked
/// `repeated`.
///
/// Hooks that change values act as in that full forward pass, after the write where they share its site. One that does
/// not depend on the point acts on the prefix too, which is then shared by those prompts alone that it treats alike.
/// One that does depend on it (`depends_on::point`: what a lambda is taken for unless it promises less) makes rows
/// carry all positions, and run through all layers, that it may change. A and B are values of clean runs, without
/// hooks, unless asked otherwise.
/// @throws usage_error, site_error (no such site, or read before it is written), numeric_error naming layer and pair
template <class Context, class Model>
class patched_rows {
public:
    using T = typename Model::value_type;

    /// @param ctx,model,prompts  kept as references
    [[gnu::cold]] patched_rows(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                               patched_rows_options options)
        : ctx_{ctx}, model_{model}, prompts_{prompts}, options_{std::move(options)}, clean_{ctx, model, prompts} {
        models::require_prompts(model, prompts);
        if (options_.points < 1) throw usage_error("a sweep needs at least one point per pair");
    }

    /// @param set  hooks that look at the rows, or change values
    [[gnu::cold]] void run(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                           hooks::hook_set<T> const& set) {
        auto const sites = model_.sites();
        write_ = resolve_write_site(sites, options_.write_site);
        interventions<T> const with{set, sites, write_};
        find_spans(pairs, with);
        hooks::plan<T> const plan{
            write_.direct ? set : hooks::patch<T>(write_.at.name(), write_hook(pairs, write)) | set, sites};
        last_layer_ = std::max(plan.layers_wanted(model_.layers()), write_.first_layer);
        passes_ = nn::passes<Context, T>(ctx_);
        block_rows_ = models::reserve_blocks(ctx_, model_, passes_, options_.block_rows, rows_of(pairs),
                                             plan.wants_from(hooks::site_id::unembed_out));
        for (std::size_t first = 0; first < pairs.size();) {
            std::size_t const end = end_of_wave(pairs, first);
            run_prompts(pairs, first, end, with);
            run_rows(pairs, first, end, write, plan);
            first = end;
        }
        if (!with.any) plan.require_all_fired("no row came past it");
    }

private:
    /// Which positions the rows of each pair write and carry.
    [[gnu::cold]] void find_spans(std::vector<prompt_pair> const& pairs, interventions<T> const& with) {
        if (pairs.empty()) throw usage_error("there are no pairs: two prompts make one");
        if (options_.ends_with_hooks && !with.moved.empty()) {
            throw usage_error(
                "A and B cannot be of runs with a hook that differs from point to point: their runs have no point");
        }
        spans_.clear();
        auto const count = static_cast<index>(prompts_.size());
        for (auto const& pair : pairs) {
            for (index i : {pair.context, pair.other}) {
                if (i < 0 || i >= count) throw usage_error("a pair names prompt ", i, ", there are ", count);
            }
            auto span = resolve_rows(options_.positions, clean_.tokens(pair.context), clean_.tokens(pair.other), pair);
            for (auto const& positions : with.moved) {
                positions.require(clean_.length(pair.context));
                span.start = std::min(span.start, positions.first_in(clean_.length(pair.context)));
            }
            spans_.push_back(span);
        }
    }

    /// Rows of all pairs, with those of their prefixes.
    [[gnu::cold]] index rows_of(std::vector<prompt_pair> const& pairs) const {
        index rows = 0;
        for (std::size_t i = 0; i < pairs.size(); ++i)
            rows += (options_.points + 1) * (clean_.length(pairs[i].context) - spans_[i].start) + spans_[i].start;
        return rows;
    }

    row_span const& span(index pair) const { return spans_[static_cast<std::size_t>(pair)]; }

    /// Pairs [first, end) whose prefixes fit into the memory given, at least one.
    [[gnu::cold]] std::size_t end_of_wave(std::vector<prompt_pair> const& pairs, std::size_t first) const {
        std::vector<index> kept(prompts_.size());
        index bytes = 0;
        std::size_t end = first;
        for (; end < pairs.size(); ++end) {
            auto& positions = kept[static_cast<std::size_t>(pairs[end].context)];
            index const more = std::max<index>(0, spans_[end].start - positions);
            positions += more;
            bytes += nn::kv_cache<Context, T>::bytes(last_layer_ - write_.first_layer, more, model_.kv_width());
            if (end > first && bytes > options_.prefix_bytes) break;
        }
        return end;
    }

    /// Runs of the prompts of pairs [first, end).
    [[gnu::cold]] void run_prompts(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end,
                                   interventions<T> const& with) {
        std::vector<prompt_use> uses(prompts_.size());
        auto const need = [&](index prompt, index position) -> prompt_use& {
            auto& use = uses[static_cast<std::size_t>(prompt)];
            use.first = use.first < 0 ? position : std::min(use.first, position);
            return use;
        };
        for (std::size_t i = first; i < end; ++i) {
            need(pairs[i].other, spans_[i].other);
            auto& use = need(pairs[i].context, spans_[i].start);
            use.prefix = std::max(use.prefix, spans_[i].start);
        }
        index prefix_rows = 0;
        for (auto const& use : uses) prefix_rows += std::max<index>(use.prefix, 0);
        // hooks of the prefix do not come with rows that nobody sees
        use_ = prefix_rows <= options_.riding_rows && with.steady.empty() ? prefix_use::riding : prefix_use::shared;
        try {
            clean_.run(write_, std::move(uses), use_, last_layer_, with, options_.ends_with_hooks, passes_);
        } catch (nn::not_finite_error const& problem) {  // it knows the prompt; who asked for it knows the pair
            std::size_t pair = first;
            while (pairs[pair].context != problem.item && pairs[pair].other != problem.item) ++pair;
            throw numeric_error(problem.what(), " (a prompt of pair ", pair, ")");
        }
    }

    /// Writes the points of all rows of a block; `rows` [R, width].
    [[gnu::cold]] void write_points(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                                    std::span<hooks::row_id const> ids, tensor::view<T, 2> rows) const {
        for (index r = 0; r < static_cast<index>(ids.size());) {
            auto const& row = ids[static_cast<std::size_t>(r)];
            auto const& pair = pairs[static_cast<std::size_t>(row.item)];
            auto const& s = span(row.item);
            write(row.item, row.point, clean_.site(pair.context, s.first, s.count),
                  clean_.site(pair.other, s.other, s.count), rows.rows(r + s.first - s.start, s.count));
            r += row.length - s.start;
        }
    }

    [[gnu::cold]] hooks::patcher<T> write_hook(std::vector<prompt_pair> const& pairs,
                                               point_writer<T> const& write) const {
        return [this, &pairs, &write](hooks::site const&, hooks::where const& w, tensor::view<T, 3> rows) {
            write_points(pairs, write, w.rows,
                         {rows.data(), {rows.extent(0), rows.extent(1) * rows.extent(2)}, {rows.stride(0), 1}});
        };
    }

    /// A prefix that rides along in a block.
    struct rider {
        index owner;
        index item;  ///< one of its pairs, for messages
        typename clean_prompts<Context, Model>::cache cache;
    };

    /// A block on its way: its rows, and behind them, unseen by hooks, the prefixes that ride along.
    struct row_block {
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens;
        index shown = 0;   ///< rows
        index points = 0;  ///< of them, new ones
        std::vector<rider> riders;
    };

    [[gnu::cold]] row_block make_block(std::vector<prompt_pair> const& pairs,
                                       std::vector<point_run> const& runs) const {
        row_block block;
        block.riders.reserve(runs.size());  // sequences point to them
        auto const add_position = [&](hooks::row_id id, index prompt) {
            block.ids.push_back(id);
            block.tokens.push_back(clean_.tokens(prompt)[static_cast<std::size_t>(id.position)]);
        };
        for (auto const& run : runs) {
            index const context = pairs[static_cast<std::size_t>(run.item)].context, owner = clean_.owner(context);
            index const start = span(run.item).start, length = clean_.length(context);
            auto const* prefix = &clean_.prefix(owner);
            if (use_ == prefix_use::riding && start > 0) {
                std::size_t known = 0;
                while (known < block.riders.size() && block.riders[known].owner != owner) ++known;
                if (known == block.riders.size()) block.riders.push_back({owner, run.item, clean_.make_cache(owner)});
                prefix = &block.riders[known].cache;
            }
            auto const add = [&](index point, bool repeated) {
                block.sequences.push_back(
                    {static_cast<index>(block.ids.size()), length - start, start, prefix, nullptr});
                for (index t = start; t < length; ++t) {
                    add_position({run.item, point, t, t + 1 == length, repeated, context, length}, context);
                }
            };
            if (run.first_point > 0) add(0, true);
            for (index point = 0; point < run.points; ++point) add(run.first_point + point, false);
            block.points += run.points;
        }
        block.shown = static_cast<index>(block.ids.size());
        for (auto& one : block.riders) {
            index const count = clean_.prefix_positions(one.owner);
            block.sequences.push_back({static_cast<index>(block.ids.size()), count, 0, nullptr, &one.cache});
            for (index t = 0; t < count; ++t) add_position({one.item, 0, t, false}, one.owner);
        }
        return block;
    }

    [[gnu::cold]] void run_rows(std::vector<prompt_pair> const& pairs, std::size_t first, std::size_t end,
                                point_writer<T> const& write, hooks::plan<T> const& plan) {
        std::vector<row_count> counts;
        for (std::size_t i = first; i < end; ++i) {
            counts.push_back(
                {static_cast<index>(i), options_.points, clean_.length(pairs[i].context) - spans_[i].start});
        }
        auto const blocks = row_blocks(counts, block_rows_, ctx_.threads(), options_.whole_pairs);
        lines_ = find_lines(pairs, static_cast<index>(first), static_cast<index>(end), write);
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

    /// The ends of the pairs [first, end), if their points lie on straight lines, are all that a row carries, and the
    /// backend can make them.
    [[gnu::cold]] straight_rows<Context, T> find_lines(std::vector<prompt_pair> const& pairs, index first, index end,
                                                       point_writer<T> const& write) const {
        if (!straight_rows<Context, T>::possible || !write.has_lines() || !write_.direct) return {};
        for (index i = first; i < end; ++i) {
            if (clean_.length(pairs[static_cast<std::size_t>(i)].context) - span(i).start != 1) return {};
        }
        return {ctx_, first, end, model_.width(), [&](index pair, std::span<T> from, std::span<T> to) {
                    auto const& one = pairs[static_cast<std::size_t>(pair)];
                    if (write.line(pair, 0).from_other) std::swap(from, to);
                    std::copy_n(clean_.site(one.context, span(pair).first, 1).data(), from.size(), from.begin());
                    std::copy_n(clean_.site(one.other, span(pair).other, 1).data(), to.size(), to.begin());
                }};
    }

    /// Puts the rows of a block where they start.
    [[gnu::cold]] void fill(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                            typename Model::pass_type& pass, row_block const& block) {
        if (write_.embeds) return model_.embed(ctx_, pass, block.tokens);
        auto const residual = pass.residual(model_.width());
        index const made = lines_ ? block.shown : 0;
        if (made > 0) {
            lines_.write(
                ctx_, pass.shown_ids(), [&](hooks::row_id const& id) { return write.line(id.item, id.point).fraction; },
                residual.rows(0, made));
        }
        pass.host().write(residual.rows(made, residual.extent(0) - made), [&](tensor::view<T, 2> rows) {
            index row = 0;
            auto const put = [&](tensor::view<T const, 2> from) {
                for (index j = 0; j < from.extent(0); ++j, ++row)
                    std::copy_n(from[j].data(), model_.width(), rows[row].data());
            };
            while (row < block.shown - made) {
                index const item = block.ids[static_cast<std::size_t>(row)].item;
                put(clean_.start(pairs[static_cast<std::size_t>(item)].context, span(item).start));
            }
            for (auto const& one : block.riders) put(clean_.before(one.owner));
            if (write_.direct && made == 0) write_points(pairs, write, pass.shown_ids(), rows);
        });
        if (!write_.direct) return;
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
    index block_rows_ = 0;
    straight_rows<Context, T> lines_;
    std::vector<row_span> spans_;  // by pair
    std::vector<typename Model::pass_type> passes_;
};

}  // namespace plateau::sweep
