#pragma once
/// Blocks of the rows of points, built and run.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/point_writer.hpp>
#include <plateau/engine/prefix_runs.hpp>
#include <plateau/engine/row_blocks.hpp>

namespace plateau::engine {

/// The rows of a sweep, as all of its blocks know them.
template <class T>
struct point_rows {
    engine<T> const& model;
    prefix_runs<T> const& prefixes;  ///< of the pairs' prompts
    std::vector<prompt_pair> const& pairs;
    std::vector<row_span> const& spans;  ///< by pair
    point_writer<T> const& write;
    hooks::plan<T> const& plan;
    write_site where;
    int last_layer = 0;
    index points = 0;  ///< of a pair
    prefix_use use = prefix_use::shared;
    plateau::engine::companion<T> const* companion = nullptr;

    static std::size_t at(index i) { return static_cast<std::size_t>(i); }

    index rows_of_point(index pair) const { return prefixes.length(pairs[at(pair)].context) - spans[at(pair)].start; }

    /// The activation of an end of a pair at its written positions.
    tensor::view<T const, 2> endpoint(index prompt, index pair) const {
        auto const& span = spans[at(pair)];
        return prefixes.site(prompt, span.of(prompt, pairs[at(pair)]), span.count);
    }

    /// Writes the points of all rows of a block; `rows` [R, width].
    void write_points(std::span<hooks::row_id const> ids, tensor::view<T, 2> rows) const {
        for (index r = 0; r < static_cast<index>(ids.size());) {
            auto const& row = ids[at(r)];
            auto const& pair = pairs[at(row.item)];
            auto const& span = spans[at(row.item)];
            write(row.item, row.point, endpoint(pair.from, row.item), endpoint(pair.to, row.item),
                  rows.rows(r + span.first - span.start, span.count));
            r += row.length - span.start;
        }
    }
};

/// The blocks of pairs [first, end), whose prefixes are there.
template <class T>
class point_blocks {
public:
    /// @param rows  kept as a reference
    point_blocks(point_rows<T> const& rows, index first, index end) : rows_{rows}, first_{first}, lines_{lines(end)} {}

    /// Runs a block. @param runs  their items counted from the first of these pairs      @param part  of what follows
    /// @return its points, those that are evaluated again left out
    PLATEAU_INLINE index run(std::span<point_run const> runs, tangent_part const& part, block_runner<T>& runner) const {
        nn::rows rows;
        std::vector<inline_prefix> prefixes;
        index points = 0;
        for (auto const& run : runs) {
            index const item = first_ + run.item;
            auto const* const prefix = prefix_for(item, prefixes);
            if (run.first_point > 0) add_point(rows, item, 0, prefix), mark_copy(rows);
            for (index i = 0; i < run.points; ++i) add_point(rows, item, run.first_point + i, prefix);
            points += run.points;
        }
        index const observed = rows.count();
        for (auto const& prefix : prefixes) {
            hooks::row_id first;
            first.item = prefix.item;
            first.length = rows_.prefixes.length(prefix.owner);  // its frequencies may go by it
            rows.add(first, rows_.prefixes.prefix_tokens(prefix.owner), nullptr, prefix.cache.get());
        }
        block_run<T> run{.rows = rows,
                         .plan = &rows_.plan,
                         .observed = observed,
                         .first = rows_.where.first_layer,
                         .last = rows_.last_layer,
                         .item = "pair",
                         .companion = rows_.companion,
                         .part = part};
        if (!rows_.where.embeds) start_at_write(run, prefixes);
        run.read_out_for_plan();
        runner.run(run);
        return points;
    }

private:
    /// A prefix that runs in a block of its rows, behind them and unseen by hooks.
    struct inline_prefix {
        index owner;
        index item;  ///< one of its pairs, for messages
        std::unique_ptr<nn::kept_keys> cache;
    };

