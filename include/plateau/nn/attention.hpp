#pragma once
/// Multi-head attention with grouped keys and values.

#include <memory>
#include <optional>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/attention_sites.hpp>
#include <plateau/nn/norm.hpp>
#include <plateau/nn/pattern_tangents.hpp>
#include <plateau/nn/projection.hpp>

namespace plateau::nn {

inline constexpr work_buffer q_buffer{"q"};          ///< [R, H · E], normalised and rotated
inline constexpr work_buffer k_buffer{"k"};          ///< [R, KV · E], likewise
inline constexpr work_buffer v_buffer{"v"};          ///< [R, KV · E]
inline constexpr work_buffer raw_q_buffer{"raw q"};  ///< [R, H · E], before the norm of queries
inline constexpr work_buffer raw_k_buffer{"raw k"};  ///< [R, KV · E], before the norm of keys
inline constexpr work_buffer z_buffer{"z"};          ///< [R, H · E]
inline constexpr work_buffer whole_buffer{"whole"};  ///< [R, D]: the output, where single heads' parts are shown

/// Causal attention; H query heads share KV heads of keys and values, E wide:
///     z_h = softmax(scale · q_h Kᵀ) V,   out = concat(z) Wᵒᵀ (+ bᵒ)
/// with q, k and v clamped to ±clip, q and k normalised, q and k rotated by their positions, scores capped and keys
/// beyond a window left out, each if it is there. Hook points in order: q, k, v (after bias, before the rest), q_norm,
/// k_norm, rot_q, rot_k, attn_scores, pattern, z, result (z_h W_h, without bᵒ).
template <class Context, class T>
struct attention {
    using rows = layer_rows<Context, T>;
    using rows_view = typename rows::rows_view;
    using const_rows_view = typename rows::const_rows_view;

    backend::attention_shape<T> shape{};
    linear<Context, T> query;                 ///< [H · E, D]
    linear<Context, T> key;                   ///< [KV · E, D]
    linear<Context, T> value;                 ///< [KV · E, D]
    linear<Context, T> output;                ///< [D, H · E]
    std::shared_ptr<rope const> rotary = {};  ///< null without rotary embedding
    T clip = 0;                               ///< 0 for none
    std::optional<norm<Context, T>> query_norm = {}, key_norm = {};
    bool norms_by_head = true;  ///< each head normalised on its own, or all heads of a row together

    /// @param x  [R, D]      @param out  [R, D], overwritten or added to
    PLATEAU_INLINE void forward(rows l, const_rows_view x, rows_view out,
                                backend::accumulate sum = backend::accumulate::no) const {
        using hooks::site_id;
        auto const z = l.matrix(z_buffer, q_width());
        auto const own = queries_keys_and_values(l, x);
        if (wants_pattern_steps(l)) mix_in_steps(l, shape, own, z);
        else l.pass.attend(shape, l.layer, own, z);
        l.hook(site_id::z, z, shape.heads);
        if (!l.wanted(site_id::result)) return output.forward(l.context(), z, out, sum);
        auto const whole = sum == backend::accumulate::yes ? l.matrix(whole_buffer, out.extent(1)) : out;
        output.forward(l.context(), z, whole);
        head_results<Context, T> const shown{l, shape, output, z};
        l.hook(site_id::result, shown.results(), shape.heads);
        shown.add_changes(whole, false);
        if (sum == backend::accumulate::yes) backend::add<T>(l.context(), whole, out);
    }

