#pragma once
/// The operations of a backend, and a table of which backend has which.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/types.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// The operations of the backends. A backend is a context type (it owns threads, streams, handles) with the functions
/// named here, which take the context first, then views of its memory.
enum class op {
    linear,             ///< linear: Y = X · Wᵀ, or added to Y
    linear_activate,    ///< linear_activate: the first half of an MLP
    gather_rows,        ///< gather_rows: embedding
    norm,               ///< norm, and in steps rms_scale, centre_and_scale, divide_rows, affine
    rope,               ///< rotate: rotary position embedding
    prefix_attention,   ///< prefix_attention: rows against a shared prefix and their own keys; causal attention is its
                        ///< special case
    attend,             ///< attend: the same of a block of rows in a layer; prepare_attention: with what all layers
                        ///< share done once
    attention_steps,    ///< attention_scores, attention_softmax, attention_mix
    activation,         ///< activate: silu, gelu, gelu_tanh, relu, and gated
    add,                ///< add: residual and bias
    bounds,             ///< scale, cap, clip
    not_finite,         ///< first_not_finite, note_not_finite, and the context's finite_notes
    linear_points,      ///< linear_points: of straight lines
    row_distances,      ///< row_distances
    sign_codes,         ///< sign_codes, hamming_distances
    summarise_logits,   ///< summarise_logits: log-sum-exp, KL and best tokens of logits that are never stored
    log_probabilities,  ///< log_probabilities: of given tokens, from logits that are never stored
    edit_rows,  ///< edit_rows: parts of rows replaced, added to, scaled, or without their part along a direction
    tangents,   ///< norm_tangents, activation_slopes, activation_tangents, clip_tangents, cap_tangents,
                ///< attention_tangents, and norm_, activation_ and attention_cotangents: what is not linear in the
                ///< derivative of a pass
    memory,     ///< allocate, rows_that_fit, rows_with_memory, owned_by, viewed_by, to_host, copy, clear
};

/// All of them, in their order.
inline constexpr auto operations = [] {
    std::array<op, static_cast<std::size_t>(op::memory) + 1> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<op>(i);
    return all;
}();

constexpr std::string_view name_of(op operation) {
    constexpr std::array<std::string_view, operations.size()> names{
        "linear",
        "linear_activate",
        "gather_rows",
        "norm",
        "rope",
        "prefix_attention",
        "attend",
        "attention_steps",
        "activation",
        "add",
        "bounds",
        "not_finite",
        "linear_points",
        "row_distances",
        "sign_codes",
        "summarise_logits",
        "log_probabilities",
        "edit_rows",
        "tangents",
        "memory",
    };
    return names[static_cast<std::size_t>(operation)];
}

/// Some operations.
class op_set {
public:
    constexpr op_set() = default;
    constexpr op_set(std::span<op const> some) {
        for (op const one : some) bits_ |= bit(one);
    }
    constexpr bool contains(op operation) const { return (bits_ & bit(operation)) != 0; }
    constexpr op_set without(op operation) const {
        op_set rest = *this;
        rest.bits_ &= ~bit(operation);
        return rest;
    }

private:
    static constexpr std::uint32_t bit(op operation) { return std::uint32_t{1} << static_cast<unsigned>(operation); }
    std::uint32_t bits_ = 0;
};

/// What backend Context computes on elements of type T. Specialised beside each context.
template <class Context, class T>
inline constexpr op_set operations_of{};

/// True if backend Context has `operation` for elements of type T: then a call of it compiles.
template <class Context, class T>
constexpr bool supports(op operation) {
    return operations_of<Context, T>.contains(operation);
}

/// What work that comes by again has in common with what came before: numbers of rows and layers, and how often memory
/// that it was given with has moved.
using work_form = std::array<index, 7>;

/// A row that is not finite, and the layer that left it so: −1 for none.
struct noted_row {
    int layer = -1;
    index row = -1;
};

/// A context says where its memory is and how to own some, what the attention keeps from layer to layer
/// (`attention_work`), how work that comes by again is given (`repeated`) and when one hears of values that are not
/// finite (`finite_notes`).
template <class C>
concept Backend = requires(C const& context) {
    typename C::space;
    typename C::template buffer<float, 2>;
    typename C::template weight<float>;
    typename C::template attention_work<float>;
    typename C::repeated;
    typename C::finite_notes;
    { context.threads() } -> std::same_as<int>;
    { context.block_rows() } -> std::same_as<index>;
};

/// The weight of a linear layer, [N, K]: made with its memory, then filled through a handle that stays valid when the
/// weight is moved. Loading makes all weights first and fills them from many threads, in pieces from host memory:
///     outputs(n, rows of W [count, K]), n a multiple of output_step, or inputs(k, rows of Wᵀ [count, N]), k one of
///     input_step; values are T, or bfloat16 if `storage` was bf16
template <class W, class Context, class T>
concept FillableWeight = requires(W weight, Context const& ctx, tensor::view<T const, 2> values) {
    W{ctx, index{}, index{}, dtype{}};
    weight.writer().outputs(index{}, values);
    weight.writer().inputs(index{}, values);
    { +weight.writer().output_step } -> std::same_as<index>;
    { +weight.writer().input_step } -> std::same_as<index>;
};

}  // namespace plateau::backend
