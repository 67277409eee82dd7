#pragma once
/// The configuration of a decoder-only transformer, independent of the file format that it comes from.

#include <optional>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::io {

enum class rope_kind { none, standard, linear, llama3, dynamic, yarn, longrope };

/// Rotary positions: angles p·θ^(-2i/w) for the pairs i < w/2 of a head's first w coordinates, frequencies rescaled by
/// kind.
struct rope_config {
    rope_kind kind = rope_kind::none;
    double theta = 10000;
    double fraction = 1;          ///< w = ⌊fraction · E⌋
    double factor = 1;            ///< linear, llama3, yarn: low frequencies are divided by it; dynamic, longrope
    double low_freq_factor = 1;   ///< llama3: wavelengths above original_context / low_freq_factor are scaled
    double high_freq_factor = 4;  ///< llama3: wavelengths below original_context / high_freq_factor are kept
    index original_context = 0;   ///< all but linear: positions of the first training
    double beta_fast = 32;        ///< yarn: pairs that turn more often in original_context are kept
    double beta_slow = 1;         ///< yarn: pairs that turn less often are divided by the factor
    bool truncate = true;         ///< yarn: the pairs where the blend begins and ends are whole numbers
    std::vector<double> short_factors = {};  ///< longrope [w/2]: divide the frequencies of prompts up to
                                             ///< original_context
    std::vector<double> long_factors = {};   ///< longrope [w/2]: and of longer ones
    double attention_factor = 1;             ///< yarn, longrope: cosines and sines are multiplied by it
    bool restarts = false;  ///< longrope: a text that grows beyond original_context runs anew, as Phi-3's do

    /// Of the frequencies of whatever kind, one for each pair; none: all 1. GGUF files keep these.
    std::vector<double> divisors = {};

    index width(index d_head) const { return static_cast<index>(static_cast<double>(d_head) * fraction); }
};

/// The norm of queries and keys before rotation.
enum class qk_norm_kind {
    none,
    per_head,  ///< each head on its own, with one weight [E] for all
    own_head,  ///< each head on its own, with a weight of its own [E] and no bias
    whole,     ///< all heads of a position together, with a weight [H·E] or [K·E]
};

/// A decoder-only transformer: sizes, parts and options that change its numbers. Which norms a block has, and where,
/// the names of its tensors say (models/families/family.hpp).
struct model_config {
    std::string model_type;    ///< the family as Hugging Face names it: "llama", "qwen2", "gpt2"
    std::string text_of;       ///< the model_type of a whole of which it is the text part; empty if it is none
    std::string quantization;  ///< the "quant_method" that its configuration names; empty if there is none
    index layers = 0;          ///< L
    index d_model = 0;         ///< D
    index heads = 0;           ///< H
    index kv_heads = 0;        ///< K, divides H
    index d_head = 0;          ///< E; H·E may differ from D
    index d_mlp = 0;           ///< F
    index vocab = 0;           ///< V
    index context = 0;         ///< positions that it was made for; @see most_positions

    norm_kind norm = norm_kind::rms;
    double norm_eps = 0;
    bool norm_weights = true;  ///< norms have weights, and layer norms biases
    double norm_offset = 0;    ///< added to the weights of norms: 1 in Gemma
    bool final_norm = true;

    bool parallel = false;      ///< attention and MLP read the same residual stream
    bool shared_norm = false;   ///< behind the same norm, whatever the names of tensors say
    double residual_scale = 1;  ///< factor of what attention and MLP add to the residual stream
    activation act = activation::silu;
    bool gated_mlp = false;  ///< act(gate x) ∘ (up x) instead of act(in x)
    bool qkv_bias = false;
    bool out_bias = false;
    bool mlp_bias = false;

    rope_config rope;
    rope_config local_rope;               ///< of layers with a window, where its kind is not none
    std::vector<index> unrotated;         ///< layers without rotary positions
    std::optional<double> score_scale;    ///< factor of the scores; 1/√E if there is none
    bool scale_by_inverse_layer = false;  ///< scores are divided by (layer + 1) too
    double score_cap = 0;                 ///< c > 0: scores become c·tanh(score / c)
    double clip_qkv = 0;                  ///< c > 0: queries, keys and values are clamped to [−c, c]
    qk_norm_kind qk_norm = qk_norm_kind::none;
    std::vector<index>
        windows;  ///< of each layer: a position sees that many keys, its own included; 0 for all. Empty: 0

    bool learned_positions = false;  ///< an embedding per position is added to the token's
    index position_offset = 0;       ///< row of the position table that position 0 takes
    double embedding_scale = 1;      ///< factor of the token embedding, 1, √D or another
    bool tied_head = false;          ///< the unembedding is the token embedding
    bool head_bias = false;
    double logit_scale = 1;  ///< factor of the logits, before the cap
    double logit_cap = 0;    ///< c > 0: logits become c·tanh(logit / c)

    double init_scale = 0.02;     ///< standard deviation of matrices at the start of training
    bool scaled_outputs = false;  ///< there, matrices that write to the residual stream have it divided by √(2 L)

    std::vector<token_id> bos;  ///< ids that begin a text, possibly none
    std::vector<token_id> eos;  ///< ids that end a text, possibly none

    /// Positions that a prompt may have: more than `context` where the scaling of its rotary positions stretches them.
    index most_positions() const;

    // what the compiler would make of them in every place that copies, moves or drops one
    model_config();
    model_config(model_config const&);
    model_config(model_config&&) noexcept;
    model_config& operator=(model_config const&);
    model_config& operator=(model_config&&) noexcept;
    ~model_config();
};

/// Requires sizes that a model can have, so that no product of two of them overflows.
/// @throws config_error that names the size
void require_valid(model_config const& config, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/config/impl/schema.ipp>
#endif
