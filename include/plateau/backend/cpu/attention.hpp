#pragma once
/// Attention of rows against the keys of a shared prefix, then those of their own sequence.
/// Full-sequence causal attention is the case without a prefix; both take the same steps in the same order.

#include <algorithm>
#include <limits>
#include <span>
#include <type_traits>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/cpu/scratch.hpp>
#include <plateau/backend/rows.hpp>

namespace plateau::backend {

namespace detail {

/// Rows that go through the matrix kernels together: one segment, or neighbours of one row each that share their
/// prefix.
template <class T>
struct attention_run {
    index first_row = 0;
    index rows = 0;
    bool independent_rows = true;  ///< each row is a sequence of its own; otherwise the rows follow each other in one
    tensor::view<T const, 2> prefix_keys, prefix_values;

    index prefix() const { return prefix_keys.extent(0); }
    /// Keys that row j of the run sees.
    index keys_of(index j) const { return prefix() + (independent_rows ? 1 : j + 1); }
};

/// Calls f(run) for the rows of all segments, in order.
template <class T, class F>
void for_each_run(std::span<segment<T> const> segments, F&& f) {
    for (std::size_t i = 0; i < segments.size();) {
        auto const& first = segments[i];
        attention_run<T> run{first.first_row, first.rows, first.rows == 1, first.prefix_keys, first.prefix_values};
        for (++i; run.independent_rows && i < segments.size(); ++i, ++run.rows) {
            auto const& next = segments[i];
            bool const joins = next.rows == 1 && next.first_row == run.first_row + run.rows &&
                               next.prefix_keys.data() == run.prefix_keys.data() && next.prefix() == run.prefix() &&
                               next.prefix_values.data() == run.prefix_values.data();
            if (!joins) break;
        }
        f(run);
    }
}

/// One head's view of a matrix of keys or values, [count, E].
template <class T>
struct head_rows {
    T const* data = nullptr;
    index stride = 0;
    index count = 0;
};

/// Calls f(first key, columns) for the panels of `count` keys: wide ones, and narrow ones for a rest that fills at most
/// half of one. Panels follow each other in memory, so that one begins at first · E.
template <class F>
void for_each_key_panel(index count, F&& f) {
    for (index first = 0; first < count;) {
        index const columns = count - first > panel_columns / 2 ? panel_columns : narrow_columns;
        f(first, columns);
        first += columns;
    }
}

/// The keys of a head as panels [E, columns] with one key per column, the last one filled up with zeros.
template <class T>
void pack_keys(head_rows<T> keys, index width, T* panels) {
    for_each_key_panel(keys.count, [&](index first, index columns) {
        T* const panel = panels + first * width;
        for (index j = 0; j < columns; ++j) {
            T const* const key = keys.data + (first + j) * keys.stride;
            bool const there = first + j < keys.count;
            for (index e = 0; e < width; ++e) panel[e * columns + j] = there ? key[e] : T{0};
        }
    });
}

/// Columns [first, first + 64) of a head's values, the missing ones 0.
template <class T>
void pack_values(head_rows<T> values, index width, index first, T* panel) {
    index const columns = std::min(panel_columns, width - first);
    for (index j = 0; j < values.count; ++j, panel += panel_columns) {
        std::copy_n(values.data + j * values.stride + first, columns, panel);
        std::fill_n(panel + columns, panel_columns - columns, T{0});
    }
}

constexpr index whole_panels(index count) { return (count + panel_columns - 1) / panel_columns * panel_columns; }

/// One run of rows at one key-value head.
template <class T>
class attention_head {
public:
    attention_head(kernel_table<T> const& kernels, attention_shape<T> const& shape, attention_run<T> const& run)
        : kernels_{kernels}, shape_{shape}, run_{run} {}

    /// Rows that are worked on at a time: their scores stay in cache.
    index chunk() const { return std::clamp(down_to_tiles(index{65536} / scores_stride()), row_tile, 10 * row_tile); }

