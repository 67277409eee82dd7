#pragma once
/// What each head of queries, keys and values reads, where somebody wants to see or change it.

#include <plateau/nn/pass.hpp>

namespace plateau::nn {

/// True if a layer's heads must read copies of their own of the residual stream.
template <class Context, class T>
[[gnu::noinline]] bool wants_split_inputs(pass<Context, T> const& p, int layer) {
    using hooks::site_id;
    return p.wanted(site_id::attn_in, layer) || p.wanted(site_id::q_input, layer) ||
           p.wanted(site_id::k_input, layer) || p.wanted(site_id::v_input, layer);
}

/// The copies of a pass, [R, (H + 2 KV) D]: of the query heads, of the key heads, of the value heads.
template <class Context, class T>
class split_inputs {
public:
    using rows_view = typename pass<Context, T>::rows_view;

    split_inputs(pass<Context, T>& p, index heads, index kv_heads, index width)
        : heads_{heads}, kv_heads_{kv_heads}, width_{width}, all_{p.matrix(slot::copies,
                                                                           (heads + 2 * kv_heads) * width)} {}

    /// The copies of heads [first, first + count).
    [[gnu::noinline]] rows_view part(index first, index count) const {
        return {all_.data() + first * width_, {all_.extent(0), count * width_}, {all_.stride(0), 1}};
    }

    /// Copies x, shows the copies, and leaves what `norm` makes of each, which nobody sees: hooks of the norm itself
    /// see x alone.
    /// @param x  [R, D]      @param norm  called with two matrices [R, D] that do not overlap: from, to
    template <class Norm>
    [[gnu::cold, gnu::noinline]] void fill(pass<Context, T>& p, int layer, rows_view x, Norm&& norm) const {
        using hooks::site_id;
        index const all = heads_ + 2 * kv_heads_;
        auto const copy = [&](rows_view from, rows_view to) { backend::copy<T>(p.context(), from, to); };
        for (index i = 0; i < all; ++i) copy(x, part(i, 1));
        if (heads_ == kv_heads_) {
            p.hook(site_id::attn_in, layer, part(0, heads_), heads_);
            for (index i = heads_; i < all; ++i) copy(part(i % heads_, 1), part(i, 1));
        }
        p.hook(site_id::q_input, layer, part(0, heads_), heads_);
        p.hook(site_id::k_input, layer, part(heads_, kv_heads_), kv_heads_);
        p.hook(site_id::v_input, layer, part(heads_ + kv_heads_, kv_heads_), kv_heads_);
        auto const normed = p.matrix(slot::one_head, width_);
        p.unseen([&] {
            for (index i = 0; i < all; ++i) {
                norm(part(i, 1), normed);
                copy(normed, part(i, 1));
            }
        });
    }

    [[gnu::cold]] static void list(std::vector<hooks::site>& sites, int layer, index heads, index kv_heads,
                                   index width) {
        using hooks::site_axes;
        using hooks::site_id;
        if (heads == kv_heads) hooks::add_site(sites, {site_id::attn_in, layer, site_axes::heads, heads, width});
        hooks::add_site(sites, {site_id::q_input, layer, site_axes::heads, heads, width});
        hooks::add_site(sites, {site_id::k_input, layer, site_axes::heads, kv_heads, width});
        hooks::add_site(sites, {site_id::v_input, layer, site_axes::heads, kv_heads, width});
    }

private:
    index heads_, kv_heads_, width_;
    rows_view all_;
};

}  // namespace plateau::nn
