#pragma once
/// What computes: the operations of a backend, and which backend has which.

#include <concepts>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/types.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// The operations that the layers of nn/ are written in. A backend is a context type (it owns threads, streams,
/// handles) with one free function per operation that takes the context first.
enum class op {
    linear,            ///< Y = X · Wᵀ
    norm,              ///< layer and RMS normalisation, scale and normalised rows apart
    rope,              ///< rotary position embedding
    prefix_attention,  ///< rows against a shared prefix and their own keys; causal attention is its special case
    activation,        ///< silu, gelu, gelu_tanh, relu, and gated
    add,               ///< residual and bias
    gather_rows,       ///< embedding
    summarise_logits,  ///< log-sum-exp, KL and best tokens of logits that are never stored
    log_probabilities,  ///< of given tokens, from logits that are never stored
};

constexpr std::string_view name_of(op operation) {
    switch (operation) {
        case op::linear: return "linear";
        case op::norm: return "norm";
        case op::rope: return "rope";
        case op::prefix_attention: return "prefix_attention";
        case op::activation: return "activation";
        case op::add: return "add";
        case op::gather_rows: return "gather_rows";
        case op::summarise_logits: return "summarise_logits";
        default: return "log_probabilities";
    }
}

/// True if backend Context computes `operation` on elements of type T. Specialised beside each context.
template <class Context, class T>
inline constexpr bool supports_type = false;
template <class Context, class T>
constexpr bool supports(op) {
    return supports_type<Context, T>;
}

/// A context says where its memory is and how to own some.
template <class C>
concept Backend = requires(C const& context) {
    typename C::space;
    typename C::template buffer<float, 2>;
    typename C::template weight<float>;
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