    /// Room for the scores of a row: its keys, and what is written beyond them.
    index scores_stride() const {
        return run_.prefix() + whole_panels(run_.independent_rows ? 1 : run_.rows) + panel_columns;
    }

    /// Before all heads: what every row makes of its own key, little work for all heads at once. Independent rows need
    /// no product with their own keys beside it; the others take it too, so that both have the same bits.
    /// @param q  [R, H · E]      @param keys  [R, KV · E], the rows' own
    void dot_own_keys(tensor::view<T const, 2> q, tensor::view<T const, 2> keys) {
        own_dots_ = scratch<T>(scratch_use::own_dots, run_.rows * shape_.heads);
        for (index j = 0; j < run_.rows; ++j) {
            kernels_.dot_heads(q[run_.first_row + j].data(), keys[run_.first_row + j].data(), shape_.heads,
                               shape_.group(), shape_.width, own_dots_ + j * shape_.heads);
        }
    }

    /// Before the heads of group kv. @param keys  [R, KV · E], the rows' own
    void pack_group_keys(tensor::view<T const, 2> keys, index kv) {
        prefix_ = head_of(run_.prefix_keys, run_.prefix(), kv);
        own_ = head_of(keys.rows(run_.first_row, run_.rows), run_.rows, kv);
        index const prefix_room = whole_panels(run_.prefix()) * shape_.width;
        panels_ = scratch<T>(scratch_use::key_panels,
                             prefix_room + (run_.independent_rows ? 0 : whole_panels(run_.rows) * shape_.width));
        own_panels_ = panels_ + prefix_room;
        pack_keys(prefix_, shape_.width, panels_);
        if (!run_.independent_rows) pack_keys(own_, shape_.width, own_panels_);
    }

    /// What it packed of the prefix.
    T const* prefix_panels() const { return panels_; }

    /// scores[j − first, :] of head h for rows [first, first + count) of the run, scaled.
    void score(tensor::view<T const, 2> q, index h, index first, index count, T* scores) const {
        index const width = shape_.width, stride = scores_stride(), prefix = run_.prefix();
        T const* const queries = q[run_.first_row + first].data() + h * width;
        auto const against = [&](index keys, index seen, T const* panels, T* to) {
            for_each_key_panel(keys, [&](index k, index columns) {
                if (k >= seen) return;
                kernels_.multiply({queries, q.stride(0)}, {panels + k * width, columns}, columns, count, width,
                                  {to + k, stride}, sum_start::zero, nullptr);
            });
        };
        against(prefix, prefix, panels_, scores);
        if (!run_.independent_rows) against(run_.rows, first + count, own_panels_, scores + prefix);
        for (index j = 0; j < count; ++j) {
            T* const row = scores + j * stride;
            index const seen = run_.keys_of(first + j);
            row[seen - 1] = own_dots_[(first + j) * shape_.heads + h];
            kernels_.scale_row(row, seen, shape_.scale);
            if (shape_.cap > 0) kernels_.cap_row(row, seen, shape_.cap);
        }
    }

    /// @param values  [R, KV · E], the rows' own
    void select_values(tensor::view<T const, 2> values, index kv) {
        prefix_ = head_of(run_.prefix_values, run_.prefix(), kv);
        own_ = head_of(values.rows(run_.first_row, run_.rows), run_.rows, kv);
    }

    /// z_h of rows [first, first + count): Σ_k pattern[j − first, k] v_k in the order of the keys.
    void mix(T const* pattern, index stride, index h, index first, index count, tensor::view<T, 2> z) const {
        for (index column = 0; column < shape_.width; column += panel_columns) {
            T* const out = z[run_.first_row + first].data() + h * shape_.width + column;
            index const columns = std::min(panel_columns, shape_.width - column);
            auto prefix = prefix_, own = own_;
            if (columns == panel_columns) {
                prefix.data += column;
                own.data += column;
                mix_panel(prefix, own, pattern, stride, first, count, out, z.stride(0));
                continue;
            }
            T* const packed = scratch<T>(scratch_use::value_panel, (prefix.count + own.count) * panel_columns);
            T* const part = scratch<T>(scratch_use::mixed_panel, count * panel_columns);
            pack_values(prefix, shape_.width, column, packed);
            pack_values(own, shape_.width, column, packed + prefix.count * panel_columns);
            own = {packed + prefix.count * panel_columns, panel_columns, own.count};
            prefix = {packed, panel_columns, prefix.count};
            mix_panel(prefix, own, pattern, stride, first, count, part, panel_columns);
            for (index j = 0; j < count; ++j) std::copy_n(part + j * panel_columns, columns, out + j * z.stride(0));
        }
    }

private:
    head_rows<T> head_of(tensor::view<T const, 2> rows, index count, index kv) const {
        if (count == 0) return {};
        return {rows.data() + kv * shape_.width, rows.stride(0), count};
    }

