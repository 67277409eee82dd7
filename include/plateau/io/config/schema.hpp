#pragma once
/// What a model is, in the terms of this library, whichever file said so.

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::io {

enum class rope_kind { none, standard, linear, llama3 };

/// Rotary positions: angles p·θ^(-2i/E) for the pairs i < E/2, frequencies rescaled by kind.
struct rope_config {
    rope_kind kind = rope_kind::none;
    double theta = 10000;
    double factor = 1;            ///< linear, llama3: low frequencies are divided by it
    double low_freq_factor = 1;   ///< llama3: wavelengths above original_context / low_freq_factor are scaled
    double high_freq_factor = 4;  ///< llama3: wavelengths below original_context / high_freq_factor are kept
    index original_context = 0;   ///< llama3: positions of the first training
};

/// A decoder-only transformer: sizes, parts and options that change its numbers.
struct model_config {
    std::string model_type;  ///< the family as Hugging Face names it: "llama", "qwen2", "gpt2"
    index layers = 0;        ///< L
    index d_model = 0;       ///< D
    index heads = 0;         ///< H
    index kv_heads = 0;      ///< K, divides H
    index d_head = 0;        ///< E; H·E may differ from D
    index d_mlp = 0;         ///< F
    index vocab = 0;         ///< V
    index context = 0;       ///< most positions
    norm_kind norm = norm_kind::rms;
    double norm_eps = 0;
    activation act = activation::silu;
    bool gated_mlp = false;  ///< act(gate x) ∘ (up x) instead of act(in x)
    rope_config rope;
    bool learned_positions = false;  ///< an embedding per position is added to the token's
    bool tied_head = false;          ///< the unembedding is the token embedding
    bool qkv_bias = false;
    bool out_bias = false;
    bool mlp_bias = false;
    bool scale_attention = true;          ///< scores are divided by √E
    bool scale_by_inverse_layer = false;  ///< and by (layer + 1)
    std::vector<token_id> bos;            ///< ids that begin a text, possibly none
    std::vector<token_id> eos;            ///< ids that end a text, possibly none
};

/// Requires sizes that a model can have, so that no product of two of them overflows.
/// @throws config_error that names the size
[[gnu::cold]] inline void require_valid(model_config const& config, std::string const& where) {
    constexpr index most = (index{1} << 31) - 1, most_layers = 10'000, most_elements = index{1} << 40;
    std::array<std::pair<char const*, index>, 8> const sizes{{{"number of layers", config.layers},
                                                              {"width of the residual stream", config.d_model},
                                                              {"number of attention heads", config.heads},
                                                              {"number of key-value heads", config.kv_heads},
                                                              {"width of a head", config.d_head},
                                                              {"width of the MLP", config.d_mlp},
                                                              {"size of the vocabulary", config.vocab},
                                                              {"number of positions", config.context}}};
    auto const refuse = [&](std::string_view what) { throw config_error{where, ": ", what}; };
    for (auto const& [name, size] : sizes) {
        if (size < 1) refuse(concat({"the ", name, " must be positive, found ", size}));
        if (size > most) refuse(concat({"the ", name, " is absurd: ", size}));
    }
    if (config.layers > most_layers) refuse(concat({"the number of layers is absurd: ", config.layers}));
    if (config.heads % config.kv_heads != 0) {
        refuse(concat({"the number of attention heads, ", config.heads,
                       ", is not a multiple of the number of key-value heads, ", config.kv_heads}));
    }
    // Each factor is below 2^31, so the first product cannot overflow; the second is checked by division.
    if (config.heads * config.d_head > most_elements / config.d_model) refuse("the attention is absurdly large");
    if (config.d_mlp > most_elements / config.d_model) refuse("the MLP is absurdly large");
    if (config.vocab > most_elements / config.d_model) refuse("the embedding is absurdly large");
    if (config.context > most_elements / config.d_model) refuse("the number of positions is absurd");
    if (!(config.norm_eps > 0) || !std::isfinite(config.norm_eps)) {
        refuse(concat({"the epsilon of the norms must be positive, found ", std::to_string(config.norm_eps)}));
    }
    rope_config const& rope = config.rope;
    if (rope.kind == rope_kind::none) return;
    if (config.d_head % 2 != 0)
        refuse(concat({"rotary positions need an even head width, found ", config.d_head}));
    if (!(rope.theta > 0) || !std::isfinite(rope.theta)) refuse("the RoPE base must be positive");
    if (!(rope.factor > 0) || !std::isfinite(rope.factor)) refuse("the RoPE factor must be positive");
    if (rope.kind != rope_kind::llama3) return;
    if (!(rope.low_freq_factor > 0) || !(rope.high_freq_factor > rope.low_freq_factor) ||
        !std::isfinite(rope.high_freq_factor)) {
        refuse("RoPE type llama3 needs 0 < low_freq_factor < high_freq_factor");
    }
    if (rope.original_context < 1) refuse("RoPE type llama3 needs a positive original_max_position_embeddings");
}

}  // namespace plateau::io
