#pragma once
/// A decoder: embedding, blocks, final norm, unembedding.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/models/layer_turns.hpp>
#include <plateau/nn/block.hpp>

namespace plateau::models {

/// The block that all families share: their parts differ at run time, where a switch costs nothing next to a matrix
/// product.
template <class Context, class T>
using standard_block = nn::block<nn::norm<Context, T>, nn::attention<Context, T>, nn::mlp<Context, T>>;

/// A decoder of equal blocks. Weights are public: fill them and compute.
///     x = s·W_E[token] (+ W_P[position + offset]);   x = block_l(x), l = 0..L−1
///     logits = cap(s_U · (norm(x) W_Uᵀ (+ b_U)))
template <class Context, class T, class Block = standard_block<Context, T>>
class transformer {
public:
    using context_type = Context;
    using value_type = T;
    using pass_type = nn::pass<Context, T>;
    using weight = typename Context::template weight<T>;

    std::shared_ptr<weight const> embedding;  ///< [V, D]
    T embedding_scale = 1;                    ///< s
    std::shared_ptr<weight const> positions;  ///< [offset + context, D] with learned positions
    index position_offset = 0;
    std::vector<Block> blocks;  ///< L of them
    std::optional<nn::norm<Context, T>> final_norm;
    std::shared_ptr<weight const> unembedding;                      ///< [V, D]; the embedding itself if tied
    typename Context::template buffer<T, 1> unembedding_bias = {};  ///< [V], or empty
    T logit_scale = 1;                                              ///< s_U
    T logit_cap = 0;                                                ///< c > 0: logits become c·tanh(logit / c)
    index context_length = 0;                                       ///< positions that the model was made for
    std::shared_ptr<layer_turns> turns = {};  ///< of blocks and embeddings; null if all weights are in memory

    int layers() const { return static_cast<int>(blocks.size()); }
    index width() const { return embedding->inputs(); }
    index vocabulary() const { return unembedding->outputs(); }
    /// Numbers of the units of `turns`: those of blocks are theirs.
    int unembedding_unit() const { return layers(); }
    int embedding_unit() const { return embedding == unembedding ? layers() : layers() + 1; }
    /// Whether logits are others than what the unembedding makes.
    bool finishes_logits() const { return logit_cap > 0 || logit_scale != T{1}; }
    /// From the final norm's output to logits before factor and cap, as the operations of a backend take it.
    backend::linear_parameters<Context, T> head() const { return {*unembedding, unembedding_bias}; }

    /// Every hook point in firing order.
    PLATEAU_RARE std::vector<hooks::site> sites() const {
        using hooks::site_axes;
        using hooks::site_id;
        std::vector<hooks::site> all;
        hooks::add_site(all, {site_id::embed, -1, site_axes::vector, 1, width()});
        if (positions) hooks::add_site(all, {site_id::pos_embed, -1, site_axes::vector, 1, width()});
        for (int layer = 0; layer < layers(); ++layer) blocks[at(layer)].list(all, layer, width());
        if (final_norm) final_norm->list(all, -1, final_norm_sites, width());
        hooks::add_site(all, {site_id::unembed_in, -1, site_axes::vector, 1, width()});
        hooks::add_site(all, {site_id::unembed_out, -1, site_axes::vector, 1, vocabulary()});
        if (finishes_logits()) hooks::add_site(all, {site_id::logits, -1, site_axes::vector, 1, vocabulary()});
        return all;
    }

    /// Of the rotary positions whose frequencies go by the length of a prompt.
    PLATEAU_INLINE std::vector<nn::rope_lengths> rope_lengths() const {
        std::vector<nn::rope_lengths> all;
        if constexpr (requires(Block const& b) { b.attention.part.rotary->lengths(); }) {
            for (auto const& block : blocks) {
                auto const& rotary = block.attention.part.rotary;
                if (rotary == nullptr || rotary->lengths() == nn::rope_lengths{}) continue;
                if (std::find(all.begin(), all.end(), rotary->lengths()) == all.end()) all.push_back(rotary->lengths());
            }
        }
        return all;
    }