    void mix_panel(head_rows<T> prefix, head_rows<T> own, T const* pattern, index stride, index first, index count,
                   T* out, index out_stride) const {
        sum_start const from = prefix.count > 0 ? sum_start::continued : sum_start::zero;
        if (prefix.count > 0) {
            multiply({pattern, stride}, prefix, 0, count, prefix.count, {out, out_stride}, sum_start::zero);
        }
        T const* const weights = pattern + prefix.count;
        if (run_.independent_rows) {
            for (index j = 0; prefix.count == 0 && j < count; ++j)
                std::fill_n(out + j * out_stride, panel_columns, T{0});
            kernels_.add_weighted_rows({weights, stride}, {own.data + first * own.stride, own.stride}, count,
                                       panel_columns, {out, out_stride});
            return;
        }
        // whole tiles up to the key that their first row sees last, then each row what it sees beyond
        for (index j = 0; j < count; j += row_tile) {
            index const rows = std::min(row_tile, count - j), common = first + j + 1;
            multiply({weights + j * stride, stride}, own, 0, rows, common, {out + j * out_stride, out_stride}, from);
            for (index i = 1; i < rows; ++i) {
                multiply({weights + (j + i) * stride + common, stride}, own, common, 1, i,
                         {out + (j + i) * out_stride, out_stride}, sum_start::continued);
            }
        }
    }

    /// c = or += weights · values [first, first + depth), 64 columns of them.
    void multiply(strided<T const> weights, head_rows<T> values, index first, index rows, index depth, strided<T> c,
                  sum_start start) const {
        kernels_.multiply(weights, {values.data + first * values.stride, values.stride}, panel_columns, rows, depth, c,
                          start, nullptr);
    }

    kernel_table<T> const& kernels_;
    attention_shape<T> const& shape_;
    attention_run<T> const& run_;
    head_rows<T> prefix_, own_;
    T* panels_ = nullptr;
    T* own_panels_ = nullptr;
    T* own_dots_ = nullptr;  // [rows, H]
};

/// Softmax over the keys before `end` that a window leaves; 0 for those before it.
template <class T>
void softmax_seen(kernel_table<T> const& kernels, attention_shape<T> const& shape, T* row, index end) {
    index const from = shape.first_key(end);
    std::fill_n(row, from, T{0});
    kernels.softmax_row(row + from, end - from);
}

}  // namespace detail

/// scores[r, h, j] = scale · ⟨q_{r,h}, k_{j, h / (H / KV)}⟩, capped if there is a cap, for every key j that row r sees;
/// −inf for the others.
/// @param q  [R, H · E]      @param keys  [R, KV · E], the rows' own      @param scores  [R, H, K]
template <class T>
void attention_scores(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<tensor::view<T const, 2>> q,
                      std::type_identity_t<tensor::view<T const, 2>> keys,
                      std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 3> scores) {
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        detail::attention_head<T> head{ctx.kernels<T>(), shape, run};
        index const stride = head.scores_stride(), chunk = head.chunk();
        T* const rows = detail::scratch<T>(detail::scratch_use::scores, chunk * stride);
        head.dot_own_keys(q, keys);
        for (index h = 0; h < shape.heads; ++h) {
            if (h % shape.group() == 0) head.pack_group_keys(keys, h / shape.group());
            for (index first = 0; first < run.rows; first += chunk) {
                index const count = std::min(chunk, run.rows - first);
                head.score(q, h, first, count, rows);
                for (index j = 0; j < count; ++j) {
                    T* const out = scores[run.first_row + first + j].data() + h * scores.extent(2);
                    index const seen = run.keys_of(first + j), from = shape.first_key(seen);
                    std::fill_n(out, scores.extent(2), -std::numeric_limits<T>::infinity());
                    std::copy_n(rows + j * stride + from, seen - from, out + from);
                }
            }
        }
    });
}

