#pragma once
/// Kinds of activation function and norm, as configurations name them and layers compute them.

#include <cstdint>

namespace plateau {

enum class activation : std::uint8_t {
    silu,       ///< x / (1 + e^−x)
    gelu,       ///< x (1 + erf(x / √2)) / 2
    gelu_tanh,  ///< x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2: Hugging Face's gelu_new and gelu_pytorch_tanh
    relu,       ///< max(x, 0)
};

enum class norm_kind : std::uint8_t {
    rms,    ///< x / √(mean(x²) + ε) · w
    layer,  ///< (x − mean(x)) / √(var(x) + ε) · w + b
};

}  // namespace plateau
