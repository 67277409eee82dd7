#pragma once
/// Bodies of io/config/fields.hpp.

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>
#include <plateau/io/config/fields.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io::config {

PLATEAU_INLINE activation parse_activation(json const& root, std::string_view key, std::string fallback,
                                           std::string const& where) {
    auto const name = field_or<std::string>(root, key, std::move(fallback), where);
    struct entry {
        std::string_view name;
        activation act;
    };
    static constexpr entry known[]{
        {"silu", activation::silu},
        {"swish", activation::silu},
        {"gelu", activation::gelu},
        {"gelu_python", activation::gelu},
        {"gelu_new", activation::gelu_tanh},
        {"gelu_pytorch_tanh", activation::gelu_tanh},
        {"gelu_fast", activation::gelu_tanh},
        {"gelu_python_tanh", activation::gelu_tanh},
        {"gelu_accurate", activation::gelu_tanh},
        {"relu", activation::relu},
    };
    for (auto const& known_name : known) {
        if (known_name.name == name) return known_name.act;
    }
    throw config_error(where, ": \"", key, "\" ", printable(name),
                       " is not supported; supported are silu, gelu (exact), gelu_new and its other names, and relu");
}

PLATEAU_INLINE std::vector<token_id> parse_token_ids(json const& root, std::string_view key,
                                                     std::optional<token_id> absent, std::string const& where) {
    std::vector<token_id> ids;
    json const* const at = find_member(root, key);
    if (at == nullptr) {
        if (absent) ids.push_back(*absent);
        return ids;
    }
    if (at->is_null()) return ids;
    auto const add = [&](json const& value) {
        constexpr index most = std::numeric_limits<token_id>::max();
        if (!json_is<index>(value) || value_of<index>(value) > most) {
            throw config_error(where, ": \"", key, "\" must be a token id or a list of them, found ", describe(value));
        }
        if (auto const id = value_of<index>(value); id >= 0) ids.push_back(static_cast<token_id>(id));
    };
    if (!at->is_array()) add(*at);
    else
        for (json const& value : elements_of(*at)) add(value);
    return ids;
}

PLATEAU_INLINE void refuse_general_options(json const& root, std::string const& where) {
    require_neutral(root, "is_causal", true, where);
    require_neutral(root, "is_encoder_decoder", false, where);
    require_neutral(root, "add_cross_attention", false, where);
    if (json const* pruned = find_field(root, "pruned_heads"); pruned != nullptr && !pruned->empty()) {
        throw config_error(where, ": \"pruned_heads\" is not supported");
    }
}

PLATEAU_INLINE std::vector<double> parse_numbers(json const& root, std::string_view key, std::string const& where) {
    json const* const all = find_field(root, key);
    std::vector<double> numbers;
    bool holds = all != nullptr && all->is_array();
    for (json const& one : holds ? elements_of(*all) : json_children{}) {
        holds = holds && one.is_number();
        if (holds) numbers.push_back(value_of<double>(one));
    }
    if (!holds) throw config_error(where, ": \"", key, "\" must be a list of numbers");
    return numbers;
}

namespace detail {

/// What yarn multiplies cosines and sines by, unless the file says.
PLATEAU_INLINE double yarn_attention(json const& scaling, double factor, std::string const& here) {
    auto const of = [&](double m) { return factor <= 1 ? 1.0 : 0.1 * m * std::log(factor) + 1; };
    double const mscale = field_or<double>(scaling, "mscale", 0, here);
    double const all_dim = field_or<double>(scaling, "mscale_all_dim", 0, here);
    return mscale != 0 && all_dim != 0 ? of(mscale) / of(all_dim) : of(1);
}

/// And longrope.
PLATEAU_INLINE double longrope_attention(double factor, index original) {
    return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original)));
}

}  // namespace detail

