#pragma once
/// Inputs of single heads of queries, keys and values, where somebody wants to see or change them.

#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::nn {

inline constexpr work_buffer copies_buffer{"copies"};      ///< what somebody may change without changing its source
inline constexpr work_buffer one_head_buffer{"one head"};  ///< one head's input, or what all heads make of it
inline constexpr work_buffer kept_copies{"kept copies"};   ///< the copies as hooks left them, for tangents

/// True if a layer's heads must read copies of their own of the residual stream.
template <class Context, class T>
bool wants_split_inputs(layer_rows<Context, T> l) {
    using hooks::site_id;
    return l.wanted(site_id::attn_in) || l.wanted(site_id::q_input) || l.wanted(site_id::k_input) ||
           l.wanted(site_id::v_input);
}

/// The copies of a block, [R, (H + 2 KV) D]: of the query heads, of the key heads, of the value heads.
template <class Context, class T>
class split_inputs {
public:
    using rows = layer_rows<Context, T>;
    using rows_view = typename rows::rows_view;

    split_inputs(rows l, index heads, index kv_heads, index width)
        : heads_{heads}, kv_heads_{kv_heads}, width_{width}, all_{l.matrix(copies_buffer, count() * width)} {}

    /// The copies of heads [first, first + count).
    rows_view part(index first, index count) const {
        return {all_.data() + first * width_, {all_.extent(0), count * width_}, {all_.stride(0), 1}};
    }

    /// Copies x, shows the copies, and leaves what `norm` makes of each, which nobody sees: hooks of the norm itself
    /// see x alone.
    /// @param x  [R, D]      @param norm  called with two matrices [R, D] that do not overlap: from, to
    template <class Norm>
    PLATEAU_INLINE void fill(rows l, rows_view x, Norm&& norm) const {
        using hooks::site_id;
        auto const copy = [&](rows_view from, rows_view to) { backend::copy<T>(l.context(), from, to); };
        for (index i = 0; i < count(); ++i) copy(x, part(i, 1));
        if (heads_ == kv_heads_) {
            l.hook(site_id::attn_in, part(0, heads_), heads_);
            for (index i = heads_; i < count(); ++i) copy(part(i % heads_, 1), part(i, 1));
        }
        l.hook(site_id::q_input, part(0, heads_), heads_);
        l.hook(site_id::k_input, part(heads_, kv_heads_), kv_heads_);
        l.hook(site_id::v_input, part(heads_ + kv_heads_, kv_heads_), kv_heads_);
        if (l.pass.has_tangents()) copy(all_, l.matrix(kept_copies, all_.extent(1)));
        auto const normed = l.matrix(one_head_buffer, width_);
        l.pass.without_hooks([&] {
            for (index i = 0; i < count(); ++i) {
                norm(part(i, 1), normed);
                copy(normed, part(i, 1));
            }
        });
    }

    static void list(std::vector<hooks::site>& sites, int layer, index heads, index kv_heads, index width) {
        using hooks::site_axes;
        using hooks::site_id;
        if (heads == kv_heads) hooks::add_site(sites, {site_id::attn_in, layer, site_axes::heads, heads, width});
        hooks::add_site(sites, {site_id::q_input, layer, site_axes::heads, heads, width});
        hooks::add_site(sites, {site_id::k_input, layer, site_axes::heads, kv_heads, width});
        hooks::add_site(sites, {site_id::v_input, layer, site_axes::heads, kv_heads, width});
    }

private:
    index count() const { return heads_ + 2 * kv_heads_; }

    index heads_, kv_heads_, width_;
    rows_view all_;
};

}  // namespace plateau::nn
