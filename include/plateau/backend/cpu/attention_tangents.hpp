#pragma once
/// Tangents of attention rows against the keys of a shared prefix, which stands still, and their own keys.

#include <algorithm>
#include <span>
#include <type_traits>

#include <plateau/backend/cpu/attention.hpp>
#include <plateau/backend/cpu/tangent_kernels.hpp>
#include <plateau/backend/tangent_rows.hpp>

namespace plateau::backend {

namespace detail {

/// The tangents of one run behind one prefix: rows of one position each, or the rows of one sequence.
template <class T>
class attention_tangent_run {
public:
    attention_tangent_run(cpu_context const& ctx, attention_shape<T> const& shape, attention_rows<T> const& own,
                          attention_rows<T> const& tangents, tangents_of const& of, attention_run<T> const& run)
        : kernels_{ctx.kernels<T>()}, tangent_kernels_{tangent_kernels_of<T>(ctx.path())}, shape_{shape}, own_{own},
          tangents_{tangents}, of_{of}, run_{run}, values_{values_of(of, run)} {}

    void compute(tensor::view<T, 2> dz) {
        attention_head<T> head{kernels_, shape_, values_}, mixing{kernels_, shape_, run_};
        stride_ = head.scores_stride();
        index const most = std::max(row_tile, down_to_tiles(index{32768} / stride_));
        T* const patterns = scratch<T>(scratch_use::scores, most * stride_);
        cap_slopes_ = shape_.cap > 0 ? scratch<T>(scratch_use::cap_slopes, most * stride_) : nullptr;
        T* const changes = scratch<T>(scratch_use::tangent_scores, most * stride_);
        own_changes_ = scratch<T>(scratch_use::own_changes, most * stride_);
        head.dot_own_keys(own_.q, own_.keys);
        for (index h = 0; h < shape_.heads; ++h) {
            if (h % shape_.group() == 0) {
                head.pack_group_keys(own_.keys, h / shape_.group());
                mixing.select_values(tangents_.values, h / shape_.group());
            }
            for (index first = 0; first < run_.rows;) {
                index const row = row_of(first);
                index end = first + 1;
                while (end < run_.rows && end - first < most && row_of(end) - row < most) ++end;
                make_patterns(head, h, row, row_of(end - 1) + 1 - row, patterns);
                change_patterns(head.prefix_panels(), h, first, end, patterns, changes);
                mixing.mix(changes, stride_, h, first, end - first, dz);
                for (index t = first; t < end; ++t) add_own_values(h, t, own_changes_ + (t - first) * stride_, dz);
                first = end;
            }
        }
    }

private:
    /// The run of the rows that the tangents belong to.
    static attention_run<T> values_of(tangents_of const& of, attention_run<T> const& run) {
        attention_run<T> values = run;
        values.first_row = of.row(run.first_row);
        values.rows = of.row(run.first_row + run.rows - 1) + 1 - values.first_row;
        return values;
    }
    index row_of(index t) const { return of_.row(run_.first_row + t) - values_.first_row; }
    /// The own keys that tangent t sees are those of the rows [first_own(t), t] of its run.
    index first_own(index t) const { return run_.independent_rows ? t : 0; }

    /// The pattern of head h in `rows` rows, and the slope of the cap where there is one.
    void make_patterns(attention_head<T> const& head, index h, index row, index rows, T* patterns) {
        head.score(own_.q, h, row, rows, patterns);
        for (index j = 0; j < rows; ++j) {
            index const seen = values_.keys_of(row + j);
            T* const scores = patterns + j * stride_;
            for (index k = 0; cap_slopes_ != nullptr && k < seen; ++k) {
                cap_slopes_[j * stride_ + k] = T{1} - scores[k] / shape_.cap * (scores[k] / shape_.cap);
            }
            softmax_seen(kernels_, shape_, scores, seen);
        }
    }

