#pragma once
/// A model as published: configuration, weights and tokenizer from a directory or a file.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/io/model_config.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/models/families.hpp>

namespace plateau::models {

/// A transformer with what came along with it.
template <class Context, class T>
struct language_model : transformer<Context, T> {
    io::model_config config;
    std::string name;  ///< the path it was loaded from
};

/// Loads a Hugging Face directory (config.json with safetensors; snapshot folders of its cache too).
/// @param storage  f32 or f64 as T, or bf16: matrices and their inputs are rounded to bfloat16 (T = float)
/// @throws file_error, config_error, numeric_error (weights that are not finite), memory_error
template <class T, class Context>
language_model<Context, T> load(std::filesystem::path const& path, Context const& ctx, dtype storage = dtype_of<T>) {
    if (!std::filesystem::exists(path)) {
        throw file_error("there is no model at " + path.string() + ": give a directory with config.json");
    }
    language_model<Context, T> model;
    auto const config_path = path / "config.json";
    model.config = io::parse_model_config(io::read_text(config_path), config_path.string());
    source_of<io::safetensors_checkpoint> const source{io::safetensors_checkpoint{path}, path.string()};
    static_cast<transformer<Context, T>&>(model) = assemble<Context, T>(ctx, model.config, source, storage);
    model.name = path.string();
    return model;
}

}  // namespace plateau::models
