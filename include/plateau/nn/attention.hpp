#pragma once
/// Multi-head attention with grouped keys and values.

#include <memory>
#include <optional>

#include <plateau/nn/linear.hpp>
#include <plateau/nn/norm.hpp>
#include <plateau/nn/split_inputs.hpp>

namespace plateau::nn {

/// Causal attention; H query heads share KV heads of keys and values, E wide:
///     z_h = softmax(scale · q_h Kᵀ) V,   out = concat(z) Wᵒᵀ (+ bᵒ)
/// with q, k and v clamped to ±clip, q and k normalised, q and k rotated by their positions, scores capped and keys
/// beyond a window left out, each if it is there.
/// Hook points in order: q, k, v (after bias, before the rest), q_norm, k_norm, rot_q, rot_k, attn_scores, pattern, z,
/// result (z_h W_h, without bᵒ).
template <class Context, class T>
struct attention {
    using rows_view = typename pass<Context, T>::rows_view;
    using const_rows_view = typename pass<Context, T>::const_rows_view;

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
    void forward(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x, rows_view out,
                 backend::accumulate sum = backend::accumulate::no) const {
        using hooks::site_id;
        auto const q = p.matrix(slot::q, shape.heads * shape.width);
        auto const raw_q = query_norm ? p.matrix(slot::raw_q, shape.heads * shape.width) : q;
        project(ctx, p, query, site_id::q, layer, x, raw_q, 0, shape.heads);
        keys_and_values(ctx, p, layer, x, q);
        auto const k = p.matrix(slot::k, shape.kv_heads * shape.width);
        auto const v = p.matrix(slot::v, shape.kv_heads * shape.width);
        auto const z = p.matrix(slot::z, shape.heads * shape.width);
        if (p.wanted(site_id::attn_scores, layer) || p.wanted(site_id::pattern, layer)) {
            index const keys = p.keys();
            auto const segments = p.segments(layer);
            auto const flat = p.matrix(slot::scores, shape.heads * keys);
            tensor::view<T, 3, typename Context::space> const scores{flat.data(), {p.rows(), shape.heads, keys}};
            backend::attention_scores<T>(ctx, shape, q, k, segments, scores);
            p.hook(site_id::attn_scores, layer, flat, shape.heads);
            backend::attention_softmax<T>(ctx, shape, segments, scores);
            p.hook(site_id::pattern, layer, flat, shape.heads);
            backend::attention_mix<T>(ctx, shape, scores, v, segments, z);
        } else {
            p.attend(shape, layer, q, k, v, z);
        }
        p.hook(site_id::z, layer, z, shape.heads);
        if (!p.wanted(site_id::result, layer)) return output.forward(ctx, z, out, sum);
        auto const whole = sum == backend::accumulate::yes ? p.matrix(slot::delta, out.extent(1)) : out;
        output.forward(ctx, z, whole);
        show_results(ctx, p, layer, z, whole);
        if (sum == backend::accumulate::yes) backend::add<T>(ctx, whole, out);
    }

    /// Puts what each head reads where forward() looks for it, if somebody wants to see or change it. @see split_inputs
    template <class Norm>
    void split(pass<Context, T>& p, int layer, rows_view x, Norm&& norm) const {
        if (!wants_split_inputs(p, layer)) return;
        split_inputs<Context, T>{p, shape.heads, shape.kv_heads, x.extent(1)}.fill(p, layer, x, norm);
    }

    [[gnu::cold]] void list_inputs(std::vector<hooks::site>& sites, int layer, index width) const {
        split_inputs<Context, T>::list(sites, layer, shape.heads, shape.kv_heads, width);
    }

    /// Computes and records keys and values alone: all that a later row needs of the last layer.
    void keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x) const {
        keys_and_values(ctx, p, layer, x, {});
    }

    [[gnu::cold]] void list(std::vector<hooks::site>& sites, int layer) const {
        using hooks::site_axes;
        using hooks::site_id;
        index const h = shape.heads, kv = shape.kv_heads, e = shape.width;
        hooks::add_site(sites, {site_id::q, layer, site_axes::heads, h, e});
        hooks::add_site(sites, {site_id::k, layer, site_axes::heads, kv, e});
        hooks::add_site(sites, {site_id::v, layer, site_axes::heads, kv, e});
        if (query_norm) list_norm(*query_norm, sites, layer, q_norm_sites, h);
        if (key_norm) list_norm(*key_norm, sites, layer, k_norm_sites, kv);
        if (rotary) {
            hooks::add_site(sites, {site_id::rot_q, layer, site_axes::heads, h, e});
            hooks::add_site(sites, {site_id::rot_k, layer, site_axes::heads, kv, e});
        }
        hooks::add_site(sites, {site_id::attn_scores, layer, site_axes::keys, h, 0});
        hooks::add_site(sites, {site_id::pattern, layer, site_axes::keys, h, 0});
        hooks::add_site(sites, {site_id::z, layer, site_axes::heads, h, e});
        hooks::add_site(sites, {site_id::result, layer, site_axes::heads, h, output.weight.outputs()});
    }

    /// Makes what attentions like this one share in a pass, so that they find it. On the host they do so when they need
    /// it.
    void prepare(pass<Context, T>& p, int layer) const {
        p.tile(shape, layer);
        if (rotary) p.angles(*rotary);
    }
    bool prepared_by(attention const& other) const {
        return shape.heads == other.shape.heads && shape.kv_heads == other.shape.kv_heads &&
               shape.width == other.shape.width && rotary == other.rotary;
    }