    /// ⟨q̇, k⟩ + ⟨q, k̇⟩ of head h: the query of tangent t, the key of tangent i.
    T change_of_own(index h, index t, index i) const {
        index const width = shape_.width, at = h / shape_.group() * width;
        T sum[2];
        kernels_.dot_heads(tangents_.q[run_.first_row + t].data() + h * width,
                           own_.keys[values_.first_row + row_of(i)].data() + at, 1, 1, width, sum);
        kernels_.dot_heads(own_.q[values_.first_row + row_of(t)].data() + h * width,
                           tangents_.keys[run_.first_row + i].data() + at, 1, 1, width, sum + 1);
        return sum[0] + sum[1];
    }

    /// changes[t] = Ṗ over the prefix, then P of the own keys, which takes v̇; Ṗ of these is kept for their values.
    void change_patterns(T const* panels, index h, index first, index end, T const* patterns, T* changes) {
        index const prefix = run_.prefix(), width = shape_.width;
        auto const q = tangents_.q.rows(run_.first_row + first, end - first);
        for_each_key_panel(prefix, [&](index k, index columns) {
            kernels_.multiply({q.data() + h * width, q.stride(0)}, {panels + k * width, columns}, columns, end - first,
                              width, {changes + k, stride_}, sum_start::zero, nullptr);
        });
        for (index t = first; t < end; ++t) {
            index const j = row_of(t) - row_of(first), own = t + 1 - first_own(t), seen = prefix + own;
            T const* const pattern = patterns + j * stride_;
            T* const change = changes + (t - first) * stride_;
            if (of_.is_held(run_.first_row + t)) {
                std::fill_n(change, seen, T{0});
            } else {
                for (index i = 0; i < own; ++i) change[prefix + i] = change_of_own(h, t, first_own(t) + i);
                kernels_.scale_row(change, seen, shape_.scale);
                if (cap_slopes_ != nullptr) {
                    tangent_kernels_.combine_row(cap_slopes_ + j * stride_, change, nullptr, nullptr, seen, change);
                }
                tangent_kernels_.softmax_tangent_row(pattern, seen, change);
            }
            std::copy_n(change + prefix, own, own_changes_ + (t - first) * stride_);
            std::copy_n(pattern + prefix, own, change + prefix);
        }
    }

    /// ż_h += Σ Ṗ v of the own keys. @param changes  Ṗ
    void add_own_values(index h, index t, T const* changes, tensor::view<T, 2> dz) const {
        index const width = shape_.width;
        T* const to = dz[run_.first_row + t].data() + h * width;
        for (index i = first_own(t); i <= t; ++i) {
            T const* const value = own_.values[values_.first_row + row_of(i)].data() + h / shape_.group() * width;
            kernels_.add_weighted_rows({changes + i - first_own(t), 0}, {value, 0}, 1, width, {to, 0});
        }
    }

    kernel_table<T> const& kernels_;
    tangent_kernel_table<T> const& tangent_kernels_;
    attention_shape<T> const& shape_;
    attention_rows<T> const &own_, &tangents_;
    tangents_of const& of_;
    attention_run<T> const& run_;  // of the tangents
    attention_run<T> values_;      // of the rows that they belong to
    index stride_ = 0;
    T* cap_slopes_ = nullptr;
    T* own_changes_ = nullptr;
};

}  // namespace detail

/// Tangents of `prefix_attention` for rows of one position each, whose prefix stands still. With scores s, pattern P:
///     ṡ_j = scale · ⟨q̇, k_j⟩ over the prefix,  scale · (⟨q̇, k⟩ + ⟨q, k̇⟩) of the own key,  · (1 − (s / c)²) with a cap
///     c Ṗ = P (ṡ − Σ P ṡ),  0 where it is held;      ż = Σ Ṗ_j v_j + P v̇ of the own key
/// @param own       q, keys, values of the rows      @param tangents  the same of the tangents, [t, …]
/// @param segments  of the tangents: each has the rows of one segment of the values      @param dz  [t, H · E]
template <class T>
void attention_tangents(cpu_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                        std::type_identity_t<attention_rows<T>> const& own,
                        std::type_identity_t<attention_rows<T>> const& tangents, tangents_of const& of,
                        std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 2> dz) {
    detail::for_each_run<T>(segments, [&](detail::attention_run<T> const& run) {
        detail::attention_tangent_run<T>{ctx, shape, own, tangents, of, run}.compute(dz);
    });
}

}  // namespace plateau::backend