/// Softmax over the keys that each row sees, in place; 0 for the others. @param scores  [R, H, K]
template <class T>
void attention_softmax(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                       std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 3> scores) {
    index const stride = scores.extent(2);
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        for (index j = 0; j < run.rows; ++j) {
            for (index h = 0; h < scores.extent(1); ++h) {
                T* const row = scores[run.first_row + j].data() + h * stride;
                detail::softmax_seen(ctx.kernels<T>(), shape, row, run.keys_of(j));
                std::fill(row + run.keys_of(j), row + stride, T{0});
            }
        }
    });
}

/// z[r, h] = Σ_j pattern[r, h, j] · v_{j, h / (H / KV)}, summed in the order of the keys.
/// @param pattern  [R, H, K]      @param values  [R, KV · E], the rows' own      @param z  [R, H · E]
template <class T>
void attention_mix(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                   std::type_identity_t<tensor::view<T const, 3>> pattern,
                   std::type_identity_t<tensor::view<T const, 2>> values,
                   std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 2> z) {
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        detail::attention_head<T> head{ctx.kernels<T>(), shape, run};
        for (index h = 0; h < shape.heads; ++h) {
            head.select_values(values, h / shape.group());
            head.mix(pattern[run.first_row].data() + h * pattern.extent(2), pattern.stride(0), h, 0, run.rows, z);
        }
    });
}

/// The three steps above, without keeping scores: the same bits.
/// @param q  [R, H · E]      @param keys,values  [R, KV · E], the rows' own      @param z  [R, H · E]
template <class T>
void prefix_attention(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<tensor::view<T const, 2>> q,
                      std::type_identity_t<tensor::view<T const, 2>> keys,
                      std::type_identity_t<tensor::view<T const, 2>> values,
                      std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 2> z) {
    auto const& kernels = ctx.kernels<T>();
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        detail::attention_head<T> scoring{kernels, shape, run}, mixing{kernels, shape, run};
        index const stride = scoring.scores_stride(), chunk = scoring.chunk();
        T* const scores = detail::scratch<T>(detail::scratch_use::scores, chunk * stride);
        scoring.dot_own_keys(q, keys);
        for (index h = 0; h < shape.heads; ++h) {
            if (h % shape.group() == 0) {
                scoring.pack_group_keys(keys, h / shape.group());
                mixing.select_values(values, h / shape.group());
            }
            for (index first = 0; first < run.rows; first += chunk) {
                index const count = std::min(chunk, run.rows - first);
                scoring.score(q, h, first, count, scores);
                for (index j = 0; j < count; ++j)
                    detail::softmax_seen(kernels, shape, scores + j * stride, run.keys_of(first + j));
                mixing.mix(scores, stride, h, first, count, z);
            }
        }
    });
}

/// z = attention of a block's rows in a layer.
/// @param rows  says what they see: rows.segments(layer), and rows.prefix_layers(layer) by segment
template <class T, class Rows>
void attend(cpu_context const& ctx, attention_shape<T> const& shape, attention_rows<T> const& own, Rows& rows,
            int layer, nothing_kept&, tensor::view<T, 2> z) {
    prefix_attention<T>(ctx, shape, own.q, own.keys, own.values, rows.segments(layer), z);
}

/// Makes what attentions of one shape share in a block of rows, before they need it: nothing on the host.
template <class T, class Rows>
void prepare_attention(cpu_context const&, attention_shape<T> const&, Rows&, int, nothing_kept&) {}

}  // namespace plateau::backend
