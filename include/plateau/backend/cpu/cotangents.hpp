#pragma once
/// Cotangents of norms, activations and attention: what a change of a number behind them owes to what went in.
/// Products take the transposed weights; additions and bounds are as for tangents.

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

#include <plateau/backend/cpu/attention.hpp>
#include <plateau/backend/cpu/tangents.hpp>

namespace plateau::backend {

/// Cotangents of `norm`, each head of a row on its own, behind the weights: with x̂ = x / s, all centred for a
/// LayerNorm,
///     gx = (g − x̂ · ⟨x̂, g⟩ / D) / s;      held, the divisor s stands still:  gx = g / s
/// @param x  [R, H · D]      @param g,gx  [t, H · D], not overlapping
template <class T>
void norm_cotangents(cpu_context const& ctx, norm_kind kind, std::type_identity_t<tensor::view<T const, 2>> x,
                     index heads, double epsilon, tangents_of const& of,
                     std::type_identity_t<tensor::view<T const, 2>> g, tensor::view<T, 2> gx) {
    norm_tangents<T>(ctx, kind, x, heads, epsilon, {}, of, g, gx);  // the derivative of x̂ is symmetric
}

/// Cotangents of `activate`, from its slopes:
///     gz = slope · g,  gup = factor · g of a gated layer;      held, the gate stands still:  gz = 0, or factor · g of
///     a plain layer
/// @param slope,factor  [R, F]      @param g,gz  [t, F], may be the same      @param gup  [t, F], or empty; not g
template <class T>
void activation_cotangents(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> slope,
                           std::type_identity_t<tensor::view<T const, 2>> factor, tangents_of const& of,
                           std::type_identity_t<tensor::view<T const, 2>> g, tensor::view<T, 2> gup,
                           tensor::view<T, 2> gz) {
    auto const& tangents = tangent_kernels_of<T>(ctx.path());
    index const width = gz.extent(1);
    bool const gated = gup.size() > 0;
    for (index t = 0; t < of.count(); ++t) {
        T const *const along = slope[of.row(t)].data(), *const by = factor[of.row(t)].data(), *const from = g[t].data();
        if (gated) tangents.combine_row(by, from, nullptr, nullptr, width, gup[t].data());
        if (of.is_held(t) && gated) std::fill_n(gz[t].data(), width, T{0});
        else tangents.combine_row(of.is_held(t) ? by : along, from, nullptr, nullptr, width, gz[t].data());
    }
}

namespace detail {

/// The cotangents of one run behind one prefix.
template <class T>
class attention_cotangent_run {
public:
    attention_cotangent_run(cpu_context const& ctx, attention_shape<T> const& shape, attention_rows<T> const& own,
                            tangents_of const& of, attention_run<T> const& run)
        : kernels_{ctx.kernels<T>()}, tangent_kernels_{tangent_kernels_of<T>(ctx.path())}, shape_{shape}, own_{own},
          of_{of}, run_{run}, values_{run} {
        values_.first_row = of.row(run.first_row);
        values_.rows = of.row(run.first_row + run.rows - 1) + 1 - values_.first_row;
    }

    /// @param gq,gk,gv  [t, …], overwritten
    void compute(tensor::view<T const, 2> gz, tensor::view<T, 2> gq, tensor::view<T, 2> gk, tensor::view<T, 2> gv) {
        attention_head<T> head{kernels_, shape_, values_};
        index const stride = head.scores_stride(), width = shape_.width;
        index const most = std::max(row_tile, down_to_tiles(index{32768} / stride));
        T* const patterns = scratch<T>(scratch_use::scores, most * stride);
        cap_slopes_ = shape_.cap > 0 ? scratch<T>(scratch_use::cap_slopes, most * stride) : nullptr;
        T* const scores = scratch<T>(scratch_use::tangent_scores, stride);
        head.dot_own_keys(own_.q, own_.keys);
        for (index t = run_.first_row; t < run_.first_row + run_.rows; ++t) {
            std::fill_n(gk[t].data(), gk.extent(1), T{0});
            std::fill_n(gv[t].data(), gv.extent(1), T{0});
        }
        for (index h = 0; h < shape_.heads; ++h) {
            if (h % shape_.group() == 0) head.pack_group_keys(own_.keys, h / shape_.group());
            index const at = h / shape_.group() * width;
            for (index first = 0; first < run_.rows;) {
                index const row = row_of(first);
                index end = first + 1;
                while (end < run_.rows && row_of(end) - row < most) ++end;
                make_patterns(head, h, row, row_of(end - 1) + 1 - row, stride, patterns);
                for (index t = first; t < end; ++t)
                    one(h, t, patterns + (row_of(t) - row) * stride,
                        cap_slopes_ == nullptr ? nullptr : cap_slopes_ + (row_of(t) - row) * stride, scores,
                        {gz.data() + (run_.first_row + t) * gz.stride(0) + h * width, 0},
                        {gq.data() + (run_.first_row + t) * gq.stride(0) + h * width, 0},
                        {gk.data() + run_.first_row * gk.stride(0) + at, gk.stride(0)},
                        {gv.data() + run_.first_row * gv.stride(0) + at, gv.stride(0)});
                first = end;
            }
        }
    }

private:
    index row_of(index t) const { return of_.row(run_.first_row + t) - values_.first_row; }
    index first_own(index t) const { return run_.independent_rows ? t : 0; }