    /// Fills the residual rows of `p` with the embeddings of its rows' tokens.
    /// @param tokens  [R], each in [0, V)
    PLATEAU_INLINE void embed(pass_type& p, std::span<index const> tokens) const {
        auto const& ctx = p.context();
        auto const x = p.residual(width());
        layer_stay stay{turns.get()};
        stay.at(embedding_unit(), 0);
        backend::gather_rows<T>(ctx, *embedding, tokens, x);
        if (embedding_scale != T{1}) backend::scale<T>(ctx, x, embedding_scale);
        p.hook(hooks::site_id::embed, -1, x);
        if (!positions) return;
        std::vector<index> at_position;
        for (auto const& row : p.ids()) at_position.push_back(row.position + position_offset);
        auto const position_rows = p.matrix(nn::added_buffer, width());
        backend::gather_rows<T>(ctx, *positions, at_position, position_rows);
        p.hook(hooks::site_id::pos_embed, -1, position_rows);
        backend::add<T>(ctx, position_rows, x);
    }

    /// Moves the residual rows through the blocks [first, last). @param item  what a row's item is called in messages
    PLATEAU_INLINE void run(pass_type& p, int first, int last, char const* item) const {
        p.run_layers(first, last, make_shared_work(p, first, last), [&] {
            layer_stay stay{turns.get()};
            for (int layer = first; layer < last; ++layer) {
                stay.at(layer, layer + 1 < last ? layer + 1 : -1);
                blocks[at(layer)].forward(rows_of(p, layer), p.residual(width()));
                p.check_finite(layer, layers(), p.residual(width()), item);
            }
        });
        p.require_finite(first, last, item);
    }

    /// embed() with tangents, which are 0 unless hooks of theirs write them.
    void embed(pass_type& p, pass_type& tangents, nn::tangent_block const& which, std::span<index const> tokens) const {
        embed(p, tokens);
        auto const l = duals_of(p, tangents, which, -1);
        auto const dx = tangents.residual(width());
        backend::clear<T>(p.context(), dx);
        l.hook_tangents(hooks::site_id::embed, dx);
        if (!positions) return;
        auto const added = tangents.matrix(nn::added_buffer, width());
        backend::clear<T>(p.context(), added);
        l.hook_tangents(hooks::site_id::pos_embed, added);
        backend::add<T>(p.context(), added, dx);
    }

    /// run() with tangents. @throws not_finite_error also for tangents
    void run(pass_type& p, pass_type& tangents, nn::tangent_block const& which, int first, int last,
             char const* item) const {
        layer_stay stay{turns.get()};
        for (int layer = first; layer < last; ++layer) {
            stay.at(layer, layer + 1 < last ? layer + 1 : -1);
            blocks[at(layer)].jvp(duals_of(p, tangents, which, layer),
                                  nn::dual<rows_view>{p.residual(width()), tangents.residual(width())});
            p.check_finite(layer, layers(), p.residual(width()), item);
            tangents.check_finite(layer, layers(), tangents.residual(width()), "tangent of item");
        }
        p.require_finite(first, last, item);
        tangents.require_finite(first, last, "tangent of item");
    }