PLATEAU_INLINE void read_rope(rope_config& rope, json const& scaling, index context, std::string const& here,
                              rope_keys const& keys) {
    rope.theta = field_or<double>(scaling, "rope_theta", rope.theta, here);
    if (keys.fraction.empty()) require_neutral(scaling, "partial_rotary_factor", 1.0, here);
    else rope.fraction = field_or<double>(scaling, "partial_rotary_factor", rope.fraction, here);
    auto const older = field_or<std::string>(scaling, "type", "default", here);
    auto const type = field_or<std::string>(scaling, "rope_type", older, here);
    struct entry {
        std::string_view name;
        rope_kind kind;
    };
    static constexpr entry known[]{{"default", rope_kind::standard}, {"linear", rope_kind::linear},
                                   {"llama3", rope_kind::llama3},    {"dynamic", rope_kind::dynamic},
                                   {"yarn", rope_kind::yarn},        {"longrope", rope_kind::longrope}};
    rope.kind = rope_kind::none;
    for (auto const& one : known) {
        if (one.name == type) rope.kind = one.kind;
    }
    if (keys.renames_longrope && (type == "su" || type == "yarn")) rope.kind = rope_kind::longrope;
    if (rope.kind == rope_kind::none) {
        throw config_error(here, " type ", printable(type),
                           " is not supported; supported are default, linear, dynamic, yarn, longrope and llama3");
    }
    if (rope.kind == rope_kind::standard) return;
    rope.original_context = context;
    if (rope.kind != rope_kind::yarn && rope.kind != rope_kind::longrope) {
        rope.factor = field<double>(scaling, "factor", here);
        if (rope.kind != rope_kind::llama3) return;
    }
    rope.original_context = field_or<index>(scaling, "original_max_position_embeddings", context, here);
    if (keys.original > 0) rope.original_context = keys.original;
    if (rope.kind == rope_kind::llama3) {
        rope.low_freq_factor = field<double>(scaling, "low_freq_factor", here);
        rope.high_freq_factor = field<double>(scaling, "high_freq_factor", here);
        return;
    }
    double const ratio = static_cast<double>(context) / static_cast<double>(rope.original_context);
    rope.factor = field_or<double>(scaling, "factor", ratio, here);
    auto const attention = optional_field<double>(scaling, "attention_factor", here);
    if (rope.kind == rope_kind::longrope) {
        rope.short_factors = parse_numbers(scaling, "short_factor", here);
        rope.long_factors = parse_numbers(scaling, "long_factor", here);
        rope.restarts = keys.renames_longrope;
        rope.attention_factor = attention.value_or(detail::longrope_attention(rope.factor, rope.original_context));
        return;
    }
    auto const beta = [&](char const* key, double absent) {
        double const told = field_or<double>(scaling, key, absent, here);
        return told == 0 ? absent : told;
    };
    rope.beta_fast = beta("beta_fast", 32);
    rope.beta_slow = beta("beta_slow", 1);
    rope.truncate = field_or<bool>(scaling, "truncate", true, here);
    rope.attention_factor = attention ? *attention : detail::yarn_attention(scaling, rope.factor, here);
}

PLATEAU_INLINE rope_config parse_rope(json const& root, index context, std::string const& where,
                                      rope_keys const& keys) {
    rope_config rope;
    rope.kind = rope_kind::standard;
    rope.theta = field_or<double>(root, keys.theta, keys.default_theta, where);
    if (keys.fraction.empty()) require_neutral(root, "partial_rotary_factor", 1.0, where);
    else rope.fraction = field_or<double>(root, keys.fraction, keys.default_fraction, where);

    bool const older_key =
        find_field(root, "rope_scaling") != nullptr && !object_field(root, "rope_scaling", where).empty();
    char const* const used_key = older_key ? "rope_scaling" : "rope_parameters";
    if (find_field(root, used_key) == nullptr) return rope;
    json const& scaling = object_field(root, used_key, where);
    std::string const here = concat({where, ": RoPE"});
    for (json const& value : members_of(scaling)) {
        if (value.is_object())
            throw config_error(here, " parameters per layer type (", printable(value.key()), ") are not supported");
    }
    auto with_original = keys;
    with_original.original = field_or<index>(root, "original_max_position_embeddings", keys.original, where);
    read_rope(rope, scaling, context, here, with_original);
    return rope;
}

