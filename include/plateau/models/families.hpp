#pragma once
/// The families of models, and config.json as transformers 4 or 5 writes it.

#include <span>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/models/families/family.hpp>

namespace plateau::models {

/// Every family, by model_type.
std::span<family const> known_families();

/// @param where  the file, for messages      @throws config_error with the known model_types
family const& find_family(std::string_view model_type, std::string const& where);

/// Reads a configuration. Keys that do not change a number are ignored; absent ones take the defaults of
/// transformers, except sizes, which only a "text_config" may lack. Of a model of text and more whose "text_config" is
/// of a known family it reads that.
/// @param where  the file, for messages
/// @throws file_error if the text is not JSON; config_error that names the key: a wrong value type, a size
///         that no model can have, an unknown model_type (with the known ones), an option that would
///         change the numbers and is not supported
io::model_config parse_model_config(std::string_view json_text, std::string const& where);

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/families.ipp>
#endif