    /// read_out() with tangents.
    void read_out(pass_type& p, pass_type& tangents, nn::tangent_block const& which, bool with_logits) const {
        auto const l = duals_of(p, tangents, which, -1);
        nn::dual<rows_view> const residual{p.residual(width()), tangents.residual(width())};
        auto const x = l.matrix(nn::norm_out_buffer, width());
        if (final_norm) {
            final_norm->jvp(l, final_norm_sites, residual, x);
        } else {
            backend::copy<T>(p.context(), residual.value, x.value);
            backend::copy<T>(p.context(), residual.tangent, x.tangent);
        }
        l.hook(hooks::site_id::unembed_in, x);
        if (!with_logits) return;
        unembed(p);
        auto const dlogits = tangents.matrix(nn::logits_buffer, vocabulary());
        layer_stay stay{turns.get()};
        stay.at(unembedding_unit());
        backend::linear<T>(p.context(), x.tangent, {*unembedding, {}}, dlogits);
        l.hook_tangents(hooks::site_id::unembed_out, dlogits);
        if (!finishes_logits()) return;
        if (logit_scale != T{1}) backend::scale<T>(p.context(), dlogits, logit_scale);
        auto const values = p.matrix(nn::logits_buffer, vocabulary());
        if (logit_cap > 0) backend::cap_tangents<T>(p.context(), values, logit_cap, l.all(), dlogits);
        l.hook_tangents(hooks::site_id::logits, dlogits);
    }

    /// What the layers of a pass leave for cotangents: all values, or the input of each alone, from which they are
    /// computed again.
    struct kept_layers {
        std::vector<nn::workspace<Context, T>> by_layer = {};
        bool inputs_only = false;
    };

    /// run() for cotangents to come: each layer works in a place of its own, where its values stay, or leaves its input
    /// there.
    void run_kept(pass_type& p, kept_layers& kept, int first, int last, char const* item) const {
        while (kept.by_layer.size() < blocks.size()) kept.by_layer.emplace_back(p.context());
        if (!kept.inputs_only) p.expect_tangents();
        layer_stay stay{turns.get()};
        for (int layer = first; layer < last; ++layer) {
            stay.at(layer, layer + 1 < last ? layer + 1 : -1);
            auto const x = p.residual(width());
            p.work_in(&kept.by_layer[at(layer)]);
            if (kept.inputs_only) {
                backend::copy<T>(p.context(), x, p.matrix(nn::residual_buffer, width()));
                p.work_in(nullptr);
            }
            blocks[at(layer)].forward(rows_of(p, layer), x);
            p.work_in(nullptr);
            p.check_finite(layer, layers(), x, item);
        }
        p.require_finite(first, last, item);
        p.expect_tangents();
    }

    /// Bytes that a row's values take in all layers, as far as parts tell of theirs.
    index kept_row_bytes() const {
        index widths = 4 * width();  // the branches' inputs and, in place of bigger ones, what norms behind parts read
        blocks.front().each_work_matrix(width(), [&](nn::work_buffer const&, index width) { widths += width; });
        if constexpr (requires { blocks.front().mlp.part.in.weight.outputs(); })
            widths += 2 * blocks.front().mlp.part.in.weight.outputs();
        return widths * layers() * index{sizeof(T)};
    }

    /// Whether its parts take cotangents back, vjp() beside forward().
    static constexpr bool has_vjp =
        requires(Block const& b, nn::layer_duals<Context, T> const& l, typename pass_type::rows_view g) {
        b.attention.part.vjp(l, g, g);
        b.mlp.part.vjp(l, g, g);
    };

    /// Values that run_kept() and read_out() left, and cotangents of what came of them.
    struct backward {
        pass_type& values;
        pass_type& cotangents;
        nn::tangent_block const& which;
        kept_layers& kept;
        nn::transposes<Context, T>& transposes;
    };

    /// Takes cotangents, which hooks of theirs bring in, from the read-out back to where block `first` begins: then
    /// they are the residual rows of their pass.
    void vjp(backward const& b, int first, int last, bool read_out, bool with_logits) const {
        auto const& ctx = b.values.context();
        auto const g = b.cotangents.residual(width());
        backend::clear<T>(ctx, g);
        if (read_out) vjp_of_read_out(b, with_logits, g);
        layer_stay stay{turns.get()};
        for (int layer = last - 1; layer >= first; --layer) {
            stay.at(layer, layer > first ? layer - 1 : -1);
            auto& place = b.kept.by_layer[at(layer)];
            if (b.kept.inputs_only) compute_again(b.values, place, layer);
            else b.values.work_in(&place);
            blocks[at(layer)].vjp(duals_of(b, layer), g);
            b.values.work_in(nullptr);
            if (turns) b.transposes.forget();
        }
    }

