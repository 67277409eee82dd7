#pragma once
/// Bodies of io/config/fields.hpp.

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
    if (find_field(root, "quantization_config") != nullptr) {
        throw config_error(where,
                           ": \"quantization_config\" is not supported; save the model unquantised, "
                           "in F32 or BF16");
    }
    require_neutral(root, "is_causal", true, where);
    require_neutral(root, "is_encoder_decoder", false, where);
    require_neutral(root, "add_cross_attention", false, where);
    if (json const* pruned = find_field(root, "pruned_heads"); pruned != nullptr && !pruned->empty()) {
        throw config_error(where, ": \"pruned_heads\" is not supported");
    }
}

PLATEAU_INLINE rope_config parse_rope(json const& root, index context, std::string const& where,
                                      rope_keys const& keys) {
    rope_config rope;
    rope.kind = rope_kind::standard;
    rope.theta = field_or<double>(root, keys.theta, 10000, where);
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
    rope.theta = field_or<double>(scaling, "rope_theta", rope.theta, here);
    if (keys.fraction.empty()) require_neutral(scaling, "partial_rotary_factor", 1.0, here);
    else rope.fraction = field_or<double>(scaling, "partial_rotary_factor", rope.fraction, here);
    auto const older = field_or<std::string>(scaling, "type", "default", here);
    auto const type = field_or<std::string>(scaling, "rope_type", older, here);
    if (type == "default") return rope;
    if (type != "linear" && type != "llama3") {
        throw config_error(here, " type ", printable(type),
                           " is not supported; supported are default, linear and llama3");
    }
    rope.factor = field<double>(scaling, "factor", here);
    if (type == "linear") {
        rope.kind = rope_kind::linear;
        return rope;
    }
    rope.kind = rope_kind::llama3;
    rope.low_freq_factor = field<double>(scaling, "low_freq_factor", here);
    rope.high_freq_factor = field<double>(scaling, "high_freq_factor", here);
    rope.original_context = field_or<index>(scaling, "original_max_position_embeddings", context, here);
    rope.original_context = field_or<index>(root, "original_max_position_embeddings", rope.original_context, where);
    return rope;
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
            throw config_error(where, ": \"layer_types\" asks for a sliding window of no length");
        windows.push_back(sliding ? window : 0);
    }
    if (static_cast<index>(windows.size()) != layers) {
        throw config_error(where, ": \"layer_types\" names ", windows.size(), " layers, the model has ", layers);
    }
    if (window == 0) windows.clear();
    return windows;
}

}  // namespace plateau::io::config