    /// out = forward(x) and its tangents. Rows have one position each, so that the prefix stands still: with scores s
    /// and pattern P
    ///     ṡ = scale (⟨q̇, k⟩ + ⟨q, k̇⟩),   Ṗ = P (ṡ − Σ P ṡ),   ż = Ṗ V + P V̇,   through clip, norms, rotation and cap
    /// Frozen patterns, or scores, stand still: ż = P V̇.
    void jvp(layer_duals<Context, T> l, dual<rows_view> x, dual<rows_view> out) const {
        using hooks::site_id;
        forward(l.value, x.value, out.value);
        auto const q = l.matrix(q_buffer, q_width());
        auto const k = l.matrix(k_buffer, kv_width()), v = l.matrix(v_buffer, kv_width());
        // q̇ and k̇, behind their norms
        auto const raw_q = query_norm ? l.matrix(raw_q_buffer, q_width()) : q;
        auto const raw_k = key_norm ? l.matrix(raw_k_buffer, kv_width()) : k;
        projected(query, site_id::q).tangents(l, x, raw_q.tangent);
        projected(key, site_id::k).tangents(l, x, raw_k.tangent);
        projected(value, site_id::v).tangents(l, x, v.tangent);
        if (query_norm)
            query_norm->tangents(l, norm_sites_from(site_id::q_norm_scale), raw_q, q.tangent, parts(shape.heads));
        if (key_norm)
            key_norm->tangents(l, norm_sites_from(site_id::k_norm_scale), raw_k, k.tangent, parts(shape.kv_heads));
        if (rotary) {
            auto const angles = l.tangent.pass.angles(*rotary);
            backend::rotate<T>(l.context(), q.tangent, shape.heads, angles[0], angles[1]);
            l.hook_tangents(site_id::rot_q, q.tangent, shape.heads);
            backend::rotate<T>(l.context(), k.tangent, shape.kv_heads, angles[0], angles[1]);
            l.hook_tangents(site_id::rot_k, k.tangent, shape.kv_heads);
        }
        // ż, and what comes of it
        auto const dz = l.tangent.matrix(z_buffer, q_width());
        own_rows const own{q.value, k.value, v.value}, moved{q.tangent, k.tangent, v.tangent};
        if (pattern_tangents<Context, T>::wanted(l)) {
            pattern_tangents<Context, T>{l, shape, own}.forwards(moved, dz);
        } else {
            backend::attention_tangents<T>(l.context(), shape, own, moved,
                                           l.held_either(site_id::attn_scores, site_id::pattern),
                                           l.tangent.pass.segments(l.value.layer), dz);
        }
        l.hook_tangents(site_id::z, dz, shape.heads);
        output.jvp(l.context(), dz, out.tangent);
        if (!l.touched(site_id::result)) return;
        head_results<Context, T> const shown{l.tangent, shape, output, dz};
        l.hook_tangents(site_id::result, shown.results(), shape.heads);
        shown.add_changes(out.tangent, true);
    }

    /// gx of x, of whose output g is, behind a prefix that stands still. The values are those that forward() left.
    /// @see backend::attention_cotangents
    void vjp(layer_duals<Context, T> l, rows_view g, rows_view gx) const {
        using hooks::site_id;
        auto const q = l.matrix(q_buffer, q_width()), z = l.matrix(z_buffer, q_width());
        auto const k = l.matrix(k_buffer, kv_width()), v = l.matrix(v_buffer, kv_width());
        if (l.touched(site_id::result)) result_cotangents(l, shape, output, g, z.tangent);
        else output.vjp(l.context(), *l.transposes, g, z.tangent);
        l.hook_cotangents(site_id::z, z.tangent, shape.heads);
        own_rows const own{q.value, k.value, v.value};
        if (pattern_tangents<Context, T>::wanted(l)) {
            pattern_tangents<Context, T>{l, shape, own}.backwards(z.tangent, {q.tangent, k.tangent, v.tangent});
        } else {
            backend::attention_cotangents<T>(
                l.context(), shape, own, l.held_either(site_id::attn_scores, site_id::pattern),
                l.tangent.pass.segments(l.value.layer), z.tangent, {q.tangent, k.tangent, v.tangent});
        }
        if (rotary) {  // back by the same angles
            l.hook_cotangents(site_id::rot_q, q.tangent, shape.heads);
            l.hook_cotangents(site_id::rot_k, k.tangent, shape.kv_heads);
            auto const angles = l.tangent.pass.angles(*rotary);
            auto const back = l.tangent.matrix(minus_sines_buffer, rotary->half());
            backend::copy<T>(l.context(), angles[1], back);
            backend::scale<T>(l.context(), back, T{-1});
            backend::rotate<T>(l.context(), q.tangent, shape.heads, angles[0], back);
            backend::rotate<T>(l.context(), k.tangent, shape.kv_heads, angles[0], back);
        }
        auto gq = q.tangent, gk = k.tangent;
        if (query_norm) {
            auto const raw = l.matrix(raw_q_buffer, q_width());
            query_norm->vjp(l, norm_sites_from(site_id::q_norm_scale), raw.value, gq, raw.tangent, parts(shape.heads));
            gq = raw.tangent;
        }
        if (key_norm) {
            auto const raw = l.matrix(raw_k_buffer, kv_width());
            key_norm->vjp(l, norm_sites_from(site_id::k_norm_scale), raw.value, gk, raw.tangent, parts(shape.kv_heads));
            gk = raw.tangent;
        }
        projected(value, site_id::v).cotangents(l, v.tangent, gx, backend::accumulate::no);
        projected(key, site_id::k).cotangents(l, gk, gx, backend::accumulate::yes);
        projected(query, site_id::q).cotangents(l, gq, gx, backend::accumulate::yes);
    }

    /// Computes and records keys and values alone: all that a later row needs of the last layer.
    void keys_and_values(rows l, const_rows_view x) const { project_keys_and_values(l, x, {}); }