    /// Shows cotangents the sites of the embedding.
    void vjp_of_embedding(backward const& b) const {
        auto const l = duals_of(b, -1);
        auto const g = b.cotangents.residual(width());
        if (positions) {
            auto const own = b.cotangents.matrix(nn::added_buffer, width());
            backend::copy<T>(b.values.context(), g, own);
            l.hook_cotangents(hooks::site_id::pos_embed, own);
        }
        l.hook_cotangents(hooks::site_id::embed, g);
    }

    /// What a later row needs of block `layer`, and no more.
    PLATEAU_INLINE void record_keys_and_values(pass_type& p, int layer) const {
        layer_stay stay{turns.get()};
        stay.at(layer);
        blocks[at(layer)].record_keys_and_values(rows_of(p, layer), p.residual(width()));
    }

    /// Final norm, and logits if `with_logits`; visible through hooks alone.
    PLATEAU_INLINE void read_out(pass_type& p, bool with_logits) const {
        auto const residual = p.residual(width()), x = p.matrix(nn::norm_out_buffer, width());
        if (final_norm) final_norm->forward(rows_of(p, -1), final_norm_sites, residual, x);
        else backend::copy<T>(p.context(), residual, x);
        p.hook(hooks::site_id::unembed_in, -1, x);
        if (with_logits) unembed(p);
    }

    /// Logits [R, V] of the rows that `read_out` left in `norm_out_buffer`.
    PLATEAU_INLINE void unembed(pass_type& p) const {
        auto const logits = p.matrix(nn::logits_buffer, vocabulary());
        layer_stay stay{turns.get()};
        stay.at(unembedding_unit());
        backend::linear<T>(p.context(), p.matrix(nn::norm_out_buffer, width()), head(), logits);
        p.hook(hooks::site_id::unembed_out, -1, logits);
        if (!finishes_logits()) return;
        if (logit_scale != T{1}) backend::scale<T>(p.context(), logits, logit_scale);
        if (logit_cap > 0) backend::cap<T>(p.context(), logits, logit_cap);
        p.hook(hooks::site_id::logits, -1, logits);
    }

    /// Calls f(name, width) for the work matrices of a pass that nobody looks at. @param logits  rows have logits too
    template <class F>
    void each_work_matrix(bool logits, F&& f) const {
        blocks.front().each_work_matrix(width(), f);
        if (logits) f(nn::logits_buffer, vocabulary());
    }

    index kv_width() const { return blocks.front().kv_width(); }

private:
    static constexpr nn::norm_sites final_norm_sites = nn::norm_sites_from(hooks::site_id::ln_final_scale);

    using rows_view = typename pass_type::rows_view;

    static nn::layer_rows<Context, T> rows_of(pass_type& p, int layer) { return {p, layer}; }
    static nn::layer_duals<Context, T> duals_of(pass_type& p, pass_type& tangents, nn::tangent_block const& which,
                                                int layer) {
        return {rows_of(p, layer), rows_of(tangents, layer), which};
    }

    static nn::layer_duals<Context, T> duals_of(backward const& b, int layer) {
        return {rows_of(b.values, layer), rows_of(b.cotangents, layer), b.which, &b.transposes};
    }

    /// The values of a layer whose input was kept, where work matrices are.
    void compute_again(pass_type& p, nn::workspace<Context, T>& place, int layer) const {
        p.once_more([&] {
            p.work_in(&place);
            auto const input = p.matrix(nn::residual_buffer, width());
            p.work_in(nullptr);
            backend::copy<T>(p.context(), input, p.residual(width()));
            blocks[at(layer)].forward(rows_of(p, layer), p.residual(width()));
        });
    }

