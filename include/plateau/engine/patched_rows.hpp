#pragma once
/// The sweep of patched rows: many of them through the layers after a write site, their prefix computed once.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/point_blocks.hpp>
#include <plateau/engine/setup.hpp>
#include <plateau/nn/not_finite.hpp>

namespace plateau::engine {

/// Evaluates pairs × points rows. For each pair the context prompt runs with the activation at the write site replaced,
/// at the positions to be written, by `write(pair, point)`. Hooks see the rows with {item = pair, point, position}; a
/// row carries every position from the first written to the prompt's last.
///
/// The positions before the first written one are computed once for all contexts in which they hold the same tokens,
/// their keys and values shared by all rows. If they are few, they travel with the rows instead, once per block:
/// weights are read once less. A row has the same bits as in a full forward pass patched at the same place, whatever
/// else shares its block, whatever the block's size and the number of threads. In a block the rows of a pair are
/// together, and the row of point 0 comes first: where a pair continues in another block it is evaluated again, marked
/// `reference_copy`.
///
/// Hooks that change values act as in that full forward pass, after the write where they share its site. One that does
/// not depend on the point acts on the prefix too, which is then shared by those prompts alone that it treats alike.
/// One that does depend on it (`depends_on::point`: what a lambda is taken for unless it promises less) makes rows
/// carry all positions, and run through all layers, that it may change. A and B are values of clean runs, without
/// hooks, unless asked otherwise.
/// @throws usage_error, site_error (no such site, or read before it is written), numeric_error naming layer and pair
template <class T>
class patched_rows {
public:
    /// @param engine,prompts  kept as references      @param points  of each pair
    patched_rows(engine<T> const& engine, prompt_list const& prompts, index points, setup where, travel how = {})
        : engine_{engine}, prompts_{prompts}, points_{points}, where_{std::move(where)}, how_{how},
          prefixes_{engine, prompts}, runners_{engine.runners()} {
        engine.require_prompts(prompts);
        if (points_ < 1) throw usage_error("a sweep needs at least one point per pair");
    }

    /// Something that travels behind the rows of all points. @param runners  who know it, one for each thread
    void carry(companion<T>& behind, std::vector<std::unique_ptr<block_runner<T>>> runners) {
        companion_ = &behind;
        runners_ = std::move(runners);
    }

    /// @param set  hooks that look at the rows, or change values
    PLATEAU_RARE void run(std::vector<prompt_pair> const& pairs, point_writer<T> const& write,
                          hooks::hook_set<T> const& set) {
        auto const& sites = engine_.sites();
        auto site = resolve_write_site(sites, where_.write);
        hook_roles<T> const roles{set, sites, site};
        find_spans(pairs, roles);
        point_rows<T>* rows_of_points = nullptr;  // which the hook that writes knows, and which know the hook's plan
        auto const writes = hooks::patch<T>(site.at.name(), [&](hooks::rows_at<T>& here) {
            auto const rows = here.change();
            rows_of_points->write_points(
                here.rows, {rows.data(), {rows.extent(0), here.shape[0] * here.shape[1]}, {rows.stride(0), 1}});
        });
        hooks::plan<T> const plan{site.direct ? set : writes | set, sites};
        int const last_layer = std::max(plan.layers_wanted(engine_.layers()), site.first_layer);
        point_rows<T> rows{engine_, prefixes_, pairs, spans_, write, plan, site, last_layer, points_};
        rows_of_points = &rows;
        if (companion_ != nullptr) companion_->begin(rows);
        rows.companion = companion_;
        block_rows_ =
            engine_.reserve(runners_, how_.block_rows, all_rows(rows), plan.wants_from(hooks::site_id::unembed_out));
        index const prefix_bytes = engine_.prefix_bytes(how_.prefix_bytes);
        for (std::size_t first = 0; first < pairs.size();) {
            std::size_t const end = end_of_prefix_batch(pairs, spans_, first, prefix_bytes, [&](index positions) {
                return engine_.kept_bytes(last_layer - site.first_layer, positions);
            });
            run_prompts(rows, roles, first, end);
            run_rows(rows, roles.whole_items, static_cast<index>(first), static_cast<index>(end));
            first = end;
        }
        if (!roles.changes_values) plan.require_all_fired("no row came past it");
    }

private:
    /// Which positions the rows of each pair write and carry.
    PLATEAU_RARE void find_spans(std::vector<prompt_pair> const& pairs, hook_roles<T> const& roles) {
        if (pairs.empty()) throw usage_error("there are no pairs: two prompts make one");
        if (where_.endpoints_see_hooks && !roles.point_dependent.empty()) {
            throw usage_error(
                "A and B cannot be of runs with a hook that differs from point to point: "
                "their runs have no point");
        }
        spans_.clear();
        auto const count = static_cast<index>(prompts_.size());
        for (auto const& pair : pairs) {
            for (index i : {pair.context, pair.other()}) {
                if (i < 0 || i >= count) throw usage_error("a pair names prompt ", i, ", there are ", count);
            }
            auto span =
                resolve_rows(where_.positions, prefixes_.tokens(pair.context), prefixes_.tokens(pair.other()), pair);
            for (auto const& positions : roles.point_dependent) {
                positions.require(prefixes_.length(pair.context));
                span.start = std::min(span.start, positions.first_in(prefixes_.length(pair.context)));
            }
            spans_.push_back(span);
        }
    }

