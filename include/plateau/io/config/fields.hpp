#pragma once
/// Readers for parts of a Hugging Face config.json that several families share.

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>

namespace plateau::io::config {

/// An activation by its name in transformers. @throws config_error for one that is not supported
[[gnu::cold]] inline activation parse_activation(json const& root, std::string_view key, std::string fallback,
                                                 std::string const& where) {
    auto const name = field_or<std::string>(root, key, std::move(fallback), where);
    if (name == "silu" || name == "swish") return activation::silu;
    if (name == "gelu") return activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") return activation::gelu_tanh;
    if (name == "relu") return activation::relu;
    throw config_error{where, ": \"", key, "\" ", printable(name),
                       " is not supported; supported are silu, gelu, gelu_new, gelu_pytorch_tanh and relu"};
}

/// One id, a list of ids, or null. Negative ids stand for "none".
/// @param absent  the id if there is no such key
[[gnu::cold]] inline std::vector<token_id> parse_token_ids(json const& root, std::string_view key,
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
            throw config_error{where, ": \"", key, "\" must be a token id or a list of them, found ", describe(value)};
        }
        if (auto const id = value_of<index>(value); id >= 0) ids.push_back(static_cast<token_id>(id));
    };
    if (!at->is_array()) add(*at);
    else
        for (json const& value : elements_of(*at)) add(value);
    return ids;
}

/// Requires that an option, where present, has the value with which it changes nothing.
template <class T>
void require_neutral(json const& root, std::string_view key, T neutral, std::string const& where) {
    if (field_or<T>(root, key, neutral, where) == neutral) return;
    throw config_error{where, ": \"", key, "\" = ", scalar_text(*find_field(root, key)), " is not supported"};
}

/// Options of every family that would change the numbers and that no family here supports.
[[gnu::cold]] inline void refuse_general_options(json const& root, std::string const& where) {
    if (find_field(root, "quantization_config") != nullptr) {
        throw config_error{where, ": \"quantization_config\" is not supported; save the model unquantised, "
                           "in F32 or BF16"};
    }
    require_neutral(root, "is_causal", true, where);
    require_neutral(root, "is_encoder_decoder", false, where);
    require_neutral(root, "add_cross_attention", false, where);
    if (json const* pruned = find_field(root, "pruned_heads"); pruned != nullptr && !pruned->empty()) {
        throw config_error{where, ": \"pruned_heads\" is not supported"};
    }
}

/// Rotary positions, of transformers 4 ("rope_theta" and "rope_scaling") or 5 ("rope_parameters").
/// The keys may also be mixed; the order of precedence is that of transformers 5.
/// @param context  the model's positions, the fallback of original_max_position_embeddings
[[gnu::cold]] inline rope_config parse_rope(json const& root, index context, std::string const& where) {
    rope_config rope;
    rope.kind = rope_kind::standard;
    rope.theta = field_or<double>(root, "rope_theta", 10000.0, where);
    require_neutral(root, "partial_rotary_factor", 1.0, where);

    bool const older_key = find_field(root, "rope_scaling") != nullptr &&
                           !object_field(root, "rope_scaling", where).empty();
    char const* const used_key = older_key ? "rope_scaling" : "rope_parameters";
    if (find_field(root, used_key) == nullptr) return rope;
    json const& scaling = object_field(root, used_key, where);
    std::string const here = concat({where, ": RoPE"});
    for (auto const& [key, value] : members_of(scaling)) {
        if (value.is_object())
            throw config_error{here, " parameters per layer type (", printable(key), ") are not supported"};
    }
    rope.theta = field_or<double>(scaling, "rope_theta", rope.theta, here);
    require_neutral(scaling, "partial_rotary_factor", 1.0, here);
    auto const older = field_or<std::string>(scaling, "type", "default", here);
    auto const type = field_or<std::string>(scaling, "rope_type", older, here);
    if (type == "default") return rope;
    if (type != "linear" && type != "llama3") {
        throw config_error{here, " type ", printable(type),
                           " is not supported; supported are default, linear and llama3"};
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

/// Requires that no layer looks through a window that is shorter than the context.
/// @param window     the window, if the model uses one
/// @param windowed   whether a layer uses it when "layer_types" does not say
[[gnu::cold]] inline void refuse_short_windows(json const& root, std::optional<index> window, bool windowed,
                                               index context, std::string const& where) {
    if (json const* types = find_field(root, "layer_types")) {
        if (!types->is_array())
            throw config_error{where, ": \"layer_types\" must be an array, found ", describe(*types)};
        windowed = false;
        for (json const& type : elements_of(*types)) {
            std::string_view const name = type.is_string() ? text_of(type) : std::string_view{};
            if (name == "full_attention") continue;
            if (name != "sliding_attention") {
                throw config_error{where, ": \"layer_types\" holds ", describe(type), ", which is not supported"};
            }
            windowed = true;
        }
        if (windowed && !window) throw config_error{where, ": \"layer_types\" asks for a sliding window of no length"};
    }
    if (windowed && window && *window < context) {
        throw config_error{where, ": a sliding window (\"use_sliding_window\", \"sliding_window\" = ", *window,
                           ") shorter than the context is not supported"};
    }
}

}  // namespace plateau::io::config