    void make_patterns(attention_head<T> const& head, index h, index row, index rows, index stride, T* patterns) {
        head.score(own_.q, h, row, rows, patterns);
        for (index j = 0; j < rows; ++j) {
            index const seen = values_.keys_of(row + j);
            T* const scores = patterns + j * stride;
            for (index k = 0; cap_slopes_ != nullptr && k < seen; ++k)
                cap_slopes_[j * stride + k] = T{1} - scores[k] / shape_.cap * (scores[k] / shape_.cap);
            softmax_seen(kernels_, shape_, scores, seen);
        }
    }

    /// Head h of cotangent t. @param gk,gv  of the run's rows
    void one(index h, index t, T const* pattern, T const* cap_slopes, T* scores, strided<T const> gz, strided<T> gq,
             strided<T> gk, strided<T> gv) const {
        index const prefix = run_.prefix(), width = shape_.width, at = h / shape_.group() * width;
        index const own = t + 1 - first_own(t), seen = prefix + own;
        auto const value_row = [&](index i) { return values_.first_row + row_of(first_own(t) + i); };
        // P's cotangents ⟨gz, v_j⟩, and those of the own values
        for (index j = 0; j < prefix; ++j)
            kernels_.dot_heads(gz.data, run_.prefix_values[j].data() + at, 1, 1, width, scores + j);
        for (index i = 0; i < own; ++i) {
            kernels_.dot_heads(gz.data, own_.values[value_row(i)].data() + at, 1, 1, width, scores + prefix + i);
            kernels_.add_weighted_rows({pattern + prefix + i, 0}, gz, 1, width, {gv[first_own(t) + i], 0});
        }
        if (of_.is_held(run_.first_row + t)) {
            std::fill_n(gq.data, width, T{0});
            return;
        }
        tangent_kernels_.softmax_tangent_row(pattern, seen, scores);
        if (cap_slopes != nullptr) tangent_kernels_.combine_row(cap_slopes, scores, nullptr, nullptr, seen, scores);
        kernels_.scale_row(scores, seen, shape_.scale);
        std::fill_n(gq.data, width, T{0});
        for (index j = 0; j < prefix; ++j)
            kernels_.add_weighted_rows({scores + j, 0}, {run_.prefix_keys[j].data() + at, 0}, 1, width, gq);
        for (index i = 0; i < own; ++i) {
            kernels_.add_weighted_rows({scores + prefix + i, 0}, {own_.keys[value_row(i)].data() + at, 0}, 1, width,
                                       gq);
            T const* const query = own_.q[values_.first_row + row_of(t)].data() + h * width;
            kernels_.add_weighted_rows({scores + prefix + i, 0}, {query, 0}, 1, width, {gk[first_own(t) + i], 0});
        }
    }

    kernel_table<T> const& kernels_;
    tangent_kernel_table<T> const& tangent_kernels_;
    attention_shape<T> const& shape_;
    attention_rows<T> const& own_;
    tangents_of const& of_;
    attention_run<T> const& run_;  // of the cotangents
    attention_run<T> values_;      // of the rows that they belong to
    T* cap_slopes_ = nullptr;
};

}  // namespace detail

/// Cotangents of `prefix_attention` behind a prefix that stands still: with pattern P and scores s of a row's keys
///     gP_j = ⟨gz, v_j⟩,   gs = P (gP − Σ P gP), 0 where it is held, · the slope of a cap, · scale
///     gq = Σ gs_j k_j,    gk_j = Σ gs_j q and gv_j = Σ P_j gz of own keys, over the heads that share them and the rows
///                         that see them
/// @param own  q, keys, values of the rows      @param segments  of the cotangents: each has the rows of one segment
/// @param gz  [t, H · E]      @param g  gq, gk and gv, overwritten
template <class T>
void attention_cotangents(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                          std::type_identity_t<attention_rows<T>> const& own, tangents_of const& of,
                          std::type_identity_t<std::span<segment<T> const>> segments,
                          std::type_identity_t<tensor::view<T const, 2>> gz,
                          std::type_identity_t<std::array<tensor::view<T, 2>, 3>> const& g) {
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        detail::attention_cotangent_run<T>{ctx, shape, own, of, run}.compute(gz, g[0], g[1], g[2]);
    });
}

}  // namespace plateau::backend
