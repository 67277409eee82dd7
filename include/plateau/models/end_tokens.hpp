#pragma once
/// End tokens of a checkpoint: those after which a text is over.

#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include <plateau/io/config/fields.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/mapped_file.hpp>

namespace plateau::models {

/// Those of generation_config.json, if it lies in the model's folder and names any, or else of the model's own
/// configuration. @param path  as `open` takes it      @throws file_error, config_error on a malformed file
inline std::vector<token_id> end_tokens(std::filesystem::path const& path, io::model_config const& config) {
    auto const file = path / "generation_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return config.eos;
    auto const settings = io::parse_json(io::read_text(file), file.string());
    if (io::find_field(settings.root(), "eos_token_id") == nullptr) return config.eos;
    return io::config::parse_token_ids(settings.root(), "eos_token_id", std::nullopt, file.string());
}

}  // namespace plateau::models