PLATEAU_INLINE std::pair<rope_config, rope_config> parse_ropes_by_layer_type(json const& root, index context,
                                                                             std::string const& where,
                                                                             rope_keys const& full,
                                                                             rope_keys const& sliding) {
    std::string const here = concat({where, ": RoPE"});
    json const* const older = find_field(root, "rope_scaling");
    json const* const types = find_field(root, "rope_parameters");
    if (older != nullptr && types != nullptr)
        throw config_error(here, " stands under \"rope_scaling\" and under \"rope_parameters\"");
    if (types != nullptr) object_field(root, "rope_parameters", where);  // throws if it is none
    auto const read = [&](char const* type, rope_keys const& keys) {
        rope_config rope;
        rope.kind = rope_kind::standard;
        rope.theta = keys.default_theta;
        if (!keys.theta.empty()) rope.theta = field_or<double>(root, keys.theta, keys.default_theta, where);
        if (types != nullptr && find_field(*types, type) != nullptr)
            read_rope(rope, object_field(*types, type, here), context, here, keys);
        // what transformers reads beside the layer types, not in them
        rope.truncate = types == nullptr || field_or<bool>(*types, "truncate", true, here);
        return rope;
    };
    if (types != nullptr && !types->empty() && find_member(*types, "full_attention") == nullptr &&
        find_member(*types, "sliding_attention") == nullptr) {
        throw config_error(
            here,
            " parameters must stand under \"full_attention\" and \"sliding_attention\" here: write "
            "\"rope_parameters\" as "
            "{\"full_attention\": {\"rope_type\": ..., \"rope_theta\": ...}, \"sliding_attention\": {...}}");
    }
    std::pair both{read("full_attention", full), read("sliding_attention", sliding)};
    if (older != nullptr) {
        if (find_field(*older, "type") != nullptr && find_field(*older, "rope_type") == nullptr) {
            throw config_error(here,
                               ": versions of transformers read \"type\" differently here, some not at all; "
                               "write \"rope_type\"");
        }
        read_rope(both.first, object_field(root, "rope_scaling", where), context, here, full);
        both.first.truncate = true;
    }
    return both;
}

PLATEAU_INLINE index parse_window(json const& root, std::string_view key, index absent, std::string const& where) {
    if (find_member(root, key) == nullptr) return absent;
    auto const window = optional_field<index>(root, key, where);
    if (window && *window < 1)
        throw config_error(where, ": \"", key, "\" must be a positive number of positions, found ", *window);
    return window.value_or(0);
}

PLATEAU_INLINE std::vector<index> parse_windows(json const& root, index layers, index window, index from, index every,
                                                std::string const& where) {
    std::vector<index> windows;
    json const* const types = find_field(root, "layer_types");
    if (types == nullptr) {
        for (index layer = 0; layer < layers && window > 0 && from < layers; ++layer) {
            windows.push_back(layer >= from && (layer - from) % every == 0 ? window : 0);
        }
        return windows;
    }
    if (!types->is_array()) throw config_error(where, ": \"layer_types\" must be an array, found ", describe(*types));
    for (json const& type : elements_of(*types)) {
        std::string_view const name = type.is_string() ? text_of(type) : std::string_view{};
        bool const sliding = name == "sliding_attention";
        if (!sliding && name != "full_attention") {
            throw config_error(where, ": \"layer_types\" holds ", describe(type),
                               ", which is not supported; supported are full_attention and sliding_attention");
        }
        if (sliding && window == 0)
            throw config_error(where,
                               ": \"layer_types\" asks for a sliding window, and there is no length of one that this "
                               "family reads; take \"layer_types\" out if its layers have none");
        windows.push_back(sliding ? window : 0);
    }
    if (static_cast<index>(windows.size()) != layers) {
        throw config_error(where, ": \"layer_types\" names ", windows.size(), " layers, the model has ", layers);
    }
    if (window == 0) windows.clear();
    return windows;
}

}  // namespace plateau::io::config