    /// Rows of all pairs, with those of their prefixes.
    index all_rows(point_rows<T> const& of) const {
        index rows = 0;
        for (std::size_t i = 0; i < of.pairs.size(); ++i) {
            rows += (points_ + 1) * of.rows_of_point(static_cast<index>(i)) + spans_[i].start;
        }
        return rows;
    }

    /// Runs of the prompts of pairs [first, end).
    PLATEAU_INLINE void run_prompts(point_rows<T>& rows, hook_roles<T> const& roles, std::size_t first,
                                    std::size_t end) {
        prefix_task<T> task{rows.where, uses_of(rows.pairs, spans_, first, end, prompts_.size())};
        index prefix_rows = 0;
        for (auto const& use : task.uses) prefix_rows += std::max<index>(use.prefix, 0);
        // hooks of the prefix do not come with rows that nobody sees
        bool const few = (prefix_rows <= how_.max_inline_prefix_rows || share_a_wave(prefix_rows, all_rows(rows))) &&
                         roles.prefix_hooks.empty();
        rows.use = task.how = few ? prefix_use::in_block : prefix_use::shared;
        task.last_layer = rows.last_layer;
        task.endpoints_see_hooks = where_.endpoints_see_hooks;
        try {
            prefixes_.run(std::move(task), roles, runners_);
        } catch (nn::not_finite_error const& problem) {  // it knows the prompt; who asked for it knows the pair
            std::size_t pair = first;
            while (rows.pairs[pair].context != problem.item && rows.pairs[pair].other() != problem.item) ++pair;
            throw numeric_error(problem.what(), " (a prompt of pair ", pair, ")");
        }
    }

    /// Where layers take turns: whether prefixes and rows are on the way together if these carry those, so that all
    /// layers come once and not twice.
    bool share_a_wave(index prefix_rows, index all) const {
        return engine_.facts().turns != nullptr && 4 * prefix_rows <= all &&
               all + prefix_rows <= engine_.under_way() * block_rows_;
    }

    /// Rows of the points of pairs [first, end), block by block.
    PLATEAU_INLINE void run_rows(point_rows<T> const& rows, bool whole_pairs, index first, index end) {
        std::vector<index> of_point;
        for (index i = first; i < end; ++i) of_point.push_back(rows.rows_of_point(i));
        auto const blocks = deal_rows(of_point, points_, block_rows_, engine_.threads(), whole_pairs);
        point_blocks<T> const run{rows, first, end};
        index const parts = parts_of_tangents(blocks.count());
        index const all = blocks.count() * parts;
        index const ahead = companion_ != nullptr && companion_->rows_are_seen ? blocks.count() : all;
        auto const run_some = [&](index first_task, index end_task) {
            parallel_for(static_cast<int>(runners_.size()), end_task - first_task, [&](index i, int worker) {
                index const block = (first_task + i) % blocks.count();
                auto const part = part_of_tangents((first_task + i) / blocks.count(), parts);
                index const points = run.run(blocks[block], part, *runners_[static_cast<std::size_t>(worker)]);
                if (where_.progress && part.first == 0) where_.progress(points);
            });
        };
        run_some(0, ahead);
        if (ahead < all) run_some(ahead, all);
    }

    /// What follows in parts, so that a block has not too many and every thread has some. @param blocks  of rows
    PLATEAU_INLINE index parts_of_tangents(index blocks) const {
        constexpr index least = 16;
        index const all = tangents();
        index const to_fit = (all + companion<T>::most_together - 1) / companion<T>::most_together;
        index const for_threads = (engine_.threads() + blocks - 1) / blocks;
        bool const seen = companion_ != nullptr && companion_->rows_are_seen;
        return std::max<index>({1, to_fit, seen ? 1 : std::min(for_threads, all / least)});
    }
    tangent_part part_of_tangents(index number, index parts) const {
        index const first = tangents() * number / parts;
        return {first, tangents() * (number + 1) / parts - first};
    }
    index tangents() const { return companion_ == nullptr ? 0 : companion_->tangents(); }

    engine<T> const& engine_;
    prompt_list const& prompts_;
    index points_;
    setup where_;
    travel how_;
    prefix_runs<T> prefixes_;
    index block_rows_ = 0;
    std::vector<row_span> spans_;  // by pair
    companion<T>* companion_ = nullptr;
    std::vector<std::unique_ptr<block_runner<T>>> runners_;
};

PLATEAU_COMPILED_CLASS(patched_rows);

}  // namespace plateau::engine