    /// Calls f(slot, width) for the work matrices of a pass that nobody looks at.
    template <class F>
    void each_work_matrix(F&& f) const {
        for (auto const which : {slot::q, slot::z}) f(which, shape.heads * shape.width);
        for (auto const which : {slot::k, slot::v}) f(which, kv_width());
        if (query_norm) f(slot::raw_q, shape.heads * shape.width);
        if (key_norm) f(slot::raw_k, kv_width());
        if (rotary) f(slot::cosines, rotary->half()), f(slot::sines, rotary->half());
    }

    index kv_width() const { return shape.kv_heads * shape.width; }

private:
    [[gnu::cold]] void list_norm(norm<Context, T> const& one, std::vector<hooks::site>& sites, int layer,
                                 norm_sites const& at, index heads) const {
        one.list(sites, layer, at, norms_by_head ? shape.width : heads * shape.width, norms_by_head ? heads : 0);
    }

    /// Parts of a row that a norm takes one by one.
    index norm_parts(index heads) const { return norms_by_head ? heads : 1; }

    /// @param first  of the heads, counted over those of queries, keys and values
    [[gnu::noinline]] void project(Context const& ctx, pass<Context, T>& p, linear<Context, T> const& by,
                                   hooks::site_id at, int layer, const_rows_view x, rows_view y, index first,
                                   index heads) const {
        if (wants_split_inputs(p, layer)) project_heads(ctx, p, by, x.extent(1), y, first, heads);
        else by.forward(ctx, x, y);
        p.hook(at, layer, y, heads);
        if (clip > 0) backend::clip<T>(ctx, y, clip);
    }

    /// Each head of its own input: of the whole product what belongs to it, the same bits.
    [[gnu::cold, gnu::noinline]] void project_heads(Context const& ctx, pass<Context, T>& p,
                                                    linear<Context, T> const& by, index width, rows_view y, index first,
                                                    index heads) const {
        split_inputs<Context, T> const inputs{p, shape.heads, shape.kv_heads, width};
        auto const whole = p.matrix(slot::one_head, y.extent(1));
        for (index h = 0; h < heads; ++h) {
            by.forward(ctx, inputs.part(first + h, 1), whole);
            copy_head(ctx, whole, h, y);
        }
    }

    void copy_head(Context const& ctx, rows_view from, index h, rows_view to) const {
        auto const head = [&](rows_view x) {
            return rows_view{x.data() + h * shape.width, {x.extent(0), shape.width}, {x.stride(0), 1}};
        };
        backend::copy<T>(ctx, head(from), head(to));
    }

    /// Shows what each head adds, z_h W_h, and adds to the output what hooks changed of it: nothing, bit for bit, if
    /// they only look.
    /// @param out  [R, D], z Wᵒᵀ (+ bᵒ)
    [[gnu::cold, gnu::noinline]] void show_results(Context const& ctx, pass<Context, T>& p, int layer, rows_view z,
                                                   rows_view out) const {
        index const d = out.extent(1), rows = out.extent(0);
        auto const results = p.matrix(slot::result, shape.heads * d), before = p.matrix(slot::copies, shape.heads * d);
        auto const alone = p.matrix(slot::one_head, z.extent(1));
        for (index h = 0; h < shape.heads; ++h) {
            backend::clear<T>(ctx, alone);
            copy_head(ctx, z, h, alone);
            rows_view const part{results.data() + h * d, {rows, d}, {results.stride(0), 1}};
            backend::linear<T>(ctx, alone, output.weight, part);
        }
        backend::copy<T>(ctx, results, before);
        p.hook(hooks::site_id::result, layer, results, shape.heads);
        using host_rows = tensor::view<T, 2>;
        p.host().read(results, [&](host_rows now) {
            p.host().read(before, [&](host_rows then) {
                p.host().change(out, [&](host_rows sum) {
                    for (index r = 0; r < rows; ++r) {
                        for (index i = 0; i < shape.heads * d; ++i) {
                            if (now(r, i) != then(r, i)) sum(r, i % d) += now(r, i) - then(r, i);
                        }
                    }
                });
            });
        });
    }

    /// Normalises and rotates q too, if it is not empty.
    void keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x, rows_view q) const {
        using hooks::site_id;
        auto const k = p.matrix(slot::k, kv_width());
        auto const v = p.matrix(slot::v, kv_width());
        auto const raw_k = key_norm ? p.matrix(slot::raw_k, kv_width()) : k;
        project(ctx, p, key, site_id::k, layer, x, raw_k, shape.heads, shape.kv_heads);
        project(ctx, p, value, site_id::v, layer, x, v, shape.heads + shape.kv_heads, shape.kv_heads);
        bool const with_q = q.data() != nullptr;
        if (query_norm && with_q) {
            query_norm->forward(ctx, p, layer, q_norm_sites, p.matrix(slot::raw_q, q.extent(1)), q,
                                norm_parts(shape.heads));
        }
        if (key_norm) key_norm->forward(ctx, p, layer, k_norm_sites, raw_k, k, norm_parts(shape.kv_heads));
        if (rotary) {
            auto const [cosines, sines] = p.angles(*rotary);
            if (with_q) {
                backend::rotate<T>(ctx, q, shape.heads, cosines, sines);
                p.hook(site_id::rot_q, layer, q, shape.heads);
            }
            backend::rotate<T>(ctx, k, shape.kv_heads, cosines, sines);
            p.hook(site_id::rot_k, layer, k, shape.kv_heads);
        }
        p.record(layer, k, v);
    }
};

}  // namespace plateau::nn
