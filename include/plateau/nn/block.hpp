#pragma once
/// A transformer block, composed from its parts.

#include <cstdint>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/attention.hpp>
#include <plateau/nn/branch.hpp>
#include <plateau/nn/mlp.hpp>

namespace plateau::nn {

inline constexpr work_buffer kept_pre_buffer{"kept pre"};  ///< [R, D]: the block's input
inline constexpr work_buffer kept_mid_buffer{"kept mid"};  ///< [R, D]: what its second branch reads

/// In which order a block adds its branches to the residual stream.
enum class order : std::uint8_t {
    sequential,  ///< x += attention(x);  x += mlp(x)
    parallel,    ///< x += attention(x) + mlp(x), both of the same x
};

/// One block over the residual stream [R, D]: two branches and their order. In a parallel block an MLP without a norm
/// of its own shares that of the attention. The parts are any types with the calls that `branch` names, so a block of
/// your own is one more part, not one more block. Contract of the hook points, for any parts:
///     sequential:  resid_pre + attn_out = resid_mid,  resid_mid + mlp_out = resid_post
///     parallel:    (resid_pre + attn_out) + mlp_out = resid_post, and there is no resid_mid
template <class Norm, class Attention, class Mlp>
struct block {
    branch<Norm, Attention> attention{attention_sites};
    branch<Norm, Mlp> mlp{mlp_sites};
    nn::order order = nn::order::sequential;

    /// Moves residual rows through the block. @param x  [R, D]
    template <class Context, class T, class Rows>
    PLATEAU_INLINE void forward(layer_rows<Context, T> l, Rows x) const {
        using hooks::site_id;
        l.hook(site_id::resid_pre, x);
        keep(l, x, kept_pre_buffer);
        split_inputs(l, x);
        auto const normed = attention.read(l, x);
        if (order == nn::order::sequential) {
            attention.add_to(l, normed, x);
            l.hook(site_id::resid_mid, x);
            mlp.add_to(l, mlp.read(l, mlp_input(l, x)), x);
        } else {
            auto const added = attention.addend(l, normed);
            auto const read = mlp.before ? mlp.read(l, mlp_input(l, x)) : normed;
            backend::add<T>(l.context(), added, x);
            mlp.add_to(l, read, x);
        }
        l.hook(site_id::resid_post, x);
    }

    /// forward() with tangents. @param x  [R, D] and [t, D]
    template <class Context, class T, class Rows>
    void jvp(layer_duals<Context, T> l, dual<Rows> x) const {
        using hooks::site_id;
        auto const add = [&](dual<Rows> addend) {
            backend::add<T>(l.context(), addend.value, x.value);
            backend::add<T>(l.context(), addend.tangent, x.tangent);
        };
        l.hook(site_id::resid_pre, x);
        split_inputs(l, x);
        auto const normed = attention.read(l, x);
        if (order == nn::order::sequential) {
            add(attention.addend(l, normed));
            l.hook(site_id::resid_mid, x);
            add(mlp.addend(l, mlp.read(l, mlp_input(l, x))));
        } else {
            // the MLP reads what stands here before the attention's part is added
            auto const added = attention.addend(l, normed);
            auto const read = mlp.before ? mlp.read(l, mlp_input(l, x)) : normed;
            add(added);
            add(mlp.addend(l, read));
        }
        l.hook(site_id::resid_post, x);
    }

    /// Takes cotangents of the block's output back to its input, in place. The values are those that forward() left
    /// where the pass worked. @param g  [t, D]
    template <class Context, class T, class Rows>
    void vjp(layer_duals<Context, T> l, Rows g) const {
        using hooks::site_id;
        auto const pre = l.value.matrix(kept_pre_buffer, g.extent(1));
        l.hook_cotangents(site_id::resid_post, g);
        if (order == nn::order::sequential) {
            mlp_vjp(l, g, g);
            l.hook_cotangents(site_id::resid_mid, g);
            attention.vjp(l, pre, g, g);
            join_inputs(l, pre, g);
        } else {
            // both read what stood here before; without a norm of its own the MLP reads through the attention's
            auto const sum = l.tangent.matrix(kept_mid_buffer, g.extent(1));
            backend::copy<T>(l.context(), g, sum);
            if (mlp.before) {
                mlp_vjp(l, g, sum);
                attention.vjp(l, pre, g, sum);
            } else if (!attention.before) {
                mlp.vjp(l, pre, g, sum);
                attention.vjp(l, pre, g, sum);
            } else {
                auto const both = l.tangent.matrix(kept_pre_buffer, g.extent(1));
                backend::copy<T>(l.context(), mlp.gx_of_part(l, g), both);
                backend::add<T>(l.context(), attention.gx_of_part(l, g), both);
                auto const through = l.tangent.matrix(added_normed, g.extent(1));
                attention.before->vjp(l, attention.at.before, pre, both, through);
                backend::add<T>(l.context(), through, sum);
            }
            join_inputs(l, pre, sum);
            backend::copy<T>(l.context(), sum, g);
        }
        l.hook_cotangents(site_id::resid_pre, g);
    }

