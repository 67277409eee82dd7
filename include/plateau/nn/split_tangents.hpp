#pragma once
/// Tangents and cotangents of single heads' inputs, where somebody wants to see, hold or change them.

#include <plateau/nn/duals.hpp>
#include <plateau/nn/split_inputs.hpp>

namespace plateau::nn {

/// True if tangents go through copies of the residual stream for each head: where values do, and where somebody looks
/// at tangents there, or takes them for constant.
template <class Context, class T>
bool splits_tangents(layer_duals<Context, T> const& l) {
    using hooks::site_id;
    return wants_split_inputs(l.value) || l.touched(site_id::attn_in) || l.touched(site_id::q_input) ||
           l.touched(site_id::k_input) || l.touched(site_id::v_input);
}

/// The tangents of the copies of a block, [t, (H + 2 KV) D]. @see split_inputs
template <class Context, class T>
class split_tangents {
public:
    using duals = layer_duals<Context, T>;
    using rows_view = typename duals::rows_view;

    split_tangents(duals const& l, index heads, index kv_heads, index width)
        : l_{l}, heads_{heads}, kv_heads_{kv_heads}, width_{width}, copies_{l.tangent, heads, kv_heads, width},
          values_differ_{wants_split_inputs(l.value)} {}

    /// The tangents of the copies of heads [first, first + count).
    rows_view part(index first, index count) const { return copies_.part(first, count); }

    /// Copies ẋ, shows the copies, and leaves what `norm` makes of each, which nobody sees.
    /// @param norm  called with a copy and its tangent, and where its own tangent goes
    template <class Norm>
    void fill(dual<rows_view> x, Norm&& norm) const {
        using hooks::site_id;
        for (index i = 0; i < count(); ++i) copy(x.tangent, part(i, 1));
        if (heads_ == kv_heads_) {
            l_.hook_tangents(site_id::attn_in, part(0, heads_), heads_);
            for (index i = heads_; i < count(); ++i) copy(part(i % heads_, 1), part(i, 1));
        }
        each_reader([&](site_id at, index first, index heads) { l_.hook_tangents(at, part(first, heads), heads); });
        through_norm([&](index i, rows_view to) { norm({value(i, x.value), part(i, 1)}, to); });
    }

    /// into += what cotangents of the copies, behind their norms, become.
    /// @param norm  called with a copy and the cotangent of its norm, and where its own goes
    template <class Norm>
    void join(rows_view x, rows_view into, Norm&& norm) const {
        using hooks::site_id;
        through_norm([&](index i, rows_view to) { norm({value(i, x), part(i, 1)}, to); });
        each_reader([&](site_id at, index first, index heads) { l_.hook_cotangents(at, part(first, heads), heads); });
        index summed = count();
        if (heads_ == kv_heads_) {
            for (index i = heads_; i < count(); ++i) backend::add<T>(l_.context(), part(i, 1), part(i % heads_, 1));
            l_.hook_cotangents(site_id::attn_in, part(0, heads_), heads_);
            summed = heads_;
        }
        for (index i = 0; i < summed; ++i) backend::add<T>(l_.context(), part(i, 1), into);
    }

private:
    index count() const { return heads_ + 2 * kv_heads_; }
    void copy(rows_view from, rows_view to) const { backend::copy<T>(l_.context(), from, to); }

    /// The value of copy i, before its norm. @param x  what it is a copy of
    rows_view value(index i, rows_view x) const {
        if (!values_differ_) return x;
        auto const all = l_.value.matrix(kept_copies, count() * width_);
        return {all.data() + i * width_, {all.extent(0), width_}, {all.stride(0), 1}};
    }

    template <class F>
    void each_reader(F const& f) const {
        f(hooks::site_id::q_input, 0, heads_);
        f(hooks::site_id::k_input, heads_, kv_heads_);
        f(hooks::site_id::v_input, heads_ + kv_heads_, kv_heads_);
    }

    /// Replaces the tangents of the copies one by one, while nobody looks.
    template <class F>
    void through_norm(F const& f) const {
        auto const one = l_.tangent.matrix(one_head_buffer, width_);
        l_.value.pass.without_hooks([&] {
            l_.tangent.pass.without_hooks([&] {
                for (index i = 0; i < count(); ++i) {
                    f(i, one);
                    copy(one, part(i, 1));
                }
            });
        });
    }

    duals l_;
    index heads_, kv_heads_, width_;
    split_inputs<Context, T> copies_;
    bool values_differ_;  // asked before nobody looks
};

}  // namespace plateau::nn
