#pragma once
/// Shapes of the published models that the figures are about.

#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::benchmarks {

struct model_shape {
    char const* name;
    index layers, width, heads, kv_heads, head_width, d_mlp;  ///< L, D, H, KV, E, F
    bool
        llama;  ///< RMSNorm, rotary positions, gated; otherwise GPT-2's LayerNorm, learned positions, plain with biases

    index q_width() const { return heads * head_width; }
    index kv_width() const { return kv_heads * head_width; }

    /// Float operations per row in the matrix products of one layer.
    double flops() const {
        return 2.0 * static_cast<double>(width * (2 * q_width() + 2 * kv_width() + (llama ? 3 : 2) * d_mlp));
    }
    /// Those of keys and values alone.
    double kv_flops() const { return 2.0 * static_cast<double>(2 * width * kv_width()); }
};

inline constexpr model_shape smollm2{"SmolLM2-135M", 30, 576, 9, 3, 64, 1536, true};
inline constexpr model_shape gpt2{"GPT-2 small", 12, 768, 12, 12, 64, 3072, false};
inline constexpr model_shape qwen2{"Qwen2-0.5B", 24, 896, 14, 2, 64, 4864, true};
inline constexpr model_shape olmo{"OLMo-1B", 16, 2048, 16, 16, 128, 8192, true};

/// A weight matrix [N, K].
struct matrix_shape {
    index outputs, inputs;
};

/// The different matrices of a layer: queries and output; keys and values, where they are narrower; in (and gate); out.
inline std::vector<matrix_shape> matrices_of(model_shape const& m) {
    std::vector<matrix_shape> all{{m.q_width(), m.width}};
    if (m.kv_heads != m.heads) all.push_back({m.kv_width(), m.width});
    all.push_back({m.d_mlp, m.width});
    all.push_back({m.width, m.d_mlp});
    return all;
}

/// Those of several models, one after the other.
inline std::vector<matrix_shape> matrices_of(std::vector<model_shape> const& models) {
    std::vector<matrix_shape> all;
    for (auto const& model : models) {
        for (auto const& matrix : matrices_of(model)) all.push_back(matrix);
    }
    return all;
}

}  // namespace plateau::benchmarks
