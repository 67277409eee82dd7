#pragma once
/// What a model is, in the terms of this library, whichever file said so.

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::io {

enum class rope_kind { none, standard, linear, llama3 };

/// Rotary positions: angles p·θ^(-2i/w) for the pairs i < w/2 of a head's first w coordinates, frequencies rescaled by
/// kind.
struct rope_config {
    rope_kind kind = rope_kind::none;
    double theta = 10000;
    double fraction = 1;          ///< w = ⌊fraction · E⌋
    double factor = 1;            ///< linear, llama3: low frequencies are divided by it
    double low_freq_factor = 1;   ///< llama3: wavelengths above original_context / low_freq_factor are scaled
    double high_freq_factor = 4;  ///< llama3: wavelengths below original_context / high_freq_factor are kept
    index original_context = 0;   ///< llama3: positions of the first training

    index width(index d_head) const { return static_cast<index>(static_cast<double>(d_head) * fraction); }
};

/// What normalises queries and keys before rotation.
enum class qk_norm_kind {
    none,
    per_head,  ///< each head on its own, with one weight [E] for all
    whole,     ///< all heads of a position together, with a weight [H·E] or [K·E]
};

/// A decoder-only transformer: sizes, parts and options that change its numbers. Which norms a block has, and where,
/// the names of its tensors say (models/families/family.hpp).
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
    bool norm_weights = true;  ///< norms have weights, and layer norms biases
    double norm_offset = 0;    ///< added to the weights of norms: 1 in Gemma
    bool final_norm = true;

    bool parallel = false;  ///< attention and MLP read the same residual stream
    activation act = activation::silu;
    bool gated_mlp = false;  ///< act(gate x) ∘ (up x) instead of act(in x)
    bool qkv_bias = false;
    bool out_bias = false;
    bool mlp_bias = false;

    rope_config rope;
    std::optional<double> score_scale;    ///< factor of the scores; 1/√E if there is none
    bool scale_by_inverse_layer = false;  ///< scores are divided by (layer + 1) too
    double score_cap = 0;                 ///< c > 0: scores become c·tanh(score / c)
    double clip_qkv = 0;                  ///< c > 0: queries, keys and values are clamped to [−c, c]
    qk_norm_kind qk_norm = qk_norm_kind::none;
    std::vector<index>
        windows;  ///< of each layer: a position sees that many keys, its own included; 0 for all. Empty: 0

    bool learned_positions = false;  ///< an embedding per position is added to the token's
    index position_offset = 0;       ///< row of the position table that position 0 takes
    double embedding_scale = 1;      ///< factor of the token embedding, 1 or √D
    bool tied_head = false;          ///< the unembedding is the token embedding
    bool head_bias = false;
    double logit_cap = 0;  ///< c > 0: logits become c·tanh(logit / c)

    double init_scale = 0.02;     ///< standard deviation of matrices at the start of training
    bool scaled_outputs = false;  ///< there, matrices that write to the residual stream have it divided by √(2 L)

    std::vector<token_id> bos;  ///< ids that begin a text, possibly none
    std::vector<token_id> eos;  ///< ids that end a text, possibly none
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
    auto const refuse = [&](std::string_view what) { throw config_error(where, ": ", what); };
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
    for (auto const& [name, value] : {std::pair{"the soft-cap of the scores", config.score_cap},
                                      {"the bound of queries, keys and values", config.clip_qkv},
                                      {"the soft-cap of the logits", config.logit_cap}}) {
        if (!(value >= 0) || !std::isfinite(value))
            refuse(concat({name, " must be positive, found ", std::to_string(value)}));
    }
    if (config.score_scale && !std::isfinite(*config.score_scale)) refuse("the factor of the scores is not finite");
    for (index const window : config.windows) {
        if (window < 0) refuse(concat({"an attention window of ", window, " positions"}));
    }
    rope_config const& rope = config.rope;
    if (rope.kind == rope_kind::none) return;
    if (!(rope.fraction > 0 && rope.fraction <= 1)) {
        refuse(concat({"the part of a head that rotates must be in (0, 1], found ", std::to_string(rope.fraction)}));
    }
    if (auto const width = rope.width(config.d_head); width < 2 || width % 2 != 0) {
        refuse(concat({"rotary positions need an even width, found ", width, " of the ", config.d_head,
                       " coordinates of a head"}));
    }
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
