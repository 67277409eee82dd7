#pragma once
/// A branch of a block: what a part, with its norms, adds to the residual stream.

#include <optional>

#include <plateau/core/macros.hpp>
#include <plateau/nn/duals.hpp>
#include <plateau/nn/norm.hpp>

namespace plateau::nn {

inline constexpr work_buffer kept_attention_addend{"kept attention"};  ///< [R, D]
inline constexpr work_buffer kept_mlp_addend{"kept mlp"};              ///< [R, D]
inline constexpr work_buffer added_normed{"added normed"};  ///< [R, D]: the same behind the norm after the part

/// The hook points of a branch.
struct branch_sites {
    norm_sites before, after;
    hooks::site_id out;  ///< what is added to the residual stream
};
inline constexpr branch_sites attention_sites{norm_sites_from(hooks::site_id::ln1_scale),
                                              norm_sites_from(hooks::site_id::ln1_post_scale),
                                              hooks::site_id::attn_out};
inline constexpr branch_sites mlp_sites{norm_sites_from(hooks::site_id::ln2_scale),
                                        norm_sites_from(hooks::site_id::ln2_post_scale), hooks::site_id::mlp_out};

/// What a block adds to the residual stream: m · after(part(before(x))), each norm if it is there. The part is any type
/// with
///     part.forward(layer_rows, x, y)      y = part(x), [R, D] each
/// and, if it can add to y itself, part.forward(layer_rows, x, y, backend::accumulate::yes).
template <class Norm, class Part>
struct branch {
    branch_sites at;
    Part part = {};
    std::optional<Norm> before = {}, after = {};
    double multiplier = 1;  ///< m

    /// What the part reads of x: behind its norm, or x itself.
    template <class Context, class T, class Rows>
    PLATEAU_INLINE Rows read(layer_rows<Context, T> l, Rows x) const {
        if (!before) return x;
        auto const normed = l.matrix(norm_out_buffer, x.extent(1));
        before->forward(l, at.before, x, normed);
        return normed;
    }

    /// m · after(part(x)); its hooks fire. @param x  what the part reads
    template <class Context, class T, class Rows>
    PLATEAU_INLINE Rows addend(layer_rows<Context, T> l, Rows x) const {
        auto added = l.matrix(added_buffer, x.extent(1));
        part.forward(l, x, added);
        if (after) {
            if (l.pass.has_tangents()) backend::copy<T>(l.context(), added, l.matrix(kept_addend(), x.extent(1)));
            auto const normed = l.matrix(added_normed, x.extent(1));
            after->forward(l, at.after, added, normed);
            added = normed;
        }
        multiply<T>(l.context(), added);
        l.hook(at.out, added);
        return added;
    }

    /// What the part reads of x, with tangents.
    template <class Context, class T, class Rows>
    dual<Rows> read(layer_duals<Context, T> l, dual<Rows> x) const {
        if (!before) return x;
        auto const normed = l.matrix(norm_out_buffer, x.value.extent(1));
        before->jvp(l, at.before, x, normed);
        return normed;
    }

    /// m · after(part(x)) with tangents. The part needs
    ///     part.jvp(layer_duals, x, y)         y and its tangents
    template <class Context, class T, class Rows>
    dual<Rows> addend(layer_duals<Context, T> l, dual<Rows> x) const {
        static_assert(
            requires(dual<Rows> y) { part.jvp(l, x, y); },
            "this part has no derivative: give it jvp(layer_duals, x, y) beside forward()");
        auto added = l.matrix(added_buffer, x.value.extent(1));
        part.jvp(l, x, added);
        if (after) {
            auto const normed = l.matrix(added_normed, x.value.extent(1));
            after->jvp(l, at.after, added, normed);
            added = normed;
        }
        multiply<T>(l.context(), added.value);
        multiply<T>(l.context(), added.tangent);
        l.hook(at.out, added);
        return added;
    }

    /// g += gx of x, of which the branch read and to which it added: g is of the sum. The part needs
    ///     part.vjp(layer_duals, g, gx)        gx of what it read, of whose output g is
    /// @param x  [R, D], as it was read      @param into  [t, D], what gx is added to
    template <class Context, class T, class Rows>
    void vjp(layer_duals<Context, T> l, Rows x, Rows g, Rows into) const {
        auto const gx = gx_of_part(l, g);
        if (!before) return backend::add<T>(l.context(), gx, into);
        auto const through = l.tangent.matrix(added_normed, x.extent(1));
        before->vjp(l, at.before, x, gx, through);
        backend::add<T>(l.context(), through, into);
    }

    /// gx of what the part read. @param g  [t, D], of the sum
    template <class Context, class T, class Rows>
    Rows gx_of_part(layer_duals<Context, T> l, Rows g) const {
        static_assert(
            requires(Rows y) { part.vjp(l, y, y); },
            "this part has no derivative backwards: give it vjp(layer_duals, g, gx) beside forward()");
        index const width = g.extent(1);
        auto own = l.tangent.matrix(added_buffer, width);
        backend::copy<T>(l.context(), g, own);
        l.hook_cotangents(at.out, own);
        multiply<T>(l.context(), own);
        if (after) {
            auto const inner = l.tangent.matrix(added_normed, width);
            after->vjp(l, at.after, l.value.matrix(kept_addend(), width), own, inner);
            own = inner;
        }
        auto const gx = l.tangent.matrix(norm_out_buffer, width);
        part.vjp(l, own, gx);
        return gx;
    }

    /// y += m · after(part(x)). A part that can add does so itself, unless somebody wants to see what it adds.
    template <class Context, class T, class Rows>
    PLATEAU_INLINE void add_to(layer_rows<Context, T> l, Rows x, Rows y) const {
        if constexpr (requires { part.forward(l, x, y, backend::accumulate::yes); }) {
            if (!after && multiplier == 1 && !l.wanted(at.out)) return part.forward(l, x, y, backend::accumulate::yes);
        }
        backend::add<T>(l.context(), addend(l, x), y);
    }

    /// x *= m
    template <class T, class Context, class Rows>
    void multiply(Context const& ctx, Rows x) const {
        if (multiplier != 1) backend::scale<T>(ctx, x, static_cast<T>(multiplier));
    }

    /// Calls f(name, width) for the work matrices that nobody looks at, as far as the part tells of its own.
    template <class F>
    void each_work_matrix(index width, F&& f) const {
        f(norm_out_buffer, width);
        f(added_buffer, width);
        if (after) f(added_normed, width);
        if constexpr (requires { part.each_work_matrix(f); }) part.each_work_matrix(f);
    }

    /// What the norm after the part reads, kept for cotangents.
    work_buffer const& kept_addend() const {
        return at.out == hooks::site_id::attn_out ? kept_attention_addend : kept_mlp_addend;
    }

    /// Appends the hook points in firing order. @param width  D
    void list(std::vector<hooks::site>& sites, int layer, index width) const {
        if (before) before->list(sites, layer, at.before, width);
        part.list(sites, layer);
        if (after) after->list(sites, layer, at.after, width);
        hooks::add_site(sites, {at.out, layer, hooks::site_axes::vector, 1, width});
    }
};

}  // namespace plateau::nn
