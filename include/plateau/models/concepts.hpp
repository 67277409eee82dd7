#pragma once
/// The concept of a model that an engine runs.

#include <concepts>
#include <memory>
#include <span>
#include <vector>

#include <plateau/models/layer_turns.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::models {

/// A model of elements T on the backend of Context. `models::transformer` over any block is one; any other type with
/// these members runs, is hooked and is swept like it:
///     sites()           every hook point in firing order, [hooks::site]
///     layers()          L: blocks that rows go through
///     width()           D of the residual stream
///     vocabulary()      V of the logits
///     kv_width()        KV · E: values that a position leaves to later ones in a layer, as keys and as values
///     context_length    positions that it was made for
///     embedding         its outputs() are the tokens that there are
///     unembedding, unembedding_bias, logit_cap, head()
///                       logits = cap(x Wᵀ + b): W [V, D], b [V] or empty, c of c·tanh(l / c) or 0; head() is W and b.
///                       With a member logit_scale they are cap(logit_scale · (x Wᵀ + b))
///     embed(pass, tokens)               the residual rows [R, D] become the embeddings of tokens [R]; its hooks fire
///     run(pass, first, last, item)      they go through the layers [first, last); throws not_finite_error by item
///     record_keys_and_values(pass, l)   what later rows need of layer l, and no more
///     read_out(pass, with_logits)       final norm, into nn::norm_out_buffer, and the unembedding, if wanted
///     unembed(pass)                     logits [R, V] of what read_out left, into nn::logits_buffer
///     each_work_matrix(logits, f)       f(buffer, width) for the work matrices of a pass that nobody looks at
template <class M, class Context, class T>
concept Transformer = requires(M const& model, nn::pass<Context, T>& pass, std::span<index const> tokens) {
    { model.sites() } -> std::convertible_to<std::vector<hooks::site>>;
    { model.layers() } -> std::convertible_to<int>;
    { model.width() } -> std::convertible_to<index>;
    { model.vocabulary() } -> std::convertible_to<index>;
    { model.kv_width() } -> std::convertible_to<index>;
    { model.context_length } -> std::convertible_to<index>;
    { model.embedding->outputs() } -> std::convertible_to<index>;
    { *model.unembedding } -> std::convertible_to<typename Context::template weight<T> const&>;
    { model.unembedding_bias } -> std::convertible_to<typename Context::template buffer<T, 1> const&>;
    { model.logit_cap } -> std::convertible_to<T>;
    { model.head() } -> std::convertible_to<backend::linear_parameters<Context, T>>;
    model.embed(pass, tokens);
    model.run(pass, int{}, int{}, "item");
    model.record_keys_and_values(pass, int{});
    model.read_out(pass, bool{});
    model.unembed(pass);
    model.each_work_matrix(bool{}, [](nn::work_buffer const&, index) {});
};

/// The factor of a model's logits, 1 of one that tells of none.
template <class T, class M>
T logit_scale_of(M const& model) {
    if constexpr (requires { model.logit_scale; }) return model.logit_scale;
    else return T{1};
}

/// A stay with the unembedding of a model whose layers take turns; of others nothing.
template <class M>
layer_stay stay_with_unembedding(M const& model) {
    if constexpr (requires { model.turns->limits(); }) return {model.turns.get(), model.unembedding_unit()};
    else return layer_stay{nullptr};
}

}  // namespace plateau::models