    static std::size_t at(index i) { return static_cast<std::size_t>(i); }
    prompt_pair const& pair(index item) const { return rows_.pairs[at(item)]; }
    row_span const& span(index item) const { return rows_.spans[at(item)]; }

    /// The ends of the pairs, if their points lie on straight lines and are all that a row carries.
    PLATEAU_INLINE std::unique_ptr<line_ends> lines(index end) const {
        if (!rows_.write.has_lines() || !rows_.where.direct) return nullptr;
        index const width = rows_.model.width();
        tensor::buffer<T, 2> from({end - first_, width}), to({end - first_, width});
        for (index i = first_; i < end; ++i) {
            if (rows_.rows_of_point(i) != 1) return nullptr;
            std::copy_n(rows_.endpoint(pair(i).from, i).data(), width, from[i - first_].data());
            std::copy_n(rows_.endpoint(pair(i).to, i).data(), width, to[i - first_].data());
        }
        return rows_.model.lines(std::move(from), std::move(to));
    }

    /// Adds the rows of a point: the positions from the first that a row carries to the context's last.
    PLATEAU_INLINE void add_point(nn::rows& rows, index item, index point, nn::kept_keys const* prefix) const {
        auto const& tokens = rows_.prefixes.tokens(pair(item).context);
        hooks::row_id first{item, point, span(item).start};
        first.prompt = pair(item).context;
        first.length = static_cast<index>(tokens.size());
        first.points = rows_.points;
        rows.add(first, std::span{tokens}.subspan(at(first.position)), prefix);
    }
    static void mark_copy(nn::rows& rows) {
        for (index r = rows.sequences.back().first_row; r < rows.count(); ++r) rows.ids[at(r)].reference_copy = true;
    }

    /// The prefix of a pair's rows; where prefixes run in the blocks of their rows, one of this block's own.
    PLATEAU_INLINE nn::kept_keys const* prefix_for(index item, std::vector<inline_prefix>& prefixes) const {
        index const owner = rows_.prefixes.owner(pair(item).context);
        if (rows_.use == prefix_use::shared || span(item).start == 0) return rows_.prefixes.prefix(owner);
        for (auto const& known : prefixes) {
            if (known.owner == owner) return known.cache.get();
        }
        prefixes.push_back({owner, item, rows_.prefixes.make_cache(owner)});
        return prefixes.back().cache.get();
    }

    /// Rows start at the write site, or where their first block does, and so do the prefixes behind them.
    PLATEAU_INLINE void start_at_write(block_run<T>& run, std::vector<inline_prefix> const& prefixes) const {
        auto const observed = std::span{run.rows.ids}.first(at(run.observed));
        if (lines_) {
            run.start.lines = lines_.get();
            for (auto const& id : observed) {
                run.start.line_of.push_back(id.item - first_);
                run.start.fractions.push_back(rows_.write.fraction(id.item, id.point));
            }
        }
        index const to_fill = lines_ ? 0 : run.observed;
        run.start.write = [this, &prefixes, observed, to_fill](tensor::view<T, 2> rows) {
            index row = 0;
            auto const put = [&](tensor::view<T const, 2> from) {
                for (index j = 0; j < from.extent(0); ++j, ++row) {
                    std::copy_n(from[j].data(), from.extent(1), rows[row].data());
                }
            };
            while (row < to_fill) {
                auto const& id = observed[at(row)];
                put(rows_.prefixes.start(pair(id.item).context, span(id.item).start));
            }
            for (auto const& prefix : prefixes) put(rows_.prefixes.prefix_residual(prefix.owner));
            if (rows_.where.direct && to_fill > 0) rows_.write_points(observed, rows);
        };
        if (rows_.where.direct && rows_.where.at.id == hooks::site_id::resid_post) run.start.shown_at = &rows_.where.at;
    }

    point_rows<T> const& rows_;
    index first_;
    std::unique_ptr<line_ends> lines_;  // of these pairs, if their points are made where the rows are
};

}  // namespace plateau::engine