    /// Puts what each head reads where forward() looks for it, if somebody wants to see or change it. @see split_inputs
    template <class Norm>
    PLATEAU_INLINE void split(rows l, rows_view x, Norm&& norm) const {
        if (wants_split_inputs(l))
            split_inputs<Context, T>{l, shape.heads, shape.kv_heads, x.extent(1)}.fill(l, x, norm);
    }
    template <class Norm>
    void split(layer_duals<Context, T> l, dual<rows_view> x, Norm&& norm) const {
        if (splits_tangents(l))
            split_tangents<Context, T>{l, shape.heads, shape.kv_heads, x.value.extent(1)}.fill(x, norm);
    }
    /// Adds to `into` what came back to what each head reads. @see split_tangents::join
    template <class Norm>
    void join(layer_duals<Context, T> l, rows_view x, rows_view into, Norm&& norm) const {
        if (splits_tangents(l))
            split_tangents<Context, T>{l, shape.heads, shape.kv_heads, x.extent(1)}.join(x, into, norm);
    }

    void list_inputs(std::vector<hooks::site>& sites, int layer, index width) const {
        split_inputs<Context, T>::list(sites, layer, shape.heads, shape.kv_heads, width);
    }

    void list(std::vector<hooks::site>& sites, int layer) const { list_attention_sites(*this, sites, layer); }

    /// Makes what attentions like this one share in a block of rows, before the first of them computes.
    void make_shared_work(rows l) const { l.pass.prepare_attention(shape, l.layer); }
    bool shares_work_with(attention const& other) const {
        return shape.heads == other.shape.heads && shape.kv_heads == other.shape.kv_heads &&
               shape.width == other.shape.width;
    }
    /// And the angles of those that share its rope. has_angles: they are still there.
    void make_angles(rows l) const {
        if (rotary) l.pass.angles(*rotary);
    }
    bool has_angles(rows l) const { return !rotary || l.pass.has_angles(*rotary); }

    /// Calls f(name, width) for the work matrices that nobody looks at.
    template <class F>
    void each_work_matrix(F&& f) const {
        f(q_buffer, q_width()), f(z_buffer, q_width());
        f(k_buffer, kv_width()), f(v_buffer, kv_width());
        if (query_norm) f(raw_q_buffer, q_width());
        if (key_norm) f(raw_k_buffer, kv_width());
        if (rotary) f(cosines_buffer, rotary->half()), f(sines_buffer, rotary->half());
    }

    index q_width() const { return shape.heads * shape.width; }
    index kv_width() const { return shape.kv_heads * shape.width; }

private:
    using own_rows = backend::attention_rows<T, typename Context::space>;

    PLATEAU_INLINE own_rows queries_keys_and_values(rows l, const_rows_view x) const {
        auto const q = l.matrix(q_buffer, q_width());
        projected(query, hooks::site_id::q).forward(l, x, query_norm ? l.matrix(raw_q_buffer, q_width()) : q);
        return project_keys_and_values(l, x, q);
    }

    /// Keys and values, recorded where sequences want it. Normalises and rotates q too, if it is not empty.
    PLATEAU_INLINE own_rows project_keys_and_values(rows l, const_rows_view x, rows_view q) const {
        using hooks::site_id;
        auto const k = l.matrix(k_buffer, kv_width()), v = l.matrix(v_buffer, kv_width());
        auto const raw_k = key_norm ? l.matrix(raw_k_buffer, kv_width()) : k;
        projected(key, site_id::k).forward(l, x, raw_k);
        projected(value, site_id::v).forward(l, x, v);
        bool const with_q = q.data() != nullptr;
        if (query_norm && with_q) {
            query_norm->forward(l, norm_sites_from(site_id::q_norm_scale), l.matrix(raw_q_buffer, q_width()), q,
                                parts(shape.heads));
        }
        if (key_norm) {
            key_norm->forward(l, norm_sites_from(site_id::k_norm_scale), raw_k, k, parts(shape.kv_heads));
        }
        if (rotary) {
            auto const angles = l.pass.angles(*rotary);  // cosines and sines
            auto const rotate = [&](rows_view y, index heads, site_id at) {
                backend::rotate<T>(l.context(), y, heads, angles[0], angles[1]);
                l.hook(at, y, heads);
            };
            if (with_q) rotate(q, shape.heads, site_id::rot_q);
            rotate(k, shape.kv_heads, site_id::rot_k);
        }
        l.pass.record(l.layer, k, v);
        return {q, k, v};
    }

    /// What a norm of queries or keys takes one by one.
    index parts(index heads) const { return norms_by_head ? heads : 1; }
    projection<Context, T> projected(linear<Context, T> const& by, hooks::site_id at) const {
        return {by, at, shape, clip};
    }
};

}  // namespace plateau::nn
