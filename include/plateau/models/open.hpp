#pragma once
/// A checkpoint opened: its configuration, its tensors and the way to its tokenizer.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/models/families.hpp>
#include <plateau/models/model_texts.hpp>
#include <plateau/models/quantization.hpp>
#include <plateau/models/tensor_source.hpp>

namespace plateau::models {

/// An opened checkpoint. Files stay mapped as long as `weights` lives.
template <class T>
struct checkpoint {
    io::model_config config;
    std::shared_ptr<tensor_source<T> const> weights;  ///< null if they are not wanted
    std::function<io::tokenizer()> tokenizer;         ///< reads it; throws if there is none
    std::string notices = {};                         ///< lines on how it was found and taken, each with its end

    /// What a model has beside its weights.
    model_texts texts() const {
        model_texts all;
        all.config = config;
        all.notices = notices;
        all.take_tokenizer(tokenizer);
        return all;
    }
};

/// Opens a Hugging Face directory (config.json with safetensors; folders of its cache too) or a GGUF file.
/// @param given  @see io::find_model; without weights also a configuration by itself, FILE.json
/// @param with_weights  false for a folder whose weights are not wanted, or not there
/// @throws file_error, config_error
template <class T>
PLATEAU_RARE checkpoint<T> open(std::filesystem::path const& given, bool with_weights = true) {
    bool const alone = !with_weights && given.native().ends_with(".json");  // a configuration, no folder
    auto const place = alone ? io::model_place{given.string(), ""} : io::find_model(given.string());
    std::filesystem::path const path{place.path};
    if (!alone && !std::filesystem::is_directory(path)) {
        using source = source_of<io::gguf_checkpoint, T>;
        auto const opened = shared_as<tensor_source<T> const, source>(path);
        auto const& checkpoint = static_cast<source const&>(*opened).checkpoint();
        return {checkpoint.config(), opened,
                [opened, &checkpoint] { return io::tokenizer::from_gguf(checkpoint.file()); }};
    }
    auto const config = alone ? path : path / "config.json";
    checkpoint<T> found{parse_model_config(io::read_text(config), config.string()), nullptr,
                        [folder = alone ? path.parent_path() : path] { return io::tokenizer::from_folder(folder); }};
    found.notices = place.notice;
    if (with_weights) {
        using source = source_of<io::safetensors_checkpoint, T>;
        auto const stored = shared_as<tensor_source<T>, source>(path);
        found.notices += prepare(static_cast<source&>(*stored).checkpoint(), found.config.quantization, place.path);
        found.weights = stored;
    }
    return found;
}

PLATEAU_COMPILED_FUNCTION(open);

}  // namespace plateau::models
