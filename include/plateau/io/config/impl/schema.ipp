#pragma once
/// Bodies of io/config/schema.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/schema.hpp>

namespace plateau::io {

PLATEAU_INLINE model_config::model_config() = default;
PLATEAU_INLINE model_config::model_config(model_config const&) = default;
PLATEAU_INLINE model_config::model_config(model_config&&) noexcept = default;
PLATEAU_INLINE model_config& model_config::operator=(model_config const&) = default;
PLATEAU_INLINE model_config& model_config::operator=(model_config&&) noexcept = default;
PLATEAU_INLINE model_config::~model_config() = default;

PLATEAU_INLINE index model_config::most_positions() const {
    double const made_for = static_cast<double>(context);
    double most = made_for;
    for (auto const* one : {&rope, &local_rope}) {
        double stretched = 0;
        if (one->kind == rope_kind::linear) stretched = made_for * one->factor;
        if (one->kind == rope_kind::yarn || one->kind == rope_kind::longrope)
            stretched = static_cast<double>(one->original_context) * one->factor;
        if (one->kind == rope_kind::dynamic) stretched = std::max(made_for * one->factor, 1048576.0);  // has no end
        most = std::max(most, stretched);
    }
    return static_cast<index>(std::min(most, 2147483647.0));
}

namespace detail {

PLATEAU_INLINE void require_valid_rope(rope_config const& rope, index d_head, std::string const& where) {
    if (rope.kind == rope_kind::none) return;
    auto const require = [&](bool holds, std::string_view what) {
        if (!holds) throw config_error(where, ": ", what);
    };
    auto const positive = [](double x) { return x > 0 && std::isfinite(x); };
    if (!(rope.fraction > 0 && rope.fraction <= 1)) {
        require(false,
                concat({"the part of a head that rotates must be in (0, 1], found ", std::to_string(rope.fraction)}));
    }
    index const width = rope.width(d_head);
    if (width < 2 || width % 2 != 0) {
        require(false, concat({"rotary positions need an even width, found ", width, " of the ", d_head,
                               " coordinates of a head"}));
    }
    require(positive(rope.theta), "the RoPE base must be positive");
    require(positive(rope.factor), "the RoPE factor must be positive");
    require(positive(rope.attention_factor), "the RoPE attention_factor must be positive");
    if (rope.kind == rope_kind::standard || rope.kind == rope_kind::linear) return;
    require(rope.original_context > 0, "this RoPE type needs a positive original_max_position_embeddings");
    if (rope.kind == rope_kind::llama3) {
        require(rope.low_freq_factor > 0 && rope.high_freq_factor > rope.low_freq_factor &&
                    std::isfinite(rope.high_freq_factor),
                "RoPE type llama3 needs 0 < low_freq_factor < high_freq_factor");
    }
    if (rope.kind == rope_kind::dynamic) require(width > 2, "RoPE type dynamic needs a width of more than 2");
    if (rope.kind == rope_kind::yarn) {
        require(rope.theta > 1, "RoPE type yarn needs a base above 1");
        require(positive(rope.beta_fast) && positive(rope.beta_slow), "RoPE type yarn needs positive betas");
    }
    if (rope.kind != rope_kind::longrope) return;
    for (auto const* factors : {&rope.short_factors, &rope.long_factors}) {
        if (static_cast<index>(factors->size()) != width / 2) {
            require(false, concat({"RoPE type longrope needs ", width / 2,
                                   " values in \"short_factor\" and in \"long_factor\", found ", factors->size()}));
        }
        for (double const factor : *factors) require(positive(factor), "RoPE type longrope needs positive factors");
    }
}

}  // namespace detail

PLATEAU_INLINE void require_valid(model_config const& config, std::string const& where) {
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
    for (auto const& [name, value] : {std::pair{"the factor of the embedding", config.embedding_scale},
                                      {"the factor of the residual stream's addends", config.residual_scale},
                                      {"the factor of the logits", config.logit_scale}}) {
        if (!std::isfinite(value)) refuse(concat({name, " is not finite"}));
    }
    detail::require_valid_rope(config.rope, config.d_head, where);
    detail::require_valid_rope(config.local_rope, config.d_head, where);
}

}  // namespace plateau::io
