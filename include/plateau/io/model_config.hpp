#pragma once
/// config.json of a Hugging Face checkpoint, as transformers 4 or 5 writes it.

#include <array>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/io/config/gpt2.hpp>
#include <plateau/io/config/llama.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>

namespace plateau::io {

namespace config {

/// A family: its "model_type" and the function that reads its keys.
struct family {
    std::string_view model_type;
    model_config (*parse)(json const& root, std::string const& where);
};

/// Another family is a header beside config/llama.hpp and a row here.
inline constexpr std::array families{
    family{"gpt2", parse_gpt2},
    family{"llama", parse_llama},
    family{"qwen2", parse_qwen2},
};

}  // namespace config

/// Reads a configuration. Keys that do not change a number are ignored; absent ones take the defaults of
/// transformers, except sizes, which have none.
/// @param where  the file, for messages
/// @throws file_error if the text is not JSON; config_error that names the key: a wrong value type, a size
///         that no model can have, an unknown model_type (with the known ones), an option that would
///         change the numbers and is not supported
inline model_config parse_model_config(std::string_view json_text, std::string const& where) {
    json const root = parse_json(json_text, where);
    if (!root.is_object()) throw config_error{where, ": a configuration must be an object, found ", describe(root)};
    auto const model_type = field<std::string>(root, "model_type", where);
    std::string known;
    for (auto const& family : config::families) {
        if (family.model_type == model_type) {
            model_config config = family.parse(root, where);
            require_valid(config, where);
            return config;
        }
        known = concat({known, known.empty() ? "" : ", ", family.model_type});
    }
    throw config_error{where, ": the model_type ", printable(model_type), " is not supported; supported are ", known};
}

}  // namespace plateau::io
