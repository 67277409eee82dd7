#pragma once
/// Readers for parts of a Hugging Face config.json that several families share.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io::config {

/// An activation by its name in transformers. @throws config_error for one that is not supported
activation parse_activation(json const& root, std::string_view key, std::string fallback, std::string const& where);

/// One id, a list of ids, or null. Negative ids stand for "none".
/// @param absent  the id if there is no such key
std::vector<token_id> parse_token_ids(json const& root, std::string_view key, std::optional<token_id> absent,
                                      std::string const& where);

/// Requires that an option, where present, has the value with which it changes nothing.
template <class T>
void require_neutral(json const& root, std::string_view key, T neutral, std::string const& where) {
    if (field_or<T>(root, key, neutral, where) == neutral) return;
    throw config_error(where, ": \"", key, "\" = ", scalar_text(*find_field(root, key)), " is not supported");
}

/// Options of every family that would change the numbers and that no family here supports.
void refuse_general_options(json const& root, std::string const& where);

/// The keys of rotary positions that are older than "rope_parameters".
struct rope_keys {
    std::string_view theta = "rope_theta";
    std::string_view fraction = "";  ///< of the part of a head that rotates; empty in families that rotate all of it
    double default_fraction = 1;
    double default_theta = 10000;
    index original = 0;             ///< original_max_position_embeddings where the file has none beside the scaling
    bool renames_longrope = false;  ///< "su" and "yarn" mean longrope, whose texts restart
};

/// Rotary positions, of transformers 4 ("rope_theta", "partial_rotary_factor" and "rope_scaling") or 5
/// ("rope_parameters"). The keys may also be mixed; the order of precedence is that of transformers 5.
/// @param context  the model's positions, the fallback of original_max_position_embeddings
/// @throws config_error on a type other than default, linear, dynamic, yarn, longrope and llama3
rope_config parse_rope(json const& root, index context, std::string const& where, rope_keys const& keys = {});

/// Reads the object that describes a scaling, "rope_parameters" or one layer type's part of it.
/// @param rope  base and fraction as they are without, changed to what is described
void read_rope(rope_config& rope, json const& scaling, index context, std::string const& here, rope_keys const& keys);

/// The same of a family whose layers with a window have rotary positions of their own.
/// @return those of "full_attention" and "sliding_attention"
std::pair<rope_config, rope_config> parse_ropes_by_layer_type(json const& root, index context, std::string const& where,
                                                              rope_keys const& full, rope_keys const& sliding);

/// Numbers under a key. @throws config_error if they are not there
std::vector<double> parse_numbers(json const& root, std::string_view key, std::string const& where);

/// A size that may be null or absent: 0 then.
index parse_window(json const& root, std::string_view key, index absent, std::string const& where);

/// The attention windows of all layers, none without a window: those that "layer_types" calls sliding_attention have
/// one.
/// @param window       its length, 0 if the model has none
/// @param from,every   without "layer_types" the layers from, from + every, … have it
std::vector<index> parse_windows(json const& root, index layers, index window, index from, index every,
                                 std::string const& where);

}  // namespace plateau::io::config

#if !PLATEAU_COMPILED
#include <plateau/io/config/impl/fields.ipp>
#endif
