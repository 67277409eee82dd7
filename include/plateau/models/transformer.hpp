#pragma once
/// A decoder: embedding, blocks, final norm, unembedding.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/nn/block.hpp>

namespace plateau::models {

/// The block that all families share: their parts differ at run time, where a switch costs nothing next to a matrix
/// product.
template <class Context, class T>
using standard_block = nn::block<nn::norm<Context, T>, nn::attention<Context, T>, nn::mlp<Context, T>>;

/// A decoder of equal blocks. Weights are public: fill them and compute.
///     x = s·W_E[token] (+ W_P[position + offset]);   x = block_l(x), l = 0..L−1;   logits = cap(norm(x) W_Uᵀ (+ b_U))
template <class Context, class T, class Block = standard_block<Context, T>>
class transformer {
public:
    using context_type = Context;
    using value_type = T;
    using pass_type = nn::pass<Context, T>;
    using weight = typename Context::template weight<T>;

    std::shared_ptr<weight const> embedding;  ///< [V, D]
    T embedding_scale = 1;                    ///< s
    std::optional<weight> positions;          ///< [offset + context, D] with learned positions
    index position_offset = 0;
    std::vector<Block> blocks;  ///< L of them
    std::optional<nn::norm<Context, T>> final_norm;
    std::shared_ptr<weight const> unembedding;                      ///< [V, D]; the embedding itself if tied
    typename Context::template buffer<T, 1> unembedding_bias = {};  ///< [V], or empty
    T logit_cap = 0;                                                ///< c > 0: logits become c·tanh(logit / c)
    index context_length = 0;                                       ///< positions that the model was made for

    int layers() const { return static_cast<int>(blocks.size()); }
    index width() const { return embedding->inputs(); }
    index vocabulary() const { return unembedding->outputs(); }
    /// From the final norm's output to logits before the cap, as the operations of a backend take it.
    backend::biased<Context, T> head() const { return {*unembedding, unembedding_bias}; }

    /// Every hook point in firing order.
    [[gnu::cold]] std::vector<hooks::site> sites() const {
        using hooks::site_axes;
        using hooks::site_id;
        std::vector<hooks::site> all;
        hooks::add_site(all, {site_id::embed, -1, site_axes::vector, 1, width()});
        if (positions) hooks::add_site(all, {site_id::pos_embed, -1, site_axes::vector, 1, width()});
        for (int layer = 0; layer < layers(); ++layer) blocks[at(layer)].list(all, layer, width());
        if (final_norm) final_norm->list(all, -1, nn::ln_final_sites, width());
        hooks::add_site(all, {site_id::unembed_in, -1, site_axes::vector, 1, width()});
        hooks::add_site(all, {site_id::unembed_out, -1, site_axes::vector, 1, vocabulary()});
        if (logit_cap > 0) hooks::add_site(all, {site_id::logits, -1, site_axes::vector, 1, vocabulary()});
        return all;
    }

    /// Fills the residual rows of `p` with the embeddings of `tokens`, one per row.
    /// @param tokens  [R], each in [0, V)
    void embed(Context const& ctx, pass_type& p, std::span<index const> tokens) const {
        auto const x = p.residual(width());
        backend::gather_rows<T>(ctx, *embedding, tokens, x);
        if (embedding_scale != T{1}) backend::scale<T>(ctx, x, embedding_scale);
        p.hook(hooks::site_id::embed, -1, x);
        if (!positions) return;
        std::vector<index> at_position;
        for (auto const& row : p.ids()) at_position.push_back(row.position + position_offset);
        auto const position_rows = p.matrix(nn::slot::delta, width());
        backend::gather_rows<T>(ctx, *positions, at_position, position_rows);
        p.hook(hooks::site_id::pos_embed, -1, position_rows);
        backend::add<T>(ctx, position_rows, x);
    }

    /// Moves the residual rows through the blocks [first, last). @param item  what a row's item is called in messages
    void run(Context const& ctx, pass_type& p, int first, int last, char const* item) const {
        p.run_layers(first, last, prepare(blocks, p, first, last), [&] {
            for (int layer = first; layer < last; ++layer) {
                blocks[at(layer)].forward(ctx, p, layer, width());
                p.note_finite(layer, layers(), p.residual(width()), item);
            }
        });
        p.require_noted(first, last, item);
    }

    /// What a later row needs of block `layer`, and no more.
    void record_keys_and_values(Context const& ctx, pass_type& p, int layer) const {
        blocks[at(layer)].record_keys_and_values(ctx, p, layer, width());
    }

    /// Final norm, and logits if `with_logits`; visible through hooks alone.
    void read_out(Context const& ctx, pass_type& p, bool with_logits) const {
        auto const residual = p.residual(width()), x = p.matrix(nn::slot::normed, width());
        if (final_norm) final_norm->forward(ctx, p, -1, nn::ln_final_sites, residual, x);
        else backend::copy<T>(ctx, residual, x);
        p.hook(hooks::site_id::unembed_in, -1, x);
        if (with_logits) unembed(ctx, p);
    }

    /// Logits of the rows that `read_out` left in slot::normed, in slot::logits: [R, V].
    void unembed(Context const& ctx, pass_type& p) const {
        auto const logits = p.matrix(nn::slot::logits, vocabulary());
        backend::linear<T>(ctx, p.matrix(nn::slot::normed, width()), head(), logits);
        p.hook(hooks::site_id::unembed_out, -1, logits);
        if (!(logit_cap > 0)) return;
        backend::cap<T>(ctx, logits, logit_cap);
        p.hook(hooks::site_id::logits, -1, logits);
    }

    index kv_width() const { return blocks.front().kv_width(); }

private:
    /// True if all that the layers [first, last) share is made; false where it is made as they come, or they share
    /// nothing.
    static bool prepare(std::vector<Block> const& blocks, pass_type& p, int first, int last) {
        if constexpr (!std::is_same_v<typename Context::space, tensor::host_space> &&
                      requires(Block const& one) { one.attend.prepare(p, first); }) {
            for (int layer = first; layer < last; ++layer) {
                if (!blocks[at(layer)].attend.prepared_by(blocks[at(first)].attend)) return false;
            }
            if (first < last) blocks[at(first)].attend.prepare(p, first);
            return true;
        }
        return false;
    }
    static std::size_t at(int layer) { return static_cast<std::size_t>(layer); }
};

}  // namespace plateau::models