    void vjp_of_read_out(backward const& b, bool with_logits, rows_view g) const {
        auto const& ctx = b.values.context();
        auto const l = duals_of(b, -1);
        auto const gx = b.cotangents.matrix(nn::norm_out_buffer, width());
        backend::clear<T>(ctx, gx);
        if (with_logits) {
            auto const logits = l.matrix(nn::logits_buffer, vocabulary());
            backend::clear<T>(ctx, logits.tangent);
            if (finishes_logits()) l.hook_cotangents(hooks::site_id::logits, logits.tangent);
            if (logit_cap > 0) backend::cap_tangents<T>(ctx, logits.value, logit_cap, l.all(), logits.tangent);
            if (logit_scale != T{1}) backend::scale<T>(ctx, logits.tangent, logit_scale);
            l.hook_cotangents(hooks::site_id::unembed_out, logits.tangent);
            layer_stay stay{turns.get()};
            stay.at(unembedding_unit());
            backend::linear<T>(ctx, logits.tangent, {b.transposes(*unembedding), {}}, gx);
            if (turns) b.transposes.forget();
        }
        l.hook_cotangents(hooks::site_id::unembed_in, gx);
        if (final_norm) final_norm->vjp(l, final_norm_sites, b.values.residual(width()), gx, g);
        else backend::copy<T>(ctx, gx, g);
    }

    /// Makes what the attentions of the layers [first, last) share. True if that is all that they need beside work
    /// matrices.
    PLATEAU_INLINE bool make_shared_work(pass_type& p, int first, int last) const {
        if constexpr (requires(Block const& b) {
                          b.attention.part.make_shared_work(rows_of(p, first));
                          b.attention.part.make_angles(rows_of(p, first));
                      }) {
            for (int layer = first; layer < last; ++layer) {
                if (!blocks[at(layer)].attention.part.shares_work_with(blocks[at(first)].attention.part)) return false;
            }
            if (first < last) blocks[at(first)].attention.part.make_shared_work(rows_of(p, first));
            for (int layer = first; layer < last; ++layer)
                blocks[at(layer)].attention.part.make_angles(rows_of(p, layer));
            for (int layer = first; layer < last; ++layer) {
                if (!blocks[at(layer)].attention.part.has_angles(rows_of(p, layer))) return false;
            }
            return true;
        }
        return false;
    }
    static std::size_t at(int layer) { return static_cast<std::size_t>(layer); }
};

/// The same decoder with other MLPs: blocks of type Block, whose MLP is what `make` makes of the one that was there.
///     with_mlp<my_block>(std::move(published), [](auto mlp) { return my_mlp{std::move(mlp)}; })
/// @param make  (MLP) -> part of Block
template <class Block, class Context, class T, class From, class Make>
transformer<Context, T, Block> with_mlp(transformer<Context, T, From> from, Make const& make) {
    transformer<Context, T, Block> to;
    for (auto& block : from.blocks) {
        auto& into = to.blocks.emplace_back();
        into.attention = std::move(block.attention);
        into.mlp.part = make(std::move(block.mlp.part));
        into.mlp.before = std::move(block.mlp.before);
        into.mlp.after = std::move(block.mlp.after);
        into.mlp.multiplier = block.mlp.multiplier;
        into.order = block.order;
    }
    to.embedding = std::move(from.embedding);
    to.embedding_scale = from.embedding_scale;
    to.positions = std::move(from.positions);
    to.position_offset = from.position_offset;
    to.final_norm = std::move(from.final_norm);
    to.unembedding = std::move(from.unembedding);
    to.unembedding_bias = std::move(from.unembedding_bias);
    to.logit_scale = from.logit_scale;
    to.logit_cap = from.logit_cap;
    to.context_length = from.context_length;
    to.turns = std::move(from.turns);
    return to;
}

}  // namespace plateau::models