    /// Records the keys and values of this block and leaves the residual stream as it is: what the prefix needs of the
    /// last layer.
    template <class Context, class T, class Rows>
    PLATEAU_INLINE void record_keys_and_values(layer_rows<Context, T> l, Rows x) const {
        attention.part.keys_and_values(l, attention.read(l, x));
    }

    /// Appends the hook points of this block in firing order. @param width  D
    void list(std::vector<hooks::site>& sites, int layer, index width) const {
        auto const vector = [&](hooks::site_id id) {
            hooks::add_site(sites, {id, layer, hooks::site_axes::vector, 1, width});
        };
        vector(hooks::site_id::resid_pre);
        if constexpr (requires { attention.part.list_inputs(sites, layer, width); }) {
            attention.part.list_inputs(sites, layer, width);
        }
        attention.list(sites, layer, width);
        if (order == nn::order::sequential) vector(hooks::site_id::resid_mid);
        if (mlp.before || order == nn::order::sequential) vector(hooks::site_id::mlp_in);
        mlp.list(sites, layer, width);
        vector(hooks::site_id::resid_post);
    }

    /// Calls f(name, width) for the work matrices that nobody looks at, as far as parts tell of theirs. @param width  D
    template <class F>
    void each_work_matrix(index width, F&& f) const {
        f(residual_buffer, width);
        attention.each_work_matrix(width, f);
        mlp.each_work_matrix(width, f);
    }

    index kv_width() const { return attention.part.kv_width(); }

private:
    /// Lets the attention's heads read copies of x, each behind the norm without its hooks, if it can and somebody
    /// asks.
    template <class Context, class T, class Rows>
    PLATEAU_INLINE void split_inputs(layer_rows<Context, T> l, Rows x) const {
        auto const normalise = [&](Rows from, Rows to) {
            if (attention.before) attention.before->forward(l, attention.at.before, from, to);
            else backend::copy<T>(l.context(), from, to);
        };
        if constexpr (requires { attention.part.split(l, x, normalise); }) attention.part.split(l, x, normalise);
    }

    /// The same with tangents.
    template <class Context, class T, class Rows>
    void split_inputs(layer_duals<Context, T> l, dual<Rows> x) const {
        split_inputs(l.value, x.value);
        auto const normalise = [&](dual<Rows> from, Rows to) {
            if (attention.before) attention.before->tangents(l, attention.at.before, from, to);
            else backend::copy<T>(l.context(), from.tangent, to);
        };
        if constexpr (requires { attention.part.split(l, x, normalise); }) attention.part.split(l, x, normalise);
    }

    /// Adds what came back to the copies. @param x  the block's input      @param into  [t, D]
    template <class Context, class T, class Rows>
    void join_inputs(layer_duals<Context, T> l, Rows x, Rows into) const {
        auto const back = [&](dual<Rows> from, Rows to) {
            if (attention.before) attention.before->vjp(l, attention.at.before, from.value, from.tangent, to);
            else backend::copy<T>(l.context(), from.tangent, to);
        };
        if constexpr (requires { attention.part.join(l, x, into, back); }) attention.part.join(l, x, into, back);
    }

    /// into += what the MLP's input owes, of a block that has a place for it. @param g  [t, D], of the sum
    template <class Context, class T, class Rows>
    void mlp_vjp(layer_duals<Context, T> l, Rows g, Rows into) const {
        auto const read = l.value.matrix(kept_mid_buffer, g.extent(1));
        if (!l.touched(hooks::site_id::mlp_in)) return mlp.vjp(l, read, g, into);
        auto const own = l.tangent.matrix(copies_buffer, g.extent(1));
        backend::clear<T>(l.context(), own);
        mlp.vjp(l, read, g, own);
        l.hook_cotangents(hooks::site_id::mlp_in, own);
        backend::add<T>(l.context(), own, into);
    }

    /// x as the MLP alone sees it, with tangents.
    template <class Context, class T, class Rows>
    dual<Rows> mlp_input(layer_duals<Context, T> l, dual<Rows> x) const {
        if (!l.value.wanted(hooks::site_id::mlp_in) && !l.touched(hooks::site_id::mlp_in)) return x;
        auto const copy = l.matrix(copies_buffer, x.value.extent(1));
        backend::copy<T>(l.context(), x.value, copy.value);
        backend::copy<T>(l.context(), x.tangent, copy.tangent);
        l.hook(hooks::site_id::mlp_in, copy);
        return copy;
    }

    /// x as the MLP alone sees it: a copy, if somebody wants to change it.
    template <class Context, class T, class Rows>
    PLATEAU_INLINE Rows mlp_input(layer_rows<Context, T> l, Rows x) const {
        auto read = x;
        if (l.wanted(hooks::site_id::mlp_in)) {
            read = l.matrix(copies_buffer, x.extent(1));
            backend::copy<T>(l.context(), x, read);
            l.hook(hooks::site_id::mlp_in, read);
        }
        keep(l, read, kept_mid_buffer);
        return read;
    }

    /// Keeps what cotangents need.
    template <class Context, class T, class Rows>
    static void keep(layer_rows<Context, T> l, Rows x, work_buffer const& as) {
        if (l.pass.has_tangents()) backend::copy<T>(l.context(), x, l.matrix(as, x.extent(1)));
    }
};

}  // namespace plateau::nn
